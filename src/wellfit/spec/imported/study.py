"""Networks from Keras in a study: ``model = { keras = "file.keras" }`` becomes settings of wellfit's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wellfit.errors import StudyFileError
from wellfit.spec.source import KeyPath, Source

if TYPE_CHECKING:
    from wellfit.spec.imported.network import Imported

__all__ = ["from_keras", "with_networks", "with_places"]

_KEY: Final = "keras"


def from_keras(model: Any) -> dict[str, Any]:
    """The architecture of a Keras model as settings of a study.

    Takes ``Sequential`` and functional models that are one chain of layers that wellfit has; anything else is named in
    the error. Keras need not be installed to read a file, and nothing in a file can run.

    Weights are not taken: every training starts from new initial weights. Neither are optimizer and loss of a compiled
    model: learning rate, batch size, epochs and the like come from the study.

    Args:
      model: a Keras model, the path of a ``.keras`` file or of a JSON file, or the text that ``model.to_json()`` gives.

    Returns:
      ``model``, a ``ModelSpec``; ``l1``, ``l2``, ``max_norm`` and ``dropout`` if the model has any; ``scale``, of
      ``[data]``, if it begins with Rescaling or Normalization, whose place wellfit's own scaling takes. ``Study`` takes
      all of it in place of a model, and a variant takes it as its changes.

    Raises:
      StudyFileError: a layer, an option or a form of model that wellfit does not have, or a file that cannot be read.

    Example:
      >>> text = '''{"class_name": "Sequential", "config": {"layers": [
      ...     {"class_name": "Dense", "config": {"units": 64, "activation": "relu", "kernel_regularizer": "l2"}},
      ...     {"class_name": "Dropout", "config": {"rate": 0.5}},
      ...     {"class_name": "Dense", "config": {"units": 10, "activation": "softmax"}}]}}'''
      >>> settings = from_keras(text)
      >>> settings["model"].kind, settings["model"].hidden, settings["l2"], settings["dropout"]
      ('mlp', (64,), 0.01, 0.5)
    """
    from wellfit.spec.imported.files import read_architecture, tables_of
    from wellfit.spec.imported.network import imported

    if isinstance(model, Path) or (isinstance(model, str) and not model.lstrip().startswith("{")):
        tables, sha = read_architecture(Path(model))
        network = imported(tables, str(model))
        origin = _origin(Path(model), sha, network)
    else:
        network = imported(tables_of(_text_of(model), "model"), "model")
        origin = f"Keras model {network.name[:60]!r}{_noted(network)}"
    scale = {} if network.scale is None else {"scale": network.scale}
    return {"model": replace(network.model, origin=origin), **network.recipe(), **scale}


def _text_of(model: Any) -> str:
    """A live model as JSON; its own method makes it, so that there is one way to read a model."""
    if isinstance(model, str):
        return model
    try:
        text = model.to_json()
    except AttributeError:
        text = None
    except Exception as error:  # of a class of the user's own
        raise StudyFileError(f"from_keras(...): the model cannot describe itself: {error}") from None
    if not isinstance(text, str):
        raise StudyFileError(
            f"from_keras(...): takes a Keras model or the path of a .keras file, got {type(model).__name__}"
        )
    return text


def _origin(path: Path, sha: str, network: Imported) -> str:
    return f"{path.name} (SHA-256 {sha}){_noted(network)}"


def _noted(network: Imported) -> str:
    return f"; {network.note}" if network.note else ""


# --- Study files ------------------------------------------------------------------------------------------------------


def with_places(raw: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """The tables of a study file with paths of networks relative to the working directory, not to the file.

    Args:
      raw: checked one by one.
      folder: of the file; None for what is no file.

    Example:
      >>> with_places({"model": {"keras": "a.keras"}}, Path("studies"))["model"]["keras"]
      'studies/a.keras'
    """
    if folder is None:
        return dict(raw)

    def placed(table: Mapping[str, Any]) -> dict[str, Any]:
        model = table.get("model", {})
        return {**table, "model": {**model, _KEY: str(folder / model[_KEY])}} if _KEY in model else dict(table)

    parts = {name: with_places(part, folder) for name, part in raw.get("parts", {}).items()}
    tables = {**placed(raw), **({"parts": parts} if parts else {})}
    if "variants" in raw:
        tables["variants"] = {name: placed(changes) for name, changes in raw["variants"].items()}
    return tables


def with_networks(raw: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """The tables of a study with the networks of the files that they name, as settings.

    What a file says of penalties, bound and dropout becomes settings of the same recipe, unless that has its own; a
    network without them turns off those of the base recipe. Scaling becomes that of ``[data]``, unless that says
    another.

    Args:
      raw: merged tables, checked one by one.
      source: where they were written.

    Raises:
      StudyFileError: as for ``from_keras``, with the place; other keys beside ``keras``; a file in a sweep; a variant
        whose network scales its inputs in another way than the study.
    """
    for sweep, lists in raw.get("sweeps", {}).items():
        if any(_KEY in model for model in lists.get("model", ())):
            source.refuse(("sweeps", sweep, "model"), "a network from a file is no value of a sweep; make it a variant")
    tables = dict(raw)
    if _KEY in raw.get("model", {}):
        network, model = _network(raw["model"], ("model",), source)
        tables["model"], tables["train"] = model, {**_plain(network), **raw.get("train", {})}
        if network.scale and raw.get("data", {}).get("scale", "auto") == "auto":
            tables["data"] = {**raw.get("data", {}), "scale": network.scale}
    variants = {
        name: _variant(changes, ("variants", name, "model"), tables, source)
        if _KEY in changes.get("model", {})
        else changes
        for name, changes in raw.get("variants", {}).items()
    }
    return {**tables, "variants": variants} if variants else tables


def _variant(changes: Mapping[str, Any], at: KeyPath, tables: Mapping[str, Any], source: Source) -> dict[str, Any]:
    network, model = _network(changes["model"], at, source)
    scale = tables.get("data", {}).get("scale", "auto")
    if scale == "auto":
        scale = "standardize" if network.rank == 1 else "unit"
    if network.scale not in (None, scale):
        fix = f'all variants of a study share one: set [data] scale = "{network.scale}"'
        source.refuse((*at, _KEY), f"its first layer scales the inputs in another way than the study; {fix}")
    own = _plain(network)
    off = {
        key: 0.0 for key in ("l1", "l2", "max_norm", "dropout") if tables.get("train", {}).get(key) and key not in own
    }
    return {**off, **own, **changes, "model": model}


def _plain(network: Imported) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in network.recipe().items()}


def _network(table: Mapping[str, Any], at: KeyPath, source: Source) -> tuple[Imported, dict[str, Any]]:
    """The network in the file that a model names, and the model as wellfit's own settings."""
    from wellfit.spec.imported.files import read_architecture
    from wellfit.spec.imported.network import imported
    from wellfit.spec.reading import plain_of
    from wellfit.spec.written import model_table

    if others := sorted(table.keys() - {_KEY}):
        source.refuse((*at, others[0]), f"the file that keras names holds the whole network; remove {others[0]}")
    path = Path(table[_KEY])
    try:
        tables, sha = read_architecture(path)
        network = imported(tables, str(path))
    except StudyFileError as error:
        source.refuse((*at, _KEY), str(error))
    return network, plain_of(model_table(replace(network.model, origin=_origin(path, sha, network))))
