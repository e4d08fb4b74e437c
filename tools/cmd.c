/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the subcommands share, and the two short ones. */
#include "tools/cmd.h"
#include "tools/image.h"
#include "tools/machine.h"
#include "tools/qemu.h"
#include "tools/value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char check_help[] =
	"usage: sluice check [--cpus N] [--memory SIZE] FILE.yaml\n"
	"\n"
	"Checks a configuration and the files it names, and prints a summary\n"
	"or the first error. Paths in the file start at the current "
	"directory.\n"
	"\n"
	"  --cpus N        would it run on a machine with N CPUs\n"
	"  --memory SIZE   and this much memory (512M, 4G)?\n"
	"  -h, --help      this text\n";

static const char build_help[] =
	"usage: sluice build [-o FILE] FILE.yaml\n"
	"\n"
	"Checks a configuration and writes the bundle that the hypervisor\n"
	"boots with, as its initrd. Paths in the file start at the current\n"
	"directory.\n"
	"\n"
	"  -o, --output FILE   write the bundle there\n"
	"                      (default: build/NAME.bundle for NAME.yaml)\n"
	"  -h, --help          this text\n";

/* ---- options ---- */

int cmd_option(int argc, char **argv, const char *letters,
	       const struct option *options)
{
	opterr = 0; /* we have our own messages */
	return getopt_long(argc, argv, letters, options, NULL);
}

int cmd_bad_option(char **argv, int result, struct fault *f)
{
	if (result == ':')
		return fault_usage(f,
				   "option '%s' needs a value; see 'sluice %s "
				   "--help'",
				   argv[optind - 1], argv[0]);
	if (optopt && optopt < 0x7f && argv[optind - 1][1] != '-')
		return fault_usage(f,
				   "unknown option '-%c'; see 'sluice %s "
				   "--help'",
				   optopt, argv[0]);
	return fault_usage(f, "unknown option '%s'; see 'sluice %s --help'",
			   argv[optind - 1], argv[0]);
}

int cmd_take_cpus(const char *text, unsigned *cpus, struct fault *f)
{
	uint64_t number;

	if (!value_parse_number(text, 1, QEMU_CPUS_MAX, &number))
		return fault_usage(f, "--cpus: '%s' is no number from 1 to %u",
				   text, QEMU_CPUS_MAX);
	*cpus = (unsigned)number;
	return 0;
}

int cmd_take_memory(const char *text, uint64_t *memory, struct fault *f)
{
	if (!value_parse_size(text, memory) || *memory < MiB(1))
		return fault_usage(f,
				   "--memory: '%s' is no memory size; write it "
				   "like this: 512M or 4G",
				   text);
	return 0;
}

int cmd_take_file(int argc, char **argv, const char **path, struct fault *f)
{
	if (argc == optind)
		return fault_usage(f,
				   "which configuration file? See 'sluice %s "
				   "--help'",
				   argv[0]);
	if (argc > optind + 1)
		return fault_usage(f,
				   "one configuration file at a time; what is "
				   "'%s'?",
				   argv[optind + 1]);
	*path = argv[optind];
	return 0;
}

/* ---- a configuration with its files ---- */

int cmd_job_open(struct cmd_job *job, const char *path, unsigned cpus,
		 uint64_t memory, struct fault *f)
{
	int err;

	*job = (struct cmd_job){0};
	err = plan_load(&job->plan, path, f);
	if (!err)
		err = payloads_open(&job->files, job->plan, f);
	if (err)
		return err;
	job->bundle_size = image_size(job->plan, &job->files);
	return machine_check(job->plan, cpus, memory, job->bundle_size, f);
}

void cmd_job_close(struct cmd_job *job)
{
	payloads_close(&job->files);
	if (job->plan)
		plan_free(job->plan);
}

