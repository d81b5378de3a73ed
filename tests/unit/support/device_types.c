/* SPDX-License-Identifier: Apache-2.0 */
/* The ISA's own device types, where its code is not there or not linked into a test. */
#include "arch.h"

static const struct axvm_device_type isa_type = { .name = "isa", .emu_type = AXVM_EMU_GICV3 };

__attribute__((weak)) const struct axvm_device_type *const axvm_arch_device_types[] = { &isa_type };
__attribute__((weak)) const uint32_t axvm_arch_device_type_count = 1;
