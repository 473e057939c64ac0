"""What takes networks, and therefore cannot be done with runs that others trained."""

from __future__ import annotations

from wellfit.base import StudySummary
from wellfit.errors import StudyFileError

__all__ = ["refuse_elsewhere"]


def refuse_elsewhere(summary: StudySummary) -> None:
    """Refuse to make something of the networks of a study of which only the predictions are known.

    Raises:
      StudyFileError: its runs were trained elsewhere.
    """
    if summary.elsewhere:
        raise StudyFileError(
            f"{summary.directory}: its runs were trained elsewhere, so it holds what they predict and no networks; use "
            "the library that trained them"
        )
