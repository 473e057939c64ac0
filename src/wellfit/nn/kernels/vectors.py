"""A small language of loops and vectors: Python writes the instructions, LLVM makes machine code of them.

A ``for`` of Python repeats instructions; ``with writer.range(n) as i`` writes a loop that runs. A ``Number`` is a whole
number of the running code, a vector is ``writer.lanes`` float32 values in one register, and a ``Variable`` holds a
vector between the turns of a loop: LLVM keeps it in a register as long as there are enough of them.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from llvmlite import ir

__all__ = ["BYTE", "FLOAT", "INDEX", "POINTER", "WORD", "Array", "Lanes", "Number", "Variable", "Vector", "Writer"]

Vector: TypeAlias = Any
"""A vector of the running code, as llvmlite represents it."""

FLOAT: Final = ir.FloatType()
INDEX: Final = ir.IntType(64)
BYTE: Final = ir.IntType(8)
POINTER: Final = ir.PointerType()
WORD: Final = ir.IntType(32)
_BYTES: Final = {FLOAT: 4, WORD: 4, BYTE: 1}


class Lanes(NamedTuple):
    """Some neighbors on the last axis of an array, which fill a vector; if fewer than its lanes, the others are 0."""

    first: Number | int
    number: int


@dataclass(frozen=True)
class Number:
    """A whole number of the running code; arithmetic with it writes instructions."""

    writer: Writer
    value: Any

    def __add__(self, other: Number | int) -> Number:
        return self.writer.arithmetic("add", self, other)

    __radd__ = __add__

    def __sub__(self, other: Number | int) -> Number:
        return self.writer.arithmetic("sub", self, other)

    def __rsub__(self, other: Number | int) -> Number:
        return self.writer.arithmetic("sub", other, self)

    def __mul__(self, other: Number | int) -> Number:
        return self.writer.arithmetic("mul", self, other)

    __rmul__ = __mul__

    def __floordiv__(self, other: int) -> Number:
        """Divide a number that is not negative."""
        return self if other == 1 else self.writer.arithmetic("sdiv", self, other)


@dataclass(frozen=True)
class Variable:
    """A vector that changes while the code runs."""

    writer: Writer
    place: Any

    def get(self) -> Vector:
        """Return the vector as it is now."""
        return self.writer.builder.load(self.place, typ=self.writer.vector_type)

    def set(self, vector: Vector) -> None:
        """Replace the vector."""
        self.writer.builder.store(vector, self.place)

    def add_product(self, a: Vector, b: Vector) -> None:
        """Add ``a * b``, rounded once."""
        self.set(self.writer.multiply_add(a, b, self.get()))

    def add(self, a: Vector) -> None:
        """Add a vector."""
        self.set(self.writer.builder.fadd(self.get(), a))


@dataclass(frozen=True)
class Array:
    """An array in memory, in the order of C.

    Args:
      pointer: to its first number.
      shape: its axes.
      kind: ``FLOAT``, ``WORD`` or ``BYTE``.
    """

    writer: Writer
    pointer: Any
    shape: tuple[int, ...]
    kind: Any = FLOAT

    def part(self, *index: Number | int) -> Array:
        """Return the part at an index of the first axes."""
        rest = self.shape[len(index) :]
        return Array(self.writer, self._at(index), rest, self.kind)

    def load(self, *index: Number | int, lanes: Lanes) -> Vector:
        """Load lanes of the last axis as a vector, at an index of the other axes; bytes as 32-bit integers."""
        return self.writer.load(self._at((*index, lanes.first)), lanes.number, self.kind)

    def store(self, vector: Vector, *index: Number | int, lanes: Lanes) -> None:
        """Store a vector; in an array of bytes, the lowest byte of every lane."""
        self.writer.store(vector, self._at((*index, lanes.first)), lanes.number, self.kind)

    def splat(self, *index: Number | int) -> Vector:
        """Load one number into every lane."""
        return self.writer.splat(self.writer.builder.load(self._at(index), typ=self.kind))

    def put(self, number: Any, *index: Number | int) -> None:
        """Store one number."""
        self.writer.builder.store(number, self._at(index))

    def _at(self, index: Sequence[Number | int]) -> Any:
        """Return the pointer to an index; constant parts come last, where the processor adds them itself."""
        moving: Number | None = None
        constant = 0
        for axis, i in enumerate(index):
            stride = math.prod(self.shape[axis + 1 :])
            if isinstance(i, int):
                constant += i * stride
            else:
                step = i if stride == 1 else i * stride
                moving = step if moving is None else moving + step
        builder, pointer = self.writer.builder, self.pointer
        if moving is not None:
            pointer = builder.gep(pointer, [moving.value], inbounds=True, source_etype=self.kind)
        if constant:
            pointer = builder.gep(pointer, [INDEX(constant)], inbounds=True, source_etype=self.kind)
        return pointer


class Writer:
    """Writes one function of one pointer, ``pointer name(pointer)``, into a module of LLVM.

    Args:
      module: an ``ir.Module``.
      name: of the function.
      lanes: float32 values in a vector.
    """

    def __init__(self, module: Any, name: str, lanes: int) -> None:
        self.module = module
        self.lanes = lanes
        self.vector_type = ir.VectorType(FLOAT, lanes)
        self.integers = ir.VectorType(WORD, lanes)
        self.function = ir.Function(module, ir.FunctionType(POINTER, [POINTER]), name)
        self.argument = self.function.args[0]
        start = self.function.append_basic_block("start")  # of the variables
        self.builder = ir.IRBuilder(start)
        body = self.block()
        self.builder.branch(body)
        self.builder.position_at_end(body)

    # --- Control

    def block(self) -> Any:
        """Return a new block of instructions, still empty."""
        return self.function.append_basic_block()

    def end(self) -> None:
        """Return null, which means success."""
        self.builder.ret(ir.Constant(POINTER, None))

    @contextlib.contextmanager
    def range(self, begin: Number | int, end: Number | int | None = None, step: Number | int = 1) -> Iterator[Number]:
        """Write a loop like Python's ``range``; its body may run not at all."""
        if end is None:
            begin, end = 0, begin
        b, first, last = self.builder, self.number(begin).value, self.number(end).value
        before, body, after = b.block, self.block(), self.block()
        b.cbranch(b.icmp_signed("<", first, last), body, after)
        b.position_at_end(body)
        counter = b.phi(INDEX)
        counter.add_incoming(first, before)
        yield Number(self, counter)
        following = b.add(counter, self.number(step).value, flags=("nsw",))
        counter.add_incoming(following, b.block)
        b.cbranch(b.icmp_signed("<", following, last), body, after)
        b.position_at_end(after)

    def blocks(self, total: int, size: int) -> Iterator[tuple[Number | int, int]]:
        """Write a loop over whole blocks and then the rest; yields the first place and the size of each."""
        whole = total // size
        if whole == 1:
            yield 0, size
        elif whole > 1:
            with self.range(whole) as i:
                yield i * size, size
        if total % size:
            yield whole * size, total % size

    def chunks(self, examples: int) -> Iterator[Lanes]:
        """Write a loop over the lanes of an axis, a vector at a time."""
        for first, count in self.blocks(examples, self.lanes):
            yield Lanes(first, count)

    # --- Numbers

    def number(self, value: Number | int) -> Number:
        """Return a constant as a number; a number as it is."""
        return value if isinstance(value, Number) else Number(self, INDEX(value))

    def arithmetic(self, operation: str, a: Number | int, b: Number | int) -> Number:
        """Write ``add``, ``sub``, ``mul`` or ``sdiv``."""
        flags = () if operation == "sdiv" else ("nsw",)
        return Number(self, getattr(self.builder, operation)(self.number(a).value, self.number(b).value, flags=flags))

    def smaller(self, a: Number | int, b: Number | int) -> Number:
        """Return the smaller of two numbers."""
        return self._chosen("<", a, b)

    def larger(self, a: Number | int, b: Number | int) -> Number:
        """Return the larger of two numbers."""
        return self._chosen(">", a, b)

    def _chosen(self, relation: str, a: Number | int, b: Number | int) -> Number:
        first, second = self.number(a).value, self.number(b).value
        return Number(self, self.builder.select(self.builder.icmp_signed(relation, first, second), first, second))

    # --- Memory

    def read(self, pointer: Any, offset: int, kind: Any) -> Any:
        """Load a value of a structure, some bytes after its beginning."""
        return self.builder.load(self._moved(pointer, offset), typ=kind)

    def write(self, value: Any, pointer: Any, offset: int) -> None:
        """Store a value in a structure, some bytes after its beginning."""
        self.builder.store(value, self._moved(pointer, offset))

    def _moved(self, pointer: Any, offset: int) -> Any:
        return self.builder.gep(pointer, [INDEX(offset)], source_etype=BYTE) if offset else pointer

    def load(self, pointer: Any, count: int, kind: Any) -> Vector:
        """Load the first lanes of a vector; the others are 0."""
        loaded = self.builder.load(pointer, typ=ir.VectorType(kind, count), align=_BYTES[kind])
        if kind is BYTE:
            loaded = self.builder.zext(loaded, ir.VectorType(WORD, count))
        if count == self.lanes:
            return loaded
        zeros = ir.Constant(loaded.type, None)
        return self.builder.shuffle_vector(loaded, zeros, self._places(min(i, count) for i in range(self.lanes)))

    def store(self, vector: Vector, pointer: Any, count: int, kind: Any) -> None:
        """Store the first lanes of a vector."""
        if count < self.lanes:
            vector = self.builder.shuffle_vector(vector, vector, self._places(range(count)))
        if kind is BYTE:
            vector = self.builder.trunc(vector, ir.VectorType(BYTE, count))
        self.builder.store(vector, pointer, align=_BYTES[kind])

    @staticmethod
    def _places(lanes: Iterable[int]) -> Any:
        chosen = list(lanes)
        return ir.Constant(ir.VectorType(WORD, len(chosen)), chosen)

    # --- Vectors

    def variable(self, vector: Vector) -> Variable:
        """Return a variable that holds a vector."""
        with self.builder.goto_entry_block():
            place = self.builder.alloca(self.vector_type)
        variable = Variable(self, place)
        variable.set(vector)
        return variable

    def constant(self, value: float) -> Vector:
        """Return a vector with one value in every lane."""
        return ir.Constant(self.vector_type, [float(value)] * self.lanes)

    def integer(self, value: int) -> Vector:
        """Return a vector of 32-bit integers with one value in every lane."""
        return ir.Constant(self.integers, [value] * self.lanes)

    def splat(self, scalar: Any) -> Vector:
        """Copy one number into every lane."""
        undefined = ir.Constant(ir.VectorType(scalar.type, self.lanes), ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, WORD(0))
        return self.builder.shuffle_vector(first, undefined, self._places([0] * self.lanes))

    def multiply_add(self, a: Vector, b: Vector, c: Vector) -> Vector:
        """Return ``a * b + c``, rounded once."""
        return self._call(f"llvm.fma.v{self.lanes}f32", self.vector_type, a, b, c)

    def subtract(self, a: Vector, b: Vector) -> Vector:
        """Return ``a - b``."""
        return self.builder.fsub(a, b)

    def total(self, vector: Vector) -> Any:
        """Return the sum of the lanes, added in pairs."""
        width = self.lanes
        while width > 1:
            width //= 2
            halves = [self._places(range(begin, begin + width)) for begin in (0, width)]
            vector = self.builder.fadd(*(self.builder.shuffle_vector(vector, vector, half) for half in halves))
        return self.builder.extract_element(vector, WORD(0))

    def select(self, mask: Any, yes: Vector, no: Vector) -> Vector:
        """Choose lane by lane."""
        return self.builder.select(mask, yes, no)

    def greater(self, a: Vector, b: Vector) -> Any:
        """Say where ``a > b``; not where either is NaN."""
        return self.builder.fcmp_ordered(">", a, b)

    def either_nan(self, a: Vector, b: Vector) -> Any:
        """Say where a lane of either vector is NaN."""
        return self.builder.fcmp_unordered("uno", a, b)

    def either(self, a: Any, b: Any) -> Any:
        """Say where one of two conditions holds, or both."""
        return self.builder.or_(a, b)

    def equal(self, a: Vector, b: Vector) -> Any:
        """Say where two vectors of integers are equal."""
        return self.builder.icmp_signed("==", a, b)

    def places(self, first: Number | int) -> Vector:
        """Return a number and those after it, one in every lane, as 32-bit integers."""
        low = self.builder.trunc(self.number(first).value, WORD)
        return self.bits("add", self.splat(low), ir.Constant(self.integers, list(range(self.lanes))))

    def bits(self, operation: str, a: Vector, b: Vector | int) -> Vector:
        """Write ``add``, ``mul``, ``xor`` or ``lshr`` of 32-bit integers without a sign, which wrap around."""
        if isinstance(b, int):
            b = self.integer(b)
        return getattr(self.builder, operation)(a, b)

    def less(self, a: Vector, b: Vector) -> Any:
        """Say where ``a < b`` of 32-bit integers with a sign."""
        return self.builder.icmp_signed("<", a, b)

    def product(self, a: Vector, b: Vector) -> Vector:
        """Return ``a * b``."""
        return self.builder.fmul(a, b)

    def _call(self, name: str, kind: Any, *operands: Any) -> Any:
        known = self.module.globals.get(name)
        function = known or ir.Function(self.module, ir.FunctionType(kind, [o.type for o in operands]), name)
        return self.builder.call(function, operands)
