/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of bundles (src/bundle.c, docs/spec/bundle.md). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axtest.h"
#include "bundle.h"

static char archive[0x4000];
static uint64_t archive_bytes;
static char why[AXVM_WHY_BYTES];

static void pad(void)
{
	while (archive_bytes % 4 != 0)
		archive[archive_bytes++] = '\0';
}

static void add(const char *name, const char *contents, unsigned mode)
{
	archive_bytes += (uint64_t)snprintf(
		archive + archive_bytes, sizeof(archive) - archive_bytes,
		"070701%08X%08x%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1u, mode, 0u, 0u, 1u,
		0u, (unsigned)strlen(contents), 0u, 0u, 0u, 0u, (unsigned)strlen(name) + 1, 0u);
	memcpy(archive + archive_bytes, name, strlen(name) + 1);
	archive_bytes += strlen(name) + 1;
	pad();
	memcpy(archive + archive_bytes, contents, strlen(contents));
	archive_bytes += strlen(contents);
	pad();
}

static void begin(void)
{
	memset(archive, 0, sizeof(archive));
	archive_bytes = 0;
	memset(why, 0, sizeof(why));
}

static struct axvm_blob end(void)
{
	add("TRAILER!!!", "", 0);
	return (struct axvm_blob){ .data = archive, .bytes = archive_bytes };
}

static struct axvm_blob make(void)
{
	begin();
	add("vms", "", 0040755);
	add("vms/b.toml", "id = 2", 0100644);
	add("./vms/a.toml", "id = 1", 0100644);
	add("guest/linux/Image", "kernel", 0100644);
	add("/rootfs.gz", "initrd!", 0100600);
	add("empty", "", 0100644);
	return end();
}

static bool is_found(struct axvm_blob bundle, const char *path, const char *contents)
{
	struct axvm_blob data = { .data = NULL };

	return axvm_bundle_find(bundle, path, &data) == 0 && data.bytes == strlen(contents) &&
	       memcmp(data.data, contents, data.bytes) == 0;
}

TEST(entries_come_in_the_order_of_the_archive)
{
	static const struct {
		const char *name, *contents;
		bool is_file, is_vm;
	} expected[] = {
		{ "vms", "", false, false },
		{ "vms/b.toml", "id = 2", true, true },
		{ "vms/a.toml", "id = 1", true, true },
		{ "guest/linux/Image", "kernel", true, false },
		{ "rootfs.gz", "initrd!", true, false },
		{ "empty", "", true, false },
	};
	struct axvm_blob bundle = make();
	struct axvm_bundle_entry entry;
	uint64_t offset = 0;

	for (unsigned i = 0; i < 6; i++) {
		REQUIRE_EQ(axvm_bundle_next(bundle, &offset, &entry, NULL), 0);
		CHECK_STR_EQ(entry.name, expected[i].name);
		CHECK_EQ(entry.name_bytes, strlen(expected[i].name));
		CHECK_EQ(entry.data.bytes, strlen(expected[i].contents));
		CHECK_EQ(memcmp(entry.data.data, expected[i].contents, entry.data.bytes), 0);
		CHECK_EQ(entry.is_file, expected[i].is_file);
		CHECK_EQ(axvm_bundle_is_vm(&entry), expected[i].is_vm);
	}
	CHECK_EQ(axvm_bundle_next(bundle, &offset, &entry, NULL), AXVM_ENOENT);
	CHECK_EQ(axvm_bundle_next(bundle, &offset, &entry, NULL), AXVM_ENOENT);
}

TEST(files_are_found_by_the_path_that_a_vm_file_writes)
{
	struct axvm_blob bundle = make();

	CHECK(is_found(bundle, "guest/linux/Image", "kernel"));
	CHECK(is_found(bundle, "/guest/linux/Image", "kernel"));
	CHECK(is_found(bundle, "./guest/linux/Image", "kernel"));
	CHECK(is_found(bundle, ".//./guest/linux/Image", "kernel"));
	CHECK(is_found(bundle, "rootfs.gz", "initrd!"));
	CHECK(is_found(bundle, "vms/a.toml", "id = 1"));
	CHECK(is_found(bundle, "empty", ""));
}

TEST(what_is_not_there_is_not_found)
{
	static const char *const paths[] = {
		"guest/linux/Imag", "guest/linux/Image2", "",	       "/", "vms", "Image",
		"../rootfs.gz",	    "TRAILER!!!",	  ".rootfs.gz"
	};
	struct axvm_blob bundle = make();
	struct axvm_blob data = { .data = NULL, .bytes = 77 };

	for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		CHECK_EQ(axvm_bundle_find(bundle, paths[i], &data), AXVM_ENOENT);
	CHECK_EQ(data.bytes, 77);
}

TEST(of_two_entries_with_one_name_the_first_counts)
{
	begin();
	add("image", "", 0040755); /* a folder is no file */
	add("image", "first", 0100644);
	add("./image", "second", 0100644);
	CHECK(is_found(end(), "image", "first"));
}

TEST(only_toml_files_in_vms_are_vms)
{
	static const struct {
		const char *name;
		unsigned mode;
		bool is_vm;
	} names[] = {
		{ "vms/a.toml", 0100644, true },  { "vms/lab/a.toml", 0100644, true },
		{ "/vms/a.toml", 0100644, true }, { "vms/.toml", 0100644, false },
		{ "vms/a.tom", 0100644, false },  { "vms/a.toml.old", 0100644, false },
		{ "a.toml", 0100644, false },	  { "xvms/a.toml", 0100644, false },
		{ "vms/a.toml", 0040755, false }, { "vms/a.toml", 0120777, false },
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct axvm_bundle_entry entry;
		uint64_t offset = 0;

		begin();
		add(names[i].name, "", names[i].mode);
		REQUIRE_EQ(axvm_bundle_next(end(), &offset, &entry, NULL), 0);
		CHECK_EQ(axvm_bundle_is_vm(&entry), names[i].is_vm);
	}
}