/* build/NAME.bundle for any/where/NAME.yaml. */
int cmd_job_bundle(const char *path, const char *out, char bundle[PATH_MAX],
		   struct fault *f)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	int length =
		(int)(dot && dot != name ? (size_t)(dot - name) : strlen(name));
	int n = out ? snprintf(bundle, PATH_MAX, "%s", out)
		    : snprintf(bundle, PATH_MAX, "build/%.*s.bundle", length,
			       name);

	if (n >= PATH_MAX)
		return fault_usage(f, "the bundle's path is too long");
	return 0;
}

int cmd_job_build(const struct cmd_job *job, const char *path, const char *out,
		  char bundle[PATH_MAX], struct fault *f)
{
	int err = cmd_job_bundle(path, out, bundle, f);

	if (err)
		return err;
	if (!out && mkdir("build", 0777) != 0 && errno != EEXIST)
		return fault_trouble(f, "build: %s; name a file with -o",
				     strerror(errno));
	return image_write(job->plan, &job->files, bundle, f);
}

/* ---- check ---- */

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void check_summary(const struct cmd_job *job, const char *path)
{
	const struct sluice_config *c = &job->plan->config;
	char memory[VALUE_SIZE_TEXT];
	unsigned cpus = 0;

	for (uint32_t i = 0; i < c->vm_count; i++)
		cpus += job->plan->vms[i].cpus;
	printf("%s: good: %u VM%s with %u CPU%s, %s of memory and %u NIC%s; "
	       "%u uplink%s; %u file%s for a bundle of %llu MiB\n",
	       path, c->vm_count, plural(c->vm_count), cpus, plural(cpus),
	       value_format_size(machine_vm_memory(job->plan), memory),
	       c->nic_count, plural(c->nic_count), c->uplink_count,
	       plural(c->uplink_count), job->files.count,
	       plural(job->files.count),
	       (unsigned long long)((job->bundle_size + MiB(1) - 1) >> 20));
}

int cmd_check(int argc, char **argv, struct fault *f)
{
	static const struct option options[] = {
		{"cpus", required_argument, NULL, 'c'},
		{"memory", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *path = NULL;
	uint64_t memory = 0;
	unsigned cpus = 0;
	struct cmd_job job;
	int c, err = 0;

	while (!err && (c = cmd_option(argc, argv, ":h", options)) != -1) {
		switch (c) {
		case 'c':
			err = cmd_take_cpus(optarg, &cpus, f);
			break;
		case 'm':
			err = cmd_take_memory(optarg, &memory, f);
			break;
		case 'h':
			fputs(check_help, stdout);
			return 0;
		default:
			err = cmd_bad_option(argv, c, f);
		}
	}
	if (!err)
		err = cmd_take_file(argc, argv, &path, f);
	if (err)
		return err;
	err = cmd_job_open(&job, path, cpus, memory, f);
	if (!err)
		check_summary(&job, path);
	cmd_job_close(&job);
	return err;
}

/* ---- build ---- */

int cmd_build(int argc, char **argv, struct fault *f)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *path = NULL, *out = NULL;
	char bundle[PATH_MAX];
	struct cmd_job job;
	int c, err = 0;

	while (!err && (c = cmd_option(argc, argv, ":ho:", options)) != -1) {
		switch (c) {
		case 'o':
			out = optarg;
			break;
		case 'h':
			fputs(build_help, stdout);
			return 0;
		default:
			err = cmd_bad_option(argv, c, f);
		}
	}
	if (!err)
		err = cmd_take_file(argc, argv, &path, f);
	if (err)
		return err;
	err = cmd_job_open(&job, path, 0, 0, f);
	if (!err)
		err = cmd_job_build(&job, path, out, bundle, f);
	if (!err)
		printf("%s: %u VM%s, %u file%s, %llu bytes\n", bundle,
		       job.plan->config.vm_count,
		       plural(job.plan->config.vm_count), job.files.count,
		       plural(job.files.count),
		       (unsigned long long)job.bundle_size);
	cmd_job_close(&job);
	return err;
}
