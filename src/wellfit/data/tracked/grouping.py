"""Which variant and which seed a tracked run is: runs that agree in all settings but the seed are one variant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from wellfit.data.tracked.runs import Tracked, TrackedRun, number
from wellfit.errors import DataError, nearest
from wellfit.files import SAFE_NAME

__all__ = ["Grouped", "grouped", "named"]

_SEEDS: Final = frozenset({
    "seed", "random_state", "random_seed", "randomseed", "rng_seed", "rngseed", "seed_everything", "torch_seed",
    "global_seed", "manual_seed", "train_seed", "model_seed", "init_seed",
})  # fmt: skip
_ALONE: Final = re.compile(r"(?:seed[-_=. ]?)?(\d{1,9})", re.IGNORECASE)
_SPELT: Final = re.compile(r"(.+?)[-_. ]*seed[-_=. ]?(\d{1,9})", re.IGNORECASE)
_DOTTED: Final = re.compile(r"(.*[^.\d]|.*(?<![\d.])\d*\.\d+|.*(?<![\d.])\d+)\.(0|[1-9]\d{0,8})")  # no 10.0.0.12
_DECIMAL: Final = re.compile(r".*(?<![Ll\d.])\d\.\d+|.*[A-Za-z][Ll]\d\.\d+")  # may be one number: dropout0.1; not l2.0
_MOST_SEED: Final = 2**32


class Grouped(NamedTuple):
    """Runs by what they are.

    Args:
      runs: variant and seed of each.
      settings: variant -> what its runs were trained with, as far as it is the same.
      notes: what was decided.
    """

    runs: list[tuple[str, int]]
    settings: dict[str, dict[str, str]]
    notes: list[str]


def named(parts: Sequence[str]) -> tuple[str, int] | None:
    """Variant and seed in the names of folders and a file.

    Example:
      >>> named(["l2.0"]), named(["l2=0.001", "seed-3"]), named(["l2_seed7"]), named(["runs", "l2", "12"])
      (('l2', 0), ('l2=0.001', 3), ('l2', 7), ('runs-l2', 12))
      >>> named(["version_3"]), named(["l2"]), named(["lr0.01"]), named(["seed0", "lr0.1"])
      (None, None, None, None)
    """
    *above, last = parts
    if (spelt := _SPELT.fullmatch(last)) is not None:
        return safe("-".join([*above, spelt[1]])), int(spelt[2])
    if any("seed" in part.lower() for part in above) and "seed" not in last.lower():
        return None  # a number in the last name is something else
    if (alone := _ALONE.fullmatch(last)) and above:
        return safe("-".join(above)), int(alone[1])
    found = _DOTTED.fullmatch(last)
    return None if found is None else (safe("-".join([*above, found[1]])), int(found[2]))


def safe(text: str) -> str:
    """A text as the name of a variant, as near as that can be."""
    return re.sub(r"[^A-Za-z0-9_+=,.-]+", "-", text).strip("-.") or "variant"


def grouped(runs: Sequence[TrackedRun], tracked: Tracked, *, unpaired: bool = False) -> Grouped:
    """Variant and seed of each run.

    Args:
      runs: at least one.
      tracked: what the user said.
      unpaired: whether seeds of different variants have nothing in common; runs then need no seed.

    Raises:
      DataError: no setting is the seed, or several could be; runs that differ in all settings; an unknown setting.
    """
    if not tracked.seed and not tracked.by and all(run.named for run in runs) and _by_names(runs):
        found = [run.named for run in runs if run.named]
        notes = [
            f"Variant and seed: from the names of files or folders ({found[0][0]}, seed {found[0][1]} is the first)."
        ]
        return Grouped(found, _settings(runs, found, None), notes)
    name = _seed_name(runs, tracked, unpaired)
    seeds = list(range(len(runs))) if name is None else [_seed(run, name) for run in runs]
    by = tracked.by or _differing(runs, name)
    for one in tracked.by:
        if not any(one in run.params or one in run.labels for run in runs):
            raise DataError(f"{runs[0].where}: no run has the setting {one!r}{_meant(one, runs)}")
    keys = [tuple((one, _value(run, one)) for one in by) for run in runs]
    if not tracked.by and len(runs) > 1 and len(set(keys)) == len(runs):
        what = f"the seed ({name})" if name else "none"
        raise DataError(
            f"{runs[0].where}: no two runs agree in all settings but {what}; name those that make a variant with --by "
            f"(they differ in {', '.join(by[:8])}{', ...' if len(by) > 8 else ''})"
        )
    names = _names(list(dict.fromkeys(keys)))
    found = [(names[key], seed) for key, seed in zip(keys, seeds, strict=True)]
    notes = [
        f"Seed: {name}." if name else "Seed: none is known; runs are numbered in their order.",
        f"Variant: {', '.join(by[:8])}{', ...' if len(by) > 8 else ''}." if by else "Variant: all runs are one.",
    ]
    return Grouped(found, _settings(runs, found, name), notes)


# --- The seed ---------------------------------------------------------------------------------------------------------


def _seed_name(runs: Sequence[TrackedRun], tracked: Tracked, unpaired: bool) -> str | None:
    if (chosen := tracked.seed) is not None:
        if not any(chosen in run.params or chosen in run.labels for run in runs):
            raise DataError(f"{runs[0].where}: no run has the setting {chosen!r}{_meant(chosen, runs)}")
        return chosen
    names = list(dict.fromkeys(name for run in runs for name in run.params if _is_seed(name)))
    changing = [name for name in names if len({run.params.get(name) for run in runs}) > 1]
    candidates = changing or names
    distinct = {tuple(run.params.get(name) for run in runs): name for name in reversed(candidates)}
    if len(distinct) > 1:
        raise DataError(f"{runs[0].where}: {', '.join(map(repr, candidates))} could each be the seed; choose with "
                        "--seed-param NAME")  # fmt: skip
    if distinct:
        return next(iter(distinct.values()))
    if unpaired:
        return None
    known = list(dict.fromkeys(name for run in runs for name in run.params))
    have = f" (settings: {', '.join(known[:8])}{', ...' if len(known) > 8 else ''})" if known else ""
    raise DataError(
        f"{runs[0].where}: no setting is called seed or random_state; name it with --seed-param NAME, or give "
        f"--unpaired if no run shares its seed with one of another variant{have}"
    )


def _by_names(runs: Sequence[TrackedRun]) -> bool:
    """Whether names say variant and seed; not where settings say other seeds, or they may be decimals (dropout0.1)."""
    of_names = [float(run.named[1]) for run in runs if run.named]
    settings = dict.fromkeys(name for run in runs for name in run.params if _is_seed(name))
    said = [[number(run.params.get(name)) for run in runs] for name in settings]
    changing = [seeds for seeds in said if len(set(seeds)) > 1]  # one that stays the same says nothing
    if changing:
        return of_names in changing
    seeds: dict[tuple[str, bool], set[int]] = {}
    for run in runs:
        if run.named:
            seeds.setdefault((run.named[0], _is_decimal(run)), set()).add(run.named[1])
    unclear = [of for (_, decimal), of in seeds.items() if decimal]
    stems = {_stem(run).rpartition(".")[0] for run in runs if _is_decimal(run)}
    from_zero = len(stems) > 1 and 0 in unclear[0] and len(unclear[0]) > 1
    beside = [of for (_, decimal), of in seeds.items() if not decimal and len(of) > 1] + unclear[:1] * from_zero
    if not unclear or any(all(of == other for other in unclear) for of in beside):
        return True
    if said:
        return False
    first = next(run for run in runs if _is_decimal(run))
    raise DataError(f"{first.where}: its name may end in a seed or in a decimal number; name all runs as in l2_seed0, "
                    "or log the seed")  # fmt: skip


def _is_decimal(run: TrackedRun) -> bool:
    """Whether what a name says to be the seed may be decimals."""
    return _DECIMAL.fullmatch(_stem(run)) is not None


def _stem(run: TrackedRun) -> str:
    name = Path(run.where).name
    for ending in (".gz", ".csv", ".tsv", ".txt", ".log", ".json"):
        name = name.removesuffix(ending)
    return name


def _is_seed(name: str) -> bool:
    return re.split(r"[/.:]", name.strip().lower().replace("-", "_").replace(" ", "_"))[-1] in _SEEDS


def _seed(run: TrackedRun, name: str) -> int:
    text = _value(run, name)
    if not text:
        raise DataError(f"{run.where}: has no {name}, which is the seed of other runs; log it, or leave the run out")
    value = number(text)
    if value is None or not 0 <= value < _MOST_SEED or value != int(value):
        raise DataError(f"{run.where}: {name} {text!r} is not a whole number from 0 to {_MOST_SEED - 1}; name another "
                        "setting with --seed-param")  # fmt: skip
    return int(value)


# --- The variant ------------------------------------------------------------------------------------------------------


def _value(run: TrackedRun, name: str) -> str:
    return run.params.get(name, run.labels.get(name, ""))


def _meant(name: str, runs: Sequence[TrackedRun]) -> str:
    known = list(dict.fromkeys(one for run in runs for one in (*run.params, *run.labels)))
    close = nearest(name, known)
    hint = f"; did you mean {close!r}?" if close else ""
    return f"{hint} (settings: {', '.join(known[:8]) or 'none'}{', ...' if len(known) > 8 else ''})"


def _differing(runs: Sequence[TrackedRun], seed: str | None) -> tuple[str, ...]:
    """The settings in which runs differ, other than copies of the seed; the name alone, if it says as much."""
    names = [name for name in dict.fromkeys(name for run in runs for name in run.params) if name != seed]
    of_seed = None if seed is None else [run.params.get(seed) for run in runs]
    found = []
    for name in names:
        values = [run.params.get(name) for run in runs]
        if len(set(values)) > 1 and not (_is_seed(name) and values == of_seed):
            found.append(name)
    says_all = [name for name in found if name.lower() == "variant"]
    if says_all:
        combinations = {tuple(run.params.get(name, "") for name in found) for run in runs}
        if len(combinations) == len({run.params.get(says_all[0]) for run in runs}):
            return (says_all[0],)
    return tuple(found)


def _names(keys: Sequence[tuple[tuple[str, str], ...]]) -> dict[tuple[tuple[str, str], ...], str]:
    """A name for each combination of settings, all different."""
    found = {}
    for key in keys:
        given = [(name, value) for name, value in key if value]
        alone = len(key) == 1 and bool(given) and number(given[0][1]) is None
        text = given[0][1] if alone else ",".join(f"{re.split('[/.]', name)[-1]}={value}" for name, value in given)
        found[key] = safe(text or ("runs" if not key else "default"))
    fits = all(SAFE_NAME.fullmatch(name) for name in found.values())
    if not fits or len({name.lower() for name in found.values()}) < len(found):
        return {key: f"v{at}" for at, key in enumerate(keys, 1)}
    return found


def _settings(
    runs: Sequence[TrackedRun], found: Sequence[tuple[str, int]], seed: str | None
) -> dict[str, dict[str, str]]:
    """What all runs of a variant were trained with."""
    settings: dict[str, dict[str, str]] = {}
    for run, (variant, _) in zip(runs, found, strict=True):
        mine = {name: value for name, value in run.params.items() if name != seed}
        before = settings.get(variant, mine)
        settings[variant] = {name: value for name, value in before.items() if mine.get(name) == value}
    return settings
