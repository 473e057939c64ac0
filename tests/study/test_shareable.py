from __future__ import annotations

from dataclasses import replace

import pytest

from summaries import study
from wellfit.base import Finding
from wellfit.study.shareable import last_part, places_of, shareable, shareable_settings, without_folders


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/ann/people.csv", "people.csv"),
        ("/home/ann/pets/", "pets"),
        ("~/pets", "pets"),
        (r"C:\Users\ann\people.csv", "people.csv"),
        (r"\\server\ann\people.csv", "people.csv"),
        ("people.csv", "people.csv"),
        ("../data/people.csv", "../data/people.csv"),
        ("fashion-mnist", "fashion-mnist"),
        ("cosines:2", "cosines:2"),
        ("", ""),
        ("/", "/"),
    ],
)
def test_the_last_part_of_an_absolute_path(path, shown):
    assert last_part(path) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Digits, from WELLFIT_DATA (/data/sets/mnist)", "Digits, from WELLFIT_DATA (mnist)"),
        ("wellfit run lab5 --out /tmp/labs/lab5 --seeds 10", "wellfit run lab5 --out lab5 --seeds 10"),
        ("run --data=~/pets --set 'data.test_file=\"/a b/c.csv\"'", "run --data=pets --set 'data.test_file=\"c.csv\"'"),
        ("one; then /x/y/z.csv, 300 of 400 examples", "one; then z.csv, 300 of 400 examples"),
        ("loss and/or accuracy, 3 / 4, 1/2, https://a.org/b/c", "loss and/or accuracy, 3 / 4, 1/2, https://a.org/b/c"),
        ("wellfit run my-images/", "wellfit run my-images/"),
    ],
)  # fmt: skip
def test_a_text_keeps_everything_but_folders(text, shown):
    assert without_folders(text) == shown


def test_a_known_path_may_have_spaces():
    assert without_folders("read from /my own data/a.csv, 3 rows", ("/my own data/a.csv",)) == "read from a.csv, 3 rows"


def test_the_places_of_data_are_known_as_written_and_as_opened(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/home/ann")
    assert {"~/my pets", "/home/ann/my pets"} <= set(places_of({"name_or_path": "~/my pets"}))


def test_settings_keep_their_shape():
    settings = {
        "title": "What helps on /a/b/c.csv?",
        "data": {"name_or_path": "/a/b/c.csv", "drop": ["x/y", "/a/b"]},
        "n": 3,
    }
    assert shareable_settings(settings) == {
        "title": "What helps on c.csv?", "data": {"name_or_path": "c.csv", "drop": ["x/y", "b"]}, "n": 3
    }  # fmt: skip


def test_a_summary_keeps_its_directory_and_loses_all_other_folders():
    finding = Finding("few-seeds", "info", "/my data/a.csv: has 2 classes.", "Look at /my data/a.csv.")
    whole = replace(
        study(variants=("baseline",)), title="On /my data/a.csv?", data="/my data/a.csv", directory="/my data/study",
        provenance={"data": "a, from /my data/a.csv", "jax": "0.7"}, findings=(finding,),
        settings={"data": {"name_or_path": "/my data/a.csv"}},
    )  # fmt: skip
    found = shareable(whole)
    assert (found.title, found.data, found.directory) == ("On a.csv?", "a.csv", "/my data/study")
    assert found.provenance == {"data": "a, from a.csv", "jax": "0.7"}
    assert found.settings == {"data": {"name_or_path": "a.csv"}}
    assert (found.findings[0].message, found.findings[0].fix) == ("a.csv: has 2 classes.", "Look at a.csv.")
    assert found.variants == whole.variants
