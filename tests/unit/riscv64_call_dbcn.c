/* SPDX-License-Identifier: Apache-2.0 */
/* The SBI debug console, and the console of a VM that has no device for one. */
#define _GNU_SOURCE

#include <pthread.h>

#include "riscv64_sbi.h"
#include "sbi_console.h"

#define WRITE(...) SBI(SBI_DBCN, 0, __VA_ARGS__)
#define READ(...) SBI(SBI_DBCN, 1, __VA_ARGS__)
#define WRITE_BYTE(...) SBI(SBI_DBCN, 2, __VA_ARGS__)
#define GETCHAR SBI(2, 0, 5, 6)
#define END (RAM + RAM_BYTES)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Ranges that are not the guest's RAM, whatever is done with them. */
static const struct {
	uint64_t bytes;
	uint64_t low;
	uint64_t high;
} bad[] = {
	{ 1, 0, 0 },
	{ 1, END, 0 },
	{ 1, RAM - 1, 0 },
	{ 2, RAM - 1, 0 },
	{ 2, END - 1, 0 },
	{ 300, END - 299, 0 },
	{ RAM_BYTES + 1, RAM, 0 },
	{ UINT64_MAX, RAM, 0 }, /* wraps */
	{ UINT64_MAX, 0, 0 },
	{ 0ULL - RAM, RAM, 0 },
	{ 1, UINT64_MAX, 0 },
	{ 2, UINT64_MAX, 0 },
	{ 1, RAM, 1 },
	{ 1, RAM, UINT64_MAX },
	{ 0, RAM, 1 },
	{ 1, 1ULL << 63 | RAM, 0 },
	{ 1, 0x10000000, 0 },
};

TEST(what_is_written_is_on_the_console)
{
	rig_start(1);
	REQUIRE_EQ(axvm_vm_write(&rig_vm, axvm_gpa(RAM + 0xffe), "hello", 5), 0);
	CHECK_EQ(sbi_value(0, WRITE(5, RAM + 0xffe, 0)), 5);
	CHECK_EQ(sbi_value(0, WRITE(0, RAM, 0)), 0);
	CHECK_EQ(sbi_value(0, WRITE(0, 0, 0)), 0); /* an empty range is nowhere */
	CHECK_EQ(sbi_value(0, WRITE_BYTE(0xffffff00 | '!', 1, 2)), 0);
	CHECK_EQ(sbi_error(0, SBI(1, 9, '?', 77)), SUCCESS);
	CHECK_EQ(rig_vcpus[0].arch.x[11], 77);
	CHECK_STR_EQ(axvm_sim_console(&rig_vm), "hello!?");
	CHECK_EQ(sbi_error(0, SBI(SBI_DBCN, 3, 1, RAM, 0)), NOT_SUPPORTED);
	rig_end();
}

TEST(one_call_writes_a_bounded_piece)
{
	char text[257] = { 0 };

	rig_start(1);
	for (unsigned i = 0; i < 256; i++)
		text[i] = (char)('a' + i % 26);
	REQUIRE_EQ(axvm_vm_write(&rig_vm, axvm_gpa(END - 256), text, 256), 0);
	CHECK_EQ(sbi_value(0, WRITE(256, END - 256, 0)), 256);
	CHECK_STR_EQ(axvm_sim_console(&rig_vm), text);
	CHECK_EQ(sbi_value(0, WRITE(RAM_BYTES, RAM, 0)), 256);
	CHECK_EQ(sbi_value(0, WRITE(300, END - 300, 0)), 256);
	rig_end();
}

TEST(a_range_that_is_not_ram_is_refused)
{
	rig_start(1);
	CHECK_EQ(axvm_vm_console_input(&rig_vm, "xyz", 3), 3);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK_EQ(sbi_error(0, WRITE(bad[i].bytes, bad[i].low, bad[i].high)), INVALID_PARAM);
		CHECK_EQ(rig_vcpus[0].arch.x[11], 0);
		CHECK_EQ(sbi_error(0, READ(bad[i].bytes, bad[i].low, bad[i].high)), INVALID_PARAM);
	}
	CHECK_STR_EQ(axvm_sim_console(&rig_vm), "");
	CHECK_EQ(sbi_value(0, READ(9, RAM, 0)), 3); /* nothing was lost */
	rig_end();
}

