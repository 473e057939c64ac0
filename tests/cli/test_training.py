"""``wellfit run`` and ``plan``: whole studies, growing ones, interrupted ones."""

from __future__ import annotations

import hashlib
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import stores
from commands import SMALL, VARIANTS, Ended, ended, process
from keras_texts import archive, layer, part, sequential
from wellfit.data.catalog import load_dataset
from wellfit.spec.study import load_study
from wellfit.study.run import run_study
from wellfit.study.session import Session

Command = Callable[..., Ended]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, and lines that do not wrap."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")


ONE_LAYER = ("--set", "model.hidden=[4]", "--set", "data.train_share=0.1")


def test_run_prints_plan_table_verdict_and_report(finished_study: Path) -> None:
    text = (finished_study.parents[1] / "told.txt").read_text()
    shown = text.splitlines()
    title = "Which regularizer makes a 128-64 network generalize from 300 digits? (with model.hidden=[16])"
    assert " ".join(shown[:2]) == title
    assert shown[3:5] == [
        "300 training, 287 validation and 359 test examples a seed; 1,797 test examples",
        "  in all folds",
    ]
    assert shown[5].startswith("Classes: 10: 0 (178), 1 (182), 2 (177)")
    assert shown[7] == "Images: 8 × 8 pixels, values 0 to 16, divided by 16"
    assert shown[8] == "Test set: none given; each seed is tested on another fifth of the 1,797 examples"
    assert shown[9] == "Training examples: 300 of the 1,150 in each training split, stratified by class"
    assert shown[10] == "38 results from 32 trainings"
    assert re.fullmatch(
        r"1,210 to 2,410 parameters, 2 epochs; [a-z ]*\d[\w. ]* and \d+(\.\d)? [MG]B of memory", shown[11]
    )
    assert [found[1] for line in shown if (found := re.match(r"(\S+) +\d+\.\d\d ", line))][: len(VARIANTS)] == VARIANTS
    assert "are undecided, because two seeds" in text.replace("\n", " ")
    assert re.fullmatch("Fingerprint: [0-9a-f]{16}", shown[-1])
    assert shown[-2] == f"Report: wellfit-studies/{finished_study.name}/report.html"
    assert re.fullmatch("regularization-digits-[0-9a-f]{4}", finished_study.name)  # another study than the built-in one
    assert "Run five seeds (--seeds 5)" in text
    assert "early-stopping" in (finished_study / "report.html").read_text()
    assert len(stores.epochs(finished_study)) == len(VARIANTS) * 2 * 2
    assert len(stores.probabilities(finished_study)) == len(VARIANTS) * 2 + 2  # labels, and what a report keeps
    ((facts,),) = stores.rows(finished_study, "SELECT value FROM study WHERE key = 'provenance'")
    assert json.loads(facts)["command"] == "wellfit run --seeds 2 --epochs 2 --set 'model.hidden=[16]'"


@pytest.mark.usefixtures("short_page", "here")
def test_run_again_trains_nothing(command: Command, study_copy: Path) -> None:
    before = stores.rows(study_copy, "SELECT * FROM runs")
    ended = command("run", *SMALL, "--out", study_copy, "--tensorboard", "logs of it")
    assert ended.status == 0
    assert ended.out.rstrip().endswith("TensorBoard: tensorboard --logdir 'logs of it'")
    assert len([*Path("logs of it").glob("*/seed-*/*tfevents*")]) == 38  # of runs that were trained before
    assert "Nothing to train: the study directory already holds 38 results" in ended.out
    assert "Training: " not in ended.out
    assert stores.rows(study_copy, "SELECT * FROM runs") == before
    assert (study_copy / "report.html").is_file()


