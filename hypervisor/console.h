/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: one UART of the host, shared by the hypervisor's own messages
 * and the consoles of all VMs. Each writer has a ring of its own and never
 * waits for another VM: whoever gets the UART drains all rings, but only so
 * much at a time and without waiting for it; a timer goes on with the rest. A
 * VM that speaks faster than the UART waits when its own ring is full.
 *
 * With one VM its bytes pass as they are. With several, each line carries the
 * prefix "[name] ". Input goes to one VM, the focus; Ctrl-] is the escape key:
 *   Ctrl-] n    next VM          Ctrl-] 1..9  the VM with that id
 *   Ctrl-] q    power off        Ctrl-] Ctrl-] sends one
 *   Ctrl-] h    this list
 */
#ifndef AXVM_CONSOLE_H
#define AXVM_CONSOLE_H

#include <axvm/hal.h>

/* How the host's UART is driven: hypervisor/drivers/. */
struct axvm_uart {
	/* Writes as many as there is room for, without waiting; returns how many. */
	uint64_t (*write)(const char *data, uint64_t bytes);
	/* The next received byte, or -1. */
	int (*read)(void);
	void (*enable_receive)(void);
};

/*
 * Finds and maps the UART that /chosen/stdout-path names. Where none is known it is the firmware's
 * console, and so it is when `by_firmware` says that the UART is to be left alone: then without input,
 * which is for whoever has the UART. False: there is neither.
 */
bool axvm_console_init(const void *fdt, bool by_firmware);
/* Lets input in: after the interrupt controller and this CPU's timer are up. */
void axvm_console_start_input(void);

/* Whether the console's registers lie in the range. */
bool axvm_console_owns(struct axvm_hpa hpa, uint64_t bytes);

/* A VM speaks from now on; its number of writers decides about prefixes. */
void axvm_console_add_vm(struct axvm_vm *vm);
/* Sends what is left of it. The VM is quiet, and may go as soon as this returns. */
void axvm_console_remove_vm(struct axvm_vm *vm);

/* A line of the hypervisor's own: "axvm: text". */
void axvm_console_line(const char *text);
/* Sends what is in the rings now, waiting for the UART: before power off and on a panic. */
void axvm_console_finish(void);
/* Takes the UART from whoever has it, for good, and silences the other CPUs: a panic. */
void axvm_console_seize(void);

#endif
