from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import wellfit
from wellfit.api import Results
from wellfit.errors import DataError, StoreError, StudyFileError, UnknownNameError
from wellfit.plots import Plots
from wellfit.report.marks.static import alt_text

METHODS = sorted(name for name in vars(Plots) if name.startswith("plot_"))
OTHERS = {"plot_regions", "plot_region_panels", "plot_path", "plot_grid"}
"""Methods that want other data than the digits, or a sweep."""


@pytest.fixture(scope="module")
def results(finished_study: Path) -> Results:
    return Results(finished_study)


@pytest.fixture(scope="module")
def plane() -> Results:
    """A sweep on data with two features."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 300)  # (300,)
    x = generator.normal(y[:, None] * 2.0, 1.0, (300, 2))  # (300, 2)
    data = wellfit.make_dataset(x, y, name="plane")
    variants = {"none": {}, "weak": {"l2": 1e-3}, "strong": {"l2": 1e-1}}
    return wellfit.Study(data, wellfit.mlp(4), variants, scale="standardize", epochs=2, seeds=2).run()


def check(plot: Any) -> None:
    figure = plot()
    assert isinstance(figure, Figure)
    assert alt_text(figure)
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]  # how a notebook shows it
    axes = Figure().subplots()
    assert plot(ax=axes) is axes  # a notebook shows a figure of pyplot by itself, and must not show it twice
    assert not hasattr(axes, "_repr_png_")
    assert axes.has_data() or axes.texts


@pytest.mark.parametrize("method", sorted(set(METHODS) - OTHERS))
def test_every_plot_makes_a_figure_or_draws_on_given_axes(method: str, results: Results) -> None:
    check(getattr(results, method))


def test_plots_of_two_features(plane: Results) -> None:
    check(plane.plot_regions)
    one, other = plane.plot_regions("strong"), plane.plot_regions("strong", disagreement=True)
    assert alt_text(one).startswith("Decision regions of strong")
    assert alt_text(other).startswith("Disagreement of the seeds of strong")
    single = plane.plot_regions("strong", seed=1)
    assert alt_text(single).startswith("Decision regions of strong, seed 1: ")
    assert single.axes[0].get_title(loc="left") == "strong, seed 1"
    panels = plane.plot_region_panels()
    assert [axes.get_title(loc="left") for axes in panels.axes] == ["none", "weak", "strong"]
    assert panels._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    some = plane.plot_region_panels(["strong", "none"], seed=0)
    assert [axes.get_title(loc="left") for axes in some.axes] == ["strong, seed 0", "none, seed 0"]


def test_plots_of_a_sweep(plane: Results) -> None:
    check(plane.plot_path)
    assert plane.plot_path("l2", "loss").axes[0].get_ylabel() == "cross-entropy loss"
    with pytest.raises(UnknownNameError, match="unknown sweep 'l1' in study 'study'"):
        plane.plot_path("l1")


def test_plots_of_two_crossed_settings() -> None:
    variants = {f"{l2:g}_{rate:g}": {"l2": l2, "dropout": rate} for l2 in (1e-4, 1e-2) for rate in (0.1, 0.5)}
    crossed = wellfit.Study("digits", wellfit.mlp(4), variants, epochs=1, seeds=2).run()
    check(crossed.plot_grid)
    with pytest.raises(UnknownNameError, match="unknown metric 'accuracy'"):
        crossed.plot_grid("accuracy")


def test_plots_of_choice(results: Results) -> None:
    names = [v.name for v in results.summary.variants]
    assert results.plot_reliability(names[1]).axes[0].get_title(loc="left") == names[1]
    assert alt_text(results.plot_per_class()).startswith(f"Recall and precision by class, {names[0]}")
    assert alt_text(results.plot_weights(names[1])).startswith(f"Histogram of the weights of {names[1]}")
    assert alt_text(results.plot_weights()).startswith("Norm of all kernels by epoch")
    assert alt_text(results.plot_weight_ridge(names[1], "dense_1/bias")).startswith(
        f"Distribution of the weights dense_1/bias of {names[1]}, seed 0, by epoch: after epoch 1 "
    )
    assert {axes.get_yscale() for axes in results.plot_curves(log=True).axes} == {"log"}
    alone = results.plot_curves("accuracy", names[1])
    assert [axes.get_title(loc="left") for axes in alone.axes] == [names[1]]
    counts = results.plot_confusion(names[1], seed=1, counts=True)
    assert counts.axes[0].get_title(loc="left") == f"{names[1]}, seed 1: counts"
    cells = sum(int(text.get_text().replace(",", "")) for text in counts.axes[0].texts)
    assert cells == len(results.predictions(10_000, names[1], seed=1))
    against = results.plot_confusion_difference(names[1], names[2])
    assert against.axes[0].get_title(loc="left") == f"{names[1]} − {names[2]}"
    usual = results.plot_confusion_difference(names[1])
    assert usual.axes[0].get_title(loc="left") == f"{names[1]} − {names[0]}"
    most = results.plot_mistakes("most", names[1], count=3)
    assert len(most.axes[0].images) == 3
    row = int(results.mistakes()["test_row"][0])
    assert f"row {row} " in alt_text(results.plot_mistakes(rows=[row]))


def test_details_are_computed_once(results: Results) -> None:
    assert results.details is results.details


def test_what_is_not_there_is_told_in_one_line(results: Results, plane: Results, study_copy: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown variant 'l3' in study"):
        results.plot_reliability("l3")
    with pytest.raises(UnknownNameError, match="unknown kind of mistake"):
        results.plot_mistakes("worst")
    with pytest.raises(StudyFileError, match="has no decision regions: they need data with two features"):
        results.plot_regions()
    with pytest.raises(StudyFileError, match="has no decision regions: they need data with two features"):
        results.plot_region_panels()
    with pytest.raises(StudyFileError, match="strong has no tested run with seed 7; it has 0, 1"):
        plane.plot_regions("strong", seed=7)
    with pytest.raises(StudyFileError, match=r"has no sweep over a number; add a \[sweeps\] table"):
        results.plot_path()
    with pytest.raises(StudyFileError, match="has no sweep over two settings"):
        results.plot_grid()
    with pytest.raises(DataError, match="are not images"):
        plane.plot_mistakes()
    with pytest.raises(DataError, match="use plot_weight_histogram"):
        plane.plot_filters()
    with closing(sqlite3.connect(study_copy / "study.db")) as connection:
        connection.executescript("DELETE FROM runs; DELETE FROM epochs;")
    empty = Results(study_copy)
    with pytest.raises(StudyFileError, match="has been tested; run the study first"):
        empty.plot_mistakes()
    with pytest.raises(StudyFileError, match="has no test result"):
        empty.plot_reliability()
    with pytest.raises(StudyFileError, match="has no difference from the first variant"):
        results.plot_confusion_difference(results.summary.variants[0].name)


def test_a_figure_is_saved_for_a_paper(results: Results, tmp_path: Path) -> None:
    page = results.save_plot(tmp_path / "loss.pdf", "curves", metric="loss")
    assert page.read_bytes().startswith(b"%PDF-")
    assert page.read_bytes() == results.save_plot(tmp_path / "again.PDF", "curves").read_bytes()
    drawn = results.save_plot(str(tmp_path / "ranking.svg"), "ranking").read_text()
    assert 'width="3.4000in"' in drawn
    assert "Variants ranked by mean test accuracy" in drawn


def test_a_figure_that_cannot_be_saved_is_told_in_one_line(results: Results, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown figure 'curve'; did you mean 'curves'"):
        results.save_plot(tmp_path / "a.pdf", "curve")
    with pytest.raises(UnknownNameError, match=r"unknown format 'png' in .*a\.png \(known: pdf, svg\)"):
        results.save_plot(tmp_path / "a.png", "curves")
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(StoreError, match="cannot be written: Is a directory; free disk space"):
        results.save_plot(tmp_path / "a.svg", "ranking")
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
