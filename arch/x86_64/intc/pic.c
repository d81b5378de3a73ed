// SPDX-License-Identifier: Apache-2.0
/*
 * The pair of 8259A [8259A]. One structure for each chip, one lock for both; what goes out to the CPU
 * is handed on after the lock is dropped, because the local APIC and the IOAPIC have locks of their own.
 */
#include "pic.h"

#include <stdatomic.h>

#include <axvm/vm.h>

#include "vm_state.h"

enum pic_port { /* offsets within the device, whatever the port */
		MASTER_COMMAND = 0,
		MASTER_DATA = 1,
		SLAVE_COMMAND = 2,
		SLAVE_DATA = 3,
		ELCR_MASTER = 4,
		ELCR_SLAVE = 5,
};

enum {
	ICW1 = 1 << 4, /* written to the command port: the initialisation begins */
	ICW1_SINGLE = 1 << 1,
	ICW1_ICW4 = 1 << 0,
	ICW4_SPECIAL_NESTED = 1 << 4,
	ICW4_AUTO_EOI = 1 << 1,
	OCW3 = 1 << 3,
	OCW3_POLL = 1 << 2,
	OCW3_READ = 1 << 1,
	OCW3_READ_ISR = 1 << 0,
	OCW3_MASK_CHANGE = 1 << 6,
	OCW3_MASK_SPECIAL = 1 << 5,
	POLL_PENDING = 1 << 7,
};

enum pic_eoi { /* bits 7:5 of OCW2 */
	       ROTATE_AUTO_CLEAR = 0,
	       EOI = 1,
	       EOI_SPECIFIC = 3,
	       ROTATE_AUTO_SET = 4,
	       ROTATE_EOI = 5,
	       SET_PRIORITY = 6,
	       ROTATE_EOI_SPECIFIC = 7,
};

enum pic_step { READY, WANTS_ICW2, WANTS_ICW3, WANTS_ICW4 };

#define CASCADE 2u	      /* the master's input that is the slave's output */
#define ELCR_MASTER_BITS 0xf8 /* IRQ 0, 1 and 2 are always edges; so are 8 and 13 */
#define ELCR_SLAVE_BITS 0xde

struct pic_chip {
	uint8_t lines;	/* the inputs as they are */
	uint8_t edges;	/* that rose, not acknowledged */
	uint8_t levels; /* ELCR: these inputs are sensitive to levels */
	uint8_t elcr_bits;
	uint8_t imr;
	uint8_t isr;
	uint8_t vector;	 /* of input 0 */
	uint8_t lowest;	 /* the input of the lowest priority; the next one has the highest */
	uint8_t step;	 /* enum pic_step */
	bool single;	 /* no ICW3 */
	bool wants_icw4; /* ICW1 said so */
	bool auto_eoi;
	bool rotates; /* with each automatic EOI */
	bool special_nested;
	bool special_mask;
	bool reads_isr;
	bool polls; /* the next read is an acknowledgement */
	bool output;
};

struct axvm_pic {
	struct axvm_lock lock;
	struct pic_chip master; /* both under the lock */
	struct pic_chip slave;
	_Atomic bool output; /* of the master; changed under the lock */
	struct axvm_device device;
};

static uint8_t bit(uint32_t input)
{
	return (uint8_t)(1u << (input & 7));
}

static uint8_t requests(const struct pic_chip *chip)
{
	return (uint8_t)((chip->edges & ~chip->levels) | (chip->lines & chip->levels));
}

/* 0 for the input of the highest priority. */
static uint32_t rank(const struct pic_chip *chip, uint32_t input)
{
	return (input - chip->lowest - 1u) & 7;
}

/* The input of the highest priority among the bits; 8: there is none. */
static uint32_t highest(const struct pic_chip *chip, uint8_t bits)
{
	for (uint32_t i = 1; i <= 8; i++) {
		uint32_t input = (chip->lowest + i) & 7;

		if (bits & bit(input))
			return input;
	}
	return 8;
}

/* In the special mask mode a masked input blocks nobody, and no unspecific EOI ends it. */
static uint8_t in_service(const struct pic_chip *chip)
{
	return (uint8_t)(chip->special_mask ? chip->isr & ~chip->imr : chip->isr);
}

/* The input that the chip asks its CPU to serve; 8: none. */
static uint32_t winner(const struct axvm_pic *pic, const struct pic_chip *chip)
{
	uint32_t wants = highest(chip, (uint8_t)(requests(chip) & ~chip->imr));
	uint32_t served = highest(chip, in_service(chip));

	if (wants == 8 || served == 8)
		return wants;
	if (rank(chip, wants) < rank(chip, served))
		return wants;
	/* The slave knows its own priorities: with its input in service it may interrupt again. */
	bool again = chip == &pic->master && chip->special_nested && wants == CASCADE;

	return again && served == CASCADE ? wants : 8;
}

