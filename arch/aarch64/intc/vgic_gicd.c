/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distributor's registers [GICv3 12.9]. Affinity routing is always on and
 * there is one security state, so what belongs to the legacy modes is RAZ/WI, as is
 * every access of a size that the architecture does not define.
 */
#include "affinity.h"
#include "vgic_private.h"

#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IIDR 0x0008
#define GICD_BITS 0x0080 /* IGROUPR to ICACTIVER, 0x80 each */
#define GICD_IPRIORITYR 0x0400
#define GICD_ITARGETSR 0x0800
#define GICD_ICFGR 0x0c00
#define GICD_IGRPMODR 0x0d00
#define GICD_IROUTER 0x6000
#define GICD_IROUTER_END 0x7fe0
#define GICD_IDS 0xffd0

#define GICD_ISENABLER 0x0100

/* So that the frequent registers need no stack frame. */
#define OUT_OF_LINE __attribute__((noinline))

#define TYPER_ID_BITS (9u << 19) /* 10 bits */
#define TYPER_A3V (1u << 24)
#define TYPER_NO_1N (1u << 25)
#define TYPER_RSS (1u << 26)

static uint32_t read_typer(const struct axvm_vgic *vgic)
{
	return (vgic_word_count(vgic) - 1) | TYPER_ID_BITS | TYPER_A3V | TYPER_NO_1N | TYPER_RSS;
}

/* The word of SPIs. False: private interrupts, which affinity routing moves to GICR, or none. */
static inline bool find_word(struct axvm_vcpu *vcpu, uint32_t word, struct vgic_bits *at)
{
	struct axvm_vgic *vgic = &vcpu->vm->arch.vgic;

	if (word == 0 || word >= vgic_word_count(vgic))
		return false;
	*at = (struct vgic_bits){
		.vm = vcpu->vm,
		.self = vcpu,
		.owner = NULL,
		.bank = &vgic->spi[word],
		.word = word,
		.mask = vgic_word_mask(vgic, word),
	};
	return true;
}

/*
 * The bank of a word 0 to 31, for reads: those of private interrupts, and of interrupts that do
 * not exist, are there and stay 0.
 */
static inline const struct axvm_vgic_bank *bank_of(const struct axvm_vcpu *vcpu, uint64_t word)
{
	return &vcpu->vm->arch.vgic.spi[word & (AXVM_VGIC_WORDS - 1)];
}

static void write_ctlr(struct axvm_vcpu *vcpu, uint32_t value)
{
	struct axvm_vgic *vgic = &vcpu->vm->arch.vgic;
	uint32_t wanted = value & (GICD_CTLR_ENABLE_GRP0 | GICD_CTLR_ENABLE_GRP1);

	if (atomic_exchange_explicit(&vgic->ctlr, wanted, memory_order_seq_cst) != wanted)
		axvm_vgic_notify_all(vcpu->vm);
}

/* ---- routes ------------------------------------------------------------------------------- */

static uint64_t read_route(const struct axvm_vgic *vgic, uint32_t id)
{
	return atomic_load_explicit(&vgic->route[id], memory_order_relaxed) & VGIC_ROUTE_AFFINITY;
}

static uint32_t find_target(const struct axvm_vm *vm, uint64_t affinity)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if ((vm->vcpus[i]->arch.mpidr & AXVM_AARCH64_AFFINITY) == affinity)
			return i;
	}
	return VGIC_NO_TARGET;
}

