from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from summaries import hostile, study
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.svg import inline_svg
from wellfit.report.subjects.confusion.static import plot_confusion
from wellfit.report.subjects.curves.static import plot_intervals, plot_learning_curve


def test_a_figure_becomes_one_labelled_element():
    root = ElementTree.fromstring(xml(inline_svg(plot_intervals(study()))))
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


def test_nothing_in_it_rules_the_page():
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
    ElementTree.fromstring(xml(inline_svg(plot_intervals(hostile()))))
    plain = study(variants=("baseline",))
    odd = replace(plain, variants=(replace(plain.variants[0], name=LIGHT["s1"]),))
    assert f">{LIGHT['s1']}</text>" in inline_svg(plot_intervals(odd))


def xml(text):
    return str(text).replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1)
