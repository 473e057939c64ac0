"""Optuna's storages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tracked import EXPECTED, journal, write_optuna
from wellfit.data.tracked.optuna import is_journal, read_optuna
from wellfit.data.tracked.read import read_runs
from wellfit.data.tracked.runs import Tracked
from wellfit.errors import DataError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_trials_that_agree_in_all_but_the_seed_are_a_variant(tmp_path: Path, kind: str):
    pytest.importorskip("optuna")
    file = tmp_path / ("study.log" if kind == "journal" else "study.db")
    write_optuna(journal(file) if kind == "journal" else f"sqlite:///{file}")
    before = file.read_bytes()
    found = read_runs([file])
    assert {(run.variant, run.seed): run.accuracy for run in found.runs} == EXPECTED
    assert "Left out: trials that are not complete (1 pruned)." in found.notes
    assert file.read_bytes() == before
    assert len(read_runs([tmp_path]).runs) == 6
    chosen = read_runs([file], tracked=Tracked(accuracy="value"))
    assert "it must be the test set" in " ".join(chosen.notes)
    assert chosen.runs[0].accuracy != found.runs[0].accuracy


def test_several_studies_and_none_are_one_line(tmp_path: Path):
    optuna = pytest.importorskip("optuna")
    file = tmp_path / "study.log"
    storage = journal(file)
    optuna.create_study(storage=storage, study_name="a").add_trial(
        optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL)
    )
    assert is_journal(file)
    with pytest.raises(DataError, match="has no finished trial; judge it when trials are complete"):
        read_optuna(file, Tracked())
    write_optuna(storage, name="b")
    with pytest.raises(DataError, match="holds the studies 'a', 'b'; choose with --experiment NAME"):
        read_optuna(file, Tracked())
    assert len(read_optuna(file, Tracked(experiment="b")).runs) == 6
    with pytest.raises(UnknownNameError, match="unknown study 'c'"):
        read_optuna(file, Tracked(experiment="c"))
    storage.delete_study(0)
    storage.delete_study(1)
    with pytest.raises(DataError, match="holds no study"):
        read_optuna(file, Tracked())
    file.write_text('{"op_code": 0}\n')
    with pytest.raises(DataError, match=r"Optuna cannot read it .*; repair it"):
        read_optuna(file, Tracked())


def test_without_optuna_the_line_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    (tmp_path / "a.log").write_text('{"op_code": 0, "study_name": "a"}\n')
    with pytest.raises(DataError, match=r'needs Optuna, which is not installed; .*pip install "wellfit\[optuna\]"'):
        read_runs([tmp_path / "a.log"])
