/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of QEMU's plugin interface (version 4, QEMU 9.2 and later) that hv_insns.c uses, written
 * down here because no Debian package ships qemu-plugin.h. Types that QEMU takes from GLib are
 * declared with the layout that GLib documents.
 */
#ifndef QEMU_PLUGIN_API_H
#define QEMU_PLUGIN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_API_VERSION 4

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;
struct qemu_info; /* what QEMU tells about itself: not used */

/* GArray and GByteArray: data, length in elements. */
struct qemu_array {
	char *data;
	unsigned int length;
};

struct qemu_register_descriptor {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
};

enum qemu_callback_flags { QEMU_NO_REGISTERS = 0, QEMU_READS_REGISTERS = 1 };
enum qemu_memory_direction { QEMU_LOADS = 1, QEMU_STORES = 2 };

struct qemu_memory_value {
	int size_shift; /* 0: 8 bits, to 4: 128 bits */
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
		struct {
			uint64_t low;
			uint64_t high;
		} u128;
	} data;
};

typedef void qemu_execute_callback(unsigned int cpu, void *data);
typedef void qemu_memory_callback(unsigned int cpu, uint32_t info, uint64_t address, void *data);
typedef void qemu_translate_callback(uint64_t id, struct qemu_plugin_tb *block);
typedef void qemu_cpu_callback(uint64_t id, unsigned int cpu);
typedef void qemu_exit_callback(uint64_t id, void *data);

void qemu_plugin_register_vcpu_init_cb(uint64_t id, qemu_cpu_callback *call);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_translate_callback *call);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block, qemu_execute_callback *call,
					  enum qemu_callback_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
					    qemu_execute_callback *call,
					    enum qemu_callback_flags flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *instruction,
				      qemu_memory_callback *call, enum qemu_callback_flags flags,
				      enum qemu_memory_direction direction, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, qemu_exit_callback *call, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);

struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t address);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *address);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *address);
struct qemu_memory_value qemu_plugin_mem_get_value(uint32_t info);

/* Of the CPU whose initialisation is being reported. The caller frees the array. */
struct qemu_array *qemu_plugin_get_registers(void);
/* Appends the register's bytes; returns how many. */
int qemu_plugin_read_register(struct qemu_plugin_register *handle, struct qemu_array *bytes);

/* From GLib, which QEMU is linked with. */
struct qemu_array *g_byte_array_new(void);
struct qemu_array *g_byte_array_set_size(struct qemu_array *array, unsigned int length);

/* What a plugin gives. */
extern int qemu_plugin_version;
int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

#endif
