from __future__ import annotations

import re

import pytest

from sweeps import scored, tables
from wellfit.analysis.paths import sweep_grids, sweep_paths
from wellfit.narrative.path_words import tell_grid, tell_path

L2 = (1e-4, 1e-3, 1e-2)


def told(accuracies, baseline=0.5, zeros=None, **more):
    means = {f"l2={s}": a for s, a in zip(L2, accuracies, strict=True)}
    study = tables({"baseline": {}, **{f"l2={s}": {"l2": s} for s in L2}})
    summary = scored(study, lambda n, c, s: means.get(n, baseline) + 0.001 * s, **more)
    (path,) = sweep_paths(summary, zeros)
    return summary, tell_path(path)


def test_the_choice_the_simpler_one_and_their_test_accuracy():
    summary, sentences = told([0.8, 0.9, 0.8994], test=lambda name, seed: 0.75 if name == "l2=0.001" else 0.7)
    assert [s.text for s in sentences] == [
        "Of 3 values of l2 from 0.0001 to 0.01, validation accuracy is highest at 0.001: 90.2 % [90.0, 90.4] "
        "(baseline: 50.2 % [50.0, 50.4]).",
        "The value that regularizes most within one standard error of it is 0.01: 90.1 % [89.9, 90.3].",
        "Test accuracy is 75.0 % [75.0, 75.0] at 0.001 and 70.0 % [70.0, 70.0] at 0.01.",
    ]
    assert summary.variants[2].mean["test_accuracy"] == pytest.approx(0.75)


def test_every_source_is_a_variant_and_a_metric_of_the_study():
    summary, sentences = told([0.9, 0.8, 0.7], zeros={"l2=0.0001": 0.1, "l2=0.01": 0.4})
    means = {v.name: v.mean for v in summary.variants}
    for source in (source for sentence in sentences for source in sentence.sources):
        found = re.fullmatch(r"variants\[(.+)\]\.mean\.(\w+)", source)
        assert source == "details.paths[l2].zeros" or found[2] in means[found[1]]


def test_an_edge_is_a_warning_unless_none_at_all_was_tried_and_is_as_good():
    assert "largest value of the sweep: larger ones may do better" in told([0.7, 0.8, 0.9])[1][-1].text
    assert "smallest value of the sweep: smaller ones may do better" in told([0.9, 0.8, 0.7])[1][-1].text
    assert "and baseline, without it, scored no lower." in told([0.9, 0.8, 0.7], baseline=0.9)[1][-1].text
    assert not any("of the sweep" in s.text for s in told([0.8, 0.9, 0.7])[1])


def test_zero_weights_are_told_along_the_path():
    zeros = {"l2=0.0001": 0.1, "l2=0.001": 0.25, "l2=0.01": 0.4}
    told_last = told([0.8, 0.9, 0.7], zeros=zeros)[1][-1].text
    assert told_last == (
        "Of its weights 25.0 % are exactly zero; along the path, from 10.0 % at 0.0001 to 40.0 % at 0.01."
    )
    assert not any("zero" in s.text for s in told([0.8, 0.9, 0.7], zeros=dict.fromkeys(zeros, 0.0))[1])


def test_before_two_seeds_nothing_is_chosen_and_without_a_test_nothing_is_said_of_it():
    (only,) = told([0.8, 0.9, 0.7], seeds=1)[1]
    assert only.text.endswith("none can be chosen yet: that takes two finished seeds of one.")


def test_the_numbers_of_the_data_are_told_from_end_to_end():
    summary = scored("label-noise", lambda n, c, s: 0.9, seeds=2, test=lambda n, s: 0.5 if "0.6" in n else 0.9)
    first, second, *_ = (tell_path(path) for path in sweep_paths(summary))
    assert [s.text for s in first] == [
        "Over 5 values of label_noise from 0 to 0.6, test accuracy goes from 90.0 % [90.0, 90.0] at 0 to 50.0 % "
        "[50.0, 50.0] at 0.6."
    ]
    assert "from 0 to 0.6 with l2 = 0.001," in second[0].text
    pending = scored("sample-size", lambda n, c, s: 0.9, seeds=1, states={})
    (path,) = sweep_paths(pending)
    assert "test accuracy goes from 80.0 % at 100 to 80.0 % at 48000." in tell_path(path)[0].text


def test_a_grid_in_words():
    def score(name, changes, seed):
        return 0.9 if changes.get("l2") == 1e-4 and changes.get("dropout") == 0.4 else 0.8

    (grid,) = sweep_grids(scored("regularization/grid", score))
    assert [s.text for s in tell_grid(grid)] == [
        "Of 9 combinations of l2 and dropout, validation accuracy is highest with l2 = 0.0001, dropout = 0.4: 90.0 %.",
        "Its test accuracy is 80.0 %.",
    ]
    (grid,) = sweep_grids(scored("regularization/grid", score, seeds=1))
    assert [s.text for s in tell_grid(grid)] == ["Of 9 combinations of l2 and dropout, none is chosen."]
