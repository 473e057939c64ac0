"""Provenance: what a reader needs to repeat a study, and nothing that identifies the user's machine."""

from __future__ import annotations

import dataclasses
import datetime
import getpass
import platform
import re
import shutil
import socket
import subprocess
from importlib import metadata
from pathlib import Path

import jax
import numpy as np
import pytest

import wellfit
from wellfit.base import Dataset, Splits
from wellfit.data.assemble import make_dataset
from wellfit.data.splits import make_splits
from wellfit.study import provenance as module
from wellfit.study.provenance import code_hash, provenance


@pytest.fixture
def asked() -> tuple[Dataset, Splits]:
    data = make_dataset(np.arange(200.0).reshape(100, 2), [0, 1] * 50, name="numbers", title="The numbers")
    return data, make_splits(data.y_train, validation=0.25, seed=7)


def test_it_tells_versions_hashes_and_hardware(asked: tuple[Dataset, Splits]) -> None:
    data, splits = asked
    facts = provenance(data, splits, "wellfit run --seeds 3", "products in float32")
    assert facts["command"] == "wellfit run --seeds 3"
    assert facts["wellfit"] == wellfit.__version__
    assert facts["code hash"] == code_hash()
    assert facts["precision"] == "products in float32"
    assert facts["python"] == platform.python_version()
    for library in ("jax", "jaxlib", "optax", "numpy", "scipy", "scikit-learn"):
        assert facts[library] == metadata.version(library)
    assert facts["data"] == f"The numbers, from {data.source}"
    assert facts["data hash"] == data.hash
    assert facts["split hash"] == splits.hash
    assert facts["split"] == "60 training, 20 validation, stratified, seed 7"
    assert facts["devices"].startswith(f"{len(jax.devices())} x ")
    assert re.fullmatch(r".+, \d+ cores", facts["processor"])
    started = datetime.datetime.fromisoformat(facts["started"])
    assert abs(datetime.datetime.now(datetime.UTC) - started) < datetime.timedelta(minutes=1)
    assert all(value and "\n" not in value for value in facts.values())


def test_the_code_hash_changes_with_any_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "wellfit"
    shutil.copytree(Path(module.__file__).parents[1], copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "__file__", str(copy / "study" / "provenance.py"))
    unchanged = code_hash.__wrapped__()
    base = copy / "base" / "recipe.py"
    text = base.read_bytes()
    base.write_bytes(text.replace(b"\n", b"\r\n"))  # as git may check it out
    assert code_hash.__wrapped__() == unchanged
    base.write_bytes(text + b"\n")
    changed = code_hash.__wrapped__()
    base.write_bytes(text)
    base.rename(copy / "basis.py")
    renamed = code_hash.__wrapped__()
    assert len({unchanged, changed, renamed}) == 3
    assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in (unchanged, changed, renamed))


def test_it_names_neither_user_nor_machine(asked: tuple[Dataset, Splits]) -> None:
    output = " ".join(provenance(*asked, "", "").values())
    assert "command" not in provenance(*asked, "", "")  # what is not known is left out
    for private in (str(Path.home()), f"{getpass.getuser()}@", socket.gethostname()):
        assert private not in output


def test_the_home_directory_is_a_tilde(asked: tuple[Dataset, Splits], monkeypatch: pytest.MonkeyPatch) -> None:
    data, splits = asked
    data = dataclasses.replace(data, source="/home/ada/data/numbers.csv")
    monkeypatch.setenv("HOME", "/home/ada")
    facts = provenance(data, splits, "wellfit run '/home/ada/my lab.toml' --data /home/adam/x --out /mnt/home/ada", "")
    assert facts["command"] == "wellfit run '~/my lab.toml' --data /home/adam/x --out /mnt/home/ada"
    assert facts["data"] == "The numbers, from ~/data/numbers.csv"
    monkeypatch.setenv("HOME", "/")
    assert provenance(data, splits, "", "")["data"] == "The numbers, from /home/ada/data/numbers.csv"

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert provenance(data, splits, "", "")["data"] == "The numbers, from /home/ada/data/numbers.csv"


def test_the_commit_is_that_of_the_working_directory(
    asked: tuple[Dataset, Splits], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "git commit" not in provenance(*asked, "", "")

    author = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", *command], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert provenance(*asked, "", "")["git commit"] == commit[:12]

    monkeypatch.setenv("PATH", str(tmp_path))  # no git at all
    assert "git commit" not in provenance(*asked, "", "")
