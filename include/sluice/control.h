/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control port, version 1: what Sluice tells its surroundings. */
#ifndef SLUICE_CONTROL_H
#define SLUICE_CONTROL_H

/*
 * The control port is the second serial port (COM2, 0x2f8, 115200 8N1). Sluice
 * writes lines of JSON to it (RFC 8259, ASCII, each ends in "\n") and reads
 * nothing. Each line is an object with "version" (this header's) and "type".
 * Readers skip types and keys they do not know; a key that is here keeps its
 * meaning within a version. Numbers are integers from 0 to 2^64 - 1.
 *
 * type "report": written when all VMs are off, before the machine powers off,
 * and on request (Ctrl-] r on the console). All counters are since boot.
 *
 *   uptime_ns   since power-on
 *   ports[]     every port of every switch
 *     name, switch
 *     ingress   from this port into the switch
 *       frames, bytes, forwarded, flooded
 *       drops     {reason: frames}, only those that happened
 *     egress    from the switch to this port
 *       frames, bytes, segments_created, merged, delivered, in_flight
 *       drops     as above
 *   copies      flooded frames handed over, to each port, and forwarded ones to
 *               promiscuous ports that only listen
 *   switches[]  one for each uplink
 *     name
 *     mac_table {entries, capacity, learned, moved, evicted}
 *   vms[]       in the configuration's order
 *     name, state ("off", "running", "stopping", "crashed")
 *     exits     {reason: count}, only those that happened
 *     faults    {what: count} that the guest did wrong, and that were answered
 *               as the manuals say; only those that happened
 *       io, mmio, msr   where nobody answers, or not to be written
 *       msi, ipi        messages that make no sense
 *       no_target       interrupts that no APIC took
 *       apic_access, ioapic_access   of a wrong size, or to no register
 *       ioapic_entry    a redirection entry that makes no sense was triggered
 *       tx_*, rx_*      virtqueue_fault_names[] of vmm/dev/virtqueue.c, each of
 *                       which broke that queue until the driver's reset
 *     interrupts  given to its vCPUs
 *   nics[]      one for each uplink
 *     name, driver, mac
 *     link_mbps   0: down
 *     interrupts  {rx, tx, other}
 *     rx_errors, rx_missed, rx_runts, rx_giants  the NIC, or its driver,
 *               dropped them: no port has seen them
 *     tx_tail_writes, device_nonsense
 *   memory      {total_bytes, kernel_bytes, guest_bytes, boot_bytes,
 *               free_bytes}
 *
 * When nothing is on its way, for every port
 *   ingress.frames = forwarded + flooded + drops
 *   egress.frames + segments_created - merged = delivered + in_flight + drops
 * and over each switch
 *   sum of egress.frames = sum of forwarded + copies
 */
#define SLUICE_CONTROL_VERSION 1

#endif
