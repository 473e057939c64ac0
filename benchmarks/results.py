"""Computes the reported figures from the measurements: medians, whole studies, ratios and shares of the limit.

A peer's whole study is extrapolated from the timed epochs: the start of its process once, then for every training the
extra time of its first epoch (every new model is compiled) and its number of epochs times the median of the timed ones.
A variant that was not timed is charged the time of the first one, the cheapest, which favors the peer. wellfit's study
is extrapolated in the same way, every population until its longest training ends. Two processes side by side train half
of the study each; of an odd number, the larger half counts. Test sets, records and reports are excluded for everyone.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from machine import epoch_operations, limit
from workloads import WORKLOADS, Workload

OURS = "wellfit"
MIXED = "wellfit mixed"  # has no share: the limit is that of float32

Measured: TypeAlias = Mapping[str, Any]
"""The output of one process."""
Block: TypeAlias = Mapping[str, Any]
"""One workload in one turn: ``turn``, ``workload``, ``rates``, and the output of every peer's processes."""


def epoch_seconds(workload: Workload, processes: Sequence[Measured]) -> float:
    """Return the steady-state seconds per epoch and training; processes side by side count with their joint rate.

    All variants of a study have equal weight, whether or not they were timed.
    """
    return 1 / sum(1 / _epoch_seconds_alone(workload, measured) for measured in processes)


def _epoch_seconds_alone(workload: Workload, measured: Measured) -> float:
    if "populations" in measured:
        populations = measured["populations"]
        seconds = math.fsum(statistics.median(p["epoch_seconds"]) for p in populations)
        return seconds / sum(p["trainings"] for p in populations)
    steady = steady_by_variant(measured)
    return math.fsum(_charged(workload, steady, v.name) for v in workload.variants) / len(workload.variants)


def steady_by_variant(measured: Measured) -> dict[str, float]:
    """Return the median steady-state seconds per epoch of each variant that a peer was timed on."""
    timed: dict[str, list[float]] = {}
    for training in measured["trainings"]:
        if "unsupported" not in training:
            timed.setdefault(training["variant"], []).extend(training["epoch_seconds"])
    return {name: statistics.median(seconds) for name, seconds in timed.items()}


def _charged(workload: Workload, steady: Mapping[str, float], variant: str) -> float:
    """Return the seconds per epoch that a peer is charged for a variant."""
    plain = workload.same_as[1] if workload.same_as else workload.variants[0].name
    return steady.get(variant, steady[plain])


def study_seconds(workload: Workload, processes: Sequence[Measured]) -> tuple[float, float]:
    """Return the seconds of a whole study: steady-state epochs alone, and including start and compilation.

    Args:
      processes: the output of processes that share the trainings; trainings are not divided, so one of two trains 8 of
        15.
    """
    count = len(processes)
    uneven = math.ceil(workload.trainings / count) * count / workload.trainings
    steady = uneven / sum(1 / _study_alone(workload, measured)[0] for measured in processes)
    extra = uneven * statistics.mean(_study_alone(workload, measured)[2] for measured in processes) / count
    start = statistics.mean(_study_alone(workload, measured)[1] for measured in processes)
    return steady, start + extra + steady


def _study_alone(workload: Workload, measured: Measured) -> tuple[float, float, float]:
    """Return steady epochs, process start, and the extra time of first epochs, for one process alone."""
    start = sum(measured.get(name, 0.0) for name in ("import_seconds", "data_seconds", "plan_seconds"))
    if "populations" in measured:
        epochs = [(p, statistics.median(p["epoch_seconds"])) for p in measured["populations"]]
        steady = math.fsum(p["run_epochs"] / p["trainings"] * seconds for p, seconds in epochs)
        extra = math.fsum(p["first_epoch_seconds"] - seconds + p["finish_seconds"] for p, seconds in epochs)
        return steady, start, max(extra, 0.0)
    by_variant = steady_by_variant(measured)
    steady = workload.seeds * math.fsum(
        workload.epochs_of(v) * _charged(workload, by_variant, v.name) for v in workload.variants
    )
    surplus = [
        max(0.0, t["first_epoch_seconds"] - by_variant[t["variant"]])
        for t in measured["trainings"]
        if "unsupported" not in t
    ]
    again = statistics.median(surplus[1:] or surplus)
    return steady, start, surplus[0] + again * (workload.trainings - 1)


def share_of_limit(workload: Workload, processes: Sequence[Measured], rates: Mapping[str, float]) -> float | None:
    """Return the steady-state rate of the matrix products as a fraction of the limit; None if that is unknown."""
    at_most = limit(rates)
    if at_most is None:
        return None
    training, *evaluated = processes[0]["examples"]
    operations = epoch_operations(workload, training, sum(evaluated))
    return operations / (epoch_seconds(workload, processes) * at_most)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, minimum and maximum."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def summarize(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Return one row per workload and peer, over the turns in which it was measured.

    Ratios of a peer's time to wellfit's are computed within each turn, because the machine's speed varies over time.
    """
    pairs: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        for peer in block["peers"]:
            pairs.setdefault((block["workload"], peer), []).append(block)
    return [_row(WORKLOADS[workload], peer, of_pair) for (workload, peer), of_pair in pairs.items()]


def _row(workload: Workload, peer: str, blocks: Sequence[Block]) -> dict[str, Any]:
    row: dict[str, Any] = {"workload": workload.name, "peer": peer, "trainings": workload.trainings}
    ours = [block["peers"].get(OURS, {}) for block in blocks]
    theirs = [block["peers"][peer] for block in blocks]
    good = [
        (t["processes"], o.get("processes"), b["rates"] if "rates" in b else b["sgemm"])
        for t, o, b in zip(theirs, ours, blocks, strict=True)
        if not _not_measured(t)
    ]
    if not good:
        return {**row, "n": 0, "why": _not_measured(theirs[-1])}
    studies = [study_seconds(workload, processes) for processes, _, _ in good]
    row |= {
        "n": len(good),
        "epoch_seconds": spread([epoch_seconds(workload, processes) for processes, _, _ in good]),
        "study_steady_seconds": spread([steady for steady, _ in studies]),
        "study_seconds": spread([whole for _, whole in studies]),
        "charged_as_plain": _lacking(workload, good[-1][0][0]),
    }
    shares = [share_of_limit(workload, processes, rates) for processes, _, rates in good]
    if (known := [share for share in shares if share is not None]) and peer != MIXED:
        row["share_of_registers"] = spread(known)
    paired = [(study_seconds(workload, o), their) for (_, o, _), their in zip(good, studies, strict=True) if o]
    if paired and peer != OURS:
        row["ratio_steady"] = spread([their[0] / our[0] for our, their in paired])
        row["ratio"] = spread([their[1] / our[1] for our, their in paired])
    return row


def _not_measured(of_peer: Mapping[str, Any]) -> str:
    """Return why a peer has no measurement, or ""."""
    if "failed" in of_peer:
        return f"failed: {of_peer['failed']}"
    trainings = of_peer["processes"][0].get("trainings", ())
    lacks_all = bool(trainings) and all("unsupported" in t for t in trainings)
    return str(trainings[0]["unsupported"]) if lacks_all else ""


def _lacking(workload: Workload, measured: Measured) -> str:
    """List the parts of a study that a library lacks, which are charged like the plain network."""
    names = {variant.name for variant in workload.variants}
    lacking = [t for t in measured.get("trainings", ()) if "unsupported" in t and t["variant"] in names]
    return "; ".join(sorted({t["unsupported"] for t in lacking}))
