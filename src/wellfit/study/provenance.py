"""Where a study's numbers come from: command, versions, hardware, hashes, times."""

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

__all__ = ["code_hash", "provenance", "without_home"]

_LIBRARIES = ("jax", "jaxlib", "optax", "numpy", "scipy", "scikit-learn")


def provenance(dataset: Dataset, splits: Splits, command: str, precision: str) -> dict[str, str]:
    """What a reader needs to repeat a study, as name -> printable value.

    Args:
      dataset: the data set, for its source and hash.
      splits: the split, for its seed, sizes and hash.
      command: what the user typed; may be empty.
      precision: of the matrix products, in words.

    Returns:
      The facts, in the order in which a report shows them. The user's home directory is ``~`` in them. "git commit" is
      that of the working directory, whatever repository that is.
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
        "data": without_home(f"{dataset.title} ({dataset.source})"),
        "data hash": dataset.hash,
        "split": f"{len(splits.train)} training, {len(splits.validation)} validation, stratified, seed {splits.seed}",
        "split hash": splits.hash,
        "git commit": _commit(),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    return {name: value for name, value in facts.items() if value}


@functools.cache  # what was loaded; a process does not see what is changed later
def code_hash() -> str:
    """SHA-256 over the names and texts of wellfit's own modules, in hexadecimal.

    Two studies with the same version and another code hash were trained by a wellfit that somebody changed. Line ends
    do not count, so that the same modules have the same hash on every system.

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
    """A text with ``~`` for the user's home directory."""
    try:
        home = str(Path.home())
    except RuntimeError:  # a user without one
        return text
    return text if home == Path(home).anchor else re.sub(rf"(?<![\w.-]){re.escape(home)}(?![\w.-])", "~", text)


def _processor() -> str:
    """The processor's name and core count, where the system tells them."""
    name = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    return f"{name or 'unknown'}, {os.cpu_count()} cores"


def _commit() -> str:
    """The commit of the git repository that the command was run in, or nothing."""
    try:
        asked = ["git", "rev-parse", "--short=12", "HEAD"]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()
