/* SPDX-License-Identifier: Apache-2.0 */
/* The pair of 8259A (arch/x86_64/intc/pic.c), seen through its ports. [8259A] */
#include "intc/pic.h"

#include "port_vm.h"

enum { MASTER = 0x20, SLAVE = 0xa0, ELCR = 0x4d0 };
enum { EOI = 0x20, ROTATE_EOI = 0xa0, SPECIFIC = 0x60, ROTATE_SPECIFIC = 0xe0, PRIORITY = 0xc0 };
enum { READ_IRR = 0x0a, READ_ISR = 0x0b, POLL = 0x0c, SPECIAL_MASK = 0x68, NORMAL_MASK = 0x48 };
enum { AUTO_EOI = 2, SPECIAL_NESTED = 0x10 };

#define MASTER_VECTOR 0x30
#define SLAVE_VECTOR 0x38

static bool output;
static uint32_t output_rises;
static struct axvm_pic *pic;

static void (*meanwhile)(void); /* what another CPU does while this one tells the level */

void axvm_x86_64_pic_output(struct axvm_vm *vm, bool level)
{
	void (*other)(void) = meanwhile;

	CHECK_PTR_EQ(vm, &device_vm);
	CHECK_EQ(axvm_sim_held_locks(), 0);
	meanwhile = NULL;
	if (other)
		other();
	output_rises += level && !output;
	output = level;
}

static void make(void)
{
	device_vm_reset();
	output = false;
	output_rises = 0;
	REQUIRE_EQ(axvm_pic_make(&device_vm), 0);
	pic = device_vm.arch.pic;
}

static void initialise(uint16_t chip, uint8_t vector, uint8_t icw4)
{
	outb(chip, 0x11);
	outb(chip + 1, vector);
	outb(chip + 1, chip == MASTER ? 4 : 2);
	outb(chip + 1, 1u | icw4);
}

/* As Linux leaves it, all unmasked. */
static void begin(void)
{
	make();
	initialise(MASTER, MASTER_VECTOR, 0);
	initialise(SLAVE, SLAVE_VECTOR, 0);
}

static void set(uint32_t irq, bool level)
{
	CHECK_EQ(axvm_pic_set_level(pic, irq, level), 0);
}

static void pulse(uint32_t irq)
{
	set(irq, true);
	set(irq, false);
}

static uint8_t look(uint16_t chip, uint8_t what)
{
	outb(chip, what);
	return inb(chip);
}

static void eoi(uint32_t irq)
{
	if (irq >= 8)
		outb(SLAVE, EOI);
	outb(MASTER, EOI);
}

TEST(at_power_on_all_is_masked_and_quiet)
{
	make();
	CHECK_EQ(inb(MASTER + 1), 0xff);
	CHECK_EQ(inb(SLAVE + 1), 0xff);
	CHECK_EQ(inb(ELCR), 0);
	CHECK_EQ(inb(ELCR + 1), 0);
	pulse(0);
	pulse(15);
	CHECK(!output);
	device_end();
}

TEST(each_input_has_its_vector)
{
	begin();
	for (uint32_t irq = 0; irq < 16; irq++) {
		if (irq == 2)
			continue;
		pulse(irq);
		CHECK(output);
		CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + irq);
		CHECK(!output);
		CHECK_EQ(look(MASTER, READ_ISR), irq < 8 ? 1u << irq : 4u);
		CHECK_EQ(look(SLAVE, READ_ISR), irq < 8 ? 0u : 1u << (irq - 8));
		eoi(irq);
		CHECK_EQ(look(MASTER, READ_ISR), 0);
		CHECK_EQ(look(SLAVE, READ_ISR), 0);
	}
	initialise(MASTER, 0xff, 0); /* whose low bits are the input's */
	pulse(1);
	CHECK_EQ(axvm_pic_acknowledge(pic), 0xf9);
	CHECK_EQ(axvm_pic_set_level(pic, 2, true), AXVM_EINVAL);
	CHECK_EQ(axvm_pic_set_level(pic, 16, true), AXVM_EINVAL);
	CHECK(!output);
	device_end();
}

