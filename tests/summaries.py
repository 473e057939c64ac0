"""Studies that never ran: summaries with plausible numbers, and every odd state that a report must bear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from wellfit.base import (
    HISTORY_COLUMNS,
    Answer,
    Comparison,
    Finding,
    History,
    PairedEvidence,
    Ranked,
    RunState,
    RunSummary,
    Sentence,
    StudySummary,
    VariantSummary,
    Verdict,
)
from wellfit.spec.study import load_study, resolved

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

# name: settings, floor of the validation loss, strength of overfitting, test accuracy, published
VARIANTS: dict[str, tuple[dict[str, Any], float, float, float, float | None]] = {
    "baseline": ({}, 0.30, 1.0, 0.8843, 0.8835),
    "l2": ({"l2": 1e-3}, 0.36, 0.10, 0.8771, 0.8730),
    "l1": ({"l1": 1e-4}, 0.345, 0.15, 0.8802, None),
    "dropout": ({"dropout": 0.3}, 0.295, 0.22, 0.8898, 0.8803),
    "l2 + dropout": ({"l2": 1e-4, "dropout": 0.3}, 0.31, 0.08, 0.8881, None),
    "early-stopping": (
        {"early_stopping": {"monitor": "val_loss", "patience": 3, "restore_best_weights": True}},
        0.30,
        1.0,
        0.8862,
        None,
    ),
}
METRICS = (
    "train_accuracy",
    "train_loss",
    "validation_accuracy",
    "validation_loss",
    "test_accuracy",
    "test_loss",
)
PROVENANCE = {
    "command": "wellfit run lab5 --data fashion-mnist --seeds 5 --epochs 60 --out studies/lab5",
    "wellfit": "0.1.0",
    "python": "3.11.2",
    "jax": "0.7.1",
    "numpy": "2.4.6",
    "data hash": "sha256:3f6c1c0d8f1b0f6a57b8b2a63b0f4f5ad2f8d4d0c5b1c6f1f77a2b9c4de1a9b0",
    "split hash": "sha256:9b1d4c5e2a7788f0aa12cd34ef56ab78cd90ef12ab34cd56ef78ab90cd12ef34",
    "hardware": "2 cores, AMD EPYC, 8 GB",
    "started": "2025-11-21 11:02:13 UTC",
    "ended": "2025-11-21 11:07:50 UTC",
    "test set opened": "2025-11-21 11:07:48 UTC",
}


def study(
    *,
    variants: tuple[str, ...] = tuple(VARIANTS),
    seeds: int = 5,
    epochs: int = 60,
    classes: tuple[str, ...] = CLASSES,
    states: Mapping[tuple[str, int], RunState] | None = None,
    state: str = "finished",
) -> StudySummary:
    """A study with these variants, seeds 0, 1, ... and epochs; ``states`` overrides how single runs ended."""
    states = states or {}
    found = [_variant(name, seeds, epochs, states) for name in variants]
    summaries = tuple(summary for summary, _ in found)
    opened = any(v.mean for v in summaries)
    comparisons = tuple(_compare(v, summaries[0]) for v in summaries[1:] if v.mean and summaries[0].mean)
    ranked = sorted((v for v in summaries if v.mean), key=lambda v: -v.mean["test_accuracy"])
    return StudySummary(
        name="lab5",
        title="Which regulariser helps a 128-64 network on Fashion-MNIST?",
        data="fashion-mnist",
        state=state,  # type: ignore[arg-type]
        seeds=tuple(range(seeds)),
        epochs=epochs,
        seconds=337.4,
        directory="studies/lab5",
        variants=summaries,
        comparisons=comparisons,
        findings=FINDINGS if opened else (),
        verdict=VERDICT if opened else "Nothing can be said yet: no run has ended.",
        histories={summary.name: histories for summary, histories in found},
        confusion={v.name: _confusion(len(classes), i) for i, v in enumerate(summaries) if v.mean},
        classes=classes,
        provenance=PROVENANCE,
        settings=resolved(load_study("lab5", epochs=epochs)),
        conclusion=tuple(Sentence(f"{text}.", ("title",)) for text in ("Which?", *VERDICT.rstrip(".").split(". "))),
        answers=ANSWERS if comparisons else (),
        evidence={c.variant: _evidence(c, seeds) for c in comparisons},
        ranking=tuple(Ranked(v.name, v.mean["test_accuracy"], "abc"[min(i // 2, 2)]) for i, v in enumerate(ranked)),
        friedman_p=0.0123 if len(ranked) > 2 and seeds > 1 else None,
    )


def empty() -> StudySummary:
    """A study in which no run has ended."""
    names = tuple(VARIANTS)[:3]
    return study(variants=names, states={(n, s): "pending" for n in names for s in range(5)}, state="running")


def running() -> StudySummary:
    """Half of the runs have ended, one variant has none."""
    pending = {("baseline", 4), ("l2", 3), ("l2", 4), *(("dropout", s) for s in range(5))}
    return study(variants=("baseline", "l2", "dropout"), states=dict.fromkeys(pending, "pending"), state="running")


def diverged() -> StudySummary:
    """Three runs diverged, one of them in its first epoch; of one variant, all."""
    broken: dict[tuple[str, int], RunState] = {("l2", 1): "diverged", ("l2", 3): "diverged", ("dropout", 0): "diverged"}
    broken |= {("l1", seed): "diverged" for seed in range(5)}
    return study(variants=("baseline", "l2", "l1", "dropout"), states=broken)


def hostile() -> StudySummary:
    """Names that would break a page without escaping, and a figure that treated dollar signs as mathematics."""
    classes = (
        "<script>alert(1)</script>",
        "a & b",
        '"quoted"',
        "$x$ and $",
        "靴",
        "</script>",
        "{{ 7 * 7 }}",
        "x",
        "y",
        "_z",
    )
    plain = study(variants=("baseline", "l2"), classes=classes)
    name = "</script><img src=x onerror=alert(2)> $a_$"
    odd = replace(plain.variants[1], name=name, settings={"note": "<b>bold</b>"})
    return replace(
        plain,
        title="<script>document.title='broken'</script> & more",
        variants=(plain.variants[0], odd),
        comparisons=tuple(replace(c, variant=name) for c in plain.comparisons),
        histories={"baseline": plain.histories["baseline"], name: plain.histories["l2"]},
        confusion={"baseline": plain.confusion["baseline"], name: plain.confusion["l2"]},
        verdict="<i>Nothing</i> is certain.",
        conclusion=(plain.conclusion[0], Sentence("<i>Nothing</i> is certain.", ("title",))),
        answers=(Answer("<b>Why?</b>", "best", (Sentence("{{ 7 * 7 }} & <u>more</u>.", ("title",)),)),),
        evidence={name: plain.evidence["l2"]},
        ranking=tuple(r._replace(variant=name) if r.variant == "l2" else r for r in plain.ranking),
    )


def _variant(
    name: str, seeds: int, epochs: int, states: Mapping[tuple[str, int], RunState]
) -> tuple[VariantSummary, dict[int, History]]:
    settings, floor, rise, accuracy, published = VARIANTS[name]
    runs, histories = [], {}
    for seed in range(seeds):
        state = states.get((name, seed), "stopped" if "early_stopping" in settings else "finished")
        rng = np.random.default_rng([seed, list(VARIANTS).index(name)])
        history = _history(rng, epochs, floor, rise)
        run, kept = _run(seed, state, history, accuracy + 0.0015 * rng.standard_normal())
        runs.append(run)
        if kept:
            histories[seed] = kept
    mean: dict[str, float] = {}
    interval: dict[str, tuple[float, float] | None] = {}
    values = {m: [x for r in runs if (x := getattr(r, m)) is not None] for m in METRICS}
    values["generalization_gap"] = [
        a - b for a, b in zip(values["train_accuracy"], values["test_accuracy"], strict=True)
    ]
    for metric, known in values.items():
        if known:
            mean[metric] = float(np.mean(known))
            interval[metric] = _interval(known)
    shown = {} if published is None else {"test_accuracy": published}
    return VariantSummary(name, settings, 109_386, tuple(runs), mean, interval, 11.2 * seeds, shown), histories


def _history(rng: np.random.Generator, epochs: int, floor: float, rise: float) -> History:
    t = np.arange(1, epochs + 1)
    smooth = np.convolve(rng.standard_normal(epochs + 4), np.ones(5) / 5, "valid")  # (epochs,)
    train = (0.9 * np.exp(-t / 3.5) + 0.30 * np.exp(-t * rise / 18) + 0.03 + 0.2 * (1 - rise)) + 0.004 * smooth
    validation = floor + 0.55 * np.exp(-t / 3.0) + 0.0075 * rise * np.maximum(t - 9, 0) + 0.012 * smooth
    train = np.minimum(train, validation - 0.01)
    smooth = smooth + rng.standard_normal()  # seeds differ throughout, not only by epoch
    columns = {name: np.zeros(epochs) for name in HISTORY_COLUMNS} | {
        "running_loss": train + 0.02,
        "running_accuracy": 0.985 - 0.30 * train,
        "train_loss": train,
        "train_accuracy": np.clip(1.0 - 0.33 * train + 0.001 * smooth, 0, 1),
        "validation_loss": validation,
        "validation_accuracy": 0.898 - 0.16 * np.exp(-t / 3.0) - 0.0002 * rise * np.maximum(t - 20, 0) - 0.005 * smooth,
        "learning_rate": np.full(epochs, 1e-3),
    }
    return History(columns)


def _run(seed: int, state: RunState, history: History, accuracy: float) -> tuple[RunSummary, History | None]:
    if state == "pending":
        return RunSummary(seed, state, *[None] * 11), None
    best = int(np.argmin(history["validation_loss"])) + 1
    length = {"stopped": best + 3, "diverged": 3 + seed}.get(state, len(history))
    cut = {name: column[:length].copy() for name, column in history.columns.items()}
    if state == "diverged":
        for column in cut.values():
            column[-1] = np.nan
        best = min(best, length - 1)
        return RunSummary(seed, state, length, length - 1, best, None, *[None] * 6, 1.1), History(cut)
    read = best if state == "stopped" else length
    at = {m: float(history[m][read - 1]) for m in METRICS[:4]}
    onset = best if best < length - 5 else None
    scores = at["train_accuracy"], at["train_loss"], at["validation_accuracy"], at["validation_loss"]
    run = RunSummary(seed, state, length, read, best, onset, *scores, accuracy, 0.02 + at["validation_loss"], 11.2)
    return run, History(cut)


def _interval(values: list[float]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def _compare(variant: VariantSummary, against: VariantSummary) -> Comparison:
    mine, theirs = (
        {r.seed: r.test_accuracy for r in v.runs if r.test_accuracy is not None} for v in (variant, against)
    )
    pairs = [mine[s] - theirs[s] for s in mine if s in theirs]
    bounds = _interval(pairs)
    p = float(stats.ttest_1samp(pairs, 0).pvalue) if bounds else None
    adjusted = None if p is None else min(1.0, 5 * p)
    verdict: Verdict = "undecided"
    if adjusted is not None and adjusted < 0.05:
        verdict = "better" if np.mean(pairs) > 0 else "worse"
    elif bounds and max(map(abs, bounds)) < 0.006:
        verdict = "equivalent"
    return Comparison(variant.name, against.name, "test_accuracy", float(np.mean(pairs)), bounds, p, adjusted, verdict)


def _evidence(comparison: Comparison, seeds: int) -> PairedEvidence:
    p, known = comparison.p_value, seeds > 1
    ahead = (0.93 if comparison.difference > 0 else 0.03) if known else None
    further = 12 if comparison.verdict == "undecided" and known else None
    bounds = comparison.interval
    behind = 0.95 - ahead if ahead is not None else None
    return PairedEvidence(seeds, bounds, bounds, p, p, 0.0625, (0.2,) * seeds, ahead, behind, further)


def _confusion(k: int, salt: int) -> Any:
    rng = np.random.default_rng([k, salt])
    counts = rng.poisson(12, (k, k)) * (rng.random((k, k)) < 0.5)
    if k == len(CLASSES):
        for a, b, n in ((0, 6, 700), (6, 0, 640), (2, 4, 520), (4, 2, 430), (6, 2, 480), (7, 9, 210), (3, 4, 160)):
            counts[a, b] += n
    np.fill_diagonal(counts, 0)
    np.fill_diagonal(counts, 5000 - counts.sum(axis=1))
    return counts.astype(np.int64)  # (K, K)


VERDICT = (
    "Dropout makes this network better, alone and together with L2: its test accuracy is higher than the baseline's by "
    "0.7 points. L2 and L1 alone, at these strengths, make it worse. Early stopping is equivalent to the baseline."
)
ANSWERS = (
    Answer(
        "Is the published winner confirmed?",
        "winner",
        (
            Sentence(
                "The published test accuracy is highest for baseline, 88.35 %, next for dropout, 88.03 %.",
                ("published[baseline].test_accuracy", "published[dropout].test_accuracy"),
            ),
            Sentence(
                "Refuted: baseline was worse than dropout (-0.5 points [-0.8, -0.3]).",
                ("comparisons[dropout].verdict",),
            ),
        ),
    ),
)
FINDINGS = (
    Finding(
        "train-overfit",
        "warning",
        "The validation loss of the baseline rises after epoch 10 in 5 of 5 runs, from 0.31 to 0.67 at the end.",
        "Stop early, or use dropout or l2; the validation loss says when.",
    ),
    Finding(
        "data-duplicates",
        "info",
        "43 training images occur twice, none of them in the test set.",
        "Nothing needs to be done.",
    ),
    Finding(
        "split-shift",
        "error",
        "The mean of the test images is 72.9 and that of the training images 0.286: they were scaled differently.",
        "Pass all images unscaled; wellfit scales them with the model.",
    ),
)
