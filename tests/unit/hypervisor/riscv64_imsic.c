/* SPDX-License-Identifier: Apache-2.0 */
/* The host's IMSICs over false CSRs and pages: each thread is a hart with its files [AIA 3, 6.1]. */
#include <pthread.h>

#define AXVM_BARE_CSR_H
#define AXVM_BARE_MMIO_H
#include "fake_bare.h"

#include "../../../hal/bare/riscv64/irq_fdt.h"

#define HARTS 2u
#define PAGES 0x28000000ull
#define GUESTS 3u
#define HART_BYTES 0x4000u
#define IDS 255u

struct file {
	_Atomic uint64_t eip[32];
	uint64_t eie[32];
	uint64_t delivery, threshold;
};

static struct {
	struct file files[1 + 63]; /* 0: its own */
	uint64_t hstatus, vsiselect, siselect, hgeie, hgeie_bits;
} harts[HARTS];

#define HART harts[fake_cpu]

static struct file *guest_file(void)
{
	uint64_t vgein = HART.hstatus >> 12 & 0x3f;

	CHECK(vgein != 0 && vgein <= GUESTS);
	return &HART.files[vgein];
}

static uint64_t access_file(struct file *file, uint64_t select, const uint64_t *value, bool adds)
{
	if (select >= 0x80) {
		CHECK(select % 2 == 0 && select < 0x100);
		uint32_t word = (uint32_t)(select - 0x80) % 64 / 2;
		if (select < 0xc0 && value != NULL) {
			if (adds)
				atomic_fetch_or(&file->eip[word], *value);
			else
				atomic_store(&file->eip[word], *value);
		} else if (value != NULL) {
			file->eie[word] = *value;
		}
		return select < 0xc0 ? atomic_load(&file->eip[word]) : file->eie[word];
	}
	CHECK(select == 0x70 || select == 0x72);
	uint64_t *to = select == 0x70 ? &file->delivery : &file->threshold;
	if (value != NULL)
		*to = *value;
	return *to;
}

#define FAKE_CSR(name)                                  \
	static inline uint64_t read_##name(void)        \
	{                                               \
		return HART.name;                       \
	}                                               \
	static inline void write_##name(uint64_t value) \
	{                                               \
		HART.name = value;                      \
	}

FAKE_CSR(hstatus)
FAKE_CSR(vsiselect)

static inline void clear_hstatus(uint64_t bits)
{
	HART.hstatus &= ~bits;
}

static inline uint64_t read_hgeie(void)
{
	return HART.hgeie;
}

static inline void write_hgeie(uint64_t value)
{
	HART.hgeie = value & HART.hgeie_bits;
}

static inline void set_hgeie(uint64_t bits)
{
	write_hgeie(HART.hgeie | bits);
}

static inline void clear_hgeie(uint64_t bits)
{
	HART.hgeie &= ~bits;
}

static inline uint64_t read_hgeip(void)
{
	uint64_t bits = 0;

	for (uint32_t file = 1; file <= GUESTS; file++) {
		for (uint32_t word = 0; word < 32; word++) {
			if ((HART.files[file].eip[word] & HART.files[file].eie[word]) != 0 &&
			    HART.files[file].delivery != 0)
				bits |= 1ull << file;
		}
	}
	return bits;
}

static inline void write_siselect(uint64_t value)
{
	HART.siselect = value;
}

static inline void write_sireg(uint64_t value)
{
	(void)access_file(&HART.files[0], HART.siselect, &value, false);
}

static inline uint64_t read_vsireg(void)
{
	return access_file(guest_file(), HART.vsiselect, NULL, false);
}

static inline void write_vsireg(uint64_t value)
{
	(void)access_file(guest_file(), HART.vsiselect, &value, false);
}

static inline void set_vsireg(uint64_t value)
{
	(void)access_file(guest_file(), HART.vsiselect, &value, true);
}

static inline uint64_t claim_stopei(void)
{
	struct file *own = &HART.files[0];

	for (uint32_t id = 1; id <= IDS; id++) {
		uint64_t bit = 1ull << id % 64;
		if ((atomic_load(&own->eip[id / 64]) & own->eie[id / 64] & bit) == 0)
			continue;
		atomic_fetch_and(&own->eip[id / 64], ~bit);
		return id << 16 | id;
	}
	return 0;
}

