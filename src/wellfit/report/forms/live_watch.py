"""Watching a folder of studies: a thread looks at it twice a second, another computes what takes longer.

Pages ask by a study's id, which is made from its place; only ids that a look has found lead anywhere.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from wellfit.base import StudySummary
from wellfit.errors import WellfitError
from wellfit.report.forms.live_page import Listed
from wellfit.report.forms.page import render_page
from wellfit.study.report_details import summary_and_details
from wellfit.study.status import find_studies, read_status, stamp
from wellfit.study.summarize import summarize

__all__ = ["SECONDS", "Watch"]

SECONDS: Final = 0.4
"""Between two looks."""

STRANGE: Final = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, OSError)
"""What rows lead to that wellfit has not written, and files that go away while they are read."""


class Watch:
    """The studies of a folder, as they are now. Start it with ``with``.

    Args:
      folder: a study directory, or a folder that holds studies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found: dict[str, tuple[Listed, Path]] = {}  # replaced as a whole, so that readers need no lock
        self._computed: dict[tuple[str, str], tuple[Any, Any]] = {}  # (what, id) -> key, value
        self._asked: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_looking, name="wellfit-watch", daemon=True)
        self._slow = ThreadPoolExecutor(1, "wellfit-summary")

    def __enter__(self) -> Watch:
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._slow.shutdown(wait=False, cancel_futures=True)
        self._thread.join()

    def studies(self) -> list[Listed]:
        """Every study that there is now."""
        return [listed for listed, _ in self._found.values()]

    def get(self, study: str) -> Listed | None:
        """The study with an id; None where there is none, or it cannot be read."""
        listed, _ = self._found.get(study, (None, None))
        return None if listed is None or listed.glance is None else listed

    def summary(self, study: str) -> StudySummary | None:
        """The latest full summary of a study that was computed; an older one while a newer is made."""
        listed = self.get(study)
        if listed is None or listed.glance is None:
            return None
        value = self._latest("summary", study, listed.glance.key, summarize)
        return value if isinstance(value, StudySummary) else None

    def report(self, study: str) -> str | None:
        """The report of a study, as HTML; made anew where the study has changed. It takes seconds: call it in a thread.

        Raises:
          WellfitError: the study cannot be read, or goes away meanwhile.
        """
        listed, directory = self._found.get(study, (None, None))
        if listed is None or listed.glance is None or directory is None:
            return None
        key = listed.glance.stamp
        with self._lock:  # one after the other: drawing it takes a core and much memory
            known = self._computed.get(("report", study))
            if known is None or known[0] != key:
                try:
                    known = key, render_page(*summary_and_details(directory))
                except STRANGE as error:
                    raise WellfitError(f"{listed.place}: {_strange(error)}") from error
                self._computed["report", study] = known
        return str(known[1])

    def look(self) -> None:
        """Look at the folder, and read what has changed."""
        found = {_id(path): path for path in find_studies(self.folder)}
        self._found = {study: (self._read(study, path), path) for study, path in found.items()}

    def _read(self, study: str, path: Path) -> Listed:
        before, _ = self._found.get(study, (None, None))
        if before is not None and before.glance is not None and before.glance.stamp == stamp(path):
            return before
        place = os.path.relpath(path, self.folder)
        try:
            return Listed(study, place, read_status(path, None if before is None else before.glance))
        except WellfitError as error:
            return Listed(study, place, None, str(error))
        except STRANGE as error:
            return Listed(study, place, None, _strange(error))

    def _keep_looking(self) -> None:
        while not self._stop.wait(SECONDS):
            self.look()

    def _latest(self, what: str, study: str, key: Any, compute: Callable[[Path], Any]) -> Any:
        """What was computed last; where the key is another by now, it is computed anew, in the thread for that."""
        known = self._computed.get((what, study))
        if (known is None or known[0] != key) and (what, study) not in self._asked:
            self._asked.add((what, study))
            self._slow.submit(self._compute, what, study, key, compute)
        return None if known is None else known[1]

    def _compute(self, what: str, study: str, key: Any, compute: Callable[[Path], Any]) -> None:
        try:
            self._computed[what, study] = key, compute(self._found[study][1])
        except (WellfitError, *STRANGE):  # gone, or not whole: as the next look will tell
            self._computed[what, study] = key, None
        finally:
            self._asked.discard((what, study))


def _strange(error: Exception) -> str:
    return f"cannot be understood: {type(error).__name__}: {error}"


def _id(path: Path) -> str:
    """Names a study in an address, and tells nothing of its place."""
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]
