// SPDX-License-Identifier: Apache-2.0
/* Exceptions at EL1: probed faults, interrupts, and what nobody expected. */
#include "internal.h"

void guest_probe_begin(void)
{
	struct guest_cpu *cpu = guest_this_cpu();

	cpu->fault = (struct guest_fault){ 0 };
	cpu->probing = true;
	__asm__ volatile("" ::: "memory");
}

struct guest_fault guest_probe_end(void)
{
	struct guest_cpu *cpu = guest_this_cpu();

	guest_barrier(); /* an SError or a late abort belongs to what was probed */
	cpu->probing = false;
	return cpu->fault;
}

enum guest_fault_kind guest_fault_kind(struct guest_fault fault)
{
	if (fault.count == 0)
		return GUEST_FAULT_NONE;
	switch (guest_fault_class(fault)) {
	case EC_UNKNOWN:
		return GUEST_FAULT_UNDEFINED;
	case EC_INSTRUCTION_ABORT:
		return GUEST_FAULT_FETCH;
	case EC_DATA_ABORT:
		return GUEST_FAULT_DATA;
	default:
		return GUEST_FAULT_OTHER;
	}
}

bool guest_fault_is_external(struct guest_fault fault)
{
	enum guest_fault_kind kind = guest_fault_kind(fault);

	return (kind == GUEST_FAULT_FETCH || kind == GUEST_FAULT_DATA) &&
	       (fault.cause & 0x3f) == FSC_SYNC_EXTERNAL;
}

bool guest_fault_is_walk(struct guest_fault fault, enum guest_fault_kind kind)
{
	/* Who emulates it may not know the level. */
	return guest_fault_kind(fault) == kind &&
	       (guest_fault_is_external(fault) || (fault.cause & 0x3c) == 0x14);
}

static void put_number(const char *label, uint64_t value)
{
	axtest_puts(label);
	axtest_put_hex(value);
}

static _Noreturn void unexpected(const struct guest_frame *frame, uint64_t slot)
{
	put_number("\n# exception ", slot);
	put_number(" esr ", READ_SYSREG(esr_el1));
	put_number(" far ", READ_SYSREG(far_el1));
	put_number(" pc ", frame->pc);
	put_number(" lr ", frame->x[30]);
	guest_give_up("no exception comes that no test expects");
}

/* Code that a test ran from somewhere else has no next instruction that is worth a visit. */
static bool is_foreign(uint64_t pc)
{
	return pc < (uintptr_t)_start || pc >= (uintptr_t)__bss_end;
}

static void synchronous(struct guest_frame *frame, uint64_t slot)
{
	struct guest_cpu *cpu = guest_this_cpu();
	uint64_t esr = READ_SYSREG(esr_el1);
	uint32_t class = (uint32_t)(esr >> 26);

	if (!cpu->probing)
		unexpected(frame, slot);
	cpu->fault.count++;
	cpu->fault.cause = esr;
	cpu->fault.address = READ_SYSREG(far_el1);
	cpu->fault.pc = frame->pc;
	if (class == EC_INSTRUCTION_ABORT || class == EC_PC_ALIGNMENT || is_foreign(frame->pc))
		frame->pc = frame->x[30];
	else
		frame->pc += 4;
}

static void interrupt(void)
{
	struct guest_cpu *cpu = guest_this_cpu();
	uint32_t intid = (uint32_t)READ_SYSREG(s3_0_c12_c12_0) & 0xffffff; /* ICC_IAR1_EL1 */

	if (intid >= 1020 && intid <= INTID_SPURIOUS)
		return;
	if (cpu->on_irq == NULL)
		guest_give_up("no interrupt comes that no test expects");
	cpu->on_irq(intid);
	WRITE_SYSREG(s3_0_c12_c12_1, intid); /* ICC_EOIR1_EL1 */
}

void guest_exception(struct guest_frame *frame, uint64_t slot)
{
	if (slot == 4 || slot == 8)
		synchronous(frame, slot);
	else if (slot == 5 || slot == 9)
		interrupt();
	else
		unexpected(frame, slot);
}
