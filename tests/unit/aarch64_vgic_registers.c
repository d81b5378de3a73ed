/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual GICv3: its registers, its reset, and accesses of every kind. */
#include "aarch64_rig.h"

#include <axvm/irq.h>

/* ---- registers ------------------------------------------------------------------------------ */

TEST(a_register_has_its_value_after_reset)
{
	static const struct {
		uint64_t addr;
		uint8_t bytes;
		uint64_t value;
	} table[] = {
		{ GICD + 0x0000, 4, 0x50 },	  /* CTLR: ARE, DS */
		{ GICD + 0x0004, 4, 0x07480008 }, /* TYPER: 288 lines, 10 bits, A3V, No1N, RSS */
		{ GICD + 0x0008, 4, 0x4100043b }, /* IIDR */
		{ GICD + 0x000c, 4, 0 },	  /* TYPER2 */
		{ GICD + 0x0010, 4, 0 },	  /* STATUSR */
		{ GICD + 0x0080, 4, 0 },	  /* IGROUPR0 is the redistributor's */
		{ GICD + 0x0084, 4, 0 },
		{ GICD + 0x0104, 4, 0 },
		{ GICD + 0x0420, 4, 0 },
		{ GICD + 0x0820, 4, 0 }, /* ITARGETSR */
		{ GICD + 0x0c08, 4, 0 },
		{ GICD + 0x6100, 8, 0 }, /* IROUTER32 */
		{ GICD + 0xffe0, 4, 0x92 },
		{ GICD + 0xffe4, 4, 0xb4 },
		{ GICD + 0xffe8, 4, 0x3b }, /* PIDR2: GICv3 */
		{ GICD + 0xffd0, 4, 0x44 },
		{ GICD + 0xfff0, 4, 0x0d },
		{ GICD + 0xfff4, 4, 0xf0 },
		{ GICD + 0xfff8, 4, 0x05 },
		{ GICD + 0xfffc, 4, 0xb1 },
		{ GICR + 0x0000, 4, 0 },
		{ GICR + 0x0004, 4, 0x4100043b },
		{ GICR + 0x0008, 8, 0 },
		{ GICR + 0x0014, 4, 6 },	       /* WAKER: asleep */
		{ GICR + 0x20008, 8, 0x100000110ULL }, /* TYPER of the last: affinity 1, number 1 */
		{ GICR + 0x20008, 4, 0x110 },
		{ GICR + 0x2000c, 4, 1 },
		{ GICR + 0xffe8, 4, 0x3b },
		{ GICR + 0x10c00, 4, 0xaaaaaaaa }, /* ICFGR0: SGIs are edges */
		{ GICR + 0x10c04, 4, 0 },
	};

	rig_start(2);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_EQ(mmio_read(0, table[i].addr, table[i].bytes), table[i].value);
	rig_end();
}

TEST(bits_of_one_interrupt_are_set_and_cleared)
{
	rig_start(1);
	for (uint32_t id = 32; id < 288; id += 37) {
		wr(ISENABLER(GICD, id), BIT(id));
		CHECK_EQ(rd(ISENABLER(GICD, id)), BIT(id));
		CHECK_EQ(rd(ICENABLER(GICD, id)), BIT(id));
		wr(ICENABLER(GICD, id), BIT(id));
		CHECK_EQ(rd(ISENABLER(GICD, id)), 0);
		wr(ISPENDR(GICD, id), BIT(id));
		CHECK_EQ(rd(ICPENDR(GICD, id)), BIT(id));
		wr(ICPENDR(GICD, id), BIT(id));
		CHECK_EQ(rd(ISPENDR(GICD, id)), 0);
		wr(ISACTIVER(GICD, id), BIT(id));
		CHECK_EQ(rd(ICACTIVER(GICD, id)), BIT(id));
		wr(ICACTIVER(GICD, id), BIT(id));
		CHECK_EQ(rd(ISACTIVER(GICD, id)), 0);
		wr(IGROUPR(GICD, id), BIT(id));
		CHECK_EQ(rd(IGROUPR(GICD, id)), BIT(id));
		mmio_write(0, IPRIORITYR(GICD, id), 1, 0xff);
		CHECK_EQ(mmio_read(0, IPRIORITYR(GICD, id), 1), 0xf8);
		wr(ICFGR(GICD, id), 2u << id % 16 * 2);
		CHECK_EQ(rd(ICFGR(GICD, id)), 2u << id % 16 * 2);
		mmio_write(0, IROUTER(id), 8, 0xff12345678ULL);
		CHECK_EQ(mmio_read(0, IROUTER(id), 8), 0xff00345678ULL);
		CHECK_EQ(mmio_read(0, IROUTER(id), 4), 0x345678);
		CHECK_EQ(mmio_read(0, IROUTER(id) + 4, 4), 0xff);
		mmio_write(0, IROUTER(id) + 4, 4, 0);
		CHECK_EQ(mmio_read(0, IROUTER(id), 8), 0x345678);
	}
	rig_end();
}

