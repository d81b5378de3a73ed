#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# guests.sh [--refresh] [ISA...]
# Makes guests/<isa>: Debian's unmodified kernel (Image; on x86_64 bzImage) and a small initramfs
# around busybox-static (initramfs.cpio.gz); for riscv64 that suite's OpenSBI too (opensbi.bin), beside
# the one that QEMU brings. Packages come through apt in a private state folder,
# signatures checked, and stay in guests-cache (or $AXVM_GUESTS). Does nothing where the files are
# there already; --refresh looks for a newer kernel. Without an ISA: all three.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt-private.sh

suite=trixie
cache=${AXVM_GUESTS:-guests-cache}
refresh=
[ "${1:-}" != --refresh ] || {
	refresh=yes
	shift
}
[ $# -gt 0 ] || set -- aarch64 riscv64 x86_64

# Packages whose names say what they are.
plain_packages() {
	case $1 in
	riscv64) echo busybox-static opensbi ;;
	*) echo busybox-static ;;
	esac
}

# What makes our part of the files: when it changes they are made again.
recipe() {
	{
		plain_packages "$1"
		cat scripts/guest/init scripts/guest/make_initramfs.py
	} | sha256sum | cut -c 1-16
}

# The packages of an architecture: the kernel that the meta package stands for, and the others.
package_names() {
	local kernel
	kernel=$(apt_private apt-cache show "linux-image-$1" |
		sed -nE '/^Depends:/{s/.*[ ,](linux-image-[0-9][^ ,]*).*/\1/p;q}')
	[ -n "$kernel" ] || {
		echo "guests.sh: linux-image-$1 of Debian $suite names no kernel package" >&2
		return 1
	}
	echo "$kernel $(plain_packages "$1")"
}

# download ARCH: leaves the packages' files in $cache/debs/ARCH and nothing else there
download() {
	local arch=$1 names folder=$cache/debs/$1
	apt_private_setup "$cache/apt-$arch" "$suite" "$arch"
	names=$(package_names "$arch")
	echo "  fetching $names ($arch)"
	rm -rf "$folder.new"
	mkdir -p "$folder.new"
	[ ! -d "$folder" ] || cp -l "$folder"/*.deb "$folder.new/" 2>/dev/null || true
	# apt verifies a file that is there already and fetches it only if it differs.
	# shellcheck disable=SC2086
	(cd "$folder.new" && apt_private apt-get -q download $names)
	local wanted=$names deb
	for deb in "$folder.new"/*.deb; do
		case " $wanted " in
		*" $(basename "$deb" | cut -d _ -f 1) "*) ;;
		*) rm -f "$deb" ;;
		esac
	done
	rm -rf "$folder"
	mv "$folder.new" "$folder"
}

# The kernel as its loader wants it; what it is, is checked by its magic number.
install_kernel() {
	local isa=$1 root=$2 out=$3 kernel name=Image offset=56 magic
	kernel=$(ls "$root"/boot/vmlinu[xz]-*)
	case $isa in
	aarch64) magic=$'ARM\x64' ;;
	riscv64) magic=$'RSC\x05' ;;
	x86_64) magic=HdrS offset=514 name=bzImage ;;
	esac
	if [ "$(head -c 2 "$kernel" | od -An -tx1 | tr -d ' ')" = 1f8b ]; then
		gzip -dc "$kernel" >"$out/$name"
	else
		cp "$kernel" "$out/$name"
	fi
	if [ "$(tail -c +$((offset + 1)) "$out/$name" | head -c 4)" != "$magic" ]; then
		echo "guests.sh: $(basename "$kernel") is not a kernel image for $isa as expected" >&2
		return 1
	fi
}

# Whether a file of each package is there.
are_fetched() {
	local name
	for name in 'linux-image-*' $(plain_packages "$1"); do
		compgen -G "$cache/debs/$1/${name}_*.deb" >/dev/null || return 1
	done
}

make_guest() {
	local isa=$1 arch out=guests/$1 stamp work
	case $isa in
	aarch64) arch=arm64 ;;
	riscv64) arch=riscv64 ;;
	x86_64) arch=amd64 ;;
	*)
		echo "guests.sh: no ISA '$isa': aarch64, riscv64 or x86_64" >&2
		return 2
		;;
	esac
	stamp=$(recipe "$arch")
	[ -z "$refresh" ] && [ "$(cat "$out/.recipe" 2>/dev/null)" = "$stamp" ] && return 0

	echo "guests: $isa"
	if [ -n "$refresh" ] || ! are_fetched "$arch"; then
		download "$arch"
	fi
	work=$cache/unpacked-$isa
	rm -rf "$work" "$out"
	mkdir -p "$work" "$out"
	echo "  unpacking"
	for deb in "$cache/debs/$arch"/*.deb; do
		dpkg-deb -x "$deb" "$work"
	done
	install_kernel "$isa" "$work" "$out"
	[ "$isa" != riscv64 ] || cp "$work"/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin "$out/opensbi.bin"
	echo "  making $out/initramfs.cpio.gz"
	python3 scripts/guest/make_initramfs.py --root "$work" --init scripts/guest/init \
		--output "$out/initramfs.cpio.gz"
	rm -rf "$work"
	echo "$stamp" >"$out/.recipe"
}

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
for isa in "$@"; do
	make_guest "$isa"
done
