"""What ``Study(...)`` is given in Python: its arguments, and arrays and DataFrames as a ``Dataset``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.base import Dataset, ModelSpec, Reading
from wellfit.data.applicable import FOR_FRAMES, refuse_settings
from wellfit.data.assemble import assemble, make_dataset
from wellfit.errors import StudyFileError, WellfitError
from wellfit.spec.tables import Data, Train, settings_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SETS",
    "WHERE",
    "arguments_of",
    "dataset_of",
    "divided",
    "handed_over",
    "is_network",
    "naming_arguments",
    "of_one_scale",
    "plain_models",
]

SETS: Final = ("x_test", "y_test", "x_val", "y_val", "groups")
"""Arguments of ``Study`` that belong to arrays and DataFrames."""

WHERE: Final = "Study(...)"
"""The place of a mistake, in errors."""

_OF_KIND: Final = {"hidden": ("mlp", "cnn"), "layers": ("layers",)}
"""Fields of a ``ModelSpec`` that only these kinds use; study files refuse them elsewhere."""

_LABEL, _GROUP = "label", "group"  # names of the columns made of separate labels and groups


def _is_frame(data: Any) -> bool:
    """Whether data are a pandas DataFrame; pandas is not imported for it."""
    kinds = {(kind.__module__.split(".")[0], kind.__name__) for kind in type(data).__mro__}
    return ("pandas", "DataFrame") in kinds


def arguments_of(data: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Labels, model and variants of ``Study``, by position or by name.

    Args:
      data: its first argument; where that is arrays or a DataFrame, labels come before the model.
      given: further arguments without a name.
      named: ``y``, ``model`` and ``variants``; None where not given.

    Raises:
      StudyFileError: too many arguments, or one that is given twice.

    Example:
      >>> arguments_of([[1.0]], (["a"],), {"y": None, "model": None, "variants": None})
      (['a'], None, None)
    """
    places = ["model", "variants"]
    if not isinstance(data, str | Path | Dataset) and not (given and is_network(given[0])):
        places.insert(0, "y")
    if len(given) > len(places):
        raise StudyFileError(f"Study(...): at most {len(places) + 1} arguments without a name; name the others")
    values = dict(named)
    for place, value in zip(places, given, strict=False):
        if values[place] is not None:
            raise StudyFileError(f"Study(...): {place} is given twice; give it once")
        values[place] = value
    return values["y"], values["model"], values["variants"]


def is_network(given: Any) -> bool:
    """Whether an argument is a model, or a model with its settings as ``from_keras`` gives them.

    Example:
      >>> is_network(ModelSpec()), is_network({"model": ModelSpec(), "l2": 0.01}), is_network([[1.0]])
      (True, True, False)
    """
    return isinstance(given, ModelSpec) or (isinstance(given, Mapping) and isinstance(given.get("model"), ModelSpec))


def of_one_scale(variants: Any, scale: Any) -> Any:
    """Variants without the scaling that ``from_keras`` gives with a network: all variants share that of the data.

    Args:
      variants: as given.
      scale: of the study; None for the usual one.

    Raises:
      StudyFileError: a network scales its inputs in another way than the study.

    Example:
      >>> of_one_scale({"mine": {"model": ModelSpec(), "scale": "unit"}}, "unit")["mine"].keys()
      dict_keys(['model'])
    """
    if not isinstance(variants, Mapping):
        return variants
    left = dict(variants)
    for name, changes in variants.items():
        if isinstance(changes, Mapping) and is_network(changes) and "scale" in changes:
            own = changes["scale"]
            if own != scale:
                fix = f"all variants share one: give scale={own!r}"
                raise StudyFileError(f"{WHERE}, variant {name!r}: its network scales the inputs; {fix}")
            left[name] = {key: value for key, value in changes.items() if key != "scale"}
    return left


