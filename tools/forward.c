/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs QEMU and passes bytes between its serial port and the terminal. */
#include "tools/forward.h"
#include "tools/prefix.h"
#include "tools/spawn.h"
#include "tools/ui.h"
#include "tools/warn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/*
 * One loop, no threads. Signals arrive by a signalfd. When QEMU is to end
 * (forward_end) it is told so by SIGTERM, and by SIGKILL when that has not
 * helped for FORWARD_KILL_NS. Keys go to the VMkernel as they are; of Ctrl-] q,
 * its power-off, only the time is taken: if the VMkernel does not obey within
 * FORWARD_QUIT_NS, QEMU is ended from here.
 */
#define SECOND		UINT64_C(1000000000)
#define FORWARD_QUIT_NS (3 * SECOND)
#define FORWARD_KILL_NS (2 * SECOND)
#define FORWARD_HELD_NS (SECOND / 20) /* until half a prefix is shown */
#define FORWARD_PIECE	4096
#define KEY_ESCAPE	0x1d /* Ctrl-] */
#define NEVER		UINT64_MAX

enum forward_end {
	END_NONE,
	END_QUIT,    /* Ctrl-] q */
	END_TIMEOUT, /* --timeout */
	END_SIGNAL,  /* ours: SIGINT and its kin */
	END_OUTPUT,  /* nobody takes the output */
};

struct forward {
	struct spawn qemu;
	int signals;
	int log; /* -1: none */
	bool stdin_open;
	bool escaped; /* the last key was Ctrl-] */
	int status;   /* of waitpid() */
	bool exited;
	enum forward_end end;
	int end_signal;
	uint64_t timeout_ns, quit_ns, kill_ns; /* when; NEVER */
	struct prefix prefix;
	struct warn warn;
	unsigned pending_count; /* typed, not yet taken by QEMU */
	char pending[FORWARD_PIECE];
	struct termios terminal; /* as it was */
	bool raw;
};

static void forward_end(struct forward *w, enum forward_end end)
{
	if (w->end != END_NONE || w->exited)
		return;
	w->end = end;
	w->kill_ns = ui_now_ns() + FORWARD_KILL_NS;
	kill(w->qemu.pid, SIGTERM);
}

/* ---- start ---- */

/* Raw but for the output: line feeds of our own messages still return. */
static void forward_raw(struct forward *w)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &w->terminal) != 0)
		return;
	/* In the background the terminal is somebody else's. */
	if (tcgetpgrp(STDIN_FILENO) != getpgrp()) {
		w->stdin_open = false;
		return;
	}
	raw = w->terminal;
	cfmakeraw(&raw);
	raw.c_oflag = w->terminal.c_oflag;
	w->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void forward_cooked(struct forward *w)
{
	if (w->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &w->terminal);
	w->raw = false;
}

/* ---- the loop ---- */

/* The whole of it; false when nobody takes it any more. */
static bool put_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EAGAIN) {
			/* Standard output may be shared and non-blocking. */
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			poll(&wait, 1, 1000);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

static void forward_show(struct forward *w, const char *data, size_t size)
{
	if (w->end != END_OUTPUT && !put_all(STDOUT_FILENO, data, size))
		forward_end(w, END_OUTPUT);
}

/* From QEMU to the terminal; false at the end of what it has to say. */
static bool forward_output(struct forward *w)
{
	char data[FORWARD_PIECE];
	char shown[PREFIX_OUT_MAX(FORWARD_PIECE)];
	ssize_t n = read(w->qemu.out, data, sizeof(data));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	if (w->log >= 0 && !put_all(w->log, data, (size_t)n)) {
		ui_note("the log cannot be written: %s", strerror(errno));
		close(w->log);
		w->log = -1;
	}
	forward_show(w, shown, prefix_feed(&w->prefix, data, (size_t)n, shown));
	return true;
}

/* The same for what QEMU itself has to say. */
static bool forward_error(struct forward *w)
{
	char data[FORWARD_PIECE];
	ssize_t n = read(w->qemu.err, data, sizeof(data));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	warn_feed(&w->warn, STDERR_FILENO, data, (size_t)n);
	return n > 0;
}

/* What a person types must not stall the loop: what QEMU has no room for is
 * dropped. What a program writes waits instead. */
static void forward_input(struct forward *w)
{
	char dropped[256];
	size_t room = sizeof(w->pending) - w->pending_count;
	char *keys = room ? w->pending + w->pending_count : dropped;
	ssize_t n = read(STDIN_FILENO, keys, room ? room : sizeof(dropped));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		w->stdin_open = false;
		return;
	}
	for (ssize_t i = 0; i < n && w->raw; i++) {
		if (w->escaped && (keys[i] == 'q' || keys[i] == 'Q') &&
		    w->quit_ns == NEVER)
			w->quit_ns = ui_now_ns() + FORWARD_QUIT_NS;
		w->escaped = !w->escaped && keys[i] == KEY_ESCAPE;
	}
	if (room)
		w->pending_count += (unsigned)n;
}

