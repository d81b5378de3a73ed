// SPDX-License-Identifier: Apache-2.0
/*
 * The official TOML test suite: every file in valid/ has to parse to what the JSON beside it says,
 * every file in invalid/ has to be refused. One test per folder. The suite is not part of this
 * tree: it is $AXVM_SHARED/toml-test, or ../shared/toml-test seen from the source root.
 *
 * The JSON is compared while it is read: objects { "type": ..., "value": ... } of two strings are
 * the scalars, other objects tables. It is trusted to be well-formed.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../src/toml.h"
#include "../axtest.h"
#include "toml_suite.h"

#define FILE_BYTES_MAX 65536
#define PATH_BYTES 4096
#define FILES_EXPECTED 709

static char suite[PATH_BYTES];
static const char *folder; /* of the running test, relative to `suite` */
static unsigned int files_total;

/* An arena and a text in blocks of their exact size, so that the sanitizer sees a step outside. */
struct parsed {
	char *text;
	struct axvm_arena arena;
	const struct axvm_toml_node *root;
	struct axvm_toml_error error;
	int rc;
};

static size_t read_bytes(const char *path, char *out)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		exit(2);
	}

	size_t bytes = fread(out, 1, FILE_BYTES_MAX, file);

	fclose(file);
	return bytes;
}

/* The file with a NUL behind it. */
static char *read_text(const char *path)
{
	char *text = calloc(1, FILE_BYTES_MAX + 1);

	read_bytes(path, text);
	return text;
}

static struct parsed parse_file(const char *path)
{
	struct parsed r = { 0 };
	static char buffer[FILE_BYTES_MAX];
	size_t bytes = read_bytes(path, buffer);

	r.text = malloc(bytes);
	memcpy(r.text, buffer, bytes);
	r.arena.size = sizeof(struct axvm_toml_node) * (bytes + 2);
	r.arena.base = malloc(r.arena.size);
	r.rc = axvm_toml_parse(r.text, bytes, &r.arena, &r.root, &r.error);
	return r;
}

static void release(struct parsed *r)
{
	free(r->text);
	free(r->arena.base);
}

/* A place in well-formed JSON that ends with a NUL. */
struct json {
	const char *at;
};

static int json_peek(struct json *json)
{
	json->at += strspn(json->at, " \t\r\n");
	return (unsigned char)*json->at;
}

static bool json_take(struct json *json, int c)
{
	if (json_peek(json) != c)
		return false;
	json->at++;
	return true;
}

static unsigned long json_hex(struct json *json)
{
	char digits[5] = { 0 };

	memcpy(digits, json->at, 4);
	json->at += 4;
	return strtoul(digits, NULL, 16);
}

static size_t put_utf8(unsigned long c, char *out)
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t bytes = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = bytes; i > 1; i--, c >>= 6)
		out[i - 1] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(leads[bytes] | c);
	return bytes;
}

/* Behind the backslash. */
static size_t json_escape(struct json *json, char *out)
{
	static const char letters[] = "bfnrt";
	char letter = *json->at++;
	const char *known = strchr(letters, letter);

	if (letter != 'u') {
		*out = known == NULL ? letter : "\b\f\n\r\t"[known - letters];
		return 1;
	}

	unsigned long c = json_hex(json);

	if (c >= 0xd800 && c < 0xdc00) {
		json->at += 2;
		c = 0x10000 + ((c - 0xd800) << 10) + (json_hex(json) - 0xdc00);
	}
	return put_utf8(c, out);
}

struct text {
	char bytes[4096];
	size_t used;
};

/* A string, also terminated. False where there is none. */
static bool json_string(struct json *json, struct text *out)
{
	out->used = 0;
	if (!json_take(json, '"'))
		return false;
	while (*json->at != '"' && *json->at != '\0' && out->used + 8 < sizeof(out->bytes)) {
		char c = *json->at++;

		if (c == '\\')
			out->used += json_escape(json, out->bytes + out->used);
		else
			out->bytes[out->used++] = c;
	}
	out->bytes[out->used] = '\0';
	return json_take(json, '"');
}

static bool same_string(const struct axvm_toml_node *node, const struct text *expected)
{
	return node->u.string.bytes == expected->used &&
	       memcmp(node->u.string.text, expected->bytes, expected->used) == 0;
}

static bool same_float(const struct axvm_toml_node *node, const char *expected)
{
	const struct axvm_toml_float *f = &node->u.floating;
	char text[256];
	size_t used = 0;

	if (f->class == AXVM_TOML_NAN)
		return strcmp(expected, "nan") == 0;
	if (f->class == AXVM_TOML_INFINITE)
		return strcmp(expected, f->negative ? "-inf" : "inf") == 0;
	for (uint32_t i = 0; i < f->bytes && used < sizeof(text) - 1; i++)
		if (f->text[i] != '_')
			text[used++] = f->text[i];
	text[used] = '\0';

	double a = strtod(text, NULL);
	double b = strtod(expected, NULL);

	return !(a < b) && !(a > b) && (text[0] == '-') == f->negative;
}

