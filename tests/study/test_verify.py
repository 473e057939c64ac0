"""wellfit verify: unchanged directories pass, and every kind of damage and every changed number is reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import stores
from eventful import change, study
from small_studies import clouds, command
from wellfit.errors import StoreBusyError, StoreUnreadableError
from wellfit.spec.study import resolved
from wellfit.store import contents, create_or_open, open_existing
from wellfit.store.database import Database
from wellfit.study.run import Interrupted, run_study
from wellfit.study.session import Session
from wellfit.study.verify import Verification, verify_study


def printed(found: Verification) -> str:
    (line,) = map(str, found.problems)
    return line


# --- What is whole


def test_a_finished_study_is_unchanged(eventful_copy: Path) -> None:
    before = stores.tree(eventful_copy)
    status, out, err = command("verify", eventful_copy)
    found = verify_study(eventful_copy)
    assert found.runs == 10
    with open_existing(eventful_copy) as store:
        assert found.files == len(contents.files(store))
    kept = {p.relative_to(eventful_copy).as_posix() for p in eventful_copy.rglob("*.npz")}
    assert found.files == len(kept) >= 10 + 8 + 1  # weights of all, tests of all that did not diverge, the labels
    assert found.numbers > 150
    assert (status, err) == (0, "")
    assert out == f"10 runs, {found.files} files: all unchanged; {found.numbers} numbers recomputed: all equal\n" + (
        f"Fingerprint: {found.fingerprint}\n"
    )
    assert stores.tree(eventful_copy) == before
    with open_existing(eventful_copy) as store:  # the study has what the checks are for
        assert {record.state for record in store.runs.records()} == {"finished", "stopped", "diverged"}


def test_json(eventful_copy: Path) -> None:
    (eventful_copy / "test" / "plain.0.npz").unlink()
    status, out, err = command("verify", eventful_copy, "--json")
    plain = json.loads(out)
    assert (status, err) == (2, f"wellfit: {eventful_copy}: 1 problem, listed on standard output\n")
    assert plain["problems"][0] | {"fix": ""} == {"file": "test/plain.0.npz", "what": "is missing", "fix": ""}
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
    assert any(note.startswith("weights/plain.0.npz: left by an interrupted process") for note in found.notes)


# --- Files


def test_damaged_missing_and_extra_files_are_listed(eventful_copy: Path) -> None:
    with open_existing(eventful_copy) as store:
        names = sorted(name for name in contents.files(store) if name.startswith("test/"))
    content = (eventful_copy / names[0]).read_bytes()
    (eventful_copy / names[0]).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # one bit
    (eventful_copy / names[1]).write_bytes(content[: len(content) // 2])
    (eventful_copy / names[2]).unlink()
    (eventful_copy / "weights" / "other.0.npz").write_bytes(b"")
    (eventful_copy / "checkpoints" / "x.checkpoint").write_bytes(b"")
    (eventful_copy / "my notes.txt").write_text("not wellfit's")
    status, out, err = command("verify", eventful_copy)
    assert status == 2
    assert err == f"wellfit: {eventful_copy}: 4 problems, listed on standard output\n"
    lines = out.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith(f"{names[0]}: differs from the saved file ({len(content)} bytes); restore it")
    assert lines[1].startswith(f"{names[1]}: differs from the saved file ({len(content) // 2} bytes); restore it")
    assert lines[2].startswith("test/keepsakes.npz: is missing; wellfit run, with the same study")
    assert (
        lines[3] == "weights/other.0.npz: belongs to no run of study.db; restore the study.db that it belongs to, "
        "or move it away"
    )
    assert lines[4] == "note: checkpoints/x.checkpoint: left by an interrupted process; remove it"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("ends", "remove it; only more epochs need it, and its training would then start over"),
        ("test/keepsakes", "wellfit run, with the same study and --out, writes it again"),
        ("weights", "restore it from a copy; or wellfit run, with the same study and --out, trains its run again"),
    ],
)
def test_the_fix_depends_on_the_file(kind: str, line: str, eventful_copy: Path) -> None:
    with open_existing(eventful_copy) as store:
        name = next(name for name in contents.files(store) if name.startswith(kind))
    content = (eventful_copy / name).read_bytes()
    (eventful_copy / name).write_bytes(bytes([content[0] ^ 1]) + content[1:])
    assert printed(verify_study(eventful_copy)).startswith(
        f"{name}: differs from the saved file ({len(content)} bytes); "
    )
    assert printed(verify_study(eventful_copy)).endswith(line)
    if kind == "test/keepsakes":
        run_study(Session(study(), clouds(), eventful_copy))
        assert verify_study(eventful_copy).problems == ()


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    with create_or_open(tmp_path, resolved(study()), provenance={}) as store:
        store.checkpoints.save("p", {"a": np.zeros(1)}, {"epoch": 1})
    assert verify_study(tmp_path).problems == ()
    (path,) = (tmp_path / "checkpoints").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    name = path.relative_to(tmp_path).as_posix()
    remedy = "remove it; its runs then start over"
    assert printed(verify_study(tmp_path)) == f"{name}: differs from the saved file; {remedy}"


@pytest.mark.parametrize("moment", ["os.replace", "wellfit.store.database.Database.put"])
def test_a_kill_while_replacing_keepsakes_is_no_damage(
    moment: str, eventful_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with create_or_open(eventful_copy, resolved(study()), provenance={}) as store:
        monkeypatch.setattr(moment, killed)
        with pytest.raises(KeyboardInterrupt):
            store.keepsakes.save({"a": np.zeros(1)}, {"of": "others"})
        monkeypatch.undo()
    found = verify_study(eventful_copy)
    assert found.problems == ()
    assert all("keepsakes" in note for note in found.notes)
    run_study(Session(study(), clouds(), eventful_copy))
    assert (verify_study(eventful_copy).problems, verify_study(eventful_copy).notes) == ((), ())


def test_a_file_that_cannot_be_read(eventful_copy: Path) -> None:
    (eventful_copy / "test" / "labels.npz").unlink()
    (eventful_copy / "test" / "labels.npz").mkdir()
    assert printed(verify_study(eventful_copy)).startswith(
        "test/labels.npz: cannot be read: not a plain file; fix its permissions"
    )


def test_a_broken_database_is_one_line(eventful_copy: Path) -> None:
    path = eventful_copy / "study.db"
    content = bytearray(path.read_bytes())
    content[8192:12288] = bytes(4096)
    path.write_bytes(content)
    status, out, err = command("verify", eventful_copy)
    assert status == 2
    assert "study.db: " in out + err
    assert "Traceback" not in err
    path.write_bytes(content[:5000])
    status, out, err = command("verify", eventful_copy)
    assert status == 2
    assert "study.db: database disk image is malformed; restore it from a copy" in out + err


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("DELETE FROM epochs WHERE variant = 'plain' AND seed = 1 AND epoch = 3", "are not consecutive"),
        ("UPDATE epochs SET seed = 7 WHERE variant = 'plain' AND seed = 1", "seed 7, which is not a run"),
        ("UPDATE runs SET scores = '{' WHERE seed = 1", "damaged: the rows of the runs (JSONDecodeError"),
        (
            "UPDATE runs SET recipe = replace(recipe, '0.9,', '0.8,') WHERE variant = 'ema' AND seed = 1",
            "'ema', seed 1: recipe is",
        ),
    ],
)
def test_invalid_rows_are_reported(statement: str, line: str, eventful_copy: Path) -> None:
    change(eventful_copy, statement)
    problems = list(map(str, verify_study(eventful_copy).problems))
    assert any(line in problem and problem.startswith("study.db: ") for problem in problems), problems


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE study SET value = json_set(value, '$.margin', 0.5) WHERE key = 'study'", "the margin"),
        (
            "UPDATE study SET value = json_set(value, '$.published', json('{\"ema\": {\"test_accuracy\": 0.9}}')) "
            "WHERE key = 'study'",
            "the published numbers",
        ),
        ("UPDATE study SET value = json_set(value, '$.title', 'Why?') WHERE key = 'study'", "the setting 'title'"),
        ('UPDATE study SET value = \'["2", "1", "0"]\' WHERE key = \'classes\'', "the class names or their order"),
        ("UPDATE study SET value = replace(value, '\"jax\"', '\"jay\"') WHERE key = 'provenance'", "the provenance"),
        ("UPDATE findings SET message = 'nothing'", "the findings"),
        ("UPDATE epochs SET train_loss = train_loss + 1e-9 WHERE seed = 1", "the epochs of variant"),
        ("UPDATE runs SET seconds = seconds / 2", "the runs of variant"),
        ("UPDATE study SET value = '1.0' WHERE key = 'seconds'", "the training time"),
    ],
)
def test_what_no_number_depends_on_is_covered_too(statement: str, what: str, eventful_copy: Path) -> None:
    assert verify_study(eventful_copy).fingerprint is not None
    change(eventful_copy, statement)
    found = verify_study(eventful_copy)
    assert found.fingerprint is None
    problems = [p for p in found.problems if p.file == "study.db" and p.what.startswith(what)]
    assert problems, found.problems


@pytest.mark.parametrize("of", ["variant = 'ema' AND seed = 1", "variant = 'ema'"])
def test_a_removed_run_is_missing(of: str, eventful_copy: Path) -> None:
    change(eventful_copy, f"DELETE FROM epochs WHERE {of}")
    change(eventful_copy, f"DELETE FROM runs WHERE {of}")
    problems = list(map(str, verify_study(eventful_copy).problems))
    assert any(line.startswith("study.db: runs: seed 1 of 'ema' is missing; restore it") for line in problems)


def test_a_killed_command_is_a_note(eventful_copy: Path) -> None:
    store = create_or_open(eventful_copy, resolved(study()), provenance={})
    store.database.close()
    assert store.lock is not None
    store.lock.release()
    found = verify_study(eventful_copy)
    assert (found.problems, found.fingerprint) == ((), None)
    (note,) = (note for note in found.notes if "manifest" in note)
    assert note.startswith(
        "study.db: has no manifest, because the last command that changed it was killed, so changed "
    )


# --- Reports, other processes, other directories


def test_a_stale_report_is_a_note(eventful_copy: Path) -> None:
    assert command("report", eventful_copy)[0] == 0
    assert verify_study(eventful_copy).problems == ()
    assert "note" not in command("verify", eventful_copy)[1]
    page = eventful_copy / "report.html"
    older = page.read_text()
    shutil.rmtree(eventful_copy)
    run_study(Session(study(epochs=11), clouds(), eventful_copy))
    page.write_text(older)
    status, out, err = command("verify", eventful_copy)
    assert (status, err) == (0, "")
    first, last, _ = out.splitlines()
    assert first == f"note: report.html: shows older numbers; write it again: wellfit report {eventful_copy}"
    assert last.startswith("10 runs, ")


def test_several_versions_of_the_code_are_a_note(eventful_copy: Path) -> None:
    with create_or_open(eventful_copy, resolved(study(seeds=3)), provenance={"code hash": "f" * 64}) as store:
        before = store.metadata.provenance()["code hash"]
        run = store.runs.records()[0]
        store.runs.save([type(run)(**{**vars(run), "spec": type(run.spec)(run.spec.variant, 2, run.spec.recipe)})])
    (note,) = (note for note in verify_study(eventful_copy).notes if "code" in note)
    assert note == f"the runs come from 2 versions of wellfit's code: {before[:12]}, then {'f' * 12}"


def test_a_directory_in_training_is_refused(eventful_copy: Path) -> None:
    with (
        create_or_open(eventful_copy, resolved(study()), provenance={}),
        pytest.raises(StoreBusyError, match="training in it; wait"),
    ):
        verify_study(eventful_copy)


def test_no_study_at_all(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadableError, match="not a study directory"):
        verify_study(tmp_path)


def test_a_database_may_break_during_the_check(eventful_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Database) -> list[str]:
        raise StoreUnreadableError(f"{eventful_study / 'study.db'}: malformed; restore it")

    monkeypatch.setattr(contents, "damage", broken)
    assert printed(verify_study(eventful_study)).startswith("study.db: malformed; restore it from a copy")