static inline void axvm_fence_to_device(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

static inline void axvm_mmio_write32(uintptr_t address, uint32_t id)
{
	uint64_t at = address - PAGES;

	CHECK(at < HARTS * HART_BYTES && at % 0x1000 == 0 && id != 0 && id <= IDS);
	atomic_fetch_or(&harts[at / HART_BYTES].files[at % HART_BYTES / 0x1000].eip[id / 64],
			1ull << id % 64);
}

#include "../../../hal/bare/riscv64/imsic.c"

/* ---- the rest of the machine ---------------------------------------------------------------------- */

static bool malformed;
static bool map_fails;
static struct axvm_imsic_layout found;

bool axvm_bare_irq_read_imsic(const void *fdt, int node, struct axvm_imsic_layout *to)
{
	(void)fdt, (void)node;
	*to = found;
	return !malformed;
}

void *axvm_bare_map_device(struct axvm_hpa hpa, uint64_t bytes)
{
	CHECK_EQ(bytes, HARTS * HART_BYTES);
	return map_fails ? NULL : (void *)(uintptr_t)hpa.addr;
}

void *axvm_hal_map(struct axvm_hpa hpa, uint64_t bytes)
{
	CHECK_EQ(bytes, 0x1000);
	return (void *)(uintptr_t)hpa.addr;
}

static struct axvm_vcpu vcpus[4];
static _Atomic uint32_t signals[4];

void axvm_riscv64_guest_file_signalled(struct axvm_vcpu *vcpu)
{
	atomic_fetch_add(&signals[vcpu - vcpus], 1);
}

static void begin(void)
{
	const char *why = NULL;

	fake_machine(HARTS);
	memset(harts, 0, sizeof(harts));
	memset(files, 0, sizeof(files));
	memset(vcpus, 0, sizeof(vcpus));
	memset(signals, 0, sizeof(signals));
	malformed = map_fails = false;
	found = (struct axvm_imsic_layout){ .ids = IDS, .guests = GUESTS, .region_count = 1 };
	found.regions[0] = (struct axvm_irq_region){ PAGES, HARTS * HART_BYTES };
	CHECK(axvm_bare_imsic_init(NULL, 0, &why));
	for (fake_cpu = 0; fake_cpu < HARTS; fake_cpu++) {
		HART.hgeie_bits = 0xfffe;	   /* more than have an address */
		HART.files[0].eip[2] = UINT64_MAX; /* the firmware's */
		layout.pages[fake_cpu] = PAGES + fake_cpu * HART_BYTES;
		layout.indexes[fake_cpu] = fake_cpu;
		axvm_bare_imsic_kick(&axvm_cpus[fake_cpu]); /* not up yet: nothing */
		axvm_bare_imsic_cpu_init(&axvm_cpus[fake_cpu]);
		CHECK_EQ(axvm_bare_imsic_claim(), 0);
	}
	fake_cpu = 0;
}

/* ---- its own -------------------------------------------------------------------------------------- */

TEST(a_kick_is_claimed_once_at_the_cpu_that_it_is_for)
{
	begin();
	axvm_bare_imsic_kick(&axvm_cpus[1]);
	axvm_bare_imsic_kick(&axvm_cpus[1]);
	CHECK_EQ(axvm_bare_imsic_claim(), 0);
	fake_cpu = 1;
	CHECK_EQ(axvm_bare_imsic_claim(), AXVM_EIID_KICK);
	CHECK_EQ(axvm_bare_imsic_claim(), 0);
}

TEST(guest_files_are_as_many_as_the_hart_and_the_layout_have)
{
	begin();
	CHECK_EQ(axvm_bare_guest_files(), GUESTS);
	CHECK(!axvm_bare_imsic_has_file(0, 0) && axvm_bare_imsic_has_file(0, GUESTS));
	CHECK(!axvm_bare_imsic_has_file(0, GUESTS + 1) && !axvm_bare_imsic_has_file(HARTS, 1));
	HART.hgeie_bits = 2;
	axvm_bare_imsic_cpu_init(&axvm_cpus[0]);
	CHECK_EQ(axvm_bare_guest_files(), 1);
	CHECK_EQ(HART.hgeie, 0);
	HART.hgeie_bits = 0;
	axvm_bare_imsic_cpu_init(&axvm_cpus[0]);
	CHECK_EQ(axvm_bare_guest_files(), 0);
	HART.hgeie_bits = 0xfffe;
	layout.ids = 63; /* less than guests are promised */
	axvm_bare_imsic_cpu_init(&axvm_cpus[0]);
	CHECK_EQ(axvm_bare_guest_files(), 0);
}

TEST(an_imsic_that_cannot_be_is_refused_with_a_sentence)
{
	const char *why = NULL;

	begin();
	layout.pages[1] = 0;
	CHECK(FAKE_PANICS(axvm_bare_imsic_cpu_init(&axvm_cpus[1])));
	CHECK_EQ(axvm_bare_imsic_index(1), AXVM_IRQ_NO_TARGET);
	map_fails = true;
	CHECK(!axvm_bare_imsic_init(NULL, 0, &why) && strstr(why, "no memory"));
	malformed = true;
	CHECK(!axvm_bare_imsic_init(NULL, 0, &why) && strstr(why, "malformed"));
	CHECK(axvm_bare_imsic_owns(axvm_hpa(PAGES + 0x3000), 1));
	CHECK(!axvm_bare_imsic_owns(axvm_hpa(PAGES - 0x1000), 0x1000));
}

/* ---- guests' -------------------------------------------------------------------------------------- */

static uint32_t get(uint32_t vcpu)
{
	struct axvm_hpa page = { 0 };
	uint32_t file = axvm_hal_riscv64_guest_file_get(&vcpus[vcpu], &page);

	if (file != 0)
		CHECK_EQ(page.addr, PAGES + fake_cpu * HART_BYTES + file * 0x1000);
	vcpus[vcpu].arch.guest_file = file;
	return file;
}

TEST(each_vcpu_gets_a_file_of_its_own_empty_until_there_are_none)
{
	begin();
	HART.files[2].eip[1] = 77; /* what the last owner left */
	HART.files[2].eie[1] = 77;
	HART.files[2].delivery = 1;
	HART.files[2].threshold = 5;
	HART.hstatus = 7ull << 12 | 0x80;
	HART.vsiselect = 0x1234;
	CHECK_EQ(get(0), 1);
	CHECK_EQ(get(1), 2);
	CHECK_EQ(get(2), 3);
	CHECK_EQ(get(3), 0);
	CHECK(HART.files[2].eip[1] == 0 && HART.files[2].eie[1] == 0);
	CHECK(HART.files[2].delivery == 0 && HART.files[2].threshold == 0);
	CHECK_EQ(HART.hstatus, 7ull << 12 | 0x80); /* and the window is as it was */
	CHECK_EQ(HART.vsiselect, 0x1234);
	axvm_hal_riscv64_guest_file_put(&vcpus[0], 2, 0); /* not its own */
	CHECK_EQ(get(3), 0);
	axvm_hal_riscv64_guest_file_put(&vcpus[1], 2, 0);
	CHECK_EQ(get(3), 2);
}

TEST(contents_go_to_the_vcpu_and_come_back_and_nothing_that_came_is_lost)
{
	begin();
	CHECK_EQ(get(0), 1);
	struct axvm_imsic_file *imsic = &vcpus[0].arch.imsic;
	axvm_hal_riscv64_guest_file_set(0, 1, 200);
	axvm_hal_riscv64_guest_file_set(0, 1, 0);
	axvm_hal_riscv64_guest_file_set(0, 1, IDS + 1);
	axvm_hal_riscv64_guest_file_set(0, GUESTS + 1, 3);
	HART.files[1].eie[3] = 0xff00;
	HART.files[1].threshold = 9;
	HART.files[1].delivery = 1;
	atomic_store(&imsic->pending[1], 4); /* came to the software file meanwhile */
	axvm_hal_riscv64_guest_file_store(&vcpus[0], 0, 1);
	CHECK_EQ(imsic->pending[3], 1ull << 200 % 64);
	CHECK_EQ(imsic->pending[1], 4);
	CHECK_EQ(imsic->enabled[3], 0xff00);
	CHECK_EQ(imsic->threshold, 9);
	CHECK_EQ(imsic->delivery, 1);
	axvm_hal_riscv64_guest_file_put(&vcpus[0], 1, 0);
	fake_cpu = 1;
	CHECK_EQ(get(0), 1);
	axvm_hal_riscv64_guest_file_set(1, 1, 5); /* before it is loaded */
	axvm_hal_riscv64_guest_file_load(&vcpus[0], 1);
	CHECK_EQ(HART.files[1].eip[3], 1ull << 200 % 64);
	CHECK_EQ(HART.files[1].eip[1], 4);
	CHECK_EQ(HART.files[1].eip[0], 1ull << 5);
	CHECK_EQ(HART.files[1].eie[3], 0xff00);
	CHECK_EQ(HART.files[1].threshold, 9);
	CHECK_EQ(HART.files[1].delivery, 1);
}

TEST(a_file_signals_while_its_vcpu_is_not_bound_and_once)
{
	begin();
	CHECK_EQ(get(0), 1);
	CHECK_EQ(get(1), 2);
	for (uint32_t file = 1; file <= 2; file++) {
		HART.files[file].eie[0] = UINT64_MAX;
		HART.files[file].delivery = 1;
	}
	axvm_bare_guest_file_bound(&vcpus[0]);
	CHECK_EQ(HART.hstatus >> 12 & 0x3f, 1);
	axvm_hal_riscv64_guest_file_set(0, 1, 40);
	axvm_bare_irq_guest_external(&axvm_cpus[0]);
	CHECK_EQ(signals[0], 0); /* the guest takes it by itself */
	axvm_bare_guest_file_unbound(&vcpus[0]);
	CHECK_EQ(HART.hstatus >> 12 & 0x3f, 0);
	axvm_bare_guest_file_bound(&vcpus[1]);
	axvm_bare_irq_guest_external(&axvm_cpus[0]);
	axvm_bare_irq_guest_external(&axvm_cpus[0]);
	CHECK_EQ(signals[0], 1);
	CHECK_EQ(signals[1], 0);
	axvm_bare_guest_file_unbound(&vcpus[1]);
	axvm_bare_guest_file_bound(&vcpus[0]);
	axvm_bare_guest_file_unbound(&vcpus[0]);
	axvm_bare_irq_guest_external(&axvm_cpus[0]);
	CHECK_EQ(signals[0], 2);
	axvm_bare_guest_file_bound(&vcpus[2]); /* it has none */
	CHECK_EQ(HART.hstatus >> 12 & 0x3f, 0);
	axvm_bare_guest_file_unbound(&vcpus[0]);
	axvm_hal_riscv64_guest_file_put(&vcpus[0], 1, 0);
	axvm_bare_irq_guest_external(&axvm_cpus[0]);
	CHECK_EQ(signals[0], 2); /* nobody's */
}

/* ---- of another hart ------------------------------------------------------------------------------ */

#define ROUNDS 500u

static _Atomic uint32_t finished;

/* As a hart that is idle, or whose guest exits for a kick. */
static void serve_until_all_finished(void)
{
	atomic_fetch_add(&finished, 1);
	while (atomic_load(&finished) < HARTS) {
		if (axvm_bare_imsic_claim() == AXVM_EIID_KICK)
			axvm_bare_imsic_serve(axvm_bare_this_cpu());
	}
}

/* Hart `i` asks for what vcpus[1 - i] has at the other hart, which asks likewise. */
static void *ask_the_other(void *argument)
{
	uint32_t own = (uint32_t)(uintptr_t)argument;
	struct axvm_vcpu *vcpu = &vcpus[1 - own];

	fake_cpu = own;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t id = 1 + round % IDS;

		axvm_hal_riscv64_guest_file_set(1 - own, 1, id);
		axvm_hal_riscv64_guest_file_store(vcpu, 1 - own, 1);
		CHECK((atomic_load(&vcpu->arch.imsic.pending[id / 64]) >> id % 64 & 1) != 0);
	}
	serve_until_all_finished();
	return NULL;
}

