# The guests: stock Debian kernels with initramfs images (the demo, the tests),
# and the payload kernels that check the hypervisor from inside.

G := $(BUILD)/guest

IPXE := $(G)/ipxe/boot/ipxe.lkrn
MEMTEST := $(G)/memtest/boot/memtest86+x64.bin

##   make guests     fetch and build what the demo and the tests boot
guests: $(G)/vmlinuz $(G)/web.cpio.gz $(G)/client.cpio.gz $(G)/wire.cpio.gz \
	$(G)/generic.cpio.gz $(G)/cloud.cpio.gz $(IPXE) $(MEMTEST) payloads

# Fetched once; `rm build/guest/vmlinuz` to take the mirror's newest.
$(G)/vmlinuz:
	@demo/guest/fetch_kernel.sh $(G) linux-image-amd64
$(G)/cloud/vmlinuz:
	@demo/guest/fetch_kernel.sh $(G)/cloud linux-image-cloud-amd64

$(IPXE):
	@demo/guest/fetch.sh $(G)/ipxe ipxe ./boot/$(@F)
$(MEMTEST):
	@demo/guest/fetch.sh $(G)/memtest memtest86+ ./boot/$(@F)

$(G)/data/sums: demo/guest/data.py
	@$(PYTHON) $< $(G)/data

INITRAMFS := demo/guest/initramfs.py
INITRAMFS_COMMON := --modules-from $(G)/kernel \
	--module virtio_pci --module virtio_net --program iperf3 \
	--file demo/guest/lib.sh=etc/lib.sh \
	--file demo/guest/udhcpc.sh=etc/udhcpc.sh:755 \
	--file $(G)/data/sums=etc/sums
INITRAMFS_DEPS := $(INITRAMFS) demo/guest/lib.sh demo/guest/udhcpc.sh \
	$(G)/data/sums $(G)/vmlinuz

$(G)/web.cpio.gz: demo/guest/web.sh demo/guest/poweroff.cgi $(INITRAMFS_DEPS)
	@echo "  CPIO  $@"
	@$(PYTHON) $(INITRAMFS) $@ --init $< $(INITRAMFS_COMMON) \
		--file $(G)/data/index.html=www/index.html \
		--file $(G)/data/data.bin=www/data.bin \
		--file demo/guest/poweroff.cgi=www/cgi-bin/poweroff:755

$(G)/client.cpio.gz: demo/guest/client.sh $(INITRAMFS_DEPS)
	@echo "  CPIO  $@"
	@$(PYTHON) $(INITRAMFS) $@ --init $< $(INITRAMFS_COMMON)

# For the tests of several kernels: the same /init, each kernel's modules.
KERNELS_COMMON := --init tests/system/kernels.sh --module virtio_pci \
	--module virtio_net --file demo/guest/udhcpc.sh=etc/udhcpc.sh:755
KERNELS_DEPS := tests/system/kernels.sh demo/guest/udhcpc.sh $(INITRAMFS)
$(G)/generic.cpio.gz: $(G)/vmlinuz $(KERNELS_DEPS)
	@echo "  CPIO  $@"
	@$(PYTHON) $(INITRAMFS) $@ $(KERNELS_COMMON) --modules-from $(G)/kernel
$(G)/cloud.cpio.gz: $(G)/cloud/vmlinuz $(KERNELS_DEPS)
	@echo "  CPIO  $@"
	@$(PYTHON) $(INITRAMFS) $@ $(KERNELS_COMMON) \
		--modules-from $(G)/cloud/kernel

# The guests of tests/system/test_wire.py. Static: no libc in the initramfs.
$(G)/frames: tests/system/guest/frames.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(COMMON) -D_GNU_SOURCE -static -o $@ $<

$(G)/wire.cpio.gz: tests/system/guest/wire.sh $(G)/frames $(INITRAMFS) \
		$(G)/data/sums $(G)/vmlinuz
	@echo "  CPIO  $@"
	@$(PYTHON) $(INITRAMFS) $@ --init $< --modules-from $(G)/kernel \
		--module virtio_pci --module virtio_net \
		--program $(G)/frames=bin/frames \
		--file $(G)/data/data.bin=www/data.bin

# Payload kernels: tests/guest/NAME/*.[cS] with tests/guest/lib, one ELF each.
# 64-bit code in a 32-bit ELF: what Multiboot 1 loaders, QEMU's own too, take.
P := $(G)/tests
# But bios, which is a bzImage that starts in real mode.
PAYLOADS := $(filter-out lib bios,$(notdir $(patsubst %/,%,\
	$(wildcard tests/guest/*/))))
PAYLOAD_CFLAGS := $(COMMON) -ffreestanding -fno-pic -mno-red-zone \
	-mgeneral-regs-only -mcmodel=small -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables
PAYLOAD_LIB_O := $(patsubst %,$(P)/%.o,$(wildcard tests/guest/lib/*.c \
	tests/guest/lib/*.S))

$(P)/%.c.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $< (guest)"
	@$(CC) $(PAYLOAD_CFLAGS) -c $< -o $@
$(P)/%.S.o: %.S
	@mkdir -p $(@D)
	@echo "  AS    $< (guest)"
	@$(CC) -I. -g -MMD -MP -c $< -o $@

.SECONDEXPANSION:
$(PAYLOADS:%=$(P)/%.elf): $(P)/%.elf: tests/guest/lib/payload.lds \
		$(PAYLOAD_LIB_O) $$(patsubst $$(PERCENT),$$(P)/$$(PERCENT).o,\
		$$(wildcard tests/guest/$$*/*.c tests/guest/$$*/*.S))
	@echo "  LD    $@"
	@ld -nostdlib -static -no-pie -z noexecstack -z max-page-size=4096 \
		--no-warn-rwx-segments --build-id=none -T $< \
		-o $(@:.elf=.elf64) $(filter %.o,$^)
	@objcopy -O elf32-i386 $(@:.elf=.elf64) $@
PERCENT := %
$(P)/bios.bzimage: $(P)/tests/guest/bios/bios.S.o
	@objcopy -O binary -j .text $< $@

payloads: $(PAYLOADS:%=$(P)/%.elf) $(P)/bios.bzimage

-include $(PAYLOAD_LIB_O:.o=.d) $(wildcard $(P)/tests/guest/*/*.d)

.PHONY: guests payloads
