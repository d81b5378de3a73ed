// SPDX-License-Identifier: Apache-2.0
/*
 * The registers of the APLIC's domain [AIA 4.5] and its interrupt delivery control structures [AIA 4.8.1].
 * Accesses that are not aligned words are RAZ/WI, as are reserved bytes, mmsiaddrcfg and smsiaddrcfg
 * (of machine-level domains only) and setipnum_be, for there is no big-endian guest.
 */
#include "aplic_private.h"

#define DOMAINCFG 0x0000u
#define SOURCECFG_END 0x1000u /* sourcecfg[1] is at 4 */
#define SETIP 0x1c00u
#define SETIPNUM 0x1cdcu
#define IN_CLRIP 0x1d00u
#define CLRIPNUM 0x1ddcu
#define SETIE 0x1e00u
#define SETIENUM 0x1edcu
#define CLRIE 0x1f00u
#define CLRIENUM 0x1fdcu
#define SETIPNUM_LE 0x2000u
#define GENMSI 0x3000u
#define TARGET_END 0x4000u /* target[1] is at 0x3004 */
#define IDC 0x4000u
#define IDC_BYTES 32u

#define IDELIVERY 0x00u
#define IFORCE 0x04u
#define ITHRESHOLD 0x08u
#define TOPI 0x18u
#define CLAIMI 0x1cu

/* Of the four arrays: which, and the word. */
#define ARRAYS_END 0x2000u
#define ARRAY_BYTES 0x80u

/* Keeps a rare path's registers and code out of the frequent one. */
#define OUT_OF_LINE __attribute__((noinline))

/* ---- sources --------------------------------------------------------------------------------------- */

static uint32_t bit_of(uint32_t source)
{
	return 1u << source % 32;
}

static uint32_t read_sourcecfg(const struct aplic_word *word, uint32_t bit)
{
	uint32_t low = (aplic_get(&word->inverted) & bit) != 0;

	if ((aplic_get(&word->active) & bit) == 0)
		return MODE_INACTIVE;
	if ((aplic_get(&word->edge) & bit) != 0)
		return MODE_EDGE1 + low;
	return (aplic_get(&word->leveled) & bit) != 0 ? MODE_LEVEL1 + low : MODE_DETACHED;
}

/* Target and the sets of the harts agree; lock held. A hart that does not exist has no set. */
static void set_target(struct axvm_aplic *aplic, uint32_t source, uint32_t target)
{
	uint32_t old = aplic_get(&aplic->target[source]);
	uint32_t bit = bit_of(source);

	if (aplic_hart_of(old) < aplic->hart_count)
		aplic_clear(
			&aplic->harts[aplic_hart_of(old)].mine[aplic_priority_of(old)][source / 32],
			bit);
	aplic_put(&aplic->target[source], target);
	if (aplic_hart_of(target) < aplic->hart_count)
		aplic_set(&aplic->harts[aplic_hart_of(target)]
				   .mine[aplic_priority_of(target)][source / 32],
			  bit);
}

/* Lock held. Pending, enabled and target are read-only zero from here on. */
static void make_inactive(struct axvm_aplic *aplic, uint32_t source)
{
	struct aplic_word *word = &aplic->words[source / 32];
	uint32_t bit = bit_of(source);

	aplic_clear(&word->active, bit);
	aplic_clear(&word->enabled, bit);
	aplic_clear(&word->latch, bit);
	aplic_clear(&word->edge, bit);
	aplic_clear(&word->leveled, bit);
	aplic_clear(&word->inverted, bit);
	set_target(aplic, source, 0);
}

/*
 * Lock held. What pended goes on pending; a level that is asserted under the new mode pends as well,
 * which [AIA 4.5.2] allows and of which in MSI mode no edge would tell later.
 */
static void make_active(struct axvm_aplic *aplic, uint32_t source, uint32_t mode)
{
	struct aplic_word *word = &aplic->words[source / 32];
	uint32_t bit = bit_of(source);
	bool pended = (aplic_pending(word, aplic_is_msi(aplic)) & bit) != 0;

	aplic_assign(&word->inverted, bit, mode == MODE_EDGE0 || mode == MODE_LEVEL0);
	aplic_assign(&word->edge, bit, mode == MODE_EDGE1 || mode == MODE_EDGE0);
	aplic_assign(&word->leveled, bit, mode == MODE_LEVEL1 || mode == MODE_LEVEL0);
	if (mode >= MODE_LEVEL1)
		pended = (aplic_rectified(word) & bit) != 0;
	aplic_assign(&word->latch, bit, pended);
	aplic_set(&word->active, bit);
}

