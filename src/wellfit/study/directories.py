"""Where a study without ``--out`` is kept."""

from __future__ import annotations

from pathlib import Path

from wellfit.errors import StoreUnreadableError
from wellfit.spec.identity import STUDIES, default_directory
from wellfit.spec.study import StudySpec
from wellfit.store import open_existing

__all__ = ["directory_of"]


def directory_of(spec: StudySpec, study: str | None, data: str, folder: Path = STUDIES) -> Path:
    """The directory of a study without ``--out``: ``default_directory``, shared by all numbers of epochs if possible.

    The same command finds its directory again. A study that differs from another one in nothing but more epochs
    continues in its directory; one with fewer epochs, or with a search, gets its own.

    Args:
      spec: the study.
      study: its name or file, as ``load_study`` takes it.
      data: the name of its data set.
      folder: of all studies.
    """
    own = default_directory(spec, study, data, folder=folder)
    if (own / "study.db").is_file() or spec.search is not None:
        return own
    shared = default_directory(spec, study, data, any_epochs=True, folder=folder)
    if not (shared / "study.db").is_file():
        return shared
    try:
        with open_existing(shared) as store:
            return shared if store.runs.trained_study()["base"]["epochs"] <= spec.base.epochs else own
    except StoreUnreadableError:
        return shared  # opening it again reports what is wrong with it
