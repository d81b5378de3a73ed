/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets the host's interrupts on riscv64: irq.c and common/lines.c over a controller that only counts. */
#include <pthread.h>

#include "fake_bare.h"

#include "../../../hal/bare/common/lines.c"
#include "../../../hal/bare/riscv64/irq.c"

#define SOURCES 96u
#define UART 10u
#define RTC 11u
#define OWN 12u
#define CPUS 3u

/* ---- the controller ------------------------------------------------------------------------------- */

static struct {
	_Atomic uint32_t opened, closed, completed;
	uint32_t open_cpu, routed_to, routes;
	bool open_edge;
	uint32_t queue[128];
	uint32_t queued, taken;
	uint32_t target_cpu, target_file, target_eiid; /* of axvm_bare_aplic_route */
	uint32_t served;
} seen;

static uint32_t fake_limit(void)
{
	return SOURCES + 1;
}

static void fake_cpu_init(struct axvm_cpu *cpu)
{
	(void)cpu;
}

static uint32_t fake_claim(struct axvm_cpu *cpu)
{
	(void)cpu;
	return seen.taken == seen.queued ? AXVM_IRQ_NONE : seen.queue[seen.taken++];
}

static void fake_open(uint32_t irq, bool edge, uint32_t cpu)
{
	CHECK(irq != 0 && irq <= SOURCES);
	seen.open_edge = edge;
	seen.open_cpu = cpu;
	atomic_fetch_add(&seen.opened, 1);
}

static void fake_close(uint32_t irq)
{
	CHECK(irq != 0 && irq <= SOURCES);
	atomic_fetch_add(&seen.closed, 1);
}

static void fake_route(uint32_t irq, uint32_t cpu)
{
	CHECK(irq != 0 && irq <= SOURCES);
	seen.routed_to = cpu;
	seen.routes++;
}

static void fake_complete(uint32_t irq)
{
	CHECK(irq != 0 && irq <= SOURCES);
	atomic_fetch_add(&seen.completed, 1);
}

static struct axvm_irq_chip fake_chip = {
	.limit = fake_limit,
	.cpu_init = fake_cpu_init,
	.claim = fake_claim,
	.open = fake_open,
	.close = fake_close,
	.route = fake_route,
	.complete = fake_complete,
};

static int tree_node;

int axvm_bare_irq_find_imsic(const void *fdt)
{
	(void)fdt;
	return -1;
}

int axvm_bare_irq_find_aplic(const void *fdt, int imsic)
{
	(void)fdt, (void)imsic;
	return -1;
}

int axvm_bare_irq_find_plic(const void *fdt)
{
	(void)fdt;
	return tree_node;
}

bool axvm_bare_irq_region(const void *fdt, int node, uint32_t index, struct axvm_irq_region *region)
{
	(void)fdt, (void)node, (void)index;
	*region = (struct axvm_irq_region){ 0xc000000, 0x600000 };
	return true;
}

const struct axvm_irq_chip *axvm_bare_plic_init(const void *fdt, int node, const char **why)
{
	(void)fdt, (void)node, (void)why;
	return &fake_chip;
}

const struct axvm_irq_chip *axvm_bare_aplic_init(const void *fdt, int node, bool msi,
						 const char **why)
{
	(void)fdt, (void)node, (void)msi, (void)why;
	return NULL;
}

bool axvm_bare_imsic_init(const void *fdt, int node, const char **why)
{
	(void)fdt, (void)node, (void)why;
	return false;
}

bool axvm_bare_imsic_owns(struct axvm_hpa hpa, uint64_t bytes)
{
	(void)hpa, (void)bytes;
	return false;
}

uint32_t axvm_bare_imsic_ids(void)
{
	return 255;
}

bool axvm_bare_imsic_has_file(uint32_t cpu, uint32_t file)
{
	return cpu < CPUS && file != 0 && file <= 3;
}

void axvm_bare_imsic_serve(const struct axvm_cpu *cpu)
{
	(void)cpu;
	seen.served++;
}

