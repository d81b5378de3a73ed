// SPDX-License-Identifier: Apache-2.0
/* guest_main() of a guest that is nothing but tests. */
#include "guest.h"

void guest_main(void)
{
	(void)guest_shared_tests();
	(void)axtest_main(NULL);
	guest_finish();
}
