/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of a vCPU that hardware does not run for it. The emulated one drives its
 * PPI as a level; the stand-in of the virtual timer only wakes the vCPU, because the
 * hardware raises the interrupt itself as soon as it is bound again.
 */
#include "timer.h"

#include "exit.h"

#define VCPU_OF(timer, member) \
	((struct axvm_vcpu *)(void *)((char *)(timer)-offsetof(struct axvm_vcpu, arch.member)))

static bool is_due(uint64_t deadline)
{
	return axvm_hal_time_ticks() >= deadline;
}

/* The condition that the interrupt line follows, before the mask. */
static bool is_met(const struct axvm_vcpu *vcpu)
{
	return (vcpu->arch.cntp_ctl & AXVM_AARCH64_TIMER_ENABLE) != 0 &&
	       is_due(vcpu->arch.cntp_cval);
}

static void physical_expired(struct axvm_timer *timer)
{
	(void)axvm_arch_irq_set_private(VCPU_OF(timer, physical_timer), AXVM_VGIC_PHYSICAL_TIMER,
					true);
}

static void virtual_expired(struct axvm_timer *timer)
{
	struct axvm_vcpu *vcpu = VCPU_OF(timer, virtual_timer);

	atomic_store_explicit(&vcpu->arch.timer_expired, 1, memory_order_seq_cst);
	axvm_vcpu_request(vcpu, AXVM_REQUEST_IRQ);
}

void axvm_aarch64_timer_init(struct axvm_vcpu *vcpu)
{
	vcpu->arch.physical_timer.expired = physical_expired;
	vcpu->arch.virtual_timer.expired = virtual_expired;
}

void axvm_aarch64_timer_reset(struct axvm_vcpu *vcpu)
{
	axvm_hal_timer_stop(&vcpu->arch.physical_timer);
	axvm_hal_timer_stop(&vcpu->arch.virtual_timer);
	vcpu->arch.cntp_ctl = 0;
	vcpu->arch.cntp_cval = 0;
	vcpu->arch.sys.cntv_ctl_el0 = 0;
	vcpu->arch.sys.cntv_cval_el0 = 0;
	atomic_store_explicit(&vcpu->arch.timer_expired, 0, memory_order_relaxed);
	(void)axvm_arch_irq_set_private(vcpu, AXVM_VGIC_PHYSICAL_TIMER, false);
}

/* After a write: the line follows at once, or the host's timer will raise it. */
static void update(struct axvm_vcpu *vcpu)
{
	bool enabled = (vcpu->arch.cntp_ctl & AXVM_AARCH64_TIMER_ENABLE) != 0;
	bool masked = (vcpu->arch.cntp_ctl & AXVM_AARCH64_TIMER_MASK) != 0;
	bool high = enabled && !masked && is_due(vcpu->arch.cntp_cval);

	if (enabled && !masked && !high)
		axvm_hal_timer_start(&vcpu->arch.physical_timer, vcpu->arch.cntp_cval);
	else
		axvm_hal_timer_stop(&vcpu->arch.physical_timer);
	(void)axvm_arch_irq_set_private(vcpu, AXVM_VGIC_PHYSICAL_TIMER, high);
}

uint64_t axvm_aarch64_timer_read_ctl(const struct axvm_vcpu *vcpu)
{
	return vcpu->arch.cntp_ctl | (is_met(vcpu) ? AXVM_AARCH64_TIMER_STATUS : 0);
}

void axvm_aarch64_timer_write_ctl(struct axvm_vcpu *vcpu, uint64_t value)
{
	vcpu->arch.cntp_ctl = value & (AXVM_AARCH64_TIMER_ENABLE | AXVM_AARCH64_TIMER_MASK);
	update(vcpu);
}

uint64_t axvm_aarch64_timer_read_cval(const struct axvm_vcpu *vcpu)
{
	return vcpu->arch.cntp_cval;
}

void axvm_aarch64_timer_write_cval(struct axvm_vcpu *vcpu, uint64_t value)
{
	vcpu->arch.cntp_cval = value;
	update(vcpu);
}

/* A signed 32-bit distance from now; reads are zero-extended [ARM D19.12.20]. */
uint64_t axvm_aarch64_timer_read_tval(const struct axvm_vcpu *vcpu)
{
	return (uint32_t)(vcpu->arch.cntp_cval - axvm_hal_time_ticks());
}

void axvm_aarch64_timer_write_tval(struct axvm_vcpu *vcpu, uint64_t value)
{
	uint64_t distance = (value & UINT32_MAX) ^ 0x80000000u;

	axvm_aarch64_timer_write_cval(vcpu, axvm_hal_time_ticks() + distance - 0x80000000u);
}

void axvm_aarch64_timer_bound(struct axvm_vcpu *vcpu)
{
	axvm_hal_timer_stop(&vcpu->arch.virtual_timer);
	atomic_store_explicit(&vcpu->arch.timer_expired, 0, memory_order_relaxed);
}

/* One that has fired and waits for the guest needs no waking: it is pending, or active. */
void axvm_aarch64_timer_unbound(struct axvm_vcpu *vcpu)
{
	const struct axvm_aarch64_sysregs *sys = &vcpu->arch.sys;
	uint32_t bit = 1u << AXVM_VGIC_VIRTUAL_TIMER;

	if ((sys->cntv_ctl_el0 & (AXVM_AARCH64_TIMER_ENABLE | AXVM_AARCH64_TIMER_MASK)) !=
		    AXVM_AARCH64_TIMER_ENABLE ||
	    (axvm_aarch64_linked_interrupts(vcpu) & bit) != 0)
		return;
	axvm_hal_timer_start(&vcpu->arch.virtual_timer,
			     sys->cntv_cval_el0 + vcpu->vm->arch.cntvoff);
}
