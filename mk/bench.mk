# The benches: machine instructions per packet, in an emulated machine.

B := $(BUILD)/bench
BENCH_CFLAGS := $(COMMON) -D_GNU_SOURCE

$(B)/icnt.so: bench/system/icnt.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(BENCH_CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $< \
		-pthread

# Static: the guest's initramfs has no libc.
$(B)/%: bench/system/%.c
	@mkdir -p $(@D)
	@echo "  CC    $@"
	@$(CC) $(BENCH_CFLAGS) -static -o $@ $<

$(B)/initramfs.cpio.gz: bench/system/init.sh $(B)/blast $(B)/sink \
		$(INITRAMFS) $(G)/vmlinuz
	@echo "  CPIO  $@"
	@$(PYTHON) $(INITRAMFS) $@ --init $< --modules-from $(G)/kernel \
		--module virtio_pci --module virtio_net --module e1000e \
		--program $(B)/blast=bin/blast --program $(B)/sink=bin/sink

bench-parts: kernel tool $(G)/vmlinuz $(B)/icnt.so $(B)/flood \
	$(B)/initramfs.cpio.gz

##   make bench      count machine instructions per packet, native and Sluice
bench: bench-parts
	@$(PYTHON) bench/system/bench.py $(BENCH_FLAGS)

-include $(wildcard $(B)/*.d)

.PHONY: bench bench-parts
