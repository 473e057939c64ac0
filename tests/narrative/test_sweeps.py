from __future__ import annotations

import re

import pytest

from sweeps import scored, tables
from wellfit.analysis.paths import sweep_grids, sweep_paths
from wellfit.narrative.sweeps import describe_grid, describe_path

L2 = (1e-4, 1e-3, 1e-2)


def described(accuracies, baseline=0.5, zeros=None, **more):
    means = {f"l2={s}": a for s, a in zip(L2, accuracies, strict=True)}
    study = tables({"baseline": {}, **{f"l2={s}": {"l2": s} for s in L2}})
    summary = scored(study, lambda n, c, s: means.get(n, baseline) + 0.001 * s, **more)
    (path,) = sweep_paths(summary, zeros)
    return summary, describe_path(path)


def test_the_choice_the_simpler_one_and_their_test_accuracy():
    summary, sentences = described([0.8, 0.9, 0.8994], test=lambda name, seed: 0.75 if name == "l2=0.001" else 0.7)
    assert [s.text for s in sentences] == [
        "Of the 3 values of l2 from 0.0001 to 0.01, validation accuracy is highest at 0.001: 90.2 % [90.0, 90.4] "
        "(baseline: 50.2 % [50.0, 50.4]).",
        "The strongest regularization within one standard error of it is at 0.01: 90.1 % [89.9, 90.3].",
        "Test accuracy is 75.0 % [75.0, 75.0] at 0.001 and 70.0 % [70.0, 70.0] at 0.01.",
    ]
    assert summary.variants[2].mean["test_accuracy"] == pytest.approx(0.75)


def test_every_source_is_a_variant_and_a_metric_of_the_study():
    summary, sentences = described([0.9, 0.8, 0.7], zeros={"l2=0.0001": 0.1, "l2=0.01": 0.4})
    means = {v.name: v.mean for v in summary.variants}
    for source in (source for sentence in sentences for source in sentence.sources):
        found = re.fullmatch(r"variants\[(.+)\]\.mean\.(\w+)", source)
        assert source == "details.paths[l2].zeros" or found[2] in means[found[1]]


def test_an_edge_is_a_warning_unless_none_is_as_good():
    assert (
        "largest value in the sweep; larger values were not tried and may do better."
        in described([0.7, 0.8, 0.9])[1][-1].text
    )
    assert (
        "smallest value in the sweep; smaller values were not tried and may do better."
        in described([0.9, 0.8, 0.7])[1][-1].text
    )
    assert "and baseline, without it, scored at least as high." in described([0.9, 0.8, 0.7], baseline=0.9)[1][-1].text
    assert not any("in the sweep" in s.text for s in described([0.8, 0.9, 0.7])[1])


def test_zero_weights_are_given_along_the_path():
    zeros = {"l2=0.0001": 0.1, "l2=0.001": 0.25, "l2=0.01": 0.4}
    last = described([0.8, 0.9, 0.7], zeros=zeros)[1][-1].text
    assert last == (
        "At the chosen value, 25.0 % of the weights are exactly zero; along the path, the share goes from 10.0 % at "
        "0.0001 to 40.0 % at 0.01."
    )
    assert not any("zero" in s.text for s in described([0.8, 0.9, 0.7], zeros=dict.fromkeys(zeros, 0.0))[1])


def test_before_two_seeds_nothing_is_chosen():
    (only,) = described([0.8, 0.9, 0.7], seeds=1)[1]
    assert only.text.endswith("none can be chosen yet, because no value has two finished seeds.")


def test_data_settings_are_described_end_to_end():
    summary = scored("label-noise", lambda n, c, s: 0.9, seeds=2, test=lambda n, s: 0.5 if "0.6" in n else 0.9)
    first, second, *_ = (describe_path(path) for path in sweep_paths(summary))
    assert [s.text for s in first] == [
        "Over the 5 values of label_noise from 0 to 0.6, test accuracy goes from 90.0 % [90.0, 90.0] at 0 to 50.0 % "
        "[50.0, 50.0] at 0.6."
    ]
    assert "from 0 to 0.6 with l2 = 0.001," in second[0].text
    pending = scored("sample-size", lambda n, c, s: 0.9, seeds=1, states={})
    (path,) = sweep_paths(pending)
    assert "test accuracy goes from 80.0 % at 100 to 80.0 % at 48000." in describe_path(path)[0].text


def test_a_grid_in_words():
    def score(name, changes, seed):
        return 0.9 if changes.get("l2") == 1e-4 and changes.get("dropout") == 0.4 else 0.8

    (grid,) = sweep_grids(scored("regularization/grid", score))
    assert [s.text for s in describe_grid(grid)] == [
        "Of the 9 combinations of l2 and dropout, validation accuracy is highest with l2 = 0.0001, dropout = 0.4: "
        "90.0 %.",
        "Its test accuracy is 80.0 %.",
    ]
    (grid,) = sweep_grids(scored("regularization/grid", score, seeds=1))
    assert [s.text for s in describe_grid(grid)] == ["Of the 9 combinations of l2 and dropout, none is chosen."]


def test_no_value_of_an_early_stopping_rule_is_chosen():
    rules = {f"patience={p}": {"early_stopping": {"patience": p}} for p in (1, 2, 4)}
    summary = scored(tables({"baseline": {}, **rules}), lambda n, c, s: 0.8)
    (path,) = sweep_paths(summary)
    assert path.chosen is path.at_edge is None
    assert [s.text for s in describe_path(path)] == [
        "Of the 3 values of early_stopping.patience from 1 to 4 with early stopping, none is chosen: validation chose "
        "the epoch of each run, so its scores cannot compare them.",
        "Over the 3 values of early_stopping.patience from 1 to 4 with early stopping, test accuracy goes from 80.0 % "
        "[80.0, 80.0] at 1 to 80.0 % [80.0, 80.0] at 4.",
    ]
