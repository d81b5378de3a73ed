// SPDX-License-Identifier: Apache-2.0
/* axvm, the host command: finds the command that is asked for. */
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct axvm_tool_command *const commands[] = {
	&axvm_tool_check, &axvm_tool_show, &axvm_tool_dtb, &axvm_tool_bundle, &axvm_tool_run,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

const char *argp_program_version = "axvm " AXVM_VERSION;

static char *filter_help(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t bytes = 0;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	out = open_memstream(&list, &bytes);
	if (!out)
		return (char *)(uintptr_t)text;
	fputs("Commands:\n", out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nExample: axvm run configs/linux-aarch64.toml\n"
	      "`axvm COMMAND --help` tells the rest, with an example each.",
	      out);
	fclose(out);
	return list;
}

static void refuse_command(const char *word, struct argp_state *state)
{
	const char *names[COMMAND_COUNT + 1] = { NULL };
	const char *nearest;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i]->name;
	nearest = axvm_tool_nearest(word, names);
	if (nearest)
		argp_error(state, "no command '%s'; did you mean '%s'?", word, nearest);
	argp_error(state, "no command '%s'", word);
}

struct main_arguments {
	const struct axvm_tool_command *command;
	int first; /* its index in argv */
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct main_arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		for (size_t i = 0; i < COMMAND_COUNT; i++) {
			if (strcmp(text, commands[i]->name) == 0)
				arguments->command = commands[i];
		}
		if (!arguments->command)
			refuse_command(text, state);
		arguments->first = state->next - 1;
		state->next = state->argc; /* the rest is the command's */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which command?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "COMMAND [ARGUMENTS...]",
		.doc = "Checks, shows, bundles and runs virtual machines that TOML files describe.\v",
		.help_filter = filter_help,
	};
	struct main_arguments arguments = { NULL, 0 };
	error_t error;

	argp_err_exit_status = AXVM_TOOL_USAGE;
	error = argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
	if (error || !arguments.command)
		return AXVM_TOOL_USAGE;
	argv[arguments.first] = axvm_tool_print("axvm %s", arguments.command->name);
	return arguments.command->run(argc - arguments.first, argv + arguments.first);
}
