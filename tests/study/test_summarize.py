"""The summary, computed again from the files of a study with NumPy, SciPy and scikit-learn, and in every state."""

from __future__ import annotations

import contextlib
import json
import math
import re
import shutil
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from scipy import stats

import stores
from small_studies import points, small
from wellfit.analysis.selection import validation_gains
from wellfit.base import HISTORY_COLUMNS, Dataset, RunRecord, StudySummary
from wellfit.data.assemble import make_dataset
from wellfit.errors import StoreUnreadableError
from wellfit.spec.study import study_from_mapping
from wellfit.store import create_or_open, open_existing
from wellfit.store.lock import Lock
from wellfit.store.metadata import Metadata
from wellfit.store.runs import Runs
from wellfit.store.tested import Validated
from wellfit.study.as_json import to_json
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import METRICS, summarize

VARIANTS = (
    *("baseline", "l2", "l1", "dropout", "l2+dropout", "early-stopping", "proximal-l1", "weight-decay", "max-norm"),
    *("label-smoothing", "noise", "shift", "erasing", "mixup", "ema", "swa", "clipping", "batch-norm", "narrow"),
)
READ = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


@pytest.fixture(scope="module")
def summary(finished_study: Path) -> StudySummary:
    return summarize(finished_study)


def forget(directory: Path, where: str) -> None:
    """Make of a finished study one in which some runs were not yet trained."""
    for table in ("runs", "epochs"):
        change(directory, f"DELETE FROM {table} WHERE {where}")


def change(directory: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(directory / "study.db")) as connection, connection:
        connection.execute(statement)


