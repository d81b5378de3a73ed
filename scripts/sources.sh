#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the upstream sources of libfdt and zlib, as Debian's signed index names them, into
# subprojects/packagecache, where Meson finds them. Each file must have the SHA-256 that the index
# gives and the one that is pinned in subprojects/*.wrap. Does nothing when they are there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt-private.sh

cache=subprojects/packagecache
suite=trixie

wrap_value() { sed -nE "s/^$2 *= *//p" "subprojects/$1.wrap"; }

have() {
	local file=$cache/$(wrap_value "$1" source_filename)
	[ -r "$file" ] && echo "$(wrap_value "$1" source_hash)  $file" | sha256sum --check --status
}

# fetch WRAP SOURCE-PACKAGE
fetch() {
	local name=$1 package=$2 file pinned entry directory indexed
	have "$name" && return
	file=$(wrap_value "$name" source_filename)
	pinned=$(wrap_value "$name" source_hash)
	[ -n "${ready:-}" ] || apt_private_setup build/apt-sources "$suite" amd64
	ready=yes

	# The stanza that has this file: its pool directory and the index's own SHA-256.
	entry=$(apt_private apt-cache showsrc "$package" | awk -v file="$file" '
		/^Package:/ { directory = ""; sum = ""; sums = 0 }
		/^Directory:/ { directory = $2 }
		/^[^ ]/ { sums = ($1 == "Checksums-Sha256:") }
		sums && $3 == file { sum = $1 }
		/^$/ { if (sum != "") exit }
		END { if (sum != "") print directory, sum }')
	if [ -z "$entry" ]; then
		echo "sources.sh: Debian $suite's index no longer names $file (package $package)" >&2
		exit 1
	fi
	directory=${entry% *}
	indexed=${entry#* }
	if [ "$indexed" != "$pinned" ]; then
		echo "sources.sh: $file: the index says SHA-256 $indexed," >&2
		echo "            but subprojects/$name.wrap pins $pinned" >&2
		exit 1
	fi
	echo "  fetching $file" >&2
	mkdir -p "$cache"
	download "$(apt_debian_mirror)/$directory/$file" "$cache/$file.part"
	if ! echo "$pinned  $cache/$file.part" | sha256sum --check --status; then
		echo "sources.sh: $file: what arrived has another SHA-256 than $pinned" >&2
		rm -f "$cache/$file.part"
		exit 1
	fi
	mv "$cache/$file.part" "$cache/$file"
}

# apt's own downloader, so that the machine's proxy settings count here too. (The address is
# checked by the caller's hash, not by this.)
download() {
	APT_CONFIG="$apt_state/etc/apt.conf" /usr/lib/apt/apt-helper download-file "$1" "$2" >&2
}

fetch libfdt device-tree-compiler
fetch zlib zlib
