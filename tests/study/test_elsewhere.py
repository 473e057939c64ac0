"""What takes networks is refused for runs that others trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from predictions import LABELS, all_runs
from wellfit.errors import StudyFileError
from wellfit.interop.tensorboard import export_tensorboard
from wellfit.judging import judge
from wellfit.study.elsewhere import refuse_elsewhere


def test_what_takes_networks_is_one_line(tmp_path: Path):
    results = judge(LABELS, all_runs(2), out=tmp_path / "judged")
    for attempt in (
        results.model,
        results.refit,
        lambda: refuse_elsewhere(results.summary),
        lambda: export_tensorboard(results.directory, tmp_path / "logs"),
    ):
        with pytest.raises(StudyFileError, match="its runs were trained elsewhere, so it holds what they predict"):
            attempt()
