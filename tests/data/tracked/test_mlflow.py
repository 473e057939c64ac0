"""MLflow's tracking stores."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tracked import ACCURACIES, EXPECTED, LABELS, epochs, predictions, write_mlflow
from wellfit.data.tracked import mlflow
from wellfit.data.tracked.mlflow import read_mlflow
from wellfit.data.tracked.read import kind_of, read_runs
from wellfit.data.tracked.runs import Tracked, TrackedRun
from wellfit.errors import DataError, UnknownNameError
from wellfit.files import TemporaryFolder

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.fixture(autouse=True)
def _no_reports_and_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


def check(folder: Path) -> None:
    found = read_runs([folder])
    assert {(run.variant, run.seed): run.accuracy for run in found.runs} == EXPECTED
    history = found.histories["l2=0.01", 5]
    np.testing.assert_allclose(history["validation_loss"], [of["val_loss"] for _, of in epochs("0.01", 5)])
    assert found.settings["l2=0"] == {"l2": "0", "epochs": "4"}
    assert found.notes[:4] == ("Read: 6 runs of MLflow.", "Seed: seed.", "Variant: l2.",
                               "Accuracy: the last test_acc of each run.")  # fmt: skip


def test_a_folder(tmp_path: Path):
    pytest.importorskip("mlflow")
    write_mlflow(str(tmp_path / "mlruns"), tmp_path / "work")
    check(tmp_path / "mlruns")
    (experiment,) = (path for path in (tmp_path / "mlruns").iterdir() if path.name.isdigit() and path.name != "0")
    check(experiment)


@pytest.mark.parametrize("form", ["npz", "csv"])
def test_predictions_among_the_artifacts_of_a_moved_database(tmp_path: Path, form: str):
    pytest.importorskip("mlflow")
    (tmp_path / "here").mkdir()
    write_mlflow(f"sqlite:///{tmp_path}/here/mlflow.db", tmp_path / "here", artifacts=form)
    (tmp_path / "here").rename(tmp_path / "there")
    file = tmp_path / "there" / "mlflow.db"
    before = file.read_bytes()
    found = read_runs([file])
    assert file.read_bytes() == before
    assert f"Predictions: the artifact predictions.{form} of each run." in found.notes
    np.testing.assert_array_equal(found.labels, LABELS)
    for run in found.runs:
        expected = predictions(run.variant.removeprefix("l2="), run.seed)
        values = run.values()
        np.testing.assert_array_equal(values if form == "csv" else values.argmax(axis=1), expected.argmax(axis=1))
        assert (
            np.mean((values if form == "csv" else values.argmax(axis=1)) == LABELS)
            == ACCURACIES[run.variant.removeprefix("l2="), run.seed]
        )
    chosen = read_runs([f"sqlite:///{file}"], tracked=Tracked(accuracy="test_acc"))
    assert {(run.variant, run.seed): run.accuracy for run in chosen.runs} == EXPECTED


def test_unfinished_runs_and_parents_are_left_out_and_said(tmp_path: Path):
    pytest.importorskip("mlflow")
    client = write_mlflow(str(tmp_path / "mlruns"), tmp_path / "work")
    (first, *_) = client.search_experiments(filter_string="name = 'exp'")
    parent = client.create_run(first.experiment_id, run_name="sweep").info.run_id
    for status in ("FAILED", "RUNNING", "FINISHED"):
        run = client.create_run(first.experiment_id, tags={"mlflow.parentRunId": parent}).info.run_id
        if status == "FINISHED":
            client.set_terminated(parent)
            client.delete_run(run)
        elif status == "FAILED":
            client.set_terminated(run, "FAILED")
    found = read_runs([tmp_path / "mlruns"])
    assert len(found.runs) == 6
    notes = " ".join(found.notes)
    assert "Left out: runs that are not finished (1 RUNNING, 1 FAILED)." in notes or "(1 FAILED, 1 RUNNING)" in notes
    assert "Left out: 1 without metrics, which only hold other runs together." in notes


def test_several_experiments_are_chosen_from(tmp_path: Path):
    pytest.importorskip("mlflow")
    store = tmp_path / "mlruns"
    client = write_mlflow(str(store), tmp_path / "work")
    other = client.create_experiment("other")
    client.create_run(other)
    with pytest.raises(DataError, match=r"runs of the experiments .*; choose with --experiment NAME"):
        read_mlflow(store, Tracked())
    found = read_mlflow(store, Tracked(experiment="exp"))
    assert (len(found.runs), found.notes) == (6, ["Experiment: exp; 2 others are not read."])
    with pytest.raises(UnknownNameError, match=r"unknown experiment 'ex'.*did you mean 'exp'"):
        read_mlflow(store, Tracked(experiment="ex"))
    with pytest.raises(DataError, match=r"has no finished run \(1 RUNNING\); judge it when runs are finished"):
        read_mlflow(store, Tracked(experiment="other"))


def test_runs_without_a_seed_or_there_twice_are_one_line(tmp_path: Path):
    pytest.importorskip("mlflow")
    client = write_mlflow(str(tmp_path / "a"), tmp_path / "work", seed="fold")
    with pytest.raises(DataError, match=r"no setting is called seed .*--seed-param NAME.*settings: .*fold"):
        read_runs([tmp_path / "a"])
    assert len(read_runs([tmp_path / "a"], tracked=Tracked(seed="fold")).variants) == 2
    (one, *_) = client.search_experiments(filter_string="name = 'exp'")
    run = client.create_run(one.experiment_id, run_name="again").info.run_id
    for key, value in (("l2", "0"), ("fold", "3"), ("epochs", "4")):
        client.log_param(run, key, value)
    client.set_terminated(run)
    with pytest.raises(
        DataError, match=r"run again .*variant 'l2=0', seed 3 is there twice, here and in .*run run-0-3"
    ):
        read_runs([tmp_path / "a"], tracked=Tracked(seed="fold"))


def test_what_mlflow_leaves_out_is_said_or_refused_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    pytest.importorskip("mlflow")
    store = tmp_path / "a"
    write_mlflow(str(store), tmp_path / "work")
    (store / "7").mkdir()  # such as MLflow itself leaves
    found = read_runs([store])
    assert len(found.runs) == 6
    assert not any("left out" in note for note in found.notes)
    experiment = next(path for path in store.iterdir() if (path / "meta.yaml").is_file() and path.name != "0")
    described = (experiment / "meta.yaml").read_text()
    (store / "7" / "meta.yaml").write_text(described.replace(experiment.name, "8"))
    assert any(note.startswith("MLflow left out what it cannot read: ") for note in read_runs([store]).notes)
    shutil.rmtree(store / "7")
    run = next(path for path in experiment.iterdir() if (path / "meta.yaml").is_file())
    whole = (run / "meta.yaml").read_text()
    (run / "meta.yaml").unlink()
    with pytest.raises(DataError, match=f"{run.name}: a run without its meta.yaml; restore that, or delete the folder"):
        read_runs([store])
    (run / "meta.yaml").write_text(whole.replace(experiment.name, "8"))
    with pytest.raises(
        DataError, match=r"a: MLflow cannot read a run \(.* Run will be ignored\); repair its folder, or"
    ):
        read_runs([store])
    (run / "meta.yaml").write_text("run_id: [\n")
    with pytest.raises(DataError, match=r"a: MLflow cannot read it \("):
        read_runs([store])
    (run / "meta.yaml").write_text(whole)
    for at, odd in enumerate((run / "params" / "l2", run / "metrics" / "test_acc")):
        odd.unlink()
        os.mkfifo(odd) if at == 0 else odd.symlink_to(tmp_path / "gone")
        with pytest.raises(DataError, match=f"{odd.name}: {('a pipe', 'a link that leads nowhere')[at]}, not a file"):
            read_runs([store])
        odd.unlink()
        odd.write_text("1")
    (experiment / "meta.yaml").write_text(described.replace(experiment.name, "1234"))
    with pytest.raises(DataError, match=r"has no runs that MLflow can read \(.*\); repair that"):
        read_runs([store])
    assert capfd.readouterr() == ("", "")


def test_what_is_no_store_is_one_line(tmp_path: Path):
    pytest.importorskip("mlflow")
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(DataError, match="no store of MLflow; give the folder mlruns"):
        read_mlflow(tmp_path / "x.txt", Tracked())
    write_mlflow(str(tmp_path / "a"), tmp_path / "work")
    shutil.rmtree(next(path for path in (tmp_path / "a").iterdir() if path.name not in ("0", ".trash", "models")))
    with pytest.raises(DataError, match="has no runs; log some first"):
        read_mlflow(tmp_path / "a", Tracked())
    with pytest.raises(DataError, match=r"http://127.0.0.1:9: MLflow cannot read it .*; check that the server answers"):
        read_runs(["http://127.0.0.1:9"])
    with pytest.raises(DataError, match=r"with a user's name: .*MLFLOW_TRACKING_PASSWORD") as caught:
        read_runs(["http://me:secret@127.0.0.1:9"])
    assert "secret" not in str(caught.value)
    old = tmp_path / "old.db"
    write_mlflow(f"sqlite:///{old}", tmp_path / "work2")
    import sqlite3

    with sqlite3.connect(old) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    connection.close()
    with pytest.raises(
        DataError, match=r"MLflow cannot read it .*; bring it up to date with: mlflow db upgrade sqlite:///"
    ):
        read_runs([old])


def test_the_environment_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")
    before = dict(os.environ)
    with pytest.raises(DataError):
        read_mlflow(tmp_path, Tracked())
    assert dict(os.environ) == before


def test_without_mlflow_the_line_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "meta.yaml").write_text("name: Default\n")
    assert kind_of(tmp_path) == "mlflow"
    with pytest.raises(DataError, match=r'needs MLflow, which is not installed; .*pip install "wellfit\[mlflow\]"'):
        read_runs([tmp_path])


class Server:
    """As much of a client as artifacts need."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def list_artifacts(self, run_id: str, folder: str | None) -> list[SimpleNamespace]:
        if self.error:
            raise self.error
        return [SimpleNamespace(is_dir=False, path=f"{name}.npz", file_size=None) for name in ("pred", "test_pred")]

    def download_artifacts(self, run_id: str, path: str, place: str) -> str:
        (Path(place) / path).write_bytes(b"12345")
        return str(Path(place) / path)


