"""``wellfit run`` and ``wellfit plan`` where a study grows: by epochs, and by seeds until it is decided."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import stores
from wellfit import cli
from wellfit.study.decide import METHOD


class Told(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Told]
ONE_LAYER = ("--set", "model.hidden=[4]", "--set", "data.train_share=0.1")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Call the command in an empty folder, and return what it told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["wellfit", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return Told(int(end.value.code or 0), *capsys.readouterr())

    return call


def test_more_epochs_go_on_in_the_same_directory(command: Command, tmp_path: Path) -> None:
    study = ("regularization/l2", "--seeds", "1", *ONE_LAYER)
    assert command("run", *study, "--epochs", "1").status == 0
    planned = json.loads(command("plan", *study, "--epochs", "2", "--json").out)
    assert (planned["done"], planned["continued"], planned["anew"]) == (0, planned["trajectories"], {})
    assert planned["saved_epochs"] == planned["trajectories"]
    grown = command("run", *study, "--epochs", "2")
    assert grown.status == 0
    count = planned["continued"]
    assert f"{count} trajectories go on where they ended: {count} trajectory-epochs are saved" in grown.out
    (directory,) = (tmp_path / "wellfit-studies").iterdir()
    assert {row[2] for row in stores.epochs(directory)} == {1, 2}
    fewer = command("run", *study, "--epochs", "1", "--out", str(directory))
    assert fewer.status == 2
    assert fewer.err.count("\n") == 1
    assert "[train] epochs is 2 there and 1 here; choose another directory with --out" in fewer.err


def test_until_it_is_decided(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[data]\nname = "digits"\ntrain_share = 0.1\n[model]\nkind = "logistic"\n'
        "[train]\nepochs = 6\nbatch_size = 32\nlearning_rate = 0.05\n"
        "[variants.plain]\n[variants.weak]\nclass_weights = [1e4, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    )
    run = ("run", "mine.toml", "--until-decided")
    told = command(*run, "--max-seeds", "10", "--max-minutes", "60")
    assert told.status == 0
    assert "Look 1 of 2, at 5 seeds\nDecided: weak (worse)\nNot decided yet: nothing\n" in told.out
    assert " ".join(told.out.split()).count(METHOD) == 1
    assert "Every comparison is decided, at 5 seeds." in told.out
    shown = json.loads(command(*run, "--json").out)
    assert shown["study"]["seeds"] == [0, 1, 2, 3, 4]
    assert [c["verdict"] for c in shown["comparisons"]] == ["worse"]
    other = command(*run, "--max-seeds", "20")
    assert (other.status, other.err.count("\n")) == (2, 1)
    assert "planned at 5, 10 seeds before the first was taken" in other.err
    more = command("run", "mine.toml", "--seeds", "7")
    assert more.status == 2
    assert "go on with --until-decided" in more.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--until-decided", "--seeds", "3"), "--seeds 3 with --until-decided: seeds are added as needed"),
        (("--max-seeds", "9"), "--max-seeds 9: is for --until-decided; add that, or leave it out"),
        (("--max-minutes", "1.5"), "--max-minutes 1.5: is for --until-decided; add that, or leave it out"),
        (("--until-decided", "--max-seeds", "1"), "--max-seeds 1: nothing is decided by fewer than 2 seeds"),
    ],
)
def test_options_that_contradict_each_other(command: Command, options: tuple[str, ...], message: str) -> None:
    told = command("run", *options)
    assert (told.status, told.err.count("\n")) == (2, 1)
    assert message in told.err
    assert not Path("wellfit-studies").exists()
