"""Every metric that variants can be compared on, end to end: against scikit-learn, with folds and with a test set."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics

from small_studies import few_points, perceptrons
from wellfit.analysis.scores import LOSSES, MARGINS, SCORED, scores_of
from wellfit.api import Study, logistic, make_dataset
from wellfit.base import Comparison, Dataset, StudySummary
from wellfit.errors import StudyFileError
from wellfit.spec.study import StudySpec, from_resolved
from wellfit.store import open_existing
from wellfit.study.as_json import to_json
from wellfit.study.fold import fold_of
from wellfit.study.run import run_study
from wellfit.study.scored import bounds_in_own_unit, in_own_unit, scored_again
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study


def pool() -> Dataset:
    """The examples of ``few_points`` without a test set of their own, so that every seed tests another third."""
    points = few_points()
    return make_dataset(
        np.concatenate([points.x_train, points.x_test]), np.concatenate([points.y_train, points.y_test]), name="points"
    )


def spec(folds: int) -> StudySpec:
    return perceptrons({"plain": {}, "l2": {"l2": 0.3}, "narrow": {"model": {"hidden": [2]}}}, 3, {"folds": folds})


def trained_in(folder: Path, folds: int) -> Session:
    session = Session(spec(folds), pool() if folds > 1 else few_points(), folder)
    run_study(session)
    return session


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Every seed tests another third of the examples."""
    return trained_in(tmp_path_factory.mktemp("folded"), 3)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Every seed tests the whole test set."""
    return trained_in(tmp_path_factory.mktemp("given"), 1)


def compared_on(session: Session, metric: str) -> StudySummary:
    """The same study with another metric; nothing is left to train."""
    run_study(replace(session, spec=replace(session.spec, metric=metric, margin=MARGINS[metric])))
    return summarize(session.directory)


def predictions_of(directory: Path, variant: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Probabilities and true classes of every seed."""
    with open_existing(directory) as store:
        labels, _ = store.keepsakes.labels()
        tested = [store.runs.tested(variant, seed) for seed in range(3)]
        return [(t.probabilities.astype(np.float64), t.of(labels)) for t in tested]


def oracle(metric: str, p: np.ndarray, y: np.ndarray) -> float:
    predicted, sums = p.argmax(axis=1), p / p.sum(axis=1, keepdims=True)
    if metric == "brier":
        return float(np.square(p - np.eye(p.shape[1])[y]).sum(axis=1).mean())
    return {
        "accuracy": lambda: sklearn.metrics.accuracy_score(y, predicted),
        "balanced_accuracy": lambda: sklearn.metrics.balanced_accuracy_score(y, predicted),
        "macro_f1": lambda: sklearn.metrics.f1_score(y, predicted, average="macro"),
        "roc_auc": lambda: sklearn.metrics.roc_auc_score(y, sums, multi_class="ovr"),
        "log_loss": lambda: sklearn.metrics.log_loss(y, sums),
    }[metric]()


def expected(session: Session, metric: str, variant: str) -> float:
    """With folds, recall and F1 of all predictions together; everything else as a mean over the judged examples."""
    tests = predictions_of(session.directory, variant)
    if session.folds > 1 and metric in ("balanced_accuracy", "macro_f1"):
        return oracle(metric, *(np.concatenate(parts) for parts in zip(*tests, strict=True)))
    return float(np.average([oracle(metric, *test) for test in tests], weights=[len(y) for _, y in tests]))