static void set_line(struct pic_chip *chip, uint32_t input, bool level)
{
	if (!level) {
		chip->lines &= (uint8_t)~bit(input);
		return;
	}
	chip->edges |= (uint8_t)(bit(input) & ~chip->lines);
	chip->lines |= bit(input);
}

/* From the slave's inputs to the master's output. */
static void update(struct axvm_pic *pic)
{
	pic->slave.output = winner(pic, &pic->slave) != 8;
	set_line(&pic->master, CASCADE, pic->slave.output);
	pic->master.output = winner(pic, &pic->master) != 8;
	atomic_store_explicit(&pic->output, pic->master.output, memory_order_seq_cst);
}

/*
 * Whoever tells an old level looks again afterwards, so the last word is right, though calls of several
 * CPUs cross. It is repeated as often as another CPU changes the output meanwhile.
 */
static void hand_on(struct axvm_pic *pic)
{
	bool level;

	do {
		level = atomic_load_explicit(&pic->output, memory_order_seq_cst);
		axvm_x86_64_pic_output(pic->device.vm, level);
	} while (level != atomic_load_explicit(&pic->output, memory_order_seq_cst));
}

static void unlock_and_hand_on(struct axvm_pic *pic, bool before)
{
	bool changed = pic->master.output != before;

	axvm_lock_drop(&pic->lock);
	if (changed)
		hand_on(pic);
}

int axvm_pic_set_level(struct axvm_pic *pic, uint32_t irq, bool level)
{
	if (irq > 15 || irq == CASCADE)
		return AXVM_EINVAL;
	axvm_lock_take(&pic->lock);
	bool before = pic->master.output;

	set_line(irq < 8 ? &pic->master : &pic->slave, irq & 7, level);
	update(pic);
	unlock_and_hand_on(pic, before);
	return 0;
}

/* One INTA to one chip; the output falls with it, so what waits behind is an edge again. */
static uint32_t acknowledge(struct axvm_pic *pic, struct pic_chip *chip)
{
	uint32_t input = winner(pic, chip);

	chip->output = false;
	if (chip == &pic->slave)
		set_line(&pic->master, CASCADE, false);
	if (input == 8)
		return 8;
	chip->edges &= (uint8_t)~bit(input);
	if (!chip->auto_eoi)
		chip->isr |= bit(input);
	else if (chip->rotates)
		chip->lowest = (uint8_t)input;
	return input;
}

uint8_t axvm_pic_acknowledge(struct axvm_pic *pic)
{
	axvm_lock_take(&pic->lock);
	struct pic_chip *chip = &pic->master;
	uint32_t input = acknowledge(pic, chip);

	if (input == CASCADE) {
		chip = &pic->slave;
		input = acknowledge(pic, chip);
	}
	/* Nothing there any more: input 7, which is then not in service. */
	uint8_t vector = (uint8_t)(chip->vector | (input == 8 ? 7 : input));

	update(pic);
	axvm_lock_drop(&pic->lock);
	axvm_x86_64_pic_output(pic->device.vm, false);
	hand_on(pic);
	return vector;
}

/* A poll of the slave is its acknowledgement; the request that the master holds of it goes too. */
static uint8_t poll(struct axvm_pic *pic, struct pic_chip *chip)
{
	uint32_t input = acknowledge(pic, chip);

	chip->polls = false;
	if (chip == &pic->slave)
		pic->master.edges &= (uint8_t)~bit(CASCADE);
	update(pic);
	return input == 8 ? 0 : (uint8_t)(POLL_PENDING | input);
}

static uint8_t read_chip(struct axvm_pic *pic, struct pic_chip *chip, bool data)
{
	if (chip->polls)
		return poll(pic, chip);
	if (data)
		return chip->imr;
	return chip->reads_isr ? chip->isr : requests(chip);
}

static uint64_t pic_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes)
{
	struct axvm_pic *pic = device->state;
	struct pic_chip *chip = offset & 2 ? &pic->slave : &pic->master;
	uint8_t value;

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&pic->lock);
	bool before = pic->master.output;

	if (offset >= ELCR_MASTER)
		value = (offset == ELCR_MASTER ? &pic->master : &pic->slave)->levels;
	else
		value = read_chip(pic, chip, offset & 1);
	unlock_and_hand_on(pic, before);
	return value;
}

/* What ICW1 does at once [8259A]; the lines and the ELCR are not of the chip. */
static void initialise(struct pic_chip *chip, uint8_t icw1)
{
	*chip = (struct pic_chip){
		.lines = chip->lines,
		.levels = chip->levels,
		.elcr_bits = chip->elcr_bits,
		.vector = chip->vector,
		.output = chip->output,
		.lowest = 7,
		.step = WANTS_ICW2,
		.single = icw1 & ICW1_SINGLE,
		.wants_icw4 = icw1 & ICW1_ICW4,
	};
}

