/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits from the guest: who answers each kind stands in one table. Here is what needs few words, stepping over
 * instructions, and exceptions into the guest.
 */
#include "exit.h"

#include "decode.h"
#include "operand.h"
#include "walk.h"

/* Keeps a rare path's registers and code out of the frequent one. */
#define OUT_OF_LINE __attribute__((noinline))
#define UNLIKELY(condition) __builtin_expect((condition), 0)

#define EXCEPTIONS 32u
#define WITH_ERROR_CODE 0x00227d00u /* 8, 10 to 14, 17, 21 */
#define CONTRIBUTORY 0x00203c01u    /* 0, 10 to 13, 21 */

#define DR6_SINGLE_STEP ((uint64_t)1 << 14)

/* ---- exceptions into the guest ------------------------------------------------------------------ */

static bool is_contributory(unsigned vector)
{
	return vector < EXCEPTIONS && (CONTRIBUTORY >> vector & 1) != 0;
}

/* Of a double fault no more is made here: the hardware meets the third when it delivers that. */
static bool makes_double_fault(const struct axvm_x86_event *first, uint8_t second)
{
	if (!first->valid)
		return false;
	if (first->vector == AXVM_X86_DF)
		return true;
	if (first->vector == AXVM_X86_PF)
		return second == AXVM_X86_PF || is_contributory(second);
	return is_contributory(first->vector) && is_contributory(second);
}

void axvm_x86_64_inject_error(struct axvm_vcpu *vcpu, uint8_t vector, uint32_t error_code)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	if (arch->event.valid && arch->event.type != AXVM_X86_EVENT_EXCEPTION)
		return;
	if (makes_double_fault(&arch->event, vector)) {
		vector = AXVM_X86_DF;
		error_code = 0;
	}
	axvm_hal_sysreg_sync(vcpu); /* real mode has no error codes */
	arch->event = (struct axvm_x86_event){
		.valid = true,
		.vector = vector,
		.type = AXVM_X86_EVENT_EXCEPTION,
		.has_error_code = (WITH_ERROR_CODE >> vector & 1) != 0 &&
				  (arch->sys.cr0 & AXVM_X86_CR0_PE) != 0,
		.error_code = error_code,
	};
}

void axvm_x86_64_inject_exception(struct axvm_vcpu *vcpu, uint8_t vector)
{
	axvm_x86_64_inject_error(vcpu, vector, 0);
}

void axvm_x86_64_inject_page_fault(struct axvm_vcpu *vcpu, uint64_t linear, uint32_t error_code)
{
	if (vcpu->arch.event.valid && vcpu->arch.event.type != AXVM_X86_EVENT_EXCEPTION)
		return;
	axvm_hal_sysreg_sync(vcpu);
	vcpu->arch.sys.cr2 = linear;
	axvm_hal_sysreg_flush(vcpu);
	axvm_x86_64_inject_error(vcpu, AXVM_X86_PF, error_code);
}

static enum axvm_verdict general_protection(struct axvm_vcpu *vcpu)
{
	axvm_x86_64_inject_error(vcpu, AXVM_X86_GP, 0);
	return AXVM_ENTER;
}

static enum axvm_verdict undefined(struct axvm_vcpu *vcpu)
{
	axvm_x86_64_inject_exception(vcpu, AXVM_X86_UD);
	return AXVM_ENTER;
}

/* ---- stepping over an instruction ------------------------------------------------------------------ */

OUT_OF_LINE static void single_step(struct axvm_vcpu *vcpu)
{
	axvm_hal_sysreg_sync(vcpu);
	vcpu->arch.sys.dr6 |= DR6_SINGLE_STEP;
	axvm_hal_sysreg_flush(vcpu);
	axvm_x86_64_inject_exception(vcpu, AXVM_X86_DB);
}

/* Outside of 64-bit mode RIP ends at 4 GiB; code there knows, and code below never comes near it. */
void axvm_x86_64_skip(struct axvm_vcpu *vcpu, unsigned bytes)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	arch->rip += bytes;
	arch->rflags &= ~AXVM_X86_RFLAGS_RF;
	if (UNLIKELY((arch->rflags & AXVM_X86_RFLAGS_TF) != 0))
		single_step(vcpu);
}

