// SPDX-License-Identifier: Apache-2.0
/*
 * One table says how each ISA's machine is started. On all of them the hypervisor switches the
 * machine off when all went well and resets it when not; -no-reboot makes an end of both, and QMP
 * tells which it was.
 */
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QEMU_MAJOR_MIN 8
#define QEMU_MINOR_MIN 2

struct emulator {
	const char *program;
	const char *packages; /* of Debian and Ubuntu, that bring it */
	const char *binary;   /* the hypervisor's file */
	const char *cpu;
	const char *cpu_icount;	  /* added to it for runs that repeat: no source of randomness */
	const char *arguments[4]; /* NULL ends them */
};

static const struct emulator emulators[] = {
	[AXVM_ISA_AARCH64] = {
		.program = "qemu-system-aarch64",
		.packages = "qemu-system-arm",
		.binary = "axvm-aarch64.bin",
		.cpu = "max,pauth-impdef=on",
		.cpu_icount = "",
		.arguments = {"-M", "virt,virtualization=on,gic-version=3,dtb-randomness=off"},
	},
	[AXVM_ISA_RISCV64] = {
		.program = "qemu-system-riscv64",
		.packages = "qemu-system-riscv (or qemu-system-misc)",
		.binary = "axvm-riscv64.bin",
		.cpu = "rv64,h=true",
		.cpu_icount = "",
		.arguments = {"-M", "virt"},
	},
	[AXVM_ISA_X86_64] = {
		.program = "qemu-system-x86_64",
		.packages = "qemu-system-x86",
		.binary = "axvm-x86_64.elf",
		.cpu = "max,+svm",
		.cpu_icount = ",-rdrand,-rdseed",
		.arguments = {"-M", "q35"},
	},
};

/* The first line of `PROGRAM --version`, or NULL. */
static char *version_line(const char *program)
{
	char *command = axvm_tool_print("%s --version 2>/dev/null", program);
	FILE *pipe = popen(command, "re");
	char *line = NULL;
	size_t bytes = 0;

	if (!pipe)
		return NULL;
	if (getline(&line, &bytes, pipe) < 0) {
		free(line);
		line = NULL;
	}
	pclose(pipe);
	return line;
}

bool axvm_tool_qemu_check(enum axvm_isa isa)
{
	const struct emulator *emulator = &emulators[isa];
	char *line = version_line(emulator->program);
	const char *number = line ? strstr(line, "version ") : NULL;
	int major = 0;
	int minor = 0;
	bool good;

	if (!number || sscanf(number, "version %d.%d", &major, &minor) != 2) {
		axvm_tool_complain("%s was not found; install it: make setup, or: apt install %s",
				   emulator->program, emulator->packages);
		free(line);
		return false;
	}
	free(line);
	good = major > QEMU_MAJOR_MIN || (major == QEMU_MAJOR_MIN && minor >= QEMU_MINOR_MIN);
	if (!good)
		axvm_tool_complain(
			"%s is version %d.%d, which is too old: %d.%d or newer is needed; "
			"`make setup` installs one (on Debian 12 from bookworm-backports: "
			"apt install -t bookworm-backports %s)",
			emulator->program, major, minor, QEMU_MAJOR_MIN, QEMU_MINOR_MIN,
			emulator->packages);
	return good;
}

/* Where the build or an installation has put it, or NULL. */
static char *hypervisor_beside(enum axvm_isa isa)
{
	/* From the folder of this program: in build/host/tools/axvm, in build, installed. */
	static const char *const places[] = { "../../..", ".", "../lib/axvm" };
	char self[PATH_MAX];
	const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length <= 0)
		return NULL;
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *path = axvm_tool_print("%s/%s/%s/%s", self, places[i],
					     axvm_tool_isa_name(isa), emulators[isa].binary);

		if (access(path, R_OK) == 0)
			return path;
	}
	return NULL;
}

char *axvm_tool_hypervisor_find(enum axvm_isa isa, const char *given)
{
	const char *name = given ? given : getenv("AXVM_HYPERVISOR");
	char *path;

	if (name && name[0]) {
		if (access(name, R_OK) == 0)
			return axvm_tool_print("%s", name);
		axvm_tool_complain("the hypervisor %s: %s", name, strerror(errno));
		return NULL;
	}
	path = hypervisor_beside(isa);
	if (!path)
		axvm_tool_complain(
			"the hypervisor %s was not found; build it: make build ISA=%s, or "
			"name it with --hypervisor or $AXVM_HYPERVISOR",
			emulators[isa].binary, axvm_tool_isa_name(isa));
	return path;
}

