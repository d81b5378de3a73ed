// SPDX-License-Identifier: Apache-2.0
/* axvm run: a bundle, a QEMU large enough for it, and its console. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <axvm/platform.h>

#include "bundle_make.h"
#include "session.h"

#define MIB ((uint64_t)1 << 20)
#define HYPERVISOR_BYTES (512 * MIB) /* beside the VMs' memory and the bundle */
#define MEMORY_STEP (256 * MIB)
#define UNPINNED_CPUS_MAX 8u /* a machine is not made larger than that for VMs that pin nothing */

enum { KEY_ISA = 0x100, KEY_UNTIL, KEY_TIMEOUT, KEY_ICOUNT, KEY_APPEND, KEY_HYPERVISOR };

struct run_arguments {
	struct axvm_tool_machine machine;
	const char *hypervisor;
	const char *until;
	const char *append;
	unsigned timeout_s;
	char **files;
	size_t file_count;
	enum axvm_isa isa;
	const enum axvm_isa *chosen;
};

static const struct argp_option options[] = {
	{ "isa", KEY_ISA, "ISA", 0, "aarch64, riscv64 or x86_64; otherwise the first file's", 0 },
	{ "until", KEY_UNTIL, "REGEX", 0,
	  "End with status 0 when this POSIX extended regular expression matches a line of a guest's "
	  "console",
	  0 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0, "End with status 124 after this time", 0 },
	{ "icount", KEY_ICOUNT, NULL, 0,
	  "Run the same instructions each time; one instruction takes one nanosecond", 0 },
	{ "append", KEY_APPEND, "TEXT", 0, "Add to every guest's kernel command line", 0 },
	{ "hypervisor", KEY_HYPERVISOR, "FILE", 0,
	  "The hypervisor; otherwise $AXVM_HYPERVISOR, or the one that was built", 0 },
	{ 0 },
};

static unsigned parse_seconds(const char *text, struct argp_state *state)
{
	char *end;
	const unsigned long seconds = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || seconds == 0 || seconds > 1000000)
		argp_error(state, "--timeout %s: a whole number of seconds from 1 on", text);
	return (unsigned)seconds;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct run_arguments *arguments = state->input;

	switch (key) {
	case KEY_ISA:
		arguments->isa = axvm_tool_isa_argument(text, state);
		arguments->chosen = &arguments->isa;
		return 0;
	case KEY_UNTIL:
		arguments->until = text;
		return 0;
	case KEY_TIMEOUT:
		arguments->timeout_s = parse_seconds(text, state);
		return 0;
	case KEY_ICOUNT:
		arguments->machine.icount = true;
		return 0;
	case KEY_APPEND:
		arguments->append = text;
		return 0;
	case KEY_HYPERVISOR:
		arguments->hypervisor = text;
		return 0;
	case ARGP_KEY_ARG:
		arguments->files[arguments->file_count++] = text;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which VM file?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE... [-- QEMU ARGUMENTS...]",
	.doc = "Runs the VMs of the files under the hypervisor, in QEMU, with their console on this "
	       "terminal.\v"
	       "Example: axvm run --until 'login:' --timeout 60 configs/linux-aarch64.toml -- -smp 4\n"
	       "\n"
	       "The status is 0 when REGEX has appeared, or without --until when all guests have "
	       "shut down cleanly; 124 after a time-out; 2 for a wrong command line; otherwise 1, "
	       "and a line says why.",
};

/* Ends argv at "--": what follows is QEMU's. */
static int split_at_dashes(int argc, char **argv, struct axvm_tool_machine *machine)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			machine->extra = argv + i + 1;
			machine->extra_count = argc - i - 1;
			argv[i] = NULL;
			return i;
		}
	}
	return argc;
}

/* How many CPUs there must be for the highest one of the mask or the list to exist. */
static uint32_t pinned_cpus(const struct axvm_config *config, enum axvm_isa isa)
{
	uint32_t cpus = 0;

	for (uint32_t i = 0; i < config->vcpu_count; i++) {
		uint64_t highest = 0;

		if (config->phys_cpu_sets && config->phys_cpu_sets[i])
			highest = 63u - (unsigned)__builtin_clzll(config->phys_cpu_sets[i]);
		else if (config->phys_cpu_ids && isa == AXVM_ISA_AARCH64) /* 16 to a cluster */
			highest = (config->phys_cpu_ids[i] >> 8 & 0xff) * 16 +
				  (config->phys_cpu_ids[i] & 0xff);
		else if (config->phys_cpu_ids)
			highest = config->phys_cpu_ids[i];
		if (highest < AXVM_CPUS_MAX && highest + 1 > cpus)
			cpus = (uint32_t)highest + 1;
	}
	return cpus;
}