TEST(priority_words_hold_four_bytes_of_five_bits)
{
	rig_start(1);
	wr(IPRIORITYR(GICD, 40), 0xff0780f0);
	CHECK_EQ(rd(IPRIORITYR(GICD, 40)), 0xf80080f0);
	CHECK_EQ(mmio_read(0, IPRIORITYR(GICD, 41), 1), 0x80);
	mmio_write(0, IPRIORITYR(GICD, 43), 1, 0x10);
	CHECK_EQ(rd(IPRIORITYR(GICD, 40)), 0x100080f0);
	wr(IPRIORITYR(GICR_SGI(0), 24), 0x11223344);
	CHECK_EQ(rd(IPRIORITYR(GICR_SGI(0), 24)), 0x10203040);
	rig_end();
}

TEST(accesses_of_undefined_size_or_place_are_raz_wi)
{
	static const struct {
		uint64_t addr;
		uint8_t bytes;
	} table[] = {
		{ GICD + 0x0004, 8 },  { GICD + 0x0004, 2 },  { GICD + 0x0004, 1 },
		{ GICD + 0x0006, 4 },  { GICD + 0x0104, 8 },  { GICD + 0x0105, 1 },
		{ GICD + 0x0420, 2 },  { GICD + 0x0420, 8 },  { GICD + 0x0421, 4 },
		{ GICD + 0x0100, 4 },  { GICD + 0x0124, 4 },  { GICD + 0x0400, 4 },
		{ GICD + 0x0520, 4 },  { GICD + 0x0c00, 4 },  { GICD + 0x0820, 4 },
		{ GICD + 0x0d04, 4 },  { GICD + 0x0e04, 4 },  { GICD + 0x0f00, 4 },
		{ GICD + 0x6000, 8 },  { GICD + 0x6104, 8 },  { GICD + 0x6100, 2 },
		{ GICD + 0x7fe0, 8 },  { GICD + 0x6900, 8 },  { GICD + 0x8000, 4 },
		{ GICR + 0x0070, 8 },  { GICR + 0x0078, 8 },  { GICR + 0x10084, 4 },
		{ GICR + 0x10102, 4 }, { GICR + 0x10420, 4 }, { GICR + 0x10e00, 4 },
		{ GICR + 0x10400, 2 }, { GICR + 0x1ffe8, 4 },
	};

	rig_start(1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mmio_write(0, table[i].addr, table[i].bytes, UINT64_MAX);
		CHECK_EQ(mmio_read(0, table[i].addr, table[i].bytes), 0);
	}
	rig_end();
}

TEST(the_waker_handshake_is_immediate)
{
	rig_start(1);
	wr(GICR + 0x14, 0);
	CHECK_EQ(rd(GICR + 0x14), 0);
	wr(GICR + 0x14, 2);
	CHECK_EQ(rd(GICR + 0x14), 6);
	rig_end();
}

TEST(sgis_are_edges_whatever_is_written)
{
	rig_start(1);
	wr(GICR_SGI(0) + 0xc00, 0);
	CHECK_EQ(rd(GICR_SGI(0) + 0xc00), 0xaaaaaaaa);
	wr(GICR_SGI(0) + 0xc04, UINT32_MAX);
	CHECK_EQ(rd(GICR_SGI(0) + 0xc04), 0xaaaaaaaa);
	rig_end();
}

/* ---- reset ------------------------------------------------------------------------------------------------ */

