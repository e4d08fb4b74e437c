# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the textual LLVM IR that clang 14 writes for plain C.

What is not understood raises IrError: nothing is skipped in silence.
"""

import re

TOKEN = re.compile(r"""
    \s*(?:
      (?P<name>[%@](?:"[^"]*"|[-\w.$]+))
    | (?P<string>c"[^"]*")
    | (?P<number>-?\d+)(?![\w.])
    | (?P<meta>![-\w.]*)
    | (?P<attr>\#\d+)
    | (?P<word>[A-Za-z_][\w.]*)
    | (?P<punct>\.\.\.|[\[\](){}<>,*=:])
    | (?P<quoted>"[^"]*")
    )""", re.X)

# Of parameters, calls and globals: they grant the optimizer something, and
# what they grant was checked by the sanitizers before it ran.
ATTRIBUTES = {
    "noundef", "nonnull", "zeroext", "signext", "noalias", "nocapture",
    "readonly", "readnone", "writeonly", "returned", "immarg", "inreg",
    "nofree", "dso_local", "local_unnamed_addr", "unnamed_addr", "internal",
    "private", "external", "constant", "global", "fastcc", "ccc", "hidden",
    "thread_local", "inbounds", "nuw", "nsw", "exact", "volatile", "atomic",
    "tail", "musttail", "notail", "linkonce_odr", "localexec", "initialexec",
}
ORDERINGS = {"monotonic", "acquire", "release", "acq_rel", "seq_cst",
             "unordered"}
BINARY = {"add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr",
          "ashr", "and", "or", "xor"}
CASTS = {"zext", "sext", "trunc", "ptrtoint", "inttoptr", "bitcast"}


class IrError(Exception):
    """IR that this reader does not know."""


class Function:
    def __init__(self, name, params):
        self.name = name
        self.params = params
        self.blocks = {}  # label: [instruction]; the first one is the entry
        self.entry = None


class Global:
    def __init__(self, kind, data=None):
        self.type = kind
        self.data = data  # bytes, where known; None: any content


class Module:
    """Functions, globals, types, and the line of each debug location."""

    def __init__(self, text):
        self.types = {}
        self.functions = {}
        self.globals = {}
        self.lines = {}
        self._layouts = {}
        self._read(text)

    # Sizes, as on x86-64.

    def layout(self, kind):
        """Size and alignment in bytes."""
        tag = kind[0]
        if tag == "i":
            size = max(1, 1 << ((kind[1] + 7) // 8 - 1).bit_length())
            return size, min(size, 16)
        if tag == "p":
            return 8, 8
        if tag == "a":
            size, align = self.layout(kind[2])
            return size * kind[1], align
        if tag == "n":
            return self.layout(self.types[kind[1]])
        if tag == "s":
            offsets, size, align = self.fields(kind)
            return size, align
        raise IrError(f"size of {kind}")

    def fields(self, kind):
        """Offsets of a struct's fields, its size and alignment."""
        if kind in self._layouts:
            return self._layouts[kind]
        offsets, at, biggest = [], 0, 1
        for field in kind[1]:
            size, align = self.layout(field)
            if kind[2]:
                align = 1
            at = (at + align - 1) // align * align
            offsets.append(at)
            at += size
            biggest = max(biggest, align)
        at = (at + biggest - 1) // biggest * biggest
        self._layouts[kind] = offsets, at, biggest
        return self._layouts[kind]

    def resolve(self, kind):
        return self.types[kind[1]] if kind[0] == "n" else kind

    def size(self, kind):
        return self.layout(kind)[0]

    # The file.

    def _read(self, text):
        function = label = None
        # A switch spans lines.
        text = re.sub(r"\[\n((?:\s+i\d+ [^\n]*\n)+)\s+\]",
                      lambda m: "[" + m.group(1).replace("\n", " ") + "]",
                      text)
        for line in text.splitlines():
            line = self._strip_comment(line)
            if not line:
                continue
            if function:
                match = re.match(r'([-\w.$]+|"[^"]*"):', line)
                if line == "}":
                    function = None
                elif match:
                    label = "%" + match.group(1)
                    function.blocks[label] = []
                else:
                    if label is None:
                        # The entry's number: the first after the parameters.
                        label = "%" + str(len(function.params))
                        function.blocks[label] = []
                    function.entry = function.entry or label
                    function.blocks[label].append(
                        Parser(self, line).instruction())
            elif line.startswith("define "):
                function = Parser(self, line).definition()
                self.functions[function.name] = function
                label = None
            elif line.startswith("%"):
                Parser(self, line).type_definition()
            elif line.startswith("@"):
                Parser(self, line).global_definition()
            elif line.startswith("!"):
                match = re.match(r"!(\d+) = (?:distinct )?!DILocation\("
                                 r"line: (\d+)", line)
                if match:
                    self.lines[match.group(1)] = int(match.group(2))

    @staticmethod
    def _strip_comment(line):
        quoted = False
        for at, char in enumerate(line):
            if char == '"':
                quoted = not quoted
            elif char == ";" and not quoted:
                line = line[:at]
                break
        return line.strip()


class Parser:
    """One line."""

    def __init__(self, module, line):
        self.module = module
        self.text = line
        self.tokens = []
        at = 0
        while at < len(line):
            match = TOKEN.match(line, at)
            if not match:
                raise IrError(f"token at {line[at:at + 20]!r}: {line}")
            self.tokens.append((match.lastgroup, match.group(match.lastgroup)))
            at = match.end()
        self.at = 0

    def fail(self, what):
        raise IrError(f"{what}: {self.text}")

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def next(self):
        token = self.peek()
        self.at += 1
        return token

    def accept(self, token):
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def expect(self, token):
        if not self.accept(token):
            self.fail(f"expected {token} at {self.peek()}")

    def skip_attributes(self):
        while True:
            token = self.peek()
            if token in ATTRIBUTES:
                self.at += 1
                if token == "thread_local" and self.accept("("):
                    self.at += 1
                    self.expect(")")
            elif token == "align":
                self.at += 2
            elif token in ("dereferenceable", "dereferenceable_or_null"):
                self.at += 4
            elif self.at < len(self.tokens) and \
                    self.tokens[self.at][0] == "attr":
                self.at += 1
            else:
                return

    def type(self):
        token = self.next()
        if token is None:
            self.fail("type")
        if re.fullmatch(r"i\d+", token):
            kind = ("i", int(token[1:]))
        elif token in ("void", "label", "metadata", "opaque"):
            kind = (token,)
        elif token.startswith("%"):
            kind = ("n", token)
        elif token == "[":
            count = int(self.next())
            self.expect("x")
            kind = ("a", count, self.type())
            self.expect("]")
        elif token in "{<":
            packed = token == "<"
            if packed:
                self.expect("{")
            fields = []
            while not self.accept("}"):
                fields.append(self.type())
                self.accept(",")
            if packed:
                self.expect(">")
            kind = ("s", tuple(fields), packed)
        else:
            self.fail(f"type {token}")
        while True:
            if self.accept("*"):
                kind = ("p", kind)
            elif self.peek() == "(":
                depth = 0
                while True:
                    token = self.next()
                    depth += (token == "(") - (token == ")")
                    if not depth:
                        break
                kind = ("f", kind)
            else:
                return kind

    def value(self, kind):
        """An operand: ("r", register), ("k", number), ("g", global), ..."""
        token = self.next()
        if token[0] == "%":
            return ("r", token)
        if token[0] == "@":
            return ("g", token)
        if re.fullmatch(r"-?\d+", token):
            return ("k", int(token) & ((1 << kind[1]) - 1))
        if token in ("true", "false"):
            return ("k", int(token == "true"))
        if token in ("undef", "poison"):
            return ("undef", kind)
        if token == "null":
            return ("k", 0)
        if token == "zeroinitializer":
            return ("zero", kind)
        if token == "getelementptr":
            self.accept("inbounds")
            self.expect("(")
            operand = self.gep()
            self.expect(")")
            return operand
        if token in CASTS:
            self.expect("(")
            source = self.type()
            operand = self.value(source)
            self.expect("to")
            target = self.type()
            self.expect(")")
            return ("cast", token, source, operand, target)
        return self.fail(f"operand {token}")

    def typed_value(self):
        kind = self.type()
        self.skip_attributes()
        return kind, self.value(kind)

    def gep(self):
        """("gep", base, constant offset, [(scale, width, index)])"""
        kind = self.type()
        self.expect(",")
        _, base = self.typed_value()
        offset, terms, first = 0, [], True
        while self.peek() == "," and not self.tokens[self.at + 1][0] == "meta":
            self.next()
            if self.peek() == "align":
                break
            self.accept("inrange")
            width, index = self.typed_value()
            if first:
                scale, first = self.module.size(kind), False
            else:
                kind = self.module.resolve(kind)
                if kind[0] == "s":
                    offset += self.module.fields(kind)[0][index[1]]
                    kind = kind[1][index[1]]
                    continue
                if kind[0] != "a":
                    self.fail("gep")
                kind = kind[2]
                scale = self.module.size(kind)
            if index[0] == "k":
                bits = width[1]
                number = index[1]
                if number >> (bits - 1):
                    number -= 1 << bits
                offset += number * scale
            else:
                terms.append((scale, width[1], index))
        return ("gep", base, offset, terms)

    # Lines outside of functions.

    def type_definition(self):
        name = self.next()
        self.expect("=")
        self.expect("type")
        self.module.types[name] = self.type()

    def global_definition(self):
        name = self.next()
        self.expect("=")
        self.skip_attributes()
        kind = self.type()
        data = None
        if self.peek() == "zeroinitializer":
            data = bytes(self.module.size(kind))
        elif self.peek() and self.peek().startswith('c"'):
            data = re.sub(rb"\\([0-9A-F]{2})",
                          lambda m: bytes([int(m.group(1), 16)]),
                          self.peek()[2:-1].encode())
        elif kind[0] == "i" and re.fullmatch(r"-?\d+", self.peek() or ""):
            data = (int(self.next()) & ((1 << kind[1]) - 1)).to_bytes(
                self.module.size(kind), "little")
        self.module.globals[name] = Global(kind, data)

    def definition(self):
        self.expect("define")
        self.skip_attributes()
        self.type()
        name = self.next()
        self.expect("(")
        params = []
        while not self.accept(")"):
            kind = self.type()
            self.skip_attributes()
            params.append((kind, self.next()))
            self.accept(",")
        return Function(name, params)

    # Instructions: (operation, destination, debug location, ...)

    def instruction(self):
        place = None
        match = re.search(r", !dbg !(\d+)", self.text)
        if match:
            place = match.group(1)
        target = None
        if self.tokens[1][1] == "=":
            target = self.next()
            self.next()
        self.skip_attributes()
        word = self.next()
        if word in BINARY:
            self.skip_attributes()
            kind, left = self.typed_value()
            self.expect(",")
            return ("binary", target, place, word, kind[1], left,
                    self.value(kind))
        if word in CASTS:
            kind, operand = self.typed_value()
            self.expect("to")
            return ("cast", target, place, word, kind, operand, self.type())
        read = getattr(self, "read_" + word, None)
        if not read:
            self.fail(f"instruction {word}")
        return read(target, place)

    def read_freeze(self, target, place):
        kind, operand = self.typed_value()
        return ("freeze", target, place, kind, operand)

    def read_fence(self, target, place):
        return ("nop", target, place)

    def read_unreachable(self, target, place):
        return ("unreachable", target, place)

    def read_alloca(self, target, place):
        kind = self.type()
        if self.accept(",") and self.peek() != "align":
            self.fail("alloca of a variable size")
        return ("alloca", target, place, self.module.size(kind))

    def read_load(self, target, place):
        self.skip_attributes()
        kind = self.type()
        self.expect(",")
        _, pointer = self.typed_value()
        return ("load", target, place, kind, pointer)

    def read_store(self, target, place):
        self.skip_attributes()
        kind, operand = self.typed_value()
        self.expect(",")
        _, pointer = self.typed_value()
        return ("store", target, place, kind, operand, pointer)

    def read_atomicrmw(self, target, place):
        self.skip_attributes()
        operation = self.next()
        _, pointer = self.typed_value()
        self.expect(",")
        kind, operand = self.typed_value()
        return ("atomicrmw", target, place, operation, kind, pointer, operand)

    def read_getelementptr(self, target, place):
        self.accept("inbounds")
        return ("gep", target, place, self.gep())

    def read_icmp(self, target, place):
        predicate = self.next()
        kind, left = self.typed_value()
        self.expect(",")
        return ("icmp", target, place, predicate, kind, left,
                self.value(kind))

    def read_br(self, target, place):
        if self.accept("label"):
            return ("jump", target, place, self.next())
        kind, condition = self.typed_value()
        self.expect(",")
        self.expect("label")
        yes = self.next()
        self.expect(",")
        self.expect("label")
        return ("branch", target, place, condition, yes, self.next())

    def read_switch(self, target, place):
        kind, operand = self.typed_value()
        self.expect(",")
        self.expect("label")
        default = self.next()
        self.expect("[")
        cases = []
        while not self.accept("]"):
            _, number = self.typed_value()
            self.expect(",")
            self.expect("label")
            cases.append((number[1], self.next()))
        return ("switch", target, place, kind[1], operand, default, cases)

    def read_phi(self, target, place):
        kind = self.type()
        values = {}
        while self.accept("["):
            operand = self.value(kind)
            self.expect(",")
            values[self.next()] = operand
            self.expect("]")
            self.accept(",")
        return ("phi", target, place, kind, values)

    def read_select(self, target, place):
        _, condition = self.typed_value()
        self.expect(",")
        kind, yes = self.typed_value()
        self.expect(",")
        _, no = self.typed_value()
        return ("select", target, place, kind, condition, yes, no)

    def read_extractvalue(self, target, place):
        _, operand = self.typed_value()
        self.expect(",")
        return ("extract", target, place, operand, int(self.next()))

    def read_ret(self, target, place):
        if self.accept("void"):
            return ("ret", target, place, None)
        _, operand = self.typed_value()
        return ("ret", target, place, operand)

    def read_call(self, target, place):
        self.skip_attributes()
        kind = self.type()
        if kind[0] == "f":
            kind = kind[1]
        if self.peek() == "asm":
            # A compiler barrier. The executor asks memory anew at each load,
            # so it has nothing to do; any real instruction is refused.
            if ' ""' not in self.text or target:
                self.fail("inline assembly that is not empty")
            return ("nop", target, place)
        name = self.next()
        if name[0] != "@":
            self.fail("indirect call")
        self.expect("(")
        arguments = []
        while not self.accept(")"):
            if self.peek() == "metadata":
                self.fail("metadata argument")
            arguments.append(self.typed_value())
            self.accept(",")
        return ("call", target, place, kind, name, arguments)
