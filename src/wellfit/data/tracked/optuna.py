"""Optuna: the trials of a study in an SQLite database or a journal."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from wellfit.data.tracked.databases import copied, is_database
from wellfit.data.tracked.runs import Found, Tracked, TrackedRun, number
from wellfit.errors import DataError, UnknownNameError, one_line

__all__ = ["is_journal", "read_optuna"]


def is_journal(path: Path) -> bool:
    """Whether a file is a journal of Optuna: lines of JSON, each with an op_code."""
    try:
        with path.open("rb") as file:
            line = file.readline(1 << 16)
        return b'"op_code"' in line and "op_code" in json.loads(line)
    except (OSError, ValueError, RecursionError):
        return False


def read_optuna(path: Path, tracked: Tracked) -> Found:
    """The finished trials of a study.

    Their metrics are the numbers that ``set_user_attr`` noted, and the value that was optimized.

    Args:
      path: of the database or the journal.
      tracked: which study, where there are several.

    Raises:
      DataError: Optuna is not installed, the storage is damaged or of another version, or several studies.
      UnknownNameError: there is no such study.
    """
    try:
        import optuna
    except ImportError:
        fix = 'install it with: pip install "wellfit[optuna]"'
        raise DataError(f"{path}: reading it needs Optuna, which is not installed; {fix}") from None
    keep = copied(path) if is_database(path) else None
    storage = None
    try:
        storage = _storage(optuna, path, keep)
        study = _study(optuna, path, storage, tracked.experiment)
        trials = study.get_trials(deepcopy=False)
        names = list(study.metric_names or ())
    except (DataError, UnknownNameError):
        raise
    except Exception as error:  # of Optuna, SQLAlchemy or JSON: a storage of another version, or a damaged one
        fix = f"bring it up to date with: optuna storage upgrade --storage sqlite:///{path}" if keep else "repair it"
        raise DataError(f"{path}: Optuna cannot read it ({one_line(error)[:150]}); {fix}") from None
    finally:
        if keep is not None and storage is not None:
            storage.remove_session()
            storage.engine.dispose()
    done = [trial for trial in trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if not done:
        raise DataError(f"{path}: has no finished trial; judge it when trials are complete")
    others = Counter(trial.state.name.lower() for trial in trials if trial.state != optuna.trial.TrialState.COMPLETE)
    notes = ["Left out: trials that are not complete ("
             f"{', '.join(f'{count} {state}' for state, count in others.items())})."] if others else []  # fmt: skip
    return Found([_run(path, trial, names) for trial in done], notes, "Optuna", keep)


def _storage(optuna: Any, path: Path, keep: Any) -> Any:
    if keep is not None:
        return optuna.storages.RDBStorage(f"sqlite:///{keep.path / 'copy.db'}", skip_table_creation=True)
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))


def _study(optuna: Any, path: Path, storage: Any, wanted: str | None) -> Any:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        names = optuna.get_all_study_names(storage)
        if wanted is not None and wanted not in names:
            raise UnknownNameError("study", wanted, names, str(path))
        if not names:
            raise DataError(f"{path}: holds no study; give the storage that the trials were written to")
        if wanted is None and len(names) > 1:
            raise DataError(
                f"{path}: holds the studies {', '.join(map(repr, names[:6]))}; choose with --experiment NAME"
            )
        return optuna.load_study(study_name=wanted or names[0], storage=storage)
    finally:
        optuna.logging.set_verbosity(before)


def _run(path: Path, trial: Any, names: list[str]) -> TrackedRun:
    values = list(trial.values or ())
    called = names or (["value"] if len(values) == 1 else [f"values_{at}" for at in range(len(values))])
    attributes = {str(name): value for name, value in trial.user_attrs.items()}
    numbers = {name: found for name, value in attributes.items() if (found := number(value)) is not None}
    seeds = {
        name: str(value) for name, value in attributes.items() if "seed" in name.lower() or "state" in name.lower()
    }
    curve = {int(step): float(value) for step, value in trial.intermediate_values.items() if step >= 0}
    return TrackedRun(
        f"{path}, trial {trial.number}",
        {**{name: str(value) for name, value in trial.params.items()}, **seeds},
        {name: str(value) for name, value in attributes.items()} | {"trial": str(trial.number)},
        dict(zip(called, map(float, values), strict=False)) | numbers,
        {called[0]: curve} if curve and called else {},
    )
