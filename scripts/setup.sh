#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# setup.sh [--checks]
# Installs the packages that are missing, on Debian 12, Debian 13 and Ubuntu 24.04; on another
# system it says what is missing. With --checks also what only `make check` uses. Does nothing, and
# needs no root, when everything is there.
set -euo pipefail

# Needed everywhere, and under the same name everywhere.
packages='clang lld llvm meson ninja-build make pkg-config python3
	libjson-c-dev zlib1g-dev libfdt-dev libc6-dev libzydis-dev acpica-tools
	cpio gzip xz-utils zstd device-tree-compiler debian-archive-keyring ca-certificates'
checks='clang-tidy clang-format cppcheck gcovr gcc gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu'

# What differs: the sanitizers' run-time part, QEMU's packages, the suite that QEMU comes from.
table='
	debian:12     libclang-rt-dev     qemu-system-arm,qemu-system-riscv,qemu-system-x86,opensbi  bookworm-backports
	debian:13     libclang-rt-dev     qemu-system-arm,qemu-system-riscv,qemu-system-x86,opensbi  -
	ubuntu:24.04  libclang-rt-18-dev  qemu-system-arm,qemu-system-misc,qemu-system-x86,opensbi   -
'
qemu_minimum=8.2
commands='clang ld.lld llvm-objcopy llvm-nm meson ninja pkg-config python3 cpio gzip xz zstd dtc
	qemu-system-aarch64 qemu-system-riscv64 qemu-system-x86_64'


system=$(. /etc/os-release && echo "${ID:-unknown}:${VERSION_ID:-}")
read -r own_packages qemu_packages qemu_suite \
	< <(awk -v s="$system" '$1 == s { print $2, $3, $4 }' <<<"$table") || true
qemu_packages=${qemu_packages//,/ }
wanted="$packages $own_packages"
[ "${1:-}" != --checks ] || wanted+=" $checks"

# The names of those of its arguments that are not installed.
missing() {
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

# The names and versions of those QEMUs that are not there or too old.
old_qemus() {
	local isa version
	for isa in aarch64 riscv64 x86_64; do
		version=$("qemu-system-$isa" --version 2>/dev/null | sed -nE '1s/.*version ([0-9.]+).*/\1/p')
		if [ -z "$version" ]; then
			echo "qemu-system-$isa is not installed"
		elif [ "$(printf '%s\n' "$qemu_minimum" "$version" | sort -V | head -n 1)" != "$qemu_minimum" ]; then
			echo "$(command -v "qemu-system-$isa") is version $version"
		fi
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "setup.sh: this needs root and there is no sudo. As root, run: $*" >&2
		exit 1
	fi
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null
}

updated=
update_once() {
	[ -n "$updated" ] || {
		echo 'setup: reading the package lists'
		apt "$@" update | grep -vE '^(Hit|Get|Reading)' || true
		updated=yes
	}
}

install() {
	apt install -y --no-install-recommends "$@" | grep -E '^(Setting up|Unpacking|E:|W:|Need)' || {
		[ "${PIPESTATUS[0]}" = 0 ]
	}
}

install_qemu() {
	local options=() list
	echo "setup: installing QEMU: $qemu_packages"
	if [ "$qemu_suite" = - ]; then
		update_once
	elif apt-cache policy | grep -q "n=$qemu_suite"; then
		update_once
		options=(-t "$qemu_suite")
	else
		# The suite is named to these two calls of apt only; the machine's sources stay as they are.
		list=$(mktemp --suffix=.axvm-backports.list)
		chmod 644 "$list"
		. "$(dirname "$0")/apt-private.sh"
		[ ! -r /etc/apt/sources.list ] || cat /etc/apt/sources.list >"$list"
		echo "deb $(apt_debian_mirror) $qemu_suite main" >>"$list"
		options=(-o "Dir::Etc::sourcelist=$list")
		updated=
		update_once "${options[@]}"
		options+=(-t "$qemu_suite")
	fi
	# shellcheck disable=SC2086
	install "${options[@]}" $qemu_packages
	[ -z "${list:-}" ] || rm -f "$list"
}

if [ -z "$qemu_packages" ]; then
	absent=
	for command in $commands; do
		command -v "$command" >/dev/null || absent+=" $command"
	done
	if [ -n "$absent" ]; then
		echo "setup.sh: '$system' is not a system this knows (Debian 12, 13, Ubuntu 24.04)." >&2
		echo "Please install what brings these commands:$absent" >&2
		exit 1
	fi
else
	# shellcheck disable=SC2086
	absent=$(missing $wanted)
	if [ -n "$absent" ]; then
		update_once
		echo "setup: installing $(echo $absent)"
		# shellcheck disable=SC2086
		install $absent
	fi
	[ -z "$(old_qemus)" ] || install_qemu
fi

old=$(old_qemus)
if [ -n "$old" ]; then
	echo "setup.sh: QEMU $qemu_minimum or newer is needed (10 is the reference), but" >&2
	printf '  %s\n' "$old" >&2
	case $system in
	debian:12) echo "Debian 12 has a new one in backports: apt install -t bookworm-backports $qemu_packages" >&2 ;;
	*) echo "Install a newer one, or take an older one out of the PATH ($PATH)." >&2 ;;
	esac
	exit 1
fi
