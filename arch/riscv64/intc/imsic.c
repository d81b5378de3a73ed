// SPDX-License-Identifier: Apache-2.0
/*
 * The interrupt file in software. Any CPU sets pending bits, so each register is one atomic word and no
 * lock is taken; the line to the hart is set from what the words say, and looked at again afterwards:
 * whoever changes a word last sees the line as it must be.
 */
#include "imsic_private.h"

#include "exit.h"

#define EIDELIVERY 0x70u
#define EITHRESHOLD 0x72u
#define EIP 0x80u
#define EIE 0xc0u
#define SELECT_END 0x100u

#define SETEIPNUM_LE 0x000u

/* Others may change the words while the line is set; then one more look is needed, seldom two. */
#define ROUNDS 4u

static uint64_t look(const _Atomic uint64_t *word)
{
	/* seq_cst: after the caller's change of another word or of the line */
	return atomic_load_explicit(word, memory_order_seq_cst);
}

/* ---- what is signalled ------------------------------------------------------------------------ */

/* The lowest number that is pending and enabled, whatever the threshold; 0: none. */
static uint32_t lowest(const struct axvm_imsic_file *file)
{
	for (uint32_t word = 0; word < AXVM_IMSIC_WORDS; word++) {
		uint64_t ready = look(&file->pending[word]);

		if (ready != 0)
			ready &= look(&file->enabled[word]);
		if (ready != 0)
			return word * 64 + (uint32_t)__builtin_ctzll(ready);
	}
	return 0;
}

static uint32_t best(const struct axvm_imsic_file *file)
{
	uint32_t eiid = lowest(file);
	uint32_t threshold = atomic_load_explicit(&file->threshold, memory_order_seq_cst);

	return threshold == 0 || eiid < threshold ? eiid : 0;
}

static bool signals(const struct axvm_imsic_file *file)
{
	return atomic_load_explicit(&file->delivery, memory_order_seq_cst) != 0 &&
	       best(file) != 0 && atomic_load_explicit(&file->place, memory_order_seq_cst) == 0;
}

/* At the end of all rounds a line that is high for nothing is better than one that stays low. */
void axvm_imsic_settle(struct axvm_vcpu *vcpu)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool level = signals(&vcpu->arch.imsic);

		axvm_riscv64_set_external(vcpu, level);
		if (signals(&vcpu->arch.imsic) == level)
			return;
	}
	axvm_riscv64_set_external(vcpu, true);
}

uint32_t axvm_imsic_top(const struct axvm_vcpu *vcpu)
{
	uint32_t eiid = best(&vcpu->arch.imsic);

	return eiid << 16 | eiid;
}

void axvm_imsic_claim(struct axvm_vcpu *vcpu, uint32_t top)
{
	uint32_t eiid = top & 0xffff;

	if (eiid == 0 || eiid >= AXVM_IMSIC_IDS)
		return;
	atomic_fetch_and_explicit(&vcpu->arch.imsic.pending[eiid / 64], ~(1ULL << eiid % 64),
				  memory_order_seq_cst);
	axvm_imsic_settle(vcpu);
}

/* ---- MSIs --------------------------------------------------------------------------------------- */

/* False: there is no hardware file. The count keeps the file where it is until the MSI is there. */
static bool send_to_hardware(struct axvm_imsic_file *file, uint32_t eiid)
{
	uint32_t cpu;
	uint32_t number;

	if (atomic_load_explicit(&file->place, memory_order_relaxed) == 0)
		return false;
	atomic_fetch_add_explicit(&file->senders, 1, memory_order_seq_cst);
	bool is_there = axvm_imsic_place(file, &cpu, &number);

	if (is_there)
		axvm_hal_riscv64_guest_file_set(cpu, number, eiid);
	/* release: to who waits for the senders */
	atomic_fetch_sub_explicit(&file->senders, 1, memory_order_release);
	return is_there;
}

void axvm_imsic_send(struct axvm_vcpu *vcpu, uint32_t eiid)
{
	struct axvm_imsic_file *file = &vcpu->arch.imsic;

	if (eiid == 0 || eiid >= AXVM_IMSIC_IDS || send_to_hardware(file, eiid))
		return;
	atomic_fetch_or_explicit(&file->pending[eiid / 64], 1ULL << eiid % 64,
				 memory_order_seq_cst);
	axvm_imsic_settle(vcpu);
}

/* ---- registers ---------------------------------------------------------------------------------- */

/* A bit that somebody sets between the two operations was set after this access. */
static uint64_t update_word(_Atomic uint64_t *word, uint64_t mask, uint64_t value)
{
	if (mask == 0)
		return atomic_load_explicit(word, memory_order_relaxed);
	uint64_t before = atomic_fetch_and_explicit(word, ~(mask & ~value), memory_order_seq_cst);

	if ((mask & value) != 0)
		atomic_fetch_or_explicit(word, mask & value, memory_order_seq_cst);
	return before;
}

