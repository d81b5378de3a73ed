/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GICv3 against an executable specification: for each interrupt the state of [GICv3 4.1]
 * in the plainest form, with no list registers. Random traces of lines, register writes,
 * acknowledgements and ends of interrupts on three vCPUs; after each step both must agree on what
 * every vCPU would take next and on every pending and active bit.
 */
#include "aarch64_rig.h"

#include <axvm/irq.h>

#define VCPUS 3u
#define IDS 128u /* SPIs of three words */
#define NEST 40u

struct model_irq {
	bool level;
	bool latch;
	bool edge;
	bool enabled;
	bool active;
	uint8_t priority;
	uint32_t route; /* of an SPI */
};

static struct model_irq private_irqs[VCPUS][32];
static struct model_irq shared_irqs[IDS];

/* Acknowledged, not ended, oldest first. */
static struct {
	uint32_t ids[NEST];
	uint32_t priorities[NEST];
	uint32_t count;
} nested[VCPUS];

static uint64_t state;

static uint32_t pick(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 33) % limit;
}

static struct model_irq *irq_of(uint32_t vcpu, uint32_t id)
{
	return id < 32 ? &private_irqs[vcpu][id] : &shared_irqs[id];
}

static bool is_pending(const struct model_irq *irq)
{
	return irq->latch || (irq->level && !irq->edge);
}

static uint32_t running(uint32_t vcpu)
{
	return nested[vcpu].count == 0 ? 0x100 : nested[vcpu].priorities[nested[vcpu].count - 1];
}

/* The priority that this vCPU would be interrupted with; 0x100: nothing. */
static uint32_t model_best(uint32_t vcpu)
{
	uint32_t best = 0x100;

	for (uint32_t id = 0; id < IDS; id++) {
		const struct model_irq *irq = irq_of(vcpu, id);

		if (is_pending(irq) && irq->enabled && !irq->active &&
		    (id < 32 || irq->route == vcpu) && irq->priority < best)
			best = irq->priority;
	}
	return best < running(vcpu) ? best : 0x100;
}

static uint32_t device_best(uint32_t vcpu)
{
	uint32_t n = first_pending(&rig_vcpus[vcpu]);
	uint32_t best = n == NO_LR ? 0x100 : lr_priority(rig_vcpus[vcpu].arch.vgic.lr[n]);

	return best < running(vcpu) ? best : 0x100;
}

/* ---- steps: the model's and the device's ----------------------------------------------------- */

static uint64_t base_of(uint32_t vcpu, uint32_t id)
{
	return id < 32 ? GICR_SGI(vcpu) : GICD;
}

/* Some interrupts are busier than others, so that states combine. */
static uint32_t any_id(void)
{
	return pick(3) == 0 ? pick(IDS) : 16 + pick(4) * 8 + pick(3);
}

static void step_line(uint32_t vcpu, uint32_t id)
{
	struct model_irq *irq = irq_of(vcpu, id);
	bool level = pick(2) != 0;

	if (id < 16)
		return;
	(void)on(pick(VCPUS));
	if (id < 32)
		CHECK_EQ(axvm_irq_set_private(&rig_vcpus[vcpu], id, level), 0);
	else
		CHECK_EQ(axvm_irq_set_level(&rig_vm, id, level), 0);
	if (level && !irq->level && irq->edge)
		irq->latch = true;
	irq->level = level;
}

static void step_inject(uint32_t vcpu, uint32_t id)
{
	(void)on(pick(VCPUS));
	CHECK_EQ(axvm_irq_inject(&rig_vm, 1ULL << vcpu, id), 0);
	irq_of(vcpu, id)->latch = true;
}

static void step_sgi(uint32_t vcpu, uint32_t id)
{
	uint32_t list = pick(8);

	axvm_vgic_send_sgi(on(vcpu), (uint64_t)(id % 16) << 24 | list, true);
	for (uint32_t i = 0; i < VCPUS; i++) {
		if ((list >> i & 1) != 0)
			private_irqs[i][id % 16].latch = true;
	}
}

static void step_enable(uint32_t vcpu, uint32_t id)
{
	bool enable = pick(3) != 0;
	uint64_t base = base_of(vcpu, id);

	mmio_write(pick(VCPUS), enable ? ISENABLER(base, id) : ICENABLER(base, id), 4, BIT(id));
	irq_of(vcpu, id)->enabled = enable;
}

static void step_pend(uint32_t vcpu, uint32_t id)
{
	bool set = pick(2) != 0;
	uint64_t base = base_of(vcpu, id);

	mmio_write(pick(VCPUS), set ? ISPENDR(base, id) : ICPENDR(base, id), 4, BIT(id));
	irq_of(vcpu, id)->latch = set;
}

/* Only on what is idle: a change of trigger or priority is UNKNOWN in effect otherwise. */
static bool is_idle(uint32_t vcpu, uint32_t id)
{
	const struct model_irq *irq = irq_of(vcpu, id);

	return !is_pending(irq) && !irq->active && !irq->level;
}

static void step_priority(uint32_t vcpu, uint32_t id)
{
	uint8_t priority = (uint8_t)(pick(31) << 3);

	if (!is_idle(vcpu, id))
		return;
	mmio_write(pick(VCPUS), IPRIORITYR(base_of(vcpu, id), id), 1, priority);
	irq_of(vcpu, id)->priority = priority;
}

static void step_trigger(uint32_t vcpu, uint32_t id)
{
	uint64_t addr = ICFGR(base_of(vcpu, id), id);
	uint32_t bit = 2u << id % 16 * 2;
	bool edge = pick(2) != 0;

	if (id < 16 || !is_idle(vcpu, id))
		return;
	uint32_t value = (uint32_t)mmio_read(vcpu, addr, 4);

	mmio_write(vcpu, addr, 4, edge ? value | bit : value & ~bit);
	irq_of(vcpu, id)->edge = edge;
}

