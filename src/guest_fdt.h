/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's device tree, written with libfdt from the configuration, or the
 * user's own, checked and patched.
 */
#ifndef AXVM_GUEST_FDT_H
#define AXVM_GUEST_FDT_H

#include <axvm/config.h>
#include <axvm/platform.h>
#include <axvm/vm.h>

#include "image.h"

#define AXVM_GUEST_FDT_SEED_BYTES 32u

struct axvm_guest_fdt {
	void *buffer;
	uint64_t capacity;     /* bytes */
	uint64_t timer_hz;     /* riscv64's timebase */
	const void *host;      /* the ISA's: axvm_arch_fdt_host; NULL: on a desk */
	const uint8_t *seed;   /* AXVM_GUEST_FDT_SEED_BYTES for rng-seed and kaslr-seed, or NULL */
	uint32_t intc_phandle; /* preset; fdt_machine gives it to its controller, or changes it */
	/*
	 * How that controller's interrupts are said, likewise: by the number alone (1 cell), by number and
	 * trigger (2), by 0, the number counted from irq_first, and trigger (3), or not at all (0).
	 */
	uint32_t irq_cells;
	uint32_t irq_first; /* numbers below it have no cells */
	int error;	    /* the first libfdt error, sticky; 0: none */
};

/*
 * The writer, for fdt_machine: nodes and properties in the order in which they shall stand (a
 * node's properties before its nodes). After an error they do nothing. Cells are host-endian.
 */
void axvm_guest_fdt_begin(struct axvm_guest_fdt *fdt, const char *name);
void axvm_guest_fdt_begin_at(struct axvm_guest_fdt *fdt, const char *name, uint64_t address);
void axvm_guest_fdt_end(struct axvm_guest_fdt *fdt);
void axvm_guest_fdt_bytes(struct axvm_guest_fdt *fdt, const char *name, const void *data,
			  uint64_t bytes);
void axvm_guest_fdt_string(struct axvm_guest_fdt *fdt, const char *name, const char *value);
void axvm_guest_fdt_flag(struct axvm_guest_fdt *fdt, const char *name);
void axvm_guest_fdt_cells(struct axvm_guest_fdt *fdt, const char *name, const uint32_t *cells,
			  uint32_t count);
void axvm_guest_fdt_u32(struct axvm_guest_fdt *fdt, const char *name, uint32_t value);
void axvm_guest_fdt_u64(struct axvm_guest_fdt *fdt, const char *name, uint64_t value);
/* "reg" with two address and two size cells, as the root and the controllers have. */
void axvm_guest_fdt_reg(struct axvm_guest_fdt *fdt, uint64_t base, uint64_t bytes);
/* A string list: `bytes` includes each NUL; pass a literal and its sizeof. */
#define axvm_guest_fdt_strings(fdt, name, literal) \
	axvm_guest_fdt_bytes((fdt), (name), (literal), sizeof(literal))

/*
 * What a guest sees as the number of a vCPU: MPIDR affinity, hart or APIC id. The configured one,
 * or else as QEMU numbers them: on aarch64 16 CPUs to a cluster, elsewhere from 0.
 */
uint64_t axvm_guest_cpu_id(const struct axvm_config *config, enum axvm_isa isa, uint32_t index);

/*
 * Writes the tree: /, /memory, /chosen (bootargs, initrd, stdout-path), what
 * platform->fdt_machine adds, a node for each emulated device that has one.
 * AXVM_ENOMEM: the capacity does not suffice. *bytes is the size used.
 * The buffer is 8-byte aligned.
 */
AXVM_MUST_USE int axvm_guest_fdt_make(struct axvm_guest_fdt *fdt, const struct axvm_config *config,
				      const struct axvm_platform *platform,
				      const struct axvm_plan *plan, uint64_t *bytes);

/*
 * The user's own tree copied to the buffer with /memory, /chosen and the CPU
 * nodes brought in line with the configuration: CPUs that the VM has not are
 * taken out, missing ones added (aarch64); its command line and stdout-path stay
 * where the configuration has none. AXVM_EFORMAT: not a valid tree, or CPUs are
 * missing. AXVM_ERANGE: memory beyond what its cells can say. AXVM_ENOMEM.
 */
AXVM_MUST_USE int axvm_guest_fdt_patch(struct axvm_guest_fdt *fdt, struct axvm_blob own,
				       const struct axvm_config *config,
				       const struct axvm_platform *platform,
				       const struct axvm_plan *plan, uint64_t *bytes);

/* Gives a finished tree another seed, in place. One that has none stays without. */
void axvm_guest_fdt_reseed(void *tree, const uint8_t seed[AXVM_GUEST_FDT_SEED_BYTES]);

#endif