static void forward_type(struct forward *w)
{
	ssize_t n = write(w->qemu.in, w->pending, w->pending_count);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) /* QEMU is about to end: its exit is what counts */
		n = w->pending_count;
	w->pending_count -= (unsigned)n;
	memmove(w->pending, w->pending + n, w->pending_count);
}

/* Blocks the signals that the loop reads from its signalfd. Those that our
 * parent had us ignore (nohup) stay ignored. */
static void forward_catch(sigset_t *caught, sigset_t *before)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action;

	sigemptyset(caught);
	sigaddset(caught, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (sigaction(ends[i], NULL, &action) == 0 &&
		    action.sa_handler != SIG_IGN)
			sigaddset(caught, ends[i]);
	sigprocmask(SIG_BLOCK, caught, before);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would lose the exit code */
	signal(SIGPIPE, SIG_IGN);
}

static void forward_signal(struct forward *w)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGCHLD) {
		w->end_signal = (int)info.ssi_signo;
		forward_end(w, END_SIGNAL);
	} else if (waitpid(w->qemu.pid, &w->status, WNOHANG) == w->qemu.pid) {
		w->exited = true;
	}
}

static void forward_clock(struct forward *w)
{
	uint64_t now = ui_now_ns();

	if (now >= w->timeout_ns)
		forward_end(w, END_TIMEOUT);
	if (now >= w->quit_ns)
		forward_end(w, END_QUIT);
	if (now >= w->kill_ns) {
		kill(w->qemu.pid, SIGKILL);
		w->kill_ns = NEVER;
	}
}

/* Milliseconds until the next thing to do, for poll(). */
static int forward_wait_ms(const struct forward *w)
{
	uint64_t now = ui_now_ns();
	uint64_t next = MIN(w->kill_ns, w->end == END_NONE
						? MIN(w->timeout_ns, w->quit_ns)
						: NEVER);

	if (w->prefix.held_count)
		next = MIN(next, now + FORWARD_HELD_NS);
	if (next == NEVER)
		return -1;
	return next <= now ? 0 : (int)MIN((next - now) / 1000000 + 1, 60000);
}

static void forward_show_held(struct forward *w)
{
	char held[PREFIX_OUT_MAX(0)];

	forward_show(w, held, prefix_flush(&w->prefix, held));
}

/* Its last words; whoever else may hold the pipes does not hold us. */
static void forward_drain(struct forward *w, bool out_open, bool err_open)
{
	while (out_open || err_open) {
		struct pollfd fds[] = {
			{.fd = out_open ? w->qemu.out : -1, .events = POLLIN},
			{.fd = err_open ? w->qemu.err : -1, .events = POLLIN},
		};

		if (poll(fds, ARRAY_SIZE(fds), 0) <= 0)
			break;
		if (fds[0].revents)
			out_open = forward_output(w);
		if (fds[1].revents)
			err_open = forward_error(w);
	}
	forward_show_held(w);
	warn_flush(&w->warn, STDERR_FILENO);
}

