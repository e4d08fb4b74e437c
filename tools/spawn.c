/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a program with pipes for its three streams. */
#include "tools/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	IN,
	OUT,
	ERR,
	REPORT,
	PIPES
};

/* A pipe's ends. */
enum {
	READ,
	WRITE
};

/* In the child; ends with its report why the program could not start. */
static void spawn_exec(char *const argv[], int pipes[PIPES][2], pid_t parent)
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
	if (dup2(pipes[IN][READ], STDIN_FILENO) >= 0 &&
	    dup2(pipes[OUT][WRITE], STDOUT_FILENO) >= 0 &&
	    dup2(pipes[ERR][WRITE], STDERR_FILENO) >= 0)
		execvp(argv[0], argv);
	err = errno;
	if (write(pipes[REPORT][WRITE], &err, sizeof(err)) < 0)
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

static void spawn_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Why the program could not start; 0: it has, which closed the pipe. */
static int spawn_report(int fd)
{
	int cause = 0;
	ssize_t n;

	do
		n = read(fd, &cause, sizeof(cause));
	while (n < 0 && errno == EINTR);
	return n == sizeof(cause) ? cause : 0;
}

int spawn_piped(struct spawn *s, char *const argv[], struct fault *f)
{
	int pipes[PIPES][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
	pid_t parent = getpid();
	int cause, err = 0;

	for (unsigned i = 0; i < PIPES && !err; i++)
		if (pipe2(pipes[i], O_CLOEXEC) != 0)
			err = fault_trouble(f, "pipe: %s", strerror(errno));
	if (err)
		goto out;
	s->pid = fork();
	if (s->pid == 0)
		spawn_exec(argv, pipes, parent);
	if (s->pid < 0) {
		err = fault_trouble(f, "fork: %s", strerror(errno));
		goto out;
	}
	spawn_close(&pipes[REPORT][WRITE]);
	cause = spawn_report(pipes[REPORT][READ]);
	if (cause) {
		waitpid(s->pid, NULL, 0);
		err = spawn_missing(argv[0], cause, f);
		goto out;
	}
	s->in = pipes[IN][WRITE];
	s->out = pipes[OUT][READ];
	s->err = pipes[ERR][READ];
	pipes[IN][WRITE] = pipes[OUT][READ] = pipes[ERR][READ] = -1;
	/* QEMU takes a byte when the guest does: never wait for it. */
	fcntl(s->in, F_SETFL, O_NONBLOCK);
out:
	for (unsigned i = 0; i < PIPES; i++) {
		spawn_close(&pipes[i][READ]);
		spawn_close(&pipes[i][WRITE]);
	}
	return err;
}