/* The old target's list register, if it is there, is given back at its review. */
static void write_route(struct axvm_vcpu *vcpu, uint32_t id, uint64_t affinity)
{
	struct axvm_vm *vm = vcpu->vm;
	struct axvm_vgic *vgic = &vm->arch.vgic;
	uint32_t word = id >> 5;
	uint32_t bit = 1u << (id & 31);
	uint32_t target = find_target(vm, affinity);

	axvm_lock_take(&vgic->lock);

	uint32_t before = vgic_target(vgic, id);

	atomic_store_explicit(&vgic->route[id],
			      affinity | (uint64_t)target << VGIC_ROUTE_TARGET_SHIFT,
			      memory_order_seq_cst);
	if (before != target) {
		if (before < vm->vcpu_count)
			vgic_clear(&vm->vcpus[before]->arch.vgic.routed[word], bit);
		if (target < vm->vcpu_count)
			vgic_set(&vm->vcpus[target]->arch.vgic.routed[word], bit);
	}
	axvm_lock_drop(&vgic->lock);
	if (before == target)
		return;
	if ((vgic_waiting(&vgic->spi[word]) & bit) != 0)
		axvm_vgic_notify(vm, word, bit);
	if ((atomic_load_explicit(&vgic->spi[word].held, memory_order_seq_cst) & bit) != 0)
		axvm_vgic_notify_holders(vm, word, bit);
}

/* 64 bits, or either half [GICv3 12.9.22]. */
static bool find_route(const struct axvm_vgic *vgic, uint64_t offset, unsigned bytes, uint32_t *id)
{
	*id = (uint32_t)(offset - GICD_IROUTER) / 8;
	return (bytes == 8 || bytes == 4) && offset % bytes == 0 && *id >= AXVM_VGIC_PRIVATE &&
	       *id < vgic->line_count;
}

static uint64_t read_irouter(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes)
{
	uint32_t id;

	if (!find_route(&vcpu->vm->arch.vgic, offset, bytes, &id))
		return 0;

	uint64_t route = read_route(&vcpu->vm->arch.vgic, id);

	if (bytes == 8)
		return route;
	return (offset & 4) != 0 ? route >> 32 : route & UINT32_MAX;
}

static void write_irouter(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes, uint64_t value)
{
	uint32_t id;

	if (!find_route(&vcpu->vm->arch.vgic, offset, bytes, &id))
		return;
	if (bytes == 4) {
		uint64_t old = read_route(&vcpu->vm->arch.vgic, id);

		if ((offset & 4) != 0)
			value = (old & UINT32_MAX) | value << 32;
		else
			value = (old & ~(uint64_t)UINT32_MAX) | (value & UINT32_MAX);
	}
	write_route(vcpu, id, value & VGIC_ROUTE_AFFINITY);
}

/* ---- reads -------------------------------------------------------------------------------- */

static uint64_t read_word(struct axvm_vcpu *vcpu, uint64_t offset)
{
	struct axvm_vgic *vgic = &vcpu->vm->arch.vgic;
	struct vgic_bits at;

	if (offset < GICD_BITS) {
		switch (offset) {
		case GICD_CTLR:
			return vgic_get(&vgic->ctlr) | GICD_CTLR_ARE | GICD_CTLR_DS;
		case GICD_IIDR:
			return VGIC_IIDR;
		default:
			return 0;
		}
	}
	if (offset < GICD_IPRIORITYR) {
		if (!find_word(vcpu, offset >> 2 & 31, &at))
			return 0;
		return axvm_vgic_read_bits(&at, (enum vgic_bit_register)(offset / 0x80 - 1));
	}
	if (offset >= GICD_ICFGR && offset < GICD_IGRPMODR) {
		if (!find_word(vcpu, (uint32_t)(offset - GICD_ICFGR) >> 3, &at))
			return 0;
		return axvm_vgic_read_config(&at, (offset & 4) != 0);
	}
	return offset >= GICD_IDS ? axvm_vgic_read_id(offset) : 0;
}

OUT_OF_LINE static uint64_t read_other(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes)
{
	if (bytes == 1 && offset >= GICD_IPRIORITYR && offset < GICD_ITARGETSR)
		return vgic_priority(bank_of(vcpu, (offset - GICD_IPRIORITYR) / 32),
				     (uint32_t)(offset - GICD_IPRIORITYR));
	if (offset >= GICD_IROUTER && offset < GICD_IROUTER_END)
		return read_irouter(vcpu, offset, bytes);
	if (bytes != 4 || (offset & 3) != 0)
		return 0;
	return read_word(vcpu, offset);
}

