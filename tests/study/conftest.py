"""A study to verify, trained once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from eventful import study
from small_studies import clouds
from wellfit.study.run import run_study
from wellfit.study.session import Session


@pytest.fixture(scope="session")
def eventful_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study, to be read: a run that stopped, one that diverged, an average, batch normalization."""
    directory = tmp_path_factory.mktemp("whole") / "study"
    run_study(Session(study(), clouds(), directory))
    return directory


@pytest.fixture
def eventful_copy(eventful_study: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(eventful_study, tmp_path / "study"))