/* A delegated source, for which there is no child domain, and reserved modes: inactive. */
static void write_sourcecfg(struct axvm_aplic *aplic, uint32_t source, uint32_t value)
{
	uint32_t mode = (value & SOURCECFG_D) != 0 ? MODE_INACTIVE : value & SOURCECFG_SM;

	axvm_aplic_resample(aplic, source / 32, bit_of(source));
	axvm_lock_take(&aplic->lock);

	uint32_t index = aplic_hart_of(aplic_get(&aplic->target[source]));

	if (mode == MODE_DETACHED || mode >= MODE_EDGE1)
		make_active(aplic, source, mode);
	else
		make_inactive(aplic, source);
	axvm_lock_drop(&aplic->lock);
	axvm_aplic_route(aplic, source / 32, bit_of(source));
	axvm_aplic_deliver(aplic, source / 32, bit_of(source));
	if (index < aplic->hart_count)
		axvm_aplic_settle(aplic, index);
}

static uint32_t read_target(const struct axvm_aplic *aplic, uint32_t source)
{
	uint32_t target = aplic_get(&aplic->target[source]);
	uint32_t hart = aplic_hart_of(target) << TARGET_HART_SHIFT;

	if ((aplic_get(&aplic->words[source / 32].active) & bit_of(source)) == 0)
		return 0;
	return hart | (aplic_is_msi(aplic) ? target & TARGET_EIID : aplic_priority_of(target));
}

static void write_target(struct axvm_aplic *aplic, uint32_t source, uint32_t value)
{
	uint32_t hart = value >> TARGET_HART_SHIFT << TARGET_HART_SHIFT;

	axvm_lock_take(&aplic->lock);

	uint32_t index = aplic_hart_of(aplic_get(&aplic->target[source]));

	if ((aplic_get(&aplic->words[source / 32].active) & bit_of(source)) != 0)
		set_target(aplic, source, hart | (value & TARGET_EIID));
	axvm_lock_drop(&aplic->lock);
	axvm_aplic_route(aplic, source / 32, bit_of(source));
	axvm_aplic_deliver(aplic, source / 32, bit_of(source));
	if (index < aplic->hart_count)
		axvm_aplic_settle(aplic, index);
}

/* ---- pending and enable bits ------------------------------------------------------------------------ */

/* [AIA 4.7]; a level that the host's line asserts is looked at once more instead. */
static void set_pending(struct axvm_aplic *aplic, uint32_t w, uint32_t bits)
{
	struct aplic_word *word = &aplic->words[w];
	uint32_t leveled = aplic_look(&word->leveled);

	bits &= aplic_get(&word->active);
	if (aplic_is_msi(aplic)) {
		axvm_aplic_resample(aplic, w, bits & leveled);
		bits &= ~leveled | aplic_rectified(word);
	} else {
		bits &= ~leveled;
	}
	if (bits == 0)
		return;
	aplic_set(&word->latch, bits);
	axvm_aplic_deliver(aplic, w, bits);
}

static void clear_pending(struct axvm_aplic *aplic, uint32_t w, uint32_t bits)
{
	struct aplic_word *word = &aplic->words[w];

	bits &= aplic_get(&word->active);
	if (!aplic_is_msi(aplic))
		bits &= ~aplic_look(&word->leveled);
	if (bits == 0)
		return;
	aplic_clear(&word->latch, bits);
	axvm_aplic_resample(aplic, w, bits);
	axvm_aplic_deliver(aplic, w, bits);
}

static void set_enabled(struct axvm_aplic *aplic, uint32_t w, uint32_t bits)
{
	struct aplic_word *word = &aplic->words[w];

	bits &= aplic_get(&word->active);
	bits &= ~aplic_set(&word->enabled, bits);
	/* It may have been made inactive meanwhile: then it is not enabled. */
	uint32_t gone = bits & ~aplic_look(&word->active);

	if (gone != 0)
		aplic_clear(&word->enabled, gone);
	if (bits == 0)
		return;
	if ((aplic_get(&word->linked) & bits) != 0)
		axvm_aplic_resample(aplic, w, bits);
	axvm_aplic_route(aplic, w, bits);
	axvm_aplic_deliver(aplic, w, bits);
}

