# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs LLVM IR on unknown inputs, along every path that can be taken.

Depth first. The path's conditions are z3 bit-vector formulas; at a branch each
side that they allow is followed. A path ends at main's return. So when run()
comes back without Refuted, the code ends for all inputs within the harness's
assumptions, and no check failed on any path: it is a proof for these, not a
sample. Anything not understood is an error, never skipped.

Checked at each step, besides what the harness asks:
 - each load and store lies within one object, as a whole;
 - what clang's -fsanitize put in: overflow (signed, unsigned, pointers),
   conversions that lose bits, shifts, array bounds, bad bool values, null;
 - plat_panic() (a failed ASSERT) is never called;
 - no path goes on for more than STEPS_MAX instructions.
"""

import sys
import threading

import z3

from linear import Linear
from llvm_ir import IrError, Module
from memory import Object, Pointer, simple, vector

STEPS_MAX = 100_000
# An unknown offset into private memory: so many places are followed one by
# one; beyond, a store makes all of them unknown.
PLACES_MAX = 8
# Where private objects lie, and shared ones: 16 TiB apart, as in the upper
# half of the address space.
PRIVATE_BASE = 0x10000
SHARED_BASE = 0xffff_8000_0000_0000
SHARED_SIZE_MAX = 1 << 44
HANDLER = "@__ubsan_handle_"
STACK = 512 << 20

MASK64 = (1 << 64) - 1


class Refuted(Exception):
    """A check that fails, and how."""


class Unknown(Exception):
    """The solver gave up."""


class Solver:
    """Bit-vectors first, and the integers where these are slow."""

    # Most questions take a few milliseconds.
    TRY_MS = 150
    TIMEOUT_MS = 120_000

    def __init__(self):
        self.bits = z3.SolverFor("QF_BV")
        self.linear = Linear()

    def push(self):
        self.bits.push()
        self.linear.push()

    def pop(self):
        self.bits.pop()
        self.linear.pop()

    def add(self, condition):
        self.bits.add(condition)
        self.linear.add(condition)

    def model(self):
        """Of what was added, or None."""
        for timeout in (self.TRY_MS, self.TIMEOUT_MS):
            self.bits.set("timeout", timeout)
            answer = self.bits.check()
            if answer == z3.sat:
                return self.bits.model()
            if answer == z3.unsat:
                return None
            if timeout == self.TRY_MS and self.linear.impossible():
                return None
        raise Unknown(self.bits.reason_unknown())


class Frame:
    __slots__ = ("function", "block", "at", "registers", "target", "locals")

    def __init__(self, function, target):
        self.function = function
        self.block = function.entry
        self.at = 0
        self.registers = {}
        self.target = target  # the caller's register for the result
        self.locals = []

    def clone(self):
        twin = Frame(self.function, self.target)
        twin.block, twin.at = self.block, self.at
        twin.registers = dict(self.registers)
        twin.locals = list(self.locals)
        return twin


class Path:
    """The state of one path."""

    def __init__(self):
        self.frames = []
        self.memory = {}  # number: Object
        self.own = set()  # objects that no other path shares
        self.steps = 0
        self.stores = 0  # to shared memory
        self.model = None  # of the solver's present assertions
        self.unknowns = []  # terms, in order
        self.names = {}  # a sum's number: its name, the sum
        self.wide = {}  # a narrow term's number: what it is, wide; the term

    def clone(self):
        twin = Path()
        twin.frames = [frame.clone() for frame in self.frames]
        twin.memory = dict(self.memory)
        self.own = set()
        twin.steps, twin.stores = self.steps, self.stores
        twin.model = self.model
        twin.unknowns = list(self.unknowns)
        twin.names, twin.wide = dict(self.names), dict(self.wide)
        return twin

    def writable(self, number):
        if number not in self.own:
            self.memory[number] = self.memory[number].clone()
            self.own.add(number)
        return self.memory[number]


class Executor:
    def __init__(self, module, wraps=()):
        self.module = module
        self.wraps = set(wraps)  # (function, kind) that may overflow
        self.wraps_seen = set()
        self.reached = set()  # call sites of prove_check, prove_reach
        self.paths = self.queries = 0
        self.solver = Solver()
        self.objects = self.unknown_count = 0
        self.shared_count = 0
        self.global_numbers = {}

    # Entry.

    def run(self):
        """Everything from @main; raises Refuted."""
        outcome = []

        def target():
            try:
                self._run()
            except BaseException as error:  # pylint: disable=broad-except
                outcome.append(error)

        # One Python frame for each open branch.
        sys.setrecursionlimit(1_000_000)
        threading.stack_size(STACK)
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
        if outcome:
            raise outcome[0]

    def _run(self):
        path = Path()
        for name, info in self.module.globals.items():
            number = self.new_object(path, name, self.module.size(info.type)
                                     if info.type != ("opaque",) else 0)
            self.global_numbers[name] = number
            if info.data is not None:
                for at, byte in enumerate(info.data):
                    path.memory[number].cells[at] = (1, byte)
        path.frames.append(Frame(self.module.functions["@main"], None))
        path.model = self.solver.model()
        self.explore(path)
        for function in self.module.functions.values():
            for block in function.blocks.values():
                for instruction in block:
                    if instruction[0] == "call" and instruction[4] in (
                            "@prove_check", "@prove_reach") and \
                            id(instruction) not in self.reached:
                        raise Refuted(
                            f"{self.text(path, instruction[5][-1][1])!r} in "
                            f"{function.name[1:]}() is never reached")

    def explore(self, path):
        """Until the path ends; forks recurse."""
        while path is not None and path.frames:
            path = self.step(path)
        self.paths += path is not None

    def fork(self, path, conditions):
        """Explores the path under each condition: [(condition, change)],
        where change(path) is what is then known."""
        last = len(conditions) - 1
        for i, (condition, change) in enumerate(conditions):
            twin = path if i == last else path.clone()
            self.solver.push()
            self.solver.add(condition)
            if self.holds(path.model, condition):
                twin.model = path.model
            else:
                twin.model = self.ask()
            if twin.model is not None:
                change(twin)
                self.explore(twin)
            self.solver.pop()

    # The solver.

    def ask(self):
        """A model of the assertions, or None."""
        self.queries += 1
        return self.solver.model()

    def possible(self, path, condition):
        """A model in which the condition holds, or None."""
        if self.holds(path.model, condition):
            return path.model
        self.solver.push()
        self.solver.add(condition)
        model = self.ask()
        self.solver.pop()
        return model

    @staticmethod
    def holds(model, condition):
        return z3.is_true(model.eval(condition, model_completion=True))

    def fresh(self, path, bits, name=""):
        self.unknown_count += 1
        term = z3.BitVec(f"{name}#{self.unknown_count}", bits)
        path.unknowns.append(term)
        return term

    # Failures.

    def where(self, path, instruction):
        line = self.module.lines.get(instruction[2])
        return f"{path.frames[-1].function.name[1:]}():{line or '?'}"

    def refute(self, path, instruction, what, model=None):
        model = model or path.model
        lines = [f"{what} at {self.where(path, instruction)}"]
        if len(path.frames) > 1:
            lines.append("called from " + ", ".join(
                frame.function.name[1:] for frame in path.frames[-2::-1]))
        for term in path.unknowns:
            value = model.eval(term)
            if z3.is_bv_value(value):
                lines.append(f"  {term.decl().name().split('#')[0]} = "
                             f"{value.as_long():#x}")
        raise Refuted("\n".join(lines))

    def check(self, path, instruction, condition, what):
        """The condition holds whenever we get here."""
        condition = simple(condition)
        if isinstance(condition, int):
            if not condition:
                self.refute(path, instruction, what)
            return
        model = self.possible(path, z3.Not(condition))
        if model is not None:
            self.refute(path, instruction, what, model)

    # Objects.

    def new_object(self, path, name, size, shared=False):
        self.objects += 1
        number = self.objects
        if shared:
            base = SHARED_BASE + SHARED_SIZE_MAX * self.shared_count
            self.shared_count += 1
        else:
            base = PRIVATE_BASE + (number << 20)
        path.memory[number] = Object(name, size, base, shared)
        path.own.add(number)
        return number

    def address(self, path, value):
        if not isinstance(value, Pointer):
            return value
        return self.binary("add", 64, path.memory[value.object].base,
                        value.offset)

    def text(self, path, operand):
        """The C string that a constant operand points to."""
        while operand[0] in ("gep", "cast"):
            operand = operand[1] if operand[0] == "gep" else operand[3]
        data = self.module.globals[operand[1]].data
        return data.rstrip(b"\0").decode()

    def access(self, path, instruction, pointer, count, what):
        """The object of an access that is in bounds."""
        if not isinstance(pointer, Pointer) or \
                pointer.object not in path.memory:
            self.refute(path, instruction, f"{what} through a pointer to "
                        "nothing")
        target = path.memory[pointer.object]
        self.check(path, instruction,
                   self.inside(path, target, pointer.offset, count),
                   f"{what} out of the bounds of {target.name}")
        return target

    def inside(self, path, target, offset, count):
        size = target.size
        if all(isinstance(x, int) for x in (size, offset, count)):
            return int(count <= size and offset <= size - count)
        # In the form in which code would ask: solvers are slow to see that
        # another sum says the same.
        rest = self.named(path, self.binary("sub", 64, size, offset), 64)
        size, offset, count = (self.named(path, value, 64)
                               for value in (size, offset, count))
        return z3.And(z3.ULE(offset, size), z3.ULE(count, rest))

    # Operands.

    def operand(self, path, operand):
        tag = operand[0]
        if tag == "r":
            return path.frames[-1].registers[operand[1]]
        if tag == "k":
            return operand[1]
        if tag == "undef":
            kind = operand[1]
            return self.fresh(path, kind[1] if kind[0] == "i" else 64,
                              "undefined")
        if tag == "g":
            return Pointer(self.global_numbers[operand[1]], 0)
        if tag == "gep":
            return self.gep(path, operand)
        if tag == "cast":
            return self.cast(path, operand[1], operand[2],
                             self.operand(path, operand[3]), operand[4])
        raise NotImplementedError(f"operand {operand}")

    def gep(self, path, operand):
        _, base, offset, terms = operand
        base = self.operand(path, base)
        total = offset & MASK64
        for scale, width, index in terms:
            index = self.cast(path, "sext", ("i", width),
                              self.operand(path, index), ("i", 64))
            total = self.binary("add", 64, total, self.binary(
                "mul", 64, index, scale))
        if isinstance(base, Pointer):
            return Pointer(base.object,
                           self.binary("add", 64, base.offset, total))
        return self.binary("add", 64, base, total)

    def cast(self, path, word, source, value, target):
        if word == "bitcast":
            return value
        if word == "inttoptr":
            return value
        if word == "ptrtoint":
            return self.address(path, value)
        width = source[1]
        if isinstance(value, int):
            if word == "sext" and value >> (width - 1):
                value -= 1 << width
            return value & ((1 << target[1]) - 1)
        if word == "trunc":
            if target[1] == 1:
                return simple(z3.Extract(0, 0, value) == 1)
            return self.narrow(path, value, width, target[1])
        if word == "zext" and value.get_id() in path.wide:
            wide = path.wide[value.get_id()][0]
            if wide.size() == target[1]:
                return wide
        if isinstance(value, z3.BoolRef):
            one = 1 if word == "zext" else -1
            return z3.If(value, z3.BitVecVal(one, target[1]),
                         z3.BitVecVal(0, target[1]))
        extend = z3.ZeroExt if word == "zext" else z3.SignExt
        return extend(target[1] - width, value)

    def narrow(self, path, value, width, target):
        """The low bits. A sum keeps its form for when it is widened again:
        the bits of a sum are no sum, and would not cancel any more."""
        low = simple(z3.Extract(target - 1, 0, value))
        if isinstance(low, int) or not is_sum(value):
            return low
        known = path.names.get(low.get_id())
        if known is not None:
            return known[0]
        whole = self.named(path, value, width)
        part = self.name(path, z3.Extract(target - 1, 0, whole), low)
        if self.possible(path, z3.UGE(whole, 1 << target)) is None:
            fits = z3.ZeroExt(width - target, part) == whole
            self.solver.add(fits)
            path.wide[part.get_id()] = value, part
        return part

    @staticmethod
    def binary(word, width, left, right):
        if isinstance(left, int) and isinstance(right, int) and \
                word not in ("udiv", "sdiv", "urem", "srem", "ashr"):
            mask = (1 << width) - 1
            if word in ("shl", "lshr"):
                if right >= width:
                    raise NotImplementedError("shift past the width")
                return (left << right if word == "shl" else
                        left >> right) & mask
            return {"add": left + right, "sub": left - right,
                    "mul": left * right, "and": left & right,
                    "or": left | right, "xor": left ^ right}[word] & mask
        if width == 1:
            left, right = truth(left), truth(right)
            return {"and": z3.And, "or": z3.Or, "xor": z3.Xor}[word](
                left, right)
        # A sum with 0 and the like need no term.
        if word == "add" and left is not None and isinstance(left, int) and \
                not left:
            return right
        if word in ("add", "sub", "or", "xor", "shl", "lshr") and \
                isinstance(right, int) and not right:
            return left
        left, right = vector(left, width), vector(right, width)
        return simple({
            "add": lambda: left + right, "sub": lambda: left - right,
            "mul": lambda: left * right, "and": lambda: left & right,
            "or": lambda: left | right, "xor": lambda: left ^ right,
            "shl": lambda: left << right,
            "lshr": lambda: z3.LShR(left, right),
            "ashr": lambda: left >> right,
            "udiv": lambda: z3.UDiv(left, right),
            "urem": lambda: z3.URem(left, right),
            "sdiv": lambda: left / right,
            "srem": lambda: z3.SRem(left, right)}[word]())

    def named(self, path, value, width):
        """A sum that is compared gets a name: asked for again, it is the same
        term to the solver, whatever that rewrites. Without, the solver would
        have to find out that two adders say the same, which is hard for it.
        (binary() leaves sums simplified, so that like terms cancel.)"""
        value = vector(value, width)
        if not is_sum(value):
            return value
        known = path.names.get(value.get_id())
        return known[0] if known else self.name(path, value, value)

    def name(self, path, value, key):
        """A new unknown that is the value; found again by the key."""
        self.unknown_count += 1
        name = z3.BitVec(f"sum#{self.unknown_count}", value.size())
        path.names[key.get_id()] = name, key  # keeps the number taken
        self.solver.add(name == value)
        # The model goes on to hold.
        known = path.model.eval(value, model_completion=True)
        z3.Z3_add_const_interp(name.ctx_ref(), path.model.model,
                               name.decl().ast, known.as_ast())
        return name

    def compare(self, path, predicate, kind, left, right):
        width = kind[1] if kind[0] == "i" else 64
        if isinstance(left, Pointer) and isinstance(right, Pointer) and \
                left.object == right.object and predicate in ("eq", "ne"):
            left, right = left.offset, right.offset
        else:
            left, right = self.address(path, left), self.address(path, right)
        if isinstance(left, int) and isinstance(right, int):
            if predicate[0] == "s":
                sign = 1 << (width - 1)
                left, right = left ^ sign, right ^ sign
            return int({"eq": left == right, "ne": left != right,
                        "lt": left < right, "le": left <= right,
                        "gt": left > right, "ge": left >= right}[
                            predicate if predicate in ("eq", "ne")
                            else predicate[1:]])
        if width == 1:
            left, right = truth(left), truth(right)
        else:
            left = self.named(path, left, width)
            right = self.named(path, right, width)
        return simple({
            "eq": lambda: left == right, "ne": lambda: left != right,
            "ult": lambda: z3.ULT(left, right),
            "ule": lambda: z3.ULE(left, right),
            "ugt": lambda: z3.UGT(left, right),
            "uge": lambda: z3.UGE(left, right),
            "slt": lambda: left < right, "sle": lambda: left <= right,
            "sgt": lambda: left > right, "sge": lambda: left >= right,
        }[predicate]())

    # Instructions. Each returns the path to go on with; None: it has ended.

    def step(self, path):
        frame = path.frames[-1]
        instruction = frame.function.blocks[frame.block][frame.at]
        path.steps += 1
        if path.steps > STEPS_MAX:
            self.refute(path, instruction, "no end in sight")
        return getattr(self, "do_" + instruction[0])(path, frame, instruction)

    @staticmethod
    def done(path, frame, instruction, value=None):
        if instruction[1]:
            frame.registers[instruction[1]] = value
        frame.at += 1
        return path

    def do_nop(self, path, frame, instruction):
        return self.done(path, frame, instruction)

    def do_freeze(self, path, frame, instruction):
        return self.done(path, frame, instruction,
                         self.operand(path, instruction[4]))

    def do_unreachable(self, path, frame, instruction):
        self.refute(path, instruction, "code that cannot be reached")

    def do_binary(self, path, frame, instruction):
        _, _, _, word, width, left, right = instruction
        left, right = self.operand(path, left), self.operand(path, right)
        if word in ("udiv", "sdiv", "urem", "srem"):
            self.check(path, instruction, vector(right, width) != 0,
                       "division by zero")
        return self.done(path, frame, instruction,
                         self.binary(word, width, left, right))

    def do_cast(self, path, frame, instruction):
        _, _, _, word, source, operand, target = instruction
        return self.done(path, frame, instruction, self.cast(
            path, word, source, self.operand(path, operand), target))

    def do_gep(self, path, frame, instruction):
        return self.done(path, frame, instruction,
                         self.gep(path, instruction[3]))

    def do_icmp(self, path, frame, instruction):
        _, _, _, predicate, kind, left, right = instruction
        return self.done(path, frame, instruction, self.compare(
            path, predicate, kind, self.operand(path, left),
            self.operand(path, right)))

    def do_extract(self, path, frame, instruction):
        return self.done(path, frame, instruction,
                         self.operand(path, instruction[3])[instruction[4]])

    def do_alloca(self, path, frame, instruction):
        number = self.new_object(path, f"a local of {frame.function.name[1:]}",
                                 instruction[3])
        frame.locals.append(number)
        return self.done(path, frame, instruction, Pointer(number, 0))

    def goto(self, path, frame, label):
        """The phis of a block are read at once."""
        block = frame.function.blocks[label]
        values = []
        at = 0
        while block[at][0] == "phi":
            values.append((block[at][1],
                           self.operand(path, block[at][4][frame.block])))
            at += 1
        frame.registers.update(values)
        frame.block, frame.at = label, at
        return path

    def do_jump(self, path, frame, instruction):
        return self.goto(path, frame, instruction[3])

    def handler(self, function, block, label, other):
        """Does a branch to label only report, and then join other?"""
        body = function.blocks[label]
        if body[-1][0] != "jump" or body[-1][3] != other or not all(
                one[0] == "call" and one[4].startswith(HANDLER)
                for one in body[:-1]) or len(body) < 2:
            return False
        return all(phi[4][label] == phi[4][block]
                   for phi in function.blocks[other] if phi[0] == "phi")

    def do_branch(self, path, frame, instruction):
        _, _, _, condition, yes, no = instruction
        condition = self.operand(path, condition)
        if isinstance(condition, int):
            return self.goto(path, frame, yes if condition else no)
        for label, other, test in ((yes, no, condition),
                                   (no, yes, z3.Not(condition))):
            # A wrap that may be: no path of its own, for nothing changes.
            if self.handler(frame.function, frame.block, label, other):
                model = self.possible(path, test)
                if model is not None:
                    for call in frame.function.blocks[label][:-1]:
                        self.report(path, call, model)
                return self.goto(path, frame, other)
        opposite = z3.Not(condition)
        if self.possible(path, condition) is None:
            return self.goto(path, frame, no)
        if self.possible(path, opposite) is None:
            return self.goto(path, frame, yes)
        self.fork(path, [
            (condition, lambda p: self.goto(p, p.frames[-1], yes)),
            (opposite, lambda p: self.goto(p, p.frames[-1], no))])
        return None

    def do_switch(self, path, frame, instruction):
        _, _, _, width, operand, default, cases = instruction
        value = self.operand(path, operand)
        if isinstance(value, int):
            return self.goto(path, frame, dict(cases).get(value, default))
        value = vector(value, width)
        ways = [(value == number, label) for number, label in cases]
        ways.append((z3.And(*[value != number for number, _ in cases]),
                     default))
        self.fork(path, [
            (condition,
             lambda p, label=label: self.goto(p, p.frames[-1], label))
            for condition, label in ways])
        return None

    def do_select(self, path, frame, instruction):
        _, target, _, kind, condition, yes, no = instruction
        condition = self.operand(path, condition)
        yes, no = self.operand(path, yes), self.operand(path, no)
        if isinstance(condition, int):
            return self.done(path, frame, instruction,
                             yes if condition else no)
        if kind == ("i", 1):
            return self.done(path, frame, instruction, simple(
                z3.If(condition, truth(yes), truth(no))))
        if isinstance(yes, int) and isinstance(no, int) and kind[0] == "i":
            return self.done(path, frame, instruction, z3.If(
                condition, vector(yes, kind[1]), vector(no, kind[1])))
        return self.choose(path, instruction, condition, yes, no)

    def choose(self, path, instruction, condition, yes, no):
        """Two paths, so that each has a plain value."""
        def done(value):
            return lambda p: self.done(p, p.frames[-1], instruction, value)

        opposite = z3.Not(condition)
        if self.possible(path, condition) is None:
            return done(no)(path)
        if self.possible(path, opposite) is None:
            return done(yes)(path)
        self.fork(path, [(condition, done(yes)), (opposite, done(no))])
        return None

    def do_ret(self, path, frame, instruction):
        value = None
        if instruction[3]:
            value = self.operand(path, instruction[3])
        for number in frame.locals:
            del path.memory[number]
        path.frames.pop()
        if path.frames:
            caller = path.frames[-1]
            call = caller.function.blocks[caller.block][caller.at]
            return self.done(path, caller, call, value)
        return path

    # Memory.

    def places(self, path, offset):
        """All values of a term, or None when there are too many."""
        values = []
        self.solver.push()
        model = path.model
        while model is not None and len(values) <= PLACES_MAX:
            value = model.eval(offset, model_completion=True).as_long()
            values.append(value)
            self.solver.add(offset != value)
            model = self.ask()
        self.solver.pop()
        return values if len(values) <= PLACES_MAX else None

    def settle(self, path, frame, instruction, operand, pointer):
        """Makes an unknown offset into private memory a known one: the
        pointer, or None when that took a fork."""
        values = self.places(path, pointer.offset)
        if values is None:
            return pointer
        if len(values) == 1:
            return Pointer(pointer.object, values[0])

        def choose(value):
            def change(twin):
                twin.frames[-1].registers[operand[1]] = Pointer(
                    pointer.object, value)
            return change

        self.fork(path, [(pointer.offset == value, choose(value))
                         for value in values])
        return None

    def do_load(self, path, frame, instruction):
        _, _, _, kind, operand = instruction
        count = self.module.size(kind)
        pointer = self.operand(path, operand)
        target = self.access(path, instruction, pointer, count, "load")
        if target.shared:
            line = self.module.lines.get(instruction[2], "?")
            value = self.fresh(path, 8 * count,
                               f"{frame.function.name[1:]}():{line} loads")
            return self.done(path, frame, instruction,
                             self.as_type(kind, value))
        if not isinstance(pointer.offset, int):
            pointer = self.settle(path, frame, instruction, operand, pointer)
            if pointer is None:
                return None
            if not isinstance(pointer.offset, int):
                # Anything: more than is true, so nothing is missed.
                return self.done(path, frame, instruction, self.as_type(
                    kind, self.fresh(path, 8 * count, "any element")))
        value = path.writable(pointer.object).read(
            pointer.offset, count, lambda bits: self.fresh(
                path, bits, self.where(path, instruction) + " copied"))
        return self.done(path, frame, instruction, self.as_type(kind, value))

    @staticmethod
    def as_type(kind, value):
        if kind == ("i", 1) and not isinstance(value, (int, z3.BoolRef)):
            return simple(z3.Extract(0, 0, value) == 1)
        return value

    def do_store(self, path, frame, instruction):
        _, _, _, kind, value, operand = instruction
        count = self.module.size(kind)
        pointer = self.operand(path, operand)
        target = self.access(path, instruction, pointer, count, "store")
        if target.shared:
            path.stores += 1
            return self.done(path, frame, instruction)
        value = self.operand(path, value)
        if isinstance(value, z3.BoolRef):
            value = vector(value, 8)
        if not isinstance(pointer.offset, int):
            pointer = self.settle(path, frame, instruction, operand, pointer)
            if pointer is None:
                return None
        target = path.writable(pointer.object)
        if isinstance(pointer.offset, int):
            target.write(pointer.offset, count, value)
        else:
            low, high = self.extent(path, pointer.offset)
            target.forget(low, high - low + count)
        return self.done(path, frame, instruction)

    def extent(self, path, offset):
        """The smallest and the largest value of a term."""
        ends = []
        for least in (True, False):
            low, high = 0, MASK64
            while low < high:
                middle = low + (high - low + (not least)) // 2
                if least:
                    if self.possible(path, z3.ULE(offset, middle)) is None:
                        low = middle + 1
                    else:
                        high = middle
                elif self.possible(path, z3.UGE(offset, middle)) is None:
                    high = middle - 1
                else:
                    low = middle
            ends.append(low)
        return ends

    def do_atomicrmw(self, path, frame, instruction):
        _, _, _, word, kind, operand, value = instruction
        count = self.module.size(kind)
        pointer = self.operand(path, operand)
        target = self.access(path, instruction, pointer, count, "update")
        if target.shared or not isinstance(pointer.offset, int) or \
                word not in ("add", "sub", "and", "or", "xor"):
            raise NotImplementedError("atomicrmw")
        target = path.writable(pointer.object)
        old = target.read(pointer.offset, count,
                          lambda bits: self.fresh(path, bits, "raw"))
        target.write(pointer.offset, count, self.binary(
            word, kind[1], old, self.operand(path, value)))
        return self.done(path, frame, instruction, old)

    # Calls.

    def do_call(self, path, frame, instruction):
        _, _, _, _, name, arguments = instruction
        if name in self.module.functions:
            function = self.module.functions[name]
            callee = Frame(function, instruction[1])
            for (_, register), (_, operand) in zip(function.params, arguments):
                callee.registers[register] = self.operand(path, operand)
            path.frames.append(callee)
            return path
        if name.startswith(HANDLER):
            self.report(path, instruction, path.model)
            return self.done(path, frame, instruction)
        if name.startswith(("@llvm.lifetime.", "@llvm.assume")) or \
                name == "@llvm.x86.sse2.pause":
            return self.done(path, frame, instruction)
        match = next((value for prefix, value in CALLS.items()
                      if name == prefix or name.startswith(prefix + ".")),
                     None)
        if not match:
            raise NotImplementedError(f"call of {name}")
        return match(self, path, frame, instruction, [
            self.operand(path, operand) if prefix_is_value(kind) else None
            for kind, operand in arguments])

    def report(self, path, instruction, model):
        """A sanitizer's handler is called."""
        kind = instruction[4][len(HANDLER):].replace("_minimal", "")
        wrap = (path.frames[-1].function.name[1:], kind)
        if wrap in self.wraps:
            self.wraps_seen.add(wrap)
            return
        self.refute(path, instruction, kind.replace("_", " "), model)

    def call_panic(self, path, frame, instruction, arguments):
        self.refute(path, instruction, "panic")

    def call_any(self, path, frame, instruction, arguments):
        line = self.module.lines.get(instruction[2], "?")
        return self.done(path, frame, instruction, self.fresh(
            path, 64, f"{frame.function.name[1:]}():{line} any"))

    def call_assume(self, path, frame, instruction, arguments):
        condition = simple(truth(arguments[0]))
        if isinstance(condition, int):
            return self.done(path, frame, instruction) if condition else None
        held = self.holds(path.model, condition)
        self.solver.add(condition)
        if not held:
            path.model = self.ask()
            if path.model is None:
                return None
        return self.done(path, frame, instruction)

    def call_check(self, path, frame, instruction, arguments):
        self.reached.add(id(instruction))
        self.check(path, instruction, truth(arguments[0]),
                   "not so: " + self.text(path, instruction[5][1][1]))
        return self.done(path, frame, instruction)

    def call_reach(self, path, frame, instruction, arguments):
        self.reached.add(id(instruction))
        return self.done(path, frame, instruction)

    def call_shared(self, path, frame, instruction, arguments):
        size = arguments[0]
        number = self.new_object(path, "shared memory", size, True)
        if isinstance(size, int):
            return self.done(path, frame, instruction, Pointer(number, 0))
        self.check(path, instruction, z3.ULE(size, SHARED_SIZE_MAX),
                   "shared memory of such a size")
        return self.done(path, frame, instruction, Pointer(number, 0))

    def call_inside(self, path, frame, instruction, arguments):
        pointer, length, whole = arguments
        if not isinstance(pointer, Pointer) or \
                pointer.object != whole.object:
            return self.done(path, frame, instruction, 0)
        return self.done(path, frame, instruction, simple(self.inside(
            path, path.memory[pointer.object], pointer.offset, length)))

    def call_stores(self, path, frame, instruction, arguments):
        return self.done(path, frame, instruction, path.stores)

    def call_copy(self, path, frame, instruction, arguments):
        target, source, count = arguments[:3]
        if isinstance(count, int) and not count:
            return self.done(path, frame, instruction, arguments[0])
        to = self.access(path, instruction, target, count, "copy")
        of = self.access(path, instruction, source, count, "copy")
        if to.shared:
            path.stores += 1
            return self.done(path, frame, instruction, arguments[0])
        if not isinstance(count, int) or \
                not isinstance(target.offset, int):
            raise NotImplementedError("copy of an unknown length")

        to = path.writable(target.object)
        if of.shared:
            # Anything, once: what it is comes up when it is loaded, in the
            # width of that load.
            to.forget(target.offset, count)
            return self.done(path, frame, instruction, arguments[0])
        if not isinstance(source.offset, int):
            raise NotImplementedError("copy from an unknown place")
        pieces = path.writable(source.object).chunks(
            source.offset, count, lambda bits: self.fresh(path, bits, "raw"))
        to = path.writable(target.object)
        for at, size, value in pieces:
            to.write(target.offset + at, size, value)
        return self.done(path, frame, instruction, arguments[0])

    def call_set(self, path, frame, instruction, arguments):
        target, byte, count = arguments[:3]
        to = self.access(path, instruction, target, count, "fill")
        if to.shared:
            path.stores += 1
            return self.done(path, frame, instruction, arguments[0])
        if not all(isinstance(x, int) for x in (byte, count, target.offset)):
            raise NotImplementedError("fill of an unknown kind")
        to = path.writable(target.object)
        for at in range(0, count, 8):
            size = min(8, count - at)
            to.write(target.offset + at, size,
                     int.from_bytes(bytes([byte]) * size, "little"))
        return self.done(path, frame, instruction, arguments[0])

    def call_bits(self, path, frame, instruction, arguments):
        """Count of ones."""
        width = instruction[3][1]
        value = arguments[0]
        if isinstance(value, int):
            return self.done(path, frame, instruction, bin(value).count("1"))
        return self.done(path, frame, instruction, simple(z3.Sum([
            z3.ZeroExt(width - 1, z3.Extract(i, i, value))
            for i in range(width)])))

    def extreme(self, path, frame, instruction, arguments):
        """llvm.umin and kin."""
        kind = instruction[3]
        predicate = {"umin": "ult", "umax": "ugt", "smin": "slt",
                     "smax": "sgt"}[instruction[4].split(".")[1]]
        left, right = arguments
        less = self.compare(path, predicate, kind, left, right)
        if isinstance(less, int):
            return self.done(path, frame, instruction, left if less else right)
        return self.choose(path, instruction, less, left, right)

    def call_overflow(self, path, frame, instruction, arguments):
        """{result, overflow}"""
        word = instruction[4].split(".")[1]
        width = instruction[3][1][0][1]
        left, right = (vector(x, width) for x in arguments)
        # The solver is quick with these, and slow with sums of twice the
        # width.
        if word[1:] in ("add", "sub"):
            result = self.binary(word[1:], width, *arguments)
            named, left, right = (self.named(path, value, width)
                                  for value in (result, left, right))
            over = {"uadd": lambda: z3.ULT(named, left),
                    "usub": lambda: z3.ULT(left, right),
                    "sadd": lambda: (named < left) != (right < 0),
                    "ssub": lambda: (named > left) != (right < 0)}[word]()
        else:
            extend = z3.ZeroExt if word[0] == "u" else z3.SignExt
            wide = extend(width, left) * extend(width, right)
            result = z3.Extract(width - 1, 0, wide)
            over = wide != extend(width, result)
        return self.done(path, frame, instruction,
                         (simple(result), simple(over)))


