"""What can be seen of a study before training."""

from __future__ import annotations

import numpy as np
import pytest

import wellfit
from wellfit.errors import DataError, UnknownNameError
from wellfit.report.marks.static import alt_text
from wellfit.spec.study import load_study


def test_examples_of_either_split_with_their_numbers() -> None:
    study, data = wellfit.Study("digits"), wellfit.load_dataset("digits")
    figure = study.plot_examples(range(25), split="test", numbers=True)
    names = ", ".join(f"{label} {data.classes[label]}" for label in data.y_test[:25])
    assert alt_text(figure) == f"{data.title}, test examples. 25 examples: {names}."
    assert alt_text(study.plot_examples([0], title="mine")).startswith("mine. 1 examples: ")
    with pytest.raises(UnknownNameError, match="unknown split 'validation'"):
        study.plot_examples([0], split="validation")


def test_one_image_large_with_pixels_and_a_color_bar() -> None:
    study, data = wellfit.Study("digits"), wellfit.load_dataset("digits")
    figure = study.plot_examples([7], numbers=True, color_bar=True, pixels=True)
    axes, bar = figure.axes
    assert axes.get_title(loc="left") == f"{data.y_train[7]} {data.classes[data.y_train[7]]}"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "2", "4", "6"]
    width = np.diff(axes.images[0].get_extent()[:2]).item()
    np.testing.assert_allclose(axes.get_xticks(), (np.array([0, 2, 4, 6]) + 0.5) * width / 8)
    assert bar.get_ylim() == (0, 16)
    assert not axes.xaxis.get_gridlines()[0].get_visible()
    with pytest.raises(DataError, match="axes of pixels belong to one image, but there are 2; choose one row"):
        study.plot_examples([0, 1], pixels=True)
    colors = wellfit.make_dataset(np.zeros((30, 4, 4, 3), np.uint8), np.arange(30) % 3, name="colors")
    with pytest.raises(DataError, match="a color bar explains gray values, but these images have colors"):
        wellfit.Study(colors).plot_examples([0], color_bar=True)


def test_points_of_either_split() -> None:
    study = wellfit.Study("cosines")
    figure = study.plot_scatter()
    assert alt_text(figure).endswith("Scatter plot of 2,000 examples: 1,000 of x2 = cos x1, 1,000 of x2 = a + cos x1.")
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("x1", "x2")
    assert "test examples" in alt_text(study.plot_scatter("test"))
    with pytest.raises(DataError, match="digits does not have two features of numbers"):
        wellfit.Study("digits").plot_scatter()


def test_a_point_with_a_missing_value_is_left_out() -> None:
    x = np.array([[0.0, 1.0], [np.nan, 1.0], [1.0, 0.0]] * 20)
    figure = wellfit.Study(x, np.arange(60) % 2).plot_scatter(title="points")
    drawn = sum(len(collection.get_offsets()) for collection in figure.axes[0].collections)
    assert 0 < drawn == int(alt_text(figure).split("Scatter plot of ")[1].split(" ")[0])


def test_the_parameters_depend_on_the_size_of_the_images() -> None:
    study = wellfit.Study(wellfit.load_dataset("digits"), wellfit.mlp(128, 64))
    totals = [study.model_summary(input_shape=(side, side)).attrs["total"] for side in (14, 28, 56)]
    assert totals == [128 * side**2 + 128 + 8256 + 650 for side in (14, 28, 56)]
    assert study.model_summary().attrs["total"] == 128 * 64 + 128 + 8256 + 650


def test_a_variants_summary_has_its_own_rates() -> None:
    study = wellfit.Study.from_toml("lab-optimizers", data="digits")
    assert load_study("lab-optimizers").variants["two-dropouts"]
    for variant, rates in (("adam", ["rate 0.5", "rate 0"]), ("two-dropouts", ["rate 0.5", "rate 0.5"])):
        table = study.model_summary(variant).set_index("layer")
        assert table.setting[["dropout_1", "dropout_2"]].tolist() == rates


def test_an_untrained_network_is_a_table_of_probabilities() -> None:
    table = wellfit.Study("digits").untrained([5, 2], split="test")
    assert table.index.tolist() == [5, 2]
    assert table.index.name == "test_row"
    assert table.columns.tolist() == [*wellfit.load_dataset("digits").classes, "sum"]
    assert table["sum"].tolist() == pytest.approx([1, 1], abs=1e-6)
    assert table.iloc[:, :-1].to_numpy().max() < 0.5  # nothing is known yet
