/* SPDX-License-Identifier: Apache-2.0 */
/* libfdt includes this header and, without its overlay part, uses nothing of it. */
#ifndef AXVM_FREESTANDING_STDLIB_H
#define AXVM_FREESTANDING_STDLIB_H

#include <stddef.h>

#endif