def is_sum(term):
    return term.decl().kind() in (z3.Z3_OP_BADD, z3.Z3_OP_BMUL)


def truth(value):
    """As a z3 Bool."""
    return z3.BoolVal(bool(value)) if isinstance(value, int) else value


def prefix_is_value(kind):
    return kind[0] in ("i", "p")


CALLS = {
    "@plat_panic": Executor.call_panic,
    "@prove_any": Executor.call_any,
    "@prove_assume": Executor.call_assume,
    "@prove_check": Executor.call_check,
    "@prove_reach": Executor.call_reach,
    "@prove_shared": Executor.call_shared,
    "@prove_inside": Executor.call_inside,
    "@prove_stores": Executor.call_stores,
    "@memcpy": Executor.call_copy,
    "@memset": Executor.call_set,
    "@llvm.memcpy": Executor.call_copy,
    "@llvm.memmove": Executor.call_copy,
    "@llvm.memset": Executor.call_set,
    "@llvm.ctpop": Executor.call_bits,
    "@llvm.umin": Executor.extreme,
    "@llvm.umax": Executor.extreme,
    "@llvm.smin": Executor.extreme,
    "@llvm.smax": Executor.extreme,
    **{f"@llvm.{sign}{word}.with.overflow": Executor.call_overflow
       for sign in "us" for word in ("add", "sub", "mul")},
}


def prove(text, wraps=()):
    """Runs a module's main() on all inputs; the executor, for its counts."""
    executor = Executor(Module(text), wraps)
    executor.run()
    for wrap in executor.wraps - executor.wraps_seen:
        raise Refuted(f"{wrap[1]} in {wrap[0]}() is allowed for, but never "
                      "happens")
    return executor
