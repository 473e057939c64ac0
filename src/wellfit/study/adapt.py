"""A built-in study fitted to the data at hand: small data, tables, small images.

The built-in studies were written for Fashion-MNIST, MNIST and the digits. On other data, what does not fit is changed
or left out, and each change is one of the data's facts. What the user set is kept, and so is a user's own study, except
that ``scale = "auto"`` is replaced by what it means for the data.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from wellfit.base import Augmentation, Dataset, ModelSpec
from wellfit.data.catalog import load_dataset
from wellfit.errors import DataNotFoundError, ShapeError, StudyFileError, UnknownNameError
from wellfit.nn.augmentation import FOR_ROWS
from wellfit.nn.models import build
from wellfit.spec.overlay import split_part
from wellfit.spec.source import KeyPath, builtin_studies, read_setting
from wellfit.spec.study import StudySpec, place_of, recipes
from wellfit.spec.tables import DataSpec
from wellfit.study.session import Session

__all__ = ["FIT_ANY_DATA", "adapted", "loaded"]

FIT_ANY_DATA: Final = ("regularization", "lab5", "width-and-depth")
"""The built-in studies that refusals suggest."""

FEWEST_STEPS: Final = 4  # with fewer steps per epoch, the batch size shrinks ...
STEPS: Final = 8  # ... until there are this many,
SMALLEST_BATCH: Final = 4  # but not below this size
SHARED: Final = 500  # examples that --quick keeps at least; with fewer, no comparison is decided, and no time is saved
SHARED_OF_A_CLASS: Final = 5  # examples of each class that it keeps, so that one of five goes to validation
SIZES: Final = 3  # if fewer numbers of a sweep over the examples fit, the sweep gets new ones
IMAGE_ONLY: Final = tuple(field.name for field in dataclasses.fields(Augmentation) if field.name not in FOR_ROWS)

Note = tuple[str, str]


@dataclass(frozen=True, eq=False)
class _Case:
    """A built-in study's name, its data, and the paths of what the user set."""

    study: str
    data: Dataset
    given: Collection[KeyPath]

    def set_by_user(self, *path: str) -> bool:
        return any(given[: len(path)] == path for given in self.given)

    def free(self, spec: StudySpec, key: str) -> dict[str, Any]:
        """The values that the study's own variants give a key: variant -> value."""
        if self.set_by_user("sweeps"):
            return {}
        return {
            name: changes[key]
            for name, changes in spec.variants.items()
            if key in changes and not self.set_by_user("variants", name)
        }

    def refuse(self, why: str) -> StudyFileError:
        fix = f"choose another study, for example {' or '.join(FIT_ANY_DATA)}"
        return StudyFileError(f"{self.study}: {why}; {fix}")


def adapted(
    spec: StudySpec, dataset: Dataset, study: str | Path | None, settings: Sequence[str] = ()
) -> tuple[StudySpec, Dataset]:
    """Fit a study to its data.

    ``scale = "auto"`` becomes ``"unit"`` for images and ``"standardize"`` for tables, in every study. The rest is for
    built-in studies alone:

    - ``--quick`` keeps at least 500 examples and 5 of each class, or all;
    - a share for validation that leaves less than one example of each class becomes the usual one;
    - a sigmoid output becomes softmax unless there are two classes;
    - variants whose augmentation or model needs images, or larger images, are left out;
    - a number of training examples, and sweeps over it, are limited to what there is;
    - batch sizes that leave fewer than 4 steps per epoch shrink until there are 8, but not below 4 examples;
    - a batch size that leaves batch normalization a single example becomes the nearest that does not.

    Args:
      spec: the study.
      dataset: its data.
      study: where it comes from, as ``load_study`` takes it.
      settings: ``"KEY=VALUE"``, as ``load_study`` took them; what they set is kept.

    Returns:
      The study, and the data with a fact for each change.

    Raises:
      StudyFileError: the study's question cannot be asked of these data; a batch of a user's own study is larger than
        what there is to train on.
      DataError: the data cannot be split.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> from wellfit.spec.study import load_study
      >>> study = load_study("augmentation", data="cosines")
      >>> study, data = adapted(study, load_dataset("cosines"), "augmentation")
      >>> list(study.variants), data.facts[-1][0]
      (['baseline', 'noise', 'mixup'], 'variants left out')
    """
    if spec.data.scale == "auto":
        spec = replace(spec, data=replace(spec.data, scale="unit" if len(dataset.input_shape) > 1 else "standardize"))
    name = "regularization" if study is None else study
    if split_part(name)[0] not in builtin_studies():  # a Path never is
        _check_batches(spec, dataset, name, settings)
        return spec, dataset
    case = _Case(str(name), dataset, {read_setting(text)[0] for text in settings})
    notes: list[Note | None] = []
    for fit in (_share, _validation, _output, _models, _augmentations):
        spec, note = fit(spec, case)
        notes.append(note)
    examples = len(Session(spec, dataset, Path()).splits.train)
    for fit_to in (_all, _sizes, _batches, _single):
        spec, note = fit_to(spec, case, examples)
        notes.append(note)
    return spec, replace(dataset, facts=(*dataset.facts, *filter(None, notes)))


