"""``wellfit judge``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import wellfit
from commands import Ended
from predictions import LABELS, accuracy_frame, all_runs, archives, long_frame
from tracked import FIXTURES

Command = Callable[..., Ended]


def test_judge_writes_a_study_directory(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "judged"
    ended = command("judge", archives(tmp_path / "runs"), "--out", out, "--title", "Does l2 help?")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("Does l2 help?\nruns, 3 seeds, 9 of 9 runs, finished\n")
    assert "l2 was better than baseline in test accuracy" in ended.out
    assert (out / "report.html").is_file()
    for words in (("show", out, "--full"), ("verify", out), ("report", out, "--format", "md"), ("show", out, "--json")):
        ended = command(*words)
        assert (ended.status, ended.err) == (0, ""), words
    assert json.loads(ended.out)["settings"]["elsewhere"]


def test_forms_agree(command: Command, tmp_path: Path) -> None:
    long_frame().to_csv(tmp_path / "long.csv", index=False)
    accuracy_frame().to_csv(tmp_path / "accuracies.csv", index=False)
    found = {}
    for name, given in (
        ("runs", archives(tmp_path / "runs")),
        *((n, tmp_path / f"{n}.csv") for n in ("long", "accuracies")),
    ):
        ended = command("judge", given, "--out", tmp_path / f"of-{name}", "--json")
        assert (ended.status, ended.err) == (0, "")
        found[name] = json.loads(ended.out)
    of_runs = {c["variant"]: c for c in found["runs"]["comparisons"]}
    assert {c["variant"]: c for c in found["long"]["comparisons"]} == of_runs
    for c in found["accuracies"]["comparisons"]:
        assert abs(c["difference"] - of_runs[c["variant"]]["difference"]) < 1e-12


def test_what_a_logger_keeps_is_judged_and_what_was_taken_is_said(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    out = tmp_path / "judged"
    ended = command("judge", FIXTURES / "lightning_logs", "--out", out, "--json")
    assert ended.status == 0, ended.err
    assert ended.err.splitlines() == [
        "wellfit: Read: 6 runs of Lightning.",
        "wellfit: Seed: seed.",
        "wellfit: Variant: l2.",
        "wellfit: Accuracy: the last test_acc of each run.",
        "wellfit: Compared with l2=0, the first variant; --baseline names another.",
    ]
    found = json.loads(ended.out)
    assert found["provenance"]["read as"].startswith("Read: 6 runs of Lightning. Seed: seed.")
    assert found["settings"]["variants"]["l2=0.01"]["changes"]["optimizer/name"] == "adam"
    assert command("verify", out).status == 0
    ended = command("judge", FIXTURES / "keras" / "csv", "--out", tmp_path / "other")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "say with --accuracy NAME which is; one of validation is not the test accuracy" in ended.err
    ended = command(
        *("judge", FIXTURES / "keras" / "csv", "--out", tmp_path / "other", "--accuracy", "val_accuracy", "--unpaired")
    )
    assert ended.status == 0, ended.err
    assert "It is of validation examples" in ended.err
    assert "It is of validation examples: where these chose" in " ".join(ended.out.split())
    assert "in val_accuracy?" in ended.out.splitlines()[0]


def test_mistakes_are_one_line_and_nothing_is_written(command: Command, tmp_path: Path) -> None:
    runs = archives(tmp_path / "runs")
    (tmp_path / "other").mkdir()
    for words, message in (
        (("--look", "two"), "--look two: give which look it is of how many, for example --look 2/4"),
        (("--baseline", "l3"), "did you mean"),
        (("--classes", "a,b"), "2 class names for 3 probabilities"),
        (("--margin", "-1"), "margin"),
        (("--labels", tmp_path / "gone.npz"), "no such file"),
        (("--curves", tmp_path / "gone.csv"), "gone.csv"),
        (("--name", "a b"), "a name has"),
    ):
        ended = command("judge", runs, "--out", tmp_path / "out", *words)
        assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1), words
        assert message in ended.err, ended.err
        assert not (tmp_path / "out").exists()
    ended = command("judge", runs, "--out", tmp_path / "other")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "already exists" in ended.err


def test_the_verdict_on_logged_runs_is_that_on_the_arrays(command: Command, tmp_path: Path) -> None:
    for name, of in all_runs(3).items():
        for seed, p in enumerate(of):
            wellfit.log(name, seed, p, y_test=LABELS if seed else None, out=tmp_path / "runs",
                        curves=[(e, "loss", split, 1 / e) for e in (1, 2) for split in ("train", "validation")],
                        settings={"rate": 0.5})  # fmt: skip
    ended = command("judge", tmp_path / "runs", "--out", tmp_path / "judged")
    assert (ended.status, ended.err) == (0, "")
    logged, direct = wellfit.Results(tmp_path / "judged"), wellfit.judge(LABELS, all_runs(3))
    by_name = [of.compare().sort_values("variant", ignore_index=True) for of in (logged, direct)]
    pd.testing.assert_frame_equal(*by_name)
    assert len(logged.history()) == 18
    assert logged.summary.variants[0].settings == {"rate": 0.5}


def test_labels_that_are_a_pipe_do_not_hang(command: Command, tmp_path: Path) -> None:
    archives(tmp_path / "runs")
    os.mkfifo(tmp_path / "pipe.csv")
    ended = command("judge", tmp_path / "runs", "--labels", tmp_path / "pipe.csv", "--out", tmp_path / "judged")
    assert ended.status == 2
    assert "give a file with the labels of all examples" in ended.err
