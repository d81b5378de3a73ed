// SPDX-License-Identifier: Apache-2.0
/* Loads, stores, atomics and cache blocks of riscv64; millions of exits; waiting in storms. */
#include "runtime.h"

#define EXITS 1000000u

/* The test device would switch the machine off, the firmware's timer is another's. */
bool guest_access_is_harmless(uint64_t address)
{
	return (address >= 0x0c000000 && address < 0x10000000) || address >= 1ull << 40;
}

void guest_access_read(uint64_t at, uint32_t kind)
{
	switch (kind) {
	case 0:
		(void)guest_read8(at);
		break;
	case 1:
		(void)guest_read16(at);
		break;
	case 2:
		(void)guest_read32(at);
		break;
	case 3:
		(void)guest_read64(at);
		break;
	case 4:
		__asm__ volatile("mv a4, %0\n\t.half 0x4318" ::"r"(at) /* c.lw a4, 0(a4) */
				 : "a4", "a5", "memory");
		break;
	default:
		__asm__ volatile("lb a5, 1(%0)" ::"r"(at) : "a5", "memory");
		break;
	}
}

void guest_access_write(uint64_t at, uint32_t kind, uint64_t value)
{
	switch (kind) {
	case 0:
		guest_write8(at, (uint8_t)value);
		break;
	case 1:
		guest_write16(at, (uint16_t)value);
		break;
	case 2:
		guest_write32(at, (uint32_t)value);
		break;
	case 3:
		guest_write64(at, value);
		break;
	case 4:
		__asm__ volatile("mv a4, %0\n\tmv a5, %1\n\t.half 0xe31c" /* c.sd a5, 0(a4) */
				 ::"r"(at),
				 "r"(value)
				 : "a4", "a5", "memory");
		break;
	default:
		__asm__ volatile("sh %1, 2(%0)" ::"r"(at), "r"(value) : "memory");
		break;
	}
}

static void check_any(struct guest_fault fault)
{
	CHECK(fault.count <= 1);
}

TEST(atomics_and_cache_blocks_on_devices_and_on_nothing)
{
	uint64_t places[6];
	uint32_t count = guest_device_places(places, 5);

	places[count++] = GUEST_NOWHERE;
	guest_window(0, GUEST_NORMAL);
	for (uint32_t i = 1; i < count; i++) { /* the first is the console */
		uint64_t at = GUEST_WINDOW + places[i];

		check_any(PROBE(__asm__ volatile("lr.w a5, (%0)" ::"r"(at) : "a5", "memory")));
		check_any(PROBE(__asm__ volatile("sc.w a5, zero, (%0)" ::"r"(at)
						 : "a5", "memory")));
		check_any(PROBE(__asm__ volatile("lr.d a5, (%0)" ::"r"(at) : "a5", "memory")));
		check_any(PROBE(__asm__ volatile("amoswap.w a5, zero, (%0)" ::"r"(at)
						 : "a5", "memory")));
		check_any(PROBE(__asm__ volatile("amoadd.d a5, zero, (%0)" ::"r"(at)
						 : "a5", "memory")));
		check_any(PROBE(__asm__ volatile("amomaxu.w a5, zero, (%0)" ::"r"(at)
						 : "a5", "memory")));
		check_any(PROBE(__asm__ volatile("flw f1, 0(%0)" ::"r"(at) : "memory")));
		check_any(PROBE(__asm__ volatile("fld f1, 0(%0)" ::"r"(at) : "memory")));
		check_any(PROBE(__asm__ volatile("fsw f1, 0(%0)" ::"r"(at + 64) : "memory")));
		check_any(PROBE(__asm__ volatile("fsd f1, 0(%0)" ::"r"(at + 64) : "memory")));
		/* cbo.inval, cbo.clean, cbo.flush, cbo.zero (a5) */
		check_any(PROBE(__asm__ volatile("mv a5, %0\n\t.word 0x0007a00f" ::"r"(at)
						 : "a5")));
		check_any(PROBE(__asm__ volatile("mv a5, %0\n\t.word 0x0017a00f" ::"r"(at)
						 : "a5")));
		check_any(PROBE(__asm__ volatile("mv a5, %0\n\t.word 0x0027a00f" ::"r"(at)
						 : "a5")));
		check_any(PROBE(__asm__ volatile("mv a5, %0\n\t.word 0x0047a00f" ::"r"(at + 0x800)
						 : "a5", "memory")));
	}
}

/* Memory reads, calls and faults in turn. No read of the UART is spared its exit while IER asks for THRI. */
TEST(a_million_exits)
{
	uint64_t places[1];
	uint32_t faults = 0;

	REQUIRE_EQ(guest_device_places(places, 1), 1);
	guest_write8(places[0] + 1, 2);
	for (uint32_t i = 0; i < EXITS; i++) {
		switch (i % 8) {
		case 0:
			(void)guest_sbi(0x4000000 + i, i, i, i, i);
			break;
		case 1:
			faults += (uint32_t)PROBE((void)guest_read8(GUEST_NOWHERE + i)).count;
			break;
		case 2:
			(void)guest_firmware_version();
			break;
		default:
			(void)guest_read8(places[0] + 5);
			break;
		}
	}
	guest_write8(places[0] + 1, 0);
	CHECK_EQ(faults, EXITS / 8);
}

TEST(waiting_with_an_interrupt_pending_does_not_wait)
{
	guest_ipi_enable();
	guest_ipi_send(0);
	for (uint32_t i = 0; i < 100000; i++)
		guest_wfi();
	CHECK_EQ(READ_CSR(sip) & IRQ_BIT_SOFTWARE, IRQ_BIT_SOFTWARE);
	guest_ipi_clear();
	guest_ipi_disable();
}

static void on_irq(uint32_t irq)
{
	(void)irq;
	guest_timers[0].off();
}

TEST(waiting_for_ever_shorter_times)
{
	guest_this_cpu()->on_irq = on_irq;
	guest_timers[0].irq_enable();
	for (uint64_t us = 1000; us > 0; us -= us > 10 ? 10 : 1) {
		for (uint32_t i = 0; i < 10; i++)
			guest_sleep(us / 10);
	}
	guest_irq_disable();
	guest_timers[0].off();
	guest_timers[0].irq_disable();
	guest_this_cpu()->on_irq = NULL;
}

AXTEST_MAIN(atomics_and_cache_blocks_on_devices_and_on_nothing, a_million_exits,
	    waiting_with_an_interrupt_pending_does_not_wait, waiting_for_ever_shorter_times)
