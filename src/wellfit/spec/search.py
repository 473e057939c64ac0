"""[search]: what it may say, and the changes to the base recipe that a configuration of its space makes."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from wellfit.analysis.scores import LOSSES
from wellfit.base import FIRST_SEED, Range, Recipe, SearchSpec
from wellfit.spec.consistency import check_name, check_recipe
from wellfit.spec.reading import plain_of, read_table
from wellfit.spec.source import KeyPath, Source
from wellfit.spec.tables import Changes, StudySpec, settings_of
from wellfit.spec.variants import changed

__all__ = ["changes_of", "checked_search", "configurations", "corners", "is_whole", "rungs"]

_SPACE: Final = ("search", "space")
_COMBINED: Final = 200  # combinations of choices that are checked before anything is trained
_NOT_SEARCHED: Final = {
    "epochs": "cannot be searched, because the rungs follow from it; set [train] epochs",
    "model.keras": "cannot be searched; make one study for each file, or search its keys",
    "model.origin": "cannot be searched; it is a record",
}
_EXAMPLE: Final = "l2 = { low = 1e-6, high = 1e-2, log = true }"


# --- What a configuration means ---------------------------------------------------------------------------------------


def changes_of(values: Mapping[str, Any], base: Recipe) -> dict[str, Any]:
    """The changes to the base recipe that a configuration makes, as a variant of a study file writes them.

    A setting within a table keeps the rest of the base recipe's table. What is returned shares nothing with the values.

    Args:
      values: key of the space -> value.
      base: the base recipe.

    Example:
      >>> changes_of({"l2": 0.1, "model.hidden": [64], "augmentation.shift": 2}, Recipe())["model"]
      {'hidden': [64]}
    """
    changes: dict[str, Any] = {}
    for key, value in values.items():
        head, _, inner = key.partition(".")
        if not inner:
            changes[head] = copy.deepcopy(value)
            continue
        table = changes.setdefault(head, {} if head == "model" else dict(plain_of(getattr(base, head)) or {}))
        table[inner] = copy.deepcopy(value)
    return changes


def rungs(epochs: int, batch: int, halving: int | None, longest: int | None = None) -> tuple[int, ...]:
    """The epochs after which the worse part of a batch ends, and the last epoch.

    Args:
      epochs: of a training that goes on to the end.
      batch: configurations in the batch.
      halving: keep one in so many at each rung; None trains all to the end.
      longest: the last epoch that a rung before the end may have; None for any.

    Example:
      >>> rungs(30, 10, 3), rungs(30, 4, 2), rungs(2, 100, 3), rungs(30, 10, None), rungs(30, 10, 3, longest=8)
      ((3, 10, 30), (8, 15, 30), (1, 2), (30,), (3, 30))
    """
    if halving is None:
        return (epochs,)
    cuts = int(math.log(batch, halving) + 1e-9)
    before = {max(1, round(epochs / halving**cut)) for cut in range(1, cuts + 1)} - {epochs}
    return (*sorted(rung for rung in before if longest is None or rung <= longest), epochs)


def corners(search: SearchSpec) -> Iterator[dict[str, Any]]:
    """Combinations of choices, of which ranges have their bounds, to be checked before a search.

    Of up to 200 combinations, all; of more, enough that every choice of every key is in one, and as many pairs of
    choices as 200 combinations have room for.

    Example:
      >>> list(corners(SearchSpec({"batch_size": Range(8, 64), "optimizer": ("adam",)})))
      [{'batch_size': 8, 'optimizer': 'adam'}, {'batch_size': 64, 'optimizer': 'adam'}]
    """
    options: dict[str, list[Any]] = {}
    for key, of in search.space.items():
        bounds = [of.low, of.high] if isinstance(of, Range) else list(of)
        options[key] = [int(bound) for bound in bounds] if isinstance(of, Range) and is_whole(key) else bounds
    counts = [len(choices) for choices in options.values()]
    every = itertools.product(*map(range, counts)) if math.prod(counts) <= _COMBINED else _covering(counts)
    for places in every:
        yield {key: choices[place] for (key, choices), place in zip(options.items(), places, strict=True)}


def _covering(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Combinations in which every choice is, and then pairs of choices that were in none; the same ones every time."""
    drawn = random.Random(0)
    seen: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    for row in range(max(counts)):
        places = tuple(row % count for count in counts)
        seen.update(itertools.combinations(enumerate(places), 2))
        yield places
    left = _COMBINED - max(counts)
    for (one, m), (other, n) in itertools.combinations(enumerate(counts), 2):
        for pair in itertools.product(((one, place) for place in range(m)), ((other, place) for place in range(n))):
            if left <= 0:
                return
            if pair not in seen:
                places = tuple(dict(pair).get(key, drawn.randrange(count)) for key, count in enumerate(counts))
                seen.update(itertools.combinations(enumerate(places), 2))
                left -= 1
                yield places


