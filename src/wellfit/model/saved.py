"""A model in one file: arrays in safetensors form, and everything else as JSON in its metadata. No pickle.

A file may come from a stranger: everything in it is checked before it is used, and nothing in it can run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from wellfit import __version__
from wellfit.base import ModelSpec, Preparation, Reading, Scaling
from wellfit.data.later import Form
from wellfit.errors import StoreError, StoreUnreadableError, StudyFileError, WellfitError, one_line
from wellfit.files import form_of, home_expanded, read_plain, replacing, write_errors
from wellfit.model.fitted import FittedModel, Network, Origin
from wellfit.model.sound import check_sound
from wellfit.store.names import refuse_own_place

__all__ = ["SUFFIX", "check_target", "load", "packed", "save", "unpacked"]

SUFFIX: Final = ".safetensors"
_KEY: Final = "wellfit model"
_TRAINED: Final = "trained"
_FORMAT: Final = 1
_MOST_BYTES: Final = 2**31
_MOST_HEADER: Final = 2**25


@dataclass(frozen=True, eq=False)
class _Described:
    """What a file says besides its arrays."""

    format: int
    version: str
    spec: ModelSpec
    classes: tuple[str, ...]
    form: Form
    origin: Origin
    seeds: tuple[int, ...]
    preparations: tuple[Preparation, ...]
    scaling: str


def packed(model: FittedModel) -> bytes:
    """The content of the file of a model.

    Example:
      >>> from wellfit import Study, mlp
      >>> model = Study("digits", mlp(16), epochs=1, seeds=1).run().model()
      >>> packed(model) == packed(model)
      True
    """
    from safetensors.numpy import save as to_bytes

    arrays: dict[str, NDArray[Any]] = {}
    for at, network in enumerate(model.networks):
        arrays |= {f"{at}/{name}": np.array(array, order="C") for name, array in network.weights.items()}
        arrays[f"{at}/scaling/shift"] = np.array(network.scaling.shift, order="C")
        arrays[f"{at}/scaling/factor"] = np.array(network.scaling.factor, order="C")
    if model.trained is not None:
        arrays[_TRAINED] = model.trained.astype("<u8")
    reading = Reading(**{f.name: getattr(model.form.reading, f.name) for f in fields(Reading)})
    form = Form(**{**{f.name: getattr(model.form, f.name) for f in fields(Form)}, "reading": reading})
    said = _Described(
        format=_FORMAT,
        version=__version__,
        spec=model.spec,
        classes=model.classes,
        form=form,
        origin=model.origin,
        seeds=tuple(network.seed for network in model.networks),
        preparations=tuple(network.preparation for network in model.networks),
        scaling=model.networks[0].scaling.kind,
    )
    text: str = json.dumps(TypeAdapter(_Described).dump_python(said, mode="json"), sort_keys=True)
    return to_bytes(arrays, metadata={_KEY: text})


def save(model: FittedModel, path: Path) -> Path:
    """Save a model; a file that is there is replaced.

    Args:
      path: its name ends in ``.safetensors``.

    Raises:
      StudyFileError: the name ends otherwise.
      StoreError: the file cannot be written.
    """
    path = home_expanded(path)
    check_target(path)
    content = packed(model)
    with write_errors(path, "choose another place"), replacing(path, alone=True) as temporary:
        temporary.write_bytes(content)
    return path


def check_target(path: Path) -> None:
    """Refuse a place where a model's file cannot be written, or would replace what is none.

    Raises:
      StudyFileError: its name ends otherwise.
      StoreError: something else is there, or a study keeps its own files there.
    """
    refuse_own_place(path)
    if path.suffix != SUFFIX:
        raise StudyFileError(f"{path}: a model's file ends in {SUFFIX}; name it {path.with_suffix(SUFFIX)}")
    found = form_of(path)
    if found not in (None, "a file"):
        raise StoreError(f"{path}: {found}, not a file; choose another place")
    if found == "a file":
        with write_errors(path, "choose another place"):
            content = path.read_bytes()[: _MOST_HEADER + 8]
        if content and f'"{_KEY}"'.encode() not in content:
            raise StoreError(f"{path}: holds no model of wellfit, and stays as it is; choose another place")


def load(path: str | Path) -> FittedModel:
    """Load a model that ``FittedModel.save`` or ``wellfit export`` saved.

    Args:
      path: the file.

    Raises:
      StoreUnreadableError: the file cannot be read, is damaged, or holds no model of wellfit.
    """
    path = home_expanded(path)
    try:
        content = read_plain(path.resolve(), _MOST_BYTES)
    except (OSError, ValueError) as error:  # a null character in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
        raise StoreUnreadableError(f"{path}: cannot be read ({reason})") from None
    return unpacked(content, str(path))


def unpacked(content: bytes, path: str = "the model") -> FittedModel:
    """The model of which ``packed`` made the content of a file.

    Args:
      content: of the file.
      path: what it is called in error messages.

    Raises:
      StoreUnreadableError: it is damaged, or holds no model of wellfit.

    Example:
      >>> unpacked(b"")
      Traceback (most recent call last):
        ...
      wellfit.errors.StoreUnreadableError: the model: not a model's file (its header is cut off); save the model again
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        text = _metadata(content)
        arrays = from_bytes(content)
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        raise StoreUnreadableError(f"{path}: not a model's file ({one_line(error)}); save the model again") from None
    if text is None:
        raise StoreUnreadableError(f"{path}: holds arrays, but no model of wellfit; save one with FittedModel.save")
    try:
        said = TypeAdapter(_Described).validate_json(text)
        model = _model(said, arrays)
        check_sound(model)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise StoreUnreadableError(f"{path}: damaged: {where}: {first['msg']}; save the model again") from None
    except (WellfitError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise StoreUnreadableError(f"{path}: damaged: {one_line(error)}; save the model again") from None
    return model


def _metadata(content: bytes) -> str | None:
    """The description in a file; None if it is no model of wellfit."""
    size = int.from_bytes(content[:8], "little")
    if not 0 < size <= len(content) - 8:
        raise ValueError("its header is cut off")
    if size > _MOST_HEADER:
        raise ValueError(f"its header has {size:,} bytes, more than {_MOST_HEADER:,}")
    header = json.loads(content[8 : 8 + size])
    said = header.get("__metadata__") if isinstance(header, dict) else None
    text = said.get(_KEY) if isinstance(said, dict) else None
    return text if isinstance(text, str) else None


def _model(said: _Described, arrays: Mapping[str, NDArray[Any]]) -> FittedModel:
    if said.format != _FORMAT:
        raise ValueError(f"format {said.format} is of another version of wellfit ({said.version})")
    if not said.seeds or len(said.seeds) != len(said.preparations):
        raise ValueError("its networks are not complete")
    arrays = dict(arrays)
    trained = arrays.pop(_TRAINED, None)
    if trained is not None and (trained.dtype != np.uint64 or trained.ndim != 1):
        raise ValueError("what its training examples are is not a list of hashes")
    of_network: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        number, _, rest = name.partition("/")
        of_network.setdefault(number, {})[rest] = array
    if of_network.keys() != {str(at) for at in range(len(said.seeds))}:
        raise ValueError("its networks are not complete")
    networks = []
    for at, (seed, preparation) in enumerate(zip(said.seeds, said.preparations, strict=True)):
        own = of_network[str(at)]
        if any(array.dtype != np.float32 for array in own.values()):
            raise ValueError("an array is not float32")
        shift, factor = own.pop("scaling/shift"), own.pop("scaling/factor")
        scaling = Scaling(said.scaling, shift, factor)  # type: ignore[arg-type]
        networks.append(Network(seed, own, preparation, scaling))
    return FittedModel(said.spec, said.classes, tuple(networks), said.form, said.origin, trained)
