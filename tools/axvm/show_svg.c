// SPDX-License-Identifier: Apache-2.0
/*
 * The map as a drawing: one row an entry, lowest address at the bottom as on paper maps of memory,
 * rows higher the larger the range, a dashed line where addresses are left out. Ports are not in it.
 */
#include "map.h"

#include <stdlib.h>

#define WIDTH 760
#define LEFT 180 /* of the boxes; addresses stand before it */
#define BOX 560
#define ROW_MIN 30
#define GAP 18
#define TOP 50

static const char *const fills[] = {
	[AXVM_TOOL_MAP_MEMORY] = "#d6e8f7",
	[AXVM_TOOL_MAP_IMAGE] = "#9cc4e4",
	[AXVM_TOOL_MAP_DEVICE] = "#f8e3b8",
	[AXVM_TOOL_MAP_PASSTHROUGH] = "#f3c6c0",
};

/* 30 and two more for each doubling above a page. */
static int row_height(const struct axvm_tool_map_entry *entry)
{
	int height = ROW_MIN;

	for (uint64_t bytes = entry->bytes >> AXVM_PAGE_SHIFT; bytes > 1; bytes >>= 1)
		height += 2;
	return height;
}

static bool leaves_out(const struct axvm_tool_map *map, size_t i)
{
	const struct axvm_tool_map_entry *below = &map->entries[i - 1];
	const struct axvm_tool_map_entry *entry = &map->entries[i];

	return entry->class != AXVM_TOOL_MAP_IMAGE && entry->base - below->base > below->bytes;
}

static int total_height(const struct axvm_tool_map *map)
{
	int height = TOP + 20;

	for (size_t i = 0; i < map->count; i++)
		height += row_height(&map->entries[i]) + (i > 0 && leaves_out(map, i) ? GAP : 0);
	return height;
}

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default: /* XML allows no control characters */
			fputc((unsigned char)*text < 0x20 ? '?' : *text, out);
		}
	}
}

static void put_entry(FILE *out, const struct axvm_tool_map_entry *entry, int y, int height)
{
	const int indent = entry->class == AXVM_TOOL_MAP_IMAGE ? 24 : 0;
	char *size = axvm_tool_size(entry->bytes);

	fprintf(out,
		"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" "
		"stroke=\"#555\"/>\n",
		LEFT + indent, y, BOX - indent, height, fills[entry->class]);
	fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"a\">0x%llx</text>\n", LEFT - 8,
		y + height - 4, (unsigned long long)entry->base);
	fprintf(out, "<text x=\"%d\" y=\"%d\"><tspan class=\"n\">", LEFT + indent + 10,
		y + height / 2 + 4);
	put_escaped(out, entry->name);
	fprintf(out, "</tspan>  %s  ", size);
	put_escaped(out, entry->detail);
	fputs("</text>\n", out);
}

static void put_rows(FILE *out, const struct axvm_tool_map *map, int bottom)
{
	int y = bottom;

	for (size_t i = 0; i < map->count; i++) {
		const int height = row_height(&map->entries[i]);

		if (i > 0 && leaves_out(map, i)) {
			y -= GAP;
			fprintf(out,
				"<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#999\" "
				"stroke-dasharray=\"4 4\"/>\n",
				LEFT, y + GAP / 2, LEFT + BOX, y + GAP / 2);
		}
		y -= height;
		put_entry(out, &map->entries[i], y, height);
	}
}

void axvm_tool_show_svg(FILE *out, const struct axvm_tool_vmfile *vm,
			const struct axvm_tool_map *whole)
{
	struct axvm_tool_map addresses = *whole;
	const struct axvm_tool_map *map = &addresses;
	int height;

	while (addresses.count > 0 &&
	       addresses.entries[addresses.count - 1].class == AXVM_TOOL_MAP_PORT)
		addresses.count--;
	height = total_height(map);

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\">\n",
		WIDTH, height, WIDTH, height);
	fputs("<style>text{font:12px sans-serif}.a{font:11px monospace;text-anchor:end}"
	      ".n{font-weight:bold}.t{font:bold 15px sans-serif}</style>\n"
	      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
	      out);
	fprintf(out, "<text x=\"%d\" y=\"30\" class=\"t\">", LEFT);
	put_escaped(out, vm->config->name);
	fprintf(out, " (%s): %u vCPU%s</text>\n", axvm_isa_name(vm->config->isa),
		vm->config->vcpu_count, vm->config->vcpu_count == 1 ? "" : "s");
	put_rows(out, map, height - 20);
	fputs("</svg>\n", out);
}