static void end_of_interrupt(struct pic_chip *chip, uint32_t input, bool rotate)
{
	if (input == 8)
		return;
	chip->isr &= (uint8_t)~bit(input);
	if (rotate)
		chip->lowest = (uint8_t)input;
}

static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	uint32_t command = value >> 5;

	switch (command) {
	case ROTATE_AUTO_CLEAR:
	case ROTATE_AUTO_SET:
		chip->rotates = command == ROTATE_AUTO_SET;
		break;
	case EOI:
	case ROTATE_EOI:
		end_of_interrupt(chip, highest(chip, in_service(chip)), command == ROTATE_EOI);
		break;
	case EOI_SPECIFIC:
	case ROTATE_EOI_SPECIFIC:
		end_of_interrupt(chip, value & 7, command == ROTATE_EOI_SPECIFIC);
		break;
	case SET_PRIORITY:
		chip->lowest = value & 7;
		break;
	default:
		break;
	}
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & OCW3_MASK_CHANGE)
		chip->special_mask = value & OCW3_MASK_SPECIAL;
	if (value & OCW3_POLL)
		chip->polls = true;
	else if (value & OCW3_READ)
		chip->reads_isr = value & OCW3_READ_ISR;
}

static void write_command(struct pic_chip *chip, uint8_t value)
{
	if (value & ICW1)
		initialise(chip, value);
	else if (value & OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
}

static void write_data(struct pic_chip *chip, uint8_t value)
{
	switch (chip->step) {
	case WANTS_ICW2:
		chip->vector = value & 0xf8;
		chip->step = chip->single ? WANTS_ICW4 : WANTS_ICW3;
		if (chip->single && !chip->wants_icw4)
			chip->step = READY;
		break;
	case WANTS_ICW3: /* how the two are wired is not the guest's to say */
		chip->step = chip->wants_icw4 ? WANTS_ICW4 : READY;
		break;
	case WANTS_ICW4:
		chip->auto_eoi = value & ICW4_AUTO_EOI;
		chip->special_nested = value & ICW4_SPECIAL_NESTED;
		chip->step = READY;
		break;
	default:
		chip->imr = value;
		break;
	}
}

/* An input that is high when it becomes sensitive to edges has not risen. */
static void write_elcr(struct pic_chip *chip, uint8_t value)
{
	chip->levels = value & chip->elcr_bits;
	chip->edges &= (uint8_t)~chip->levels;
}

static void pic_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		      unsigned bytes, uint64_t value)
{
	struct axvm_pic *pic = device->state;
	struct pic_chip *chip = offset & 2 ? &pic->slave : &pic->master;

	(void)vcpu;
	(void)bytes;
	axvm_lock_take(&pic->lock);
	bool before = pic->master.output;

	if (offset >= ELCR_MASTER)
		write_elcr(offset == ELCR_MASTER ? &pic->master : &pic->slave, (uint8_t)value);
	else if (offset & 1)
		write_data(chip, (uint8_t)value);
	else
		write_command(chip, (uint8_t)value);
	update(pic);
	unlock_and_hand_on(pic, before);
}

/* The manual leaves the power-on state open: all is masked until a guest has said its vectors. */
static void reset_chip(struct pic_chip *chip, uint8_t elcr_bits)
{
	*chip = (struct pic_chip){
		.lines = chip->lines,
		.elcr_bits = elcr_bits,
		.imr = 0xff,
		.lowest = 7,
	};
}

void axvm_pic_reset(struct axvm_pic *pic)
{
	axvm_lock_take(&pic->lock);
	reset_chip(&pic->master, ELCR_MASTER_BITS);
	reset_chip(&pic->slave, ELCR_SLAVE_BITS);
	update(pic);
	axvm_lock_drop(&pic->lock);
	hand_on(pic);
}

static const struct axvm_device_type pic_type = {
	.name = "pic",
	.read = pic_read,
	.write = pic_write,
};

static int attach(struct axvm_pic *pic, uint64_t port, uint64_t offset)
{
	return axvm_bus_attach(&pic->device.vm->arch.ports, &pic->device, port, 2, offset);
}

int axvm_pic_make(struct axvm_vm *vm)
{
	struct axvm_pic *pic = axvm_vm_alloc(vm, sizeof(*pic));

	if (!pic)
		return AXVM_ENOMEM;
	axvm_lock_init(&pic->lock, AXVM_LOCK_IRQ);
	pic->device =
		(struct axvm_device){ .type = &pic_type, .vm = vm, .name = "pic", .state = pic };
	reset_chip(&pic->master, ELCR_MASTER_BITS);
	reset_chip(&pic->slave, ELCR_SLAVE_BITS);
	int error = attach(pic, 0x20, MASTER_COMMAND);

	if (error == 0)
		error = attach(pic, 0xa0, SLAVE_COMMAND);
	if (error == 0)
		error = attach(pic, 0x4d0, ELCR_MASTER);
	if (error == 0)
		vm->arch.pic = pic;
	return error;
}
