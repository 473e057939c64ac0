"""wellfit verify: what is as it was saved passes, and every kind of damage, and every changed number, is named."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stores
from small_studies import clouds, command
from wellfit.errors import StoreBusyError, StoreUnreadableError
from wellfit.spec.study import StudySpec, resolved, study_from_mapping
from wellfit.store import contents, create_or_open, open_existing
from wellfit.store.database import Database
from wellfit.study.run import Interrupted, run_study
from wellfit.study.session import Session
from wellfit.study.verify import Verification, verify_study

STUDY = {
    "data": {"name": "clouds", "scale": "standardize"},
    "model": {"hidden": [8]},
    "train": {"epochs": 12, "batch_size": 32, "seeds": 2},
    "variants": {
        "plain": {},
        "stopping": {"early_stopping": {"patience": 1, "restore_best_weights": True}, "learning_rate": 0.1},
        "ema": {"average": {"kind": "ema", "decay": 0.9}},
        "normed": {"model": {"batch_norm": True}},
        "wild": {"optimizer": "sgd", "learning_rate": 1e30},
    },
}


def study(**train: Any) -> StudySpec:
    return study_from_mapping({**STUDY, "train": {**STUDY["train"], **train}})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study, to be read: a run that stopped, one that diverged, an average, batch normalization."""
    directory = tmp_path_factory.mktemp("whole") / "study"
    run_study(Session(study(), clouds(), directory))
    return directory


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "study"))


