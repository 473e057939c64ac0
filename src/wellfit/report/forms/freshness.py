"""Whether a page is as wellfit wrote it, and shows the numbers that the study directory holds now.

A page carries a hash of its whole text and the numbers that it shows as a block of JSON. The hash shows that something
changed in the page; the numbers are compared with those that follow from the raw results.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from wellfit.base import StudySummary
from wellfit.errors import printable
from wellfit.files import read_plain
from wellfit.report.forms.formats import FORMATS
from wellfit.store.database import RESTORE
from wellfit.study.as_json import to_json
from wellfit.study.provenance import code_hash
from wellfit.study.verify import Problem

__all__ = ["UNSEALED", "check_page", "page_record", "sealed", "unchecked_reports"]

UNSEALED: Final = "0" * 64
"""In the place of the hash while it is computed."""

MOST: Final = 2**27  # bytes of a page; one of 300 variants with 10 seeds each has a tenth of that
MOST_NUMBERS: Final = 2**24  # bytes of its numbers
TOLERANCE: Final = 1e-9  # for sums in another order, on another machine

_SEAL: Final = re.compile(rb'<meta name="wellfit-page" content="([0-9a-f]{64})">')
_RECORD: Final = re.compile(rb'<script type="application/json" id="wellfit-record">(.*?)</script>', re.DOTALL)


def page_record(summary: StudySummary) -> dict[str, Any]:
    """What a page carries besides what it shows: the numbers of ``show --json``, and the code that computed them."""
    return {"code": code_hash(), "numbers": _numbers(summary)}


def sealed(page: str) -> str:
    """A page with its hash: SHA-256 over the page in UTF-8, with 64 zeros in the place of the hash.

    Args:
      page: with ``UNSEALED`` as its hash.

    Example:
      >>> len(sealed(f'<meta name="wellfit-page" content="{UNSEALED}">'))
      101
    """
    return page.replace(UNSEALED, hashlib.sha256(page.encode()).hexdigest(), 1)


def check_page(
    summary: StudySummary, path: Path, *, first_edition: bool = False
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """Compare a page with itself and with a study.

    Args:
      summary: of the study as it is now.
      path: of the page, which need not exist.
      first_edition: whether the study has no manifest, as if the first edition had written it.

    Returns:
      What is wrong with it, and notes: a page that was made from an earlier state of the study, or by an older wellfit.
    """
    again = f"write it again: wellfit report {path.parent}"
    try:
        content = read_plain(path, MOST)
    except FileNotFoundError:
        return (), ()
    except OSError as error:
        return (Problem(path.name, f"cannot be read: {error.strerror}", f"remove it, then {again}"),), ()
    seal, record = _SEAL.search(content), _RECORD.search(content)
    if seal is None and record is None:
        if summary.fingerprint is None:  # so is the study, or its last command was killed before it wrote a page
            return (), (f"{path.name}: from an older wellfit, not compared with the numbers; {again}",)
        return (Problem(path.name, "is not a page that this wellfit wrote", again),), ()
    if seal is None or record is None or not _is_whole(content, seal):
        return (Problem(path.name, "was changed after wellfit wrote it", again),), ()
    try:
        code, then = _read(record[1])
    except (KeyError, TypeError, ValueError, RecursionError):
        return (Problem(path.name, "its numbers cannot be read", again),), ()
    if first_edition and (shown := then.get("fingerprint")) is not None:
        what = f"has no manifest, but {path.name} shows that it had one: fingerprint {printable(str(shown), 60)}"
        return (Problem("study.db", what, RESTORE),), ()
    now = json.loads(json.dumps(_numbers(summary)))
    different = list(_differences(now, then))
    if then.get("fingerprint") != now["fingerprint"]:
        if _identity(then) != _identity(now):
            return (Problem(path.name, "shows another study", again),), ()
        what = "shows older numbers" if _of_results(different) else "was written before the study last changed"
        return (), (f"{path.name}: {what}; {again}",)
    if different and code != code_hash():
        return (), (f"{path.name}: another version of wellfit computed its numbers; {again}",)
    return tuple(Problem(path.name, what, again) for what in different[:10]), ()


def unchecked_reports(directory: Path) -> list[str]:
    """A note for each report in a study directory that has another form than a page."""
    there = [name for form, name in FORMATS.items() if form != "html" and (directory / name).exists()]
    return [f"{name}: not compared with the numbers; only the page, report.html, is" for name in there]


def _numbers(summary: StudySummary) -> dict[str, Any]:
    """What ``show --json`` prints, without the place of the directory, which may be moved."""
    plain = to_json(summary, "")
    return {**plain, "study": {key: value for key, value in plain["study"].items() if key != "directory"}}


def _identity(numbers: Mapping[str, Any]) -> tuple[Any, ...]:
    """What stays the same in a study that grows."""
    study = numbers.get("study")
    return (study["name"], study["data"]) if isinstance(study, Mapping) and {"name", "data"} <= {*study} else ()


def _is_whole(content: bytes, seal: re.Match[bytes]) -> bool:
    total = hashlib.sha256(content[: seal.start(1)])
    total.update(UNSEALED.encode())
    total.update(memoryview(content)[seal.end(1) :])
    return total.hexdigest() == seal[1].decode()


def _read(record: bytes) -> tuple[str, dict[str, Any]]:
    if len(record) > MOST_NUMBERS:
        raise ValueError("too long")
    plain = json.loads(record)
    return str(plain["code"]), {**plain["numbers"]}


def _of_results(different: list[str]) -> bool:
    """Whether more than times, provenance, fingerprint and the authors' own words differ."""
    return any(
        not line.startswith(("fingerprint ", "provenance", "settings.report", "study.seconds ")) for line in different
    )


def _differences(now: Any, then: Any, place: str = "") -> Iterator[str]:
    """One line for each value of a page that differs."""
    if isinstance(now, dict) and isinstance(then, Mapping):
        for key in {**now, **then}:
            yield from _differences(now.get(key), then.get(key), f"{place}.{key}" if place else key)
    elif isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        for i, (one, other) in enumerate(zip(now, then, strict=True)):
            yield from _differences(one, other, f"{place}[{i}]")
    elif not _same(now, then):
        shown, computed = (printable(json.dumps(value), 60) for value in (then, now))
        yield f"{printable(place, 100)} is {shown}, but {computed} when computed from the results"


def _same(now: Any, then: Any) -> bool:
    if isinstance(now, float) and isinstance(then, float):
        return math.isclose(now, then, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(now) is type(then) and bool(now == then)
