/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's APLIC, one supervisor-level domain [AIA 4]: direct mode with an IDC per hart, MSI mode to the
 * VM's IMSIC. A guest chooses between the two where the VM has an IMSIC; without one it is direct.
 */
#ifndef AXVM_RISCV64_APLIC_H
#define AXVM_RISCV64_APLIC_H

#include <axvm/device.h>
#include <axvm/types.h>

#define AXVM_APLIC_SOURCES 1024u

struct axvm_aplic;

extern const struct axvm_device_type axvm_aplic_device_type;

/* As those of plic.h. */
int axvm_aplic_set_level(struct axvm_aplic *aplic, uint32_t source, bool level);
int axvm_aplic_pulse(struct axvm_aplic *aplic, uint32_t source);
int axvm_aplic_host_interrupt(struct axvm_aplic *aplic, uint32_t source, bool edge);

/* A vCPU's interrupt file has moved: routes of the host's interrupts to it are made anew. */
void axvm_aplic_file_moved(struct axvm_aplic *aplic, struct axvm_vcpu *vcpu);

#endif
