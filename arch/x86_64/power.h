/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ports by which a PC is switched off and reset: the fixed hardware of ACPI [ACPI 4.8.3] as acpi.h places it, the reset control
 * register at 0xcf9, port 0x92 and the keyboard controller's pulse; and 0x80 and 0xed, which take bytes of
 * no meaning that guests write to pass time.
 */
#ifndef AXVM_X86_64_POWER_H
#define AXVM_X86_64_POWER_H

#include <axvm/device.h>
#include <axvm/types.h>

struct axvm_power;

/* No configuration entry of its own: part of the machine. AXVM_ENOMEM, and as axvm_bus_attach. */
AXVM_MUST_USE int axvm_power_make(struct axvm_vm *vm);
/* No vCPU of the VM runs. */
void axvm_power_reset(struct axvm_power *power);

/*
 * After a write to a port: whether the vCPU has asked with it for the VM's end. Then vcpu->exit says
 * SHUTDOWN or RESET, and the exit path leaves. On the vCPU's CPU.
 */
bool axvm_power_has_ended(struct axvm_vcpu *vcpu);

#endif
