// SPDX-License-Identifier: Apache-2.0
/* axvm dtb: the device tree that a guest will get. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <axvm/platform.h>

#include "guest_fdt.h"
#include "vmfile.h"

enum { KEY_ISA = 0x100 };

#define TIMER_HZ 10000000u /* of QEMU's riscv64 machine; the hypervisor reads it from its host */

struct dtb_arguments {
	enum axvm_isa isa;
	const enum axvm_isa *chosen;
	const char *out;
	char *file;
};

static const struct argp_option options[] = {
	{ "output", 'o', "OUT", 0, "The file to make; otherwise standard output", 0 },
	{ "isa", KEY_ISA, "ISA", 0, "aarch64, riscv64 or x86_64; otherwise the file's", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct dtb_arguments *arguments = state->input;

	switch (key) {
	case 'o':
		arguments->out = text;
		return 0;
	case KEY_ISA:
		arguments->isa = axvm_tool_isa_argument(text, state);
		arguments->chosen = &arguments->isa;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->file)
			argp_error(state, "one VM file, please");
		arguments->file = text;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which VM file?");
		return EINVAL;
	case ARGP_KEY_SUCCESS:
		if (!arguments->out && isatty(STDOUT_FILENO))
			argp_error(state, "a device tree is nothing for a terminal: give -o OUT, "
					  "or pipe it into `dtc -I dtb`");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE",
	.doc = "Writes the device tree that the guest of the file will get: made from the file, or "
	       "the user's own with what must change. The random seed is left out.\v"
	       "Example: axvm dtb configs/linux-aarch64.toml | dtc -I dtb",
};

static int make(const struct axvm_tool_vmfile *vm, struct axvm_guest_fdt *fdt, uint64_t *bytes)
{
	const struct axvm_blob own = vm->images[AXVM_TOOL_DTB].blob;

	if (own.bytes > 0)
		return axvm_guest_fdt_patch(fdt, own, vm->config, vm->platform, &vm->plan, bytes);
	return axvm_guest_fdt_make(fdt, vm->config, vm->platform, &vm->plan, bytes);
}

static int write_dtb(const struct axvm_tool_vmfile *vm, const char *out)
{
	struct axvm_guest_fdt fdt = { .capacity = vm->plan.dtb_bytes, .timer_hz = TIMER_HZ };
	uint64_t bytes = 0;
	int error;

	if (vm->plan.dtb_bytes == 0) {
		axvm_tool_complain("%s: a guest of %s gets no device tree", vm->path,
				   vm->platform->name);
		return AXVM_TOOL_FAILED;
	}
	fdt.buffer = axvm_tool_alloc(1, fdt.capacity);
	error = make(vm, &fdt, &bytes);
	if (error) {
		axvm_tool_vmfile_complain(vm, "kernel", "dtb_path", "device tree: %s",
					  axvm_strerror(error));
		return AXVM_TOOL_FAILED;
	}
	return axvm_tool_file_write(out ? out : "-", (struct axvm_blob){ fdt.buffer, bytes })
		       ? AXVM_TOOL_OK
		       : AXVM_TOOL_FAILED;
}

static int run(int argc, char **argv)
{
	struct dtb_arguments arguments = { .chosen = NULL };
	struct axvm_tool_vmfile vm;

	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return AXVM_TOOL_USAGE;
	if (!axvm_tool_vmfile_read(&vm, arguments.file, arguments.chosen) ||
	    !axvm_tool_vmfile_map_images(&vm, NULL) || !axvm_tool_vmfile_plan(&vm))
		return AXVM_TOOL_FAILED;
	return write_dtb(&vm, arguments.out);
}

const struct axvm_tool_command axvm_tool_dtb = {
	"dtb",
	"write the device tree that a guest will get",
	run,
};
