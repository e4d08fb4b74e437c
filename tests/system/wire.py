# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays the wire: frames to and from the NIC of an emulated machine.

QEMU's "dgram" network takes each UDP datagram for a frame, and so do we; both
ends are on the loopback interface.
"""

import contextlib
import itertools
import socket
import struct
import threading
import time
import zlib

from machine import MachineError

NIC = bytes.fromhex("525400000002")
PEER = bytes.fromhex("525400000099")
PEER_IP = "10.9.0.1"
BROADCAST = b"\xff" * 6
ZERO = bytes(6)
IPV4, IPV6, TEST, ORDER = 0x0800, 0x86dd, 0x88b5, 0x88b6
ICMP, TCP, UDP = 1, 6, 17
FRAME_MIN = 60
# In flight at most: QEMU's socket takes some 200 KB and drops what is beyond.
WINDOW = 32
# An emulated machine on a busy host.
SECONDS = 60


def ip4(text):
    return socket.inet_aton(text)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(to, source, kind, payload):
    return to + source + struct.pack("!H", kind) + payload


def padded(frame):
    return frame.ljust(FRAME_MIN, b"\0")


def key(frame):
    """What a guest that watches says of a frame."""
    return len(frame), zlib.crc32(frame)


def ipv4(protocol, payload, to, source=PEER_IP, **fields):
    """An IPv4 packet (RFC 791). A field that is given is as it is given."""
    f = {"version": 4, "options": b"", "tos": 0, "ident": 1, "frag": 0,
         "ttl": 64, **fields}
    ihl = f.get("ihl", 5 + len(f["options"]) // 4)
    length = f.get("length", 20 + len(f["options"]) + len(payload))

    def header(total):
        return struct.pack(
            "!BBHHHBBH4s4s", f["version"] << 4 | ihl, f["tos"], length,
            f["ident"], f["frag"], f["ttl"], protocol, total, ip4(source),
            ip4(to)) + f["options"]
    return header(f.get("sum", checksum(header(0)))) + payload


def with_sum(segment, at, protocol, to, source=PEER_IP):
    """The TCP or UDP segment with its checksum, over IPv4."""
    pseudo = ip4(source) + ip4(to) + struct.pack("!BBH", 0, protocol,
                                                 len(segment))
    total = checksum(pseudo + segment) or 0xffff
    return segment[:at] + struct.pack("!H", total) + segment[at + 2:]


def udp(payload, port, length=None, source_port=4000):
    """A datagram without a checksum (RFC 768)."""
    return struct.pack("!HHHH", source_port, port,
                       8 + len(payload) if length is None else length,
                       0) + payload


def tcp(payload, port, offset=5, flags=0x10, options=b"", urgent=0):
    """A segment whose checksum is 0 (RFC 9293)."""
    return struct.pack("!HHIIBBHHH", 4000, port, 1, 1, offset << 4, flags,
                       1000, 0, urgent) + options + payload


def ping(vm, number):
    data = struct.pack("!BBHHH", 8, 0, 0, 0x5111, number & 0xffff)
    data = data[:2] + struct.pack("!H", checksum(data)) + data[4:]
    return padded(ethernet(vm.mac, PEER, IPV4, ipv4(ICMP, data, vm.ip)))


def free_ports(count):
    """UDP ports that nobody has; held until all are chosen."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


class Vm:
    """A guest, as the wire knows it."""

    def __init__(self, name, number):
        self.name = name
        self.mac = bytes.fromhex("5254000100") + bytes([number])
        self.ip = f"10.9.0.{number + 1}"
        # By the address alone (RFC 4291, appendix A).
        self.ip6 = (b"\xfe\x80" + bytes(6) + bytes([self.mac[0] ^ 2]) +
                    self.mac[1:3] + b"\xff\xfe" + self.mac[3:])


class Wire:
    """The other end of the NIC's cable."""

    def __init__(self):
        near, far = free_ports(2)
        self.netdev = (
            "dgram,id=n0,local.type=inet,local.host=127.0.0.1,"
            f"local.port={near},remote.type=inet,remote.host=127.0.0.1,"
            f"remote.port={far}")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", far))
        self.socket.connect(("127.0.0.1", near))
        self.sent = 0
        self.received = []
        # How long an answer may take before we ask again. In a flood questions
        # get lost; without one they do not, and each is counted.
        self.patience = SECONDS
        self._numbers = itertools.count(1)
        self._news = threading.Condition()
        self._open = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self):
        self._open = False
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)
        self.socket.close()

    def _read(self):
        while self._open:
            try:
                frame = self.socket.recv(65536)
            except ConnectionRefusedError:
                continue  # sent before QEMU was there
            except OSError:
                return
            with self._news:
                self.received.append(frame)
                self._news.notify_all()

    def send(self, frame):
        """Puts one frame on the wire; it may be lost if there are many."""
        with contextlib.suppress(ConnectionRefusedError):
            self.socket.send(frame)
            self.sent += 1

    def wait(self, wanted, since, seconds):
        """The first frame from number `since` on that is wanted, or None."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for frame in self.received[since:]:
                    if wanted(frame):
                        return frame
                since = len(self.received)
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._news.wait(left)

    def ask(self, frame, wanted):
        """Sends until the answer is there."""
        deadline = time.monotonic() + SECONDS
        since = len(self.received)
        while time.monotonic() < deadline:
            self.send(frame)
            answer = self.wait(wanted, since, self.patience)
            if answer:
                return answer
        raise MachineError(f"no answer in {SECONDS} s to "
                           f"{frame[:40].hex()}")

    def ping(self, vm):
        """The VM answers, so all that was sent before has arrived."""
        number = next(self._numbers)
        request = ping(vm, number)
        # Type 0, code 0, checksum, then as in the request.
        self.ask(request, lambda f: (f[:6] == PEER and f[34:36] == b"\0\0" and
                                     f[38:42] == request[38:42]))

    def order(self, vm, words):
        """Makes frames.c, in the VM, do something; the order's number."""
        number = next(self._numbers)
        self.ask(ethernet(vm.mac, PEER, ORDER, f"{number} {words}".encode() +
                          b"\0" * 40),
                 lambda f: (f[:14] == ethernet(PEER, vm.mac, ORDER, b"") and
                            f[14:].split(b"\0")[0] == str(number).encode()))
        return number

    def send_all(self, frames, vm, window=WINDOW):
        """Sends many frames, none of which is lost on the way; the VM, which
        is none of theirs, sets the pace."""
        for count, frame in enumerate(frames, 1):
            self.send(frame)
            if count % window == 0:
                self.ping(vm)
        self.ping(vm)
