/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sluice run: check, build, and boot the hypervisor in QEMU. */
#include "tools/cmd.h"
#include "tools/forward.h"
#include "tools/machine.h"
#include "tools/qemu.h"
#include "tools/ui.h"
#include "tools/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RUN_KERNEL	 "build/sluice.elf"

/* Beside the VMs' memory and the bundle, which QEMU holds twice. */
#define RUN_MEMORY_SPARE MiB(256)

static const char run_help[] =
	"usage: sluice run [OPTION...] FILE.yaml\n"
	"\n"
	"Checks a configuration, builds its bundle and boots the hypervisor "
	"with it in\n"
	"QEMU: an emulated AMD machine with one e1000e for each uplink, on "
	"QEMU's user\n"
	"network. The consoles of all VMs are shown, each line after its VM's "
	"name.\n"
	"Paths in the file start at the current directory.\n"
	"\n"
	"  --cpus N          CPUs of the machine (default: 2, or what a VM "
	"needs)\n"
	"  --memory SIZE     its memory (default: what the VMs need)\n"
	"  --hostfwd tcp:HOSTPORT:GUESTIP:PORT\n"
	"                    lead HOSTPORT of 127.0.0.1 to a VM on the first "
	"uplink\n"
	"                    (also udp:...; repeatable)\n"
	"  --kernel ELF      the hypervisor (default: " RUN_KERNEL
	")\n"
	"  -o, --output FILE the bundle (default: build/NAME.bundle)\n"
	"  --log FILE        write a copy of the output there\n"
	"  --control FILE    write what the second serial port says there\n"
	"  --timeout SECONDS end the machine and exit with 4 after this time\n"
	"  --gdb             wait for gdb on 127.0.0.1:1234 before the first\n"
	"                    instruction\n"
	"  --qemu-arg ARG    pass ARG to QEMU (repeatable; comes last)\n"
	"  --dry-run         print QEMU's command line, start and write "
	"nothing\n"
	"  -h, --help        this text\n"
	"\n"
	"Keys: Ctrl-] and then 1 to 9 or n: to which VM the input goes; q: "
	"power off;\n"
	"?: help. Exit codes: 0 the machine powered off, 1 bad configuration, "
	"2 bad\n"
	"command line, 3 trouble (the hypervisor gave up: see its last lines), "
	"4 timeout.\n";

enum run_option {
	RUN_CPUS = 256,
	RUN_MEMORY,
	RUN_HOSTFWD,
	RUN_ELF,
	RUN_LOG,
	RUN_CONTROL,
	RUN_TIMEOUT,
	RUN_GDB,
	RUN_QEMU_ARG,
	RUN_DRY,
};

