/* SPDX-License-Identifier: Apache-2.0 */
/* [devices]: the machine of a VM that lists no emulated devices: the platform's, by its controller. */
#include "config_private.h"

void axvm_config_machine_read(struct axvm_config_reader *reader, struct axvm_config_place place,
			      const struct axvm_toml_node *node)
{
	const struct axvm_platform *platform = reader->platform;
	struct axvm_config_name names[AXVM_MACHINES_MAX];
	struct axvm_config_enum choices = { names, 0, false };
	uint32_t chosen;

	for (; choices.count < platform->machine_count; choices.count++)
		names[choices.count] =
			(struct axvm_config_name){ platform->machines[choices.count].controller,
						   choices.count };
	if (axvm_config_choice(reader, place, node, &choices, &chosen))
		reader->machine = &platform->machines[chosen];
}

static bool is_given(const struct axvm_config_reader *reader, const char *key)
{
	return axvm_config_get(reader->devices, key) != NULL;
}

/* Whether a device that the file passes through takes this one's place. */
static bool is_replaced(const struct axvm_config_reader *reader, const struct axvm_config_emu *emu)
{
	for (uint32_t i = 0; i < reader->config->passthrough_count; i++) {
		const struct axvm_config_passthrough *device = &reader->passthrough[i];

		if (device->path == NULL && device->gpa.addr == emu->base.addr)
			return true;
	}
	return false;
}

static void take_platform_devices(struct axvm_config_reader *reader)
{
	const struct axvm_machine *machine = reader->machine;
	const struct axvm_config_emu *devices =
		machine != NULL ? machine->devices : reader->platform->devices;
	const uint32_t device_count =
		machine != NULL ? machine->device_count : reader->platform->device_count;
	uint32_t count = 0;

	if (!axvm_config_take_emu(reader, device_count))
		return;
	for (uint32_t i = 0; i < device_count; i++) {
		if (is_replaced(reader, &devices[i]))
			continue;
		reader->emu[count] = devices[i];
		reader->emu_marks[count].good = true;
		count++;
	}
	reader->config->emu_count = count;
}

/* A choice that nothing would follow from. */
static void check_controller(struct axvm_config_reader *reader, bool lists_emulated)
{
	static const char key[] = "interrupt_controller";
	const struct axvm_toml_node *node = axvm_config_get(reader->devices, key);

	if (reader->machine == NULL)
		return;
	if (lists_emulated)
		axvm_config_refuse(
			reader, axvm_config_place(key), node,
			" chooses the platform's machine, but emu_devices lists another: put "
			"the controller there, or leave one of the two out");
	else if (reader->config->irq_mode != AXVM_IRQ_EMULATED)
		axvm_config_refuse(reader, axvm_config_place(key), node,
				   " needs interrupt_mode \"emulated\"");
}

/*
 * A file that lists devices means these and, as upstream, no interrupts unless it says so. One that
 * lists none gets the platform's machine. Emulated interrupts without a list of emulated devices
 * mean the platform's too, without those that the file passes through.
 */
void axvm_config_devices_finish(struct axvm_config_reader *reader)
{
	struct axvm_config *config = reader->config;
	const bool emu = is_given(reader, "emu_devices");
	const bool listed = emu || is_given(reader, "passthrough_devices");

	if (!is_given(reader, "interrupt_mode"))
		config->irq_mode =
			listed && reader->machine == NULL ? AXVM_IRQ_NONE : AXVM_IRQ_EMULATED;
	check_controller(reader, emu);
	if (!emu && (!listed || config->irq_mode == AXVM_IRQ_EMULATED))
		take_platform_devices(reader);
}