TEST(the_lower_input_is_served_first_and_the_slave_before_input_3)
{
	static const uint32_t order[] = { 0, 1, 8, 9, 10, 11, 12, 13, 14, 15, 3, 4, 5, 6, 7 };

	begin();
	for (unsigned i = 15; i-- > 0;)
		pulse(order[i]);
	for (unsigned i = 0; i < 15; i++) {
		CHECK(output);
		CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + order[i]);
		eoi(order[i]);
	}
	CHECK(!output);
	device_end();
}

TEST(only_a_higher_input_interrupts_one_in_service)
{
	begin();
	pulse(4);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 4);
	pulse(4);
	pulse(5);
	CHECK(!output);
	pulse(3);
	CHECK(output);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 3);
	CHECK_EQ(look(MASTER, READ_ISR), 0x18);
	outb(MASTER, EOI); /* of 3, the higher one */
	CHECK_EQ(look(MASTER, READ_ISR), 0x10);
	CHECK(!output);
	outb(MASTER, SPECIFIC | 4);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 4);
	outb(MASTER, EOI);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 5);
	device_end();
}

TEST(masks_hold_back_and_let_go)
{
	begin();
	outb(MASTER + 1, 0x10);
	CHECK_EQ(inb(MASTER + 1), 0x10);
	pulse(4);
	CHECK(!output);
	CHECK_EQ(look(MASTER, READ_IRR), 0x10);
	outb(MASTER + 1, 0);
	CHECK(output);
	outb(MASTER + 1, 0x10);
	CHECK(!output);
	outb(MASTER + 1, 4); /* the whole slave */
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 4);
	outb(MASTER, EOI);
	pulse(9);
	CHECK(!output);
	outb(MASTER + 1, 0);
	CHECK_EQ(axvm_pic_acknowledge(pic), SLAVE_VECTOR + 1);
	device_end();
}

TEST(an_edge_counts_once_and_a_level_as_long_as_it_lasts)
{
	begin();
	outb(ELCR, 0xff);
	outb(ELCR + 1, 0xff);
	CHECK_EQ(inb(ELCR), 0xf8); /* IRQ 0, 1, 2, 8 and 13 are edges */
	CHECK_EQ(inb(ELCR + 1), 0xde);
	set(1, true);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 1);
	outb(MASTER, EOI);
	CHECK(!output);
	set(5, true);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(output);
		CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 5);
		CHECK(!output);
		outb(MASTER, EOI);
	}
	set(5, false);
	CHECK(!output);
	set(10, true);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(output);
		CHECK_EQ(axvm_pic_acknowledge(pic), SLAVE_VECTOR + 2);
		eoi(10);
	}
	device_end();
}

TEST(what_is_gone_before_it_is_acknowledged_is_input_7)
{
	begin();
	outb(ELCR, 0x20);
	outb(ELCR + 1, 4);
	set(5, true);
	CHECK(output);
	set(5, false);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 7);
	CHECK_EQ(look(MASTER, READ_ISR), 0); /* so a guest tells it from a real one */

	set(10, true);
	set(10, false);
	CHECK_EQ(axvm_pic_acknowledge(pic), SLAVE_VECTOR + 7);
	CHECK_EQ(look(SLAVE, READ_ISR), 0);
	CHECK_EQ(look(MASTER, READ_ISR), 4); /* the master's is real */
	outb(MASTER, EOI);
	CHECK(!output);
	device_end();
}