void axvm_bare_imsic_kick(const struct axvm_cpu *cpu)
{
	(void)cpu;
}

void axvm_bare_sbi_send_ipi(uint64_t mask)
{
	(void)mask;
}

void axvm_bare_aplic_route(uint32_t irq, uint32_t cpu, uint32_t file, uint32_t eiid)
{
	CHECK(irq != 0 && irq <= SOURCES);
	seen.target_cpu = cpu;
	seen.target_file = file;
	seen.target_eiid = eiid;
}

/* ---- VMs ------------------------------------------------------------------------------------------ */

static struct axvm_vm vms[2];
static struct axvm_vcpu first_vcpus[2];
static _Atomic bool alive[2];
static _Atomic uint32_t brought[2];
static int refusal;
static bool brought_edge;
static _Atomic bool hold_delivery;
static _Atomic bool inside_delivery;

int axvm_riscv64_host_interrupt(struct axvm_vm *vm, uint32_t irq, bool edge)
{
	uint32_t which = vm == &vms[0] ? 0 : 1;

	(void)irq;
	CHECK(atomic_load(&alive[which]));
	atomic_fetch_add(&brought[which], 1);
	brought_edge = edge;
	atomic_store(&inside_delivery, true);
	while (atomic_load(&hold_delivery))
		;
	CHECK(atomic_load(&alive[which]));
	return refusal;
}

static _Alignas(8) char device_tree[4096];

/* Two cells an interrupt, as an APLIC has: the RTC's is an edge. */
static void begin(enum axvm_riscv64_controller controller_kind)
{
	static const uint32_t interrupts[][2] = { { UART, 4 }, { RTC, 1 } };
	const char *why = NULL;

	fake_machine(CPUS);
	memset(&seen, 0, sizeof(seen));
	memset(lines, 0, sizeof(lines));
	memset(list, 0, sizeof(list));
	handler_count = 0;
	refusal = 0;
	fake_chip.controller = controller_kind;
	CHECK_EQ(fdt_create_empty_tree(device_tree, sizeof(device_tree)), 0);
	for (uint32_t i = 0; i < 2; i++) {
		int at = fdt_add_subnode(device_tree, 0, i == 0 ? "serial" : "rtc");
		CHECK(fdt_setprop_u32(device_tree, at, "interrupts", interrupts[i][0]) == 0 &&
		      fdt_appendprop_u32(device_tree, at, "interrupts", interrupts[i][1]) == 0);
		vms[i].vcpus[0] = &first_vcpus[i];
		atomic_store(&first_vcpus[i].cpu, AXVM_CPU_NONE);
		atomic_store(&alive[i], true);
		atomic_store(&brought[i], 0);
	}
	tree_node = fdt_add_subnode(device_tree, 0, "plic");
	CHECK_EQ(fdt_setprop_u32(device_tree, tree_node, "#interrupt-cells", 2), 0);
	CHECK(axvm_bare_irq_init(device_tree, &why));
}

static void arrive(uint32_t irq)
{
	seen.queue[seen.queued++] = irq;
	axvm_bare_irq_external(axvm_bare_this_cpu());
}

static uint32_t own_count;

static void own_handler(uint32_t irq)
{
	CHECK_EQ(irq, OWN);
	own_count++;
}

/* ---- who gets it ---------------------------------------------------------------------------------- */

TEST(a_line_is_one_vms_alone_and_the_hypervisors_own_is_no_vms)
{
	begin(AXVM_RISCV64_PLIC);
	CHECK(axvm_bare_irq_attach(OWN, false, own_handler));
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], OWN), AXVM_EPERM);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], 0), AXVM_EINVAL);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], SOURCES + 1), AXVM_EINVAL);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UINT32_MAX), AXVM_EINVAL);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	CHECK_EQ(axvm_hal_irq_attach(&vms[1], UART), AXVM_EBUSY);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), AXVM_EBUSY);
	axvm_hal_irq_detach(&vms[1], UART); /* not its own: nothing */
	CHECK_EQ(axvm_hal_irq_attach(&vms[1], UART), AXVM_EBUSY);
	CHECK_EQ(seen.closed, 0);
	axvm_hal_irq_detach(&vms[0], UART);
	CHECK_EQ(seen.closed, 1);
	CHECK_EQ(axvm_hal_irq_attach(&vms[1], UART), 0);
	axvm_hal_irq_detach(&vms[1], UART);
	axvm_hal_irq_detach(&vms[1], UART);
	CHECK_EQ(seen.closed, 2);
}

