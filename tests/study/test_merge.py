"""wellfit merge: separate runs are merged bit for bit, and directories that do not belong together are refused."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stores
from saved_runs import posix
from small_studies import clouds, small, unsplit
from wellfit.base import Dataset
from wellfit.errors import OtherStudyError, StoreBusyError, StoreError, StoreUnreadableError
from wellfit.files import claimed
from wellfit.spec.study import StudySpec, resolved, study_from_mapping
from wellfit.store import create_or_open, open_existing
from wellfit.study import merge
from wellfit.study.merge import merge_studies
from wellfit.study.planning import Forecast
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

VARIANTS: dict[str, Any] = {"plain": {}, "l2": {"l2": 0.01}, "dropout": {"dropout": 0.3}}


def study(seeds: list[int], *variants: str, **train: Any) -> StudySpec:
    return study_from_mapping(
        {
            "data": {"name": "clouds", "scale": "standardize"},
            "model": {"hidden": [8]},
            "train": {"epochs": 3, "batch_size": 32, "seeds": seeds, **train},
            "variants": {name: VARIANTS[name] for name in variants or VARIANTS},
        }
    )


def trained(directory: Path, spec: StudySpec, dataset: Dataset | None = None) -> Path:
    run_study(Session(spec, dataset or clouds(), directory), command=f"wellfit run --out {directory.name}")
    return directory


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in parts, to be read: two variants of seeds 0 and 1, and of seed 2; another variant of seeds 0 and 1."""
    place = tmp_path_factory.mktemp("parts")
    trained(place / "a", study([0, 1], "plain", "l2"))
    trained(place / "b", study([2], "plain", "l2"))
    trained(place / "c", study([0, 1], "dropout"))
    return place


@pytest.fixture
def copy(parts: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(parts, tmp_path / "parts"))


def change(directory: Path, statement: str) -> None:
    """Change the database behind wellfit's back."""
    with contextlib.closing(sqlite3.connect(directory / "study.db")) as connection, connection:
        assert connection.execute(statement).rowcount


def content(directory: Path) -> set[Any]:
    """Every row of every run, every epoch, and the bytes of every file."""
    files = {(name, data) for name, data in stores.tree(directory).items() if name.endswith(".npz")}
    return {*stores.rows(directory, "SELECT * FROM runs"), *stores.epochs(directory), *files}


def planned(directory: Path, spec: StudySpec) -> Forecast:
    output: list[Forecast] = []
    run_study(Session(spec, clouds(), directory), on_plan=output.append)
    return output[0]


# --- What belongs together


def test_seeds_and_variants_come_together_bit_by_bit(parts: Path, tmp_path: Path) -> None:
    before = stores.tree(parts)
    done = merge_studies([parts / "a", parts / "b"], tmp_path / "whole")
    assert (done.runs, done.taken, done.duplicates, done.missing, done.codes) == (6, (4, 2), 0, 0, 1)
    assert content(tmp_path / "whole") == content(parts / "a") | content(parts / "b")
    assert [p.name for p in tmp_path.iterdir()] == ["whole"]
    assert stores.tree(parts) == before

    found = verify_study(tmp_path / "whole")
    assert (found.problems, found.notes, found.runs) == ((), (), 6)
    summary = summarize(tmp_path / "whole")
    assert (summary.state, summary.seeds) == ("finished", (0, 1, 2))
    (comparison,) = summary.comparisons
    means = {
        name: np.mean(
            [
                score
                for part in "ab"
                for (score,) in stores.rows(parts / part, f"SELECT test_accuracy FROM runs WHERE variant = '{name}'")
            ]
        )
        for name in ("plain", "l2")
    }
    assert comparison.difference == pytest.approx(means["l2"] - means["plain"], abs=1e-12)

    facts, *of_parts = (summarize(place).provenance for place in (tmp_path / "whole", parts / "a", parts / "b"))
    assert facts["command"] == "wellfit run --out a; then wellfit run --out b"
    assert facts["data hash"] == of_parts[0]["data hash"]
    opened = sorted({p["test set opened"] for p in of_parts})
    assert facts["test set opened"] == ", ".join(opened)


