// SPDX-License-Identifier: Apache-2.0
/* The test macros themselves, where a wrong answer would make every other test worthless. */
#include "axtest.h"

static void holds_body(void)
{
	CHECK(true);
}

static void fails_body(void)
{
	CHECK_EQ(1, 2);
}

static void is_skipped_body(void)
{
	SKIP("to see one");
}

static const struct axtest_case holds = { "inner", holds_body };
static const struct axtest_case fails = { "inner", fails_body };
static const struct axtest_case is_skipped = { "inner", is_skipped_body };

/* Runs a test as the only one. Its own result line must not be taken for one of this file. */
static int status_of(const struct axtest_case *test, const char *filter)
{
	axtest_host_mute(true);
	int status = axtest_run(&test, 1, filter);

	axtest_host_mute(false);
	return status;
}

TEST(a_true_check_passes)
{
	CHECK_EQ(status_of(&holds, NULL), 0);
}

TEST(a_false_check_fails_its_test)
{
	CHECK_EQ(status_of(&fails, NULL), 1);
}

TEST(a_skipped_test_is_no_failure)
{
	CHECK_EQ(status_of(&is_skipped, NULL), 0);
}

TEST(a_filter_leaves_tests_out)
{
	CHECK_EQ(status_of(&fails, "another"), 0);
	CHECK_EQ(status_of(&fails, "nne"), 1);
}

TEST(equal_texts_are_equal)
{
	CHECK_STR_EQ("axvm", "axvm");
	CHECK_STR_EQ(NULL, NULL);
}

AXTEST_MAIN(a_true_check_passes, a_false_check_fails_its_test, a_skipped_test_is_no_failure,
	    a_filter_leaves_tests_out, equal_texts_are_equal)
