"""Places of keys in a file, and files that are no study files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_file import LAB
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.spec.source import MAX_BYTES, Source, key_lines, parse_toml, read_setting
from wellfit.spec.study import load_study

TEXT = '[train]\nl2 = 1\n[parts.a]\ntitle = "x"\n[parts.a.variants.b]\nl2 = 2\n'


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("train", "l2"), "s.toml, line 2, [train] l2"),
        (("parts", "a", "title"), "s.toml, line 4, [parts.a] title"),
        (("parts", "a", "variants", "b", "l2"), "s.toml, line 6, [parts.a.variants.b] l2"),
        (("parts", "a"), "s.toml, line 3, [parts] a"),
        (("parts",), "s.toml, line 3, parts"),
    ],
)
def test_the_place_of_a_key(path: tuple[str, ...], place: str) -> None:
    assert Source("s.toml", TEXT).place(path) == place


def test_a_part_is_a_source_of_its_own_over_its_file() -> None:
    whole = Source("s.toml", TEXT)
    part = Source("s.toml", TEXT, prefix=("parts", "a"), under=whole)
    assert part.place(("variants", "b", "l2")) == "s.toml, line 6, [parts.a.variants.b] l2"
    assert part.place(("train", "l2")) == "s.toml, line 2, [train] l2"
    assert part.place(("train", "epochs")) == "s.toml, line 1, [train] epochs"
    assert part.place(("model", "hidden")) == "s.toml, line 3, [parts.a.model] hidden"


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(StudyFileError, match="not KEY=VALUE"):
        read_setting("train.epochs")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[variants.a]\nl2 = 1\n[variants.a]\n", "line 3: [variants.a] is defined twice; keep one, or rename one"),
        ("[variants.a] # one\n[variants.a] # two\n", "line 2: [variants.a] is defined twice; keep one, or rename one"),
        ("[train]\nl2 = 1\nl2 = 2\n", "line 3: l2 is defined twice; keep one, or rename one"),
        ("variants = {}\nvariants.a = {}\n", "line 2: variants.a is defined twice; keep one, or rename one"),
        ("train = { l2 = 1, l2 = 2 }", "line 1: l2 is defined twice; keep one, or rename one"),
        ("[[questions]]\n[questions]\n", "line 2: [questions] is defined twice; keep one, or rename one"),
    ],
)
def test_what_is_defined_twice_is_named_in_the_terms_of_the_file(text: str, message: str) -> None:
    with pytest.raises(StudyFileError) as error:
        parse_toml(text, "lab.toml")
    assert str(error.value) == f"lab.toml, {message}"


def test_files_that_are_no_study_files(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("a = 1\nb = = 2\n")
    with pytest.raises(StudyFileError, match=r"bad.toml, line 2, column 5: not TOML: Invalid value$"):
        load_study(bad)
    bad.write_text('a = 1\nb = "')
    with pytest.raises(StudyFileError, match=r"bad.toml, line 2, column \d+: not TOML"):
        load_study(bad)
    bad.write_bytes(b"a = '\xff'")
    with pytest.raises(StudyFileError, match=r"bad.toml: not TOML: byte 5 is not UTF-8"):
        load_study(bad)
    bad.write_text("a = " + "9" * 5000)
    with pytest.raises(StudyFileError, match="absurdly long or deeply nested"):
        load_study(bad)
    bad.write_text("a = " + "[" * 50_000)
    with pytest.raises(StudyFileError, match="absurdly long or deeply nested"):
        load_study(bad)
    bad.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(StudyFileError, match="larger than a megabyte"):
        load_study(bad)
    with pytest.raises(StudyFileError, match=r"a folder, not a study file; give a \.toml file, or one of augmentation"):
        load_study(tmp_path)
    with pytest.raises(StudyFileError, match=r"none.toml: no such file \(built-in studies: .*lab5"):
        load_study(tmp_path / "none.toml")
    with pytest.raises(UnknownNameError, match="unknown study 'lab6'; did you mean 'lab5'"):
        load_study("lab6")
    for name in ("x" * 300, f"{'y' * 300}.toml"):
        with pytest.raises(StudyFileError, match=r"^'[xy]{60}': cannot be a file: File name too long$"):
            load_study(name)


def test_a_byte_order_mark_and_windows_lines_are_read(lab: Path) -> None:
    lab.write_bytes(b"\xef\xbb\xbf" + LAB.replace("\n", "\r\n").encode())
    assert load_study(lab).name == "lab"
    lab.write_bytes(lab.read_bytes().replace(b"dropout", b"droput"))
    with pytest.raises(UnknownNameError, match="line 19"):
        load_study(lab)


def test_lines_are_found_after_multiline_values() -> None:
    text = 'a = """\n[no]\nb = 1\n"""\n\n# c = 1\n[t]\nd = [\n  1,\n]\n"e f".g = 2\n[[u]]\nh = 1\n[[u]]\nh = 2\n'
    lines = key_lines(text)
    expected = {("a",): 1, ("t",): 7, ("t", "d"): 8, ("t", "e f", "g"): 11, ("u",): 12, ("u", "h"): 13}
    assert {path: lines[path] for path in expected} == expected
    assert ("b",) not in lines
    assert ("c",) not in lines
