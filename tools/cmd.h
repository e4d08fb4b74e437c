/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The subcommands, and what they share. */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

#include "tools/payload.h"

#include <getopt.h>
#include <limits.h>

/* argv[0] is the subcommand's name. Each returns the program's exit code. */
int cmd_check(int argc, char **argv, struct fault *f);
int cmd_build(int argc, char **argv, struct fault *f);
int cmd_run(int argc, char **argv, struct fault *f);

/* A configuration with its files open. */
struct cmd_job {
	struct plan *plan;
	struct payloads files;
	uint64_t bundle_size;
};

/* cpus and memory: the machine's, 0 if unknown. End with cmd_job_close(),
 * after a failure too. */
int cmd_job_open(struct cmd_job *job, const char *path, unsigned cpus,
		 uint64_t memory, struct fault *f);
void cmd_job_close(struct cmd_job *job);
/* Where the bundle goes. out NULL: build/NAME.bundle, made from path. */
int cmd_job_bundle(const char *path, const char *out, char bundle[PATH_MAX],
		   struct fault *f);
/* Writes it there. */
int cmd_job_build(const struct cmd_job *job, const char *path, const char *out,
		  char bundle[PATH_MAX], struct fault *f);

/* Options. cmd_option() is getopt_long() for one subcommand; cmd_bad_option()
 * tells what was wrong when it returned '?' or ':'. */
int cmd_option(int argc, char **argv, const char *letters,
	       const struct option *options);
int cmd_bad_option(char **argv, int result, struct fault *f);
int cmd_take_cpus(const char *text, unsigned *cpus, struct fault *f);
int cmd_take_memory(const char *text, uint64_t *memory, struct fault *f);
/* The one argument that is left must be the configuration file. */
int cmd_take_file(int argc, char **argv, const char **path, struct fault *f);

#endif
