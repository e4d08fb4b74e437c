# SPDX-License-Identifier: GPL-2.0-or-later
# Sluice. `make demo` and `make test` are the two commands; `make help` lists all.

BUILD := build
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

all: kernel tool

include mk/flags.mk
include mk/kernel.mk
include mk/native.mk
include mk/guest.mk
include mk/test.mk
include mk/bench.mk

help:
	@sed -n 's/^##   //p' Makefile mk/*.mk

##   make            build the kernel and the sluice command
##   make clean      remove build/
clean:
	rm -rf $(BUILD) sluice

.PHONY: all help clean
