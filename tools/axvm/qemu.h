/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of QEMU, and its process. */
#ifndef AXVM_TOOL_QEMU_H
#define AXVM_TOOL_QEMU_H

#include <sys/types.h>

#include "qmp.h"

/* What is to be run. Strings and arrays belong to the caller. */
struct axvm_tool_machine {
	enum axvm_isa isa;
	const char *hypervisor; /* the file */
	const char *bundle;	/* the file; may be /proc/self/fd/N of an inheritable descriptor */
	uint32_t cpus;
	uint64_t memory_bytes;
	bool icount;  /* the same instructions at each run */
	char **extra; /* more arguments, after ours, so that theirs count */
	int extra_count;
};

/* False after a complaint that says what to do: no QEMU for this ISA, or one that is too old. */
bool axvm_tool_qemu_check(enum axvm_isa isa);

/*
 * The hypervisor's file: `given` when not NULL, else $AXVM_HYPERVISOR, else where the build or an
 * installation puts it as seen from this program. NULL after a complaint.
 */
char *axvm_tool_hypervisor_find(enum axvm_isa isa, const char *given);

/* The arguments, the program's name first and NULL last. QEMU's end of QMP is descriptor `qmp`. */
char **axvm_tool_qemu_arguments(const struct axvm_tool_machine *machine, int qmp);

/*
 * Starts QEMU with its output, errors too, on `output` (-1: on ours), and opens `qmp` to it. It
 * dies with us, however we die. Returns its process id, or -1 after a complaint.
 */
pid_t axvm_tool_qemu_start(const struct axvm_tool_machine *machine, int output,
			   struct axvm_tool_qmp *qmp);

/* Asks it to end, makes it after two seconds, and reaps it. */
void axvm_tool_qemu_stop(pid_t pid);

#endif
