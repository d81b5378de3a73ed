/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test macros, the same on the host and inside a guest.
 *
 * A test is a sentence. Every test of a file stands in the AXTEST_MAIN list at the file's end; one
 * that is forgotten there is an unused variable and does not compile.
 *
 *	TEST(a_refused_mapping_changes_nothing)
 *	{
 *		CHECK_EQ(axvm_aspace_map(...), AXVM_EINVAL);
 *	}
 *
 *	AXTEST_MAIN(a_refused_mapping_changes_nothing)
 *
 * Output, one line per test: "ok - name", "not ok - name" or "skip - name: reason". What a failed
 * check found stands before it, in lines that begin with "# ".
 */
#ifndef AXTEST_H
#define AXTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct axtest_case {
	const char *name;
	void (*run)(void);
};

#define TEST(sentence)                                                                    \
	static void sentence##_body(void);                                                \
	static const struct axtest_case sentence[1] = { { #sentence, sentence##_body } }; \
	static void sentence##_body(void)

/* Defines axtest_main(), which the host's main() or the guest's start code calls. */
#define AXTEST_MAIN(...)                                                            \
	int axtest_main(const char *filter)                                         \
	{                                                                           \
		static const struct axtest_case *const cases[] = { __VA_ARGS__ };   \
		return axtest_run(cases, sizeof(cases) / sizeof(cases[0]), filter); \
	}

/* Goes on after a failure. */
#define CHECK(x) ((void)axtest_true((x), __FILE__, __LINE__, #x))
/* Compares as 64-bit numbers and shows both in hex. */
#define CHECK_EQ(a, b)                                                                            \
	((void)axtest_equal((unsigned long long)(a), (unsigned long long)(b), __FILE__, __LINE__, \
			    #a " == " #b))
#define CHECK_PTR_EQ(a, b) CHECK_EQ((uintptr_t)(a), (uintptr_t)(b))
#define CHECK_STR_EQ(a, b) ((void)axtest_str_equal((a), (b), __FILE__, __LINE__, #a " == " #b))

/* Ends the test after a failure. Only where `return;` is allowed. */
#define REQUIRE(x)                                             \
	do {                                                   \
		if (!axtest_true((x), __FILE__, __LINE__, #x)) \
			return;                                \
	} while (0)
#define REQUIRE_EQ(a, b)                                                                      \
	do {                                                                                  \
		if (!axtest_equal((unsigned long long)(a), (unsigned long long)(b), __FILE__, \
				  __LINE__, #a " == " #b))                                    \
			return;                                                               \
	} while (0)

/* Ends the test as skipped; the reason is a string literal or lives as long as the program. */
#define SKIP(why)                 \
	do {                      \
		axtest_skip(why); \
		return;           \
	} while (0)

/* Supplied by whoever runs the tests: writes a string, without adding a newline. */
void axtest_puts(const char *text);

/* Runs the tests whose name contains filter (all where it is NULL). Returns 0 when none failed. */
int axtest_main(const char *filter);

/* Behind the macros, in axtest.c. The checks return whether they held. */
int axtest_run(const struct axtest_case *const *cases, size_t case_count, const char *filter);
bool axtest_true(bool held, const char *file, int line, const char *text);
bool axtest_equal(unsigned long long a, unsigned long long b, const char *file, int line,
		  const char *text);
bool axtest_str_equal(const char *a, const char *b, const char *file, int line, const char *text);
void axtest_skip(const char *why);
/* For a test's own diagnosis: writes a value as 0x... */
void axtest_put_hex(unsigned long long value);
void axtest_put_dec(unsigned long long value);

/* On the host only: drops what is written, while tests of these macros run tests inside a test. */
void axtest_host_mute(bool muted);

#endif
