"""The model card beside an exported file: what the model is for, how accurate, of what data, how to use and remake it.

Source: Mitchell et al. (2019), "Model cards for model reporting".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from wellfit import errors
from wellfit.base import StudySummary
from wellfit.data.parts import listed
from wellfit.interop.network import common_preparation
from wellfit.interop.usage import NEEDS, usage
from wellfit.model.words import summary_lines
from wellfit.report import wording
from wellfit.report.forms.markdown import escaped, fenced, markdown_table
from wellfit.report.parts import Code, Table
from wellfit.report.wording import count
from wellfit.spec.study import from_resolved
from wellfit.spec.written import study_file

if TYPE_CHECKING:
    from wellfit.model.fitted import FittedModel

__all__ = ["MARK", "model_card"]

MARK: Final = "*wellfit model card*"
"""What every card contains, and hardly any other file."""

_COLUMNS: Final = 100
"""Columns of a table that a card describes; of more, the first."""


def model_card(model: FittedModel, summary: StudySummary | None, form: str, file: str, pixels: str = "float32") -> str:
    """The card of an exported model, Markdown in GitHub's dialect; every name is escaped.

    Args:
      summary: of the study that trained it; without it, findings and study file are left out.
      form: the format of the file: keras, onnx, safetensors or joblib.
      file: its name.
      pixels: the type of pixels that an ONNX file takes.

    Example:
      >>> from wellfit import Study, mlp
      >>> card = model_card(Study("digits", mlp(16), epochs=1, seeds=2).run().model(), None, "onnx", "model.onnx")
      >>> [line for line in card.splitlines() if line.startswith("## ")][:2]
      ['## How accurate it is', '## Input and output']
    """
    sections = {
        "How accurate it is": _accuracy(model, summary),
        "Input and output": _data(model, form),
        "How to use it": [NEEDS[form], fenced(Code(usage(model, form, file, pixels)), "python")],
        "How it was trained": _training(model),
        "What the checks found": [] if summary is None else _findings(summary),
        "How to make it again": [] if summary is None else _reproduction(model, summary, form),
    }
    title = f"{model.origin.variant}, a model of the study {model.origin.study}"
    blocks = [f"# {escaped(title)}", MARK, _lead(model)]
    for title, parts in sections.items():
        blocks += [f"## {title}", *parts] if parts else []
    return errors.escaped("\n\n".join(block for block in blocks if block) + "\n")  # it may be read in a terminal


def _lead(model: FittedModel) -> str:
    """What the model is, in a sentence."""
    seeds = ", ".join(str(network.seed) for network in model.networks)
    several = len(model.networks) > 1
    what = f"the mean of {len(model.networks)} networks (seeds {seeds})" if several else f"a network (seed {seeds})"
    origin = model.origin
    return escaped(
        f"This model is {what} that assigns {'images' if len(model.form.shape) > 1 else 'rows'} to "
        f"{len(model.classes)} classes. The study asks: {origin.title}"
    )


def _accuracy(model: FittedModel, summary: StudySummary | None) -> list[str]:
    origin = model.origin
    said = [f"On new examples: {origin.expected}."]
    if origin.interval is not None:
        said.append("Brackets are 95 % intervals; those of one network account for new seeds and new examples.")
    said.append(
        "This holds for examples that come about in the same way as those of the study. For others, nothing is known."
    )
    return [escaped(" ".join(said)), escaped(f"Why this variant: {origin.choice}."), _scores(model, summary)]


def _scores(model: FittedModel, summary: StudySummary | None) -> str:
    """The mean scores of the variant's networks; empty where they are unknown."""
    of = [] if summary is None else [v for v in summary.variants if v.name == model.origin.variant]
    if not of:
        return ""
    names = {"test_accuracy": "test accuracy", "test_loss": "test loss", "validation_accuracy": "validation accuracy"}
    rows = [
        (names[metric], wording.amount(value, metric), wording.bounds(of[0].interval.get(metric), metric))
        for metric, value in of[0].mean.items()
        if metric in names
    ]
    return markdown_table(Table(("mean of the networks", "", "95 % interval"), tuple(rows))) if rows else ""


def _data(model: FittedModel, form: str) -> list[str]:
    origin, like = model.origin, model.form
    facts = [("data", origin.data), ("SHA-256 of the data", origin.data_hash)]
    facts += [("test examples", f"{origin.tested:,}")] if origin.tested else []
    facts += [("one example", " x ".join(map(str, like.shape)) + (" pixels" if len(like.shape) > 1 else " columns"))]
    facts += [("pixels", f"from 0 to {like.pixel_max:g}")] if like.pixel_max is not None else []
    facts += [("classes", listed(model.classes, len(model.classes)))]
    return [
        markdown_table(Table((), tuple((key, text) for key, text in facts if text), text=2)),
        *_columns(model, form),
    ]


def _columns(model: FittedModel, form: str) -> list[str]:
    """The columns of a table, and what to put into them."""
    if not model.form.columns:
        return []
    columns = common_preparation(model).columns
    units = {column.name: column.unit for column in model.form.columns}
    rows = []
    for column in columns[:_COLUMNS]:
        unit = f", in {units[column.name]}" if units.get(column.name) else ""
        what = f"one of {listed(column.categories)}" if column.categories else f"number{unit}"
        rows.append((column.name, what, "yes" if column.indicator else "no"))
    table = markdown_table(Table(("column", "values", "missing values in training"), tuple(rows), text=3))
    more = f"And {len(columns) - _COLUMNS:,} more columns." if len(columns) > _COLUMNS else ""
    plain = "Numbers are without signs and units; what the training table called true or false is 1 or 0."
    new = "A text that no training example had counts as none of the values."
    return [table, more, f"{plain} {new}" if form in ("keras", "onnx") else new]


def _training(model: FittedModel) -> list[str]:
    rows = [(key, text) for key, text in _leaves(model.origin.recipe) if text]
    table = markdown_table(Table(("setting", "value"), tuple(rows), text=2)) if rows else ""
    network = fenced(Code("\n".join(summary_lines(model)[:-2])))  # the rest is said above
    return [
        table,
        "Settings that are not listed are off, or have the default of the optimizer." if table else "",
        network,
    ]


def _leaves(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Each setting with its path; empty for what is off."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", "" if value in (None, 0, "", []) else _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _findings(summary: StudySummary) -> list[str]:
    found = sorted(summary.findings, key=wording.urgency)
    lines = [
        f"- **{escaped(f'{finding.title} ({finding.level})')}** "
        + escaped(wording.true_minus(f"{finding.message} {finding.fix}".strip()))
        for finding in found
    ]
    return ["\n".join(lines) or "The checks of the data, the split and the training have nothing to report."]


def _reproduction(model: FittedModel, summary: StudySummary, form: str) -> list[str]:
    facts = dict(summary.provenance)
    command = facts.pop("command", "")
    facts |= {"fingerprint": summary.fingerprint} if summary.fingerprint else {}
    seed = f" --seed {model.networks[0].seed}" if len(model.networks) == 1 and len(summary.seeds) > 1 else ""
    export = f"wellfit export DIR --format {form} --variant {model.origin.variant}{seed}"
    rows = tuple((key, str(value)) for key, value in facts.items() if value)
    return [
        fenced(Code(f"{command}\n{export}".strip())),
        markdown_table(Table((), rows, text=2)) if rows else "",
        f"The study, with {count(len(summary.variants), 'variant')}, as a study file for wellfit run:",
        fenced(Code(study_file(from_resolved(summary.settings))), "toml"),
    ]
