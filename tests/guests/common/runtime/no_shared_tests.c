// SPDX-License-Identifier: Apache-2.0
/* For guests that have tests of their ISA only: the linker takes this where nobody else has it. */
#include "guest.h"

int guest_shared_tests(void)
{
	return 0;
}
