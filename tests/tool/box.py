# SPDX-License-Identifier: Apache-2.0
"""A place to try the tool in: VM files, images, a hypervisor and a QEMU that are none."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

TOOL = os.path.abspath(sys.argv[1])
TESTS = []

SMALL = """\
[base]
id = 1
name = "small"

[kernel]
kernel_path = "Image"
memory = "64 MiB"
"""

# What stands in for QEMU: it writes its arguments to $FAKE/arguments, takes $FAKE_COMMANDS lines
# from its end of QMP into $FAKE/said, writes its process id to $FAKE/pid, prints $FAKE_OUTPUT, sleeps $FAKE_SLEEP seconds, tells by QMP that the machine ends for $FAKE_REASON (or $FAKE_EVENT
# instead) and ends with $FAKE_STATUS.
FAKE_QEMU = """\
#!/bin/sh
if [ "$1" = --version ]; then
	echo "QEMU emulator version ${FAKE_VERSION:-10.0.2} (Debian)"
	exit 0
fi
printf '%s\\n' "$@" >"$FAKE/arguments"
while [ $# -gt 0 ]; do
	[ "$1" = -initrd ] && cp "$2" "$FAKE/bundle"
	case $1 in socket,id=qmp,fd=*) qmp=${1##*=} ;; esac
	shift
done
head -n "${FAKE_COMMANDS:-2}" <&"$qmp" >"$FAKE/said"
echo $$ >"$FAKE/pid.new"
mv "$FAKE/pid.new" "$FAKE/pid"
printf '{"QMP": {"capabilities": ["oob"]}}\r\n{"return": {}}\r\n' >&"$qmp"
printf "$FAKE_OUTPUT"
[ -z "$FAKE_SLEEP" ] || exec sleep "$FAKE_SLEEP"
[ -z "$FAKE_SIGNAL" ] || kill -"$FAKE_SIGNAL" $$
event='{"event": "SHUTDOWN", "data": {"guest": true, "reason": "%s"}}\r\n'
printf "${FAKE_EVENT:-$event}" "${FAKE_REASON-guest-shutdown}" >&"$qmp"
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
