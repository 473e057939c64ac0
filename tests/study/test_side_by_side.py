"""Two studies side by side: paired where data and split agree, else as independent means; what cannot be compared."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from small_studies import few_points, perceptrons, points, small
from wellfit.analysis.comparisons import compare_pairs
from wellfit.base import Dataset
from wellfit.data.assemble import make_dataset
from wellfit.errors import OtherStudyError, StoreUnreadableError, StudyFileError
from wellfit.spec.study import StudySpec
from wellfit.store import Store, open_existing
from wellfit.study import side_by_side
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.side_by_side import compare_studies, to_json
from wellfit.study.summarize import summarize


def trained(directory: Path, spec: StudySpec, dataset: Dataset | None = None) -> Path:
    run_study(Session(spec, dataset or points(), directory), command=f"wellfit run --out {directory.name}")
    return directory


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies of ``points``, to be read: a and b share data and split, c has folds, d other data."""
    place = tmp_path_factory.mktemp("side-by-side")
    trained(place / "a", small(3, 3, old={"l1": 0.1}))
    trained(place / "b", small(12, 4, new={"l2": 0.3}))
    trained(place / "c", small(3, 3, folds=3))
    given = points()
    other = make_dataset(given.x_train[:90], given.y_train[:90], given.x_test, given.y_test, name="points")
    trained(place / "d", small(3, 3), other)
    return place


def correct(directory: Path, variant: str, seeds: range) -> list[np.ndarray]:
    with open_existing(directory) as store:
        labels, _ = store.keepsakes.labels()
        return [store.runs.tested(variant, seed).probabilities.argmax(axis=1) == labels for seed in seeds]


def test_the_same_data_and_split_are_paired(place: Path) -> None:
    found = compare_studies(place / "a", place / "b")
    assert found.paired
    assert found.how[0] == "Paired by seed and by test example: both studies have the same data and the same split."
    assert found.how[1].startswith(f"Differences leave out seed 3 of {place / 'b'}, which the other study lacks;")
    assert [c.variant for c in found.comparisons] == ["plain", "l2"]
    assert found.seeds == {"plain": ((0, 1, 2), (0, 1, 2)), "l2": ((0, 1, 2), (0, 1, 2))}
    assert (found.only_first, found.only_second) == (("old",), ("new",))
    assert found.differences["[train] epochs"] == ("3", "12")
    assert "[variants.l2] epochs" not in found.differences
    for c in found.comparisons:
        before, after = (correct(place / name, c.variant, range(3)) for name in ("a", "b"))
        assert c.difference == pytest.approx(np.mean(after) - np.mean(before))
    scores = {
        f"{name}{variant}": dict(enumerate(correct(place / name, variant, range(3))))
        for name in "ab"
        for variant in ("plain", "l2")
    }
    expected = compare_pairs(scores, [("bplain", "aplain"), ("bl2", "al2")], found.margin)
    assert [c.p_adjusted for c in found.comparisons] == [c.p_adjusted for c in expected]
    assert [c.interval for c in found.comparisons] == [c.interval for c in expected]


def test_the_other_way_round_it_is_the_opposite(place: Path) -> None:
    there, back = compare_studies(place / "a", place / "b"), compare_studies(place / "b", place / "a")
    opposite = {"better": "worse", "worse": "better"}
    for c, d in zip(there.comparisons, back.comparisons, strict=True):
        assert d.difference == -c.difference
        assert d.p_adjusted == c.p_adjusted
        assert d.verdict == opposite.get(c.verdict, c.verdict)


@pytest.mark.parametrize(
    ("other", "why"),
    [("c", "Not paired: the same data, but another split. "), ("d", "Not paired: other data. ")],
)
def test_another_split_or_other_data_are_not_paired(place: Path, other: str, why: str) -> None:
    found = compare_studies(place / "a", place / other)
    assert not found.paired
    assert found.how[0].startswith(f"{why}Their means are compared as independent ones")
    assert ("rather too wide" in found.how[0]) is (other == "c")
    before, after = summarize(place / "a"), summarize(place / other)
    for c in found.comparisons:
        means = [next(v for v in s.variants if v.name == c.variant) for s in (before, after)]
        assert c.difference == pytest.approx(means[1].mean["test_accuracy"] - means[0].mean["test_accuracy"])
        assert c.interval is not None
        by_seed = [[run.test_accuracy for run in v.runs] for v in means]
        welch = stats.ttest_ind(by_seed[1], by_seed[0], equal_var=False)
        assert c.p_value is not None
        assert c.p_value >= welch.pvalue - 1e-9  # the examples vary too
    assert not found.how[1:]


def test_too_few_common_seeds_are_not_paired(place: Path, tmp_path: Path) -> None:
    other = trained(tmp_path / "later", small(3, [2, 3, 4]))
    found = compare_studies(place / "a", other)
    assert not found.paired
    assert "the same data and split, but too few common seeds" in found.how[0]
    assert found.seeds["plain"] == ((0, 1, 2), (2, 3, 4))


