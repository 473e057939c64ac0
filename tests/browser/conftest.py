"""A browser, the pages that it opens, and what they complain of."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from detailed import NOTHING, details
from summaries import empty, hostile, study
from wellfit.report.forms.page import write_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")  # its event loop would run through the tests of other modules
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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
