"""``wellfit export``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import fitted_models as made
from commands import Ended
from saved_runs import opened, record
from stores import tree
from wellfit import Results, load, load_dataset
from wellfit.base import ModelSpec
from wellfit.interop.tensorboard import EVENTS

Command = Callable[..., Ended]


def test_the_model_and_its_card_are_in_the_study(command: Command, study_copy: Path) -> None:
    before = tree(study_copy)
    status, out, err = command("export", study_copy, "--format", "onnx")
    assert (status, err) == (0, "")
    model = Results(study_copy).model()
    assert out.splitlines() == [
        f"Model: {study_copy / 'model.onnx'}",
        f"Card: {study_copy / 'model.onnx.md'}",
        f"Variant: {model.origin.choice}",
        f"Expected: {model.origin.expected}",
    ]
    assert tree(study_copy).keys() - before.keys() == {"model.onnx", "model.onnx.md"}
    assert command("verify", study_copy).status == 0
    x = load_dataset("digits").x_test[:20].astype("float32")
    probabilities = onnxruntime.InferenceSession(study_copy / "model.onnx").run(["probabilities"], {"pixels": x})[0]
    assert abs(probabilities - model.predict_proba(x)).max() < 1e-5


def test_all_runs_for_tensorboard(command: Command, study_copy: Path) -> None:
    logs = study_copy / "tensorboard"
    status, out, err = command("export", study_copy, "--format", "TensorBoard")
    assert (status, err) == (0, "")
    assert out.splitlines() == ["Runs: 38", f"To look at them: tensorboard --logdir {logs}"]
    assert (logs / "dropout" / "seed-1" / EVENTS).is_file()
    assert command("verify", study_copy).status == 0
    plain = json.loads(command("export", study_copy, "--format", "tensorboard", "--json").out)
    assert (plain["folder"], plain["format"], plain["runs"]) == (str(logs), "tensorboard", 38)


def test_links_in_a_study_of_a_stranger_lead_nowhere(command: Command, study_copy: Path, tmp_path: Path) -> None:
    victim, logs = tmp_path / "victim", study_copy / "tensorboard"
    (victim / "seed-1").mkdir(parents=True)
    (victim / "seed-1" / EVENTS).write_bytes(b"mine")
    for at in (logs, logs / "baseline"):
        at.parent.mkdir(exist_ok=True)
        at.symlink_to(victim)
        status, out, err = command("export", study_copy, "--format", "tensorboard")
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"wellfit: {at}: a link, ")
        at.unlink()
    (logs / "x").symlink_to(victim)
    assert command("export", study_copy, "--format", "tensorboard").status == 0
    assert [path.relative_to(victim).as_posix() for path in victim.rglob("*")] == ["seed-1", f"seed-1/{EVENTS}"]


def test_json_of_one_network(command: Command, finished_study: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    status, text, _ = command(
        *("export", finished_study, "--variant", "dropout", "--seed", "1", "--out", out, "--json")
    )
    assert status == 0
    plain = json.loads(text)
    keys = ["wellfit", "directory", "model", "card", "format", "variant", "seeds", "classes", "choice", "expected"]
    assert list(plain) == keys
    assert (plain["model"], plain["card"], plain["format"]) == (str(out), f"{out}.md", "safetensors")
    assert (plain["variant"], plain["seeds"], plain["choice"]) == ("dropout", [1], "dropout, as asked")
    assert [network.seed for network in load(out).networks] == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no format: add --format with one of keras, onnx, safetensors, joblib, or an --out that ends in one"),
        (
            ("--format", "onx"),
            "unknown format 'onx'; did you mean 'onnx'? (known: joblib, keras, onnx, safetensors, tensorboard)",
        ),
        (("--format", "onnx", "--variant", "l22"), "unknown variant 'l22' in the variants of the study; did you mean"),
        (("--format", "onnx", "--seed", "7"), "{study}: baseline has no finished run with seed 7; see wellfit show"),
        (("--format", "onnx", "--out", "no/model.onnx"), "no/model.onnx: there is no folder no; create it, or choose"),
        (("--format", "onnx", "--out", "a.keras"), "a.keras does not fit format onnx: it must end in .onnx; change"),
        (("--format", "tensorboard", "--seed", "1"), "--seed 1: TensorBoard is given all runs, to choose from; leave"),
        (("--format", "tensorboard", "--pixels", "uint8"), "--pixels uint8: TensorBoard is given all runs"),
        (("--format", "tensorboard", "--variant", "l2"), "--variant l2: TensorBoard is given all runs, to choose from"),
        (("--format", "tensorboard", "--out", "mine.onnx"), "mine.onnx: a file, not a folder; choose another folder"),
        (("--format", "onnx", "--pixels", "int8"), "pixels = 'int8': choose float32 or uint8"),
        (("--format", "joblib", "--pixels", "uint8"), "pixels = 'uint8': format joblib takes pixels as they come"),
        (("--out", "mine.onnx"), "mine.onnx: was not written by wellfit export, and stays as it is; choose another"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...],
    message: str,
    command: Command,
    finished_study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.onnx").write_text("mine")
    status, out, err = command("export", finished_study, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"wellfit: {message.format(study=finished_study)}")
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.onnx"]


def test_a_models_file_is_exported_too(command: Command, tmp_path: Path) -> None:
    """What ``refit`` saves, for example."""
    model, x = made.image_model(ModelSpec("logistic")), made.digits().astype(np.float32)
    source = model.save(tmp_path / "toy.safetensors")
    status, out, err = command("export", source, "--format", "onnx")
    assert (status, err) == (0, "")
    assert out.splitlines()[:2] == [f"Model: {tmp_path / 'model.onnx'}", f"Card: {tmp_path / 'model.onnx.md'}"]
    found = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(["probabilities"], {"pixels": x})[0]
    assert abs(found - model.predict_proba(x)).max() < 1e-5
    err = command("export", source, "--format", "onnx", "--seed", "1").err
    assert err.startswith(f"wellfit: {source}: a model's file has one variant; leave out --variant and --seed, or give")
    err = command("export", source, "--format", "tensorboard").err
    assert err == f"wellfit: {source}: a file, but TensorBoard shows the runs of a study directory; give that\n"


def test_nothing_finished(command: Command, tmp_path: Path) -> None:
    opened(tmp_path / "study").close()
    status, out, err = command("export", tmp_path / "study", "--format", "onnx")
    assert (status, out) == (2, "")
    assert err == "wellfit: no run of the study 'lab5' has finished; run it first\n"
    err = command("export", tmp_path / "study", "--format", "tensorboard").err
    assert err == f"wellfit: no run of the study in {tmp_path / 'study'} has finished; run it first\n"


def test_every_run_diverged(command: Command, tmp_path: Path) -> None:
    with opened(tmp_path / "study") as store:
        store.runs.save([record(state="diverged", readout_epoch=0, weights={}, scores={})])
    status, out, err = command("export", tmp_path / "study", "--format", "onnx", "--variant", "l2")
    assert (status, out) == (2, "")
    assert err == f"wellfit: {tmp_path / 'study'}: the run of l2 diverged; choose another variant or seed\n"
