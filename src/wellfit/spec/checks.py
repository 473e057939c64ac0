"""What is checked beyond single values: names that fit files, settings that fit together; and sweeps spelled out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from wellfit.base import LayerSpec, ModelSpec, Recipe
from wellfit.errors import UnknownNameError
from wellfit.spec.complaints import check, known_keys
from wellfit.spec.schema import Changes, QuestionTable
from wellfit.spec.source import KeyPath, Source

__all__ = ["MOMENTUM_OPTIMIZERS", "check_fit", "check_name", "check_questions", "shared", "swept"]

MOMENTUM_OPTIMIZERS: Final = ("sgd", "momentum", "nesterov")
MAX_SWEEP: Final = 1000  # variants of one sweep; more is a slip, and would not fit on a page
_MODELS_WITH: Final = {
    "hidden": ("mlp", "cnn"),
    "layers": ("layers",),
    "activation": ("mlp", "lenet5", "cnn"),
    "initializer": ("logistic", "mlp", "lenet5", "cnn"),
    "batch_norm": ("mlp", "lenet5"),
}
_LAYERS_WITH: Final = {
    "units": ("dense",),
    "filters": ("conv2d",),
    "size": ("conv2d", "max_pool", "average_pool"),
    "stride": ("conv2d", "max_pool", "average_pool"),
    "padding": ("conv2d", "max_pool", "average_pool"),
    "function": ("dense", "conv2d", "activation"),
    "initializer": ("dense", "conv2d"),
    "rate": ("dropout",),
}
"""Which kinds have a use for a key; other keys are everyone's. A default says nothing, and is no mistake."""
_MODEL: Final = {**vars(ModelSpec()), "hidden": list(ModelSpec().hidden)}
_LAYER: Final = vars(LayerSpec(""))
_NAME: Final = re.compile(r"[A-Za-z0-9_+=,-][A-Za-z0-9_+=,.-]{0,63}")


def check_name(name: str, at: KeyPath, source: Source) -> None:
    """Refuse a name that no file could have on every system.

    Args:
      name: of a study or a variant.
      at: its path.
      source: where it was written.
    """
    if not _NAME.fullmatch(name):
        rule = "at most 64 letters, digits and -_+.=, without a leading dot, because files are called after it"
        source.refuse(at, f"a name has {rule}; got {name!r}")


def shared(name: str, at: KeyPath, twin: str, twin_at: KeyPath) -> str:
    """Why two variants cannot be of one name, in words.

    Args:
      name, at: a variant, and the path of the table that makes it.
      twin, twin_at: an earlier one, whose name differs in case at most.

    Example:
      >>> shared("l2=0.1", ("sweeps", "b"), "l2=0.1", ("sweeps", "a"))
      "makes 'l2=0.1', as [sweeps.a] does; drop that value from one of the two"
    """
    if at == twin_at:
        return f"makes {name!r} twice; drop one of the two values"
    if at[0] == "sweeps":
        return f"makes {name!r}, as [{'.'.join(map(str, twin_at))}] does; drop that value from one of the two"
    return f"variants {twin!r} and {name!r} would share a file; rename one"


def check_fit(recipe: Recipe, changes: Mapping[str, Any], at: KeyPath, source: Source) -> None:
    """Refuse settings that are right each for itself and wrong together.

    Args:
      recipe: a complete recipe.
      changes: which of it were written, in the variant or for the base recipe.
      at: the path of the variant; empty for the base recipe.
      source: where it was written.
    """

    def refuse(keys: tuple[str, ...], problem: str) -> NoReturn:
        key = next((key for key in keys if key in changes), keys[0])
        table = at or (() if key == "model" else ("train",))
        source.refuse((*table, key), problem)

    kind, layers = recipe.model.kind, len(recipe.model.hidden)
    if kind in ("mlp", "cnn") and not layers:
        refuse(("model",), f'{kind} needs hidden layers: say hidden = [64, 32], or kind = "logistic"')
    if kind == "layers" and not recipe.model.layers:
        refuse(("model",), 'kind = "layers" needs layers = [{ kind = "flatten" }, ...]')
    for key, value in changes.get("model", {}).items():
        if value and value != _MODEL.get(key) and kind not in _MODELS_WITH.get(key, (kind,)):
            source.refuse((*at, "model", key), f"a model of kind {kind!r} has no {key}; drop it, or change the kind")
    for number, layer in enumerate(recipe.model.layers):
        for key, value in vars(layer).items():
            if value != _LAYER[key] and layer.kind not in _LAYERS_WITH.get(key, (layer.kind,)):
                source.refuse((*at, "model", "layers", number, key), f"a layer of kind {layer.kind!r} has no {key}")
    if recipe.momentum and recipe.optimizer not in MOMENTUM_OPTIMIZERS:
        refuse(("momentum", "optimizer"), f"{recipe.optimizer} has none; only {', '.join(MOMENTUM_OPTIMIZERS)} have")
    if kind in ("logistic", "mlp"):  # of other models the engine counts the layers
        _check_lengths(recipe, layers, refuse)


