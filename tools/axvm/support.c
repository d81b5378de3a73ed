// SPDX-License-Identifier: Apache-2.0
/* Files, memory, names: the small things that every command needs. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const isa_names[] = {
	[AXVM_ISA_AARCH64] = "aarch64",
	[AXVM_ISA_RISCV64] = "riscv64",
	[AXVM_ISA_X86_64] = "x86_64",
	NULL,
};

void axvm_tool_complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("axvm: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* All that was allocated, so that it can be given back at the end: and not before. */
static struct {
	void **blocks;
	size_t count;
	size_t capacity;
} kept;

static void give_back(void)
{
	for (size_t i = 0; i < kept.count; i++)
		free(kept.blocks[i]);
	free(kept.blocks);
}

static void *must(void *memory)
{
	if (!memory) {
		axvm_tool_complain("out of memory");
		exit(AXVM_TOOL_FAILED);
	}
	return memory;
}

static void *keep(void *memory)
{
	if (kept.count == kept.capacity) {
		if (kept.capacity == 0)
			atexit(give_back);
		kept.capacity = kept.capacity * 2 + 64;
		kept.blocks = must(reallocarray(kept.blocks, kept.capacity, sizeof(void *)));
	}
	kept.blocks[kept.count++] = must(memory);
	return memory;
}

char *axvm_tool_print(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return keep(text);
}

void *axvm_tool_alloc(size_t count, size_t bytes)
{
	return keep(calloc(count ? count : 1, bytes));
}

void *axvm_tool_resize(void *memory, size_t count, size_t bytes)
{
	size_t i = kept.count;

	if (!memory)
		return axvm_tool_alloc(count, bytes);
	while (kept.blocks[i - 1] != memory)
		i--;
	kept.blocks[i - 1] = must(reallocarray(memory, count, bytes));
	return kept.blocks[i - 1];
}

static int map_open_file(int fd, struct axvm_blob *blob)
{
	struct stat stat;
	void *data;

	if (fstat(fd, &stat) < 0)
		return errno;
	if (S_ISDIR(stat.st_mode))
		return EISDIR;
	if (!S_ISREG(stat.st_mode))
		return EINVAL;
	if (stat.st_size == 0) {
		*blob = (struct axvm_blob){ "", 0 };
		return 0;
	}
	data = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return errno == ENOMEM ? EFBIG : errno;
	*blob = (struct axvm_blob){ data, (uint64_t)stat.st_size };
	return 0;
}

int axvm_tool_file_map(const char *path, struct axvm_blob *blob)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return errno;
	error = map_open_file(fd, blob);
	close(fd);
	return error;
}

/* Into a file beside it first, so that nobody ever sees half of one. */
static bool replace_file(const char *path, struct axvm_blob blob)
{
	char *beside = axvm_tool_print("%s.XXXXXX", path);
	const int fd = mkstemp(beside);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	const mode_t mask = umask(0);
	bool good = file && fwrite(blob.data, 1, blob.bytes, file) == blob.bytes;

	umask(mask);
	good = good && fchmod(fd, 0666 & ~mask) == 0;
	if (file)
		good = (fclose(file) == 0) && good;
	good = good && rename(beside, path) == 0;
	if (!good) {
		axvm_tool_complain("%s: %s", path, strerror(errno));
		if (fd >= 0)
			unlink(beside);
	}
	return good;
}

/* Into what is there and stays: standard output, a pipe, a device. */
static bool write_through(const char *path, FILE *file, struct axvm_blob blob)
{
	const bool good =
		file && fwrite(blob.data, 1, blob.bytes, file) == blob.bytes && fflush(file) == 0;

	if (!good)
		axvm_tool_complain("%s: %s", path, strerror(errno));
	if (file && file != stdout)
		fclose(file);
	return good;
}

bool axvm_tool_file_write(const char *path, struct axvm_blob blob)
{
	struct stat stat_now;

	if (strcmp(path, "-") == 0)
		return write_through("standard output", stdout, blob);
	if (stat(path, &stat_now) == 0 && !S_ISREG(stat_now.st_mode))
		return write_through(path, fopen(path, "we"), blob);
	return replace_file(path, blob);
}

char *axvm_tool_path_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');

	if (path[0] == '/' || !slash)
		return axvm_tool_print("%s", path);
	return axvm_tool_print("%.*s%s", (int)(slash - file + 1), file, path);
}

/* Levenshtein's distance; only for words below the row's length. */
static size_t distance(const char *a, const char *b)
{
	size_t row[32];
	const size_t length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			const size_t replace = corner + (a[i] != b[j]);
			const size_t insert = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

			corner = row[j + 1];
			row[j + 1] = replace < insert ? replace : insert;
		}
	}
	return row[length];
}

const char *axvm_tool_nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 3 + 2;

	for (; *names && strlen(word) < 31; names++) {
		const size_t d = strlen(*names) < 31 ? distance(word, *names) : SIZE_MAX;

		if (d < best_distance) {
			best = *names;
			best_distance = d;
		}
	}
	return best;
}

bool axvm_tool_isa_parse(const char *name, enum axvm_isa *isa)
{
	for (unsigned i = 0; isa_names[i]; i++) {
		if (strcmp(name, isa_names[i]) == 0) {
			*isa = (enum axvm_isa)i;
			return true;
		}
	}
	return false;
}

const char *axvm_tool_isa_name(enum axvm_isa isa)
{
	return isa_names[isa];
}

enum axvm_isa axvm_tool_isa_argument(const char *name, struct argp_state *state)
{
	enum axvm_isa isa = AXVM_ISA_AARCH64;

	if (!axvm_tool_isa_parse(name, &isa))
		argp_error(state, "no ISA '%s': aarch64, riscv64 or x86_64", name);
	return isa;
}
