"""Weights & Biases: the table of runs as CSV.

There are two forms. The page exports one column for each setting and metric, and does not say which is which. The
script that its documentation recommends writes the columns summary, config and name; the first two hold dictionaries.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from wellfit.data.tables.table import Table
from wellfit.data.tracked.literals import literal
from wellfit.data.tracked.logs import columns_of, header_of, table_of
from wellfit.data.tracked.metrics import is_accuracy, split_of
from wellfit.data.tracked.runs import Found, TrackedRun, flat, number
from wellfit.errors import DataError

__all__ = ["is_wandb", "read_wandb"]

_ABOUT: Final = (
    "name", "id", "state", "notes", "user", "tags", "created", "runtime", "sweep", "group", "job_type", "jobtype",
    "hostname", "host", "commit", "gpu_type", "gpu_count", "path", "program", "url", "display_name", "updated",
    "end_time", "description", "github", "entity", "project",
)  # fmt: skip
"""What the table says of every run, in lower case with underscores: neither settings nor metrics."""
_SIGNS: Final = frozenset({"notes", "user", "tags", "created", "runtime", "sweep"})
_OF_SCRIPT: Final = {"summary", "config", "name"}
_UNKNOWN: Final = "The table does not say which runs are finished, so all are read."
_METRIC: Final = re.compile(
    r"(?:^|[^a-z])(?:acc|accuracy|loss|f1|auc|auroc|precision|recall|error|perplexity|bleu|iou|mse|mae|rmse|score|epoch|"
    r"epochs_run|step|global_step|grad|best|time|seconds|samples_per_second)(?:$|[^a-z])",
    re.IGNORECASE,
)


_SETTING: Final = re.compile(
    r"(?:^|[^a-z])(?:clip|clipping|weight|size|fraction|ratio|split|patience|smoothing|interval|every|freq|frequency|"
    r"decay|margin|coef|coefficient|lambda|alpha|gamma|threshold|min|warmup)(?:$|[^a-z])",
    re.IGNORECASE,
)
"""What a number is set for, even where it is about a metric: grad_clip, aux_loss_weight, test_size."""


def is_wandb(path: Path) -> bool:
    """Whether a file is an exported table of runs."""
    header = set(header_of(path)) if path.suffix.lower() == ".csv" else set()
    return ({"name", "state"} <= header and bool(header & _SIGNS)) or header >= _OF_SCRIPT


def read_wandb(path: Path) -> Found:
    """The runs in an exported table.

    Raises:
      DataError: a file of another form, or without a finished run.
    """
    table = table_of(path)
    columns = columns_of(table)
    plain = {_plain(name): at for name, at in columns.items()}
    finished, notes = _finished(table, plain.get("state"), path)
    if plain.keys() >= _OF_SCRIPT:
        return Found([_of_script(path, table, row, plain) for row in finished], notes, "W&B")
    about = {name: at for name, at in columns.items() if _plain(name) in _ABOUT or name.startswith("_")}
    metrics = {
        name: at
        for name, at in columns.items()
        if name not in about and _is_metric(name) and _numeric(table, at, finished)
    }
    settings = {name: at for name, at in columns.items() if name not in about and name not in metrics}
    others = {**about, **metrics}  # --by and --seed-param find these, too
    runs = []
    for row in finished:
        where = f"{path}, {table.at(row)}"
        params = flat({name: text for name, at in settings.items() if (text := _cell(table, row, at))}, where)
        values = {name: number(_cell(table, row, at)) for name, at in {**metrics, **settings}.items()}
        labels = {name: text for name, at in others.items() if (text := _cell(table, row, at))}
        found = {name: value for name, value in values.items() if value is not None}
        runs.append(TrackedRun(where, params, labels, found))
    read = [f"Settings: the columns {', '.join(settings)}; --by names others."] if settings else []
    if metrics:
        read.append(f"Metrics, not settings: the columns {', '.join(metrics)}.")
    return Found(runs, [*read, *notes], "W&B")


def _finished(table: Table, state: int | None, path: Path) -> tuple[list[int], list[str]]:
    """The rows of finished runs, and what is to be said of the others; without a column of states, all rows."""
    rows = list(range(len(table.frame)))
    if state is None:
        return rows, [_UNKNOWN]
    states = [_cell(table, row, state).lower() or "unknown" for row in rows]
    finished = [row for row, said in zip(rows, states, strict=True) if said == "finished"]
    if not finished:
        raise DataError(f"{path}: has no finished run; export the table when runs are finished")
    others = Counter(said for said in states if said != "finished")
    kinds = ", ".join(f"{count} {said}" for said, count in others.items())
    return finished, [f"Left out: runs that are not finished ({kinds})."] if others else []


def _of_script(path: Path, table: Table, row: int, columns: Mapping[str, int]) -> TrackedRun:
    where = f"{path}, {table.at(row)}"
    summary = {name: value for name, value in _dictionary(table, row, columns, "summary").items() if name[:1] != "_"}
    config = {name: value for name, value in _dictionary(table, row, columns, "config").items() if name[:1] != "_"}
    settings = {
        name: of["value"] if isinstance(of, Mapping) and "value" in of and of.keys() <= {"value", "desc"} else of
        for name, of in config.items()
    }
    values = {name: number(value) for name, value in flat(summary, where).items()}
    labels = {name: _cell(table, row, at) for name, at in columns.items() if name not in ("summary", "config")}
    metrics = {name: value for name, value in values.items() if value is not None}
    return TrackedRun(where, flat(settings, where), labels, metrics)


def _dictionary(table: Table, row: int, columns: Mapping[str, int], name: str) -> Mapping[str, Any]:
    try:
        found = literal(_cell(table, row, columns[name]))
    except ValueError as error:
        found = error
    if not isinstance(found, Mapping):
        why = f" ({found})" if isinstance(found, ValueError) else ""
        fix = "write dict(run.config) and run.summary._json_dict, as the documentation of W&B does"
        raise DataError(f"{table.where}, {table.at(row)}: {name} is not a Python dictionary{why}; {fix}")
    return {str(key): value for key, value in found.items()}


def _plain(name: str) -> str:
    return re.sub(r"[ -]+", "_", name.strip().lower())


def _is_metric(name: str) -> bool:
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name)
    if is_accuracy(name):
        return True
    measured = _METRIC.search(words) is not None or split_of(name) in ("test", "validation")
    return measured and _SETTING.search(words) is None


def _numeric(table: Table, at: int, rows: Sequence[int]) -> bool:
    """Whether all cells of a metric that are not empty are numbers, or none is, in the rows that count.

    Raises:
      DataError: some are and others are not, which would make a setting of the metric.
    """
    cells = {row: text for row in rows if (text := _cell(table, row, at))}
    odd = [row for row, text in cells.items() if number(text) is None]
    if odd and len(odd) < len(cells):
        raise DataError(f"{table.where}, {table.at(odd[0])}: {cells[odd[0]]!r} in the column {table.names[at]!r} is no "
                        "number; correct the cell, or empty it")  # fmt: skip
    return not odd


def _cell(table: Table, row: int, at: int) -> str:
    value: Any = table.frame.iat[row, at]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    whole = isinstance(value, float) and value.is_integer()  # a column of integers with an empty cell
    return str(int(value)) if whole else str(value).strip()
