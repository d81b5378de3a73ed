/* SPDX-License-Identifier: Apache-2.0 */
/* What of the firmware is used, and what lacks, by name. Every call of the firmware is in this file. */
#include "sbi.h"

#include "csr.h"
#include "ecall.h"
#include "text.h"

#define EID_LEGACY_SHUTDOWN 0x08u
#define EID_BASE 0x10u
#define BASE_SPEC_VERSION 0u
#define BASE_PROBE 3u
#define BASE_MVENDORID 4u
#define BASE_MARCHID 5u
#define BASE_MIMPID 6u
#define RFENCE_FENCE_I 0u
#define RFENCE_SFENCE_VMA 1u
#define RFENCE_HFENCE_GVMA_VMID 3u
#define RFENCE_HFENCE_VVMA_ASID 5u
#define RFENCE_HFENCE_VVMA 6u
#define SRST_SHUTDOWN 0u
#define SRST_COLD_REBOOT 1u
#define DBCN_WRITE 0u
#define DBCN_READ 1u
#define HARTS_OF_A_MASK 64u

/* Names in ASCII [SBI 6 to 12]. */
static const struct {
	uint32_t eid;
	const char *without; /* what goes on without it; NULL: nothing is said here */
} extensions[AXVM_SBI_EXTENSIONS] = {
	[AXVM_SBI_TIME] = { 0x54494d45, NULL },
	[AXVM_SBI_IPI] = { 0x735049, "IPI (send IPIs): one CPU is used" },
	[AXVM_SBI_RFENCE] = { 0x52464e43, "RFENCE (remote fences): one CPU is used" },
	[AXVM_SBI_HSM] = { 0x48534d, "HSM (hart state management): one CPU is used" },
	[AXVM_SBI_SRST] = { 0x53525354, "SRST (system reset): the machine may not end by itself" },
	[AXVM_SBI_DBCN] = { 0x4442434e, NULL },
};

static uint32_t present;

static struct axvm_sbi_result call_base(uint64_t fid, uint64_t a)
{
	return axvm_ecall(EID_BASE, fid, a, 0, 0, 0, 0);
}

static uint64_t eid_of(enum axvm_sbi_extension extension)
{
	return extensions[extension].eid;
}

bool axvm_bare_sbi_init(const char **why)
{
	struct axvm_sbi_result version = call_base(BASE_SPEC_VERSION, 0);

	if (version.error != 0 || version.value < 2) {
		*why = "the firmware's SBI is older than 0.2 (no BASE extension): use OpenSBI 0.6 "
		       "or newer";
		return false;
	}
	for (uint32_t i = 0; i < AXVM_SBI_EXTENSIONS; i++) {
		struct axvm_sbi_result found = call_base(BASE_PROBE, extensions[i].eid);
		present |= (uint32_t)(found.error == 0 && found.value != 0) << i;
	}
	return true;
}

bool axvm_bare_sbi_has(enum axvm_sbi_extension extension)
{
	return (present >> extension & 1) != 0;
}

static void say_missing(const char *without)
{
	char line[128];
	struct axvm_text text = axvm_text(line, sizeof(line));

	axvm_text_string(&text, "the firmware lacks the SBI extension ");
	axvm_text_string(&text, without);
	axvm_hal_log(AXVM_LOG_WARNING, line);
}

bool axvm_bare_sbi_check(uint32_t harts, bool needs_timer, const char **why)
{
	const uint32_t for_several =
		1u << AXVM_SBI_IPI | 1u << AXVM_SBI_RFENCE | 1u << AXVM_SBI_HSM;

	if (needs_timer && !axvm_bare_sbi_has(AXVM_SBI_TIME)) {
		*why = "the firmware lacks the SBI extension TIME and the harts lack Sstc: there is "
		       "no timer. Use OpenSBI 0.6 or newer";
		return false;
	}
	for (uint32_t i = 0; i < AXVM_SBI_EXTENSIONS; i++) {
		bool is_used = harts > 1 || (for_several >> i & 1) == 0;
		if (is_used && !axvm_bare_sbi_has(i) && extensions[i].without != NULL)
			say_missing(extensions[i].without);
	}
	return true;
}

void axvm_bare_sbi_set_timer(uint64_t deadline_ticks)
{
	axvm_ecall(eid_of(AXVM_SBI_TIME), 0, deadline_ticks, 0, 0, 0, 0);
}

int64_t axvm_bare_sbi_hart_start(uint64_t hart, uint64_t entry_hpa, uint64_t arg)
{
	return axvm_ecall(eid_of(AXVM_SBI_HSM), 0, hart, entry_hpa, arg, 0, 0).error;
}

