"""The steps of a study's notebook, as text files give them: one for every study, and one for each lab, in its order."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Any

from wellfit.base import StudySummary

__all__ = ["Step", "is_lab", "lab_sections", "steps", "steps_of_lab"]


@dataclass(frozen=True)
class Step:
    """A step of a notebook, as its file says it.

    Args:
      name: a lab's step replaces the general one of that name.
      code: what its cell runs.
      section: id of the document's section that it shows: the first such step prints the section's notes, and its title
        where the step has none.
      title, text: printed above the code; may be empty.
      figure: the beginning of the name of the figure that it shows; without that figure the step is left out.
      drawn: whether that figure is what the cell shows; otherwise the cell is empty until it is run.
      asks: kinds of the questions that it answers, none for all; without such a question the step is left out.
      output: ``"results"`` where it shows the results as they show themselves.
      tested: whether it needs a tested run.
      printed: whether it belongs into a PDF too.
    """

    name: str
    code: str
    section: str = ""
    title: str = ""
    text: str = ""
    figure: str = ""
    drawn: bool = True
    asks: tuple[str, ...] | None = None
    output: str = ""
    tested: bool = False
    printed: bool = True

    def applies(self, summary: StudySummary) -> bool:
        """Whether a study has the questions and the tested runs that the step needs."""
        kinds = {answer.kind for answer in summary.answers}
        asked = self.asks is None or bool(kinds & set(self.asks) if self.asks else kinds)
        return asked and (not self.tested or bool(summary.confusion))


def steps(study: str) -> tuple[Step, ...]:
    """The steps of a study's notebook: for a lab its own, then the general ones that they do not replace.

    Example:
      >>> [step.name for step in steps("lab5")][:3]
      ['look', 'counts', 'prepare']
    """
    own = steps_of_lab(study)
    replaced = {step.name for step in own}
    return (*own, *(step for step in _read("study") if step.name not in replaced))


def steps_of_lab(study: str) -> tuple[Step, ...]:
    """A lab's own steps, each with the section of the general step that it replaces; none of other studies."""
    general = {step.name: step for step in _read("study")}
    return tuple(
        replace(step, section=general[step.name].section) if step.name in general else step
        for step in (_read(study) if study != "study" else ())
    )


def is_lab(study: str) -> bool:
    """Whether a study has steps of its own.

    Example:
      >>> is_lab("lab5"), is_lab("regularization"), is_lab("study")
      (True, False, False)
    """
    return study != "study" and bool(_read(study))


def lab_sections(study: str) -> dict[str, tuple[str, ...]]:
    """The steps of a lab, name -> title, or the name in words: what a text can be about; empty for other studies.

    Example:
      >>> lab_sections("lab5")["look"]
      ('1. Look at the data',)
    """
    own = steps_of_lab(study)
    titled = {step.name: (step.title,) for step in own if step.title}
    return {step.name: titled.get(step.name, (step.name.replace("-", " "),)) for step in own}


@lru_cache(maxsize=16)
def _read(name: str) -> tuple[Step, ...]:
    file = resources.files("wellfit.report.forms").joinpath("notebooks", f"{name}.toml")
    if not file.is_file():
        return ()
    tables: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["steps"]
    fields: list[dict[str, Any]] = [
        {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()} for table in tables
    ]
    return tuple(Step(**table) for table in fields)
