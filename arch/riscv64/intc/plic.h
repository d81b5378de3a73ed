/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's PLIC [PLIC]: its registers, its sources, and for each hart's S context the line that tells it
 * of the best interrupt. Finding that one looks at summaries, never at each source.
 */
#ifndef AXVM_RISCV64_PLIC_H
#define AXVM_RISCV64_PLIC_H

#include <axvm/device.h>
#include <axvm/types.h>

#define AXVM_PLIC_SOURCES 1024u /* numbers; 0 is none */

struct axvm_plic;

/* Emulated PLIC (type plic), and the same with the host's sources behind it (type 0x30). */
extern const struct axvm_device_type axvm_plic_device_type;
extern const struct axvm_device_type axvm_plic_passthrough_device_type;

/* The line of a source. Any CPU. AXVM_EINVAL: no such source. */
int axvm_plic_set_level(struct axvm_plic *plic, uint32_t source, bool level);
int axvm_plic_pulse(struct axvm_plic *plic, uint32_t source);
/* The host's interrupt of that number: pending; its completion goes to the host. */
int axvm_plic_host_interrupt(struct axvm_plic *plic, uint32_t source, bool edge);

#endif
