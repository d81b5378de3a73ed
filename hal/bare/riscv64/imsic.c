/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's IMSICs [AIA 3]: the hypervisor's own file on each hart, for the APLIC's MSIs and for kicks,
 * and the guest interrupt files, each a vCPU's for as long as it stays on that hart.
 */
#include "csr.h"
#include "exit.h"
#include "irq.h"
#include "irq_fdt.h"
#include "mmio.h"

#define EIDELIVERY 0x70u
#define EITHRESHOLD 0x72u
#define EIP 0x80u
#define EIE 0xc0u
#define WORDS_MAX 32u /* doublewords of eip, of eie */
#define SETEIPNUM 0x000
#define FILES_MAX 64u
#define VGEIN_MASK ((uint64_t)0x3f << AXVM_RISCV64_HSTATUS_VGEIN_SHIFT)

static struct axvm_imsic_layout layout;
static uint32_t words; /* doublewords that hold the ids */

/* A hart's guest interrupt files. */
struct files {
	uint32_t count;
	_Atomic uint32_t busy; /* its CPU may be signalling to an owner */
	struct axvm_vcpu *_Atomic owners[FILES_MAX];
	_Atomic uint32_t wanted; /* another CPU waits for this file's contents; 0: none */
};

static struct files files[AXVM_CPUS_MAX];

bool axvm_bare_imsic_init(const void *fdt, int node, const char **why)
{
	if (!axvm_bare_irq_read_imsic(fdt, node, &layout)) {
		*why = "the IMSICs in the machine's device tree are malformed (reg, "
		       "interrupts-extended, riscv,num-ids or one of the index bits)";
		return false;
	}
	for (uint32_t i = 0; i < layout.region_count; i++) {
		if (axvm_bare_map_device(axvm_hpa(layout.regions[i].hpa),
					 layout.regions[i].bytes) == NULL) {
			*why = "no memory to map the interrupt controller";
			return false;
		}
	}
	words = layout.ids / 64 + 1;
	return true;
}

bool axvm_bare_imsic_owns(struct axvm_hpa hpa, uint64_t bytes)
{
	for (uint32_t i = 0; i < layout.region_count; i++) {
		if (axvm_ranges_overlap(hpa.addr, bytes, layout.regions[i].hpa,
					layout.regions[i].bytes))
			return true;
	}
	return false;
}

uint32_t axvm_bare_imsic_ids(void)
{
	return layout.ids;
}

uint32_t axvm_bare_imsic_index(uint32_t cpu)
{
	return layout.pages[cpu] == 0 ? AXVM_IRQ_NO_TARGET : layout.indexes[cpu];
}

/* ---- the hypervisor's own file -------------------------------------------------------------------- */

static void write_own(uint32_t select, uint64_t value)
{
	write_siselect(select);
	write_sireg(value);
}

/* Those that hgeie has a bit for, of which the layout has a page, if they are as large as promised. */
static uint32_t count_files(void)
{
	write_hgeie(UINT64_MAX);
	uint64_t bits = read_hgeie() >> 1;
	uint32_t count = 0;

	write_hgeie(0);
	for (; (bits & 1) != 0; bits >>= 1)
		count++;
	if (count > layout.guests)
		count = layout.guests;
	return layout.ids < AXVM_IMSIC_IDS - 1 ? 0 : count;
}

/* All numbers are enabled: a source may then move to any hart, and one that is nobody's does nothing. */
void axvm_bare_imsic_cpu_init(struct axvm_cpu *cpu)
{
	uint64_t page = layout.pages[cpu->index];

	if (page == 0)
		axvm_hal_panic(__FILE__, __LINE__, "no IMSIC file names this hart");
	write_own(EIDELIVERY, 0);
	write_own(EITHRESHOLD, 0);
	for (uint32_t i = 0; i < words; i++) {
		write_own(EIP + 2 * i, 0);
		write_own(EIE + 2 * i, UINT64_MAX);
	}
	files[cpu->index].count = count_files();
	write_own(EIDELIVERY, 1);
	cpu->interrupt_frame = (uintptr_t)axvm_hal_map(axvm_hpa(page), AXVM_PAGE_BYTES);
}

uint32_t axvm_bare_imsic_claim(void)
{
	return claim_stopei() >> 16 & 0x7ff;
}

void axvm_bare_imsic_kick(const struct axvm_cpu *cpu)
{
	if (cpu->interrupt_frame == 0)
		return; /* it is not up yet */
	axvm_fence_to_device();
	axvm_mmio_write32(cpu->interrupt_frame + SETEIPNUM, AXVM_EIID_KICK);
}