bool axvm_x86_64_fetch_exited(struct axvm_vcpu *vcpu, struct axvm_x86_instruction *instruction)
{
	uint8_t code[AXVM_X86_INSTRUCTION_MAX];
	struct axvm_x86_fault fault;
	unsigned count;

	axvm_hal_sysreg_sync(vcpu);
	count = axvm_x86_64_fetch(vcpu, code, &fault);
	if (count == 0) {
		axvm_x86_64_inject_fault(vcpu, &fault);
		return false;
	}
	if (!axvm_x86_decode(code, count, axvm_x86_64_code_bytes(&vcpu->arch), instruction)) {
		axvm_x86_64_inject_exception(vcpu, AXVM_X86_UD);
		return false;
	}
	return true;
}

OUT_OF_LINE static unsigned find_length(struct axvm_vcpu *vcpu, struct axvm_x86_length *known)
{
	struct axvm_x86_instruction instruction;

	if (!axvm_x86_64_fetch_exited(vcpu, &instruction))
		return 0;
	*known = (struct axvm_x86_length){
		.rip = vcpu->arch.rip,
		.kind = (uint8_t)vcpu->arch.exit.kind,
		.bytes = instruction.bytes,
	};
	return instruction.bytes;
}

unsigned axvm_x86_64_exit_length(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;

	if (arch->exit.instruction_bytes != 0)
		return arch->exit.instruction_bytes;

	uint64_t hash = arch->rip ^ arch->rip >> 4;
	struct axvm_x86_length *known = &arch->lengths[hash % AXVM_X86_LENGTHS];

	if (known->rip == arch->rip && known->kind == arch->exit.kind)
		return known->bytes;
	return find_length(vcpu, known);
}

/* ---- frequent ones ------------------------------------------------------------------------------------ */

static enum axvm_verdict hypercall(struct axvm_vcpu *vcpu)
{
	unsigned bytes = axvm_x86_64_exit_length(vcpu);

	if (bytes == 0)
		return AXVM_ENTER;
	axvm_x86_64_skip(vcpu, bytes);
	return axvm_x86_64_call(vcpu);
}

static enum axvm_verdict cpuid(struct axvm_vcpu *vcpu)
{
	uint64_t *gpr = vcpu->arch.gpr;
	unsigned bytes = axvm_x86_64_exit_length(vcpu);

	if (bytes == 0)
		return AXVM_ENTER;
	axvm_x86_64_skip(vcpu, bytes);
	struct axvm_x86_cpuid result =
		axvm_x86_64_cpuid(vcpu, (uint32_t)gpr[AXVM_X86_RAX], (uint32_t)gpr[AXVM_X86_RCX]);

	gpr[AXVM_X86_RAX] = result.eax;
	gpr[AXVM_X86_RBX] = result.ebx;
	gpr[AXVM_X86_RCX] = result.ecx;
	gpr[AXVM_X86_RDX] = result.edx;
	return AXVM_ENTER_FULL;
}

static enum axvm_verdict read_msr(struct axvm_vcpu *vcpu)
{
	uint64_t *gpr = vcpu->arch.gpr;
	unsigned bytes = axvm_x86_64_exit_length(vcpu);
	uint64_t value = 0;

	if (bytes == 0)
		return AXVM_ENTER;
	if (!axvm_x86_64_read_msr(vcpu, (uint32_t)gpr[AXVM_X86_RCX], &value))
		return general_protection(vcpu);
	gpr[AXVM_X86_RAX] = (uint32_t)value;
	gpr[AXVM_X86_RDX] = value >> 32;
	axvm_x86_64_skip(vcpu, bytes);
	return AXVM_ENTER;
}

