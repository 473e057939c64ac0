"""Study directories of runs that others trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from predictions import LABELS, all_runs, probabilities
from wellfit.base import HISTORY_COLUMNS, History
from wellfit.data.predictions.arrays import given_arrays
from wellfit.data.predictions.read import read_predictions
from wellfit.errors import DataError, OtherStudyError, StoreError, StudyFileError, UnknownNameError
from wellfit.store import open_existing
from wellfit.study.as_json import to_json
from wellfit.study.judge import IN_ORDER, judge_runs, look_of, with_settings
from wellfit.study.merge import merge_studies
from wellfit.study.side_by_side import compare_studies
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study


def by_variant(found: Any) -> dict[str, Any]:
    return {one.variant: one for one in found}


def test_curves_follow_runs_that_are_numbered_again(tmp_path: Path):
    given = given_arrays(LABELS, {"a": {7: probabilities("l2", 0), 9: probabilities("l2", 1)}})
    histories = {("a", seed): History(dict.fromkeys(HISTORY_COLUMNS, np.full(2, float(seed)))) for seed in (7, 9)}
    judge_runs(given, tmp_path / "judged", unpaired=True, histories=histories)
    found = summarize(tmp_path / "judged").histories
    assert {seed: of["train_loss"].tolist() for seed, of in found["a"].items()} == {0: [7, 7], 1: [9, 9]}


def test_a_study_that_is_judged_again_has_the_same_numbers(finished_study: Path, tmp_path: Path):
    """The independent oracle: what a study says of its own runs, to the last bit."""
    study = summarize(finished_study)
    judge_runs(read_predictions([finished_study / "test"]), tmp_path / "judged", margin=study.margin)
    judged = summarize(tmp_path / "judged")
    assert by_variant(judged.comparisons) == by_variant(study.comparisons)
    assert judged.evidence == study.evidence
    assert by_variant(judged.ranking) == by_variant(study.ranking)
    assert (judged.leader_accuracy, judged.friedman_p) == (study.leader_accuracy, study.friedman_p)
    of_study = {v.name: v for v in study.variants}
    for variant in judged.variants:
        for metric in ("test_accuracy", "test_loss"):
            assert variant.mean[metric] == of_study[variant.name].mean[metric]
            assert variant.interval[metric] == of_study[variant.name].interval[metric]
        np.testing.assert_array_equal(judged.confusion[variant.name], study.confusion[variant.name])
    assert to_json(judged, "").keys() == to_json(study, "").keys()


def accuracies(seeds: int = 5) -> dict[str, list[float]]:
    return {name: [float(np.mean(p.argmax(axis=1) == LABELS)) for p in of] for name, of in all_runs(seeds).items()}


def judged(out: Path, y: Any, runs: Any, *, arrays: dict[str, Any] | None = None, **options: Any) -> Path:
    judge_runs(given_arrays(y, runs, **(arrays or {})), out, **options)
    return out


def test_accuracies_alone_are_judged_as_scipy_does(tmp_path: Path):
    of = accuracies()
    summary = summarize(judged(tmp_path / "alone", None, of))
    assert summary.accuracies_alone
    for c in summary.comparisons:
        reference = stats.ttest_rel(of[c.variant], of["baseline"])
        bounds = reference.confidence_interval(0.95)
        assert c.p_value == pytest.approx(reference.pvalue, rel=1e-9)
        assert c.interval == pytest.approx((bounds.low, bounds.high), rel=1e-9)
        assert not c.identical
    for variant in summary.variants:
        values = of[variant.name]
        expected = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
        assert variant.interval["test_accuracy"] == pytest.approx(expected, rel=1e-9)
    said = " ".join(sentence.text for sentence in summary.conclusion)
    assert "new seeds and the same test set" in said
    assert "0 test example" not in said
    assert not verify_study(tmp_path / "alone").problems


def test_differences_that_all_seeds_share_are_no_certainty(tmp_path: Path):
    summary = summarize(judged(tmp_path / "alone", None, {"a": [0.91] * 3, "b": [0.92] * 3, "c": [0.91] * 3}))
    found = by_variant(summary.comparisons)
    assert found["b"].p_value is not None
    assert 0.01 < found["b"].p_value < 1
    assert found["c"].p_value == 1
    assert not found["c"].identical


def test_classes_alone_give_the_verdicts_of_probabilities(tmp_path: Path):
    runs = all_runs()
    whole = summarize(judged(tmp_path / "whole", LABELS, runs))
    classes = summarize(
        judged(tmp_path / "classes", LABELS, {n: [p.argmax(axis=1) for p in of] for n, of in runs.items()})
    )
    assert classes.comparisons == whole.comparisons
    assert classes.evidence == whole.evidence
    assert all("test_loss" not in v.mean for v in classes.variants)
    assert all(run.test_loss is None for v in classes.variants for run in v.runs)
    for place in ("whole", "classes"):
        result = verify_study(tmp_path / place)
        assert (result.problems, result.runs) == ((), 9)


def test_damage_is_found_and_its_remedy_is_no_training(tmp_path: Path):
    place = judged(tmp_path / "judged", LABELS, all_runs())
    np.savez(place / "test" / "l2.1.npz", probabilities=probabilities("l2", 0))
    (problem,) = verify_study(place).problems
    assert str(problem).startswith("test/l2.1.npz: differs from the saved file")
    assert problem.fix == "restore it from a copy, or judge the predictions again"


def test_folds_are_those_of_a_cross_validation(tmp_path: Path):
    folds = [np.arange(len(LABELS))[s::4] for s in range(4)]
    runs = {name: [of[s][folds[s]] for s in range(4)] for name, of in all_runs(4).items()}
    summary = summarize(judged(tmp_path / "folds", LABELS, runs, arrays={"folds": folds}))
    right = np.concatenate([p.argmax(axis=1) == LABELS[at] for p, at in zip(runs["l2"], folds, strict=True)])
    mean = next(v.mean["test_accuracy"] for v in summary.variants if v.name == "l2")
    assert mean == pytest.approx(right.mean(), abs=1e-12)
    assert "each seed judged some of them" in summary.provenance["predictions"]
    assert not verify_study(tmp_path / "folds").problems


def test_seeds_that_differ_are_said_or_refused(tmp_path: Path):
    runs = {
        "a": {0: probabilities("l2", 0), 1: probabilities("l2", 1)},
        "b": {8: probabilities("l1", 8), 9: probabilities("l1", 9)},
    }
    with pytest.raises(DataError, match=r"'b' and 'a' have no seed in common \(seeds 8, 9; seeds 0, 1\); .*--unpaired"):
        judged(tmp_path / "no", LABELS, runs)
    assert not list(tmp_path.iterdir())
    summary = summarize(judged(tmp_path / "unpaired", LABELS, runs, unpaired=True))
    assert summary.provenance["paired"].startswith("in the order of their seeds, which have nothing in common")
    more = {"a": [probabilities("l2", s) for s in range(3)], "b": [probabilities("l1", s) for s in range(2)]}
    summary = summarize(judged(tmp_path / "fewer", LABELS, more))
    assert "over the seeds that both variants have" in summary.provenance["paired"]
    assert (summary.state, [len(v.runs) for v in summary.variants]) == ("finished", [3, 2])


def test_one_seed_and_one_variant_are_judged_as_far_as_they_can_be(tmp_path: Path):
    summary = summarize(judged(tmp_path / "seed", LABELS, all_runs(1)))
    assert all(c.interval is None and c.verdict == "undecided" for c in summary.comparisons)
    assert "train five seeds" in summary.verdict
    summary = summarize(judged(tmp_path / "variant", LABELS, {"l2": all_runs()["l2"]}))
    assert (summary.title, summary.comparisons) == ("How good is l2?", ())


def test_a_planned_look_has_its_level(tmp_path: Path):
    runs = all_runs(4)
    once = summarize(judged(tmp_path / "once", LABELS, runs))
    look = summarize(judged(tmp_path / "look", LABELS, runs, look=(2, 4)))
    for one, of_four in zip(once.comparisons, look.comparisons, strict=True):
        assert one.interval is not None
        assert of_four.interval is not None
        assert of_four.interval[0] < one.interval[0]
    assert "This is interim analysis 2 of 4; the next is planned at 6 seeds." in look.verdict
    assert (once.analyses, look.analyses) == (1, 4)
    for wrong, message in (((5, 4), "--look 5/4"), ((3, 4), "a multiple of 3 seeds, at least 6; there are 4"),
                           ((4, 4), "a multiple of 4 seeds, at least 8; there are 4")):  # fmt: skip
        with pytest.raises(StudyFileError, match=message):
            judged(tmp_path / "wrong", LABELS, runs, look=wrong)
        assert not (tmp_path / "wrong").exists()
    with pytest.raises(StudyFileError, match="variants have 1, 2 seeds"):
        look_of((1, 2), {1, 2})


def test_metrics_that_the_predictions_have(tmp_path: Path):
    classes = {name: [p.argmax(axis=1) for p in of] for name, of in all_runs().items()}
    assert summarize(judged(tmp_path / "f1", LABELS, classes, metric="macro_f1")).metric == "macro_f1"
    assert summarize(judged(tmp_path / "loss", LABELS, all_runs(), metric="log_loss")).margin == 0.005
    for y, runs, metric, message in (
        (LABELS, classes, "log_loss", "takes probabilities, and only classes are known"),
        (None, accuracies(), "macro_f1", "only accuracies are known"),
        (LABELS, classes, "auc", "is none of accuracy, balanced_accuracy"),
    ):
        with pytest.raises(StudyFileError, match=message):
            judged(tmp_path / "no", y, runs, metric=metric)


def test_settings_and_curves_are_kept(tmp_path: Path):
    given = with_settings(given_arrays(LABELS, all_runs()), {"l2": {"lr": 0.1}}, "settings")
    nothing = {name: np.full(2, np.nan) for name in HISTORY_COLUMNS}
    history = History({**nothing, "validation_loss": np.array([0.5, 0.25])})
    judge_runs(given, tmp_path / "judged", histories={("l2", 1): history})
    summary = summarize(tmp_path / "judged")
    assert next(v.settings for v in summary.variants if v.name == "l2") == {"lr": 0.1}
    assert summary.histories["l2"][1]["validation_loss"].tolist() == [0.5, 0.25]
    assert not verify_study(tmp_path / "judged").problems
    for settings, message in (
        ({"l3": {}}, "l3"),
        ({"l2": 3}, "is of type int"),
        ({"l2": {"f": {1}}}, "holds more than"),
    ):
        with pytest.raises((StudyFileError, UnknownNameError), match=message):
            with_settings(given, settings, "settings")  # type: ignore[arg-type]


def test_nothing_is_left_of_what_cannot_be_judged(tmp_path: Path):
    bad = probabilities("l1", 1).copy()
    bad[7] = 0.9
    with pytest.raises(DataError, match="'l1', seed 1: the probabilities in row 7"):
        judged(
            tmp_path / "out",
            LABELS,
            {"a": [probabilities("l2", s) for s in range(2)], "l1": [probabilities("l1", 0), bad]},
        )
    assert not list(tmp_path.iterdir())
    place = judged(tmp_path / "out", LABELS, all_runs())
    with pytest.raises(
        StoreError,
        match=r"already exists, and is a study directory, which wellfit report .*out opens; choose another --out",
    ):
        judged(place, LABELS, all_runs())


def test_directories_are_merged_and_compared(tmp_path: Path):
    runs = all_runs(4)
    parts = [
        judged(tmp_path / str(first), LABELS, {n: {s: of[s] for s in (first, first + 1)} for n, of in runs.items()})
        for first in (0, 2)
    ]
    whole = judged(tmp_path / "whole", LABELS, runs)
    merged = merge_studies(parts, tmp_path / "merged")
    assert (merged.runs, merged.missing) == (12, 0)
    assert summarize(tmp_path / "merged").comparisons == summarize(whole).comparisons
    assert compare_studies(whole, tmp_path / "merged").paired
    alone = judged(tmp_path / "alone", None, accuracies())
    again = judged(tmp_path / "again", None, {n: [x - 0.01 for x in of] for n, of in accuracies().items()})
    found = compare_studies(alone, again)
    assert "accuracies alone" in found.how[0]
    reference = stats.ttest_ind([x - 0.01 for x in accuracies()["l2"]], accuracies()["l2"], equal_var=False)
    assert by_variant(found.comparisons)["l2"].p_value == pytest.approx(reference.pvalue, rel=1e-6)
    with pytest.raises(OtherStudyError, match=r"only accuracies are known, and .* has predictions"):
        compare_studies(alone, whole)


def test_a_study_of_wellfit_is_not_continued_in_it(tmp_path: Path, finished_study: Path):
    from wellfit.spec.identity import spec_conflicts

    place = judged(tmp_path / "judged", LABELS, all_runs())
    with open_existing(place) as store, open_existing(finished_study) as own:
        here, there = store.metadata.study(), own.metadata.study()
        assert "base" not in here
        assert "recipe" not in here["variants"]["l2"]
        assert store.metadata.spec().elsewhere
        conflict = spec_conflicts({**there, "name": "judged"}, here)
    assert conflict == "its runs were trained by wellfit there and elsewhere here"


def test_groups_widen_the_intervals(tmp_path: Path):
    alike = np.repeat(np.arange(20), 10)

    def answers(name: str, seed: int, right: int) -> np.ndarray:
        known = np.random.default_rng([seed, len(name)]).permutation(20)[:right]  # whole groups
        return np.where(np.isin(alike, known), LABELS, (LABELS + 1) % 3)

    runs = {n: [answers(n, s, right) for s in range(4)] for n, right in (("baseline", 14), ("l2", 17))}
    single = summarize(judged(tmp_path / "single", LABELS, runs))
    grouped = summarize(judged(tmp_path / "grouped", LABELS, runs, arrays={"groups": alike}))
    widths = [v.interval["test_accuracy"] for of in (single, grouped) for v in of.variants[:1]]
    assert widths[0] is not None
    assert widths[1] is not None
    assert widths[1][1] - widths[1][0] > widths[0][1] - widths[0][0]
    assert "in 20 groups" in grouped.provenance["predictions"]


def test_the_summary_says_who_trained(tmp_path: Path):
    summary = summarize(judged(tmp_path / "judged", LABELS, all_runs()))
    assert (summary.elsewhere, summary.accuracies_alone) == (True, False)
    assert not dataclasses.replace(summary, settings={}).elsewhere


def test_equal_accuracies_alone_are_no_certainty(tmp_path: Path):
    """Three runs at 0.90 and three at 0.91: rounding alone may hide any difference below 0.01."""
    sides = [
        judged(tmp_path / name, None, {"a": [value] * 3, "b": [value] * 3}) for name, value in (("x", 0.9), ("y", 0.91))
    ]
    found = by_variant(compare_studies(*sides).comparisons)["a"]
    assert found.verdict == "undecided"
    assert found.p_value > 0.05
    low, high = summarize(sides[0]).variants[0].interval["test_accuracy"]
    assert low < 0.9 < high


def test_runs_that_no_metric_can_score_are_refused_before_anything_is_written(tmp_path: Path):
    alone = {name: [p[seed : seed + 1] for seed, p in enumerate(of)] for name, of in all_runs().items()}
    folds = [[seed] for seed in range(len(alone["l2"]))]
    with pytest.raises(DataError, match="one test example; give each run at least two"):
        judged(tmp_path / "one", LABELS, alone, arrays={"folds": folds})
    ones = np.flatnonzero(LABELS[0] == LABELS)
    with pytest.raises(DataError, match="all its examples belong to one class; choose another metric than roc_auc"):
        judged(
            tmp_path / "auc", LABELS[ones], {n: [p[ones] for p in of] for n, of in all_runs().items()}, metric="roc_auc"
        )
    assert not list(tmp_path.iterdir())


def test_judged_directories_of_other_folds_are_not_merged(tmp_path: Path):
    """Merged, the runs of a seed could not be paired, and nothing could open the result."""
    half, places = len(LABELS) // 2, []
    for name, folds in (("a", (slice(0, half), slice(half, None))), ("b", (slice(half, None), slice(0, half)))):
        runs = {name: [probabilities("l2", seed)[fold] for seed, fold in enumerate(folds)]}
        rows = [np.arange(len(LABELS))[fold] for fold in folds]
        places.append(judged(tmp_path / name, LABELS, runs, arrays={"folds": rows}, title="Which?"))
    with pytest.raises(OtherStudyError, match="seed 0 judged other test examples there"):
        merge_studies(places, tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_a_read_error_is_no_write_error(tmp_path: Path):
    """The disk fails while predictions are read, as late as the study directory is being written."""

    def failing() -> np.ndarray:
        raise OSError(5, "Input/output error")

    given = given_arrays(LABELS, all_runs(2))
    for broken in (0, 3):
        runs = tuple(run._replace(values=failing) if at == broken else run for at, run in enumerate(given.runs))
        with pytest.raises(DataError, match=r"cannot be read \(Input/output error\); check its permissions"):
            judge_runs(dataclasses.replace(given, runs=runs), tmp_path / "judged", metric="log_loss")
        assert not list(tmp_path.iterdir())


def test_independent_and_paired_runs_do_not_merge(tmp_path: Path):
    one = judged(tmp_path / "one", LABELS, {"a": all_runs(2)["l2"]})
    other = judged(tmp_path / "other", LABELS, {"b": all_runs(2)["l1"]}, unpaired=True)
    with pytest.raises(StoreError, match="are paired by seed there and independent, judged with --unpaired, here; "):
        merge_studies([one, other], tmp_path / "both")
    assert not (tmp_path / "both").exists()
    more = judged(tmp_path / "more", LABELS, {"a": all_runs(2)["l2"]}, unpaired=True)
    assert merge_studies([more, other], tmp_path / "both").runs == 4
    assert summarize(tmp_path / "both").provenance["paired"].startswith(IN_ORDER)


@pytest.mark.parametrize("examples", [100, 360])
def test_one_step_that_all_seeds_share_is_no_certainty(tmp_path: Path, examples: int):
    """Neither where accuracies are rounded, nor in full precision, where it is one example."""
    runs = {name: [right / examples] * 5 for name, right in (("a", 83), ("b", 84), ("c", 89))}
    found = by_variant(summarize(judged(tmp_path / "judged", None, runs)).comparisons)
    assert found["b"].p_value is not None
    assert 0.05 < found["b"].p_value < 1
    assert found["c"].verdict == "better"


def test_accuracies_are_known_to_one_step_whatever_their_variant(tmp_path: Path):
    """1.0 five times is known as well as 0.996 beside it, not to a whole."""
    directory = judged(tmp_path / "out", None, {"a": [1.0] * 5, "b": [0.996, 0.998, 0.994, 0.996, 0.998]})
    intervals = {v.name: v.interval["test_accuracy"] for v in summarize(directory).variants}
    assert intervals["a"] is not None
    assert intervals["a"][0] > 0.997
    assert intervals["a"][1] == 1
    exact = {"a": [0.91] * 5, "b": [1 / 3, 0.7123456789012345, 0.6123456789012347, 0.5, 0.6]}
    of_a = summarize(judged(tmp_path / "exact", None, exact)).variants[0].interval["test_accuracy"]
    assert of_a is not None
    assert of_a[1] - of_a[0] > 0.01  # what is not rounded says nothing of what is


def test_a_margin_is_a_share(tmp_path: Path):
    with pytest.raises(StudyFileError, match=r"margin 5: accuracy is at most 1; one percentage point is 0\.01"):
        judged(tmp_path / "out", LABELS, all_runs(), margin=5)
    assert summarize(judged(tmp_path / "loss", LABELS, all_runs(), metric="log_loss", margin=5)).margin == 5


def test_seeds_that_a_variant_lacks_are_said(tmp_path: Path):
    runs = {name: dict(enumerate(of)) for name, of in all_runs(4).items()}
    del runs["l2"][3]
    with open_existing(judged(tmp_path / "out", LABELS, runs)) as store:
        read = store.metadata.provenance()["read as"]
    assert read == "Compared over the seeds that both variants have: 'l2' has no seed 3. Means are over all seeds."


def test_titles_have_an_end(tmp_path: Path):
    with pytest.raises(StudyFileError, match="give the question in one line of at most 300 characters"):
        judged(tmp_path / "out", LABELS, all_runs(), title="a" * 301)


def test_runs_that_were_numbered_lack_no_seeds(tmp_path: Path):
    runs = {name: dict(enumerate(of, 10 * at)) for at, (name, of) in enumerate(all_runs(4).items())}
    del runs["l2"][max(runs["l2"])]
    with open_existing(judged(tmp_path / "out", LABELS, runs, unpaired=True)) as store:
        assert "Compared over" not in store.metadata.provenance().get("read as", "")
