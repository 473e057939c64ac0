"""Conclusions from outcomes whose truth is known, and that their parts are consistent."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.comparisons import compare_pairs
from wellfit.analysis.rankings import friedman, ranking
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.api import Study
from wellfit.base import History, RunSummary, TestRows, VariantSummary
from wellfit.errors import StudyFileError
from wellfit.spec.study import StudySpec, recipes, study_from_mapping
from wellfit.study.conclude import Concluded, Further, conclude

NAMES = ("baseline", "l2", "dropout", "l2+dropout")
BOTH = {"ask": "Both?", "kind": "beats", "variant": "l2+dropout", "than": ["baseline", "l2", "dropout"]}


def spec(questions: list[dict[str, Any]] | None = None, **more: Any) -> StudySpec:
    variants = {name: {"l2": 0.001 * i} for i, name in enumerate(NAMES)}
    return study_from_mapping(
        {"title": "Which?", "data": {"name": "digits"}, "variants": variants, "questions": questions or [], **more}
    )


def every(examples: int, seeds: int = 10) -> TestRows:
    """Every seed judges all test examples."""
    return TestRows({s: np.arange(examples) for s in range(seeds)}, examples)


def outcomes(accuracies: tuple[float, ...], seeds: int = 5, images: int = 2000) -> dict[str, dict[int, Any]]:
    """Networks that find the same images hard, to chance."""
    rng = np.random.default_rng(0)
    hardness = rng.random(images)
    return {
        name: {s: hardness + 0.02 * rng.standard_normal(images) < accuracy for s in range(seeds)}
        for name, accuracy in zip(NAMES, accuracies, strict=False)
    }


def variants(correctness: dict[str, dict[int, Any]], seeds: int = 5) -> list[VariantSummary]:
    result = []
    for name in NAMES:
        scores = {s: float(image.mean()) for s, image in correctness.get(name, {}).items()}
        runs = tuple(
            RunSummary(
                s, "finished" if s in scores else "pending", 9, 9, 9, 5, 0.9, 0.1, 0.9, 0.1, scores.get(s), 0.1, 1
            )
            for s in range(seeds)
        )
        mean = {"test_accuracy": float(np.mean(list(scores.values())))} if scores else {}
        result.append(VariantSummary(name, {}, 1, runs, mean, {}, 1.0, {}))
    return result


def concluded(
    study: StudySpec, correctness: dict[str, dict[int, Any]], interim: InterimAnalysis | None = None
) -> Concluded:
    full = {name: correctness.get(name, {}) for name in NAMES}
    images = max((len(image) for seeds in correctness.values() for image in seeds.values()), default=2000)
    return conclude(study, recipes(study), variants(correctness), full, every(images), interim)


def test_holms_correction_is_over_what_the_questions_ask_too() -> None:
    runs = outcomes((0.88, 0.882, 0.884, 0.886))
    pairs = [(name, "baseline") for name in NAMES[1:]] + [("l2+dropout", "l2"), ("l2+dropout", "dropout")]
    found = concluded(spec([BOTH]), runs)
    assert (*found.comparisons, *found.asked) == compare_pairs(runs, pairs)
    assert [(c.variant, c.against) for c in found.asked] == pairs[3:]
    assert set(found.evidence) == {*NAMES[1:], "l2+dropout/l2", "l2+dropout/dropout"}
    assert found.ranking == ranking(runs, compared=compare_pairs(runs, pairs))
    scores = np.array([[image.mean() for image in seeds.values()] for seeds in runs.values()])
    assert found.friedman_p == friedman(scores)
    assert found.conclusion[0].text == "Which?"
    assert found.verdict == " ".join(sentence.text for sentence in found.conclusion[1:])


def test_what_is_true_is_found() -> None:
    found = concluded(spec([BOTH]), outcomes((0.80, 0.85, 0.85, 0.90)))
    assert {c.verdict for c in (*found.comparisons, *found.asked)} == {"better"}
    (answer,) = found.answers
    assert answer.text.startswith("Yes: l2+dropout was better than baseline")
    assert [r.letters for r in found.ranking] == ["a", "b", "b", "c"]


def test_divergence_and_the_leader_are_judged_too() -> None:
    study, runs = spec([BOTH]), outcomes((0.80, 0.85, 0.85, 0.90))
    runs["dropout"] = {}
    made = variants(runs)
    gone = tuple(dataclasses.replace(run, state="diverged") for run in made[2].runs)
    made[2] = dataclasses.replace(made[2], runs=gone)
    found = conclude(study, recipes(study), made, runs, every(2000))
    assert [(d.variant, d.against, d.diverged) for d in found.divergences] == [
        ("dropout", "baseline", 5),
        ("l2+dropout", "dropout", 0),
    ]
    assert found.verdict.startswith("dropout diverged more often than baseline (5 of 5 runs against 0 of 5, p = 0.016,")
    assert found.leader_accuracy == pytest.approx(np.mean(list(runs["l2+dropout"].values())))


def test_a_diverged_seed_hides_no_rise_of_the_others() -> None:
    asking = spec([{"ask": "When?", "kind": "onset", "variants": ["baseline"]}])
    right = outcomes((0.9, 0.9, 0.9, 0.9))
    first, *others = variants(right)
    runs = tuple(
        dataclasses.replace(run, overfit_onset=None, state="diverged" if run.seed == 4 else run.state)
        for run in first.runs
    )
    reasons = (({}, "which 4 seeds cannot"), ({"baseline": "training loss rose"}, "but the training loss rises"))
    curves = {s: History({"validation_loss": np.array([0.8, 0.5, 0.7, 1.0])}) for s in range(4)}
    for lost in (np.array([0.8, np.nan]), np.array([0.8])):
        histories = {"baseline": {**curves, 4: History({"validation_loss": lost})}}
        for causes, why in reasons:
            found = conclude(
                *(asking, recipes(asking), [dataclasses.replace(first, runs=runs), *others], right, every(2000)),
                further=Further(histories=histories, other_causes=causes),
            )
            said = f"The mean validation loss rises for baseline from 0.500 after epoch 2 to 1.000, {why}"
            assert found.answers[0].text.startswith(said)


def test_what_to_expect_of_the_leader_is_in_the_unit_of_the_metric() -> None:
    """With equal variants the lowest mean loss is too low; the loss to expect is higher."""
    rng = np.random.default_rng(0)
    hard = rng.gamma(0.5, 0.6, 300)  # 0.3 on average
    losses = {name: {s: hard * rng.uniform(0.8, 1.2, 300) for s in range(5)} for name in NAMES}
    study = spec(compare={"metric": "log_loss"})
    scores = {name: {s: -of for s, of in runs.items()} for name, runs in losses.items()}
    made = [
        dataclasses.replace(v, mean=v.mean | {"test_log_loss": np.mean(list(losses[v.name].values()))})
        for v in variants({name: {s: of < 0.7 for s, of in runs.items()} for name, runs in losses.items()})
    ]
    found = conclude(study, recipes(study), made, scores, every(300))
    leader = found.ranking[0]
    assert leader.mean == pytest.approx(min(np.mean(list(of.values())) for of in losses.values()))
    assert found.leader_accuracy is not None
    assert leader.mean < found.leader_accuracy < 0.33
    text = " ".join(sentence.text for sentence in found.conclusion)
    assert f"has the lowest mean test log loss, {leader.mean:.4f} (the best of 4; expect about" in text
    assert "accuracy" not in text


def test_the_margin_is_the_studys_own() -> None:
    runs = outcomes((0.85, 0.85))
    narrow, wide = (concluded(spec(compare={"margin": margin}), runs) for margin in (0.0, 0.2))
    assert [found.comparisons[0].verdict for found in (narrow, wide)] == ["undecided", "equivalent"]
    assert "l2 was equivalent to baseline to within 20.0 points" in wide.verdict


def test_python_asks_the_same_questions_with_the_same_margin() -> None:
    variants = {name: {"l2": 0.001 * i} for i, name in enumerate(NAMES)}
    result = Study("digits", variants=variants, questions=[BOTH], margin=0.02).spec
    assert (result.margin, result.questions) == (0.02, spec([BOTH]).questions)
    with pytest.raises(StudyFileError, match="unknown variant"):
        Study("digits", questions=[BOTH])


def test_a_question_about_a_variant_that_is_gone_goes_too() -> None:
    study = spec([BOTH])
    gone = StudySpec(**{**vars(study), "variants": {name: study.variants[name] for name in NAMES[:3]}})
    runs = outcomes((0.88, 0.88, 0.88))
    assert conclude(gone, recipes(gone), variants(runs)[:3], runs, every(2000)).answers == ()


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_few_seeds_are_borne(seeds: int) -> None:
    questions = [{"ask": kind, "kind": kind} for kind in ("best", "onset", "stop")]
    found = concluded(spec([BOTH, *questions]), outcomes((0.88, 0.9, 0.7, 0.9), seeds) if seeds else {})
    assert found.verdict
    assert all(answer.text for answer in found.answers)
    if seeds < 2:
        assert not re.search(r"\b(better|worse|equivalent)\b", found.verdict + found.answers[0].text)
        assert found.friedman_p is None


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, InterimAnalysis(1, (5, 10)), InterimAnalysis(2, (3, 5))]))
@settings(max_examples=25, deadline=None)
def test_the_letters_follow_the_verdicts(seed: int, look: InterimAnalysis | None) -> None:
    rng = np.random.default_rng(seed)
    runs = outcomes(tuple(0.85 + 0.03 * rng.standard_normal(4)), images=600)
    found = concluded(spec([BOTH]), runs, look)
    letters = {r.variant: set(r.letters) for r in found.ranking}
    for c in (*found.comparisons, *found.asked):
        assert bool(letters[c.variant] & letters[c.against]) == (c.verdict not in ("better", "worse"))
