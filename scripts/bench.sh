#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh ISA [--rows PART-OF-A-NAME] [--document docs/performance.md]
# Exit costs, boot costs and sizes against the budgets of tests/bench/budgets-<isa>.txt, from what
# scripts/build.sh has built. Fails when a row is over its budget.
set -euo pipefail
cd "$(dirname "$0")/.."
isa=${1:?an ISA}
shift

if [ ! -f "tests/bench/budgets-$isa.txt" ]; then
	echo "bench.sh: there are no budgets for '$isa'; there are: $(ls tests/bench |
		sed -n 's/^budgets-\(.*\)\.txt$/\1/p' | tr '\n' ' ')" >&2
	exit 2
fi
mkdir -p build/bench
cc -std=c11 -O2 -Wall -Wextra -Wpedantic -fPIC -shared -fvisibility=hidden \
	-o build/bench/hv_insns.so tests/bench/hv_insns.c
exec python3 tests/bench/bench.py "$isa" "$PWD/build/bench/hv_insns.so" "$@"
