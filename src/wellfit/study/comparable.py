"""Whether numbers can be compared: published ones with those measured here, and variants on the study's metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from wellfit.analysis.settings import flattened
from wellfit.base import BALANCED, ONE_CLASS, Finding, IntArray
from wellfit.errors import StudyFileError
from wellfit.narrative.options import setting_text
from wellfit.spec.source import builtin_studies
from wellfit.spec.study import load_study, resolved

__all__ = ["check_metric", "metric_caution", "of_metric", "published_caution"]

_NAMED: Final = 2  # settings other than data and epochs that a sentence names


def metric_caution(metric: str, labels: IntArray) -> str:
    """That accuracy says little where one class has nearly all examples, without a full stop; empty otherwise.

    Args:
      metric: what the variants are compared on.
      labels: of the training examples.  # (n,)

    Example:
      >>> metric_caution("accuracy", np.repeat([0, 1], [197, 3]))[:63]
      '98.5 % of the training examples belong to one class, so accurac'
      >>> metric_caution("balanced_accuracy", np.repeat([0, 1], [197, 3])), metric_caution("accuracy", np.arange(4))
      ('', '')
    """
    share = np.bincount(labels).max(initial=0) / max(len(labels), 1)
    if metric != "accuracy" or share < ONE_CLASS:
        return ""
    return (
        f"{100 * share:.1f} % of the training examples belong to one class, so accuracy says little about the others; "
        f"to compare the variants by the mean recall of all classes, add {BALANCED}"
    )


def of_metric(findings: Sequence[Finding], metric: str) -> tuple[Finding, ...]:
    """The findings without the one that only matters where variants are compared on accuracy.

    Example:
      >>> hidden = Finding("accuracy-hides-recall", "warning", "It does.", "Compare on another metric.")
      >>> [f.code for f in of_metric([hidden], "accuracy")], of_metric([hidden], "macro_f1")
      (['accuracy-hides-recall'], ())
    """
    return tuple(f for f in findings if metric == "accuracy" or f.code != "accuracy-hides-recall")


def check_metric(metric: str, labels: IntArray, seed: int) -> None:
    """Refuse, before training, a metric that the test examples of a seed cannot have.

    Args:
      metric: what the variants are compared on.
      labels: of the seed's test examples.  # (m,)
      seed: for the message.

    Raises:
      StudyFileError: ROC AUC where all test examples belong to one class.

    Example:
      >>> check_metric("roc_auc", np.array([0, 1, 1]), seed=0)
    """
    if metric == "roc_auc" and len(np.unique(labels)) < 2:
        raise StudyFileError(
            f'[compare] metric = "roc_auc": all {len(labels)} test examples of seed {seed} belong to one class, so '
            "they have no ROC curve; choose another metric, or fewer folds with --set data.folds=1"
        )


def published_caution(name: str, published: Mapping[str, Mapping[str, float]], settings: Mapping[str, Any]) -> str:
    """How training here differs from that behind the published numbers, in sentences; empty if it does not.

    The data set, its share, the epochs and all other settings of the variants with published numbers are compared:
    with those of the built-in study of this name, or of the study file that holds the numbers. Numbers from other
    settings are shown, but give no verdict.

    Args:
      name: of the study.
      published: variant -> metric -> value.
      settings: the study in ``resolved`` form.

    Example:
      >>> spec = load_study("lab5", epochs=3)
      >>> published_caution("mine", spec.published, resolved(spec))
      ''
      >>> published_caution("lab5", spec.published, resolved(spec))
      'The published numbers come from 30 epochs, not from 3 as here.'
    """
    source = (_source(name) or settings.get("published_at")) if any(published.values()) else None
    if not source:
        return ""
    there, now = [], []
    data, data_here = source["data"], settings.get("data", {})
    if data_here.get("name_or_path", data["name_or_path"]) != data["name_or_path"]:
        there.append(data["name_or_path"])
        now.append(data_here["name_or_path"])
    epochs, epochs_here = source["base"]["epochs"], settings.get("base", {}).get("epochs")
    if epochs_here not in (None, epochs):
        there.append(f"{epochs} epochs")
        now.append(f"{epochs_here}")
    share, share_here = data["train_share"], data_here.get("train_share", 1.0)
    if share_here != share:
        there.append("all training data" if share == 1 else f"{100 * share:.0f} % of the training data")
        now.append(f"{100 * share_here:.0f} % of it")
    others = _other_settings(published, source, settings, epochs_here != epochs)
    sentences = []
    if there:
        sentences.append(
            f"The published numbers come from {' and '.join(there)}, not from {' and '.join(now)} as here."
        )
    if others:
        named = [setting_text(*pair) for pair in list(others.items())[:_NAMED]]
        more = ", and others" if len(others) > _NAMED else ""
        sentences.append(f"The published runs had other settings: {', '.join(named)}{more}.")
    return " ".join(sentences)


def _other_settings(
    published: Mapping[str, Any], source: Mapping[str, Any], settings: Mapping[str, Any], epochs: bool
) -> dict[str, Any]:
    """The settings of variants with published numbers that differ here, with their values there.

    Args:
      epochs: whether the epochs of the base recipe differ, which then need no second mention.
    """
    others: dict[str, Any] = {}
    for variant in published:
        theirs, ours = (table.get("variants", {}).get(variant, {}).get("recipe") for table in (source, settings))
        if theirs and ours:
            there, here = dict(flattened(theirs)), dict(flattened(ours))
            different = {key: there[key] for key in there if key in here and here[key] != there[key]}
            others |= {key: value for key, value in different.items() if not (epochs and key == "epochs")}
    return others


@lru_cache(maxsize=16)
def _source(name: str) -> Mapping[str, Any] | None:
    """The built-in study, or part of a study, of this name, in ``resolved`` form; None if there is none."""
    for study in builtin_studies():
        if name == study or name.startswith(f"{study}-"):
            part = name.removeprefix(study).removeprefix("-")
            for place in (study, f"{study}/{part}"):
                spec = load_study(place) if place == study or part in _parts(study) else None
                if spec is not None and spec.name == name:
                    return resolved(spec)
    return None


def _parts(study: str) -> Mapping[str, Any]:
    from wellfit.spec.overlay import read_study

    return read_study(study)[0].get("parts") or {}
