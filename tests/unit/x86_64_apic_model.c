// SPDX-License-Identifier: Apache-2.0
/*
 * Random traces of two vCPUs and an IOAPIC against an executable specification: a set of flags for each
 * vector, and everything else found by looking at all of them [SDM3 11.8, 82093AA 3.2.4]. What each vCPU
 * takes, its priority and all of IRR, ISR and TMR, and each entry's remote IRR agree at each step.
 */
#include "x86_64_intc_rig.h"

#define CPUS 2u
#define PINS AXVM_IOAPIC_PINS
#define VECTORS 256u

/* ---- the specification ---------------------------------------------------------------------------------- */

struct cpu {
	bool requested[VECTORS];
	bool served[VECTORS];
	bool level[VECTORS];
	uint32_t tpr;
	bool enabled;
	bool quiet; /* EOIs are not broadcast */
	bool interrupts_on;
	uint32_t logical;
	uint32_t errors;
	uint32_t esr;
};

struct pin {
	bool line;
	bool masked;
	bool level;
	bool in_service;
	bool logical;
	bool lowest;
	uint32_t vector;
	uint32_t destination;
};

static struct cpu cpus[CPUS];
static struct pin pins[PINS];

static int model_highest(const bool *flags)
{
	int highest = -1;

	for (int vector = 0; vector < (int)VECTORS; vector++) {
		if (flags[vector])
			highest = vector;
	}
	return highest;
}

static uint32_t model_ppr(const struct cpu *cpu)
{
	int served = model_highest(cpu->served);
	uint32_t class = served < 0 ? 0 : (uint32_t)served / 16;

	return cpu->tpr / 16 >= class ? cpu->tpr : class * 16;
}

static bool model_accept(struct cpu *cpu, uint32_t vector, bool level)
{
	if (!cpu->enabled)
		return false;
	if (vector < 16) {
		cpu->errors |= 0x40;
		return false;
	}
	cpu->requested[vector] = true;
	cpu->level[vector] = level;
	return true;
}

static bool model_is_named(uint32_t index, uint32_t destination, bool logical)
{
	if (destination == 0xff)
		return true;
	return logical ? (cpus[index].logical & destination) != 0 : destination == index;
}

static bool model_send(uint32_t destination, bool logical, bool lowest, uint32_t vector, bool level)
{
	struct cpu *chosen = NULL;
	bool taken = false;

	for (uint32_t i = 0; i < CPUS; i++) {
		if (!model_is_named(i, destination, logical))
			continue;
		if (!lowest)
			taken |= model_accept(&cpus[i], vector, level);
		else if (cpus[i].enabled &&
			 (chosen == NULL || model_ppr(&cpus[i]) < model_ppr(chosen)))
			chosen = &cpus[i];
	}
	return chosen != NULL ? model_accept(chosen, vector, level) : taken;
}

static void model_pin(struct pin *pin)
{
	if (pin->level && pin->line && !pin->masked && !pin->in_service)
		pin->in_service =
			model_send(pin->destination, pin->logical, pin->lowest, pin->vector, true);
}

static void model_line(struct pin *pin, bool line)
{
	bool rises = line && !pin->line;

	pin->line = line;
	if (rises && !pin->level && !pin->masked)
		(void)model_send(pin->destination, pin->logical, pin->lowest, pin->vector, false);
	if (rises)
		model_pin(pin);
}

static void model_broadcast(uint32_t vector)
{
	for (uint32_t i = 0; i < PINS; i++) {
		if (pins[i].vector == vector && pins[i].in_service) {
			pins[i].in_service = false;
			model_pin(&pins[i]);
		}
	}
}

static int model_take(struct cpu *cpu)
{
	int vector = model_highest(cpu->requested);

	if (!cpu->interrupts_on || vector < 0 || (uint32_t)vector / 16 <= model_ppr(cpu) / 16)
		return -1;
	cpu->requested[vector] = false;
	cpu->served[vector] = true;
	return vector;
}

