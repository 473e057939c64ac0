"""What must fit together beyond single values: names and files, models and their settings, questions and variants."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NoReturn, get_args

from wellfit.base import LayerSpec, Metric, ModelSpec, Question, Recipe
from wellfit.errors import UnknownNameError
from wellfit.files import NAME_RULE, SAFE_NAME
from wellfit.spec.reading import plain_of
from wellfit.spec.source import KeyPath, Source

__all__ = ["check_name", "check_published", "check_questions", "check_recipe", "same_name"]

_WITH_MOMENTUM: Final = ("sgd", "momentum", "nesterov")
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
    "bias": ("dense", "conv2d"),
    "spread": ("dense", "conv2d"),
}
_QUESTIONS_WITH: Final = {
    "variant": ("beats", "stop", "impact", "patterns"),
    "than": ("beats", "impact"),
    "variants": ("best", "onset", "stop", "matches", "generalizes", "signs", "capacity", "winner"),
    "metric": ("matches",),
    "value": ("matches",),
}
"""Which kinds use a key; keys not listed apply to all kinds. Writing the default of an unused key is no mistake."""
_NEEDED: Final = {
    "beats": ("variant", "than"),
    "matches": ("value",),
    "impact": ("variant",),
    "capacity": ("variants",),
}
_AMONG_SEVERAL: Final = ("best", "generalizes", "capacity", "winner")


def check_name(name: str, at: KeyPath, source: Source) -> None:
    """Refuse a name that cannot be a file name on every system.

    Args:
      name: of a study or a variant.
      at: its path.
      source: where it was written.

    Raises:
      StudyFileError: the name is empty, too long, or has other characters.
    """
    if not SAFE_NAME.fullmatch(name):
        source.refuse(at, f"a name has {NAME_RULE}; got {name!r}")


def same_name(name: str, at: KeyPath, twin: str, twin_at: KeyPath) -> str:
    """Why two variants cannot share a name, in words.

    Args:
      name: of a variant.
      at: the path of the table that makes it.
      twin: the name of an earlier variant, the same except perhaps for case.
      twin_at: the path of its table.

    Example:
      >>> same_name("l2=0.1", ("sweeps", "b"), "l2=0.1", ("sweeps", "a"))
      "makes 'l2=0.1', as does [sweeps.a]; remove that value from one of the two"
    """
    if at == twin_at:
        return f"makes {name!r} twice; remove one of the two values"
    if at[0] == "sweeps":
        return f"makes {name!r}, as does [{'.'.join(map(str, twin_at))}]; remove that value from one of the two"
    return f"variants {twin!r} and {name!r} would share a file; rename one"


# --- Recipes ----------------------------------------------------------------------------------------------------------


def check_recipe(recipe: Recipe, changes: Mapping[str, Any], at: KeyPath, source: Source) -> None:
    """Refuse settings that are valid on their own but do not fit together.

    Args:
      recipe: a complete recipe.
      changes: what was written of it, in the variant or for the base recipe.
      at: the path of the variant; empty for the base recipe.
      source: where it was written.

    Raises:
      StudyFileError: a model without the layers that its kind needs, a setting that its kind does not use, momentum
        for an optimizer that has none, or a list that does not match the number of layers.
    """
    kind, layers = recipe.model.kind, len(recipe.model.hidden)
    if kind in ("mlp", "cnn") and not layers:
        source.refuse((*at, "model"), f'{kind} needs hidden layers: give hidden = [64, 32], or kind = "logistic"')
    if kind == "layers" and not recipe.model.layers:
        source.refuse((*at, "model"), 'kind = "layers" needs layers = [{ kind = "flatten" }, ...]')
    given = {key: value for key, value in changes.get("model", {}).items() if value}
    if unused := _unused(kind, given, ModelSpec(), _MODELS_WITH):
        source.refuse((*at, "model", unused), f"a model of kind {kind!r} has no {unused}; remove it or change the kind")
    for number, layer in enumerate(recipe.model.layers):
        if unused := _unused(layer.kind, vars(layer), LayerSpec(layer.kind), _LAYERS_WITH):
            place = (*at, "model", "layers", number, unused)
            source.refuse(place, f"a layer of kind {layer.kind!r} has no {unused}")
    if problem := _misfit(recipe):
        keys, words = problem
        key = next((key for key in keys if key in changes), keys[0])
        source.refuse((*(at or (() if key == "model" else ("train",))), key), words)


def _unused(kind: str, given: Mapping[str, Any], usual: Any, users: Mapping[str, Collection[str]]) -> str | None:
    """The first key that differs from its default although the kind does not use it."""
    others = (key for key in given if kind not in users.get(key, (kind,)))
    return next((key for key in others if plain_of(given[key]) != plain_of(getattr(usual, key))), None)


def _misfit(recipe: Recipe) -> tuple[tuple[str, ...], str] | None:
    """Keys that do not fit together, and why; the first that was written is to blame."""
    if recipe.momentum and recipe.optimizer not in _WITH_MOMENTUM:
        return ("momentum", "optimizer"), f"{recipe.optimizer} has none; only {', '.join(_WITH_MOMENTUM)} do"
    if recipe.model.kind not in ("logistic", "mlp"):
        return None  # the engine counts the layers of other models
    layers = len(recipe.model.hidden)
    if isinstance(recipe.dropout, tuple) and len(recipe.dropout) != layers:
        return ("dropout", "model"), f"{len(recipe.dropout)} rates for {layers} hidden layers; give one for each"
    if not layers and recipe.dropout:
        return ("dropout", "model"), "a logistic model has no hidden units to drop"
    for key in ("l1", "l2", "proximal_l1"):
        strength = getattr(recipe, key)
        if isinstance(strength, tuple) and len(strength) not in (layers + 1, layers or 1):
            fitting = f"{layers} (the hidden ones) or {layers + 1}" if layers else "one"
            return (key, "model"), f"{len(strength)} strengths for {layers + 1} kernels; give {fitting}"
    return None


# --- What refers to variants ------------------------------------------------------------------------------------------


def check_published(published: Mapping[str, Mapping[str, float]], variants: Collection[str], source: Source) -> None:
    """Refuse published numbers of unknown variants or metrics, and numbers that the metric cannot have.

    Args:
      published: variant -> metric -> value.
      variants: the names of the study's variants.
      source: where it was written.

    Raises:
      UnknownNameError: no such variant or metric.
      StudyFileError: an accuracy outside [0, 1], or a negative loss.
    """
    for name, metrics in published.items():
        if name not in variants:
            raise UnknownNameError("variant", name, variants, source.table(("published", name)))
        for metric in metrics.keys() - get_args(Metric):
            raise UnknownNameError("metric", metric, get_args(Metric), source.table(("published", name, metric)))
        for metric, value in metrics.items():
            at = ("published", name, metric)
            if metric.endswith("_accuracy") and not 0 <= value <= 1:
                fix = f"; write {value / 100:g} for {value:g} %" if 1 < value <= 100 else ""
                source.refuse(at, f"an accuracy is a fraction from 0 to 1, got {value:g}{fix}")
            if value < 0:
                source.refuse(at, f"a loss is 0 or more, got {value:g}")


def check_questions(
    questions: Sequence[Question],
    variants: Collection[str],
    published: Mapping[str, Mapping[str, float]],
    source: Source,
) -> None:
    """Refuse questions that lack a key, have one too many, or name variants that the study does not have.

    Args:
      questions: of the study.
      variants: the names of the study's variants.
      published: variant -> metric -> value.
      source: where it was written.

    Raises:
      UnknownNameError: no such variant.
      StudyFileError: anything else that keeps a question from being answered.
    """
    for number, question in enumerate(questions):
        _check_question(question, ("questions", number), variants, source)
        rows = [row for name, row in published.items() if not question.variants or name in question.variants]
        accuracies = [sum(f"{split}_accuracy" in row for row in rows) for split in ("test", "validation")]
        if question.kind == "winner" and max(accuracies) < 2:
            problem = "needs the [published] accuracies of two variants; give them, or remove the question"
            source.refuse(("questions", number, "kind"), problem)


def _check_question(question: Question, at: KeyPath, variants: Collection[str], source: Source) -> None:
    def refuse(key: str, problem: str) -> NoReturn:
        source.refuse((*at, key), problem)

    given = dataclasses.asdict(question)
    if unused := _unused(question.kind, given, Question(question.ask, question.kind), _QUESTIONS_WITH):
        refuse(unused, f"a question of kind {question.kind!r} has no {unused}; remove it")
    for key in _NEEDED.get(question.kind, ()):
        if not given[key]:
            refuse(key, f"is missing; a question of kind {question.kind!r} needs it")
    if question.kind in _AMONG_SEVERAL and len(set(question.variants)) == 1:
        refuse("variants", f"a question of kind {question.kind!r} compares at least two variants; name two or more")
    for name in filter(None, (question.variant, *question.than, *question.variants)):
        if name not in variants:
            raise UnknownNameError("variant", name, variants, source.place(at))
    if question.variant in question.than:
        refuse("than", f"compares {question.variant!r} with itself; remove it")
