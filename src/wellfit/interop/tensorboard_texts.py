"""What TensorBoard shows of a study in words: its conclusion, and the settings in which variants differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from wellfit import errors
from wellfit.analysis.settings import flattened
from wellfit.base import Recipe, StudySummary
from wellfit.narrative.metrics import NAMES
from wellfit.nn.optimizers import OPTIMIZERS
from wellfit.report import wording
from wellfit.report.forms.markdown import escaped, fenced, markdown_table
from wellfit.report.notes import notices
from wellfit.report.parts import Code, Table
from wellfit.spec.study import from_resolved
from wellfit.spec.written import study_file

__all__ = ["conclusion_text", "run_settings"]

_ALWAYS: Final = ("optimizer", "learning_rate", "batch_size", "epochs")
"""Settings that are shown even if all variants share them."""


def run_settings(recipes: Mapping[str, Recipe]) -> dict[str, dict[str, float | bool | str]]:
    """The hyperparameters of every variant: its name, the usual ones, and those in which the variants differ.

    What is off is left out.

    Example:
      >>> settings = run_settings({"baseline": Recipe(), "l2": Recipe(l2=0.1)})
      >>> settings["l2"]["variant"], settings["l2"]["l2"], settings["baseline"]["l2"]
      ('l2', 0.1, 0.0)
    """
    flat = {name: dict(flattened(asdict(_with_rate(recipe)))) for name, recipe in recipes.items()}
    keys = dict.fromkeys(key for recipe in flat.values() for key in recipe)
    differ = [key for key in keys if len({repr(recipe.get(key)) for recipe in flat.values()}) > 1]
    shown = dict.fromkeys((*_ALWAYS, *differ))
    settings: dict[str, dict[str, float | bool | str]] = {name: {"variant": name} for name in flat}
    for name, recipe in flat.items():
        settings[name] |= {key: _plain(recipe[key]) for key in shown if recipe.get(key) is not None}
    return settings


def _with_rate(recipe: Recipe) -> Recipe:
    """The recipe with the learning rate that it leaves to its optimizer."""
    return (
        recipe
        if recipe.learning_rate is not None
        else replace(recipe, learning_rate=OPTIMIZERS[recipe.optimizer].learning_rate)
    )


def _plain(value: Any) -> float | bool | str:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def conclusion_text(summary: StudySummary) -> str:
    """The question, the answer and its numbers, in Markdown; every name is escaped."""
    rows = []
    for variant in summary.variants:
        mean, bounds = variant.mean.get(summary.compared), variant.interval.get(summary.compared)
        if mean is not None:
            shown = wording.amount(mean, summary.compared), wording.bounds(bounds, summary.compared)
            rows.append((variant.name, *shown))
    name = wording.capitalized(NAMES[summary.compared])
    blocks = [f"## {escaped(summary.title)}", *(f"> {escaped(text)}" for text in notices(summary))]
    blocks += [escaped(sentence.text) for sentence in summary.conclusion[1:]]
    blocks += [markdown_table(Table(("Variant", name, "95 % interval"), tuple(rows)))] if rows else []
    for answer in summary.answers:
        blocks += [f"### {escaped(answer.ask)}", *(escaped(sentence.text) for sentence in answer.sentences)]
    blocks += ["### The study", fenced(Code(study_file(from_resolved(summary.settings))), "toml")]
    return errors.escaped("\n\n".join(blocks) + "\n")
