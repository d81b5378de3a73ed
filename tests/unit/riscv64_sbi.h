/* SPDX-License-Identifier: Apache-2.0 */
/* An SBI call of a guest, and what every one of them keeps: all registers but a0 and a1. */
#ifndef RISCV64_SBI_H
#define RISCV64_SBI_H

#include "call.h"
#include "riscv64_rig.h"

#define PC (RAM + 0x1000)

#define SUCCESS 0ULL
#define NOT_SUPPORTED (-2ULL)
#define INVALID_PARAM (-3ULL)
#define DENIED (-4ULL)
#define INVALID_ADDRESS (-5ULL)
#define ALREADY_AVAILABLE (-6ULL)
#define ALREADY_STARTED (-7ULL)
#define ALREADY_STOPPED (-8ULL)
#define NO_SHMEM (-9ULL)

/* Extension, function, a0 to a5. */
struct sbi {
	uint64_t id;
	uint64_t function;
	uint64_t args[6];
};

/* On vCPU `index`, registers filled with what is told apart. */
static inline enum axvm_verdict sbi_begin(uint32_t index, const struct sbi *call)
{
	struct axvm_vcpu *vcpu = on(index);

	for (uint64_t i = 1; i < 32; i++)
		vcpu->arch.x[i] = i * 0x0101010101010101ULL;
	for (unsigned i = 0; i < 6; i++)
		vcpu->arch.x[10 + i] = call->args[i];
	vcpu->arch.x[16] = call->function;
	vcpu->arch.x[17] = call->id;
	vcpu->arch.pc = PC;
	vcpu->exit = (struct axvm_exit){ .reason = AXVM_EXIT_NONE };
	return axvm_riscv64_call(vcpu);
}

/* That nothing but a0, a1 and pc has changed. */
static inline void sbi_check_kept(uint32_t index, const struct sbi *call)
{
	const uint64_t *x = rig_vcpus[index].arch.x;

	CHECK_EQ(x[0], 0);
	for (uint64_t i = 1; i < 10; i++)
		CHECK_EQ(x[i], i * 0x0101010101010101ULL);
	for (unsigned i = 2; i < 6; i++)
		CHECK_EQ(x[10 + i], call->args[i]);
	CHECK_EQ(x[16], call->function);
	CHECK_EQ(x[17], call->id);
	for (uint64_t i = 18; i < 32; i++)
		CHECK_EQ(x[i], i * 0x0101010101010101ULL);
	CHECK_EQ(rig_vcpus[index].arch.pc, PC + 4);
}

static inline enum axvm_verdict sbi_call(uint32_t index, struct sbi call)
{
	enum axvm_verdict verdict = sbi_begin(index, &call);

	sbi_check_kept(index, &call);
	return verdict;
}

/* The error of a call that goes back to the guest at once; the value is in a1. */
static inline uint64_t sbi_error(uint32_t index, struct sbi call)
{
	CHECK_EQ(sbi_call(index, call), AXVM_ENTER);
	return rig_vcpus[index].arch.x[10];
}

/* The value of one that succeeds. */
static inline uint64_t sbi_value(uint32_t index, struct sbi call)
{
	CHECK_EQ(sbi_error(index, call), SUCCESS);
	return rig_vcpus[index].arch.x[11];
}

#define SBI(id, function, ...) ((struct sbi){ (id), (function), { __VA_ARGS__ } })

#endif
