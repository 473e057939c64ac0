"""Values of Python in a text, as ``str(dict)`` writes them: read, never run."""

from __future__ import annotations

import ast
import math
import warnings
from typing import Any, Final

__all__ = ["literal"]

_LONGEST: Final = 1 << 20  # characters
_LARGEST: Final = 1024  # bits of an integer; Python refuses to write very large ones
_NAMES: Final = {"nan": math.nan, "inf": math.inf}


def literal(text: str) -> Any:
    """The dictionary, list, number or text that a text holds; ``nan`` and ``inf`` are numbers.

    Raises:
      ValueError: anything else, or more than a million characters.

    Example:
      >>> literal("{'acc': 0.9, 'layers': [32, -1], 'loss': nan}")
      {'acc': 0.9, 'layers': [32, -1], 'loss': nan}
    """
    if len(text) > _LONGEST:
        raise ValueError(f"more than {_LONGEST:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body)
    except (SyntaxError, RecursionError, MemoryError, TypeError, OverflowError):
        raise ValueError("not a value of Python") from None


def _value(node: ast.AST) -> Any:
    match node:
        case ast.Constant(int(value)) if value.bit_length() <= _LARGEST:
            return value
        case ast.Constant(value) if value is None or isinstance(value, float | str):
            return value
        case ast.Name(name) if name in _NAMES:
            return _NAMES[name]
        case ast.UnaryOp(ast.USub(), operand) if isinstance(number := _value(operand), int | float):
            return -number
        case ast.List(parts) | ast.Tuple(parts):
            return [_value(part) for part in parts]
        case ast.Dict(keys, values) if None not in keys:
            return {_value(key): _value(value) for key, value in zip(keys, values, strict=True) if key is not None}
        case _:
            raise ValueError("not a value of Python")
