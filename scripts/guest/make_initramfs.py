#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_initramfs.py --root FOLDER --init FILE --output FILE

Makes a small initramfs from what was unpacked of a Debian kernel and of busybox-static into FOLDER:
busybox, the init script, the modules below with what they depend on, and the two index files that
modprobe reads. The same input gives the same bytes, on any machine and without root.
"""
import argparse
import gzip
import io
import lzma
import os
import re
import stat
import subprocess

MODULES = ["virtio_mmio", "virtio_blk", "virtio_net", "ext4", "crc32c_generic"]
OPTIONAL = {"crc32c_generic"}  # built in, in some kernels

APPLETS = """
    [ ash awk basename blockdev cat chmod chown clear cmp cp cttyhack cut date dd devmem df dirname
    dmesg du echo env expr false find free grep gunzip gzip halt head hexdump hostname id insmod
    ip kill ln losetup ls lsmod md5sum mkdir mke2fs mknod modprobe more mount mv nc nproc
    od ping poweroff printf ps pwd readlink reboot rm rmdir rmmod sed seq setsid sh sha256sum
    sleep sort stat stty sync tail tar taskset tee test time timeout top touch tr true umount uname
    uniq uptime usleep vi wc wget which xargs yes zcat
""".split()


class Cpio:
    """An archive in the newc format, in which nothing depends on the machine that makes it."""

    def __init__(self):
        self.out = io.BytesIO()
        self.inode = 0

    def add(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, device[0], device[1],
                  len(encoded), 0]
        self.out.write(b"070701" + b"".join(b"%08X" % field for field in fields))
        self.out.write(encoded)
        self._pad()
        self.out.write(data)
        self._pad()

    def _pad(self):
        self.out.write(b"\0" * (-self.out.tell() % 4))

    def finish(self):
        self.inode = -1
        self.add("TRAILER!!!", 0)
        return self.out.getvalue()


def read_module(path):
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dc", path], check=True, stdout=subprocess.PIPE).stdout
    return data


def modinfo(data, key):
    """The values of a key of the module's .modinfo section (strings, each ended by NUL)."""
    return [value.decode() for value in
            re.findall(rb"(?<=\0)" + key.encode() + rb"=([^\0]*)(?=\0)", b"\0" + data)]


def find_modules(root):
    """Where each module of the kernel is: name -> path, and the kernel's release."""
    places = {}
    release = None
    for folder, _, files in os.walk(root):
        for file in files:
            match = re.match(r"(.*)\.ko(\.xz|\.zst)?$", file)
            if match:
                places[match[1].replace("-", "_")] = os.path.join(folder, file)
                release = release or re.search(r"/modules/([^/]+)/", folder + "/")[1]
    return places, release


class Closure:
    """Modules in the order in which they can be loaded."""

    def __init__(self, places):
        self.places = places
        self.data = {}
        self.depends = {}

    def add(self, name):
        if name in self.data:
            return
        data = read_module(self.places[name])
        needed = [d.replace("-", "_") for line in modinfo(data, "depends")
                  for d in line.split(",") if d]
        for dependency in needed:
            self.add(dependency)
        self.data[name] = data
        self.depends[name] = needed

    def all_of(self, name):
        """What a module needs, and what that needs: the nearest first, as modules.dep has it."""
        result = []
        for dependency in self.depends[name]:
            for each in [dependency] + self.all_of(dependency):
                if each in result:
                    result.remove(each)
                result.append(each)
        return result

    def dep_file(self):
        def file(name):
            return f"kernel/{name}.ko"
        return "".join(file(n) + ":" + "".join(" " + file(d) for d in self.all_of(n)) + "\n"
                       for n in sorted(self.data))

    def alias_file(self):
        return "".join(f"alias {alias} {name}\n" for name in sorted(self.data)
                       for alias in modinfo(self.data[name], "alias"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    parser.add_argument("--init", required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()

    places, release = find_modules(options.root)
    closure = Closure(places)
    for name in MODULES:
        if name in places or name not in OPTIONAL:
            closure.add(name)

    cpio = Cpio()
    modules = f"lib/modules/{release}"
    for folder in ["bin", "dev", "etc", "lib", "lib/modules", modules, f"{modules}/kernel", "mnt",
                   "proc", "root", "run", "sys", "tmp"]:
        cpio.add(folder, stat.S_IFDIR | 0o755)
    cpio.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    # Where the kernel itself looks for modprobe.
    cpio.add("sbin", stat.S_IFLNK | 0o777, b"bin")
    with open(os.path.join(options.root, "usr/bin/busybox"), "rb") as file:
        cpio.add("bin/busybox", stat.S_IFREG | 0o755, file.read())
    for applet in APPLETS:
        cpio.add(f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox")
    with open(options.init, "rb") as file:
        cpio.add("init", stat.S_IFREG | 0o755, file.read())
    for name in sorted(closure.data):
        cpio.add(f"{modules}/kernel/{name}.ko", stat.S_IFREG | 0o644, closure.data[name])
    cpio.add(f"{modules}/modules.dep", stat.S_IFREG | 0o644, closure.dep_file().encode())
    cpio.add(f"{modules}/modules.alias", stat.S_IFREG | 0o644, closure.alias_file().encode())

    with open(options.output, "wb") as file:
        file.write(gzip.compress(cpio.finish(), 9, mtime=0))


if __name__ == "__main__":
    main()
