"""A study directory that the first edition wrote opens, verifies, reports and grows.

``fixtures/first-edition.tar.xz`` was written by wellfit 0.1.0 with ``wellfit run first-edition.toml --out first``.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stores
from small_studies import command
from wellfit.spec.study import from_resolved, load_study
from wellfit.store import contents, open_existing
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

FIXTURES = Path(__file__).parent / "fixtures"
STUDY = FIXTURES / "first-edition.toml"

MEANS = {"baseline": 94.57, "dropout": 89.42, "stopped": 93.59, "l2=0.001": 94.01, "l2=0.01": 94.01}
"""Mean test accuracies in percent, as the first edition printed them."""


def unpack(place: Path) -> Path:
    """Unpack the study directory of the first edition."""
    with tarfile.open(FIXTURES / "first-edition.tar.xz") as archive:
        if hasattr(tarfile, "data_filter"):  # since Python 3.11.4
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(place)
    return place / "first"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory, to be read."""
    return unpack(tmp_path_factory.mktemp("first-edition"))


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory, continued by this edition with one more seed."""
    directory = unpack(tmp_path_factory.mktemp("grown"))
    status, _, error = command("run", STUDY, "--out", directory, "--seeds", "3")
    assert status == 2
    assert "[data] folds is 1 there and 5 here (continue it with --set data.folds=1)" in error
    status, _, error = command("run", STUDY, "--out", directory, "--seeds", "3", "--set", "data.folds=1")
    assert (status, error) == (0, "")
    return directory


def test_it_opens_with_all_its_runs(first: Path) -> None:
    before = stores.tree(first)
    with open_existing(first) as store:
        records = store.runs.records()
        assert {(r.spec.variant, r.spec.seed) for r in records} == {(name, seed) for name in MEANS for seed in (0, 1)}
        assert store.runs.test_scores()["baseline", 1] == (0.9526462395543176, 0.21722813646593603)
        study = load_study(str(STUDY))  # of images, whose scale "auto" was called "unit"
        data = replace(study.data, scale="unit", folds=1)  # there were no folds
        assert from_resolved(store.metadata.study()) == replace(study, data=data)
        assert store.metadata.provenance()["wellfit"] == "0.1.0"
        assert store.metadata.note("examples") == {"training": 575, "sample": 144, "validation": 144, "test": 359}
        assert {name: a.shape for name, a in store.runs.weights("dropout", 0).items()} == {
            "dense_1/kernel": (64, 8),
            "dense_1/bias": (8,),
            "dense_2/kernel": (8, 10),
            "dense_2/bias": (10,),
        }
        for record in records:
            run = (record.spec.variant, record.spec.seed)
            labels, p = store.keepsakes.labels()[0], store.runs.tested(*run).probabilities
            accuracy = np.mean(p.argmax(axis=1) == labels)
            assert accuracy == pytest.approx(store.runs.test_scores()[run][0], abs=1e-12)
        assert len(store.final_states.descriptions()) == 8
        for description in store.final_states.descriptions().values():
            assert store.final_states.load(description)
        assert store.keepsakes.load() is not None
        assert not store.is_running()
    assert stores.tree(first) == before


def test_it_verifies(first: Path) -> None:
    verified = verify_study(first)
    (note,) = verified.notes
    assert note.startswith("study.db: has no manifest, because an earlier edition of wellfit wrote it")
    assert (verified.problems, verified.fingerprint) == ((), None)
    assert (verified.runs, verified.files) == (10, 30)
    assert verified.numbers >= 231  # those that the first edition recomputed


def test_its_numbers_are_those_that_the_first_edition_printed(first: Path) -> None:
    summary = summarize(first)
    assert summary.state == "finished"
    assert {v.name: round(100 * v.mean["test_accuracy"], 2) for v in summary.variants} == MEANS
    low, high = next(v.interval["test_accuracy"] for v in summary.variants if v.name == "baseline") or (0, 0)
    assert low < 0.7808  # that edition's interval, Wilson's, was from 78.08 to 98.84: too narrow near 100 %
    assert high > 0.9884
    assert summary.seconds == pytest.approx(2.2, abs=0.05)


def test_it_is_shown(first: Path) -> None:
    status, out, error = command("show", first)
    assert (status, error) == (0, "")
    for mean in MEANS.values():
        assert f"{mean:.2f}" in out
    status, out, error = command("show", first, "--json")
    output: dict[str, Any] = json.loads(out)
    assert {v["name"]: round(100 * v["mean"]["test_accuracy"], 2) for v in output["variants"]} == MEANS


@pytest.mark.parametrize("form", ["html", "md"])
def test_it_is_reported(form: str, first: Path, tmp_path: Path) -> None:
    page = tmp_path / f"report.{form}"
    status, _, error = command("report", first, "--out", page)
    assert (status, error) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert "Does a penalty or dropout help a small network on the digits?" in text
    for mean in MEANS.values():
        assert f"{mean:.2f}" in text


def test_a_report_of_the_first_edition_is_not_judged(tmp_path: Path) -> None:
    directory = unpack(tmp_path)
    (directory / "report.html").write_text("<html><head><title>by the first edition</title></head></html>")
    status, out, error = command("verify", directory)
    assert (status, error) == (0, "")
    assert "note: report.html: from an older wellfit, not compared with the numbers" in out


def test_one_more_seed_leaves_its_runs_as_they_are(first: Path, grown: Path) -> None:
    with open_existing(first) as before, open_existing(grown) as after:
        assert len(after.runs.finished()) == 15
        kept = before.runs.files()
        assert kept.items() <= contents.files(after).items()
        assert before.runs.test_scores().items() <= after.runs.test_scores().items()
        assert len(after.metadata.provenance()["code hash"].split("; then ")) == 2
    for name, sha256 in kept.items():
        assert hashlib.sha256((grown / name).read_bytes()).hexdigest() == sha256
    earlier = [row for row in stores.epochs(grown) if row[1] < 2]
    assert earlier == stores.epochs(first)


def test_grown_it_verifies_and_reports(grown: Path) -> None:
    verified = verify_study(grown)
    assert (verified.problems, verified.runs) == ((), 15)
    assert "wellfit's code: c836f6583c29, then " in verified.notes[-1]
    assert all("the last bits" in note for note in verified.notes[:-1])  # on another processor than it began on
    assert verified.fingerprint is not None
    summary = summarize(grown)
    assert (summary.state, len(summary.seeds)) == ("finished", 3)
    text = (grown / "report.html").read_text(encoding="utf-8")
    for variant in summary.variants:
        assert f"{100 * variant.mean['test_accuracy']:.2f}" in text