def configurations(search: SearchSpec) -> int | None:
    """The number of different configurations of a space; None if it has a range without whole bounds.

    Example:
      >>> configurations(SearchSpec({"optimizer": ("adam", "sgd"), "batch_size": Range(32, 63)}))
      64
    """
    counts = []
    for key, options in search.space.items():
        if isinstance(options, Range):
            if not is_whole(key):
                return None
            counts.append(int(options.high - options.low) + 1)
        else:
            counts.append(len(options))
    return math.prod(counts)


def is_whole(key: str) -> bool:
    """Whether a setting takes whole numbers alone.

    Example:
      >>> is_whole("batch_size"), is_whole("l2"), is_whole("early_stopping.patience")
      (True, False, True)
    """
    kinds = _kinds(key)
    return int in kinds and float not in kinds


def _kinds(key: str) -> set[Any]:
    """The types that a setting may have, without their ranges."""
    declared: Any = Changes
    for part in key.split("."):
        tables = [of for of in _members(declared) if dataclasses.is_dataclass(of) or _is_table(of)]
        declared = settings_of(tables[0])[part]
    return set(_members(declared))


def _members(declared: Any) -> Iterator[Any]:
    if get_origin(declared) is Annotated:
        yield from _members(get_args(declared)[0])
    elif get_origin(declared) in (Union, UnionType):
        for option in get_args(declared):
            yield from _members(option)
    elif declared is not NoneType:
        yield declared


def _is_table(declared: Any) -> bool:
    return isinstance(declared, type) and issubclass(declared, BaseModel)


# --- What [search] may say --------------------------------------------------------------------------------------------


def checked_search(search: SearchSpec, written: Mapping[str, Any], spec: StudySpec, source: Source) -> SearchSpec:
    """A search with the objective of its study, once everything in it fits together.

    Args:
      search: as it was read.
      written: the same as plain data, which tell what was given.
      spec: the study, without its search.
      source: where it was written.

    Raises:
      StudyFileError: a search that could not be made; one line with file, line and key.
    """
    if "objective" not in written and spec.metric in LOSSES:
        search = dataclasses.replace(search, objective="val_loss")
    if not search.space:
        source.refuse(_SPACE, f"is missing, so there is nothing to search; add [search.space] with {_EXAMPLE}")
    if search.trials < search.batch:
        at = next((key for key in ("trials", "batch") if key in written), "trials")
        problem = f"trials = {search.trials} is less than batch = {search.batch}; give more trials or a smaller batch"
        source.refuse(("search", at), problem)
    if search.sampler == "gp" and search.halving is not None:
        problem = (
            'sampler = "gp" learns from complete trainings alone, and halving ends most early; set halving = false'
        )
        source.refuse(("search", "halving" if "halving" in written else "sampler"), problem)
    _check_found(search, spec, source)
    for key, options in search.space.items():
        if (head := key.partition(".")[0]) != key and head in search.space:
            source.refuse((*_SPACE, key), f"{head} is searched as a whole, too; remove one of them")
        _check_key(key, options, spec.base, source)
    count = configurations(search)
    if count is not None and count < search.trials:
        problem = f"{search.trials} configurations are asked for, but the space has only {count}; use trials = {count}"
        source.refuse(("search", "trials"), problem if count > 1 else "the space has one configuration; give choices")
    _check_together(search, spec.base, source)
    return search


