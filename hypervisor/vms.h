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

/* Ends the machine with this status: 0 when every VM shut down by itself. */
_Noreturn void axvm_vms_power_off(int status);
/* Set from the command line of the hypervisor: how the status leaves the machine. */
void axvm_vms_set_exit(bool status_exit);

#endif
