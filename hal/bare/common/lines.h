/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's shared interrupts by number: those that the hypervisor handles and those that VMs have.
 * lines.c knows who has which, and gives axvm_bare_irq_attach, axvm_hal_irq_attach and _detach; the
 * controller is the ISA's.
 */
#ifndef AXVM_BARE_LINES_H
#define AXVM_BARE_LINES_H

#include "bare.h"

#define AXVM_LINES 1024u

/* ---- given by the ISA's controller; `irq` exists, no lock held --------------------------------- */

bool axvm_bare_line_exists(uint32_t irq);
/* From now on it comes, at `cpu` first. */
void axvm_bare_line_open(uint32_t irq, bool edge, struct axvm_cpu *cpu);
/* Disabled, and not active at the controller, when it returns. */
void axvm_bare_line_close(uint32_t irq);
/* One that arrived goes to the VM that has it, which stays until this returns. False: not taken. */
bool axvm_bare_line_bring(struct axvm_vm *vm, uint32_t irq);

/* ---- given to it --------------------------------------------------------------------------------- */

/* `node` is the controller's in the host's device tree, which stays. */
void axvm_bare_lines_init(const void *fdt, int node);
/* Any CPU. True: a VM has it, whose business it is now. */
bool axvm_bare_line_arrived(uint32_t irq);
/* Any number. Whether a VM has it at this moment. */
bool axvm_bare_line_is_a_vms(uint32_t irq);
/* Calls the hypervisor's own handler. False: there is none. */
bool axvm_bare_line_handle(uint32_t irq);
/* The last cell of what the tree's devices say of it: flags of trigger and level [DT]; 0: nothing. */
uint32_t axvm_bare_line_flags(uint32_t irq);

#endif
