/* SPDX-License-Identifier: Apache-2.0 */
/* The builder of short texts (src/text.h). */
#include <stdint.h>
#include <string.h>

#include "axtest.h"
#include "text.h"

TEST(numbers_are_written_as_users_read_them)
{
	char buffer[128];
	struct axvm_text text = axvm_text(buffer, sizeof(buffer));

	axvm_text_hex(&text, 0);
	axvm_text_char(&text, ' ');
	axvm_text_hex(&text, 0x40000000);
	axvm_text_char(&text, ' ');
	axvm_text_hex(&text, UINT64_MAX);
	axvm_text_char(&text, ' ');
	axvm_text_decimal(&text, 0);
	axvm_text_char(&text, ' ');
	axvm_text_decimal(&text, UINT64_MAX);
	CHECK_STR_EQ(buffer, "0x0 0x40000000 0xffffffffffffffff 0 18446744073709551615");
	CHECK_EQ(text.length, strlen(buffer));
}

static void check_size(uint64_t bytes, const char *expected)
{
	char buffer[64];
	struct axvm_text text = axvm_text(buffer, sizeof(buffer));

	axvm_text_size(&text, bytes);
	CHECK_STR_EQ(buffer, expected);
}

TEST(sizes_take_the_largest_unit_that_divides_them)
{
	check_size(0, "0 bytes");
	check_size(1, "1 byte");
	check_size(4097, "4097 bytes");
	check_size(1024, "1 KiB");
	check_size(UINT64_C(512) << 20, "512 MiB");
	check_size(UINT64_C(1536) << 20, "1536 MiB");
	check_size(UINT64_C(1) << 63, "8 EiB");
	check_size(UINT64_MAX, "18446744073709551615 bytes");
}

TEST(ranges_name_their_last_byte)
{
	char buffer[96];
	struct axvm_text text = axvm_text(buffer, sizeof(buffer));

	axvm_text_range(&text, 0x40000000, 0x40000000);
	axvm_text_char(&text, ' ');
	axvm_text_range(&text, UINT64_MAX, 1);
	axvm_text_char(&text, ' ');
	axvm_text_range(&text, 5, 0);
	CHECK_STR_EQ(buffer,
		     "0x40000000-0x7fffffff 0xffffffffffffffff-0xffffffffffffffff 0x5 (empty)");
}

TEST(what_does_not_fit_is_cut_and_stays_terminated)
{
	for (size_t capacity = 0; capacity <= 12; capacity++) {
		char buffer[16];

		memset(buffer, 'x', sizeof(buffer));
		struct axvm_text text = axvm_text(buffer, capacity);
		axvm_text_string(&text, "abcdef");
		axvm_text_hex(&text, 0x12345);
		for (size_t i = capacity; i < sizeof(buffer); i++)
			CHECK_EQ(buffer[i], 'x');
		if (capacity == 0)
			continue;
		CHECK_EQ(text.length, capacity - 1);
		CHECK_EQ(buffer[capacity - 1], '\0');
		CHECK(memcmp(buffer, "abcdef0x1234", capacity - 1) == 0);
	}
}

TEST(no_buffer_is_no_crash)
{
	struct axvm_text text = axvm_text(NULL, 100);

	axvm_text_string(&text, "abc");
	axvm_text_decimal(&text, 7);
	CHECK_EQ(text.length, 0);
}

TEST(foreign_bytes_cannot_play_with_the_terminal)
{
	char buffer[32];
	struct axvm_text text = axvm_text(buffer, sizeof(buffer));

	axvm_text_bytes(&text, "a\033[2J\nb\177", 8);
	axvm_text_bytes(&text, "cd\0ef", 5);
	axvm_text_bytes(&text, "unread", 0);
	axvm_text_string(&text, NULL);
	CHECK_STR_EQ(buffer, "a?[2J?b?cd(none)");
}

AXTEST_MAIN(numbers_are_written_as_users_read_them, sizes_take_the_largest_unit_that_divides_them,
	    ranges_name_their_last_byte, what_does_not_fit_is_cut_and_stays_terminated,
	    no_buffer_is_no_crash, foreign_bytes_cannot_play_with_the_terminal)
