// SPDX-License-Identifier: Apache-2.0
/*
 * Which extensions of the host's a guest may use. It may use what has no state of its own, and what has
 * state that the world switch saves and restores, or that traps and is answered; what somebody has to
 * enable for it, on the condition that it is enabled. All else is hidden: what the table does not know
 * has not been thought about.
 */
#include "isa.h"

#include <string.h>

enum rule {
	NEVER,
	ALWAYS,
	FLOAT,	/* f, fcsr: saved */
	VECTOR, /* the vector registers: saved where the HAL has found them */
	WITH_V, /* what works on these */
	SSTC,
	SSAIA,
	SVADU,
	SVPBMT,
	ZICBOM,
	ZICBOZ,
};

/* Sorted by name. */
static const struct {
	const char *name;
	enum rule rule;
} extensions[] = {
	{ "a", ALWAYS },	 { "b", ALWAYS },
	{ "c", ALWAYS },	 { "d", ALWAYS },
	{ "e", NEVER },		 { "f", FLOAT },
	{ "h", NEVER },		 { "i", ALWAYS },
	{ "m", ALWAYS },	 { "q", NEVER },
	{ "sdext", NEVER },	 { "sdtrig", NEVER },
	{ "sha", NEVER },	 { "shcounterenw", NEVER },
	{ "shgatpa", NEVER },	 { "shlcofideleg", NEVER },
	{ "shtvala", NEVER },	 { "shvsatpa", NEVER },
	{ "shvstvala", NEVER },	 { "shvstvecd", NEVER },
	{ "smaia", NEVER },	 { "smcdeleg", NEVER },
	{ "smcntrpmf", NEVER },	 { "smcsrind", NEVER },
	{ "smctr", NEVER },	 { "smdbltrp", NEVER },
	{ "smepmp", NEVER },	 { "smmpm", NEVER },
	{ "smnpm", NEVER },	 { "smrnmi", NEVER },
	{ "smstateen", NEVER },	 { "ssaia", SSAIA },
	{ "ssccfg", NEVER },	 { "ssccptr", ALWAYS },
	{ "sscofpmf", NEVER },	 { "sscounterenw", ALWAYS },
	{ "sscsrind", NEVER },	 { "ssctr", NEVER },
	{ "ssdbltrp", NEVER },	 { "ssnpm", NEVER },
	{ "sspm", NEVER },	 { "ssqosid", NEVER },
	{ "ssstateen", NEVER },	 { "ssstrict", NEVER },
	{ "sstc", SSTC },	 { "sstvala", ALWAYS },
	{ "sstvecd", ALWAYS },	 { "ssu64xl", ALWAYS },
	{ "supm", NEVER },	 { "svade", ALWAYS },
	{ "svadu", SVADU },	 { "svbare", ALWAYS },
	{ "svinval", ALWAYS },	 { "svnapot", ALWAYS },
	{ "svpbmt", SVPBMT },	 { "svrsw60t59b", ALWAYS },
	{ "svvptc", ALWAYS },	 { "v", VECTOR },
	{ "za128rs", ALWAYS },	 { "za64rs", ALWAYS },
	{ "zaamo", ALWAYS },	 { "zabha", ALWAYS },
	{ "zacas", ALWAYS },	 { "zalrsc", ALWAYS },
	{ "zama16b", ALWAYS },	 { "zawrs", ALWAYS },
	{ "zba", ALWAYS },	 { "zbb", ALWAYS },
	{ "zbc", ALWAYS },	 { "zbkb", ALWAYS },
	{ "zbkc", ALWAYS },	 { "zbkx", ALWAYS },
	{ "zbs", ALWAYS },	 { "zca", ALWAYS },
	{ "zcb", ALWAYS },	 { "zcd", ALWAYS },
	{ "zce", NEVER },	 { "zcf", ALWAYS },
	{ "zcmop", ALWAYS },	 { "zcmp", ALWAYS },
	{ "zcmt", NEVER },	 { "zdinx", NEVER },
	{ "zfa", ALWAYS },	 { "zfbfmin", ALWAYS },
	{ "zfh", ALWAYS },	 { "zfhmin", ALWAYS },
	{ "zfinx", NEVER },	 { "zhinx", NEVER },
	{ "zhinxmin", NEVER },	 { "zic64b", ALWAYS },
	{ "zicbom", ZICBOM },	 { "zicbop", ALWAYS },
	{ "zicboz", ZICBOZ },	 { "ziccamoa", ALWAYS },
	{ "ziccamoc", ALWAYS },	 { "ziccif", ALWAYS },
	{ "zicclsm", ALWAYS },	 { "ziccrse", ALWAYS },
	{ "zicfilp", NEVER },	 { "zicfiss", NEVER },
	{ "zicntr", ALWAYS },	 { "zicond", ALWAYS },
	{ "zicsr", ALWAYS },	 { "zifencei", ALWAYS },
	{ "zihintntl", ALWAYS }, { "zihintpause", ALWAYS },
	{ "zihpm", ALWAYS },	 { "zimop", ALWAYS },
	{ "zk", NEVER },	 /* Zkr is a part */ { "zkn", ALWAYS },
	{ "zknd", ALWAYS },	 { "zkne", ALWAYS },
	{ "zknh", ALWAYS },	 { "zkr", NEVER },
	{ "zks", ALWAYS },	 { "zksed", ALWAYS },
	{ "zksh", ALWAYS },	 { "zkt", ALWAYS },
	{ "zmmul", ALWAYS },	 { "ztso", ALWAYS },
	{ "zvbb", WITH_V },	 { "zvbc", WITH_V },
	{ "zve32f", VECTOR },	 { "zve32x", VECTOR },
	{ "zve64d", VECTOR },	 { "zve64f", VECTOR },
	{ "zve64x", VECTOR },	 { "zvfbfmin", WITH_V },
	{ "zvfbfwma", WITH_V },	 { "zvfh", WITH_V },
	{ "zvfhmin", WITH_V },	 { "zvkb", WITH_V },
	{ "zvkg", WITH_V },	 { "zvkn", WITH_V },
	{ "zvknc", WITH_V },	 { "zvkned", WITH_V },
	{ "zvkng", WITH_V },	 { "zvknha", WITH_V },
	{ "zvknhb", WITH_V },	 { "zvks", WITH_V },
	{ "zvksc", WITH_V },	 { "zvksed", WITH_V },
	{ "zvksg", WITH_V },	 { "zvksh", WITH_V },
	{ "zvkt", WITH_V },	 { "zvl1024b", WITH_V },
	{ "zvl128b", WITH_V },	 { "zvl16384b", WITH_V },
	{ "zvl2048b", WITH_V },	 { "zvl256b", WITH_V },
	{ "zvl32768b", WITH_V }, { "zvl32b", WITH_V },
	{ "zvl4096b", WITH_V },	 { "zvl512b", WITH_V },
	{ "zvl64b", WITH_V },	 { "zvl65536b", WITH_V },
	{ "zvl8192b", WITH_V },
};

