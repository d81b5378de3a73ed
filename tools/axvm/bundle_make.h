/* SPDX-License-Identifier: Apache-2.0 */
/* What the hypervisor finds in its initrd; docs/spec/bundle.md is its specification. */
#ifndef AXVM_TOOL_BUNDLE_MAKE_H
#define AXVM_TOOL_BUNDLE_MAKE_H

#include "vmfile.h"

/* The entry with what is added to every guest's command line. */
#define AXVM_TOOL_APPEND "cmdline-append"

/*
 * Makes a bundle in memory, of VM files with their images mapped, in their order. `append` is for
 * every guest's kernel command line, or NULL. Returns a descriptor that a child inherits, and the
 * size; -1 after a complaint.
 */
int axvm_tool_bundle_make(const struct axvm_tool_vmfile *vms, size_t count, const char *append,
			  uint64_t *bytes);

#endif