/* These are the vCPU's own CPU's alone. */
static uint64_t update_number(_Atomic uint32_t *number, uint32_t bits, uint64_t mask,
			      uint64_t value)
{
	uint32_t before = atomic_load_explicit(number, memory_order_relaxed);
	uint32_t wanted = (uint32_t)((before & ~mask) | (value & mask)) & bits;

	if (wanted != before)
		atomic_store_explicit(number, wanted, memory_order_seq_cst);
	return before;
}

static uint64_t update_array(_Atomic uint64_t *words, uint32_t index, uint64_t mask, uint64_t value)
{
	uint32_t word = index / 2;

	if (word >= AXVM_IMSIC_WORDS)
		return 0;
	if (word == 0)
		mask &= ~1ULL;
	return update_word(&words[word], mask, value);
}

static uint64_t update_register(struct axvm_imsic_file *file, uint32_t select, uint64_t mask,
				uint64_t value)
{
	if (select >= EIE)
		return update_array(file->enabled, select - EIE, mask, value);
	if (select >= EIP)
		return update_array(file->pending, select - EIP, mask, value);
	if (select == EIDELIVERY)
		return update_number(&file->delivery, 1, mask, value);
	if (select == EITHRESHOLD)
		return update_number(&file->threshold, AXVM_IMSIC_IDS - 1, mask, value);
	return 0;
}

bool axvm_imsic_update(struct axvm_vcpu *vcpu, uint64_t select, uint64_t mask, uint64_t value,
		       uint64_t *before)
{
	if (select < EIDELIVERY || select >= SELECT_END || (select >= EIP && (select & 1) != 0))
		return false;
	*before = update_register(&vcpu->arch.imsic, (uint32_t)select, mask, value);
	if (mask != 0)
		axvm_imsic_settle(vcpu);
	return true;
}

/* ---- the device: a page per vCPU, where MSIs are written [AIA 3.5] ------------------------------ */

static uint64_t read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		     unsigned bytes)
{
	(void)device;
	(void)vcpu;
	(void)offset;
	(void)bytes;
	return 0;
}

static void write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		  unsigned bytes, uint64_t value)
{
	uint64_t index = offset / AXVM_PAGE_BYTES;

	(void)vcpu;
	if (bytes == 4 && offset % AXVM_PAGE_BYTES == SETEIPNUM_LE &&
	    index < device->vm->vcpu_count)
		axvm_imsic_send(device->vm->vcpus[index], (uint32_t)value);
}

/* The files are the vCPUs', and reset with them. */
static void reset(struct axvm_device *device)
{
	(void)device;
}

static int create(struct axvm_device *device, const struct axvm_config_emu *config)
{
	struct axvm_vm *vm = device->vm;
	uint64_t bytes = vm->vcpu_count * AXVM_PAGE_BYTES;

	if (!axvm_hal_riscv64_host()->has_aia)
		return AXVM_EUNSUPPORTED;
	if (vm->arch.has_imsic)
		return AXVM_EEXIST;
	if (!axvm_is_aligned(config->base.addr, AXVM_PAGE_BYTES) || config->bytes < bytes)
		return AXVM_EINVAL;
	int error = axvm_bus_attach(&vm->mmio, device, config->base.addr, bytes, 0);

	if (error)
		return error;
	vm->arch.has_imsic = true;
	vm->arch.imsic_base = config->base.addr;
	return 0;
}

const struct axvm_device_type axvm_imsic_device_type = {
	.name = "imsic",
	.emu_type = AXVM_EMU_IMSIC,
	.needs = "harts with Ssaia, and firmware that gives it to S mode",
	.create = create,
	.reset = reset,
	.read = read,
	.write = write,
};

/* ---- the whole ----------------------------------------------------------------------------------- */

void axvm_imsic_reset(struct axvm_vcpu *vcpu)
{
	struct axvm_imsic_file *file = &vcpu->arch.imsic;

	axvm_imsic_fini(vcpu);
	for (uint32_t word = 0; word < AXVM_IMSIC_WORDS; word++) {
		atomic_store_explicit(&file->pending[word], 0, memory_order_relaxed);
		atomic_store_explicit(&file->enabled[word], 0, memory_order_relaxed);
	}
	atomic_store_explicit(&file->delivery, 0, memory_order_relaxed);
	atomic_store_explicit(&file->threshold, 0, memory_order_seq_cst);
	if (vcpu->vm->arch.has_imsic)
		axvm_imsic_settle(vcpu);
}