def test_seeds_of_folds_come_together_to_the_study_trained_whole(tmp_path: Path) -> None:
    """Each part audits, counts and describes the same fold, whichever seeds it has."""
    dataset = unsplit(127)
    session = Session(small(2, 5, folds=5), dataset, tmp_path / "unused")
    assert session.fold(0).data.y_train.sum() != session.fold(2).data.y_train.sum()  # else any fold would do
    for name, seeds in (("a", [0, 1]), ("b", [2, 3, 4]), ("once", [0, 1, 2, 3, 4])):
        trained(tmp_path / name, small(2, seeds, folds=5), dataset)
    merge_studies([tmp_path / "a", tmp_path / "b"], tmp_path / "whole")
    assert stores.epochs(tmp_path / "whole") == stores.epochs(tmp_path / "once")
    found, expected = (stores.probabilities(tmp_path / name) for name in ("whole", "once"))
    assert {**found, "keepsakes.npz": expected["keepsakes.npz"]} == expected  # those of the whole follow with a run
    with open_existing(tmp_path / "whole") as whole, open_existing(tmp_path / "once") as once:
        notes = whole.metadata.notes()
        assert {f"inputs.{seed}" for seed in range(5)} <= notes.keys()
        apart = {"choices": "", "validation overlap": "", "seen": ""}  # measured by each; known where the data are
        assert {**notes, **apart} == {**once.metadata.notes(), **apart}
        assert whole.metadata.findings() == once.metadata.findings()
    one, other = summarize(tmp_path / "whole"), summarize(tmp_path / "once")
    assert (one.variants[1].interval, one.comparisons) == (other.variants[1].interval, other.comparisons)
    forecast = Session(small(2, 5, folds=5), dataset, tmp_path / "whole").forecast
    assert (forecast.plan.runs, forecast.done) == (0, 10)


def test_a_merged_study_can_be_continued(parts: Path, tmp_path: Path) -> None:
    merge_studies([parts / "a", parts / "b"], tmp_path / "whole")
    before = content(tmp_path / "whole")
    forecast = planned(tmp_path / "whole", study([0, 1, 2], "plain", "l2"))
    assert (forecast.plan.runs, forecast.done) == (0, 6)
    assert content(tmp_path / "whole") == before
    forecast = planned(tmp_path / "whole", study([0, 1, 2, 3], "plain", "l2"))
    assert (forecast.plan.runs, forecast.done) == (2, 6)
    assert content(tmp_path / "whole") > before


def test_duplicates_are_taken_once_and_missing_runs_are_pending(parts: Path, tmp_path: Path) -> None:
    merge_studies([parts / "a", parts / "b"], tmp_path / "both")
    done = merge_studies([tmp_path / "both", parts / "a", parts / "c"], tmp_path / "whole")
    assert (done.runs, done.duplicates, done.missing) == (8, 4, 1)
    summary = summarize(tmp_path / "whole")
    assert [v.name for v in summary.variants] == ["plain", "l2", "dropout"]
    assert summary.state == "interrupted"
    assert [run.state for run in summary.variants[2].runs] == ["finished", "finished", "pending"]
    assert verify_study(tmp_path / "whole").problems == ()


def test_a_run_that_one_of_them_has_tested_is_tested(copy: Path, tmp_path: Path) -> None:
    merge_studies([copy / "a", copy / "b"], tmp_path / "both")
    change(copy / "a", "UPDATE runs SET test_sha256 = NULL, test_accuracy = NULL, test_loss = NULL")
    for path in (copy / "a" / "test").glob("*.[0-9].npz"):
        path.unlink()
    merge_studies([copy / "a", copy / "c"], tmp_path / "some")
    assert len(stores.rows(tmp_path / "some", "SELECT seed FROM runs WHERE test_sha256 IS NULL")) == 4
    merge_studies([copy / "a", tmp_path / "both"], tmp_path / "whole")
    assert content(tmp_path / "whole") == content(tmp_path / "both")
    assert verify_study(tmp_path / "whole").problems == ()


def test_versions_of_the_code_are_counted(copy: Path, tmp_path: Path) -> None:
    change(copy / "b", f"UPDATE study SET value = replace(value, 'code hash\": \"', 'code hash\": \"{'f' * 8}')")
    assert merge_studies([copy / "a", copy / "b"], tmp_path / "whole").codes == 2
    assert any("2 versions" in note for note in verify_study(tmp_path / "whole").notes)
    merged = summarize(tmp_path / "whole").provenance["code hash"]
    merge_studies([copy / "b", tmp_path / "whole"], tmp_path / "again")
    assert sorted(summarize(tmp_path / "again").provenance["code hash"].split("; then ")) == sorted(
        merged.split("; then ")
    )


