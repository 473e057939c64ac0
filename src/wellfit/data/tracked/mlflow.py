"""MLflow: the runs of an experiment in a folder, an SQLite database or on a server."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from wellfit.data.limits import raised, remedy
from wellfit.data.tracked.artifacts import may_be_predictions
from wellfit.data.tracked.databases import copied, is_database
from wellfit.data.tracked.folders import files_below
from wellfit.data.tracked.metrics import is_accuracy, split_of
from wellfit.data.tracked.runs import Found, Tracked, TrackedRun
from wellfit.errors import DataError, UnknownNameError, WellfitError, one_line
from wellfit.files import TemporaryFolder, form_of

__all__ = ["is_address", "is_store", "read_mlflow"]

_MOST_RUNS: Final = 10_000
_MOST_POINTS: Final = 5_000_000  # of the curves of a run
_MOST_BYTES: Final = 1 << 30  # of an artifact on a server
_MOST_IN_ALL: Final = 1 << 33  # of all artifacts, which are downloaded
_DEEP: Final = 4
_QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # it would report each use to its makers
    "MLFLOW_ALLOW_FILE_STORE": "true",  # folders are what most people have; MLflow no longer develops them
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def is_address(path: str | Path) -> bool:
    """Whether a path is the address of a server.

    Example:
      >>> is_address("http://localhost:5000"), is_address("mlruns")
      (True, False)
    """
    return str(path).startswith(("http://", "https://"))


def is_store(path: Path) -> bool:
    """Whether a folder is a tracking store, or one experiment in it."""
    try:
        return any((inside / "meta.yaml").is_file() for inside in path.iterdir() if inside.is_dir())
    except OSError:
        return False


def read_mlflow(path: str | Path, tracked: Tracked) -> Found:
    """The finished runs of an experiment.

    Args:
      path: a folder such as ``mlruns``, the folder of one experiment in it, an SQLite database, or an address.
      tracked: which experiment, where several have runs.

    Raises:
      DataError: MLflow is not installed, or the store cannot be read or has no finished run, or several experiments do.
      UnknownNameError: there is no such experiment.
    """
    with _quiet() as said:
        try:
            from mlflow import MlflowClient
        except ImportError:
            fix = 'install it with: pip install "wellfit[mlflow]"'
            raise DataError(f"{path}: reading it needs MLflow, which is not installed; {fix}") from None
        logging.getLogger("mlflow").setLevel(logging.ERROR)  # the first import has set another level
        uri, keep, only = _opened(path)
        try:
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            experiment, others = _experiment(client, path, only, tracked.experiment, said)
            every = _paged(client.search_runs, path, experiment_ids=[experiment.experiment_id])
            _refuse_left_out(said, path)
            runs, notes = _finished(every, path)
            found = [_run(client, run, path) for run in runs]
        except WellfitError:
            raise
        except Exception as error:  # of MLflow, or of what it reads damaged files with
            raise DataError(f"{path}: MLflow cannot read it ({one_line(error)[:300]}){_fix(path, error)}") from None
        if tracked.artifact is not None or tracked.accuracy is None:
            found = _with_artifacts(client, runs, found, path, keep)
    if said:
        notes = [f"MLflow left out what it cannot read: {said[0]}.", *notes]
    if others:
        notes = [f"Experiment: {experiment.name}; {others} others are not read.", *notes]
    return Found(found, notes, "MLflow", keep)


def _fix(path: str | Path, error: Exception) -> str:
    if "schema" in str(error).lower():
        return f"; bring it up to date with: mlflow db upgrade sqlite:///{path}"
    if isinstance(error, ImportError):
        return '; install what it needs with: pip install "wellfit[mlflow]"'
    return "; check that the server answers" if is_address(path) else ""


def _refuse_left_out(said: Sequence[str], path: str | Path) -> None:
    """Refuse a store of which MLflow left out a run, rather than judge the others without it."""
    if lost := next((words for words in said if "run will be ignored" in words.lower()), None):
        raise DataError(f"{path}: MLflow cannot read a run ({lost}); repair its folder, or delete it")


class _Said(logging.Handler):
    """Keeps the first line of each warning, instead of the terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        words = one_line(Exception(record.getMessage()))
        if "alformed experiment" not in words or "does not exist" not in words:  # a folder that MLflow itself leaves
            self.lines.append(words.rstrip("."))


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """MLflow without its messages on the way and its reports to its makers; everything is as before afterwards.

    Yields:
      What it warned of, as far as it comes: folder stores are read with the logger of the whole process.
    """
    root, said = logging.getLogger(), _Said()
    handlers, root.handlers = root.handlers, [said]
    before = {name: os.environ.get(name) for name in _QUIET}
    logger = logging.getLogger("mlflow")
    level = logger.level
    os.environ.update({name: value for name, value in _QUIET.items() if before[name] is None})
    logger.setLevel(logging.ERROR)
    try:
        yield said.lines
    finally:
        root.handlers = handlers
        logger.setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)


