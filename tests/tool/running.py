# SPDX-License-Identifier: Apache-2.0
"""run, with a QEMU that is a script."""
import os
import pty
import shutil
import signal
import subprocess
import termios
import time
import tty

from box import Box, SMALL, TOOL, entries_of, expect, is_alive, test


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
        assert pairs["-append"] == "axvm.on-failure=reset", arguments
        # With semihosting a guest could end the machine, or get at files of ours.
        assert not [word for word in arguments if "semihosting" in word], arguments
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
def run_judges_every_isa_by_the_reason_alone():
    with Box() as box:
        box.write("Image", b"\0" * 4096)
        for isa in "riscv64", "x86_64":
            expect(box.run("run", "--isa", isa, box.vm()), 0)
            expect(box.run("run", "--isa", isa, box.vm(), FAKE_REASON="guest-reset"), 1)


@test
def the_machine_waits_until_its_end_will_be_reported():
    with Box() as box:
        expect(box.run("run", box.vm()), 0)
        assert "-S" in box.qemu_arguments()
        said = (box.path / "said").read_text().splitlines()
        assert said == ['{"execute":"qmp_capabilities"}', '{"execute":"cont"}'], said


@test
def a_machine_that_the_user_stops_waits_for_the_user():
    with Box() as box:
        expect(box.run("run", box.vm(), "--", "-S", "-s", FAKE_COMMANDS="1"), 0)
        said = (box.path / "said").read_text().splitlines()
        assert said == ['{"execute":"qmp_capabilities"}'], said


@test
def run_tells_why_the_machine_ended():
    with Box() as box:
        vm = box.vm()
        expect(box.run("run", vm, FAKE_REASON="guest-reset",
                       FAKE_OUTPUT="axvm: small: fault\\r\\n"), 1,
               "the hypervisor reports a failure; the hypervisor's last line: axvm: small: fault")
        expect(box.run("run", vm, FAKE_REASON="host-signal"), 1,
               r"the machine ended without the hypervisor's word \(host-signal\)$")
        expect(box.run("run", vm, FAKE_REASON=""), 1, r"hypervisor's word \(no reason given\)$")
        expect(box.run("run", vm, FAKE_STATUS="3"), 1, "QEMU ended with status 3$")
        expect(box.run("run", vm, FAKE_SIGNAL="SEGV"), 1, r"QEMU was ended by signal 11 \(Seg")


@test
def an_end_that_is_not_told_in_json_is_no_good_end():
    with Box() as box:
        expect(box.run("run", box.vm(), FAKE_EVENT="guest-shutdown\\n"), 1, "no reason given")
        expect(box.run("run", box.vm(), FAKE_EVENT='{"event": "SHUTDOWN", "data": 1}\\n'), 1,
               "no reason given")
        expect(box.run("run", box.vm(), FAKE_EVENT='{"event": "SHUTDOWN", "da'), 1,
               "no reason given")


@test
def who_leaves_by_qemus_keys_has_not_failed():
    with Box() as box:
        expect(box.run("run", box.vm(), FAKE_REASON="host-qmp-quit"), 0)
        expect(box.run("run", box.vm(), "--until", "x", FAKE_REASON="host-qmp-quit"), 1,
               "QEMU was told to quit, and 'x' has not appeared")


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
