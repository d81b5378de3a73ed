/* SPDX-License-Identifier: Apache-2.0 */
/* The riscv64 part of the simulated machine: harts as a test describes them, and a record of what is asked. */
#include <string.h>

#include "riscv64_sim.h"
#include "sim_private.h"

#define FENCES_KEPT 256u
#define IRQS 1024u
#define FILES_MAX 8u
#define EIIDS 2048u
#define PAGE_BYTES 4096u

struct file {
	const struct axvm_vcpu *owner;
	uint64_t pending[EIIDS / 64];
};

static struct {
	struct axvm_riscv64_host host;
	uint32_t instruction;
	uint64_t value;
	bool fetch_traps;
	bool load_traps;
	struct axvm_riscv64_trap fetch_trap;
	struct axvm_riscv64_trap load_trap;
	uint64_t fetches;
	uint64_t loads;
	uint64_t last_address;
	uint64_t fence_count;
	struct axvm_sim_riscv64_fence fences[FENCES_KEPT];
	uint64_t vstimecmp_count;
	uint64_t vstimecmp;
	uint64_t counters[2];
	uint64_t completions[IRQS];
	struct file files[AXVM_CPUS_MAX][FILES_MAX];
	void (*stored)(struct axvm_vcpu *vcpu, const uint64_t *pending);
	void (*loaded)(struct axvm_vcpu *vcpu, uint64_t *pending);
	uint64_t file_stores;
	uint64_t file_loads;
	bool routes_allowed;
	struct axvm_sim_riscv64_route routes[IRQS];
} state;

struct axvm_riscv64_host axvm_sim_riscv64_default_host(void)
{
	return (struct axvm_riscv64_host){
		.isa = "rv64imafdch_zicbom_zicsr_zifencei_sstc",
		.cbom_block_bytes = 64,
		.has_sstc = true,
		.controller = AXVM_RISCV64_PLIC,
		.mmu_levels = 5,
		.mvendorid = 1,
		.marchid = 2,
		.mimpid = 3,
	};
}

void axvm_sim_riscv64_reset(void)
{
	memset(&state, 0, sizeof(state));
	state.host = axvm_sim_riscv64_default_host();
}

void axvm_sim_riscv64_set_host(const struct axvm_riscv64_host *host)
{
	if (host->guest_files > FILES_MAX)
		axvm_hal_panic(__FILE__, __LINE__, "too many guest interrupt files");
	state.host = *host;
}

const struct axvm_riscv64_host *axvm_hal_riscv64_host(void)
{
	return &state.host;
}

/* ---- accesses -------------------------------------------------------------------------------------- */

void axvm_sim_riscv64_set_fetch(uint32_t instruction, const struct axvm_riscv64_trap *trap)
{
	state.instruction = instruction;
	state.fetch_traps = trap != NULL;
	if (trap != NULL)
		state.fetch_trap = *trap;
}

void axvm_sim_riscv64_set_load(uint64_t value, const struct axvm_riscv64_trap *trap)
{
	state.value = value;
	state.load_traps = trap != NULL;
	if (trap != NULL)
		state.load_trap = *trap;
}

static void note(uint64_t *count, uint64_t address)
{
	axvm_sim_lock();
	(*count)++;
	state.last_address = address;
	axvm_sim_unlock();
}

bool axvm_hal_riscv64_fetch(struct axvm_vcpu *vcpu, uint64_t pc, uint32_t *instruction,
			    struct axvm_riscv64_trap *trap)
{
	(void)vcpu;
	note(&state.fetches, pc);
	if (state.fetch_traps)
		*trap = state.fetch_trap;
	else
		*instruction = state.instruction;
	return !state.fetch_traps;
}

bool axvm_hal_riscv64_load(struct axvm_vcpu *vcpu, uint64_t va, uint64_t *value,
			   struct axvm_riscv64_trap *trap)
{
	(void)vcpu;
	note(&state.loads, va);
	if (state.load_traps)
		*trap = state.load_trap;
	else
		*value = state.value;
	return !state.load_traps;
}

uint64_t axvm_sim_riscv64_fetches(void)
{
	return state.fetches;
}

uint64_t axvm_sim_riscv64_loads(void)
{
	return state.loads;
}

uint64_t axvm_sim_riscv64_last_address(void)
{
	return state.last_address;
}

/* ---- fences, timer, counters, completions ---------------------------------------------------------- */

void axvm_hal_riscv64_fence(struct axvm_vcpu *vcpu, uint64_t cpu_mask, enum axvm_riscv64_fence kind,
			    uint64_t start, uint64_t bytes, uint64_t asid)
{
	axvm_sim_lock();
	if (state.fence_count < FENCES_KEPT)
		state.fences[state.fence_count] =
			(struct axvm_sim_riscv64_fence){ vcpu, cpu_mask, kind, start, bytes, asid };
	state.fence_count++;
	axvm_sim_unlock();
}

uint64_t axvm_sim_riscv64_fence_count(void)
{
	return state.fence_count;
}

struct axvm_sim_riscv64_fence axvm_sim_riscv64_fence(uint64_t index)
{
	if (index >= FENCES_KEPT || index >= state.fence_count)
		axvm_hal_panic(__FILE__, __LINE__, "no such fence");
	return state.fences[index];
}

void axvm_hal_riscv64_set_vstimecmp(struct axvm_vcpu *vcpu, uint64_t deadline)
{
	(void)vcpu;
	axvm_sim_lock();
	state.vstimecmp_count++;
	state.vstimecmp = deadline;
	axvm_sim_unlock();
}

uint64_t axvm_sim_riscv64_vstimecmp_count(void)
{
	return state.vstimecmp_count;
}

uint64_t axvm_sim_riscv64_vstimecmp(void)
{
	return state.vstimecmp;
}

