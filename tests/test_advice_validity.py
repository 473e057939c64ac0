"""How often validation recommends a variant although all are equal, in simulated studies.

The tests are quick versions. ``python tests/test_advice_validity.py 4000`` makes the table of docs/paths.md, with
4,000 studies per row, in about half an hour on one core.
"""

import sys
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import ndtri

from wellfit.analysis.comparisons import holm
from wellfit.analysis.paired import paired_t
from wellfit.analysis.selection import validation_components, validation_gains
from wellfit.base import RunSummary, StudySummary, TestRows, VariantSummary


class Scene(NamedTuple):
    """Equal variants, one of which chooses its epoch on the validation set; the last three are of the latent score."""

    variants: int = 18
    seeds: int = 5
    examples: int = 288  # the validation set of the digits
    accuracy: float = 0.97
    folds: bool = False  # whether every seed has its own validation examples
    seed_sd: float = 0.004  # of the true accuracy of a variant's networks
    variant_image: float = 0.3
    image: float = 1.2
    rest: float = 0.4


def answers(rng, scene):
    """Whether equal variants classify each validation example correctly.  # (V, S, n)"""
    V, S, n = scene.variants + 1, scene.seeds, scene.examples
    sets = S if scene.folds else 1
    spread = np.sqrt(scene.image**2 + scene.variant_image**2 + scene.rest**2)
    z = ndtri(scene.accuracy)
    sd = scene.seed_sd / (np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)) * spread
    score = scene.image * rng.standard_normal((1, sets, n), dtype=np.float32)
    score = score + scene.variant_image * rng.standard_normal((V, sets, n), dtype=np.float32)
    score = score + scene.rest * rng.standard_normal((V, S, n), dtype=np.float32)
    score = score + (sd * rng.standard_normal((V, S, 1))).astype(np.float32)
    return score > -z * np.hypot(spread, sd)


def summary(scene, right, best_epoch=(), *, kept=True):
    """A study with these answers, or with their accuracies alone; the last variant may stop at its best epoch."""
    scores = right.mean(axis=2)  # (V, S)
    names = ["baseline", *(f"v{i}" for i in range(1, len(scores)))]
    rows = [*zip(names, scores, strict=True), *(("best-epoch", row) for row in best_epoch)]
    variants = []
    for name, row in rows:
        settings = {"early_stopping": {"patience": 5}} if name == "best-epoch" else {"l2": 0.1 * len(variants)}
        runs = [RunSummary(s, "finished", *[None] * 6, float(score), *[None] * 4) for s, score in enumerate(row)]
        mean = {"validation_accuracy": float(np.mean(row))}
        variants.append(VariantSummary(name, settings, 1, tuple(runs), mean, {}, 0.0, {}))
    made = StudySummary("s", "?", "d", "finished", tuple(range(scene.seeds)), 9, 0.0, "", tuple(variants), (), (), "",
                        {}, {}, (), {}, {}, validation_examples=scene.examples,
                        validation_overlap=0.0 if scene.folds else 1.0)  # fmt: skip
    if not kept:
        return made
    S, n = scene.seeds, scene.examples
    examples = {s: np.arange(n) + (s * n if scene.folds else 0) for s in range(S)}
    by_name = {name: dict(enumerate(of)) for name, of in zip(names, right, strict=True)}
    tested = TestRows(examples, n * (S if scene.folds else 1))
    return replace(made, validation=validation_components(made, by_name, tested))


def by_seeds_alone(scores):
    """Whether a paired t test over the seeds, with Holm's correction, recommends a variant: the rule of version 0.1."""
    differences = scores[1:] - scores[0]
    p_values = holm([None if np.ptp(d) < 1e-9 else paired_t(d) for d in differences])
    return any(p is not None and p < 0.05 and d.mean() > 0 for p, d in zip(p_values, differences, strict=True))


def recommended(studies, scene, seed=0):
    """How often each rule says "Use X"."""
    rng = np.random.default_rng(seed)
    counts = np.zeros(4)
    for _ in range(studies):
        right = answers(rng, scene)
        scores = right.mean(axis=2)  # (V, S)
        chosen = np.max([scores[0], *(scores[0] + 0.004 * rng.standard_normal((8, scene.seeds)))], axis=0)  # of 9
        bounded, now = (
            validation_gains(summary(scene, right, [np.minimum(chosen, 1.0)], kept=kept)) for kept in (False, True)
        )
        assert all(gain.variant.name != "best-epoch" for gain in (*bounded, *now))
        before = np.vstack([scores, chosen])
        counts += (
            *(by_seeds_alone(scores), by_seeds_alone(before)),
            *(any(gain.significant for gain in gains) for gains in (bounded, now)),
        )
    rules = "seeds alone", "seeds alone, with best-epoch", "accuracies alone", "now"
    return dict(zip(rules, counts / studies, strict=True))


SCENES = {
    "18 variants, 5 seeds": Scene(),
    "18 variants, 5 seeds, 88 %": Scene(accuracy=0.88),
    "18 variants, 10 seeds": Scene(seeds=10),
    "18 variants, 3 seeds": Scene(seeds=3),
    "18 variants, 2 seeds": Scene(seeds=2),
    "4 variants, 5 seeds, 88 %": Scene(4, accuracy=0.88),
    "1 variant, 10 seeds, 88 %": Scene(1, 10, accuracy=0.88),
    "4 variants, 10 seeds, different examples hard, 88 %": Scene(4, 10, accuracy=0.88, variant_image=1.0, image=0.7),
    "4 variants, 10 seeds, equal seeds, 88 %": Scene(4, 10, accuracy=0.88, seed_sd=0.0, rest=0.1),
    "18 variants, 5 seeds in folds": Scene(folds=True),
    "4 variants, 10 seeds in folds, 88 %": Scene(4, 10, accuracy=0.88, folds=True),
}


@pytest.mark.parametrize("name", ["18 variants, 5 seeds, 88 %", "4 variants, 10 seeds in folds, 88 %",
                                  "4 variants, 10 seeds, different examples hard, 88 %"])  # fmt: skip
def test_equal_variants_are_rarely_recommended(name):
    scene = SCENES[name]._replace(variants=min(SCENES[name].variants, 6))
    # at most 5 % in truth: of 120 studies, more than 14 would have a probability of 0.1 %
    assert recommended(120, scene)["now"] <= 14 / 120


@pytest.mark.parametrize(
    ("scene", "least"), [(Scene(4, accuracy=0.88, folds=True), 30), (Scene(4, 10, accuracy=0.88), 30)]
)
def test_a_large_true_gain_is_recommended(scene, least):
    rng, found = np.random.default_rng(1), np.zeros(2, int)
    for _ in range(40):
        right = answers(rng, scene)
        right[2] |= (rng.random(right[2].shape[1:]) < 0.4) & (rng.random(right[2].shape) < 0.9)  # a third of all errors
        for rule, kept in enumerate((False, True)):
            gains = validation_gains(summary(scene, right, kept=kept))
            found[rule] += any(gain.significant and gain.variant.name == "v2" for gain in gains)
    assert found[1] >= max(least, found[0]), found


def main(studies):
    rules = "seeds alone | seeds alone, with best-epoch | accuracies alone | now"
    lines = [f"| equal variants, 288 examples | {rules} |", "|---|---|---|---|---|"]
    sys.stdout.write("\n".join(lines) + "\n")
    for name, scene in SCENES.items():
        cells = " | ".join(f"{100 * rate:.1f} %" for rate in recommended(studies, scene).values())
        sys.stdout.write(f"| {name} | {cells} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