#define EXTENSION_COUNT (sizeof(extensions) / sizeof(extensions[0]))

/* A name within a string: not terminated. */
struct name {
	const char *text;
	uint32_t bytes;
};

/* ---- reading [RISCV-U 36] -------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint32_t digits(const char *text)
{
	uint32_t count = 0;

	while (is_digit(text[count]))
		count++;
	return count;
}

/* "2", "2p1" behind a letter; the version is nobody's business. */
static uint32_t version_bytes(const char *text)
{
	uint32_t major = digits(text);

	if (major == 0 || text[major] != 'p')
		return major;

	uint32_t minor = digits(text + major + 1);

	return minor == 0 ? major : major + 1 + minor;
}

/* The next name: a letter, or what begins with s, x or z up to the underscore. False: the end. */
static bool next_name(const char **at, struct name *name)
{
	const char *text = *at;
	uint32_t bytes = 0;

	while (*text == '_')
		text++;
	if (*text == '\0')
		return false;
	if (*text == 's' || *text == 'x' || *text == 'z') {
		while (text[bytes] != '\0' && text[bytes] != '_')
			bytes++;
		*at = text + bytes;
	} else {
		bytes = 1;
		*at = text + 1 + version_bytes(text + 1);
	}
	*name = (struct name){ text, bytes };
	return true;
}

