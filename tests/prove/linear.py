# SPDX-License-Identifier: GPL-2.0-or-later
"""The same conditions over the integers.

Sums of 64 bits that cancel are hard for a solver of bit-vectors, and easy for
one of linear arithmetic. Each bit-vector term becomes an integer term between
0 and its width's end; a sum that may wrap takes off a multiple of 2^width; what
is not linear becomes any number of its width. That allows more than the
bit-vectors do, so only the answer "impossible" counts.
"""

import z3

COMPARE = {
    z3.Z3_OP_ULEQ: lambda a, b: a <= b, z3.Z3_OP_ULT: lambda a, b: a < b,
    z3.Z3_OP_UGEQ: lambda a, b: a >= b, z3.Z3_OP_UGT: lambda a, b: a > b,
}
SIGNED = {
    z3.Z3_OP_SLEQ: lambda a, b: a <= b, z3.Z3_OP_SLT: lambda a, b: a < b,
    z3.Z3_OP_SGEQ: lambda a, b: a >= b, z3.Z3_OP_SGT: lambda a, b: a > b,
}
LOGIC = {z3.Z3_OP_AND: z3.And, z3.Z3_OP_OR: z3.Or, z3.Z3_OP_NOT: z3.Not,
         z3.Z3_OP_XOR: z3.Xor, z3.Z3_OP_IMPLIES: z3.Implies}


class Linear:
    """A solver that runs beside one of bit-vectors: add, push, pop."""

    TIMEOUT_MS = 20_000

    def __init__(self):
        self.solver = z3.SolverFor("QF_LIA")
        self.solver.set("timeout", self.TIMEOUT_MS)
        self.terms = {}  # a term's number: (its integer, the term)
        self.scopes = []  # the numbers that each scope has added
        self.count = 0
        self.waiting = [[]]  # conditions not translated yet, by scope

    def push(self):
        self.waiting.append([])
        self.scopes.append(None)

    def pop(self):
        self.waiting.pop()
        added = self.scopes.pop()
        if added is not None:  # it was opened in the solver
            self.solver.pop()
            for number in added:
                del self.terms[number]

    def add(self, condition):
        self.waiting[-1].append(condition)

    def impossible(self):
        """Can the conditions not hold? False: perhaps they can."""
        for depth, conditions in enumerate(self.waiting):
            if depth and self.scopes[depth - 1] is None:
                self.solver.push()
                self.scopes[depth - 1] = []
            for condition in conditions:
                self.solver.add(self.logic(condition))
            conditions.clear()
        return self.solver.check() == z3.unsat

    def keep(self, term, value):
        self.terms[term.get_id()] = value, term
        opened = [scope for scope in self.scopes if scope is not None]
        if opened:
            opened[-1].append(term.get_id())
        return value

    def any(self, low, end):
        """Any number from low to end - 1."""
        self.count += 1
        number = z3.Int(f"n{self.count}")
        self.solver.add(number >= low, number < end)
        return number

    def logic(self, term):
        """The translation of a Bool."""
        if z3.is_true(term) or z3.is_false(term):
            return term
        known = self.terms.get(term.get_id())
        if known:
            return known[0]
        kind = term.decl().kind()
        parts = term.children()
        if kind in LOGIC:
            return LOGIC[kind](*map(self.logic, parts))
        if kind == z3.Z3_OP_ITE:
            return z3.If(*map(self.logic, parts))
        if kind in (z3.Z3_OP_EQ, z3.Z3_OP_IFF, z3.Z3_OP_DISTINCT):
            change = self.logic if z3.is_bool(parts[0]) else self.number
            left, right = map(change, parts)
            return left != right if kind == z3.Z3_OP_DISTINCT \
                else left == right
        if kind in COMPARE:
            return COMPARE[kind](*map(self.number, parts))
        if kind in SIGNED:
            return SIGNED[kind](*map(self.signed, parts))
        self.count += 1
        return self.keep(term, z3.Bool(f"b{self.count}"))

    def signed(self, term):
        value, half = self.number(term), 1 << (term.size() - 1)
        return z3.If(value >= half, value - 2 * half, value)

    def number(self, term):
        """The translation of a bit-vector."""
        if z3.is_bv_value(term):
            return z3.IntVal(term.as_long())
        known = self.terms.get(term.get_id())
        return known[0] if known else self.keep(term, self.translate(term))

    def translate(self, term):
        kind = term.decl().kind()
        parts = term.children()
        width = term.size()
        if kind == z3.Z3_OP_BADD or kind == z3.Z3_OP_BMUL and \
                len(parts) == 2 and z3.is_bv_value(parts[0]):
            return self.wrapped(self.plain(term), width)
        if kind == z3.Z3_OP_CONCAT:
            value, shift = z3.IntVal(0), width
            for part in parts:
                shift -= part.size()
                value += self.number(part) * (1 << shift)
            return value
        if kind == z3.Z3_OP_ZERO_EXT:
            return self.number(parts[0])
        if kind == z3.Z3_OP_SIGN_EXT:
            value = self.number(parts[0])
            half = 1 << (parts[0].size() - 1)
            return z3.If(value >= half, value + (1 << width) - 2 * half,
                         value)
        if kind == z3.Z3_OP_EXTRACT:
            high, low = term.params()
            whole = parts[0]
            above = self.any(0, 1 << (whole.size() - 1 - high))
            value = self.any(0, 1 << width)
            below = self.any(0, 1 << low)
            self.solver.add(self.number(whole) ==
                            above * (1 << (high + 1)) + value * (1 << low) +
                            below)
            return value
        if kind == z3.Z3_OP_ITE:
            return z3.If(self.logic(parts[0]), *map(self.number, parts[1:]))
        return self.any(0, 1 << width)

    def plain(self, term):
        """A sum before it wraps."""
        kind = term.decl().kind()
        parts = term.children()
        if kind == z3.Z3_OP_BADD:
            return z3.Sum(*map(self.plain, parts))
        if kind == z3.Z3_OP_BMUL and len(parts) == 2 and \
                z3.is_bv_value(parts[0]):
            return self.small(parts[0]) * self.number(parts[1])
        if z3.is_bv_value(term):
            return z3.IntVal(self.small(term))
        return self.number(term)

    @staticmethod
    def small(constant):
        """Of the numbers that a constant stands for, the nearest to 0."""
        value, end = constant.as_long(), 1 << constant.size()
        return value - end if value >= end // 2 else value

    def wrapped(self, value, width):
        self.count += 1
        wraps = z3.Int(f"w{self.count}")
        value = value - wraps * (1 << width)
        self.solver.add(value >= 0, value < 1 << width)
        return value
