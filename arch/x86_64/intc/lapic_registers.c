// SPDX-License-Identifier: Apache-2.0
/* A local APIC's registers, as its page and as MSRs: one table says which are there and which bits they have. */
#include <string.h>

#include "exit.h"
#include "lapic_private.h"

#define READ 1u
#define WRITE 2u
#define XAPIC_ONLY 4u
#define X2APIC_ONLY 8u

#define LVT_BITS 0x107ffu	/* mask, delivery mode, vector */
#define LVT_LINT_BITS 0x1a7ffu	/* and trigger mode, polarity */
#define LVT_TIMER_BITS 0x700ffu /* timer mode, mask, vector */
#define LVT_ERROR_BITS 0x100ffu
#define LVT_STATUS 0x1000u /* delivery status: always idle */

/*
 * `bits`: that a write changes. `kept`: that x2APIC lets be written with any value beside them, for they are
 * read-only and not reserved [SDM3 11.12.1.3].
 */
struct access {
	uint32_t rights;
	uint32_t bits;
	uint32_t kept;
};

static const struct access accesses[LAPIC_REGISTERS] = {
	[LAPIC_ID] = { READ, 0, 0 },
	[LAPIC_VERSION] = { READ, 0, 0 },
	[LAPIC_TPR] = { READ | WRITE, 0xff, 0 },
	[LAPIC_APR] = { READ | XAPIC_ONLY, 0, 0 },
	[LAPIC_PPR] = { READ, 0, 0 },
	[LAPIC_EOI] = { WRITE, 0, 0 },
	[LAPIC_RRD] = { READ | XAPIC_ONLY, 0, 0 },
	[LAPIC_LDR] = { READ, 0, 0 }, /* xAPIC writes it, see write_page */
	[LAPIC_DFR] = { READ | WRITE | XAPIC_ONLY, 0xf0000000, 0 },
	[LAPIC_SVR] = { READ | WRITE, LAPIC_SVR_BITS, 0 },
	[LAPIC_ISR] = { READ, 0, 0 },
	[LAPIC_ISR + 1] = { READ, 0, 0 },
	[LAPIC_ISR + 2] = { READ, 0, 0 },
	[LAPIC_ISR + 3] = { READ, 0, 0 },
	[LAPIC_ISR + 4] = { READ, 0, 0 },
	[LAPIC_ISR + 5] = { READ, 0, 0 },
	[LAPIC_ISR + 6] = { READ, 0, 0 },
	[LAPIC_ISR + 7] = { READ, 0, 0 },
	[LAPIC_TMR] = { READ, 0, 0 },
	[LAPIC_TMR + 1] = { READ, 0, 0 },
	[LAPIC_TMR + 2] = { READ, 0, 0 },
	[LAPIC_TMR + 3] = { READ, 0, 0 },
	[LAPIC_TMR + 4] = { READ, 0, 0 },
	[LAPIC_TMR + 5] = { READ, 0, 0 },
	[LAPIC_TMR + 6] = { READ, 0, 0 },
	[LAPIC_TMR + 7] = { READ, 0, 0 },
	[LAPIC_IRR] = { READ, 0, 0 },
	[LAPIC_IRR + 1] = { READ, 0, 0 },
	[LAPIC_IRR + 2] = { READ, 0, 0 },
	[LAPIC_IRR + 3] = { READ, 0, 0 },
	[LAPIC_IRR + 4] = { READ, 0, 0 },
	[LAPIC_IRR + 5] = { READ, 0, 0 },
	[LAPIC_IRR + 6] = { READ, 0, 0 },
	[LAPIC_IRR + 7] = { READ, 0, 0 },
	[LAPIC_ESR] = { READ | WRITE, 0, 0 },
	[LAPIC_LVT_CMCI] = { READ | WRITE, LVT_BITS, LVT_STATUS },
	[LAPIC_ICR] = { READ | WRITE, 0xccfff, 0 },
	[LAPIC_ICR2] = { READ | WRITE | XAPIC_ONLY, 0xff000000, 0 },
	[LAPIC_LVT_TIMER] = { READ | WRITE, LVT_TIMER_BITS, LVT_STATUS },
	[LAPIC_LVT_THERMAL] = { READ | WRITE, LVT_BITS, LVT_STATUS },
	[LAPIC_LVT_PERFORMANCE] = { READ | WRITE, LVT_BITS, LVT_STATUS },
	[LAPIC_LVT_LINT0] = { READ | WRITE, LVT_LINT_BITS, LVT_STATUS | LAPIC_LVT_REMOTE_IRR },
	[LAPIC_LVT_LINT1] = { READ | WRITE, LVT_LINT_BITS, LVT_STATUS | LAPIC_LVT_REMOTE_IRR },
	[LAPIC_LVT_ERROR] = { READ | WRITE, LVT_ERROR_BITS, LVT_STATUS },
	[LAPIC_INITIAL_COUNT] = { READ | WRITE, UINT32_MAX, 0 },
	[LAPIC_CURRENT_COUNT] = { READ, 0, 0 },
	[LAPIC_DIVIDE] = { READ | WRITE, 0xb, 0 },
	[LAPIC_SELF_IPI] = { WRITE | X2APIC_ONLY, 0xff, 0 },
};