# --- What does not


def refused(error: type[StoreError], *directories: Path, out: Path) -> str:
    there = out.exists()
    with pytest.raises(error) as caught:
        merge_studies(directories, out)
    assert "\n" not in str(caught.value)
    assert out.exists() == there
    assert not list(out.parent.glob(".*.tmp"))
    return str(caught.value)


def test_another_study_is_refused_with_the_first_difference(copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "whole"
    for there, here, difference in (
        ("study", "other", "it is called 'study' there and 'other' here"),
        ('"epochs": 3', '"epochs": 4', "[train] epochs is 3 there and 4 here"),
        ('"l2": 0.01', '"l2": 0.02', "[variants.l2] l2 is 0.01 there and 0.02 here"),
        ('"split_seed": 0', '"split_seed": 1', "[data] split_seed is 0 there and 1 here"),
        ('"precision": "float32"', '"precision": "mixed"', '[train] precision is "float32" there and "mixed" here'),
    ):
        work = Path(shutil.copytree(copy / "b", copy / "changed"))
        change(work, f"UPDATE study SET value = replace(value, '{there}', '{here}') WHERE key = 'study'")
        message = refused(OtherStudyError, copy / "a", work, out=out)
        assert message.startswith(f"{work}: does not belong to {copy / 'a'}: {difference}; merge only directories that")
        shutil.rmtree(work)


def test_what_one_of_them_has_noted_is_refused(copy: Path, tmp_path: Path) -> None:
    for part in "ab":
        with create_or_open(copy / part, resolved(study([0, 1, 2], "plain", "l2")), provenance={}) as store:
            store.metadata.write_note("looks", {"of": 3})
    merge_studies([copy / "a", copy / "b"], tmp_path / "same")
    with open_existing(tmp_path / "same") as store:
        assert store.metadata.note("looks") == {"of": 3}
    message = refused(OtherStudyError, copy / "a", copy / "c", out=tmp_path / "whole")
    assert "planned looks differ; merge only directories that differ in seeds and variants" in message


def test_machines_that_measured_other_costs_belong_together(copy: Path, tmp_path: Path) -> None:
    change(copy / "b", "UPDATE study SET value = replace(value, '1.0]', '0.7]') WHERE key = 'note: choices'")
    merge_studies([copy / "a", copy / "b"], tmp_path / "whole")
    with open_existing(tmp_path / "whole") as whole, open_existing(copy / "a") as a, open_existing(copy / "b") as b:
        both = {"seen": whole.metadata.note("seen"), "validation overlap": None}
        both |= {key: b.metadata.note(key) for key in ("inputs.2", "inputs.examples.inputs.2")}
        assert both["seen"]["seeds"] == [0, 1, 2]
        assert both["inputs.2"] is not None
        assert whole.metadata.notes() == {**a.metadata.notes(), **both}
    shutil.rmtree(tmp_path / "whole")
    change(copy / "b", "UPDATE study SET value = replace(value, 'float32', 'mixed') WHERE key = 'note: choices'")
    message = refused(OtherStudyError, copy / "a", copy / "b", out=tmp_path / "whole")
    assert "choices is {'precision': 'float32'} there and {'precision': 'mixed'} here" in message


@pytest.mark.parametrize("fact", ["data hash", "split hash", "precision"])
def test_other_data_another_split_and_another_precision_are_refused(fact: str, copy: Path, tmp_path: Path) -> None:
    change(
        copy / "b",
        f"UPDATE study SET value = replace(value, '{fact}\": \"', '{fact}\": \"other ') WHERE key = 'provenance'",
    )
    message = refused(OtherStudyError, copy / "a", copy / "b", out=tmp_path / "whole")
    assert f"does not belong to {copy / 'a'}: {fact} is " in message
    assert " here; merge only directories that differ in seeds and variants" in message


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("UPDATE runs SET readout_epoch = 2", "end"),
        ("UPDATE epochs SET train_loss = train_loss + 1e-12", "epochs"),
        ("UPDATE runs SET scores = '{}'", "scores"),
        ("UPDATE runs SET weights_sha256 = 'other'", "weights"),
        ("UPDATE runs SET test_sha256 = 'other'", "test results"),
    ],
)
def test_the_same_run_with_other_results_is_refused(
    statement: str, difference: str, copy: Path, tmp_path: Path
) -> None:
    twin = Path(shutil.copytree(copy / "a", copy / "twin"))
    change(twin, f"{statement} WHERE variant = 'plain' AND seed = 1")
    message = refused(OtherStudyError, copy / "a", twin, out=tmp_path / "whole")
    assert f"variant 'plain', seed 1: different {difference} here (rounding depends on the machine" in message


