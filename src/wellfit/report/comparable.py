"""Whether the published numbers of a built-in study are comparable with those measured here."""

from __future__ import annotations

from typing import Any

from wellfit.base import StudySummary
from wellfit.spec.overlay import read_study
from wellfit.spec.source import builtin_studies

__all__ = ["published_caution"]


def published_caution(summary: StudySummary) -> str:
    """How training here differs from that behind the published numbers; empty if it does not.

    Epochs and the share of the training data are compared; they are known for built-in studies.

    Example:
      >>> s = StudySummary("mine", "?", "d", "running", (0, 1), 5, 3.0, "", (), (), (), "", {}, {}, (), {}, {})
      >>> published_caution(s)
      ''
    """
    if not any(variant.published for variant in summary.variants):
        return ""
    own = _own(summary.name)
    if own is None:
        return ""
    epochs, share = own.get("train", {}).get("epochs"), own.get("data", {}).get("train_share", 1.0)
    here = summary.settings.get("data", {}).get("train_share", 1.0)
    there, now = [], []
    if isinstance(epochs, int) and epochs != summary.epochs:
        there.append(f"{epochs} epochs")
        now.append(f"{summary.epochs}")
    if here != share:
        there.append("all training data" if share == 1 else f"{100 * share:.0f} % of the training data")
        now.append(f"{100 * here:.0f} % of it")
    if not there:
        return ""
    return f"The published numbers come from {' and '.join(there)}, not from {' and '.join(now)} as here."


def _own(name: str) -> dict[str, Any] | None:
    """The tables of the built-in study, or part of a study, of this name; None if there is none."""
    for study in builtin_studies():
        if name == study or name.startswith(f"{study}-"):
            raw = read_study(study)[0]
            part = name.removeprefix(study).removeprefix("-")
            if not part:
                return raw
            if part in (raw.get("parts") or {}):
                return read_study(f"{study}/{part}")[0]
    return None
