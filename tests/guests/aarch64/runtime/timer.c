// SPDX-License-Identifier: Apache-2.0
/* The virtual and the physical timer of EL1 [ARM D12]. */
#include "internal.h"

uint64_t guest_ticks(void)
{
	__asm__ volatile("isb" ::: "memory");
	return READ_SYSREG(cntvct_el0);
}

uint64_t guest_hz(void)
{
	return READ_SYSREG(cntfrq_el0);
}

static bool always(void)
{
	return true;
}

static void virtual_set(uint64_t deadline)
{
	WRITE_SYSREG(cntv_cval_el0, deadline);
	WRITE_SYSREG(cntv_ctl_el0, 1);
}

static void virtual_off(void)
{
	WRITE_SYSREG(cntv_cval_el0, ~0ull);
	WRITE_SYSREG(cntv_ctl_el0, 0);
}

static void virtual_enable(void)
{
	guest_gic_enable(PPI_VIRTUAL_TIMER);
}

static void virtual_disable(void)
{
	guest_gic_disable(PPI_VIRTUAL_TIMER);
}

static uint64_t physical_count(void)
{
	__asm__ volatile("isb" ::: "memory");
	return READ_SYSREG(cntpct_el0);
}

static void physical_set(uint64_t deadline)
{
	WRITE_SYSREG(cntp_cval_el0, deadline);
	WRITE_SYSREG(cntp_ctl_el0, 1);
}

static void physical_off(void)
{
	WRITE_SYSREG(cntp_cval_el0, ~0ull);
	WRITE_SYSREG(cntp_ctl_el0, 0);
}

static void physical_enable(void)
{
	guest_gic_enable(PPI_PHYSICAL_TIMER);
}

static void physical_disable(void)
{
	guest_gic_disable(PPI_PHYSICAL_TIMER);
}

const struct guest_timer guest_timers[2] = {
	{ PPI_VIRTUAL_TIMER, always, guest_ticks, virtual_set, virtual_off, virtual_enable,
	  virtual_disable },
	{ PPI_PHYSICAL_TIMER, always, physical_count, physical_set, physical_off, physical_enable,
	  physical_disable },
};
