/* SPDX-License-Identifier: Apache-2.0 */
/* Too little memory, and texts that nobody would write: an error, never a byte out of place. */
#include "axtest.h"
#include "config_run.h"

#include <stdlib.h>
#include <string.h>

static const char *const files[] = {
	"[base]\nid = 1\nname = \"linux\"\n[kernel]\nkernel_path = \"Image\"\nmemory = \"64M\"\n",

	"[base]\nid = 1\nname = \"both\"\nvm_type = 1\ncpu_num = 2\nphys_cpu_ids = [0, 0x100]\n"
	"phys_cpu_sets = [1, 2]\n[kernel]\nentry_point = 0x8020_0000\n"
	"image_location = \"memory\"\nkernel_path = \"Image\"\nkernel_load_addr = 0x8020_0000\n"
	"dtb_load_addr = 0x8000_0000\ncmdline = \"console=ttyAMA0\"\n"
	"memory_regions = [[0x8000_0000, 0x4000_0000, 0x7, 1], [\"4 GiB\", \"2 MiB\", \"rwx\", 2]]\n"
	"[devices]\ninterrupt_mode = \"passthrough\"\n"
	"emu_devices = [[\"gicr\", 0x80a_0000, 0x2_0000, 0, 0x20, [1, 0x2_0000, 0]]]\n"
	"passthrough_devices = [[\"/\"], [\"uart\", 0x900_0000, 0x900_0000, 0x1000, 33]]\n"
	"passthrough_addresses = [[0x1000_0000, 0x1000]]\n"
	"excluded_devices = [[\"/pcie@10000000\", \"/rtc\"]]\n",

	"base = { id = 3, name = \"tables\" }\n[kernel]\nkernel_path = 'k'\n"
	"[[kernel.memory_regions]]\nsize = \"1 GiB\"\nflags = \"rwx\"\n[devices]\n"
	"[[devices.emu_devices]]\nemu_type = \"pl011\"\nbase_gpa = 0x900_0000\nlength = 4096\n"
	"[[devices.passthrough_devices]]\nname = \"gpu\"\nbase_gpa = 0xa00_0000\nlength = 4096\n",
};

#define FILES (sizeof(files) / sizeof(files[0]))

TEST(every_size_of_memory_that_is_too_small_says_so)
{
	for (size_t i = 0; i < FILES; i++) {
		const size_t bytes = strlen(files[i]);
		size_t size = 0;
		const struct config_run *run;

		do {
			run = config_run_in(&config_run_aarch64, files[i], bytes, size);
			CHECK_STR_EQ(run->errors, "");
			if (run->result != 0) {
				REQUIRE_EQ(run->result, AXVM_ENOMEM);
				CHECK(run->config == NULL);
			}
			size += 8;
		} while (run->result != 0 && size < AXVM_CONFIG_MEMORY_BYTES(bytes));
		CHECK_EQ(run->result, 0);
		CHECK(size < AXVM_CONFIG_MEMORY_BYTES(bytes) / 2);
	}
}

static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Characters that mean something in TOML or in our values, so that many mutants still parse. */
static char random_character(void)
{
	static const char alphabet[] = "[]{}\"',.=#\n -_0123456789xabcdefklmnoprstuwMGKiB/\\";

	return next_random() % 8 == 0 ? (char)next_random()
				      : alphabet[next_random() % (sizeof(alphabet) - 1)];
}

static size_t remove_piece(char *text, size_t bytes)
{
	const size_t from = next_random() % bytes;
	const size_t left = bytes - from;
	const size_t length = 1 + next_random() % (left < 16 ? left : 16);

	memmove(text + from, text + from + length, left - length);
	return bytes - length;
}

static size_t repeat_piece(char *text, size_t bytes)
{
	const size_t from = next_random() % bytes;
	const size_t left = bytes - from;
	const size_t length = 1 + next_random() % (left < 64 ? left : 64);

	memmove(text + from + length, text + from, left);
	return bytes + length;
}

