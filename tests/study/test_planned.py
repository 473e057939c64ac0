"""A plan as plain data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from small_studies import few_points, perceptrons
from wellfit.study.planned import to_json
from wellfit.study.session import Session

CURVED: dict[str, Any] = {"baseline": {}, "dropout": {"dropout": 0.3}}


def test_the_json_form_has_every_key() -> None:
    session = Session(perceptrons(CURVED), few_points(), Path("a") / "b")
    forecast = session.forecast
    plain = json.loads(json.dumps(to_json(session, "0.1")))
    assert plain.pop("seconds") == forecast.seconds > 0
    assert plain.pop("seconds_between") == list(forecast.between)
    assert plain.pop("seconds_to_last_analysis") == forecast.seconds
    assert plain.pop("memory") == forecast.memory > 0
    assert plain == {
        "wellfit": "0.1",
        "study": {"name": "study", "title": "study", "data": forecast.data, "directory": str(Path("a") / "b")},
        "facts": {
            "classes": "3: 0 (82), 1 (80), 2 (98)",
            "guessing": "always 2 is right for 37.7 %",
            "features": "5 columns, values -6.799 to 7.749, standardized",
        },
        "cautions": [],
        "design": list(forecast.design),
        "examples": {
            **{"split": 160, "training": 160, "training_fewest": 160},
            **{"validation": 40, "test": 60, "tested": 60},
        },
        "folds": 1,
        "seeds": [0, 1],
        "epochs": 3,
        "runs": 4,
        "done": 0,
        "trajectories": 4,
        "programs": 1,
        "devices": forecast.devices,
        "slowdown": 1.0,
        "analyses": [],
        "parameters": [5 * 8 + 8 + 8 * 3 + 3],
        "precision": {"asked": "float32", "chosen": "products in float32"},
        "continued": 0,
        "saved_epochs": 0,
        "restarted": {},
        "search": None,
    }
