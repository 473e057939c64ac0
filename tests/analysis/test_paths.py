from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps import scored, tables
from wellfit.analysis.paths import sweep_grids, sweep_paths

L2 = {f"l2={s}": {"l2": s} for s in (1e-5, 1e-4, 1e-3, 1e-2)}


def same(name, settings, seed):
    return 0.9


def path_of(accuracies, seeds=5, spread=0.0, **more):
    """The path of an L2 sweep with these mean validation accuracies, in the order of its values."""
    means = dict(zip(L2, accuracies, strict=True))
    offset = spread * (np.arange(seeds) - (seeds - 1) / 2)
    study = tables({"baseline": {}, **L2})
    (path,) = sweep_paths(scored(study, lambda n, c, s: means.get(n, 0.5) + offset[s], seeds, **more))
    return path


def test_a_sweep_is_a_path_beside_the_variant_that_has_none_of_it():
    path = path_of([0.8, 0.82, 0.81, 0.7])
    assert path.key == "l2"
    assert path.values.tolist() == [1e-5, 1e-4, 1e-3, 1e-2]
    assert path.variants == tuple(L2)
    assert (path.logarithmic, path.baseline, path.held) == (True, "baseline", {})
    assert (path.chosen, path.at_edge) == (1, None)
    np.testing.assert_allclose(path.metrics["validation_accuracy"][0], [0.8, 0.82, 0.81, 0.7])
    assert path.reference["validation_accuracy"][0] == pytest.approx(0.5)
    assert np.isnan(path.zeros).all()


def test_variants_written_one_by_one_are_a_path():
    study = tables({"256": {"batch_size": 256}, "32": {"batch_size": 32}, "64": {"batch_size": 64}})
    (path,) = sweep_paths(scored(study, same))
    assert (path.key, path.values.tolist(), path.variants) == ("batch_size", [32, 64, 256], ("32", "64", "256"))
    assert (path.baseline, path.one_standard_error) == (None, None)  # a batch size is no regularization


def test_on_a_linear_axis_none_is_the_point_at_zero():
    (path,) = sweep_paths(scored("lab5/dropout", same))
    assert path.values.tolist() == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7]
    assert (path.variants[0], path.baseline, path.logarithmic) == ("baseline", None, False)


def test_no_bound_is_not_the_smallest_bound():
    study = tables({"free": {}, **{f"max_norm={c}": {"max_norm": c} for c in (1, 2, 4)}})
    (path,) = sweep_paths(scored(study, lambda n, c, s: 0.9))
    assert (path.values.tolist(), path.baseline) == ([1, 2, 4], "free")
    assert path.one_standard_error == 0  # the tightest bound regularizes most


def test_what_a_path_shares_beyond_the_first_variant_is_held():
    paths = sweep_paths(scored("label-noise", same, seeds=2))
    assert [p.key for p in paths] == ["label_noise"] * 5
    assert [tuple(p.held) for p in paths][:3] == [(), ("l2",), ("dropout",)]
    assert all(p.values.tolist() == [0.0, 0.1, 0.2, 0.4, 0.6] for p in paths)
    assert {p.chosen for p in paths} == {None}  # nobody chooses how wrong the labels are


def test_rates_of_several_optimizers_are_a_path_each():
    paths = sweep_paths(scored("optimizers-tuned", same, seeds=2))
    assert {p.key for p in paths} == {"learning_rate"}
    assert [p.held.get("optimizer", "adam") for p in paths][:3] == ["adam", "sgd", "momentum"]


@pytest.mark.parametrize("study", ["lab5", "lab5/combined", "regularization", "width-and-depth", "lab5/depth"])
def test_studies_without_a_sweep_have_no_path(study):
    summary = scored(study, same, seeds=2)
    assert sweep_paths(summary) == ()
    assert sweep_grids(summary) == ()


def test_two_keys_that_cross_are_a_grid_and_no_path():
    def score(name, changes, seed):
        return 0.9 if changes.get("l2") == 1e-4 and changes.get("dropout") == 0.4 else 0.8

    summary = scored("regularization/grid", score, test=lambda name, seed: 0.5)
    (grid,) = sweep_grids(summary)
    assert (grid.keys, grid.rows, grid.columns) == (("l2", "dropout"), (1e-5, 1e-4, 1e-3), (0.2, 0.4, 0.6))
    assert grid.variants[1][1] == "l2=0.0001,dropout=0.4"
    assert grid.chosen == (1, 1)
    assert grid.metrics["validation_accuracy"][1, 1] == pytest.approx(0.9)
    assert grid.metrics["test_accuracy"].tolist() == [[0.5] * 3] * 3
    assert sweep_paths(summary) == ()