def change(directory: Path, statement: str, *values: Any) -> None:
    """Change the database behind wellfit's back."""
    with contextlib.closing(sqlite3.connect(directory / "study.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount


def told(found: Verification) -> str:
    (line,) = map(str, found.problems)
    return line


# --- What is whole


def test_a_finished_study_is_as_it_was_saved(copy: Path) -> None:
    before = stores.tree(copy)
    status, out, err = command("verify", copy)
    found = verify_study(copy)
    assert found.runs == 10
    with open_existing(copy) as store:
        assert found.files == len(contents.files(store))
    kept = {p.relative_to(copy).as_posix() for p in copy.rglob("*.npz")}
    assert found.files == len(kept) >= 10 + 8 + 1  # weights of all, tests of all that did not diverge, the labels
    assert found.numbers > 150
    assert (status, err) == (0, "")
    assert out == f"10 runs, {found.files} files: all as saved; {found.numbers} numbers recomputed\n"
    assert stores.tree(copy) == before
    with open_existing(copy) as store:  # the study has what the checks are for
        assert {record.state for record in store.runs.records()} == {"finished", "stopped", "diverged"}


def test_json(copy: Path) -> None:
    (copy / "test" / "plain.0.npz").unlink()
    status, out, err = command("verify", copy, "--json")
    plain = json.loads(out)
    assert (status, err) == (2, f"wellfit: {copy}: 1 problem, each told on standard output\n")
    assert plain["problems"][0] | {"mend": ""} == {"file": "test/plain.0.npz", "what": "is missing", "mend": ""}
    assert (plain["runs"], plain["notes"]) == (10, [])


def test_an_interrupted_study_is_not_damaged(tmp_path: Path) -> None:
    def stop(_: object) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        run_study(Session(study(), clouds(), tmp_path), on_progress=stop)
    (tmp_path / "weights" / "plain.0.npz").write_bytes(b"in place before its row was")
    found = verify_study(tmp_path)
    assert found.problems == ()
    assert any("not finished" in note for note in found.notes)
    assert any(note.startswith("weights/plain.0.npz: left by a process") for note in found.notes)


# --- Files


def test_every_damaged_missing_and_left_over_file_is_named(copy: Path) -> None:
    with open_existing(copy) as store:
        names = sorted(name for name in contents.files(store) if name.startswith("test/"))
    content = (copy / names[0]).read_bytes()
    (copy / names[0]).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # one bit
    (copy / names[1]).write_bytes(content[: len(content) // 2])
    (copy / names[2]).unlink()
    (copy / "weights" / "other.0.npz").write_bytes(b"")
    (copy / "checkpoints" / "x.checkpoint").write_bytes(b"")
    (copy / "my notes.txt").write_text("not wellfit's")
    status, out, err = command("verify", copy)
    assert status == 2
    assert err == f"wellfit: {copy}: 4 problems, each told on standard output\n"
    lines = out.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith(f"{names[0]}: is not the file that was saved ({len(content)} bytes); restore it")
    assert lines[1].startswith(f"{names[1]}: is not the file that was saved ({len(content) // 2} bytes); restore it")
    assert lines[2].startswith("test/keepsakes.npz: is missing; wellfit run, with the same study")
    assert lines[3] == "weights/other.0.npz: left over: no run of the study has it; remove it"
    assert lines[4] == "note: checkpoints/x.checkpoint: left by a process that was stopped; remove it"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("ends", "remove it: only more epochs need it, and are trained from the beginning then"),
        ("test/keepsakes", "wellfit run, with the same study and --out, makes it anew"),
        ("weights", "restore it from a copy, or train anew with wellfit run --fresh"),
    ],
)
def test_the_mend_is_that_of_the_file(kind: str, line: str, copy: Path) -> None:
    with open_existing(copy) as store:
        name = next(name for name in contents.files(store) if name.startswith(kind))
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert told(verify_study(copy)).startswith(f"{name}: is not the file that was saved ({len(content)} bytes); ")
    assert told(verify_study(copy)).endswith(line)
    if kind == "test/keepsakes":
        run_study(Session(study(), clouds(), copy))
        assert verify_study(copy).problems == ()


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    with create_or_open(tmp_path, resolved(study()), provenance={}) as store:
        store.checkpoints.save("p", {"a": np.zeros(1)}, {"epoch": 1})
    assert verify_study(tmp_path).problems == ()
    (path,) = (tmp_path / "checkpoints").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    name = path.relative_to(tmp_path).as_posix()
    mend = "remove it: its runs are trained from their beginning"
    assert told(verify_study(tmp_path)) == f"{name}: is not the file that was saved; {mend}"


@pytest.mark.parametrize("moment", ["os.replace", "wellfit.store.database.Database.put"])
def test_killed_while_keepsakes_are_replaced(moment: str, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with create_or_open(copy, resolved(study()), provenance={}) as store:
        monkeypatch.setattr(moment, killed)
        with pytest.raises(KeyboardInterrupt):
            store.keepsakes.save({"a": np.zeros(1)}, {"of": "others"})
        monkeypatch.undo()
    found = verify_study(copy)
    assert found.problems == ()
    assert all("keepsakes" in note for note in found.notes)
    run_study(Session(study(), clouds(), copy))
    assert (verify_study(copy).problems, verify_study(copy).notes) == ((), ())


def test_a_file_that_cannot_be_read(copy: Path) -> None:
    (copy / "test" / "labels.npz").unlink()
    (copy / "test" / "labels.npz").mkdir()
    assert told(verify_study(copy)).startswith("test/labels.npz: cannot be read: Is a directory; give access to it")


def test_a_broken_database_is_one_line(copy: Path) -> None:
    path = copy / "study.db"
    content = bytearray(path.read_bytes())
    content[8192:12288] = bytes(4096)
    path.write_bytes(content)
    status, out, err = command("verify", copy)
    assert status == 2
    assert "study.db: " in out + err
    assert "Traceback" not in err
    path.write_bytes(content[:5000])
    status, out, err = command("verify", copy)
    assert status == 2
    assert "study.db: database disk image is malformed; restore it from a copy" in out + err


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("DELETE FROM epochs WHERE variant = 'plain' AND seed = 1 AND epoch = 3", "are not consecutive"),
        ("UPDATE epochs SET seed = 7 WHERE variant = 'plain' AND seed = 1", "seed 7, which is not a run"),
        ("UPDATE runs SET scores = '{' WHERE seed = 1", "rows cannot be understood: JSONDecodeError"),
        (
            "UPDATE runs SET recipe = replace(recipe, '0.9,', '0.8,') WHERE variant = 'ema' AND seed = 1",
            "'ema', seed 1: recipe is",
        ),
    ],
)
def test_rows_that_no_wellfit_has_written(statement: str, line: str, copy: Path) -> None:
    change(copy, statement)
    problems = list(map(str, verify_study(copy).problems))
    assert any(line in problem and problem.startswith("study.db: ") for problem in problems), problems


# --- Numbers


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE runs SET test_accuracy = test_accuracy + 1e-6 {}", "test accuracy is "),
        ("UPDATE runs SET test_loss = test_loss * 1.00001 {}", "test loss is "),
        ("UPDATE runs SET state = 'stopped' {}", "state is stopped, and finished when computed again"),
        ("UPDATE runs SET readout_epoch = 11 {}", "readout epoch is 11, and 12 when computed again"),
        ("UPDATE runs SET epochs = 11 {}", "epochs is 11, and 12 when computed again"),
        ("UPDATE runs SET scores = replace(scores, '0.', '0.1') {}", "train accuracy (at its readout epoch) is "),
        ("UPDATE runs SET parameters = parameters + 1 {}", "parameters is "),
        ("UPDATE epochs SET weight_norm = weight_norm * 1.001 {} AND epoch = 12", "weight norm (at its readout"),
        ("UPDATE epochs SET small_weights = 0.5 {} AND epoch = 12", "small weights (at its readout epoch)"),
        ("UPDATE epochs SET validation_loss = NULL {} AND epoch = 4", "state is finished, and diverged"),
    ],
)
def test_a_number_that_does_not_follow_from_the_raw_results_is_named(statement: str, what: str, copy: Path) -> None:
    change(copy, statement.format("WHERE variant = 'plain' AND seed = 1"))
    problems = list(map(str, verify_study(copy).problems))
    assert any(p.startswith(f"study.db: variant 'plain', seed 1: {what}") for p in problems), problems


