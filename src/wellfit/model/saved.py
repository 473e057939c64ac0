"""A model in one file: arrays in safetensors form, and everything else as JSON in its metadata. No pickle.

A file may come from a stranger: everything in it is checked before it is used, and nothing in it can run.
"""

from __future__ import annotations

import json
import math
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
from wellfit.errors import StoreUnreadableError, StudyFileError, WellfitError, one_line
from wellfit.files import read_plain, replacing, write_errors
from wellfit.model.fitted import FittedModel, Network, Origin

__all__ = ["SUFFIX", "check_name", "load", "packed", "save", "unpacked"]

SUFFIX: Final = ".safetensors"
_KEY: Final = "wellfit model"
_FORMAT: Final = 1
_MOST_BYTES: Final = 2**31
_MOST_VALUES: Final = 2**27
"""Values of one example after a layer: more than any model has that wellfit trains."""


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
    path = path.expanduser()
    check_name(path)
    content = packed(model)
    with write_errors(path, "choose another place"), replacing(path, alone=True) as temporary:
        temporary.write_bytes(content)
    return path


def check_name(path: Path) -> None:
    """Refuse a name that is not that of a model's file.

    Raises:
      StudyFileError: it ends otherwise.
    """
    if path.suffix != SUFFIX:
        raise StudyFileError(f"{path}: a model's file ends in {SUFFIX}; name it {path.with_suffix(SUFFIX)}")


def load(path: str | Path) -> FittedModel:
    """Load a model that ``FittedModel.save`` or ``wellfit export`` saved.

    Args:
      path: the file.

    Raises:
      StoreUnreadableError: the file cannot be read, is damaged, or holds no model of wellfit.
    """
    path = Path(path).expanduser()
    try:
        content = read_plain(path.resolve(), _MOST_BYTES)
    except OSError as error:
        raise StoreUnreadableError(f"{path}: cannot be read ({error.strerror or one_line(error)})") from None
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
        _check(model)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise StoreUnreadableError(f"{path}: damaged: {where}: {first['msg']}; save the model again") from None
    except (WellfitError, ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise StoreUnreadableError(f"{path}: damaged: {one_line(error)}; save the model again") from None
    return model


def _metadata(content: bytes) -> str | None:
    """The description in a file; None if it is no model of wellfit."""
    size = int.from_bytes(content[:8], "little")
    if not 0 < size <= len(content) - 8:
        raise ValueError("its header is cut off")
    header = json.loads(content[8 : 8 + size])
    text = header.get("__metadata__", {}).get(_KEY)
    return text if isinstance(text, str) else None


def _model(said: _Described, arrays: Mapping[str, NDArray[Any]]) -> FittedModel:
    if said.format != _FORMAT:
        raise ValueError(f"format {said.format} is of another version of wellfit ({said.version})")
    if not said.seeds or len(said.seeds) != len(said.preparations):
        raise ValueError("its networks are not complete")
    networks = []
    for at, (seed, preparation) in enumerate(zip(said.seeds, said.preparations, strict=True)):
        own = {name.partition("/")[2]: array for name, array in arrays.items() if name.partition("/")[0] == str(at)}
        if any(array.dtype != np.float32 for array in own.values()):
            raise ValueError("an array is not float32")
        shift, factor = own.pop("scaling/shift"), own.pop("scaling/factor")
        scaling = Scaling(said.scaling, shift, factor)  # type: ignore[arg-type]
        networks.append(Network(seed, own, preparation, scaling))
    return FittedModel(said.spec, said.classes, tuple(networks), said.form, said.origin)


def _check(model: FittedModel) -> None:
    """Refuse a model whose parts do not fit each other; nothing of the size that it claims is allocated."""
    import jax
    import jax.numpy as jnp

    from wellfit.nn.models import build

    for network in model.networks:
        features = network.preparation.features
        columns = len(network.preparation.columns) + len(network.preparation.left_out)
        if features and (
            model.form.shape != (columns,) or any(c.column >= columns for c in network.preparation.columns)
        ):
            raise ValueError("its preparation is of another table")
        shape = (len(features),) if features else model.form.shape
        built = build(model.spec, shape, len(model.classes))
        if any(math.prod(made.output_shape) > _MOST_VALUES for _, made in built.layers):
            raise ValueError("a layer is larger than wellfit trains")
        for scale in (network.scaling.shift, network.scaling.factor):
            if scale.shape not in ((), shape):
                raise ValueError("its scaling is of another shape")
        params: dict[str, dict[str, Any]] = {}
        for name, array in network.weights.items():
            layer, _, kind = name.partition("/")
            params.setdefault(layer, {})[kind] = jax.ShapeDtypeStruct(array.shape, array.dtype)
        for of, made in built.layers:  # the units that a layer claims are in no array but these
            if of in built.kernels and params[of]["kernel"].shape[-1] != made.output_shape[-1]:
                raise ValueError(f"the weights of {of} are of another shape")
        stats = {layer: {kind: params[layer].pop(kind) for kind in of} for layer, of in built.stats().items()}
        x = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
        logits, _ = jax.eval_shape(lambda p, s, v, built=built: built.apply(p, s, v), params, stats, x)
        if logits.shape != (1, len(model.classes)):
            raise ValueError("its output does not fit its classes")
