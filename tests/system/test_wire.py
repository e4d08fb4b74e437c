# SPDX-License-Identifier: GPL-2.0-or-later
"""What the wire may do: runts, giants, tags, lies, floods.

docs/wire.md says for each what happens. Two Debian guests, a and b, behind a
NIC whose wire we play. What is sent to a is compared with what a saw, byte by
byte, and the VMkernel's counters with what was sent, to the frame.
"""

import collections
import hashlib
import os
import random
import re
import struct
import threading
import time

import pytest

import wire
from conftest import configuration
from machine import ROOT, Machine, ledger_errors
from wire import (BROADCAST, FRAME_MIN, ICMP, IPV4, IPV6, NIC, PEER, TCP, TEST,
                  UDP, ZERO, Vm, Wire, ethernet, ipv4, key, padded, tcp, udp,
                  with_sum)

SECONDS = 280
A, B = Vm("a", 1), Vm("b", 2)
# The NIC lets longer frames through than it should: QEMU's limit of 1522 does
# not count the FCS, the port's and the datasheet's do.
FRAME_MAX, NIC_MAX = 1518, 1522
FLOOD_SECONDS = 4


def guest(vm):
    return {"name": vm.name, "memory": "128M", "kernel": "build/guest/vmlinuz",
            "initrd": "build/guest/wire.cpio.gz",
            "cmdline": f"console=ttyS0 wire.address={vm.ip}"}


class Bench:
    """The machine, the wire, and what has changed since start()."""

    def __init__(self, box, cable):
        self.box = box
        self.wire = cable
        self.first = box.report_now()
        self.before = self.watched = None
        self.sent = self.since = 0

    def start(self, watched=A):
        """From here on counts; one guest watches what it gets."""
        self.watched = watched
        self.wire.order(watched, "watch")
        self.wire.ping(B)
        self.since = len(self.wire.received)
        self.before = self.box.report_now()
        self.sent = self.wire.sent

    def changes(self):
        return Changes(self.before, self.box.report_now(),
                       self.wire.sent - self.sent)

    def seen(self):
        """What the guest got since start(), as wire.key() of each."""
        number = self.wire.order(self.watched, "list")
        end, match = self.box.wait_for(rf"^frames: end {number}(.*)",
                                       self.watched.name, wire.SECONDS)
        assert not match.group(1)
        seen = collections.Counter()
        lines = [line for line in self.box.lines
                 if line.vm == self.watched.name]
        for line in reversed(lines[:lines.index(end)]):
            match = re.match(r"frames: (\d+) ([0-9a-f]{8})$", line.text)
            if match:
                seen[int(match.group(1)), int(match.group(2), 16)] += 1
            elif line.text.startswith("frames: end"):
                break
        return seen

    def left(self, marker):
        """Frames with this text that came out to the wire since start()."""
        return [frame for frame in self.wire.received[self.since:]
                if marker in frame]

    def counters(self):
        """A's own, of Ip, Icmp, Tcp and Udp."""
        token = time.monotonic_ns()
        self.wire.order(A, f"counters {token}")
        self.box.wait_for(rf"^wire: {token} end", A.name, wire.SECONDS)
        lines = [match.group(1).split() for _, match in
                 self.box.find(rf"^wire: {token} (\S+ .*)", A.name)]
        return {f"{names[0]}.{name}": int(value)
                for names, values in zip(lines[::2], lines[1::2])
                for name, value in zip(names[1:], values[1:])}


