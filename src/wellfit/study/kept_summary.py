"""The finished summary of a large study, kept in its directory: reading thousands of runs again takes seconds.

It is kept by the command that computed it, ``run`` included, and read by the next one where the study is still exactly
the one that it was computed from, and the same code would compute it in the same place. Otherwise it is computed again.
While a process trains, nothing is kept or read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from wellfit import __version__
from wellfit.base import StudySummary
from wellfit.spec.source import builtin_studies
from wellfit.store import Store
from wellfit.store.database import MALFORMED
from wellfit.store.summary_file import State
from wellfit.study.packed_summary import packed, unpacked
from wellfit.study.provenance import code_hash

__all__ = ["LEAST", "kept_or_computed"]

LEAST: Final = 1_000_000
"""Judgments of test examples in a study whose summary is kept: fewer are counted within about a second."""

_IMPORTED: Final = time.time()
_OF_A_RUN: Final = 1000  # judgments that a run takes as long as, however few examples it has


def kept_or_computed(store: Store, compute: Callable[[Store], StudySummary]) -> StudySummary:
    """The summary that is kept in a study directory, or else a computed one, which is then kept if the study is large.

    Args:
      store: the study.
      compute: makes the summary.
    """
    if store.is_running():
        return compute(store)
    if store.summary.is_there() and _is_current() and (kept := _kept(store)) is not None:
        return kept
    state = store.summary.state()
    summary = compute(store)
    if state is not None and _is_large(summary) and _is_current() and state == store.summary.state():
        with contextlib.suppress(TypeError):  # of a directory from a stranger, say
            store.summary.save(_key(store, state), state, *packed(summary))
    return summary


def _is_current() -> bool:
    """Whether the code on the disk is still what this process imported, as far as the times of its files tell."""
    return max(path.stat().st_mtime for path in Path(__file__).parents[1].rglob("*.py")) < _IMPORTED


def _kept(store: Store) -> StudySummary | None:
    state = store.summary.state()
    found = None if state is None else store.summary.load(_key(store, state))
    if found is not None:
        with contextlib.suppress(*MALFORMED):
            return unpacked(*found)
    return None


def _is_large(summary: StudySummary) -> bool:
    tested = sum(run.test_accuracy is not None for variant in summary.variants for run in variant.runs)
    examples = sum(int(counts.sum()) for counts in summary.confusion.values())
    return max(examples, _OF_A_RUN * tested) >= LEAST


def _key(store: Store, state: State) -> str:
    """A hash of everything that a summary depends on."""
    place = str(store.directory), os.path.expanduser("~")  # texts leave out the folders of this machine
    return hashlib.sha256(json.dumps([_code(), place, state]).encode()).hexdigest()


@cache
def _code() -> tuple[str, ...]:
    """What computes a summary."""
    import scipy

    libraries = np.__version__, scipy.__version__
    studies = hashlib.sha256(json.dumps(builtin_studies()).encode()).hexdigest()  # with their published numbers
    return (__version__, code_hash(), platform.python_version(), *libraries, studies)
