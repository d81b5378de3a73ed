/* SPDX-License-Identifier: Apache-2.0 */
/* vCPUs of a test_vm: helpers of the tests that run them. */
#ifndef TEST_VCPU_H
#define TEST_VCPU_H

#include "test_vm.h"

static inline struct axvm_vcpu *vcpu_of(const struct test_vm *test, uint32_t index)
{
	return axvm_vm_vcpu(test->vm, index);
}

/* Not bound, and nothing of a run is left behind. */
static inline void check_out(struct axvm_vcpu *vcpu, enum axvm_vcpu_state state)
{
	struct axvm_sim_vcpu_counts counts = axvm_sim_vcpu_counts(vcpu);

	CHECK_EQ(axvm_vcpu_state(vcpu), state);
	CHECK_EQ(atomic_load(&vcpu->cpu), AXVM_CPU_NONE);
	CHECK_EQ(atomic_load(&vcpu->vm->bound_vcpus), 0);
	CHECK_EQ(counts.binds, counts.unbinds);
	CHECK(!axvm_sim_is_bound(vcpu));
	CHECK_EQ(axvm_sim_held_locks(), 0);
}

static inline bool begin_booted(struct test_vm *test, uint32_t vcpu_count)
{
	if (!test_vm_begin(test, vcpu_count))
		return false;
	return axvm_vm_boot(test->vm) == 0;
}

#endif