def test_a_grid_with_a_sweep_beside_it_is_the_largest_full_table():
    crossed = {f"{a},{b}": {"l2": a, "dropout": b} for a in (1e-4, 1e-3) for b in (0.2, 0.5)}
    study = tables({"baseline": {}, "l2=0.01": {"l2": 1e-2}, **crossed})
    (grid,) = sweep_grids(scored(study, same))
    assert (grid.rows, grid.columns) == ((1e-4, 1e-3), (0.2, 0.5))


def test_a_grid_of_words_needs_every_cell():
    crossed = {f"{a}-{b}": {"optimizer": a, "batch_size": b} for a in ("sgd", "adam") for b in (32, 64)}
    summary = scored(tables({"baseline": {"batch_size": 16}, **crossed}), same)
    (grid,) = sweep_grids(summary)
    assert (grid.keys, grid.rows, grid.columns) == (("batch_size", "optimizer"), (32, 64), ("sgd", "adam"))
    assert [p.key for p in sweep_paths(summary)] == ["batch_size"]  # its lines say more than its cells
    crossed.pop("sgd-64")
    assert sweep_grids(scored(tables({"baseline": {"batch_size": 16}, **crossed}), same)) == ()


def test_the_one_standard_error_rule_by_hand():
    # Seeds at -2, -1, 0, 1 and 2 times 0.01: sd 0.0158, standard error 0.00707, so the bound is 0.89293.
    path = path_of([0.85, 0.9, 0.894, 0.892], spread=0.01)
    assert (path.chosen, path.one_standard_error) == (1, 2)
    assert path_of([0.85, 0.9, 0.892, 0.893], spread=0.01).one_standard_error == 3  # as glmnet: not the next, the last


def test_equal_accuracies_are_decided_by_the_lower_loss():
    losses = {"l2=1e-05": 0.5, "l2=0.0001": 0.4, "l2=0.001": 0.45}
    assert path_of([0.9] * 4, loss=lambda name: np.full(20, losses.get(name, 0.6))).chosen == 1


def test_edges_of_the_sweep():
    assert path_of([0.9, 0.8, 0.7, 0.6]).at_edge == "low"
    assert path_of([0.6, 0.7, 0.8, 0.9]).at_edge == "high"
    (path,) = sweep_paths(scored("lab5/dropout", lambda n, c, s: 0.9 - c.get("dropout", 0)))
    assert (path.chosen, path.at_edge) == (0, None)  # there is nothing below none


def test_one_seed_chooses_nothing_and_diverged_runs_are_never_chosen():
    assert path_of([0.7, 0.8, 0.9, 0.6], seeds=1).chosen is None
    assert path_of([0.7, 0.8, 0.9, 0.6], states={("l2=0.001", 0): "diverged"}).chosen == 1
    everywhere = {(name, seed): "pending" for name in L2 for seed in range(5)}
    path = path_of([0.7, 0.8, 0.9, 0.6], states=everywhere)
    assert (path.chosen, path.one_standard_error, path.at_edge) == (None, None, None)
    assert np.isnan(path.metrics["validation_accuracy"][0]).all()


def test_zeros_are_those_given():
    summary = scored(tables({"baseline": {}, **L2}), same)
    (path,) = sweep_paths(summary, {"l2=1e-05": 0.25, "baseline": 0.1})
    np.testing.assert_equal(path.zeros, [0.25, np.nan, np.nan, np.nan])


scores = st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=20, max_size=20)


@settings(max_examples=40, deadline=None)
@given(scores, scores)
def test_the_choice_ignores_the_test_set(validation, test):
    names = list(L2)
    table = np.array(validation).reshape(4, 5)

    def study(tested):
        def score(name, changes, seed):
            return table[names.index(name), seed] if name in names else 0.5

        return scored(tables({"baseline": {}, **L2}), score, test=tested)

    (path,), (other,) = (
        sweep_paths(study(lambda name, seed: 0.1)),
        sweep_paths(study(lambda name, seed: test[5 * names.index(name) + seed] if name in names else 0.9)),
    )
    assert (path.chosen, path.one_standard_error) == (other.chosen, other.one_standard_error)
    means = table.mean(axis=1)
    assert means[path.chosen] == pytest.approx(means.max())
    simpler = path.one_standard_error
    error = table[path.chosen].std(ddof=1) / np.sqrt(5)
    assert simpler >= path.chosen
    assert means[simpler] >= means.max() - error - 1e-9
    assert all(means[i] < means.max() - error + 1e-9 for i in range(simpler + 1, 4))
