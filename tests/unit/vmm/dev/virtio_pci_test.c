/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio PCI transport, by a driver's hand: registers, life, interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>

#include "virtio_guest.h"
#include "vmm/dev/virtio_pci.h"

#define SLOT	    5
#define FEATURE	    (1ull << 3)
#define VERSION	    (1ull << VIRTIO_F_VERSION_1)
#define ACK	    VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRIVER	    VIRTIO_CONFIG_S_DRIVER
#define DRIVER_OK   VIRTIO_CONFIG_S_DRIVER_OK
#define NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET

static struct vm vm;
static struct pci_bus bus;
static struct virtio_pci virtio;
static struct guest_device g;
static unsigned notified[2];
static unsigned resets;
static bool busy; /* buffers are lent out */
static const uint8_t type_config[6] = {1, 2, 3, 4, 5, 6};

static void type_notify(struct virtio_pci *v, unsigned queue)
{
	notified[queue]++;
}

static bool type_quiet(struct virtio_pci *v)
{
	return !busy;
}

static void type_reset(struct virtio_pci *v)
{
	/* Nothing is lent out, and nothing is agreed any more. */
	assert_false(busy);
	assert_int_equal(v->accepted, 0);
	resets++;
}

static const struct virtio_ops type_ops = {
	.device = VIRTIO_DEVICE_OPS("type"),
	.notify = type_notify,
	.quiet = type_quiet,
	.reset = type_reset,
};

static int setup(void **state)
{
	const struct virtio_pci_params params = {
		.ops = &type_ops,
		.type = 1,
		.class_code = 0x020000,
		.features = FEATURE,
		.config = type_config,
		.config_size = sizeof(type_config),
	};

	fake_vm_init(&vm);
	pci_init(&bus, &vm);
	virtio_pci_init(&virtio, &vm, &params);
	virtio_pci_add_queue(&virtio, "rx", LOCK_VNET_RX, 256);
	virtio_pci_add_queue(&virtio, "tx", LOCK_VNET_TX, 128);
	notified[0] = notified[1] = 0;
	resets = 0;
	busy = false;
	return pci_add(&bus, &virtio.dev, SLOT) ||
	       !guest_probe(&g, &vm, &bus, SLOT);
}

static int teardown(void **state)
{
	pci_remove(&virtio.dev);
	fake_vm_destroy(&vm);
	return 0;
}

static void test_identity(void **state)
{
	assert_int_equal(pci_config_read(&bus, g.bdf, 0, 4), 0x10411af4);
	assert_int_equal(pci_config_read(&bus, g.bdf, PCI_REVISION_ID, 1), 1);
	/* The port doorbell comes first: Linux takes that one. */
	assert_int_equal(g.notify_order, 1);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_NUMQ, 2), 2);
	assert_int_equal(guest_read_mem(&g, g.config, 4), 0x04030201);
	assert_int_equal(guest_read_mem(&g, g.config + 4, 4), 0x0605);
	assert_int_equal(guest_read_mem(&g, g.config + 6, 8), 0);
	guest_write_mem(&g, g.config, 4, 0);
	assert_int_equal(guest_read_mem(&g, g.config, 1), 1);
}

static void test_features(void **state)
{
	uint64_t offered;

	guest_set(&g, VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	offered = guest_get(&g, VIRTIO_PCI_COMMON_DF, 4);
	guest_set(&g, VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	offered |= guest_get(&g, VIRTIO_PCI_COMMON_DF, 4) << 32;
	assert_int_equal(offered, FEATURE | VERSION |
					  1ull << VIRTIO_RING_F_EVENT_IDX |
					  1ull << VIRTIO_RING_F_INDIRECT_DESC);
	guest_set(&g, VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_DF, 4), 0);

	/* Refused: what was not offered; a driver of legacy devices. */
	assert_false(guest_negotiate(&g, VERSION | 1));
	assert_false(guest_negotiate(&g, FEATURE));
	assert_int_equal(guest_status(&g), ACK | DRIVER);
	/* Without agreement it does not start. */
	guest_set_master(&g, true);
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1, ACK | DRIVER | DRIVER_OK);
	assert_int_equal(guest_status(&g), ACK | DRIVER);
	assert_true(guest_negotiate(&g, VERSION | FEATURE));
	assert_true(virtio_pci_has(&virtio, 3));
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_GF, 4), 1);
	/* Agreed is agreed. */
	guest_set(&g, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	guest_set(&g, VIRTIO_PCI_COMMON_GF, 4, 0);
	assert_true(virtio_pci_has(&virtio, 3));
	guest_set(&g, VIRTIO_PCI_COMMON_GFSELECT, 4, 7);
	guest_set(&g, VIRTIO_PCI_COMMON_GF, 4, ~0u);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_GF, 4), 0);
}

