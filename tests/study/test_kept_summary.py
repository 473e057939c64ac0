"""The summary that is kept: the same as a computed one, and never of another study, code, place or time."""

from __future__ import annotations

import importlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stores
import wellfit.store.summary_file as file_module
import wellfit.study.kept_summary as module
import wellfit.study.summarize as summarize_module
from eventful import change
from permissions import enforced
from same_values import check_same
from saved_runs import failing, posix
from small_studies import command
from wellfit.store import open_existing
from wellfit.store.lock import Lock
from wellfit.store.runs import Runs
from wellfit.store.summary_file import FILE, SummaryFile
from wellfit.study.packed_summary import packed
from wellfit.study.report_details import summary_and_details
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

pytestmark = posix

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _keeps_small_studies_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 1)
    monkeypatch.setattr(file_module, "SETTLED", -(10**18))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The directories of which a summary was computed."""
    directories: list[Path] = []
    compute = summarize_module._computed

    def counted(store: Any) -> Any:
        directories.append(store.directory)
        return compute(store)

    monkeypatch.setattr(summarize_module, "_computed", counted)
    return directories


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of forty runs."""
    directory = tmp_path_factory.mktemp("made") / "study"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        importlib.import_module("made_study").make(directory, 4, 10, 100)
    return directory


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, in which a summary is kept."""
    directory = Path(shutil.copytree(made, tmp_path / "study"))
    summarize(directory)
    assert (directory / FILE).is_file()
    yield directory
    assert not list(directory.glob(".*"))  # no temporary file is left


@pytest.mark.parametrize("which", ["study", "eventful_copy"])
def test_the_kept_summary_is_the_computed_one(which: str, request: pytest.FixtureRequest, computed: list[Path]) -> None:
    directory: Path = request.getfixturevalue(which)
    first = summarize(directory)
    computed.clear()
    kept = summarize(directory)
    assert not computed
    check_same(first, kept)
    check_same(summarize(directory, again=True), kept)
    assert computed == [directory]


def test_showing_many_runs_again_reads_none_of_them(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = Path(shutil.copytree(made, tmp_path / "study"))
    calls: list[str] = []
    for name in ("records", "tested", "test_scores", "weights"):
        whole = getattr(Runs, name)
        monkeypatch.setattr(Runs, name, lambda *a, of=whole, name=name: calls.append(name) or of(*a))
    ways: tuple[tuple[str, ...], ...] = ((), ("--full",), ("--json",))
    first = command("show", directory)
    assert calls.count("tested") == 40
    calls.clear()
    shown = [command("show", directory, *way) for way in ways]
    assert not calls
    assert shown[0] == first
    monkeypatch.setattr(SummaryFile, "load", lambda *_: None)
    assert [command("show", directory, *way) for way in ways] == shown
    assert calls.count("tested") == 120
    assert all(not status and text for status, text, _ in shown)


def test_the_report_after_a_run_keeps_it_for_show(made: Path, tmp_path: Path, computed: list[Path]) -> None:
    directory = Path(shutil.copytree(made, tmp_path / "study"))
    summary_and_details(directory)
    assert computed == [directory]
    assert command("show", directory)[0] == 0
    assert computed == [directory]


def test_a_small_study_keeps_none(eventful_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    summary = summarize(eventful_copy)
    assert not (eventful_copy / FILE).exists()
    runs = sum(run.test_accuracy is not None for variant in summary.variants for run in variant.runs)
    assert not module._is_large(summary)
    for least, large in ((runs * 1000, True), (runs * 1000 + 1, False)):
        monkeypatch.setattr(module, "LEAST", least)
        assert module._is_large(summary) is large


def test_nothing_is_kept_of_a_study_of_this_moment(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_module, "SETTLED", 10**15)
    directory = Path(shutil.copytree(made, tmp_path / "study"))
    summarize(directory)
    assert not (directory / FILE).exists()


# --- What it must not be ----------------------------------------------------------------------------------------------


def margin(directory: Path) -> None:
    change(directory, "UPDATE study SET value = json_set(value, '$.margin', 0.5) WHERE key = 'study'")


def metric(directory: Path) -> None:
    change(directory, "UPDATE study SET value = json_set(value, '$.metric', 'brier') WHERE key = 'study'")


def epoch(directory: Path) -> None:
    change(directory, "UPDATE epochs SET validation_loss = 0.01 WHERE epoch = 2")


def fewer_runs(directory: Path) -> None:
    change(directory, "DELETE FROM epochs WHERE seed > 5")
    change(directory, "DELETE FROM runs WHERE seed > 5")


@pytest.mark.parametrize("changed", [margin, metric, epoch, fewer_runs])
def test_a_changed_study_is_computed_again(study: Path, changed: Callable[[Path], None], computed: list[Path]) -> None:
    before = summarize(study)
    assert not computed
    status = (study / "study.db").stat()
    changed(study)
    os.utime(study / "study.db", ns=(status.st_atime_ns, status.st_mtime_ns))
    after = summarize(study)
    assert computed == [study]
    with pytest.raises(AssertionError):
        check_same(before, after)
    check_same(after, summarize(study))
    check_same(after, summarize(study, again=True))


def test_a_damaged_run_is_an_error_as_before(study: Path) -> None:
    path = study / "test" / "l2-1.3.npz"
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    ended, out, err = command("show", study)
    assert (ended, out) == (2, "")
    assert "l2-1.3.npz: damaged: not the file that was saved" in err


def test_a_damaged_summary_is_ignored_and_replaced(study: Path, computed: list[Path]) -> None:
    path = study / FILE
    content = path.read_bytes()
    shown = command("show", study)
    for number, damaged in enumerate((b"", content[:-1], content[:40] + b"?" + content[41:], b"x" * 100), start=1):
        path.write_bytes(damaged)
        assert command("show", study) == shown
        assert len(computed) == number
        assert path.read_bytes() == content


def test_what_is_no_summary_under_the_right_key_is_ignored(study: Path, computed: list[Path]) -> None:
    summary = summarize(study)
    with open_existing(study) as store:
        state = store.summary.state()
        assert state is not None
        for plain in ([], {"()": []}, {"()": [{"Answer": [1, 2, 3]}, {"{}": []}, {"()": []}]}, 5):
            assert store.summary.save(module._key(store, state), state, packed(summary)[0], plain)
            computed.clear()
            check_same(summary, summarize(study))
            assert computed == [study]


def test_a_summary_from_another_directory_is_ignored(study: Path, tmp_path: Path, computed: list[Path]) -> None:
    copy = Path(shutil.copytree(study, tmp_path / "copy"))
    assert (copy / FILE).read_bytes() == (study / FILE).read_bytes()
    assert summarize(copy).directory == str(copy)
    assert computed == [copy]
    computed.clear()
    study.rename(tmp_path / "moved")  # the same files
    assert summarize(tmp_path / "moved").directory == str(tmp_path / "moved")
    assert computed == [tmp_path / "moved"]
    (tmp_path / "moved").rename(study)


def test_a_summary_that_other_code_computed_is_ignored(
    study: Path, computed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = module._code()
    assert len(code) == 6
    for number in range(len(code)):
        other = (*code[:number], "other", *code[number + 1 :])
        monkeypatch.setattr(module, "_code", lambda other=other: other)
        summarize(study)
        assert len(computed) == number + 1
    summarize(study)
    assert len(computed) == len(code)


def test_the_home_directory_counts(study: Path, computed: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/elsewhere")  # texts name the folders in it without their parents
    summarize(study)
    assert computed == [study]


def test_while_a_process_trains_nothing_is_kept_or_read(study: Path, computed: list[Path]) -> None:
    content = (study / FILE).read_bytes()
    (study / FILE).unlink()
    lock = Lock(study / "lock")
    try:
        summarize(study)
        assert not (study / FILE).exists()
        (study / FILE).write_bytes(content)
        summarize(study)
    finally:
        lock.release()
    assert computed == [study, study]


def test_a_study_that_changes_while_it_is_read_is_not_kept(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (study / FILE).unlink()
    records = Runs.records
    monkeypatch.setattr(Runs, "records", lambda runs: (epoch(study), records(runs))[1])
    summarize(study)
    assert not (study / FILE).exists()


def test_a_summary_that_cannot_be_packed_is_not_kept(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (study / FILE).unlink()

    def refused(_: Any) -> Any:
        raise TypeError

    monkeypatch.setattr(module, "packed", refused)
    summarize(study)
    assert not (study / FILE).exists()


# --- Where it cannot be -----------------------------------------------------------------------------------------------


def test_a_read_only_directory_is_shown_with_and_without_it(study: Path, computed: list[Path]) -> None:
    shown, before = command("show", study), stores.tree(study)
    study.chmod(0o500)
    try:
        with enforced():
            assert command("show", study) == shown
            assert not computed
    finally:
        study.chmod(0o700)
    (study / FILE).unlink()
    study.chmod(0o500)
    try:
        with enforced():
            assert command("show", study) == shown
            assert computed == [study]
    finally:
        study.chmod(0o700)
    del before[FILE]
    assert stores.tree(study) == before


def test_a_full_disk_is_no_matter(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = command("show", study)
    (study / FILE).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing(28))
        assert command("show", study) == shown
    assert not (study / FILE).exists()


# --- Verification -----------------------------------------------------------------------------------------------------


def test_verify_neither_reads_nor_minds_it(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stores.tree(study)
    monkeypatch.setattr(SummaryFile, "load", lambda *_: pytest.fail("it was read"))
    found = verify_study(study)
    assert (found.problems, found.notes) == ((), ())
    status, out, err = command("verify", study)
    assert (status, err) == (0, "")
    assert re.search(r"^40 runs, 81 files: all unchanged", out, re.MULTILINE)
    assert stores.tree(study) == before
