/* SPDX-License-Identifier: Apache-2.0 */
/* The lifecycle's inside: events that come from vCPUs, and how a VM is quiet. */
#ifndef AXVM_LIFECYCLE_H
#define AXVM_LIFECYCLE_H

#include "vm_state.h"

/*
 * One event of the table in <axvm/vm.h>: changes the state, keeps `stop` where
 * the event has a reason, asks the vCPUs out. AXVM_ESTATE: refused, nothing changed.
 */
AXVM_MUST_USE int axvm_lifecycle_apply(struct axvm_vm *vm, enum axvm_vm_event event,
				       const struct axvm_stop *stop);

/* An exit that ends the VM: SHUTDOWN, RESET, FAULT, FAIL_ENTRY; of others it takes no notice. */
void axvm_lifecycle_exit(struct axvm_vcpu *vcpu);

/*
 * A vCPU is about to be bound: false when the VM is not RUNNING; otherwise
 * axvm_lifecycle_leave follows when it is bound no more.
 */
bool axvm_lifecycle_enter(struct axvm_vm *vm);
void axvm_lifecycle_leave(struct axvm_vm *vm);

#endif
