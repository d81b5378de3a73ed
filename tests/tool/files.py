# SPDX-License-Identifier: Apache-2.0
"""check, show, dtb and bundle."""
import json
import os
import re
import subprocess
import xml.etree.ElementTree

from box import (Box, SMALL, TOOL, TWO, arm64_image, check, entries_of, expect, riscv_image, test)


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
