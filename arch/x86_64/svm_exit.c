/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VMCB tells of an exit. The kinds stand in a table by exit code; of each kind a reader knows what
 * EXITINFO1 and 2 mean. What the CPU need not say (CPUID: decode assists, next RIP) is left open, not guessed.
 */
#include <string.h>

#include <axvm/hal_x86_64.h>

#include "exit.h"
#include "vmcb.h"

#define REG_UNKNOWN 0xffu
#define CODES 0x090u

#define CR_IS_MOV ((uint64_t)1 << 63)
#define IO_IN 1u
#define IO_STRING 4u
#define IO_REPEATED 8u
#define NPF_WRITE 2u
#define NPF_FETCH 16u
#define NPF_WALK ((uint64_t)1 << 33)

static const uint8_t kinds[CODES] = {
	[AXVM_SVM_INTR] = AXVM_X86_EXIT_INTERRUPT,
	[AXVM_SVM_NMI] = AXVM_X86_EXIT_NMI,
	[AXVM_SVM_VINTR] = AXVM_X86_EXIT_WINDOW,
	[AXVM_SVM_CR0_SEL_WRITE] = AXVM_X86_EXIT_CR,
	[AXVM_SVM_RDTSC] = AXVM_X86_EXIT_COUNTER,
	[AXVM_SVM_RDPMC] = AXVM_X86_EXIT_COUNTER,
	[AXVM_SVM_CPUID] = AXVM_X86_EXIT_CPUID,
	[AXVM_SVM_RSM] = AXVM_X86_EXIT_VIRTUALIZATION, /* #UD outside of SMM too */
	[AXVM_SVM_INVD] = AXVM_X86_EXIT_INVALIDATE,
	[AXVM_SVM_PAUSE] = AXVM_X86_EXIT_PAUSE,
	[AXVM_SVM_HLT] = AXVM_X86_EXIT_HLT,
	[AXVM_SVM_INVLPGA] = AXVM_X86_EXIT_VIRTUALIZATION,
	[AXVM_SVM_IOIO] = AXVM_X86_EXIT_IO,
	[AXVM_SVM_MSR] = AXVM_X86_EXIT_RDMSR,
	[AXVM_SVM_TASK_SWITCH] = AXVM_X86_EXIT_TASK_SWITCH,
	[AXVM_SVM_SHUTDOWN] = AXVM_X86_EXIT_SHUTDOWN,
	[AXVM_SVM_VMRUN] = AXVM_X86_EXIT_VIRTUALIZATION,
	[AXVM_SVM_VMMCALL] = AXVM_X86_EXIT_HYPERCALL,
	[AXVM_SVM_VMLOAD] = AXVM_X86_EXIT_VIRTUALIZATION,
	[AXVM_SVM_VMSAVE] = AXVM_X86_EXIT_VIRTUALIZATION,
	[AXVM_SVM_STGI] = AXVM_X86_EXIT_VIRTUALIZATION,
	[AXVM_SVM_CLGI] = AXVM_X86_EXIT_VIRTUALIZATION,
	[AXVM_SVM_SKINIT] = AXVM_X86_EXIT_VIRTUALIZATION,
	[AXVM_SVM_RDTSCP] = AXVM_X86_EXIT_COUNTER,
	[AXVM_SVM_WBINVD] = AXVM_X86_EXIT_INVALIDATE,
	[AXVM_SVM_MONITOR] = AXVM_X86_EXIT_MONITOR,
	[AXVM_SVM_MWAIT] = AXVM_X86_EXIT_MONITOR,
	[AXVM_SVM_MWAIT_ARMED] = AXVM_X86_EXIT_MONITOR,
	[AXVM_SVM_XSETBV] = AXVM_X86_EXIT_XSETBV,
	[AXVM_SVM_RDPRU] = AXVM_X86_EXIT_VIRTUALIZATION, /* CPUID shows none */
};

static enum axvm_x86_exit_kind kind_of(uint64_t code)
{
	if (code == AXVM_SVM_NPF)
		return AXVM_X86_EXIT_NESTED_FAULT;
	if (code == AXVM_SVM_INVALID)
		return AXVM_X86_EXIT_INVALID;
	if (code < AXVM_SVM_DR_READ)
		return AXVM_X86_EXIT_CR;
	if (code < AXVM_SVM_EXCEPTION)
		return AXVM_X86_EXIT_DR;
	if (code < AXVM_SVM_INTR)
		return AXVM_X86_EXIT_EXCEPTION;
	return code < CODES ? (enum axvm_x86_exit_kind)kinds[code] : AXVM_X86_EXIT_UNKNOWN;
}

/* 0: not told. */
static uint8_t distance(uint64_t from, uint64_t to)
{
	return to - from <= 15 ? (uint8_t)(to - from) : 0;
}