/* Version 0x14, seven entries in the LVT, EOI broadcasts can be suppressed. */
#define VERSION (0x14u | (AXVM_LAPIC_LVTS - 1u) << 16 | 1u << 24)
#define SVR_RESET 0xffu

static bool is_lvt(uint32_t reg)
{
	return reg == LAPIC_LVT_CMCI || (reg >= LAPIC_LVT_TIMER && reg <= LAPIC_LVT_ERROR);
}

static uint32_t lvt_entry(uint32_t reg)
{
	return reg == LAPIC_LVT_CMCI ? AXVM_LAPIC_CMCI : AXVM_LAPIC_TIMER + (reg - LAPIC_LVT_TIMER);
}

/* ---- read ------------------------------------------------------------------------------------------ */

static uint32_t read_array(struct axvm_vcpu *vcpu, uint32_t reg)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	if (reg < LAPIC_TMR)
		return lapic->isr[reg - LAPIC_ISR];
	if (reg < LAPIC_IRR)
		return lapic_look(&lapic->trigger[reg - LAPIC_TMR]);
	axvm_lapic_service(vcpu);
	return lapic_look(&lapic->irr[reg - LAPIC_IRR]);
}

OUT_OF_LINE static uint32_t read_other(struct axvm_vcpu *vcpu, uint32_t reg)
{
	const struct axvm_lapic *lapic = &vcpu->arch.lapic;

	if (reg >= LAPIC_ISR && reg < LAPIC_IRR + 8)
		return read_array(vcpu, reg);
	if (is_lvt(reg))
		return lapic_look(&lapic->lvt[lvt_entry(reg)]);
	switch (reg) {
	case LAPIC_LDR:
		return lapic_look(&lapic->ldr);
	case LAPIC_DFR:
		return lapic_look(&lapic->dfr);
	case LAPIC_SVR:
		return lapic_look(&lapic->svr);
	case LAPIC_ESR:
		return lapic->esr;
	case LAPIC_ICR:
		return (uint32_t)lapic->icr;
	case LAPIC_ICR2:
		return (uint32_t)(lapic->icr >> 32);
	case LAPIC_INITIAL_COUNT:
		return lapic->initial_count;
	case LAPIC_CURRENT_COUNT:
		return axvm_lapic_timer_count(vcpu);
	case LAPIC_DIVIDE:
		return lapic->divide;
	default: /* APR, RRD: of processors of long ago */
		return 0;
	}
}

static uint32_t read_register(struct axvm_vcpu *vcpu, uint32_t reg)
{
	const struct axvm_lapic *lapic = &vcpu->arch.lapic;

	switch (reg) {
	case LAPIC_ID:
		return lapic_mode(vcpu) == AXVM_LAPIC_X2APIC ? lapic->id : lapic->id << 24;
	case LAPIC_VERSION:
		return VERSION;
	case LAPIC_TPR:
		return lapic->tpr;
	case LAPIC_PPR:
		return lapic_look(&lapic->ppr);
	default:
		return read_other(vcpu, reg);
	}
}

/* ---- write ------------------------------------------------------------------------------------------- */

