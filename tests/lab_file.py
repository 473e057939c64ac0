"""A small study file, and the error that a change to it causes."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.errors import StudyFileError
from wellfit.spec.study import load_study

LAB = """\
name = "lab"
title = "Which?"

[data]
name = "digits"

[model]
hidden = [8, 4]

[train]
epochs = 3
seeds = 2
l2 = 1

[variants.baseline]

[variants.both]
l2 = [1e-3, 0.01]
dropout = 0.5
early_stopping = { patience = 3, restore_best_weights = true }
"""


def refusal(path: Path, old: str, new: str, *, kind: type[StudyFileError] = StudyFileError) -> str:
    """The one line that refuses the changed file, with the file's name for its path."""
    assert old in LAB
    path.write_text(LAB.replace(old, new))
    with pytest.raises(kind) as caught:
        load_study(path)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(path), path.name)
