/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's device tree says beside its devices: RAM, the bundle, the command line. */
#ifndef AXVM_HOST_H
#define AXVM_HOST_H

#include <axvm/vm.h>

#define AXVM_HOST_RANGES_MAX 32u

struct axvm_host {
	const void *fdt;
	struct axvm_config_range ram[AXVM_HOST_RANGES_MAX];
	uint32_t ram_count;
	struct axvm_config_range reserved[AXVM_HOST_RANGES_MAX]; /* nobody's: firmware's */
	uint32_t reserved_count;
	struct axvm_config_range bundle; /* bytes 0: none */
	const char *arguments;		 /* "" when absent */
};

/* Reads the tree. False with a sentence. */
bool axvm_host_read(struct axvm_host *host, const void *fdt, const char **why);

/* Whether the command line has the word. */
bool axvm_host_has_argument(const struct axvm_host *host, const char *word);

#endif
