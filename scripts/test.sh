#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh [PART-OF-A-NAME]
# Builds everything and runs the unit tests, then the system tests in QEMU. With an argument: only
# the unit tests whose program has it in its name ("toml", "aarch64-"), for the work on one thing.
# The last line is "N passed, M failed, K skipped".
set -uo pipefail
cd "$(dirname "$0")/.."
part=${1:-}
arguments=()

build() {
	echo "building $1"
	scripts/build.sh "$@" || arguments+=(--build-failed "$1")
}

# Without -k 0 one file that does not compile would hide the results of all the others.
build host -k 0
if [ -z "$part" ]; then
	for isa in aarch64 riscv64 x86_64; do
		build "$isa" -k 0
	done
fi
if [ -f build/host/build.ninja ]; then
	arguments+=(--host build/host --part "$part")
fi
if [ -z "$part" ] && [ -f tests/system/run.py ]; then
	arguments+=(--system python3 tests/system/run.py)
fi
exec python3 scripts/run_tests.py "${arguments[@]}"