static void test_queue_registers(void **state)
{
	static const unsigned fields[] = {
		VIRTIO_PCI_COMMON_Q_DESCLO,  VIRTIO_PCI_COMMON_Q_DESCHI,
		VIRTIO_PCI_COMMON_Q_AVAILLO, VIRTIO_PCI_COMMON_Q_AVAILHI,
		VIRTIO_PCI_COMMON_Q_USEDLO,  VIRTIO_PCI_COMMON_Q_USEDHI,
	};

	guest_set(&g, VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2), 128);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_NOFF, 2), 1);
	/* Not a power of two, none, too large: as it was. */
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2, 100);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2, 0);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2, 256);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2), 128);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2, 64);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2), 64);
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		guest_set(&g, fields[i], 4, 0x1000 + i);
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		assert_int_equal(guest_get(&g, fields[i], 4), 0x1000 + i);
	/* 64 bits at once are two dwords; other widths are nothing. */
	guest_set(&g, VIRTIO_PCI_COMMON_Q_DESCLO, 8, 0x123456789a0);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_DESCLO, 8),
			 0x123456789a0);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_DESCLO, 2, 0xffff);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_DESCLO + 2, 2, 0xffff);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_DESCLO, 4),
			 0x456789a0);
	/* Vectors: what does not exist reads back as none. */
	guest_set(&g, VIRTIO_PCI_COMMON_Q_MSIX, 2, 3);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_MSIX, 2), 3);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_MSIX, 2, 4);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
	guest_set(&g, VIRTIO_PCI_COMMON_MSIX, 2, 900);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_MSIX, 2), 0xffff);
	/* Enabled: fixed. */
	guest_set(&g, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 0);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 0);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2, 32);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2), 64);
	/* A queue that is not there. */
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SELECT, 2, 2);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	/* Reset: all as it was. */
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_SELECT, 2), 0);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_SIZE, 2), 128);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0);
}

static void test_doorbells(void **state)
{
	guest_write_port(&g, g.doorbell, 2, 1);
	guest_write_port(&g, g.doorbell, 4, 1);
	assert_int_equal(notified[1], 2);
	guest_write_mem(&g, g.notify + 4, 2, 1);
	guest_write_mem(&g, g.notify, 4, 0);
	assert_int_equal(notified[1], 3);
	assert_int_equal(notified[0], 1);
	/* No such queue, no such place. */
	guest_write_port(&g, g.doorbell, 2, 2);
	guest_write_port(&g, g.doorbell, 2, 0xffff);
	guest_write_port(&g, g.doorbell, 1, 1);
	guest_write_port(&g, (uint16_t)(g.doorbell + 4), 2, 1);
	guest_write_mem(&g, g.notify + 8, 2, 1);
	guest_write_mem(&g, g.notify + 1, 2, 1);
	guest_write_mem(&g, g.notify + 0xff8, 8, 1);
	assert_int_equal(notified[0] + notified[1], 4);
}

static void test_start_stop(void **state)
{
	assert_true(guest_start(&g, FEATURE, 16));
	assert_true(virtio.queues[0].running && virtio.queues[1].running);
	assert_int_equal(virtio.queues[1].size, 16);
	/* Each has been looked at once. */
	assert_int_equal(notified[0], 1);
	assert_int_equal(notified[1], 1);
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_equal(guest_status(&g), 0);
	assert_false(virtio.queues[0].running || virtio.queues[1].running);
	assert_false(virtio_pci_has(&virtio, 3));
}