def _check_batches(spec: StudySpec, dataset: Dataset, study: str | Path, settings: Sequence[str]) -> None:
    """Refuse batches larger than what there is to train on, with the place in the user's file."""
    sizes = {name: (recipe.batch_size, recipe.examples) for name, recipe in recipes(spec).items()}
    fewest = len(dataset.y_train) * (1 - spec.data.validation)
    if spec.data.train_share < 1 or all(size < min(fewest, asked or math.inf) for size, asked in sizes.values()):
        return  # a session names --quick; a split need not be made
    split = len(Session(spec, dataset, Path()).splits.train)
    for name, (size, asked) in sizes.items():
        examples = min(split, asked or split)
        own = "batch_size" in spec.variants[name]
        key = ("variants", name, "batch_size") if own else ("train", "batch_size")
        if size > examples:
            place = place_of(study, [key], settings) or f"variant {name!r}: batch_size = "
            fix = f"choose at most {examples}, for example --set {'.'.join(key)}={max(1, examples // STEPS)}"
            what = "training split" if examples == split else "part of the training split that is used"
            raise StudyFileError(f"{place}{size} is larger than the {what} ({examples} examples); {fix}")


def loaded(spec: StudySpec, study: str | Path | None, settings: Sequence[str] = ()) -> Dataset:
    """The data of a study; an error about a name or path that does not exist says where it was written.

    Args:
      spec: the study.
      study: where it comes from, as ``load_study`` takes it; None if the data were given apart from it.
      settings: ``"KEY=VALUE"``, as ``load_study`` took them.

    Raises:
      StudyFileError: no data set has this name.
      DataNotFoundError, DataError: as for ``load_dataset``.

    Example:
      >>> from wellfit.spec.study import load_study
      >>> loaded(load_study("regularization"), "regularization").name
      'digits'
    """
    try:
        return load_dataset(spec.data.name_or_path, spec.data)
    except (UnknownNameError, DataNotFoundError) as error:
        place = place_of(study, [("data", "name"), ("data", "path")], settings)
        kind = StudyFileError if isinstance(error, StudyFileError) else DataNotFoundError
        raise kind(f"{place}{error}") from None


def _share(spec: StudySpec, case: _Case) -> tuple[StudySpec, Note | None]:
    """Enough examples, although ``--quick`` uses a share of them."""
    share, total = spec.data.train_share, len(case.data.y_train)
    if share == 1 or case.set_by_user("data", "train_share"):
        return spec, None
    rarest = int(np.unique(case.data.y_train, return_counts=True)[1].min())
    for_all, for_rarest = SHARED / total, SHARED_OF_A_CLASS / rarest
    needed = min(1.0, math.ceil(100 * max(for_all, for_rarest)) / 100)
    if needed <= share:
        return spec, None
    few = f"a class has only {rarest:,}" if for_rarest > for_all else f"there are only {total:,}"
    spec = replace(spec, data=replace(spec.data, train_share=needed))
    return spec, (
        "share of the data",
        f"{100 * needed:g} % instead of {100 * share:g} %, because {few} training examples",
    )


