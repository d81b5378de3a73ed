/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of the NS16550A and their bits, as far as dev/ns16550.c knows them. [NS16550 8] */
#ifndef AXVM_DEV_NS16550_REGS_H
#define AXVM_DEV_NS16550_REGS_H

enum ns16550_register {
	RBR = 0, /* written: THR; with LCR.DLAB: DLL */
	IER = 1, /* with LCR.DLAB: DLM */
	IIR = 2, /* written: FCR */
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,
	REGISTERS = 8,
};

enum {
	IER_RX = 1 << 0,
	IER_TX = 1 << 1,
	IER_LINE = 1 << 2,
	IER_MODEM = 1 << 3,
	IER_ALL = 0xf,

	IIR_MODEM = 0x0,
	IIR_NONE = 0x1,
	IIR_TX = 0x2,
	IIR_RX = 0x4,
	IIR_LINE = 0x6,
	IIR_TIMEOUT = 0xc,
	IIR_FIFOS = 0xc0,

	FCR_ENABLE = 1 << 0,
	FCR_CLEAR_RX = 1 << 1,
	FCR_TRIGGER_SHIFT = 6,

	LCR_DLAB = 1 << 7,

	MCR_DTR = 1 << 0,
	MCR_RTS = 1 << 1,
	MCR_OUT1 = 1 << 2,
	MCR_OUT2 = 1 << 3,
	MCR_LOOP = 1 << 4,
	MCR_ALL = 0x1f,

	LSR_DR = 1 << 0,
	LSR_OE = 1 << 1,
	LSR_THRE = 1 << 5,
	LSR_TEMT = 1 << 6,
	LSR_ERRORS = LSR_OE, /* a line that cannot be bad brings no others */

	MSR_TERI = 1 << 2,
	MSR_CTS = 1 << 4,
	MSR_DSR = 1 << 5,
	MSR_RI = 1 << 6,
	MSR_DCD = 1 << 7,
	MSR_CHANGES = 0xf,
	MSR_CHANGE_SHIFT = 4, /* from an input to the bit that says that it has changed */
	MSR_CONNECTED = MSR_CTS | MSR_DSR | MSR_DCD, /* somebody listens, always */
};

#endif