static void model_eoi(struct cpu *cpu)
{
	int vector = model_highest(cpu->served);

	if (vector < 0)
		return;
	cpu->served[vector] = false;
	if (cpu->level[vector] && !cpu->quiet)
		model_broadcast((uint32_t)vector);
}

/* ---- the trace -------------------------------------------------------------------------------------------- */

static uint64_t state;

static uint32_t pick(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) * below >> 32);
}

/* Few, so that they meet; sometimes illegal. */
static uint32_t any_vector(void)
{
	return pick(16) == 0 ? pick(20) : 0x20 + pick(6) * 0x10 + pick(3);
}

static uint32_t any_destination(bool logical)
{
	if (pick(8) == 0)
		return pick(2) == 0 ? 0xff : 0x40;
	return logical ? 1 + pick(3) : pick(CPUS);
}

static void step_ipi(uint32_t cpu)
{
	bool logical = pick(2) == 0;
	bool lowest = pick(3) == 0;
	uint32_t vector = any_vector();
	uint32_t destination = any_destination(logical);

	if (vector < 16)
		cpus[cpu].errors |= 0x20;
	else
		(void)model_send(destination, logical, lowest, vector, false);
	ipi(cpu, destination,
	    vector | (logical ? LOGICAL : 0) | (lowest ? 1u << 8 : 0) | pick(2) * LEVEL);
}

static void step_shorthand(uint32_t cpu)
{
	uint32_t shorthand = 1 + pick(3);
	uint32_t vector = 0x20 + pick(0xe0);

	for (uint32_t i = 0; i < CPUS; i++) {
		if (shorthand == 2 || (shorthand == 1) == (i == cpu))
			(void)model_accept(&cpus[i], vector, false);
	}
	wr(cpu, ICR, shorthand << 18 | vector);
}

static void step_take(uint32_t cpu)
{
	CHECK_EQ(take(cpu), model_take(&cpus[cpu]));
}

static void step_eoi(uint32_t cpu)
{
	model_eoi(&cpus[cpu]);
	eoi(cpu);
}

static void step_tpr(uint32_t cpu)
{
	cpus[cpu].tpr = pick(3) == 0 ? pick(0x90) : 0;
	if (cpus[cpu].tpr % 16 == 0)
		axvm_lapic_set_cr8(on(cpu), cpus[cpu].tpr / 16);
	else
		wr(cpu, TPR, cpus[cpu].tpr);
}

static void step_flags(uint32_t cpu)
{
	cpus[cpu].interrupts_on = pick(4) != 0;
	rig_vcpus[cpu].arch.rflags = AXVM_X86_RFLAGS_FIXED;
	if (cpus[cpu].interrupts_on)
		rig_vcpus[cpu].arch.rflags |= AXVM_X86_RFLAGS_IF;
}

static void step_svr(uint32_t cpu)
{
	cpus[cpu].enabled = pick(4) != 0;
	cpus[cpu].quiet = pick(3) == 0;
	wr(cpu, SVR, 0xffu | (uint32_t)cpus[cpu].enabled << 8 | (uint32_t)cpus[cpu].quiet << 12);
}

static void step_logical(uint32_t cpu)
{
	cpus[cpu].logical = pick(4);
	wr(cpu, LDR, cpus[cpu].logical << 24);
}

static void step_errors(uint32_t cpu)
{
	cpus[cpu].esr = cpus[cpu].errors;
	cpus[cpu].errors = 0;
	wr(cpu, ESR, 0);
}

static void step_line(uint32_t cpu)
{
	uint32_t index = pick(5);
	bool line = pick(2) == 0;

	(void)cpu;
	model_line(&pins[index], line);
	CHECK_EQ(axvm_ioapic_set_level(rig_vm.arch.ioapic, index, line), 0);
}

