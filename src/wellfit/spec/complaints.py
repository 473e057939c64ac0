"""What is wrong with a table of a study file, in one plain line: where it is, and what was meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.spec.schema import (
    AugmentationTable,
    AveragingTable,
    Changes,
    CompareTable,
    DataTable,
    LayerTable,
    ModelTable,
    PartTables,
    QuestionTable,
    QuickTable,
    ScheduleTable,
    StoppingTable,
    StudyTables,
    TrainTable,
)
from wellfit.spec.source import KeyPath, Source
from wellfit.spec.values import ONE, SEVERAL

__all__ = ["check", "home", "known_keys"]

_TYPES: Final = {
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "finite_number": "must be finite",
}


AnyTable = TypeVar("AnyTable", bound=BaseModel)


def check(table: type[AnyTable], raw: Any, source: Source, at: KeyPath = ()) -> AnyTable:
    """Checks a table.

    Args:
      table: what it has to be.
      raw: what was written, as plain data.
      source: where it was written.
      at: the path of the table in the source.

    Returns:
      The table.

    Raises:
      UnknownNameError: an unknown key, optimizer, model, scale or monitor; with the nearest known one, and where it is.
      StudyFileError: a value of the wrong type or out of range; one line, with file, line, table and key.

    Example:
      >>> check(Changes, {"dropout": 1.5}, Source("lab.toml"), ("variants", "a"))
      Traceback (most recent call last):
        ...
      wellfit.errors.StudyFileError: lab.toml, [variants.a] dropout: must be at least 0 and less than 1, got 1.5
    """
    try:
        return table.model_validate(raw)
    except ValidationError as error:
        # A mistyped key explains the one that is missing, not the other way round.
        order = {"extra_forbidden": 0, "missing": 2}
        _refuse(min(error.errors(include_url=False), key=lambda e: order.get(e["type"], 1)), source, at)


def _refuse(error: ErrorDetails, source: Source, at: KeyPath) -> NoReturn:
    path = at + tuple(part for part in error["loc"] if part not in (ONE, SEVERAL, "[key]"))
    if error["type"] == "extra_forbidden":
        key, at_top = str(path[-1]), len(path) == 1 or (path[0] == "parts" and len(path) == 3)
        if at_top and (belongs := home(key)):
            raise StudyFileError(f"unknown key {key!r} in {source.table(path)}; did you mean {belongs!r}?")
        raise UnknownNameError("key", key, known_keys(path[:-1]), source.table(path))
    if error["type"] == "unknown_name":
        raise UnknownNameError(error["ctx"]["kind"], error["input"], error["ctx"]["known"], source.place(path))
    if error["type"] == "missing":
        source.refuse(path, "is missing")
    got = repr(error["input"])
    got = got if len(got) <= 60 else f"{got[:57]}..."
    source.refuse(path, f"{_TYPES.get(error['type'], error['msg'])}, got {got}")


def known_keys(path: KeyPath) -> list[str]:
    """The keys that a table may have.

    Args:
      path: the path of the table.

    Example:
      >>> known_keys(("variants", "a", "model"))
      ['kind', 'hidden', 'activation', 'initializer', 'batch_norm', 'output', 'layers']
    """
    tables: dict[str, type[BaseModel]] = {
        "data": DataTable,
        "model": ModelTable,
        "train": TrainTable,
        "layers": LayerTable,
        "schedule": ScheduleTable,
        "augmentation": AugmentationTable,
        "early_stopping": StoppingTable,
        "average": AveragingTable,
        "quick": QuickTable,
        "compare": CompareTable,
        "questions": QuestionTable,
    }
    top: type[BaseModel] = StudyTables
    if path and path[0] == "parts":
        top, path = PartTables, path[2:]  # the name of a part is no key, nor that of a variant
    if path and path[0] in ("variants", "sweeps"):
        tables["variants"] = tables["sweeps"] = Changes
        path = path[2:] or path[:1]
    names = [part for part in path if isinstance(part, str)]
    return list((tables[names[-1]] if names else top).model_fields)


def home(key: str) -> str | None:
    """The way to a key that was written at the top of the file, and belongs into a table, also where it is mistyped.

    Example:
      >>> home("epochs"), home("hidden"), home("dropuot"), home("titel")
      ('train.epochs', 'model.hidden', 'train.dropout', None)
    """
    tables: dict[str, type[BaseModel]] = {"train": TrainTable, "model": ModelTable, "data": DataTable}
    tables["compare"] = CompareTable
    keys = {field: f"{name}.{field}" for name, table in reversed(tables.items()) for field in table.model_fields}
    close = get_close_matches(key, [*StudyTables.model_fields, *keys], 1, 0.7)
    return keys.get(close[0]) if close and close[0] not in StudyTables.model_fields else None
