/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GICv3 as a device of the VM, and the ways into it: lines, pulses,
 * SGIs, linked physical interrupts. All of these may come from any CPU, so they are
 * one atomic operation on a word and a request to whom it concerns.
 */
#include <axvm/hal_aarch64.h>

#include <string.h>

#include "affinity.h"
#include "vgic_private.h"

/* ICC_SGI1R_EL1 [GICv3 12.2.19]: all but the sender; else Aff0 of targets, from the range on. */
#define SGI1R_IRM (1ULL << 40)
#define SGI1R_LIST 0xffffULL

/* So that an SGI to oneself pays for the registers that it uses itself. */
#define OUT_OF_LINE __attribute__((noinline))

#define GICR_BASE_OFFSET 0xa0000u /* from the distributor, where the file names none: QEMU's */

/* ---- who must look ------------------------------------------------------------------------- */

static void request_mask(struct axvm_vm *vm, uint64_t vcpus)
{
	for (; vcpus != 0; vcpus &= vcpus - 1)
		axvm_vcpu_request(vm->vcpus[__builtin_ctzll(vcpus)], AXVM_REQUEST_IRQ);
}

void axvm_vgic_notify(struct axvm_vm *vm, uint32_t word, uint32_t bits)
{
	uint64_t targets = 0;

	for (uint32_t left = bits; left != 0; left &= left - 1) {
		uint32_t target =
			vgic_target(&vm->arch.vgic, word * 32 + (uint32_t)__builtin_ctz(left));

		if (target < vm->vcpu_count)
			targets |= 1ULL << target;
	}
	for (uint64_t left = targets; left != 0; left &= left - 1)
		vgic_set(&vm->vcpus[__builtin_ctzll(left)]->arch.vgic.spi_hint, 1u << word);
	request_mask(vm, targets);
}

void axvm_vgic_notify_holders(struct axvm_vm *vm, uint32_t word, uint32_t bits)
{
	uint64_t holders = 0;

	for (uint32_t left = bits; left != 0; left &= left - 1) {
		uint32_t id = word * 32 + (uint32_t)__builtin_ctz(left);
		uint32_t holder = vgic_get(&vm->arch.vgic.holder[id]);

		if (holder < vm->vcpu_count)
			holders |= 1ULL << holder;
	}
	request_mask(vm, holders);
}

void axvm_vgic_notify_all(struct axvm_vm *vm)
{
	uint32_t words = vgic_word_count(&vm->arch.vgic);

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		vgic_set(&vm->vcpus[i]->arch.vgic.spi_hint,
			 (words < 32 ? (1u << words) - 1 : UINT32_MAX) & ~1u);
		axvm_vcpu_request(vm->vcpus[i], AXVM_REQUEST_IRQ);
	}
}

/* ---- lines ----------------------------------------------------------------------------------- */

/*
 * A shared line became pending, or its level changed while it is held. The loads are
 * ordered after the change, as those of whoever enables or releases it are after theirs:
 * one of the two sees the other.
 */
static void changed(struct axvm_vm *vm, struct axvm_vgic_bank *bank, uint32_t irq)
{
	uint32_t bit = 1u << (irq & 31);

	if ((atomic_load_explicit(&bank->held, memory_order_seq_cst) & bit) != 0)
		axvm_vgic_notify_holders(vm, irq >> 5, bit);
	else if ((atomic_load_explicit(&bank->enabled, memory_order_seq_cst) & bit) != 0)
		axvm_vgic_notify(vm, irq >> 5, bit);
}

static inline bool is_shared(const struct axvm_vm *vm, uint32_t irq)
{
	return irq >= AXVM_VGIC_PRIVATE && irq < vm->arch.vgic.line_count;
}

int axvm_arch_irq_set_level(struct axvm_vm *vm, uint32_t irq, bool level)
{
	if (!is_shared(vm, irq))
		return AXVM_EINVAL;

	struct axvm_vgic_bank *bank = &vm->arch.vgic.spi[irq >> 5];
	uint32_t bit = 1u << (irq & 31);

	if (level) {
		if ((vgic_set(&bank->level, bit) & bit) != 0)
			return 0;
		if ((vgic_get(&bank->edge) & bit) != 0)
			vgic_set(&bank->latch, bit);
		changed(vm, bank, irq);
	} else if ((vgic_clear(&bank->level, bit) & bit) != 0) {
		if ((atomic_load_explicit(&bank->held, memory_order_seq_cst) & bit) != 0)
			axvm_vgic_notify_holders(vm, irq >> 5, bit);
	}
	return 0;
}