def judged(directory: Path, variant: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of a run for the examples of its fold, and their labels.  # (m, K), (m,)"""
    with np.load(directory / "test" / f"{variant}.{seed}.npz") as run, np.load(directory / "test/labels.npz") as kept:
        assert len(kept["labels"]) == 1797
        return run["probabilities"], kept["labels"][run["rows"]]


def correct(directory: Path, variant: str) -> list[np.ndarray]:
    """Whether the runs of both seeds were right, example by example.  # (m,) each"""
    return [p.argmax(axis=1) == labels for p, labels in (judged(directory, variant, seed) for seed in (0, 1))]


# --- The numbers ------------------------------------------------------------------------------------------------------


def test_scores_of_runs_are_those_of_the_files(summary: StudySummary, finished_study: Path) -> None:
    assert tuple(v.name for v in summary.variants) == VARIANTS
    for variant in summary.variants:
        assert [run.seed for run in variant.runs] == [0, 1]
        for run in variant.runs:
            probabilities, labels = judged(finished_study, variant.name, run.seed)
            right = sklearn.metrics.accuracy_score(labels, probabilities.argmax(axis=1))
            loss = -np.log(probabilities[range(len(labels)), labels].astype(np.float64)).mean()
            assert run.test_accuracy == pytest.approx(right, abs=1e-12)
            assert run.test_loss == pytest.approx(loss, rel=1e-6)  # the probabilities are float32
            rows = stores.rows(
                finished_study,
                "SELECT train_loss, train_accuracy, validation_loss, validation_accuracy FROM epochs "
                f"WHERE variant = '{variant.name}' AND seed = {run.seed} ORDER BY epoch",
            )
            assert (run.state, run.epochs) == ("finished", len(rows))
            assert run.readout_epoch is not None
            output = (run.train_loss, run.train_accuracy, run.validation_loss, run.validation_accuracy)
            if variant.name in ("ema", "swa"):  # the scores of averaged weights, which no epoch's are
                where = f"WHERE variant = '{variant.name}' AND seed = {run.seed}"
                scores = json.loads(stores.rows(finished_study, f"SELECT scores FROM runs {where}")[0][0])
                assert output == tuple(scores[metric] for metric in READ)
            else:
                assert output == rows[run.readout_epoch - 1]
            assert run.best_epoch == int(np.argmin([row[2] for row in rows])) + 1


def over_folds(scores: list[np.ndarray]) -> tuple[float, float]:
    """The interval of a mean over seeds that each judge another fold, spelled out: Student's t over the seeds' means.

    It is never narrower than that of the examples alone, with as many degrees of freedom as there are informative ones.

    Args:
      scores: one array a seed.  # (m,) each
    """
    together = np.concatenate(scores)  # (N,)
    seeds, judgments, mean = len(scores), len(together), together.mean()
    shares, means = (np.array([f(x) for x in scores]) for f in (lambda x: len(x) / judgments, np.mean))
    of_seeds = seeds / (seeds - 1) * ((shares * (means - mean)) ** 2).sum()
    of_examples = sum(len(x) * x.var(ddof=1) for x in scores) / judgments**2
    informative = np.count_nonzero(np.abs(together) >= 0.05 * np.abs(together).max())
    t_seed, t_example = stats.t.ppf(0.975, [seeds - 1, min(judgments - seeds, informative - 1)])
    half = max(t_seed * np.sqrt(of_seeds), t_example * np.sqrt(of_examples))
    return mean - half, mean + half


def test_what_was_measured_on_test_examples_counts_both_sources_of_chance(
    summary: StudySummary, finished_study: Path
) -> None:
    for variant in summary.variants:
        right = correct(finished_study, variant.name)
        train = [float(run.train_accuracy) for run in variant.runs]  # type: ignore[arg-type]
        losses = [
            -np.log(p[range(len(labels)), labels].astype(np.float64))
            for p, labels in (judged(finished_study, variant.name, seed) for seed in (0, 1))
        ]
        low, high = over_folds([x.astype(float) for x in right])
        n, p = sum(map(len, right)), np.concatenate(right).mean()
        of_width = min(p * (1 - p) * (stats.norm.ppf(0.975) / ((high - low) / 2)) ** 2, n)  # examples with that width
        exact = stats.beta.ppf(
            [0.025, 0.975], [p * of_width, p * of_width + 1], [(1 - p) * of_width + i for i in (1, 0)]
        )
        assert variant.interval["test_accuracy"] == pytest.approx(tuple(exact), rel=1e-9)
        low, high = over_folds([score - x for score, x in zip(train, right, strict=True)])
        sampled = 287 * 299 / (300 - 287)  # as many as validate are scored, drawn without replacement from 300
        share = np.mean(train)
        chance = stats.norm.ppf(0.975) ** 2 * share * (1 - share) / sampled  # of the training sample
        half = np.sqrt(((high - low) / 2) ** 2 + chance)
        middle = (low + high) / 2
        expected = (max(middle - half, -1), min(middle + half, 1))
        # 1.96 for the quantile is off by 2e-5 of it
        assert variant.interval["generalization_gap"] == pytest.approx(expected, rel=1e-4)
        low, high = over_folds(losses)
        # the probabilities are float32, and two epochs leave none of them near 0 or 1, where they would be cut
        assert variant.interval["test_loss"] == pytest.approx((max(low, 0.0), high), rel=1e-6)


def test_means_and_intervals_are_students(summary: StudySummary, finished_study: Path) -> None:
    for variant in summary.variants:
        assert set(variant.mean) == set(variant.interval) == set(METRICS)
        judgments = [len(x) for x in correct(finished_study, variant.name)]
        assert judgments == [359, 359]  # 1,797 examples in five folds; the third has 360
        for metric in METRICS:
            if metric == "generalization_gap":
                values = [run.train_accuracy - run.test_accuracy for run in variant.runs]  # type: ignore[operator]
            else:
                values = [getattr(run, metric) for run in variant.runs]
            assert variant.mean[metric] == pytest.approx(np.average(values, weights=judgments), abs=1e-12)
            interval = variant.interval[metric]
            assert interval is not None
            if metric not in ("test_accuracy", "test_loss", "generalization_gap"):  # these count the examples too
                half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
                most = 1 if metric.endswith("accuracy") else np.inf  # shares and losses stay where they can be
                expected = (max(np.mean(values) - half, 0), min(np.mean(values) + half, most))
                assert interval == pytest.approx(expected, nan_ok=False)


def test_comparisons_are_paired_by_seed(summary: StudySummary, finished_study: Path) -> None:
    right = {name: np.concatenate(correct(finished_study, name)).astype(float) for name in VARIANTS}  # (N,) each
    assert [(c.variant, c.against) for c in summary.comparisons] == [(name, "baseline") for name in VARIANTS[1:]]
    for comparison in summary.comparisons:
        expected = np.mean(right[comparison.variant] - right["baseline"])
        assert comparison.metric == "test_accuracy"
        assert comparison.difference == pytest.approx(expected, abs=1e-12)


def test_confusion_matrices_are_sums_over_the_seeds(summary: StudySummary, finished_study: Path) -> None:
    assert set(summary.confusion) == set(VARIANTS)
    for name, counts in summary.confusion.items():
        runs = [judged(finished_study, name, seed) for seed in (0, 1)]
        expected = sum(sklearn.metrics.confusion_matrix(y, p.argmax(axis=1), labels=range(10)) for p, y in runs)
        np.testing.assert_array_equal(counts, expected)


def test_histories_and_facts(summary: StudySummary, finished_study: Path) -> None:
    for row in stores.epochs(finished_study):
        variant, seed, epoch, *values = row
        history = summary.histories[variant][seed]
        assert len(history) == 2
        found = [history[name][epoch - 1] for name in HISTORY_COLUMNS]
        np.testing.assert_array_equal(found, np.array(values, float))
    sizes = dict.fromkeys(VARIANTS, 64 * 16 + 16 + 16 * 10 + 10)
    sizes |= {"batch-norm": sizes["baseline"] + 2 * 16, "narrow": 64 * 32 + 32 + 32 * 10 + 10}
    assert {v.name: v.parameters for v in summary.variants} == sizes
    seconds = stores.rows(finished_study, "SELECT sum(seconds) FROM runs")[0][0]
    assert math.fsum(v.seconds for v in summary.variants) == pytest.approx(seconds)
    assert summary.seconds >= seconds * (1 - 1e-9)  # the programs' whole time; runs share it
    assert (summary.name, summary.data, summary.seeds, summary.epochs) == ("regularization", "digits", (0, 1), 2)
    assert summary.classes == tuple("0123456789")
    codes = [finding.code for finding in summary.findings]
    assert codes[:2] == ["constant-features", "few-test-examples"]  # of the data
    assert "few-seeds" in codes  # of the training
    assert summary.verdict


# --- Groups, and who judges what --------------------------------------------------------------------------------------


def clustered() -> Dataset:
    """Two overlapping classes in 40 groups of six examples that are nearly the same; no test set of their own."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 40)  # (40,), of the groups
    centers = generator.normal(y[:, None], 1.0, (40, 4))  # (40, 4)
    x = np.repeat(centers, 6, axis=0) + generator.normal(0, 0.05, (240, 4))
    order = generator.permutation(240)
    return make_dataset(x[order], np.repeat(y, 6)[order], groups=np.repeat(np.arange(40), 6)[order], name="points")


def test_intervals_of_grouped_examples_count_groups(tmp_path: Path) -> None:
    """Four seeds judge two partitions into halves; the formulas of the variance components, spelled out for groups."""
    dataset = clustered()
    run_study(Session(small(40, 4, folds=2), dataset, tmp_path))  # until the seeds agree on examples
    (variant, *_) = summarize(tmp_path).variants
    with open_existing(tmp_path) as store:
        groups, (labels, _) = store.keepsakes.test_groups(), store.keepsakes.labels()
        tests = [store.runs.tested(variant.name, seed) for seed in range(4)]
    assert dataset.pool is not None
    np.testing.assert_array_equal(groups, dataset.pool.groups)
    rows = [np.arange(0) if tested.rows is None else tested.rows for tested in tests]  # (m,) each
    for of_seed in rows:
        assert not set(groups[of_seed]) & set(np.delete(groups, of_seed))  # type: ignore[index]
    losses = [-np.log(p[range(len(p)), labels[r]].astype(np.float64)) for (p, *_), r in zip(tests, rows, strict=True)]
    judgments, mean = 480, np.concatenate(losses).mean()
    of_seeds = 4 / 3 * sum((len(x) / judgments * (x.mean() - mean)) ** 2 for x in losses)

    def half_width(unit: np.ndarray) -> float:
        """With examples of one unit as dependent as they please."""
        number = unit.max() + 1
        sums = np.zeros((4, number))
        raw = np.zeros(number)
        for s, (x, r) in enumerate(zip(losses, rows, strict=True)):
            judged = len(np.unique(unit[r]))
            np.add.at(sums[s], unit[r], (x - x.mean()) * np.sqrt(judged / (judged - 1)))
            np.add.at(raw, unit[r], x)
        both, within = (sums.sum(axis=0) ** 2).sum(), (sums**2).sum()
        both /= 1 - (1 - 1 / 2) / (
            number - 1
        )  # what centering leaves of units that two folds of half of them judge, twice
        examples = both / judgments**2
        overlap = max(4 * within - both, 0) / (3 * judgments**2)
        informative = np.count_nonzero(raw >= 0.05 * raw.max()) - 1
        t_seed, t_example = stats.t.ppf(0.975, [3, min(number - 2, informative)])  # two seeds judge everything once
        squared = t_seed**2 * of_seeds + t_example**2 * max(examples - overlap, 0)
        return float(np.sqrt(max(squared, t_example**2 * examples)))

    low, high = variant.interval["test_loss"]  # type: ignore[misc]
    grouped, alone = half_width(np.asarray(groups)), half_width(np.arange(240))
    assert (low, high) == pytest.approx((max(mean - grouped, 0), mean + grouped), rel=1e-6)  # float32
    assert grouped > 1.05 * alone  # by 8 %: most of either comes from the seeds, whose quantile is 3.18


def test_a_seed_judges_the_same_examples_with_all_variants(study_copy: Path) -> None:
    with open_existing(study_copy) as store:
        settings, (p, of_1, *_), (_, of_0, *_) = store.metadata.study(), *(store.runs.tested("l2", s) for s in (1, 0))
    with create_or_open(study_copy, settings, provenance={}) as store:
        store.runs.save_test("l2", 1, p, 0.5, 0.5, of_1)
    assert summarize(study_copy).state == "finished"
    with create_or_open(study_copy, settings, provenance={}) as store:
        store.runs.save_test("l2", 1, p, 0.5, 0.5, of_0)
    with pytest.raises(StoreUnreadableError, match="variant 'l2', seed 1: judged on other test examples") as refused:
        summarize(study_copy)
    assert str(refused.value).endswith("restore the directory from a copy, or train it again into another one (--out)")
    assert "\n" not in str(refused.value)


def test_validation_is_kept_and_compared_example_by_example(finished_study: Path, summary: StudySummary) -> None:
    first, *others = summary.variants
    with open_existing(finished_study) as store:
        answers = {v.name: [store.runs.tested(v.name, seed).validated for seed in (0, 1)] for v in summary.variants}
        examples = store.metadata.note("examples")
    for variant in summary.variants:
        for run, validated in zip(variant.runs, answers[variant.name], strict=True):
            assert validated is not None
            assert len(validated.right) == examples["validation"]
            assert validated.right.mean() == pytest.approx(run.validation_accuracy, abs=1e-6)
    reference = answers[first.name]
    assert {name for name in answers if name != first.name} == {v.name for v in others}
    assert summary.validation  # the variants whose epoch validation did not choose
    for name, components in summary.validation.items():
        differences = [
            one.right.astype(int) - other.right  # type: ignore[union-attr]
            for one, other in zip(answers[name], reference, strict=True)
        ]
        sums = np.zeros(1 + max(int(one.numbers.max()) for one in reference))  # type: ignore[union-attr]
        n = sum(map(len, differences))
        for d, one in zip(differences, reference, strict=True):
            m = len(d)
            sums[one.numbers] += (d - d.mean()) * math.sqrt(m / (m - 1))  # type: ignore[union-attr]
        assert components.mean == pytest.approx(np.concatenate(differences).mean())
        judged = np.unique(np.concatenate([one.numbers for one in reference]))  # type: ignore[union-attr]
        assert components.judged == len(judged)
        if n == len(judged):  # disjoint folds: nothing is left out by centering
            assert components.examples == pytest.approx((sums @ sums) / n**2)


def test_a_seed_with_other_validation_examples_is_refused(study_copy: Path) -> None:
    with open_existing(study_copy) as store:
        settings, tested = store.metadata.study(), store.runs.tested("l2", 1)
    moved = Validated(tested.validated.right, tested.validated.numbers + 1)  # type: ignore[union-attr]
    with create_or_open(study_copy, settings, provenance={}) as store:
        store.runs.save_test("l2", 1, tested.probabilities, 0.5, 0.5, tested.rows, moved)
    with pytest.raises(StoreUnreadableError, match="variant 'l2', seed 1: judged on other validation examples"):
        summarize(study_copy)


def test_without_kept_answers_validation_is_bounded(study_copy: Path) -> None:
    with open_existing(study_copy) as store:
        settings, tested = store.metadata.study(), store.runs.tested("l2", 1)
    with create_or_open(study_copy, settings, provenance={}) as store:
        store.runs.save_test("l2", 1, tested.probabilities, 0.5, 0.5, tested.rows)
    summary = summarize(study_copy)
    assert "l2" not in summary.validation
    assert summary.validation
    assert "l2" in [gain.variant.name for gain in validation_gains(summary)]


# --- States -----------------------------------------------------------------------------------------------------------


def test_what_is_missing_is_pending(study_copy: Path) -> None:
    forget(study_copy, "variant = 'dropout' OR (variant = 'l1' AND seed = 1)")
    summary = summarize(study_copy)
    assert summary.state == "interrupted"
    l1, dropout = summary.variants[2:4]
    assert [run.state for run in dropout.runs] == ["pending", "pending"]
    assert (dropout.mean, dropout.interval, dropout.seconds) == ({}, {}, 0)
    assert dropout.parameters == 1210  # of the same model as the others
    assert [run.state for run in l1.runs] == ["finished", "pending"]
    assert l1.mean["validation_loss"] == l1.runs[0].validation_loss
    assert set(l1.interval.values()) == {None}
    assert vars(l1.runs[1]) == dict.fromkeys(vars(l1.runs[1])) | {"seed": 1, "state": "pending"}
    assert "dropout" not in summary.confusion
    json.dumps(to_json(summary, "1.0"), allow_nan=False)


def test_trained_but_not_tested_is_not_finished(study_copy: Path) -> None:
    change(study_copy, "UPDATE runs SET test_accuracy = NULL, test_loss = NULL, test_sha256 = NULL")
    summary = summarize(study_copy)
    assert summary.state == "interrupted"
    assert summary.variants[0].mean.keys() == {m for m in METRICS if m not in ("test_accuracy", "test_loss")} - {
        "generalization_gap"
    }
    assert summary.comparisons == ()
    assert summary.confusion == {}


def test_a_study_at_work_is_running(study_copy: Path) -> None:
    forget(study_copy, "seed = 1")
    assert summarize(study_copy).state == "interrupted"
    lock = Lock(study_copy / "lock")
    assert summarize(study_copy).state == "running"
    lock.release()
    assert summarize(study_copy).state == "interrupted"


def test_a_finished_study_is_finished(summary: StudySummary) -> None:
    assert summary.state == "finished"


def test_everything_comes_from_the_store_alone(finished_study: Path, tmp_path: Path) -> None:
    elsewhere = Path(shutil.copytree(finished_study, tmp_path / "elsewhere"))
    one, other = summarize(finished_study), summarize(elsewhere)
    assert other.directory == str(elsewhere)
    output, again = to_json(one, "1"), to_json(other, "1")
    assert output["study"].pop("directory") != again["study"].pop("directory")
    assert output == again
    assert (one.provenance, one.settings, one.verdict) == (other.provenance, other.settings, other.verdict)


def test_a_damaged_study_is_refused(study_copy: Path) -> None:
    path = study_copy / "test" / "l2.1.npz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreUnreadableError, match=r"l2\.1\.npz: damaged"):
        summarize(study_copy)
    with pytest.raises(StoreUnreadableError, match="no such directory"):
        summarize(study_copy / "gone")


class EarlierRuns(Runs):
    """The runs as they were before another process saved one more."""

    def records(self) -> list[RunRecord]:
        return [r for r in super().records() if (r.spec.variant, r.spec.seed) != ("l2", 1)]


class EarlierMetadata(Metadata):
    """The study as it was before another process added a variant."""

    def study(self) -> dict[str, Any]:
        study = super().study()
        return {**study, "variants": {name: c for name, c in study["variants"].items() if name != "early-stopping"}}


def test_what_another_process_writes_meanwhile_is_left_out_whole(
    study_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_existing(study_copy) as now:
        assert {("l2", 1), ("early-stopping", 0)} <= now.runs.test_scores().keys()
        store = replace(now, runs=EarlierRuns(**vars(now.runs)), metadata=EarlierMetadata(now.database))
        monkeypatch.setattr("wellfit.study.summarize.open_existing", lambda directory: contextlib.nullcontext(store))
        summary = summarize(study_copy)
    assert tuple(v.name for v in summary.variants) == tuple(name for name in VARIANTS if name != "early-stopping")
    l2 = summary.variants[1]
    assert [run.state for run in l2.runs] == ["finished", "pending"]
    assert l2.mean["test_accuracy"] == l2.runs[0].test_accuracy  # the second run is not in the mean either
    assert l2.interval["test_accuracy"] is None
    assert summary.confusion["l2"].sum() == len(judged(study_copy, "l2", 0)[1])
    assert "early-stopping" not in summary.confusion


# --- What is concluded ------------------------------------------------------------------------------------------------


def trace(output: dict[str, Any], source: str) -> Any:
    """What a source of a sentence leads to in the JSON form."""
    key, _, name, fields = re.fullmatch(r"(\w+)(\[([^\]]+)\])?((?:\.\w+)*)", source).groups()  # type: ignore[union-attr]
    found: Any = output[key]
    if name and isinstance(found, dict):
        found = found[name]
    elif name:
        pair = lambda row: f"{row['variant']}/{row['against']}"  # noqa: E731
        of = {"variants": lambda row: row["name"], "asked": pair, "gaps": pair}
        (found,) = (row for row in found if of.get(key, lambda row: row["variant"])(row) == name)
    for field in fields.split(".")[1:]:
        found = found[field]
    return found


def test_every_sentence_can_be_traced_to_its_numbers(summary: StudySummary) -> None:
    output = json.loads(json.dumps(to_json(summary, "1.0"), allow_nan=False))
    sentences = [*output["conclusion"], *(sentence for answer in output["answers"] for sentence in answer["sentences"])]
    assert len(sentences) >= 4
    for sentence in sentences:
        assert sentence["sources"]
        for source in sentence["sources"]:
            trace(output, source)
    assert trace(output, "title") == summary.conclusion[0].text == summary.title
    assert summary.verdict == " ".join(sentence.text for sentence in summary.conclusion[1:])


def test_questions_about_gaps_are_answered_from_the_files(tmp_path: Path) -> None:
    """Every kind is asked of a trained study; gaps are those of the files, and every sentence can be traced."""
    more = {"variant": {"impact": "l2", "patterns": "l2"}, "variants": {"capacity": ["plain", "l2"]}}
    kinds = ("generalizes", "signs", "capacity", "impact", "patterns", "onset")
    questions = [{"ask": f"{k}?", "kind": k, **{key: of[k] for key, of in more.items() if k in of}} for k in kinds]
    spec = study_from_mapping(
        {
            "data": {"name": "points", "scale": "standardize", "folds": 1},
            "model": {"kind": "logistic"},
            "train": {"epochs": 3, "batch_size": 32, "seeds": 3},
            "variants": {"plain": {}, "l2": {"l2": 0.1}},
            "questions": questions,
            "compare": {"metric": "log_loss"},  # gaps are of accuracy all the same
        }
    )
    run_study(Session(spec, points(), tmp_path))
    found = summarize(tmp_path)
    assert [answer.kind for answer in found.answers] == list(kinds)
    (gap,) = found.gaps
    with open_existing(tmp_path) as store:
        labels, _ = store.keepsakes.labels()
        test = {
            name: [(store.runs.tested(name, s).probabilities.argmax(axis=1) == labels).mean() for s in range(3)]
            for name in ("plain", "l2")
        }
    train = {v.name: [run.train_accuracy for run in v.runs] for v in found.variants}
    gaps = {name: np.array(train[name], float) - test[name] for name in test}
    assert gap.difference == pytest.approx((gaps[gap.variant] - gaps[gap.against]).mean(), abs=1e-7)
    output = json.loads(json.dumps(to_json(found, "1.0"), allow_nan=False))
    for answer in output["answers"]:
        assert answer["sentences"]
        for sentence in answer["sentences"]:
            assert sentence["sources"]
            for source in sentence["sources"]:
                trace(output, source)


def test_the_evidence_is_that_of_the_files(summary: StudySummary, finished_study: Path) -> None:
    right = {name: correct(finished_study, name) for name in VARIANTS}  # (m,) of each seed
    for c in summary.comparisons:
        found = summary.evidence[c.variant]
        by_seed = np.array(
            [one.mean() - other.mean() for one, other in zip(right[c.variant], right["baseline"], strict=True)]
        )
        assert found.seeds == 2
        if np.ptp(by_seed) > 1e-12:
            assert found.paired_t_p == pytest.approx(stats.ttest_1samp(by_seed, 0).pvalue, abs=1e-9)
        for p, one, other in zip(found.mcnemar_p, right[c.variant], right["baseline"], strict=True):
            won, lost = int((one & ~other).sum()), int((~one & other).sum())
            assert p == pytest.approx(stats.binomtest(won, won + lost).pvalue if won + lost else 1.0)
    assert [r.mean for r in summary.ranking] == pytest.approx(
        sorted((float(np.concatenate(r).mean()) for r in right.values()), reverse=True), abs=1e-12
    )


def test_a_summary_of_many_variants_is_made_in_time(finished_study: Path) -> None:
    summarize(finished_study)  # imports
    began = time.process_time()
    summarize(finished_study)
    assert time.process_time() - began < 2.0  # 19 variants; about 0.3 s