static void clear_enabled(struct axvm_aplic *aplic, uint32_t w, uint32_t bits)
{
	bits &= aplic_clear(&aplic->words[w].enabled, bits);
	if (bits == 0)
		return;
	axvm_aplic_route(aplic, w, bits);
	axvm_aplic_deliver(aplic, w, bits);
}

/* What the host sends to a hardware file itself it also looks at again itself. */
static void write_setipnum(struct axvm_aplic *aplic, uint32_t source)
{
	struct aplic_word *word = &aplic->words[source / 32];

	if ((word->routed & bit_of(source)) != 0)
		axvm_hal_riscv64_irq_complete(source);
	else
		set_pending(aplic, source / 32, bit_of(source));
}

/* In MSI mode handlers read this to see whether they are done. */
static uint32_t read_in(struct axvm_aplic *aplic, uint32_t w)
{
	struct aplic_word *word = &aplic->words[w];

	if (aplic_get(&word->linked) != 0 && aplic_is_msi(aplic))
		axvm_aplic_resample(aplic, w,
				    ~aplic_pending(word, true) & aplic_get(&word->leveled));
	return aplic_rectified(word);
}

/* ---- the domain ------------------------------------------------------------------------------------- */

static void write_domaincfg(struct axvm_aplic *aplic, uint32_t value)
{
	uint32_t wanted = value & DOMAINCFG_IE;

	if (aplic->vm->arch.has_imsic)
		wanted |= value & DOMAINCFG_DM;
	axvm_lock_take(&aplic->lock);

	uint32_t before = aplic_get(&aplic->domaincfg);

	for (uint32_t w = 0; w < APLIC_WORDS && ((before ^ wanted) & DOMAINCFG_DM) != 0; w++) {
		struct aplic_word *word = &aplic->words[w];
		uint32_t leveled = aplic_get(&word->leveled);

		aplic_set(&word->latch, leveled & aplic_rectified(word));
	}
	aplic_put(&aplic->domaincfg, wanted);
	axvm_lock_drop(&aplic->lock);
	if (before == wanted)
		return;
	axvm_aplic_route_all(aplic);
	axvm_aplic_deliver_all(aplic);
}

/* Sent before the write is over, so that it is never busy. */
static void write_genmsi(struct axvm_aplic *aplic, uint32_t value)
{
	uint32_t index = value >> TARGET_HART_SHIFT;

	if (!aplic_is_msi(aplic))
		return;
	aplic_put(&aplic->genmsi, index << TARGET_HART_SHIFT | (value & TARGET_EIID));
	if (index < aplic->hart_count)
		axvm_imsic_send(aplic->vm->vcpus[index], value & TARGET_EIID);
}

/* ---- interrupt delivery control ---------------------------------------------------------------------- */

static uint32_t read_idc(struct axvm_aplic *aplic, uint32_t index, uint64_t offset)
{
	struct aplic_hart *hart = &aplic->harts[index];

	switch (offset) {
	case IDELIVERY:
		return aplic_get(&hart->delivery);
	case IFORCE:
		return aplic_get(&hart->force);
	case ITHRESHOLD:
		return aplic_get(&hart->threshold);
	case TOPI:
		return axvm_aplic_top(aplic, index);
	case CLAIMI:
		return axvm_aplic_claim(aplic, index);
	default:
		return 0;
	}
}

static void write_idc(struct axvm_aplic *aplic, uint32_t index, uint64_t offset, uint32_t value)
{
	struct aplic_hart *hart = &aplic->harts[index];

	switch (offset) {
	case IDELIVERY:
		aplic_put(&hart->delivery, value & 1);
		break;
	case IFORCE:
		aplic_put(&hart->force, value & 1);
		break;
	case ITHRESHOLD:
		aplic_put(&hart->threshold, value & (APLIC_PRIORITIES - 1));
		break;
	default:
		return;
	}
	axvm_aplic_settle(aplic, index);
}

/* ---- reads ------------------------------------------------------------------------------------------ */