static enum axvm_verdict write_msr(struct axvm_vcpu *vcpu)
{
	const uint64_t *gpr = vcpu->arch.gpr;
	uint64_t value = gpr[AXVM_X86_RDX] << 32 | (uint32_t)gpr[AXVM_X86_RAX];
	unsigned bytes = axvm_x86_64_exit_length(vcpu);

	if (bytes == 0)
		return AXVM_ENTER;
	if (!axvm_x86_64_write_msr(vcpu, (uint32_t)gpr[AXVM_X86_RCX], value))
		return general_protection(vcpu);
	axvm_x86_64_skip(vcpu, bytes);
	return AXVM_ENTER;
}

/* ---- waiting and interrupts ----------------------------------------------------------------------------- */

enum axvm_verdict axvm_x86_64_wait(struct axvm_vcpu *vcpu)
{
	if (atomic_load_explicit(&vcpu->requests, memory_order_relaxed) != 0)
		return AXVM_ENTER;
	axvm_hal_irq_sync(vcpu);
	axvm_x86_64_irq_note(vcpu);
	if (axvm_arch_irq_pending(vcpu)) {
		axvm_arch_irq_fill(vcpu);
		axvm_hal_irq_flush(vcpu);
		return AXVM_ENTER;
	}
	vcpu->exit.reason = AXVM_EXIT_HALT;
	return AXVM_LEAVE;
}

static enum axvm_verdict halt(struct axvm_vcpu *vcpu)
{
	unsigned bytes = axvm_x86_64_exit_length(vcpu);

	if (bytes == 0)
		return AXVM_ENTER;
	axvm_x86_64_skip(vcpu, bytes);
	return axvm_x86_64_wait(vcpu);
}

static enum axvm_verdict window(struct axvm_vcpu *vcpu)
{
	axvm_hal_irq_sync(vcpu);
	axvm_arch_irq_fill(vcpu);
	axvm_hal_irq_flush(vcpu);
	return AXVM_ENTER;
}

/* The host has taken its interrupt before it came here. */
static enum axvm_verdict go_on(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	return AXVM_ENTER;
}

/* ---- the rest ----------------------------------------------------------------------------------------------- */

OUT_OF_LINE static enum axvm_verdict fault(struct axvm_vcpu *vcpu, const char *what)
{
	vcpu->exit.reason = AXVM_EXIT_FAULT;
	vcpu->exit.fault.what = what;
	vcpu->exit.fault.pc = vcpu->arch.rip;
	vcpu->exit.fault.address = vcpu->arch.exit.gpa;
	vcpu->exit.fault.syndrome = vcpu->arch.exit.hardware;
	return AXVM_LEAVE;
}

static bool is_mapped(struct axvm_vcpu *vcpu)
{
	const struct axvm_x86_exit *exit = &vcpu->arch.exit;
	struct axvm_hpa hpa;
	uint64_t bytes;

	return axvm_aspace_translate(&vcpu->vm->aspace, axvm_gpa(exit->gpa),
				     exit->is_write ? AXVM_MAP_WRITE : AXVM_MAP_READ, &hpa,
				     &bytes) == 0;
}

/* The access was the delivery's own, to the IDT, a descriptor or the stack: no instruction's. */
OUT_OF_LINE static enum axvm_verdict cut_off(struct axvm_vcpu *vcpu)
{
	if (is_mapped(vcpu))
		return AXVM_ENTER;
	return fault(vcpu, "an interrupt or exception is delivered by way of what is no memory");
}

static enum axvm_verdict nested_fault(struct axvm_vcpu *vcpu)
{
	if (UNLIKELY(vcpu->arch.event.valid))
		return cut_off(vcpu);
	return axvm_x86_64_mmio(vcpu);
}

static enum axvm_verdict step_over(struct axvm_vcpu *vcpu)
{
	unsigned bytes = axvm_x86_64_exit_length(vcpu);

	if (bytes != 0)
		axvm_x86_64_skip(vcpu, bytes);
	return AXVM_ENTER;
}