TEST(reset_forgets_everything)
{
	rig_start(2);
	gic_on();
	enable_spi(40);
	enable_spi(41);
	mmio_write(0, IROUTER(41), 8, 1);
	CHECK_EQ(axvm_irq_set_level(&rig_vm, 40, true), 0);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 41), 0);
	serve_all();
	CHECK_EQ(ack(1), 41);
	rig_unbind(0);
	rig_unbind(1);
	axvm_arch_vcpu_reset(&rig_vcpus[0], RAM, 0);
	axvm_vgic_device_type.reset(&rig_gic);
	axvm_arch_vcpu_reset(&rig_vcpus[1], RAM, 0);
	rig_bind(0);
	rig_bind(1);
	CHECK_EQ(rd(GICD_CTLR), 0x50);
	CHECK_EQ(rd(ISENABLER(GICD, 40)), 0);
	CHECK_EQ(rd(ISPENDR(GICD, 40)), 0);
	CHECK_EQ(rd(ISACTIVER(GICD, 40)), 0);
	CHECK_EQ(mmio_read(0, IROUTER(41), 8), 0);
	gic_on();
	enable_spi(40);
	CHECK_EQ(ack(0), 1023);
	rig_end();
}

TEST(a_vcpu_that_is_switched_on_again_leaves_its_interrupts_pending)
{
	rig_start(1);
	gic_on();
	enable_private(0, 4);
	enable_spi(40);
	axvm_vgic_send_sgi(on(0), 4ULL << 24 | 1, true);
	CHECK_EQ(axvm_irq_pulse(&rig_vm, 40), 0);
	serve_all();
	rig_unbind(0);
	axvm_arch_vcpu_reset(&rig_vcpus[0], RAM, 0);
	CHECK(axvm_arch_irq_pending(&rig_vcpus[0]));
	rig_bind(0);
	CHECK_EQ(ack(0), 4);
	CHECK_EQ(ack(0), 40);
	rig_end();
}

/* ---- anything ------------------------------------------------------------------------------------------------ */

static uint64_t random_state;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A hostile guest's accesses: the list registers must stay consistent with the words. */
TEST(wild_accesses_of_every_size_keep_the_controller_consistent)
{
	rig_start(3);
	random_state = 0x9e3779b97f4a7c15ULL;
	for (uint32_t round = 0; round < 200000; round++) {
		uint64_t value = random_next();
		uint32_t vcpu = (uint32_t)(value >> 60) % 3;
		uint8_t bytes = (uint8_t)(1u << (value >> 58 & 3));
		uint64_t offset = value % 0x70000;
		uint64_t addr = offset < 0x10000 ? GICD + offset : GICR + offset - 0x10000;

		addr = round % 4 == 0 ? addr & ~0xfULL : axvm_align_down(addr, bytes);
		if (round % 3 == 0)
			(void)mmio_read(vcpu, addr, bytes);
		else
			mmio_write(vcpu, addr, bytes, random_next());
		if (round % 16 == 1)
			(void)axvm_irq_set_level(&rig_vm, 32 + (uint32_t)random_next() % 300,
						 round % 32 == 1);
		if (round % 16 == 2)
			axvm_vgic_send_sgi(on(vcpu), random_next(), round % 32 == 2);
		if (round % 16 == 3)
			axvm_vgic_deactivate(on(vcpu), random_next() % 300);
		if (round % 8 == 4)
			serve_all();
		if (round % 8 == 5) {
			uint32_t id = ack(vcpu);

			if (id != 1023 && round % 24 != 5)
				eoi(vcpu, id);
		}
	}
	serve_all();
	for (uint32_t i = 0; i < 3; i++) {
		const struct axvm_vgic_cpu *cpu = &rig_vcpus[i].arch.vgic;

		for (uint32_t n = 0; n < cpu->lr_count; n++) {
			CHECK_EQ((cpu->lr_used >> n & 1) != 0 || LR_STATE(cpu->lr[n]) == 0, true);
			CHECK(LR_STATE(cpu->lr[n]) == 0 || (uint32_t)cpu->lr[n] < 288);
		}
		CHECK_EQ(cpu->lr_used >> cpu->lr_count, 0);
	}
	rig_end();
}

AXTEST_MAIN(a_register_has_its_value_after_reset, bits_of_one_interrupt_are_set_and_cleared,
	    priority_words_hold_four_bytes_of_five_bits,
	    accesses_of_undefined_size_or_place_are_raz_wi, the_waker_handshake_is_immediate,
	    sgis_are_edges_whatever_is_written, reset_forgets_everything,
	    a_vcpu_that_is_switched_on_again_leaves_its_interrupts_pending,
	    wild_accesses_of_every_size_keep_the_controller_consistent)