/* Which word of an array: beyond its 32 there are the registers by number, which read as zero. */
static uint32_t read_array(struct axvm_aplic *aplic, uint64_t offset)
{
	uint32_t w = (uint32_t)(offset & 0xff) / 4;
	const struct aplic_word *word = &aplic->words[w % APLIC_WORDS];

	if (offset < SETIP || w >= APLIC_WORDS)
		return 0;
	switch (offset & ~0xffULL) {
	case SETIP:
		return aplic_pending(word, aplic_is_msi(aplic));
	case IN_CLRIP:
		return read_in(aplic, w);
	case SETIE:
		return aplic_get(&word->enabled);
	default:
		return 0;
	}
}

OUT_OF_LINE static uint32_t read_other(struct axvm_aplic *aplic, uint64_t offset)
{
	uint32_t source = (uint32_t)(offset & 0xfff) / 4;

	if (offset == DOMAINCFG)
		return DOMAINCFG_FIXED | aplic_get(&aplic->domaincfg);
	if (offset < SOURCECFG_END)
		return read_sourcecfg(&aplic->words[source / 32], bit_of(source));
	if (offset < ARRAYS_END)
		return read_array(aplic, offset);
	if (offset == GENMSI)
		return aplic_is_msi(aplic) ? aplic_get(&aplic->genmsi) : 0;
	if (offset > GENMSI && offset < TARGET_END)
		return read_target(aplic, source);
	return 0;
}

uint64_t axvm_aplic_read(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
			 unsigned bytes)
{
	struct axvm_aplic *aplic = device->state;
	uint64_t index = (offset - IDC) / IDC_BYTES;

	(void)vcpu;
	if (bytes != 4 || (offset & 3) != 0)
		return 0;
	if (offset < IDC)
		return read_other(aplic, offset);
	return index < aplic->hart_count ? read_idc(aplic, (uint32_t)index, offset % IDC_BYTES) : 0;
}

/* ---- writes ----------------------------------------------------------------------------------------- */

static void (*const array_writes[])(struct axvm_aplic *aplic, uint32_t w, uint32_t bits) = {
	set_pending,
	clear_pending,
	set_enabled,
	clear_enabled,
};

/* An array's register, or the one by number behind it. */
static void write_array(struct axvm_aplic *aplic, uint64_t offset, uint32_t value)
{
	uint32_t in_array = (uint32_t)(offset & 0xff);
	uint32_t which = (uint32_t)(offset - SETIP) >> 8;

	if (offset < SETIP)
		return;
	if (in_array < ARRAY_BYTES)
		array_writes[which](aplic, in_array / 4, in_array == 0 ? value & ~1u : value);
	else if (in_array == (SETIPNUM & 0xff) && value != 0 && value < AXVM_APLIC_SOURCES)
		array_writes[which](aplic, value / 32, bit_of(value));
}

OUT_OF_LINE static void write_other(struct axvm_aplic *aplic, uint64_t offset, uint32_t value)
{
	uint32_t source = (uint32_t)(offset & 0xfff) / 4;

	if (offset == DOMAINCFG)
		write_domaincfg(aplic, value);
	else if (offset < SOURCECFG_END)
		write_sourcecfg(aplic, source, value);
	else if (offset < ARRAYS_END)
		write_array(aplic, offset, value);
	else if (offset == GENMSI)
		write_genmsi(aplic, value);
	else if (offset > GENMSI && offset < TARGET_END)
		write_target(aplic, source, value);
}

void axvm_aplic_write(struct axvm_device *device, struct axvm_vcpu *vcpu, uint64_t offset,
		      unsigned bytes, uint64_t value)
{
	struct axvm_aplic *aplic = device->state;
	uint64_t index = (offset - IDC) / IDC_BYTES;
	uint32_t low = (uint32_t)value;

	(void)vcpu;
	if (bytes != 4 || (offset & 3) != 0)
		return;
	if (offset == SETIPNUM_LE || offset == SETIPNUM) {
		if (low != 0 && low < AXVM_APLIC_SOURCES)
			write_setipnum(aplic, low);
	} else if (offset < IDC) {
		write_other(aplic, offset, low);
	} else if (index < aplic->hart_count) {
		write_idc(aplic, (uint32_t)index, offset % IDC_BYTES, low);
	}
}
