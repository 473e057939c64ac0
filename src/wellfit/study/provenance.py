"""The provenance of a study's results: command, versions, hardware, hashes, times."""

from __future__ import annotations

import datetime
import functools
import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from wellfit import __version__
from wellfit.base import Dataset, Splits
from wellfit.data.facts import data_line
from wellfit.engine import machine_file
from wellfit.nn.kernels import availability

__all__ = [
    "MACHINE",
    "changes",
    "code_hash",
    "continued_elsewhere",
    "machine_facts",
    "provenance",
    "several_machines",
    "versions",
    "without_home",
]

MACHINE = ("system", "processor", "devices", "kernels")
"""Entries that say on what machine a study was trained."""

_BITS = ("wellfit", "jax", "jaxlib", *MACHINE)  # what the bits of a run depend on
_MAY_DIFFER = "the last bits of its runs may differ from those of an uninterrupted study"

_LIBRARIES = ("jax", "jaxlib", "optax", "numpy", "scipy", "scikit-learn")


def provenance(
    dataset: Dataset,
    splits: Splits,
    command: str,
    precision: str,
    *,
    folds: int = 1,
    hashes: tuple[str, str] | None = None,
    kernels: bool = False,
) -> dict[str, str]:
    """Everything needed to reproduce a study, as name -> printable value, in the order of the report.

    The user's home directory is written as ``~``. The git commit is that of the working directory, whatever repository
    that is.

    Args:
      dataset: the data.
      splits: of the data.
      command: what the user typed; may be empty.
      precision: of the matrix products, in words.
      folds: their number, if seeds have their own; ``splits`` are then those of one seed.
      hashes: of the data and of the split, for all seeds; by default those of ``dataset`` and ``splits``.
      kernels: whether generated kernels compute its convolutions.
    """
    machine = machine_facts(kernels=kernels)
    of_data, of_split = hashes or (dataset.hash, splits.hash)
    facts = {
        "command": without_home(command),
        "wellfit": machine["wellfit"],
        "code hash": code_hash(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _LIBRARIES},
        **{name: machine[name] for name in _BITS[3:] if name in machine},
        "precision": precision,
        "data": without_home(data_line(dataset.title, dataset.source)),
        "data hash": of_data,
        "split": f"{len(splits.train)} training, {len(splits.validation)} validation, "
        f"{f'{folds} folds, ' if folds > 1 else ''}{_drawn(dataset, splits, folds)}",
        "split hash": of_split,
        "git commit": _commit(),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    return {name: value for name, value in facts.items() if value}


def machine_facts(*, kernels: bool = False) -> dict[str, str]:
    """The entries of the provenance, as of now, that the bits of a run depend on.

    Args:
      kernels: whether generated kernels compute convolutions, which are then named too.

    Example:
      >>> list(machine_facts())
      ['wellfit', 'jax', 'jaxlib', 'system', 'processor', 'devices']
    """
    import jax

    devices = jax.devices()
    values = (
        __version__,
        _version("jax"),
        _version("jaxlib"),
        f"{platform.system()} {platform.machine()}",
        _processor(),
        f"{len(devices)} x {devices[0].device_kind}",
    )
    found = dict(zip(_BITS, values, strict=False))
    return found | {"kernels": availability.description()} if kernels else found


def versions() -> dict[str, str]:
    """The versions of what computes, which must be the same on all machines that train one study at a time.

    Example:
      >>> list(versions())
      ['wellfit', 'code', 'python', 'jax', 'jaxlib', 'optax', 'numpy']
    """
    of_libraries = {name: metadata.version(name) for name in _LIBRARIES[:4]}
    return {"wellfit": __version__, "code": code_hash()[:12], "python": platform.python_version(), **of_libraries}


def changes(recorded: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What the bits of a run depend on and was not the same for all runs of a study.

    Numbers of cores do not count: the bits are those of the plan that the study began with.

    Args:
      recorded: the provenance of a study.

    Returns:
      Name -> the values, in the order in which they occurred.

    Example:
      >>> changes({"jax": "0.6.0; then 0.7.1", "jaxlib": "0.7.1", "processor": "A, 2 cores; then A, 4 cores"})
      {'jax': ('0.6.0', '0.7.1')}
    """
    found = {}
    for name in _BITS:
        values = {_essence(name, value): value for value in reversed(recorded.get(name, "").split("; then "))}
        if len(values) > 1:
            found[name] = tuple(reversed(values.values()))
    return found


def several_machines(recorded: Mapping[str, str]) -> str:
    """A sentence about a study whose runs come from several machines or versions; empty if they do not.

    Example:
      >>> told = several_machines({"jax": "0.6.0; then 0.7.1"})
      >>> for part in told.split(": "):
      ...     print(part)
      Trained with more than one jax (0.6.0, then 0.7.1)
      the last bits of its runs may differ from those of an uninterrupted study.
      >>> several_machines({"jax": "0.6.0"})
      ''
    """
    told = " and more than one ".join(
        f"{name} ({', then '.join(values)})" for name, values in changes(recorded).items()
    )
    return f"Trained with more than one {told}: {_MAY_DIFFER}." if told else ""


def continued_elsewhere(recorded: Mapping[str, str], now: Mapping[str, str]) -> str:
    """A sentence about a study that is about to be continued on another machine or version; empty if it is not.

    Args:
      recorded: the provenance of the study.
      now: ``machine_facts`` of this process.

    Example:
      >>> for part in continued_elsewhere({"jax": "0.6.0"}, {"jax": "0.7.1"}).split(": "):
      ...     print(part)
      Continued with jax 0.7.1 instead of 0.6.0
      the last bits of its runs may differ from those of an uninterrupted study
    """
    last = {name: recorded[name].split("; then ")[-1] for name in _BITS if name in recorded and name in now}
    differ = [name for name, value in last.items() if _essence(name, value) != _essence(name, now[name])]
    told = " and ".join(f"{name} {now[name]} instead of {last[name]}" for name in differ)
    return f"Continued with {told}: {_MAY_DIFFER}" if told else ""


def _essence(name: str, value: str) -> str:
    """The part of a value that the bits depend on: not the number of cores, except one CPU device or several."""
    if name == "processor":
        return re.sub(r", \d+ cores$", "", value)
    return re.sub(r"^(?!1 x )\d+ x cpu$", "cpu", value)


def _drawn(dataset: Dataset, splits: Splits, folds: int) -> str:
    if dataset.validation_rows is not None and folds == 1:
        return "as given"
    return f"{'stratified' if dataset.groups is None else 'whole groups'}, seed {splits.seed}"


_version = functools.cache(metadata.version)  # parses a file each time


@functools.cache  # the code as loaded; later changes of the files do not affect this process
def code_hash() -> str:
    """SHA-256 over the names and texts of wellfit's own modules, in hexadecimal.

    It distinguishes modified code from the released code of the same version. Line endings do not count, so that the
    hash is the same on every system.

    Example:
      >>> len(code_hash())
      64
    """
    root = Path(__file__).parents[1]
    modules = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    total = hashlib.sha256()
    for name in sorted(modules):
        text = modules[name].read_bytes().replace(b"\r\n", b"\n")
        total.update(f"{name} {len(text)}\n".encode() + text)
    return total.hexdigest()


def without_home(text: str) -> str:
    """Replace the user's home directory by ``~``."""
    try:
        home = str(Path.home())
    except RuntimeError:  # the user has none
        return text
    return text if home == Path(home).anchor else re.sub(rf"(?<![\w.-]){re.escape(home)}(?![\w.-])", "~", text)


def _processor() -> str:
    """The processor's name and core count, where known."""
    return f"{machine_file.processor() or 'unknown'}, {os.cpu_count()} cores"


def _commit() -> str:
    """The commit of the git repository in the working directory, or an empty string."""
    try:
        command = ["git", "rev-parse", "--short=12", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
