/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU plugin: instructions of guest and VMkernel between two markers. */

/*
 * A guest's and the VMkernel's addresses overlap, so an address does not say
 * whose instruction it is; the flow does. An emulated CPU is in guest mode from
 * VMRUN to the instruction after it, which in svm_run_guest() is a VMSAVE.
 * Where no VMRUN is ever executed, everything counts as the "host's".
 *
 * A program in the guest brackets what is to be measured with the marker
 * instruction "xchg %bx,%bx". At every second marker one line of JSON tells
 * what was executed since the first one:
 *
 *	{"window": 1, "exits": N, "guest": {"insns": N, "rep_bytes": N},
 *	 "host": {"insns": N, "rep_bytes": N}, "functions": {"NAME": N, ...}}
 *
 * A string instruction with a repeat prefix counts as one, and its bytes apart:
 * this emulator counts each of its rounds, a real CPU moves up to 64 bytes in
 * one. "functions" splits the host's instructions, for addresses in the symbol
 * table given with symbols=FILE ("nm -n", text only).
 *
 * Counters are per emulated CPU, since callbacks of several CPUs run at once.
 * The sum at a marker is exact with one CPU; with more, the others run on while
 * it is made.
 */

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What we use of QEMU's plugin interface, version 1; Debian has no package with
 * its header (qemu-plugin.h).
 */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;

enum qemu_plugin_cb_flags {
	QEMU_PLUGIN_CB_NO_REGS,
};

typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id,
					       struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned cpu, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   qemu_plugin_vcpu_tb_trans_cb_t cb);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_vcpu_udata_cb_t cb,
					    enum qemu_plugin_cb_flags flags,
					    void *data);

#define EXPORT __attribute__((visibility("default")))

extern int qemu_plugin_version;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
			int argc, char **argv);

EXPORT int qemu_plugin_version = 1;

#define CPUS_MAX      16u
#define FUNCTIONS_MAX 4096u /* the VMkernel has some 700 */
#define INSN_SIZE_MAX 15u   /* AMD APM 3, 1.1 */

enum kind {
	PLAIN,
	VMRUN,
	VMSAVE,
	MARKER,
};

/* An instruction as translated; lives as long as QEMU does. */
struct insn {
	uint64_t address;
	uint16_t function; /* index in functions[] */
	uint8_t kind;	   /* enum kind */
	uint8_t rep_bytes; /* of one round; 0: no repeated string insn */
};

struct tally {
	uint64_t insns;
	uint64_t rep_bytes;
};

enum mode {
	HOST,
	GUEST,
	MODES
};

/* What one emulated CPU has done since QEMU's start. */
struct cpu {
	struct tally tally[MODES];
	uint64_t exits;
	uint64_t functions[FUNCTIONS_MAX]; /* the host's instructions */
	enum mode mode;
	uint64_t resume; /* where guest mode ends: after the last VMRUN */
	uint64_t last;	 /* address of the instruction before this one */
};

struct function {
	uint64_t address;
	char name[64];
};

static struct cpu cpus[CPUS_MAX];

/* functions[0] is for all other addresses; the last one only ends the text. */
static struct function functions[FUNCTIONS_MAX] = {{.name = "(elsewhere)"}};
static unsigned function_count = 1;

static pthread_mutex_t window_lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *out;
static struct cpu opened; /* window_lock: the sum at the first marker */
static unsigned marks;	  /* window_lock */

static void icnt_add(struct cpu *sum, const struct cpu *c)
{
	for (unsigned m = 0; m < MODES; m++) {
		sum->tally[m].insns += c->tally[m].insns;
		sum->tally[m].rep_bytes += c->tally[m].rep_bytes;
	}
	sum->exits += c->exits;
	for (unsigned i = 0; i < function_count; i++)
		sum->functions[i] += c->functions[i];
}

static void icnt_print(const struct cpu *from, const struct cpu *to)
{
	static const char *const names[MODES] = {"host", "guest"};
	const char *separator = "";

	fprintf(out, "{\"window\": %u, \"exits\": %" PRIu64, marks / 2,
		to->exits - from->exits);
	for (unsigned m = 0; m < MODES; m++)
		fprintf(out,
			", \"%s\": {\"insns\": %" PRIu64
			", \"rep_bytes\": %" PRIu64 "}",
			names[m], to->tally[m].insns - from->tally[m].insns,
			to->tally[m].rep_bytes - from->tally[m].rep_bytes);
	fprintf(out, ", \"functions\": {");
	for (unsigned i = 0; i < function_count; i++) {
		uint64_t n = to->functions[i] - from->functions[i];

		if (!n)
			continue;
		fprintf(out, "%s\"%s\": %" PRIu64, separator, functions[i].name,
			n);
		separator = ", ";
	}
	fprintf(out, "}}\n");
	fflush(out);
}

/* The sums are static: too large for the stack of one of QEMU's threads. */
static void icnt_mark(void)
{
	static struct cpu sum;

	pthread_mutex_lock(&window_lock);
	memset(&sum, 0, sizeof(sum));
	for (unsigned i = 0; i < CPUS_MAX; i++)
		icnt_add(&sum, &cpus[i]);
	marks++;
	if (marks % 2)
		opened = sum;
	else
		icnt_print(&opened, &sum);
	pthread_mutex_unlock(&window_lock);
}