def _validation(spec: StudySpec, case: _Case) -> tuple[StudySpec, Note | None]:
    """The usual share for validation, where that of the study leaves less than one example of each class."""
    share, total, classes = spec.data.validation, len(case.data.y_train), len(case.data.classes)
    usual = DataSpec("").validation
    if share * total >= classes or share >= usual or case.set_by_user("data", "validation"):
        return spec, None
    spec = replace(spec, data=replace(spec.data, validation=usual))
    return spec, ("validation", f"{100 * usual:g} % instead of {100 * share:.2g} % of {total:,} training examples")


def _output(spec: StudySpec, case: _Case) -> tuple[StudySpec, Note | None]:
    """Softmax instead of one sigmoid unit, unless there are two classes."""
    classes = len(case.data.classes)
    if spec.base.model.output == "softmax" or classes == 2 or case.set_by_user("model", "output"):
        return spec, None
    base = replace(spec.base, model=replace(spec.base.model, output="softmax"))
    return replace(spec, base=base), ("output", f"softmax instead of sigmoid, because there are {classes} classes")


# --- Variants ---------------------------------------------------------------------------------------------------------


def _models(spec: StudySpec, case: _Case) -> tuple[StudySpec, Note | None]:
    """Leave out variants whose models do not fit; refuse a study whose base model does not."""
    if case.set_by_user("model"):
        return spec, None
    shape = case.data.input_shape
    needs = f"images, but {case.data.title} has rows of {shape[0]} features"
    if len(shape) > 1:
        needs = f"larger images than the {shape[0]} x {shape[1]} pixels of {case.data.title}"
    if misfit := _misfit(spec.base.model, case.data):
        listed = spec.base.model.kind == "layers"  # whose output may have another number of classes
        why = f"its layers do not fit {case.data.title}: {misfit}" if listed else f"needs {needs}"
        raise case.refuse(why if listed else f"its {spec.base.model.kind} model {why}")
    own = case.free(spec, "model")
    gone = [name for name, recipe in recipes(spec).items() if name in own and _misfit(recipe.model, case.data)]
    return _without(spec, gone, f"their models need {needs}", case)


def _misfit(model: ModelSpec, data: Dataset) -> str:
    """Why a model does not fit the data; empty if it does."""
    try:
        build(model, data.input_shape, len(data.classes))
    except ShapeError as error:
        return str(error)
    return ""


def _augmentations(spec: StudySpec, case: _Case) -> tuple[StudySpec, Note | None]:
    """Leave out variants whose augmentation needs images, if the data are rows."""
    if len(case.data.input_shape) > 1:
        return spec, None
    own = case.free(spec, "augmentation")
    gone = [name for name, augmentation in own.items() if any(augmentation.get(key) for key in IMAGE_ONLY)]
    return _without(spec, gone, "their augmentation needs images", case)


def _without(spec: StudySpec, gone: Sequence[str], why: str, case: _Case) -> tuple[StudySpec, Note | None]:
    """The study without some variants; refused if it then has nothing to compare."""
    if not gone:
        return spec, None
    left = {name: changes for name, changes in spec.variants.items() if name not in gone}
    if len(left) < 2:
        raise case.refuse(f"nothing is left to compare without {', '.join(gone)} ({why})")
    return _with(spec, left), ("variants left out", f"{', '.join(gone)}: {why}")


def _with(spec: StudySpec, variants: Mapping[str, Mapping[str, Any]]) -> StudySpec:
    """The study with other variants; questions and published numbers of variants that are gone go too."""
    gone = spec.variants.keys() - variants.keys()
    questions = tuple(q for q in spec.questions if not {q.variant, *q.than, *q.variants} & gone)
    published = {name: row for name, row in spec.published.items() if name not in gone}
    return replace(spec, variants=variants, questions=questions, published=published)


def _replaced(spec: StudySpec, key: str, names: Collection[str], new: Mapping[int, int | None]) -> StudySpec:
    """The study with new values of a key in the named variants and in their names; None leaves a variant out."""
    variants: dict[str, Mapping[str, Any]] = {}
    for name, changes in spec.variants.items():
        if name not in names:
            variants[name] = changes
        elif (value := new[changes[key]]) is not None:
            parts = (f"{key}={value}" if part == f"{key}={changes[key]}" else part for part in name.split(","))
            variants[",".join(parts)] = {**changes, key: value}
    return _with(spec, variants)


