"""A study's summary as plain data: what ``wellfit show --json`` prints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from wellfit.base import RunSummary, SearchResult, StudySummary
from wellfit.study.provenance import changes

__all__ = ["to_json"]

_RUN_KEYS: Final = (
    *("seed", "state", "epochs", "best_epoch", "overfit_onset"),
    *(f"{split}_{what}" for split in ("train", "validation", "test") for what in ("accuracy", "loss")),
)


def to_json(summary: StudySummary, version: str) -> dict[str, Any]:
    """The plain data that ``wellfit show --json`` prints, with NaN and infinity as null."""
    study_keys = ("name", "data", "state", "seeds", "epochs", "seconds", "directory")
    variant_keys = ("name", "settings", "parameters", "runs", "mean", "interval")
    plain = {
        "wellfit": version,
        "study": {key: getattr(summary, key) for key in study_keys},
        "variants": [
            {key: getattr(v, key) for key in variant_keys} | {"runs": [_run_to_json(run, summary) for run in v.runs]}
            for v in summary.variants
        ],
        "comparisons": [vars(c) for c in summary.comparisons],
        "findings": [{**vars(f), "title": f.title} for f in summary.findings],
        "title": summary.title,
        "metric": summary.metric,
        "margin": summary.margin,
        "published": {v.name: v.published for v in summary.variants if v.published},
        "conclusion": [vars(sentence) for sentence in summary.conclusion],
        "advice": [vars(sentence) for sentence in summary.advice],
        "answers": [{**vars(a), "sentences": [vars(sentence) for sentence in a.sentences]} for a in summary.answers],
        "asked": [vars(c) for c in summary.asked],
        "gaps": [vars(c) for c in summary.gaps],
        "evidence": {key: vars(evidence) for key, evidence in summary.evidence.items()},
        "ranking": [ranked._asdict() for ranked in summary.ranking],
        "friedman_p": summary.friedman_p,
        "leader_accuracy": summary.leader_accuracy,
        "divergences": [divergence._asdict() for divergence in summary.divergences],
        "earlier_looks": summary.earlier_looks.seeds,
        "earlier_metrics": summary.earlier_looks.metrics,
        "earlier_margins": summary.earlier_looks.margins,
        "search": _search(summary.search),
        "settings": summary.settings,
        "provenance": summary.provenance,
        "several": changes(summary.provenance),
        "fingerprint": summary.fingerprint,
    }
    return {key: _finite(value) for key, value in plain.items()}


def _run_to_json(run: RunSummary, summary: StudySummary) -> dict[str, Any]:
    """A run, with the metric that variants are compared on."""
    of_accuracy = summary.metric == "accuracy"
    return {key: getattr(run, key) for key in _RUN_KEYS} | ({} if of_accuracy else {summary.compared: run.test_score})


def _search(result: SearchResult | None) -> dict[str, Any] | None:
    """What the search tried and found; None without one."""
    if result is None:
        return None
    trials = [{**vars(trial), "mean": trial.mean} for trial in result.trials]
    return {**vars(result), "trials": trials, "found": result.found, "curse": result.curse}


def _finite(value: Any) -> Any:
    """Convert to what JSON can express."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.generic):
        return _finite(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
