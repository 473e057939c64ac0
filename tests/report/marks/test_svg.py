from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
from matplotlib.figure import Figure

from summaries import hostile, study
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.fonts import quiet
from wellfit.report.marks.svg import inline_svg, svg_text
from wellfit.report.numbers import curve_data
from wellfit.report.subjects.confusion.static import plot_confusion
from wellfit.report.subjects.curves.static import plot_learning_curve, plot_small
from wellfit.report.subjects.ranking.static import plot_intervals


def test_a_figure_becomes_one_labeled_element():
    root = ElementTree.fromstring(inline_svg(plot_intervals(study())))
    assert root.get("role") == "img"
    assert root.get("aria-label", "").startswith("Interval plot of test accuracy")
    assert "early-stopping" in [text.text for text in root.iter("text")]  # text stays text


def test_its_colors_are_the_page_s():
    drawn = inline_svg(plot_learning_curve(study(), "l2"))
    assert "var(--s1)" in drawn
    assert not [color for color in LIGHT.values() if color in drawn]


def test_its_colors_may_be_others():
    wanted = {role: f"color-mix(in srgb, {color} 50%, white)" for role, color in LIGHT.items()}
    drawn = inline_svg(plot_intervals(study(variants=("baseline",))), wanted)
    assert "var(--" not in drawn
    assert wanted["s0"] in drawn


def test_it_has_no_style_sheet_and_no_metadata():
    drawn = inline_svg(plot_confusion(study(), "l2"))
    assert "<style" not in drawn
    assert "<metadata" not in drawn
    assert not re.search(r"<g id=", drawn)


def test_ids_of_two_figures_differ():
    found = [set(re.findall(r'id="([^"]+)"', inline_svg(plot_learning_curve(study(), v)))) for v in ("l2", "l1")]
    assert found[0]
    assert not found[0] & found[1]


def test_the_same_figure_is_the_same_text():
    assert inline_svg(plot_intervals(study())) == inline_svg(plot_intervals(study()))


def test_names_are_escaped_and_a_name_like_a_color_is_kept():
    ElementTree.fromstring(inline_svg(plot_intervals(hostile())))
    plain = study(variants=("baseline",))
    odd = replace(plain, variants=(replace(plain.variants[0], name=LIGHT["s1"]),))
    assert f">{LIGHT['s1']}</text>" in inline_svg(plot_intervals(odd))


def test_characters_that_xml_forbids_are_left_out():
    (axes,) = (figure := plot_learning_curve(study(), "l2")).axes
    axes.set_title("a\x00b\x07c\ufffe")
    with quiet():
        drawn = svg_text(figure)
    titles = [text.text for text in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert "abc" in titles


def test_lengths_are_rounded_and_what_is_invisible_goes():
    summary = study(variants=("baseline",), epochs=30)
    drawn = inline_svg(plot_small(summary, "baseline"))
    root = ElementTree.fromstring(drawn)
    for element in root.iter():
        for name in ("d", "x", "y"):
            assert not re.search(r"\.\d\d", element.get(name, ""))
    assert not [g for g in root.iter("g") if not g.attrib]
    assert "font-family" not in drawn
    assert len(drawn) < 6_000


def test_a_curve_is_drawn_to_scale():
    summary = study(variants=("baseline",), epochs=12)
    figure = plot_small(summary, "baseline", limits=(0.0, 3.0))
    root = ElementTree.fromstring(inline_svg(figure))
    strokes = [path for path in root.iter("path") if "stroke:var(--s0)" in path.get("style", "")]
    (line,) = [path for path in strokes if "dash" not in path.get("style")]
    steps = np.array(re.split("[ Ml]", line.get("d"))[1:], float).reshape(-1, 2)
    height = np.cumsum(steps[:, 1])
    curve = curve_data(summary, "baseline", "validation_loss")
    box = figure.axes[0].get_position().height * 72 * figure.get_size_inches()[1]
    np.testing.assert_allclose(height[0] - height, box * (curve.mean - curve.mean[0]) / 3, atol=0.11)  # of tenths


def test_points_of_one_style_share_it():
    axes = Figure().add_subplot()
    axes.scatter([0, 1, 2], [0, 1, 2], color=LIGHT["s1"])
    root = ElementTree.fromstring(inline_svg(axes.figure))
    (points,) = [g for g in root.iter("g") if len(list(g.iter("use"))) == 3]
    assert "var(--s1)" in points.get("style", "")
    assert not [use for use in points.iter("use") if use.get("style")]


def test_a_path_is_relative_and_its_rounding_does_not_add_up():
    axes = Figure(figsize=(1, 1)).add_axes((0, 0, 1, 1))
    axes.plot(np.linspace(0, 1, 1000), np.linspace(0, 1, 1000) ** 2, color=LIGHT["s1"])
    axes.set(xlim=(0, 1), ylim=(0, 1))
    root = ElementTree.fromstring(inline_svg(axes.figure))
    (line,) = [path for path in root.iter("path") if "stroke:var(--s1)" in path.get("style", "")]
    steps = np.array(re.split("[ Ml]", line.get("d"))[1:], float).reshape(-1, 2)
    np.testing.assert_allclose(np.cumsum(steps, axis=0)[-1], [72, 0], atol=0.051)  # a tenth, rounded
