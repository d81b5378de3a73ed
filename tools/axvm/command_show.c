// SPDX-License-Identifier: Apache-2.0
/* axvm show: what a VM will be. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>

#include "map.h"

enum { KEY_ISA = 0x100, KEY_JSON, KEY_SVG, KEY_IMAGES };

struct show_arguments {
	enum axvm_isa isa;
	const enum axvm_isa *chosen;
	const char *folder;
	char **files;
	size_t file_count;
	int form; /* KEY_JSON, KEY_SVG or 0 */
};

static const struct argp_option options[] = {
	{ "json", KEY_JSON, NULL, 0, "As JSON, an array with an object for each file", 0 },
	{ "svg", KEY_SVG, NULL, 0, "Draw the memory map of one file", 0 },
	{ "isa", KEY_ISA, "ISA", 0, "aarch64, riscv64 or x86_64; otherwise the file's", 0 },
	{ "images", KEY_IMAGES, "DIR", 0, "Where relative paths of images begin", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct show_arguments *arguments = state->input;

	switch (key) {
	case KEY_JSON:
	case KEY_SVG:
		if (arguments->form && arguments->form != key)
			argp_error(state, "--json or --svg, not both");
		arguments->form = key;
		return 0;
	case KEY_ISA:
		arguments->isa = axvm_tool_isa_argument(text, state);
		arguments->chosen = &arguments->isa;
		return 0;
	case KEY_IMAGES:
		arguments->folder = text;
		return 0;
	case ARGP_KEY_ARG:
		arguments->files[arguments->file_count++] = text;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which VM file?");
		return EINVAL;
	case ARGP_KEY_SUCCESS:
		if (arguments->form == KEY_SVG && arguments->file_count > 1)
			argp_error(state, "--svg draws one file, not %zu", arguments->file_count);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE...",
	.doc = "Shows what the VM of a file will be: its memory map with the images in it, its "
	       "devices, interrupts and CPUs. Images that are missing are complained about, and the "
	       "rest is shown.\v"
	       "Example: axvm show configs/linux-aarch64.toml --svg > map.svg",
};

static void show(const struct show_arguments *arguments, const struct axvm_tool_vmfile *const *vms,
		 const struct axvm_tool_map *maps, const bool *planned)
{
	if (arguments->form == KEY_JSON) {
		axvm_tool_show_json(stdout, vms, maps, planned, arguments->file_count);
		return;
	}
	for (size_t i = 0; i < arguments->file_count; i++) {
		if (arguments->form == KEY_SVG) {
			axvm_tool_show_svg(stdout, vms[i], &maps[i]);
		} else {
			fputs(i > 0 ? "\n" : "", stdout);
			axvm_tool_show_text(stdout, vms[i], &maps[i], planned[i]);
		}
	}
}

static int run(int argc, char **argv)
{
	struct show_arguments arguments = { .chosen = NULL };
	const struct axvm_tool_vmfile **vms;
	struct axvm_tool_map *maps;
	bool *planned;

	arguments.files = axvm_tool_alloc((size_t)argc, sizeof(char *));
	if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
		return AXVM_TOOL_USAGE;
	vms = axvm_tool_alloc(arguments.file_count, sizeof(struct axvm_tool_vmfile *));
	maps = axvm_tool_alloc(arguments.file_count, sizeof(*maps));
	planned = axvm_tool_alloc(arguments.file_count, sizeof(*planned));
	for (size_t i = 0; i < arguments.file_count; i++) {
		struct axvm_tool_vmfile *vm = axvm_tool_alloc(1, sizeof(*vm));

		if (!axvm_tool_vmfile_read(vm, arguments.files[i], arguments.chosen))
			return AXVM_TOOL_FAILED;
		planned[i] = axvm_tool_vmfile_map_images(vm, arguments.folder) &&
			     axvm_tool_vmfile_plan(vm);
		maps[i] = axvm_tool_map_make(vm, planned[i]);
		vms[i] = vm;
	}
	show(&arguments, vms, maps, planned);
	return fflush(stdout) == 0 ? AXVM_TOOL_OK : AXVM_TOOL_FAILED;
}

const struct axvm_tool_command axvm_tool_show = {
	"show",
	"show what the VM of a file will be",
	run,
};
