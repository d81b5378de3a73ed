/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's PLIC [PLIC]: its registers, its sources, and for each hart's S context the line that tells it
 * of the best interrupt. Finding that one looks at summaries, never at each source.
 *
 * Contexts are numbered as QEMU's virt does it: 2h is M mode of hart index h, 2h + 1 its S mode. Nothing
 * in a VM runs in M mode, so those contexts read 0 and ignore writes: they enable nothing, and so they
 * are never told and claim nothing. The same holds for S contexts beyond cfg_list's [contexts] or
 * beyond the device's range.
 *
 * Priorities and thresholds have 3 bits. Only aligned accesses of 32 bits are to registers; others read
 * 0 and are ignored.
 */
#ifndef AXVM_RISCV64_PLIC_H
#define AXVM_RISCV64_PLIC_H

#include <axvm/device.h>
#include <axvm/types.h>

#define AXVM_PLIC_SOURCES 1024u	  /* numbers; 0 is none */
#define AXVM_PLIC_SOURCES_MIN 96u /* that each VM has, as QEMU's virt */
#define AXVM_PLIC_PRIORITY_MAX 7u

struct axvm_plic;

/*
 * The PLIC by two names: type plic, and type 0x30 with the number of its contexts in cfg_list. All state
 * is the VM's own with both. Of what a guest writes one thing reaches the host: the completion of an
 * interrupt that axvm_plic_host_interrupt brought, which only a source that the VM has attached can have.
 * Priority, enable and threshold do not: a source that the guest does not want stays in service at the
 * host after its first interrupt, and so is quiet.
 *
 * create: AXVM_EEXIST (the VM has one), AXVM_EINVAL (not page aligned, or no S context fits),
 * AXVM_ENOMEM, and the errors of axvm_bus_attach. At destruction nothing is told to the host, whose
 * axvm_hal_irq_detach has ended everything before.
 */
extern const struct axvm_device_type axvm_plic_device_type;
extern const struct axvm_device_type axvm_plic_passthrough_device_type;

/*
 * How many source numbers a VM of this configuration has, a multiple of 32: riscv,ndev plus 1. Every
 * interrupt that the file names is below it. Pure.
 */
static inline uint32_t axvm_plic_sources(const struct axvm_config *config)
{
	uint32_t last = AXVM_PLIC_SOURCES_MIN - 1;

	for (uint32_t i = 0; i < config->emu_count; i++)
		last = config->emu[i].irq > last ? config->emu[i].irq : last;
	for (uint32_t i = 0; i < config->passthrough_count; i++)
		last = config->passthrough[i].irq > last ? config->passthrough[i].irq : last;
	return last >= AXVM_PLIC_SOURCES ? AXVM_PLIC_SOURCES : (last | 31) + 1;
}

/*
 * The line of a source. The gateway forwards a request when it is high and none is pending or in
 * service, and does not take it back when the line falls [PLIC 1]. Any CPU; calls for one source come
 * one after the other. AXVM_EINVAL: no such source.
 */
int axvm_plic_set_level(struct axvm_plic *plic, uint32_t source, bool level);
/* One edge; kept, as one, while the source is in service. Any CPU. AXVM_EINVAL: no such source. */
int axvm_plic_pulse(struct axvm_plic *plic, uint32_t source);
/*
 * The host's interrupt of that number: pending, and when the guest completes it,
 * axvm_hal_riscv64_irq_complete. `edge` or not, the host brings no second one before that; what it
 * keeps of edges meanwhile is its gateway's business, as for a guest on the bare machine. Any CPU.
 * AXVM_EINVAL: no such source.
 */
int axvm_plic_host_interrupt(struct axvm_plic *plic, uint32_t source, bool edge);

#endif
