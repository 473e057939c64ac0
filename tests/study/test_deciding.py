"""Until it is decided: the right looks at the right levels, budgets that are kept, interrupts that lose nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wellfit.analysis.comparisons import compare_with_first
from wellfit.analysis.metrics import correctness
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Dataset
from wellfit.data.assemble import make_dataset
from wellfit.errors import StudyFileError
from wellfit.spec.study import StudySpec, study_from_mapping
from wellfit.store import holds_study, open_existing
from wellfit.study.deciding import Decision, Looked, run_until_decided
from wellfit.study.outlook import foresee
from wellfit.study.runner import Interrupted, Tick, run_study
from wellfit.study.summary import summarize
from wellfit.study.verify import verify_study

CLOSE: dict[str, Any] = {"plain": {}, "close": {"learning_rate": 0.21}}
APART: dict[str, Any] = {"plain": {}, "apart": {"class_weights": [1.0, 1e4]}}


def study(variants: dict[str, Any], seeds: Any = 5, epochs: int = 8) -> StudySpec:
    return study_from_mapping(
        {
            "data": {"name": "points", "scale": "standardize"},
            "model": {"kind": "logistic"},
            "train": {"epochs": epochs, "batch_size": 32, "seeds": seeds, "learning_rate": 0.2},
            "variants": variants,
        }
    )


def points() -> Dataset:
    """Two clouds that a line tells apart, mostly: 100 training and 300 test examples."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 400)  # (400,)
    x = generator.normal(3.0 * y[:, None], 2.0, (400, 4)).astype(np.float32)  # (400, 4)
    return make_dataset(x[:100], y[:100], x[100:], y[100:], name="points")


class Session:
    """One call of ``run_until_decided``, and what it told."""

    def __init__(self, spec: StudySpec, directory: Path, *, on_tick: Any = None, **how: Any) -> None:
        self.looks: list[Looked] = []
        self.trained: list[tuple[tuple[int, ...], InterimAnalysis]] = []

        def train(spec: StudySpec, look: InterimAnalysis, anew: bool) -> None:
            self.trained.append((spec.seeds, look))
            run_study(spec, points(), directory, look=look, anew=anew, on_tick=on_tick)

        how["on_look"] = self.looks.append
        self.made: Decision = run_until_decided(spec, points(), directory, train, **how)


def again(directory: Path, seeds: int, look: InterimAnalysis | None) -> Any:
    """The comparisons of a directory's first seeds, computed anew."""
    with open_existing(directory) as store:
        study, (labels, _) = store.metadata.study(), store.keepsakes.labels()
        runs = {
            name: {s: correctness(store.runs.probabilities(name, s), labels) for s in study["seeds"][:seeds]}
            for name in study["variants"]
        }
    return compare_with_first(runs, look=look)


def test_a_plain_difference_is_decided_at_the_first_look(tmp_path: Path) -> None:
    session = Session(study(APART), tmp_path)
    assert session.made.ending == "decided"
    assert [looked.decided for looked in session.looks] == [(("apart", "worse"),)]
    assert session.trained == [((0, 1, 2, 3, 4), InterimAnalysis(1, (5, 10, 15, 20)))]
    assert summarize(tmp_path).comparisons == again(tmp_path, 5, InterimAnalysis(1, (5, 10, 15, 20)))
    repeated = Session(study(APART), tmp_path)
    assert (repeated.made.ending, len(repeated.looks)) == ("decided", 1)
    assert len(summarize(tmp_path).seeds) == 5


def test_an_open_question_takes_all_looks_at_their_levels(tmp_path: Path) -> None:
    session = Session(study(CLOSE), tmp_path, max_seeds=12)
    planned = (5, 10, 12)
    assert session.made.ending == "seeds"
    assert [looked.undecided for looked in session.looks] == [("close",)] * 3
    assert [(len(seeds), look) for seeds, look in session.trained] == [
        (count, InterimAnalysis(number, planned)) for number, count in enumerate(planned, start=1)
    ]
    for number, looked in enumerate(session.looks, start=1):
        assert looked.comparisons == again(tmp_path, planned[number - 1], InterimAnalysis(number, planned))
    summary = summarize(tmp_path)
    assert summary.comparisons == session.looks[-1].comparisons
    assert summary.comparisons != again(tmp_path, 12, None)  # a single look would claim more
    with pytest.raises(StudyFileError, match=r"--max-seeds 20: .* planned at 5, 10, 12 seeds .* or give 12"):
        Session(study(CLOSE), tmp_path, max_seeds=20)
    with pytest.raises(StudyFileError, match="looked at with 5, 10, 12 seeds"):
        run_study(study(CLOSE, seeds=14), points(), tmp_path)
    assert len(Session(study(CLOSE), tmp_path).trained) == 1  # nothing is left but to look again


