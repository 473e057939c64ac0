"""The page on every screen: it fits, opens soon, is drawn, is short, and begins with the result."""

from __future__ import annotations

import io
import re
import statistics
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from browsing import CHARTS, OPEN, overflow, scroll_to, until
from detailed import NOTHING, details
from heard import heard, nameless
from summaries import diverged, hostile, running, study
from wellfit.base import Sentence
from wellfit.report.forms.page import write_page
from wellfit.report.marks.colors import DARK, LIGHT
from wellfit.report.notes import notices

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
