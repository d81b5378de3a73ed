#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the host tool: run.py TOOL [PART-OF-A-NAME]

TOOL is the axvm to test. QEMU is a script of ours here, so nothing is emulated and every test is
over at once; tests/system has the real thing. Prints "ok - name" or "not ok - name" per test.
"""
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback
import tty
import xml.etree.ElementTree

TOOL = os.path.abspath(sys.argv[1])
FILTER = sys.argv[2] if len(sys.argv) > 2 else ""
TESTS = []

SMALL = """\
[base]
id = 1
name = "small"

[kernel]
kernel_path = "Image"
memory = "64 MiB"
"""

# What stands in for QEMU: it writes its arguments to $FAKE/arguments and its process id to
# $FAKE/pid, prints $FAKE_OUTPUT, sleeps $FAKE_SLEEP seconds and ends with $FAKE_STATUS.
FAKE_QEMU = """\
#!/bin/sh
if [ "$1" = --version ]; then
	echo "QEMU emulator version ${FAKE_VERSION:-10.0.2} (Debian)"
	exit 0
fi
printf '%s\\n' "$@" >"$FAKE/arguments"
echo $$ >"$FAKE/pid.new"
mv "$FAKE/pid.new" "$FAKE/pid"
while [ $# -gt 0 ]; do
	[ "$1" = -initrd ] && cp "$2" "$FAKE/bundle"
	shift
done
printf "$FAKE_OUTPUT"
[ -z "$FAKE_SLEEP" ] || exec sleep "$FAKE_SLEEP"
[ -z "$FAKE_SIGNAL" ] || kill -"$FAKE_SIGNAL" $$
exit "${FAKE_STATUS:-0}"
"""


def test(function):
    TESTS.append(function)
    return function


def arm64_image(file_bytes=0x10000, image_bytes=0x20000):
    """An arm64 Linux Image that is all header."""
    header = struct.pack("<IIQQQQQQII", 0x91005A4D, 0x14000000, 0, image_bytes, 0xA, 0, 0, 0,
                         0x644D5241, 0)
    return header.ljust(file_bytes, b"\0")


def riscv_image(file_bytes=0x10000):
    header = struct.pack("<IIQQQIIQQII", 0x5A4D, 0, 0x200000, 0x20000, 0, 2, 0, 0,
                         0x5643534952, 0x05435352, 0)
    return header.ljust(file_bytes, b"\0")


class Box:
    """A folder with VM files, a hypervisor and a QEMU that are none."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="axvm-tool-"))
        self.bin = self.path / "bin"
        self.bin.mkdir()
        for isa in "aarch64", "riscv64", "x86_64":
            self.write(f"bin/qemu-system-{isa}", FAKE_QEMU).chmod(0o755)
        self.write("hypervisor", "not really")
        self.write("Image", arm64_image())
        self.environment = dict(os.environ, FAKE=str(self.path), FAKE_OUTPUT="",
                                AXVM_HYPERVISOR=str(self.path / "hypervisor"),
                                PATH=f"{self.bin}:{os.environ['PATH']}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def write(self, name, content):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def vm(self, text=SMALL, name="vm.toml"):
        self.write(name, text)
        return name

    def start(self, *arguments, **environment):
        return subprocess.Popen([TOOL, *arguments], cwd=self.path, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment | environment)

    def run(self, *arguments, **environment):
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode,
                                           out.decode(errors="replace"),
                                           err.decode(errors="replace"))

    def qemu_arguments(self):
        return (self.path / "arguments").read_text().splitlines()

    def qemu_pid(self):
        for _ in range(500):
            if (self.path / "pid").exists():
                return int((self.path / "pid").read_text())
            time.sleep(0.01)
        raise AssertionError("QEMU was never started")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def expect(result, status, *patterns):
    """Status, and each pattern in what was printed; no report of a sanitizer."""
    text = result.stdout + result.stderr
    assert result.returncode == status, f"status {result.returncode}, not {status}:\n{text}"
    for pattern in patterns:
        assert re.search(pattern, text, re.MULTILINE), f"no '{pattern}' in:\n{text}"
    assert "Sanitizer" not in text, text
    return text


def check(status, text, *patterns, **files):
    with Box() as box:
        for name, content in files.items():
            box.write(name, content)
        return expect(box.run("check", box.vm(text)), status, *patterns)


# ---- the command line ---------------------------------------------------------------------------

@test
def help_names_every_command_and_each_has_an_example():
    with Box() as box:
        text = expect(box.run("--help"), 0)
        for command in "check", "show", "dtb", "bundle", "run":
            assert re.search(rf"^  {command} +\w", text, re.MULTILINE), text
            expect(box.run(command, "--help"), 0, rf"Example: axvm {command} ")


@test
def a_mistyped_command_gets_a_suggestion():
    with Box() as box:
        expect(box.run("chekc"), 2, "no command 'chekc'; did you mean 'check'\\?")
        expect(box.run("bundel"), 2, "did you mean 'bundle'")
        assert "mean" not in expect(box.run("frobnicate"), 2, "no command 'frobnicate'")


@test
def a_command_without_a_file_asks_for_one():
    with Box() as box:
        for command in "check", "show", "dtb", "bundle", "run":
            expect(box.run(command), 2, "which VM file\\?")
        expect(box.run(), 2, "which command\\?")


@test
def wrong_options_are_refused_with_what_is_allowed():
    with Box() as box:
        vm = box.vm()
        expect(box.run("check", vm, "--isa", "mips"), 2, "no ISA 'mips': aarch64, riscv64 or x86_64")
        expect(box.run("run", vm, "--timeout", "-3"), 2, "a whole number of seconds")
        expect(box.run("run", vm, "--until", "a("), 2, "--until 'a\\(': .*")
        expect(box.run("bundle", vm), 2, "-o OUT is missing")
        expect(box.run("show", vm, "--json", "--svg"), 2, "not both")


# ---- check: bad input ----------------------------------------------------------------------------

@test
def a_good_file_is_good_in_silence():
    assert check(0, SMALL) == ""


@test
def a_file_that_is_not_there_is_named():
    with Box() as box:
        expect(box.run("check", "nowhere.toml"), 1, r"nowhere\.toml: No such file")
        expect(box.run("check", "bin"), 1, "bin: Is a directory")


@test
def malformed_toml_is_refused_in_its_place():
    check(1, "[base\nid = 1\n", r"^vm\.toml:1:\d+: ")
    check(1, SMALL + "\x00", r"^vm\.toml:8:1: ")


@test
def an_unknown_key_gets_the_nearest_known_one():
    check(1, SMALL.replace("memory =", "memroy ="), r"^vm\.toml:7:1: .*memroy.*memory")


@test
def every_error_of_a_file_is_reported():
    text = check(1, SMALL.replace("id = 1", "idd = 1").replace("memory =", "memroy ="))
    assert len(re.findall(r"^vm\.toml:\d+:\d+: ", text, re.MULTILINE)) >= 2, text


@test
def overlapping_memory_is_refused_with_both_ranges():
    regions = ('memory_regions = [[0x40000000, 0x4000000, 7, 0], '
               '[0x42000000, 0x4000000, 7, 0]]')
    check(1, SMALL.replace('memory = "64 MiB"', regions),
          r"^vm\.toml:7:\d+: .*0x42000000.*overlaps.*0x40000000")


@test
def an_image_larger_than_its_region_is_refused_with_both_sizes():
    check(1, SMALL, r"^vm\.toml:6:\d+: kernel: image of 0x8000000 bytes at 0x40000000 does not fit "
          r"into main memory 0x40000000-0x43ffffff: give it at least \d+ MiB",
          Image=arm64_image(image_bytes=128 << 20))


@test
def a_missing_image_is_named_with_its_key():
    check(1, SMALL.replace('"Image"', '"Imagine"'),
          r"^vm\.toml:6:\d+: kernel_path: there is no file Imagine; relative paths")
    check(1, SMALL + 'ramdisk_path = "../guests/none"\n',
          r"^vm\.toml:8:\d+: ramdisk_path: there is no file \.\./guests/none.*make guests")
    check(1, SMALL + 'ramdisk_path = "bin"\n', r"^vm\.toml:8:\d+: ramdisk_path: bin: Is a directory")


@test
def a_kernel_of_another_architecture_is_refused():
    isa = SMALL.replace("id = 1", 'id = 1\nisa = "aarch64"')
    check(1, isa, r"^vm\.toml:7:\d+: kernel: an image for riscv64, but this VM runs on aarch64",
          Image=riscv_image())
    with Box() as box:
        expect(box.run("check", "--isa", "riscv64", box.vm()), 1,
               "kernel: an image for aarch64, but this VM runs on riscv64")


@test
def the_kernel_tells_the_isa_of_a_file_that_does_not():
    assert check(0, SMALL, Image=riscv_image()) == ""


@test
def an_empty_kernel_is_refused():
    check(1, SMALL, r"^vm\.toml:6:\d+: kernel: Image is empty or missing", Image=b"")


@test
def images_are_looked_for_where_told():
    with Box() as box:
        vm = box.vm(name="sub/vm.toml")
        expect(box.run("check", vm), 0)  # in the current folder
        (box.path / "Image").unlink()
        expect(box.run("check", vm), 1, "there is no file sub/Image")
        expect(box.run("check", "--no-images", vm), 0)
        box.write("images/Image", arm64_image())
        expect(box.run("check", "--images", "images", vm), 0)
        box.write("sub/Image", arm64_image())
        expect(box.run("check", vm), 0)


@test
def one_bad_file_among_good_ones_fails_the_check():
    with Box() as box:
        good = box.vm()
        bad = box.vm("[base]\n", "bad.toml")
        text = expect(box.run("check", good, bad, good), 1, r"^bad\.toml:")
        assert "\nvm.toml" not in text


@test
def no_bytes_of_a_file_crash_the_check():
    """Every prefix of a file, and the file with every byte changed: an answer, no crash."""
    with Box() as box:
        names = []
        text = SMALL.encode()
        for i in range(len(text)):
            names.append(box.vm(text[:i].decode(), f"cut-{i}.toml"))
            changed = bytearray(text)
            changed[i] ^= 0x15
            box.write(f"changed-{i}.toml", bytes(changed))
            names.append(f"changed-{i}.toml")
        expect(box.run("check", "--no-images", *names), 1)


# ---- show and dtb ---------------------------------------------------------------------------------

@test
def show_lists_memory_images_devices_and_cpus():
    text = SMALL.replace("id = 1", "id = 1\ncpu_num = 2\nphys_cpu_sets = [1, 6]")
    with Box() as box:
        expect(box.run("show", box.vm(text)), 0,
               r'^vm\.toml: VM 1 "small", aarch64, type \w+, 2 vCPUs',
               r"0x0040000000-0x0043ffffff +64 MiB +main memory +rwx, alloc",
               r"0x0040000000-0x004001ffff +128 KiB +kernel +arm64 Image, entry 0x40000000",
               r"device tree +made from this file", r"gicv3", r"^ +33  \S*",
               r"vCPU 0 .*on CPU 0$", r"vCPU 1 .*on CPU 1 2$")


@test
def show_json_is_json_with_the_same_facts():
    with Box() as box:
        result = box.run("show", "--json", box.vm())
        expect(result, 0)
        vm = json.loads(result.stdout)[0]
        assert (vm["id"], vm["name"], vm["isa"]) == (1, "small", "aarch64"), vm
        memory = [e for e in vm["map"] if e["class"] == "memory"]
        assert [(e["base"], e["bytes"]) for e in memory] == [(0x40000000, 64 << 20)], memory
        assert vm["plan"]["entry"] == 0x40000000 and len(vm["cpus"]) == 1
        assert vm["map"] == sorted(vm["map"], key=lambda e: e["base"]), vm["map"]


@test
def show_svg_is_a_drawing_of_every_range():
    with Box() as box:
        vm = box.vm(SMALL.replace('"small"', '"a <b> & c"'))
        entries = json.loads(box.run("show", "--json", vm).stdout)[0]["map"]
        result = box.run("show", "--svg", vm)
        expect(result, 0, "a &lt;b&gt; &amp; c")
        drawing = xml.etree.ElementTree.fromstring(result.stdout)
        boxes = [e for e in drawing.iter() if e.tag.endswith("rect")]
        assert len(boxes) == len([e for e in entries if e["class"] != "port"]) + 1


@test
def show_without_the_images_shows_the_rest():
    with Box() as box:
        expect(box.run("show", box.vm(SMALL.replace('"Image"', '"no"'))), 0,
               "there is no file no", "main memory", "without the images")


@test
def dtb_writes_the_tree_that_the_guest_gets():
    with Box() as box:
        text = SMALL + 'cmdline = "quiet splash"\n'
        expect(box.run("dtb", box.vm(text), "-o", "vm.dtb"), 0)
        source = subprocess.run(["dtc", "-I", "dtb", "-O", "dts", box.path / "vm.dtb"], check=True,
                                capture_output=True, text=True).stdout
        assert 'bootargs = "quiet splash"' in source and "memory@40000000" in source, source


@test
def the_users_own_tree_is_patched_or_refused():
    with Box() as box:
        text = SMALL + 'dtb_path = "own.dtb"\n'
        box.write("own.dtb", b"\xd0\x0d\xfe\xed" + b"\0" * 60)
        expect(box.run("dtb", box.vm(text), "-o", "vm.dtb"), 1, r"^vm\.toml:8:\d+: device tree: ")
        assert not (box.path / "vm.dtb").exists()


# ---- bundle ---------------------------------------------------------------------------------------

def entries_of(path):
    """The names and contents of a cpio archive, by cpio itself."""
    names = subprocess.run(["cpio", "-t", "--quiet"], stdin=open(path, "rb"), check=True,
                           capture_output=True, text=True).stdout.splitlines()
    contents = {}
    for name in names:
        contents[name] = subprocess.run(["cpio", "-i", "--to-stdout", "--quiet", name],
                                        stdin=open(path, "rb"), check=True,
                                        capture_output=True).stdout
    return names, contents


TWO = SMALL.replace("id = 1", "id = 2").replace('"small"', '"two"')


@test
def a_bundle_holds_the_files_in_order_and_shares_images():
    with Box() as box:
        one = box.vm(SMALL + 'ramdisk_path = "rd"\n', "z.toml")
        two = box.vm(TWO, "a.toml")
        box.write("rd", b"ramdisk")
        expect(box.run("bundle", one, two, "-o", "out", "--append", "quiet"), 0)
        names, contents = entries_of(box.path / "out")
        assert names == ["cmdline-append", "vms/00-z.toml", "vms/01-a.toml", "Image", "rd"], names
        assert contents["vms/01-a.toml"].decode() == TWO
        assert contents["Image"] == arm64_image() and contents["rd"] == b"ramdisk"
        assert contents["cmdline-append"] == b"quiet"


@test
def the_same_files_make_the_same_bundle():
    with Box() as box:
        vm = box.vm()
        expect(box.run("bundle", vm, "-o", "first"), 0)
        for name in vm, "Image":
            os.utime(box.path / name, (1, 1))
            (box.path / name).chmod(0o600)
        expect(box.run("bundle", vm, "-o", "second"), 0)
        assert (box.path / "first").read_bytes() == (box.path / "second").read_bytes()


@test
def two_images_of_one_name_are_refused():
    with Box() as box:
        one, two = box.vm(name="one/vm.toml"), box.vm(TWO, "two/vm.toml")
        box.write("one/Image", arm64_image())
        box.write("two/Image", arm64_image(image_bytes=0x30000))
        expect(box.run("bundle", one, two, "-o", "out"), 1,
               r"^two/vm\.toml:6:\d+: kernel_path: Image is here two/Image, but for one/vm\.toml it "
               r"is one/Image: give one another name")
        assert not (box.path / "out").exists()


@test
def an_id_that_repeats_is_refused():
    with Box() as box:
        one, two = box.vm(), box.vm(name="two.toml")
        expect(box.run("bundle", one, two, "-o", "out"), 1,
               r"^two\.toml:2:\d+: id 1 is also that of vm\.toml")


@test
def an_image_that_would_pass_for_a_vm_file_is_refused():
    with Box() as box:
        box.write("vms/x.toml", arm64_image())
        vm = box.vm(SMALL.replace('"Image"', '"vms/x.toml"'))
        expect(box.run("bundle", vm, "-o", "out"), 1, "no image in a bundle can be named 'vms/x.toml'")


@test
def a_bundle_that_cannot_be_written_leaves_nothing():
    with Box() as box:
        expect(box.run("bundle", box.vm(), "-o", "no/where"), 1, "no/where: No such file")
        expect(box.run("bundle", "vm.toml", "-o", "bin"), 1, "bin: Is a directory")
        os.mkfifo(box.path / "pipe")
        with open(box.path / "pipe", "rb", opener=lambda name, flags: os.open(
                name, flags | os.O_NONBLOCK)) as pipe:
            expect(box.run("dtb", "vm.toml", "-o", "pipe"), 0)
            assert pipe.read(4) == b"\xd0\x0d\xfe\xed"
        assert (box.path / "pipe").is_fifo()
        with open("/dev/full", "wb") as full:
            status = subprocess.run([TOOL, "bundle", "vm.toml", "-o", "-"], cwd=box.path,
                                    stdout=full, stderr=subprocess.PIPE, check=False)
        assert status.returncode == 1 and b"No space left" in status.stderr, status


def on_a_terminal(box, *arguments, **environment):
    """Starts the tool on a pseudo-terminal of its own. Returns the process and our end."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([TOOL, *arguments], cwd=box.path, stdin=theirs, stdout=theirs,
                               stderr=theirs, env=box.environment | environment,
                               start_new_session=True)
    return process, ours, theirs


# ---- run ------------------------------------------------------------------------------------------

@test
def run_gives_qemu_the_bundle_and_a_machine_large_enough():
    with Box() as box:
        text = SMALL.replace("id = 1", "id = 1\ncpu_num = 2\nphys_cpu_sets = [1, 0x20]")
        expect(box.run("run", box.vm(text), "--append", "quiet", "--", "-trace", "x y"), 0)
        arguments = box.qemu_arguments()
        pairs = dict(zip(arguments, arguments[1:]))
        assert pairs["-smp"] == "6" and pairs["-m"] == "768M", arguments
        assert "virtualization=on" in pairs["-M"] and "gic-version=3" in pairs["-M"], arguments
        # Of semihosting the call that ends the machine is all there is: no files of ours.
        assert pairs["-semihosting-config"] == "enable=on,target=gdb", arguments
        assert pairs["-append"] == "axvm.exit=semihosting", arguments
        assert pairs["-kernel"].endswith("/hypervisor"), arguments
        assert arguments[-2:] == ["-trace", "x y"] and "-icount" not in arguments
        names, contents = entries_of(box.path / "bundle")
        assert names == ["cmdline-append", "vms/00-vm.toml", "Image"], names
        assert contents["cmdline-append"] == b"quiet"


@test
def run_on_a_terminal_says_how_to_leave_and_restores_it():
    with Box() as box:
        process, ours, theirs = on_a_terminal(box, "run", box.vm(), FAKE_OUTPUT="hello",
                                              FAKE_SLEEP="60")
        before = termios.tcgetattr(theirs)
        pid = box.qemu_pid()
        text = b""
        while not text.endswith(b"hello"):
            text += os.read(ours, 4096)
        tty.setraw(theirs)  # as QEMU does, and had no time to undo
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        assert termios.tcgetattr(theirs) == before
        assert text.startswith(b"axvm: leave with Ctrl-a x\r\n"), text
        assert not is_alive(pid)
        os.close(ours)
        os.close(theirs)


@test
def run_makes_room_for_memory_at_its_own_address():
    with Box() as box:
        regions = "memory_regions = [[0x80000000, 0x4000000, 7, 1]]"
        expect(box.run("run", box.vm(SMALL.replace('memory = "64 MiB"', regions))), 0)
        arguments = box.qemu_arguments()
        assert int(arguments[arguments.index("-m") + 1].rstrip("M")) >= 1024 + 64, arguments


@test
def run_with_icount_asks_for_repeatable_runs():
    with Box() as box:
        expect(box.run("run", box.vm(), "--icount"), 0)
        text = " ".join(box.qemu_arguments())
        for option in "-icount shift=0,sleep=off", "-rtc base=2026-01-01,clock=vm", "-seed 1", \
                "dtb-randomness=off", "-smp 1":
            assert option in text, text


@test
def run_ends_well_when_the_guests_do():
    with Box() as box:
        result = box.run("run", box.vm(), FAKE_OUTPUT="hello\\r\\n")
        expect(result, 0)
        assert result.stdout == "hello\r\n" and result.stderr == "", result


@test
def run_ends_well_on_another_isas_clean_status():
    with Box() as box:
        box.write("Image", b"\0" * 4096)
        expect(box.run("run", "--isa", "x86_64", box.vm(), FAKE_STATUS="33"), 0)
        expect(box.run("run", "--isa", "x86_64", box.vm(), FAKE_STATUS="0"), 1)


@test
def run_tells_why_the_machine_ended():
    with Box() as box:
        vm = box.vm()
        expect(box.run("run", vm, FAKE_STATUS="3", FAKE_OUTPUT="axvm: small: fault\\r\\n"), 1,
               "the machine ended with status 3; the hypervisor's last line: axvm: small: fault")
        expect(box.run("run", vm, FAKE_SIGNAL="SEGV"), 1, r"QEMU was ended by signal 11 \(Seg")


@test
def until_ends_the_run_when_a_guest_says_it():
    with Box() as box:
        result = box.run("run", box.vm(), "--until", "^login: $|x{3}", "--timeout", "30",
                         FAKE_OUTPUT="a\\n\\033[1mlogin: \\033[0m\\r\\nmore", FAKE_SLEEP="60")
        expect(result, 0, "login:")
        assert not is_alive(box.qemu_pid())


@test
def until_matches_a_prompt_that_no_newline_ends():
    with Box() as box:
        expect(box.run("run", box.vm(), "--until", "login: *", "--timeout", "30",
                       FAKE_OUTPUT="login: ", FAKE_SLEEP="60"), 0)


@test
def until_does_not_take_half_a_line_for_its_end():
    with Box() as box:
        result = box.run("run", box.vm(), "--until", "cpus=1$", "--timeout", "2",
                         FAKE_OUTPUT="cpus=1", FAKE_SLEEP="60")
        expect(result, 124)


@test
def until_looks_at_guests_not_at_the_hypervisor():
    with Box() as box:
        expect(box.run("run", box.vm(), "--until", "ready", FAKE_OUTPUT="axvm: ready\\n"), 1,
               "all guests have shut down, and 'ready' has not appeared")


@test
def a_run_that_takes_too_long_is_stopped_with_124():
    with Box() as box:
        began = time.monotonic()
        expect(box.run("run", box.vm(), "--timeout", "1", FAKE_SLEEP="60"), 124,
               "stopped: not finished after 1 s")
        assert time.monotonic() - began < 10 and not is_alive(box.qemu_pid())


@test
def signals_end_the_run_and_qemu():
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        with Box() as box:
            process = box.start("run", box.vm(), FAKE_SLEEP="60")
            pid = box.qemu_pid()
            process.send_signal(number)
            process.communicate(timeout=20)
            assert process.returncode == -number, process.returncode
            assert not is_alive(pid)


@test
def no_qemu_is_left_when_the_tool_is_killed():
    with Box() as box:
        process = box.start("run", box.vm(), FAKE_SLEEP="60")
        pid = box.qemu_pid()
        process.kill()
        process.communicate(timeout=20)
        for _ in range(100):
            if not is_alive(pid):
                return
            time.sleep(0.02)
        raise AssertionError("QEMU lives on")


@test
def a_reader_that_goes_away_ends_the_run():
    with Box() as box:
        process = box.start("run", box.vm(), FAKE_OUTPUT="x" * 100000, FAKE_SLEEP="60")
        pid = box.qemu_pid()
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=20)
        assert process.returncode == 1 and b"standard output: Broken pipe" in err, err
        assert not is_alive(pid)


@test
def a_missing_or_old_qemu_is_named_with_what_to_do():
    with Box() as box:
        vm = box.vm()
        expect(box.run("run", vm, FAKE_VERSION="7.2.11"), 1,
               r"qemu-system-aarch64 is version 7\.2, which is too old: 8\.2 or newer is needed; "
               r"`make setup` installs one")
        expect(box.run("run", vm, FAKE_VERSION="8.2.2"), 0)
        (box.bin / "qemu-system-aarch64").unlink()
        os.symlink(shutil.which("sh"), box.bin / "sh")
        expect(box.run("run", vm, PATH=str(box.bin)), 1,
               "qemu-system-aarch64 was not found; install it: make setup")


@test
def a_missing_hypervisor_is_named_with_what_to_do():
    with Box() as box:
        vm = box.vm()
        expect(box.run("run", vm, "--hypervisor", "none"), 1, "the hypervisor none: No such file")
        shutil.copy(TOOL, box.path / "axvm")
        box.environment["AXVM_HYPERVISOR"] = ""
        result = subprocess.run([box.path / "axvm", "run", vm], cwd=box.path, text=True,
                                env=box.environment, capture_output=True, check=False)
        expect(result, 1, r"axvm-aarch64\.bin was not found; build it: make build ISA=aarch64")
        box.write("aarch64/axvm-aarch64.bin", "here")
        result = subprocess.run([box.path / "axvm", "run", vm], cwd=box.path, text=True,
                                env=box.environment, capture_output=True, check=False)
        expect(result, 0)


@test
def run_refuses_bad_files_before_it_starts_qemu():
    with Box() as box:
        expect(box.run("run", box.vm(SMALL.replace('"Image"', '"no"'))), 1, "there is no file no")
        assert not (box.path / "arguments").exists()


def main():
    failed = 0
    for function in TESTS:
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
