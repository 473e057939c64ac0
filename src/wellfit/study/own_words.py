"""Storing the authors' own words in a study directory: no run, no number and no data change."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from wellfit.base import OwnWords
from wellfit.store import create_or_open, open_existing

__all__ = ["keep_words", "kept_words"]


def kept_words(directory: Path) -> tuple[OwnWords, str]:
    """What the authors of a study say in its report, and the name of the study.

    Raises:
      StoreUnreadableError: there is no study in the directory.
    """
    with open_existing(directory) as store:
        spec = store.metadata.spec()
        return spec.report, spec.name


def keep_words(directory: Path, words: OwnWords) -> None:
    """Replace what the authors of a study say in its report.

    Raises:
      StoreBusyError: a process is training in the directory.
      StoreError: it is no study directory, or cannot be written; nothing was changed.
    """
    with open_existing(directory) as store:
        study, facts = store.metadata.study(), store.metadata.provenance()
        if words == store.metadata.spec().report:
            return
    facts.pop("test set opened", None)
    with create_or_open(directory, study, provenance=facts, elsewhere="") as store:
        store.metadata.write_words(asdict(words))
