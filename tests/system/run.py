#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The system tests: whole machines in QEMU, by build/axvm run.

run.py [PART-OF-A-NAME]

The cases stand in cases/*.toml, each a [[case]] table:

  name        a sentence, with underscores
  isas        ISAs that it is run for, once each: in all its strings {isa} is the name, and {console}
              the console of Linux there
  vms         VM files, from the top of the tree
  append      added to the guests' command lines
  until       end when this appears on a guest's console (--until); otherwise they end by themselves
  qemu        arguments for QEMU
  send        a list of [REGEX, TEXT]: TEXT is typed when REGEX has appeared, one after the other
  cut_bundle  a part of 1 at which the bundle is cut off
  timeout     seconds (90)
  status      of axvm run (0)
  expect      regular expressions that each match in the output
  reject      and those that may not

or, instead of `vms`, `program`: a command that prints such test lines itself.

At most two cases run at once. The output of each is in build/logs/NAME.log; the end of it is
printed when the case fails. Prints "ok - name" or "not ok - name" per case.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib

TOP = pathlib.Path(__file__).resolve().parents[2]
LOGS = TOP / "build" / "logs"
TAIL_LINES = 40
MARGIN_S = 20  # beyond axvm's own time-out
CONSOLES = {"aarch64": "ttyAMA0", "riscv64": "ttyS0", "x86_64": "ttyS0"}
KEYS = {"name", "isas", "vms", "append", "until", "qemu", "send", "cut_bundle", "timeout", "status",
        "expect", "reject", "program"}
printing = threading.Lock()


def for_isa(value, isa):
    """The case, or a part of it, as it is for one ISA."""
    if isinstance(value, str):
        return value.replace("{isa}", isa).replace("{console}", CONSOLES[isa])
    if isinstance(value, list):
        return [for_isa(item, isa) for item in value]
    if isinstance(value, dict):
        return {key: for_isa(item, isa) for key, item in value.items()}
    return value


def expand(case):
    if "isas" not in case:
        return [case]
    return [for_isa(case, isa) | {"name": f"{case['name']}-{isa}"} for isa in case["isas"]]


def read_cases(part):
    cases = []
    for file in sorted((TOP / "tests/system/cases").glob("*.toml")):
        for case in tomllib.loads(file.read_text())["case"]:
            unknown = set(case) - KEYS
            if unknown or "name" not in case or ("vms" in case) == ("program" in case):
                raise SystemExit(f"{file}: a case is wrong: {case}")
            cases += [one for one in expand(case) if part in one["name"]]
    return cases


def command_of(case, scratch):
    """The command, its last part the arguments for QEMU."""
    axvm = str(TOP / "build/axvm")
    command = [axvm, "run", "--timeout", str(case.get("timeout", 90))]
    qemu = list(case.get("qemu", []))
    if "append" in case:
        command += ["--append", case["append"]]
    if "until" in case:
        command += ["--until", case["until"]]
    if "cut_bundle" in case:
        bundle = pathlib.Path(scratch) / "bundle"
        subprocess.run([axvm, "bundle", *case["vms"], "-o", bundle], cwd=TOP, check=True)
        os.truncate(bundle, int(bundle.stat().st_size * case["cut_bundle"]))
        qemu += ["-initrd", str(bundle)]
    return command + case["vms"] + (["--"] + qemu if qemu else [])


class Console:
    """Reads what a process prints, and types what the case wants typed."""

    def __init__(self, case, log):
        self.case, self.log = case, log
        self.output = b""
        self.to_send = [(re.compile(regex.encode()), text.encode())
                        for regex, text in case.get("send", [])]
        self.seen = 0  # where the search for the next one begins

    def type_what_is_due(self, process):
        while self.to_send:
            found = self.to_send[0][0].search(self.output, self.seen)
            if not found:
                return
            self.seen = found.end()
            process.stdin.write(self.to_send.pop(0)[1])
            process.stdin.flush()

    def follow(self, process):
        while data := os.read(process.stdout.fileno(), 65536):
            self.output += data
            self.log.write(data)
            self.log.flush()
            self.type_what_is_due(process)


def start(command, typed):
    return subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            stdin=subprocess.PIPE if typed else subprocess.DEVNULL)


def run_command(command, case, log):
    """Returns the status and the output."""
    console = Console(case, log)
    with start(command, "send" in case) as process:
        watchdog = threading.Timer(case.get("timeout", 90) + MARGIN_S, process.kill)
        watchdog.start()
        console.follow(process)
        status = process.wait()
        watchdog.cancel()
    return status, console.output.decode(errors="replace").replace("\r", "")


def faults(case, status, output):
    """What is wrong with it, in sentences."""
    wanted = case.get("status", 0)
    if status != wanted:
        yield f"status {status}, not {wanted}"
    for regex in case.get("expect", []):
        if not re.search(regex, output, re.MULTILINE):
            yield f"no '{regex}' in the output"
    for regex in case.get("reject", []):
        if re.search(regex, output, re.MULTILINE):
            yield f"'{regex}' is in the output"


def run_vms(case, log):
    with tempfile.TemporaryDirectory(prefix="axvm-system-") as scratch:
        status, output = run_command(command_of(case, scratch), case, log)
    wrong = list(faults(case, status, output))
    with printing:
        if wrong:
            print(f"--- {case['name']}, the end of {log.name}:")
            for line in output.splitlines()[-TAIL_LINES:]:
                print(f"  {line}")  # indented, a guest's lines are no test lines of ours
            for sentence in wrong:
                print(f"# {sentence}")
        print(f"{'not ok' if wrong else 'ok'} - {case['name']}", flush=True)
    return not wrong


def run_program(case, log):
    """Its lines are test lines, and shown as they come; but not what it quotes."""
    lines = failed = 0
    quoted = False
    with start(case["program"], False) as process:
        watchdog = threading.Timer(case.get("timeout", 90), process.kill)
        watchdog.start()
        for data in process.stdout:
            line = data.decode(errors="replace").rstrip()
            log.write(data)
            if line.startswith("--- "):
                quoted = line.endswith("in full:")
            elif quoted:
                line = "  " + line
            lines += line.startswith(("ok - ", "not ok - ", "skip - "))
            failed += line.startswith("not ok - ")
            with printing:
                print(line, flush=True)
        status = process.wait()
        watchdog.cancel()
    if lines == 0 or (status != 0 and not failed):
        with printing:
            print(f"not ok - {case['name']}: ended with status {status}", flush=True)
        return False
    return status == 0


def run_case(case):
    began = time.monotonic()
    with open(LOGS / f"{case['name']}.log", "wb") as log:
        good = run_program(case, log) if "program" in case else run_vms(case, log)
        log.write(f"\n--- {time.monotonic() - began:.1f} s\n".encode())
    return good


def main():
    cases = read_cases(sys.argv[1] if len(sys.argv) > 1 else "")
    if not cases:
        raise SystemExit("no case has that in its name")
    LOGS.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run_case, cases))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
