/* SPDX-License-Identifier: Apache-2.0 */
/* What the VM-exit information fields tell [SDM3 28.2]. The kinds stand in a table by basic exit reason. */
#include "exit.h"

#define REG_UNKNOWN 0xffu

#define REASON_ENTRY_FAILED ((uint64_t)1 << 31)
#define EXCEPTION_OR_NMI 0u
#define RDPMC 15u
#define RDTSC 16u
#define RDTSCP 51u
#define CR_ACCESS 28u
#define DR_ACCESS 29u

#define INFO_VALID ((uint64_t)1 << 31)
#define INFO_HAS_ERROR ((uint64_t)1 << 11)
#define INFO_TYPE_NMI 2u
#define INFO_TYPE_SOFTWARE 4u /* and the two above: privileged and software exceptions */

#define CR_TO 0u
#define CR_FROM 1u
#define IO_IN 8u
#define IO_STRING 16u
#define IO_REPEATED 32u
#define EPT_WRITE 2u
#define EPT_FETCH 4u
#define EPT_PRESENT 0x38u
#define EPT_HAS_LINEAR 0x80u
#define EPT_FINAL 0x100u
#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_FETCH 16u

static const uint8_t kinds[] = {
	[EXCEPTION_OR_NMI] = AXVM_X86_EXIT_EXCEPTION,
	[1] = AXVM_X86_EXIT_INTERRUPT,
	[2] = AXVM_X86_EXIT_SHUTDOWN,
	[7] = AXVM_X86_EXIT_WINDOW,
	[8] = AXVM_X86_EXIT_WINDOW, /* of an NMI */
	[9] = AXVM_X86_EXIT_TASK_SWITCH,
	[10] = AXVM_X86_EXIT_CPUID,
	[11] = AXVM_X86_EXIT_VIRTUALIZATION, /* GETSEC */
	[12] = AXVM_X86_EXIT_HLT,
	[13] = AXVM_X86_EXIT_INVALIDATE,
	[RDPMC] = AXVM_X86_EXIT_COUNTER,
	[RDTSC] = AXVM_X86_EXIT_COUNTER,
	[17] = AXVM_X86_EXIT_VIRTUALIZATION, /* RSM */
	[18] = AXVM_X86_EXIT_HYPERCALL,
	[19] = AXVM_X86_EXIT_VIRTUALIZATION,
	[20] = AXVM_X86_EXIT_VIRTUALIZATION,
	[21] = AXVM_X86_EXIT_VIRTUALIZATION,
	[22] = AXVM_X86_EXIT_VIRTUALIZATION,
	[23] = AXVM_X86_EXIT_VIRTUALIZATION,
	[24] = AXVM_X86_EXIT_VIRTUALIZATION,
	[25] = AXVM_X86_EXIT_VIRTUALIZATION,
	[26] = AXVM_X86_EXIT_VIRTUALIZATION,
	[27] = AXVM_X86_EXIT_VIRTUALIZATION,
	[CR_ACCESS] = AXVM_X86_EXIT_CR,
	[DR_ACCESS] = AXVM_X86_EXIT_DR,
	[30] = AXVM_X86_EXIT_IO,
	[31] = AXVM_X86_EXIT_RDMSR,
	[32] = AXVM_X86_EXIT_WRMSR,
	[33] = AXVM_X86_EXIT_INVALID,
	[34] = AXVM_X86_EXIT_INVALID,
	[36] = AXVM_X86_EXIT_MONITOR,
	[39] = AXVM_X86_EXIT_MONITOR,
	[40] = AXVM_X86_EXIT_PAUSE,
	[41] = AXVM_X86_EXIT_INVALID, /* a machine check while entering */
	[48] = AXVM_X86_EXIT_NESTED_FAULT,
	[50] = AXVM_X86_EXIT_VIRTUALIZATION, /* INVEPT */
	[RDTSCP] = AXVM_X86_EXIT_COUNTER,
	[53] = AXVM_X86_EXIT_VIRTUALIZATION, /* INVVPID */
	[54] = AXVM_X86_EXIT_INVALIDATE,
	[55] = AXVM_X86_EXIT_XSETBV,
	[59] = AXVM_X86_EXIT_VIRTUALIZATION, /* VMFUNC */
	[60] = AXVM_X86_EXIT_VIRTUALIZATION, /* ENCLS */
};

static enum axvm_x86_exit_kind kind_of(const struct axvm_vmx_exit_fields *fields)
{
	uint64_t basic = fields->reason & 0xffff;

	if ((fields->reason & REASON_ENTRY_FAILED) != 0)
		return AXVM_X86_EXIT_INVALID;
	if (basic == EXCEPTION_OR_NMI && (fields->interruption_info >> 8 & 7) == INFO_TYPE_NMI)
		return AXVM_X86_EXIT_NMI;
	return basic < sizeof(kinds) ? (enum axvm_x86_exit_kind)kinds[basic]
				     : AXVM_X86_EXIT_UNKNOWN;
}

