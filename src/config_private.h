/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the configuration reader. A table of keys per section decides
 * which function reads what; every reader reports through the same few
 * functions and goes on, so that one pass finds all errors. Checks between
 * values come last and skip values that were refused.
 */
#ifndef AXVM_SRC_CONFIG_PRIVATE_H
#define AXVM_SRC_CONFIG_PRIVATE_H

#include <axvm/config.h>
#include <axvm/platform.h>

#include "text.h"
#include "toml.h"

#define AXVM_CONFIG_TEXT_BYTES 768u

/* Where an entry of an array stands in the file, and whether its own values are right. */
struct axvm_config_mark {
	const struct axvm_toml_node *base; /* NULL: the platform's default */
	const struct axvm_toml_node *irq;
	bool good;
};

struct axvm_config_reader {
	const struct axvm_config_source *source;
	const struct axvm_platform *platform;
	struct axvm_arena arena;
	struct axvm_config *config;
	uint32_t error_count;
	bool out_of_memory;

	const struct axvm_toml_node *root;
	const struct axvm_toml_node *base;
	const struct axvm_toml_node *kernel;
	const struct axvm_toml_node *devices;

	/* The arrays of `config` while they are written, and a mark for each entry. */
	struct axvm_config_memory *memory;
	struct axvm_config_mark *memory_marks;
	struct axvm_config_emu *emu;
	struct axvm_config_mark *emu_marks;
	struct axvm_config_passthrough *passthrough;
	struct axvm_config_mark *passthrough_marks;
	struct axvm_config_mark *address_marks;

	const struct axvm_machine *machine; /* the one chosen, or NULL: the default one */
	bool enable_bios;
	bool boot_protocol_good; /* given and not refused */
	const char *uefi_firmware;

	struct axvm_text text; /* of the error being written, in `buffer` */
	char buffer[AXVM_CONFIG_TEXT_BYTES];
};

/* What a value is called in messages: key, key[index], key[index].field, key[index].field[item]. */
struct axvm_config_place {
	const char *key;
	const char *field; /* NULL: none */
	int32_t index;	   /* negative: none */
	int32_t item;	   /* negative: none */
};

static inline struct axvm_config_place axvm_config_place(const char *key)
{
	return (struct axvm_config_place){ key, NULL, -1, -1 };
}

/* One key of a section or of an inline table. */
struct axvm_config_key {
	const char *name;
	void (*read)(struct axvm_config_reader *reader, struct axvm_config_place place,
		     const struct axvm_toml_node *node);
	bool required;
};

struct axvm_config_section {
	const char *name; /* "base" */
	const struct axvm_config_key *keys;
	uint32_t count;
};

extern const struct axvm_config_section axvm_config_base_section;
extern const struct axvm_config_section axvm_config_kernel_section;
extern const struct axvm_config_section axvm_config_devices_section;

/* ---- names ------------------------------------------------------------------------------ */

struct axvm_config_name {
	const char *name; /* NULL: an alias that this value does not have */
	uint32_t number;
};

struct axvm_config_enum {
	const struct axvm_config_name *names;
	uint32_t count;
	bool by_number; /* files may give the number */
};

extern const struct axvm_config_enum axvm_config_isas;
extern const struct axvm_config_enum axvm_config_vm_types;
extern const struct axvm_config_enum axvm_config_map_types;
extern const struct axvm_config_enum axvm_config_emu_types;
extern const struct axvm_config_enum axvm_config_irq_modes;
extern const struct axvm_config_enum axvm_config_boot_protocols;
extern const struct axvm_config_enum axvm_config_image_locations;
extern const struct axvm_config_enum axvm_config_policies;

/* ---- reporting -------------------------------------------------------------------------- */

/*
 * Starts an error's text with the place; the caller appends to reader->text and
 * ends with axvm_config_error_end at the node's value (NULL: the file's start).
 */
struct axvm_text *axvm_config_error_begin(struct axvm_config_reader *reader,
					  struct axvm_config_place place);
void axvm_config_error_end(struct axvm_config_reader *reader, const struct axvm_toml_node *node);
void axvm_config_report_at(struct axvm_config_reader *reader, uint32_t line, uint32_t column);

/* "<place><sentence>" */
void axvm_config_refuse(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, const char *sentence);
/* "<place> <value in hexadecimal><sentence>" */
void axvm_config_refuse_number(struct axvm_config_reader *reader, struct axvm_config_place place,
			       const struct axvm_toml_node *node, uint64_t value,
			       const char *sentence);
/* "<place>: expected <what>, found <value>" */
void axvm_config_wrong_type(struct axvm_config_reader *reader, struct axvm_config_place place,
			    const struct axvm_toml_node *node, const char *what);
/* Unknown key, with the nearest of `names` or all of them, or the section where it belongs. */
void axvm_config_unknown_key(struct axvm_config_reader *reader, const char *where,
			     const struct axvm_toml_node *node, const char *const *names,
			     uint32_t count);