@pytest.mark.usefixtures("short_page")
def test_more_seeds_add_only_the_new_runs(command: Command, study_copy: Path) -> None:
    runs, epochs = stores.rows(study_copy, "SELECT * FROM runs"), stores.epochs(study_copy)
    ended = command("run", *SMALL, "--seeds", "3", "--out", study_copy)
    assert ended.status == 0
    assert "19 results from 16 trainings" in ended.out
    assert "38 more are already done" in ended.out
    assert stores.rows(study_copy, "SELECT * FROM runs WHERE seed < 2") == runs  # their times of ending, too
    assert [row for row in stores.epochs(study_copy) if row[1] < 2] == epochs
    assert {row[:2] for row in stores.epochs(study_copy) if row[1] == 2} == {(name, 2) for name in VARIANTS}
    assert "regularization" not in command("run", *SMALL, "--seeds", "1", "--out", study_copy).err  # fewer is no other


def test_fresh_starts_over_and_json_is_alone_on_stdout(command: Command, study_copy: Path) -> None:
    (study_copy / "report.html").write_text("old")
    (study_copy / "notes.txt").write_text("mine")
    other = study_copy.parent / "other.toml"
    other.write_text('[data]\nname = "digits"\n[model]\nhidden = [8]\n[train]\nepochs = 1\nseeds = 1\n')
    ended = command("run", other, "--out", study_copy, "--fresh", "--json")
    assert ended.status == 0
    shown = json.loads(ended.out)
    assert shown["study"] | {"seconds": 0} == {
        "name": "other", "data": "digits", "state": "finished", "seeds": [0], "epochs": 1, "seconds": 0,
        "directory": str(study_copy),
    }  # fmt: skip
    assert [(v["name"], v["parameters"]) for v in shown["variants"]] == [("baseline", 64 * 8 + 8 + 8 * 10 + 10)]
    assert "1,150 training" in ended.err  # plan and progress
    assert len(stores.epochs(study_copy)) == 1
    assert (study_copy / "report.html").read_text() != "old"
    assert (study_copy / "notes.txt").read_text() == "mine"


