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
failed=$(mktemp)
trap 'rm -f "$failed"' EXIT

# Without -k 0 one file that does not compile would hide the results of all the others.
build() {
	for kind; do
		echo "building $kind"
		scripts/build.sh "$kind" -k 0 || echo "$kind" >>"$failed"
	done
}

# The host's build takes as long as the three others do.
if [ -z "$part" ]; then
	build aarch64 riscv64 x86_64 &
fi
build host
wait
while read -r kind; do
	arguments+=(--build-failed "$kind")
done <"$failed"
if [ -f build/host/build.ninja ]; then
	arguments+=(--host build/host --part "$part")
fi
if [ -z "$part" ] && [ -f tests/system/run.py ]; then
	arguments+=(--system python3 tests/system/run.py)
fi
python3 scripts/run_tests.py "${arguments[@]}"