def _check_found(search: SearchSpec, spec: StudySpec, source: Source) -> None:
    """Refuse a name that another variant has, and seeds that are not fresh."""
    check_name(search.name, ("search", "name"), source)
    if search.name.lower() in {name.lower() for name in spec.variants}:
        problem = f"the study has a variant {search.name!r} already; choose another name for what is found"
        source.refuse(("search", "name"), problem)
    if late := [seed for seed in spec.seeds if seed >= FIRST_SEED]:
        problem = f"seeds from {FIRST_SEED} on are the search's, but the winner is judged on fresh ones; got {late[0]}"
        source.refuse(("train", "seeds"), problem)


def _check_key(key: str, options: Range | tuple[Any, ...], base: Recipe, source: Source) -> None:
    """Refuse a key that no variant has, and values that the setting cannot take."""
    at: KeyPath = (*_SPACE, key)
    if key in _NOT_SEARCHED:
        source.refuse(at, _NOT_SEARCHED[key])
    if isinstance(options, Range):
        bounds: tuple[Any, ...] = _bounds(options, key, base, source)
    else:
        bounds = options
        if not options:
            source.refuse(at, "needs at least one choice")
        if twice := [value for place, value in enumerate(options) if value in options[:place]]:
            source.refuse(at, f"has {twice[0]!r} twice; remove one")
        for inner in (inner for value in options if isinstance(value, Mapping) for inner in value):
            if (named := f"{key}.{inner}") in _NOT_SEARCHED:
                source.refuse(at, f"{named} {_NOT_SEARCHED[named]}")
    for value in bounds:
        _read(key, value, base, source)


def _read(key: str, value: Any, base: Recipe, source: Source) -> None:
    """Refuse a value that the setting cannot take, and a key that is none."""
    head, _, inner = key.partition(".")
    changes = {head: {inner: value}} if inner else {head: value}
    read_table(Changes, changes, source, _SPACE)
    changed(base, changes_of({key: value}, base))


def _bounds(options: Range, key: str, base: Recipe, source: Source) -> tuple[Any, Any]:
    """The bounds of a range as the setting takes them."""
    at: KeyPath = (*_SPACE, key)
    low, high = options.low, options.high
    _read_name(key, source)
    kinds = _kinds(key)
    if not kinds & {int, float}:
        source.refuse(at, "is not a number; give a list of choices")
    if low > high:
        source.refuse(at, f"low = {low:g} is above high = {high:g}; exchange them")
    if low == high:
        source.refuse(at, f"the range is empty: low and high are both {low:g}; set it in [train] instead")
    if options.log and low <= 0:
        source.refuse(at, f"a logarithmic range needs low above 0, got {low:g}; give a small one, or log = false")
    if float in kinds:
        return low, high
    for name, bound in (("low", low), ("high", high)):
        if not float(bound).is_integer():
            source.refuse(at, f"takes whole numbers, but {name} is {bound:g}")
    return int(low), int(high)


def _read_name(key: str, source: Source) -> None:
    """Refuse a key that no variant has: read as a table, its values do not matter."""
    head, _, inner = key.partition(".")
    known = settings_of(Changes)
    if head not in known:
        read_table(Changes, {head: None}, source, _SPACE)
    tables = [of for of in _members(known[head]) if dataclasses.is_dataclass(of) or _is_table(of)]
    if not inner and tables:
        source.refuse((*_SPACE, key), f'is a table; name a key in it: "{key}.{next(iter(settings_of(tables[0])))}"')
    if inner and not tables:
        source.refuse((*_SPACE, key), f"{head} has no keys of its own; remove .{inner}")
    if inner and inner not in settings_of(tables[0]):
        read_table(tables[0], {inner: None}, source, (*_SPACE, head), partial=True)


def _check_together(search: SearchSpec, base: Recipe, source: Source) -> None:
    """Refuse choices that do not fit together, before anything is trained."""
    for values in corners(search):
        changes = changes_of(values, base)
        check_recipe(changed(base, changes), changes, _SPACE, source)
