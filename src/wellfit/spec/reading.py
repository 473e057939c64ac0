"""Reading a table: every value checked and given its declared type, every mistake reported in one line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, NoReturn, Union, get_args, get_origin

from annotated_types import Interval, MaxLen, MinLen
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from wellfit.base import Distinct, Off, Range
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.spec.source import KeyPath, Source
from wellfit.spec.tables import Changes, Part, StudyFile, settings_of

__all__ = ["plain_of", "read_table", "table_with"]

_STRICT: Final = ConfigDict(strict=True, allow_inf_nan=False)  # true is not a number, and 3.0 no whole one
_TYPES: Final = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "a string",
    "literal_error": "a string",
    "bool_type": "true or false",
}
"""What an error of pydantic says a value must be; other errors are about ranges."""


def read_table(table: type, raw: Any, source: Source, at: KeyPath = (), *, partial: bool = False) -> Any:
    """Check a table and convert its values to their declared types.

    Args:
      table: a table of ``spec.tables`` or a dataclass of settings.
      raw: what was written, as plain data.
      source: where it was written.
      at: the path of the table in the source.
      partial: whether another study will supply required settings that are missing.

    Returns:
      An instance of a dataclass; of another table, or a partial one, the given settings only, as a dict.

    Raises:
      UnknownNameError: an unknown key or name; suggests the nearest known one.
      StudyFileError: a value that is missing, of the wrong type or out of range.

    Example:
      >>> from wellfit.spec.tables import Changes
      >>> read_table(Changes, {"l2": 1, "early_stopping": {"patience": 3}}, Source("lab.toml"))["l2"]
      1.0
      >>> read_table(Changes, {"dropout": 1.5}, Source("lab.toml"), ("variants", "a"))
      Traceback (most recent call last):
        ...
      wellfit.errors.StudyFileError: lab.toml, [variants.a] dropout: must be at least 0 and less than 1, got 1.5
    """
    if not isinstance(raw, Mapping):
        _refuse_type("a table", raw, source, at)
    known = settings_of(table)
    for key in raw:
        if key not in known:
            _refuse_key(str(key), known, source, (*at, str(key)))
    given = {key: _read(known[key], value, source, (*at, key), partial) for key, value in raw.items()}
    if partial or not dataclasses.is_dataclass(table):
        return given
    for key in dataclasses.fields(table):
        if key.name not in given and key.default is key.default_factory is dataclasses.MISSING:
            source.refuse((*at, key.name), "is missing")
    return table(**given)


def _read(declared: Any, value: Any, source: Source, at: KeyPath, partial: bool) -> Any:
    """A value as the member of its declared type that fits its form: None, a list, a table or a scalar."""
    options = _options(declared)
    if NoneType in options and (value is None or (value is False and Off() in _marks(declared))):
        return None
    forms = {_form(option): option for option in options if option is not NoneType}
    scalars = tuple(option for option in options if option is not NoneType and _form(option) is None)
    if list in forms and isinstance(value, list):
        item = get_args(_bare(forms[list]))[0]
        items = tuple(_read(item, part, source, (*at, place), partial) for place, part in enumerate(value))
        _check_list(items, _marks(forms[list]), source, at)
        return items
    if dict in forms and isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                source.refuse(at, f"names must be strings, got {name!r}")
        return {
            name: _read(get_args(forms[dict])[1], item, source, (*at, name), partial) for name, item in value.items()
        }
    if BaseModel in forms and isinstance(value, Mapping):
        return read_table(forms[BaseModel], value, source, at, partial=partial)
    if None not in forms:
        _refuse_type(_a_list(forms[list], value) if list in forms else "a table", value, source, at)
    return _read_scalar(Union[scalars], value, source, at)  # noqa: UP007  # of one member, it is that member


def _a_list(declared: Any, value: Any) -> str:
    """What a value must be where a list is needed; a lone string is shown as a list of it."""
    items = [_bare(option) for option in _options(get_args(_bare(declared))[0])]
    return (
        f"a list, like [{json.dumps(value, ensure_ascii=False)}]"
        if str in items and isinstance(value, str)
        else "a list"
    )


def _check_list(items: tuple[Any, ...], marks: tuple[Any, ...], source: Source, at: KeyPath) -> None:
    for mark in marks:
        if isinstance(mark, MaxLen) and len(items) > mark.max_length:
            source.refuse(at, f"must have at most {mark.max_length} values, got {len(items)}")
        if isinstance(mark, MinLen) and len(items) < mark.min_length:
            source.refuse(at, f"must have {mark.min_length} or more values, got {len(items)}")
        if isinstance(mark, Distinct) and len(set(items)) < len(items):
            _refuse_type("a list of distinct values", list(items), source, at)


def _read_scalar(declared: Any, value: Any, source: Source, at: KeyPath) -> Any:
    try:
        return _adapter(declared).validate_python("" if isinstance(value, str) and not value.strip() else value)
    except ValidationError as error:
        problems = [problem["type"] for problem in error.errors()]
        problem = problems[0]
    if problem == "literal_error" and isinstance(value, str):
        _refuse_name(value, get_args(declared), source, at)
    if problem == "string_unicode":
        source.refuse(at, "must be text in UTF-8; if it is a path, rename the file or folder")
    if problem == "string_too_short":
        source.refuse(at, "must not be empty")
    if problem == "finite_number":
        _refuse_type("finite", value, source, at)
    ranges = [_in_words(mark) for mark in _marks(declared) if isinstance(mark, Interval)]
    if len(problems) > 1 and all(one in _TYPES for one in problems):  # of a union
        _refuse_type(" or ".join(_TYPES[one] for one in problems), value, source, at)
    _refuse_type(_TYPES.get(problem) or ranges[0], value, source, at)


def _in_words(limits: Interval) -> str:
    """A range as an error describes it.

    Example:
      >>> _in_words(Interval(ge=1, le=9)), _in_words(Interval(gt=0)), _in_words(Interval(ge=0, lt=1))
      ('from 1 to 9', 'greater than 0', 'at least 0 and less than 1')
    """
    if limits.ge is not None and limits.le is not None:
        return f"from {limits.ge} to {limits.le}"
    words = {"at least": limits.ge, "greater than": limits.gt, "at most": limits.le, "less than": limits.lt}
    return " and ".join(f"{word} {limit}" for word, limit in words.items() if limit is not None)


# --- Types ------------------------------------------------------------------------------------------------------------


@cache
def _adapter(declared: Any) -> TypeAdapter[Any]:
    return TypeAdapter(declared, config=_STRICT)


def _bare(declared: Any) -> Any:
    """A type without its annotations."""
    return get_args(declared)[0] if get_origin(declared) is Annotated else declared


def _marks(declared: Any) -> tuple[Any, ...]:
    """The annotations of a type."""
    return get_args(declared)[1:] if get_origin(declared) is Annotated else ()


def _options(declared: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    bare = _bare(declared)
    return get_args(bare) if get_origin(bare) in (Union, UnionType) else (declared,)


def _form(declared: Any) -> type | None:
    """Whether values are lists, tables with any names (dict), tables of settings (BaseModel) or scalars (None)."""
    bare = _bare(declared)
    if get_origin(bare) in (tuple, dict):
        return list if get_origin(bare) is tuple else dict
    return BaseModel if dataclasses.is_dataclass(bare) or _is_table(bare) else None


def _is_table(declared: Any) -> bool:
    return isinstance(declared, type) and issubclass(declared, BaseModel)


def plain_of(value: Any) -> Any:
    """Nested dicts, lists and Python scalars from what TOML, JSON or Python gives.

    Example:
      >>> from wellfit.base import EarlyStopping
      >>> plain_of({"early_stopping": EarlyStopping(patience=3)})["early_stopping"]["patience"]
      3
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain_of(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {key: plain_of(item) for key, item in value.items()}
    if isinstance(value, tuple | list | range):
        return [plain_of(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value  # NumPy's arrays and scalars


# --- Mistakes ---------------------------------------------------------------------------------------------------------


def _refuse_type(expected: str, value: Any, source: Source, at: KeyPath) -> NoReturn:
    got = repr(value)
    source.refuse(at, f"must be {expected}, got {got if len(got) <= 60 else f'{got[:57]}...'}")


def _refuse_key(key: str, known: Iterable[str], source: Source, at: KeyPath) -> NoReturn:
    is_top = len(at) == 1 or (at[0] == "parts" and len(at) == 3)
    if is_top and (path := table_with(key)):
        raise StudyFileError(f"unknown key {key!r} in {source.table(at)}; did you mean {path!r}?")
    if known == settings_of(Range) and key in _keys_within(str(at[-2])):
        source.refuse(at[:-1], f'a key with a dot is quoted: "{at[-2]}.{key}" = ...')
    raise UnknownNameError("key", key, known, source.table(at))


def _keys_within(setting: str) -> set[str]:
    """The keys of a setting of a variant that is a table."""
    tables = (_bare(option) for option in _options(settings_of(Changes).get(setting, NoneType)))
    return {key for table in tables if _form(table) is BaseModel for key in settings_of(table)}


def _refuse_name(name: str, known: Iterable[str], source: Source, at: KeyPath) -> NoReturn:
    """Refuse a name that is none of a few; it names what its key says, or for ``kind`` what its table says."""
    keys = [key for key in at if isinstance(key, str)]
    if keys[-1] == "monitor" and name.removeprefix("train_") in ("loss", "accuracy"):
        source.refuse(at, "training metrics keep improving while a network overfits; use val_loss or val_accuracy")
    if keys[-1] == "monitor" and name.startswith("test_"):
        source.refuse(at, "the test set is used only once, after training; use val_loss or val_accuracy")
    noun = keys[-2].removesuffix("s") if keys[-1] == "kind" else keys[-1]
    raise UnknownNameError(noun, name, filter(None, known), source.place(at))


def table_with(key: str) -> str | None:
    """The full path of a key that was written at the top of a file but belongs in a table, even if misspelled.

    Example:
      >>> table_with("epochs"), table_with("hidden"), table_with("dropuot"), table_with("titel")
      ('train.epochs', 'model.hidden', 'train.dropout', None)
    """
    top = settings_of(StudyFile)
    paths: dict[str, str] = {}
    for name, table in settings_of(Part).items():
        for setting in settings_of(table) if _is_table(table) else ():
            paths.setdefault(setting, f"{name}.{setting}")
    close = get_close_matches(key, [*top, *paths], 1, 0.7)
    return None if not close or close[0] in top else paths[close[0]]