def test_places_that_will_not_do(copy: Path, tmp_path: Path) -> None:
    a, b = copy / "a", copy / "b"
    assert "already exists; choose another --out" in refused(StoreError, a, b, out=copy)
    assert "nothing to merge with" in refused(StoreError, a, out=tmp_path / "whole")
    again = copy / "b" / ".." / "a"
    assert f"{again}: the same directory as {a}" in refused(StoreError, a, again, out=tmp_path / "whole")
    assert "not a study directory" in refused(StoreUnreadableError, a, copy, out=tmp_path / "whole")
    message = refused(StoreError, a, b, out=a / "study.db" / "whole")  # nobody can write below a file, root neither
    assert "cannot be written: Not a directory; choose another --out" in message
    with create_or_open(b, resolved(study([2], "plain", "l2")), provenance={}):
        assert f"{b}: a process is training in it" in refused(StoreBusyError, a, b, out=tmp_path / "whole")


def test_a_damaged_file_leaves_nothing_half_written(copy: Path, tmp_path: Path) -> None:
    (copy / "b" / "weights" / "l2.2.npz").write_bytes(b"")
    assert "l2.2.npz: damaged" in refused(StoreUnreadableError, copy / "a", copy / "b", out=tmp_path / "whole")


@posix
def test_the_copies_of_killed_merges_are_removed(parts: Path, tmp_path: Path) -> None:
    """Not those of living ones, nor folders with files of others."""
    for number, made in enumerate((".", "weights", "ends")):
        (tmp_path / f".whole.{number}.tmp" / made).mkdir(parents=True)
    for left in (".whole.1.tmp", ".whole.2.tmp", ".whole.3.tmp", ".whole.4.tmp", ".else.5.tmp"):
        (tmp_path / left).mkdir(exist_ok=True)
        (tmp_path / left / "lock").write_text("wellfit 1")
    (tmp_path / ".whole.2.tmp" / "mine").write_text("")
    (tmp_path / ".whole.6.tmp").symlink_to(tmp_path / ".else.5.tmp")
    with claimed(tmp_path / ".whole.3.tmp"):
        merge_studies([parts / "a", parts / "b"], tmp_path / "whole")
    kept = {".whole.2.tmp", ".whole.3.tmp", ".whole.6.tmp", ".else.5.tmp", "whole"}
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert (tmp_path / ".whole.2.tmp" / "mine").exists()


def test_a_name_that_was_taken_meanwhile_is_left_alone(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "whole"
    shares = merge._shares

    def taken(*arguments: Any) -> Any:
        out.mkdir()
        (out / "mine").write_text("")
        return shares(*arguments)

    monkeypatch.setattr(merge, "_shares", taken)
    with pytest.raises(StoreError, match="whole: cannot be written: Directory not empty; choose another --out"):
        merge_studies([parts / "a", parts / "b"], out)
    assert [p.name for p in tmp_path.rglob("*")] == ["whole", "mine"]


def test_findings_are_told_once(copy: Path, tmp_path: Path) -> None:
    with open_existing(copy / "a") as a:
        findings = a.metadata.findings()
    assert findings
    with create_or_open(copy / "b", resolved(study([2], "plain", "l2")), provenance={}) as b:
        b.metadata.save_findings([dataclasses.replace(findings[0], code="another"), *findings])
    merge_studies([copy / "a", copy / "b"], tmp_path / "whole")
    with open_existing(tmp_path / "whole") as whole:
        assert [f.code for f in whole.metadata.findings()] == [*(f.code for f in findings), "another"]