/* Two pieces of RAM with a hole of a page between them. */
TEST(a_hole_is_found_when_it_is_reached)
{
	rig_start(1);
	REQUIRE_EQ(axvm_aspace_unmap(&rig_vm.aspace, axvm_gpa(RAM + 0x1000), 0x1000), 0);
	CHECK_EQ(axvm_vm_console_input(&rig_vm, "0123456789", 10), 10);
	CHECK_EQ(sbi_error(0, WRITE(0x1100, RAM + 0xff0, 0)), INVALID_PARAM);
	CHECK_EQ(sbi_error(0, READ(0x1100, RAM + 0xffa, 0)), INVALID_PARAM);
	CHECK_EQ(sbi_value(0, WRITE(0x1200, RAM + 0xf00, 0)), 256); /* what it moves is RAM */
	CHECK_EQ(sbi_value(0, READ(0x1100, RAM + 0xff0, 0)), 10);
	rig_end();
}

TEST(read_only_memory_is_written_from_but_not_read_into)
{
	struct axvm_hpa page;

	rig_start(1);
	REQUIRE_EQ(axvm_hal_alloc_pages(1, 4096, &page), 0);
	REQUIRE_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(0x10000), page, 4096, AXVM_MAP_READ),
		   0);
	REQUIRE_EQ(axvm_aspace_map(&rig_vm.aspace, axvm_gpa(0x20000), page, 4096,
				   AXVM_MAP_RWX | AXVM_MAP_DEVICE),
		   0);
	CHECK_EQ(sbi_value(0, WRITE(4, 0x10000, 0)), 4);
	CHECK_EQ(sbi_error(0, READ(4, 0x10000, 0)), INVALID_PARAM);
	CHECK_EQ(sbi_error(0, WRITE(4, 0x20000, 0)), INVALID_PARAM);
	CHECK_EQ(sbi_error(0, READ(4, 0x20000, 0)), INVALID_PARAM);
	CHECK_EQ(axvm_aspace_unmap(&rig_vm.aspace, axvm_gpa(0), 0x30000), 0);
	axvm_hal_free_pages(page, 1);
	rig_end();
}

TEST(what_is_typed_is_read_once_and_in_order)
{
	char text[8] = { 0 };

	rig_start(1);
	CHECK_EQ(sbi_value(0, READ(8, RAM, 0)), 0);
	CHECK_EQ(sbi_error(0, GETCHAR), UINT64_MAX);
	CHECK_EQ(rig_vcpus[0].arch.x[11], 6);
	CHECK_EQ(axvm_vm_console_input(&rig_vm, "abcdef\xff", 7), 7);
	CHECK_EQ(sbi_value(0, READ(0, RAM, 0)), 0);
	CHECK_EQ(sbi_value(0, READ(3, RAM + 0xfff, 0)), 3);
	CHECK_EQ(axvm_vm_read(&rig_vm, axvm_gpa(RAM + 0xfff), text, 4), 0);
	CHECK_STR_EQ(text, "abc");
	CHECK_EQ(sbi_error(0, GETCHAR), 'd');
	CHECK_EQ(sbi_value(0, READ(2, RAM, 0)), 2);
	CHECK_EQ(axvm_vm_read(&rig_vm, axvm_gpa(RAM), text, 2), 0);
	CHECK(text[0] == 'e' && text[1] == 'f');
	CHECK_EQ(sbi_error(0, GETCHAR), 0xff); /* a byte, not -1 */
	CHECK_EQ(sbi_error(0, GETCHAR), UINT64_MAX);
	rig_end();
}

TEST(the_ring_takes_what_fits)
{
	char text[300];
	char back[256];

	rig_start(1);
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	for (unsigned round = 0; round < 3; round++) {
		CHECK_EQ(axvm_vm_console_input(&rig_vm, text, 100), 100);
		CHECK_EQ(sbi_value(0, READ(100, RAM, 0)), 100); /* the ring's start moves on */
		CHECK_EQ(axvm_vm_console_input(&rig_vm, text, 300), 256);
		CHECK_EQ(axvm_vm_console_input(&rig_vm, text, 1), 0);
		CHECK_EQ(sbi_value(0, READ(RAM_BYTES, RAM, 0)), 256);
		CHECK_EQ(axvm_vm_read(&rig_vm, axvm_gpa(RAM), back, sizeof(back)), 0);
		CHECK(memcmp(back, text, sizeof(back)) == 0);
	}
	CHECK_EQ(axvm_vm_console_input(&rig_vm, text, 9), 9);
	rig_vm.console->type->reset(rig_vm.console);
	CHECK_EQ(sbi_value(0, READ(9, RAM, 0)), 0);
	rig_end();
}

TEST(without_a_console_nothing_is_read)
{
	rig_start(1);
	rig_vm.console = NULL;
	CHECK_EQ(sbi_value(0, READ(9, RAM, 0)), 0);
	CHECK_EQ(sbi_error(0, GETCHAR), UINT64_MAX);
	CHECK_EQ(axvm_vm_console_input(&rig_vm, "a", 1), 0);
	rig_end();
}

