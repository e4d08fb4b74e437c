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
 *	{"window": 1, "ns": N, "exits": N,
 *	 "host": {"insns": N, "rep_bytes": N},
 *	 "guest": {"insns": N, "rep_bytes": N}, "functions": {"NAME": N}}
 *
 * A string instruction with a repeat prefix counts as one, and its bytes apart:
 * this emulator counts each of its rounds, a real CPU moves up to 64 bytes in
 * one. "functions" splits the host's instructions, for addresses in the symbol
 * table given with symbols=FILE ("nm -n", text only).
 *
 * QEMU translates straight runs of instructions. Such a block is counted when
 * it starts, at one call for it all: the slower the emulation, the more of the
 * NIC's interrupts, which the clock paces, fall to each packet. A block with an
 * instruction that a hypervisor intercepts is counted one by one, as it may be
 * left in its middle. A fault in the middle of another block leaves its rest
 * counted though not executed; faults are no part of a packet's way.
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
#include <time.h>

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
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  qemu_plugin_vcpu_udata_cb_t cb,
					  enum qemu_plugin_cb_flags flags,
					  void *data);
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
	INTERCEPTED, /* or may be */
	VMRUN,
	VMSAVE,
	MARKER,
};

/* Instructions that are executed together; lives as long as QEMU does. */
struct block {
	uint64_t address;  /* of the first */
	uint64_t last;	   /* of the last */
	uint16_t function; /* index in functions[] */
	uint16_t insns;
	uint8_t kind;	   /* enum kind; PLAIN where insns > 1 */
	uint8_t rep_bytes; /* of one round of the last; 0: no string insn */
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
	uint64_t ns; /* of a sum: the host's time when it was made */
	uint64_t functions[FUNCTIONS_MAX]; /* the host's instructions */
	enum mode mode;
	uint64_t resume; /* where guest mode ends: after the last VMRUN */
	uint64_t last;	 /* address of the instruction executed last */
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

	fprintf(out,
		"{\"window\": %u, \"ns\": %" PRIu64 ", \"exits\": %" PRIu64,
		marks / 2, to->ns - from->ns, to->exits - from->exits);
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
	struct timespec now;

	pthread_mutex_lock(&window_lock);
	memset(&sum, 0, sizeof(sum));
	for (unsigned i = 0; i < CPUS_MAX; i++)
		icnt_add(&sum, &cpus[i]);
	clock_gettime(CLOCK_MONOTONIC, &now);
	sum.ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	marks++;
	if (marks % 2)
		opened = sum;
	else
		icnt_print(&opened, &sum);
	pthread_mutex_unlock(&window_lock);
}

/* Runs before the instructions of the block. */
static void icnt_execute(unsigned index, void *data)
{
	const struct block *b = data;
	struct cpu *c = &cpus[index % CPUS_MAX];
	unsigned insns = b->insns;

	if (b->kind == VMSAVE && c->mode == GUEST && b->address == c->resume) {
		c->mode = HOST;
		c->exits++;
	}
	/* QEMU executes the same instruction again for each further round. */
	if (b->rep_bytes && insns == 1 && b->address == c->last)
		insns = 0;
	c->tally[c->mode].insns += insns;
	c->tally[c->mode].rep_bytes += b->rep_bytes;
	if (c->mode == HOST)
		c->functions[b->function] += insns;
	c->last = b->last;
	if (b->kind == VMRUN) {
		c->resume = b->address + 3;
		c->mode = GUEST;
	} else if (b->kind == MARKER) {
		icnt_mark();
	}
}

/* IN, OUT, INS, OUTS, RDMSR, WRMSR, CPUID (AMD APM 3, A.1), after prefixes. */
static bool icnt_intercepted(const uint8_t *code, size_t size)
{
	size_t i = 0;

	while (i + 1 < size && (code[i] == 0x66 || code[i] == 0xf3 ||
				(code[i] >= 0x40 && code[i] <= 0x4f)))
		i++;
	if (code[i] == 0x0f && i + 1 < size)
		return code[i + 1] == 0x30 || code[i + 1] == 0x32 ||
		       code[i + 1] == 0xa2;
	return (code[i] >= 0x6c && code[i] <= 0x6f) ||
	       (code[i] >= 0xe4 && code[i] <= 0xe7) ||
	       (code[i] >= 0xec && code[i] <= 0xef);
}

static enum kind icnt_kind(const uint8_t *code, size_t size)
{
	static const uint8_t vmrun[] = {0x0f, 0x01, 0xd8};
	static const uint8_t vmsave[] = {0x0f, 0x01, 0xdb};
	static const uint8_t marker[] = {0x66, 0x87, 0xdb};

	if (size == 3 && memcmp(code, vmrun, 3) == 0)
		return VMRUN;
	if (size == 3 && memcmp(code, vmsave, 3) == 0)
		return VMSAVE;
	if (size == 3 && memcmp(code, marker, 3) == 0)
		return MARKER;
	return icnt_intercepted(code, size) ? INTERCEPTED : PLAIN;
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

static void icnt_describe(struct block *b, struct qemu_plugin_insn *insn)
{
	const uint8_t *code = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn);

	b->address = b->last = qemu_plugin_insn_vaddr(insn);
	b->function = icnt_function(b->address);
	b->insns = 1;
	if (code && size && size <= INSN_SIZE_MAX) {
		b->kind = (uint8_t)icnt_kind(code, size);
		b->rep_bytes = icnt_rep_bytes(code, size);
	}
}

/*
 * QEMU does not say when it drops a translation, so what is allocated here is
 * never freed; some 30 MB in a run of the bench.
 */
static void icnt_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);
	struct block *blocks = calloc(count, sizeof(*blocks));
	bool together = true;

	if (!blocks)
		abort(); /* a count that leaves something out is worse */
	for (size_t i = 0; i < count; i++) {
		icnt_describe(&blocks[i], qemu_plugin_tb_get_insn(tb, i));
		if (blocks[i].kind != PLAIN ||
		    (blocks[i].rep_bytes && i + 1 < count))
			together = false;
	}
	for (size_t i = 0; i < count && !together; i++)
		qemu_plugin_register_vcpu_insn_exec_cb(
			qemu_plugin_tb_get_insn(tb, i), icnt_execute,
			QEMU_PLUGIN_CB_NO_REGS, &blocks[i]);
	if (together) {
		blocks[0].last = blocks[count - 1].last;
		blocks[0].rep_bytes = blocks[count - 1].rep_bytes;
		blocks[0].insns = (uint16_t)count;
		qemu_plugin_register_vcpu_tb_exec_cb(
			tb, icnt_execute, QEMU_PLUGIN_CB_NO_REGS, &blocks[0]);
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