/* Where the names begin: behind "rv64". NULL: it is no 64-bit ISA. */
static const char *names_of(const char *isa)
{
	static const char base[] = "rv64";

	for (uint32_t i = 0; i < sizeof(base) - 1; i++) {
		if (isa[i] != base[i])
			return NULL;
	}
	return isa + sizeof(base) - 1;
}

/* Less than 0, 0, or more: as the name stands to the terminated one. */
static int compare(struct name name, const char *other)
{
	for (uint32_t i = 0; i < name.bytes; i++) {
		if (name.text[i] != other[i])
			return name.text[i] < other[i] ? -1 : 1;
	}
	return other[name.bytes] == '\0' ? 0 : -1;
}

/* Its place in the table, or EXTENSION_COUNT. */
static uint32_t search(struct name name)
{
	uint32_t first = 0;
	uint32_t end = EXTENSION_COUNT;

	while (first < end) {
		uint32_t middle = (first + end) / 2;
		int order = compare(name, extensions[middle].name);

		if (order == 0)
			return middle;
		if (order < 0)
			end = middle;
		else
			first = middle + 1;
	}
	return EXTENSION_COUNT;
}

/* Some names end in a digit themselves, so a version is only looked for when there is no such name. */
static struct name without_version(struct name name)
{
	uint32_t end = name.bytes;

	while (end > 0 && is_digit(name.text[end - 1]))
		end--;
	if (end < name.bytes && end > 1 && name.text[end - 1] == 'p' &&
	    is_digit(name.text[end - 2])) {
		end--;
		while (end > 0 && is_digit(name.text[end - 1]))
			end--;
	}
	return (struct name){ name.text, end };
}

/* g stands for these. */
static bool is_general(const char *wanted)
{
	static const char *const names[] = { "i", "m", "a", "f", "d", "zicsr", "zifencei" };

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t bytes = 0;

		while (names[i][bytes] != '\0')
			bytes++;
		if (compare((struct name){ names[i], bytes }, wanted) == 0)
			return true;
	}
	return false;
}

static bool is_named(struct name name, const char *wanted)
{
	return compare(name, wanted) == 0 || compare(without_version(name), wanted) == 0 ||
	       (name.bytes == 1 && name.text[0] == 'g' && is_general(wanted));
}

bool axvm_riscv64_isa_has(const char *isa, const char *name)
{
	const char *at = names_of(isa);
	struct name found;

	while (at != NULL && next_name(&at, &found)) {
		if (is_named(found, name))
			return true;
	}
	return false;
}

/* ---- what the guest gets ---------------------------------------------------------------------- */

static const struct axvm_riscv64_host on_a_desk = {
	.isa = "rv64imafdc_zicntr_zicsr_zifencei",
	.mmu_levels = 3,
};

const struct axvm_riscv64_host *axvm_riscv64_view_host(const struct axvm_riscv64_view *view)
{
	return view != NULL && view->host != NULL ? view->host : &on_a_desk;
}

/*
 * Where the host has Svade too, the firmware leaves it in force: the guest's A and D bits are not
 * written for it [RISCV-PRIV 10.9].
 */
static bool is_allowed(enum rule rule, const struct axvm_riscv64_host *host, bool has_imsic)
{
	switch (rule) {
	case ALWAYS:
	case FLOAT:
	case SVPBMT:
		return true;
	case VECTOR:
	case WITH_V:
		return host->vlen_bytes > 0;
	case SSTC:
		return host->has_sstc;
	case SSAIA:
		return host->has_aia && has_imsic;
	case SVADU:
		return !axvm_riscv64_isa_has(host->isa, "svade");
	case ZICBOM:
		return host->cbom_block_bytes > 0;
	case ZICBOZ:
		return host->cboz_block_bytes > 0;
	case NEVER:
		break;
	}
	return false;
}

