/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sluice command: picks the subcommand, prints what went wrong. */
#include "tools/cmd.h"
#include "tools/ui.h"
#include "sluice/bundle.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLUICE_VERSION "0.1.0"

static const char main_help[] =
	"usage: sluice check|build|run [OPTION...] FILE.yaml\n"
	"       sluice --help | --version\n"
	"\n"
	"Sluice is a bare-metal hypervisor; this command prepares and tries "
	"it.\n"
	"\n"
	"  check   check a configuration and the files it names\n"
	"  build   write the bundle that the hypervisor boots with\n"
	"  run     build, then boot the hypervisor in QEMU\n"
	"\n"
	"'sluice check --help' and so on tell more. A configuration to start "
	"from is\n"
	"examples/two-vms.yaml.\n"
	"\n"
	"Exit codes: 0 good, 1 bad configuration, 2 bad command line, 3 "
	"trouble (I/O,\n"
	"memory, a missing program), 4 'run --timeout' ran out.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv, struct fault *f);
} commands[] = {
	{"check", cmd_check},
	{"build", cmd_build},
	{"run", cmd_run},
};

static int main_dispatch(int argc, char **argv, struct fault *f)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name)
		return fault_usage(f,
				   "what to do? One of check, build and "
				   "run; see 'sluice --help'");
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		fputs(main_help, stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0) {
		printf("sluice %s (bundle version %d)\n", SLUICE_VERSION,
		       SLUICE_BUNDLE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1, f);
	return fault_usage(f,
			   "unknown command '%s'; there are check, build and "
			   "run (see 'sluice --help')",
			   name);
}

int main(int argc, char **argv)
{
	struct fault fault = {0};
	int code, fd;

	/* Whoever closed a standard stream must not find a file of ours there.
	 */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	code = main_dispatch(argc, argv, &fault);
	if (fault.text[0])
		ui_fault(&fault);
	if (fflush(stdout) != 0 && !code)
		code = EXIT_TROUBLE;
	return code;
}