def _check_lengths(recipe: Recipe, layers: int, refuse: Callable[[tuple[str, ...], str], NoReturn]) -> None:
    """Refuse lists that are longer or shorter than the model."""
    if isinstance(recipe.dropout, tuple) and len(recipe.dropout) != layers:
        refuse(("dropout", "model"), f"{len(recipe.dropout)} rates for {layers} hidden layers; give one for each")
    if not layers and recipe.dropout:
        refuse(("dropout", "model"), "a logistic model has no hidden layer whose units could be dropped")
    for key in ("l1", "l2", "proximal_l1"):
        strength = getattr(recipe, key)
        if isinstance(strength, tuple) and len(strength) not in (layers + 1, layers or 1):
            fitting = f"{layers} (the hidden ones) or {layers + 1}" if layers else "one"
            refuse((key, "model"), f"{len(strength)} strengths for {layers + 1} kernels; give {fitting}")


_QUESTIONS_WITH: Final = {
    "beats": ("variant", "than"),
    "best": ("variants",),
    "onset": ("variants",),
    "stop": ("variant", "variants"),
    "winner": (),
    "matches": ("metric", "value", "variants"),
}
"""Which keys each kind of question has a use for, besides ``ask`` and ``kind``."""
_NEEDED: Final = {"beats": ("variant", "than"), "matches": ("value",)}


def check_questions(
    questions: Sequence[QuestionTable],
    variants: Collection[str],
    published: Mapping[str, Mapping[str, float]],
    source: Source,
) -> None:
    """Refuse questions that lack a key, have one too many, or name variants that the study does not have.

    Args:
      questions: of the study.
      variants: their names.
      published: variant -> metric -> value.
      source: where it was written.
    """
    for number, question in enumerate(questions):
        at: KeyPath = ("questions", number)
        given = question.model_dump(exclude_none=True, exclude={"ask", "kind"})
        for key in (key for key in given if key not in _QUESTIONS_WITH[question.kind]):
            source.refuse((*at, key), f"a question of kind {question.kind!r} has no {key}; drop it")
        for key in _NEEDED.get(question.kind, ()):
            if not given.get(key):
                source.refuse((*at, key), f"a question of kind {question.kind!r} needs it")
        for name in (*filter(None, [question.variant]), *(question.than or ()), *(question.variants or ())):
            if name not in variants:
                raise UnknownNameError("variant", name, variants, source.place(at))
        if question.variant in (question.than or ()):
            source.refuse((*at, "than"), f"compares {question.variant!r} with itself; drop it")
        accuracies = [sum(f"{split}_accuracy" in row for row in published.values()) for split in ("test", "validation")]
        if question.kind == "winner" and max(accuracies) < 2:
            source.refuse((*at, "kind"), "needs [published] accuracies of two variants; give them, or drop it")


def swept(plain: Mapping[str, Any], source: Source) -> Iterator[tuple[str, Mapping[str, Any], KeyPath]]:
    """The variants of [sweeps.NAME] tables, checked: one a value, and with several keys one a combination."""
    for sweep, lists in plain.get("sweeps", {}).items():
        at: KeyPath = ("sweeps", sweep)
        for key, values in lists.items():
            if key not in (known := known_keys(at)):
                raise UnknownNameError("key", key, known, source.table((*at, key)))
            if not values:
                source.refuse((*at, key), "a sweep needs at least one value")
            for value in values:
                check(Changes, {key: value}, source, at)
        combinations = itertools.product(*lists.values())
        for count, values in enumerate(combinations if lists else (), start=1):
            if count > MAX_SWEEP:
                source.refuse(at, f"makes more than {MAX_SWEEP} variants")
            changes = dict(zip(lists, values, strict=True))
            yield ",".join(f"{key}={_word(value)}" for key, value in changes.items()), changes, at


def _word(value: Any) -> str:
    """A value as a part of a variant's name.

    Example:
      >>> _word(1e-5), _word({"kind": "mlp", "hidden": [128, 64]}), _word(False)
      ('1e-05', 'mlp-128-64', 'false')
    """
    if isinstance(value, dict | list):
        return "-".join(_word(item) for item in (value.values() if isinstance(value, dict) else value))
    return str(value).lower() if isinstance(value, bool) else str(value)
