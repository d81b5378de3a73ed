// SPDX-License-Identifier: Apache-2.0
/*
 * The virtual platform of this ISA: addresses and interrupts of QEMU's `virt`, with each of its
 * interrupt controllers, and the device-tree nodes that belong to the machine itself.
 */
#include <axvm/platform.h>

#include <string.h>

#include "guest_fdt.h"
#include "intc/plic.h"
#include "isa.h"

#define RAM_BASE 0x80000000ULL
#define RAM_LIMIT (1ULL << 40) /* half of what Sv39x4 translates */
#define PLIC_BASE 0x0c000000ULL
#define APLIC_BASE 0x0d000000ULL
#define IMSIC_BASE 0x28000000ULL
#define IMSIC_PAGE_BYTES 0x1000u
#define IRQ_COUNT 1024u

#define CPU_PHANDLE 1u /* of vCPU 0's controller; the others' follow */
#define IMSIC_PHANDLE 0x8003u

/* Interrupts of a hart as its own controller numbers them [RISCV-PRIV 10.1.8]. */
#define FDT_S_EXTERNAL 9u
#define FDT_NOT_CONNECTED UINT32_MAX
#define IMSIC_IDENTITIES 255u

#define ISA_LIST_BYTES (2u * AXVM_RISCV64_ISA_BYTES) /* a NUL for each letter */

/* ---- what there is ---------------------------------------------------------------------------- */

#define UART                                                                       \
	{                                                                          \
		.name = "uart", .base = { 0x10000000 }, .bytes = 0x100, .irq = 10, \
		.type = AXVM_EMU_NS16550                                           \
	}
#define APLIC                                                                                    \
	{                                                                                        \
		.name = "aplic", .base = { APLIC_BASE }, .bytes = 0x8000, .type = AXVM_EMU_APLIC \
	}

static const struct axvm_config_emu plic_devices[] = {
	{ .name = "plic", .base = { PLIC_BASE }, .bytes = 0x600000, .type = AXVM_EMU_PLIC },
	UART,
};

static const struct axvm_config_emu aplic_devices[] = { APLIC, UART };

static const struct axvm_config_emu aia_devices[] = {
	APLIC,
	{ .name = "imsic",
	  .base = { IMSIC_BASE },
	  .bytes = (uint64_t)AXVM_VCPUS_MAX * IMSIC_PAGE_BYTES,
	  .type = AXVM_EMU_IMSIC },
	UART,
};

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* In the order of enum axvm_riscv64_controller. */
static const struct axvm_machine machines[] = {
	{ "plic", plic_devices, COUNT_OF(plic_devices) },
	{ "aplic", aplic_devices, COUNT_OF(aplic_devices) },
	{ "aia", aia_devices, COUNT_OF(aia_devices) },
};

/* ---- harts ------------------------------------------------------------------------------------ */

struct cpu_strings {
	char isa[AXVM_RISCV64_ISA_BYTES];
	char list[ISA_LIST_BYTES]; /* riscv,isa-extensions */
	uint32_t list_bytes;
};

static bool is_long(char first)
{
	return first == 's' || first == 'x' || first == 'z';
}

/* "rv64im_zicsr" to "i", "m", "zicsr". */
static void make_list(struct cpu_strings *strings)
{
	const char *at = strings->isa + 4;

	while (*at != '\0') {
		bool is_word = is_long(*at);

		if (*at == '_') {
			at++;
			continue;
		}
		do {
			strings->list[strings->list_bytes++] = *at++;
		} while (is_word && *at != '\0' && *at != '_');
		strings->list[strings->list_bytes++] = '\0';
	}
}

static void put_cpu_controller(struct axvm_guest_fdt *fdt, uint32_t index)
{
	axvm_guest_fdt_begin(fdt, "interrupt-controller");
	axvm_guest_fdt_u32(fdt, "#interrupt-cells", 1);
	axvm_guest_fdt_flag(fdt, "interrupt-controller");
	axvm_guest_fdt_string(fdt, "compatible", "riscv,cpu-intc");
	axvm_guest_fdt_u32(fdt, "phandle", CPU_PHANDLE + index);
	axvm_guest_fdt_end(fdt);
}

static void put_block_size(struct axvm_guest_fdt *fdt, const char *name, uint32_t bytes)
{
	if (bytes > 0)
		axvm_guest_fdt_u32(fdt, name, bytes);
}

static const char *mmu_type(uint32_t levels)
{
	static const char *const types[] = { "riscv,sv39", "riscv,sv48", "riscv,sv57" };

	return types[levels < 3 || levels > 5 ? 0 : levels - 3];
}