static void read_register(const struct axvm_vmcb_control *control, struct axvm_x86_exit *exit)
{
	bool is_told = axvm_hal_x86_64_host()->has_decode_assists;
	uint64_t code = control->exit_code;

	/* the selective intercept tells no number: it is CR0's */
	exit->index = code == AXVM_SVM_CR0_SEL_WRITE ? 0 : (uint8_t)(code & 0xf);
	exit->is_write = code == AXVM_SVM_CR0_SEL_WRITE || (code & 0x10) != 0;
	exit->reg = REG_UNKNOWN;
	/* of a debug register it is always a MOV */
	if (is_told && (exit->kind == AXVM_X86_EXIT_DR || (control->exit_info_1 & CR_IS_MOV) != 0))
		exit->reg = control->exit_info_1 & 0xf;
}

static void read_io(const struct axvm_vmcb *vmcb, struct axvm_x86_exit *exit)
{
	uint64_t info = vmcb->control.exit_info_1;

	exit->is_write = (info & IO_IN) == 0;
	exit->is_string = (info & IO_STRING) != 0;
	exit->is_repeated = (info & IO_REPEATED) != 0;
	exit->bytes = info >> 4 & 7;
	exit->address_bytes = (uint8_t)((info >> 7 & 7) << 1);
	exit->segment = axvm_hal_x86_64_host()->has_decode_assists ? info >> 10 & 7 : REG_UNKNOWN;
	exit->port = (uint16_t)(info >> 16);
	exit->instruction_bytes = distance(vmcb->save.rip, vmcb->control.exit_info_2);
}

static void read_nested_fault(const struct axvm_vmcb_control *control, struct axvm_x86_exit *exit)
{
	unsigned count = control->fetched_count & 0xf;

	exit->error_code = (uint32_t)control->exit_info_1;
	exit->is_write = (control->exit_info_1 & NPF_WRITE) != 0;
	exit->is_fetch = (control->exit_info_1 & NPF_FETCH) != 0;
	exit->is_walk = (control->exit_info_1 & NPF_WALK) != 0;
	exit->gpa = control->exit_info_2;
	if (axvm_hal_x86_64_host()->has_decode_assists && count > 0) {
		exit->fetched_count = (uint8_t)count;
		memcpy(exit->fetched, control->fetched, count);
	}
}

static void read_info(const struct axvm_vmcb *vmcb, struct axvm_x86_exit *exit)
{
	const struct axvm_vmcb_control *control = &vmcb->control;

	switch (exit->kind) {
	case AXVM_X86_EXIT_NESTED_FAULT:
		read_nested_fault(control, exit);
		return;
	case AXVM_X86_EXIT_IO:
		read_io(vmcb, exit);
		return;
	case AXVM_X86_EXIT_CR:
	case AXVM_X86_EXIT_DR:
		read_register(control, exit);
		return;
	case AXVM_X86_EXIT_EXCEPTION:
		exit->index = control->exit_code & 0x1f;
		exit->error_code = (uint32_t)control->exit_info_1;
		exit->linear = control->exit_info_2;
		return;
	case AXVM_X86_EXIT_COUNTER:
		exit->index = AXVM_X86_RDPMC;
		if (control->exit_code != AXVM_SVM_RDPMC)
			exit->index = control->exit_code == AXVM_SVM_RDTSC ? AXVM_X86_RDTSC
									   : AXVM_X86_RDTSCP;
		return;
	default:
		return;
	}
}

/*
 * An event whose delivery was cut off. INT n, INT3 and INTO are executed again: RIP is still theirs.
 */
static void read_event(uint64_t info, struct axvm_x86_event *event)
{
	uint8_t type = info >> AXVM_SVM_EVENT_TYPE_SHIFT & 7;
	uint8_t vector = (uint8_t)info;
	bool is_software = type == AXVM_X86_EVENT_SOFTWARE ||
			   (type == AXVM_X86_EVENT_EXCEPTION && (vector == 3 || vector == 4));

	if (is_software)
		return;
	*event = (struct axvm_x86_event){
		.valid = true,
		.vector = vector,
		.type = type,
		.has_error_code = (info & AXVM_SVM_EVENT_HAS_ERROR) != 0,
		.error_code = (uint32_t)(info >> AXVM_SVM_EVENT_ERROR_SHIFT),
	};
}

void axvm_x86_64_svm_decode(const struct axvm_vmcb *vmcb, struct axvm_arch_vcpu *arch)
{
	const struct axvm_vmcb_control *control = &vmcb->control;
	struct axvm_x86_exit *exit = &arch->exit;

	exit->kind = kind_of(control->exit_code);
	exit->hardware = control->exit_code;
	exit->fetched_count = 0;
	exit->instruction_bytes = 0;
	if (axvm_hal_x86_64_host()->has_next_rip)
		exit->instruction_bytes = distance(vmcb->save.rip, control->next_rip);
	if (exit->kind == AXVM_X86_EXIT_RDMSR && (control->exit_info_1 & 1) != 0)
		exit->kind = AXVM_X86_EXIT_WRMSR;
	read_info(vmcb, exit);
	if ((control->exit_interrupt_info & AXVM_SVM_EVENT_VALID) != 0)
		read_event(control->exit_interrupt_info, &arch->event);
}
