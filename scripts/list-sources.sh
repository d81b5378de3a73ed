#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the absolute paths of the files that match the patterns; a directory that does not exist
# has none. Patterns are bash's, with `**` for any depth and {a,b}. `--but A... --of B...` prints
# what matches a B and no A.
set -euo pipefail
shopt -s globstar nullglob extglob
export LC_ALL=C
cd "$(dirname "$0")/.."

matches() {
	local pattern file files
	for pattern in "$@"; do
		eval "files=($pattern)"
		for file in "${files[@]}"; do
			[ ! -f "$file" ] || printf "%s\n" "$PWD/$file"
		done
	done
}

if [ "${1:-}" != --but ]; then
	matches "$@"
	exit
fi
shift
but=()
while [ "$1" != --of ]; do
	but+=("$1")
	shift
done
shift
matches "$@" | grep -vxFf <(matches "${but[@]}") || true