int axvm_arch_irq_pulse(struct axvm_vm *vm, uint32_t irq)
{
	if (!is_shared(vm, irq))
		return AXVM_EINVAL;

	struct axvm_vgic_bank *bank = &vm->arch.vgic.spi[irq >> 5];

	vgic_set(&bank->latch, 1u << (irq & 31));
	changed(vm, bank, irq);
	return 0;
}

int axvm_arch_irq_set_private(struct axvm_vcpu *vcpu, uint32_t irq, bool level)
{
	if (irq < 16 || irq >= AXVM_VGIC_PRIVATE)
		return AXVM_EINVAL;

	struct axvm_vgic_bank *bank = &vcpu->arch.vgic.bank;
	uint32_t bit = 1u << irq;
	uint32_t old = level ? vgic_set(&bank->level, bit) : vgic_clear(&bank->level, bit);

	if (((old & bit) != 0) == level)
		return 0;
	if (level && (vgic_get(&bank->edge) & bit) != 0)
		vgic_set(&bank->latch, bit);
	if (level || (atomic_load_explicit(&bank->held, memory_order_seq_cst) & bit) != 0)
		axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
	return 0;
}

int axvm_arch_irq_inject(struct axvm_vm *vm, uint64_t vcpu_mask, uint32_t irq)
{
	if (vm->vcpu_count < 64 && vcpu_mask >> vm->vcpu_count != 0)
		return AXVM_EINVAL;
	if (irq >= AXVM_VGIC_PRIVATE)
		return axvm_arch_irq_pulse(vm, irq);
	for (uint64_t left = vcpu_mask; left != 0; left &= left - 1)
		vgic_set(&vm->vcpus[__builtin_ctzll(left)]->arch.vgic.bank.latch, 1u << irq);
	request_mask(vm, vcpu_mask);
	return 0;
}

int axvm_vgic_linked_shared(struct axvm_vm *vm, uint32_t irq)
{
	if (!is_shared(vm, irq))
		return AXVM_EINVAL;
	/* `linked` is its holder's, who may be about to see the end of the one before. */
	vgic_set(&vm->arch.vgic.spi[irq >> 5].arrived, 1u << (irq & 31));
	return axvm_arch_irq_pulse(vm, irq);
}

/* ---- SGIs -------------------------------------------------------------------------------------- */

/* Each of the registers makes SGIs of its group only, with one security state. */
static inline bool takes_sgi(const struct axvm_vcpu *target, uint32_t bit, bool group1)
{
	return ((vgic_get(&target->arch.vgic.bank.group1) & bit) != 0) == group1;
}

static void send_to(struct axvm_vcpu *target, uint32_t bit, bool group1)
{
	if (takes_sgi(target, bit, group1))
		vgic_set(&target->arch.vgic.bank.latch, bit);
	axvm_vcpu_request(target, AXVM_REQUEST_IRQ);
}

/* The target list of ICC_SGI1R_EL1 has this vCPU. */
static inline bool is_in_list(const struct axvm_vcpu *target, uint64_t value)
{
	uint64_t affinity = target->arch.mpidr & AXVM_AARCH64_AFFINITY;
	uint64_t cluster =
		(value >> 48 & 0xff) << 32 | (value >> 32 & 0xff) << 16 | (value >> 16 & 0xff) << 8;
	uint32_t aff0 = (uint32_t)(affinity & 0xff) - (uint32_t)(value >> 44 & 0xf) * 16;

	return (affinity & ~0xffULL) == cluster && aff0 <= 15 && (value >> aff0 & 1) != 0;
}

/* To those of the list, or to all, but never to the sender. */
OUT_OF_LINE static void send_to_others(struct axvm_vcpu *vcpu, uint64_t value, uint32_t bit,
				       bool group1)
{
	struct axvm_vm *vm = vcpu->vm;
	bool all = (value & SGI1R_IRM) != 0;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct axvm_vcpu *target = vm->vcpus[i];

		if (target != vcpu && (all || is_in_list(target, value)))
			send_to(target, bit, group1);
	}
}

void axvm_vgic_send_sgi(struct axvm_vcpu *vcpu, uint64_t value, bool group1)
{
	uint32_t irq = value >> 24 & 0xf;
	bool self = (value & SGI1R_IRM) == 0 && is_in_list(vcpu, value);
	uint64_t list = value & SGI1R_LIST;

	/* a list of one that is the sender has no others in it */
	if (!self || (list & (list - 1)) != 0)
		send_to_others(vcpu, value, 1u << irq, group1);
	if (self && takes_sgi(vcpu, 1u << irq, group1))
		axvm_vgic_take_private(vcpu, irq);
}

