#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# merge-library.sh OUTPUT.a CORE.a HELPER.a...
# Makes one archive of one relocatable object: all of the core, and what it needs of the helpers.
# Only names that begin with axvm_ stay visible to whoever links it, and none of the helpers' own.
set -euo pipefail
output=$1
core=$2
shift 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ld.lld -r --whole-archive "$core" --no-whole-archive "$@" -o "$work/axvm.o"
llvm-objcopy --wildcard --keep-global-symbol='axvm_*' \
	--localize-symbol='axvm_str*' --localize-symbol='axvm_memchr' "$work/axvm.o"
rm -f "$output"
llvm-ar rcsD "$output" "$work/axvm.o"
