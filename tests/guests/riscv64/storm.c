// SPDX-License-Identifier: Apache-2.0
/*
 * A VM whose interrupt of the machine never ends: it sets the RTC's alarm again each time it takes it. After
 * a hundred it resets itself in the midst of the handler, twenty times, and then ends, the line still
 * high. "forever" on the command line: it goes on for ever. "never": it never completes the hundredth.
 */
#include "rtc.h"

#define STORM 100u
#define RESETS 20u
#define SRST_COLD_REBOOT 1u

static uint32_t taken_count;

static void begin_again(void)
{
	uint32_t boots = guest_read32(RTC_ALARM_LOW) + 1;

	rtc_alarm(boots);
	if (boots < RESETS)
		(void)guest_sbi(SBI_SRST, 0, SRST_COLD_REBOOT, 0, 0);
	if (boots != RESETS)
		guest_give_up("a reset begins again");
	axtest_puts(
		"ok - a_storm_goes_on_after_each_of_twenty_resets\naxtest: 1 passed, 0 failed\n");
	guest_power_off();
}

static void on_alarm(uint32_t irq)
{
	if (guest_aia_took(irq, on_alarm))
		return;
	if (irq != GUEST_IRQ_EXTERNAL + RTC_IRQ)
		guest_give_up("only the alarm interrupts");
	if (__atomic_add_fetch(&taken_count, 1, __ATOMIC_RELAXED) == STORM) {
		if (guest_cmdline_has("never")) {
			for (;;)
				guest_wfi();
		}
		if (!guest_cmdline_has("forever"))
			begin_again();
	}
	rtc_again();
	rtc_look_again();
}

void guest_main(void)
{
	if (guest_read32(RTC_ALARM_LOW) == 0)
		axtest_puts("storming\n");
	guest_this_cpu()->on_irq = on_alarm;
	rtc_alarm(guest_read32(RTC_ALARM_LOW));
	guest_external_enable(RTC_IRQ);
	guest_irq_enable();
	for (;;) {
		if (!guest_wait_for(&taken_count, STORM, 20000000))
			guest_give_up("the storm comes");
	}
}