# --- Numbers of examples, batch sizes ---------------------------------------------------------------------------------


def _all(spec: StudySpec, case: _Case, examples: int) -> tuple[StudySpec, Note | None]:
    """All training examples, if there are fewer than the study asks for."""
    asked = spec.base.examples
    if asked is None or asked <= examples or case.set_by_user("train", "examples"):
        return spec, None
    why = f"all {examples:,} instead of {asked:,}, because there are no more in the training split"
    return replace(spec, base=replace(spec.base, examples=None)), ("numbers of training examples", why)


def _sizes(spec: StudySpec, case: _Case, examples: int) -> tuple[StudySpec, Note | None]:
    """Limit sweeps over the number of training examples to what there is.

    The largest number becomes that of all examples. If hardly any of the others fit, they become a half, a quarter and
    so on, as long as that is several examples of each class.
    """
    own = case.free(spec, "examples")
    asked = sorted(set(own.values()), reverse=True)
    if not asked or asked[0] <= examples:
        return spec, None
    new: dict[int, int | None] = {}
    rest = asked
    if all(recipe.examples for recipe in recipes(spec).values()):  # no variant has all examples yet
        new[asked[0]], rest = examples, asked[1:]
    fit = [size for size in rest if size <= 0.8 * examples]
    for place, size in enumerate(rest, start=1):
        part = examples // 2**place
        if len(fit) >= min(SIZES, len(rest) - 1):
            new[size] = size if size in fit else None
        else:
            new[size] = part if part >= 4 * len(case.data.classes) else None
    if not any(new[size] for size in rest):
        raise case.refuse(f"{examples} training examples are too few to train on parts of them")
    sizes = _listed([size for size in new.values() if size])
    why = f"{sizes} instead of {_listed(asked)}, because the training split has {examples:,}"
    return _replaced(spec, "examples", own, new), ("numbers of training examples", why)


def _batches(spec: StudySpec, case: _Case, examples: int) -> tuple[StudySpec, Note | None]:
    """Shrink batch sizes that leave too few steps per epoch, all by the same factor."""
    examples, split = min(examples, spec.base.examples or examples), examples
    own = case.free(spec, "batch_size")
    base = [] if case.set_by_user("train", "batch_size") else [spec.base.batch_size]
    asked = sorted({*own.values(), *base}, reverse=True)
    if not asked or FEWEST_STEPS * asked[0] <= examples:
        return spec, None
    largest = min(max(SMALLEST_BATCH, 2 ** int(math.log2(max(1, examples / STEPS)))), examples, asked[0])
    new = {size: max(1, size * largest // asked[0]) for size in asked}
    if base:
        spec = replace(spec, base=replace(spec.base, batch_size=new[base[0]]))
    used = sorted({*own.values()} or {*base}, reverse=True)
    sizes = _listed(list(dict.fromkeys(new[size] for size in used)))
    what = "the training split has" if examples == split else "a run trains on"
    why = f"{sizes} instead of {_listed(used)}, because {what} only {examples:,} examples"
    return _replaced(spec, "batch_size", own, new), ("batch size", why)


def _single(spec: StudySpec, case: _Case, examples: int) -> tuple[StudySpec, Note | None]:
    """Another batch size where batch normalization would get a batch of one example."""
    size, own = spec.base.batch_size, case.free(spec, "batch_size")
    counts = {
        recipe.examples or examples
        for name, recipe in recipes(spec).items()
        if (recipe.model.batch_norm or recipe.model.kind == "cnn") and name not in own
    }

    def leaves_one(batch: int) -> bool:
        return any(batch == 1 or count % batch == 1 for count in counts)

    if not leaves_one(size) or case.set_by_user("train", "batch_size"):
        return spec, None
    others = (n for n in (*range(size - 1, 1, -1), *range(size + 1, examples + 1)) if not leaves_one(n))
    near = next(others, None)
    if near is None:  # a variant trains on one example
        return spec, None
    why = f"{near} instead of {size}, because batch normalization needs more than one example in the last batch"
    return replace(spec, base=replace(spec.base, batch_size=near)), ("batch size", why)


def _listed(sizes: Sequence[int]) -> str:
    return ", ".join(f"{size:,}" for size in sizes)
