"""Running until decided: planned analyses at their levels, budgets that are kept, interruptions that lose nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellfit.analysis.comparisons import compare_pairs
from wellfit.analysis.metrics import correctness
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Dataset
from wellfit.data.assemble import make_dataset
from wellfit.errors import StudyFileError
from wellfit.spec.study import DataSpec, StudySpec, study_from_mapping
from wellfit.store import open_existing, open_if_begun
from wellfit.study import decide
from wellfit.study.decide import Analyzed, Decision, planned_batches, run_until_decided
from wellfit.study.fold import check_folds
from wellfit.study.run import Interrupted, Progress, run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

CLOSE: dict[str, Any] = {"plain": {}, "close": {"l2": 0.3}}
APART: dict[str, Any] = {"plain": {}, "apart": {"class_weights": [1.0, 1e4]}}


def study(variants: dict[str, Any], seeds: Any = 5, epochs: int = 8) -> StudySpec:
    return study_from_mapping(
        {
            "data": {"name": "points", "scale": "standardize", "folds": 1},
            "model": {"kind": "logistic"},
            "train": {"epochs": epochs, "batch_size": 32, "seeds": seeds, "learning_rate": 0.2},
            "variants": variants,
        }
    )


def points() -> Dataset:
    """Two clouds that a line mostly separates: 100 training and 300 test examples."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 400)  # (400,)
    x = generator.normal(3.0 * y[:, None], 2.0, (400, 4)).astype(np.float32)  # (400, 4)
    return make_dataset(x[:100], y[:100], x[100:], y[100:], name="points")


class Run:
    """One call of ``run_until_decided``, and what it reported."""

    def __init__(self, spec: StudySpec, directory: Path, *, on_progress: Any = None, **how: Any) -> None:
        self.analyses: list[Analyzed] = []
        self.trained: list[tuple[tuple[int, ...], InterimAnalysis]] = []

        def train(batch: Session, interim: InterimAnalysis) -> None:
            self.trained.append((batch.spec.seeds, interim))
            run_study(batch, interim=interim, on_progress=on_progress)

        how["on_analysis"] = self.analyses.append
        self.decision: Decision = run_until_decided(Session(spec, points(), directory), train, **how)


def recomputed(directory: Path, seeds: int, interim: InterimAnalysis | None) -> Any:
    """The comparisons of a directory's first seeds, recomputed."""
    with open_existing(directory) as store:
        study, (labels, _) = store.metadata.study(), store.keepsakes.labels()
        runs = {
            name: {s: correctness(store.runs.tested(name, s).probabilities, labels) for s in study["seeds"][:seeds]}
            for name in study["variants"]
        }
    first, *others = runs
    return compare_pairs(runs, [(name, first) for name in others], interim=interim)


def test_a_clear_difference_is_decided_at_the_first_analysis(tmp_path: Path) -> None:
    run = Run(study(APART), tmp_path)
    assert run.decision.ending == "decided"
    assert [analyzed.decided for analyzed in run.analyses] == [(("apart", "worse"),)]
    assert run.trained == [((0, 1, 2, 3, 4), InterimAnalysis(1, (5, 10, 15, 20)))]
    assert summarize(tmp_path).comparisons == recomputed(tmp_path, 5, InterimAnalysis(1, (5, 10, 15, 20)))
    repeated = Run(study(APART), tmp_path)
    assert (repeated.decision.ending, len(repeated.analyses)) == ("decided", 1)
    assert len(summarize(tmp_path).seeds) == 5


def test_an_open_question_takes_all_planned_analyses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "FUTILE", 0.0)
    run = Run(study(CLOSE), tmp_path, max_seeds=12)
    planned = (5, 10, 12)
    assert run.decision.ending == "seeds"
    assert [analyzed.undecided for analyzed in run.analyses] == [("close",)] * 3
    assert [(len(seeds), interim) for seeds, interim in run.trained] == [
        (count, InterimAnalysis(number, planned)) for number, count in enumerate(planned, start=1)
    ]
    for number, analyzed in enumerate(run.analyses, start=1):
        assert analyzed.comparisons == recomputed(tmp_path, planned[number - 1], InterimAnalysis(number, planned))
    summary = summarize(tmp_path)
    assert summary.comparisons == run.analyses[-1].comparisons
    assert summary.comparisons != recomputed(tmp_path, 12, None)  # a single analysis would claim more
    with pytest.raises(StudyFileError, match=r"--max-seeds 20: .* planned at 5, 10, 12 seeds.* or give 12"):
        Run(study(CLOSE), tmp_path, max_seeds=20)
    with pytest.raises(StudyFileError, match="planned at 5, 10, 12 seeds"):
        run_study(Session(study(CLOSE, seeds=14), points(), tmp_path))
    assert len(Run(study(CLOSE), tmp_path).trained) == 1  # only the last analysis is repeated


