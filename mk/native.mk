# The sluice command, and the shared sources as a Linux library for the tests.

N := $(BUILD)/native
T := $(BUILD)/tool

# What both builds share; see ARCHITECTURE.md.
SHARED_C := $(wildcard lib/*.c plat/*.c plat/linux/*.c vswitch/*.c \
	drivers/net/*.c vmm/dev/*.c vmm/load/*.c) \
	$(wildcard vmm/decode.c vmm/emulate*.c vmm/guest_walk.c vmm/acpi.c \
	vmm/cpuid.c vmm/msr_policy.c vmm/cr.c vmkernel/boot/acpi.c \
	vmkernel/boot/boot_info.c vmkernel/boot/multiboot2.c \
	vmkernel/console/console.c vmkernel/console/filter.c \
	vmkernel/console/report_port.c \
	vmkernel/sched/wheel.c)
TOOL_C := $(wildcard tools/*.c) $(wildcard lib/*.c)
TOOL_LIBS := -lcyaml -lyaml

$(N)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $< (native)"
	@$(CC) $(NATIVE_CFLAGS) -c $< -o $@

$(T)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $< (tool)"
	@$(CC) $(TOOL_CFLAGS) -c $< -o $@

# lib/string.c is the kernel's libc; a Linux process has one.
SHARED_O := $(patsubst %.c,$(N)/%.o,$(filter-out lib/string.c,$(SHARED_C)))
TOOL_O := $(patsubst %.c,$(T)/%.o,$(filter-out lib/string.c,$(TOOL_C)))

# The list above is a prerequisite too: with .SECONDARY, make does not miss an
# object that was never built if its source is older than the archive.
$(N)/libsluice.a: $(SHARED_O) mk/native.mk
	@rm -f $@
	@ar rcs $@ $(SHARED_O)

sluice: $(TOOL_O)
	@echo "  LD    $@"
	@$(CC) $(TOOL_CFLAGS) -o $@ $(TOOL_O) $(TOOL_LIBS)

tool: sluice

# Unit tests: tests/unit/A/B_test.c checks A/B.c; one program each.
UNIT_C := $(wildcard tests/unit/*_test.c tests/unit/*/*_test.c \
	tests/unit/*/*/*_test.c)
UNIT_BIN := $(UNIT_C:%.c=$(N)/%)
# The tool's own sources, for its tests; main.c stays out.
TOOL_TEST_O := $(patsubst %.c,$(N)/%.o,$(filter-out tools/main.c,\
	$(wildcard tools/*.c)))

# Static pattern rules: make would prefer the general rule further down, whose
# prerequisites it has heard of.
$(filter $(N)/tests/unit/tools/%,$(UNIT_BIN)): $(N)/%: $(N)/%.o \
		$(TOOL_TEST_O) $(N)/libsluice.a
	@$(CC) $(NATIVE_CFLAGS) -o $@ $^ -lcmocka $(TOOL_LIBS)
# A NIC played in software; benches and fuzzers may link it as well.
FAKE_NIC_O := $(N)/tests/unit/drivers/net/fake_82574.o
NIC_TEST_O := $(FAKE_NIC_O) $(N)/tests/unit/drivers/net/e1000e_fixture.o
$(filter $(N)/tests/unit/drivers/net/%,$(UNIT_BIN)): $(N)/%: $(N)/%.o \
		$(NIC_TEST_O) $(N)/libsluice.a
	@$(CC) $(NATIVE_CFLAGS) -o $@ $^ -lcmocka
$(N)/tests/unit/%_test: $(N)/tests/unit/%_test.o $(N)/libsluice.a
	@$(CC) $(NATIVE_CFLAGS) -o $@ $^ -lcmocka -lZydis

-include $(SHARED_O:.o=.d) $(TOOL_O:.o=.d) $(UNIT_BIN:=.d) $(TOOL_TEST_O:.o=.d) \
	$(NIC_TEST_O:.o=.d)

.PHONY: tool

# Documents that are made from the sources.
$(N)/policy: docs/policy.c $(N)/libsluice.a
	@mkdir -p $(@D)
	@$(CC) $(NATIVE_CFLAGS) -o $@ $< $(N)/libsluice.a
policy: $(N)/policy
##   make docs/policy.md  the CPUID and MSR policy, from the tables
docs/policy.md: $(N)/policy
	@$< >$@

.PHONY: policy
