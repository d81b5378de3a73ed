// SPDX-License-Identifier: Apache-2.0
/* Traps in S mode: probed faults, interrupts, and what nobody expected. */
#include "internal.h"

struct guest_cpu *guest_this_cpu(void)
{
	struct guest_cpu *cpu;

	__asm__ volatile("mv %0, tp" : "=r"(cpu));
	return cpu;
}

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

	guest_barrier();
	cpu->probing = false;
	return cpu->fault;
}

enum guest_fault_kind guest_fault_kind(struct guest_fault fault)
{
	if (fault.count == 0)
		return GUEST_FAULT_NONE;
	switch (fault.cause) {
	case CAUSE_ILLEGAL:
		return GUEST_FAULT_UNDEFINED;
	case CAUSE_FETCH_ACCESS:
		return GUEST_FAULT_FETCH;
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
		return GUEST_FAULT_DATA;
	default:
		return GUEST_FAULT_OTHER;
	}
}

bool guest_fault_is_external(struct guest_fault fault)
{
	enum guest_fault_kind kind = guest_fault_kind(fault);

	return kind == GUEST_FAULT_FETCH || kind == GUEST_FAULT_DATA;
}

bool guest_fault_is_walk(struct guest_fault fault, enum guest_fault_kind kind)
{
	/* QEMU's own answer is a page fault. */
	return guest_fault_kind(fault) == kind ||
	       (!guest_cmdline_has("axvm") && fault.cause >= CAUSE_FETCH_PAGE);
}

static void put_number(const char *label, uint64_t value)
{
	axtest_puts(label);
	axtest_put_hex(value);
}

static _Noreturn void unexpected(const struct guest_frame *frame)
{
	put_number("\n# scause ", READ_CSR(scause));
	put_number(" stval ", READ_CSR(stval));
	put_number(" pc ", frame->pc);
	put_number(" offset ", frame->pc - (uintptr_t)_start);
	put_number(" ra ", frame->x[1]);
	guest_give_up("no exception comes that no test expects");
}

/* Code that a test ran from somewhere else has no next instruction that is worth a visit. */
static bool is_foreign(uint64_t pc)
{
	return pc < (uintptr_t)_start || pc >= (uintptr_t)__bss_end;
}

static void exception(struct guest_frame *frame, uint64_t cause)
{
	struct guest_cpu *cpu = guest_this_cpu();

	if (!cpu->probing)
		unexpected(frame);
	cpu->fault.count++;
	cpu->fault.cause = cause;
	cpu->fault.address = READ_CSR(stval);
	cpu->fault.pc = frame->pc;
	if (cause == CAUSE_FETCH_MISALIGNED || cause == CAUSE_FETCH_ACCESS ||
	    cause == CAUSE_FETCH_PAGE || is_foreign(frame->pc))
		frame->pc = frame->x[1];
	else
		frame->pc += (guest_read16(frame->pc) & 3) == 3 ? 4 : 2;
}

static void interrupt(uint32_t irq)
{
	struct guest_cpu *cpu = guest_this_cpu();

	if (cpu->on_irq == NULL)
		guest_give_up("no interrupt comes that no test expects");
	if (irq == 9 && guest_plic.base != 0) {
		guest_plic_take();
		return;
	}
	if (irq == GUEST_IRQ_IPI)
		CLEAR_CSR(sip, IRQ_BIT_SOFTWARE);
	cpu->on_irq(irq);
}

void guest_trap(struct guest_frame *frame)
{
	uint64_t cause = READ_CSR(scause);

	if (cause >> 63)
		interrupt((uint32_t)cause & 0xff);
	else
		exception(frame, cause);
}