/* There are no performance counters. */
static enum axvm_verdict counter(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	uint64_t tsc = axvm_hal_time_ticks() + arch->tsc_offset;

	if (arch->exit.index == AXVM_X86_RDPMC)
		return general_protection(vcpu);

	unsigned bytes = axvm_x86_64_exit_length(vcpu);

	if (bytes == 0)
		return AXVM_ENTER;
	arch->gpr[AXVM_X86_RAX] = (uint32_t)tsc;
	arch->gpr[AXVM_X86_RDX] = tsc >> 32;
	if (arch->exit.index == AXVM_X86_RDTSCP)
		arch->gpr[AXVM_X86_RCX] = arch->tsc_aux;
	axvm_x86_64_skip(vcpu, bytes);
	return AXVM_ENTER;
}

static enum axvm_verdict exception(struct axvm_vcpu *vcpu)
{
	const struct axvm_x86_exit *exit = &vcpu->arch.exit;

	if (exit->index == AXVM_X86_PF)
		axvm_x86_64_inject_page_fault(vcpu, exit->linear, exit->error_code);
	else
		axvm_x86_64_inject_error(vcpu, exit->index, exit->error_code);
	return AXVM_ENTER;
}

/* A PC's chipset resets the machine when a CPU shuts down. */
static enum axvm_verdict shut_down(struct axvm_vcpu *vcpu)
{
	vcpu->exit.reason = AXVM_EXIT_RESET;
	vcpu->exit.reset.type = 0;
	return AXVM_LEAVE;
}

static enum axvm_verdict refused(struct axvm_vcpu *vcpu)
{
	vcpu->exit.reason = AXVM_EXIT_FAIL_ENTRY;
	vcpu->exit.fail_entry.hardware_reason = vcpu->arch.exit.hardware;
	return AXVM_LEAVE;
}

static enum axvm_verdict task_switch(struct axvm_vcpu *vcpu)
{
	return fault(vcpu, "a task switch by hardware, which is not virtualised");
}

static enum axvm_verdict unknown(struct axvm_vcpu *vcpu)
{
	return fault(vcpu, "an exit that no guest can cause");
}

static enum axvm_verdict (*const handlers[AXVM_X86_EXIT_KINDS])(struct axvm_vcpu *vcpu) = {
	[AXVM_X86_EXIT_UNKNOWN] = unknown,
	[AXVM_X86_EXIT_CPUID] = cpuid,
	[AXVM_X86_EXIT_HYPERCALL] = hypercall,
	[AXVM_X86_EXIT_RDMSR] = read_msr,
	[AXVM_X86_EXIT_WRMSR] = write_msr,
	[AXVM_X86_EXIT_IO] = axvm_x86_64_port,
	[AXVM_X86_EXIT_NESTED_FAULT] = nested_fault,
	[AXVM_X86_EXIT_HLT] = halt,
	[AXVM_X86_EXIT_PAUSE] = step_over,
	[AXVM_X86_EXIT_CR] = axvm_x86_64_cr_access,
	[AXVM_X86_EXIT_DR] = axvm_x86_64_dr_access,
	[AXVM_X86_EXIT_XSETBV] = axvm_x86_64_xsetbv,
	[AXVM_X86_EXIT_EXCEPTION] = exception,
	[AXVM_X86_EXIT_INTERRUPT] = go_on,
	[AXVM_X86_EXIT_NMI] = go_on,
	[AXVM_X86_EXIT_WINDOW] = window,
	[AXVM_X86_EXIT_SHUTDOWN] = shut_down,
	[AXVM_X86_EXIT_INVALIDATE] = step_over, /* the host's caches stay */
	[AXVM_X86_EXIT_COUNTER] = counter,
	[AXVM_X86_EXIT_MONITOR] = undefined, /* CPUID shows neither of these two */
	[AXVM_X86_EXIT_VIRTUALIZATION] = undefined,
	[AXVM_X86_EXIT_TASK_SWITCH] = task_switch,
	[AXVM_X86_EXIT_INVALID] = refused,
};

enum axvm_verdict axvm_x86_64_exit(struct axvm_vcpu *vcpu)
{
	return handlers[vcpu->arch.exit.kind](vcpu);
}
