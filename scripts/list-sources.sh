#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the absolute paths of the files that match the patterns; a directory that does not exist
# has none. Patterns are bash's, with `**` for any depth and {a,b}.
set -euo pipefail
shopt -s globstar nullglob extglob
export LC_ALL=C
cd "$(dirname "$0")/.."
for pattern in "$@"; do
	eval "files=($pattern)"
	for file in "${files[@]}"; do
		[ ! -f "$file" ] || printf "%s\n" "$PWD/$file"
	done
done
