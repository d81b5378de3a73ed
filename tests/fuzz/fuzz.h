/* SPDX-License-Identifier: Apache-2.0 */
/* What libFuzzer calls; the unit tests call it too, with inputs of their own. */
#ifndef AXVM_FUZZ_H
#define AXVM_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Ends the program: what was found is on the stack. */
#define FUZZ_CHECK(x)                     \
	do {                              \
		if (!(x))                 \
			__builtin_trap(); \
	} while (0)

#endif
