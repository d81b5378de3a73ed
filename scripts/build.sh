#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh host|aarch64|riscv64|x86_64 [NINJA ARGS...]
# Configures build/<kind> when needed, also after a source file has come or gone, and builds it.
# The host build puts the tool at build/axvm.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?host or an ISA}
shift

case $kind in
host) setup=() ;;
aarch64 | riscv64 | x86_64) setup=(--cross-file "cross/$kind.ini") ;;
*)
	echo "build.sh: no ISA '$kind': aarch64, riscv64 or x86_64 (or host)" >&2
	exit 2
	;;
esac
if [ "$kind" = host ] && [ -z "${CC:-}" ] && command -v clang >/dev/null; then
	export CC=clang
fi

folder=build/$kind
mkdir -p build
# One at a time: Meson unpacks the subprojects, and two ninjas in one folder disturb each other.
exec 9>"build/.lock-$kind" 8>build/.lock-setup
flock 9

listing() {
	scripts/list-sources.sh '{src,dev,hypervisor,tools,tests,hal,arch}/**/*.[chS]' \
		'{hal,hypervisor}/**/*.ld' '{tools,tests}/**/meson.build'
}
# What is laid over an upstream tree has changed: let Meson unpack it again.
refresh() {
	[ ! -d "subprojects/$2" ] || cmp -s "subprojects/"{packagefiles/"$1","$2"}/meson.build ||
		rm -rf "subprojects/$2" "$list"
}

list=$folder.files
listing >"$list.new"
flock 8
refresh libfdt dtc-1.7.2
refresh zlib zlib-1.3.1
# Meson takes the options of a cross file and of project() once, when the folder is made.
options() {
	[ "$kind" = host ] || cat "cross/$kind.ini"
	sed -n '/^project(/,/^  ])/p' meson.build
}
options | cmp -s - "$folder.options" || rm -rf "$folder"
if [ ! -f "$folder/build.ninja" ]; then
	rm -rf "$folder"
	meson setup "${setup[@]}" "$folder" >"$folder.log" 2>&1 || {
		cat "$folder.log"
		exit 1
	}
elif ! cmp -s "$list" "$list.new"; then
	meson setup --reconfigure "$folder" >"$folder.log" 2>&1 || {
		cat "$folder.log"
		exit 1
	}
fi
flock -u 8
mv "$list.new" "$list"
options >"$folder.options"

ninja --quiet -C "$folder" "$@"
if [ "$kind" = host ] && [ -x "$folder/tools/axvm/axvm" ]; then
	ln -sf host/tools/axvm/axvm build/axvm
fi
