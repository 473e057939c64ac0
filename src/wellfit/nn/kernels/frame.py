"""How XLA calls a function: the call frame of its foreign function interface, and the arrays in it.

The offsets are those of ``xla/ffi/api/c_api.h`` in version 0.3 of the interface. ``check`` writes the function that
finds out whether this version of XLA keeps to them, before any other function relies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from llvmlite import ir

from wellfit.nn.kernels.vectors import FLOAT, INDEX, POINTER, Array, Number, Writer

__all__ = ["VERSION", "Operand", "Tail", "check", "operands"]

VERSION: Final = (0, 3)
"""Major and minor version of the interface."""

_WORD: Final = ir.IntType(32)
_SIZE: Final = 0  # in every structure: its number of bytes
_FRAME: Final = {"extension": 8, "arguments": 40, "results": 80}
_EXTENSION: Final = {"type": 8, "metadata": 24}
_METADATA: Final = {"major": 24, "minor": 28}
_LIST: Final = {"count": 16, "items": 32}
_BUFFER: Final = {"type": 16, "data": 24, "rank": 32, "lengths": 40}
_SIZES: Final = {"frame": 168, "list": 40, "buffer": 48}  # bytes
_IS_METADATA: Final = 1
_FLOAT32: Final = 11


class Tail(NamedTuple):
    """The axes of an array after those of the population and the tiles, and its kind of number.

    Args:
      shape: the axes.
      tiles: whether the array has an axis of tiles, as images have and weights have not.
      kind: ``FLOAT`` or ``BYTE``.
    """

    shape: tuple[int, ...]
    tiles: bool
    kind: Any = FLOAT


@dataclass(frozen=True)
class Operand:
    """An array of a call: of each network of a population, or one that they share.

    Args:
      array: its beginning, with the axes after those of the population and the tiles.
      networks: the length of its first axis; 1 if all share it.
      tiles: the number of tiles; 1 for weights.
    """

    array: Array
    networks: Number
    tiles: Number

    def of(self, network: Number | int, tile: Number | int = 0) -> Array:
        """Return the part of a network and a tile."""
        writer, array = self.array.writer, self.array
        own = writer.smaller(network, self.networks - 1)  # the first one where all share it
        size = 1
        for length in array.shape:
            size *= length
        offset = (own * self.tiles + tile) * size
        pointer = writer.builder.gep(array.pointer, [offset.value], inbounds=True, source_etype=array.kind)
        return Array(writer, pointer, array.shape, array.kind)


def operands(w: Writer, arguments: Sequence[Tail], results: Sequence[Tail]) -> tuple[list[Operand], list[Operand]]:
    """Write the beginning of a function: answer XLA's question for the version, or find the arrays of the call.

    Returns:
      Arguments and results.
    """
    _answer(w)
    return (
        [_operand(w, _item(w, _FRAME["arguments"], i), tail) for i, tail in enumerate(arguments)],
        [_operand(w, _item(w, _FRAME["results"], i), tail) for i, tail in enumerate(results)],
    )


def check(w: Writer) -> None:
    """Write the function that copies its argument (16,), if all structures have the sizes that they should have."""
    _answer(w)
    frame, b = w.argument, w.builder
    passed = [_equals(w, frame, _SIZE, INDEX, _SIZES["frame"])]
    for place in (_FRAME["arguments"], _FRAME["results"]):
        passed.append(_equals(w, frame, place + _SIZE, INDEX, _SIZES["list"]))
        passed.append(_equals(w, frame, place + _LIST["count"], INDEX, 1))
    _go_on_if(w, passed)
    buffers = [_item(w, place, 0) for place in (_FRAME["arguments"], _FRAME["results"])]
    passed = []
    for buffer in buffers:
        passed.append(_equals(w, buffer, _SIZE, INDEX, _SIZES["buffer"]))
        passed.append(_equals(w, buffer, _BUFFER["type"], _WORD, _FLOAT32))
        passed.append(_equals(w, buffer, _BUFFER["rank"], INDEX, 1))
        passed.append(_equals(w, w.read(buffer, _BUFFER["lengths"], POINTER), 0, INDEX, 16))
    _go_on_if(w, passed)
    given, returned = (Array(w, w.read(buffer, _BUFFER["data"], POINTER), (16,)) for buffer in buffers)
    with w.range(16) as i:
        returned.put(b.load(given.part(i).pointer, typ=FLOAT), i)


def _answer(w: Writer) -> None:
    """Write the answer to the call that asks for the version of the interface instead of computing."""
    b, frame = w.builder, w.argument
    asked, answer, run = w.block(), w.block(), w.block()
    extension = w.read(frame, _FRAME["extension"], POINTER)
    b.cbranch(b.icmp_unsigned("==", b.ptrtoint(extension, INDEX), INDEX(0)), run, asked)
    b.position_at_end(asked)
    b.cbranch(_equals(w, extension, _EXTENSION["type"], _WORD, _IS_METADATA), answer, run)
    b.position_at_end(answer)
    metadata = w.read(extension, _EXTENSION["metadata"], POINTER)
    w.write(_WORD(VERSION[0]), metadata, _METADATA["major"])
    w.write(_WORD(VERSION[1]), metadata, _METADATA["minor"])
    w.end()
    b.position_at_end(run)


def _item(w: Writer, place: int, index: int) -> Any:
    """Return the pointer to an array of the call's arguments or results."""
    return w.read(w.read(w.argument, place + _LIST["items"], POINTER), 8 * index, POINTER)


def _operand(w: Writer, buffer: Any, tail: Tail) -> Operand:
    data = w.read(buffer, _BUFFER["data"], POINTER)
    lengths = w.read(buffer, _BUFFER["lengths"], POINTER)
    networks = Number(w, w.read(lengths, 0, INDEX))
    tiles = Number(w, w.read(lengths, 8, INDEX)) if tail.tiles else w.number(1)
    return Operand(Array(w, data, tail.shape, tail.kind), networks, tiles)


def _equals(w: Writer, pointer: Any, offset: int, kind: Any, value: int) -> Any:
    return w.builder.icmp_unsigned("==", w.read(pointer, offset, kind), kind(value))


def _go_on_if(w: Writer, passed: Sequence[Any]) -> None:
    """Return at once unless all conditions hold."""
    b = w.builder
    together = passed[0]
    for condition in passed[1:]:
        together = b.and_(together, condition)
    stop, run = w.block(), w.block()
    b.cbranch(together, run, stop)
    b.position_at_end(stop)
    w.end()
    b.position_at_end(run)