/* ---- requests to several harts --------------------------------------------------------------- */

struct request {
	enum axvm_sbi_extension extension;
	uint32_t fid;
	uint64_t start;
	uint64_t bytes;
	uint64_t tag;
};

/* Those of `mask` whose hart ids lie within 64 of the lowest one, as the firmware wants them. */
static uint64_t take_harts(uint64_t *mask, uint64_t *base)
{
	uint64_t harts = 0;

	*base = UINT64_MAX;
	for (uint64_t left = *mask; left != 0; left &= left - 1) {
		uint64_t hart = axvm_cpus[__builtin_ctzll(left)].hardware_id;
		*base = hart < *base ? hart : *base;
	}
	for (uint64_t left = *mask; left != 0; left &= left - 1) {
		uint64_t distance = axvm_cpus[__builtin_ctzll(left)].hardware_id - *base;
		if (distance >= HARTS_OF_A_MASK)
			continue;
		harts |= (uint64_t)1 << distance;
		*mask &= ~(left & (0 - left));
	}
	return harts;
}

static void request(uint64_t mask, const struct request *what)
{
	axvm_fence(); /* what the others shall see is visible before they are asked */
	while (mask != 0) {
		uint64_t base;
		uint64_t harts = take_harts(&mask, &base);

		axvm_ecall(eid_of(what->extension), what->fid, harts, base, what->start,
			   what->bytes, what->tag);
	}
}

void axvm_bare_sbi_send_ipi(uint64_t mask)
{
	request(mask, &(struct request){ .extension = AXVM_SBI_IPI });
}

void axvm_bare_sbi_fence_i(uint64_t mask)
{
	request(mask, &(struct request){ .extension = AXVM_SBI_RFENCE, .fid = RFENCE_FENCE_I });
}

void axvm_bare_sbi_sfence_vma(uint64_t mask)
{
	request(mask, &(struct request){ .extension = AXVM_SBI_RFENCE, .fid = RFENCE_SFENCE_VMA });
}

void axvm_bare_sbi_hfence_gvma(uint64_t mask, uint64_t gpa, uint64_t bytes, uint32_t vmid)
{
	request(mask, &(struct request){ .extension = AXVM_SBI_RFENCE,
					 .fid = RFENCE_HFENCE_GVMA_VMID,
					 .start = bytes == 0 ? 0 : gpa,
					 .bytes = bytes,
					 .tag = vmid });
}

void axvm_bare_sbi_hfence_vvma(uint64_t mask, uint64_t va, uint64_t bytes, bool by_asid,
			       uint64_t asid)
{
	request(mask,
		&(struct request){ .extension = AXVM_SBI_RFENCE,
				   .fid = by_asid ? RFENCE_HFENCE_VVMA_ASID : RFENCE_HFENCE_VVMA,
				   .start = bytes == 0 ? 0 : va,
				   .bytes = bytes,
				   .tag = asid });
}

/* ---- the rest -------------------------------------------------------------------------------- */

struct axvm_bare_hart_model axvm_bare_sbi_model(void)
{
	return (struct axvm_bare_hart_model){
		.mvendorid = call_base(BASE_MVENDORID, 0).value,
		.marchid = call_base(BASE_MARCHID, 0).value,
		.mimpid = call_base(BASE_MIMPID, 0).value,
	};
}

void axvm_bare_sbi_reset(bool reboot)
{
	axvm_ecall(eid_of(AXVM_SBI_SRST), 0, reboot ? SRST_COLD_REBOOT : SRST_SHUTDOWN, 0, 0, 0, 0);
	if (!reboot)
		axvm_ecall(EID_LEGACY_SHUTDOWN, 0, 0, 0, 0, 0, 0);
}

static uint64_t call_console(uint64_t fid, uint64_t hpa, uint64_t bytes)
{
	if (!axvm_bare_sbi_has(AXVM_SBI_DBCN))
		return 0;
	struct axvm_sbi_result done = axvm_ecall(eid_of(AXVM_SBI_DBCN), fid, bytes, hpa, 0, 0, 0);
	return done.error == 0 ? done.value : 0;
}

uint64_t axvm_bare_sbi_write(uint64_t hpa, uint64_t bytes)
{
	return call_console(DBCN_WRITE, hpa, bytes);
}

uint64_t axvm_bare_sbi_read(uint64_t hpa, uint64_t bytes)
{
	return call_console(DBCN_READ, hpa, bytes);
}
