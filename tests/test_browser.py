"""The page in a browser: what can be clicked, what can be printed, and that nothing leaves the file."""

from __future__ import annotations

import csv
import io
import itertools
import re
import shutil
import statistics
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from detailed import NOTHING, details
from heard import heard, nameless, pictures
from summaries import diverged, empty, hostile, running, study
from wellfit.base import Sentence
from wellfit.report.forms.page import write_page
from wellfit.report.forms.tables import latex_table
from wellfit.report.marks.colors import DARK, LIGHT
from wellfit.report.notes import notices
from wellfit.report.numbers import curve_data, interesting
from wellfit.report.parts import Table
from wellfit.report.subjects.mistakes.gallery_data import by_use

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, summary in (("study", study(epochs=25)), ("hostile", hostile())):
        write_page(summary, details(summary), folder / f"{name}.html")
    write_page(empty(), NOTHING, folder / "empty.html")
    two = study(variants=("baseline", "l2"), epochs=2, classes=("a", "b"))
    write_page(two, details(two, images=300), folder / "many-images.html")
    names = list("abcdefghijklmnopq")
    variants = tuple(replace(two.variants[1], name=name) for name in names)
    histories = dict.fromkeys(names, two.histories["l2"])
    many = replace(two, variants=variants, histories=histories, comparisons=(), confusion={}, ranking=())
    write_page(many, NOTHING, folder / "many.html")
    return folder


@pytest.fixture(scope="module")
def letters(files):
    """A page of as many classes as there are letters, one with a long name."""
    classes = (*"ABCDEFGHIJKLMNOPQRSTUVWXY", "Z, which has a name that is longer than any column or row could be")
    summary = study(variants=("baseline", "l2"), epochs=1, classes=classes)
    write_page(summary, replace(details(summary), mistakes=None), files / "letters.html")
    return classes


@pytest.fixture
def visit(browser, files):
    """Open a page; what it complained of or asked the network for is collected, and is an error at the end."""
    contexts, trouble = [], []

    def go(name="study", width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        tab.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else trouble.append(r.url))
        tab.goto((files / f"{name}.html").as_uri())
        return tab

    yield go
    for context in contexts:
        context.close()
    assert trouble == []


def overflow(tab):
    return tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


OPEN = """(selector) => {
  for (const found of document.querySelectorAll(selector))
    for (let fold = found.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
}"""


def scroll_to(tab, element):
    """Scroll to a chart so that it is drawn, in an open section."""
    tab.evaluate(OPEN, f"#{element}")
    tab.locator(f"figure:has(#{element})").scroll_into_view_if_needed()
    tab.wait_for_selector(f"#{element} canvas", state="attached", timeout=30_000)


CHARTS = ("chart-loss", "chart-path-0", "chart-reliability", "chart-norms")


def until(tab, script, wanted):
    """Wait for a value; the page's policy forbids wait_for_function, which evaluates text."""
    for _ in range(200):
        if tab.evaluate(script) == wanted:
            break
        tab.wait_for_timeout(50)
    assert tab.evaluate(script) == wanted


RENDERERS = "Bokeh.documents.flatMap((d) => d.roots()).flatMap((root) => root.renderers)"
SHOWN = f"() => [...new Set({RENDERERS}.filter((r) => r.visible).map((r) => r.tags[0]))]"


# --- On every screen --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("study", 1280, "dark"), ("study", 390, "dark"), ("study", 390, "light"), ("hostile", 390, "light")],
)
def test_it_fits_every_screen(visit, name, width, scheme):
    tab = visit(name, width, color_scheme=scheme)
    assert overflow(tab) == 0
    scroll_to(tab, "chart-loss")
    assert overflow(tab) == 0
    assert tab.title() in (study().title, hostile().title)


def test_the_results_table_fits_a_desktop(visit):
    tab = visit()
    assert tab.evaluate("(t => t.scrollWidth - t.clientWidth)(document.querySelector('#results .table'))") == 0