@pytest.mark.parametrize("metric", SCORED)
@pytest.mark.parametrize("split", ["folded", "given"])
def test_the_metric_agrees_with_scikit_learn(request: pytest.FixtureRequest, split: str, metric: str) -> None:
    trained: Session = request.getfixturevalue(split)
    summary = compared_on(trained, metric)
    of = {v.name: expected(trained, metric, v.name) for v in summary.variants}
    key = f"test_{metric}"
    for variant in summary.variants:
        assert variant.mean[key] == pytest.approx(of[variant.name], abs=1e-6)
        low, high = variant.interval[key] or (1, 0)
        assert low < of[variant.name] < high
        if metric != "accuracy":
            alone = [oracle(metric, *test) for test in predictions_of(trained.directory, variant.name)]
            assert [run.test_score for run in variant.runs] == pytest.approx(alone, abs=1e-6)
    assert {c.metric for c in summary.comparisons} == {key}
    assert [c.difference for c in summary.comparisons] == pytest.approx(
        [of[c.variant] - of[c.against] for c in summary.comparisons], abs=2e-6
    )
    order = sorted(of, key=lambda name: of[name], reverse=metric not in LOSSES)
    assert [r.variant for r in summary.ranking] == order
    assert [r.mean for r in summary.ranking] == pytest.approx([of[name] for name in order], abs=1e-6)
    bounds = [(v.interval or {}).get("test_accuracy") for v in summary.variants]
    assert all(bounds)  # accuracy stays, without a verdict


@pytest.mark.parametrize("metric", SCORED)
def test_verify_recomputes_the_metric(folded: Session, metric: str) -> None:
    compared_on(folded, metric)
    verified = verify_study(folded.directory)
    assert not verified.problems
    assert verified.numbers > 100


def test_verify_recomputes_the_metric_of_a_test_set(given: Session) -> None:
    compared_on(given, "balanced_accuracy")
    assert not verify_study(given.directory).problems


def test_a_lower_loss_is_better_on_a_new_seed(folded: Session) -> None:
    summary = compared_on(folded, "log_loss")
    for c in summary.comparisons:
        evidence = summary.evidence[c.variant]
        better, worse = evidence.better_on_new_seed, evidence.worse_on_new_seed
        assert better is not None
        assert worse is not None
        assert (c.difference < 0) == (better > worse)
        assert evidence.interval90 is not None
        assert evidence.interval90[0] < c.difference < evidence.interval90[1]


def test_json_has_the_metric_of_every_run(folded: Session) -> None:
    plain = json.loads(json.dumps(to_json(compared_on(folded, "brier"), "2")))
    assert (plain["metric"], plain["margin"]) == ("brier", 0.002)
    assert all(0 < run["test_brier"] < 2 for variant in plain["variants"] for run in variant["runs"])
    assert "test_brier" not in to_json(compared_on(folded, "accuracy"), "2")["variants"][0]["runs"][0]


def test_a_study_of_the_first_edition_is_compared_on_accuracy(folded: Session) -> None:
    compared_on(folded, "accuracy")
    with open_existing(folded.directory) as store:
        study = dict(store.metadata.study())
    del study["metric"]
    assert from_resolved(study).metric == "accuracy"


def test_differences_over_common_seeds_are_recomputed(folded: Session, tmp_path: Path) -> None:
    compared_on(folded, "macro_f1")
    part = tmp_path / "part"
    shutil.copytree(folded.directory, part)
    with contextlib.closing(sqlite3.connect(part / "study.db")) as connection, connection:
        connection.execute("DELETE FROM runs WHERE variant = 'l2' AND seed = 1")
        connection.execute("DELETE FROM epochs WHERE variant = 'l2' AND seed = 1")
    problems = verify_study(part).problems
    assert not [p for p in problems if "when recomputed" in p.what]


def test_an_interim_analysis_scores_its_own_runs(folded: Session) -> None:
    compared_on(folded, "macro_f1")
    with open_existing(folded.directory) as store:
        labels, _ = store.keepsakes.labels()
        every = np.arange(len(labels))
        tested = {seed: store.runs.tested("plain", seed).rows for seed in range(3)}
        rows = {seed: every if of is None else of for seed, of in tested.items()}
        scores = {"plain": {seed: np.zeros(len(of)) for seed, of in rows.items()}}
        seen = {"plain": {seed: scores["plain"][seed] for seed in (0, 1)}}
        again = scored_again(store, "macro_f1", scores, seen, rows, labels)
        assert scored_again(store, "macro_f1", scores, scores, rows, labels) is scores
    tests = predictions_of(folded.directory, "plain")[:2]
    alone = scores_of("macro_f1", tests, together=folded.folds > 1)
    assert list(again["plain"]) == [0, 1]
    for seed in (0, 1):
        np.testing.assert_allclose(again["plain"][seed], alone[seed], rtol=1e-6, atol=1e-6)


