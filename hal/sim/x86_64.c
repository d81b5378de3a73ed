/* SPDX-License-Identifier: Apache-2.0 */
/* The x86_64 part of the simulated machine: a CPU as a test describes it, and a record of what is asked. */
#include <string.h>

#include "sim_private.h"
#include "x86_64_sim.h"

#define LEAVES_MAX 64u
#define ANY_SUBLEAF UINT32_MAX
#define IRQS 1024u

struct leaf {
	uint32_t leaf;
	uint32_t subleaf;
	uint32_t value[4];
};

static struct {
	struct axvm_x86_64_host host;
	uint32_t leaf_count;
	struct leaf leaves[LEAVES_MAX];
	uint64_t xcr0_sets;
	uint64_t tsc_offset_sets;
	uint64_t completions[IRQS];
} state;

struct axvm_x86_64_host axvm_sim_x86_64_default_host(void)
{
	return (struct axvm_x86_64_host){
		.engine = AXVM_X86_SVM,
		.tsc_hz = axvm_sim_machine()->time_hz,
		.xsave_bytes = 832,
		.xcr0 = 7,
	};
}

void axvm_sim_x86_64_reset(void)
{
	static const struct leaf small[] = {
		{ 0, ANY_SUBLEAF, { 0x10, 0x68747541, 0x444d4163, 0x69746e65 } },
		{ 0x80000000, ANY_SUBLEAF, { 0x8000001f, 0x68747541, 0x444d4163, 0x69746e65 } },
		{ 0xd, 0, { 7, 832, 832, 0 } },
		{ 0xd, 1, { 0xf, 832, 0, 0 } },
		{ 0xd, 2, { 256, 576, 0, 0 } },
		{ 0xd, ANY_SUBLEAF, { 0, 0, 0, 0 } },
	};

	memset(&state, 0, sizeof(state));
	state.host = axvm_sim_x86_64_default_host();
	state.leaf_count = sizeof(small) / sizeof(small[0]);
	memcpy(state.leaves, small, sizeof(small));
}

void axvm_sim_x86_64_set_host(const struct axvm_x86_64_host *host)
{
	state.host = *host;
}

const struct axvm_x86_64_host *axvm_hal_x86_64_host(void)
{
	return &state.host;
}

static struct leaf *find(uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < state.leaf_count; i++) {
		if (state.leaves[i].leaf == leaf && state.leaves[i].subleaf == subleaf)
			return &state.leaves[i];
	}
	return NULL;
}

void axvm_sim_x86_64_set_cpuid(uint32_t leaf, uint32_t subleaf, const uint32_t value[4])
{
	struct leaf *found = find(leaf, subleaf);

	if (found == NULL) {
		if (state.leaf_count == LEAVES_MAX)
			axvm_hal_panic(__FILE__, __LINE__, "too many CPUID leaves");
		found = &state.leaves[state.leaf_count++];
	}
	found->leaf = leaf;
	found->subleaf = subleaf;
	memcpy(found->value, value, sizeof(found->value));
}

void axvm_hal_x86_64_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	const struct leaf *found = find(leaf, subleaf);

	if (found == NULL)
		found = find(leaf, ANY_SUBLEAF);
	if (found != NULL)
		memcpy(out, found->value, sizeof(found->value));
	else
		memset(out, 0xff, sizeof(found->value));
}

void axvm_hal_x86_64_set_xcr0(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	axvm_sim_lock();
	state.xcr0_sets++;
	axvm_sim_unlock();
}

uint64_t axvm_sim_x86_64_xcr0_sets(void)
{
	return state.xcr0_sets;
}

void axvm_hal_x86_64_set_tsc_offset(struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	axvm_sim_lock();
	state.tsc_offset_sets++;
	axvm_sim_unlock();
}

uint64_t axvm_sim_x86_64_tsc_offset_sets(void)
{
	return state.tsc_offset_sets;
}

void axvm_hal_x86_64_irq_complete(uint32_t host_irq)
{
	if (host_irq >= IRQS)
		axvm_hal_panic(__FILE__, __LINE__, "no interrupt to complete");
	axvm_sim_lock();
	state.completions[host_irq]++;
	axvm_sim_unlock();
}

uint64_t axvm_sim_x86_64_completions(uint32_t host_irq)
{
	return host_irq < IRQS ? state.completions[host_irq] : 0;
}
