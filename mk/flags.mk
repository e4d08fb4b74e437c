# Compilers and flags. `make CC=clang` builds everything with clang.

CC := gcc
PYTHON := /usr/bin/python3

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wno-unused-parameter
COMMON := -std=c17 -g -O2 $(WARN) -I. -Iinclude -MMD -MP \
	-fno-strict-aliasing -fno-omit-frame-pointer

ifneq (,$(findstring clang,$(CC)))
RETPOLINE := -mretpoline-external-thunk
else
RETPOLINE := -mindirect-branch=thunk-extern -mindirect-branch-register
endif

# Ring 0: no red zone, no vector registers (they hold a guest's values),
# stack canary at %gs:40 (struct cpu).
KERNEL_CFLAGS := $(COMMON) -Iplat/kernel -ffreestanding -fno-pic \
	-mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fstack-protector-strong -fcf-protection=none \
	-fno-asynchronous-unwind-tables -ffunction-sections $(RETPOLINE)
KERNEL_AFLAGS := -I. -Iinclude -Iplat/kernel -g -MMD -MP -D__ASSEMBLER__

# The same sources in a Linux process, checked as hard as the compiler can.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
NATIVE_CFLAGS := $(COMMON) -Iplat/linux -D_GNU_SOURCE -DLOCK_CHECK $(SANITIZE)
TOOL_CFLAGS := $(COMMON) -Iplat/linux -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 \
	-fstack-protector-strong
