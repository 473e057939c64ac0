"""Built-in studies on all kinds of data: each fits, or is refused in one line that names studies that fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine

from wellfit.base import Dataset
from wellfit.data.assemble import make_dataset
from wellfit.data.catalog import load_dataset
from wellfit.errors import DataNotFoundError, StudyFileError
from wellfit.spec.listing import list_parts, list_studies
from wellfit.spec.study import StudySpec, load_study, recipes
from wellfit.study.adapt import FIT_ANY_DATA, adapted, loaded
from wellfit.study.session import Session

STUDIES = [name for study in list_studies() for name in (study.name, *(p.name for p in list_parts(study.name)))]
WITH_LENET5 = {"augmentation/lenet5", "lab-lenet5", "lab-lenet5/against-mlp", "lab-lenet5/same-epochs"}
WITH_LENET5 |= {"lab-lenet5/as-published"}
IMAGES_ALONE = {"augmentation/shift", "lab-512/augmentation"}
OF_SIZES = {"sample-size", "sample-size/dropout", "sample-size/digits"}


def _csv(folder: Path, name: str, x: np.ndarray, y: np.ndarray) -> Dataset:
    header = ",".join(f"feature {n}" for n in range(x.shape[1])) + ",label"
    np.savetxt(folder / name, np.column_stack([x, y]), delimiter=",", header=header, comments="", fmt="%.10g")
    return load_dataset(folder / name)


def _bunch(load: Callable[..., tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return load(return_X_y=True)


def _images(count: int, classes: int, *shape: int) -> Dataset:
    rng = np.random.default_rng(count)
    return make_dataset(rng.integers(0, 256, (count, *shape)).astype(np.uint8), np.arange(count) % classes)


def _two_classes(folder: Path) -> Dataset:
    rng = np.random.default_rng(0)
    return _csv(folder, "two.csv", rng.normal(5, 20, (40, 6)), np.arange(40) % 2)


DATA: dict[str, Callable[[Path], Dataset]] = {
    "wine": lambda folder: _csv(folder, "wine.csv", *_bunch(load_wine)),
    "iris": lambda folder: _csv(folder, "iris.csv", *_bunch(load_iris)),
    "40 rows": _two_classes,
    "60 small images": lambda _: _images(60, 10, 8, 8),
    "200 images": lambda _: _images(200, 10, 28, 28),
    "120 color images": lambda _: _images(120, 4, 32, 32, 3),
    "cosines": lambda _: load_dataset("cosines"),
}
REFUSED = {
    **dict.fromkeys(("wine", "iris", "40 rows", "cosines"), WITH_LENET5 | IMAGES_ALONE),
    "120 color images": {"lab-lenet5/as-published"},  # which ends in ten units
    "60 small images": WITH_LENET5 | OF_SIZES,  # 38 training examples of ten classes
}


@pytest.fixture
def wine(tmp_path: Path) -> Dataset:
    return DATA["wine"](tmp_path)


def _planned(name: str, data: Dataset, *, quick: bool = False, settings: tuple[str, ...] = ()) -> Session:
    """A built-in study on other data, as the command line makes it, with everything that planning checks."""
    spec = load_study(name, data="./other", quick=quick, settings=settings)
    session = Session(*adapted(spec, data, name, settings), Path("absent"))
    assert session.forecast.plan.runs == len(session.spec.variants) * len(session.spec.seeds)
    return session


@pytest.mark.parametrize("quick", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("name", DATA)
def test_every_builtin_study_fits_or_is_refused_in_one_line(name: str, quick: bool, tmp_path: Path) -> None:
    data = DATA[name](tmp_path)
    kind = "standardize" if len(data.input_shape) == 1 else "unit"
    refused = {}
    for study in STUDIES:
        try:
            session = _planned(study, data, quick=quick)
        except StudyFileError as error:
            refused[study] = str(error)
        else:
            assert session.examples["training"] >= 4 * session.spec.base.batch_size, study
            stated = load_study(study).data.scale
            assert session.spec.data.scale == (kind if stated == "auto" else stated)
    assert refused.keys() == REFUSED.get(name, set())
    for study, line in refused.items():
        assert line.startswith(f"{study}: ")
        assert line.endswith(f"; choose another study, for example {' or '.join(FIT_ANY_DATA)}")
        assert "\n" not in line


def test_a_refusal_says_what_the_study_needs(wine: Dataset) -> None:
    with pytest.raises(StudyFileError) as error:
        _planned("lab-lenet5", wine)
    assert str(error.value) == (
        "lab-lenet5: its lenet5 model needs images, but wine has rows of 13 features; choose another study, for "
        "example regularization or lab5 or width-and-depth"
    )
    with pytest.raises(StudyFileError, match="needs larger images than the 8 x 8 pixels of "):
        _planned("lab-lenet5", _images(60, 10, 8, 8))
    with pytest.raises(StudyFileError, match="nothing is left to compare without flip, shift, rotation, all "):
        _planned("lab-512/augmentation", wine)
    with pytest.raises(StudyFileError, match="38 training examples are too few to train on parts of them"):
        _planned("sample-size", _images(60, 10, 8, 8))


def test_variants_that_need_images_are_left_out_with_one_line(wine: Dataset) -> None:
    session = _planned("regularization", wine)
    assert [name for name in load_study("regularization").variants if name not in session.spec.variants] == [
        "shift",
        "erasing",
    ]
    assert {"noise", "mixup"} <= session.spec.variants.keys()
    assert session.dataset.facts[-2:] == (
        ("variants left out", "shift, erasing: their augmentation needs images"),
        ("batch size", "8 instead of 32, because the training split has only 114 examples"),
    )
    assert session.dataset.hash == wine.hash


def test_batch_sizes_shrink_by_one_factor_and_keep_their_names_true(wine: Dataset) -> None:
    session = _planned("lab5/batch-size", wine)
    assert {name: recipe.batch_size for name, recipe in session.recipes.items()} == {
        "batch_size=8": 8,
        "batch_size=2": 2,
        "batch_size=4": 4,
    }
    assert session.dataset.facts[-1] == (
        "batch size",
        "8, 4, 2 instead of 256, 128, 64, because the training split has only 114 examples",
    )


def test_a_batch_size_that_leaves_few_but_enough_steps_stays() -> None:
    data = _images(200, 10, 28, 28)  # 128 training examples: four steps of 32
    session = _planned("regularization", data)
    assert session.spec.base.batch_size == 32
    assert session.dataset.facts == data.facts


def test_batch_normalization_never_gets_a_single_example(wine: Dataset) -> None:
    smaller = dataclasses.replace(wine, x_train=wine.x_train[1:], y_train=wine.y_train[1:], pool=None)
    session = _planned("regularization", smaller)
    assert session.examples["training"] == 113
    assert session.spec.base.batch_size == 6  # 113 is one more than 14 batches of 8, and than 16 of 7
    assert session.dataset.facts[-1] == (
        "batch size",
        "6 instead of 8, because batch normalization needs more than one example in the last batch",
    )


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ("sample-size", ["examples=114", "examples=14", "examples=28", "examples=57"]),
        (
            "sample-size/dropout",
            [
                *("baseline", "dropout", "examples=14,dropout=0.0", "examples=14,dropout=0.3"),
                *("examples=28,dropout=0.0", "examples=28,dropout=0.3"),
                *("examples=57,dropout=0.0", "examples=57,dropout=0.3"),
            ],
        ),
    ],
)
def test_numbers_of_examples_are_spread_over_what_there_is(study: str, expected: list[str], wine: Dataset) -> None:
    session = _planned(study, wine)
    assert sorted(session.spec.variants) == sorted(expected)
    assert all((recipe.examples or 114) <= 114 for recipe in session.recipes.values())
    assert "because the training split has 114" in dict(session.dataset.facts)["numbers of training examples"]


def test_of_its_own_data_a_study_asks_for_no_more_than_there_are() -> None:
    def planned(*settings: str) -> Session:
        spec = load_study(settings=settings)
        return Session(*adapted(spec, load_dataset("digits"), None, settings), Path("absent"))

    session = planned("data.train_share=0.2")
    assert session.forecast.trained == (230, 230)
    assert dict(session.facts)["numbers of training examples"] == (
        "all 230 instead of 300, because there are no more in the training split"
    )
    with pytest.raises(StudyFileError, match="'baseline' sets examples = 290, but the training split has only 230"):
        planned("data.train_share=0.2", "train.examples=290").forecast  # noqa: B018
    session = planned("train.examples=100")
    assert dict(session.facts)["batch size"] == "8 instead of 32, because a run trains on only 100 examples"


def test_numbers_of_examples_that_fit_are_kept() -> None:
    session = _planned("sample-size", _images(5000, 2, 2, 2))
    assert list(session.spec.variants) == ["examples=3200", "examples=100", "examples=300", "examples=1000"]


def test_quick_keeps_enough_examples(wine: Dataset) -> None:
    session = _planned("lab5", wine, quick=True)
    assert session.spec.data.train_share == 1
    assert session.dataset.facts[-2] == (
        "share of the data",
        "100 % instead of 50 %, because there are only 142 training examples",
    )
    rare = _images(4000, 2, 4, 4)
    labels = np.zeros(len(rare.y_train), np.int32)
    labels[:20] = 1
    session = _planned("width-and-depth", dataclasses.replace(rare, y_train=labels), quick=True)
    assert session.spec.data.train_share == 0.25  # 5 of 20
    assert dict(session.dataset.facts)["share of the data"] == (
        "25 % instead of 10 %, because a class has only 20 training examples"
    )


def test_a_sigmoid_output_becomes_softmax_for_three_classes(wine: Dataset) -> None:
    session = _planned("lab-depth/cosines", wine)
    assert {recipe.model.output for recipe in session.recipes.values()} == {"softmax"}
    assert ("output", "softmax instead of sigmoid, because there are 3 classes") in session.dataset.facts
    assert _planned("lab-depth/cosines", load_dataset("cosines:2")).spec.base.model.output == "sigmoid"


def test_what_the_user_sets_is_kept(wine: Dataset) -> None:
    assert _planned("regularization", wine, settings=("train.batch_size=100",)).spec.base.batch_size == 100
    settings = ("data.train_share=0.9",)
    assert _planned("lab5", wine, quick=True, settings=settings).spec.data.train_share == 0.9
    kept = [
        ("regularization", "variants.mine.augmentation={shift=0.1}", "the augmentation 'shift' needs images"),
        ("sample-size", "sweeps.size.examples=[50, 5000]", "examples = 48000"),
        ("lab5", "model.kind=lenet5", "conv2d with 6 filters takes images"),
        ("lab5", "variants.l2.model.kind=lenet5", "conv2d with 6 filters takes images"),
        ("lab-depth/cosines", "model.output=sigmoid", "'sigmoid' needs two classes"),
        ("regularization", "train.batch_size=113", "the last batch of an epoch has a single example"),
    ]
    for study, setting, problem in kept:
        with pytest.raises(Exception, match=problem):
            _planned(study, wine, settings=(setting,))


def test_a_users_own_study_changes_only_in_its_scale(tmp_path: Path, wine: Dataset) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "regularization"\n[data]\nname = "digits"\n')
    for study in (file, str(file)):
        spec, data = adapted(load_study(study), wine, study)
        assert spec == _scaled(load_study(study), "standardize")
        assert data is wine
    spec, _ = adapted(load_study(file), load_dataset("digits"), file)
    assert spec.data.scale == "unit"


def test_a_stated_scale_stays(wine: Dataset) -> None:
    settings = ("data.scale=unit",)
    assert adapted(load_study("lab5", settings=settings), wine, "lab5", settings)[0].data.scale == "unit"


def test_the_studies_as_written_stay_as_they_are() -> None:
    digits = load_dataset("digits")
    for name in ("regularization", "regularization/l2", "label-noise/digits", "sample-size/digits"):
        spec, data = adapted(load_study(name), digits, name)
        assert spec == _scaled(load_study(name), "unit")
        assert data.facts == digits.facts
    assert adapted(load_study(), digits, None)[0] == _scaled(load_study(), "unit")


def _scaled(spec: StudySpec, scale: str) -> StudySpec:
    return dataclasses.replace(spec, data=dataclasses.replace(spec.data, scale=scale))


def test_questions_about_lost_variants_are_dropped(wine: Dataset) -> None:
    spec = load_study("lab-512/augmentation")
    noise = {"noise": {"augmentation": {"noise": 0.1}}, "mixup": {"augmentation": {"mixup": 0.2}}}
    spec = dataclasses.replace(
        spec, variants={**spec.variants, **noise}, published={"flip": {"test_accuracy": 0.9}, "noise": {}}
    )
    fitted, _ = adapted(spec, wine, "lab-512/augmentation")
    assert list(recipes(fitted)) == ["baseline", "noise", "mixup"]
    assert [question.kind for question in fitted.questions] == ["best"]
    assert list(fitted.published) == ["noise"]


# --- A user's own study -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "settings", "place"),
    [
        ("[train]\nbatch_size = 256\n", (), "line 4, [train] batch_size"),
        ("[variants.a]\nbatch_size = 256\n", (), "line 4, [variants.a] batch_size"),
        ("", ("train.batch_size=256",), "--set train.batch_size=256"),
    ],
)
def test_a_batch_that_is_too_large_is_refused_with_its_place(
    text: str, settings: tuple[str, ...], place: str, tmp_path: Path, wine: Dataset
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'[data]\nname = "digits"\n{text}')
    where = place if place.startswith("--") else f"{file}, {place}"
    with pytest.raises(StudyFileError) as error:
        adapted(load_study(file, settings=settings), wine, file, settings)
    assert str(error.value) == (
        f"{where}: 256 is larger than the training split (114 examples); choose at most 114, for example "
        f"--set {'variants.a' if 'variants' in text else 'train'}.batch_size=14"
    )


def test_a_batch_is_refused_if_a_variant_has_fewer_examples(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[data]\nname = "digits"\n[train]\nbatch_size = 256\n[variants.a]\n[variants.b]\nexamples = 99\n')
    with pytest.raises(StudyFileError) as error:
        adapted(load_study(file), load_dataset("digits"), file)
    assert str(error.value) == (
        f"{file}, line 4, [train] batch_size: 256 is larger than the part of the training split that is used "
        "(99 examples); choose at most 99, for example --set train.batch_size=12"
    )


def test_a_batch_that_a_file_inherits_has_its_place_in_the_study_below(tmp_path: Path, wine: Dataset) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "lab5"\n')
    with pytest.raises(
        StudyFileError, match=r"^lab5\.toml \(built in\), line \d+, \[train\] batch_size: 256 is larger"
    ):
        adapted(load_study(file), wine, file)
    with pytest.raises(StudyFileError, match=r"^variant 'baseline': batch_size = 256 is larger"):
        adapted(load_study(file), wine, "Study(...)")


def test_data_that_are_not_there_are_refused_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[data]\nname = "mnits"\n')
    with pytest.raises(StudyFileError) as error:
        loaded(load_study(file), file)
    assert str(error.value).startswith(f"{file}, line 2, [data] name: unknown data set 'mnits'; did you mean 'mnist'?")
    file.write_text('[data]\nvalidation = 0.1\npath = "gone.csv"\n')
    with pytest.raises(DataNotFoundError) as missing:
        loaded(load_study(file), file)
    assert str(missing.value).startswith(
        f"{file}, line 3, [data] path: {tmp_path / 'gone.csv'}: no such file or folder"
    )
    settings = ("data.name=mnits",)
    with pytest.raises(StudyFileError, match=r"^--set data.name=mnits: unknown data set 'mnits'"):
        loaded(load_study("lab5", settings=settings), "lab5", settings)
    with pytest.raises(StudyFileError, match=r"^unknown data set 'mnits'"):
        loaded(load_study("lab5", data="mnits"), None)
