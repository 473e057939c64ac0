"""The contents of the live pages, as HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import watched
from predictions import LABELS, all_runs
from wellfit.data.predictions.arrays import given_arrays
from wellfit.report.forms.live.page import (
    Listed,
    choose_page,
    list_page,
    list_parts,
    list_row,
    missing_page,
    page_variables,
    study_parts,
)
from wellfit.report.subjects.curves.section import choices
from wellfit.study.judge import judge_runs, with_settings
from wellfit.study.status import StudyStatus, read_status
from wellfit.study.summarize import summarize

EVIL = '<script>alert(1)</script> "><img src=x onerror=alert(2)> {{ 7 * 7 }}'


class Reader(HTMLParser):
    """Elements and text of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def going(tmp_path: Path) -> StudyStatus:
    with watched.at_work(tmp_path / "s", watched.study(EVIL)) as store:
        watched.record_epochs(store, 3, (("baseline", 0), ("baseline", 1), ("l2", 0)))
        return read_status(tmp_path / "s")


def test_a_running_study_has_its_progress(going: StudyStatus) -> None:
    parts = study_parts(Listed("ab12", "s", going), None)
    progress = Reader(parts["progress"]).text
    assert "running epoch 3 of 12: 3 runs training, none finished, 1 waiting" in progress
    assert "Leading at epoch 3 by validation accuracy: baseline , 74.50 %" in progress
    assert "Open the full report" not in progress
    table = Reader(parts["table"]).text
    assert "baseline the base recipe 2 training 3 74.50 % 74.00 to 75.00" in table
    assert "l2 l2 = 0.001 1 training, 1 waiting 3 73.00 %" in table
    assert "The test set stays closed" in table
    assert "The checks are running" in parts["findings"]


def test_judged_runs_have_no_base_recipe(tmp_path: Path) -> None:
    given = given_arrays(LABELS, all_runs(2))
    judge_runs(with_settings(given, {"l2": {"rate": 0.5}}, "settings"), tmp_path / "judged")
    table = Reader(study_parts(Listed("ab12", "s", read_status(tmp_path / "judged")), None)["table"]).text
    assert "base recipe" not in table
    assert "baseline not given" in table
    assert "l2 rate = 0.5" in table


def test_the_time_left_is_said_where_it_is_known(going: StudyStatus) -> None:
    assert "left" not in Reader(study_parts(Listed("ab12", "s", going), None)["progress"]).text
    timed = replace(going, left=130.0)
    assert "about 2 min left" in Reader(study_parts(Listed("ab12", "s", timed), None)["progress"]).text
    row = list_row(Listed("ab12", "s", timed))
    assert "About 2 min left." in Reader(list_parts([row], "here")["studies"]).text


def test_what_to_compare_with_is_asked() -> None:
    chosen, other = ({"id": name * 16, "place": name, "title": f"<b>{name}</b>?", "data": "digits"} for name in "ab")
    page = choose_page(chosen, [other])
    assert f'href="/compare?id={"a" * 16}&amp;id={"b" * 16}"' in page
    assert "<b>" not in page
    assert "no other finished study" in choose_page(chosen, [])


def test_runs_are_counted_in_words(going: StudyStatus) -> None:
    pending = going.summary.variants[0].runs[0]
    ended = replace(pending, state="finished")

    def counts(ended_runs: int, started: int, waiting: int, state: str = "running") -> str:
        runs = (ended,) * ended_runs + (pending,) * (started + waiting)
        variants = (replace(going.summary.variants[0], runs=runs),)
        at_work = {("baseline", seed): 3 for seed in range(started)}
        summary = replace(going.summary, state=state, variants=variants)
        html = study_parts(Listed("1", "a", replace(going, summary=summary, active=at_work)), None)["progress"]
        return re.search(r'<span class="runs">(.*?)</span>', html)[1].split(": ")[-1]

    assert counts(0, 12, 0) == "12 runs training, none finished"
    assert counts(3, 1, 2) == "1 run training, 3 finished, 2 waiting"
    assert counts(0, 0, 2) == "none of 2 runs finished, 2 waiting"
    assert counts(1, 2, 0, "interrupted") == "2 runs interrupted, 1 finished"
    assert counts(5, 0, 0, "finished") == "all 5 runs finished"
    assert counts(1, 0, 0, "finished") == "the run is finished"


def test_a_running_study_has_no_conclusion_yet(going: StudyStatus, tmp_path: Path) -> None:
    full = summarize(tmp_path / "s")
    assert full.conclusion
    for known in (None, full):
        answer = Reader(study_parts(Listed("ab12", "s", going), known)["answer"]).text
        assert answer == "No conclusion yet: the test set is opened when every run has ended."


def test_a_finished_study_has_its_answer_and_report(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.finish(store)
    parts = study_parts(Listed("ab12", "s", read_status(tmp_path / "s")), summarize(tmp_path / "s"))
    assert '<a href="/report?id=ab12">' in parts["progress"]
    assert "all 4 runs finished" in Reader(parts["progress"]).text
    assert 'class="answer"' in parts["answer"]
    assert "88.33 %" in Reader(parts["table"]).text  # the mean of 27 and 26 of 30
    assert "2 finished" in Reader(parts["table"]).text


def test_nothing_from_the_data_becomes_markup(going: StudyStatus) -> None:
    listed = [Listed("ab12", EVIL, going), Listed("cd34", EVIL, None, f"{EVIL}: cannot be read")]
    rows = [*map(list_row, listed), {"id": "1", "place": EVIL}]
    pieces = [*study_parts(listed[0], None).values(), *list_parts(rows, EVIL).values(), missing_page(EVIL, EVIL)]
    for piece in pieces:
        reader = Reader(piece)
        assert not {"script", "img"} & set(reader.tags)
        assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert EVIL in Reader(list_parts(rows, "x")["studies"]).text


def test_the_list_has_good_studies_damaged_ones_and_those_to_be_read(going: StudyStatus) -> None:
    finished = replace(going, summary=replace(going.summary, state="finished", title="the third"))
    rows = [
        list_row(Listed("1", "a", going)),
        list_row(Listed("2", "b", None, "damaged")),
        {"id": "3", "place": "c"},
        list_row(Listed("4", "d", finished)),
    ]
    html = list_parts(rows, "here", 2, 3, 120)["studies"]
    assert re.findall(r"/study\?id=(\d)", html) == ["1", "4"]
    text = Reader(html).text
    assert "b damaged c Being read. the third finished" in text
    assert "Page 2 of 3, 120 studies, the latest first. Previous Next" in text
    assert re.findall(r"/\?page=(\d)", html) == ["1", "3"]
    assert "No study yet" in list_parts([], "here")["studies"]
    page = list_page(list_parts(rows, "here"), 7)
    assert 'data-updates="/updates?page=7"' in page
    assert "Page 1" not in page


def test_other_variants_or_epochs_change_the_structure(going: StudyStatus) -> None:
    def structure(**changes: object) -> str:
        changed = replace(going, summary=replace(going.summary, **changes))
        return study_parts(Listed("1", "a", changed), None)["structure"]

    assert structure() == structure(seconds=5.0, state="interrupted")
    assert len({structure(), structure(epochs=13), structure(variants=going.summary.variants[:1])}) == 3


def test_a_page_has_both_color_schemes_and_its_script(going: StudyStatus) -> None:
    variables = page_variables("title")
    assert "prefers-color-scheme: dark" in variables["css"]
    assert "innerHTML" in variables["js"]
    assert choices(going.summary)["chips"] == [(0, "baseline", True), (1, "l2", True)]
