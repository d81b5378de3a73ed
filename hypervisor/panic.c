/* SPDX-License-Identifier: Apache-2.0 */
/* The hypervisor's own failure: what is known goes to the console, and the machine ends. */
#include "bare.h"
#include "console.h"
#include "text.h"
#include "vms.h"

static atomic_flag in_panic = ATOMIC_FLAG_INIT;

/* One CPU tells; another that fails at the same time, or in here, stops. */
static void begin(void)
{
	if (atomic_flag_test_and_set(&in_panic))
		axvm_bare_stop_cpu();
	axvm_console_seize();
}

static void say(const char *name, uint64_t value)
{
	char line[80];
	struct axvm_text text = axvm_text(line, sizeof(line));

	axvm_text_string(&text, name);
	axvm_text_hex(&text, value);
	axvm_console_line(line);
}

static void say_cpu(void)
{
	const struct axvm_cpu *cpu = axvm_bare_this_cpu();

	say("  CPU ", cpu->index);
	if (cpu->vcpu == NULL)
		return;
	say("  VM ", axvm_vm_id(cpu->vcpu->vm));
	say("  vCPU ", cpu->vcpu->index);
	say("  exits ", cpu->vcpu->exit_count);
}

_Noreturn void axvm_hal_panic(const char *file, int line, const char *what)
{
	char text_buffer[256];
	struct axvm_text text = axvm_text(text_buffer, sizeof(text_buffer));

	begin();
	axvm_text_string(&text, "PANIC: ");
	axvm_text_string(&text, what);
	axvm_text_string(&text, " (");
	axvm_text_string(&text, file);
	axvm_text_string(&text, ":");
	axvm_text_decimal(&text, (uint64_t)line);
	axvm_text_string(&text, ")");
	axvm_console_line(text_buffer);
	say_cpu();
	axvm_vms_fail();
}

_Noreturn void axvm_panic_exception(const char *what, const uint64_t *registers, uint32_t count,
				    uint64_t pc, uint64_t syndrome, uint64_t address)
{
	begin();
	axvm_console_line("PANIC: exception in the hypervisor");
	axvm_console_line(what);
	say("  pc ", pc);
	say("  syndrome ", syndrome);
	say("  address ", address);
	say_cpu();
	for (uint32_t i = 0; i < count; i++) {
		char name[16];
		struct axvm_text text = axvm_text(name, sizeof(name));
		axvm_text_string(&text, "  x");
		axvm_text_decimal(&text, i);
		axvm_text_string(&text, " ");
		say(name, registers[i]);
	}
	axvm_vms_fail();
}