uint64_t axvm_vgic_gicd_read(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes)
{
	if (bytes == 4 && (offset & ~0x3fcULL) == GICD_IPRIORITYR)
		return vgic_get(&bank_of(vcpu, offset >> 5)->priority[offset >> 2 & 7]);
	if (bytes == 4 && offset == GICD_TYPER)
		return read_typer(&vcpu->vm->arch.vgic);
	return read_other(vcpu, offset, bytes);
}

/* ---- enables: the one register that drivers write around each interrupt ------------------- */

/* What is pending of these goes to its target; who holds one looks at it again. */
OUT_OF_LINE static void refresh(struct axvm_vm *vm, uint32_t word, uint32_t bits)
{
	struct axvm_vgic_bank *bank = &vm->arch.vgic.spi[word];

	axvm_vgic_notify(vm, word, vgic_waiting(bank) & bits);
	axvm_vgic_notify_holders(vm, word,
				 atomic_load_explicit(&bank->held, memory_order_seq_cst) & bits);
}

OUT_OF_LINE static void enable_more(struct axvm_vm *vm, struct axvm_vgic_bank *bank, uint32_t word,
				    uint32_t value)
{
	uint32_t lines = vm->arch.vgic.line_count;
	uint32_t first = word * 32;

	if (word == 0 || first >= lines)
		return;
	if (lines - first < 32)
		value &= vgic_word_mask(&vm->arch.vgic, word);

	uint32_t fresh = value & ~vgic_set(&bank->enabled, value);
	uint32_t held = atomic_load_explicit(&bank->held, memory_order_seq_cst);

	if (((vgic_waiting(bank) | held) & fresh) != 0)
		refresh(vm, word, fresh);
}

/* Whatever is enabled already, or does not exist and is 0, needs no more. */
static inline void enable(struct axvm_vm *vm, uint32_t word, uint32_t value)
{
	struct axvm_vgic_bank *bank = &vm->arch.vgic.spi[word];

	if ((value & ~vgic_get(&bank->enabled)) != 0)
		enable_more(vm, bank, word, value);
}

/* ---- writes ------------------------------------------------------------------------------- */

static void write_word(struct axvm_vcpu *vcpu, uint64_t offset, uint32_t value)
{
	struct vgic_bits at;

	if (offset < GICD_BITS) {
		if (offset == GICD_CTLR)
			write_ctlr(vcpu, value);
	} else if (offset < GICD_IPRIORITYR) {
		if (find_word(vcpu, offset >> 2 & 31, &at))
			axvm_vgic_write_bits(&at, (enum vgic_bit_register)(offset / 0x80 - 1),
					     value);
	} else if (offset >= GICD_ICFGR && offset < GICD_IGRPMODR) {
		if (find_word(vcpu, (uint32_t)(offset - GICD_ICFGR) >> 3, &at))
			axvm_vgic_write_config(&at, (offset & 4) != 0, value);
	}
}

OUT_OF_LINE static void write_other(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes,
				    uint64_t value)
{
	struct vgic_bits at;

	if (offset >= GICD_IPRIORITYR && offset < GICD_ITARGETSR) {
		if ((bytes == 1 || (bytes == 4 && (offset & 3) == 0)) &&
		    find_word(vcpu, (uint32_t)(offset - GICD_IPRIORITYR) / 32, &at))
			axvm_vgic_write_priority(&at, offset, bytes, (uint32_t)value);
		return;
	}
	if (offset >= GICD_IROUTER && offset < GICD_IROUTER_END) {
		write_irouter(vcpu, offset, bytes, value);
		return;
	}
	if (bytes == 4 && (offset & 3) == 0)
		write_word(vcpu, offset, (uint32_t)value);
}

void axvm_vgic_gicd_write(struct axvm_vcpu *vcpu, uint64_t offset, unsigned bytes, uint64_t value)
{
	if (bytes == 4 && (offset & ~0x7cULL) == GICD_ISENABLER)
		enable(vcpu->vm, offset >> 2 & 31, (uint32_t)value);
	else
		write_other(vcpu, offset, bytes, value);
}