TEST(rotation_gives_the_served_one_the_lowest_priority)
{
	begin();
	pulse(0);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR);
	pulse(0);
	pulse(1);
	outb(MASTER, ROTATE_EOI);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 1);
	outb(MASTER, ROTATE_SPECIFIC | 1);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR);
	outb(MASTER, EOI);
	outb(MASTER, PRIORITY | 4); /* 5 is the highest now */
	pulse(4);
	pulse(6);
	pulse(5);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 5);
	outb(MASTER, EOI);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 6);
	outb(MASTER, EOI);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 4);
	device_end();
}

TEST(automatic_eoi_leaves_nothing_in_service_and_may_rotate)
{
	begin();
	initialise(MASTER, MASTER_VECTOR, AUTO_EOI);
	pulse(3);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 3);
	CHECK_EQ(look(MASTER, READ_ISR), 0);
	outb(MASTER, 0x80); /* rotates from now on */
	pulse(3);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 3);
	pulse(3);
	pulse(4);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 4);
	outb(MASTER, 0); /* and no longer: 5 is the highest, 3 and then 4 are the last */
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 3);
	pulse(4);
	pulse(3);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 3);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 4);
	device_end();
}

TEST(in_the_special_mask_mode_a_masked_input_in_service_blocks_nobody)
{
	begin();
	pulse(3);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 3);
	pulse(6);
	outb(MASTER + 1, 8);
	CHECK(!output);
	outb(MASTER, SPECIAL_MASK);
	CHECK(output);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 6);
	outb(MASTER, EOI); /* not of 3 */
	CHECK_EQ(look(MASTER, READ_ISR), 8);
	outb(MASTER, EOI);
	CHECK_EQ(look(MASTER, READ_ISR), 8);
	pulse(6);
	outb(MASTER, NORMAL_MASK);
	CHECK(!output);
	outb(MASTER, EOI);
	CHECK(output);
	device_end();
}

TEST(in_the_special_nested_mode_the_slave_interrupts_itself)
{
	begin();
	pulse(12);
	CHECK_EQ(axvm_pic_acknowledge(pic), SLAVE_VECTOR + 4);
	pulse(9);
	CHECK(!output);
	outb(SLAVE, EOI);
	outb(MASTER, EOI);
	CHECK_EQ(axvm_pic_acknowledge(pic), SLAVE_VECTOR + 1);

	begin();
	initialise(MASTER, MASTER_VECTOR, SPECIAL_NESTED);
	pulse(12);
	CHECK_EQ(axvm_pic_acknowledge(pic), SLAVE_VECTOR + 4);
	pulse(4);
	CHECK(!output);
	pulse(9);
	CHECK(output);
	CHECK_EQ(axvm_pic_acknowledge(pic), SLAVE_VECTOR + 1);
	device_end();
}

TEST(a_poll_acknowledges)
{
	begin();
	outb(MASTER, POLL);
	CHECK_EQ(inb(MASTER), 0);
	pulse(6);
	outb(MASTER, POLL);
	CHECK_EQ(inb(MASTER), 0x86);
	CHECK(!output);
	CHECK_EQ(inb(MASTER + 1), 0); /* one read only: this is the mask */
	CHECK_EQ(look(MASTER, READ_ISR), 0x40);
	outb(MASTER, EOI);
	pulse(11);
	CHECK(output);
	outb(SLAVE, POLL);
	CHECK_EQ(inb(SLAVE + 1), 0x83);
	CHECK(!output);
	outb(SLAVE, EOI);
	CHECK(!output);
	pulse(11);
	CHECK_EQ(axvm_pic_acknowledge(pic), SLAVE_VECTOR + 3);
	device_end();
}

TEST(an_initialisation_forgets_edges_masks_and_modes_but_no_levels)
{
	begin();
	outb(ELCR, 0x20);
	set(5, true);
	set(3, true);
	outb(MASTER + 1, 0xff);
	outb(MASTER, SPECIAL_MASK);
	outb(MASTER, READ_ISR);
	initialise(MASTER, MASTER_VECTOR, 0);
	CHECK_EQ(inb(MASTER), 0x20); /* IRR again, without the edge */
	CHECK_EQ(inb(MASTER + 1), 0);
	CHECK_EQ(inb(ELCR), 0x20);
	CHECK(output);
	set(3, false);
	set(3, true);
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 3);
	device_end();
}

