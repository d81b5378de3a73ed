#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fast gates behind scripts/check.sh. Each gate yields what is wrong, one line per place."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

ISAS = ["aarch64", "riscv64", "x86_64"]
FUNCTION_LINES = 60
FILE_LINES = 600
WARNINGS = """-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wvla -Wundef -Werror""".split()


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)


def tracked(*endings):
    """Files of the tree, new ones included, those deleted not."""
    for name in FILES:
        if name.endswith(endings):
            yield name


def read(name):
    with open(name, encoding="utf-8", errors="replace") as file:
        return file.read()


def without_comments(text):
    """C without comments and strings; lines keep their numbers."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: '""' if m[0][0] in "\"'" else "\n" * m[0].count("\n"), text,
                  flags=re.DOTALL)


def places(name, text, pattern, why):
    for number, line in enumerate(text.split("\n"), 1):
        found = re.search(pattern, line)
        if found:
            yield f"{name}:{number}: {why}: {found[0].strip()}"


def gate_format():
    """sources are formatted (scripts/check.sh --fix does it)"""
    tool = shutil.which("clang-format")
    if tool is None:
        return
    files = list(tracked(".c", ".h"))
    result = run(tool, "--dry-run", "-Werror", "--ferror-limit=1", *files)
    seen = set()
    for line in result.stdout.splitlines():
        match = re.match(r"([^:]+):(\d+):\d+: error", line)
        if match and match[1] not in seen:
            seen.add(match[1])
            yield f"{match[1]}:{match[2]}: not formatted"


def gate_no_if_in_c():
    """no #if in .c files"""
    for name in tracked(".c"):
        yield from places(name, without_comments(read(name)),
                          r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b.*", "conditional compilation")


def gate_arch_is_pure():
    """arch/ has no assembly, no volatile, no privileged intrinsic"""
    pattern = r"\b(asm|__asm|__asm__|volatile|__builtin_arm_\w+|__builtin_ia32_\w+|__arm_[rw]sr\w*)\b"
    for name in tracked(".c", ".h", ".S"):
        if name.startswith("arch/"):
            if name.endswith(".S"):
                yield f"{name}: assembly"
            yield from places(name, without_comments(read(name)), pattern, "not pure")


def gate_headers_alone():
    """each public header compiles alone"""
    compilers = [c for c in ("clang", "gcc") if shutil.which(c)]

    def one(job):
        compiler, name = job
        source = f'#include "{name[len("include/"):]}"\ntypedef int axvm_no_empty_unit;\n'
        result = run(compiler, "-ffreestanding", "-fsyntax-only", "-Iinclude", *WARNINGS, "-xc",
                     "-", input=source)
        return [f"{name}: {compiler}: {line}" for line in result.stdout.splitlines()[:3]
                if result.returncode != 0]

    jobs = [(c, h) for h in tracked(".h") if h.startswith("include/") for c in compilers]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for lines in pool.map(one, jobs):
            yield from lines


def symbols(library, *options):
    return sorted({line.split()[-1] for line in
                   run("llvm-nm", *options, library).stdout.splitlines()
                   if line and not line.endswith(":")})


def gate_library_names():
    """libaxvm.a needs axvm_hal_* and four memory functions only, and exports axvm_* only"""
    allowed = {"memcpy", "memmove", "memset", "memcmp"}
    # Of an ISA that has no exit path yet there is a part of the library, and nothing to link it to.
    for isa in (isa for isa in ISAS if os.path.exists(f"arch/{isa}/exit.c")):
        library = f"build/{isa}/libaxvm.a"
        if not os.path.exists(library):
            yield f"{library}: not built; see build/.check-{isa}.log"
            continue
        for name in symbols(library, "--undefined-only"):
            if name not in allowed and not name.startswith("axvm_hal_"):
                yield f"{library}: needs {name}"
        for name in symbols(library, "--defined-only", "--extern-only"):
            if not name.startswith("axvm_"):
                yield f"{library}: exports {name}"


def gate_words():
    """no file speaks of how it came to be, or of one machine's paths"""
    # Put together from parts, so that this file does not find itself.
    words = ["/wor" + "k/", r"\bissue\s+#?\d", "clau" + "de", "anthro" + "pic", r"\bsub" + "agent",
             r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b"]
    pattern = re.compile("|".join(words), re.IGNORECASE)
    for name in FILES:
        if not name.startswith("tests/data/") and os.path.getsize(name) < 1_000_000:
            yield from places(name, read(name), pattern, "does not belong here")


def gate_manual_keys():
    """keys of manuals in comments stand in docs/references.md"""
    if not os.path.exists("docs/references.md"):
        yield "docs/references.md: missing"
        return
    known = set(re.findall(r"^\| *([A-Z][\w-]*) *\|", read("docs/references.md"), re.MULTILINE))
    pattern = re.compile(r"\[([A-Z][A-Za-z]*[A-Z0-9][\w-]*) [A-Z]?\d[^\]\n]*\]")
    for name in tracked(".c", ".h", ".S"):
        for number, line in enumerate(read(name).split("\n"), 1):
            for key in pattern.findall(line):
                if key not in known:
                    yield f"{name}:{number}: [{key} ...] is not in docs/references.md"


def functions(text):
    """K&R: a body begins with a brace in the first column and ends with one."""
    began = None
    name = ""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line == "{":
            began = number
            start = number - 1
            while start > 0 and lines[start].startswith(("\t", " ")):
                start -= 1
            match = re.search(r"(\w+)\(", lines[start])
            name = match[1] if match else lines[start]
        elif line.startswith("}") and began is not None:
            yield name, began + 1, number - began - 1
            began = None


def gate_sizes():
    """functions and files have a reader's size"""
    for name in tracked(".c", ".h", ".S", ".py", ".sh"):
        text = read(name)
        count = text.count("\n")
        if count > FILE_LINES:
            yield f"{name}: {count} lines, more than {FILE_LINES}"
        if name.endswith((".c", ".h")):
            for function, line, length in functions(text):
                if length > FUNCTION_LINES:
                    yield f"{name}:{line}: {function}: {length} lines, more than {FUNCTION_LINES}"


def gate_one_way():
    """dependencies point one way: src, arch and dev know nothing of hal/, hypervisor/ and tools/"""
    for name in tracked(".c", ".h"):
        if name.startswith(("src/", "arch/", "dev/", "include/")):
            yield from places(name, read(name), r'#\s*include\s*[<"](\.\./)*(hal|hypervisor|tools)/.*',
                              "points the wrong way")


def gate_scripts():
    """scripts parse"""
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            if name.endswith(".sh") or name == ".ci/run":
                yield from run("bash", "-n", name).stdout.splitlines()
            elif name.endswith(".py"):
                result = run(sys.executable, "-c", "import py_compile, sys;"
                             "py_compile.compile(sys.argv[1], sys.argv[2], doraise=True)",
                             name, os.path.join(folder, "out"))
                yield from result.stdout.splitlines()[-1:]


def main():
    failed = 0
    gates = [value for name, value in globals().items() if name.startswith("gate_")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for gate, wrong in zip(gates, pool.map(lambda g: list(g()), gates)):
            for line in wrong:
                print(f"  {line}")
            title = gate.__name__[len("gate_"):].replace("_", " ")
            print(f"{'not ok' if wrong else 'ok'} - {title}: {gate.__doc__}")
            failed += bool(wrong)
    return 1 if failed else 0


FILES = sorted(name for name in run("git", "ls-files", "-co", "--exclude-standard").stdout.split("\n")
               if name and os.path.isfile(name))

if __name__ == "__main__":
    sys.exit(main())
