"""Charts in a browser: lines that are named, switched, pointed at and saved."""

from __future__ import annotations

import csv
import io
import itertools
import re
from xml.etree import ElementTree

import numpy as np

from browsing import OPEN, RENDERERS, SHOWN, scroll_to, until
from detailed import details
from summaries import hostile, study
from wellfit.report.forms.tables import latex_table
from wellfit.report.marks.colors import DARK, LIGHT
from wellfit.report.numbers import curve_data, interesting
from wellfit.report.parts import Table
from wellfit.report.subjects.mistakes.gallery_data import by_use

# --- Copies -----------------------------------------------------------------------------------------------------------


def copied(tab, section, form):
    """What a button puts on the clipboard."""
    tab.evaluate(OPEN, f"#{section} table")
    tab.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    tab.locator(f"#{section} .tools button", has_text=form).first.click()
    return tab.evaluate("window.copied")


def test_a_table_is_copied_as_latex_and_as_csv(visit):
    summary, tab = hostile(), visit("hostile")
    rows = list(csv.reader(io.StringIO(copied(tab, "results", "CSV"))))
    assert rows[0][:4] == ["Variant", "Test accuracy", "Test accuracy, low", "Test accuracy, high"]
    assert len({len(row) for row in rows}) == 1
    for row, variant in zip(rows[1:], summary.variants, strict=True):
        assert row[0].removeprefix("'") == " ".join(variant.name.split())
        mean = variant.mean.get("test_accuracy")
        assert row[1] == ("" if mean is None else f"{100 * mean:.2f}")
    latex = copied(tab, "results", "LaTeX").splitlines()
    table = Table(tuple(rows[0]), ((" ".join(summary.variants[1].name.split()),),))
    escaped = latex_table(table).splitlines()[5].removesuffix(r" \\").removeprefix("{}")
    assert latex[:2] == [r"% \usepackage{booktabs}", r"\begin{tabular}{lrlrrr}"]
    assert latex[-2:] == [r"\bottomrule", r"\end{tabular}"]
    assert latex[6].removeprefix("{}").startswith(escaped)


def test_a_figure_is_saved_as_a_file_of_its_own(visit, tmp_path):
    tab = visit()
    with tab.expect_download() as started:
        tab.locator("#curves .tools button").first.click()
    assert started.value.suggested_filename.startswith("curves")
    started.value.save_as(tmp_path / "figure.svg")
    drawing = ElementTree.parse(tmp_path / "figure.svg").getroot()
    text = (tmp_path / "figure.svg").read_text()
    assert drawing.tag.endswith("svg")
    assert float(drawing.get("width")) > 100
    assert LIGHT["s1"] in text or "rgb(17, 76, 166)" in text  # a line of the second variant
    assert "var(" not in text
    assert 'class="' not in text


def test_a_chart_is_saved_as_it_is_shown(visit, tmp_path):
    tab = visit()
    scroll_to(tab, "chart-loss")
    until(tab, "() => document.querySelectorAll('#chart-loss .ends li').length > 0", True)
    tab.locator("input[name=metric][value=accuracy]").check()
    until(tab, "() => document.querySelectorAll('#chart-accuracy .ends li').length > 0", True)
    names = tab.locator("#chart-accuracy .ends li").all_inner_texts()
    with tab.expect_download() as started:
        tab.locator("#curves .tools button").first.click()
    assert started.value.suggested_filename == "curves-accuracy.svg"
    started.value.save_as(tmp_path / "chart.svg")
    text = (tmp_path / "chart.svg").read_text()
    said = [element.text for element in ElementTree.parse(tmp_path / "chart.svg").iter() if element.text]
    assert "accuracy, percent" in said
    assert {name.strip() for name in names} <= set(said)
    assert "var(" not in text


def test_a_saved_sweep_has_its_own_key(visit, tmp_path):
    tab = visit()
    scroll_to(tab, "chart-path-0")
    until(tab, "() => drawnCharts['chart-path-0'] !== undefined", True)
    with tab.expect_download() as started:
        tab.locator("article.path figure .tools button").first.click()
    started.value.save_as(tmp_path / "sweep.svg")
    said = {element.text.strip() for element in ElementTree.parse(tmp_path / "sweep.svg").iter() if element.text}
    assert {label.strip() for label in tab.locator("article.path .key > span").first.all_inner_texts()} <= said
    assert "baseline" not in said


def test_an_image_is_enlarged_with_its_row(visit):
    tab = visit()
    mistakes = by_use(details(study(epochs=25)).mistakes)
    tab.select_option("#gallery-kind", label="wrong in every run of every variant")
    tab.locator("#gallery .enlarge").first.click()
    heading = tab.locator("dialog h3").inner_text()
    row = int(re.search(r"Test row ([\d,]+), ", heading)[1].replace(",", ""))
    assert row == mistakes.all_wrong[0]
    assert tab.locator("dialog dl > div").count() == len(mistakes.variants)
    tab.keyboard.press("Escape")
    until(tab, "() => document.querySelectorAll('dialog').length", 0)


