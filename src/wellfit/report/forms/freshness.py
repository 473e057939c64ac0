"""Whether a report in a study directory shows the numbers that the directory holds now."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Final

from wellfit.base import StudySummary
from wellfit.files import read_plain

__all__ = ["numbers_hash", "stale_report"]

_METRICS: Final = tuple(
    f"{split}_{metric}" for split in ("train", "validation", "test") for metric in ("accuracy", "loss")
)
_MARK: Final = re.compile(r'<meta name="wellfit-numbers" content="(\w+)">')


def numbers_hash(summary: StudySummary) -> str:
    """A hash of every run with its metrics, which a page carries in a ``<meta name="wellfit-numbers">`` element.

    Returns:
      32 hexadecimal digits; equal hashes mean equal numbers, to the last bit.
    """
    runs = [
        [variant.name, run.seed, run.state, run.epochs, run.readout_epoch, *(_exact(getattr(run, m)) for m in _METRICS)]
        for variant in summary.variants
        for run in variant.runs
    ]
    return hashlib.sha256(json.dumps(runs).encode()).hexdigest()[:32]


def _exact(value: float | None) -> str | None:
    return None if value is None else float(value).hex()


def stale_report(summary: StudySummary, path: Path) -> str | None:
    """One line about a page that was made from other numbers, with the remedy.

    Returns:
      The line; None if the page is up to date, or there is none.
    """
    try:
        mark = _MARK.search(read_plain(path).decode(errors="replace"))
    except OSError:
        return None
    if mark is not None and mark[1] == numbers_hash(summary):
        return None
    what = "from an older wellfit, not compared with the numbers" if mark is None else "shows older numbers"
    return f"{path.name}: {what}; write it again: wellfit report {path.parent}"
