# Set-up, demonstration, tests, fuzzing, benches.

JOBS := $(shell nproc)
SUBMAKE := $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,\
	-j$(JOBS))

# The checks compile headers alone, with the flags of each build.
RUN := CC='$(CC)' KERNEL_CFLAGS='$(KERNEL_CFLAGS)' \
	NATIVE_CFLAGS='$(NATIVE_CFLAGS)' TOOL_CFLAGS='$(TOOL_CFLAGS)' \
	GUEST_CFLAGS='$(PAYLOAD_CFLAGS)' $(PYTHON) tests/run.py

##   make setup      install the Debian packages that are missing
setup:
	@mk/setup.sh

##   make demo       two Debian VMs prove the network path; a report
demo: setup
	@$(SUBMAKE) all guests
	@$(PYTHON) demo/demo.py

##   make test       build and run every test
test: setup
	@$(RUN) build check unit fuzz system

##   make check      headers, includes, format, manual
check: tool policy
	@$(RUN) check

##   make unit       native unit tests, ASan and UBSan
unit:
	@$(RUN) unit

##   make system     payload guests and Debian VMs in QEMU
system:
	@$(SUBMAKE) all guests
	@$(RUN) system

##   make fuzz T=60  all fuzzers, T seconds in all
T_SECONDS := $(if $(findstring command,$(origin T)),$(T),60)
fuzz: setup
	@$(RUN) fuzz $(T_SECONDS)

# Everything compiled, nothing linked over ./sluice: for a second compiler.
objects: $(TOOL_O) $(N)/libsluice.a $(TOOL_TEST_O) $(UNIT_BIN:=.o)

units: $(UNIT_BIN)
unit-list:
	@echo $(UNIT_BIN)

# Fuzzers: the native sources again, by clang, with coverage.
F := $(BUILD)/fuzz
FUZZ_CC := clang
FUZZ_CFLAGS := $(NATIVE_CFLAGS) -fsanitize=fuzzer-no-link
FUZZ_BIN := $(patsubst %.c,$(F)/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SHARED_O := $(SHARED_O:$(N)/%=$(F)/%)
FUZZ_TOOL_O := $(TOOL_TEST_O:$(N)/%=$(F)/%)

$(F)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $< (fuzz)"
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -c $< -o $@
$(F)/libsluice.a: $(FUZZ_SHARED_O) $(FUZZ_TOOL_O)
	@rm -f $@
	@ar rcs $@ $^
$(F)/tests/fuzz/%: $(F)/tests/fuzz/%.o $(F)/libsluice.a
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(TOOL_LIBS)

fuzzers: $(FUZZ_BIN)
fuzz-list:
	@echo $(FUZZ_BIN)

-include $(FUZZ_SHARED_O:.o=.d) $(FUZZ_TOOL_O:.o=.d) $(FUZZ_BIN:=.d)

.PHONY: setup demo test check unit system fuzz objects units unit-list \
	fuzzers fuzz-list
