#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The fast gates, under 45 seconds. One line each: "ok - gate: ..." or "not ok - gate: ..." with
# what is wrong above it; status 1 when one failed. `check.sh --fix` formats the sources first.
set -uo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --fix ]; then
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format -i
fi
# The library's names are checked as it is now; what does not compile is reported by that gate.
for isa in aarch64 riscv64 x86_64; do
	[ ! -d src ] || scripts/build.sh "$isa" libaxvm.a >"build/.check-$isa.log" 2>&1 ||
		rm -f "build/$isa/libaxvm.a"
done
exec python3 scripts/check.py
