"""The provenance of a study's results: command, versions, hardware, hashes, times."""

from __future__ import annotations

import datetime
import functools
import hashlib
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

from wellfit import __version__
from wellfit.base import Dataset, Splits
from wellfit.data.facts import data_line

__all__ = ["code_hash", "provenance", "without_home"]

_LIBRARIES = ("jax", "jaxlib", "optax", "numpy", "scipy", "scikit-learn")


def provenance(dataset: Dataset, splits: Splits, command: str, precision: str) -> dict[str, str]:
    """Everything needed to reproduce a study, as name -> printable value, in the order of the report.

    The user's home directory is written as ``~``. The git commit is that of the working directory, whatever repository
    that is.

    Args:
      dataset: the data.
      splits: of the data.
      command: what the user typed; may be empty.
      precision: of the matrix products, in words.
    """
    import jax

    devices = jax.devices()
    facts = {
        "command": without_home(command),
        "wellfit": __version__,
        "code hash": code_hash(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in _LIBRARIES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "devices": f"{len(devices)} x {devices[0].device_kind}",
        "precision": precision,
        "data": without_home(data_line(dataset.title, dataset.source)),
        "data hash": dataset.hash,
        "split": f"{len(splits.train)} training, {len(splits.validation)} validation, {_drawn(dataset, splits)}",
        "split hash": splits.hash,
        "git commit": _commit(),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    return {name: value for name, value in facts.items() if value}


def _drawn(dataset: Dataset, splits: Splits) -> str:
    if dataset.validation_rows is not None:
        return "as given"
    return f"{'stratified' if dataset.groups is None else 'whole groups'}, seed {splits.seed}"


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
    name = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    return f"{name or 'unknown'}, {os.cpu_count()} cores"


def _commit() -> str:
    """The commit of the git repository in the working directory, or an empty string."""
    try:
        command = ["git", "rev-parse", "--short=12", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
