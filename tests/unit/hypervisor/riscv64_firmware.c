/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a firmware that lacks SBI extensions, each of them; and how harts are asked. */
#define AXVM_BARE_CSR_H
#define AXVM_BARE_ECALL_H
#include "fake_bare.h"

#include "../../../hal/bare/riscv64/sbi.h"

static inline void axvm_fence(void)
{
}

static uint64_t firmware_version;
static uint32_t firmware_lacks; /* bits of axvm_sbi_extension */
static uint32_t request_count;
static struct {
	uint64_t eid, fid, harts, base;
} requests[8];

static struct axvm_sbi_result axvm_ecall(uint64_t eid, uint64_t fid, uint64_t a, uint64_t b,
					 uint64_t c, uint64_t d, uint64_t e);

#include "../../../hal/bare/riscv64/sbi.c"

static struct axvm_sbi_result axvm_ecall(uint64_t eid, uint64_t fid, uint64_t a, uint64_t b,
					 uint64_t c, uint64_t d, uint64_t e)
{
	(void)c, (void)d, (void)e;
	if (eid == 0x10 && fid == 0)
		return (struct axvm_sbi_result){ firmware_version == 0 ? -2 : 0, firmware_version };
	if (eid == 0x10) {
		CHECK_EQ(fid, 3);
		for (uint32_t i = 0; i < AXVM_SBI_EXTENSIONS; i++) {
			if (extensions[i].eid == a)
				return (struct axvm_sbi_result){ 0, ~firmware_lacks >> i & 1 };
		}
		CHECK(false);
	}
	CHECK(request_count < 8);
	requests[request_count].eid = eid;
	requests[request_count].fid = fid;
	requests[request_count].harts = a;
	requests[request_count++ % 8].base = b;
	return (struct axvm_sbi_result){ 0, 0 };
}

static char said[1024];

void axvm_hal_log(enum axvm_log_level level, const char *line)
{
	CHECK_EQ(level, AXVM_LOG_WARNING);
	strncat(said, line, sizeof(said) - strlen(said) - 1);
	strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

static const char *why;

static bool check(uint32_t lacks, uint32_t harts, bool needs_timer)
{
	fake_machine(1);
	firmware_version = 2 << 24;
	firmware_lacks = lacks;
	present = 0;
	said[0] = '\0';
	why = NULL;
	CHECK(axvm_bare_sbi_init(&why));
	return axvm_bare_sbi_check(harts, needs_timer, &why);
}

TEST(a_firmware_before_0_2_is_refused_with_a_sentence)
{
	firmware_version = 0;
	CHECK(!axvm_bare_sbi_init(&why) && strstr(why, "older than 0.2"));
	firmware_version = 1; /* 0.1 */
	CHECK(!axvm_bare_sbi_init(&why) && strstr(why, "older than 0.2"));
	firmware_version = 2; /* 0.2 */
	CHECK(axvm_bare_sbi_init(&why));
}

TEST(nothing_is_said_of_a_firmware_that_has_all)
{
	CHECK(check(0, 4, true));
	CHECK_STR_EQ(said, "");
	for (uint32_t i = 0; i < AXVM_SBI_EXTENSIONS; i++)
		CHECK(axvm_bare_sbi_has(i));
}

TEST(each_extension_that_lacks_is_named_and_no_other)
{
	static const char *const names[AXVM_SBI_EXTENSIONS] = {
		[AXVM_SBI_IPI] = "extension IPI (",
		[AXVM_SBI_RFENCE] = "extension RFENCE (",
		[AXVM_SBI_HSM] = "extension HSM (",
		[AXVM_SBI_SRST] = "extension SRST (",
	};

	for (uint32_t lacks = 0; lacks < 1u << AXVM_SBI_EXTENSIONS; lacks++) {
		CHECK(check(lacks, 2, false));
		for (uint32_t i = 0; i < AXVM_SBI_EXTENSIONS; i++) {
			bool lacking = (lacks >> i & 1) != 0;

			CHECK_EQ(axvm_bare_sbi_has(i), !lacking);
			if (names[i] != NULL)
				CHECK_EQ(strstr(said, names[i]) != NULL, lacking);
		}
	}
}

TEST(what_several_cpus_need_one_does_not)
{
	CHECK(check(1u << AXVM_SBI_IPI | 1u << AXVM_SBI_RFENCE | 1u << AXVM_SBI_HSM, 1, true));
	CHECK_STR_EQ(said, "");
	CHECK(check(1u << AXVM_SBI_SRST, 1, true));
	CHECK(strstr(said, "SRST") != NULL);
}

TEST(without_a_timer_of_its_own_or_the_firmwares_it_ends_with_the_name)
{
	CHECK(!check(1u << AXVM_SBI_TIME, 1, true));
	CHECK(strstr(why, "extension TIME") != NULL && strstr(why, "Sstc") != NULL);
	CHECK(check(1u << AXVM_SBI_TIME, 1, false));
}

TEST(harts_far_apart_take_a_request_for_each_64_ids)
{
	static const uint64_t ids[] = { 70, 3, 66, 1000, 67 };

	CHECK(check(0, 5, false));
	axvm_cpu_count_present = 5;
	for (uint32_t i = 0; i < 5; i++)
		axvm_cpus[i].hardware_id = ids[i];
	request_count = 0;
	axvm_bare_sbi_send_ipi(0x1f);
	CHECK_EQ(request_count, 3);
	CHECK_EQ(requests[0].eid, 0x735049);
	CHECK_EQ(requests[0].base, 3);
	CHECK_EQ(requests[0].harts, 1ull << 63 | 1); /* 66 */
	CHECK_EQ(requests[1].base, 67);
	CHECK_EQ(requests[1].harts, 1ull << 3 | 1);
	CHECK_EQ(requests[2].base, 1000);
	CHECK_EQ(requests[2].harts, 1);
	request_count = 0;
	axvm_bare_sbi_fence_i(0);
	CHECK_EQ(request_count, 0);
}

AXTEST_MAIN(a_firmware_before_0_2_is_refused_with_a_sentence,
	    nothing_is_said_of_a_firmware_that_has_all,
	    each_extension_that_lacks_is_named_and_no_other, what_several_cpus_need_one_does_not,
	    without_a_timer_of_its_own_or_the_firmwares_it_ends_with_the_name,
	    harts_far_apart_take_a_request_for_each_64_ids)