/* While the APIC is disabled by SVR every entry is masked. A level pin that is high signals when let through. */
static void write_lvt(struct axvm_vcpu *vcpu, uint32_t entry, uint32_t value)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	if ((lapic_look(&lapic->svr) & LAPIC_SVR_ENABLE) == 0)
		value |= LAPIC_LVT_MASKED;
	axvm_lapic_service(vcpu);
	if (entry == AXVM_LAPIC_TIMER) {
		axvm_lapic_timer_set_lvt(vcpu, value);
		return;
	}
	if (entry == AXVM_LAPIC_LINT0 && (value & LAPIC_LVT_LEVEL) != 0)
		value |= lapic_look(&lapic->lvt[entry]) & LAPIC_LVT_REMOTE_IRR;
	lapic_put(&lapic->lvt[entry], value);
	if (entry != AXVM_LAPIC_LINT0 || (value & LAPIC_LVT_MASKED) != 0 ||
	    (lapic_look(&lapic->lines) & AXVM_LAPIC_LINE_LINT0) == 0)
		return;
	if ((value & LAPIC_LVT_LEVEL) != 0)
		axvm_lapic_signal(vcpu, AXVM_LAPIC_LINT0);
	else /* the PIC's, which is a level whatever the bit says */
		axvm_lapic_update(vcpu);
}

static void write_svr(struct axvm_vcpu *vcpu, uint32_t value)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	lapic_put(&lapic->svr, value);
	if ((value & LAPIC_SVR_ENABLE) != 0)
		return;
	for (uint32_t entry = 0; entry < AXVM_LAPIC_LVTS; entry++)
		write_lvt(vcpu, entry, lapic_look(&lapic->lvt[entry]));
}

static void write_esr(struct axvm_lapic *lapic)
{
	lapic->esr = atomic_exchange_explicit(&lapic->esr_pending, 0, memory_order_relaxed);
}

OUT_OF_LINE static void write_other(struct axvm_vcpu *vcpu, uint32_t reg, uint32_t value)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	if (is_lvt(reg)) {
		write_lvt(vcpu, lvt_entry(reg), value);
		return;
	}
	switch (reg) {
	case LAPIC_LDR:
		lapic_put(&lapic->ldr, value & 0xff000000);
		return;
	case LAPIC_DFR:
		lapic_put(&lapic->dfr, value | 0x0fffffff);
		return;
	case LAPIC_SVR:
		write_svr(vcpu, value);
		return;
	case LAPIC_ESR:
		write_esr(lapic);
		return;
	case LAPIC_ICR2:
		lapic->icr = (uint32_t)lapic->icr | (uint64_t)value << 32;
		return;
	case LAPIC_DIVIDE:
		axvm_lapic_timer_set_divide(vcpu, value);
		return;
	default:
		return;
	}
}

/* `value` has only bits that the register has. */
static void write_register(struct axvm_vcpu *vcpu, uint32_t reg, uint32_t value)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	switch (reg) {
	case LAPIC_EOI:
		axvm_lapic_end(vcpu);
		return;
	case LAPIC_ICR:
		lapic->icr = (lapic->icr & ~(uint64_t)UINT32_MAX) | value;
		axvm_lapic_ipi(vcpu);
		return;
	case LAPIC_SELF_IPI:
		axvm_lapic_self_ipi(vcpu, (uint8_t)value);
		return;
	case LAPIC_TPR:
		lapic->tpr = value;
		axvm_lapic_update(vcpu);
		return;
	case LAPIC_INITIAL_COUNT:
		axvm_lapic_timer_set_count(vcpu, value);
		return;
	default:
		write_other(vcpu, reg, value);
	}
}

uint64_t axvm_lapic_get_cr8(const struct axvm_vcpu *vcpu)
{
	return vcpu->arch.lapic.tpr >> 4;
}

void axvm_lapic_set_cr8(struct axvm_vcpu *vcpu, uint64_t value)
{
	write_register(vcpu, LAPIC_TPR, (uint32_t)(value & 0xf) << 4);
}

/* ---- the page ---------------------------------------------------------------------------------------- */

/* Registers are 32 bits, each at the start of 16 bytes; other accesses do nothing [SDM3 11.4.1]. */
static uint64_t read_page(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			  unsigned bytes)
{
	uint32_t reg = (uint32_t)(offset >> 4) % LAPIC_REGISTERS;
	uint32_t byte = offset & 0xf;

	(void)device;
	(void)bytes;
	if (lapic_mode(vcpu) != AXVM_LAPIC_XAPIC)
		return UINT64_MAX;
	if (offset >= LAPIC_REGISTERS << 4 || accesses[reg].rights == 0 ||
	    (accesses[reg].rights & X2APIC_ONLY) != 0) {
		axvm_lapic_error(vcpu, LAPIC_ESR_ILLEGAL_REGISTER);
		return 0;
	}
	if ((accesses[reg].rights & READ) == 0 || byte >= 4)
		return 0;
	return read_register(vcpu, reg) >> 8 * byte;
}

