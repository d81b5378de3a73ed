// SPDX-License-Identifier: Apache-2.0
/* axvm bundle: the file that the hypervisor takes as its initrd. */
#include "bundle_make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_APPEND = 0x100, KEY_ISA };

struct bundle_arguments {
	const char *out;
	const char *append;
	char **files;
	size_t file_count;
	enum axvm_isa isa;
	const enum axvm_isa *chosen;
};

static const struct argp_option options[] = {
	{ "output", 'o', "OUT", 0, "The file to make; - is standard output", 0 },
	{ "append", KEY_APPEND, "TEXT", 0, "Add to every guest's kernel command line", 0 },
	{ "isa", KEY_ISA, "ISA", 0, "aarch64, riscv64 or x86_64; otherwise the first file's", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct bundle_arguments *arguments = state->input;

	switch (key) {
	case 'o':
		arguments->out = text;
		return 0;
	case KEY_APPEND:
		arguments->append = text;
		return 0;
	case KEY_ISA:
		arguments->isa = axvm_tool_isa_argument(text, state);
		arguments->chosen = &arguments->isa;
		return 0;
	case ARGP_KEY_ARG:
		arguments->files[arguments->file_count++] = text;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which VM file?");
		return EINVAL;
	case ARGP_KEY_SUCCESS:
		if (!arguments->out)
			argp_error(state, "where to? -o OUT is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE... -o OUT",
	.doc = "Puts the VM files and the images that they name into one file, which a boot loader "
	       "gives to the hypervisor as its initrd. The same files make the same bundle.\v"
	       "Example: axvm bundle configs/linux-aarch64.toml -o vms.cpio",
};

static int run(int argc, char **argv)
{
	struct bundle_arguments arguments = { .out = NULL };
	struct axvm_tool_vmfile *vms;
	struct axvm_blob blob;
	uint64_t bytes;
	int bundle;

	arguments.files = axvm_tool_alloc((size_t)argc, sizeof(char *));
	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return AXVM_TOOL_USAGE;
	vms = axvm_tool_vmfiles_read(arguments.files, arguments.file_count, &arguments.chosen);
	if (!vms)
		return AXVM_TOOL_FAILED;
	bundle = axvm_tool_bundle_make(vms, arguments.file_count, arguments.append, &bytes);
	if (bundle < 0 || axvm_tool_file_map(axvm_tool_print("/proc/self/fd/%d", bundle), &blob))
		return AXVM_TOOL_FAILED;
	return axvm_tool_file_write(arguments.out, blob) ? AXVM_TOOL_OK : AXVM_TOOL_FAILED;
}

const struct axvm_tool_command axvm_tool_bundle = {
	"bundle",
	"put VM files and their images into one file",
	run,
};
