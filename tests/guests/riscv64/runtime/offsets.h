/* SPDX-License-Identifier: Apache-2.0 */
/* What assembly and C of the guests must agree on; runtime.h asserts it. */
#ifndef GUEST_OFFSETS_H
#define GUEST_OFFSETS_H

#define GUEST_STACK_BYTES 32768
#define CPU_STACK 0
#define CPU_ARRIVED 8
#define FRAME_BYTES 272

#endif