def test_interrupted_it_goes_on_with_its_look(tmp_path: Path) -> None:
    def press(tick: Tick) -> None:
        with open_existing(tmp_path) as store:
            if len(store.runs.finished()) == 10 and tick.epoch == 1:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        Session(study(CLOSE), tmp_path, max_seeds=10, on_tick=press)
    between = summarize(tmp_path)
    assert between.state == "interrupted"
    assert between.comparisons == again(tmp_path, 5, InterimAnalysis(1, (5, 10)))
    session = Session(study(CLOSE), tmp_path)  # what it was planned with is remembered
    assert [look.number for _, look in session.trained] == [1, 2]
    assert session.made.last.look == InterimAnalysis(2, (5, 10))
    assert summarize(tmp_path).state == "finished"


@pytest.mark.slow
def test_a_study_that_was_looked_at_before_counts_that_look(tmp_path: Path) -> None:
    run_study(study(CLOSE, seeds=[7, 0, 1]), points(), tmp_path)
    session = Session(study(CLOSE), tmp_path, max_seeds=9)
    assert [looked.counted for looked in session.looks] == [True, False, False]
    assert [seeds for seeds, _ in session.trained] == [(7, 0, 1), (7, 0, 1, 2, 3, 4, 5, 6), (7, 0, 1, 2, 3, 4, 5, 6, 8)]
    assert session.made.last.look == InterimAnalysis(3, (3, 8, 9))
    run_study(study(CLOSE, seeds=3), points(), tmp_path / "other")
    with pytest.raises(StudyFileError, match=r"holds 3 seeds already, and --max-seeds is 2; give 3 or more"):
        Session(study(CLOSE), tmp_path / "other", max_seeds=2)


def test_what_is_tested_before_its_look_waits_for_it_and_is_no_damage(tmp_path: Path) -> None:
    def press(tick: Tick) -> None:
        with open_existing(tmp_path) as store:
            if (
                tick.epochs == 0 and store.runs.test_scores()
            ):  # all is trained for the second look, and about to be tested
                raise Interrupted

    with pytest.raises(Interrupted):
        Session(study(CLOSE, epochs=2), tmp_path, max_seeds=7, on_tick=press)
    run_study(study(CLOSE, epochs=2), points(), tmp_path)  # tests them, and takes no look
    with open_existing(tmp_path) as store:
        assert len(store.runs.test_scores()) == 14
    assert summarize(tmp_path).comparisons == again(tmp_path, 5, InterimAnalysis(1, (5, 7)))
    assert verify_study(tmp_path).problems == ()
    assert Session(study(CLOSE, epochs=2), tmp_path).made.last.look == InterimAnalysis(2, (5, 7))
    assert verify_study(tmp_path).problems == ()


def test_killed_at_once_it_can_be_begun_again(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("wellfit\n")
    (tmp_path / "study.db").touch()
    assert not holds_study(tmp_path)
    assert foresee(study(APART, epochs=2), points(), tmp_path).done == 0
    assert Session(study(APART, epochs=2), tmp_path, max_seeds=2, max_minutes=9).made.ending in ("decided", "seeds")
    assert holds_study(tmp_path)


def test_one_seed_was_no_look(tmp_path: Path) -> None:
    run_study(study(APART, seeds=1), points(), tmp_path)
    session = Session(study(APART), tmp_path, max_seeds=10)
    assert session.trained == [((0, 1, 2, 3, 4), InterimAnalysis(1, (5, 10)))]


def test_minutes_are_kept_between_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.study.outlook.forecast", lambda plan, *rest: 60.0 * len(plan.populations))
    with pytest.raises(StudyFileError, match=r"--max-minutes 0.5: the look at 5 seeds takes about 1.0 minutes"):
        Session(study(CLOSE), tmp_path, max_minutes=0.5)
    assert not (tmp_path / "study.db").exists()
    with pytest.raises(StudyFileError, match="--max-minutes 0: must be more than 0"):
        Session(study(CLOSE), tmp_path, max_minutes=0)
    times = iter([0.0, 0.0, 61.0, 61.0])  # the first batch fits two minutes, the next does not
    session = Session(study(CLOSE), tmp_path, max_minutes=2, clock=lambda: next(times))
    assert (session.made.ending, session.made.forecast, len(session.looks)) == ("minutes", 60.0, 1)
    assert summarize(tmp_path).state == "finished"


def test_there_must_be_something_to_compare(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match="--until-decided compares variants, and it has only one; add another"):
        Session(study({"plain": {}}), tmp_path)


def test_it_grows_by_epochs_and_variants_too(tmp_path: Path) -> None:
    Session(study(CLOSE), tmp_path, max_seeds=10)
    grown = dataclasses.replace(study({**CLOSE, **APART}, epochs=10))
    session = Session(grown, tmp_path)
    assert [look.number for _, look in session.trained] == [2]
    summary = summarize(tmp_path)
    assert summary.state == "finished"
    assert summary.comparisons == again(tmp_path, 10, InterimAnalysis(2, (5, 10)))
    assert {run.epochs for variant in summary.variants for run in variant.runs} == {10}
