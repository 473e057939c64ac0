"""The page of all studies of a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from wellfit.errors import StoreError
from wellfit.report.forms import index_page
from wellfit.report.forms.index_page import write_index
from wellfit.study.summarize import summarize


@pytest.fixture
def folder(finished_study: Path, tmp_path: Path) -> Path:
    """A folder with a study, one without a page, one that is damaged, and something else."""
    place = tmp_path / "my studies"
    shutil.copytree(finished_study, place / "a & b")
    shutil.copytree(finished_study, place / "without", ignore=shutil.ignore_patterns("report.html"))
    (place / "damaged").mkdir()
    (place / "damaged/study.db").write_bytes(b"nothing")
    (place / "else").mkdir()
    return place


def test_it_shows_the_answer_of_each_and_links_to_its_report(folder: Path) -> None:
    page = write_index(folder).read_text()
    summary = summarize(folder / "without")
    assert "<h1>Studies in my studies</h1>" in page
    assert 'href="a%20%26%20b/report.html"' in page
    assert page.count(summary.conclusion[1].text.replace(" %", "\u00a0%")) == 2
    assert "<code>a &amp; b</code>" in page
    assert "No report yet: <code>wellfit report without</code>" in page
    assert '<p class="trouble">damaged/study.db: file is not a database; ' in page
    assert str(folder) not in page  # it is sent to others
    assert page.count("<li>") == 3
    assert "<script" not in page


def test_further_studies_are_listed_without_their_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_page, "ANSWERED", 0)
    page = write_index(folder).read_text()
    assert page.count('class="state finished"') == 2
    assert "all 38 runs finished" in page
    assert 'class="whole"' not in page


def test_an_empty_folder_says_so_and_another_page_stays(tmp_path: Path) -> None:
    assert "No study yet." in write_index(tmp_path).read_text()
    (tmp_path / "index.html").write_text("home")
    with pytest.raises(StoreError, match=r"index\.html: was not written by wellfit"):
        write_index(tmp_path)
    assert (tmp_path / "index.html").read_text() == "home"


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere/index\.html: cannot be written: No such file or directory; free"):
        write_index(tmp_path / "nowhere")