TEST(shorter_initialisations_end_where_icw1_says)
{
	begin();
	outb(MASTER, 0x12); /* single, no ICW4 */
	outb(MASTER + 1, 0x50);
	outb(MASTER + 1, 0xaa); /* the mask already */
	CHECK_EQ(inb(MASTER + 1), 0xaa);
	outb(MASTER, 0x13);
	outb(MASTER + 1, 0x50);
	outb(MASTER + 1, 1);
	outb(MASTER + 1, 0x55);
	CHECK_EQ(inb(MASTER + 1), 0x55);
	outb(MASTER, 0x10);
	outb(MASTER + 1, 0x50);
	outb(MASTER + 1, 4);
	outb(MASTER + 1, 0x33);
	CHECK_EQ(inb(MASTER + 1), 0x33);
	device_end();
}

TEST(a_reset_masks_all_and_keeps_the_inputs)
{
	begin();
	outb(ELCR, 0x20);
	set(5, true);
	CHECK(output);
	axvm_pic_reset(pic);
	CHECK(!output);
	CHECK_EQ(inb(MASTER + 1), 0xff);
	CHECK_EQ(inb(ELCR), 0);
	outb(ELCR, 0x20);
	outb(MASTER + 1, 0);
	CHECK(output);
	device_end();
}

static void lower_5(void)
{
	set(5, false);
	CHECK(!output);
}

static void raise_5(void)
{
	set(5, true);
	CHECK(output);
}

TEST(when_cpus_cross_the_last_word_is_right)
{
	begin();
	outb(ELCR, 0x20);
	meanwhile = lower_5;
	set(5, true);
	CHECK(!output);
	set(5, true);
	CHECK(output);
	meanwhile = raise_5;
	set(5, false);
	CHECK(output);
	initialise(MASTER, MASTER_VECTOR, AUTO_EOI);
	set(5, false);
	set(5, true);
	meanwhile = lower_5;
	CHECK_EQ(axvm_pic_acknowledge(pic), MASTER_VECTOR + 5);
	CHECK(!output);
	device_end();
}

/* ---- random traces against an executable specification of a chip with all options off ------------ */

struct model {
	uint8_t irr, isr, imr, lines, levels;
};

static int model_winner(const struct model *chip)
{
	for (int input = 0; input < 8; input++) {
		uint32_t mask = 1u << input;
		uint32_t wants = (chip->irr & ~chip->levels) | (chip->lines & chip->levels);

		if (chip->isr & mask)
			return -1;
		if (wants & mask & ~chip->imr)
			return input;
	}
	return -1;
}

static void model_set(struct model *chip, uint32_t input, bool level)
{
	uint32_t mask = 1u << input;

	if (level && !(chip->lines & mask))
		chip->irr |= (uint8_t)mask;
	chip->lines = (uint8_t)(level ? chip->lines | mask : chip->lines & ~mask);
}

static int model_take(struct model *chip)
{
	int input = model_winner(chip);

	if (input >= 0) {
		chip->irr &= (uint8_t) ~(1u << input);
		chip->isr |= (uint8_t)(1u << input);
	}
	return input;
}

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

static int model_acknowledge(struct model *master, struct model *slave)
{
	int input = model_take(master);

	if (input != 2)
		return MASTER_VECTOR + (input < 0 ? 7 : input);
	model_set(master, 2, false);
	input = model_take(slave);
	return SLAVE_VECTOR + (input < 0 ? 7 : input);
}

