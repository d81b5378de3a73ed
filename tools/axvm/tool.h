/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands of the tool share. The tool is a program of a Linux host: it may use all of
 * the C library; nothing of it is linked into the hypervisor.
 */
#ifndef AXVM_TOOL_H
#define AXVM_TOOL_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <axvm/config.h>
#include <axvm/vm.h>

enum axvm_tool_status {
	AXVM_TOOL_OK = 0,
	AXVM_TOOL_FAILED = 1,	 /* a reason has been printed */
	AXVM_TOOL_USAGE = 2,	 /* the command line is wrong */
	AXVM_TOOL_TIMEOUT = 124, /* as timeout(1) */
};

struct axvm_tool_command {
	const char *name;
	const char *summary; /* one line */
	/* argv[0] is "axvm NAME"; a "--" and what follows it are left alone. Returns the status. */
	int (*run)(int argc, char **argv);
};

extern const struct axvm_tool_command axvm_tool_check;
extern const struct axvm_tool_command axvm_tool_show;
extern const struct axvm_tool_command axvm_tool_dtb;
extern const struct axvm_tool_command axvm_tool_bundle;
extern const struct axvm_tool_command axvm_tool_run;

/* Prints "axvm: ..." and a newline to stderr. */
__attribute__((format(printf, 1, 2))) void axvm_tool_complain(const char *format, ...);

/*
 * Memory lives until the program ends. Without memory the program ends. `resize` takes NULL or what
 * these gave.
 */
__attribute__((format(printf, 1, 2))) char *axvm_tool_print(const char *format, ...);
void *axvm_tool_alloc(size_t count, size_t bytes); /* zeroed */
void *axvm_tool_resize(void *memory, size_t count, size_t bytes);

/*
 * Maps a file read-only; it stays until the program ends. 0, or an errno value: also EISDIR, and
 * EFBIG for what no address space holds.
 */
int axvm_tool_file_map(const char *path, struct axvm_blob *blob);

/*
 * Replaces a regular file, in one step, or makes one; writes into what is no regular file; "-" is
 * stdout. False after a complaint.
 */
bool axvm_tool_file_write(const char *path, struct axvm_blob blob);

/* "x" joined to the directory of `file`; `path` alone when it is absolute. */
char *axvm_tool_path_beside(const char *file, const char *path);

/*
 * The name nearest to `word` when it is near enough to be meant, else NULL. `names` ends with NULL.
 */
const char *axvm_tool_nearest(const char *word, const char *const *names);

/* Parses an ISA's name. False: there is none of that name. */
bool axvm_tool_isa_parse(const char *name, enum axvm_isa *isa);
const char *axvm_tool_isa_name(enum axvm_isa isa);

/* For an argp parser: complains, with the names there are, and ends the program. */
enum axvm_isa axvm_tool_isa_argument(const char *name, struct argp_state *state);

#endif
