# The hypervisor: one ELF, build/sluice.elf.

KERNEL := $(BUILD)/sluice.elf
K := $(BUILD)/kernel

KERNEL_C := $(wildcard lib/*.c plat/*.c plat/kernel/*.c vswitch/*.c \
	drivers/net/*.c vmm/dev/*.c vmm/*.c vmm/load/*.c vmm/svm/*.c \
	vmm/vmx/*.c vmkernel/*/*.c)
KERNEL_S := $(wildcard vmm/*.S vmm/svm/*.S vmm/vmx/*.S vmkernel/*/*.S lib/*.S)
KERNEL_O := $(KERNEL_C:%.c=$(K)/%.o) $(KERNEL_S:%.S=$(K)/%.S.o)

$(K)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(KERNEL_CFLAGS) -c $< -o $@

$(K)/%.S.o: %.S
	@mkdir -p $(@D)
	@echo "  AS    $<"
	@$(CC) $(KERNEL_AFLAGS) -c $< -o $@

# The guest's DSDT, compiled and embedded by vmm/dsdt.S.
$(K)/vmm/dsdt.aml: vmm/dsdt.asl
	@mkdir -p $(@D)
	@echo "  IASL  $<"
	@iasl -vs -p $(K)/vmm/dsdt $< >$(K)/vmm/dsdt.log 2>&1 || \
		{ cat $(K)/vmm/dsdt.log; exit 1; }
$(K)/vmm/dsdt.S.o: $(K)/vmm/dsdt.aml
$(K)/vmm/dsdt.S.o: KERNEL_AFLAGS += -Wa,-I$(K)/vmm

LDFLAGS := -nostdlib -static -no-pie -z noexecstack -z max-page-size=4096 \
	--no-warn-rwx-segments --gc-sections --build-id=none
LDS := vmkernel/boot/sluice.lds

# Linked twice: the second time with the first's symbol table, for backtraces.
$(K)/pass1.elf: $(KERNEL_O) $(LDS)
	@ld $(LDFLAGS) -T $(LDS) -o $@ $(KERNEL_O)
$(K)/ksyms.S: $(K)/pass1.elf mk/ksyms.awk
	@nm -n $< | awk -f mk/ksyms.awk >$@
$(K)/ksyms.o: $(K)/ksyms.S
	@$(CC) -c $< -o $@
$(KERNEL): $(KERNEL_O) $(K)/ksyms.o $(LDS)
	@echo "  LD    $@"
	@ld $(LDFLAGS) -T $(LDS) -o $@ $(KERNEL_O) $(K)/ksyms.o

kernel: $(KERNEL)

-include $(KERNEL_O:.o=.d)

.PHONY: kernel
