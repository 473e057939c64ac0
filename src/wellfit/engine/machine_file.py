"""The file in wellfit's cache folder that keeps what was measured on this machine."""

from __future__ import annotations

import contextlib
import json
import platform
from pathlib import Path
from typing import Any, Final

from wellfit.files import cache_root, read_plain, replacing

__all__ = ["name", "processor", "read", "write"]

_MOST_BYTES: Final = 4 << 20  # of the file
_MOST_ENTRIES: Final = 1000  # of a table
_TABLES: Final = ("machine", "alone", "fastest", "precision")


def processor() -> str:
    """The processor's name as it calls itself; empty where it is not known."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())


def name() -> str:
    """Identify what a measurement is valid for: the processor, the number of devices, and the compiler version."""
    import jax

    return f"{processor()} x {len(jax.devices())}, jax {jax.__version__}"


def read(table: str) -> dict[str, Any]:
    """Read one table of the file; empty if the file is missing, damaged or in another format."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        tables = json.loads(read_plain(_file(), _MOST_BYTES))
        if isinstance(tables, dict) and isinstance(tables.get(table), dict):
            return dict(tables[table])
    return {}


def write(table: str, key: str, value: Any) -> None:
    """Add an entry to the file atomically; a cache folder that cannot be written is ignored.

    The newest entries are kept, and a file that could not be read whole is replaced.
    """
    kept = {of: read(of) for of in _TABLES}
    kept[table] = {name: old for name, old in kept[table].items() if name != key} | {key: value}
    kept = {name: dict(list(entries.items())[-_MOST_ENTRIES:]) for name, entries in kept.items()}
    with contextlib.suppress(OSError), replacing(_file(), durable=False) as temporary:
        temporary.write_text(json.dumps(kept))


def _file() -> Path:
    return cache_root() / "machine.json"
