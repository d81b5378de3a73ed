/* SPDX-License-Identifier: Apache-2.0 */
/* The aarch64 part of the simulated machine: ID registers, and interrupts deactivated by hand. */
#include <stdatomic.h>
#include <string.h>

#include <axvm/hal_aarch64.h>

#include "aarch64_sim.h"
#include "sim_private.h"

#define INTIDS 1020u

static uint64_t id_registers[8][8]; /* by CRm and op2 */
static uint64_t deactivations[INTIDS];
static _Atomic bool virtual_timers_quiet;
static bool has_stage1;
static uint64_t stage1_offset;
static uint64_t translations;

void axvm_sim_aarch64_reset(void)
{
	memset(id_registers, 0, sizeof(id_registers));
	memset(deactivations, 0, sizeof(deactivations));
	atomic_store(&virtual_timers_quiet, false);
	has_stage1 = true;
	stage1_offset = 0;
	translations = 0;
	id_registers[4][0] = 0x01000011; /* PFR0: EL0 and EL1 AArch64 only, FP, AdvSIMD, GIC */
	id_registers[5][0] =
		0x10305106; /* DFR0: Armv8 debug, PMUv3, 6 breakpoints, 4 watchpoints */
	id_registers[7][0] = 0x00001122; /* MMFR0: 40 bits, 16-bit ASIDs, mixed endian, 4 KiB */
}

void axvm_sim_set_id_register(unsigned crm, unsigned op2, uint64_t value)
{
	if (crm > 7 || op2 > 7)
		axvm_hal_panic(__FILE__, __LINE__, "no such ID register");
	id_registers[crm][op2] = value;
}

uint64_t axvm_hal_aarch64_id_register(unsigned crm, unsigned op2)
{
	return crm < 8 && op2 < 8 ? id_registers[crm][op2] : 0;
}

void axvm_hal_aarch64_irq_deactivate(uint32_t intid)
{
	if (intid >= INTIDS)
		axvm_hal_panic(__FILE__, __LINE__, "no interrupt to deactivate");
	axvm_sim_lock();
	deactivations[intid]++;
	axvm_sim_unlock();
}

void axvm_sim_set_virtual_timers_due(bool due)
{
	atomic_store(&virtual_timers_quiet, !due);
}

bool axvm_hal_aarch64_virtual_timer_is_due(const struct axvm_vcpu *vcpu)
{
	(void)vcpu;
	return !atomic_load(&virtual_timers_quiet);
}

uint64_t axvm_sim_deactivations(uint32_t intid)
{
	return intid < INTIDS ? deactivations[intid] : 0;
}

void axvm_sim_set_stage1(bool is_mapped, uint64_t offset)
{
	has_stage1 = is_mapped;
	stage1_offset = offset;
}

uint64_t axvm_sim_translations(void)
{
	return translations;
}

uint64_t axvm_hal_aarch64_translate(struct axvm_vcpu *vcpu, uint64_t va)
{
	(void)vcpu;
	axvm_sim_lock();
	translations++;
	axvm_sim_unlock();
	return has_stage1 ? va - stage1_offset : AXVM_AARCH64_NO_GPA;
}