/* Takes the zeros off the end of the fraction: .600Z becomes .6Z. */
static void trim_fraction(const char *from, char *to, size_t room)
{
	const char *dot = strchr(from, '.');
	size_t digits = dot == NULL ? 0 : strspn(dot + 1, "0123456789");
	size_t kept = digits;

	while (kept > 0 && dot[kept] == '0')
		kept--;
	if (dot == NULL)
		snprintf(to, room, "%s", from);
	else
		snprintf(to, room, "%.*s%s", (int)(dot - from + (kept > 0 ? 1 + (int)kept : 0)),
			 from, dot + 1 + digits);
}

static void print_datetime(const struct axvm_toml_node *node, char *out, size_t room)
{
	const struct axvm_toml_datetime *d = &node->u.datetime;
	int offset = d->offset_minutes < 0 ? -d->offset_minutes : d->offset_minutes;
	char date[16] = "";
	char time[32] = "";
	char zone[16] = "";

	if (node->type != AXVM_TOML_LOCAL_TIME)
		snprintf(date, sizeof(date), "%04u-%02u-%02u", d->year, d->month, d->day);
	if (node->type != AXVM_TOML_LOCAL_DATE)
		snprintf(time, sizeof(time), "%02u:%02u:%02u.%09u", d->hour, d->minute, d->second,
			 d->nanosecond);
	if (node->type == AXVM_TOML_OFFSET_DATETIME && offset == 0)
		snprintf(zone, sizeof(zone), "Z");
	else if (node->type == AXVM_TOML_OFFSET_DATETIME)
		snprintf(zone, sizeof(zone), "%c%02d:%02d", d->offset_minutes < 0 ? '-' : '+',
			 offset / 60, offset % 60);
	snprintf(out, room, "%s%s%s%s", date, date[0] && time[0] ? "T" : "", time, zone);
}

static bool same_datetime(const struct axvm_toml_node *node, const char *expected)
{
	char printed[64];
	char a[64];
	char b[64];

	print_datetime(node, printed, sizeof(printed));
	trim_fraction(printed, a, sizeof(a));
	trim_fraction(expected, b, sizeof(b));
	return strcmp(a, b) == 0;
}

static const char *tag_of(const struct axvm_toml_node *node)
{
	static const char *const tags[] = {
		[AXVM_TOML_STRING] = "string",
		[AXVM_TOML_INTEGER] = "integer",
		[AXVM_TOML_FLOAT] = "float",
		[AXVM_TOML_BOOL] = "bool",
		[AXVM_TOML_OFFSET_DATETIME] = "datetime",
		[AXVM_TOML_LOCAL_DATETIME] = "datetime-local",
		[AXVM_TOML_LOCAL_DATE] = "date-local",
		[AXVM_TOML_LOCAL_TIME] = "time-local",
	};

	return tags[node->type];
}

static bool same_value(const struct axvm_toml_node *node, const struct text *expected)
{
	char number[32];

	switch (node->type) {
	case AXVM_TOML_STRING:
		return same_string(node, expected);
	case AXVM_TOML_INTEGER:
		snprintf(number, sizeof(number), "%lld", (long long)node->u.integer);
		return strcmp(number, expected->bytes) == 0;
	case AXVM_TOML_FLOAT:
		return same_float(node, expected->bytes);
	case AXVM_TOML_BOOL:
		return strcmp(node->u.boolean ? "true" : "false", expected->bytes) == 0;
	default:
		return same_datetime(node, expected->bytes);
	}
}

static bool same_scalar(const struct axvm_toml_node *node, struct json *json)
{
	struct text type = { .used = 0 };
	struct text value = { .used = 0 };
	struct text key;

	if (!json_take(json, '{'))
		return false;
	do {
		if (!json_string(json, &key) || !json_take(json, ':') ||
		    !json_string(json, strcmp(key.bytes, "type") == 0 ? &type : &value))
			return false;
	} while (json_take(json, ','));
	return json_take(json, '}') && strcmp(type.bytes, tag_of(node)) == 0 &&
	       same_value(node, &value);
}

static bool same(const struct axvm_toml_node *node, struct json *json);

static bool same_table(const struct axvm_toml_node *table, struct json *json)
{
	uint32_t count = 0;
	struct text key;

	if (!json_take(json, '{'))
		return false;
	while (json_peek(json) != '}') {
		if ((count++ > 0 && !json_take(json, ',')) || !json_string(json, &key) ||
		    !json_take(json, ':'))
			return false;

		const struct axvm_toml_node *node = axvm_toml_get(table, key.bytes, key.used);

		if (node == NULL || !same(node, json))
			return false;
	}
	return json_take(json, '}') && count == axvm_toml_count(table);
}