class Changes:
    """Between two reports."""

    def __init__(self, before, after, sent):
        self.before, self.after, self.sent = before, after, sent

    @staticmethod
    def _port(report, name):
        return next(p for p in report["ports"] if p["name"] == name)

    def port(self, name, side, what):
        return (self._port(self.after, name)[side][what] -
                self._port(self.before, name)[side][what])

    def drops(self, name, side="ingress"):
        before = self._port(self.before, name)[side]["drops"]
        after = self._port(self.after, name)[side]["drops"]
        return {why: count - before.get(why, 0)
                for why, count in after.items() if count != before.get(why, 0)}

    def nic(self, what):
        return self.after["nics"][0][what] - self.before["nics"][0][what]

    def table(self, what):
        return (self.after["switches"][0]["mac_table"][what] -
                self.before["switches"][0]["mac_table"][what])


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    cable = Wire()

    def plugged(command):
        at = next(i for i, word in enumerate(command)
                  if word.startswith("user,id=n0"))
        command[at] = cable.netdev
        return command

    folder = str(tmp_path_factory.mktemp("wire"))
    with Machine(folder, "wire", configuration(guest(A), guest(B)), keys=True,
                 seconds=SECONDS, edit=plugged) as box:
        for vm in (A, B):
            box.wait_for("^frames: ready", vm.name)
            cable.ping(vm)
        yield Bench(box, cable)
    cable.close()
    os.remove(box.bundle)


def expected(frames):
    return collections.Counter(key(padded(frame)) for frame in frames)


def numbered(to, source, count, length=FRAME_MIN):
    """Frames of no protocol, no two alike."""
    return [ethernet(to, source, TEST, struct.pack("!I", n)).ljust(
        length, b"\x5a") for n in range(count)]


def deliver(bench, frames):
    """All of them are for a, and reach it as they were sent."""
    bench.start()
    bench.wire.send_all(frames, B)
    changes = bench.changes()
    assert not expected(frames) - bench.seen()
    assert changes.drops("up0") == {}
    assert changes.port("up0", "ingress", "frames") == changes.sent
    # Each of them went to a, and nobody else.
    assert changes.port("up0", "ingress", "forwarded") == changes.sent
    return changes


def test_runts(bench):
    """QEMU's NIC fills them up, a real one drops them; either counts."""
    header = ethernet(A.mac, PEER, TEST, b"short")
    runts = [header.ljust(length, b"\x5a")[:length]
             for length in range(7, FRAME_MIN)]
    bench.start()
    bench.wire.send_all(runts, B)
    changes = bench.changes()
    assert changes.nic("rx_runts") == len(runts)
    # Its source is cut down to 0.
    bad = [frame for frame in runts if padded(frame)[6:12] == ZERO]
    assert changes.drops("up0") == ({"bad_source": len(bad)} if bad else {})
    assert not expected(r for r in runts if r not in bad) - bench.seen()
    assert changes.port("up0", "ingress", "frames") == changes.sent
    # Of less than a destination nothing is left but zeros: to nobody.
    bench.start()
    bench.wire.send_all([header[:length] for length in range(1, 6)], B)
    changes = bench.changes()
    assert changes.nic("rx_runts") == 5
    assert changes.port("up0", "ingress", "frames") == changes.sent - 5


def test_longest(bench):
    frames = [numbered(A.mac, PEER, 1, length)[0]
              for length in range(FRAME_MAX - 8, FRAME_MAX + 1)]
    deliver(bench, frames)


def test_giants(bench):
    longer = [numbered(A.mac, PEER, 1, length)[0]
              for length in range(FRAME_MAX + 1, NIC_MAX + 1)]
    jumbo = [numbered(A.mac, PEER, 1, length)[0] for length in (
        NIC_MAX + 1, 1536, 2047, 2048, 2049, 4096, 9000, 9018, 16383, 16384,
        16385, 65000)]
    bench.start()
    for frame in longer + jumbo:
        bench.wire.send(frame)
        bench.wire.ping(B)
    changes = bench.changes()
    assert changes.drops("up0") == {"giant": len(longer)}
    assert changes.nic("rx_giants") == len(jumbo)
    assert changes.nic("device_nonsense") == 0
    assert changes.port("up0", "ingress", "frames") == \
        changes.sent - len(jumbo)
    assert not expected(longer + jumbo) & bench.seen()


def tag(vid, kind=0x8100, priority=0):
    return struct.pack("!HH", kind, priority << 13 | vid)


