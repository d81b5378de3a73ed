#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures every row of tests/bench/budgets-<isa>.txt and prints them beside their budgets.

bench.py ISA PLUGIN [--rows PART] [--document FILE]

Status 1 when a row is over its budget, or could not be measured. Where the hypervisor's
instructions went, function by function, is written to build/bench/profile-*.txt. With --document
the table of that Markdown file, between the lines "<!-- ISA: begin -->" and "<!-- ISA: end -->", is replaced.
"""
import argparse
import bisect
import os
import re
import subprocess
import sys
import typing

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
OUT = os.path.join(TOP, "build", "bench")
# After init has run a command: when the kernel does its deferred work differs by 1.5 % of a boot.
MARKER = "axvm-guest: run exit="
LINUX_TIMEOUT_S = 900
REPEATS = ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1"]


class Isa(typing.NamedTuple):
    """What the rows about Linux need to know of an ISA."""
    console: str           # for the kernel
    native: list           # QEMU without a hypervisor, a CPU with what VMs get and no more
    native_removed: list   # of the machine's own tree, for the same; none: the VM's tree serves
    passed_uart: list      # the plugin's arguments where the VM has a UART of the machine's own
    passed_qemu: list      # and QEMU's
    more_rows: list = []   # further machines for the guest of our own: VM files, QEMU's arguments


ISAS = {
    "aarch64": Isa(
        console="ttyAMA0",
        native=["qemu-system-aarch64", "-M", "virt,gic-version=3,dtb-randomness=off",
                "-cpu", "max,pauth-impdef=on,sve=off,sme=off,pmu=off"],
        native_removed=[],
        passed_uart=["guest_console=on", "uart=0x9040000"],
        passed_qemu=["-serial", "chardev:console"]),
    "riscv64": Isa(
        console="ttyS0",
        native=["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64,h=false"],
        # The firmware needs what a VM has none of: the CLINT, the test device.
        native_removed=["/pmu", "/fw-cfg@10100000", "/flash@20000000", "/platform-bus@4000000",
                        "/soc/rtc@101000", "/soc/pci@30000000",
                        *[f"/soc/virtio_mmio@1000{i}000" for i in range(1, 9)]],
        passed_uart=["guest_console=on"],
        passed_qemu=["-append", "axvm.on-failure=reset axvm.console=firmware"],
        more_rows=[("tests/bench/bench-imsic-riscv64.toml",
                    ["-M", "aia=aplic-imsic,aia-guests=1",
                     "-append", "axvm.on-failure=reset axvm.console=firmware"])]),
}
# What brings the guest's images from the bundle to where they belong.
COPYING = re.compile(r"^(memcpy|memmove|inflate.*|zcalloc|axvm_hal_cache_clean)$")
# What clears the guest's memory: all but a thousandth of it is that.
CLEARING = re.compile(r"^memset$")
PEERS = ["Bao 2.0", "Xvisor", "Xen 4.20", "KVM 6.12"]


def read_budgets(path):
    rows = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words and words[0] != "#":
                rows[words[0]] = (float(words[1]), words[2:])
    return rows


def run(command, timeout):
    """Output and status; the output is shown when the program failed."""
    try:
        done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout + 30)
        output, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as error:
        output, status = (error.stdout or b"").decode(errors="replace"), 124
    if status != 0:
        print(f"status {status} of: {' '.join(command)}\n{output[-4000:]}", flush=True)
    return output, status


def axvm(isa, vm, *options, plugin=(), qemu=()):
    command = ["build/axvm", "run", "--isa", isa, "--icount", *options, vm]
    if plugin:
        command += ["--", "-plugin", ",".join(plugin), *qemu]
    return command


def guest_rows(isa, vm, *qemu):
    """The rows that a guest of our own measures, after it has shown that its clock counts."""
    command = [*axvm(isa, vm, "--timeout", "300"), *(["--", *qemu] if qemu else [])]
    output, _ = run(command, 300)
    rows = {name: float(value) for name, value in
            re.findall(r"^bench: (\S+) ([0-9.]+)\s*$", output, re.MULTILINE)}
    checks = rows.pop("empty_loop", None), rows.pop("ten_nops", None)
    if checks != (2.0, 10.0):
        print(f"bench: an empty loop takes 2 instructions and ten NOPs 10, not {checks}: "
              "time does not count instructions, and no row is valid")
        return {}
    return rows


def exits(isa):
    rows = guest_rows(isa, f"tests/bench/bench-{isa}.toml")
    for vm, qemu in ISAS[isa].more_rows:
        rows.update(guest_rows(isa, vm, *qemu))
    return rows


def text_size(elf):
    output, status = run(["llvm-size", "-A", elf], 30)
    sizes = re.findall(r"^\.text\s+(\d+)", output, re.MULTILINE)
    return {"text_bytes": float(sizes[0])} if status == 0 and sizes else {}


class Symbols:
    def __init__(self, elf):
        output, _ = run(["llvm-nm", "-n", "--defined-only", elf], 30)
        found = re.findall(r"^([0-9a-f]+) [tTwW] (?!\.L)(\S+)$", output, re.MULTILINE)
        self.starts = [int(start, 16) for start, _ in found]
        self.names = [name for _, name in found]

    def name(self, address):
        at = bisect.bisect_right(self.starts, address) - 1
        near = at >= 0 and address - self.starts[at] < 1 << 20
        return self.names[at] if near else "(before the MMU is on)"


class Count:
    """What the plugin wrote."""

    def __init__(self, path, symbols):
        self.levels, self.marker, self.boot, self.all = {}, False, {}, {}
        self.first_guest = self.firmware_boot = 0
        with open(path, encoding="utf-8") as file:
            for words in map(str.split, file):
                if words[0] in ("boot", "pc"):
                    where = self.boot if words[0] == "boot" else self.all
                    name = symbols.name(int(words[1], 16))
                    where[name] = where.get(name, 0) + int(words[2])
                elif words[0] == "marker":
                    self.marker = words[1] == "1"
                elif words[0] == "first_guest":
                    self.first_guest = int(words[1])
                elif words[0] == "firmware_boot":
                    self.firmware_boot = int(words[1])
                else:
                    self.levels[words[0]] = int(words[1])

    def guest(self):
        return self.levels["user"] + self.levels["kernel"]

    def firmware(self):
        """What it did for others, and not for itself before they began."""
        return self.levels["firmware"] - self.firmware_boot

    def write_profile(self, path):
        with open(path, "w", encoding="utf-8") as file:
            for title, functions in (("before the guest's first instruction", self.boot),
                                     ("in all", self.all)):
                print(f"{title}: {sum(functions.values())}", file=file)
                for name, count in sorted(functions.items(), key=lambda item: -item[1]):
                    print(f"{count:14} {name}", file=file)


def count(command, path, symbols, timeout):
    if os.path.exists(path):
        os.remove(path)
    _, status = run(command, timeout)
    if status != 0 or not os.path.exists(path):
        return None
    result = Count(path, symbols)
    result.write_profile(path.replace("count-", "profile-"))
    if not result.marker:
        print(f"bench: the console never showed '{MARKER}' in {' '.join(command)}")
        return None
    return result


def plugin_options(plugin, path, *more):
    return [plugin, f"out={path}", f"marker={MARKER}", *more]


def linux(isa, name, vm, plugin, symbols, *more, qemu=()):
    path = os.path.join(OUT, f"count-{name}-{isa}.txt")
    command = axvm(isa, vm, "--timeout", str(LINUX_TIMEOUT_S), "--append", "nokaslr axvm.run=true",
                   "--until", f"^{MARKER}", plugin=plugin_options(plugin, path, *more), qemu=qemu)
    return count(command, path, symbols, LINUX_TIMEOUT_S)


def native_tree(isa, machine):
    """The device tree of a machine that has no more than a VM, or None."""
    tree = os.path.join(OUT, f"linux-{isa}.dtb")
    if not ISAS[isa].native_removed:
        command = ["build/axvm", "dtb", f"configs/linux-{isa}.toml", "-o", tree]
        return tree if run(command, 30)[1] == 0 else None
    dump = [word + f",dumpdtb={tree}" if word.startswith("virt") else word for word in machine]
    steps = [dump, ["fdtput", "-r", tree, *ISAS[isa].native_removed],
             ["fdtput", "-d", tree, "/chosen", "rng-seed"]]
    return tree if all(run(command, 30)[1] == 0 for command in steps) else None


def linux_native(isa, plugin, symbols):
    """The same kernel without a hypervisor. It is given a tree and a CPU without what VMs do not
    get, or it would have more to probe and the comparison would flatter us."""
    path = os.path.join(OUT, f"count-native-{isa}.txt")
    machine = [*ISAS[isa].native, "-smp", "1", "-m", "512M", "-nodefaults", "-display", "none"]
    tree = native_tree(isa, machine)
    if tree is None:
        return None
    options = plugin_options(plugin, path, "guest_console=on", "hypervisor=0")
    command = [*machine, "-dtb", tree, "-serial", "stdio", "-no-reboot", *REPEATS,
               "-kernel", f"guests/{isa}/Image", "-initrd", f"guests/{isa}/initramfs.cpio.gz",
               "-append", f"console={ISAS[isa].console} nokaslr axvm.run=true",
               "-plugin", ",".join(options)]
    return count(command, path, symbols, LINUX_TIMEOUT_S)


def guest_mib(vm):
    with open(os.path.join(TOP, vm), encoding="utf-8") as file:
        return int(re.search(r'^memory = "(\d+) MiB"', file.read(), re.MULTILINE)[1])


def boots(isa, plugin, symbols, wanted):
    rows = {}
    emulated = linux(isa, "emulated", f"configs/linux-{isa}.toml", plugin, symbols)
    if emulated:
        copied = sum(n for name, n in emulated.boot.items() if COPYING.match(name))
        cleared = sum(n for name, n in emulated.boot.items() if CLEARING.match(name))
        rows["reset_to_guest"] = float(emulated.first_guest - copied - cleared)
        rows["clear_ram_per_mib"] = float(cleared // guest_mib(f"configs/linux-{isa}.toml"))
        rows["linux_boot_emulated_uart"] = float(emulated.levels["hypervisor"] -
                                                 emulated.first_guest)
        rows["firmware_instructions"] = float(emulated.firmware())
        print(f"bench: {emulated.first_guest} instructions before the guest's first, "
              f"{copied} of them copying its images, {cleared} clearing its memory; "
              f"{emulated.firmware_boot} of the firmware's own before ours")
    if wanted("linux_boot_passed_uart"):
        passed = linux(isa, "passed", f"tests/bench/linux-passthrough-{isa}.toml", plugin, symbols,
                       *ISAS[isa].passed_uart, qemu=ISAS[isa].passed_qemu)
        if passed:
            rows["linux_boot_passed_uart"] = float(passed.levels["hypervisor"] -
                                                   passed.first_guest)
            print(f"bench: the firmware takes {passed.firmware()} beside a passed-through UART")
    native = linux_native(isa, plugin, symbols) if wanted("linux_overhead_percent") else None
    if native and emulated:
        alone = native.guest() + native.firmware()
        hosted = sum(emulated.levels.values()) - emulated.first_guest - emulated.firmware_boot
        rows["linux_overhead_percent"] = round((hosted - alone) * 100 / alone, 2)
        print(f"bench: Linux takes {alone} instructions on its own, {hosted} in a VM")
    return rows


def show(value):
    return "-" if value is None else f"{value:,.1f}" if value % 1 else f"{value:,.0f}"


def print_table(budgets, rows):
    failed = 0
    print(f"\n{'row':28}{'measured':>14}{'budget':>14}{'':10}" +
          "".join(f"{peer:>14}" for peer in PEERS))
    for name, (budget, peers) in budgets.items():
        value = rows.get(name)
        verdict = "no value" if value is None else "OVER" if value > budget else "ok"
        failed += verdict != "ok"
        print(f"{name:28}{show(value):>14}{show(budget):>14}  {verdict:8}" +
              "".join(f"{peer if peer == '-' else show(float(peer)):>14}" for peer in peers))
    print(f"\n{len(budgets) - failed} rows within their budgets, {failed} not")
    return failed


def write_document(path, isa, budgets, rows):
    begin, end = f"<!-- {isa}: begin -->", f"<!-- {isa}: end -->"
    table = ["| row | measured | budget | " + " | ".join(PEERS) + " |",
             "|---|---|---|" + "---|" * len(PEERS)]
    for name, (budget, peers) in budgets.items():
        value = rows.get(name)
        measured = "not measured" if value is None else show(value)
        if value is not None and value > budget:
            measured = f"**{measured}**"
        table.append(f"| {name} | {measured} | {show(budget)} | " +
                     " | ".join(peer if peer == "-" else show(float(peer)) for peer in peers) +
                     " |")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(begin)
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + begin + "\n" + "\n".join(table) + "\n" + end + rest.split(end)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isa")
    parser.add_argument("plugin")
    parser.add_argument("--rows", default="", metavar="PART")
    parser.add_argument("--document", metavar="FILE")
    options = parser.parse_args()
    budgets = read_budgets(f"{TOP}/tests/bench/budgets-{options.isa}.txt")
    budgets = {name: row for name, row in budgets.items() if options.rows in name}
    elf = f"{TOP}/build/{options.isa}/axvm-{options.isa}.elf"
    os.makedirs(OUT, exist_ok=True)

    def wanted(*names):
        return any(name in budgets for name in names)

    rows = exits(options.isa)
    rows.update(text_size(elf))
    if wanted("reset_to_guest", "clear_ram_per_mib", "linux_boot_emulated_uart",
              "linux_boot_passed_uart", "firmware_instructions", "linux_overhead_percent"):
        rows.update(boots(options.isa, options.plugin, Symbols(elf), wanted))
    if options.document:
        write_document(options.document, options.isa, budgets, rows)
    return 1 if print_table(budgets, rows) else 0


if __name__ == "__main__":
    sys.exit(main())