static void put_cpu(struct axvm_guest_fdt *fdt, const struct axvm_riscv64_host *host,
		    const struct cpu_strings *strings, uint32_t index, uint32_t hart)
{
	axvm_guest_fdt_begin_at(fdt, "cpu", hart);
	axvm_guest_fdt_string(fdt, "device_type", "cpu");
	axvm_guest_fdt_string(fdt, "compatible", "riscv");
	axvm_guest_fdt_string(fdt, "status", "okay");
	axvm_guest_fdt_u32(fdt, "reg", hart);
	put_block_size(fdt, "riscv,cbom-block-size", host->cbom_block_bytes);
	put_block_size(fdt, "riscv,cboz-block-size", host->cboz_block_bytes);
	put_block_size(fdt, "riscv,cbop-block-size", host->cbop_block_bytes);
	axvm_guest_fdt_string(fdt, "riscv,isa", strings->isa);
	axvm_guest_fdt_string(fdt, "riscv,isa-base", "rv64i");
	axvm_guest_fdt_bytes(fdt, "riscv,isa-extensions", strings->list, strings->list_bytes);
	axvm_guest_fdt_string(fdt, "mmu-type", mmu_type(host->mmu_levels));
	put_cpu_controller(fdt, index);
	axvm_guest_fdt_end(fdt);
}

static void put_cpus(struct axvm_guest_fdt *fdt, const struct axvm_config *config)
{
	const struct axvm_riscv64_view *view = fdt->host;
	struct cpu_strings strings = { .list_bytes = 0 };

	(void)axvm_riscv64_guest_isa(view, strings.isa);
	make_list(&strings);
	axvm_guest_fdt_begin(fdt, "cpus");
	axvm_guest_fdt_u32(fdt, "#address-cells", 1);
	axvm_guest_fdt_u32(fdt, "#size-cells", 0);
	axvm_guest_fdt_u32(fdt, "timebase-frequency", (uint32_t)fdt->timer_hz);
	for (uint32_t i = 0; i < config->vcpu_count; i++)
		put_cpu(fdt, axvm_riscv64_view_host(view), &strings, i,
			(uint32_t)axvm_guest_cpu_id(config, AXVM_ISA_RISCV64, i));
	axvm_guest_fdt_end(fdt);
}

/* ---- interrupt controllers -------------------------------------------------------------------- */

static const struct axvm_config_emu *find(const struct axvm_config *config, enum axvm_emu_type type)
{
	for (uint32_t i = 0; i < config->emu_count; i++) {
		if (config->emu[i].type == type)
			return &config->emu[i];
	}
	return NULL;
}

/* Whether the guest has the host's PLIC, at the place of ours. */
static bool passes_plic(const struct axvm_config *config)
{
	for (uint32_t i = 0; i < config->passthrough_count; i++) {
		const struct axvm_config_passthrough *device = &config->passthrough[i];

		if (device->path == NULL &&
		    axvm_range_contains(device->gpa.addr, device->bytes, PLIC_BASE, 1))
			return true;
	}
	return false;
}

static const struct axvm_config_emu *find_plic(const struct axvm_config *config)
{
	const struct axvm_config_emu *plic = find(config, AXVM_EMU_PLIC);

	if (plic == NULL)
		plic = find(config, AXVM_EMU_PPPT_GLOBAL);
	return plic == NULL && passes_plic(config) ? &plic_devices[0] : plic;
}

/* "interrupts-extended": the external interrupt of each hart; a PLIC has a context for M mode too. */
static void put_outputs(struct axvm_guest_fdt *fdt, uint32_t vcpu_count, bool has_machine_mode)
{
	uint32_t cells[4 * AXVM_VCPUS_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < vcpu_count; i++) {
		if (has_machine_mode) {
			cells[count++] = CPU_PHANDLE + i;
			cells[count++] = FDT_NOT_CONNECTED;
		}
		cells[count++] = CPU_PHANDLE + i;
		cells[count++] = FDT_S_EXTERNAL;
	}
	axvm_guest_fdt_cells(fdt, "interrupts-extended", cells, count);
}