LOADED = "performance.timing.loadEventEnd - performance.timing.navigationStart"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def assert_small_and_soon(visit, path):
    """Under 2.5 million bytes; to be read in under two seconds, complete with scripts in under three.

    Two seconds are promised. A core of its own loads it in 0.5 s; one that two busy processes share took 1.8 s at most,
    and a slower machine may take half as long again. The median of three, for one may be disturbed.
    """
    assert path.stat().st_size < 2_500_000
    tabs = [visit(path.stem) for _ in range(3)]
    for what, limit in ((PAINTED, 2000), (LOADED, 3000)):  # milliseconds
        took = [tab.evaluate(what) for tab in tabs]
        assert 0 < statistics.median(took) < limit, took


def test_it_opens_soon(visit, files):
    """Variants, seeds, epochs, classes and pictures as many as the largest study has that is promised to be fast."""
    path = write_page(study(epochs=60), details(study(), images=450), files / "as-large-as-lab5.html")
    assert path.stat().st_size > 1_400_000
    assert_small_and_soon(visit, path)


@pytest.mark.slow
def test_a_lab_opens_soon(visit, files, real_data, tmp_path):
    """The lab at its full size save for the examples: trained on few, it mistakes more images than in earnest."""
    from wellfit import Study
    from wellfit.study.report_details import study_details
    from wellfit.study.summarize import summarize

    place = tmp_path / "lab5"
    Study.from_toml("lab5", settings=["data.train_share=0.02"]).run(place, progress=False)
    summary = summarize(place)
    assert len(summary.seeds) == 5
    assert_small_and_soon(visit, write_page(summary, study_details(place, summary), files / "lab5.html"))
    tab = visit("lab5")
    for element in ("chart-loss", "chart-reliability", "chart-norms"):
        scroll_to(tab, element)
    assert nameless(heard(tab)) == []


ONE_SEED = study(variants=("baseline", "l2"), seeds=1, epochs=8)
ONE_VARIANT = study(variants=("dropout",), epochs=8)


@pytest.mark.parametrize(
    "summary", [ONE_SEED, ONE_VARIANT, running(), diverged()], ids=["one-seed", "one-variant", "running", "diverged"]
)
def test_every_state_is_shown_with_all_that_it_has(visit, files, summary):
    found = details(summary)
    if len(summary.variants) == 1:  # a path has two at least
        found = replace(found, paths=())
    write_page(summary, found, files / "state.html")
    tab = visit("state", 390)
    for element in CHARTS:
        if element == "chart-path-0" and not found.paths:
            continue
        scroll_to(tab, element)
        assert tab.locator(f"#{element}").is_visible()
    assert overflow(tab) == 0
    sentences = " ".join(tab.locator("main > section:not(#glossary)").all_text_contents())
    for data in tab.locator("main script").all_text_contents():
        sentences = sentences.replace(data, "")
    for notice in notices(summary):
        shown_notice = notice.replace(" %", "\u00a0%")
        assert shown_notice in sentences
        sentences = sentences.replace(shown_notice, "")  # one of them explains what NaN is
    assert not re.findall(r"\b(?:NaN|nan|undefined|null|Infinity|inf)\b", sentences)
    shown = len([variant for variant in summary.variants if variant.mean])
    assert tab.locator("#matrix-variant option").count() == shown
    tab.locator("#matrix-table td [data-cell]").first.click()
    assert tab.locator("#cell h3").count() >= 1
    tab.select_option("#gallery-kind", label="most often wrong")
    assert tab.locator("#gallery li").count() == 8
    assert nameless(heard(tab)) == []


def seen(what, **options):
    """The pixels of a page or an element.  # (H, W, 3)"""
    return np.asarray(Image.open(io.BytesIO(what.screenshot(**options))).convert("RGB")).astype(int)


