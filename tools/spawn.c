/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a program with pipes for its input and output. */
#include "tools/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child; returns only to say by the pipe why it could not. */
static void spawn_exec(char *const argv[], int in, int out, int report,
		       pid_t parent)
{
	sigset_t none;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* If we die without a chance to end it, it ends all the same. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execvp(argv[0], argv);
	err = errno;
	if (write(report, &err, sizeof(err)) < 0)
		_exit(1);
	_exit(1);
}

static int spawn_missing(const char *program, int err, struct fault *f)
{
	if (err == ENOENT)
		return fault_trouble(f,
				     "%s is not installed; install it: apt "
				     "install qemu-system-x86",
				     program);
	return fault_trouble(f, "%s cannot be started: %s", program,
			     strerror(err));
}

int spawn_piped(struct spawn *s, char *const argv[], struct fault *f)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, report[2] = {-1, -1};
	pid_t parent = getpid();
	int cause = 0;
	ssize_t n;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
	    pipe2(report, O_CLOEXEC) != 0) {
		fault_trouble(f, "pipe: %s", strerror(errno));
		goto fail;
	}
	s->pid = fork();
	if (s->pid == 0)
		spawn_exec(argv, in[0], out[1], report[1], parent);
	if (s->pid < 0) {
		fault_trouble(f, "fork: %s", strerror(errno));
		goto fail;
	}
	close(report[1]);
	report[1] = -1;
	do
		n = read(report[0], &cause, sizeof(cause));
	while (n < 0 && errno == EINTR);
	if (n == sizeof(cause)) {
		waitpid(s->pid, NULL, 0);
		spawn_missing(argv[0], cause, f);
		goto fail;
	}
	close(report[0]);
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	s->out = out[0];
	/* QEMU takes a byte when the guest does: never wait for it. */
	fcntl(s->in, F_SETFL, O_NONBLOCK);
	return 0;
fail:
	for (unsigned i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (out[i] >= 0)
			close(out[i]);
		if (report[i] >= 0)
			close(report[i]);
	}
	return f->code;
}