/* Buffers lent out: the reset is not over, and nothing new begins. */
static void test_slow_reset(void **state)
{
	uint8_t status;

	assert_true(guest_start(&g, FEATURE, 16));
	status = guest_status(&g);
	busy = true;
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_false(virtio.queues[1].running);
	assert_int_equal(guest_status(&g), status);
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1, status);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_false(virtio_pci_quiesce(&virtio));
	assert_false(virtio.queues[1].running);
	assert_int_equal(virtio.queue_select, 2 /* of the set-up */);
	resets = 0;
	busy = false;
	assert_int_equal(guest_status(&g), 0);
	assert_int_equal(resets, 1);
	assert_true(virtio_pci_quiesce(&virtio));
	assert_true(guest_start(&g, FEATURE, 16));
	assert_true(virtio.queues[1].running);
}

/* The generation counts; an interrupt comes only when the driver runs. */
static void test_config_changed(void **state)
{
	unsigned before =
		(unsigned)guest_get(&g, VIRTIO_PCI_COMMON_CFGGENERATION, 1);

	guest_enable_msix(&g);
	virtio_pci_config_changed(&virtio, true);
	assert_int_equal(vm.message_count, 0);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_CFGGENERATION, 1),
			 before + 1);
	assert_true(guest_start(&g, FEATURE, 16));
	virtio_pci_config_changed(&virtio, false);
	assert_int_equal(vm.message_count, 0);
	virtio_pci_config_changed(&virtio, true);
	assert_int_equal(vm.message_count, 1);
	assert_int_equal(vm.messages[0].data, 0x40);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_CFGGENERATION, 1),
			 before + 3);
	/* It is a byte, and goes round. */
	for (unsigned i = 0; i < 253; i++)
		virtio_pci_config_changed(&virtio, false);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_CFGGENERATION, 1),
			 before);
	/* It is the driver's to hear of, not the device's to write. */
	guest_set(&g, VIRTIO_PCI_COMMON_CFGGENERATION, 1, 77);
	assert_int_equal(guest_get(&g, VIRTIO_PCI_COMMON_CFGGENERATION, 1),
			 before);
}

/* A guest that takes bus mastering back gets its memory back, until reset. */
static void test_bus_master(void **state)
{
	assert_true(guest_start(&g, FEATURE, 16));
	guest_set_master(&g, false);
	assert_false(virtio.queues[0].running);
	assert_true(guest_status(&g) & NEEDS_RESET);
	guest_set_master(&g, true);
	assert_false(virtio.queues[0].running);
	assert_true(guest_start(&g, FEATURE, 16));
	assert_true(virtio.queues[0].running);

	/* The other order: DRIVER_OK first. */
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	guest_set_master(&g, false);
	assert_true(guest_negotiate(&g, VERSION));
	guest_enable_queue(&g, 1);
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1,
		  guest_status(&g) | DRIVER_OK);
	assert_false(virtio.queues[1].running);
	guest_set_master(&g, true);
	assert_true(virtio.queues[1].running);
	assert_false(virtio.queues[0].running);
	/* Enabled late. */
	guest_enable_queue(&g, 0);
	assert_true(virtio.queues[0].running);
}

static void test_bad_ring(void **state)
{
	guest_set_master(&g, true);
	guest_enable_msix(&g);
	assert_true(guest_negotiate(&g, VERSION));
	guest_set(&g, VIRTIO_PCI_COMMON_MSIX, 2, 0);
	guest_make_queue(&g, 0, 16);
	guest_make_queue(&g, 1, 16);
	g.queues[1].used_gpa = 0xfee00000;
	guest_enable_queue(&g, 0);
	guest_enable_queue(&g, 1);
	guest_set(&g, VIRTIO_PCI_COMMON_STATUS, 1,
		  guest_status(&g) | DRIVER_OK);
	assert_true(guest_status(&g) & NEEDS_RESET);
	assert_int_equal(virtio.queues[1].faults[VIRTQUEUE_BAD_RING], 1);
	/* The other queue goes on; the driver has been told. */
	assert_true(virtio.queues[0].running);
	assert_int_equal(vm.message_count, 1);
	assert_int_equal(vm.messages[0].data, 0x40);
	virtio_pci_needs_reset(&virtio); /* once is enough */
	assert_int_equal(vm.message_count, 1);
	assert_true(guest_start(&g, 0, 16));
	assert_false(guest_status(&g) & NEEDS_RESET);
	assert_true(virtio.queues[1].running);
}