/* ---- reset ---------------------------------------------------------------------------------------- */

/*
 * Shared ones end at the host; private ones are active on no CPU, since the vCPU is unbound. Another
 * CPU may bring one in at any moment: it sets `arrived` before the latch, and we clear the latch
 * before we take `arrived`, so that one which is still active at the host is still pending here.
 */
static void release_links(struct axvm_vgic_bank *bank, uint32_t first)
{
	uint32_t gone = vgic_clear(&bank->arrived, UINT32_MAX) | vgic_get(&bank->linked);

	vgic_put(&bank->linked, 0);
	for (uint32_t left = first == 0 ? 0 : gone; left != 0; left &= left - 1)
		axvm_hal_aarch64_irq_deactivate(first + (uint32_t)__builtin_ctz(left));
}

static void reset_bank(struct axvm_vgic_bank *bank, uint32_t first)
{
	vgic_put(&bank->level, 0);
	vgic_clear(&bank->latch, UINT32_MAX);
	vgic_put(&bank->enabled, 0);
	vgic_put(&bank->group1, 0);
	vgic_put(&bank->edge, first == 0 ? VGIC_SGI_MASK : 0);
	vgic_put(&bank->active, 0);
	vgic_put(&bank->held, 0);
	vgic_put(&bank->held_pending, 0);
	vgic_put(&bank->held_latch, 0);
	vgic_put(&bank->drop_pending, 0);
	vgic_put(&bank->drop_active, 0);
	vgic_put(&bank->evicted, 0);
	for (uint32_t i = 0; i < 8; i++)
		vgic_put(&bank->priority[i], 0);
	release_links(bank, first);
}

/* What list register n held is not held any more; what was pending there still is. */
static void drop_entry(struct axvm_vcpu *vcpu, uint32_t n)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;
	uint32_t id = cpu->lr_id[n];
	uint32_t bit = 1u << (id & 31);
	struct axvm_vgic_bank *bank = vgic_bank(vcpu, id);

	if ((vgic_get(&bank->held) & bit) == 0)
		return; /* the controller was reset before */
	bool latched = (cpu->lr_eoi >> n & 1) == 0 || (vgic_get(&bank->held_latch) & bit) != 0;

	vgic_clear_if(&bank->held_latch, bit);
	if ((cpu->lr[n] & AXVM_ICH_LR_PENDING) != 0 && latched)
		vgic_set(&bank->latch, bit);
	else if ((vgic_clear(&bank->linked, bit) & bit) != 0 && id >= AXVM_VGIC_PRIVATE)
		axvm_hal_aarch64_irq_deactivate(id);
	vgic_clear(&bank->active, bit);
	vgic_clear(&bank->held_pending, bit);
	vgic_clear(&bank->held, bit);
	if (id >= AXVM_VGIC_PRIVATE && (vgic_waiting(bank) & bit) != 0)
		axvm_vgic_notify(vcpu->vm, id >> 5, bit);
}

static void clear_interface(struct axvm_vgic_cpu *cpu)
{
	memset(cpu->lr, 0, sizeof(cpu->lr));
	memset(cpu->apr, 0, sizeof(cpu->apr));
	cpu->lr_used = 0;
	cpu->lr_eoi = 0;
	cpu->lr_dirty = (1u << cpu->lr_count) - 1;
	cpu->vmcr = 0;
	cpu->hcr = AXVM_ICH_HCR_EN;
	cpu->hcr_dirty = 1;
	cpu->evicted_count = 0;
	vgic_put(&cpu->lr_pending, 0);
}

void axvm_vgic_cpu_reset(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;

	for (uint32_t left = cpu->lr_used; left != 0; left &= left - 1)
		drop_entry(vcpu, (uint32_t)__builtin_ctz(left));
	clear_interface(cpu);
}

static void reset_redistributor(struct axvm_vcpu *vcpu)
{
	struct axvm_vgic_cpu *cpu = &vcpu->arch.vgic;

	clear_interface(cpu);
	reset_bank(&cpu->bank, 0);
	vgic_put(&cpu->waker, GICR_WAKER_SLEEP | GICR_WAKER_CHILDREN);
	vgic_put(&cpu->spi_hint, 0);
	for (uint32_t word = 0; word < AXVM_VGIC_WORDS; word++)
		vgic_put(&cpu->routed[word], 0);
}