def test_a_better_loss_is_a_lower_one() -> None:
    assert in_own_unit("brier", -0.2) == 0.2
    assert str(in_own_unit("log_loss", 0.0)) == "0.0"
    assert bounds_in_own_unit("log_loss", (-0.3, 0.1)) == (-0.1, 0.3)
    assert bounds_in_own_unit("accuracy", (-0.3, 0.1)) == (-0.3, 0.1)


def test_class_weights_are_judged_by_the_metric(tmp_path: Path) -> None:
    """With 98.5 % of one class, balanced weights cost accuracy and gain balanced accuracy."""
    generator = np.random.default_rng(0)
    y = (np.arange(2000) < 30).astype(np.int64)  # (2000,)
    x = generator.normal(2.0 * y[:, None], 1.0, (2000, 3)).astype(np.float32)  # (2000, 3)
    variants = {"plain": {}, "weighted": {"class_weights": "balanced"}}

    def compared(metric: str) -> tuple[Comparison, str]:
        study = Study(x, y, logistic(), variants, metric=metric, epochs=8, seeds=5, learning_rate=0.01)
        results = study.run(tmp_path / "rare", progress=False)
        advice = " ".join(sentence.text for sentence in results.summary.advice)
        assert "Validation supports" not in advice  # accuracy hides the recall of the rare class, also from validation
        assert "Use " not in advice
        return results.summary.comparisons[0], results.verdict

    (accuracy, said), (balanced, silent) = compared("accuracy"), compared("balanced_accuracy")
    assert (accuracy.verdict, balanced.verdict) == ("worse", "better")
    assert "98.5 % of the examples belong to one class" in said
    assert "--set compare.metric=balanced_accuracy" in said
    assert "--set compare.metric" not in silent


def test_roc_auc_of_one_class_is_refused_before_training(tmp_path: Path) -> None:
    y = (np.arange(60) < 3).astype(np.int64)  # (60,)
    x = np.random.default_rng(0).normal(y[:, None], 1.0, (60, 2)).astype(np.float32)  # (60, 2)
    study = Study(x, y, logistic(), {"a": {}, "b": {"l2": 1.0}}, metric="roc_auc", epochs=1, seeds=5)
    with pytest.raises(StudyFileError, match="belong to one class"):
        study.run(tmp_path / "none", progress=False)
    assert not (tmp_path / "none").exists()


def test_roc_auc_is_refused_for_the_seeds_that_a_directory_already_has(tmp_path: Path) -> None:
    """They are judged on it too, although the command asks for fewer seeds, all of which have both classes."""
    y = (np.arange(60) < 4).astype(np.int64)  # (60,)
    x = np.random.default_rng(0).normal(y[:, None], 1.0, (60, 2)).astype(np.float32)  # (60, 2)
    variants: dict[str, Any] = {"a": {}, "b": {"l2": 1.0}}
    Study(x, y, logistic(), variants, epochs=1, seeds=5).run(tmp_path / "s", progress=False)
    one = Study(x, y, logistic(), variants, epochs=1, seeds=1)
    assert one.dataset is not None
    tested = [fold_of(one.dataset, one.spec.data, seed).dataset.y_test for seed in range(5)]
    both = [seed for seed, labels in enumerate(tested) if len(np.unique(labels)) == 2]
    assert 0 < len(both) < 5
    again = Study(x, y, logistic(), variants, metric="roc_auc", epochs=1, seeds=both)
    with pytest.raises(StudyFileError, match="belong to one class"):
        again.run(tmp_path / "s", progress=False)