static void step_route(uint32_t vcpu, uint32_t id)
{
	if (id < 32)
		return;
	mmio_write(pick(VCPUS), IROUTER(id), 8, vcpu);
	shared_irqs[id].route = vcpu;
}

static void step_ack(uint32_t vcpu, uint32_t id)
{
	uint32_t expected = model_best(vcpu);

	if (nested[vcpu].count == NEST)
		return;
	id = ack_above(vcpu, running(vcpu));
	if (id == 1023) {
		CHECK_EQ(expected, 0x100);
		return;
	}
	struct model_irq *irq = irq_of(vcpu, id);

	CHECK_EQ(irq->priority, expected);
	CHECK(is_pending(irq) && irq->enabled && !irq->active);
	irq->active = true;
	irq->latch = false;
	nested[vcpu].ids[nested[vcpu].count] = id;
	nested[vcpu].priorities[nested[vcpu].count++] = irq->priority;
}

static void step_eoi(uint32_t vcpu, uint32_t id)
{
	(void)id;
	if (nested[vcpu].count == 0)
		return;
	id = nested[vcpu].ids[--nested[vcpu].count];
	irq_of(vcpu, id)->active = false;
	eoi(vcpu, id);
}

static void step_move(uint32_t vcpu, uint32_t id)
{
	(void)id;
	rig_unbind(vcpu);
	rig_bind(vcpu);
}

static void (*const steps[])(uint32_t vcpu, uint32_t id) = {
	step_line,   step_line, step_line,     step_inject,  step_inject, step_sgi,  step_enable,
	step_enable, step_pend, step_priority, step_trigger, step_route,  step_ack,  step_ack,
	step_ack,    step_ack,	step_eoi,      step_eoi,     step_eoi,	  step_move,
};

/* ---- comparison --------------------------------------------------------------------------------- */

static bool check_word(uint32_t vcpu, uint32_t word)
{
	uint64_t base = base_of(vcpu, word * 32);
	uint32_t pending = 0;
	uint32_t active = 0;

	for (uint32_t i = 0; i < 32; i++) {
		const struct model_irq *irq = irq_of(vcpu, word * 32 + i);

		pending |= (uint32_t)is_pending(irq) << i;
		active |= (uint32_t)irq->active << i;
	}
	/* What vCPUs hold is as of their last sync: let each have one, as any exit may. */
	uint32_t read_pending = (uint32_t)mmio_read(vcpu, ISPENDR(base, word * 32), 4);
	uint32_t read_active = (uint32_t)mmio_read(vcpu, ISACTIVER(base, word * 32), 4);

	CHECK_EQ(read_pending, pending);
	CHECK_EQ(read_active, active);
	return read_pending == pending && read_active == active;
}

static bool check_all(void)
{
	bool same = true;

	for (uint32_t i = 0; i < VCPUS; i++)
		axvm_vgic_refill(on(i));
	serve_all();
	for (uint32_t i = 0; i < VCPUS; i++)
		same = check_word(i, 0) && same;
	for (uint32_t word = 1; word < IDS / 32; word++)
		same = check_word(0, word) && same;
	return same;
}

static void start_model(void)
{
	rig_start(VCPUS);
	gic_on();
	memset(private_irqs, 0, sizeof(private_irqs));
	memset(shared_irqs, 0, sizeof(shared_irqs));
	memset(nested, 0, sizeof(nested));
	for (uint32_t id = 0; id < IDS; id++) {
		for (uint32_t i = 0; i < VCPUS; i++) {
			irq_of(i, id)->priority = 0xa0;
			irq_of(i, id)->edge = id < 16;
		}
	}
}

static void run_trace(uint64_t seed, uint32_t lr_count, uint32_t length)
{
	start_model();
	state = seed * 0x9e3779b97f4a7c15ULL | 1;
	for (uint32_t i = 0; i < VCPUS; i++)
		rig_vcpus[i].arch.vgic.lr_count = lr_count;
	for (uint32_t at = 0; at < length; at++) {
		uint32_t which = pick(sizeof(steps) / sizeof(steps[0]));
		bool same = true;

		steps[which](pick(VCPUS), any_id());
		serve_all();
		for (uint32_t i = 0; i < VCPUS; i++) {
			CHECK_EQ(device_best(i), model_best(i));
			same = same && device_best(i) == model_best(i);
		}
		if (!same || (at % 8 == 7 && !check_all())) {
			axtest_puts("# seed ");
			axtest_put_dec(seed);
			axtest_puts(", list registers ");
			axtest_put_dec(lr_count);
			axtest_puts(", step ");
			axtest_put_dec(at);
			axtest_puts(", kind ");
			axtest_put_dec(which);
			axtest_puts("\n");
			break;
		}
	}
	rig_end();
}

TEST(random_traces_agree_with_the_specification_with_4_list_registers)
{
	for (uint64_t seed = 1; seed <= 40; seed++)
		run_trace(seed, 4, 600);
}

TEST(random_traces_agree_with_the_specification_with_1_list_register)
{
	for (uint64_t seed = 100; seed <= 140; seed++)
		run_trace(seed, 1, 600);
}

TEST(random_traces_agree_with_the_specification_with_16_list_registers)
{
	for (uint64_t seed = 200; seed <= 220; seed++)
		run_trace(seed, 16, 600);
}

AXTEST_MAIN(random_traces_agree_with_the_specification_with_4_list_registers,
	    random_traces_agree_with_the_specification_with_1_list_register,
	    random_traces_agree_with_the_specification_with_16_list_registers)
