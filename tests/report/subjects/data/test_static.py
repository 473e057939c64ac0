from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from detailed import details, table_look
from summaries import CLASSES as TEN
from summaries import study
from wellfit.errors import DataError
from wellfit.report.marks.static import alt_text, image_size
from wellfit.report.subjects.data.static import (
    plot_augmented,
    plot_classes,
    plot_data,
    plot_examples,
    plot_points,
)

CLASSES = ("cat", "dog", "a $5 newt of a class that has a long name")


def draw(figure, dpi=40):
    """Lay out and draw for real, so that what matplotlib would complain of is an error here."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return np.asarray(Image.open(buffer).convert("RGB"))


def shown(figure):
    """The pictures of a figure's only axes, in the order they were drawn, each with its corners."""
    (axes,) = figure.axes
    return [(np.asarray(image.get_array()), image.get_extent()) for image in axes.images]


def texts(figure):
    (axes,) = figure.axes
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("shape", [(6, 4), (4, 6, 1), (5, 5, 3), (5, 5, 4), (1, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images_of_every_form_are_drawn(shape, dtype):
    images = np.ones((3, *shape), dtype)
    labels = np.array([2, 0, 0])
    for figure in (
        plot_examples(images, labels, CLASSES, title="some $data$"),
        plot_classes(images, labels, CLASSES, title="some $data$"),
        plot_augmented(images, np.stack([images, images], axis=1), CLASSES, title="some $data$"),
    ):
        assert draw(figure).min() < 250
        assert alt_text(figure).startswith("some $data$. ")


def test_bytes_and_floats_of_the_same_brightness_look_the_same():
    pixels = np.array([[[0, 51], [102, 255]]], np.uint8)  # (1, 2, 2)
    expected = np.repeat(pixels[0][..., None], 3, axis=2)
    for images, white in ((pixels, None), (pixels / 255, None), (pixels.astype(float), None), (pixels / 5, 51)):
        ((picture, _),) = shown(plot_examples(images, np.array([0]), CLASSES, pixel_max=white))
        np.testing.assert_array_equal(picture, expected)


def test_dark_floats_are_not_brightened_and_what_is_beyond_white_is_white():
    images = np.array([[[0.2, 0.4]]])
    ((picture, _),) = shown(plot_examples(images, np.array([0]), CLASSES))
    assert picture[0, :, 0].tolist() == [51, 102]
    forms = np.array([[[[-3.0, 0.4]], [[0.2, 9.0]]]])  # (1, 2, 1, 2)
    _, first, second = shown(plot_augmented(images, forms, ["cat"]))
    assert first[0][0, :, 0].tolist() == [0, 102]
    assert second[0][0, :, 0].tolist() == [51, 255]


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_a_grid_shows_every_image_once_without_overlap(images):
    labels = np.arange(len(images)) % 3
    figure = plot_examples(images, labels, CLASSES, columns=3)
    pictures = shown(figure)
    assert len(pictures) == len(images)
    width, height = image_size(images)
    assert max(width, height) == 1
    assert np.isclose(width / height, images.shape[2] / images.shape[1])
    for place, (picture, (left, right, bottom, top)) in enumerate(pictures):
        np.testing.assert_array_equal(picture, images[place])
        assert np.allclose((right - left, bottom - top), (width, height))
        for _, (other_left, other_right, other_bottom, other_top) in pictures[:place]:
            beside = left >= other_right or right <= other_left
            assert beside or top >= other_bottom or bottom <= other_top


def test_every_example_is_named_below_itself():
    figure = plot_examples(np.zeros((3, 4, 4), np.uint8), np.array([1, 0, 2]), CLASSES)
    assert texts(figure)[:2] == ["dog", "cat"]
    assert texts(figure)[2].startswith("a \\$5 newt of a\n")
    assert texts(figure)[2].endswith("…")
    (axes,) = figure.axes
    for (_, (left, right, bottom, _)), text in zip(shown(figure), axes.texts, strict=True):
        x, y = text.get_position()
        assert left < x < right
        assert y > bottom
    assert alt_text(figure) == f"3 examples: dog, cat, {CLASSES[2]}."


def test_a_grid_of_25_is_5_by_5():
    lefts = {round(extent[0], 6) for _, extent in shown(plot_examples(np.zeros((25, 2, 2)), np.zeros(25, int), "a"))}
    assert len(lefts) == 5


def test_classes_have_a_row_each_and_absent_ones_none():
    images = np.arange(4, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)  # (4, 2, 2), each of its own gray
    figure = plot_classes(images, np.array([2, 0, 2, 2]), CLASSES)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "a \\$5 newt of a class th…"]
    rows = {}
    for picture, (_, _, _, top) in shown(figure):
        rows.setdefault(top, []).append(int(picture[0, 0, 0]))
    assert list(rows.values()) == [[1], [0, 2, 3]]
    assert alt_text(figure).endswith(f"cat (1), {CLASSES[2]} (3).")


def test_a_row_is_the_original_and_its_forms():
    originals = np.array([10, 20], np.uint8).reshape(2, 1, 1)
    forms = np.array([[11.0, 12.0, 13.0], [21.0, 22.0, 23.0]]).reshape(2, 3, 1, 1)
    figure = plot_augmented(originals, forms, ["cat", "dog"])
    assert [int(picture[0, 0, 0]) for picture, _ in shown(figure)] == [10, 11, 12, 13, 20, 21, 22, 23]
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["original", "augmented"]
    assert alt_text(figure) == "2 images, each with 3 augmented forms: cat, dog."


def test_titles_and_names_stay_inside_the_figure():
    title = "a variant with a name: shift = 0.1, rotation = 15, flip = 0.5, zoom = 0.1, erasing = 0.5, noise = 0.1"
    images = np.zeros((2, 3, 8, 8))
    for figure in (
        plot_augmented(images[:, 0], images, CLASSES[1:], title=title),
        plot_classes(images[:, 0], np.array([1, 2]), CLASSES, title=title),
        plot_examples(images[:, 0], np.array([1, 2]), CLASSES, title=title),
    ):
        figure.savefig(BytesIO(), format="png")
        written = [text for text in figure.findobj(Text) if text.get_text()]
        assert len(written) > 2
        for text in written:
            box = text.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.x1
            assert box.y0 >= 0
            assert box.y1 <= figure.bbox.y1


def test_given_axes_are_drawn_on():
    images, labels = np.zeros((2, 3, 3)), np.array([0, 1])
    figure = Figure()
    first, second, third = figure.subplots(1, 3)
    assert plot_examples(images, labels, CLASSES, ax=first) is figure
    assert plot_classes(images, labels, CLASSES, ax=second) is figure
    assert plot_augmented(images, images[:, None], CLASSES[:2], ax=third) is figure
    assert [len(axes.images) for axes in figure.axes] == [2, 2, 4]
    draw(figure)


@pytest.mark.parametrize("shape", [(3, 64), (3,), (3, 4, 4, 2), (3, 4, 4, 4, 3)])
def test_what_is_no_picture_is_refused(shape):
    images = np.zeros(shape)
    with pytest.raises(DataError, match="are not images; give images"):
        plot_examples(images, np.zeros(3, int), CLASSES)
    with pytest.raises(DataError, match="are not images; give images"):
        plot_augmented(images, images[:, None], CLASSES)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_no_images_are_refused(dtype):
    none = np.zeros((0, 4, 4), dtype)
    for plot in (
        lambda: plot_examples(none, np.zeros(0, int), CLASSES),
        lambda: plot_classes(none, np.zeros(0, int), CLASSES),
        lambda: plot_augmented(none, none[:, None], ()),
    ):
        with pytest.raises(DataError, match="there are no images to show"):
            plot()


def test_the_overview_has_images_and_counts():
    data = details(study(variants=("baseline",))).data
    axes = plot_data(data, TEN).axes[0]
    assert len(axes.images) == len(TEN) * 8
    assert [label.get_text() for label in axes.get_yticklabels()] == list(TEN)
    assert {text.get_text() for text in axes.texts} == {"7,000"}
    assert len(axes.patches) == 3 * len(TEN)  # a bar of three splits a class
    color = replace(data, examples=np.zeros((10, 2, 5, 4, 3), np.uint8))
    assert len(plot_data(color, TEN).axes[0].images) == 20


def test_the_overview_of_a_table_has_counts_only():
    figure = plot_data(table_look(study(variants=("baseline",))), TEN)
    assert not figure.axes[0].images
    assert "2 features in 10 classes" in alt_text(figure)
    assert "Bag 80 training, 20 test" in alt_text(figure)
    widths = {round(bar.get_width(), 6) for bar in figure.axes[0].patches}
    assert max(widths) / min(widths) == pytest.approx(4)  # 80 to 20


def test_importing_loads_no_matplotlib_and_drawing_no_pyplot():
    code = (
        "import sys, numpy, wellfit.report.subjects.data.static as e;"
        "heavy = {'matplotlib', 'jax', 'pandas'} & set(sys.modules); assert not heavy, heavy;"
        "e.plot_classes(numpy.zeros((1, 4, 4)), [0], ['a']).savefig('/dev/null', format='png');"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4] / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr


def test_images_from_minus_one_to_one_are_not_clipped():
    images = np.array([[[-1.0, 0.0], [0.5, 1.0]]], np.float32)  # (1, 2, 2)
    ((picture, _),) = shown(plot_examples(images, np.array([0]), ("a",), pixel_max=1.0))
    np.testing.assert_array_equal(picture[..., 0].ravel(), [0, 128, 191, 255])
    first, second = shown(plot_augmented(images, images[:, None] - 0.5, ["a"], pixel_max=1.0))
    np.testing.assert_array_equal(first[0][..., 0].ravel(), [0, 128, 191, 255])
    np.testing.assert_array_equal(second[0][..., 0].ravel(), [0, 64, 128, 191])


def test_points_are_drawn_by_class_with_named_axes():
    points, labels = np.arange(12.0).reshape(6, 2), np.array([0, 1, 1, 0, 2, 0])
    figure = plot_points(points, labels, CLASSES, names=("width", "height"), title="leaves")
    axes = figure.axes[0]
    assert [len(collection.get_offsets()) for collection in axes.collections] == [3, 2, 1]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("width", "height", "leaves")
    assert alt_text(figure).startswith("leaves. Scatter plot of 6 examples: 3 of cat, 2 of dog, 1 of a $5 newt")
    draw(figure)
