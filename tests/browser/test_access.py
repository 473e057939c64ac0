"""The page for who cannot see it, has no scripts, prints it, or goes through it by links."""

from __future__ import annotations

from dataclasses import replace

import pytest

from browsing import CHARTS, OPEN, overflow, scroll_to, until
from detailed import details
from heard import heard, nameless, pictures
from summaries import hostile, study
from wellfit.report.forms.page import write_page

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


def many_variants():
    """Nineteen variants, with all that a report shows of the best."""
    summary = study(epochs=12)
    base, against = summary.variants[1], summary.comparisons[0]
    names = [summary.variants[0].name, *(f"v{i}" for i in range(18))]
    return replace(
        summary,
        variants=(summary.variants[0], *(replace(base, name=name, published={}) for name in names[1:])),
        comparisons=tuple(replace(against, variant=name, against=names[0]) for name in names[1:]),
        ranking=(),
        histories=dict.fromkeys(names, summary.histories["l2"]),
        confusion=dict.fromkeys(names, summary.confusion["l2"]),
        answers=(),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["study", "hostile", "many-images", "nineteen", "letters"])
def test_axe_finds_no_violation_with_everything_unfolded(visit, files, letters, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    if name == "nineteen":
        summary = many_variants()
        write_page(summary, replace(details(summary, images=60), paths=()), files / "nineteen.html")
    tab = visit(name, bypass_csp=True, color_scheme=scheme)
    tab.evaluate(OPEN, "main *")
    for element in CHARTS:
        if tab.locator(f"#{element}").count():
            scroll_to(tab, element)
    found = axe.Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()


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
