// SPDX-License-Identifier: Apache-2.0
/* axvm check: all that can be known to be wrong before a VM is made. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>

#include "vmfile.h"

enum { KEY_ISA = 0x100, KEY_IMAGES, KEY_NO_IMAGES };

struct check_arguments {
	enum axvm_isa isa;
	const enum axvm_isa *chosen;
	const char *folder;
	bool no_images;
	char **files;
	size_t file_count;
};

static const struct argp_option options[] = {
	{ "isa", KEY_ISA, "ISA", 0, "aarch64, riscv64 or x86_64; otherwise the file's", 0 },
	{ "images", KEY_IMAGES, "DIR", 0,
	  "Where relative paths of images begin; otherwise in the folder of the VM file, or the "
	  "current one",
	  0 },
	{ "no-images", KEY_NO_IMAGES, NULL, 0, "Look at the VM files only", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct check_arguments *arguments = state->input;

	switch (key) {
	case KEY_ISA:
		arguments->isa = axvm_tool_isa_argument(text, state);
		arguments->chosen = &arguments->isa;
		return 0;
	case KEY_IMAGES:
		arguments->folder = text;
		return 0;
	case KEY_NO_IMAGES:
		arguments->no_images = true;
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
	.args_doc = "FILE...",
	.doc = "Checks VM files and the images that they name, and prints every error as "
	       "FILE:LINE:COLUMN: MESSAGE. The status is 1 when there is one. Nothing is printed "
	       "when all is well.\v"
	       "Example: axvm check configs/linux-aarch64.toml",
};

static bool check(const struct check_arguments *arguments, const char *path)
{
	struct axvm_tool_vmfile vm;

	return axvm_tool_vmfile_read(&vm, path, arguments->chosen) &&
	       (arguments->no_images || (axvm_tool_vmfile_map_images(&vm, arguments->folder) &&
					 axvm_tool_vmfile_plan(&vm)));
}

static int run(int argc, char **argv)
{
	struct check_arguments arguments = { .chosen = NULL };
	bool good = true;

	arguments.files = axvm_tool_alloc((size_t)argc, sizeof(char *));
	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return AXVM_TOOL_USAGE;
	for (size_t i = 0; i < arguments.file_count; i++)
		good = check(&arguments, arguments.files[i]) && good;
	return good ? AXVM_TOOL_OK : AXVM_TOOL_FAILED;
}

const struct axvm_tool_command axvm_tool_check = {
	"check",
	"check VM files and the images that they name",
	run,
};
