"""New study directories that are there whole or not at all: they are built beside their place."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from wellfit.errors import StoreError
from wellfit.files import TEMPORARY, abandoned, claimed
from wellfit.store import discard
from wellfit.store.names import refuse_own_place

__all__ = ["built_beside", "check_new"]


def check_new(out: Path, command: str) -> None:
    """Refuse a place where there is something already.

    Raises:
      StoreError: there is, or a study keeps its own files there.
    """
    refuse_own_place(out)
    if os.path.isfile(out / "study.db"):
        raise StoreError(
            f"{out}: already exists, and is a study directory, which wellfit report {out} opens; choose another --out, "
            f"which {command} creates"
        )
    if os.path.lexists(out):
        raise StoreError(f"{out}: already exists; choose another --out, which {command} creates")


@contextlib.contextmanager
def built_beside(out: Path) -> Iterator[Path]:
    """A temporary folder beside ``out``, renamed to it at the end, or removed after an error.

    What a killed command has left of ``out`` is removed first.

    Raises:
      StoreError: it cannot be written.
    """
    for left in abandoned(out):
        with contextlib.suppress(OSError, StoreError):
            discard(left)
    place = out.with_name(f".{out.name}.{os.getpid()}{TEMPORARY}")
    made = [folder for folder in out.parents if not os.path.lexists(folder)]  # from the inside
    try:
        place.mkdir(parents=True)
        with claimed(place):
            yield place
            os.rename(place, out)
    except OSError as error:
        raise StoreError(f"{out}: cannot be written: {error.strerror}; choose another --out") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)
        with contextlib.suppress(OSError):  # something is in them now, so they stay
            for folder in made:
                folder.rmdir()