def test_the_stopping_rule_is_replayed(copy: Path) -> None:
    """An early epoch's validation loss that is lower would have been the one to read."""
    change(copy, "UPDATE epochs SET validation_loss = 1e-3 WHERE variant = 'stopping' AND seed = 0 AND epoch = 1")
    problems = list(map(str, verify_study(copy).problems))
    assert any("variant 'stopping', seed 0: readout epoch is" in p and "and 1 when" in p for p in problems), problems


def test_a_diverged_run_that_claims_a_test_result(copy: Path) -> None:
    sha256 = stores.rows(copy, "SELECT test_sha256 FROM runs WHERE variant = 'plain' AND seed = 0")[0][0]
    shutil.copy(copy / "test" / "plain.0.npz", copy / "test" / "wild.0.npz")
    values = "test_accuracy = 1, test_loss = 0, test_sha256 = ?"
    change(copy, f"UPDATE runs SET {values} WHERE variant = 'wild' AND seed = 0", sha256)
    problems = list(map(str, verify_study(copy).problems))
    assert any("variant 'wild', seed 0: tested although it diverged" in problem for problem in problems)
    assert any("variant 'wild', seed 0: test accuracy is 1.0" in problem for problem in problems)


@pytest.mark.parametrize(("name", "what"), [("mean", "mean"), ("comparisons", "'stopping' less 'plain'")])
def test_a_summary_that_reckons_otherwise_is_found(
    name: str, what: str, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wellfit.study import verify
    from wellfit.study.summarize import summarize

    def wrong(directory: Path) -> Any:
        summary = summarize(directory)
        if name == "mean":
            summary.variants[0].mean["test_accuracy"] += 1e-6  # type: ignore[index]
        else:
            object.__setattr__(summary.comparisons[0], "difference", summary.comparisons[0].difference + 1e-6)
        return summary

    monkeypatch.setattr(verify, "summarize", wrong)
    problems = list(map(str, verify_study(whole).problems))
    assert any(what in problem for problem in problems), problems


# --- Reports, other processes, other directories


def test_a_stale_report_is_a_note(copy: Path) -> None:
    assert command("report", copy)[0] == 0
    assert verify_study(copy).problems == ()
    assert "note" not in command("verify", copy)[1]
    page = copy / "report.html"
    older = page.read_text()
    shutil.rmtree(copy)
    run_study(Session(study(epochs=11), clouds(), copy))
    page.write_text(older)
    status, out, err = command("verify", copy)
    assert (status, err) == (0, "")
    first, last = out.splitlines()
    assert first == f"note: report.html: shows older numbers; write it again: wellfit report {copy}"
    assert last.startswith("10 runs, ")


def test_two_states_of_the_code_are_a_note(copy: Path) -> None:
    with create_or_open(copy, resolved(study(seeds=3)), provenance={"code hash": "f" * 64}) as store:
        before = store.metadata.provenance()["code hash"]
        run = store.runs.records()[0]
        store.runs.save([type(run)(**{**vars(run), "spec": type(run.spec)(run.spec.variant, 2, run.spec.recipe)})])
    (note,) = (note for note in verify_study(copy).notes if "code" in note)
    assert note == f"the runs come from 2 states of wellfit's code: {before[:12]}, then {'f' * 12}"


def test_a_directory_at_work_is_refused(copy: Path) -> None:
    with (
        create_or_open(copy, resolved(study()), provenance={}),
        pytest.raises(StoreBusyError, match="at work here; wait"),
    ):
        verify_study(copy)


def test_no_study_at_all(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadableError, match="not a study directory"):
        verify_study(tmp_path)


def test_a_database_that_breaks_while_it_is_checked(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Database) -> list[str]:
        raise StoreUnreadableError(f"{whole / 'study.db'}: malformed; restore it")

    monkeypatch.setattr(contents, "damage", broken)
    assert told(verify_study(whole)).startswith("study.db: malformed; restore it from a copy")
