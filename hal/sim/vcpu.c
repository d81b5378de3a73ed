/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world switch of the simulated machine. The vCPU's own memory is the
 * hardware, so bind and unbind move nothing; they insist on the order that real
 * ones need. A kick waits for the CPU's next entry, as an interrupt would.
 */
#define _GNU_SOURCE

#include <sched.h>
#include <string.h>
#include <time.h>

#include "sim_private.h"
#include "vcpu_sim.h"

#define GUESTS_MAX 256u
#define STEPS_MAX 64u
#define BUSY_SECONDS_MAX 20

struct step {
	axvm_sim_step run; /* NULL: leaves with `exit` */
	bool busy;
	uint64_t args[AXVM_SIM_ARGS];
	struct axvm_exit exit;
};

struct guest {
	const struct axvm_vcpu *vcpu; /* NULL: free */
	uint32_t bound_to;	      /* CPU + 1; 0: none */
	uint32_t next;
	uint32_t count;
	struct step steps[STEPS_MAX];
	struct axvm_sim_vcpu_counts counts;
};

static struct guest guests[GUESTS_MAX];
static uint64_t kicks_seen[AXVM_CPUS_MAX];

static void reset(void)
{
	memset(guests, 0, sizeof(guests));
	memset(kicks_seen, 0, sizeof(kicks_seen));
}

static struct guest *find(const struct axvm_vcpu *vcpu)
{
	struct guest *found = NULL;

	axvm_sim_lock();
	axvm_sim_use_vcpus(reset);
	for (uint32_t i = 0; i < GUESTS_MAX && found == NULL; i++) {
		if (guests[i].vcpu == vcpu)
			found = &guests[i];
	}
	for (uint32_t i = 0; i < GUESTS_MAX && found == NULL; i++) {
		if (guests[i].vcpu == NULL)
			found = &guests[i];
	}
	if (found != NULL)
		found->vcpu = vcpu;
	axvm_sim_unlock();
	if (found == NULL)
		axvm_hal_panic(__FILE__, __LINE__, "more vCPUs than the simulation has scripts");
	return found;
}

static struct step *add(struct axvm_vcpu *vcpu)
{
	struct guest *guest = find(vcpu);

	if (guest->next == guest->count) {
		guest->next = 0;
		guest->count = 0;
	}
	if (guest->count == STEPS_MAX)
		axvm_hal_panic(__FILE__, __LINE__, "a vCPU's script is too long");
	struct step *step = &guest->steps[guest->count++];

	memset(step, 0, sizeof(*step));
	return step;
}

void axvm_sim_push(struct axvm_vcpu *vcpu, axvm_sim_step run, const uint64_t *args)
{
	struct step *step = add(vcpu);

	step->run = run;
	if (args != NULL)
		memcpy(step->args, args, sizeof(step->args));
}

void axvm_sim_push_exit(struct axvm_vcpu *vcpu, const struct axvm_exit *exit)
{
	add(vcpu)->exit = *exit;
}

void axvm_sim_push_reason(struct axvm_vcpu *vcpu, enum axvm_exit_reason reason)
{
	add(vcpu)->exit.reason = reason;
}

void axvm_sim_push_busy(struct axvm_vcpu *vcpu)
{
	add(vcpu)->busy = true;
}

uint32_t axvm_sim_steps_left(const struct axvm_vcpu *vcpu)
{
	const struct guest *guest = find(vcpu);

	return guest->count - guest->next;
}

struct axvm_sim_vcpu_counts axvm_sim_vcpu_counts(const struct axvm_vcpu *vcpu)
{
	return find(vcpu)->counts;
}

bool axvm_sim_is_bound(const struct axvm_vcpu *vcpu)
{
	return find(vcpu)->bound_to != 0;
}

void axvm_sim_forget(const struct axvm_vcpu *vcpu)
{
	struct guest *guest = find(vcpu);

	if (guest->bound_to != 0)
		axvm_hal_panic(__FILE__, __LINE__, "a bound vCPU is forgotten");
	memset(guest, 0, sizeof(*guest));
}

/* ---- the back end --------------------------------------------------------------------------- */

/* The vCPU's guest, which must be bound to this CPU. */
static struct guest *bound(struct axvm_vcpu *vcpu)
{
	struct guest *guest = find(vcpu);

	if (guest->bound_to != axvm_hal_cpu_id() + 1)
		axvm_hal_panic(__FILE__, __LINE__, "the vCPU is not bound to this CPU");
	return guest;
}

void axvm_hal_vcpu_bind(struct axvm_vcpu *vcpu)
{
	struct guest *guest = find(vcpu);

	if (guest->bound_to != 0)
		axvm_hal_panic(__FILE__, __LINE__, "the vCPU is bound already");
	guest->bound_to = axvm_hal_cpu_id() + 1;
	guest->counts.binds++;
}

void axvm_hal_vcpu_unbind(struct axvm_vcpu *vcpu)
{
	struct guest *guest = bound(vcpu);

	guest->bound_to = 0;
	guest->counts.unbinds++;
}

/* A kick since the CPU last took one. */
static bool take_kick(uint32_t cpu)
{
	axvm_sim_lock();
	uint64_t kicks = axvm_sim_kick_count(cpu);
	bool kicked = kicks != kicks_seen[cpu];

	kicks_seen[cpu] = kicks;
	axvm_sim_unlock();
	return kicked;
}

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec;
}

static enum axvm_verdict compute(void)
{
	int64_t begin = seconds();

	while (!take_kick(axvm_hal_cpu_id())) {
		if (seconds() - begin > BUSY_SECONDS_MAX)
			axvm_hal_panic(__FILE__, __LINE__, "nobody kicks a busy vCPU");
		sched_yield();
	}
	return AXVM_ENTER;
}

/* One exit of the guest. */
static enum axvm_verdict happen(struct axvm_vcpu *vcpu, struct guest *guest)
{
	if (guest->next == guest->count) {
		vcpu->exit.reason = AXVM_EXIT_HALT;
		return AXVM_LEAVE;
	}
	const struct step *step = &guest->steps[guest->next];

	if (step->busy)
		return compute();
	guest->next++;
	if (step->run != NULL)
		return step->run(vcpu, step->args);
	vcpu->exit = step->exit;
	return AXVM_LEAVE;
}

void axvm_hal_vcpu_enter(struct axvm_vcpu *vcpu)
{
	struct guest *guest = bound(vcpu);

	guest->counts.enters++;
	while (happen(vcpu, guest) != AXVM_LEAVE &&
	       (atomic_load(&vcpu->requests) == 0 || axvm_vcpu_take_requests(vcpu) != AXVM_LEAVE))
		;
}

void axvm_hal_irq_sync(struct axvm_vcpu *vcpu)
{
	bound(vcpu)->counts.irq_syncs++;
}

void axvm_hal_irq_flush(struct axvm_vcpu *vcpu)
{
	bound(vcpu)->counts.irq_flushes++;
}

void axvm_hal_sysreg_sync(struct axvm_vcpu *vcpu)
{
	bound(vcpu)->counts.sysreg_syncs++;
}

void axvm_hal_sysreg_flush(struct axvm_vcpu *vcpu)
{
	bound(vcpu)->counts.sysreg_flushes++;
}
