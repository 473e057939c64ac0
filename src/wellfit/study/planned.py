"""A study's plan as plain data: what ``wellfit plan --json`` prints."""

from __future__ import annotations

from typing import Any

from wellfit.study.session import Session

__all__ = ["to_json"]


def to_json(session: Session, version: str) -> dict[str, Any]:
    """The plain data that ``wellfit plan --json`` prints; the memory is in bytes."""
    spec, forecast = session.spec, session.forecast
    return {
        "wellfit": version,
        "study": {
            "name": spec.name,
            "title": spec.title,
            "data": forecast.data,
            "directory": str(session.directory),
        },
        "facts": dict(forecast.facts),
        "cautions": list(forecast.cautions),
        "design": list(forecast.design),
        "examples": {
            **dict(zip(("split", "validation", "test"), forecast.examples, strict=True)),
            **dict(zip(("training_fewest", "training"), forecast.trained, strict=True)),
            "tested": forecast.tested,
        },
        "folds": session.folds,
        "seeds": list(spec.seeds),
        "epochs": forecast.epochs,
        "runs": forecast.plan.runs,
        "done": forecast.done,
        "trajectories": forecast.plan.trajectories,
        "programs": forecast.plan.programs,
        "devices": forecast.devices,
        "parameters": list(forecast.plan.parameters),
        "precision": {"asked": spec.precision, "chosen": forecast.precision},
        "seconds": forecast.seconds,
        "memory": forecast.memory,
        "continued": forecast.continued,
        "saved_epochs": forecast.saved,
        "restarted": dict(forecast.restarted),
    }