static void random_step(struct model *chips)
{
	uint32_t chip = draw(2);
	uint16_t port = chip ? SLAVE : MASTER;
	uint32_t irq = draw(16);

	switch (draw(6)) {
	case 0:
	case 1:
		if (irq != 2) {
			bool level = draw(2);

			set(irq, level);
			model_set(&chips[irq / 8], irq % 8, level);
		}
		break;
	case 2:
		chips[chip].imr = (uint8_t)(draw(256) & draw(256));
		outb(port + 1, chips[chip].imr);
		break;
	case 3:
		outb(port, EOI);
		chips[chip].isr &= (uint8_t)(chips[chip].isr - 1);
		break;
	case 4:
		CHECK_EQ(axvm_pic_acknowledge(pic), model_acknowledge(&chips[0], &chips[1]));
		break;
	default:
		outb(port, SPECIFIC | (irq & 7));
		chips[chip].isr &= (uint8_t) ~(1u << (irq & 7));
		break;
	}
	model_set(&chips[0], 2, model_winner(&chips[1]) >= 0);
}

TEST(random_traces_agree_with_the_model)
{
	for (random_state = 1; random_state < 20;) {
		struct model chips[2] = { { .levels = 0x60 }, { .levels = 0x0c } };
		uint32_t seed = random_state;

		begin();
		outb(ELCR, 0x60);
		outb(ELCR + 1, 0x0c);
		for (unsigned i = 0; i < 3000; i++) {
			random_step(chips);
			CHECK_EQ(output, model_winner(&chips[0]) >= 0);
			CHECK_EQ(look(MASTER, READ_ISR), chips[0].isr);
			CHECK_EQ(look(SLAVE, READ_ISR), chips[1].isr);
		}
		device_end();
		random_state = seed + 1;
	}
}

/* Each value to each port in each width: what comes out is a vector of the guest's choice. */
TEST(wild_accesses_are_survived)
{
	static const uint16_t ports[] = { MASTER, MASTER + 1, SLAVE, SLAVE + 1, ELCR, ELCR + 1 };

	begin();
	random_state = 7;
	for (unsigned i = 0; i < 30000; i++) {
		uint16_t port = ports[draw(6)];

		if (port & 1)
			outb(port, draw(256));
		else
			port_write(port, 1u + draw(2), draw(65536));
		(void)axvm_pic_set_level(pic, draw(20), draw(2));
		CHECK_EQ(inb(ports[draw(6)]) & ~0xffu, 0);
		if (output)
			(void)axvm_pic_acknowledge(pic);
	}
	axvm_pic_reset(pic);
	CHECK(!output);
	device_end();
}

TEST(without_memory_or_ports_it_is_not_made)
{
	device_vm_reset();
	device_vm.budget.limit_pages = 0;
	CHECK_EQ(axvm_pic_make(&device_vm), AXVM_ENOMEM);
	CHECK(device_vm.arch.pic == NULL);
	device_end();

	begin();
	CHECK_EQ(axvm_pic_make(&device_vm), AXVM_EEXIST);
	device_end();
}

AXTEST_MAIN(at_power_on_all_is_masked_and_quiet, each_input_has_its_vector,
	    the_lower_input_is_served_first_and_the_slave_before_input_3,
	    only_a_higher_input_interrupts_one_in_service, masks_hold_back_and_let_go,
	    an_edge_counts_once_and_a_level_as_long_as_it_lasts,
	    what_is_gone_before_it_is_acknowledged_is_input_7,
	    rotation_gives_the_served_one_the_lowest_priority,
	    automatic_eoi_leaves_nothing_in_service_and_may_rotate,
	    in_the_special_mask_mode_a_masked_input_in_service_blocks_nobody,
	    in_the_special_nested_mode_the_slave_interrupts_itself, a_poll_acknowledges,
	    an_initialisation_forgets_edges_masks_and_modes_but_no_levels,
	    shorter_initialisations_end_where_icw1_says, a_reset_masks_all_and_keeps_the_inputs,
	    when_cpus_cross_the_last_word_is_right, random_traces_agree_with_the_model,
	    wild_accesses_are_survived, without_memory_or_ports_it_is_not_made)
