#!/usr/bin/env python3
"""Print the table of symptoms in docs/findings.md: train every study, follow the remedy, measure both."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

from symptoms import MEASURES, SYMPTOMS, Symptom, remedied, trained
from wellfit.base import StudySummary
from wellfit.engine import devices


def amount(measure: str, summary: StudySummary, variant: str) -> str:
    """A measure of a variant, in percent for shares."""
    value = MEASURES[measure][1](summary, variant)
    if measure == "finished runs":
        return f"{value:.0f}"
    if "loss" in measure:
        return f"{value:.2f}"
    return f"{100 * value:.1f} {'points' if measure.startswith(('sd', 'validation')) else '%'}"


def row(name: str, symptom: Symptom, place: Path) -> str:
    """One row of the table."""
    before, shown = trained(symptom, place / "before"), list(symptom.variants)[-1]
    (finding,) = (f for f in before.findings if f.code == symptom.finding)
    after, where = remedied(symptom, finding, place / "after")
    evidence = finding.message.partition(": ")[2].removesuffix(".")
    if callable(symptom.remedy):
        remedy = "give each row its own label"
    elif symptom.remedy:
        remedy = f"none needed; for comparison `{symptom.remedy}`"
    else:
        remedy = f"`{finding.fix[finding.fix.index('--set') :]}`"
    numbers = " → ".join(amount(symptom.measure, s, v) for s, v in ((before, shown), (after, where)))
    effect = f"{symptom.measure}: {numbers} (n = {len(before.seeds)})"
    return f"| {name} | `{finding.code}` | {evidence} | {remedy} | {effect} |"


def main() -> None:
    """Print the table and the versions that made it."""
    import jax

    import wellfit

    devices.start()
    print("| symptom | finding | evidence shown | remedy | effect of the remedy |")
    print("|---|---|---|---|---|")
    for name, symptom in SYMPTOMS.items():
        with tempfile.TemporaryDirectory() as place:
            print(row(name, symptom, Path(place)))
    print(f"\nwellfit {wellfit.__version__}, JAX {jax.__version__}, {platform.machine()}")


if __name__ == "__main__":
    main()