def divided(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of [data] and of [train]; an unknown one goes where its nearest key is, so that the error names that.

    Example:
      >>> divided({"label": "Churn", "epochs": 3, "epoch": 3})
      ({'label': 'Churn'}, {'epochs': 3, 'epoch': 3})
    """
    of_data, of_train = set(settings_of(Data)) - {"name", "path"}, set(settings_of(Train))
    tables: tuple[dict[str, Any], dict[str, Any]] = {}, {}
    for key, value in settings.items():
        nearest = key if key in of_data | of_train else next(iter(get_close_matches(key, of_data | of_train, 1)), "")
        tables[0 if nearest in of_data else 1][key] = value
    return tables


def plain_models(given: Any) -> Any:
    """A model, or variants with their models, as complete tables of a study file; anything else is left for validation.

    Example:
      >>> plain_models({"wide": {"model": ModelSpec("logistic", ()), "l2": 0.1}})["wide"]["model"]["kind"]
      'logistic'
    """
    if isinstance(given, Mapping):
        return {key: plain_models(value) for key, value in given.items()}
    if not isinstance(given, ModelSpec):
        return given
    table = {key: value for key, value in vars(given).items() if given.kind in _OF_KIND.get(key, (given.kind,))}
    if "layers" in table:  # study files express "no function" by leaving it out
        table["layers"] = [{key: value for key, value in vars(layer).items() if value != ""} for layer in given.layers]
    return table


_TABLES: Final = "data|train|model|compare"
_AS_IN_FILES: Final = re.compile(
    rf",? \[(?:{_TABLES})\](?=[;:,)]| \(|$)|\[(?:{_TABLES})\] |(?:--set |(?<='))(?:{_TABLES})\."
)


@contextmanager
def naming_arguments(wanted: bool = True) -> Iterator[None]:
    """Name settings in errors as in Python, where they are arguments, not keys of a study file's tables.

    Args:
      wanted: whether the settings are arguments.

    Raises:
      WellfitError: the one of the block, in other words.

    Example:
      >>> with naming_arguments():
      ...     raise WellfitError("Study(...), [train] epochs: must be at least 1; for example --set train.epochs=1")
      Traceback (most recent call last):
        ...
      wellfit.errors.WellfitError: Study(...), epochs: must be at least 1; for example epochs=1
    """
    try:
        yield
    except WellfitError as error:
        if wanted:
            error.args = (_AS_IN_FILES.sub("", str(error)),)
        raise


def handed_over(data: Any, y: Any, sets: Mapping[str, Any], reading: Reading) -> Dataset | None:
    """The data that were handed over; None for a name or path, which is read later.

    Args:
      data: a name, a path, a ``Dataset``, arrays or a DataFrame.
      y: labels; None if they are not given apart.
      sets: as for ``dataset_of``.
      reading: settings about reading.

    Raises:
      StudyFileError: data of another type, or arguments that do not belong together.
      DataError: data that cannot be used, or a setting that does not apply.

    Example:
      >>> handed_over("digits", None, {}, Reading()) is None
      True
    """
    if isinstance(data, str | Path | Dataset):
        given = [key for key, value in {"y": y, **sets}.items() if value is not None]
        if given:
            raise StudyFileError(f"Study(...): {given[0]} belongs to arrays, as in Study(x, y); remove it")
        if isinstance(data, Dataset):
            refuse_settings(reading, WHERE, "a Dataset, which has been read")
            return data
        return None
    if y is None and not _is_frame(data) and not isinstance(data, list | tuple) and not hasattr(data, "__array__"):
        fix = "give a name, a path, arrays, a DataFrame, or a Dataset from wellfit.make_dataset(x, y)"
        raise StudyFileError(f"Study(...): data cannot be of type {type(data).__name__}; {fix}")
    return dataset_of(data, y, sets, reading)


def dataset_of(x: Any, y: Any, sets: Mapping[str, Any], reading: Reading) -> Dataset:
    """A data set from arrays, or from DataFrames with their labels in a column or beside them.

    Args:
      x: examples: an array, or a DataFrame.
      y: labels; None if they are a column of the DataFrame.
      sets: ``x_test``, ``y_test``, ``x_val``, ``y_val`` and ``groups``; None where not given.
      reading: settings about reading.

    Raises:
      StudyFileError: arguments that do not belong together, or labels are missing.
      DataError: data that cannot be used, or a setting that does not apply.

    Example:
      >>> data = dataset_of(np.arange(20.0).reshape(10, 2), ["cat", "dog"] * 5, {}, Reading())
      >>> data.classes, len(data.y_test)
      (('cat', 'dog'), 2)
    """
    if _is_frame(x):
        return _from_frames(x, y, sets, reading)
    if y is None:
        raise StudyFileError(
            f"Study(...): data of type {type(x).__name__} need their labels; give Study(x, y), or a DataFrame with "
            "label=COLUMN"
        )
    refuse_settings(reading, WHERE, "arrays", ("classes", "pixel_max"))
    given = {key: value for key, value in sets.items() if value is not None}
    return make_dataset(x, y, classes=reading.classes or None, pixel_max=reading.pixel_max, **given)


def _from_frames(x: Any, y: Any, sets: Mapping[str, Any], reading: Reading) -> Dataset:
    from wellfit.data.tables import from_frames

    refuse_settings(reading, WHERE, "a DataFrame", FOR_FRAMES)
    groups = sets.get("groups")
    if y is not None and reading.label is not None:
        raise StudyFileError("Study(...): label names a column, but y holds the labels already; give one of them")
    if groups is not None and reading.group is not None:
        raise StudyFileError("Study(...): group names a column, but groups holds them already; give one of them")
    if y is not None:
        _refuse_labels_in(x, y, reading)
    label = _free_name(x, _name_of(y, _LABEL)) if y is not None else None
    group = _free_name(x, _GROUP) if groups is not None else None
    if label is not None:
        reading = replace(reading, label=label)
    if group is not None:
        reading = replace(reading, group=group)
    frames: dict[str, pd.DataFrame | None] = {}
    for key, which in (("val", "validation"), ("test", "test")):
        frame, labels = sets.get(f"x_{key}"), sets.get(f"y_{key}")
        if frame is None and labels is not None:
            raise StudyFileError(f"Study(...): y_{key} has no x_{key}; give both")
        if frame is not None and not _is_frame(frame):
            raise StudyFileError(f"Study(...): x_{key} is not a DataFrame, but x is; give both in the same form")
        if frame is not None and (labels is None) != (y is None):
            fix = f"give y_{key} too" if labels is None else f"leave y_{key} out; the label is a column"
            raise StudyFileError(f"Study(...): x_{key} must have its labels where x has them; {fix}")
        frames[which] = (
            None if frame is None else _with_columns(frame, f"x_{key}", {label: labels}, {label: f"y_{key}"})
        )
    train = _with_columns(x, "x", {label: y, group: groups}, {label: "y", group: "groups"})
    raw = from_frames(train, reading, where="the DataFrame", **frames)
    beside = {"label column": label and _beside("y", y), "group column": group and _beside("groups", groups)}
    raw = replace(raw, facts=tuple((name, beside.get(name) or text) for name, text in raw.facts))
    return assemble(raw, name="data", title="data", source="a DataFrame", classes=reading.classes or None)


def _refuse_labels_in(x: pd.DataFrame, y: Any, reading: Reading) -> None:
    """Refuse labels that are a feature too, as in ``Study(frame, frame["species"])``, and the name of a column."""
    if isinstance(y, str):
        raise StudyFileError(f"Study(...): y must hold one label per row; to name a column, give label={y!r}")
    name = _name_of(y, "")
    used = name not in reading.drop and (not reading.columns or name in reading.columns)
    if name in x.columns and used and x[name].reset_index(drop=True).equals(y.reset_index(drop=True)):
        raise StudyFileError(
            f"Study(...): the column {name!r} of x is y, so it would be a feature; leave y out and give "
            f"label={name!r}, or drop the column"
        )


def _beside(argument: str, values: Any) -> str:
    """What the facts say of labels or groups that are no column.

    Example:
      >>> _beside("y", [0, 1])
      'none; given as y'
    """
    name = _name_of(values, "")
    return f"none; given as {argument}" + (f" ({name})" if name else "")


def _check_index(frame: pd.DataFrame, values: Any, what: str, name: str) -> None:
    """Refuse values whose index says that their rows are in another order, or are other rows."""
    import pandas as pd

    if not isinstance(values, pd.Series | pd.DataFrame) or len(values) != len(frame):
        return
    own, other = frame.index, values.index
    if own.equals(other):
        return
    counted = pd.RangeIndex(len(frame))  # as reset_index(drop=True) leaves it: the positions count
    if (own.equals(counted) or other.equals(counted)) and set(own) != set(other):
        return
    raise StudyFileError(
        f"Study(...): the index of {what} and that of its {name} differ, so their rows may not belong together; put "
        f"both in the same order ({name}.loc[{what}.index]), or give {name}.to_numpy() if the positions count"
    )


def _name_of(y: Any, default: str) -> str:
    """The name of a Series, or the default."""
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else default


def _free_name(frame: pd.DataFrame, name: str) -> str:
    """A name that no column has."""
    taken = {str(column) for column in frame.columns}
    while name in taken:
        name = f"{name}_"
    return name


def _with_columns(
    frame: pd.DataFrame, what: str, columns: Mapping[str | None, Any], arguments: Mapping[str | None, str]
) -> pd.DataFrame:
    """A frame with further columns, by position.

    Args:
      what: the frame, in errors.
      columns: by name.
      arguments: what they are called in errors, by name.
    """
    for name, values in columns.items():
        if name is None or values is None:
            continue
        _check_index(frame, values, what, arguments[name])
        array = np.asarray(values)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.shape != (len(frame),):
            raise StudyFileError(
                f"Study(...): {what} has {len(frame)} rows, but {arguments[name]} has shape {array.shape}; "
                "give one per row"
            )
        frame = frame.assign(**{name: array})
    return frame
