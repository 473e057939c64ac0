"""Folders of trackers, and small files in them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from wellfit.data.tracked import folders
from wellfit.data.tracked.folders import files_below, json_in, read_bounded, skipped_notes, yaml_in
from wellfit.errors import DataError


def test_files_in_order_without_links_hidden_or_deep_ones(tmp_path: Path):
    for name in ("b/x.csv", "a/x.csv", ".git/x.csv", "a/b/c/d/e/f/g/x.csv", "x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "b" / "pipe.txt")
    found = [
        file.relative_to(tmp_path).as_posix() for file in files_below(tmp_path, lambda name: name.endswith(".csv"))
    ]
    assert found == ["a/x.csv", "b/x.csv"]


@pytest.mark.parametrize("kind", ["pipe", "link", "device"])
def test_what_has_a_wanted_name_and_is_no_file_is_refused(tmp_path: Path, kind: str):
    odd, words = tmp_path / "l2.0.csv", {"pipe": "a pipe", "link": "a link that leads nowhere", "device": "a device"}
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("/dev/zero" if kind == "device" else tmp_path / "gone.csv")
    with pytest.raises(DataError, match=f"l2.0.csv: {words[kind]}, not a file; put the file there, or remove this"):
        list(files_below(tmp_path, lambda name: name.endswith(".csv")))


def test_too_many_files_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folders, "_MOST_FILES", 2)
    for at in range(3):
        (tmp_path / str(at)).touch()
    with pytest.raises(DataError, match=r"more than 2 files; give the folder of the runs, or .*WELLFIT_LIMITS=2"):
        list(files_below(tmp_path, bool))


def test_settings_in_yaml(tmp_path: Path):
    pytest.importorskip("yaml")
    file = tmp_path / "hparams.yaml"
    assert yaml_in(file) == {}
    for empty in ("", "{}\n", "null\n"):
        file.write_text(empty)
        assert yaml_in(file) == {}
    file.write_text("lr: 0.1\nopt:\n  name: adam\n")
    assert yaml_in(file) == {"lr": "0.1", "opt/name": "adam"}
    file.write_text("base: &b {lr: 1, l2: 0}\nopt:\n  <<: *b\n  lr: 2\n  <<: *b\n")  # merged keys may be there again
    assert yaml_in(file) == {"base/lr": "1", "base/l2": "0", "opt/lr": "2", "opt/l2": "0"}
    file.write_text("tags: !!set {b, a, c}\n")
    assert yaml_in(file) == {"tags": "{'a', 'b', 'c'}"}  # in this order whatever the hashes of this process are


def test_settings_that_are_no_file_are_not_none(tmp_path: Path):
    file = tmp_path / "hparams.yaml"
    for at, message in enumerate(
        ("a link that leads nowhere", "a folder", "a pipe", "a device", "a link; put the file")
    ):
        file.unlink(missing_ok=True) if not file.is_dir() else file.rmdir()
        if at == 1:
            file.mkdir()
        elif at == 2:
            os.mkfifo(file)
        else:
            file.symlink_to({0: tmp_path / "gone", 3: "/dev/zero", 4: __file__}[at])
        with pytest.raises(DataError, match=rf"hparams.yaml: {message}"):
            yaml_in(file)


@pytest.mark.parametrize("text", ["l2: 0\nseed: 1\nl2: 1\n", "opt: {lr: 1, l2: 0, l2: 1}\n", "- {l2: 1, l2: 2}\n"])
def test_a_key_that_is_there_twice_is_refused(tmp_path: Path, text: str):
    pytest.importorskip("yaml")
    (tmp_path / "h.yaml").write_text(text)
    with pytest.raises(DataError, match=r"h.yaml: the key 'l2' is there twice; keep one of the two"):
        yaml_in(tmp_path / "h.yaml")
    (tmp_path / "h.json").write_text('{"a": {"val_accuracy": [0.5], "val_accuracy": [0.9]}}')
    with pytest.raises(DataError, match=r"h.json: the key 'val_accuracy' is there twice; keep one of the two"):
        json_in(tmp_path / "h.json")


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n- 2\n", "holds no settings; give name: value in each line"),
        ("a: !!python/name:os.system\n", "cannot be read as plain YAML .*save plain numbers and texts as settings"),
        ("a: [1\n", "cannot be read as plain YAML .*repair it, or delete it"),
        (BOMB, "81 aliases .*write the values out"),
        ("&a x: *a y: [\n", "cannot be read as plain YAML"),
        ("a: " + "[" * 5000 + "]" * 5000, "h.yaml: values within values too deep for YAML; repair it"),
    ],
)
def test_yaml_that_is_not_plain_is_one_line(tmp_path: Path, text: str, message: str):
    pytest.importorskip("yaml")
    (tmp_path / "h.yaml").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        yaml_in(tmp_path / "h.yaml")
    assert "\n" not in str(caught.value)


def test_without_pyyaml_the_line_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    (tmp_path / "h.yaml").write_text("a: 1\n")
    with pytest.raises(DataError, match=r'needs PyYAML, which is not installed; .*pip install "wellfit\[yaml\]"'):
        yaml_in(tmp_path / "h.yaml")


def test_files_that_are_none_or_too_large_are_one_line(tmp_path: Path):
    (tmp_path / "a.json").write_text("{,")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    os.mkfifo(tmp_path / "pipe.json")
    for name, message in (
        ("a.json", "a.json: no JSON .*write it with json.dump"),
        ("deep.json", "deep.json: lists within lists too deep for JSON"),
        ("gone.json", "gone.json: no such file; give a JSON file"),
        ("pipe.json", "pipe.json: a pipe; give a JSON file"),
    ):
        with pytest.raises(DataError, match=message):
            json_in(tmp_path / name)
    with pytest.raises(DataError, match=r"a.json: 2 bytes are more than a file should have \(1\)"):
        read_bounded(tmp_path / "a.json", 1)
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    with pytest.raises(DataError, match=r"link.json: a link; put the file itself there"):
        read_bounded(tmp_path / "link.json", 99)


@pytest.mark.parametrize(
    "text", ["a: !!timestamp x\n", "a: !!int ''\n", "a: !!bool maybe\n", "a: 9999-99-99\n",
             "a: 0x" + "f" * 100_000, "a: !!float ''\n"],
)  # fmt: skip
def test_odd_tags_in_yaml_are_one_line(tmp_path: Path, text: str):
    pytest.importorskip("yaml")
    (tmp_path / "h.yaml").write_text(text)
    with pytest.raises(DataError, match=r"^[^\n]*cannot be read as plain YAML[^\n]*$"):
        yaml_in(tmp_path / "h.yaml")


def test_few_aliases_of_much_are_short(tmp_path: Path):
    pytest.importorskip("yaml")
    lines = [f"a0: &a0 [{'x' * 100_000}]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 3)}]" for i in range(1, 7))]
    (tmp_path / "h.yaml").write_text("\n".join(lines))
    assert all(len(of) == 250 for of in yaml_in(tmp_path / "h.yaml").values())


def test_folders_that_are_not_looked_into_are_said_or_refused(tmp_path: Path):
    (tmp_path / "a/b/c/d/e/f/g").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    skipped: Counter[str] = Counter()
    assert list(files_below(tmp_path, bool, skipped)) == []
    assert skipped_notes(skipped) == [
        "Not looked into: 1 links to folders; give the folders themselves.",
        "Not looked into: 1 folders more than 6 levels deep.",
    ]


def test_a_folder_that_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    scandir = os.scandir

    def refuse(place: str) -> object:
        if str(place).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"closed: cannot be read \(Permission denied\); check its permissions"):
        list(files_below(tmp_path, bool))