static void forward_loop(struct forward *w)
{
	bool out_open = true, err_open = true;

	while (!w->exited) {
		bool take = w->stdin_open &&
			    (w->raw || w->pending_count < sizeof(w->pending));
		struct pollfd fds[] = {
			{.fd = w->signals, .events = POLLIN},
			{.fd = out_open ? w->qemu.out : -1, .events = POLLIN},
			{.fd = err_open ? w->qemu.err : -1, .events = POLLIN},
			{.fd = take ? STDIN_FILENO : -1, .events = POLLIN},
			{.fd = w->pending_count ? w->qemu.in : -1,
			 .events = POLLOUT},
		};
		int n = poll(fds, ARRAY_SIZE(fds), forward_wait_ms(w));

		if (n == 0)
			forward_show_held(w);
		if (n > 0 && fds[1].revents)
			out_open = forward_output(w);
		if (n > 0 && fds[2].revents)
			err_open = forward_error(w);
		if (n > 0 && fds[3].revents)
			forward_input(w);
		if (n > 0 && fds[4].revents)
			forward_type(w);
		if (n > 0 && fds[0].revents)
			forward_signal(w);
		forward_clock(w);
	}
	forward_drain(w, out_open, err_open);
}

/* ---- the end ---- */

static int forward_verdict(const struct forward *w, const char *program,
			   unsigned timeout_s, struct fault *f)
{
	switch (w->end) {
	case END_TIMEOUT:
		fault_trouble(f,
			      "the machine did not power off within %u s and "
			      "was ended; give it more time (--timeout) or "
			      "look at its output",
			      timeout_s);
		return f->code = EXIT_TIMEOUT;
	case END_SIGNAL:
		return 128 + w->end_signal;
	case END_OUTPUT:
		return fault_trouble(f,
				     "nobody takes the output any more; the "
				     "machine was ended");
	case END_QUIT:
		ui_note("the hypervisor did not power off; QEMU was ended");
		return 0;
	case END_NONE:
		break;
	}
	if (WIFSIGNALED(w->status))
		return fault_trouble(f, "%s was ended by signal %d (%s)",
				     program, WTERMSIG(w->status),
				     strsignal(WTERMSIG(w->status)));
	if (WEXITSTATUS(w->status))
		return fault_trouble(f,
				     "%s ended with code %d; see what it "
				     "printed above",
				     program, WEXITSTATUS(w->status));
	return 0;
}

static int forward_open_log(struct forward *w, const char *path,
			    struct fault *f)
{
	w->log = -1;
	if (!path)
		return 0;
	w->log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (w->log < 0)
		return fault_trouble(f, "%s cannot be written: %s", path,
				     strerror(errno));
	return 0;
}

int forward_run(char *const argv[], const struct forward_options *options,
		struct fault *f)
{
	struct forward w = {
		.stdin_open = true,
		.timeout_ns =
			options->timeout_s
				? ui_now_ns() + options->timeout_s * SECOND
				: NEVER,
		.quit_ns = NEVER,
		.kill_ns = NEVER,
	};
	sigset_t caught, before;
	int err = forward_open_log(&w, options->log_path, f);

	if (err)
		return err;
	fflush(stdout);
	prefix_init(&w.prefix, ui_colours(stdout) ? options->plan : NULL);
	forward_catch(&caught, &before);
	w.signals = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w.signals < 0)
		err = fault_trouble(f, "signalfd: %s", strerror(errno));
	else
		err = spawn_piped(&w.qemu, argv, f);
	if (!err) {
		forward_raw(&w);
		forward_loop(&w);
		forward_cooked(&w);
		close(w.qemu.in);
		close(w.qemu.out);
		close(w.qemu.err);
		err = forward_verdict(&w, argv[0], options->timeout_s, f);
	}
	if (w.signals >= 0)
		close(w.signals);
	if (w.log >= 0)
		close(w.log);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}
