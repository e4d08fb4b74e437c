/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plat contract in a Linux process: memory, clock, log, panic. */
#include "plat/linux/linux.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S  1000000000ull
#define LINE_SIZE 512

_Thread_local unsigned plat_linux_cpu;
void (*plat_linux_log_hook)(enum log_level level, const char *area,
			    const char *line);
void (*plat_linux_panic_hook)(const char *message);

static unsigned linux_cpu_count = 1;
static uint64_t linux_time_ns;
static enum log_level linux_log_level = LOG_ERROR;
static _Atomic int linux_alloc_left = -1;
static _Atomic size_t linux_allocated;

void plat_linux_set_cpu(unsigned cpu)
{
	ASSERT(cpu < PLAT_CPUS_MAX);
	plat_linux_cpu = cpu;
}

void plat_linux_set_cpu_count(unsigned count)
{
	linux_cpu_count = count;
}

unsigned plat_cpu_count(void)
{
	return linux_cpu_count;
}

void plat_linux_fail_alloc(int count)
{
	linux_alloc_left = count;
}

size_t plat_linux_allocated(void)
{
	return linux_allocated;
}

void *plat_alloc(size_t size, size_t align)
{
	void *ptr;

	if (linux_alloc_left == 0)
		return NULL;
	if (linux_alloc_left > 0)
		linux_alloc_left--;
	/* Of the exact size, so that ASan sees the first byte past it. */
	if (posix_memalign(&ptr, MAX(align, (size_t)16), size))
		return NULL;
	memset(ptr, 0, size);
	linux_allocated += size;
	return ptr;
}

void plat_free(void *ptr, size_t size)
{
	if (!ptr)
		return;
	linux_allocated -= size;
	free(ptr);
}

iova_t plat_dma_addr(const void *ptr)
{
	return IOVA((uintptr_t)ptr);
}

void plat_linux_set_time(uint64_t now_ns)
{
	linux_time_ns = now_ns;
}

uint64_t plat_now_ns(void)
{
	struct timespec ts;

	if (linux_time_ns)
		return linux_time_ns;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void plat_linux_set_log_level(enum log_level level)
{
	linux_log_level = level;
}

void plat_log(enum log_level level, const char *area, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (plat_linux_log_hook)
		plat_linux_log_hook(level, area, line);
	else if (level <= linux_log_level)
		fprintf(stderr, "%s: %s\n", area, line);
}

void plat_panic(const char *fmt, ...)
{
	char message[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (plat_linux_panic_hook)
		plat_linux_panic_hook(message);
	fprintf(stderr, "panic: %s\n", message);
	abort();
}