@pytest.mark.parametrize("mode", ["light", "dark", "print"])
def test_what_is_shown_is_not_blank(visit, mode):
    tab = visit(color_scheme="dark" if mode == "dark" else "light")
    if mode == "print":
        tab.emulate_media(media="print")
    colors = DARK if mode == "dark" else LIGHT
    pixels = seen(tab, full_page=True).mean(axis=-1).astype(int)  # (H, W)
    ground = np.bincount(pixels.ravel()).argmax()
    assert ground < 60 if mode == "dark" else ground > 240
    rows = np.array_split(np.abs(pixels - ground) > 90, 12)  # something stands out in every twelfth of the page
    assert all(part.mean() > 0.003 for part in rows)
    first, second = (np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) for color in (colors["s0"], colors["s1"]))
    for element, color in zip(CHARTS, (first, second, first, first), strict=True):
        figure = tab.locator(f"figure:has(#{element})")
        if mode != "print":
            scroll_to(tab, element)
            until(tab, f"() => document.querySelectorAll('#{element}.chart > *').length > 1", True)
        near = np.abs(seen(figure) - color).max(axis=-1) < 24  # (H, W)
        assert near.any(axis=0).sum() > 60, element  # a line of this color goes through as many columns


# --- The first screen, and how long the page is -----------------------------------------------------------------------


