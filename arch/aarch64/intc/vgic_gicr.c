/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redistributors' registers [GICv3 12.11]: for each vCPU a control frame and
 * the frame of its SGIs and PPIs. No LPIs. Any vCPU may access any frame.
 */
#include "affinity.h"
#include "vgic_private.h"

#define GICR_CTLR 0x0000
#define GICR_IIDR 0x0004
#define GICR_TYPER 0x0008
#define GICR_TYPER_HIGH 0x000c
#define GICR_WAKER 0x0014
#define GICR_BITS 0x0080
#define GICR_IPRIORITYR 0x0400
#define GICR_IPRIORITYR_END 0x0420
#define GICR_ICFGR0 0x0c00
#define GICR_ICFGR1 0x0c04
#define GICR_IDS 0xffd0

#define TYPER_LAST (1u << 4)

/* [GICv3 12.9: identification registers]: PIDR4 to 7, PIDR0 to 3, CIDR0 to 3. */
uint32_t axvm_vgic_read_id(uint64_t offset)
{
	static const uint8_t ids[12] = {
		0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1
	};

	return ids[(offset - GICR_IDS) / 4 % 12];
}

static uint64_t read_typer(const struct axvm_vcpu *target)
{
	uint64_t typer =
		(uint64_t)axvm_aarch64_pack_affinity(target->arch.mpidr) << 32 | target->index << 8;

	return target->index + 1 == target->vm->vcpu_count ? typer | TYPER_LAST : typer;
}

static uint64_t read_control(struct axvm_vcpu *target, uint64_t offset, unsigned bytes)
{
	if (offset == GICR_TYPER && bytes == 8)
		return read_typer(target);
	if (bytes != 4)
		return 0;
	switch (offset) {
	case GICR_IIDR:
		return VGIC_IIDR;
	case GICR_TYPER:
		return read_typer(target) & UINT32_MAX;
	case GICR_TYPER_HIGH:
		return read_typer(target) >> 32;
	case GICR_WAKER:
		return vgic_get(&target->arch.vgic.waker);
	default:
		return offset >= GICR_IDS && (offset & 3) == 0 ? axvm_vgic_read_id(offset) : 0;
	}
}

/* Children fall asleep and wake with their processor, at once. */
static void write_control(struct axvm_vcpu *target, uint64_t offset, unsigned bytes, uint64_t value)
{
	if (offset == GICR_WAKER && bytes == 4)
		vgic_put(&target->arch.vgic.waker, (value & GICR_WAKER_SLEEP) != 0
							   ? GICR_WAKER_SLEEP | GICR_WAKER_CHILDREN
							   : 0);
}

static inline struct vgic_bits private_bits(struct axvm_vcpu *self, struct axvm_vcpu *target)
{
	return (struct vgic_bits){
		.vm = self->vm,
		.self = self,
		.owner = target,
		.bank = &target->arch.vgic.bank,
		.word = 0,
		.mask = UINT32_MAX,
	};
}

static uint64_t read_private(struct axvm_vcpu *self, struct axvm_vcpu *target, uint64_t offset,
			     unsigned bytes)
{
	struct vgic_bits at = private_bits(self, target);

	if (offset >= GICR_IPRIORITYR && offset < GICR_IPRIORITYR_END) {
		if (bytes != 1 && (bytes != 4 || (offset & 3) != 0))
			return 0;
		return axvm_vgic_read_priority(&at, offset, bytes);
	}
	if (bytes != 4)
		return 0;
	if (offset >= GICR_BITS && offset < GICR_IPRIORITYR && (offset & 0x7f) == 0)
		return axvm_vgic_read_bits(&at, (enum vgic_bit_register)(offset / 0x80 - 1));
	if (offset == GICR_ICFGR0 || offset == GICR_ICFGR1)
		return axvm_vgic_read_config(&at, offset == GICR_ICFGR1);
	return 0;
}

/* SGIs are always edges: ICFGR0 ignores writes. */
static void write_private(struct axvm_vcpu *self, struct axvm_vcpu *target, uint64_t offset,
			  unsigned bytes, uint32_t value)
{
	struct vgic_bits at = private_bits(self, target);

	if (offset >= GICR_IPRIORITYR && offset < GICR_IPRIORITYR_END) {
		if (bytes == 1 || (bytes == 4 && (offset & 3) == 0))
			axvm_vgic_write_priority(&at, offset, bytes, value);
		return;
	}
	if (bytes != 4)
		return;
	if (offset >= GICR_BITS && offset < GICR_IPRIORITYR && (offset & 0x7f) == 0)
		axvm_vgic_write_bits(&at, (enum vgic_bit_register)(offset / 0x80 - 1), value);
	else if (offset == GICR_ICFGR1)
		axvm_vgic_write_config(&at, true, value);
}

/* The bus lets only offsets through that lie in a vCPU's frames; the check keeps it local. */
static struct axvm_vcpu *find_frame(struct axvm_vcpu *vcpu, uint64_t offset)
{
	uint64_t index = offset / VGIC_GICR_BYTES;

	return index < vcpu->vm->vcpu_count ? vcpu->vm->vcpus[index] : NULL;
}

uint64_t axvm_vgic_gicr_read(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes)
{
	struct axvm_vcpu *target = find_frame(vcpu, offset);

	if (!target)
		return 0;
	if ((offset & VGIC_SGI_FRAME) != 0)
		return read_private(vcpu, target, offset & (VGIC_SGI_FRAME - 1), bytes);
	return read_control(target, offset & (VGIC_SGI_FRAME - 1), bytes);
}

void axvm_vgic_gicr_write(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes, uint64_t value)
{
	struct axvm_vcpu *target = find_frame(vcpu, offset);

	if (!target)
		return;
	if ((offset & VGIC_SGI_FRAME) != 0)
		write_private(vcpu, target, offset & (VGIC_SGI_FRAME - 1), bytes, (uint32_t)value);
	else
		write_control(target, offset & (VGIC_SGI_FRAME - 1), bytes, value);
}
