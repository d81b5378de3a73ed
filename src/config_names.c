/* SPDX-License-Identifier: Apache-2.0 */
/* Names of enumerations, each made from the one list in <axvm/config.h>. */
#include "config_private.h"

#define NUMBERED(id, number, name) { (name), (number) },
#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static const struct axvm_config_name isas[] = { AXVM_ISAS(NUMBERED) };
static const struct axvm_config_name vm_types[] = { AXVM_VM_TYPES(NUMBERED) };
static const struct axvm_config_name map_types[] = { AXVM_MAP_TYPES(NUMBERED) };
static const struct axvm_config_name emu_types[] = { AXVM_EMU_TYPES(NUMBERED) };

#define NAMED(prefix, id, name, alias, alias2) \
	{ (name), (prefix##id) }, { (alias), (prefix##id) }, { (alias2), (prefix##id) },
#define IRQ_MODE(...) NAMED(AXVM_IRQ_, __VA_ARGS__)
#define BOOT_PROTOCOL(...) NAMED(AXVM_BOOT_, __VA_ARGS__)
#define IMAGE_LOCATION(...) NAMED(AXVM_LOCATION_, __VA_ARGS__)

static const struct axvm_config_name irq_modes[] = { AXVM_IRQ_MODES(IRQ_MODE) };
static const struct axvm_config_name boot_protocols[] = { AXVM_BOOT_PROTOCOLS(BOOT_PROTOCOL) };
static const struct axvm_config_name image_locations[] = { AXVM_IMAGE_LOCATIONS(IMAGE_LOCATION) };
static const struct axvm_config_name policies[] = {
	{ "virtualized", false },
	{ "virtual", false },
	{ "passthrough", true },
	{ "pt", true },
};

const struct axvm_config_enum axvm_config_isas = { isas, COUNT_OF(isas), false };
const struct axvm_config_enum axvm_config_vm_types = { vm_types, COUNT_OF(vm_types), true };
const struct axvm_config_enum axvm_config_map_types = { map_types, COUNT_OF(map_types), true };
const struct axvm_config_enum axvm_config_emu_types = { emu_types, COUNT_OF(emu_types), true };
const struct axvm_config_enum axvm_config_irq_modes = { irq_modes, COUNT_OF(irq_modes), false };
const struct axvm_config_enum axvm_config_boot_protocols = { boot_protocols,
							     COUNT_OF(boot_protocols), false };
const struct axvm_config_enum axvm_config_image_locations = { image_locations,
							      COUNT_OF(image_locations), false };
const struct axvm_config_enum axvm_config_policies = { policies, COUNT_OF(policies), false };

static const char *name_of(const struct axvm_config_enum *names, uint32_t number)
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (names->names[i].number == number)
			return names->names[i].name;
	}
	return "?";
}

const char *axvm_isa_name(enum axvm_isa isa)
{
	return name_of(&axvm_config_isas, (uint32_t)isa);
}

const char *axvm_vm_type_name(enum axvm_vm_type type)
{
	return name_of(&axvm_config_vm_types, (uint32_t)type);
}

const char *axvm_map_type_name(enum axvm_map_type type)
{
	return name_of(&axvm_config_map_types, (uint32_t)type);
}

const char *axvm_emu_type_name(enum axvm_emu_type type)
{
	return name_of(&axvm_config_emu_types, (uint32_t)type);
}

const char *axvm_irq_mode_name(enum axvm_irq_mode mode)
{
	return name_of(&axvm_config_irq_modes, (uint32_t)mode);
}

const char *axvm_boot_protocol_name(enum axvm_boot_protocol protocol)
{
	return name_of(&axvm_config_boot_protocols, (uint32_t)protocol);
}

const char *axvm_image_location_name(enum axvm_image_location location)
{
	return name_of(&axvm_config_image_locations, (uint32_t)location);
}