def test_vlan_tags(bench):
    """No business of the switch: by address, with all their tags."""
    tags = [tag(vid) for vid in (0, 1, 2, 100, 4094, 4095)]
    tags += [tag(5, priority=priority) for priority in range(8)]
    tags += [tag(5, kind) for kind in (0x88a8, 0x9100, 0x9200)]
    tags += [tag(7, 0x88a8) + tag(8), tag(7) + tag(8), tag(0) + tag(0),
             tag(1) + tag(2) + tag(3), tag(9) * 8, tag(9) * 300]
    frames = []
    for number, all_tags in enumerate(tags):
        for kind, payload in (
                (TEST, struct.pack("!I", number)),
                (IPV4, ipv4(UDP, udp(b"tagged", 7), A.ip, ident=number))):
            frames.append(A.mac + PEER + all_tags +
                          struct.pack("!H", kind) + payload)
    # Nothing after a tag, or a part of it; a full frame with one.
    frames += [A.mac + PEER + tag(3), A.mac + PEER + tag(3)[:3],
               (A.mac + PEER + tag(4) + bytes(1502)).ljust(FRAME_MAX, b"v")]
    deliver(bench, [padded(frame) for frame in frames])
    # Two tags and 1500 bytes are more than a port takes.
    bench.start()
    bench.wire.send_all([(A.mac + PEER + tag(7, 0x88a8) + tag(8)).ljust(
        NIC_MAX, b"v")], B)
    assert bench.changes().drops("up0") == {"giant": 1}


def bad_ipv4():
    good = with_sum(udp(b"x" * 40, 9), 6, UDP, A.ip)
    for version in (0, 5, 6, 15):
        yield ipv4(UDP, good, A.ip, version=version)
    for ihl in (0, 1, 4, 6, 14, 15):
        yield ipv4(UDP, good, A.ip, ihl=ihl)
    for length in (0, 1, 19, 20, 21, 27, 28, 67, 69, 1500, 65535):
        yield ipv4(UDP, good, A.ip, length=length)
    for frag in (0x2000, 0x2001, 0x3fff, 0x1fff, 0x0001, 0x6000, 0x8000,
                 0x4001, 0xffff):
        for ident in (7, 8):
            yield ipv4(UDP, good, A.ip, frag=frag, ident=ident)
    # A ping of death: its last fragment ends past 65535.
    yield ipv4(ICMP, bytes(1480), A.ip, frag=0x1fff, ident=9)
    for total in (0, 1, 0xffff):
        yield ipv4(UDP, good, A.ip, sum=total)
    for ttl in (0, 1):
        yield ipv4(UDP, good, A.ip, ttl=ttl)
    for protocol in (0, 2, 4, 41, 47, 50, 51, 132, 255):
        yield ipv4(protocol, good, A.ip)
    for source in ("0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.1",
                   A.ip, B.ip, "10.9.0.255"):
        yield ipv4(UDP, good, A.ip, source=source)
    for to in ("0.0.0.0", "127.0.0.1", "255.255.255.255", "224.0.0.251",
               B.ip, "10.9.0.255"):
        yield ipv4(UDP, good, to)
    for options in (b"\x07\x00\x00\x00", b"\x07\xff\x04\x00",
                    b"\x83\x07\x04\x0a\x09\x00\x03\x00",
                    b"\x89\x07\xff\x0a\x09\x00\x03\x00",
                    b"\x44\x04\x05\xf3", b"\x44\x28\xff\x01" + bytes(36),
                    b"\x01" * 40, b"\xff" * 40, b"\x94\x03\x00\x00"):
        yield ipv4(UDP, good, A.ip, options=options)


def bad_udp():
    for length in (0, 1, 7, 8, 9, 47, 49, 1472, 65535):
        yield ipv4(UDP, with_sum(udp(b"x" * 40, 9, length), 6, UDP, A.ip),
                   A.ip)
        yield ipv4(UDP, udp(b"x" * 40, 9, length), A.ip)
    for size in range(8):
        yield ipv4(UDP, udp(b"", 9)[:size], A.ip)
    yield ipv4(UDP, with_sum(udp(b"", 0, source_port=0), 6, UDP, A.ip), A.ip)