/* At reset every route is affinity 0.0.0.0. */
static void reset_routes(struct axvm_vm *vm)
{
	struct axvm_vgic *vgic = &vm->arch.vgic;
	uint64_t target = VGIC_NO_TARGET;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if ((vm->vcpus[i]->arch.mpidr & AXVM_AARCH64_AFFINITY) == 0)
			target = i;
	}
	for (uint32_t id = AXVM_VGIC_PRIVATE; id < vgic->line_count; id++) {
		atomic_store_explicit(&vgic->route[id], target << VGIC_ROUTE_TARGET_SHIFT,
				      memory_order_relaxed);
		vgic_put(&vgic->holder[id], VGIC_NO_TARGET);
	}
	if (target == VGIC_NO_TARGET)
		return;
	for (uint32_t word = 1; word < vgic_word_count(vgic); word++)
		vgic_put(&vm->vcpus[target]->arch.vgic.routed[word], UINT32_MAX);
}

static void reset(struct axvm_device *device)
{
	struct axvm_vm *vm = device->vm;
	struct axvm_vgic *vgic = &vm->arch.vgic;

	vgic_put(&vgic->ctlr, 0);
	for (uint32_t word = 1; word < vgic_word_count(vgic); word++)
		reset_bank(&vgic->spi[word], word * 32);
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		reset_redistributor(vm->vcpus[i]);
	reset_routes(vm);
}

/* ---- the device -------------------------------------------------------------------------------------- */

static uint32_t lines_for(const struct axvm_config *config)
{
	uint32_t last = 0;

	for (uint32_t i = 0; i < config->emu_count; i++)
		last = config->emu[i].irq > last ? config->emu[i].irq : last;
	for (uint32_t i = 0; i < config->passthrough_count; i++)
		last = config->passthrough[i].irq > last ? config->passthrough[i].irq : last;
	if (last < AXVM_VGIC_LINES_MIN)
		return AXVM_VGIC_LINES_MIN;
	return last >= 992 ? AXVM_VGIC_LINES_MAX : (last + 32) & ~31u;
}

static int attach(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct axvm_bus *bus = &device->vm->mmio;
	uint64_t gicd = config->base.addr;
	uint64_t gicr = config->arg_count > 0 ? config->args[0] : gicd + GICR_BASE_OFFSET;
	uint64_t gicr_bytes = (uint64_t)VGIC_GICR_BYTES * device->vm->vcpu_count;

	if (!axvm_is_aligned(gicd, VGIC_GICD_BYTES) || !axvm_is_aligned(gicr, VGIC_GICD_BYTES))
		return AXVM_EINVAL;

	int error = axvm_bus_attach(bus, device, gicd, VGIC_GICD_BYTES, 0);

	if (error != 0)
		return error;
	return axvm_bus_attach(bus, device, gicr, gicr_bytes, VGIC_GICD_BYTES);
}

static int create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct axvm_vm *vm = device->vm;
	struct axvm_vgic *vgic = &vm->arch.vgic;

	if (vgic->line_count != 0)
		return AXVM_EEXIST;

	uint32_t lines = lines_for(vm->config);

	vgic->spi = axvm_vm_alloc(vm, AXVM_VGIC_WORDS * sizeof(*vgic->spi));
	vgic->route = axvm_vm_alloc(vm, lines * sizeof(*vgic->route));
	vgic->holder = axvm_vm_alloc(vm, lines * sizeof(*vgic->holder));
	if (!vgic->spi || !vgic->route || !vgic->holder)
		return AXVM_ENOMEM;

	int error = attach(device, config);

	if (error != 0)
		return error;
	device->state = vgic;
	vgic->line_count = lines;
	reset(device);
	return 0;
}

static uint64_t read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		     unsigned bytes)
{
	(void)device;
	if (offset < VGIC_GICD_BYTES)
		return axvm_vgic_gicd_read(vcpu, offset, bytes);
	return axvm_vgic_gicr_read(vcpu, offset - VGIC_GICD_BYTES, bytes);
}

static void write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		  unsigned bytes, uint64_t value)
{
	(void)device;
	if (offset < VGIC_GICD_BYTES)
		axvm_vgic_gicd_write(vcpu, offset, bytes, value);
	else
		axvm_vgic_gicr_write(vcpu, offset - VGIC_GICD_BYTES, bytes, value);
}

/* A linked SPI must not stay active at the host when its VM is gone. */
static void destroy(struct axvm_device *device)
{
	reset(device);
}

const struct axvm_device_type axvm_vgic_device_type = {
	.name = "gicv3",
	.emu_type = AXVM_EMU_GICV3,
	.create = create,
	.reset = reset,
	.destroy = destroy,
	.read = read,
	.write = write,
};