TEST(two_harts_that_ask_each_other_both_come_to_an_end)
{
	pthread_t threads[HARTS];

	begin();
	atomic_store(&finished, 0);
	for (fake_cpu = 0; fake_cpu < HARTS; fake_cpu++)
		CHECK_EQ(get(fake_cpu), 1);
	for (uintptr_t i = 0; i < HARTS; i++)
		REQUIRE_EQ(pthread_create(&threads[i], NULL, ask_the_other, (void *)i), 0);
	for (uint32_t i = 0; i < HARTS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(files[0].wanted, 0);
	CHECK_EQ(files[1].wanted, 0);
}

static _Atomic bool gone;

static void *signal_always(void *argument)
{
	(void)argument;
	fake_cpu = 1;
	while (!atomic_load(&gone))
		signal(&files[1], 1);
	return NULL;
}

/* `signals` of vcpus[0] counts no more once put is back. */
TEST(no_signal_reaches_a_vcpu_that_has_given_its_file_back)
{
	pthread_t thread;

	begin();
	atomic_store(&gone, false);
	REQUIRE_EQ(pthread_create(&thread, NULL, signal_always, NULL), 0);
	for (uint32_t round = 0; round < 2000 || atomic_load(&signals[0]) == 0; round++) {
		atomic_store(&files[1].owners[1], &vcpus[0]);
		for (uint32_t i = 0; i < round % 100; i++)
			CHECK(atomic_load(&signals[1]) == 0);
		axvm_hal_riscv64_guest_file_put(&vcpus[0], 1, 1);
		uint32_t count = atomic_load(&signals[0]);
		for (uint32_t i = 0; i < 50; i++)
			CHECK_EQ(atomic_load(&signals[0]), count);
	}
	atomic_store(&gone, true);
	pthread_join(thread, NULL);
	CHECK_EQ(files[1].busy, 0);
}

AXTEST_MAIN(a_kick_is_claimed_once_at_the_cpu_that_it_is_for,
	    guest_files_are_as_many_as_the_hart_and_the_layout_have,
	    an_imsic_that_cannot_be_is_refused_with_a_sentence,
	    each_vcpu_gets_a_file_of_its_own_empty_until_there_are_none,
	    contents_go_to_the_vcpu_and_come_back_and_nothing_that_came_is_lost,
	    a_file_signals_while_its_vcpu_is_not_bound_and_once,
	    two_harts_that_ask_each_other_both_come_to_an_end,
	    no_signal_reaches_a_vcpu_that_has_given_its_file_back)
