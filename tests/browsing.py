"""What tests of the page in a browser share."""

from __future__ import annotations


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