struct list {
	char **items;
	size_t count;
};

static void add(struct list *list, char *item)
{
	list->items = axvm_tool_resize(list->items, list->count + 2, sizeof(char *));
	list->items[list->count++] = item;
	list->items[list->count] = NULL;
}

/* `words`, ended by NULL. The strings are not changed by anyone. */
static void add_words(struct list *list, const char *const *words)
{
	for (; *words; words++)
		add(list, axvm_tool_print("%s", *words));
}

char **axvm_tool_qemu_arguments(const struct axvm_tool_machine *machine, int qmp)
{
	static const char *const repeat[] = { "-icount", "shift=0,sleep=off",
					      "-rtc",	 "base=2026-01-01,clock=vm",
					      "-seed",	 "1",
					      NULL };
	const struct emulator *emulator = &emulators[machine->isa];
	const char *always[] = { emulator->program,
				 "-nodefaults",
				 "-display",
				 "none",
				 "-no-reboot",
				 "-chardev",
				 "stdio,id=console,mux=on,signal=off",
				 "-serial",
				 "chardev:console",
				 "-mon",
				 "chardev=console",
				 "-mon",
				 "chardev=qmp,mode=control",
				 "-S", /* until QMP says go */
				 "-append",
				 "axvm.on-failure=reset",
				 "-kernel",
				 machine->hypervisor,
				 "-initrd",
				 machine->bundle,
				 NULL };
	struct list list = { NULL, 0 };

	add_words(&list, always);
	add_words(&list, emulator->arguments);
	add(&list, axvm_tool_print("-chardev"));
	add(&list, axvm_tool_print("socket,id=qmp,fd=%d", qmp));
	add(&list, axvm_tool_print("-cpu"));
	add(&list,
	    axvm_tool_print("%s%s", emulator->cpu, machine->icount ? emulator->cpu_icount : ""));
	add(&list, axvm_tool_print("-smp"));
	add(&list, axvm_tool_print("%u", machine->cpus));
	add(&list, axvm_tool_print("-m"));
	add(&list, axvm_tool_print("%luM", (unsigned long)(machine->memory_bytes >> 20)));
	if (machine->icount)
		add_words(&list, repeat);
	for (int i = 0; i < machine->extra_count; i++)
		add(&list, machine->extra[i]);
	return list.items;
}

/* In the child. Never returns. */
static void become_qemu(char **arguments, int output, int qmp, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (output >= 0) {
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
	}
	fcntl(qmp, F_SETFD, 0);
	execvp(arguments[0], arguments);
	dprintf(STDERR_FILENO, "axvm: %s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

/* With a -S of theirs it is they who start the machine, from the monitor or from gdb. */
static bool starts_by_itself(const struct axvm_tool_machine *machine)
{
	for (int i = 0; i < machine->extra_count; i++) {
		if (strcmp(machine->extra[i], "-S") == 0)
			return false;
	}
	return true;
}

pid_t axvm_tool_qemu_start(const struct axvm_tool_machine *machine, int output,
			   struct axvm_tool_qmp *qmp)
{
	const int error = axvm_tool_qmp_open(qmp, starts_by_itself(machine));
	const pid_t parent = getpid();
	char **arguments;
	pid_t pid;

	if (error) {
		axvm_tool_complain("cannot watch QEMU: %s", strerror(error));
		return -1;
	}
	arguments = axvm_tool_qemu_arguments(machine, qmp->theirs);
	pid = fork();
	if (pid == 0)
		become_qemu(arguments, output, qmp->theirs, parent);
	if (pid < 0)
		axvm_tool_complain("%s: %s", arguments[0], strerror(errno));
	axvm_tool_qmp_release(qmp);
	return pid;
}

void axvm_tool_qemu_stop(pid_t pid)
{
	const struct timespec step = { 0, 20000000 };

	kill(pid, SIGTERM);
	for (int i = 0; i < 100; i++) {
		const pid_t done = waitpid(pid, NULL, WNOHANG);

		if (done == pid || (done < 0 && errno != EINTR))
			return;
		nanosleep(&step, NULL);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