/* ---- guests' files -------------------------------------------------------------------------------- */

uint32_t axvm_bare_guest_files(void)
{
	return files[axvm_bare_this_cpu()->index].count;
}

bool axvm_bare_imsic_has_file(uint32_t cpu, uint32_t file)
{
	return cpu < axvm_cpu_count_present && file != 0 && file <= files[cpu].count;
}

static uint64_t page_of(uint32_t cpu, uint32_t file)
{
	return layout.pages[cpu] + (uint64_t)file * AXVM_PAGE_BYTES;
}

/* What vsiselect and vsireg mean is one of this hart's files. No vCPU is bound. */
struct window {
	uint64_t hstatus;
	uint64_t vsiselect;
};

static struct window look_at(uint32_t file)
{
	struct window window = { read_hstatus(), read_vsiselect() };
	uint64_t vgein = (uint64_t)file << AXVM_RISCV64_HSTATUS_VGEIN_SHIFT;

	write_hstatus((window.hstatus & ~VGEIN_MASK) | vgein);
	return window;
}

static void look_away(struct window window)
{
	write_vsiselect(window.vsiselect);
	write_hstatus(window.hstatus);
}

static uint64_t read_guest(uint32_t select)
{
	write_vsiselect(select);
	return read_vsireg();
}

static void write_guest(uint32_t select, uint64_t value)
{
	write_vsiselect(select);
	write_vsireg(value);
}

static void empty(uint32_t file)
{
	struct window window = look_at(file);

	write_guest(EIDELIVERY, 0);
	write_guest(EITHRESHOLD, 0);
	for (uint32_t i = 0; i < words; i++) {
		write_guest(EIE + 2 * i, 0);
		write_guest(EIP + 2 * i, 0);
	}
	look_away(window);
}

uint32_t axvm_hal_riscv64_guest_file_get(struct axvm_vcpu *vcpu, struct axvm_hpa *page)
{
	uint32_t cpu = axvm_bare_this_cpu()->index;

	for (uint32_t file = 1; file <= files[cpu].count; file++) {
		struct axvm_vcpu *nobody = NULL;

		/* acquire: pairs with the release in put */
		if (!atomic_compare_exchange_strong_explicit(&files[cpu].owners[file], &nobody,
							     vcpu, memory_order_acquire,
							     memory_order_relaxed))
			continue;
		clear_hgeie(1ULL << file);
		empty(file);
		*page = axvm_hpa(page_of(cpu, file));
		return file;
	}
	return 0;
}

/* hgeie is the other hart's own, so it may still signal: to nobody, and then no more. */
void axvm_hal_riscv64_guest_file_put(struct axvm_vcpu *vcpu, uint32_t file, uint32_t cpu)
{
	if (!axvm_bare_imsic_has_file(cpu, file))
		return;
	/* seq_cst, as in signal: a CPU that is not seen as busy sees that the file is nobody's */
	if (atomic_compare_exchange_strong_explicit(&files[cpu].owners[file], &vcpu, NULL,
						    memory_order_seq_cst, memory_order_relaxed)) {
		while (atomic_load_explicit(&files[cpu].busy, memory_order_seq_cst) != 0)
			;
	}
}

void axvm_hal_riscv64_guest_file_set(uint32_t cpu, uint32_t file, uint32_t eiid)
{
	if (!axvm_bare_imsic_has_file(cpu, file) || eiid == 0 || eiid > layout.ids)
		return;
	axvm_fence_to_device();
	axvm_mmio_write32((uintptr_t)axvm_hal_map(axvm_hpa(page_of(cpu, file)), AXVM_PAGE_BYTES) +
				  SETEIPNUM,
			  eiid);
}

/* What pends is added to what does already: MSIs may have come to the other one meanwhile. */
static void store(struct axvm_vcpu *vcpu, uint32_t file)
{
	struct axvm_imsic_file *imsic = &vcpu->arch.imsic;
	struct window window = look_at(file);

	for (uint32_t i = 0; i < AXVM_IMSIC_WORDS; i++) {
		atomic_fetch_or_explicit(&imsic->pending[i], read_guest(EIP + 2 * i),
					 memory_order_relaxed);
		atomic_store_explicit(&imsic->enabled[i], read_guest(EIE + 2 * i),
				      memory_order_relaxed);
	}
	atomic_store_explicit(&imsic->threshold, (uint32_t)read_guest(EITHRESHOLD),
			      memory_order_relaxed);
	atomic_store_explicit(&imsic->delivery, (uint32_t)read_guest(EIDELIVERY),
			      memory_order_release);
	look_away(window);
}