static void put_plic(struct axvm_guest_fdt *fdt, const struct axvm_config *config,
		     const struct axvm_config_emu *plic)
{
	axvm_guest_fdt_begin_at(fdt, "plic", plic->base.addr);
	axvm_guest_fdt_u32(fdt, "phandle", fdt->intc_phandle);
	/* Guests set each of them up, with an exit for every one that there is. */
	axvm_guest_fdt_u32(fdt, "riscv,ndev",
			   (passes_plic(config) ? IRQ_COUNT : axvm_plic_sources(config)) - 1);
	axvm_guest_fdt_reg(fdt, plic->base.addr, plic->bytes);
	put_outputs(fdt, config->vcpu_count, true);
	axvm_guest_fdt_flag(fdt, "interrupt-controller");
	axvm_guest_fdt_strings(fdt, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
	axvm_guest_fdt_u32(fdt, "#address-cells", 0);
	axvm_guest_fdt_u32(fdt, "#interrupt-cells", 1);
	axvm_guest_fdt_end(fdt);
	fdt->irq_cells = 1;
}

static void put_aplic(struct axvm_guest_fdt *fdt, const struct axvm_config *config,
		      const struct axvm_config_emu *aplic, bool has_imsic)
{
	axvm_guest_fdt_begin_at(fdt, "interrupt-controller", aplic->base.addr);
	axvm_guest_fdt_u32(fdt, "phandle", fdt->intc_phandle);
	axvm_guest_fdt_u32(fdt, "riscv,num-sources", axvm_plic_sources(config) - 1);
	axvm_guest_fdt_reg(fdt, aplic->base.addr, aplic->bytes);
	if (has_imsic)
		axvm_guest_fdt_u32(fdt, "msi-parent", IMSIC_PHANDLE);
	else
		put_outputs(fdt, config->vcpu_count, false);
	axvm_guest_fdt_flag(fdt, "interrupt-controller");
	axvm_guest_fdt_strings(fdt, "compatible", "qemu,aplic\0riscv,aplic");
	axvm_guest_fdt_u32(fdt, "#address-cells", 0);
	axvm_guest_fdt_u32(fdt, "#interrupt-cells", 2);
	axvm_guest_fdt_end(fdt);
	fdt->irq_cells = 2;
}

static void put_imsic(struct axvm_guest_fdt *fdt, const struct axvm_config *config,
		      const struct axvm_config_emu *imsic)
{
	axvm_guest_fdt_begin_at(fdt, "interrupt-controller", imsic->base.addr);
	axvm_guest_fdt_u32(fdt, "phandle", IMSIC_PHANDLE);
	axvm_guest_fdt_u32(fdt, "riscv,num-ids", IMSIC_IDENTITIES);
	axvm_guest_fdt_reg(fdt, imsic->base.addr, (uint64_t)config->vcpu_count * IMSIC_PAGE_BYTES);
	put_outputs(fdt, config->vcpu_count, false);
	axvm_guest_fdt_flag(fdt, "msi-controller");
	axvm_guest_fdt_flag(fdt, "interrupt-controller");
	axvm_guest_fdt_u32(fdt, "#interrupt-cells", 0);
	axvm_guest_fdt_u32(fdt, "#msi-cells", 0);
	axvm_guest_fdt_strings(fdt, "compatible", "qemu,imsics\0riscv,imsics");
	axvm_guest_fdt_end(fdt);
}

static void put_controllers(struct axvm_guest_fdt *fdt, const struct axvm_config *config)
{
	const struct axvm_config_emu *plic = find_plic(config);
	const struct axvm_config_emu *aplic = find(config, AXVM_EMU_APLIC);
	const struct axvm_config_emu *imsic = find(config, AXVM_EMU_IMSIC);

	if (imsic != NULL)
		put_imsic(fdt, config, imsic);
	if (aplic != NULL) {
		put_aplic(fdt, config, aplic, imsic != NULL);
	} else if (plic != NULL) {
		put_plic(fdt, config, plic);
	} else {
		fdt->irq_cells = 0; /* timer and software interrupts alone */
	}
}

static int fdt_machine(struct axvm_guest_fdt *fdt, const struct axvm_config *config)
{
	put_cpus(fdt, config);
	put_controllers(fdt, config);
	return fdt->error == 0 ? 0 : AXVM_ENOMEM;
}

#define PLATFORM(default_devices)                                                        \
	{                                                                                \
		.isa = AXVM_ISA_RISCV64, .name = "riscv64", .ram_base = RAM_BASE,        \
		.ram_limit = RAM_LIMIT, .irq_first = 1, .irq_count = IRQ_COUNT,          \
		.devices = (default_devices), .device_count = COUNT_OF(default_devices), \
		.machines = machines, .machine_count = COUNT_OF(machines),               \
		.fdt_machine = fdt_machine,                                              \
	}

const struct axvm_platform axvm_platform_riscv64 = PLATFORM(plic_devices);
const struct axvm_platform axvm_platform_riscv64_aplic = PLATFORM(aplic_devices);
const struct axvm_platform axvm_platform_riscv64_aia = PLATFORM(aia_devices);