def test_what_more_seeds_would_not_decide_is_given_up(tmp_path: Path) -> None:
    run = Run(study(CLOSE), tmp_path, max_seeds=15)
    assert run.decision.ending == "futile"
    assert [analyzed.undecided for analyzed in run.analyses] == [("close",)] * 2
    first, last = (analyzed.chances["close"] for analyzed in run.analyses)
    assert last < decide.FUTILE <= first
    assert run.analyses[-1].interim == InterimAnalysis(2, (5, 10, 15))
    repeated = Run(study(CLOSE), tmp_path)  # the last analysis is repeated, and nothing is trained
    assert (repeated.decision.ending, len(repeated.analyses)) == ("futile", 1)


def test_identical_variants_need_no_seeds(tmp_path: Path) -> None:
    run = Run(study({"plain": {}, "same": {"max_norm": 1e9}}), tmp_path)
    assert run.decision.ending == "decided"
    assert [c.identical for c in run.analyses[-1].comparisons] == [True]
    assert len(run.trained) == 1


def test_all_planned_seeds_are_checked_before_the_first_analysis(tmp_path: Path) -> None:
    """Folds of groups differ in size, and so do those of later seeds."""
    sizes = [1, 2, 3, 5, 8, 13, 21, 2, 3, 5]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    x = np.random.default_rng(0).normal(size=(len(groups), 3))
    dataset = make_dataset(x, np.arange(len(groups)) % 2, groups=groups)
    data = DataSpec("data", scale="standardize", folds=3)
    examples = [sizes.training for sizes in check_folds(dataset, data, range(20)).values()]
    smallest = min(examples[:5])
    assert min(examples[5:]) < smallest
    spec = study(CLOSE)
    spec = dataclasses.replace(spec, data=data, base=dataclasses.replace(spec.base, batch_size=smallest))
    session = Session(spec, dataset, tmp_path / "study")
    session.check()
    with pytest.raises(StudyFileError, match=r"^seed 1?[0-9]: variant 'plain': batch_size = .*, but it trains on"):
        run_until_decided(session, lambda batch, interim: pytest.fail("trained"))
    assert not (tmp_path / "study").exists()


def test_an_interrupted_run_continues_its_analysis(tmp_path: Path) -> None:
    def press(tick: Progress) -> None:
        with open_existing(tmp_path) as store:
            if len(store.runs.finished()) == 10 and tick.epoch == 1:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        Run(study(CLOSE), tmp_path, max_seeds=10, on_progress=press)
    between = summarize(tmp_path)
    assert between.state == "interrupted"
    assert between.comparisons == recomputed(tmp_path, 5, InterimAnalysis(1, (5, 10)))
    run = Run(study(CLOSE), tmp_path)  # what it was planned with is remembered
    assert [interim.number for _, interim in run.trained] == [1, 2]
    assert run.decision.last.interim == InterimAnalysis(2, (5, 10))
    assert summarize(tmp_path).state == "finished"


@pytest.mark.slow
def test_results_seen_before_count_as_the_first_analysis(tmp_path: Path) -> None:
    run_study(Session(study(CLOSE, seeds=[7, 0, 1]), points(), tmp_path))
    run = Run(study(CLOSE), tmp_path, max_seeds=9)
    assert [analyzed.counted for analyzed in run.analyses] == [True, False, False]
    assert [seeds for seeds, _ in run.trained] == [(7, 0, 1), (7, 0, 1, 2, 3, 4, 5, 6), (7, 0, 1, 2, 3, 4, 5, 6, 8)]
    assert run.decision.last.interim == InterimAnalysis(3, (3, 8, 9))
    run_study(Session(study(CLOSE, seeds=3), points(), tmp_path / "other"))
    with pytest.raises(StudyFileError, match=r"holds 3 seeds, more than --max-seeds 2; give 3 or more"):
        Run(study(CLOSE), tmp_path / "other", max_seeds=2)