void axvm_config_put_place(struct axvm_text *text, struct axvm_config_place place);
void axvm_config_put_value(struct axvm_text *text, const struct axvm_toml_node *node);
/* The nearest of the names if one is near enough, else NULL. */
const char *axvm_config_nearest(const char *word, size_t bytes, const char *const *names,
				uint32_t count);

/* ---- values ----------------------------------------------------------------------------- */

enum axvm_config_style {
	AXVM_CONFIG_COUNT,   /* integers only; shown in decimal */
	AXVM_CONFIG_MASK,    /* shown in hexadecimal */
	AXVM_CONFIG_ADDRESS, /* units allowed; shown in hexadecimal */
	AXVM_CONFIG_SIZE,    /* units allowed; shown as a size */
};

/* These report and return false for a value that is not as described; *out is then unchanged. */
bool axvm_config_number(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, enum axvm_config_style style,
			uint64_t min, uint64_t max, uint64_t *out);
bool axvm_config_choice(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, const struct axvm_config_enum *choices,
			uint32_t *out);
bool axvm_config_bool(struct axvm_config_reader *reader, struct axvm_config_place place,
		      const struct axvm_toml_node *node, bool *out);
/* At most `max` bytes, without NUL; copied and terminated. */
bool axvm_config_string(struct axvm_config_reader *reader, struct axvm_config_place place,
			const struct axvm_toml_node *node, uint32_t max, const char **out);
/* As string, 1 to AXVM_NAME_BYTES - 1 printable ASCII characters. */
bool axvm_config_label(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, const char **out);
bool axvm_config_flags(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, uint32_t *out);

/* Arena memory, zeroed. NULL: too small, or count is 0; the former is noted. */
void *axvm_config_take(struct axvm_config_reader *reader, uint32_t count, size_t bytes);

/* Whether the node is an array of at most `max` elements; reports otherwise. */
bool axvm_config_array(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, uint32_t max);

#define AXVM_CONFIG_FIELDS_MAX 6u
/*
 * The fields of an entry, by position (then all of them are there) or by name
 * (then those left out are NULL).
 */
bool axvm_config_entry(struct axvm_config_reader *reader, struct axvm_config_place place,
		       const struct axvm_toml_node *node, const char *const *names, uint32_t count,
		       const struct axvm_toml_node *fields[AXVM_CONFIG_FIELDS_MAX]);
/* Whether a field of an entry is there; reports "<place> has no <field>" otherwise. */
bool axvm_config_present(struct axvm_config_reader *reader, struct axvm_config_place place,
			 const struct axvm_toml_node *entry, const struct axvm_toml_node *field,
			 const char *name);

static inline struct axvm_config_place axvm_config_field(struct axvm_config_place place,
							 const char *field)
{
	place.field = field;
	return place;
}

const struct axvm_toml_node *axvm_config_get(const struct axvm_toml_node *table, const char *key);

/* Whether an unknown key of the table is nearest to `name`, which is one of `names`. */
bool axvm_config_is_misspelt(const struct axvm_toml_node *table, const char *const *names,
			     uint32_t count, const char *name);
/* Whether the table has that key of the section, or a misspelt one that was reported for it. */
bool axvm_config_has(const struct axvm_toml_node *table, const struct axvm_config_section *section,
		     const char *key);

/* Reads a section key by key in the file's order, then reports what is missing. */
void axvm_config_section_read(struct axvm_config_reader *reader, const struct axvm_toml_node *table,
			      const struct axvm_config_section *section);

/* interrupt_controller: one of the platform's machines. */
void axvm_config_machine_read(struct axvm_config_reader *reader, struct axvm_config_place place,
			      const struct axvm_toml_node *node);
/* Room for emulated devices. False: out of memory, which is noted. */
bool axvm_config_take_emu(struct axvm_config_reader *reader, uint32_t count);

/* ---- after a section's keys --------------------------------------------------------------- */

void axvm_config_base_finish(struct axvm_config_reader *reader);
void axvm_config_kernel_finish(struct axvm_config_reader *reader);
void axvm_config_devices_finish(struct axvm_config_reader *reader);

/* Everything between values: ranges, interrupts. */
void axvm_config_check(struct axvm_config_reader *reader);

/* The platform's device of that type, or NULL. */
const struct axvm_config_emu *axvm_config_default_device(const struct axvm_platform *platform,
							 enum axvm_emu_type type);

/* Guest and host addresses end here, whatever the CPU. */
#define AXVM_CONFIG_GPA_LIMIT ((uint64_t)1 << 48)
#define AXVM_CONFIG_HPA_LIMIT ((uint64_t)1 << 52)
#define AXVM_CONFIG_PORT_LIMIT ((uint64_t)1 << 16)

#define AXVM_CONFIG_PATH_BYTES 1023u
#define AXVM_CONFIG_CMDLINE_BYTES 2047u

#endif