void axvm_sim_riscv64_set_counter(unsigned which, uint64_t value)
{
	state.counters[which & 1] = value;
}

uint64_t axvm_hal_riscv64_counter(unsigned which)
{
	return state.counters[which & 1];
}

void axvm_hal_riscv64_irq_complete(uint32_t host_irq)
{
	if (host_irq >= IRQS)
		axvm_hal_panic(__FILE__, __LINE__, "no interrupt to complete");
	axvm_sim_lock();
	state.completions[host_irq]++;
	axvm_sim_unlock();
}

uint64_t axvm_sim_riscv64_completions(uint32_t host_irq)
{
	return host_irq < IRQS ? state.completions[host_irq] : 0;
}

/* ---- guest interrupt files ----------------------------------------------------------------------- */

static struct file *file_of(uint32_t cpu, uint32_t file)
{
	if (cpu >= AXVM_CPUS_MAX || file == 0 || file > state.host.guest_files)
		axvm_hal_panic(__FILE__, __LINE__, "no such guest interrupt file");
	return &state.files[cpu][file - 1];
}

uint32_t axvm_hal_riscv64_guest_file_get(struct axvm_vcpu *vcpu, struct axvm_hpa *page)
{
	uint32_t cpu = axvm_hal_cpu_id();
	uint32_t found = 0;

	axvm_sim_lock();
	for (uint32_t file = state.host.guest_files; file > 0; file--) {
		if (state.files[cpu][file - 1].owner == NULL)
			found = file;
	}
	if (found != 0) {
		uint64_t index = (uint64_t)cpu * FILES_MAX + found - 1;

		memset(file_of(cpu, found), 0, sizeof(struct file));
		file_of(cpu, found)->owner = vcpu;
		*page = axvm_hpa(AXVM_SIM_RISCV64_FILES + index * PAGE_BYTES);
	}
	axvm_sim_unlock();
	return found;
}

/* The file that the vCPU must have. */
static struct file *own_file(const struct axvm_vcpu *vcpu, uint32_t file, uint32_t cpu)
{
	struct file *found = file_of(cpu, file);

	if (found->owner != vcpu)
		axvm_hal_panic(__FILE__, __LINE__, "the guest interrupt file is another vCPU's");
	return found;
}

void axvm_hal_riscv64_guest_file_put(struct axvm_vcpu *vcpu, uint32_t file, uint32_t cpu)
{
	axvm_sim_lock();
	own_file(vcpu, file, cpu)->owner = NULL;
	axvm_sim_unlock();
}

void axvm_hal_riscv64_guest_file_set(uint32_t cpu, uint32_t file, uint32_t eiid)
{
	struct file *found = file_of(cpu, file);

	if (found->owner == NULL || eiid == 0 || eiid >= EIIDS)
		axvm_hal_panic(__FILE__, __LINE__, "an MSI to nowhere");
	axvm_sim_lock();
	found->pending[eiid / 64] |= 1ULL << (eiid % 64);
	axvm_sim_unlock();
}

void axvm_hal_riscv64_guest_file_store(struct axvm_vcpu *vcpu, uint32_t cpu, uint32_t file)
{
	axvm_sim_lock();
	struct file *from = own_file(vcpu, file, cpu);

	if (state.stored != NULL)
		state.stored(vcpu, from->pending);
	state.file_stores++;
	axvm_sim_unlock();
}

void axvm_hal_riscv64_guest_file_load(struct axvm_vcpu *vcpu, uint32_t file)
{
	axvm_sim_lock();
	struct file *to = own_file(vcpu, file, axvm_hal_cpu_id());

	if (state.loaded != NULL)
		state.loaded(vcpu, to->pending);
	state.file_loads++;
	axvm_sim_unlock();
}

const struct axvm_vcpu *axvm_sim_riscv64_file_owner(uint32_t cpu, uint32_t file)
{
	return file_of(cpu, file)->owner;
}

uint32_t axvm_sim_riscv64_files_in_use(void)
{
	uint32_t count = 0;

	for (uint32_t cpu = 0; cpu < AXVM_CPUS_MAX; cpu++) {
		for (uint32_t file = 0; file < FILES_MAX; file++)
			count += state.files[cpu][file].owner != NULL;
	}
	return count;
}

bool axvm_sim_riscv64_file_has(uint32_t cpu, uint32_t file, uint32_t eiid)
{
	return eiid < EIIDS && (file_of(cpu, file)->pending[eiid / 64] >> (eiid % 64) & 1) != 0;
}

void axvm_sim_riscv64_move_files(void (*stored)(struct axvm_vcpu *vcpu, const uint64_t *pending),
				 void (*loaded)(struct axvm_vcpu *vcpu, uint64_t *pending))
{
	state.stored = stored;
	state.loaded = loaded;
}

uint64_t axvm_sim_riscv64_file_stores(void)
{
	return state.file_stores;
}

uint64_t axvm_sim_riscv64_file_loads(void)
{
	return state.file_loads;
}

void axvm_sim_riscv64_allow_routes(bool allowed)
{
	state.routes_allowed = allowed;
}

bool axvm_hal_riscv64_irq_route(uint32_t host_irq, uint32_t cpu, uint32_t file, uint32_t eiid)
{
	if (host_irq >= IRQS)
		axvm_hal_panic(__FILE__, __LINE__, "no interrupt to route");
	if (!state.routes_allowed)
		return false;
	axvm_sim_lock();
	state.routes[host_irq] = (struct axvm_sim_riscv64_route){ cpu, file, eiid };
	axvm_sim_unlock();
	return true;
}

struct axvm_sim_riscv64_route axvm_sim_riscv64_route(uint32_t host_irq)
{
	return state.routes[host_irq % IRQS];
}