TEST(the_trigger_is_what_the_tree_says)
{
	begin(AXVM_RISCV64_APLIC);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	CHECK(!seen.open_edge);
	arrive(UART);
	CHECK(!brought_edge);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], RTC), 0);
	CHECK(seen.open_edge);
	arrive(RTC);
	CHECK(brought_edge);
	CHECK_EQ(axvm_bare_line_flags(UART), 4);
	CHECK_EQ(axvm_bare_line_flags(RTC), 1);
	CHECK_EQ(axvm_bare_line_flags(OWN), 0);
}

TEST(one_that_was_brought_is_the_guests_to_complete_and_once)
{
	begin(AXVM_RISCV64_PLIC);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	axvm_hal_riscv64_irq_complete(UART); /* nothing to complete */
	CHECK_EQ(seen.completed, 0);
	arrive(UART);
	CHECK_EQ(brought[0], 1);
	CHECK_EQ(seen.completed, 0);
	axvm_hal_riscv64_irq_complete(UART);
	axvm_hal_riscv64_irq_complete(UART);
	CHECK_EQ(seen.completed, 1);
	arrive(UART);
	axvm_hal_irq_detach(&vms[0], UART);
	axvm_hal_riscv64_irq_complete(UART); /* too late */
	axvm_hal_riscv64_irq_complete(0);
	axvm_hal_riscv64_irq_complete(UINT32_MAX);
	CHECK_EQ(seen.completed, 1);
}

TEST(two_vms_get_their_own_and_nobodys_are_completed_at_once)
{
	begin(AXVM_RISCV64_PLIC);
	own_count = 0;
	CHECK(axvm_bare_irq_attach(OWN, false, own_handler));
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	CHECK_EQ(axvm_hal_irq_attach(&vms[1], RTC), 0);
	arrive(RTC);
	arrive(UART);
	arrive(RTC);
	CHECK_EQ(brought[0], 1);
	CHECK_EQ(brought[1], 2);
	CHECK_EQ(seen.completed, 0);
	arrive(OWN);
	CHECK_EQ(own_count, 1);
	CHECK_EQ(seen.completed, 1);
	arrive(33); /* closed while it came */
	CHECK_EQ(seen.completed, 2);
	arrive(SOURCES + 1);
	arrive(0);
	arrive(0x7ff);
	CHECK_EQ(seen.completed, 2);
}

TEST(one_that_the_guest_cannot_take_is_closed)
{
	begin(AXVM_RISCV64_PLIC);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	refusal = AXVM_EINVAL;
	arrive(UART);
	CHECK_EQ(seen.closed, 1);
	axvm_hal_riscv64_irq_complete(UART);
	CHECK_EQ(seen.completed, 0);
}

TEST(what_never_ends_is_left_pending_after_64)
{
	begin(AXVM_RISCV64_PLIC);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	seen.queued = 100;
	for (uint32_t i = 0; i < 100; i++)
		seen.queue[i] = UART;
	axvm_bare_irq_external(&axvm_cpus[0]);
	CHECK_EQ(brought[0], 64);
	axvm_bare_irq_external(&axvm_cpus[0]);
	CHECK_EQ(brought[0], 100);
	CHECK_EQ(seen.served, 2);
}

