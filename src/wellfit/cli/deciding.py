"""``wellfit run --until-decided``: what the terminal shows of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from wellfit.cli.output import print_paragraph

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.analysis.sequential import InterimAnalysis
    from wellfit.interop.tensorboard import LogFolder
    from wellfit.study.decide import Analyzed, Decision
    from wellfit.study.session import Session

__all__ = ["show_until_decided"]

Run: TypeAlias = "Callable[[Session, Console, InterimAnalysis, LogFolder | None], None]"
"""Trains a batch of seeds and shows its progress."""


def show_until_decided(
    session: Session,
    console: Console,
    run: Run,
    max_seeds: int | None,
    max_minutes: float | None,
    logs: LogFolder | None,
) -> None:
    """Add seeds until a study is decided, and print the result of every interim analysis."""
    from wellfit.study.decide import METHOD, run_until_decided

    explained = False

    def on_analysis(analyzed: Analyzed) -> None:
        nonlocal explained
        for text in _analysis_lines(analyzed):
            print_paragraph(console, text)
        if not explained:
            print_paragraph(console, f"{METHOD}.", "dim")
            explained = True
        console.print()

    def train(batch: Session, interim: InterimAnalysis) -> None:
        run(batch, console, interim, logs)

    decision = run_until_decided(session, train, max_seeds=max_seeds, max_minutes=max_minutes, on_analysis=on_analysis)
    print_paragraph(console, _ending(decision))
    console.print()


def _analysis_lines(analyzed: Analyzed) -> list[str]:
    from wellfit.narrative.phrases import several

    interim = analyzed.interim
    lines = [f"Interim analysis {interim.number} of {len(interim.seeds)}, at {analyzed.seeds} seeds"]
    if analyzed.counted:
        lines.append("This study was analyzed before, at 5 %; that counts as its first interim analysis")
    decided = ", ".join(f"{name} ({verdict})" for name, verdict in analyzed.decided) or "none"
    return [*lines, f"Decided: {decided}", f"Undecided: {several(analyzed.undecided) or 'none'}"]


def _ending(decision: Decision) -> str:
    from wellfit.report.wording import duration

    seeds = decision.last.seeds
    if decision.ending == "decided":
        return f"Every comparison is decided, at {seeds} seeds."
    if decision.ending == "futile":
        most = decision.last.interim.seeds[-1]
        return (
            f"Stopped at {seeds} seeds: the planned analyses of up to {most} would decide each open comparison with a "
            "probability below 5 %."
        )
    if decision.ending == "seeds":
        return f"That was the last planned analysis, at {seeds} seeds; the remaining comparisons stay undecided."
    return (
        f"Stopped at {seeds} seeds: the next batch would take about {duration(decision.forecast)}. "
        "Run the same command again to continue."
    )
