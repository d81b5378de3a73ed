// SPDX-License-Identifier: Apache-2.0
/* The simulated machine as a whole: what it has, and how a test gets a new one. */
#include <stdatomic.h>

#include "pte_format.h"
#include "sim_private.h"

static atomic_flag busy = ATOMIC_FLAG_INIT;
static struct axvm_sim_machine current;
static void (*reset_vcpus)(void);

void axvm_sim_lock(void)
{
	/* acquire: pairs with the release in axvm_sim_unlock */
	while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
		;
}

void axvm_sim_unlock(void)
{
	atomic_flag_clear_explicit(&busy, memory_order_release);
}

struct axvm_sim_machine axvm_sim_default_machine(void)
{
	return (struct axvm_sim_machine){
		.ram_base = 0x40000000,
		.ram_bytes = (uint64_t)2 << 30,
		.cpu_count = 4,
		.time_hz = 62500000,
		.caps = {
			.ipa_bits = 40,
			.pa_bits = 40,
			.vmid_count = 256,
			.list_registers = 4,
		},
	};
}

void axvm_sim_reset(const struct axvm_sim_machine *machine)
{
	current = machine != NULL ? *machine : axvm_sim_default_machine();
	if (current.caps.format == NULL)
		current.caps.format = axvm_arch_pte_formats[0];
	axvm_sim_tlb_reset();
	axvm_sim_memory_reset(current.ram_base, current.ram_bytes);
	axvm_sim_cpu_reset();
	if (reset_vcpus != NULL)
		reset_vcpus();
	axvm_sim_irq_reset();
	axvm_sim_aarch64_reset();
	axvm_sim_riscv64_reset();
	axvm_sim_x86_64_reset();
	axvm_sim_time_reset(current.time_hz);
	axvm_sim_log_reset();
}

void axvm_sim_use_vcpus(void (*reset)(void))
{
	reset_vcpus = reset;
}

const struct axvm_sim_machine *axvm_sim_machine(void)
{
	return &current;
}

int axvm_hal_probe(struct axvm_hal_caps *caps, const char **why)
{
	if (current.unsupported != NULL) {
		*why = current.unsupported;
		return AXVM_EUNSUPPORTED;
	}
	*caps = current.caps;
	return 0;
}
