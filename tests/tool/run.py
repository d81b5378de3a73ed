#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the host tool: run.py TOOL [PART-OF-A-NAME]

TOOL is the axvm to test. QEMU is a script of ours here, so nothing is emulated and every test is
over at once; tests/system has the real thing. Prints "ok - name" or "not ok - name" per test.
"""
import sys
import traceback

import box
import files  # noqa: F401  its tests enter themselves into box.TESTS
import running  # noqa: F401

FILTER = sys.argv[2] if len(sys.argv) > 2 else ""


def main():
    failed = 0
    for function in box.TESTS:
        if FILTER not in function.__name__:
            continue
        try:
            function()
            print(f"ok - {function.__name__}", flush=True)
        except Exception:
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok - {function.__name__}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