BOTTOM = "(selector) => document.querySelector(selector).getBoundingClientRect().bottom"
WORDS = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let words = 0;
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    const place = text.parentElement;
    if (place.closest("option, .unseen, script, style, svg")) continue;
    if (!place.checkVisibility({ opacityProperty: true })) continue;
    words += text.textContent.split(/\\s+/).filter((word) => /[\\p{L}\\p{N}]/u.test(word)).length;
  }
  return words;
}"""


def test_the_first_screen_has_the_result(visit, files):
    advice = (Sentence("Run five seeds."), Sentence("Train longer."))
    write_page(replace(study(), advice=advice), NOTHING, files / "advised.html")
    tab = visit("advised")
    tab.set_viewport_size({"width": 1280, "height": 800})
    assert max(tab.evaluate(BOTTOM, part) for part in (".answer", ".glance", ".advice", ".model")) < 800
    assert tab.evaluate("(n => n.scrollWidth - n.clientWidth)(document.querySelector('nav > div'))") == 0
    tab.locator(".glance").click(position={"x": 200, "y": 100})
    until(tab, "() => location.hash", "#ranking")
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.evaluate("scrollTo(0, 0)")
    assert max(tab.evaluate(f"(s) => ({BOTTOM})(s) + scrollY", part) for part in (".answer", ".glance")) < 844


def test_a_page_of_nineteen_variants_is_short(visit, files):
    summary = study(epochs=25)
    names = [f"v{i}" for i in range(19)]
    base, against = summary.variants[1], summary.comparisons[0]
    many = replace(
        summary,
        variants=tuple(replace(base, name=name, published={}) for name in names),
        comparisons=tuple(replace(against, variant=name, against="v0") for name in names[1:]),
        ranking=(),
        histories=dict.fromkeys(names, summary.histories["l2"]),
        confusion=dict.fromkeys(names, summary.confusion["l2"]),
        answers=(),
    )
    write_page(many, replace(details(many, images=60), paths=()), files / "nineteen.html")
    tab = visit("nineteen")
    assert tab.evaluate("document.documentElement.scrollHeight") < 7_000
    assert 500 < tab.evaluate(WORDS) < 1_500


def test_folded_sections_open_for_links_and_for_paper(visit, files):
    tab = visit()
    assert not tab.locator("#glossary dl").is_visible()
    tab.locator("nav a[href='#glossary']").click()
    assert tab.locator("#glossary dl").is_visible()
    tab.goto((files / "study.html").as_uri() + "#weights")
    assert tab.locator("#weights table").first.is_visible()
    opened = "() => document.querySelectorAll('details[open]').length"
    before = tab.evaluate(opened)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate(opened) == before
    anchor = tab.locator("#results .anchor")
    anchor.focus()
    assert float(anchor.evaluate("(a) => getComputedStyle(a).opacity")) == 1
    tab.keyboard.press("Enter")
    until(tab, "() => location.hash", "#results")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_ranking_switches_to_differences(visit, scripts):
    tab = visit(java_script_enabled=scripts)
    row = tab.locator(".ranking li:not(.axis)", has_text="dropout").first
    assert row.locator(".value.score").is_visible()
    assert not row.locator(".value.difference").is_visible()
    tab.locator("input[name=ranking-view][value=score]").focus()
    tab.keyboard.press("ArrowRight")
    assert row.locator(".value.difference").is_visible()
    assert row.locator(".verdict").is_visible()
    assert not row.locator(".value.score").is_visible()


def test_the_ranking_keeps_its_axis_in_view(visit, files):
    many = study(epochs=2)
    base = many.variants[1]
    variants = tuple(replace(base, name=f"v{i}") for i in range(40))
    write_page(
        replace(many, variants=variants, comparisons=(), ranking=(), histories={}), NOTHING, files / "forty.html"
    )
    tab = visit("forty")
    tab.locator(".ranking li").nth(38).scroll_into_view_if_needed()
    nav = tab.evaluate(BOTTOM, "nav")
    top = tab.evaluate("document.querySelector('.ranking .axis').getBoundingClientRect().top")
    assert abs(top - nav) < 4


def test_the_comparisons_fit_a_phone(visit):
    tab = visit(width=400)
    tab.evaluate(OPEN, "#comparisons table")
    assert tab.evaluate("(t => t.scrollWidth - t.clientWidth)(document.querySelector('#comparisons .table'))") == 0


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
    assert tab.locator("#chart-log-loss canvas").first.is_visible()
    assert not tab.locator("#chart-loss").is_visible()
    tab.locator("input[name=metric][value=gap]").check()
    assert tab.locator("input[name=log]").is_disabled()
    assert tab.locator("#chart-gap canvas").first.is_visible()


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


# --- Tables -----------------------------------------------------------------------------------------------------------


def test_what_scrolls_says_so_keeps_its_first_column_and_can_be_reached(visit):
    for scripts in (True, False):
        tab = visit(width=390, java_script_enabled=scripts)
        box, first = tab.locator("#results .scroll").first, tab.locator("table.results tbody th").first
        assert box.get_attribute("tabindex") == "0"
        assert box.get_attribute("role") == "region"
        assert box.get_attribute("aria-label")
        box.scroll_into_view_if_needed()
        place = first.bounding_box()["x"]
        box.focus()
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("ArrowRight")
        tab.wait_for_timeout(400)
        assert first.bounding_box()["x"] == place
        if scripts:  # what does not evaluate cannot be asked
            assert box.evaluate("(e) => e.scrollLeft") > 0
            assert "local" in box.evaluate("(e) => getComputedStyle(e).backgroundAttachment")
    wide = visit()
    until(wide, "() => document.querySelector('#results .scroll').hasAttribute('tabindex')", False)


def test_a_table_sorts_by_click_and_by_key(visit):
    tab = visit()
    heading = tab.locator("table.results thead th").nth(1)
    column = "[...document.querySelectorAll('table.results tbody tr')].map((r) => parseFloat(r.cells[1].textContent))"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    shown = tab.evaluate(column)
    assert shown == sorted(shown, reverse=True)
    heading.get_by_role("button").focus()
    tab.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert tab.evaluate(column) == sorted(shown)
    other = tab.locator("table.results thead th").nth(5)  # the gap: the smallest first
    other.get_by_role("button").click()
    assert other.get_attribute("aria-sort") == "ascending"
    assert heading.get_attribute("aria-sort") is None  # one order at a time


def test_what_has_no_number_sorts_to_the_end(visit):
    tab = visit()
    tab.evaluate("document.querySelector('table.results tbody td[data-value]').dataset.value = ''")
    name = tab.locator("table.results tbody th .name").first.inner_text()
    button = tab.locator("table.results thead th").nth(1).get_by_role("button")
    for _ in range(2):
        button.click()
        assert tab.locator("table.results tbody th .name").last.inner_text() == name


@pytest.mark.parametrize(
    ("column", "sentences", "wanted"),
    [
        (0, ["10", "baseline", "9", "l2", "100", "a"], ["9", "10", "100", "a", "baseline", "l2"]),
        (0, ["2 layers", "10 layers", "1", "Zero", "–", "a"], ["1", "2 layers", "10 layers", "a", "Zero", "–"]),
        (1, ["10", "none", "9.5", "−2", "–", "1,000"], ["−2", "9.5", "10", "1,000", "none", "–"]),
    ],
)
def test_numbers_and_words_in_one_column_have_an_order(visit, column, sentences, wanted):
    tab = visit()
    tab.locator("#runs summary").click()
    rows = f"[...document.querySelectorAll('#runs details tbody tr')].map((r) => r.cells[{column}])"
    tab.evaluate(f"(said) => {rows}.forEach((cell, i) => cell.textContent = said[i % said.length])", sentences)
    button = tab.locator("#runs details thead th").nth(column).get_by_role("button")
    button.click()  # seeds begin with the smallest, as words do
    assert list(dict.fromkeys(tab.evaluate(f"{rows}.map((cell) => cell.textContent)"))) == wanted
    button.click()
    empty = [text for text in wanted if text == "–"]
    turned = [text for text in wanted[::-1] if text != "–"] + empty
    assert list(dict.fromkeys(tab.evaluate(f"{rows}.map((cell) => cell.textContent)"))) == turned


def test_one_class_table_is_shown_at_a_time(visit):
    tab = visit()
    tab.locator("#classes summary").click()
    tab.select_option("#class-table", label="dropout")
    shown = [
        panel.get_attribute("data-panel") for panel in tab.locator(".class-table-panel").all() if panel.is_visible()
    ]
    assert shown == ["3"]


# --- Confusions and pictures ------------------------------------------------------------------------------------------


def test_a_click_on_a_cell_shows_its_images(visit):
    tab = visit()
    summary = study(epochs=25)
    mistakes = details(summary).mistakes
    kept = mistakes.image_rows
    pairs = [(int(mistakes.labels[r]), int(mistakes.predicted[1, r])) for r in kept if mistakes.wrong[1, r]]
    true, predicted = max(set(pairs), key=pairs.count)
    tab.select_option("#matrix-variant", label="l2")
    tab.locator(f"#matrix-table [data-cell='{true},{predicted}']").click()
    assert tab.locator("#cell h3").last.inner_text() == (
        f"{summary.classes[true]} classified as {summary.classes[predicted]}"
    )
    tiles = tab.locator("#cell .gallery li")
    assert tiles.count() == min(5, pairs.count((true, predicted)))
    assert tiles.first.locator(".picture").is_visible()
    assert tab.locator("#matrix-table [aria-pressed=true]").get_attribute("data-cell") == f"{true},{predicted}"


def test_a_matrix_is_whole_and_so_are_its_names(visit, letters):
    tab = visit("letters")
    box = "(t => [t.scrollWidth - t.clientWidth, t.querySelector('td button').offsetWidth])"
    beyond, cell = tab.evaluate(f"{box}(document.querySelector('#matrix-table').parentNode)")
    assert beyond <= 0
    assert cell >= 20
    heads = tab.locator("#matrix-table tbody th")
    assert heads.last.get_attribute("title") == letters[-1]
    assert tab.locator("#matrix-table thead th").last.get_attribute("title") == letters[-1]
    assert heads.last.bounding_box()["width"] < 250


def test_all_images_of_a_cell_can_be_shown(visit):
    tab = visit("many-images")
    tab.locator("#matrix-table [data-cell='0,1']").click()
    tab.locator("#cell-more").click()
    sentences = tab.locator("#cell p").last.inner_text()
    mistakes = details(study(variants=("baseline", "l2"), epochs=2, classes=("a", "b")), images=300).mistakes
    inside = (mistakes.labels == 0) & (mistakes.predicted[0] == 1)
    kept = tab.locator("#cell .gallery li").count()
    assert kept == inside[mistakes.image_rows].sum() > 5
    assert sentences == f"{inside.sum()}\u00a0images most often classified as b; this page shows {kept} of them."


def test_a_cell_without_pictures_says_why(visit):
    tab = visit()
    tab.locator("#matrix-table [data-cell='1,1']").click()
    assert tab.locator("#cell p").last.inner_text() == "Only misclassified images are kept."
    tab.locator("#matrix-table [data-cell='0,6']").click()
    assert "images most often classified as Shirt" in tab.locator("#cell p").last.inner_text()
    assert tab.locator("#matrix-table [aria-pressed=true]").count() == 1


def test_arrows_and_enter_choose_a_cell(visit):
    tab = visit()
    tab.locator("#matrix-table button[tabindex='0']").focus()
    start = [int(n) for n in tab.evaluate("document.activeElement.dataset.cell").split(",")]
    tab.keyboard.press("ArrowUp" if start[0] else "ArrowDown")
    tab.keyboard.press("ArrowLeft" if start[1] else "ArrowRight")
    cell = tab.evaluate("document.activeElement.dataset.cell")
    assert [abs(int(n) - s) for n, s in zip(cell.split(","), start, strict=True)] == [1, 1]
    tab.keyboard.press("Enter")
    assert tab.locator("#matrix-table [aria-pressed=true]").get_attribute("data-cell") == cell
    assert tab.evaluate("document.activeElement.dataset.cell") == cell
    assert tab.locator("#matrix-table button[tabindex='0']").count() == 1


def test_the_difference_of_two_variants(visit):
    tab = visit()
    summary = study(epochs=25)
    tab.select_option("#matrix-variant", label="dropout")
    tab.select_option("#matrix-against", label="baseline")
    shares = [
        summary.confusion[name] / summary.confusion[name].sum(axis=1, keepdims=True) for name in ("dropout", "baseline")
    ]
    gain = 100 * (shares[0] - shares[1])[0, 0]
    sentences = tab.locator("#matrix-table [data-cell='0,0']").get_attribute("aria-label")
    shown = f"{gain:+.1f}".replace("-", "−")
    assert f"T-shirt/top correct: {shown} points [" in sentences
    caption = tab.locator("#matrix-caption")
    assert "dropout minus baseline" in caption.inner_text()
    assert "the 95 % interval includes zero" in caption.inner_text()
    bounds = re.search(r"\[(.+), (.+)\]", sentences).groups()
    tab.select_option("#matrix-variant", label="baseline")
    tab.select_option("#matrix-against", label="dropout")  # the same the other way round
    turned = tab.locator("#matrix-table [data-cell='0,0']").get_attribute("aria-label")
    signs = str.maketrans("+−", "−+")
    assert re.search(r"\[(.+), (.+)\]", turned).groups() == tuple(bound.translate(signs) for bound in bounds[::-1])
    tab.select_option("#matrix-against", label="l2")
    tab.select_option("#matrix-variant", label="dropout")
    assert "points, no interval" in tab.locator("#matrix-table [data-cell='0,0']").get_attribute("aria-label")
    assert "This pair has no intervals" in caption.inner_text()
    assert "better" not in caption.inner_text()


def test_the_gallery_is_filtered(visit):
    tab = visit()
    tab.select_option("#gallery-kind", label="most often wrong")
    assert tab.locator("#gallery li").count() == 8
    tab.locator("#gallery-more").click()
    assert tab.locator("#gallery li").count() == 56
    tab.select_option("#gallery-class", label="Shirt")
    tab.select_option("#gallery-variant", label="l2")
    names = tab.locator("#gallery b").all_inner_texts()
    assert names
    assert set(names) == {"Shirt"}
    assert all(
        re.match(r"[1-4] of 5 runs|all 5 runs agree", text) for text in tab.locator("#gallery small").all_inner_texts()
    )
    summary = study(epochs=25)
    mistakes = details(summary).mistakes
    shirts = (mistakes.labels == summary.classes.index("Shirt")) & (mistakes.wrong[1] > 0)
    kept = shirts[mistakes.image_rows].sum()
    assert tab.locator("#gallery-status").inner_text() == (
        f"{min(kept, 8)} of {shirts.sum()}\u00a0images of Shirt wrong in at least one run of l2; "
        f"this page has {kept}. Captions: predictions of l2."
    )


def test_of_many_classes_the_most_confused_are_drawn(visit, files):
    names = tuple(f"class {i}" for i in range(200))
    summary = study(variants=("baseline", "l2"), epochs=2, classes=names)
    counts = np.diag(np.full(200, 9))
    counts[150, 7] = 5
    summary = replace(summary, confusion=dict.fromkeys(summary.confusion, counts))
    write_page(summary, NOTHING, files / "classes.html")
    tab = visit("classes")
    assert "Of 200 classes, the 30 with the most mistakes" in tab.locator("#matrix-caption").inner_text()
    assert tab.locator("#matrix-table tbody tr").count() == 30
    assert tab.locator("#matrix-table [aria-pressed=true]").get_attribute("data-cell") == "150,7"
    assert tab.locator("#matrix-table [data-cell='150,7']").inner_text() == "36"  # 5 of 14
    tab.locator("#matrix-table [data-cell='150,7']").focus()
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("document.activeElement.dataset.cell").startswith("150,")


def test_names_stay_text_in_what_a_script_writes(visit):
    tab = visit("hostile")
    tab.select_option("#matrix-variant", index=1)
    assert "<script>alert(1)</script>" in tab.locator("#matrix-table").inner_text()
    assert tab.locator("main script:not([type='application/json']), main img").count() == 0
    assert tab.title() == hostile().title


# --- For who cannot see it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["study", "hostile"])
def test_pictures_and_buttons_have_names_with_and_without_charts(visit, name):
    tab = visit(name)
    tab.evaluate(OPEN, "main *")
    before = heard(tab)
    for element in CHARTS:
        scroll_to(tab, element)
        until(tab, f"() => document.querySelector('#{element} [role=img]')?.ariaLabel.length > 20", True)
    after = heard(tab)
    for metric in ("accuracy", "gap"):  # one chart at a time is heard, as it is seen
        tab.locator(f"input[name=metric][value={metric}]").check()
        after += heard(tab)
    assert nameless(before) == nameless(after) == []
    assert all(any(name in now for now in pictures(after)) for name in pictures(before))
    first = (study() if name == "study" else hostile()).classes[0]
    assert f"The first 8 training examples of {first}" in pictures(after)
    assert "Filters of the first layer of baseline: 16 of them" in pictures(after)
    assert len([role for role, _ in after if role == "button"]) > 100  # the cells of the matrix among them


# --- Without a script, on paper, with nothing -------------------------------------------------------------------------


def test_on_paper_everything_is_there_and_light(visit):
    tab = visit(width=690, color_scheme="dark")
    scroll_to(tab, "chart-loss")
    tab.emulate_media(media="print")
    assert overflow(tab) == 0
    assert all(m.is_visible() for m in tab.locator(".matrix").all())
    assert tab.locator("#curves .static").first.is_visible()
    for left_out in ("#chart-loss", "nav", "#controls", "#matrix-live", "#gallery-live"):
        assert not tab.locator(left_out).is_visible()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(tab.pdf()) > 50_000


def test_without_a_script_everything_can_be_read(visit):
    tab = visit(java_script_enabled=False)
    assert all(m.is_visible() for m in tab.locator(".matrix").all())
    assert all(s.is_visible() for s in tab.locator("section:not(.folded) > :not(details) .static").all())
    assert tab.locator("#weights .static").count() >= 1  # in a section that opens without a script
    tab.locator("#weights summary").click()
    assert tab.locator("#weights .static").first.is_visible()
    for needs_script in ("#controls", ".chooser", "#copy", "#chart-loss", "#matrix-live", "#gallery-live"):
        assert not any(found.is_visible() for found in tab.locator(needs_script).all())


def test_an_empty_study_opens_without_complaint(visit):
    tab = visit("empty")
    assert overflow(tab) == 0
    assert "No run has ended yet" in tab.locator("main").inner_text()


def test_the_way_through_the_page_says_where_the_reader_is(visit):
    tab = visit()
    tab.locator("nav a[href='#classes']").click()
    until(tab, "() => document.querySelector('nav a[aria-current]')?.textContent", "Classes")


def test_a_link_keeps_its_section_when_the_page_grows_above(visit):
    tab = visit()
    tab.locator("nav a[href='#classes']").click()
    grow = "() => { document.getElementById('ranking').style.paddingBottom = '1500px'; }"
    near = "() => Math.abs(document.getElementById('classes').getBoundingClientRect().top) < innerHeight / 3"
    tab.evaluate(grow)
    until(tab, near, True)
    tab.wait_for_timeout(1500)  # the smooth scroll has ended
    tab.mouse.move(600, 600)
    tab.mouse.wheel(0, -4000)  # the reader moves on, and is not called back
    until(tab, near, False)
    tab.evaluate(grow.replace("1500", "1600"))
    tab.wait_for_timeout(200)
    assert not tab.evaluate(near)
