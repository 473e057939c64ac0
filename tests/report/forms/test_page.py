from __future__ import annotations

import gc
import json
import os
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from detailed import NOTHING, details, grid, regions, table_look
from summaries import diverged, empty, hostile, running, study
from wellfit.base import Answer, Ranked, Sentence
from wellfit.report.document import make_document
from wellfit.report.forms.page import render_page, write_page
from wellfit.spec.study import load_study
from wellfit.spec.written import study_file

VOID = {"meta", "link", "input", "br", "hr", "img", "wbr"}


UNSEEN = ("script", "style", "option", "svg", "title")


class Reader(HTMLParser):
    """What a page says without a script: its elements, its text, and whether they are well nested.

    ``seen`` has the words before anything is unfolded, without what a script draws or replaces.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.hidden: list[bool] = []
        self.shut: list[bool] = []
        self.seen: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            found = dict(attrs)
            folded = self.open[-1:] == ["details"] and tag != "summary" and self.shut[-1]
            kinds = (found.get("class") or "").split()
            off = folded or tag in UNSEEN or {"unseen", "skip", "difference", "static"} & {*kinds} or "hidden" in found
            self.hidden.append(bool(off) or self.hidden[-1:] == [True])
            self.shut.append(tag == "details" and "open" not in found)
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.hidden.pop()
        self.shut.pop()

    def handle_data(self, data):
        if self.open[-1:] not in (["script"], ["style"]):
            self.words.append(data)
            self.seen += [] if self.hidden[-1:] == [True] else data.split()

    @property
    def raw(self) -> str:
        return "".join(self.words)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    summary = study()
    return render_page(summary, details(summary))


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return Reader(page)


# --- What it says -----------------------------------------------------------------------------------------------------


def test_the_question_comes_first_then_the_answer_then_the_facts(reader):
    summary = study()
    lead, more = (" ".join(s.text for s in part) for part in (summary.conclusion[1:2], summary.conclusion[2:]))
    in_order = (summary.title, lead, more, "reference", "The model", "Epochs", "Brackets", "To fix it")
    places = [reader.text.index(s) for s in in_order]
    assert places == sorted(places)
    assert "finished" in reader.text[: places[1]]
    assert reader.text[: places[-2]].count("finished") == 1  # the state is said once


def test_sections_are_those_of_the_document_in_its_order(reader):
    summary = study()
    document = make_document(summary, details(summary))
    wanted = [section.id for section in document.written]
    assert [section.get("id") for section in reader.all("section")] == wanted
    links = [link["href"] for link in reader.all("a") if "class" not in link]
    assert links[: len(wanted)] == ["#ranking", *(f"#{name}" for name in wanted[1:])]
    assert [a["href"] for a in reader.all("a") if a.get("class") == "anchor"] == [f"#{name}" for name in wanted[1:]]
    assert all(section.title in reader.text for section in document.written)


def test_sections_with_nothing_to_show_are_left_out():
    reader = Reader(render_page(empty(), NOTHING))
    assert [section.get("id") for section in reader.all("section")] == [
        "answer", "results", "findings", "published", "runs", "reproduce", "techniques", "glossary"
    ]  # fmt: skip


def test_conclusion_advice_and_answers_come_before_the_numbers():
    found = Sentence("L2 is -0.7 points worse.", ("comparisons[l2].difference",))
    summary = replace(
        study(variants=("baseline", "l2"), epochs=3),
        conclusion=(Sentence("Which?"), found, Sentence("Two seeds more would decide.")),
        answers=(Answer("Does <b>it</b> help?", "beats", (Sentence("No, [-0.9, -0.5]."),)),),
        advice=(Sentence("Run five seeds."), Sentence("Train longer.")),
    )
    reader = Reader(render_page(summary, NOTHING))
    shown = ["L2 is −0.7 points worse.", "What to try next", "Run five seeds.", "Train longer.", "Two seeds more",
            "Does <b>it</b> help?", "No, [−0.9, −0.5].", "Test accuracy, the highest"]  # fmt: skip
    places = [reader.text.index(text) for text in shown]
    assert places == sorted(places)


def test_decision_regions_and_rows_of_a_table_are_shown():
    summary = study(variants=("baseline", "l2"), epochs=3, classes=("above", "<below>"))
    found = replace(NOTHING, regions={"l2": regions("l2")}, data=table_look(summary))
    reader = Reader(render_page(summary, found))
    assert any(
        "Decision regions of l2, mean over the seeds: above in" in (d.get("aria-label") or "")
        for d in reader.all("svg")
    )
    assert "feature 1" in reader.text
    assert "true curve: class 0" in reader.text
    assert "<b>1.5</b>" in reader.text  # a cell of the data, said, not set in bold
    assert "160 examples" not in reader.text
    assert "200 examples of 2 features" in reader.text


def test_two_crossed_settings_are_a_heat_map():
    summary = study(epochs=3)
    reader = Reader(render_page(summary, replace(NOTHING, grids=(grid(tuple(v.name for v in summary.variants)),))))
    assert "Mean validation accuracy, percent. Framed" in reader.text
    low, high = summary.variants[1].interval["validation_accuracy"]
    output = f"l2: 89.00 % [{100 * low:.2f}, {100 * high:.2f}]"
    assert [cell["title"] for cell in reader.all("td") if cell.get("class") == "chosen"] == [output]


def test_every_number_has_its_interval(reader):
    assert "88.36 % [88.26, 88.46]" in reader.text
    assert "−0.32 [−0.55, −0.10]" in reader.text  # a gap, in points
    assert "−0.70 points [−0.87, −0.53] 0.002 < 0.001 worse" in reader.text  # a comparison, adjusted p first


def test_every_run_is_there(reader):
    summary = study()
    assert reader.text.count("stopped early") == 5
    for run in summary.variants[0].runs:
        assert f"{run.test_loss:.4f}" in reader.text


def test_findings_are_by_level_with_their_fix(reader):
    text = reader.text[reader.text.rindex("Findings") :]
    assert text.index("split-shift") < text.index("train-overfit") < text.index("data-duplicates")
    assert "To fix it: Stop early, or use dropout or l2" in text


def test_captions_say_what_the_intervals_count(reader):
    shown = " ".join(reader.text.split())
    assert "Brackets: 95 % intervals, over seeds and test examples." in shown
    assert "The intervals of training and validation account for the seeds alone." in shown


def test_a_long_setting_breaks_at_its_underscores():
    summary = study(variants=("baseline",), epochs=3)
    changes = {"early_stopping": {"restore_best_weights": "<i>_x"}}
    page = render_page(replace(summary, variants=(replace(summary.variants[0], settings=changes),)), NOTHING)
    assert "restore_<wbr>best_<wbr>weights = &#34;&lt;i&gt;_<wbr>x&#34;" in page


def test_all_of_the_provenance_is_there():
    provenance = {"command": "wellfit run", "test set opened": "2026-01-02T03:04:05+00:00", "a_new_fact": "of <today>"}
    reader = Reader(render_page(replace(study(variants=("baseline",), epochs=3), provenance=provenance), NOTHING))
    for name, value in provenance.items():
        assert value in reader.text
        assert name in reader.text or name == "command"


def test_how_to_reproduce_it(reader):
    assert study().provenance["command"] in reader.text
    assert "hardware 2 cores, AMD EPYC, 8 GB" in reader.text
    assert study_file(load_study("lab5", epochs=study().epochs)) in reader.raw


# --- How long it is ---------------------------------------------------------------------------------------------------


def crowd(count=19):
    """As many variants as the default study has."""
    summary = study(epochs=30)
    base = summary.variants[1]
    names = [f"variant-{i}" for i in range(count)]
    against = summary.comparisons[0]
    return replace(
        summary,
        variants=tuple(replace(base, name=name, published={}) for name in names),
        comparisons=tuple(replace(against, variant=name, against=names[0]) for name in names[1:]),
        ranking=tuple(Ranked(name, 0.9, "a") for name in names),
        histories=dict.fromkeys(names, summary.histories["l2"]),
        confusion=dict.fromkeys(names, summary.confusion["l2"]),
        findings=tuple(finding for finding in summary.findings if finding.level == "info"),
        answers=(),
    )


@pytest.fixture(scope="module")
def crowded() -> Reader:
    many = crowd()
    return Reader(render_page(many, details(many, images=60)))


def test_a_page_of_nineteen_variants_has_few_words_before_unfolding(crowded):
    shown = [word for word in crowded.seen if re.search(r"\w", word)]
    said = [word for word in crowded.words for word in word.split() if re.search(r"\w", word)]
    assert len(shown) < 1_150  # tests/browser/test_screens.py counts what the scripts add
    assert len(said) > 4 * len(shown)
    text = " ".join(shown)
    for folded in ("Norm of all weights", "Formula", "stopped early", "was right nine"):
        assert folded not in text


def test_what_is_folded_is_there_and_says_what_it_is(crowded):
    folded = [attributes for attributes in crowded.all("section") if attributes.get("class") == "folded"]
    wanted = [
        "comparisons",
        "classes",
        "weights",
        "data",
        "models",
        "findings",
        "runs",
        "reproduce",
        "techniques",
        "glossary",
    ]
    assert [section["id"] for section in folded] == wanted
    assert sum("gist" in (a.get("class") or "") for a in crowded.all("span")) == len(wanted)
    assert "1 note, no warning" in crowded.text


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
    assert len(page.encode()) < 2_500_000


def test_a_full_study_of_many_variants_is_small_too():
    summary = study(epochs=30)
    names = [f"variant-{i}" for i in range(19)]
    base = summary.variants[1]
    many = replace(
        summary,
        variants=tuple(replace(base, name=name) for name in names),
        comparisons=(),
        histories=dict.fromkeys(names, summary.histories["l2"]),
        confusion=dict.fromkeys(names, summary.confusion["l2"]),
    )
    page = render_page(many, details(many, images=900))
    assert len(page.encode()) < 2_500_000
    reader = Reader(page)
    assert sum(a.get("class") == "matrix" for a in reader.all("article")) == 6  # the others are chosen, not stacked
    assert sum("checked" in a for a in reader.all("input") if a.get("name") == "variant") == 1  # the others are gray


def test_text_comes_before_scripts_that_run(page):
    assert page.index("If the study were repeated") < page.index("<script>")


def test_it_can_be_read_by_every_reader(reader):
    assert reader.all("html")[0]["lang"] == "en"
    assert len(reader.all("main")) == len(reader.all("h1")) == 1
    assert all(header.get("scope") in ("col", "row") for header in reader.all("th"))
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") for drawing in reader.all("svg"))
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
    summary = hostile()
    text = render_page(summary, details(summary))
    reader = Reader(text)
    assert "<script>alert(1)</script>" in reader.text  # said, not run
    assert "<b>bold</b>" in reader.text
    assert "{{ 7 * 7 }}" in reader.text
    assert "<b>bold" not in text
    assert "<i>Nothing" not in text
    assert not reader.all("img")
    assert len(reader.all("script")) == 2 + 4 + 3  # matrix and mistakes, documents, numbers, library and script
    for data in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL):
        json.loads(data)


STATES = {
    "empty": (empty, "No run has ended yet"),
    "running": (running, "still running: 7 of 15 runs"),
    "interrupted": (lambda: study(state="interrupted", epochs=4), "was interrupted"),
    "diverged": (diverged, "8 runs diverged"),
    "one seed": (lambda: study(variants=("baseline", "l2"), seeds=1, epochs=4), "only one seed"),
    "one variant": (lambda: study(variants=("dropout",), epochs=4), "only one variant"),
    "no variant": (lambda: replace(empty(), variants=(), histories={}), "No run has ended yet"),
}


@pytest.mark.parametrize(("make", "notice"), STATES.values(), ids=STATES)
def test_every_state_has_a_page_and_a_notice(make, notice):
    reader = Reader(render_page(make(), NOTHING))
    assert notice in reader.text
    assert not re.search(r"\b(nan|None|inf)\b", reader.text)


def test_many_classes_are_a_picture():
    summary = study(variants=("baseline",), epochs=3, classes=tuple(f"class {i}" for i in range(40)))
    reader = Reader(render_page(summary, NOTHING))
    assert any((drawing["aria-label"] or "").startswith("Confusion matrix") for drawing in reader.all("svg"))
    assert "Most frequent confusions" in reader.text


# --- How it is written ------------------------------------------------------------------------------------------------


def test_it_is_written_in_one_step(tmp_path):
    path = write_page(empty(), NOTHING, tmp_path / "new" / "report.html")
    assert path == tmp_path / "new" / "report.html"
    assert path.read_text(encoding="utf-8") == render_page(empty(), NOTHING)
    assert os.listdir(path.parent) == ["report.html"]


def test_the_same_page_is_not_written_again(tmp_path):
    path = write_page(empty(), NOTHING, tmp_path / "report.html")
    os.utime(path, (1, 1))
    write_page(empty(), NOTHING, path)
    assert path.stat().st_mtime == 1
    path.write_text(path.read_text().replace("wellfit", "WELLFIT"))
    os.utime(path, (1, 1))
    write_page(empty(), NOTHING, path)
    assert path.stat().st_mtime > 1
    assert "WELLFIT" not in path.read_text()


@pytest.mark.parametrize("on", [True, False])
def test_garbage_is_collected_afterwards_as_before(monkeypatch, on):
    (gc.enable if on else gc.disable)()
    try:
        monkeypatch.setattr("wellfit.report.forms.page.page_record", lambda summary: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            render_page(empty(), NOTHING)
        assert gc.isenabled() == on
    finally:
        gc.enable()


def test_an_older_report_survives_a_failure(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("the older one")

    def fail(source: object, target: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_page(empty(), NOTHING, path)
    assert path.read_text() == "the older one"
    assert os.listdir(tmp_path) == ["report.html"]
