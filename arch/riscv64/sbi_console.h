/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of a VM whose configuration has no device that takes input: what is typed for it waits
 * here for the SBI calls that read. A device without registers.
 */
#ifndef AXVM_RISCV64_SBI_CONSOLE_H
#define AXVM_RISCV64_SBI_CONSOLE_H

#include <axvm/types.h>

/* Bytes that one call moves at most: what is done in the exit path is bounded. */
#define AXVM_SBI_CONSOLE_BYTES 256u

/*
 * Gives the VM one when no device of its configuration takes input; before its devices are made.
 * AXVM_ENOMEM. AXVM_ERANGE: it has as many devices as a VM may have already.
 */
AXVM_MUST_USE int axvm_sbi_console_create(struct axvm_vm *vm);

/* Takes what was typed, oldest first, at most `bytes`; returns how many. 0 when the VM has none. */
uint64_t axvm_sbi_console_take(struct axvm_vm *vm, char *data, uint64_t bytes);

/*
 * The same into the guest's memory, at most AXVM_SBI_CONSOLE_BYTES, *taken tells how many.
 * AXVM_EFAULT: a part of those cannot be written; nothing is taken then.
 */
AXVM_MUST_USE int axvm_sbi_console_read(struct axvm_vm *vm, struct axvm_gpa gpa, uint64_t bytes,
					uint64_t *taken);

#endif
