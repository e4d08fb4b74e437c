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

##   make mutants    take checks out, one by one: a test must fail for each
mutants: setup
	@$(PYTHON) tests/mutants.py

.PHONY: mutants

##   make system     payload guests and Debian VMs in QEMU
system:
	@$(SUBMAKE) all guests
	@$(RUN) system

##   make fuzz T=60  every fuzzer for T seconds each, one for each CPU at a time
##                   (FUZZ="pci yaml": only these; FUZZ_JOBS=8: so many at once)
T_SECONDS := $(if $(findstring command,$(origin T)),$(T),60)
fuzz: setup
	@FUZZ='$(FUZZ)' FUZZ_JOBS='$(FUZZ_JOBS)' $(RUN) fuzz $(T_SECONDS)

# Everything compiled, nothing linked over ./sluice: for a second compiler.
objects: $(TOOL_O) $(N)/libsluice.a $(TOOL_TEST_O) $(UNIT_BIN:=.o)

units: $(UNIT_BIN)
unit-list:
	@echo $(UNIT_BIN)

# Fuzzers: the native sources again, by clang, with coverage. And once more
# without sanitizers, counting lines. Static pattern rules: see mk/native.mk.
F := $(BUILD)/fuzz
C := $(BUILD)/cover
FUZZ_CC := clang
# A MAC table of few buckets: full ones are what is of interest, and clearing a
# large one for every input takes most of the time.
FUZZ_SIZES := -DMACTABLE_BUCKETS_SHIFT=2
FUZZ_CFLAGS := $(NATIVE_CFLAGS) $(FUZZ_SIZES) -fsanitize=fuzzer-no-link \
	-fsanitize-coverage-ignorelist=tests/fuzz/uncounted.txt
COVER_CFLAGS := $(filter-out $(SANITIZE),$(NATIVE_CFLAGS)) \
	$(FUZZ_SIZES) -fprofile-instr-generate -fcoverage-mapping
FUZZ_C := $(wildcard tests/fuzz/*_fuzz.c)
FUZZ_LIB_C := $(filter-out lib/string.c tools/main.c,$(SHARED_C) \
	$(wildcard tools/*.c))
FUZZ_LIBS := $(TOOL_LIBS) -lZydis
FUZZ_BIN := $(FUZZ_C:%.c=$(F)/%)
COVER_BIN := $(FUZZ_C:%.c=$(C)/%)
FUZZ_CHOSEN := $(if $(FUZZ),$(FUZZ:%=$(F)/tests/fuzz/%_fuzz),$(FUZZ_BIN))

$(F)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $< (fuzz)"
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -c $< -o $@
$(C)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $< (coverage)"
	@$(FUZZ_CC) $(COVER_CFLAGS) -c $< -o $@
$(F)/libsluice.a: $(FUZZ_LIB_C:%.c=$(F)/%.o)
$(C)/libsluice.a: $(FUZZ_LIB_C:%.c=$(C)/%.o)
$(F)/libsluice.a $(C)/libsluice.a:
	@rm -f $@
	@ar rcs $@ $^
$(FUZZ_BIN): %: %.o $(F)/libsluice.a
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)
$(COVER_BIN): %: %.o $(C)/libsluice.a
	@$(FUZZ_CC) $(COVER_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)

##   make fuzz-corpus    keep in tests/fuzz/corpus what fuzzing has found
fuzz-corpus: fuzzers
	@$(PYTHON) tests/fuzz/fuzzing.py merge $(FUZZ_CHOSEN)

##   make fuzz-seeds     first inputs for formats, into build/fuzz/corpus
fuzz-seeds:
	@$(PYTHON) tests/fuzz/seeds.py $(F)/corpus

##   make fuzz-coverage  which lines of each parser the inputs reach
fuzz-coverage: $(COVER_BIN)
	@$(PYTHON) tests/fuzz/coverage.py $(C) $(COVER_BIN)

fuzzers: $(FUZZ_BIN)
fuzz-list:
	@echo $(FUZZ_BIN)

-include $(foreach b,$(F) $(C),$(FUZZ_LIB_C:%.c=$(b)/%.d) $(FUZZ_C:%.c=$(b)/%.d))

.PHONY: setup demo test check unit system fuzz fuzz-corpus \
	fuzz-seeds fuzz-coverage objects units unit-list fuzzers fuzz-list
