"""The built-in studies: every one and every part of it loads, fits its data, and says what its source says."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from pathlib import Path
from typing import get_args

import pytest

from wellfit.base import ModelSpec, Optimizer, Recipe, RunSpec
from wellfit.data.entries import CATALOG
from wellfit.engine.plan import make_plan
from wellfit.nn.models import build, count_parameters, summary
from wellfit.spec.listing import list_parts, list_studies
from wellfit.spec.study import StudySpec, load_study, recipes

NAMES = [entry.name for study in list_studies() for entry in (study, *list_parts(study.name))]
SHAPES = {"digits": (8, 8), "fashion-mnist": (28, 28), "mnist": (28, 28), "cosines": (2,)}
EXAMPLES = {"digits": 1438, "fashion-mnist": 60_000, "mnist": 60_000, "cosines": 2000}


def planned(study: StudySpec) -> int:
    """How many runs of a study can be planned on its data."""
    data = study.data.name_or_path.partition(":")[0]
    total = round(EXAMPLES[data] * study.data.train_share)
    held_out = round(total * study.data.validation)
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes(study).items() for seed in study.seeds]

    def examples(run: RunSpec) -> int:
        return run.recipe.examples or total - held_out

    planned = 0
    for count, together in groupby(sorted(runs, key=examples), key=examples):
        assert count <= total - held_out
        sizes = (count, held_out, min(count, held_out))
        planned += make_plan(list(together), SHAPES[data], len(CATALOG[data].classes), sizes, 2).runs
    return planned


@pytest.mark.parametrize("quick", [False, True], ids=["full", "quick"])
@pytest.mark.parametrize("name", NAMES)
def test_every_study_and_part_can_be_planned(name: str, quick: bool) -> None:
    study = load_study(name, quick=quick)
    assert study.name == name.replace("/", "-")
    assert study.title.endswith("? (quick)" if quick else "?")
    assert len(study.title) <= 100
    assert planned(study) == len(study.variants) * len(study.seeds) > 0


def test_all_studies_and_parts_are_listed() -> None:
    labs = ["lab-512", "lab-depth", "lab-lenet5", "lab-optimizers", "lab5"]
    others = ["augmentation", "label-noise", "optimizers-tuned", "regularization", "sample-size", "width-and-depth"]
    assert sorted(entry.name for entry in list_studies()) == sorted([*labs, *others])
    parts = [part.name for part in list_parts("lab5")]
    assert parts == [
        f"lab5/{p}"
        for p in (
            *("combined", "l2", "dropout", "batch-size"),
            *("optimizer", "epochs", "depth", "width"),
            "as-published",
        )
    ]


# --- What the sources say


def test_published_numbers_are_those_of_the_sources() -> None:
    assert load_study("lab5").published["l2"] == {"test_accuracy": 0.8730}
    numbers = load_study("lab-512").published
    assert [(row["train_accuracy"], row["test_accuracy"]) for row in numbers.values()] == [
        *((0.9101, 0.8611), (0.8832, 0.8822), (0.8825, 0.8733)),
        *((0.8434, 0.8308), (0.9122, 0.8843)),
    ]
    assert load_study("lab-512/dropout").published["dropout=0.3"] == numbers["dropout"]
    numbers = load_study("lab-optimizers").published
    accuracies = {name: row["validation_accuracy"] for name, row in numbers.items()}
    assert accuracies == {"adam": 0.8735, "two-dropouts": 0.87, "sgd": 0.8476, "adagrad": 0.7836, "rmsprop": 0.8752}
    lenet5 = load_study("lab-lenet5").published
    assert [list(row.values()) for row in lenet5.values()] == [[0.9019, 0.8673], [0.911, 0.8826], [0.8836, 0.7302]]
    assert load_study("lab-lenet5/mlp").published == {"mlp": {"validation_accuracy": 0.8935, "test_accuracy": 0.8878}}
    assert load_study("lab-depth").published["10x128"] == {"test_accuracy": 0.9786, "test_loss": 0.1117}
    assert load_study("lab-depth/cosines").published == {}


LABS = ("lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-depth")


@pytest.mark.parametrize("lab", LABS)
def test_every_lab_can_be_trained_as_published(lab: str) -> None:
    """The same numbers as in the main study, at one split for all seeds, as the source had."""
    main, part = load_study(lab), load_study(f"{lab}/as-published")
    further = {"adam-trained-further": {"validation_accuracy": 0.8809}} if lab == "lab-optimizers" else {}
    assert part.published == {**main.published, **further}
    assert part.published.keys() == part.variants.keys()
    assert part.data.folds == 1
    assert "winner" in [question.kind for question in part.questions]
    for name in main.variants.keys() & part.variants.keys():
        there, here = recipes(main)[name], recipes(part)[name]
        assert (there.epochs, there.batch_size, there.optimizer) == (here.epochs, here.batch_size, here.optimizer)


def test_the_mistakes_that_can_be_followed_are_followed() -> None:
    part = load_study("lab-512/as-published")
    variant = recipes(part)
    rule = variant["early-stopping"].early_stopping
    assert rule is not None
    assert rule.patience == variant["early-stopping"].epochs  # it cannot stop
    assert dataclasses.replace(variant["early-stopping"], early_stopping=None) == variant["baseline"]
    held_out = round(60_000 * part.data.validation)
    assert held_out < 1000  # the source trained on all examples
    assert (60_000 - held_out) % 128 == 60_000 % 128 == 96  # the last batch of an epoch, after which a run is read
    variant = recipes(load_study("lab-optimizers/as-published"))
    assert variant["adam-trained-further"] == dataclasses.replace(variant["adam"], epochs=2 * variant["adam"].epochs)
    variant = recipes(load_study("lab-lenet5/as-published"))
    parameters = [count_parameters(build(recipe.model, (28, 28), 10)) for recipe in variant.values()]
    trained = 142_346 + 2 * (6 + 16)  # a scale and a shift per normalized channel
    assert parameters == [142_346, 142_346, trained]
    assert variant["dropout"].dropout == 0.1
    layers = variant["batch-norm"].model.layers
    assert [layer.kind for layer in layers].count("batch_norm") == 2
    assert {layer.initializer for layer in layers if layer.kind in ("conv2d", "dense")} == {
        "he_uniform",
        "glorot_uniform",  # of the output layer alone
    }


def test_lab5_has_every_extension() -> None:
    def of(part: str, key: str) -> list[object]:
        return [getattr(recipe, key) for recipe in recipes(load_study(f"lab5/{part}")).values()]

    base = recipes(load_study("lab5"))["baseline"]
    assert (base.epochs, base.batch_size, base.optimizer) == (30, 256, "adam")
    assert {1e-1, 1e-2, 1e-3} <= set(of("l2", "l2"))
    assert {0.2, 0.5, 0.7} <= set(of("dropout", "dropout"))
    assert set(of("batch-size", "batch_size")) == {64, 128, 256}
    assert set(of("optimizer", "optimizer")) == {"sgd", "adam", "rmsprop"}
    assert recipes(load_study("lab5/optimizer"))["sgd"].learning_rate == 0.01  # Keras's own
    assert max(of("epochs", "epochs")) == 100  # type: ignore[type-var]
    both = recipes(load_study("lab5/combined"))["l2+dropout"]
    assert (both.l2, both.dropout) == (1e-3, 0.3)
    assert {len(model.hidden) for model in of("depth", "model") if isinstance(model, ModelSpec)} == {1, 2, 3, 4, 5}


def test_the_other_labs_are_as_described() -> None:
    variant = recipes(load_study("lab-512"))
    assert {(r.optimizer, r.epochs, r.batch_size, r.model.hidden) for r in variant.values()} == {
        ("rmsprop", 10, 128, (512, 512))
    }
    study = load_study("lab-optimizers")
    variant = recipes(study)
    assert study.data.split_seed == 42
    assert {r.optimizer for r in variant.values()} == {"sgd", "momentum", "adagrad", "adam", "rmsprop"}
    assert (variant["adam"].dropout, variant["two-dropouts"].dropout, variant["adam"].batch_size) == (
        (0.5, 0.0),
        (0.5, 0.5),
        64,
    )
    assert {r.optimizer for r in recipes(load_study("lab-optimizers/all")).values()} == set(get_args(Optimizer))
    variant = recipes(load_study("lab-lenet5"))
    assert [(r.epochs, r.dropout, r.model.batch_norm) for r in variant.values()] == [
        *((10, None, False), (15, (0.1, 0.1, 0.5), False), (15, None, True))
    ]
    variant = recipes(load_study("lab-depth"))
    assert [(len(r.model.hidden), r.epochs, r.dropout) for r in variant.values()] == [
        *((1, 10, None), (2, 10, None), (10, 20, None), (10, 20, 0.2))
    ]
    cosines = load_study("lab-depth/cosines")
    variant = recipes(cosines)
    assert (cosines.data.name_or_path, variant["logistic"].epochs, variant["logistic"].batch_size) == (
        "cosines",
        10,
        32,
    )
    assert variant["logistic"].model == ModelSpec("logistic", (), output="sigmoid")
    assert variant["2-units"].model == ModelSpec("mlp", (2,), output="sigmoid")
    assert load_study("lab-depth/cosines-2").data == dataclasses.replace(cosines.data, name_or_path="cosines:2")
    assert recipes(load_study("lab-depth/cosines-2")) == variant


@pytest.mark.parametrize(
    ("study", "variant", "parameters"),
    [
        ("lab5", "baseline", 109_386),
        ("lab-optimizers", "adam", 109_386),
        ("lab-lenet5/mlp", "mlp", 109_386),
        ("lab-lenet5", "lenet5", 61_706),
        ("lab-lenet5", "dropout", 61_706),
        ("lab-512", "baseline", 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10),
        ("lab-depth", "1x128", 784 * 128 + 128 + 128 * 10 + 10),
        ("lab-depth", "10x128", 784 * 128 + 128 + 9 * (128 * 128 + 128) + 128 * 10 + 10),
    ],
)
def test_parameters_are_those_of_the_sources(study: str, variant: str, parameters: int) -> None:
    assert count_parameters(build(recipes(load_study(study))[variant].model, (28, 28), 10)) == parameters


def test_logistic_regression_on_the_cosines_has_three_parameters() -> None:
    variant = recipes(load_study("lab-depth/cosines"))
    assert count_parameters(build(variant["logistic"].model, (2,), 2)) == 3


def test_lenet5_has_the_shapes_of_its_source() -> None:
    rows = summary(build(recipes(load_study("lab-lenet5"))["lenet5"].model, (28, 28), 10))
    shapes = [row.output_shape for row in rows if row.parameters or "pool" in row.name]
    assert shapes == [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (1, 1, 120), (84,), (10,)]


# --- The other studies


def test_regularization_has_every_regularizer() -> None:
    """Every regularizer in a recipe or an augmentation is used by a variant."""
    variant = recipes(load_study())
    base, plain = variant["baseline"], dataclasses.asdict(Recipe())
    not_regularizers = {"epochs", "batch_size", "optimizer", "loss", "learning_rate", "schedule", "momentum"}
    not_regularizers |= {"class_weights", "clip_norm", "examples", "label_noise"}
    used = {key for recipe in variant.values() for key in plain if getattr(recipe, key) != getattr(base, key)}
    assert used == plain.keys() - not_regularizers
    kinds = {recipe.average.kind for recipe in variant.values() if recipe.average}
    assert kinds == {"ema", "swa"}
    augmented = {
        key for recipe in variant.values() for key, value in dataclasses.asdict(recipe.augmentation).items() if value
    }
    # A digit that is flipped or turned far is another digit or none, and zoom of 8 x 8 pixels is a shift.
    assert augmented == {"shift", "erasing", "noise", "mixup"}
    alone = recipes(load_study("augmentation"))
    augmented = {
        key for recipe in alone.values() for key, value in dataclasses.asdict(recipe.augmentation).items() if value
    }
    assert augmented == set(dataclasses.asdict(base.augmentation))


def test_every_optimizer_has_the_same_number_of_learning_rates() -> None:
    study = load_study("optimizers-tuned")
    variant = recipes(study)
    rates = {
        name: {r.learning_rate for r in variant.values() if r.optimizer == name and r.learning_rate}
        for name in get_args(Optimizer)
    }
    assert {len(values) for values in rates.values()} == {5}
    assert recipes(load_study("optimizers-tuned", quick=True)).keys() < variant.keys()


def test_sample_sizes_and_noise_go_from_end_to_end() -> None:
    examples = {recipe.examples for recipe in recipes(load_study("sample-size")).values()}
    assert (min(examples), max(examples), len(examples)) == (100, 48_000, 7)  # type: ignore[type-var]
    noise = {recipe.label_noise for recipe in recipes(load_study("label-noise")).values()}
    assert noise == {0.0, 0.1, 0.2, 0.4, 0.6}


def test_width_and_depth_are_crossed() -> None:
    hidden = {recipe.model.hidden for recipe in recipes(load_study("width-and-depth")).values()}
    assert {(units,) * layers for units in (8, 32, 128, 512) for layers in (1, 2, 3)} | {()} == hidden


# --- What the labs ask


def test_every_lab_asks_its_questions() -> None:
    asked = {
        name: [question.kind for question in load_study(name).questions] for name in NAMES if name.startswith("lab")
    }
    assert {name: kinds for name, kinds in asked.items() if not kinds and not name.startswith("label")} == {}
    assert asked["lab5"] == ["best", "winner", "onset", "patterns"]
    assert "generalizes" in asked["lab-512"]
    assert {"signs", "patterns"} < set(asked["lab-lenet5"])
    assert {"capacity", "impact"} < set(asked["lab-depth"])
    assert asked["lab-depth/onset"] == ["onset", "best"]
    assert asked["lab-depth/cosines-2"] == ["best"]
    assert "stop" in asked["lab-512"]
    assert "stop" in asked["lab-depth/stopping"]
    (alone,) = (question for question in load_study("lab5/combined").questions if question.kind == "beats")
    assert (alone.variant, alone.than) == ("l2+dropout", ("l2", "dropout"))
    assert {q.value for name in NAMES for q in load_study(name).questions if q.kind == "matches"} == {
        *(0.8730, 0.8803, 0.8733, 0.8308, 0.8822, 0.8878)
    }
    (optimizer, *_) = load_study("lab-optimizers").questions
    assert set(optimizer.variants) == {"sgd", "momentum", "adagrad", "adam", "rmsprop"}


def test_the_document_of_verdicts_asks_what_the_labs_ask() -> None:
    text = (Path(__file__).parents[2] / "docs" / "verdicts.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.partition("## ")[0].splitlines() if line.startswith("| lab")]
    asked: dict[str, set[str]] = {}
    for lab, question, *_ in rows[1:]:
        asked.setdefault(lab.removeprefix("| "), set()).add(question)
    assert asked.keys() == {"lab5", "lab-optimizers", "lab-depth", "lab-512", "lab-lenet5"}
    for lab, questions in asked.items():
        study = load_study(lab)
        assert questions == {study.title, *(question.ask for question in study.questions)}