TEST(a_vm_with_a_device_for_its_console_has_no_other)
{
	const struct axvm_config_emu with_uart[] = { { .type = AXVM_EMU_PLIC },
						     { .type = AXVM_EMU_NS16550 } };
	static struct axvm_config_emu many[AXVM_VM_DEVICES_MAX];

	rig_start(1);
	CHECK_EQ(rig_vm.device_count, 1);
	CHECK_STR_EQ(rig_vm.console->name, "sbi-console");
	rig_vm.console = NULL;
	rig_config.emu = with_uart;
	rig_config.emu_count = 2;
	CHECK_EQ(axvm_sbi_console_create(&rig_vm), 0);
	CHECK(rig_vm.console == NULL);
	for (size_t i = 0; i < COUNT_OF(many); i++)
		many[i] = rig_emu[0];
	rig_config.emu = many;
	rig_config.emu_count = AXVM_VM_DEVICES_MAX;
	CHECK_EQ(axvm_sbi_console_create(&rig_vm), AXVM_ERANGE);
	rig_config.emu_count = 1;
	rig_vm.budget.limit_pages = 0;
	while (axvm_vm_alloc(&rig_vm, 64) != NULL) /* what is left of pages it has */
		;
	CHECK_EQ(axvm_sbi_console_create(&rig_vm), AXVM_ENOMEM);
	CHECK(rig_vm.console == NULL);
	CHECK_EQ(rig_vm.device_count, 1);
	rig_end();
}

/* ---- two that read at once ------------------------------------------------------------------------- */

#define TYPED 20000u

static _Atomic uint32_t seen[2][256]; /* how often each byte was read, by whom */
static _Atomic uint32_t seen_count;

static bool read_some(uint32_t index)
{
	struct axvm_vcpu *vcpu = on(index);
	uint8_t data[16];
	const struct sbi call = index == 0 ? READ(sizeof(data), RAM, 0) : GETCHAR;
	enum axvm_verdict verdict = sbi_begin(index, &call);
	uint64_t count = index == 0 ? vcpu->arch.x[11] : vcpu->arch.x[10] != UINT64_MAX;

	if (verdict != AXVM_ENTER || count > sizeof(data))
		return false;
	data[0] = (uint8_t)vcpu->arch.x[10];
	if (index == 0 && axvm_vm_read(&rig_vm, axvm_gpa(RAM), data, count) != 0)
		return false;
	for (uint64_t i = 0; i < count; i++)
		atomic_fetch_add(&seen[index][data[i]], 1);
	atomic_fetch_add(&seen_count, (uint32_t)count);
	return true;
}

static void *read_too(void *argument)
{
	bool *went_well = argument;

	while (*went_well && atomic_load(&seen_count) < TYPED)
		*went_well = read_some(1);
	return NULL;
}

TEST(of_two_that_read_each_gets_what_the_other_does_not)
{
	bool went_well = true;
	pthread_t thread;
	uint32_t typed = 0;

	rig_start(2);
	memset(seen, 0, sizeof(seen));
	atomic_store(&seen_count, 0);
	REQUIRE_EQ(pthread_create(&thread, NULL, read_too, &went_well), 0);
	while (typed < TYPED || atomic_load(&seen_count) < TYPED) {
		char byte = (char)typed;

		if (typed < TYPED && axvm_vm_console_input(&rig_vm, &byte, 1) == 1)
			typed++;
		if (typed % 3 == 0 && !read_some(0))
			break;
		if (typed == TYPED)
			(void)read_some(0);
	}
	pthread_join(thread, NULL);
	CHECK(went_well);
	CHECK_EQ(atomic_load(&seen_count), TYPED);
	for (uint32_t i = 0; i < 256; i++)
		CHECK_EQ(atomic_load(&seen[0][i]) + atomic_load(&seen[1][i]),
			 TYPED / 256 + (i < TYPED % 256));
	rig_end();
}

AXTEST_MAIN(what_is_written_is_on_the_console, one_call_writes_a_bounded_piece,
	    a_range_that_is_not_ram_is_refused, a_hole_is_found_when_it_is_reached,
	    read_only_memory_is_written_from_but_not_read_into,
	    what_is_typed_is_read_once_and_in_order, the_ring_takes_what_fits,
	    without_a_console_nothing_is_read, a_vm_with_a_device_for_its_console_has_no_other,
	    of_two_that_read_each_gets_what_the_other_does_not)
