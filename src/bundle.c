// SPDX-License-Identifier: Apache-2.0
/*
 * The cpio reader. An archive is a chain of headers, each of which says where the next one is, so
 * every step is checked against the end before it is taken, and goes forward.
 */
#include "bundle.h"

#include <string.h>

#include "text.h"

enum {
	MAGIC_BYTES = 6,
	FIELD_BYTES = 8, /* hexadecimal digits */
	FIELD_MODE = 1,
	FIELD_FILESIZE = 6,
	FIELD_NAMESIZE = 11,
	FIELD_COUNT = 13,
	HEADER_BYTES = MAGIC_BYTES + FIELD_COUNT * FIELD_BYTES,
	ALIGNMENT = 4,
	NAME_BYTES_MAX = 4096,

	MODE_TYPE = 0170000,
	MODE_FILE = 0100000,
};

static const char trailer[] = "TRAILER!!!";

/* -1: no digit. */
static int digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

static bool read_field(const char *header, unsigned index, uint64_t *value)
{
	const char *digits = header + MAGIC_BYTES + index * FIELD_BYTES;

	*value = 0;
	for (unsigned i = 0; i < FIELD_BYTES; i++) {
		int d = digit(digits[i]);

		if (d < 0)
			return false;
		*value = *value << 4 | (uint64_t)d;
	}
	return true;
}

/* Within a blob, so far from the end of the address space that it cannot wrap. */
static uint64_t align_up(uint64_t value)
{
	return axvm_align_down(value + (ALIGNMENT - 1), ALIGNMENT);
}

const char *axvm_bundle_path(const char *path)
{
	for (;;) {
		if (path[0] == '/')
			path++;
		else if (path[0] == '.' && path[1] == '/')
			path += 2;
		else
			return path;
	}
}

static int malformed(const char **why, const char *sentence)
{
	if (why)
		*why = sentence;
	return AXVM_EFORMAT;
}

static uint64_t text_bytes(const char *text, uint64_t limit)
{
	uint64_t bytes = 0;

	while (bytes < limit && text[bytes] != '\0')
		bytes++;
	return bytes;
}

struct header {
	uint64_t mode;
	uint64_t file_bytes;
	uint64_t name_bytes; /* with the NUL */
};

static int read_header(const char *text, uint64_t left, struct header *header, const char **why)
{
	if (left < HEADER_BYTES)
		return malformed(why, left == 0 ? "cut short before the archive's trailer"
						: "cut short in the header of an entry");
	if (memcmp(text, "070701", MAGIC_BYTES) != 0 && memcmp(text, "070702", MAGIC_BYTES) != 0)
		return malformed(why, "no cpio archive of the newc format");
	if (!read_field(text, FIELD_MODE, &header->mode) ||
	    !read_field(text, FIELD_FILESIZE, &header->file_bytes) ||
	    !read_field(text, FIELD_NAMESIZE, &header->name_bytes))
		return malformed(why, "a number in the header of an entry is damaged");
	if (header->name_bytes < 1 || header->name_bytes > NAME_BYTES_MAX)
		return malformed(why, "the name of an entry is empty or longer than 4095 bytes");
	if (header->name_bytes > left - HEADER_BYTES)
		return malformed(why, "cut short in the name of an entry");
	if (text_bytes(text + HEADER_BYTES, header->name_bytes) != header->name_bytes - 1)
		return malformed(why, "the name of an entry does not end where its header says");
	return 0;
}

int axvm_bundle_next(struct axvm_blob bundle, uint64_t *offset, struct axvm_bundle_entry *entry,
		     const char **why)
{
	struct header header;
	uint64_t left = *offset < bundle.bytes ? bundle.bytes - *offset : 0;
	const char *text = (const char *)bundle.data + (bundle.bytes - left);
	int error = read_header(text, left, &header, why);

	if (error)
		return error;

	const char *name = text + HEADER_BYTES;
	uint64_t data_at = align_up(HEADER_BYTES + header.name_bytes);

	if (header.name_bytes == sizeof(trailer) && memcmp(name, trailer, sizeof(trailer)) == 0)
		return AXVM_ENOENT;
	if (data_at > left || header.file_bytes > left - data_at)
		return malformed(why, "cut short in the contents of an entry");

	uint64_t next = align_up(data_at + header.file_bytes);

	entry->name = axvm_bundle_path(name);
	entry->name_bytes = header.name_bytes - 1 - (uint64_t)(entry->name - name);
	entry->data = (struct axvm_blob){ .data = text + data_at, .bytes = header.file_bytes };
	entry->is_file = (header.mode & MODE_TYPE) == MODE_FILE;
	*offset += next < left ? next : left;
	return 0;
}

static bool is_named(const struct axvm_bundle_entry *entry, const char *path)
{
	uint64_t i = 0;

	while (i < entry->name_bytes && path[i] == entry->name[i])
		i++;
	return i == entry->name_bytes && path[i] == '\0';
}

int axvm_bundle_find(struct axvm_blob bundle, const char *path, struct axvm_blob *data)
{
	const char *wanted = axvm_bundle_path(path);
	struct axvm_bundle_entry entry;
	uint64_t offset = 0;
	int error = axvm_bundle_next(bundle, &offset, &entry, NULL);

	while (!error) {
		if (entry.is_file && is_named(&entry, wanted)) {
			*data = entry.data;
			return 0;
		}
		error = axvm_bundle_next(bundle, &offset, &entry, NULL);
	}
	return error;
}

bool axvm_bundle_is_vm(const struct axvm_bundle_entry *entry)
{
	static const char front[] = "vms/";
	static const char back[] = ".toml";
	const uint64_t front_bytes = sizeof(front) - 1;
	const uint64_t back_bytes = sizeof(back) - 1;

	return entry->is_file && entry->name_bytes > front_bytes + back_bytes &&
	       memcmp(entry->name, front, front_bytes) == 0 &&
	       memcmp(entry->name + entry->name_bytes - back_bytes, back, back_bytes) == 0;
}

int axvm_bundle_check(struct axvm_blob bundle, uint32_t *vm_count, char why[AXVM_WHY_BYTES])
{
	struct axvm_text text = axvm_text(why, why ? AXVM_WHY_BYTES : 0);
	struct axvm_bundle_entry entry;
	const char *sentence = "";
	uint64_t offset = 0;
	uint32_t count = 0;
	int error = axvm_bundle_next(bundle, &offset, &entry, &sentence);

	while (!error) {
		count += axvm_bundle_is_vm(&entry);
		error = axvm_bundle_next(bundle, &offset, &entry, &sentence);
	}
	if (error == AXVM_EFORMAT) {
		axvm_text_string(&text, "bundle: ");
		axvm_text_string(&text, sentence);
		axvm_text_string(&text, ", at byte ");
		axvm_text_hex(&text, offset);
		axvm_text_string(&text, " of ");
		axvm_text_hex(&text, bundle.bytes);
		axvm_text_string(&text, ": make it anew with axvm bundle");
		return error;
	}
	if (count == 0) {
		axvm_text_string(&text, "bundle: there is no vms/NAME.toml in it");
		return AXVM_ENOENT;
	}
	*vm_count = count;
	return 0;
}