static void step_route(uint32_t cpu)
{
	uint32_t index = pick(5);
	struct pin *pin = &pins[index];

	(void)cpu;
	pin->vector = any_vector();
	pin->logical = pick(2) == 0;
	pin->lowest = pick(3) == 0;
	pin->level = pick(3) != 0;
	pin->masked = pick(4) == 0;
	if (!pin->level)
		pin->in_service = false;
	model_pin(pin);
	io_wr(0x10 + 2 * index, pin->vector | (pin->lowest ? 1u << 8 : 0) |
					(pin->logical ? LOGICAL : 0) | (pin->level ? LEVEL : 0) |
					(pin->masked ? MASKED : 0));
}

static void step_destination(uint32_t cpu)
{
	uint32_t index = pick(5);
	struct pin *pin = &pins[index];

	(void)cpu;
	pin->destination = any_destination(pin->logical);
	model_pin(pin);
	io_wr(0x11 + 2 * index, pin->destination << 24);
}

static void step_directed_end(uint32_t cpu)
{
	uint32_t vector = pins[pick(5)].vector;

	model_broadcast(vector);
	CHECK(try_bus_write(on(cpu), IOAPIC + 0x40, 4, vector));
}

static uint32_t model_word(const bool *flags, uint32_t word)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < 32; i++)
		bits |= (uint32_t)flags[word * 32 + i] << i;
	return bits;
}

static void compare_cpu(uint32_t index)
{
	const struct cpu *cpu = &cpus[index];
	int waits = model_highest(cpu->requested);

	CHECK_EQ(rd(index, PPR), model_ppr(cpu));
	CHECK_EQ(rd(index, ESR), cpu->esr);
	CHECK_EQ(axvm_lapic_has_pending(&rig_vcpus[index]),
		 waits >= 0 && (uint32_t)waits / 16 > model_ppr(cpu) / 16);
	for (uint32_t word = 0; word < 8; word++) {
		uint32_t live = model_word(cpu->requested, word) | model_word(cpu->served, word);

		CHECK_EQ(rd(index, IRR + 16 * word), model_word(cpu->requested, word));
		CHECK_EQ(rd(index, ISR + 16 * word), model_word(cpu->served, word));
		CHECK_EQ(rd(index, TMR + 16 * word) & live, model_word(cpu->level, word) & live);
	}
}

static void compare(void)
{
	for (uint32_t i = 0; i < CPUS; i++)
		compare_cpu(i);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_EQ((io_rd(0x10 + 2 * i) & REMOTE_IRR) != 0, pins[i].in_service);
}

/* Takes and ends are as frequent as what makes work for them. */
static void (*const steps[])(uint32_t cpu) = {
	step_ipi,    step_shorthand,	step_take, step_take,	 step_take,  step_take,
	step_eoi,    step_eoi,		step_eoi,  step_eoi,	 step_tpr,   step_flags,
	step_line,   step_line,		step_line, step_route,	 step_route, step_destination,
	step_errors, step_directed_end, step_svr,  step_logical,
};

static void trace(uint64_t seed, uint32_t length)
{
	state = seed * 0x9e3779b97f4a7c15 + 1;
	rig_start(CPUS);
	memset(cpus, 0, sizeof(cpus));
	memset(pins, 0, sizeof(pins));
	for (uint32_t i = 0; i < PINS; i++)
		pins[i].masked = true;
	for (uint32_t i = 0; i < CPUS; i++) {
		cpus[i].enabled = true;
		cpus[i].interrupts_on = true;
		enable(i);
	}
	for (uint32_t i = 0; i < length; i++) {
		steps[pick(sizeof(steps) / sizeof(steps[0]))](pick(CPUS));
		compare();
	}
	rig_end();
}

TEST(random_traces_agree_with_the_specification)
{
	for (uint64_t seed = 1; seed <= 40; seed++)
		trace(seed, 500);
}

AXTEST_MAIN(random_traces_agree_with_the_specification)