static uint64_t bit_of(enum rule rule)
{
	static const uint64_t bits[] = {
		[FLOAT] = AXVM_RISCV64_EXT_F,	    [VECTOR] = AXVM_RISCV64_EXT_V,
		[SSTC] = AXVM_RISCV64_EXT_SSTC,	    [SSAIA] = AXVM_RISCV64_EXT_SSAIA,
		[SVADU] = AXVM_RISCV64_EXT_SVADU,   [SVPBMT] = AXVM_RISCV64_EXT_SVPBMT,
		[ZICBOM] = AXVM_RISCV64_EXT_ZICBOM, [ZICBOZ] = AXVM_RISCV64_EXT_ZICBOZ,
	};

	return bits[rule];
}

/* The string that is written. */
struct writer {
	char *isa;
	uint32_t bytes;
	uint64_t extensions;
	bool has_long_name;
};

/* A name of several letters has an underscore before it. What does not fit in one piece is left out. */
static bool append(struct writer *writer, const char *name)
{
	bool is_long = name[1] != '\0';
	bool divides = is_long || writer->has_long_name;
	uint32_t bytes = 1;

	while (name[bytes] != '\0')
		bytes++;
	if (bytes + divides >= AXVM_RISCV64_ISA_BYTES - writer->bytes)
		return false;
	if (divides)
		writer->isa[writer->bytes++] = '_';
	for (uint32_t i = 0; i < bytes; i++)
		writer->isa[writer->bytes++] = name[i];
	writer->isa[writer->bytes] = '\0';
	writer->has_long_name = divides;
	return true;
}

static void add(struct writer *writer, const struct axvm_riscv64_view *view, struct name name)
{
	const struct axvm_riscv64_host *host = axvm_riscv64_view_host(view);
	uint32_t index = search(name);

	if (index == EXTENSION_COUNT)
		index = search(without_version(name));
	if (index == EXTENSION_COUNT)
		return;

	enum rule rule = extensions[index].rule;

	if (is_allowed(rule, host, view != NULL && view->has_imsic) &&
	    append(writer, extensions[index].name))
		writer->extensions |= bit_of(rule);
}

static void add_general(struct writer *writer, const struct axvm_riscv64_view *view)
{
	const char *at = "imafd_zicsr_zifencei";
	struct name name;

	while (next_name(&at, &name))
		add(writer, view, name);
}

uint64_t axvm_riscv64_guest_isa(const struct axvm_riscv64_view *view,
				char isa[AXVM_RISCV64_ISA_BYTES])
{
	struct writer writer = { .isa = isa, .bytes = 4 };
	const char *at = names_of(axvm_riscv64_view_host(view)->isa);
	struct name name;

	memcpy(isa, "rv64", 5);
	if (at == NULL)
		at = names_of(on_a_desk.isa);
	while (next_name(&at, &name)) {
		if (name.bytes == 1 && name.text[0] == 'g')
			add_general(&writer, view);
		else
			add(&writer, view, name);
	}
	return writer.extensions;
}

uint64_t axvm_riscv64_henvcfg(uint64_t extensions_given)
{
	uint64_t henvcfg = 0;

	if (extensions_given & AXVM_RISCV64_EXT_ZICBOM)
		henvcfg |= AXVM_RISCV64_HENVCFG_CBIE_FLUSH | AXVM_RISCV64_HENVCFG_CBCFE;
	if (extensions_given & AXVM_RISCV64_EXT_ZICBOZ)
		henvcfg |= AXVM_RISCV64_HENVCFG_CBZE;
	if (extensions_given & AXVM_RISCV64_EXT_SVADU)
		henvcfg |= AXVM_RISCV64_HENVCFG_ADUE;
	if (extensions_given & AXVM_RISCV64_EXT_SVPBMT)
		henvcfg |= AXVM_RISCV64_HENVCFG_PBMTE;
	if (extensions_given & AXVM_RISCV64_EXT_SSTC)
		henvcfg |= AXVM_RISCV64_HENVCFG_STCE;
	return henvcfg;
}
