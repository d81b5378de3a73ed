/* SPDX-License-Identifier: Apache-2.0 */
/* The VMs of this machine: made from the bundle, watched, reported, and the machine's own end. */
#ifndef AXVM_VMS_H
#define AXVM_VMS_H

#include <axvm/vm.h>

/*
 * Makes and boots the VMs of the bundle (docs/spec/bundle.md). What is wrong is
 * said on the console; false: at least one VM could not be made.
 */
bool axvm_vms_start(struct axvm_blob bundle);

/* The VM may have ended: axvm_vms_settle looks at it. Any CPU. */
void axvm_vms_look(struct axvm_vm *vm);
/* Reports VMs that have ended, restarts those that asked for it. In a CPU's loop, no vCPU bound. */
void axvm_vms_settle(void);

/* Powers the machine off: every VM has shut down by itself. */
_Noreturn void axvm_vms_power_off(void);
/* Ends the machine after what was not well: powers it off, or resets it when that was asked for. */
_Noreturn void axvm_vms_fail(void);
/* From the hypervisor's command line: axvm.on-failure=reset. */
void axvm_vms_reset_on_failure(bool reset);

#endif
