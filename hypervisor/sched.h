/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which vCPU runs on which CPU, and when. A vCPU stays on the CPU it was placed
 * on. Alone there it costs no scheduler work: no time slice, WFI untrapped.
 * Where several share a CPU they take turns, SLICE_MS each.
 */
#ifndef AXVM_SCHED_H
#define AXVM_SCHED_H

#include <axvm/vm.h>

/* Places each vCPU of the VM. AXVM_ERANGE with `why`: no CPU of its set is there; AXVM_ENOMEM. */
AXVM_MUST_USE int axvm_sched_add(struct axvm_vm *vm, char why[AXVM_WHY_BYTES]);
/* Takes a VM that is quiet off the queues. */
void axvm_sched_remove(struct axvm_vm *vm);
/* vCPU 0 may run. */
void axvm_sched_start(struct axvm_vm *vm);

/* This CPU's loop. */
_Noreturn void axvm_sched_loop(void);

#endif