static const struct option run_options[] = {
	{"cpus", required_argument, NULL, RUN_CPUS},
	{"memory", required_argument, NULL, RUN_MEMORY},
	{"hostfwd", required_argument, NULL, RUN_HOSTFWD},
	{"kernel", required_argument, NULL, RUN_ELF},
	{"output", required_argument, NULL, 'o'},
	{"log", required_argument, NULL, RUN_LOG},
	{"control", required_argument, NULL, RUN_CONTROL},
	{"timeout", required_argument, NULL, RUN_TIMEOUT},
	{"gdb", no_argument, NULL, RUN_GDB},
	{"qemu-arg", required_argument, NULL, RUN_QEMU_ARG},
	{"dry-run", no_argument, NULL, RUN_DRY},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct run {
	struct qemu_options qemu;
	struct forward_options forward;
	const char *out; /* NULL: the default */
	bool dry, help;
};

static int run_add_forward(struct run *r, const char *text, struct fault *f)
{
	struct qemu_options *q = &r->qemu;

	if (q->forward_count == QEMU_FORWARDS_MAX)
		return fault_usage(f, "--hostfwd: at most %u are possible",
				   QEMU_FORWARDS_MAX);
	if (!qemu_parse_forward(text, &q->forwards[q->forward_count]))
		return fault_usage(f,
				   "--hostfwd: '%s' is no forwarding; write it "
				   "like this: tcp:8080:10.0.2.15:80",
				   text);
	q->forward_count++;
	return 0;
}

static int run_add_arg(struct run *r, const char *text, struct fault *f)
{
	struct qemu_options *q = &r->qemu;

	if (q->extra_count == QEMU_ARGS_MAX)
		return fault_usage(f, "--qemu-arg: at most %u are possible",
				   QEMU_ARGS_MAX);
	q->extra[q->extra_count++] = text;
	return 0;
}

static int run_take_timeout(struct run *r, const char *text, struct fault *f)
{
	uint64_t number;

	if (!value_parse_number(text, 1, 1000000, &number))
		return fault_usage(f, "--timeout: '%s' is no number of seconds",
				   text);
	r->forward.timeout_s = (unsigned)number;
	return 0;
}

static int run_option(struct run *r, int c, char **argv, struct fault *f)
{
	switch (c) {
	case RUN_CPUS:
		return cmd_take_cpus(optarg, &r->qemu.cpus, f);
	case RUN_MEMORY:
		return cmd_take_memory(optarg, &r->qemu.memory, f);
	case RUN_HOSTFWD:
		return run_add_forward(r, optarg, f);
	case RUN_ELF:
		r->qemu.kernel = optarg;
		return 0;
	case 'o':
		r->out = optarg;
		return 0;
	case RUN_LOG:
		r->forward.log_path = optarg;
		return 0;
	case RUN_CONTROL:
		r->qemu.control = optarg;
		return 0;
	case RUN_TIMEOUT:
		return run_take_timeout(r, optarg, f);
	case RUN_GDB:
		r->qemu.gdb = true;
		return 0;
	case RUN_QEMU_ARG:
		return run_add_arg(r, optarg, f);
	case RUN_DRY:
		r->dry = true;
		return 0;
	case 'h':
		r->help = true;
		return 0;
	default:
		return cmd_bad_option(argv, c, f);
	}
}

static int run_find_kernel(const char *path, struct fault *f)
{
	if (access(path, R_OK) == 0)
		return 0;
	if (errno == ENOENT && strcmp(path, RUN_KERNEL) == 0)
		return fault_trouble(f, RUN_KERNEL
				     " is missing; build the "
				     "hypervisor with 'make' or "
				     "name it with --kernel");
	return fault_trouble(f, "%s: %s; check --kernel", path,
			     strerror(errno));
}

/* What the user has not said, from what the VMs need. */
static void run_set_defaults(struct run *r, const struct cmd_job *job)
{
	if (!r->qemu.cpus)
		r->qemu.cpus = MAX(2u, machine_vm_cpus(job->plan));
	if (!r->qemu.memory)
		r->qemu.memory = ALIGN_UP(machine_vm_memory(job->plan) +
						  2 * job->bundle_size +
						  RUN_MEMORY_SPARE,
					  MiB(1));
}

static int run_machine(struct run *r, const struct cmd_job *job,
		       const char *path, struct fault *f)
{
	struct qemu_args args = {0};
	char bundle[PATH_MAX];
	int err = 0;

	run_set_defaults(r, job);
	r->forward.plan = job->plan;
	r->qemu.bundle = bundle;
	if (r->dry) {
		err = cmd_job_bundle(path, r->out, bundle, f);
	} else {
		err = run_find_kernel(r->qemu.kernel, f);
		if (!err)
			err = cmd_job_build(job, path, r->out, bundle, f);
	}
	if (!err)
		err = qemu_args_make(&args, job->plan, &r->qemu, f);
	if (!err && r->dry) {
		qemu_args_print(&args);
	} else if (!err) {
		if (r->qemu.gdb)
			ui_note("waiting for gdb: gdb %s -ex 'target remote "
				"127.0.0.1:1234'",
				r->qemu.kernel);
		err = forward_run(args.items, &r->forward, f);
	}
	qemu_args_free(&args);
	return err;
}

int cmd_run(int argc, char **argv, struct fault *f)
{
	struct run r = {.qemu.kernel = RUN_KERNEL};
	struct cmd_job job;
	const char *path = NULL;
	int c, err = 0;

	while (!err && !r.help &&
	       (c = cmd_option(argc, argv, ":ho:", run_options)) != -1)
		err = run_option(&r, c, argv, f);
	if (r.help) {
		fputs(run_help, stdout);
		return 0;
	}
	if (!err)
		err = cmd_take_file(argc, argv, &path, f);
	if (err)
		return err;
	err = cmd_job_open(&job, path, r.qemu.cpus, r.qemu.memory, f);
	if (!err)
		err = run_machine(&r, &job, path, f);
	cmd_job_close(&job);
	return err;
}