def _opened(path: str | Path) -> tuple[str, TemporaryFolder | None, str | None]:
    """The address of a store, what must live as long as its files, and the experiment whose folder was given."""
    if is_address(path):
        if "@" in str(path):
            raise DataError("the address of a server of MLflow with a user's name: the report would show it; leave it "
                            "out, and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")  # fmt: skip
        return str(path), TemporaryFolder(), None
    place = Path(path)
    if place.is_dir():
        _refuse_odd_files(place)
        only = place.name if (place / "meta.yaml").is_file() else None
        return (place.parent if only else place).resolve().as_uri(), None, only
    if not is_database(place):
        raise DataError(f"{path}: no store of MLflow; give the folder mlruns, its SQLite database or its address")
    try:
        keep = copied(place)
    except ImportError:
        fix = 'install it with: pip install "wellfit[mlflow]"'
        raise DataError(f"{path}: reading it needs SQLAlchemy, which is not installed; {fix}") from None
    return f"sqlite:///{keep.path / 'copy.db'}", keep, None


def _refuse_odd_files(folder: Path) -> None:
    """Refuse pipes, devices, links that lead nowhere, and runs without a description, which MLflow leaves out."""
    for place, folders, names in os.walk(folder):
        if {"metrics", "params"} <= set(folders) and "meta.yaml" not in names:
            raise DataError(f"{place}: a run without its meta.yaml; restore that, or delete the folder")
        for name in names:
            if (form := form_of(file := os.path.join(place, name))) != "a file":
                what = form or "a link that leads nowhere"
                raise DataError(f"{file}: {what}, not a file; remove it, or give another store")


def _paged(search: Callable[..., Any], path: str | Path, **arguments: Any) -> list[Any]:
    """All pages of what is searched."""
    found: list[Any] = []
    token = None
    while True:
        page = search(**arguments, max_results=1000, page_token=token)
        found += page
        token = page.token
        if len(found) > raised(_MOST_RUNS):
            raise DataError(f"{path}: more than {raised(_MOST_RUNS):,} runs; {remedy(len(found) + 1, _MOST_RUNS)}")
        if not token:
            return found


def _experiment(
    client: Any, path: str | Path, only: str | None, wanted: str | None, said: Sequence[str]
) -> tuple[Any, int]:
    """The experiment, and how many others have runs."""
    every = [one for one in _paged(client.search_experiments, path) if only is None or one.experiment_id == only]
    if wanted is not None:
        chosen = [one for one in every if wanted in (one.name, one.experiment_id)]
        if not chosen:
            raise UnknownNameError("experiment", wanted, [one.name for one in every], str(path))
        return chosen[0], len(every) - 1
    with_runs = [one for one in every if len(client.search_runs([one.experiment_id], max_results=1))]
    if len(with_runs) != 1:
        names = ", ".join(repr(one.name) for one in with_runs[:6])
        none = f"no runs that MLflow can read ({said[0]}); repair that" if said else "no runs; log some first"
        what = f"runs of the experiments {names}; choose with --experiment NAME" if names else none
        raise DataError(f"{path}: has {what}")
    return with_runs[0], 0


def _finished(every: Sequence[Any], path: str | Path) -> tuple[list[Any], list[str]]:
    """The finished runs, the oldest first, without those that only hold others together."""
    parents = {run.data.tags.get("mlflow.parentRunId") for run in every}
    done = [run for run in every if run.info.status == "FINISHED"]
    runs = [run for run in done if run.data.metrics or run.info.run_id not in parents]
    others = Counter(run.info.status for run in every if run.info.status != "FINISHED")
    notes = []
    if others:
        notes.append(f"Left out: runs that are not finished ({', '.join(f'{n} {s}' for s, n in others.items())}).")
    if len(runs) < len(done):
        notes.append(f"Left out: {len(done) - len(runs)} without metrics, which only hold other runs together.")
    if not runs:
        states = f" ({', '.join(f'{n} {s}' for s, n in others.items())})" if others else ""
        raise DataError(f"{path}: has no finished run{states}; judge it when runs are finished")
    return sorted(runs, key=lambda run: (run.info.start_time, run.info.run_id)), notes


