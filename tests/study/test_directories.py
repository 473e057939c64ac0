"""Where studies without ``--out`` are kept."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from small_studies import points, small
from wellfit.spec.identity import default_directory
from wellfit.spec.study import load_study
from wellfit.study.directories import directory_of
from wellfit.study.run import run_study
from wellfit.study.session import Session


def test_more_epochs_share_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def place(epochs: int) -> Path:
        return directory_of(load_study(settings=["model.hidden=[4]"], epochs=epochs, seeds=1), None, "digits")

    first = place(2)
    assert place(3) == first  # nothing is there yet
    spec = dataclasses.replace(small(2), name=load_study().name)
    run_study(Session(spec, points(), first))
    assert place(5) == place(2) == first
    shorter = place(1)
    assert shorter != first
    run_study(Session(small(1), points(), shorter))
    assert place(1) == shorter  # the same command finds its directory again
    (first / "study.db").write_text("damaged")
    assert place(5) == first  # opening it reports the damage
    assert re.fullmatch(r"wellfit-studies/regularization-digits-[0-9a-f]{4}", first.as_posix())


def test_a_changed_study_has_a_directory_of_its_own(tmp_path: Path) -> None:
    def place(study: str | Path | None = None, **how: Any) -> str:
        name = None if study is None else str(study)
        return str(default_directory(load_study(name, **how), name, "digits").relative_to("wellfit-studies"))

    assert place() == place(seeds=2) == place(settings=["train.seeds=[7]"]) == "regularization-digits"
    assert place(settings=["variants.new.l2=1"]) == "regularization-digits"  # which can hold it, too
    changed = place(settings=["variants.l2.l2=1e-4"])
    assert re.fullmatch("regularization-digits-[0-9a-f]{4}", changed)
    assert changed == place(settings=["variants.l2.l2=0.0001", "train.seeds=9"])
    shorter = place(epochs=5)
    assert shorter == place(settings=["train.epochs=5"]) != changed
    mixed = place(precision="mixed")
    assert mixed == place(settings=["train.precision=mixed"]) != place(precision="auto")
    assert place(precision="float32") == place()
    assert place(quick=True) not in (place(), changed, shorter, mixed)
    assert len({shorter, changed, place(epochs=6), place(settings=["data.validation=0.3"]), place()}) == 5

    own = tmp_path / "own.toml"
    own.write_text('name = "mine"\n[data]\nname = "digits"\n')
    assert place(own) == "mine-digits"
    assert re.fullmatch("mine-digits-[0-9a-f]{4}", place(own, epochs=2))
    own.write_text('name = "regularization"\n[data]\nname = "digits"\n')  # another study of that name
    assert re.fullmatch("regularization-digits-[0-9a-f]{4}", place(own))
    own.write_text('name = "mine"\n')
    assert place(own, data="digits") == "mine-digits"