def test_early_test_results_wait_for_their_analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "FUTILE", 0.0)

    def press(tick: Progress) -> None:
        with open_existing(tmp_path) as store:
            if tick.epochs == 0 and store.runs.test_scores():  # trained for the second analysis, about to be tested
                raise Interrupted

    with pytest.raises(Interrupted):
        Run(study(CLOSE, epochs=2), tmp_path, max_seeds=7, on_progress=press)
    run_study(Session(study(CLOSE, epochs=2), points(), tmp_path))  # tests them without an analysis
    with open_existing(tmp_path) as store:
        assert len(store.runs.test_scores()) == 14
    assert summarize(tmp_path).comparisons == recomputed(tmp_path, 5, InterimAnalysis(1, (5, 7)))
    assert verify_study(tmp_path).problems == ()
    assert Run(study(CLOSE, epochs=2), tmp_path).decision.last.interim == InterimAnalysis(2, (5, 7))
    assert verify_study(tmp_path).problems == ()


def test_a_directory_killed_at_once_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("wellfit\n")
    (tmp_path / "study.db").touch()
    assert open_if_begun(tmp_path) is None
    assert Session(study(APART, epochs=2), points(), tmp_path).forecast.done == 0
    assert Run(study(APART, epochs=2), tmp_path, max_seeds=2, max_minutes=9).decision.ending in ("decided", "seeds")
    with open_existing(tmp_path) as store:
        assert len(store.runs.finished()) == 4


def test_a_single_seed_counts_as_no_analysis(tmp_path: Path) -> None:
    run_study(Session(study(APART, seeds=1), points(), tmp_path))
    run = Run(study(APART), tmp_path, max_seeds=10)
    assert run.trained == [((0, 1, 2, 3, 4), InterimAnalysis(1, (5, 10)))]


def test_no_batch_exceeds_the_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.study.session.seconds_of", lambda stages: 60.0 * len(stages))
    monkeypatch.setattr("wellfit.study.session.seconds_around", lambda *_: (0.0, 0.0))
    with pytest.raises(StudyFileError, match=r"--max-minutes 0.5: the first 5 seeds take about 1.0 minutes"):
        Run(study(CLOSE), tmp_path, max_minutes=0.5)
    assert not (tmp_path / "study.db").exists()
    with pytest.raises(StudyFileError, match="--max-minutes 0: must be more than 0"):
        Run(study(CLOSE), tmp_path, max_minutes=0)
    times = iter([0.0, 0.0, 61.0, 61.0])  # the first batch fits two minutes, the next does not
    run = Run(study(CLOSE), tmp_path, max_minutes=2, clock=lambda: next(times))
    assert (run.decision.ending, run.decision.forecast, len(run.analyses)) == ("minutes", 60.0, 1)
    assert summarize(tmp_path).state == "finished"


def test_a_plan_is_what_a_run_would_do(tmp_path: Path) -> None:
    session = Session(study(CLOSE), points(), tmp_path)
    planned, upcoming, whole = planned_batches(session)
    assert (planned, len(upcoming.spec.seeds), len(whole.spec.seeds)) == ((5, 10, 15, 20), 5, 20)
    assert upcoming.forecast.seconds < whole.forecast.seconds
    planned, upcoming, whole = planned_batches(session, 7)
    assert (planned[-1], len(whole.spec.seeds)) == (7, 7)
    with pytest.raises(StudyFileError, match="--until-decided compares variants, and there is only one"):
        planned_batches(Session(study({"plain": {}}), points(), tmp_path))


def test_a_single_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match="--until-decided compares variants, and there is only one; add another"):
        Run(study({"plain": {}}), tmp_path)


def test_epochs_and_variants_can_grow_too(tmp_path: Path) -> None:
    Run(study(CLOSE), tmp_path, max_seeds=10)
    grown = dataclasses.replace(study({**CLOSE, **APART}, epochs=10))
    run = Run(grown, tmp_path)
    assert [interim.number for _, interim in run.trained] == [2]
    summary = summarize(tmp_path)
    assert summary.state == "finished"
    assert summary.comparisons == recomputed(tmp_path, 10, InterimAnalysis(2, (5, 10)))
    assert {run.epochs for variant in summary.variants for run in variant.runs} == {10}