static bool same_array(const struct axvm_toml_node *array, struct json *json)
{
	const struct axvm_toml_node *node = axvm_toml_first(array);
	uint32_t count = 0;

	if (!json_take(json, '['))
		return false;
	for (; node != NULL; node = axvm_toml_next(node))
		if ((count++ > 0 && !json_take(json, ',')) || !same(node, json))
			return false;
	return json_take(json, ']') && count == axvm_toml_count(array);
}

static bool same(const struct axvm_toml_node *node, struct json *json)
{
	if (node->type == AXVM_TOML_TABLE)
		return same_table(node, json);
	if (node->type == AXVM_TOML_ARRAY)
		return same_array(node, json);
	return same_scalar(node, json);
}

static bool same_document(const struct axvm_toml_node *root, const char *text)
{
	struct json json = { text };

	return same(root, &json) && json_peek(&json) == '\0';
}

static void report(const char *path, const char *what, const struct parsed *r)
{
	printf("# %s: %s", path, what);
	if (r->rc != 0)
		printf(": %u:%u: %s '%s'", r->error.line, r->error.column, r->error.message,
		       r->error.excerpt);
	printf("\n");
}

static bool valid_file_matches(const char *path)
{
	char json_path[PATH_BYTES + 8];
	struct parsed r = parse_file(path);
	bool held = false;

	snprintf(json_path, sizeof(json_path), "%.*s.json", (int)(strlen(path) - 5), path);

	char *expected = read_text(json_path);

	if (r.rc != 0)
		report(path, "refused", &r);
	else if (!same_document(r.root, expected))
		report(path, "differs from its JSON", &r);
	else
		held = true;
	free(expected);
	release(&r);
	return held;
}

static bool invalid_file_is_refused(const char *path)
{
	struct parsed r = parse_file(path);
	bool held = r.rc == AXVM_EFORMAT && r.error.message != NULL && r.error.line > 0 &&
		    r.error.column > 0 && r.root == NULL && r.arena.used == 0;

	if (!held)
		report(path, "not refused with AXVM_EFORMAT and a position", &r);
	else if (getenv("AXVM_TOML_SUITE_SHOW") != NULL)
		report(path, "refused", &r);
	release(&r);
	return held;
}

static bool ends_with(const char *name, const char *tail)
{
	size_t bytes = strlen(name);

	return bytes > strlen(tail) && strcmp(name + bytes - strlen(tail), tail) == 0;
}

static void check_folder(void)
{
	static char path[2 * PATH_BYTES];
	bool valid = strncmp(folder, "valid", 5) == 0;
	struct dirent **entries;
	unsigned int files = 0;

	snprintf(path, sizeof(path), "%s/%s", suite, folder);

	int count = scandir(path, &entries, NULL, alphasort);

	REQUIRE(count > 0);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", suite, folder, entries[i]->d_name);
		if (ends_with(entries[i]->d_name, ".toml")) {
			CHECK(valid ? valid_file_matches(path) : invalid_file_is_refused(path));
			files++;
		}
		free(entries[i]);
	}
	free(entries);
	printf("# %s: %u files\n", folder, files);
	files_total += files;
}

static int run(const char *name, void (*test)(void), const char *filter)
{
	const struct axtest_case one = { name, test };
	const struct axtest_case *const cases[] = { &one };

	return axtest_run(cases, 1, filter);
}

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int run_folder(const char *name, const char *filter)
{
	folder = name;
	return run(name, check_folder, filter);
}

/* Each folder in `top`. */
static int run_folders(const char *top, const char *filter)
{
	char path[PATH_BYTES + 16];
	char name[512];
	struct dirent **entries;
	int status = 0;

	snprintf(path, sizeof(path), "%s/%s", suite, top);

	int count = scandir(path, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s/%s", top, entries[i]->d_name);
		snprintf(path, sizeof(path), "%.*s/%s", PATH_BYTES - 512, suite, name);
		if (entries[i]->d_name[0] != '.' && is_folder(path))
			status |= run_folder(name, filter);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static void check_file_count(void)
{
	CHECK_EQ(files_total, FILES_EXPECTED);
}

static void find_suite(void)
{
	const char *shared = getenv("AXVM_SHARED");

	if (shared != NULL)
		snprintf(suite, sizeof(suite), "%s/toml-test", shared);
	else
		snprintf(suite, sizeof(suite), "%s%s../shared/toml-test", AXVM_SOURCE_ROOT,
			 AXVM_SOURCE_ROOT[0] != '\0' ? "/" : "");
}

static void skip_suite(void)
{
	SKIP("no toml-test in $AXVM_SHARED or ../shared");
}

int axtest_main(const char *filter)
{
	find_suite();
	if (!is_folder(suite))
		return run("toml_suite", skip_suite, NULL);

	int status = run_folder("valid", filter);

	status |= run_folders("valid", filter);
	status |= run_folders("invalid", filter);
	if (filter == NULL)
		status |= run("the_suite_is_complete", check_file_count, NULL);
	return status;
}