/* Runs before each instruction. */
static void icnt_execute(unsigned index, void *data)
{
	const struct insn *insn = data;
	struct cpu *c = &cpus[index % CPUS_MAX];

	if (insn->kind == VMSAVE && c->mode == GUEST &&
	    insn->address == c->resume) {
		c->mode = HOST;
		c->exits++;
	}
	c->tally[c->mode].rep_bytes += insn->rep_bytes;
	/* QEMU executes the same instruction again for each further round. */
	if (!insn->rep_bytes || insn->address != c->last) {
		c->tally[c->mode].insns++;
		if (c->mode == HOST)
			c->functions[insn->function]++;
	}
	c->last = insn->address;
	if (insn->kind == VMRUN) {
		c->resume = insn->address + 3;
		c->mode = GUEST;
	} else if (insn->kind == MARKER) {
		icnt_mark();
	}
}

static enum kind icnt_kind(const uint8_t *code, size_t size)
{
	static const uint8_t vmrun[] = {0x0f, 0x01, 0xd8};
	static const uint8_t vmsave[] = {0x0f, 0x01, 0xdb};
	static const uint8_t marker[] = {0x66, 0x87, 0xdb};

	if (size != 3)
		return PLAIN;
	if (memcmp(code, vmrun, 3) == 0)
		return VMRUN;
	if (memcmp(code, vmsave, 3) == 0)
		return VMSAVE;
	return memcmp(code, marker, 3) == 0 ? MARKER : PLAIN;
}

/*
 * Bytes one round of a repeated MOVS, STOS, or LODS touches; 0 for all other
 * instructions. 64-bit and 32-bit code is assumed (AMD APM 3, 1.2): the few
 * 16-bit instructions of a boot are in no window.
 */
static uint8_t icnt_rep_bytes(const uint8_t *code, size_t size)
{
	bool rep = false, word = false, quad = false;
	size_t i = 0;

	for (; i < size; i++) {
		if (code[i] == 0xf2 || code[i] == 0xf3)
			rep = true;
		else if (code[i] == 0x66)
			word = true;
		else if (code[i] >= 0x40 && code[i] <= 0x4f)
			quad = code[i] & 8;
		else if (code[i] != 0x67)
			break;
	}
	if (!rep || i + 1 != size)
		return 0;
	switch (code[i]) {
	case 0xa4: /* MOVSB */
	case 0xaa: /* STOSB */
	case 0xac: /* LODSB */
		return 1;
	case 0xa5:
	case 0xab:
	case 0xad:
		return quad ? 8 : word ? 2 : 4;
	default:
		return 0;
	}
}

/* The function that the address lies in; 0 when in none. */
static uint16_t icnt_function(uint64_t address)
{
	unsigned low = 0, high = function_count;

	if (function_count < 3 || address < functions[1].address ||
	    address >= functions[function_count - 1].address)
		return 0;
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (functions[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return (uint16_t)low;
}

/*
 * QEMU does not say when it drops a translation, so what is allocated here is
 * never freed; some 10 MB in a run of the bench.
 */
static void icnt_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	struct insn *insns = calloc(count, sizeof(*insns));

	if (!insns)
		abort(); /* a count that leaves something out is worse */
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *q = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *code = qemu_plugin_insn_data(q);
		size_t size = qemu_plugin_insn_size(q);

		insns[i].address = qemu_plugin_insn_vaddr(q);
		insns[i].function = icnt_function(insns[i].address);
		if (code && size <= INSN_SIZE_MAX) {
			insns[i].kind = (uint8_t)icnt_kind(code, size);
			insns[i].rep_bytes = icnt_rep_bytes(code, size);
		}
		qemu_plugin_register_vcpu_insn_exec_cb(
			q, icnt_execute, QEMU_PLUGIN_CB_NO_REGS, &insns[i]);
	}
}

/* Reads lines "ADDRESS TYPE NAME", by address. */
static int icnt_read_symbols(const char *path)
{
	FILE *f = fopen(path, "r");
	struct function next;
	char type;

	if (!f) {
		perror(path);
		return -1;
	}
	while (function_count < FUNCTIONS_MAX &&
	       fscanf(f, "%" SCNx64 " %c %63s", &next.address, &type,
		      next.name) == 3)
		functions[function_count++] = next;
	fclose(f);
	if (function_count == FUNCTIONS_MAX) {
		fprintf(stderr, "icnt: %s: more than %u symbols\n", path,
			FUNCTIONS_MAX - 2);
		return -1;
	}
	return 0;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
			       const struct qemu_info_t *info, int argc,
			       char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0) {
			out = fopen(argv[i] + 4, "w");
			if (!out) {
				perror(argv[i] + 4);
				return -1;
			}
		} else if (strncmp(argv[i], "symbols=", 8) == 0) {
			if (icnt_read_symbols(argv[i] + 8))
				return -1;
		} else {
			fprintf(stderr, "icnt: unknown argument %s\n", argv[i]);
			return -1;
		}
	}
	if (!out) {
		fprintf(stderr, "icnt: needs out=FILE\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, icnt_translate);
	return 0;
}