TEST(it_follows_the_first_vcpus_hart)
{
	begin(AXVM_RISCV64_PLIC);
	fake_cpu = 1;
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	CHECK_EQ(seen.open_cpu, 1);
	arrive(UART);
	CHECK_EQ(seen.routes, 0); /* it was never bound */
	atomic_store(&first_vcpus[0].cpu, 2);
	arrive(UART);
	CHECK_EQ(seen.routes, 1);
	CHECK_EQ(seen.routed_to, 2);
	arrive(UART);
	CHECK_EQ(seen.routes, 1);
	atomic_store(&first_vcpus[0].cpu, 0);
	arrive(UART);
	CHECK_EQ(seen.routes, 2);
	CHECK_EQ(seen.routed_to, 0);
}

/* ---- past the hypervisor -------------------------------------------------------------------------- */

TEST(a_route_to_a_guests_file_is_checked)
{
	begin(AXVM_RISCV64_AIA);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	CHECK(!axvm_hal_riscv64_irq_route(UART, 0, 0, 5)); /* 0 is the hypervisor's */
	CHECK(!axvm_hal_riscv64_irq_route(UART, 0, 4, 5));
	CHECK(!axvm_hal_riscv64_irq_route(UART, CPUS, 1, 5));
	CHECK(!axvm_hal_riscv64_irq_route(UART, 0, 1, 256));
	CHECK(!axvm_hal_riscv64_irq_route(0, 0, 1, 5));
	CHECK(!axvm_hal_riscv64_irq_route(SOURCES + 1, 0, 1, 5));
	CHECK_EQ(seen.target_eiid, 0);
	CHECK(axvm_hal_riscv64_irq_route(UART, 2, 3, 255));
	CHECK_EQ(seen.target_cpu, 2);
	CHECK_EQ(seen.target_file, 3);
	CHECK_EQ(seen.target_eiid, 255);
	begin(AXVM_RISCV64_APLIC);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	CHECK(!axvm_hal_riscv64_irq_route(UART, 0, 1, 5));
}

TEST(a_routed_line_is_looked_at_again_for_each_completion_until_it_is_back)
{
	begin(AXVM_RISCV64_AIA);
	fake_cpu = 1;
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	CHECK(axvm_hal_riscv64_irq_route(UART, 2, 3, 60));
	for (uint32_t i = 1; i <= 3; i++) {
		axvm_hal_riscv64_irq_complete(UART);
		CHECK_EQ(seen.completed, i);
	}
	CHECK(axvm_hal_riscv64_irq_route(UART, 0, 0, 0));
	CHECK_EQ(seen.target_cpu, 1);
	CHECK_EQ(seen.target_file, 0);
	CHECK_EQ(seen.target_eiid, UART + AXVM_EIID_WIRED);
	CHECK_EQ(seen.completed, 4); /* what was at the file's wire comes to us */
	axvm_hal_riscv64_irq_complete(UART);
	CHECK_EQ(seen.completed, 4);
}

TEST(detach_undoes_a_route)
{
	begin(AXVM_RISCV64_AIA);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	CHECK(axvm_hal_riscv64_irq_route(UART, 2, 3, 60));
	axvm_hal_irq_detach(&vms[0], UART);
	CHECK_EQ(seen.closed, 1);
	axvm_hal_riscv64_irq_complete(UART); /* by a guest that is no more */
	CHECK_EQ(seen.completed, 0);
	CHECK(!axvm_hal_riscv64_irq_route(UART, 2, 3, 60)); /* nobody's */
	CHECK(!axvm_hal_riscv64_irq_route(UART, 0, 0, 0));
	CHECK_EQ(seen.completed, 0);
	CHECK_EQ(axvm_hal_irq_attach(&vms[1], UART), 0);
	axvm_hal_riscv64_irq_complete(UART);
	CHECK_EQ(seen.completed, 0);
	arrive(UART);
	CHECK_EQ(brought[1], 1);
	CHECK_EQ(brought[0], 0);
}

/* ---- at once -------------------------------------------------------------------------------------- */

static void *deliver(void *argument)
{
	(void)argument;
	fake_cpu = 1;
	(void)axvm_bare_line_arrived(UART);
	return NULL;
}

