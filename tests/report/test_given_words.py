"""Own words as a command or Python gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.base import OwnWords
from wellfit.errors import StudyFileError
from wellfit.report.given_words import check_sections, new_words, read_notes

OLD = OwnWords(("Ada",), "ML", {"curves": "Flat."})


def test_what_is_given_is_replaced_and_what_is_empty_removed(tmp_path: Path) -> None:
    assert new_words(OLD, "s") == OLD
    assert new_words(OLD, "s", authors="Bob") == OwnWords(("Bob",), "ML", OLD.text)
    assert new_words(OLD, "s", authors=("A", "B"), course="", text="") == OwnWords(("A", "B"))
    assert new_words(OLD, "s", text="Hi.\n## Data\nSmall.").text == {"introduction": "Hi.", "Data": "Small."}
    assert new_words(OLD, "s", text={"conclusion": "So."}).text == {"conclusion": "So."}
    file = tmp_path / "notes.md"
    file.write_text("## Learning curves\r\nSteep.\r\n", encoding="utf-8-sig", newline="")
    assert new_words(OLD, "s", text=file).text == {"Learning curves": "Steep."}


def test_a_lab_has_sections_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("## 1. Look at the data\nShirts.\n## Prepare the data\nScaled.\n")
    assert read_notes(file, "lab5") == {"1. Look at the data": "Shirts.", "Prepare the data": "Scaled."}
    with pytest.raises(StudyFileError, match=r"line 1: no section is called '1\. Look at the data'; the nearest are"):
        read_notes(file, "regularization")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"## Rankng\nx", "notes.md, line 1: no section is called 'Rankng'; the nearest are 'Ranking'"),
        (b"\xff\xfe", "notes.md: not text: byte 0 is not UTF-8; save it as UTF-8"),
        (b"a" * 500_000, "notes.md: cannot be read: "),
        (b"a" * 100_001, "notes.md, [report] text: must have at most 100,000 characters"),
        (b"## Data\na\x1b[2J", r"notes.md, [report] text.Data: has a character that cannot be seen, '\x1b'"),
    ],
)
def test_a_file_that_will_not_do_is_refused_in_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_bytes(content)
    with pytest.raises(StudyFileError) as refused:
        new_words(OLD, "s", text=file)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_missing_and_a_section_of_a_mapping(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"gone\.md: cannot be read: No such file"):
        new_words(OLD, "s", text=tmp_path / "gone.md")
    with pytest.raises(StudyFileError, match=r"^report\(\.\.\.\): no section is called 'x'"):
        new_words(OLD, "s", text={"x": "y"})
    with pytest.raises(StudyFileError, match=r"^here: no section is called 'look'"):
        check_sections(OwnWords(text={"look": "y"}), "s", "here")
    check_sections(OwnWords(text={"look": "y"}), "lab5", "here")
