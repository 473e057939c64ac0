"""What a command says before it trains: the work and its time, what the study can decide, and cautions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from wellfit.analysis.power import Design
from wellfit.data.facts import Facts, data_line
from wellfit.engine import programs
from wellfit.engine.precision import has_convolution
from wellfit.narrative.design import design_sentences
from wellfit.nn.kernels.availability import NOT_INSTALLED, obstacle, remedy
from wellfit.study.comparable import metric_caution
from wellfit.study.conclude import pairs_of
from wellfit.study.pace import around, seconds_of
from wellfit.study.planning import Forecast, automatic_precision, memory_of, memory_to_read, network_facts
from wellfit.study.provenance import continued_elsewhere, machine_facts

if TYPE_CHECKING:
    from wellfit.study.session import Session

__all__ = ["forecast_of"]


def forecast_of(session: Session) -> Forecast:
    """What training the rest of a session's study will take."""
    work, counts, spec = session.remaining, session.examples, session.spec
    epochs = max(recipe.epochs for recipe in session.recipes.values())
    reading = memory_to_read(len(session.recipes), len(spec.seeds), counts["test"], epochs, spec.metric)
    seconds = session.slowdown * session.undisturbed if seconds_of(session.stages) else 0.0
    return Forecast(
        plan=work.plan,
        done=len(work.done & {(run.variant, run.seed) for run in session.asked}),
        title=spec.title,
        data=data_line(session.used.title, session.used.source),
        examples=(counts["training"], counts["validation"], len(session.used.y_test)),
        trained=session.trained,
        tested=counts["test"],
        epochs=spec.base.epochs,
        devices=session.mesh.size,
        precision=_precision(session),
        seconds=seconds,
        between=around(seconds, session.stages, session.slowdown),
        slowdown=session.slowdown,
        memory=memory_of(session.joint, reading, ahead=session.compiles_ahead),
        continued=len(work.begins),
        saved=work.saved,
        restarted=work.restarted,
        facts=(*session.facts, *network_facts(session.recipes), *_where(session)),
        design=_design(session),
        cautions=_cautions(session),
    )


def _where(session: Session) -> Facts:
    """Which machines train what remains, where it is not this one."""
    if session.pool is None or not session.remaining.plan.runs:
        return ()
    nodes = len(session.pool.nodes)
    machines = "this machine" if session.pool.here else f"{nodes} machine{'s' * (nodes > 1)}"
    side = "one training at a time" if session.pool.places == 1 else f"{session.pool.places} trainings side by side"
    return (("trained on", f"Ray, {machines}, {side}"),)


def _precision(session: Session) -> str:
    mixed = session.spec.precision == "auto" and session.choices.precision == "mixed"
    if mixed and automatic_precision() == "float32":
        return f"{session.precision}, as when this study began, although this machine gains nothing from it"
    return session.precision


def _design(session: Session) -> tuple[str, ...]:
    """What the study can decide, before anything is trained."""
    spec, groups = session.spec, session.test_groups
    usual, further = pairs_of(spec, session.recipes)
    held_out = session.dataset.pool is not None
    examples = len(session.test_labels) if groups is None else len(np.unique(groups))
    if examples < 2:
        return ()
    design = Design(len(spec.seeds), examples, session.folds if held_out else 1, len(usual) + len(further))
    foldable = held_out and session.folds == 1
    return design_sentences(design, spec.margin, foldable=foldable, metric=spec.metric)


def _cautions(session: Session) -> tuple[str, ...]:
    """Of the metric, of another machine than before, of programs that are not kept, of slow convolutions."""
    recorded = session.stored.provenance if session.remaining.plan.runs else {}
    moved = dict.fromkeys(continued_elsewhere(recorded, machine) for machine in _machines(session))
    of_metric = metric_caution(session.spec.metric, session.data.y_train)
    return tuple(filter(None, (of_metric, *moved, programs.refusal(), _without_kernels(session))))


def _machines(session: Session) -> list[Mapping[str, str]]:
    """What the bits of the runs that remain to be trained depend on, on each machine that trains."""
    here = machine_facts(kernels=session.kernels)
    if session.pool is None or not session.remaining.plan.runs:
        return [here]
    return [{name: value for name, value in node.machine.items() if name in here} for node in session.pool.nodes]


def _without_kernels(session: Session) -> str:
    """A sentence about convolutions that would train faster; empty if there are none."""
    populations = [population.program for population in session.remaining.plan.populations]
    slow = any(p.precision == "float32" and not p.kernels and has_convolution(p.model) for p in populations)
    if not slow or obstacle() != NOT_INSTALLED:
        return ""
    return f"{NOT_INSTALLED}, so that convolutions take about twice as long; {remedy(NOT_INSTALLED)}"