static void write_page(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		       unsigned bytes, uint64_t value)
{
	uint32_t reg = (uint32_t)(offset >> 4) % LAPIC_REGISTERS;

	(void)device;
	if (lapic_mode(vcpu) != AXVM_LAPIC_XAPIC)
		return;
	if (offset >= LAPIC_REGISTERS << 4 || accesses[reg].rights == 0 ||
	    (accesses[reg].rights & X2APIC_ONLY) != 0) {
		axvm_lapic_error(vcpu, LAPIC_ESR_ILLEGAL_REGISTER);
		return;
	}
	if (bytes < 4 || (offset & 0xf) != 0)
		return;
	if (reg == LAPIC_LDR)
		write_register(vcpu, reg, (uint32_t)value);
	else if ((accesses[reg].rights & WRITE) != 0)
		write_register(vcpu, reg, (uint32_t)value & accesses[reg].bits);
}

static void reset_page(struct axvm_device *device)
{
	(void)device; /* the registers are the vCPUs', and reset with them */
}

static const struct axvm_device_type page_type = {
	.name = "lapic",
	.emu_type = AXVM_EMU_DUMMY,
	.reset = reset_page,
	.read = read_page,
	.write = write_page,
};

int axvm_lapic_make(struct axvm_vm *vm)
{
	struct axvm_device *page = axvm_vm_alloc(vm, sizeof(*page));

	if (page == NULL)
		return AXVM_ENOMEM;
	*page = (struct axvm_device){ .type = &page_type, .vm = vm, .name = page_type.name };
	return axvm_bus_attach(&vm->mmio, page, LAPIC_PAGE, AXVM_PAGE_BYTES, 0);
}

/* ---- MSRs ---------------------------------------------------------------------------------------------- */

#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC 0x800u

/* NULL: #GP. */
static const struct access *x2apic_access(const struct axvm_vcpu *vcpu, uint32_t reg,
					  uint32_t right)
{
	if (reg >= LAPIC_REGISTERS || lapic_mode(vcpu) != AXVM_LAPIC_X2APIC)
		return NULL;
	const struct access *access = &accesses[reg];

	return (access->rights & (right | XAPIC_ONLY)) == right ? access : NULL;
}

bool axvm_lapic_read_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	uint32_t reg = msr - MSR_X2APIC;

	if (reg < LAPIC_REGISTERS) {
		if (x2apic_access(vcpu, reg, READ) == NULL)
			return false;
		*value = reg == LAPIC_ICR ? vcpu->arch.lapic.icr : read_register(vcpu, reg);
		return true;
	}
	if (msr == MSR_APIC_BASE)
		*value = vcpu->arch.apic_base;
	else if (msr == MSR_TSC_DEADLINE)
		*value = axvm_lapic_timer_deadline(vcpu);
	else
		return false;
	return true;
}

static bool write_icr(struct axvm_vcpu *vcpu, uint64_t value)
{
	if (((uint32_t)value & ~accesses[LAPIC_ICR].bits) != 0)
		return false;
	vcpu->arch.lapic.icr = value;
	axvm_lapic_ipi(vcpu);
	return true;
}

static bool write_x2apic(struct axvm_vcpu *vcpu, uint32_t reg, uint64_t value)
{
	const struct access *access = x2apic_access(vcpu, reg, WRITE);

	if (access == NULL)
		return false;
	if (reg == LAPIC_ICR)
		return write_icr(vcpu, value);
	if ((value & ~(uint64_t)(access->bits | access->kept)) != 0)
		return false;
	write_register(vcpu, reg, (uint32_t)value & access->bits);
	return true;
}

static enum axvm_lapic_mode mode_of_base(uint64_t base)
{
	if ((base & LAPIC_BASE_EN) == 0)
		return AXVM_LAPIC_OFF;
	return (base & LAPIC_BASE_EXTD) != 0 ? AXVM_LAPIC_X2APIC : AXVM_LAPIC_XAPIC;
}

