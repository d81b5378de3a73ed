// SPDX-License-Identifier: Apache-2.0
/*
 * One loop over three descriptors: a signalfd (QEMU's end, and requests to end), QMP (why the
 * machine ends) and the pipe of the console, unless QEMU has the terminal to itself.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum outcome { GOING_ON, MATCHED, QEMU_ENDED, TIMED_OUT, SIGNALLED, NO_READER };

struct running {
	const struct axvm_tool_session *session;
	struct axvm_tool_console console;
	struct axvm_tool_qmp qmp;
	pid_t qemu;
	int signals;
	int pipe; /* -1: interactive, or at its end */
	int64_t deadline_ms;
	int signal;	 /* that ended us */
	int wait_status; /* QEMU's */
};

static int64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The signals that the loop takes from its signalfd; they are blocked from here on. */
static int open_signals(void)
{
	static const int taken[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&set, taken[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool echo(const char *data, size_t bytes)
{
	while (bytes > 0) {
		const ssize_t written = write(STDOUT_FILENO, data, bytes);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		data += written;
		bytes -= (size_t)written;
	}
	return true;
}

static enum outcome read_console(struct running *running)
{
	char data[4096];
	const ssize_t bytes = read(running->pipe, data, sizeof(data));

	if (bytes < 0 && (errno == EINTR || errno == EAGAIN))
		return GOING_ON;
	if (bytes <= 0) {
		close(running->pipe);
		running->pipe = -1;
		return GOING_ON;
	}
	if (!echo(data, (size_t)bytes))
		return NO_READER;
	return axvm_tool_console_take(&running->console, data, (size_t)bytes) ? MATCHED : GOING_ON;
}

/* What QEMU wrote before its end is still in the pipe. */
static enum outcome read_rest(struct running *running)
{
	enum outcome outcome = GOING_ON;

	if (running->pipe >= 0)
		fcntl(running->pipe, F_SETFL, O_NONBLOCK);
	while (outcome == GOING_ON && running->pipe >= 0) {
		struct pollfd ready = { .fd = running->pipe, .events = POLLIN };

		if (poll(&ready, 1, 0) <= 0)
			break;
		outcome = read_console(running);
	}
	return outcome == GOING_ON ? QEMU_ENDED : outcome;
}

static enum outcome take_signal(struct running *running)
{
	struct signalfd_siginfo info;

	if (read(running->signals, &info, sizeof(info)) != sizeof(info))
		return GOING_ON;
	if (info.ssi_signo != SIGCHLD) {
		running->signal = (int)info.ssi_signo;
		return SIGNALLED;
	}
	if (waitpid(running->qemu, &running->wait_status, WNOHANG) != running->qemu)
		return GOING_ON;
	running->qemu = -1;
	axvm_tool_qmp_read(&running->qmp);
	return read_rest(running);
}

static enum outcome wait_for_outcome(struct running *running)
{
	enum outcome outcome = GOING_ON;

	while (outcome == GOING_ON) {
		struct pollfd ready[3] = { { .fd = running->signals, .events = POLLIN },
					   { .fd = running->pipe, .events = POLLIN },
					   { .fd = running->qmp.ours, .events = POLLIN } };
		int64_t left = -1;

		if (running->session->timeout_s) {
			left = running->deadline_ms - now_ms();
			if (left <= 0)
				return TIMED_OUT;
			left = left < 60000 ? left : 60000;
		}
		if (poll(ready, 3, (int)left) <= 0)
			continue;
		if (ready[2].revents)
			axvm_tool_qmp_read(&running->qmp);
		if (ready[1].revents)
			outcome = read_console(running);
		if (outcome == GOING_ON && ready[0].revents)
			outcome = take_signal(running);
	}
	return outcome;
}

/* Ends that are as they should be, unless something was to appear before; by QMP's reasons. */
static const char *good_end(const char *reason)
{
	if (strcmp(reason, "guest-shutdown") == 0)
		return "all guests have shut down";
	if (strcmp(reason, "host-qmp-quit") == 0) /* Ctrl-a x, or quit in the monitor */
		return "QEMU was told to quit";
	return NULL;
}

static void tell_bad_end(const char *reason, const char *own)
{
	const char *before = own[0] ? "; the hypervisor's last line: " : "";

	if (strcmp(reason, "guest-reset") == 0)
		axvm_tool_complain("the hypervisor reports a failure%s%s", before, own);
	else
		axvm_tool_complain("the machine ended without the hypervisor's word (%s)%s%s",
				   reason[0] ? reason : "no reason given", before, own);
}

static int judge_end(const struct running *running)
{
	const char *until = running->session->until;
	const char *good = good_end(running->qmp.reason);
	const int status = running->wait_status;

	if (WIFSIGNALED(status))
		axvm_tool_complain("QEMU was ended by signal %d (%s)", WTERMSIG(status),
				   strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		axvm_tool_complain("QEMU ended with status %d", WEXITSTATUS(status));
	else if (!good)
		tell_bad_end(running->qmp.reason, running->console.last_own);
	else if (until)
		axvm_tool_complain("%s, and '%s' has not appeared", good, until);
	else
		return AXVM_TOOL_OK;
	return AXVM_TOOL_FAILED;
}

static int judge(const struct running *running, enum outcome outcome)
{
	switch (outcome) {
	case MATCHED:
		return AXVM_TOOL_OK;
	case TIMED_OUT:
		axvm_tool_complain("stopped: not finished after %u s%s%s%s",
				   running->session->timeout_s,
				   running->session->until ? ": '" : "",
				   running->session->until ? running->session->until : "",
				   running->session->until ? "' has not appeared" : "");
		return AXVM_TOOL_TIMEOUT;
	case NO_READER:
		axvm_tool_complain("standard output: %s", strerror(errno));
		return AXVM_TOOL_FAILED;
	default:
		return judge_end(running);
	}
}

/* Ends by the signal, so that a shell sees that too. */
static void end_by(int signal_number)
{
	sigset_t set;

	signal(signal_number, SIG_DFL);
	raise(signal_number);
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static bool start(struct running *running)
{
	int ends[2] = { -1, -1 };

	running->signals = open_signals();
	if (running->signals < 0 ||
	    (!running->session->interactive && pipe2(ends, O_CLOEXEC) < 0)) {
		axvm_tool_complain("cannot watch QEMU: %s", strerror(errno));
		return false;
	}
	running->pipe = ends[0];
	running->qemu = axvm_tool_qemu_start(running->session->machine, ends[1], &running->qmp);
	if (ends[1] >= 0)
		close(ends[1]);
	running->deadline_ms = now_ms() + (int64_t)running->session->timeout_s * 1000;
	return running->qemu > 0;
}

int axvm_tool_session_run(const struct axvm_tool_session *session)
{
	static struct running running;
	struct termios terminal;
	const bool has_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;
	enum outcome outcome;

	running = (struct running){ .session = session, .pipe = -1, .qemu = -1 };
	running.qmp.ours = -1;
	running.console.regex = session->regex;
	if (!start(&running))
		return AXVM_TOOL_FAILED;
	outcome = wait_for_outcome(&running);
	if (running.qemu > 0)
		axvm_tool_qemu_stop(running.qemu);
	if (has_terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	if (outcome == SIGNALLED)
		end_by(running.signal);
	return judge(&running, outcome);
}