def with_artifacts(client: Server) -> list[TrackedRun]:
    runs = [SimpleNamespace(info=SimpleNamespace(run_id=name)) for name in ("a", "b")]
    return mlflow._with_artifacts(client, runs, [TrackedRun("a"), TrackedRun("b")], "http://x", TemporaryFolder())


def test_artifacts_that_a_server_cannot_give_are_one_line(monkeypatch: pytest.MonkeyPatch):
    assert [sorted(run.artifacts) for run in with_artifacts(Server())] == [["pred.npz", "test_pred.npz"]] * 2
    with pytest.raises(DataError, match=r"a: its artifacts cannot be read \(no credentials here\); give access, or"):
        with_artifacts(Server(RuntimeError("no credentials\nhere")))
    monkeypatch.setattr(mlflow, "_MOST_IN_ALL", 12)
    with pytest.raises(DataError, match=r"run b: artifacts of more than 12 bytes in all; judge metrics with --acc"):
        with_artifacts(Server())


def test_artifacts_are_not_looked_at_where_a_metric_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("mlflow")
    write_mlflow(str(tmp_path / "mlruns"), tmp_path / "work")
    monkeypatch.setattr(mlflow, "_with_artifacts", None)
    assert len(read_mlflow(tmp_path / "mlruns", Tracked(accuracy="test_acc")).runs) == 6