def bad_tcp():
    ports = iter(range(81, 200))

    def segment(**fields):
        payload = fields.pop("payload", b"")
        return ipv4(TCP, with_sum(tcp(payload, next(ports), **fields), 16, TCP,
                                  A.ip), A.ip)
    for offset in (0, 1, 4, 6, 15):
        yield segment(offset=offset)
        yield segment(offset=offset, payload=b"y" * 50)
    for flags in (0, 1, 2, 3, 6, 0x29, 0x3f, 0xff):
        yield segment(flags=flags)
    for urgent in (1, 0xffff):
        yield segment(flags=0x30, urgent=urgent)
    for options in (b"\x02\x00\x00\x00", b"\x02\x03\x00\x00",
                    b"\x02\x04\x00\x00", b"\x05\x00\x00\x00",
                    b"\x05\x0b" + bytes(10), b"\x08\x0a" + bytes(2),
                    b"\x08\xff\x01\x01", b"\x03\x03\xff\x00",
                    b"\xfe\x01\x00\x00", b"\x01" * 40, b"\xff" * 40):
        # To the open port too: options are read when it is a SYN.
        yield segment(offset=5 + len(options) // 4, flags=2, options=options)
        yield ipv4(TCP, with_sum(tcp(b"", 80, 5 + len(options) // 4, 2,
                                     options), 16, TCP, A.ip), A.ip)
    for size in range(20):
        yield ipv4(TCP, tcp(b"", 80)[:size], A.ip)


def ipv6(next_header, payload, length=None, version=6):
    return struct.pack("!IHBB", version << 28,
                       len(payload) if length is None else length,
                       next_header, 64) + \
        bytes.fromhex("fe8000000000000050540000000000ff") + A.ip6 + payload


def bad_ipv6():
    good = udp(b"z" * 24, 9)
    for version in (0, 4, 15):
        yield ipv6(UDP, good, version=version)
    for length in (0, 1, 7, 8, 31, 33, 1500, 65535):
        yield ipv6(UDP, good, length)
    yield ipv6(UDP, good)  # no checksum: not allowed here
    for next_header in (0, 43, 44, 50, 51, 58, 59, 60, 135, 255):
        for first in (b"\x11\x00", b"\x11\xff", b"\x3b\x01", b"\x00\x00",
                      bytes([next_header, 0])):
            yield ipv6(next_header, first + bytes(6) + good)
    # Jumbo payload option, fragments, a chain without an end, routing type 0.
    yield ipv6(0, b"\x11\x00\xc2\x04\x00\x01\x00\x00" + good, 0)
    for fragment in (1, 0, 0xfff8, 0xfff9, 8):
        yield ipv6(44, b"\x11\x00" + struct.pack("!HI", fragment, 7) + good)
    yield ipv6(60, (b"\x3c\x00\x01\x04" + bytes(4)) * 170)
    yield ipv6(43, b"\x11\x02\x00\xff" + bytes(4) + A.ip6 + good)
    yield ipv6(58, b"\x80\x00\x12\x34" + bytes(20))


def bad_others():
    """ARP and lengths where a type should be; with the frame's type."""
    for fields in ((1, 0x0800, 6, 4, 0), (1, 0x0800, 255, 255, 1),
                   (1, 0x0800, 0, 0, 2), (65535, 0x0800, 6, 4, 1),
                   (1, 0xffff, 6, 4, 2), (1, 0x0800, 6, 4, 65535)):
        yield 0x0806, struct.pack("!HHBBH", *fields) + A.mac + bytes(20)
    for kind in (0, 1, 45, 46, 47, 1500, 1501, 1535, 1536, 0xffff):
        yield kind, b"\xaa\xaa\x03" + bytes(40)
        yield kind, bytes(40)


def damaged(count):
    """Good packets with a few bytes changed, the same in each run."""
    dice = random.Random(5)
    good = [ipv4(UDP, with_sum(udp(b"x" * 100, 9), 6, UDP, A.ip), A.ip),
            ipv4(TCP, with_sum(tcp(b"y" * 100, 80, 8, 2, bytes(12)), 16, TCP,
                               A.ip), A.ip), ipv6(UDP, udp(b"z" * 99, 9))]
    for _ in range(count):
        packet = bytearray(dice.choice(good))
        for _ in range(dice.randint(1, 6)):
            packet[dice.randrange(60)] = dice.choice(
                (0, 1, 0x7f, 0x80, 0xff, dice.randrange(256)))
        yield bytes(packet[:dice.choice((len(packet), 46, 61, 75))])


@pytest.mark.parametrize("kind,packets", [
    (IPV4, bad_ipv4), (IPV4, bad_udp), (IPV4, bad_tcp), (IPV6, bad_ipv6),
    (None, bad_others), (IPV4, lambda: damaged(150)),
    (IPV6, lambda: damaged(150))],
    ids=["ipv4", "udp", "tcp", "ipv6", "others", "damaged4", "damaged6"])
def test_malformed(bench, kind, packets):
    """What is above Ethernet is the guest's business: unchanged, all of it."""
    frames = [padded(ethernet(A.mac, PEER, *((kind, packet) if kind else
                                             packet)))
              for packet in packets()]
    assert len(frames) > 20
    deliver(bench, frames)
    bench.wire.ping(A)


def test_checksums(bench):
    """Only what the NIC has found right is passed on as right."""
    def changed(packet, at):
        return packet[:at] + bytes([packet[at] ^ 4]) + packet[at + 1:]

    count = 20
    right = [ipv4(UDP, with_sum(udp(b"%02d" % n + b"sum" * 30, 9), 6, UDP,
                                A.ip), A.ip) for n in range(count)]
    wrong = [changed(packet, 50) for packet in right]
    segments = [ipv4(TCP, with_sum(tcp(b"sum" * 30, 1000 + n), 16, TCP, A.ip),
                     A.ip) for n in range(count)]
    before = bench.counters()
    deliver(bench, [ethernet(A.mac, PEER, IPV4, packet) for packet in
                    right + wrong + segments +
                    [changed(packet, 70) for packet in segments]])
    after = bench.counters()
    grown = {name: after[name] - before[name] for name in after}
    assert grown["Udp.InCsumErrors"] == count
    assert grown["Udp.NoPorts"] == count
    assert grown["Tcp.InCsumErrors"] == count
    assert grown["Tcp.OutRsts"] == count
    # The header's sum is nobody's but the guest's.
    before = after
    deliver(bench, [padded(ethernet(A.mac, PEER, IPV4, changed(packet, 8)))
                    for packet in right])
    after = bench.counters()
    assert after["Ip.InHdrErrors"] - before["Ip.InHdrErrors"] == count
    assert after["Udp.NoPorts"] == before["Udp.NoPorts"]


GROUPS = ([bytes.fromhex("0180c20000") + bytes([n]) for n in range(0x30)] +
          [BROADCAST] + [bytes.fromhex(group) for group in (
              "01005e000001", "01005e7fffff", "333300000001", "010000000000",
              "01000ccccccc", "030000000000", "fdffffffffff")])


def test_bad_sources(bench):
    """A group's address, or none, is nobody's; a guest's own is only its."""
    frames = [ethernet(to, source, TEST, b"forged".ljust(50, b"s"))
              for to in (A.mac, BROADCAST) for source in GROUPS + [ZERO]]
    own = [ethernet(to, source, TEST, b"stolen".ljust(50, b"s"))
           for to in (A.mac, B.mac, BROADCAST) for source in (A.mac, B.mac)]
    bench.start()
    bench.wire.send_all(frames + own, B)
    changes = bench.changes()
    assert changes.drops("up0") == {"bad_source": len(frames),
                                    "spoofed": len(own)}
    assert changes.port("up0", "ingress", "frames") == changes.sent
    assert not expected(frames + own) & bench.seen()
    # None of it has moved anybody.
    assert changes.table("moved") == 0
    assert changes.table("learned") == 0
    deliver(bench, numbered(A.mac, PEER, 3))


def test_any_other_source(bench):
    deliver(bench, [ethernet(A.mac, bytes.fromhex(source), TEST, bytes(50))
                    for source in ("020000000000", "fefffffffffe",
                                   "000000000001")])


def test_reserved_groups(bench):
    """01:80:c2:00:00:00 to 0f go no further, tagged or not; all others do."""
    reserved = [group for group in GROUPS
                if group[:5] == bytes.fromhex("0180c20000") and group[5] < 16]
    others = [group for group in GROUPS if group not in reserved]
    frames = []
    for group in reserved:
        frames.append(ethernet(group, PEER, TEST, bytes(50)))
        frames.append(group + PEER + tag(5) + bytes(50))
    bench.start()
    bench.wire.send_all(frames, B)
    changes = bench.changes()
    assert changes.drops("up0") == {"reserved": 32}
    assert changes.port("up0", "ingress", "flooded") == 0
    assert not expected(frames) & bench.seen()

    bench.start()
    bench.wire.send_all([ethernet(group, PEER, TEST, b"group".ljust(50))
                         for group in others], B)
    changes = bench.changes()
    assert changes.drops("up0") == {}
    assert changes.port("up0", "ingress", "flooded") == len(others)
    # To both guests; what they do not listen to is dropped there.
    for vm in ("a.0", "b.0"):
        assert changes.port(vm, "egress", "frames") >= len(others)
    assert bench.seen()[key(ethernet(BROADCAST, PEER, TEST,
                                     b"group".ljust(50)))] == 1


def test_from_a_guest(bench):
    """The same the other way: what a guest may not say stays unheard."""
    marker = b"from the guest"
    reserved = [ethernet(group, A.mac, TEST, marker) for group in GROUPS[:16]]
    groups = [ethernet(PEER, group, TEST, marker) for group in GROUPS[::5]]
    forged = [ethernet(to, source, TEST, marker) for to in (PEER, B.mac)
              for source in (B.mac, PEER, NIC)]
    bench.start(B)
    for frame in reserved + groups + forged:
        bench.wire.order(A, "send " + padded(frame).hex())
    changes = bench.changes()
    assert changes.drops("a.0") == {"reserved": 16, "bad_source": len(groups),
                                    "spoofed": len(forged)}
    assert bench.left(marker) == []
    assert not expected(reserved + groups + forged) & bench.seen()
    # And that it is heard when it says what it may.
    bench.wire.order(A, "send " + padded(ethernet(PEER, A.mac, TEST,
                                                  marker)).hex())
    bench.wire.ping(A)
    assert len(bench.left(marker)) == 1


def test_not_for_us(bench):
    """The NIC's filter: other people's unicast costs the VMkernel nothing."""
    bench.start()
    bench.wire.send_all(numbered(bytes.fromhex("525400777777"), PEER, 60) +
                        numbered(ZERO, PEER, 4), B)
    changes = bench.changes()
    assert changes.port("up0", "ingress", "frames") == changes.sent - 64
    # To the NIC itself: there is nobody behind that address. Nor would there
    # be if somebody out there used it.
    bench.start()
    bench.wire.send_all(numbered(NIC, PEER, 60), B)
    assert bench.changes().drops("up0") == {"no_port": 60}
    bench.start()
    bench.wire.send_all(numbered(NIC, NIC, 40), B)
    changes = bench.changes()
    assert changes.drops("up0") == {"hairpin": 40}
    assert changes.table("learned") == 1


def test_mac_flood(bench):
    """100,000 hosts: the table stays as it is, and so do the guests' ports."""
    count = 100000
    bench.start()
    frames = (ethernet(NIC, b"\x02" + struct.pack("!I", n) + b"\x77", TEST,
                       bytes(46)) for n in range(count))
    bench.wire.send_all(frames, B, window=128)
    changes = bench.changes()
    # The NIC's own address may have been seen out there before.
    drops = changes.drops("up0")
    assert set(drops) <= {"no_port", "hairpin"}
    assert sum(drops.values()) == count
    assert changes.port("up0", "ingress", "frames") == changes.sent
    table = changes.after["switches"][0]["mac_table"]
    # The peer's own may be pushed out, and comes back with its next frame.
    assert count <= changes.table("learned") <= changes.sent
    # Its hash is random: nearly full.
    assert 0.9 * table["capacity"] < table["entries"] <= table["capacity"]
    assert changes.table("evicted") >= count - table["capacity"]
    assert changes.table("moved") == 0
    assert changes.after["memory"] == changes.before["memory"]
    # The guests' own addresses are where they were.
    deliver(bench, numbered(A.mac, PEER, 10) + numbered(A.mac, PEER, 10, 900))
    assert fetch(bench) == data_sum()


def data_sum():
    with open(os.path.join(ROOT, "build/guest/data/data.bin"), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def fetch(bench):
    """VM to VM, by TCP: what b says of a's data."""
    before = len(bench.box.find("^wire: fetched", B.name))
    bench.wire.order(B, f"fetch data.bin {A.ip}")
    _, match = bench.box.wait_for("^wire: fetched data.bin ([0-9a-f]{64})",
                                  B.name, wire.SECONDS, before + 1)
    return match.group(1)


class Flood:
    """More frames than the machine can take, of all kinds, until it is told
    to end."""

    def __init__(self, cable):
        self.wire = cable
        self.over = threading.Event()
        dice = random.Random(9)
        to = [A.mac, B.mac, BROADCAST, GROUPS[0], NIC]
        self.frames = [ethernet(
            dice.choice(to), b"\x02" + dice.randbytes(5), kind, packet)
            for kind, packet in
            [(IPV4, packet) for packet in damaged(100)] +
            [(IPV6, packet) for packet in damaged(50)] +
            [(TEST, bytes(dice.choice((46, 46, 500, 1500, 1510))))
             for _ in range(100)]]
        self.thread = threading.Thread(target=self._pour, daemon=True)

    def _pour(self):
        while not self.over.is_set():
            for frame in self.frames:
                self.wire.send(frame)
            # Two CPUs in all: leave the machine some of them.
            time.sleep(0.002)

    def __enter__(self):
        self.wire.patience = 0.2
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.over.set()
        self.thread.join()
        # There is room for a question again when one was answered.
        self.wire.ping(B)
        self.wire.patience = wire.SECONDS
        self.wire.ping(B)


def test_saturating_flood(bench):
    bench.start(B)
    with Flood(bench.wire):
        begin = time.monotonic()
        sums, reports, waits = [], [], []
        while time.monotonic() < begin + FLOOD_SECONDS:
            sums.append(fetch(bench))
            asked = time.monotonic()
            reports.append(bench.box.report_now())
            waits.append(time.monotonic() - asked)
    assert set(sums) == {data_sum()}
    assert max(waits) < 10
    for vm in (A, B):
        bench.wire.ping(vm)
    changes = bench.changes()
    # It was too much: for the machine, whose excess QEMU's socket lost, or for
    # the guest that must copy it all to user space.
    frames = changes.port("up0", "ingress", "frames")
    lost = changes.sent - frames
    assert frames > 10000
    assert lost + changes.drops("b.0", "egress").get("no_buffer", 0) > 1000
    assert set(changes.drops("up0")) - {"hairpin"} == {"reserved", "no_port"}
    assert set(changes.drops("a.0", "egress")) <= {"no_buffer", "filtered"}
    assert changes.nic("rx_errors") == changes.nic("device_nonsense") == 0
    assert changes.after["memory"] == changes.before["memory"]
    assert ledger_errors(changes.after) == []


def test_end(bench):
    """All of it has done nothing but count."""
    report = bench.box.report_now()
    assert ledger_errors(report) == []
    assert report["memory"] == bench.first["memory"]
    for vm in (A, B):
        bench.wire.order(vm, "off")
    report = bench.box.report()
    assert [vm["state"] for vm in report["vms"]] == ["off", "off"]
    assert ledger_errors(report) == []
    bad = (r"Call Trace|BUG:|Oops|WARNING: CPU|soft lockup|rcu.*stall|"
           r"nobody cared|frames ended|[Ss]egmentation")
    for vm in (A, B):
        assert [line.text for line, _ in bench.box.find(bad, vm.name)] == []
    # Once for each port: the hint about a forged source.
    noise = [line.text for line in bench.box.lines
             if line.level in ("error", "warn")]
    assert all("a.0 sent from" in text for text in noise) and len(noise) <= 1