def test_quick_and_precision_make_another_study(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("regularization/l2", "--quick", "--epochs", "1", "--seeds", "1", "--precision", "mixed")
    ended = command("run", *small)
    assert ended.status == 0
    assert ended.out.splitlines()[0] == "How much L2 does a 128-64 network need to learn from 300 digits? (quick)"
    assert "4 results from 4 trainings" in ended.out  # the baseline, and three values of six
    assert "Products in bfloat16" not in ended.out
    (result,) = (tmp_path / "wellfit-studies").iterdir()
    assert "bfloat16" in (result / "report.html").read_text()
    ended = command("run", *small[:-1], "float32", "--out", result)
    assert (ended.status, ended.out) == (2, "")
    assert '[train] precision is "mixed" there and "float32" here' in ended.err
    assert "Nothing to train" in command("run", *small).out


@pytest.mark.slow
def test_a_changed_study_does_not_meet_the_built_in_one(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for setting in ("train.batch_size=512", "train.batch_size=256"):
        assert command("run", "--seeds", "1", "--epochs", "1", "--set", setting).status == 0
    assert len(list((tmp_path / "wellfit-studies").iterdir())) == 2


# --- plan -------------------------------------------------------------------------------------------------------------


def test_plan_prints_what_run_prints_first(
    command: Command, finished_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    planned = command("plan", *SMALL)
    assert (planned.status, planned.err, stores.tree(tmp_path)) == (0, "", {})

    def stable(text: str) -> list[str]:
        shown = [line for line in text.splitlines() if not line.startswith("Other programs use the processor")][:12]
        forecast = r"; [a-z ]*\d[\w. ]* and \d+(\.\d)? [MG]B of memory"  # of this process as it is now
        assert [bool(re.search(forecast, line)) for line in shown].count(True) == 1
        return [re.sub(forecast, "", line) for line in shown]

    assert stable(planned.out) == stable((finished_study.parent.parent / "told.txt").read_text())
    full = command("plan", *SMALL, "--full").out.splitlines()
    assert stable("\n".join(full)) == stable(planned.out)
    assert re.fullmatch(r"4 programs on \d+ devices?", full[12])
    assert full[13] == "Products in float32"
    assert planned.out.splitlines()[12:] == full[14:]
    assert full[14].startswith("Decides nothing that is likely: 2 seeds")


def test_plan_counts_what_is_done(command: Command, study_copy: Path) -> None:
    before = stores.tree(study_copy)
    ended = command("plan", *SMALL, "--seeds", "3", "--out", study_copy)
    assert "19 results from 16 trainings" in ended.out
    assert "38 more are already done" in ended.out
    assert "Nothing to train" in command("plan", *SMALL, "--out", study_copy).out
    assert "38 results from 32 trainings" in command("plan", *SMALL, "--out", study_copy, "--fresh").out
    assert stores.tree(study_copy) == before


def test_plan_json(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("wellfit.engine.precision.mixed_is_faster", lambda: True)
    small = json.loads(command("plan", "--quick", "--precision", "auto", "--json").out)
    assert small["precision"] == {"asked": "auto", "chosen": "products in float32"}  # the digits fit the cache
    monkeypatch.setattr("wellfit.study.planning.is_small", lambda shape, examples: False)
    ended = command("plan", "--quick", "--precision", "auto", "--json")
    assert (ended.status, ended.err, stores.tree(tmp_path)) == (0, "", {})
    shown = json.loads(ended.out)
    assert shown["study"]["title"].endswith("(quick)")
    assert re.fullmatch(r"wellfit-studies.regularization-digits-[0-9a-f]{4}", shown["study"]["directory"])
    assert (shown["epochs"], shown["seeds"], shown["runs"], shown["trajectories"], shown["done"]) == (
        *(30, [0, 1, 2], 3 * len(VARIANTS), 3 * (len(VARIANTS) - 3), 0),
    )
    assert shown["precision"] == {"asked": "auto", "chosen": "products in bfloat16, sums in float32"}


# --- Growing ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("here")
def test_more_epochs_continue_in_the_same_directory(command: Command, tmp_path: Path) -> None:
    study = ("regularization/l2", "--seeds", "1", *ONE_LAYER)
    assert command("run", *study, "--epochs", "1").status == 0
    planned = json.loads(command("plan", *study, "--epochs", "2", "--json").out)
    assert (planned["done"], planned["continued"], planned["restarted"]) == (0, planned["trajectories"], {})
    assert planned["saved_epochs"] == planned["trajectories"]
    grown = command("run", *study, "--epochs", "2")
    assert grown.status == 0
    count = planned["continued"]
    assert f"{count} trainings continue where they ended, which saves {count} epochs" in grown.out
    (directory,) = (tmp_path / "wellfit-studies").iterdir()
    assert {row[2] for row in stores.epochs(directory)} == {1, 2}
    fewer = command("run", *study, "--epochs", "1", "--out", str(directory))
    assert fewer.status == 2
    assert fewer.err.count("\n") == 1
    assert "[train] epochs is 2 there and 1 here; choose another directory with --out" in fewer.err


@pytest.mark.usefixtures("here")
def test_parts_of_a_study_are_merged(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[data]\nname = "digits"\ntrain_share = 0.1\n[model]\nkind = "logistic"\n'
        "[train]\nepochs = 2\nbatch_size = 32\nseeds = 3\n[variants.plain]\n[variants.l2]\nl2 = 0.1\n"
    )
    first = command("run", "mine.toml", "--shard", "1/2")
    directory = tmp_path / "wellfit-studies" / "mine-digits-1of2"
    assert first.status == 0
    found = re.search(r"Part 1 of 2: (\d) of 6 results, in wellfit-studies/mine-digits-1of2\n", first.out)
    assert found
    assert "When both parts have finished: wellfit merge" in first.out
    assert not (directory / "report.html").exists()
    second = json.loads(command("run", "mine.toml", "--shard", "2/2", "--json", "--out", "b").out)
    assert (second["directory"], second["shard"], second["of"]) == ("b", [2, 2], 6)
    assert second["results"] == 6 - int(found[1])
    assert "This is part 1/2 of a study: " in command("show", str(directory)).out.replace("\n", " ")
    both = command("run", "mine.toml", "--shard", "2/2", "--out", directory)  # into the directory of the first
    assert "Report: wellfit-studies" not in first.out
    assert "report.html" in both.out
    assert (directory / "report.html").exists()
    command("run", "mine.toml", "--shard", "1/2", "--fresh", "--out", directory)
    merged = command("merge", str(directory), "b", "--out", "whole")
    assert merged.status == 0
    assert "whole: 6 runs, " in merged.out
    assert command("verify", "whole").status == 0
    assert "still missing" not in merged.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--until-decided", "--seeds", "3"), "--seeds 3 with --until-decided: seeds are added as needed"),
        (("--max-seeds", "9"), "--max-seeds 9: needs --until-decided; add that, or leave --max-seeds out"),
        (("--max-minutes", "1.5"), "--max-minutes 1.5: needs --until-decided; add that, or leave --max-minutes out"),
        (("--out", "a", "--tensorboard", "a"), "a: holds the study itself; choose another folder, such as "),
        (
            ("--until-decided", "--shard", "1/2"),
            "--shard 1/2 with --until-decided: parts cannot decide; merge them first",
        ),
        (("--shard", "3/2"), "--shard 3/2: there is no such part; in I/N, I is from 1 to N"),
        (("--shard", "1/2", "--precision", "auto"), "--shard 1/2 with precision auto: every machine would choose"),
        (("--shard", "1/900"), "--shard 1/900: the study can be divided into at most "),
        (("--until-decided", "--max-seeds", "1"), "--max-seeds 1: comparing variants takes at least 2 seeds"),
    ],
)
@pytest.mark.usefixtures("here")
def test_contradicting_options_are_refused(command: Command, options: tuple[str, ...], message: str) -> None:
    shown = command("run", *options)
    assert (shown.status, shown.err.count("\n")) == (2, 1)
    assert message in shown.err
    assert not Path("wellfit-studies").exists()


# --- Interrupts -------------------------------------------------------------------------------------------------------


def test_an_interrupted_command_says_how_to_continue(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wellfit.study.run.run_study", pressed)
    ended = command("run", "--out", tmp_path / "a study", "--fresh")
    assert ended.status == 130
    assert ended.out.splitlines() == [
        f"Interrupted. Finished runs and the last checkpoint are kept in {tmp_path / 'a study'}.",
        f"To continue: wellfit run --out '{tmp_path / 'a study'}'",
    ]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study file, and its study trained without interruption."""
    place = tmp_path_factory.mktemp("uninterrupted")
    (place / "study.toml").write_text(
        '[data]\nname = "digits"\n[model]\nhidden = [16]\n[train]\nepochs = 100\nbatch_size = 128\nseeds = 2\n'
        "[variants.baseline]\n[variants.dropout]\ndropout = 0.3\n"
    )
    run_study(Session(load_study(str(place / "study.toml")), load_dataset("digits"), place / "whole"))
    return place


@pytest.mark.parametrize("wish", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_study_ends_with_the_same_bits(
    wish: signal.Signals, command: Command, uninterrupted: Path, tmp_path: Path
) -> None:
    study = uninterrupted / "study.toml"
    running = process("run", study, "--out", tmp_path / "stopped")
    assert running.stdout is not None
    for line in running.stdout:  # after the first of its epochs
        if line.startswith("Training:"):
            break
    running.send_signal(wish)
    stopped = ended(running)
    assert stopped.status == 130, stopped
    assert stopped.err == ""
    assert re.search(r"Stopped at \d+ % after", stopped.out)
    assert f"To continue: wellfit run {study} --out {tmp_path / 'stopped'}\n" in stopped.out
    assert stores.epochs(tmp_path / "stopped") == []  # it was in the midst of its only population
    assert "interrupted" in command("show", tmp_path / "stopped").out

    assert command("run", study, "--out", tmp_path / "stopped").status == 0
    assert len(stores.epochs(uninterrupted / "whole")) == 4 * 100
    assert stores.same_bits(tmp_path / "stopped", uninterrupted / "whole")


# --- Built-in studies on other data -----------------------------------------------------------------------------------


def _table(path: Path) -> None:
    """90 rows of four features, of very different sizes, in three classes."""
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3  # (90,)
    x = (rng.normal(0, 1, (90, 4)) + labels[:, None]) * [1, 10, 100, 1000]  # (90, 4)
    np.savetxt(path, np.column_stack([x, labels]), delimiter=",", header="a,b,c,d,label", comments="", fmt="%.6g")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "study",
    [
        "sample-size",
        pytest.param("augmentation", marks=pytest.mark.slow),
        pytest.param("lab5/batch-size", marks=pytest.mark.slow),
    ],
)
def test_a_builtin_study_trains_on_a_small_table_and_finds_its_directory_again(command: Command, study: str) -> None:
    _table(Path("table.csv"))
    arguments = (study, "--data", "table.csv", "--quick", "--seeds", "2", "--epochs", "2")
    ended = command("run", *arguments, "--json")
    assert ended.status == 0, ended.err
    variants = json.loads(ended.out)["variants"]
    assert len(variants) >= 3
    assert all(run["state"] == "finished" for variant in variants for run in variant["runs"])
    again = command("run", *arguments)
    assert f"Nothing to train: the study directory already holds {2 * len(variants)} results" in again.out


@pytest.mark.usefixtures("here")
def test_a_builtin_study_that_needs_images_is_refused_for_a_table(command: Command) -> None:
    _table(Path("table.csv"))
    for name in ("run", "plan", "model", "look"):
        ended = command(name, "lab-lenet5", "--data", "table.csv")
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith("wellfit: lab-lenet5: its lenet5 model needs images, but table has rows of 4 feat")
        assert len(ended.err.splitlines()) == 1
    assert [path.name for path in Path().iterdir()] == ["table.csv"]


# --- A network from Keras ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("here")
def test_a_study_of_a_network_from_keras(command: Command, tmp_path: Path) -> None:
    network = [
        layer("Dense", units=4, activation="relu", kernel_regularizer=part("L2", l2=0.01)),
        layer("Dense", units=10),
    ]
    path = tmp_path / "net.keras"
    path.write_bytes(archive(sequential(*network, shape=(64,))))
    text = '[data]\nname = "digits"\ntrain_share = 0.1\n[model]\nkeras = "net.keras"\n[train]\nepochs = 1\nseeds = 1\n'
    (tmp_path / "lab.toml").write_text(text)
    planned = command("plan", "lab.toml").out
    assert f"Network: net.keras (SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()})" in planned
    assert "1 result from 1 training" in planned
    assert command("run", "lab.toml", "--out", "out").status == 0
    path.write_bytes(path.read_bytes() + b"\0")  # another file with the same network
    assert "Nothing to train" in command("plan", "lab.toml", "--out", "out").out
    path.write_bytes(archive(sequential(*network, layer("LSTM", units=3))))
    refused = command("plan", "lab.toml", "--out", "out")
    assert (refused.status, refused.out) == (2, "")
    assert re.fullmatch(
        r"wellfit: lab\.toml, line 5, \[model\] keras: net\.keras, layer 3 \(LSTM 'lstm'\): wellfit has no such .*\n",
        refused.err,
    )
    path.unlink()
    shown = command("show", "out", "--json")
    assert shown.status == 0
    assert json.loads(shown.out)["settings"]["base"]["l2"] == 0.01
    assert command("verify", "out").status == 0
