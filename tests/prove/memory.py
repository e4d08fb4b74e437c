# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory of a symbolic execution: objects of bytes.

A value is a Python int where it is known, else a z3 term: a bit-vector, or a
Bool for one bit. A pointer is an object and an offset; other integers stand
for pointers to nothing.
"""

import z3


class Pointer:
    __slots__ = ("object", "offset")

    def __init__(self, to, offset):
        self.object = to  # an Object's number
        self.offset = offset  # 64 bits


def vector(value, width):
    """As a z3 bit-vector."""
    if isinstance(value, int):
        return z3.BitVecVal(value, width)
    if isinstance(value, z3.BoolRef):
        return z3.If(value, z3.BitVecVal(1, width), z3.BitVecVal(0, width))
    return value


def simple(value):
    """Simplified, and an int if that is what is left."""
    if isinstance(value, int):
        return value
    value = z3.simplify(value)
    if z3.is_bv_value(value):
        return value.as_long()
    if z3.is_true(value):
        return 1
    if z3.is_false(value):
        return 0
    return value


class Object:
    """Private memory: what was stored is what is loaded. Shared memory has no
    content: another CPU may write it at any moment, so each load brings
    anything, and a store only has to be in bounds."""

    # The widest cell.
    CELL = 16

    def __init__(self, name, size, base, shared=False, zero=False):
        self.name = name
        self.size = size  # bytes; a term for shared memory
        self.base = base  # its address
        self.shared = shared
        self.zero = zero  # what was never stored: 0 (else anything)
        self.cells = {}  # offset: (bytes, value)

    def clone(self):
        twin = Object(self.name, self.size, self.base, self.shared, self.zero)
        twin.cells = dict(self.cells)
        return twin

    def covering(self, offset):
        """Offset of the cell that holds this byte, or None."""
        for at in range(offset, offset - self.CELL, -1):
            cell = self.cells.get(at)
            if cell:
                return at if at + cell[0] > offset else None
        return None

    def write(self, offset, count, value):
        cell = self.cells.get(offset)
        if not cell or cell[0] != count:
            self.clear(offset, count)
        self.cells[offset] = (count, value)

    def clear(self, offset, count):
        """No cell overlaps [offset, offset + count) any more; what sticks out
        stays, byte by byte."""
        at = offset
        while at < offset + count:
            start = self.covering(at)
            if start is None:
                at += 1
                continue
            size, value = self.cells.pop(start)
            for i in range(size):
                if not offset <= start + i < offset + count:
                    self.cells[start + i] = (1, self.byte(value, size, i))
            at = start + size

    def forget(self, offset, count):
        """Anything may be there now."""
        if self.zero:
            raise NotImplementedError("unknown content in a zeroed object")
        self.clear(offset, count)

    def byte(self, value, size, index):
        if isinstance(value, Pointer):
            # A pointer that is taken apart is no pointer any more.
            raise NotImplementedError("part of a pointer")
        if isinstance(value, int):
            return value >> 8 * index & 255
        return z3.Extract(8 * index + 7, 8 * index, vector(value, 8 * size))

    def read(self, offset, count, fresh):
        """fresh(bits) makes a new unknown."""
        cell = self.cells.get(offset)
        if cell and cell[0] == count:
            return cell[1]
        if all(self.covering(offset + i) is None for i in range(count)):
            value = 0 if self.zero else fresh(8 * count)
            self.cells[offset] = (count, value)
            return value
        parts = []
        for i in range(count):
            at = self.covering(offset + i)
            if at is None:
                self.cells[offset + i] = (1, 0 if self.zero else fresh(8))
                at = offset + i
            size, value = self.cells[at]
            parts.append(self.byte(value, size, offset + i - at))
        if all(isinstance(part, int) for part in parts):
            return sum(part << 8 * i for i, part in enumerate(parts))
        return simple(z3.Concat(*[vector(part, 8)
                                  for part in reversed(parts)]))

    def chunks(self, offset, count, fresh):
        """[(relative offset, bytes, value)] of a stretch, cell by cell where
        that is possible, so that pointers stay what they are."""
        pieces, at = [], 0
        while at < count:
            cell = self.cells.get(offset + at)
            if cell and at + cell[0] <= count:
                size = cell[0]
            else:
                size = 8 if at + 8 <= count and all(
                    self.covering(offset + at + i) is None
                    for i in range(8)) else 1
            pieces.append((at, size, self.read(offset + at, size, fresh)))
            at += size
        return pieces