static void set_mode(struct axvm_vcpu *vcpu, enum axvm_lapic_mode mode)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	lapic_put(&lapic->mode, (uint32_t)mode);
	if (mode == AXVM_LAPIC_OFF)
		axvm_lapic_clear(vcpu);
	if (mode == AXVM_LAPIC_X2APIC) {
		lapic->icr = (uint32_t)lapic->icr;
		lapic_put(&lapic->ldr, lapic->id >> 4 << 16 | 1u << (lapic->id & 0xf));
	}
}

/* [SDM3 11.12.5]: x2APIC is entered from xAPIC and left by disabling. The page stays where it is. */
OUT_OF_LINE static bool write_base(struct axvm_vcpu *vcpu, uint64_t value)
{
	static const bool may[3][3] = {
		[AXVM_LAPIC_OFF] = { true, true, false },
		[AXVM_LAPIC_XAPIC] = { true, true, true },
		[AXVM_LAPIC_X2APIC] = { true, false, true },
	};
	const uint64_t switches = LAPIC_BASE_EN | LAPIC_BASE_EXTD;
	enum axvm_lapic_mode before = lapic_mode(vcpu);
	enum axvm_lapic_mode after = mode_of_base(value);

	if ((value & ~(switches | LAPIC_BASE_BSP)) != LAPIC_PAGE || !may[before][after] ||
	    (value & switches) == LAPIC_BASE_EXTD)
		return false;
	vcpu->arch.apic_base = (vcpu->arch.apic_base & ~switches) | (value & switches);
	if (after != before)
		set_mode(vcpu, after);
	return true;
}

bool axvm_lapic_write_msr(struct axvm_vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint32_t reg = msr - MSR_X2APIC;

	if (reg < LAPIC_REGISTERS)
		return write_x2apic(vcpu, reg, value);
	if (msr == MSR_APIC_BASE)
		return write_base(vcpu, value);
	if (msr != MSR_TSC_DEADLINE)
		return false;
	axvm_lapic_timer_set_deadline(vcpu, value);
	return true;
}

/* ---- reset ------------------------------------------------------------------------------------------------ */

void axvm_lapic_clear(struct axvm_vcpu *vcpu)
{
	struct axvm_lapic *lapic = &vcpu->arch.lapic;

	axvm_lapic_timer_stop(vcpu);
	for (uint32_t word = 0; word < 8; word++) {
		lapic_put(&lapic->irr[word], 0);
		lapic_put(&lapic->trigger[word], 0);
		lapic->isr[word] = 0;
	}
	for (uint32_t entry = 0; entry < AXVM_LAPIC_LVTS; entry++)
		lapic_put(&lapic->lvt[entry], LAPIC_LVT_MASKED);
	lapic_put(&lapic->esr_pending, 0);
	lapic_put(&lapic->events, 0);
	lapic_put(&lapic->ppr, 0);
	lapic_put(&lapic->ldr, 0);
	lapic_put(&lapic->dfr, UINT32_MAX);
	lapic_put(&lapic->svr, SVR_RESET);
	atomic_fetch_and_explicit(&lapic->lines, ~AXVM_LAPIC_LINE_EXTINT, memory_order_relaxed);
	lapic->tpr = 0;
	lapic->esr = 0;
	lapic->icr = 0;
	lapic->divide = 0;
}

void axvm_lapic_reset(struct axvm_vcpu *vcpu)
{
	axvm_lapic_clear(vcpu);
	atomic_store_explicit(&vcpu->arch.nmi, 0, memory_order_relaxed);
	set_mode(vcpu, mode_of_base(vcpu->arch.apic_base));
}

static void power_on(struct axvm_vcpu *vcpu)
{
	vcpu->arch.apic_base = LAPIC_PAGE | LAPIC_BASE_EN | (vcpu->index == 0 ? LAPIC_BASE_BSP : 0);
	atomic_store_explicit(&vcpu->arch.init_sipi, 0, memory_order_relaxed);
	axvm_lapic_reset(vcpu);
}

void axvm_lapic_init(struct axvm_vcpu *vcpu, uint32_t id)
{
	vcpu->arch.lapic.id = id;
	axvm_lapic_timer_init(vcpu);
	power_on(vcpu);
}

void axvm_lapic_fini(struct axvm_vcpu *vcpu)
{
	power_on(vcpu);
}
