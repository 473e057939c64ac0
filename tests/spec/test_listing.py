"""The built-in studies and their parts at a glance, from Python and on the command line."""

from __future__ import annotations

import json
import re
import sys

import pytest

from wellfit import cli
from wellfit.errors import UnknownNameError
from wellfit.spec.listing import find_study, list_parts, list_studies
from wellfit.spec.study import load_study


def ended(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["wellfit", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_list_shows_what_is_run() -> None:
    for study in list_studies():
        for part in list_parts(study.name):
            assert load_study(part.name).title == part.title
    assert list_parts("width-and-depth") == []
    with pytest.raises(UnknownNameError, match="unknown study 'lab6'; did you mean 'lab5'"):
        list_parts("lab6")


def test_the_command_lists_a_studys_parts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, _ = ended(capsys, monkeypatch, "list", "lab5")
    assert status == 0
    begun = [line for line in out.splitlines()[:-1] if line[2] != " "]  # others go on with a title
    assert [line.split()[0] for line in begun] == ["lab5", *(part.name for part in list_parts("lab5"))]
    assert out.endswith("Run one with: wellfit run lab5/as-published\n")
    _, out, _ = ended(capsys, monkeypatch, "list", "lab5", "--json")
    assert [part["name"] for part in json.loads(out)["parts"]] == [part.name for part in list_parts("lab5")]
    status, out, err = ended(capsys, monkeypatch, "list", "lab6")
    assert (status, out, err.splitlines()[0][:50]) == (2, "", "wellfit: unknown study 'lab6'; did you mean 'lab5'")


def test_the_command_writes_a_study_and_its_schema(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.chdir(str(tmp_path))
    status, out, _ = ended(capsys, monkeypatch, "new", "mine")
    assert (status, out) == (0, "Wrote mine.toml. Edit it, then: wellfit run mine.toml\n")
    status, out, err = ended(capsys, monkeypatch, "new", "mine")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err == "wellfit: mine.toml: already exists and is not overwritten; choose another name\n"
    status, out, _ = ended(capsys, monkeypatch, "schema")
    assert status == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")


@pytest.mark.parametrize(("name", "words"), [
    ("lab5/dpth", "unknown part 'dpth' in study 'lab5'; did you mean 'depth'?"),
    ("lab6", "unknown study 'lab6'; did you mean 'lab5'?"),
    ("lab5/", "unknown part ''")])  # fmt: skip
def test_an_unknown_study_or_part_is_refused(name: str, words: str) -> None:
    with pytest.raises(UnknownNameError, match=re.escape(words)):
        find_study(name)


def test_a_part_is_found_by_the_name_that_run_takes() -> None:
    for study in list_studies():
        assert find_study(study.name) == study
        for part in list_parts(study.name):
            assert find_study(part.name) == part