# --- Charts -----------------------------------------------------------------------------------------------------------


def test_charts_take_the_place_of_figures_when_they_come_near(visit):
    tab = visit()
    assert tab.locator("#chart-norms canvas").count() == 0
    for element in ("chart-loss", "chart-path-0", "chart-reliability", "chart-norms"):
        scroll_to(tab, element)
        assert not tab.locator(f"figure:has(#{element}) .static").is_visible()
    assert not tab.locator("#chart-log-loss").is_visible()
    inside = """() => [...document.querySelectorAll("script.chart-document")].flatMap((s) =>
      Object.entries(JSON.parse(s.dataset.roots)).filter(([place, root]) =>
        Bokeh.index.get_by_id(root).el.closest(".chart").id !== place))"""
    assert tab.evaluate(inside) == []  # every chart stands in its own place


def test_switching_a_variant_or_a_split_hides_its_lines(visit):
    tab = visit()
    scroll_to(tab, "chart-loss")
    until(tab, f"() => ({SHOWN})().includes('v1-gap')", True)
    assert {"v1-train", "v1-validation", "v5-stop"} <= set(tab.evaluate(SHOWN))
    tab.locator("input[name=variant][value='1']").uncheck()
    tab.locator("input[name=split][value=train]").uncheck()
    names = set(tab.evaluate(SHOWN))
    assert names
    assert not [n for n in names if re.match(r"v1-|v\d+-train", n)]
    assert "v0-gap" in names
    scroll_to(tab, "chart-norms")  # a chart that is drawn later knows what was chosen before
    until(tab, f"() => ({SHOWN})().includes('v0-norm')", True)
    assert "v1-norm" not in tab.evaluate(SHOWN)
    tab.get_by_role("button", name="none").click()
    assert not [n for n in tab.evaluate(SHOWN) if re.match(r"v\d", n)]


ALPHA = f"(tag) => {RENDERERS}.find((r) => r.tags[0] === tag).glyph.line_alpha.value"


def test_every_line_is_named_at_its_end_and_no_name_covers_another(visit):
    tab = visit()
    scroll_to(tab, "chart-loss")
    wanted = sorted(tab.locator("label:has(input[name=variant])").all_inner_texts())
    for chart in ("loss", "accuracy", "gap"):
        tab.locator(f"input[name=metric][value={chart}]").check()
        assert tab.locator(".chart:visible").first.get_attribute("id") == f"chart-{chart}"
        until(tab, f"() => document.querySelectorAll('#chart-{chart} .ends li').length", len(wanted))
        names = tab.locator(f"#chart-{chart} .ends li")
        assert sorted(names.all_inner_texts()) == wanted
        boxes = sorted((n.bounding_box() for n in names.all()), key=lambda box: box["y"])
        assert all(b["y"] - a["y"] >= 14.5 for a, b in itertools.pairwise(boxes))
    tab.locator("input[name=variant][value='1']").uncheck()
    until(tab, "() => document.querySelectorAll('#chart-gap .ends [data-variant=\"1\"]').length", 0)


def test_a_name_that_is_pointed_at_or_focused_brings_out_its_lines(visit):
    tab = visit()
    scroll_to(tab, "chart-loss")
    until(tab, f"() => ({ALPHA})('v0-gap')", 1)
    tab.locator("label:has(input[value='1'])").hover()
    until(tab, f"() => ({ALPHA})('v0-gap')", 0.18)
    assert tab.evaluate(ALPHA, "v1-gap") == 1
    tab.mouse.move(1, 1)
    until(tab, f"() => ({ALPHA})('v0-gap')", 1)
    tab.locator("input[name=variant][value='2']").focus()
    until(tab, f"() => ({ALPHA})('v1-gap')", 0.18)
    assert tab.evaluate(ALPHA, "v2-gap") == 1


COLOR = f"(tag) => {RENDERERS}.find((r) => r.tags[0] === tag).glyph.line_color.value"


def test_of_many_variants_most_are_gray_until_they_are_pointed_at_or_pinned(visit):
    tab = visit("many", color_scheme="light")
    scroll_to(tab, "chart-loss")
    gray = f"() => {RENDERERS}.filter((r) => r.visible && r.glyph.line_color?.value === '{LIGHT['crowd']}').length"
    lines = f"() => new Set(({SHOWN})().map((t) => /^v\\d+/.exec(t)?.[0]).filter(Boolean)).size"
    until(tab, lines, 17)
    of_loss = 16
    assert tab.evaluate(gray) % of_loss == 0
    before = tab.evaluate(gray)
    assert before > 0
    tab.locator("label:has(input[value='3'])").hover()
    until(tab, f"() => ({COLOR})('v3-validation') === '{LIGHT['crowd']}'", False)
    tab.mouse.move(1, 1)
    until(tab, f"() => ({COLOR})('v3-validation')", LIGHT["crowd"])
    tab.locator("input[name=variant][value='3']").check()
    tab.mouse.move(1, 1)
    assert tab.evaluate(COLOR, "v3-validation") != LIGHT["crowd"]
    tab.get_by_role("button", name="best on validation").click()
    assert tab.locator("input[name=variant]:checked").count() == 6
    tab.locator("input[name=others]").uncheck()
    assert tab.evaluate(lines) == 6
    tab.get_by_role("button", name="all").click()
    assert tab.evaluate(lines) == tab.locator("input[name=variant]").count() == 17


