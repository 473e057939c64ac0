"""``[report]`` in a study file: read, refused, written, inherited, and no part of what makes a study the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wellfit.base import MOST_AUTHORS, MOST_FORMULAS, MOST_LETTERS, MOST_TEXT, OwnWords
from wellfit.errors import StudyFileError
from wellfit.spec.identity import merged, spec_conflicts
from wellfit.spec.own_words import joined_words, words_from
from wellfit.spec.source import Source
from wellfit.spec.study import StudySpec, from_resolved, load_study, resolved, study_from_mapping
from wellfit.spec.written import study_file

TEXT = 'It *fell*.\n\n- one\n- two "quoted" \\ back\n\n```\n"""\n```'


def study(**report: Any) -> StudySpec:
    return study_from_mapping({"data": {"name": "digits"}, "report": report})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, OwnWords()),
        ({"authors": "Ada"}, OwnWords(authors=("Ada",))),
        ({"authors": ["Ada ", "", "Ж"], "course": " ML "}, OwnWords(("Ada", "Ж"), "ML")),
        ({"text": "\nHi.\r\n\r\nYou.\n"}, OwnWords(text={"introduction": "Hi.\n\nYou."})),
        ({"text": {"curves": "Flat.", "data": " \n"}}, OwnWords(text={"curves": "Flat."})),
    ],
)
def test_every_form_of_the_table_is_read(given: dict[str, Any], words: OwnWords) -> None:
    assert words_from(given, Source("lab.toml")) == words


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"autors": "Ada"}, "unknown key 'autors' in lab.toml, [report]; did you mean 'authors'?"),
        ({"authors": [1]}, "[report] authors[0]: must be a string, got 1"),
        ({"course": 3}, "[report] course: must be a string, got 3"),
        ({"text": {"curves": 1}}, "[report] text.curves: must be a string, got 1"),
        ({"authors": "Ada\nBob"}, r"[report] authors: must be on one line, got 'Ada\nBob'"),
        ({"course": "a\tb"}, "[report] course: must be on one line"),
        ({"course": "x" * (MOST_LETTERS + 1)}, "[report] course: must have at most 200 characters, got 201"),
        ({"authors": ["a"] * (MOST_AUTHORS + 1)}, "[report] authors: must have at most 50 names, got 51"),
        ({"text": {"a": "x" * MOST_TEXT, "b": "x"}}, "must have at most 100,000 characters in all sections together"),
        (
            {"text": {"a": "$x$ " * 250, "b": "$$x$$\n\n" * 251}},
            "[report] text: must have at most 500 formulas in all sections together, got 501; each makes the report",
        ),
        ({"text": "bell \a"}, r"[report] text.introduction: has a character that cannot be seen, '\x07'; delete it"),
        ({"text": "a\u202eb"}, r"cannot be seen, '\u202e'"),
        ({"authors": "A\x1b[2J"}, r"[report] authors: has a character that cannot be seen, '\x1b'"),
        ({"text": {"x\u200b": "y"}}, r"[report] text: has a character that cannot be seen, '\u200b'"),
    ],
)
def test_mistakes_are_refused_in_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyFileError) as refused:
        words_from(given, Source("lab.toml"))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_as_many_formulas_as_allowed_are_read() -> None:
    text = "$x$ " * MOST_FORMULAS
    assert words_from({"text": text}, Source("lab.toml")).text == {"introduction": text.rstrip()}


def test_a_study_file_is_written_with_the_words_and_read_back(tmp_path: Path) -> None:
    spec = study(authors=["Ada", "Ж"], course="ML", text={"curves": TEXT, "introduction": "Hi."})
    file = tmp_path / "study.toml"
    file.write_text(study_file(spec), encoding="utf-8")
    assert load_study(file).report == spec.report
    assert from_resolved(resolved(spec)) == spec
    assert "report" not in resolved(study())
    assert "[report]" not in study_file(study())


def test_words_are_no_part_of_what_makes_a_study_the_same() -> None:
    old, new = resolved(study(authors="Ada", text="Old.")), resolved(study(authors="Bob"))
    assert spec_conflicts(old, new) is None
    assert merged(old, new)["report"] == {"authors": ["Bob"], "course": "", "text": {"introduction": "Old."}}
    assert merged(old, resolved(study()))["report"] == old["report"]
    assert "report" not in merged(resolved(study()), resolved(study()))
    assert joined_words({}, {}) == {}


def test_names_are_inherited_and_a_text_is_not(tmp_path: Path) -> None:
    base = 'authors = "Ada"\ntext = "About the base."\n'
    part = "[parts.wider.variants.a]\n[parts.wider.variants.b]\nl2 = 1e-3\n"
    (tmp_path / "base.toml").write_text(f'data.name = "digits"\n[report]\n{base}{part}')
    (tmp_path / "more.toml").write_text('extends = "base.toml"\nreport.course = "ML"\n')
    assert load_study(tmp_path / "more.toml").report == OwnWords(("Ada",), "ML")
    assert load_study(f"{tmp_path}/base.toml/wider").report == OwnWords(("Ada",))
    assert load_study(tmp_path / "base.toml", settings=["report.course=ML"]).report.course == "ML"
