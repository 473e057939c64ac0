"""A study's plan as plain data: what ``wellfit plan --json`` prints."""

from __future__ import annotations

from typing import Any

from wellfit.base import SearchSpec
from wellfit.study.search.train import batches_of, planned_epochs
from wellfit.study.session import Session

__all__ = ["to_json"]


def to_json(
    session: Session, version: str, analyses: tuple[int, ...] = (), whole: Session | None = None
) -> dict[str, Any]:
    """The plain data that ``wellfit plan --json`` prints; the memory is in bytes.

    Args:
      session: of what would be trained next.
      analyses: seeds at each planned interim analysis; empty without them.
      whole: of the study with the seeds of the last analysis.
    """
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
        "seconds_between": list(forecast.between),
        "slowdown": forecast.slowdown,
        "analyses": list(analyses),
        "seconds_to_last_analysis": (whole or session).forecast.seconds,
        "memory": forecast.memory,
        "continued": forecast.continued,
        "saved_epochs": forecast.saved,
        "restarted": dict(forecast.restarted),
        "search": _search(spec.search, spec.base.epochs),
    }


def _search(search: SearchSpec | None, epochs: int) -> dict[str, Any] | None:
    """What is tried before the study, and the epochs that it takes, over all trainings; None without a search."""
    if search is None:
        return None
    return {
        "keys": list(search.space),
        "trials": search.trials,
        "seeds": search.seeds,
        "name": search.name,
        "epochs": sum(planned_epochs(epochs, batch, search) for batch in batches_of(search)),
        "whole": search.trials * search.seeds * epochs,
    }
