"""The Python face as a notebook uses it, cell by cell, and in a notebook."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from nbclient import NotebookClient

import stores
import wellfit
from wellfit.api import Results
from wellfit.base import EarlyStopping, LayerSpec, ModelSpec, OwnWords, Recipe
from wellfit.errors import StoreError, StudyFileError, UnknownNameError, WellfitError
from wellfit.spec.study import load_study, recipes
from wellfit.spec.tables import Data, Train, settings_of
from wellfit.study.handed import SETS

VARIANTS: dict[str, Any] = {"baseline": {}, "l2": {"l2": 1e-2}, "early": {"early_stopping": {"patience": 1}}}


@pytest.fixture(scope="module")
def results() -> Results:
    """The first cells of a notebook."""
    data = wellfit.load_dataset("digits")
    study = wellfit.Study(data, model=wellfit.mlp(16), variants=VARIANTS, epochs=3, batch_size=128, seeds=2)
    return study.run()


# --- The cells of a notebook ------------------------------------------------------------------------------------------


def test_table(results: Results) -> None:
    table = results.table()
    assert list(table.index) == list(VARIANTS)
    for variant in results.summary.variants:
        row = table.loc[variant.name]
        assert row["test_accuracy"] == pytest.approx(np.mean([run.test_accuracy for run in variant.runs]), abs=1e-12)
        low, high = variant.interval["test_accuracy"] or (0, 0)
        assert (row["test_accuracy_low"], row["test_accuracy_high"]) == (low, high)
        assert row["test_accuracy_low"] < row["test_accuracy"] < row["test_accuracy_high"]
    assert set(table["parameters"]) == {64 * 16 + 16 + 16 * 10 + 10}


def test_runs(results: Results) -> None:
    runs = results.runs()
    assert list(zip(runs["variant"], runs["seed"], strict=True)) == [(v, s) for v in VARIANTS for s in (0, 1)]
    means = runs.groupby("variant")["validation_loss"].mean()
    np.testing.assert_allclose(means, results.table()["validation_loss"].loc[means.index], rtol=1e-12)


def test_compare(results: Results) -> None:
    compared = results.compare()
    assert list(compared["variant"]) == ["l2", "early"]
    accuracy = results.table()["test_accuracy"]
    for row in compared.itertuples():
        assert row.difference == pytest.approx(accuracy[row.variant] - accuracy["baseline"], abs=1e-12)


def test_history(results: Results) -> None:
    history = results.history()
    assert list(history.columns[:3]) == ["variant", "seed", "epoch"]
    assert len(history) == sum(len(run) for seeds in results.summary.histories.values() for run in seeds.values())
    one = history[(history["variant"] == "l2") & (history["seed"] == 1)]
    assert list(one["epoch"]) == [1, 2, 3]
    np.testing.assert_array_equal(one["train_loss"], results.summary.histories["l2"][1]["train_loss"])


@pytest.mark.parametrize("plot", ["plot_curves", "plot_intervals", "plot_gap", "plot_confusion"])
def test_plots(plot: str, results: Results) -> None:
    figure = getattr(results, plot)()
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]  # how a notebook shows it
    axes = Figure().subplots()
    assert getattr(results, plot)(ax=axes) is axes
    assert axes.has_data()


def test_plots_of_choice(results: Results) -> None:
    losses, accuracies = results.plot_curves("loss"), results.plot_curves("accuracy")
    assert losses.axes[0].get_ylabel() != accuracies.axes[0].get_ylabel()
    with pytest.raises(UnknownNameError, match=r"unknown variant 'l3'.* did you mean 'l2'\?"):
        results.plot_confusion("l3")


def test_report(results: Results, finished_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert results.report() == Path("wellfit-report.html")  # the study's own directory goes with the results
    assert (tmp_path / "wellfit-report.html").is_file()
    assert not (results.directory / "report.html").exists()
    kept = shutil.copytree(finished_study, tmp_path / "kept")
    assert Results(kept).report() == kept / "report.html"
    path = results.report(tmp_path / "mine" / "page.html")
    assert path == tmp_path / "mine" / "page.html"
    assert all(variant in path.read_text() for variant in VARIANTS)


def test_what_a_pdf_shows_is_asked_of_a_pdf(results: Results, tmp_path: Path) -> None:
    for option in ("all", "code", "parts"):
        with pytest.raises(StudyFileError, match='all, code and parts are for PDFs; give format="pdf"'):
            results.report(tmp_path / "page.html", **{option: True})
    assert list(tmp_path.iterdir()) == []
    usual, every = results.report(tmp_path / "usual.pdf"), results.report(tmp_path / "every.pdf", all=True)
    assert every.stat().st_size > usual.stat().st_size


def test_best_looks_at_the_validation_split_alone(results: Results) -> None:
    best = results.best()
    assert best.mean["validation_accuracy"] == results.table()["validation_accuracy"].max()
    turned = [
        replace(v, mean={**v.mean, "test_accuracy": 0.0 if v.name == best.name else 1.0})
        for v in results.summary.variants
    ]
    other = Results(results.directory)
    other.summary = replace(other.summary, variants=tuple(turned))
    assert other.best().name == best.name


def test_best_prefers_what_did_not_diverge(results: Results) -> None:
    best = results.best()
    lost = replace(best, runs=(replace(best.runs[0], state="diverged"), *best.runs[1:]))
    other = Results(results.directory)
    others = [v for v in results.summary.variants if v.name != best.name]
    other.summary = replace(other.summary, variants=(lost, *others))
    assert other.best() == max(others, key=lambda v: v.mean["validation_accuracy"])
    other.summary = replace(other.summary, variants=(lost,))
    assert other.best() == lost  # where nothing else is there


def test_what_is_said_of_it(results: Results) -> None:
    assert results.verdict == results.summary.verdict
    assert results.findings == results.summary.findings
    assert repr(results) == f"Results('study', finished, 3 variants, 2 seeds): {results.summary.conclusion[1].text}"


# --- Directories ------------------------------------------------------------------------------------------------------


def test_a_study_directory_opens_as_results(finished_study: Path) -> None:
    results = Results(finished_study)
    assert len(results.table()) == len(load_study().variants)
    with pytest.raises(WellfitError, match="no such directory"):
        Results(finished_study / "gone")


def test_a_directory_keeps_a_study_and_a_temporary_one_goes_with_its_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = wellfit.Study("digits", wellfit.logistic(), epochs=1, batch_size=256, seeds=1)
    kept = study.run(tmp_path / "study")
    before = stores.rows(tmp_path / "study", "SELECT finished FROM runs")
    again = study.run(tmp_path / "study", progress=True)
    assert stores.rows(tmp_path / "study", "SELECT finished FROM runs") == before
    assert again.directory == kept.directory
    assert capsys.readouterr() == ("", "")  # nothing was trained, so there was no progress
    fresh = study.run(tmp_path / "study", fresh=True, progress=True)
    assert "Trained in" in capsys.readouterr().out
    pd.testing.assert_frame_equal(kept.history(), fresh.history())
    passing = study.run()
    assert capsys.readouterr() == ("", "")  # no terminal and no notebook to show it in
    place = passing.directory
    assert place.is_dir()
    del passing
    gc.collect()
    assert not place.exists()
    assert not place.parent.exists()


def test_a_study_is_logged_for_tensorboard(tmp_path: Path) -> None:
    def train(**settings: Any) -> Results:
        return wellfit.Study("digits", wellfit.mlp(8), seeds=1, **{"epochs": 1, **settings}).run(tensorboard=tmp_path)

    train()
    train()  # the same study, in another temporary directory
    assert [path.relative_to(tmp_path).parts[:2] for path in tmp_path.glob("*/*/*")] == [("baseline", "seed-0")]
    with pytest.raises(StoreError, match="not this one; choose another folder, or delete this one"):
        train(epochs=2)


def test_before_any_run_has_ended_there_are_tables_but_no_best(study_copy: Path) -> None:
    with closing(sqlite3.connect(study_copy / "study.db")) as connection:
        connection.executescript("DELETE FROM runs; DELETE FROM epochs;")
    results = Results(study_copy)
    assert len(results.table()) == len(load_study().variants)
    assert set(results.runs()["state"]) == {"pending"}
    assert results.compare().empty
    assert results.history().empty
    with pytest.raises(StudyFileError, match=r"no run of the study in .* has finished; run it first"):
        results.best()


# --- Studies ----------------------------------------------------------------------------------------------------------


def test_a_study_of_arrays() -> None:
    generator = np.random.default_rng(0)
    y = np.array(["cat", "dog"])[generator.integers(0, 2, 300)]  # (300,)
    x = generator.normal((y == "cat")[:, None] * 3.0, 1.0, (300, 4))  # (300, 4)
    data = wellfit.make_dataset(x, y, name="pets")
    results = wellfit.Study(data, wellfit.mlp(8), scale="standardize", epochs=5, learning_rate=0.03, seeds=2).run()
    assert results.summary.classes == ("cat", "dog")
    assert results.summary.data == "pets"
    assert results.summary.variants[0].mean["test_accuracy"] > 0.9  # the clouds are six deviations apart


def test_a_precision_is_trained_in_and_told() -> None:
    assert wellfit.Study("digits").spec.precision == "float32"
    study = wellfit.Study("digits", wellfit.logistic(), epochs=1, seeds=1, precision="mixed")
    assert study.run().summary.provenance["precision"] == "products in bfloat16, sums in float32"


def test_a_path_is_never_taken_for_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    for split, rows in (("train", 40), ("test", 10)):
        table = "".join(f"{row % 2},{row},{row * 3 % 7}\n" for row in range(rows))
        (tmp_path / "digits" / f"own_{split}.csv").write_text(f"label,a,b\n{table}")
    study = wellfit.Study(Path("digits"), wellfit.logistic(), epochs=1, seeds=1, scale="standardize", batch_size=8)
    assert study.run().summary.confusion["baseline"].sum() == 10  # the folder's, and not the catalog's
    assert wellfit.Study(tmp_path / "digits").spec.data.name_or_path == str(tmp_path / "digits")
    assert wellfit.Study("digits").spec.data.name_or_path == "digits"


def test_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[data]\nname = "digits"\n[train]\nepochs = 7\n[variants.a]\n[variants.b]\nl2 = 0.1\n')
    study = wellfit.Study.from_toml(path, seeds=[3], settings=["model.hidden=[4]"])
    assert (study.spec.name, study.spec.base.epochs, study.spec.seeds) == ("mine", 7, (3,))
    assert study.spec.base.model.hidden == (4,)
    assert wellfit.Study.from_toml("lab5").spec.data.name_or_path == "fashion-mnist"
    quick = wellfit.Study.from_toml("lab5", quick=True, precision="auto").spec
    assert (quick.title.endswith("(quick)"), quick.precision) == (True, "auto")
    assert repr(study) == "Study('mine', data='digits', 2 variants, 1 seeds)"
    with pytest.raises(WellfitError, match=r"gone\.toml: no such file"):
        wellfit.Study.from_toml("gone.toml")


MODELS = {
    "mlp": ModelSpec("mlp", (8, 4), activation="tanh", initializer="he_normal", batch_norm=True),
    "logistic": wellfit.logistic(),
    "lenet5": ModelSpec("lenet5", (), batch_norm=True),
    "cnn": ModelSpec("cnn", (8,), activation="elu"),
    "layers": ModelSpec("layers", (), layers=(LayerSpec("flatten"), LayerSpec("dense", units=10, function="tanh"))),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_a_model_keeps_all_its_settings(model: ModelSpec) -> None:
    study = wellfit.Study("digits", model, variants={"same": {}, "other": {"model": wellfit.mlp(5)}})
    assert study.spec.base.model == model
    assert recipes(study.spec)["other"].model == wellfit.mlp(5)
    turned = wellfit.Study("digits", variants={"other": {"model": model}})
    assert recipes(turned.spec)["other"].model == model


def test_a_network_from_keras_with_its_settings() -> None:
    network = {"model": ModelSpec("mlp", (8,), origin="net.keras"), "l2": 0.01, "dropout": (0.5,), "scale": "unit"}
    study = wellfit.Study("digits", network, variants={"a": {}, "b": {**network, "l2": 0.0}}, dropout=0.25)
    base, b = study.spec.base, recipes(study.spec)["b"]
    assert (base.model, base.l2, base.dropout, study.spec.data.scale) == (network["model"], 0.01, 0.25, "unit")
    assert base.model.origin == "net.keras"
    assert (b.model, b.l2, b.dropout) == (network["model"], 0.0, (0.5,))
    x, y = np.eye(6).repeat(9, 0), np.arange(6).repeat(9) % 2
    assert wellfit.Study(x, y, network).spec.base.l2 == wellfit.Study(x, model=network, y=y).spec.base.l2 == 0.01
    with pytest.raises(WellfitError, match=r"variant 'b': its network scales the inputs; .*: give scale='unit'$"):
        wellfit.Study("digits", variants={"a": {}, "b": network})


def test_values_may_be_of_numpy_or_of_wellfit() -> None:
    rule = EarlyStopping(patience=3)
    numbers = {"epochs": np.int64(3), "learning_rate": np.float32(0.5), "seeds": np.int64(2)}
    study = wellfit.Study("digits", variants={"a": {"early_stopping": rule}}, **numbers)
    assert study.spec.base == Recipe(epochs=3, learning_rate=0.5)
    assert study.spec.seeds == (0, 1)
    assert recipes(study.spec)["a"].early_stopping == rule
    assert wellfit.Study("digits", seeds=range(2, 4)).spec.seeds == (2, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"droput": 0.5}, ["unknown key 'droput'", "did you mean 'dropout'?"]),
        ({"variants": {"a": {"droput": 0.5}}}, ["unknown key 'droput'", "[variants.a]"]),
        ({"dropout": 1.5}, ["dropout", "at least 0 and less than 1", "1.5"]),
        ({"optimizer": "adm"}, ["unknown optimizer 'adm'", "did you mean 'adam'?"]),
        ({"epochs": 0}, ["epochs", "must be from 1"]),
        ({"seeds": 0}, ["seeds", "must be from 1"]),
        ({"seeds": "five"}, ["seeds", "must be a whole number", "'five'"]),
        ({"scale": "log"}, ["unknown scale 'log'"]),
        ({"precision": "double"}, ["unknown precision 'double'", "auto, float32, mixed"]),
        ({"variants": {"a": {"precision": "mixed"}}}, ["unknown key 'precision'", "[variants.a]"]),
        ({"validation": 2}, ["validation"]),
        ({"name": "a/b"}, ["a/b"]),
        ({"model": "mlp"}, ["model", "must be a table"]),
        ({"variants": {"a": 0.5}}, ["variants", "must be a table"]),
        ({"variants": ["a"]}, ["variants", "must be a table"]),
        ({"data": np.zeros((3, 2))}, ["data", "ndarray", "Study(x, y)"]),
    ],
)
def test_bad_arguments_are_told_in_one_line(arguments: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(WellfitError) as printed:
        wellfit.Study(**{"data": "digits", **arguments})
    assert "\n" not in str(printed.value)
    for word in ("Study(...)" if "optimizer" not in arguments else "", *words):
        assert word in str(printed.value)


# --- The package ------------------------------------------------------------------------------------------------------


def test_the_public_names_are_these() -> None:
    names = ["Results", "Study", "Tracked", "WellfitError", "__version__", "claim"]
    names += ["cnn", "from_keras", "judge", "judge_datasets", "layers", "lenet5", "load", "load_dataset", "log"]
    names += ["logistic", "make_dataset", "mlp", "plot_ranks", "power", "technique"]
    assert wellfit.__all__ == names
    assert dir(wellfit) == names
    assert all(getattr(wellfit, name) is not None for name in names)
    assert wellfit.WellfitError is WellfitError
    with pytest.raises(AttributeError, match="module 'wellfit' has no attribute 'study_'"):
        _ = wellfit.study_  # type: ignore[attr-defined]


def test_a_star_import_brings_them() -> None:
    script = "from wellfit import *; print(Study.__name__, mlp(3).hidden, __version__)"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert printed.stdout == f"Study (3,) {wellfit.__version__}\n"


CELLS = (
    "import wellfit",
    "data = wellfit.load_dataset('digits')",
    "study = wellfit.Study(data, model=wellfit.mlp(8), variants={'a': {}, 'l2': {'l2': 1e-3}}, epochs=2, seeds=2)",
    "results = study.run()",
    "results",
    "results.table()",
    "results.compare()",
    "results.history()",
    "results.plot_curves()",
    "results.plot_intervals()",
    "results.plot_gap()",
    "results.plot_confusion('l2')",
    "results.report('page.html')",
    "results.best().name",
)


@pytest.mark.slow
def test_a_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(wellfit.__file__).parents[1]))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()

    outputs = {cell.source: cell.outputs for cell in notebook.cells}
    for cell in CELLS[4:]:
        (output,) = outputs[cell]
        assert output.output_type == "execute_result"
        kind = (
            "image/png" if "plot" in cell else "text/html" if cell.endswith(("table()", "y()", "e()")) else "text/plain"
        )
        assert kind in output.data, cell
    assert outputs[CELLS[-1]][0].data["text/plain"] in ("'a'", "'l2'")
    assert all("Warning" not in str(output) for cell in notebook.cells for output in cell.outputs)
    progress = outputs["results = study.run()"]  # a bar where it can be shown, two lines elsewhere
    assert "Training: epoch 1/2" in str(progress) or progress[0].output_type == "display_data"
    assert (tmp_path / "page.html").is_file()


def test_model_summary_is_a_data_frame() -> None:
    y = np.arange(60) % 3
    images = wellfit.make_dataset(np.arange(60 * 48, dtype=np.uint8).reshape(60, 6, 8), y, name="noise")
    asked = wellfit.Study(images, wellfit.mlp(4), variants={"plain": {}, "deep": {"model": wellfit.mlp(5, 5)}})
    frame = asked.model_summary()
    assert frame.columns.tolist() == ["layer", "output_shape", "parameters", "setting"]
    assert frame.set_index("layer").loc["dense_1"].tolist() == [(4,), 48 * 4 + 4, ""]
    assert frame.attrs == {"total": 48 * 4 + 4 + 5 * 3, "bytes": 4 * (48 * 4 + 4 + 5 * 3), "statistics": 0}
    assert asked.model_summary("plain").equals(frame)
    assert asked.model_summary("deep").attrs["total"] == 48 * 5 + 5 + 30 + 18
    with pytest.raises(UnknownNameError, match="unknown variant 'depe' in study study; did you mean 'deep'"):
        asked.model_summary("depe")


def test_a_builtin_study_is_fitted_to_its_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3  # (60,)
    x = (rng.normal(0, 1, (60, 2)) + labels[:, None]) * [1, 1000]  # (60, 2)
    table = tmp_path / "table.csv"
    np.savetxt(table, np.column_stack([x, labels]), delimiter=",", header="a,b,label", comments="", fmt="%.6g")
    study = wellfit.Study.from_toml("augmentation", data=str(table), quick=True, settings=["model.hidden=[8]"])
    assert [variant.name for variant in study.run().summary.variants] == ["baseline", "noise", "mixup"]
    assert study.model_summary("mixup").attrs["total"] == 2 * 8 + 8 + 8 * 3 + 3
    with pytest.raises(StudyFileError, match="its lenet5 model needs images"):
        wellfit.Study.from_toml("lab-lenet5", data=str(table)).run()


# --- Data of one's own ------------------------------------------------------------------------------------------------

QUICK: dict[str, Any] = {"epochs": 2, "seeds": 2, "batch_size": 16}


def people(rows: int = 90) -> pd.DataFrame:
    """Text, missing numbers, a constant column and an empty cell."""
    rng = np.random.default_rng(0)
    churn = rng.integers(0, 2, rows)
    frame = pd.DataFrame({
        "age": rng.normal(40 + 9 * churn, 8).round(1),
        "city": rng.choice(["Bern", "Oslo", "Rome"], rows),
        "planet": "Earth",
        "visits": rng.poisson(3 + churn).astype(float),
        "Churn": np.where(churn, "Yes", "No"),
    })  # fmt: skip
    frame.loc[::7, "age"] = np.nan
    frame.loc[3, "city"] = None
    return frame


def test_the_facts_of_the_data(tmp_path: Path) -> None:
    facts = wellfit.Study(people()).facts()
    assert facts["label column"] == "Churn, the last of 5 columns (by its name)"
    assert facts["columns left out"].startswith("planet (the same value")
    people().to_csv(tmp_path / "people.csv", index=False)
    assert wellfit.Study(tmp_path / "people.csv").facts() == facts


def test_a_frame_with_the_name_of_its_label(tmp_path: Path) -> None:
    study = wellfit.Study(people(), label="Churn", variants={"baseline": {}, "l2": {"l2": 1e-3}}, **QUICK)
    assert study.dataset is not None
    assert study.dataset.classes == ("No", "Yes")
    done = study.run(tmp_path / "study")
    assert len(done.runs()) == 4
    text = done.report(tmp_path / "report.md").read_text()
    assert "Label column" in text
    assert "planet" in text


def test_a_table_in_a_file_with_settings(tmp_path: Path) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    study = wellfit.Study(tmp_path / "people.csv", label="Churn", drop=["city"], **QUICK)
    assert study.spec.data.label == "Churn"
    assert study.model_summary().attrs["total"] > 0
    table = wellfit.load_dataset(tmp_path / "people.csv", label="Churn", drop=["city"])
    assert "city" not in [column.name for column in table.columns]
    study.run()


def test_arrays_with_sets_of_their_own() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 3)), np.tile(["a", "b"], 60)
    sets = {"x_test": x[:20], "y_test": y[:20], "x_val": x[20:40], "y_val": y[20:40]}
    study = wellfit.Study(x[40:], y[40:], wellfit.mlp(4), {"plain": {}, "l1": {"l1": 1e-4}}, **sets, **QUICK)
    done = study.run()
    assert list(done.table().index) == ["plain", "l1"]
    assert study.dataset is not None
    assert study.dataset.validation_rows is not None
    assert len(study.dataset.validation_rows) == 20


def test_groups_and_labels_beside_a_frame() -> None:
    frame = people()
    study = wellfit.Study(
        frame.drop(columns="Churn"), frame["Churn"], groups=np.arange(90) // 3, scale="standardize", **QUICK
    )
    assert study.dataset is not None
    assert study.dataset.groups is not None
    study.run()


def test_no_setting_of_data_is_one_of_training_too() -> None:
    of_data, of_train = (set(settings_of(table)) for table in (Data, Train))
    parameters = set(signature(wellfit.Study.__init__).parameters) | {"y", "model", "variants", *SETS}
    assert not of_data & of_train
    assert not (of_data - {"name", "path"}) & parameters
    assert of_train & parameters == {"seeds"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda data: wellfit.Study(data, label="x"), "label does not apply to a Dataset, which has been read"),
        (lambda data: wellfit.Study("digits", y=[1]), r"y belongs to arrays, as in Study\(x, y\); remove it"),
        (lambda data: wellfit.Study({1}), "data cannot be of type set; give a name, a path, arrays, a DataFrame"),
        (lambda data: wellfit.Study("digits", lable="x"), r"unknown key 'lable' in Study\(...\); .* 'label'"),
        (lambda data: wellfit.Study("digits", epoch=1), r"unknown key 'epoch' in Study\(...\); .* 'epochs'"),
        (lambda data: wellfit.Study("digits", wellfit.mlp(2), {}, 5), "at most 3 arguments without a name"),
        (lambda data: wellfit.Study("digits", wellfit.mlp(2), model=wellfit.mlp(3)), "model is given twice; give it"),
        (lambda data: wellfit.load_dataset("digits", label="x"), "label does not apply to a known data set, which is"),
        (lambda data: wellfit.load_dataset("a.csv", lable="x"), r"unknown key 'lable' in load_dataset\(...\)"),
    ],
)
def test_what_cannot_apply_is_refused_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(WellfitError, match=message) as caught:
        make(wellfit.load_dataset("digits"))
    assert "\n" not in str(caught.value)


def test_mistakes_are_named_as_arguments(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": range(20), "kind": ["x", "y"] * 10})
    for mistake, message in {
        lambda: wellfit.Study(frame, label="nope"): r"^the DataFrame: label = 'nope', but there is no such column",
        lambda: wellfit.Study(frame, label="kind", image_size=4): r"^Study\(\.\.\.\): image_size does not apply",
        lambda: wellfit.Study("digits", label="x").facts(): r"^digits: label does not apply",
        lambda: wellfit.Study("digits", epochs=-1): r"^Study\(\.\.\.\), epochs: must be from 1",
        lambda: wellfit.Study("digits", labl="x"): r"^unknown key 'labl' in Study\(\.\.\.\); did you mean 'label'\?",
        lambda: wellfit.Study("digits", batch_size=10**5).run(tmp_path / "study"): r"for example batch_size=",
        lambda: wellfit.Study(os.fsdecode(b"caf\xe9.csv")): r"^Study\(\.\.\.\): caf\\udce9\.csv: the name is not UTF-8",
        lambda: wellfit.load_dataset(
            "digits", labl=""
        ): r"^unknown key 'labl' in load_dataset\(...\); did you mean 'label",
    }.items():
        with pytest.raises(WellfitError, match=message):
            mistake()
    (tmp_path / "study.toml").write_text('[data]\nname = "digits"\nlabel = "x"\n')
    with pytest.raises(WellfitError, match=r"^digits: \[data\] label does not apply"):
        wellfit.Study.from_toml(tmp_path / "study.toml").facts()


def test_a_study_says_in_python_who_hands_it_in(tmp_path: Path) -> None:
    report = {"authors": ("Ada",), "course": "ML", "text": {"Learning curves": "Flat."}}
    study = wellfit.Study("digits", wellfit.mlp(4), report=report, epochs=1, seeds=1)
    assert study.spec.report == OwnWords(("Ada",), "ML", {"Learning curves": "Flat."})
    results = study.run(tmp_path / "study", progress=False)
    assert results.summary.settings["report"]["authors"] == ["Ada"]
    path = results.report(tmp_path / "r.md", authors="Bob", text="## Data\nFew.")
    text = path.read_text()
    assert "\nBob · ML\n" in text
    assert "## The data\n\nFew.\n" in text
    assert "Flat." not in text
    assert wellfit.Results(tmp_path / "study").summary.settings["report"]["authors"] == ["Bob"]
    for given, message in (
        (
            {"text": {"Curvs": "x"}},
            r"^Study\(\.\.\.\), report\['text'\]: no section is called 'Curvs'; the nearest are 'L",
        ),
        ({"autors": "x"}, "unknown key 'autors'"),
    ):
        with pytest.raises(StudyFileError, match=message):
            wellfit.Study("digits", report=given)
    (tmp_path / "s.toml").write_text('data.name = "digits"\nreport.text.Rankng = "x"\n')
    with pytest.raises(StudyFileError, match=r"s\.toml, \[report\] text: no section is called 'Rankng'"):
        wellfit.Study.from_toml(tmp_path / "s.toml")