def test_the_same_results_are_identical(place: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(place / "a", tmp_path / "copy")
    found = compare_studies(place / "a", copy)
    assert all(c.identical for c in found.comparisons)
    assert found.differences == {}


@pytest.mark.parametrize("metric", ["macro_f1", "log_loss"])
@pytest.mark.parametrize("other", ["b", "c"])
def test_other_metrics_are_in_their_own_unit(place: Path, tmp_path: Path, other: str, metric: str) -> None:
    specs = {"a": small(3, 3, old={"l1": 0.1}), "b": small(12, 4, new={"l2": 0.3}), "c": small(3, 3, folds=3)}
    places = [shutil.copytree(place / name, tmp_path / name) for name in ("a", other)]
    for directory in places:
        trained(directory, replace(specs[directory.name], metric=metric))  # trains nothing
    found = compare_studies(*places)
    assert found.first.compared == f"test_{metric}"
    for c in found.comparisons:
        means = [next(v for v in s.variants if v.name == c.variant) for s in (found.first, found.second)]
        by_seed = [[run.test_score for run in v.runs[:3]] for v in means]
        if metric == "log_loss":  # a mean over examples, so that it is the mean over the seeds
            assert c.difference == pytest.approx(np.mean(by_seed[1]) - np.mean(by_seed[0]))
        assert c.interval is not None
        assert c.interval[0] < c.difference < c.interval[1]
        sign = -1 if metric == "log_loss" else 1
        assert c.verdict not in ("better", "worse") or (c.verdict == "better") is (sign * c.difference > 0)


def test_what_cannot_be_compared_is_told_in_one_line(place: Path, tmp_path: Path) -> None:
    a = place / "a"
    with pytest.raises(OtherStudyError, match=r"the same directory as .*; give two directories"):
        compare_studies(a, place / "." / "a")
    with pytest.raises(StoreUnreadableError, match="not a study directory"):
        compare_studies(a, tmp_path)
    three = trained(tmp_path / "three", perceptrons({"plain": {}}), few_points())
    with pytest.raises(OtherStudyError, match=r"other classes than .*: 3 \(0, 1, 2\), not 2 \(0, 1\); compare studies"):
        compare_studies(a, three)
    copy = shutil.copytree(a, tmp_path / "copy")
    trained(copy, replace(small(3, 3, old={"l1": 0.1}), metric="brier"))
    with pytest.raises(
        OtherStudyError, match=r"compared on brier, and .* on accuracy; run one of them again with --set c"
    ):
        compare_studies(a, copy)
    named = trained(tmp_path / "named", study_of("mine"))
    with pytest.raises(
        OtherStudyError, match=r"no tested variant of the same name as .*, which has plain, l2, old; comp"
    ):
        compare_studies(a, named)
    untested = shutil.copytree(a, tmp_path / "untested")
    with closing(sqlite3.connect(untested / "study.db")) as database, database:
        database.execute("UPDATE runs SET test_sha256 = NULL, test_accuracy = NULL, test_loss = NULL")
    with pytest.raises(StudyFileError, match="no run has been tested, so nothing can be compared; run it first"):
        compare_studies(a, untested)


def study_of(name: str) -> StudySpec:
    spec = small(3, 2)
    return replace(spec, variants={name: spec.variants["plain"]})


def test_json_is_plain(place: Path) -> None:
    found = compare_studies(place / "a", place / "b")
    plain = json.loads(json.dumps(to_json(found, "1.0"), allow_nan=False))
    assert set(plain) == {
        *("wellfit", "first", "second", "metric", "margin", "paired", "how", "comparisons", "only_first"),
        *("only_second", "differences"),
    }
    one = plain["comparisons"][0]
    assert one["variant"] == "plain"
    assert one["seeds"] == [[0, 1, 2], [0, 1, 2]]
    assert one["second"]["mean"] == summarize(place / "b").variants[0].mean["test_accuracy"]
    assert not one["survivors"]


def test_reading_two_studies_does_not_load_jax(place: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from wellfit.study.side_by_side import compare_studies;"
        "compare_studies(Path(sys.argv[1]), Path(sys.argv[2])); print('jax' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(place / "a"), str(place / "c")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_what_a_reader_must_know_is_said(place: Path, tmp_path: Path) -> None:
    grown = shutil.copytree(place / "a", tmp_path / "grown")
    trained(grown, small(3, 4, old={"l1": 0.1}))
    found = compare_studies(place / "a", grown)
    told = f"{grown} got seeds after results were seen; the p-values and verdicts here do not allow for that."
    assert found.how[2:] == (told,)
    begun = shutil.copytree(place / "a", tmp_path / "begun")
    with closing(sqlite3.connect(begun / "study.db")) as database, database:
        for table in ("runs", "epochs"):
            database.execute(f"DELETE FROM {table} WHERE variant = 'old' AND seed = 2")
    found = compare_studies(place / "a", begun)
    assert f"{begun} is not finished; its numbers may still change." in found.how
    assert found.seeds["old"] == ((0, 1), (0, 1))
    assert found.how[1].startswith(f"Differences leave out seed 2 of {place / 'a'}, ")


def test_other_test_examples_are_not_paired(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = side_by_side.read_study

    def shuffled(store: Store) -> Any:
        study = read(store)
        return study if study.summary.directory.endswith("a") else study._replace(labels=study.labels[::-1].copy())

    monkeypatch.setattr(side_by_side, "read_study", shuffled)
    found = compare_studies(place / "a", place / "b")
    assert found.how[0].startswith("Not paired: the same data, but other test examples.")
