"""What a study directory knows besides its runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from saved_runs import PROVENANCE, STUDY, opened, probabilities, record
from wellfit.base import Finding
from wellfit.spec.study import resolved
from wellfit.store import open_existing


def test_study_findings_and_times_come_back(tmp_path: Path) -> None:
    findings = [Finding("b-code", "warning", "one", "mend"), Finding("a-code", "info", "two", "")]
    with opened(tmp_path / "s") as store:
        assert (store.metadata.findings(), store.metadata.test_opened()) == ((), None)
        store.metadata.save_findings([findings[1]])
        store.metadata.save_findings(findings)
        store.metadata.mark_test_opened()
        first = store.metadata.test_opened()
        assert first is not None
        store.metadata.mark_test_opened()  # for a seed more
        store.metadata.add_seconds(2.0)
        store.metadata.add_seconds(0.5)
        assert store.metadata.seconds() == 2.5
    with open_existing(tmp_path / "s") as store:
        assert store.metadata.study() == resolved(STUDY)
        assert store.metadata.findings() == tuple(findings)
        opened_ = store.metadata.test_opened()
        assert opened_ is not None
        times = opened_.split(", ")
        assert times == [first, max(times)]
        assert store.database.get("created", "") <= first
        assert store.metadata.seconds() == 2.5
        assert store.metadata.provenance() == {**PROVENANCE, "test set opened": opened_}


def test_seconds_reach_the_disk_during_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "s") as store, open_existing(tmp_path / "s") as reader:
        store.metadata.add_seconds(1.0)
        assert reader.metadata.seconds() == 0.0
        monkeypatch.setattr("wellfit.store.metadata.SECONDS_KEPT", -1.0)
        store.metadata.add_seconds(1.0)
        assert reader.metadata.seconds() == 2.0


def test_provenance_names_every_process_that_saved_runs(tmp_path: Path) -> None:
    with opened(tmp_path / "s", jax="0"):
        pass
    with opened(tmp_path / "s", jax="1") as store:  # nothing was saved under 0
        assert store.metadata.provenance()["jax"] == "1"
        store.runs.save([record()])
    with opened(tmp_path / "s", jax="2") as store:  # looks and saves nothing
        assert store.metadata.provenance()["jax"] == "1"
    with opened(tmp_path / "s", jax="3", numpy="5") as store:
        store.runs.save([record(seed=1)])
        store.runs.save([record(seed=2)])
        assert store.metadata.provenance() == {**PROVENANCE, "jax": "1; then 3", "numpy": "5"}
    with opened(tmp_path / "s", jax="1") as store:
        store.runs.save([record(seed=0)])
        assert store.metadata.provenance()["jax"] == "1; then 3"


def test_unsaved_work_survives_a_failed_transaction(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
    with opened(tmp_path / "s", jax="2") as store:
        store.metadata.add_seconds(1.0)
        with pytest.raises(KeyError):
            store.runs.save([], {("l2", 9): probabilities(0)}, {("l2", 9): (1, 0)})
        assert (store.metadata.seconds(), store.metadata.provenance()["jax"]) == (1.0, "1")
        store.runs.save([record(seed=1)])
        assert (store.metadata.seconds(), store.metadata.provenance()["jax"]) == (1.0, "1; then 2")


def test_notes_come_back_apart_from_other_entries(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        assert (store.metadata.note("study"), store.metadata.notes()) == (None, {})
        store.metadata.write_note("study", {"a": [1, None]})
        store.metadata.write_note("b", 2)
        store.metadata.write_note("b", 3)
    with open_existing(tmp_path / "s") as store:
        assert store.metadata.notes() == {"b": 3, "study": {"a": [1, None]}}
        assert store.metadata.note("study") == {"a": [1, None]}
        assert store.metadata.study() == resolved(STUDY)
