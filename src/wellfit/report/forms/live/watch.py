"""Watching a folder of studies: what pages show is kept here, and made again by other processes when it has changed.

A thread scans the folder, again and again, and reads the studies that someone is looking at. Pages and reports, which
take longer, are made one at a time in a process of their own, once for all who ask. A page asks for a study by its id,
a hash of its path; only ids of studies that a scan has found are valid.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from wellfit.base import StudySummary
from wellfit.errors import WellfitError, one_line, printable
from wellfit.report.forms.live import tasks
from wellfit.report.forms.live.scan import Found, scan, stamp_of
from wellfit.report.forms.live.tasks import Look
from wellfit.report.forms.live.worker import Worker
from wellfit.study.status import Stamp

__all__ = ["PER_PAGE", "Made", "Watch"]

SECONDS: Final = 0.4
"""Between two looks at what is shown, and between two scans of a folder that is not large."""

RARELY: Final = 5.0
"""Between two scans of a large folder; they take a fifth of the time where this allows it."""

PER_PAGE: Final = 50
"""Studies on one page of the list."""

SHOWN: Final = 10.0
"""Seconds for which something counts as shown after a page has asked for it."""

AGAIN: Final = 5.0
"""Seconds until a study that could not be read is tried again."""

BRIEF: Final = 60.0
"""Seconds that reading one study may take."""

LONG: Final = 1800.0
"""Seconds that a page, a summary or a report may take."""

_LONG_TASKS: Final = ("report", "comparison")

BYTES: Final = 64 * 2**20
"""Of pages and reports that are kept, beside the last one."""


@dataclass(frozen=True)
class Made:
    """Something that took long: its key, when it was begun, and its value or why there is none."""

    key: Any
    began: float
    value: Any
    trouble: str = ""

    @property
    def bytes(self) -> int:
        """Of a report, or of a page, which comes with its structure."""
        text = self.value[1] if isinstance(self.value, tuple) else self.value
        return len(text) if isinstance(text, bytes) else 0


class Watch:
    """The studies of a folder as they are now; start it with ``with``.

    Everything that the methods return is there already: they never wait, and may be called by the server's loop.

    Args:
      folder: a study directory, or a folder that holds studies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scanned = False
        self.trouble = ""
        # the containers are replaced as a whole or only ever grow by single keys, so that readers need no lock
        self._found: dict[str, Found] = {}
        self._rows: dict[str, tuple[Stamp, float, Mapping[str, Any]]] = {}
        self._looks: dict[str, tuple[Look, StudySummary | None]] = {}  # with the full summary that it was made with
        self._made: dict[tuple[str, str], Made] = {}
        self._making: set[tuple[str, str]] = set()
        self._listed_until: dict[int, float] = {}
        self._shown_until: dict[str, dict[int, float]] = {}
        self._next_scan = 0.0
        self._stop, self._wake = threading.Event(), threading.Event()
        self._reader, self._maker, self._reporter = Worker(BRIEF), Worker(LONG), Worker(LONG)
        self._pool = {name: ThreadPoolExecutor(1, f"wellfit-{name}") for name in ("maker", "reporter")}
        self._thread = threading.Thread(target=self._keep_watching, name="wellfit-watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._wake.set()
        for pool in self._pool.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for worker in (self._reader, self._maker, self._reporter):
            worker.close()

    # --- What the server asks for -------------------------------------------------------------------------------

    def count(self) -> int:
        """How many studies there are, with those that cannot be read."""
        return len(self._found)

    def has(self, study: str) -> bool:
        """Whether there is a study with this id that can be read, as far as is known."""
        known = self._rows.get(study)
        found = self._found.get(study)
        return found is not None and not found.trouble and (known is None or not known[2].get("trouble"))

    def rows(self, page: int) -> list[Mapping[str, Any]]:
        """The rows of a page of the list, from 1; a row without a title is yet to be read."""
        self._listed_until[page] = time.monotonic() + SHOWN
        rows = [self._row(found) for found in self._on(page)]
        if not all("trouble" in row for row in rows):
            self._wake.set()
        return rows

    def look(self, study: str, variants: Iterable[int] = ()) -> Look | None:
        """The latest look at a study; None until there is one.

        Args:
          variants: positions of those whose curves shall be in one of the next looks.
        """
        until = time.monotonic() + SHOWN
        self._shown_until.setdefault(study, {}).update(dict.fromkeys((-1, *variants), until))
        known = self._looks.get(study)
        if known is None:
            self._wake.set()
        return None if known is None else known[0]

    def page(self, study: str) -> bytes | None:
        """The page of a study; None until it has been made.

        Raises:
          WellfitError: it cannot be made.
        """
        now, found = self.look(study), self._found.get(study)
        if now is None or found is None:
            return None
        made = self._latest("page", found, (now.parts["structure"], now.running), tasks.study_page)
        if made is None:
            return None
        _check(made, found.place)
        structure, text = made.value
        return text if structure == now.parts["structure"] else None

    def report(self, study: str, asked: float) -> bytes | None:
        """The report of a study; None until it has been rendered.

        Args:
          asked: when the visitor asked for it, as ``time.monotonic`` tells; one that was begun later will do, though
            the study may have changed again.

        Raises:
          WellfitError: the study cannot be read or disappears meanwhile.
        """
        found = self._found.get(study)
        if found is None:
            return None
        key = stamp_of(found.path)
        made = self._latest("report", found, key, tasks.report)
        if made is None or (made.key != key and made.began < asked):
            return None
        _check(made, found.place)
        text: bytes = made.value
        return text

    def comparison(self, study: str, other: str) -> bytes | None:
        """Two studies side by side; None until the page has been made, or if there is no such study.

        Raises:
          WellfitError: they cannot be compared.
        """
        found, second = self._found.get(study), self._found.get(other)
        if found is None or second is None:
            return None
        key = other, stamp_of(found.path), stamp_of(second.path)
        made = self._latest("comparison", found, key, partial(tasks.comparison, other=second.path))
        if made is None or made.key != key:
            return None
        _check(made, found.place)
        text: bytes = made.value
        return text

    def finished(self) -> list[Mapping[str, Any]]:
        """The rows of the finished studies, as far as they have been read."""
        return [row for row in self.rows(1) if row.get("state") == "finished"]

    def library(self) -> bytes | None:
        """BokehJS; None until it has been read."""
        made = self._latest("library", None, (), tasks.library)
        return made.value if made is not None else None

    # --- What the thread does -----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Scan the folder if it is time to, and read what is shown and has changed."""
        began = time.monotonic()
        if began >= self._next_scan:
            self._scan()
            took = time.monotonic() - began
            self._next_scan = began + took + min(RARELY, max(SECONDS, 4 * took))
        for study in _current(self._shown_until):
            self._look_at(study)
        for study in self._looks.keys() - self._shown_until.keys():
            self._looks.pop(study, None)
        until = time.monotonic() + 2 * SECONDS
        for page in _current(self._listed_until):
            for found in self._on(page):
                if self._stop.is_set() or time.monotonic() > until:
                    return
                self._read_row(found)

    def _scan(self) -> None:
        try:
            found = {found.id: found for found in scan(self.folder)}
            self.trouble = ""
        except OSError as error:
            found, self.trouble = {}, f"{printable(str(self.folder))}: cannot be read: {error.strerror or error}"
        for study in self._rows.keys() - found.keys():
            self._rows.pop(study, None)
            self._looks.pop(study, None)
        for name in [name for name in self._made if name[1] and name[1] not in found]:
            self._made.pop(name, None)
        self._found = found
        self.scanned = True

    def _read_row(self, found: Found) -> None:
        known = self._rows.get(found.id)
        now = stamp_of(found.path)
        if found.trouble or (known is not None and known[0] == now and time.monotonic() < known[1]):
            return
        try:
            seen, row = self._reader.call(tasks.row, found.id, found.path, found.place)
            self._rows[found.id] = seen, float("inf"), row
        except WellfitError as error:
            self._fail(found, now, str(error))

    def _look_at(self, study: str) -> None:
        found, known = self._found.get(study), self._looks.get(study)
        if found is None or found.trouble:
            return
        now, time_now = stamp_of(found.path), time.monotonic()
        before, told = known or (None, None)
        shown = self._shown_until.get(study, {})
        wanted = {at for at, until in list(shown.items()) if until > time_now and at >= 0}
        full = None if before is None else self._full(found, before)
        if before is not None and before.stamp == now and wanted <= before.wanted and told is full:
            return
        row = self._rows.get(study)
        if before is None and row is not None and row[2].get("trouble") and row[0] == now and time_now < row[1]:
            return
        try:
            look = self._reader.call(tasks.look, study, found.path, found.place, full, wanted)
            self._looks[study] = look, full
        except WellfitError as error:
            self._looks.pop(study, None)
            self._fail(found, now, str(error))

    def _full(self, found: Found, look: Look) -> StudySummary | None:
        """The latest full summary; an older one while the current one is being computed."""
        made = self._latest("summary", found, look.key, tasks.summary)
        return made.value if made is not None else None

    def _fail(self, found: Found, now: Stamp, trouble: str) -> None:
        row = {"id": found.id, "place": found.place, "trouble": trouble}
        self._rows[found.id] = now, time.monotonic() + AGAIN, row

    def _keep_watching(self) -> None:
        self._refresh_or_say()
        with contextlib.suppress(WellfitError):
            self._reader.call(tasks.ready)  # a process takes a second to start
        while not self._stop.is_set():
            self._refresh_or_say()
            self._wake.wait(SECONDS / 2)
            self._wake.clear()

    def _refresh_or_say(self) -> None:
        """Refresh; an error that nobody foresaw is said on every page, which would otherwise show an old state."""
        try:
            self.refresh()
        except Exception as error:  # the thread must go on
            self._next_scan = 0.0
            self.trouble = f"The studies cannot be read: {type(error).__name__}: {one_line(error)}"

    # --- Both -----------------------------------------------------------------------------------------------------

    def _on(self, page: int) -> list[Found]:
        return list(islice(self._found.values(), (page - 1) * PER_PAGE, page * PER_PAGE))

    def _row(self, found: Found) -> Mapping[str, Any]:
        if found.trouble:
            return {"id": found.id, "place": found.place, "trouble": found.trouble}
        known = self._rows.get(found.id)
        return {"id": found.id, "place": found.place} if known is None else known[2]

    def _latest(self, what: str, found: Found | None, key: Any, function: Callable[..., Any]) -> Made | None:
        """What was made last; if its key is outdated, it is made again, and the old one is given until then."""
        name = what, "" if found is None else found.id
        known = self._made.get(name)
        failed = known is not None and known.trouble and time.monotonic() - known.began > AGAIN
        if (known is None or known.key != key or failed) and name not in self._making:
            self._making.add(name)
            with contextlib.suppress(RuntimeError):  # the server ends
                self._pool["reporter" if what in _LONG_TASKS else "maker"].submit(
                    self._make, name, found, key, function
                )
        return known

    def _make(self, name: tuple[str, str], found: Found | None, key: Any, function: Callable[..., Any]) -> None:
        began, value, trouble = time.monotonic(), None, ""
        worker = self._reporter if name[0] in _LONG_TASKS else self._maker
        try:
            value = worker.call(function, *(() if found is None else (found.id, found.path, found.place)))
        except WellfitError as error:
            trouble = str(error)
        except Exception as error:  # what cannot be sent between processes; no memory
            trouble = f"cannot be made: {type(error).__name__}: {one_line(error)}"
        self._made[name] = Made(key, began, value, trouble)
        self._making.discard(name)
        self._drop_old(name)

    def _drop_old(self, latest: tuple[str, str]) -> None:
        """Forget the oldest pages and reports where all of them are too large."""
        total = 0
        for name, made in sorted(self._made.items(), key=lambda item: -item[1].began):
            total += made.bytes
            if total > BYTES and name[1] and name != latest:
                self._made.pop(name, None)


def _current(until: dict[Any, Any]) -> list[Any]:
    """The keys that are shown; the others are removed."""
    now = time.monotonic()
    for key, end in list(until.items()):
        if now > (max(end.values()) if isinstance(end, dict) else end):
            until.pop(key, None)
    return list(until)


def _check(made: Made, place: str) -> None:
    if made.trouble:
        raise WellfitError(made.trouble if place in made.trouble else f"{place}: {made.trouble}")