def test_curves_of_too_many_numbers_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("mlflow")
    write_mlflow(str(tmp_path / "mlruns"), tmp_path / "work")
    monkeypatch.setattr(mlflow, "_MOST_POINTS", 3)
    with pytest.raises(DataError, match=r"curves of more than 3 numbers; .*WELLFIT_LIMITS=2"):
        read_mlflow(tmp_path / "mlruns", Tracked())


def test_damaged_files_are_one_line_and_leftovers_are_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    pytest.importorskip("mlflow")
    write_mlflow(str(tmp_path / "mlruns"), tmp_path / "work")
    (tmp_path / "mlruns" / "1").mkdir()  # as a run that was tracked in a database leaves it
    check(tmp_path / "mlruns")
    assert capfd.readouterr().err == ""
    file = next((tmp_path / "mlruns").glob("*/*/metrics/test_acc"))
    whole = file.read_text()
    file.write_text(whole.replace("0.", "0.{", 1))
    with pytest.raises(DataError, match="MLflow cannot read it"):
        read_runs([tmp_path / "mlruns"])
    file.write_text(whole)
    meta = next(path for path in (tmp_path / "mlruns").glob("*/meta.yaml") if path.parent.name != "0")
    meta.write_text(meta.read_text()[:40] + ": [")
    with pytest.raises(DataError, match="mlruns"):
        read_runs([tmp_path / "mlruns"])