/* CLTS and LMSW write CR0 as no MOV does: decoded. */
static void read_cr(uint64_t qualification, struct axvm_x86_exit *exit)
{
	unsigned type = qualification >> 4 & 3;

	exit->index = qualification & 0xf;
	exit->is_write = type != CR_FROM;
	exit->reg = type == CR_TO || type == CR_FROM ? qualification >> 8 & 0xf : REG_UNKNOWN;
}

static void read_dr(uint64_t qualification, struct axvm_x86_exit *exit)
{
	exit->index = qualification & 7;
	exit->is_write = (qualification & 0x10) == 0;
	exit->reg = qualification >> 8 & 0xf;
}

static void read_io(const struct axvm_vmx_exit_fields *fields, struct axvm_x86_exit *exit)
{
	uint64_t qualification = fields->qualification;

	exit->is_write = (qualification & IO_IN) == 0;
	exit->is_string = (qualification & IO_STRING) != 0;
	exit->is_repeated = (qualification & IO_REPEATED) != 0;
	exit->bytes = (uint8_t)((qualification & 7) + 1);
	exit->port = (uint16_t)(qualification >> 16);
	exit->address_bytes = 0;
	exit->segment = REG_UNKNOWN;
	if (exit->is_string) {
		exit->address_bytes = (uint8_t)(2u << (fields->instruction_info >> 7 & 3));
		exit->segment = fields->instruction_info >> 15 & 7;
	}
}

static void read_nested_fault(const struct axvm_vmx_exit_fields *fields, struct axvm_x86_exit *exit)
{
	uint64_t qualification = fields->qualification;

	exit->is_write = (qualification & EPT_WRITE) != 0;
	exit->is_fetch = (qualification & EPT_FETCH) != 0;
	exit->error_code = ((qualification & EPT_PRESENT) != 0 ? PF_PRESENT : 0) |
			   (exit->is_write ? PF_WRITE : 0) | (exit->is_fetch ? PF_FETCH : 0);
	exit->is_walk = (qualification & (EPT_HAS_LINEAR | EPT_FINAL)) == EPT_HAS_LINEAR;
	exit->gpa = fields->gpa;
	exit->linear = fields->linear;
}

static void read_qualification(const struct axvm_vmx_exit_fields *fields,
			       struct axvm_x86_exit *exit)
{
	switch (exit->kind) {
	case AXVM_X86_EXIT_NESTED_FAULT:
		read_nested_fault(fields, exit);
		return;
	case AXVM_X86_EXIT_IO:
		read_io(fields, exit);
		return;
	case AXVM_X86_EXIT_CR:
		read_cr(fields->qualification, exit);
		return;
	case AXVM_X86_EXIT_DR:
		read_dr(fields->qualification, exit);
		return;
	case AXVM_X86_EXIT_EXCEPTION:
		exit->index = fields->interruption_info & 0x1f;
		exit->error_code = (fields->interruption_info & INFO_HAS_ERROR) != 0
					   ? (uint32_t)fields->interruption_error
					   : 0;
		exit->linear = fields->qualification;
		return;
	case AXVM_X86_EXIT_COUNTER:
		exit->index = AXVM_X86_RDPMC;
		if ((fields->reason & 0xffff) != RDPMC)
			exit->index = (fields->reason & 0xffff) == RDTSC ? AXVM_X86_RDTSC
									 : AXVM_X86_RDTSCP;
		return;
	default:
		return;
	}
}

/* Software's are executed again: RIP is still theirs. */
static void read_event(const struct axvm_vmx_exit_fields *fields, struct axvm_x86_event *event)
{
	uint64_t info = fields->vectoring_info;
	uint8_t type = info >> 8 & 7;
	bool has_error_code = (info & INFO_HAS_ERROR) != 0;

	if (type >= INFO_TYPE_SOFTWARE)
		return;
	*event = (struct axvm_x86_event){
		.valid = true,
		.vector = (uint8_t)info,
		.type = type,
		.has_error_code = has_error_code,
		.error_code = has_error_code ? (uint32_t)fields->vectoring_error : 0,
	};
}

void axvm_x86_64_vmx_decode(const struct axvm_vmx_exit_fields *fields, struct axvm_arch_vcpu *arch)
{
	struct axvm_x86_exit *exit = &arch->exit;

	exit->kind = kind_of(fields);
	exit->hardware = fields->reason;
	exit->fetched_count = 0;
	exit->instruction_bytes =
		fields->instruction_bytes <= 15 ? (uint8_t)fields->instruction_bytes : 0;
	read_qualification(fields, exit);
	if ((fields->vectoring_info & INFO_VALID) != 0)
		read_event(fields, &arch->event);
}