void axvm_bare_imsic_serve(const struct axvm_cpu *cpu)
{
	struct files *own = &files[cpu->index];
	/* acquire: pairs with the exchange in ask */
	uint32_t file = atomic_load_explicit(&own->wanted, memory_order_acquire);

	if (file == 0)
		return;
	struct axvm_vcpu *vcpu = atomic_load_explicit(&own->owners[file], memory_order_relaxed);

	if (vcpu != NULL)
		store(vcpu, file);
	/* release: to the CPU that waits */
	atomic_store_explicit(&own->wanted, 0, memory_order_release);
}

/* Who waits serves others, so that two that ask each other both come to an end. */
static void ask(uint32_t cpu, uint32_t file)
{
	const struct axvm_cpu *self = axvm_bare_this_cpu();
	uint32_t nothing = 0;

	while (!atomic_compare_exchange_weak_explicit(&files[cpu].wanted, &nothing, file,
						      memory_order_acq_rel, memory_order_relaxed)) {
		nothing = 0;
		axvm_bare_imsic_serve(self);
	}
	axvm_bare_imsic_kick(&axvm_cpus[cpu]);
	/* The file is ours until it is put: nobody else asks for it. */
	while (atomic_load_explicit(&files[cpu].wanted, memory_order_acquire) == file)
		axvm_bare_imsic_serve(self);
}

void axvm_hal_riscv64_guest_file_store(struct axvm_vcpu *vcpu, uint32_t cpu, uint32_t file)
{
	if (!axvm_bare_imsic_has_file(cpu, file))
		return;
	if (cpu == axvm_bare_this_cpu()->index)
		store(vcpu, file);
	else
		ask(cpu, file);
}

void axvm_hal_riscv64_guest_file_load(struct axvm_vcpu *vcpu, uint32_t file)
{
	const struct axvm_imsic_file *imsic = &vcpu->arch.imsic;

	if (!axvm_bare_imsic_has_file(axvm_bare_this_cpu()->index, file))
		return;
	struct window window = look_at(file);

	for (uint32_t i = 0; i < AXVM_IMSIC_WORDS; i++) {
		write_guest(EIE + 2 * i,
			    atomic_load_explicit(&imsic->enabled[i], memory_order_relaxed));
		write_vsiselect(EIP + 2 * i);
		set_vsireg(atomic_load_explicit(&imsic->pending[i], memory_order_relaxed));
	}
	write_guest(EITHRESHOLD, atomic_load_explicit(&imsic->threshold, memory_order_relaxed));
	write_guest(EIDELIVERY, atomic_load_explicit(&imsic->delivery, memory_order_acquire));
	look_away(window);
}

/* ---- around bind ---------------------------------------------------------------------------------- */

void axvm_bare_guest_file_bound(struct axvm_vcpu *vcpu)
{
	uint64_t file = vcpu->arch.guest_file;
	uint64_t hstatus = read_hstatus() & ~VGEIN_MASK;

	write_hstatus(hstatus | file << AXVM_RISCV64_HSTATUS_VGEIN_SHIFT);
	if (file != 0)
		clear_hgeie(1ULL << file);
}

void axvm_bare_guest_file_unbound(struct axvm_vcpu *vcpu)
{
	uint64_t file = vcpu->arch.guest_file;

	clear_hstatus(VGEIN_MASK);
	if (file != 0)
		set_hgeie(1ULL << file);
}

static void signal(struct files *own, uint32_t file)
{
	atomic_fetch_add_explicit(&own->busy, 1, memory_order_seq_cst);
	struct axvm_vcpu *vcpu = atomic_load_explicit(&own->owners[file], memory_order_seq_cst);

	if (vcpu != NULL)
		axvm_riscv64_guest_file_signalled(vcpu);
	atomic_fetch_sub_explicit(&own->busy, 1, memory_order_seq_cst);
}

/* Each tells once: it stays quiet until its vCPU was bound again, which sees it by itself. */
void axvm_bare_irq_guest_external(struct axvm_cpu *cpu)
{
	uint64_t bits = read_hgeip() & read_hgeie();

	clear_hgeie(bits);
	for (bits >>= 1; bits != 0; bits &= bits - 1)
		signal(&files[cpu->index], (uint32_t)__builtin_ctzll(bits) + 1);
}
