#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the small guests; each of their test lines is printed with the guest's name before it.

run.py [--native] [--isa ISA] [PART-OF-A-NAME]

Without --native: under the hypervisor, by build/axvm. With it: on QEMU's own machine without a
hypervisor, which shows what the architecture's answer is. A guest that ends without its last line
("axtest: N passed, M failed"), with other counts than its lines say, or too late, has failed.

The VM files are made from vms/*.toml, in which @isa@ stands for the ISA, in build/vms/ISA, so that
what several ISAs run is one file.
"""
import argparse
import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
TEMPLATES = "tests/guests/vms"
VMS = "build/vms/{isa}"
BINARIES = "build/{isa}/tests/guests/{isa}"

# name: VM files; the ones that are waited for (None: all); seconds, eight times what is needed
# and more; arguments for QEMU, when it takes others than axvm run's own
SHARED = {
    "hello": (["hello"], None, 60),
    "smp": (["smp"], None, 120),
    "timer": (["timer"], None, 120),
    "irq": (["irq"], None, 120),
    "sysregs": (["sysregs"], None, 60),
    "sysregs-shared": (["sysregs-a", "sysregs-b"], None, 120),
    "fp": (["fp-a", "fp-b"], None, 120),
    "hostile_mmio": (["hostile_mmio"], None, 240),
    "hostile_memory": (["hostile_memory"], None, 120),
    "hostile_irq": (["hostile_irq"], None, 240),
    "neighbour": (["neighbour", "spin"], "neighbour", 180),
    "neighbour-shared": (["neighbour-shared", "spin-shared"], "neighbour", 180),
}
VECTORS = ["-cpu", "rv64,h=true,v=true"]
APLIC = ["-M", "virt,aia=aplic"]
IMSIC = ["-M", "virt,aia=aplic-imsic,aia-guests=4"]
IMSIC_SOFTWARE = ["-M", "virt,aia=aplic-imsic"]
# The machine's only UART is left to a guest.
FIRMWARE = ["-append", "axvm.console=firmware"]
CASES = {
    "aarch64": {
        "mmio": (["mmio"], None, 60),
        "hostile_sysreg": (["hostile_sysreg"], None, 120),
        "hostile_psci": (["hostile_psci"], None, 120),
    },
    "riscv64": {
        "decode": (["decode"], None, 60),
        "fp-vectors": (["fp-a", "fp-b"], None, 120, VECTORS),
        "hostile_csr": (["hostile_csr"], None, 120),
        "hostile_sbi": (["hostile_sbi"], None, 120),
        "aplic": (["aplic"], None, 120),
        "aia": (["aia"], None, 240, IMSIC_SOFTWARE),
        "aia-files": (["aia"], None, 240, IMSIC),
        "external": (["external"], None, 60),
        "external-aplic": (["external"], None, 60, APLIC),
        "external-imsic": (["external"], None, 60, IMSIC),
        "hello-imsic": (["hello"], None, 60, IMSIC),
        "smp-imsic": (["smp"], None, 120, IMSIC),
        "sysregs-imsic": (["sysregs-a", "sysregs-b"], None, 120, IMSIC),
        "wired": (["wired"], None, 120),
        "wired-aplic": (["wired"], None, 120, APLIC),
        "wired-imsic": (["wired"], None, 120, IMSIC),
        "wired-imsic-software": (["wired"], None, 120, IMSIC_SOFTWARE),
        "wired-two": (["wired", "uart"], None, 120, FIRMWARE),
        "wired-two-aplic": (["wired", "uart"], None, 120, FIRMWARE + APLIC),
        "wired-two-imsic": (["wired", "uart"], None, 120, FIRMWARE + IMSIC),
        "storm": (["neighbour-shared", "storm"], None, 180),
        "storm-aplic": (["neighbour-shared", "storm"], None, 180, APLIC),
        "storm-imsic": (["neighbour-shared", "storm"], None, 180, IMSIC),
        "storm-imsic-software": (["neighbour-shared", "storm"], None, 180, IMSIC_SOFTWARE),
        "storm-forever": (["neighbour-shared", "storm-forever"], "neighbour", 180),
        "storm-forever-imsic": (["neighbour-shared", "storm-forever"], "neighbour", 180, IMSIC),
        "storm-never": (["neighbour-shared", "storm-never"], "neighbour", 180),
        "storm-never-imsic": (["neighbour-shared", "storm-never"], "neighbour", 180, IMSIC),
    },
}
# name, of which the part before a dash names the guest: what its machine has beside the ISA's own
NATIVE_MACHINES = {"aplic": APLIC, "aia": IMSIC_SOFTWARE, "external-aplic": APLIC,
                   "external-imsic": IMSIC_SOFTWARE, "hello-imsic": IMSIC_SOFTWARE}
# name: CPUs of the machine
NATIVE = {
    "aarch64": {"hello": 1, "smp": 4, "timer": 1, "irq": 4, "mmio": 1, "sysregs": 1, "fp": 1,
                "hostile_mmio": 2, "hostile_sysreg": 1, "hostile_psci": 2, "hostile_irq": 2,
                "hostile_memory": 1},
    "riscv64": {"hello": 1, "smp": 4, "timer": 1, "irq": 4, "sysregs": 1, "fp": 1, "decode": 2,
                "hostile_mmio": 2, "hostile_memory": 1, "hostile_csr": 1, "hostile_irq": 2,
                "hostile_sbi": 3, "aplic": 4, "aia": 4, "external": 2, "external-aplic": 2,
                "external-imsic": 2, "hello-imsic": 1},
}
MACHINES = {
    "aarch64": ["qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "max"],
    "riscv64": ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64,v=true", "-bios", "default"],
}

TEST_LINE = re.compile(r"(ok|not ok|skip) - (.*)")
LAST_LINE = re.compile(r"axtest: (\d+) passed, (\d+) failed$")
ENDED = re.compile(r"axvm: VM \d+ \((.*)\) ended: ")
PREFIX = re.compile(r"\[([^\]]*)\] (.*)$", re.DOTALL)


def without_firmware(output):
    """The machine's firmware may speak first, and ends its lines as no guest does."""
    hypervisor = re.search(r"^axvm: ", output, re.MULTILINE)
    return output[hypervisor.start():] if hypervisor else output.rpartition("\r\n")[2]


def speakers(output):
    """Lines per speaker ("" when there is one VM). A line that another speaker interrupts ends in
    CR LF, where the guests themselves send LF alone: its rest is the speaker's next line. Who is
    the last to speak loses the prefix."""
    lines, begun, left = {}, {}, set()
    for line in without_firmware(output).split("\n"):
        broken = line.endswith("\r")
        line = line.rstrip("\r")
        ended = ENDED.match(line)
        if ended:
            left.discard(ended[1])
        if line.startswith("axvm: "):
            continue
        match = PREFIX.match(line)
        name, text = match.groups() if match else (min(left, default=""), line)
        if match and name not in lines:
            left.add(name)
        text = begun.pop(name, "") + text
        if broken:
            begun[name] = text
        else:
            lines.setdefault(name, []).append(text)
    return lines


class Report:
    def __init__(self, isa):
        self.isa = isa
        self.failed = False

    def line(self, verdict, name, text):
        self.failed |= verdict == "not ok"
        print(f"{verdict} - {self.isa} {name}: {text}", flush=True)

    def guest(self, name, lines, wanted):
        """The lines of one guest. Returns whether its last line was there."""
        counts = {"ok": 0, "not ok": 0, "skip": 0}
        for text in lines:
            match = TEST_LINE.match(text)
            last = LAST_LINE.match(text)
            if match:
                counts[match[1]] += 1
                self.line(match[1], name, match[2])
            elif text.startswith("# "):
                print(f"# {self.isa} {name}: {text[2:]}")
            if last and (int(last[1]), int(last[2])) == (counts["ok"], counts["not ok"]):
                return True
        if wanted:
            self.line("not ok", name, "the guest comes to its end")
        return False

    def output(self, case, output, waited_for, status):
        before = self.failed
        found = speakers(output)
        for speaker in sorted(found) or [""]:
            if waited_for and speaker and speaker != waited_for:
                continue
            name = case if not speaker or speaker == case else f"{case}.{speaker}"
            # Lines before there were several speakers have no prefix and no tests.
            if speaker == "" and len(found) > 1:
                continue
            self.guest(name, found.get(speaker, []), True)
        if status != 0:
            self.line("not ok", case, f"the run ends with status 0, not {status}")
        if self.failed and not before:
            print(f"--- {case}, in full:\n{output}\n--- {case}, end", flush=True)


def run(command, seconds):
    try:
        done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds + 20)
        return done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode(errors="replace"), 124
    except OSError as error:
        return str(error), 127


def make_vms(isa):
    folder = os.path.join(TOP, VMS.format(isa=isa))
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(os.path.join(TOP, TEMPLATES)):
        with open(os.path.join(TOP, TEMPLATES, name), encoding="utf-8") as file:
            text = file.read().replace("@isa@", isa)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def under_axvm(report, isa, part):
    make_vms(isa)
    for case, (files, waited_for, seconds, *qemu) in (SHARED | CASES[isa]).items():
        if part not in case:
            continue
        command = ["build/axvm", "run", "--isa", isa, "--timeout", str(seconds)]
        if waited_for:
            command += ["--until", r"axtest: [0-9]+ passed, [0-9]+ failed"]
        command += [f"{VMS.format(isa=isa)}/{name}.toml" for name in files]
        if qemu:
            command += ["--", *qemu[0]]
        output, status = run(command, seconds)
        if qemu and FIRMWARE[1] in qemu[0]:
            output = output.replace("\r\n", "\n")  # the firmware makes LF CR LF
        report.output(case, output, waited_for, status)


def natively(report, isa, part):
    for case, cpus in NATIVE[isa].items():
        if part not in case:
            continue
        command = MACHINES[isa] + [
            "-m", "64", "-smp", str(cpus), "-display", "none", "-nodefaults", "-serial", "stdio",
            "-no-reboot", "-kernel", f"{BINARIES.format(isa=isa)}/{case.partition('-')[0]}.bin",
            *NATIVE_MACHINES.get(case, [])]
        output, status = run(command, 120)
        report.output(case, output, None, status)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--isa", default="aarch64", choices=sorted(CASES))
    parser.add_argument("part", nargs="?", default="")
    options = parser.parse_args()
    report = Report(options.isa)
    (natively if options.native else under_axvm)(report, options.isa, options.part)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
