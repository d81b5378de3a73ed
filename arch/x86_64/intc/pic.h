/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair of 8259A at ports 0x20, 0xa0, 0x4d0 and 0x4d1 [8259A]. Its INT line goes to LINT0 of vCPU 0 (and
 * as EXTINT to pin 0 of the IOAPIC).
 */
#ifndef AXVM_X86_64_PIC_H
#define AXVM_X86_64_PIC_H

#include <axvm/device.h>
#include <axvm/types.h>

struct axvm_pic;

/*
 * No configuration entry of its own: part of the machine; vm->arch.pic is it from then on. AXVM_ENOMEM;
 * AXVM_EEXIST, AXVM_ERANGE: as axvm_bus_attach of its ports.
 */
AXVM_MUST_USE int axvm_pic_make(struct axvm_vm *vm);
/* All masked. The inputs stay as they are. No vCPU of the VM runs. */
void axvm_pic_reset(struct axvm_pic *pic);

/* IRQ 0 to 15. Any CPU, no lock of rank IRQ held. AXVM_EINVAL: no such input; 2 is the slave's. */
int axvm_pic_set_level(struct axvm_pic *pic, uint32_t irq, bool level);
/* INTA: the vector, the spurious one when nothing is pending any more. As set_level. */
uint8_t axvm_pic_acknowledge(struct axvm_pic *pic);

/* What the PIC asks of irq.c: its output, to LINT0 of vCPU 0 and pin 0 of the IOAPIC. As set_level. */
void axvm_x86_64_pic_output(struct axvm_vm *vm, bool level);

#endif
