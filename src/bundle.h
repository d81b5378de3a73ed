/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a bundle: a cpio archive (newc) of VM files and the images that they
 * name. docs/spec/bundle.md is the format. Nothing is copied, nothing is kept,
 * and nothing outside of the blob is read, whatever is in it. [CPIO]
 */
#ifndef AXVM_BUNDLE_H
#define AXVM_BUNDLE_H

#include <axvm/error.h>
#include <axvm/types.h>
#include <axvm/vm.h>

/* Points into the bundle. */
struct axvm_bundle_entry {
	const char *name;    /* NUL-terminated, without leading "/" and "./" */
	uint64_t name_bytes; /* without the NUL */
	struct axvm_blob data;
	bool is_file; /* not a directory, link or device */
};

/*
 * The entry at *offset, which is then that of the next one; begin with 0.
 * AXVM_ENOENT: there are no more. AXVM_EFORMAT: cut short or no such archive;
 * *why (may be NULL) gets a static sentence, *offset stays at the bad entry.
 */
AXVM_MUST_USE int axvm_bundle_next(struct axvm_blob bundle, uint64_t *offset,
				   struct axvm_bundle_entry *entry, const char **why);

/*
 * The first file whose name is `path`, leading "/" and "./" aside. AXVM_ENOENT:
 * there is none. AXVM_EFORMAT: as next, before it was found. O(entries).
 */
AXVM_MUST_USE int axvm_bundle_find(struct axvm_blob bundle, const char *path,
				   struct axvm_blob *data);

/* Whether the entry is a VM's file: vms/<name>.toml. */
bool axvm_bundle_is_vm(const struct axvm_bundle_entry *entry);

/*
 * Reads all of it: *vm_count is the number of VM files. AXVM_EFORMAT: malformed,
 * and `why` (may be NULL) says how and at which byte. AXVM_ENOENT: no VM file.
 */
AXVM_MUST_USE int axvm_bundle_check(struct axvm_blob bundle, uint32_t *vm_count,
				    char why[AXVM_WHY_BYTES]);

/* A path as the names of entries are written: behind its leading "/" and "./". */
const char *axvm_bundle_path(const char *path);

#endif
