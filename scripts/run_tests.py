#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs test programs and sums up what they say.

run_tests.py --host FOLDER [PART-OF-A-NAME]   the unit tests of a Meson build folder
run_tests.py ... --system PROGRAM [ARG...]    and then a program that speaks the same protocol

Protocol: one line of stdout per test, "ok - name", "not ok - name" or "skip - name: reason"; a
status that is not zero when one failed. A program that ends otherwise (a signal, a sanitizer's
report) has one more failed test; one that prints no test line has failed.
"""
import argparse
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import time

UNIT_TIMEOUT_S = 300


class Sum:
    def __init__(self):
        self.passed = self.failed = 0
        self.skips = []

    def add_line(self, program, line):
        """Counts a test line. Returns whether it was one."""
        if line.startswith("ok - "):
            self.passed += 1
        elif line.startswith("not ok - "):
            self.failed += 1
        elif line.startswith("skip - "):
            self.skips.append(f"{program}: {line[len('skip - '):]}")
        else:
            return False
        return True

    def add_end(self, program, status, lines, failed_lines, timed_out=False):
        """Counts what a program's end says beside its lines. Returns a reason or None."""
        if timed_out:
            reason = "ran too long"
        elif status < 0:
            reason = f"was ended by {signal.Signals(-status).name}"
        elif lines == 0:
            reason = f"printed no test line (status {status})"
        elif status != 0 and failed_lines == 0:
            reason = f"ended with status {status} after its last test"
        else:
            return None
        self.failed += 1
        print(f"not ok - {program}: the program {reason}", flush=True)
        return reason


def run_unit(command, name):
    environment = dict(os.environ)
    environment.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    began = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=UNIT_TIMEOUT_S, env=environment)
        out, err, status, late = done.stdout, done.stderr, done.returncode, False
    except subprocess.TimeoutExpired as error:
        out, err, status, late = error.stdout or b"", error.stderr or b"", 1, True
    except OSError as error:
        out, err, status, late = b"", str(error).encode(), 127, False
    return name, out.decode(errors="replace"), err.decode(errors="replace"), status, late, \
        time.monotonic() - began


def report_unit(total, result):
    name, out, err, status, late, seconds = result
    before = total.passed, total.failed, len(total.skips)
    lines = sum(total.add_line(name, line) for line in out.splitlines())
    failed = total.failed - before[1]
    bad = failed > 0 or status != 0 or late or lines == 0
    if bad:
        print(f"--- {name}, in full:\n{out.rstrip()}\n{err.rstrip()}\n--- {name}, end", flush=True)
    total.add_end(name, status, lines, failed, late)
    print(f"{name}: {total.passed - before[0]} passed, {total.failed - before[1]} failed, "
          f"{len(total.skips) - before[2]} skipped ({seconds:.1f} s)", flush=True)


def unit_tests(folder, part):
    text = subprocess.run(["meson", "introspect", "--tests", folder], check=True,
                          stdout=subprocess.PIPE).stdout
    for test in json.loads(text):
        if part in test["name"]:
            yield test["cmd"], test["name"]


def run_units(total, folder, part):
    tests = list(unit_tests(folder, part))
    if not tests:
        print(f"no unit test has '{part}' in its name")
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        running = [pool.submit(run_unit, *test) for test in tests]
        for future in concurrent.futures.as_completed(running):
            report_unit(total, future.result())


def run_system(total, command):
    """Long, so its lines are shown as they come."""
    lines = failed = 0
    name = os.path.relpath(command[0])
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               errors="replace", bufsize=1, text=True)
    for line in process.stdout:
        print(line, end="", flush=True)
        lines += total.add_line("system", line.rstrip("\n"))
        failed += line.startswith("not ok - ")
    total.add_end(name, process.wait(), lines, failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", metavar="FOLDER")
    parser.add_argument("--part", default="")
    parser.add_argument("--build-failed", action="append", default=[], metavar="WHAT")
    parser.add_argument("--system", nargs=argparse.REMAINDER, metavar="PROGRAM")
    options = parser.parse_args()
    total = Sum()

    for what in options.build_failed:
        print(f"not ok - build: {what}")
        total.failed += 1
    if options.host:
        run_units(total, options.host, options.part)
    if options.system:
        run_system(total, options.system)

    if total.skips:
        print("\nskipped:")
        for skip in total.skips:
            print(f"  {skip}")
    print(f"\n{total.passed} passed, {total.failed} failed, {len(total.skips)} skipped", flush=True)
    return 1 if total.failed > 0 or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
