from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from summaries import diverged, empty, hostile, running, study
from wellfit.report.page import render_page, write_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}


class Reader(HTMLParser):
    """What a page says without a script: its elements, its text, and whether they are well nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(study())


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return Reader(page)


# --- What it says -----------------------------------------------------------------------------------------------------


def test_the_question_comes_first_then_the_answer_then_the_facts(reader):
    summary = study()
    places = [reader.text.index(s) for s in (summary.title, summary.verdict, "fashion-mnist", "88.36 %", "To mend it")]
    assert places == sorted(places)


def test_sections_stand_in_the_order_of_a_reader_s_questions(reader):
    wanted = ["answer", "results", "curves", "confusion", "findings", "comparisons", "reproduce", "words"]
    assert [section.get("id") for section in reader.all("section")] == wanted


def test_every_number_has_its_interval(reader):
    assert "88.36 % [88.26, 88.46]" in reader.text
    assert "−0.32 [−0.55, −0.10]" in reader.text  # a gap, in points
    assert "−0.70 points [−0.87, −0.53] < 0.001 0.002 worse" in reader.text  # a comparison


def test_every_run_is_there(reader):
    summary = study()
    assert reader.text.count("stopped early") == 5
    for run in summary.variants[0].runs:
        assert f"{run.test_loss:.4f}" in reader.text


def test_findings_stand_by_level_with_their_mend(reader):
    text = reader.text[reader.text.index("Findings") :]
    assert text.index("split-shift") < text.index("train-overfit") < text.index("data-duplicates")
    assert "To mend it: Stop early, or use dropout or l2" in text


def test_captions_say_what_the_intervals_count(reader):
    said = " ".join(reader.text.split())
    assert "of test accuracy and gap over seeds and test examples, of training and validation over the seeds" in said


def test_a_long_setting_breaks_at_its_underscores():
    summary = study(variants=("baseline",), epochs=3)
    changes = {"early_stopping": {"restore_best_weights": "<i>_x"}}
    page = render_page(replace(summary, variants=(replace(summary.variants[0], settings=changes),)))
    assert "restore_<wbr>best_<wbr>weights = &#34;&lt;i&gt;_<wbr>x&#34;" in page


def test_all_of_the_provenance_is_there():
    provenance = {"command": "wellfit run", "test set opened": "2026-01-02T03:04:05+00:00", "a_new_fact": "of <today>"}
    reader = Reader(render_page(replace(study(variants=("baseline",), epochs=3), provenance=provenance)))
    for name, value in provenance.items():
        assert value in reader.text
        assert name in reader.text or name == "command"


def test_how_to_reproduce_it(reader):
    assert study().provenance["command"] in reader.text
    assert "hardware 2 cores, AMD EPYC, 8 GB" in reader.text
    assert '"kind": "mlp"' in reader.text


# --- How it is made ---------------------------------------------------------------------------------------------------


def test_it_refers_to_nothing_outside_itself(page, reader):
    for tag, attributes in reader.elements:
        for name in ("src", "href", "xlink:href", "data", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:")), (tag, value)
    assert "@import" not in page
    assert not re.search(r"url\((?!#|[\"']?data:)", page[page.index("<style>") : page.index("</style>")])
    assert "default-src 'none'" in page  # and the browser holds it to that


def test_it_is_small(page):
    assert len(page.encode()) < 3_000_000


def test_text_comes_before_scripts(page):
    assert page.index("What the words mean") < page.index("<script")


def test_it_can_be_read_by_every_reader(reader):
    assert reader.all("html")[0]["lang"] == "en"
    assert len(reader.all("main")) == len(reader.all("h1")) == 1
    assert all(header.get("scope") in ("col", "row") for header in reader.all("th"))
    assert all(drawing.get("aria-label") for drawing in reader.all("svg"))
    assert reader.all("a")[0] == {"class": "skip", "href": "#answer"}
    assert len(reader.all("caption")) == len(reader.all("table"))
    ids = Counter(attributes["id"] for _, attributes in reader.elements if attributes.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []


def test_every_link_and_label_leads_somewhere(reader):
    ids = {attributes.get("id") for _, attributes in reader.elements}
    for name in ("href", "xlink:href"):
        targets = {a[name] for _, a in reader.elements if (a.get(name) or "").startswith("#")}
        assert {target[1:] for target in targets} <= ids
    assert {a["aria-labelledby"] for _, a in reader.elements if a.get("aria-labelledby")} <= ids


def test_names_cannot_break_out():
    text = render_page(hostile())
    reader = Reader(text)
    assert "<script>alert(1)</script>" in reader.text  # said, not run
    assert "<b>bold</b>" in reader.text
    assert "{{ 7 * 7 }}" in reader.text
    assert not reader.all("b")
    assert not reader.all("i")
    assert not reader.all("img")
    assert len(reader.all("script")) == 4


STATES = {
    "empty": (empty, "No run has ended yet"),
    "running": (running, "still running: 7 of 15 runs"),
    "interrupted": (lambda: study(state="interrupted", epochs=4), "was interrupted"),
    "diverged": (diverged, "8 runs diverged"),
    "one seed": (lambda: study(variants=("baseline", "l2"), seeds=1, epochs=4), "one seed only"),
    "one variant": (lambda: study(variants=("dropout",), epochs=4), "one variant only"),
    "no variant": (lambda: replace(empty(), variants=(), histories={}), "No run has ended yet"),
}


@pytest.mark.parametrize(("make", "notice"), STATES.values(), ids=STATES)
def test_every_state_has_a_page_and_a_notice(make, notice):
    reader = Reader(render_page(make()))
    assert notice in reader.text
    assert not re.search(r"\b(nan|None|inf)\b", reader.text)


def test_many_classes_are_a_picture():
    reader = Reader(
        render_page(study(variants=("baseline",), epochs=3, classes=tuple(f"class {i}" for i in range(40))))
    )
    assert any((drawing["aria-label"] or "").startswith("Confusion matrix") for drawing in reader.all("svg"))
    assert "Most frequent mistakes" in reader.text


# --- How it is written ------------------------------------------------------------------------------------------------


def test_it_is_written_in_one_step(tmp_path):
    path = write_page(empty(), tmp_path / "new" / "report.html")
    assert path == tmp_path / "new" / "report.html"
    assert path.read_text(encoding="utf-8") == render_page(empty())
    assert os.listdir(path.parent) == ["report.html"]


def test_an_older_report_survives_a_failure(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("the older one")

    def fail(self: Path, target: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_page(empty(), path)
    assert path.read_text() == "the older one"
    assert os.listdir(tmp_path) == ["report.html"]


# --- In a browser -----------------------------------------------------------------------------------------------------


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
def files(tmp_path_factory, page):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "study.html").write_text(page, encoding="utf-8")
    for name, make in (("hostile", hostile), ("empty", empty)):
        write_page(make(), folder / f"{name}.html")
    return folder


@pytest.fixture
def visit(browser, files):
    """Open a page; what it complained of or asked the network for is collected, and is an error at the end."""
    contexts, trouble = [], []

    def go(name="study", width=1280, live=True, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        tab.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else trouble.append(r.url))
        tab.goto((files / f"{name}.html").as_uri())
        if live:
            tab.wait_for_selector("html.live", timeout=30_000)
        return tab

    yield go
    for context in contexts:
        context.close()
    assert trouble == []


def overflow(tab):
    return tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [("study", 1280, "dark"), ("study", 390, "dark"), ("study", 390, "light"), ("hostile", 390, "light")],
)
def test_it_fits_every_screen(visit, name, width, scheme):
    tab = visit(name, width, color_scheme=scheme)
    assert overflow(tab) == 0
    assert tab.title() in (study().title, hostile().title)


def test_the_results_table_fits_a_desktop(visit):
    tab = visit()
    assert tab.evaluate("(t => t.scrollWidth - t.clientWidth)(document.querySelector('#results .table'))") == 0


def test_charts_take_the_place_of_figures(visit):
    tab = visit()
    assert tab.locator("#chart-intervals canvas").count() >= 1
    assert not tab.locator("#results .static").is_visible()
    assert tab.locator("#chart-loss").is_visible()
    assert not tab.locator("#chart-log-loss").is_visible()
    labels = "Object.fromEntries(Bokeh.documents[0].roots().map(r => [r.id, r.below[0].axis_label]))"
    places = tab.evaluate("JSON.parse(document.getElementById('charts-roots').textContent)")
    assert tab.evaluate(labels)[places["chart-intervals"]] == "test accuracy, percent"
    for place, root in places.items():  # every chart stands in its own place
        inside = f"Bokeh.index.get_by_id('{root}').el.closest('.chart').id"
        assert tab.evaluate(inside) == place


def test_the_chooser_switches_the_matrix(visit):
    tab = visit()
    assert [m.is_visible() for m in tab.locator(".matrix").all()] == [True] + [False] * 5
    tab.select_option("#matrix-choice", label="dropout")
    assert [m.is_visible() for m in tab.locator(".matrix").all()] == [False] * 3 + [True] + [False] * 2


def test_variants_splits_and_the_log_axis_can_be_switched(visit):
    tab = visit()
    shown = """() => {
      const all = Bokeh.documents[0].roots().flatMap((root) => root.renderers);
      return all.filter((r) => /^v\\d/.test(r.name ?? "") && r.visible).map((r) => r.name);
    }"""
    assert {"v1-train", "v1-validation", "v1-gap", "v0-train-band"} <= set(tab.evaluate(shown))
    tab.locator("input[name=variant][value='1']").uncheck()
    tab.locator("input[name=split][value=train]").uncheck()
    names = set(tab.evaluate(shown))
    assert names
    assert not [n for n in names if n.startswith("v1-") or "train" in n]
    assert "v0-gap" in names
    tab.locator("input[name=log]").check()
    assert tab.locator("#chart-log-loss").is_visible()
    assert not tab.locator("#chart-loss").is_visible()


def test_charts_follow_the_page_into_the_dark(visit):
    tab = visit(color_scheme="light")
    color = "() => Bokeh.documents[0].roots()[0].below[0].major_label_text_color"
    line = """() => { const all = Bokeh.documents[0].roots().flatMap((r) => r.renderers);
      return all.find((r) => r.name === "v1-validation").glyph.line_color.value; }"""
    assert (tab.evaluate(color), tab.evaluate(line)) == ("#5a6370", "#114ca6")
    tab.emulate_media(color_scheme="dark")
    for _ in range(200):  # the page is told of the change some time later; its policy forbids wait_for_function
        if tab.evaluate(color) != "#5a6370":
            break
        tab.wait_for_timeout(50)
    assert (tab.evaluate(color), tab.evaluate(line)) == ("#a0a9b5", "#649afc")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"


def test_on_paper_everything_is_there_and_light(visit):
    tab = visit(width=690, color_scheme="dark")
    tab.emulate_media(media="print")
    assert overflow(tab) == 0
    assert all(m.is_visible() for m in tab.locator(".matrix").all())
    assert tab.locator("#results .static").is_visible()
    assert not tab.locator("#chart-loss").is_visible()
    assert not tab.locator("nav").is_visible()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_without_a_script_everything_can_be_read(visit):
    tab = visit(live=False, java_script_enabled=False)
    assert all(m.is_visible() for m in tab.locator(".matrix").all())
    assert all(s.is_visible() for s in tab.locator(".static").all())
    for needs_script in ("#controls", ".chooser", "#copy", "#chart-loss"):
        assert not tab.locator(needs_script).is_visible()


def test_an_empty_study_opens_without_complaint(visit):
    tab = visit("empty", live=False)
    assert overflow(tab) == 0
    assert "No run has ended yet" in tab.locator("main").inner_text()