static uint32_t count_cpus(const struct axvm_tool_vmfile *vms, size_t count, enum axvm_isa isa)
{
	uint32_t pinned = 1;
	uint32_t unpinned = 0;

	for (size_t i = 0; i < count; i++) {
		const struct axvm_config *config = vms[i].config;

		if (config->phys_cpu_sets || config->phys_cpu_ids) {
			const uint32_t cpus = pinned_cpus(config, isa);

			pinned = cpus > pinned ? cpus : pinned;
		} else {
			unpinned += config->vcpu_count;
		}
	}
	if (unpinned > UNPINNED_CPUS_MAX)
		unpinned = UNPINNED_CPUS_MAX;
	return unpinned > pinned ? unpinned : pinned;
}

/* Enough for all; and where memory is taken at its own address, so much that it exists there. */
static uint64_t count_memory(const struct axvm_tool_vmfile *vms, size_t count,
			     uint64_t bundle_bytes)
{
	const uint64_t ram_base = vms[0].platform->ram_base;
	uint64_t bytes = HYPERVISOR_BYTES + bundle_bytes;
	uint64_t end = 0;

	for (size_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < vms[i].config->memory_count; j++) {
			const struct axvm_config_memory *memory = &vms[i].config->memory[j];
			const uint64_t last = memory->gpa.addr + memory->bytes;

			bytes += memory->bytes;
			if (memory->map_type != AXVM_MEMORY_ALLOC && last > end)
				end = last;
		}
	}
	if (end > ram_base && end - ram_base > bytes)
		bytes = end - ram_base;
	return (bytes + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP;
}

/* False after a complaint. */
static bool compile(const char *until, regex_t *regex)
{
	const int error = regcomp(regex, until, REG_EXTENDED | REG_NOSUB);
	char why[128];

	if (error) {
		regerror(error, regex, why, sizeof(why));
		axvm_tool_complain("--until '%s': %s", until, why);
	}
	return error == 0;
}

static int run_session(const struct run_arguments *arguments, const regex_t *regex)
{
	const struct axvm_tool_session session = {
		.machine = &arguments->machine,
		.until = arguments->until,
		.regex = regex,
		.timeout_s = arguments->timeout_s,
		.interactive = !arguments->until && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
	};

	if (session.interactive)
		printf("axvm: leave with Ctrl-a x\n");
	fflush(stdout);
	return axvm_tool_session_run(&session);
}

/* Fills the rest of arguments->machine in. */
static bool make_machine(struct run_arguments *arguments, const struct axvm_tool_vmfile *vms)
{
	struct axvm_tool_machine *machine = &arguments->machine;
	uint64_t bundle_bytes;
	int bundle;

	machine->isa = *arguments->chosen;
	if (!axvm_tool_qemu_check(machine->isa))
		return false;
	machine->hypervisor = axvm_tool_hypervisor_find(machine->isa, arguments->hypervisor);
	if (!machine->hypervisor)
		return false;
	bundle =
		axvm_tool_bundle_make(vms, arguments->file_count, arguments->append, &bundle_bytes);
	if (bundle < 0)
		return false;
	machine->bundle = axvm_tool_print("/proc/self/fd/%d", bundle);
	machine->cpus = count_cpus(vms, arguments->file_count, machine->isa);
	machine->memory_bytes = count_memory(vms, arguments->file_count, bundle_bytes);
	return true;
}

static int run(int argc, char **argv)
{
	struct run_arguments arguments = { .hypervisor = NULL };
	struct axvm_tool_vmfile *vms;
	regex_t regex;
	int status = AXVM_TOOL_FAILED;

	argc = split_at_dashes(argc, argv, &arguments.machine);
	arguments.files = axvm_tool_alloc((size_t)argc, sizeof(char *));
	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return AXVM_TOOL_USAGE;
	if (arguments.until && !compile(arguments.until, &regex))
		return AXVM_TOOL_USAGE;
	vms = axvm_tool_vmfiles_read(arguments.files, arguments.file_count, &arguments.chosen);
	if (vms && make_machine(&arguments, vms))
		status = run_session(&arguments, arguments.until ? &regex : NULL);
	if (arguments.until)
		regfree(&regex);
	return status;
}

const struct axvm_tool_command axvm_tool_run = {
	"run",
	"run VMs under the hypervisor, in QEMU",
	run,
};