def _run(client: Any, run: Any, path: str | Path) -> TrackedRun:
    run_id = run.info.run_id
    name = run.info.run_name or ""
    curves: dict[str, dict[int, float]] = {}
    points = 0
    for metric in run.data.metrics:
        if split_of(metric) in ("train", "validation") and (is_accuracy(metric) or "loss" in metric.lower()):
            history = client.get_metric_history(run_id, metric)
            points += len(history)
            if points > raised(_MOST_POINTS):
                raise DataError(f"{path}, run {name or run_id}: curves of more than {raised(_MOST_POINTS):,} numbers; "
                                f"{remedy(points, _MOST_POINTS)}")  # fmt: skip
            if len(history) > 1:
                curves[metric] = {one.step: one.value for one in history if one.step >= 0}
    tags = {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow.")}
    return TrackedRun(
        f"{path}, run {name or run_id} ({run_id[:8]})" if name else f"{path}, run {run_id}",
        dict(run.data.params),
        tags | {"run_name": name, "run_id": run_id},
        dict(run.data.metrics),
        curves,
    )


# --- Artifacts --------------------------------------------------------------------------------------------------------


def _with_artifacts(
    client: Any, runs: Sequence[Any], found: Sequence[TrackedRun], path: str | Path, keep: TemporaryFolder | None
) -> list[TrackedRun]:
    """The runs with their artifacts, which on a server need not be where their metrics are."""
    if not is_address(path) or keep is None:
        return [replace(one, artifacts=_local(run, Path(path))) for run, one in zip(runs, found, strict=True)]
    left = raised(_MOST_IN_ALL)
    every = []
    for run, one in zip(runs, found, strict=True):
        try:
            artifacts, taken = _of_server(client, run.info.run_id, keep, left)
        except WellfitError:
            raise
        except Exception as error:  # of whatever library reads the store: no credentials, no bucket, no network
            raise DataError(f"{one.where}: its artifacts cannot be read ({one_line(error)[:300]}); give access, "
                            "or judge metrics with --accuracy NAME") from None  # fmt: skip
        left -= taken
        every.append(replace(one, artifacts=artifacts))
    return every


def _local(run: Any, path: Path) -> Mapping[str, Path]:
    """The artifacts of a run on this machine: where its store stands now, or where it says that they are."""
    where = str(run.info.artifact_uri).removeprefix("file://")
    tail = Path(*Path(where).parts[-3:])  # EXPERIMENT/RUN/artifacts
    roots = [path, path.parent] if path.is_dir() else [path.parent / name for name in ("mlruns", "mlartifacts")]
    here = [] if ".." in tail.parts else [root / tail for root in roots]
    for folder in (*here, Path(where)):
        if folder.is_dir() and folder.name == "artifacts":
            files = files_below(folder, may_be_predictions)
            return {file.relative_to(folder).as_posix(): file for file in files}
    return {}


def _of_server(client: Any, run_id: str, keep: TemporaryFolder, left: int) -> tuple[Mapping[str, Path], int]:
    """The artifacts of a run on a server that may be predictions, downloaded; and their bytes.

    ``left`` is how many bytes may still be downloaded.
    """
    found: dict[str, Path] = {}
    taken = 0
    waiting = [("", 0)]
    while waiting:
        folder, depth = waiting.pop()
        for one in client.list_artifacts(run_id, folder or None):
            if one.is_dir and depth < _DEEP:
                waiting.append((one.path, depth + 1))
            elif not one.is_dir and may_be_predictions(one.path.rsplit("/", 1)[-1]):
                size = one.file_size or 0
                if size > raised(_MOST_BYTES):
                    raise DataError(f"run {run_id}: artifact {one.path} has {size:,} bytes; "
                                    f"{remedy(size, _MOST_BYTES)}")  # fmt: skip
                if taken + size > left:
                    total = raised(_MOST_IN_ALL) - left + taken + size
                    raise DataError(
                        f"run {run_id}: artifacts of more than {raised(_MOST_IN_ALL):,} bytes in all; "
                        f"judge metrics with --accuracy NAME, or {remedy(total, _MOST_IN_ALL)}"
                    )
                place = keep.path / run_id
                place.mkdir(exist_ok=True)
                file = Path(client.download_artifacts(run_id, one.path, str(place)))
                taken += max(size, file.stat().st_size)  # not every store says the size before
                found[one.path] = file
    return found, taken