def test_the_value_axis_is_that_of_the_static_figures_unless_the_first_epochs_are_wanted(visit):
    tab, summary = visit(), study(epochs=25)
    scroll_to(tab, "chart-loss")
    ends = "() => Bokeh.documents.flatMap((d) => d.roots()).map((r) => r.y_range).map((r) => [r.start, r.end])[0]"
    curves = [curve_data(summary, v.name, f"{s}_loss") for v in summary.variants for s in ("train", "validation")]
    np.testing.assert_allclose(tab.evaluate(ends), interesting(curves), rtol=1e-5)  # single precision
    tab.locator("input[name=whole]").check()
    assert tab.evaluate(ends)[1] > max(curve.mean.max() for curve in curves)


def test_the_loss_axis_can_be_logarithmic(visit):
    tab = visit()
    scroll_to(tab, "chart-loss")
    tab.locator("input[name=log]").check()
    tab.locator("#chart-log-loss canvas").first.wait_for(state="visible")
    assert not tab.locator("#chart-loss").is_visible()
    tab.locator("input[name=metric][value=gap]").check()
    assert tab.locator("input[name=log]").is_disabled()
    tab.locator("#chart-gap canvas").first.wait_for(state="visible")


def test_charts_follow_the_page_into_the_dark(visit):
    tab = visit(color_scheme="light")
    scroll_to(tab, "chart-loss")
    color = "() => Bokeh.documents[0].roots()[0].below[0].major_label_text_color"
    line = f"() => {RENDERERS}.find((r) => r.tags[0] === 'v1-validation').glyph.line_color.value"
    until(tab, line, LIGHT["s1"])
    tab.emulate_media(color_scheme="dark")
    until(tab, color, DARK["muted"])
    assert tab.evaluate(line) == DARK["s1"]
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"


POINT = """([element, tag, at]) => {
  const views = Bokeh.documents.flatMap((d) => d.roots()).map((root) => Bokeh.index.get_by_id(root.id));
  const view = views.find(({ el }) => el.closest(".chart").id === element);
  const { glyph, data_source: { data } } = view.model.renderers.find((r) => r.tags[0] === tag);
  const box = view.el.getBoundingClientRect(), { x_scale, y_scale } = view.frame;
  return [box.left + x_scale.compute(data[glyph.x.field][at]), box.top + y_scale.compute(data[glyph.y.field][at])];
}"""


def pointed_at(tab, element, tag, at, cells=".bk-Tooltip .bk-tooltip-row-value"):
    """What the tooltips say, cell by cell, when a point of a chart is pointed at."""
    scroll_to(tab, element)
    until(
        tab,
        f"() => Bokeh.documents.some((d) => d.roots().some(r => r.renderers.some(r => r.tags[0] === '{tag}')))",
        True,
    )
    x, y = tab.evaluate(POINT, [element, tag, at])
    tab.mouse.move(x - 2, y)
    tab.mouse.move(x, y)
    tips = tab.locator(cells)
    tips.first.wait_for()
    return tips.all_inner_texts()


def test_a_tooltip_says_values_and_names_as_text(visit):
    summary, tab = hostile(), visit("hostile")
    name = summary.variants[1].name
    curve = curve_data(summary, name, "validation_loss")
    output = pointed_at(tab, "chart-loss", "v1-validation", 9, "#chart-loss .tip tr")
    assert output[0].split("\t") == ["epoch 10", "validation", "training"]
    train = curve_data(summary, name, "train_loss").mean[9]
    assert f"{name}\t{curve.mean[9]:.3f}\t{train:.3f}" in output
    values = [float(row.split("\t")[1]) for row in output[1:]]
    assert values == sorted(values, reverse=True)
    assert len(values) == len(summary.variants)
    pointed = tab.locator("#chart-loss .tip .pointed").inner_text()
    assert pointed.startswith(name)
    assert tab.locator("#chart-loss .tip p").inner_text() == (
        f"{name}: {curve.low[9]:.3f} to {curve.high[9]:.3f} over 5 runs"
    )
    found = details(summary)
    mean, low, high = (100 * column[1] for column in found.paths[0].metrics["test_accuracy"])
    output = pointed_at(tab, "chart-path-0", "test-point", 1)
    assert output == [f"{name}, test", f"{found.paths[0].values[1]:g}", f"{mean:.2f} %", f"[{low:.2f}, {high:.2f}]"]
    output = pointed_at(tab, "chart-reliability", "v1-reliability-points", 5)
    assert name in output
    assert f"{found.calibration[name].count[5]:,}" in output
    assert tab.locator("img, main script:not([type='application/json'])").count() == 0  # in no shadow root either
    assert tab.title() == summary.title