static _Atomic bool detached;

static void *detach(void *argument)
{
	(void)argument;
	axvm_hal_irq_detach(&vms[0], UART);
	atomic_store(&alive[0], false);
	atomic_store(&detached, true);
	return NULL;
}

TEST(detach_waits_for_a_delivery_on_another_cpu)
{
	pthread_t deliverer;
	pthread_t detacher;

	begin(AXVM_RISCV64_PLIC);
	CHECK_EQ(axvm_hal_irq_attach(&vms[0], UART), 0);
	atomic_store(&hold_delivery, true);
	atomic_store(&inside_delivery, false);
	atomic_store(&detached, false);
	REQUIRE_EQ(pthread_create(&deliverer, NULL, deliver, NULL), 0);
	while (!atomic_load(&inside_delivery))
		;
	REQUIRE_EQ(pthread_create(&detacher, NULL, detach, NULL), 0);
	while (atomic_load(&lines[UART].vm) != NULL)
		;
	for (uint32_t i = 0; i < 100000; i++)
		CHECK(!atomic_load(&detached));
	CHECK_EQ(seen.closed, 0);
	CHECK_EQ(axvm_hal_irq_attach(&vms[1], UART), AXVM_EBUSY); /* it is not over */
	atomic_store(&hold_delivery, false);
	pthread_join(detacher, NULL);
	pthread_join(deliverer, NULL);
	CHECK_EQ(seen.closed, 1);
	CHECK(!axvm_bare_line_arrived(UART));
	CHECK_EQ(brought[0], 1);
	CHECK_EQ(axvm_hal_irq_attach(&vms[1], UART), 0);
	CHECK(axvm_bare_line_arrived(UART));
	CHECK_EQ(brought[1], 1);
}

static _Atomic bool over;

static void *storm(void *argument)
{
	fake_cpu = (uint32_t)(uintptr_t)argument;
	while (!atomic_load(&over)) {
		(void)axvm_bare_line_arrived(UART);
		axvm_hal_riscv64_irq_complete(UART);
	}
	return NULL;
}

/* The line goes from VM to VM while two CPUs bring its interrupts; no VM sees one when it is gone. */
TEST(a_storm_reaches_only_the_vm_that_has_the_line)
{
	pthread_t threads[2];

	begin(AXVM_RISCV64_PLIC);
	alive[0] = alive[1] = false;
	atomic_store(&over, false);
	for (uintptr_t i = 0; i < 2; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, storm, (void *)(i + 1)), 0);
	for (uint32_t round = 0; round < 2000 || brought[0] == 0 || brought[1] == 0; round++) {
		uint32_t which = round % 2;

		atomic_store(&alive[which], true);
		CHECK_EQ(axvm_hal_irq_attach(&vms[which], UART), 0);
		for (uint32_t i = 0; i < round % 50; i++)
			CHECK_EQ(axvm_hal_irq_attach(&vms[1 - which], UART), AXVM_EBUSY);
		axvm_hal_irq_detach(&vms[which], UART);
		atomic_store(&alive[which], false);
	}
	atomic_store(&over, true);
	for (uint32_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(seen.opened, seen.closed);
	CHECK_EQ(atomic_load(&lines[UART].busy), 0);
}

AXTEST_MAIN(a_line_is_one_vms_alone_and_the_hypervisors_own_is_no_vms,
	    the_trigger_is_what_the_tree_says,
	    one_that_was_brought_is_the_guests_to_complete_and_once,
	    two_vms_get_their_own_and_nobodys_are_completed_at_once,
	    one_that_the_guest_cannot_take_is_closed, what_never_ends_is_left_pending_after_64,
	    it_follows_the_first_vcpus_hart, a_route_to_a_guests_file_is_checked,
	    a_routed_line_is_looked_at_again_for_each_completion_until_it_is_back,
	    detach_undoes_a_route, detach_waits_for_a_delivery_on_another_cpu,
	    a_storm_reaches_only_the_vm_that_has_the_line)