static size_t mutate(char *text, size_t bytes)
{
	for (uint64_t n = 1 + next_random() % 2; n > 0 && bytes > 1; n--) {
		const uint64_t kind = next_random() % 4;

		if (kind == 0)
			bytes = remove_piece(text, bytes);
		else if (kind == 1)
			bytes = repeat_piece(text, bytes);
		else
			text[next_random() % bytes] = random_character();
	}
	return bytes;
}

static void check_sane(const struct config_run *run)
{
	CHECK(run->result == 0 || run->result == AXVM_EFORMAT);
	CHECK_EQ(run->result == 0, run->error_count == 0);
	CHECK_EQ(run->result == 0, run->config != NULL);
	if (run->config == NULL)
		return;
	CHECK(run->config->vcpu_count >= 1 && run->config->vcpu_count <= AXVM_VCPUS_MAX);
	CHECK(run->config->memory_count >= 1);
	CHECK(run->config->name != NULL && run->config->kernel.path != NULL);
	for (uint32_t i = 0; i < run->config->memory_count; i++)
		CHECK(run->config->memory[i].bytes >= AXVM_PAGE_BYTES);
}

TEST(mutated_files_parse_or_are_refused)
{
	static const struct axvm_platform *const platforms[] = {
		&config_run_aarch64,
		&config_run_riscv64,
		&config_run_x86_64,
	};
	unsigned good = 0;
	unsigned checked = 0;

	state = 0x9e3779b97f4a7c15;
	for (unsigned round = 0; round < 20000; round++) {
		const size_t bytes = strlen(files[round % FILES]);
		char *text = malloc(bytes + 512);
		const struct config_run *run;
		size_t length;

		REQUIRE(text != NULL);
		memcpy(text, files[round % FILES], bytes);
		length = mutate(text, bytes);
		run = config_run_in(platforms[next_random() % 3], text, length,
				    AXVM_CONFIG_MEMORY_BYTES(length));
		check_sane(run);
		good += run->result == 0;
		checked += strstr(run->errors, "out of range") != NULL ||
			   strstr(run->errors, "unknown key") != NULL ||
			   strstr(run->errors, "overlaps") != NULL;
		free(text);
	}
	/* Enough of them get past TOML for this to test what comes after. */
	CHECK(good > 500);
	CHECK(checked > 2000);
}

TEST(the_stated_memory_suffices_for_texts_made_to_need_much)
{
	static const char *const starts[] = {
		"[devices]\nexcluded_devices = [",
		"[devices]\npassthrough_devices = [",
		"[base]\nphys_cpu_ids = [",
		"[kernel]\nmemory_regions = [",
	};
	static char text[8192];

	for (size_t i = 0; i < 16 * sizeof(starts) / sizeof(starts[0]); i++) {
		const char *start = starts[i / 16];
		size_t bytes = strlen(start);
		const size_t end = bytes + 16 * (1 + i % 16);

		memcpy(text, start, bytes);
		while (bytes < end) {
			text[bytes++] = i / 16 == 2 ? '1' : '[';
			if (i / 16 != 2)
				text[bytes++] = ']';
			text[bytes++] = ',';
		}
		text[bytes++] = ']';
		CHECK_EQ(config_run_in(&config_run_aarch64, text, bytes,
				       AXVM_CONFIG_MEMORY_BYTES(bytes))
				 ->result,
			 AXVM_EFORMAT);
	}
}

TEST(a_text_that_is_too_long_is_refused_before_it_is_read)
{
	const size_t bytes = ((size_t)16 << 20) + 1;
	char *text = calloc(1, bytes);

	REQUIRE(text != NULL);
	CHECK_EQ(config_run_in(&config_run_aarch64, text, bytes, 4096)->result, AXVM_EINVAL);
	free(text);
}

AXTEST_MAIN(every_size_of_memory_that_is_too_small_says_so, mutated_files_parse_or_are_refused,
	    the_stated_memory_suffices_for_texts_made_to_need_much,
	    a_text_that_is_too_long_is_refused_before_it_is_read)
