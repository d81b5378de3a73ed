/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IN, OUT, INS and OUTS. Ports are a bus of their own; what no device has reads as ones, and writes to it are
 * dropped, as on a PC. No port is ever the host's.
 */
#include "bus.h"
#include "emulate.h"
#include "exit.h"
#include "operand.h"
#include "power.h"
#include "regs.h"
#include "walk.h"

#define OUT_OF_LINE __attribute__((noinline))
#define PORTS 0x10000u

/* ---- one access ------------------------------------------------------------------------------------- */

static const struct axvm_bus_region *region_of(struct axvm_vcpu *vcpu, uint32_t port,
					       unsigned bytes)
{
	return axvm_bus_find(&vcpu->vm->arch.ports, port, bytes);
}

/* An access that no one device has goes byte by byte, as the bus of a PC does it. */
OUT_OF_LINE static uint64_t read_bytes(struct axvm_vcpu *vcpu, uint32_t port, unsigned bytes)
{
	bool unclaimed = false;
	uint64_t value = 0;

	for (uint32_t i = 0; i < bytes; i++) {
		const struct axvm_bus_region *region = region_of(vcpu, port + i, 1);
		uint64_t byte = 0xff;

		if (region != NULL && port + i < PORTS)
			byte = axvm_bus_read(vcpu, region, port + i, 1);
		else
			unclaimed = true;
		value |= byte << 8 * i;
	}
	if (unclaimed)
		axvm_bus_unclaimed(vcpu, port, bytes, false);
	return value;
}

OUT_OF_LINE static void write_bytes(struct axvm_vcpu *vcpu, uint32_t port, unsigned bytes,
				    uint64_t value)
{
	bool unclaimed = false;

	for (uint32_t i = 0; i < bytes; i++) {
		const struct axvm_bus_region *region = region_of(vcpu, port + i, 1);

		if (region != NULL && port + i < PORTS)
			axvm_bus_write(vcpu, region, port + i, 1, value >> 8 * i);
		else
			unclaimed = true;
	}
	if (unclaimed)
		axvm_bus_unclaimed(vcpu, port, bytes, true);
}

static uint64_t read_port(struct axvm_vcpu *vcpu, uint32_t port, unsigned bytes)
{
	const struct axvm_bus_region *region = region_of(vcpu, port, bytes);

	if (region == NULL || port + bytes > PORTS)
		return read_bytes(vcpu, port, bytes);
	return axvm_bus_read(vcpu, region, port, bytes);
}

static void write_port(struct axvm_vcpu *vcpu, uint32_t port, unsigned bytes, uint64_t value)
{
	const struct axvm_bus_region *region = region_of(vcpu, port, bytes);

	if (region == NULL || port + bytes > PORTS)
		write_bytes(vcpu, port, bytes, value);
	else
		axvm_bus_write(vcpu, region, port, bytes, value);
}

/* ---- strings ---------------------------------------------------------------------------------------- */

/* The segment of OUTS, which not every hardware tells. 0xff: an exception was injected. */
static uint8_t segment_by_code(struct axvm_vcpu *vcpu)
{
	unsigned code_bytes = axvm_x86_64_code_bytes(&vcpu->arch);
	struct axvm_x86_instruction instruction;
	uint8_t code[AXVM_X86_INSTRUCTION_MAX];
	struct axvm_x86_fault fault;
	unsigned count = axvm_x86_64_fetch(vcpu, code, &fault);

	if (count == 0) {
		axvm_x86_64_inject_fault(vcpu, &fault);
		return 0xff;
	}
	if (!axvm_x86_decode(code, count, code_bytes, &instruction) || !instruction.has_memory) {
		axvm_x86_64_inject_exception(vcpu, AXVM_X86_UD);
		return 0xff;
	}
	return instruction.memory.segment;
}

/* Of INS it is always ES. False: an exception was injected. */
static bool set_up(struct axvm_vcpu *vcpu, struct axvm_x86_cursor *cursor)
{
	const struct axvm_x86_exit *exit = &vcpu->arch.exit;

	*cursor = (struct axvm_x86_cursor){ .segment = AXVM_X86_ES,
					    .reg = AXVM_X86_RDI,
					    .address_bytes = exit->address_bytes,
					    .write = true,
					    .bytes = exit->bytes };
	if (!exit->is_write)
		return true;
	cursor->reg = AXVM_X86_RSI;
	cursor->write = false;
	cursor->segment = exit->segment;
	if (cursor->segment >= AXVM_X86_SEGMENTS)
		cursor->segment = segment_by_code(vcpu);
	return cursor->segment < AXVM_X86_SEGMENTS;
}

static void move(struct axvm_vcpu *vcpu, const struct axvm_x86_cursor *cursor)
{
	uint32_t port = vcpu->arch.exit.port;
	unsigned bytes = cursor->bytes;

	if (cursor->write)
		axvm_x86_64_place_write(vcpu, &cursor->place, bytes, read_port(vcpu, port, bytes));
	else
		write_port(vcpu, port, bytes, axvm_x86_64_place_read(vcpu, &cursor->place, bytes));
}

static uint64_t move_all(struct axvm_vcpu *vcpu, struct axvm_x86_cursor *cursor, uint64_t count)
{
	for (unsigned i = 0; i < AXVM_X86_64_ELEMENTS_MAX && count > 0; i++) {
		move(vcpu, cursor);
		count--;
		if (!axvm_x86_64_cursor_next(vcpu, cursor))
			break;
	}
	return count;
}

/* A port may have been the one that ends the VM. */
static enum axvm_verdict after_write(struct axvm_vcpu *vcpu)
{
	return axvm_power_has_ended(vcpu) ? AXVM_LEAVE : AXVM_ENTER;
}

/* Nothing of a device's is read before it is known where it goes. */
OUT_OF_LINE static enum axvm_verdict string(struct axvm_vcpu *vcpu, unsigned length)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	const struct axvm_x86_exit *exit = &arch->exit;
	unsigned address_bytes = exit->address_bytes;
	uint64_t count = exit->is_repeated ? axvm_x86_64_get_count(arch, address_bytes) : 1;
	struct axvm_x86_cursor cursor;

	axvm_hal_sysreg_sync(vcpu);
	if (count > 0) {
		if (!set_up(vcpu, &cursor) || !axvm_x86_64_cursor_begin(vcpu, &cursor))
			return AXVM_ENTER;
		count = move_all(vcpu, &cursor, count);
	}
	if (exit->is_repeated)
		axvm_x86_64_set_count(arch, address_bytes, count);
	if (count == 0)
		axvm_x86_64_skip(vcpu, length);
	return after_write(vcpu);
}

/* ---- the exit --------------------------------------------------------------------------------------- */

enum axvm_verdict axvm_x86_64_port(struct axvm_vcpu *vcpu)
{
	struct axvm_arch_vcpu *arch = &vcpu->arch;
	const struct axvm_x86_exit *exit = &arch->exit;
	unsigned length = axvm_x86_64_exit_length(vcpu);

	if (length == 0)
		return AXVM_ENTER;
	if (exit->is_string)
		return string(vcpu, length);
	axvm_x86_64_skip(vcpu, length);
	if (exit->is_write) {
		write_port(vcpu, exit->port, exit->bytes,
			   axvm_x86_64_get_operand(arch, AXVM_X86_RAX, exit->bytes));
		return after_write(vcpu);
	}
	(void)axvm_x86_64_set_operand(arch, AXVM_X86_RAX, exit->bytes,
				      read_port(vcpu, exit->port, exit->bytes));
	return AXVM_ENTER;
}
