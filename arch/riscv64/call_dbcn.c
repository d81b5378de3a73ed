/* SPDX-License-Identifier: Apache-2.0 */
/* The debug console [SBI 12]. A call moves so much at most; the guest goes on from the count it gets. */
#include "call.h"

#include "sbi_console.h"

#define DBCN_WRITE 0u
#define DBCN_READ 1u
#define DBCN_WRITE_BYTE 2u

static bool is_accessible(struct axvm_vcpu *vcpu, uint64_t gpa, uint32_t right)
{
	struct axvm_mapping mapping;

	return axvm_aspace_query(&vcpu->vm->aspace, axvm_gpa(gpa), &mapping) == 0 &&
	       (mapping.flags & right) != 0 && (mapping.flags & AXVM_MAP_DEVICE) == 0;
}

/*
 * Whether the range may be RAM with that right: both its ends are. What lies between is looked at
 * when it is moved, for a range can be as long as the guest likes.
 */
static bool is_plausible(struct axvm_vcpu *vcpu, uint64_t bytes, uint32_t right)
{
	uint64_t base = axvm_sbi_argument(vcpu, 1);

	if (axvm_sbi_argument(vcpu, 2) != 0 || axvm_range_wraps(base, bytes))
		return false;
	return bytes == 0 ||
	       (is_accessible(vcpu, base, right) && is_accessible(vcpu, base + bytes - 1, right));
}

static enum axvm_verdict write(struct axvm_vcpu *vcpu)
{
	char data[AXVM_SBI_CONSOLE_BYTES];
	uint64_t bytes = axvm_sbi_argument(vcpu, 0);
	struct axvm_gpa gpa = axvm_gpa(axvm_sbi_argument(vcpu, 1));
	uint64_t count = bytes < sizeof(data) ? bytes : sizeof(data);

	if (!is_plausible(vcpu, bytes, AXVM_MAP_READ) ||
	    axvm_aspace_read(&vcpu->vm->aspace, gpa, data, count) != 0)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	if (count > 0)
		axvm_hal_console_write(vcpu->vm, data, count);
	return axvm_sbi_answer(vcpu, SBI_SUCCESS, count);
}

static enum axvm_verdict read(struct axvm_vcpu *vcpu)
{
	uint64_t bytes = axvm_sbi_argument(vcpu, 0);
	struct axvm_gpa gpa = axvm_gpa(axvm_sbi_argument(vcpu, 1));
	uint64_t count;

	if (!is_plausible(vcpu, bytes, AXVM_MAP_WRITE) ||
	    axvm_sbi_console_read(vcpu->vm, gpa, bytes, &count) != 0)
		return axvm_sbi_error(vcpu, SBI_INVALID_PARAM);
	return axvm_sbi_answer(vcpu, SBI_SUCCESS, count);
}

static enum axvm_verdict write_byte(struct axvm_vcpu *vcpu)
{
	char byte = (char)axvm_sbi_argument(vcpu, 0);

	axvm_hal_console_write(vcpu->vm, &byte, 1);
	return axvm_sbi_error(vcpu, SBI_SUCCESS);
}

enum axvm_verdict axvm_sbi_dbcn(struct axvm_vcpu *vcpu, uint64_t function)
{
	switch (function) {
	case DBCN_WRITE:
		return write(vcpu);
	case DBCN_READ:
		return read(vcpu);
	case DBCN_WRITE_BYTE:
		return write_byte(vcpu);
	default:
		return axvm_sbi_error(vcpu, SBI_NOT_SUPPORTED);
	}
}
