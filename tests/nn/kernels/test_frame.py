"""The offsets in XLA's call frame against the header that comes with JAX."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("llvmlite")

from generated import header, interface
from wellfit.nn.kernels import frame
from wellfit.nn.kernels.availability import obstacle

SIZE_OF = {"size_t": 8, "int64_t": 8, "int": 4}


def fields(structure: str) -> dict[str, int]:
    """The offsets of a structure's fields, laid out as C does, and its size as ``""``."""
    body = re.search(rf"struct {structure} \{{(.*?)\n\}}", header(), re.DOTALL)
    assert body is not None, structure
    offsets, at = {}, 0
    for kind, stars, name in re.findall(r"^\s*(?:const |struct )?(\w+)(\**) (\w+);", body[1], re.MULTILINE):
        size = 8 if stars else nested(kind)
        align = min(size, 8)
        at = -(-at // align) * align
        offsets[name] = at
        at += size
    offsets[""] = at
    return offsets


def nested(kind: str) -> int:
    if kind in SIZE_OF:
        return SIZE_OF[kind]
    if f"struct {kind} {{" in header():
        return fields(kind)[""]
    return 4  # an enumeration


def test_offsets_are_those_of_the_header() -> None:
    call, given = fields("XLA_FFI_CallFrame"), fields("XLA_FFI_Args")
    assert {"extension": call["extension_start"], "arguments": call["args"], "results": call["rets"]} == frame._FRAME
    assert {"count": given["size"], "items": given["args"]} == frame._LIST
    buffer = fields("XLA_FFI_Buffer")
    wanted = {"type": buffer["dtype"], "data": buffer["data"], "rank": buffer["rank"], "lengths": buffer["dims"]}
    assert wanted == frame._BUFFER
    assert {"frame": call["future"], "list": given[""], "buffer": buffer[""]} == frame._SIZES
    version = fields("XLA_FFI_Api_Version")
    at = fields("XLA_FFI_Metadata")["api_version"]
    assert {name: at + version[f"{name}_version"] for name in ("major", "minor")} == frame._METADATA
    assert fields("XLA_FFI_Metadata_Extension")["metadata"] == frame._EXTENSION["metadata"]


def test_the_version_is_that_of_the_header_or_there_are_no_kernels() -> None:
    found = interface()
    assert found[0] == frame.VERSION[0]
    assert (found[1] >= frame.VERSION[1]) != ("version" in (obstacle() or "").lower())