TEST(a_good_bundle_is_checked_and_its_vms_counted)
{
	uint32_t count = 0;

	CHECK_EQ(axvm_bundle_check(make(), &count, why), 0);
	CHECK_EQ(count, 2);
	CHECK_STR_EQ(why, "");
	archive[archive_bytes] = 'x'; /* what follows the trailer is nobody's business */
	CHECK_EQ(
		axvm_bundle_check((struct axvm_blob){ archive, archive_bytes + 100 }, &count, NULL),
		0);
}

TEST(a_bundle_without_a_vm_is_refused)
{
	uint32_t count = 9;

	begin();
	add("image", "x", 0100644);
	CHECK_EQ(axvm_bundle_check(end(), &count, why), AXVM_ENOENT);
	CHECK_STR_EQ(why, "bundle: there is no vms/NAME.toml in it");
	CHECK_EQ(count, 9);
}

TEST(a_bundle_cut_short_at_any_length_is_refused_and_says_where)
{
	struct axvm_blob bundle = make();
	uint32_t count = 9;

	/* The trailer's padding, 3 bytes, may be missing. */
	for (uint64_t bytes = 0; bytes + 3 < bundle.bytes; bytes++) {
		char *copy = malloc(bytes + (bytes == 0));

		memcpy(copy, archive, bytes);
		CHECK_EQ(axvm_bundle_check((struct axvm_blob){ copy, bytes }, &count, why),
			 AXVM_EFORMAT);
		CHECK(strncmp(why, "bundle: cut short ", 18) == 0);
		free(copy);
	}
	CHECK_EQ(count, 9);
	CHECK_EQ(axvm_bundle_check((struct axvm_blob){ archive, 120 }, &count, why), AXVM_EFORMAT);
	CHECK_STR_EQ(why, "bundle: cut short in the header of an entry, at byte 0x74 of 0x78: "
			  "make it anew with axvm bundle");
}

TEST(damage_is_named)
{
	static const struct {
		uint64_t at;
		const char *bytes, *sentence;
	} damages[] = {
		{ 0, "x", "no cpio archive of the newc format" },
		{ 5, "7", "no cpio archive of the newc format" },
		{ 14, "g", "a number in the header of an entry is damaged" },
		{ 54, "-", "a number in the header of an entry is damaged" },
		{ 94, "00000000", "the name of an entry is empty or longer than 4095 bytes" },
		{ 94, "00001001", "the name of an entry is empty or longer than 4095 bytes" },
		{ 94, "FFFFFFFF", "the name of an entry is empty or longer than 4095 bytes" },
		{ 94, "00000003", "the name of an entry does not end where its header says" },
		{ 94, "00000005", "the name of an entry does not end where its header says" },
		{ 54, "ffffffff", "cut short in the contents of an entry" },
	};

	for (unsigned i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct axvm_blob bundle = make();
		struct axvm_bundle_entry entry;
		const char *sentence = NULL;
		struct axvm_blob data;
		uint64_t offset = 0;

		memcpy(&archive[damages[i].at], damages[i].bytes, strlen(damages[i].bytes));
		CHECK_EQ(axvm_bundle_next(bundle, &offset, &entry, &sentence), AXVM_EFORMAT);
		REQUIRE(sentence != NULL);
		CHECK_STR_EQ(sentence, damages[i].sentence);
		CHECK_EQ(offset, 0);
		CHECK_EQ(axvm_bundle_find(bundle, "rootfs.gz", &data), AXVM_EFORMAT);
	}
}

TEST(an_offset_beyond_the_end_is_safe)
{
	struct axvm_blob bundle = make();
	struct axvm_bundle_entry entry;
	uint64_t offset = UINT64_MAX;

	CHECK_EQ(axvm_bundle_next(bundle, &offset, &entry, NULL), AXVM_EFORMAT);
	CHECK_EQ(offset, UINT64_MAX);
}

/* No byte of the archive, whatever its value, leads out of it or into a loop without end. */
TEST(random_damage_is_safe)
{
	uint64_t random = 1;

	for (unsigned round = 0; round < 20000; round++) {
		struct axvm_blob bundle = make();
		uint32_t count;

		for (unsigned change = 0; change < 3; change++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			archive[(random >> 33) % archive_bytes] =
				"0123456789abcdefF\0\xff/"[(random >> 20) % 20];
		}

		char *copy = malloc(bundle.bytes);

		memcpy(copy, archive, bundle.bytes);
		int error =
			axvm_bundle_check((struct axvm_blob){ copy, bundle.bytes }, &count, why);

		CHECK(error == 0 || error == AXVM_EFORMAT || error == AXVM_ENOENT);
		free(copy);
	}
}

AXTEST_MAIN(entries_come_in_the_order_of_the_archive,
	    files_are_found_by_the_path_that_a_vm_file_writes, what_is_not_there_is_not_found,
	    of_two_entries_with_one_name_the_first_counts, only_toml_files_in_vms_are_vms,
	    a_good_bundle_is_checked_and_its_vms_counted, a_bundle_without_a_vm_is_refused,
	    a_bundle_cut_short_at_any_length_is_refused_and_says_where, damage_is_named,
	    an_offset_beyond_the_end_is_safe, random_damage_is_safe)