static void test_interrupts(void **state)
{
	bool *wire = &vm.gsi[GUEST_GSI_PCI(SLOT)];

	assert_true(guest_start(&g, 0, 16));
	/* Without MSI-X: ISR and wire. */
	virtio_pci_interrupt(&virtio, &virtio.queues[1]);
	virtio_pci_needs_reset(&virtio);
	assert_true(*wire);
	assert_int_equal(guest_read_mem(&g, g.isr, 1), 3);
	assert_false(*wire);
	assert_int_equal(guest_read_mem(&g, g.isr, 1), 0);
	/* With: the queue's vector, and the ISR is left alone. */
	guest_enable_msix(&g);
	virtio_pci_interrupt(&virtio, &virtio.queues[1]);
	assert_int_equal(vm.message_count, 1);
	assert_int_equal(vm.messages[0].data, 0x42);
	assert_int_equal(guest_read_mem(&g, g.isr, 1), 0);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	guest_set(&g, VIRTIO_PCI_COMMON_Q_MSIX, 2, VIRTIO_MSI_NO_VECTOR);
	virtio_pci_interrupt(&virtio, &virtio.queues[1]);
	assert_int_equal(vm.message_count, 1);
	assert_false(*wire);
}

/* Everything through the window in configuration space (4.1.4.9). */
static void test_pci_cfg(void **state)
{
	unsigned at = virtio.pci_cfg_cap;

#define WINDOW(bar, offset, length)                        \
	(pci_config_write(&bus, g.bdf, at + 4, 1, bar),    \
	 pci_config_write(&bus, g.bdf, at + 8, 4, offset), \
	 pci_config_write(&bus, g.bdf, at + 12, 4, length))
	WINDOW(2, VIRTIO_PCI_COMMON_NUMQ, 2);
	assert_int_equal(pci_config_read(&bus, g.bdf, at + 16, 2), 2);
	WINDOW(2, VIRTIO_PCI_COMMON_STATUS, 1);
	pci_config_write(&bus, g.bdf, at + 16, 1, ACK);
	assert_int_equal(guest_status(&g), ACK);
	assert_int_equal(pci_config_read(&bus, g.bdf, at + 16, 1), ACK);
	WINDOW(0, 0, 2);
	pci_config_write(&bus, g.bdf, at + 16, 2, 1);
	assert_int_equal(notified[1], 1);
	/* Nonsense does nothing: no such BAR, past its end, crooked, width. */
	WINDOW(3, 0, 4);
	pci_config_write(&bus, g.bdf, at + 16, 4, 0);
	WINDOW(200, 0, 4);
	pci_config_write(&bus, g.bdf, at + 16, 4, 0);
	WINDOW(2, KiB(16), 4);
	pci_config_write(&bus, g.bdf, at + 16, 4, 0x11);
	assert_int_equal(pci_config_read(&bus, g.bdf, at + 16, 4), 0x11);
	WINDOW(2, 0xffffffff, 1);
	pci_config_write(&bus, g.bdf, at + 16, 4, 0);
	WINDOW(2, 0xfffffffe, 4);
	pci_config_write(&bus, g.bdf, at + 16, 4, 0);
	WINDOW(2, VIRTIO_PCI_COMMON_STATUS, 3);
	pci_config_write(&bus, g.bdf, at + 16, 4, 0);
	WINDOW(2, VIRTIO_PCI_COMMON_STATUS + 1, 2);
	pci_config_write(&bus, g.bdf, at + 16, 4, 0);
	assert_int_equal(pci_config_read(&bus, g.bdf, at + 16, 4), 0);
	assert_int_equal(guest_status(&g), ACK);
#undef WINDOW
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_identity),	 T(test_features),
		T(test_queue_registers), T(test_doorbells),
		T(test_start_stop),	 T(test_slow_reset),
		T(test_config_changed),	 T(test_bus_master),
		T(test_bad_ring),	 T(test_interrupts),
		T(test_pci_cfg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
