"""How numbers, settings and states are written, the same in every form of the report and in alt texts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wellfit.base import Finding, RunSummary, StudySummary, VariantSummary
from wellfit.narrative.metrics import NAMES, is_loss
from wellfit.narrative.outcomes import lost, verdict_label

__all__ = [
    "METRICS",
    "NOTHING",
    "VERDICT_STYLES",
    "amount",
    "ascii_only",
    "best_epoch",
    "between",
    "bounds",
    "capitalized",
    "compared",
    "count",
    "difference",
    "duration",
    "in_one_line",
    "interval",
    "letters",
    "memory",
    "number",
    "of_interval",
    "p_value",
    "percent",
    "points",
    "rough",
    "run_states",
    "settings",
    "true_minus",
    "urgency",
    "verdict_against_first",
    "whole_percent",
]

NOTHING: Final = "–"
"""Shown where there is no number."""

VERDICT_STYLES: Final = {"better": "bold green", "worse": "bold red", "equivalent": "bold", "undecided": "dim"}
"""Verdict, without its star -> style in the terminal."""

_TYPED_OR_MINUS: Final = re.compile(r"""--[a-z]\S*(?: (?:"[^"]*"|'[^']*'|\S+)\S*)?|(?<![\w.=])-(?=\d)""")
"""A command's option with its value, or a hyphen before a number in a sentence."""

METRICS: Final = NAMES
"""Metric of a summary -> its name in a sentence."""


def number(value: float | None, digits: int = 0, unit: str = "", signed: bool = False) -> str:
    """A number with ``digits`` decimals and a true minus sign; a dash if it is missing, and never a negative zero.

    Example:
      >>> number(0.31249, 4), number(-0.00001, 2), number(0.5, 1, " %", signed=True), number(math.nan)
      ('0.3125', '0.00', '+0.5 %', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:{'+' if signed else ''}z.{digits}f}".replace("-", "−") + unit


def percent(share: float | None, unit: str = " %") -> str:
    """A share from 0 to 1 as a percentage with two decimals.

    Example:
      >>> percent(0.88349), percent(None)
      ('88.35 %', '–')
    """
    return number(None if share is None else 100 * share, 2, unit)


def whole_percent(share: float) -> str:
    """A share in whole percent, without the sign; shares that would round to 0 are ``< 1``.

    Example:
      >>> whole_percent(0.874), whole_percent(0.002)
      ('87', '< 1')
    """
    return "< 1" if share <= 0.005 else number(100 * share)  # 0.5 % would be rounded to an even 0


def points(share: float | None, signed: bool = False) -> str:
    """A difference of two shares in percentage points, two decimals and a true minus sign, for tables.

    The sentences of a verdict round the same numbers to one decimal: ``wellfit.narrative.phrases.points``.

    Example:
      >>> points(0.0231), points(-0.004), points(0.0231, signed=True)
      ('2.31', '−0.40', '+2.31')
    """
    return number(None if share is None else 100 * share, 2, signed=signed)


def interval(bounds: tuple[float, float] | None, scale: float = 100.0, digits: int = 2, signed: bool = False) -> str:
    """An interval in brackets; empty if it is missing.

    Example:
      >>> interval((0.8802, 0.8868)), interval((-0.002, 0.013), signed=True), interval(None)
      ('[88.02, 88.68]', '[−0.20, +1.30]', '')
    """
    if bounds is None or not all(math.isfinite(b) for b in bounds):
        return ""
    low, high = (number(scale * bound, digits, signed=signed) for bound in bounds)
    return f"[{low}, {high}]"


def difference(value: float, found: tuple[float, float] | None, metric: str) -> tuple[str, str]:
    """A difference and its interval in the metric's unit: points for shares, plain numbers for losses.

    Example:
      >>> difference(-0.0052, (-0.008, -0.0024), "test_accuracy")
      ('−0.52 points', '[−0.80, −0.24]')
      >>> difference(0.0312, None, "test_loss")
      ('+0.0312', '')
    """
    if is_loss(metric):
        return number(value, 4, signed=True), interval(found, 1.0, 4, signed=True)
    text = points(value, signed=True)
    return text if text == NOTHING else f"{text} points", interval(found, signed=True)


def amount(value: float | None, metric: str, unit: str = " %") -> str:
    """A value in the metric's unit: percent for shares, four decimals for losses.

    Example:
      >>> amount(0.88349, "test_macro_f1"), amount(0.31249, "test_log_loss"), amount(0.5, "test_accuracy", "")
      ('88.35 %', '0.3125', '50.00')
    """
    return number(value, 4) if is_loss(metric) else percent(value, unit)


def bounds(found: tuple[float, float] | None, metric: str, signed: bool = False) -> str:
    """An interval in the metric's unit, in brackets; empty if it is missing.

    Example:
      >>> bounds((0.8802, 0.8868), "test_accuracy"), bounds((0.31, 0.33), "test_brier")
      ('[88.02, 88.68]', '[0.3100, 0.3300]')
    """
    return interval(found, 1.0, 4, signed) if is_loss(metric) else interval(found, signed=signed)


def compared(summary: StudySummary) -> str:
    """The name of the metric that variants are compared on.

    Example:
      >>> s = StudySummary("s", "?", "d", "running", (), 5, 3.0, "", (), (), (), "", {}, {}, (), {}, {}, metric="brier")
      >>> compared(s)
      'test Brier score'
    """
    return METRICS[summary.compared]


def of_interval(summary: StudySummary) -> str:
    """What the interval of a difference covers.

    Example:
      >>> s = StudySummary("s", "?", "d", "running", (), 5, 3.0, "", (), (), (), "", {}, {}, (), {}, {}, analyses=4)
      >>> of_interval(s)
      'each interval covers one comparison, unadjusted for their number but widened for 4 planned analyses'
    """
    if summary.analyses == 1:
        return "each interval covers one comparison, unadjusted"
    widened = f"widened for {summary.analyses} planned analyses"
    return f"each interval covers one comparison, unadjusted for their number but {widened}"


def p_value(p: float | None) -> str:
    """A p-value with three decimals, never zero.

    Example:
      >>> p_value(0.02349), p_value(1e-7), p_value(None)
      ('0.023', '< 0.001', '–')
    """
    if p is None or not math.isfinite(p):
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float | None) -> str:
    """A duration in the units that a person would use.

    Example:
      >>> duration(0.42), duration(48.2), duration(133), duration(4000)
      ('0.4 s', '48 s', '2 min 13 s', '1 h 7 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def between(low: float, high: float) -> str:
    """A range of durations, as exact as a forecast is.

    Example:
      >>> between(1.2, 2.4), between(21, 38), between(50, 130), between(1000, 2100), between(5000, 9000)
      ('1 to 2 s', '20 to 40 s', '1 to 2 min', '17 to 35 min', '1.5 to 2.5 h')
      >>> between(0.01, 0.4)
      'about a second'
    """
    unit, name = (1.0, "s") if high < 100 else (60.0, "min") if high < 6000 else (3600.0, "h")
    least, most = low / unit, high / unit
    step = (5 if most > 20 else 1) if name == "s" else (1 if most > 10 else 0.5)
    first, last = (max(round(value / step) * step, step if value > 0.5 else 0) for value in (least, most))
    if name == "s" and last <= 1:
        return "about a second"
    return f"about {last:g} {name}" if first == last else f"{first or 1:g} to {last:g} {name}"


def rough(seconds: float) -> str:
    """A duration as exact as a forecast is.

    Example:
      >>> rough(3.2), rough(47), rough(130), rough(4000), rough(7020)
      ('3 s', '45 s', '2 min', '1 h 10 min', '2 h')
    """
    if seconds < 100:
        return f"{round(seconds)} s" if seconds < 20 else f"{5 * round(seconds / 5)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, tens = divmod(round(seconds / 600), 6)
    return f"{hours} h {10 * tens} min" if tens else f"{hours} h"


def memory(size: int) -> str:
    """A number of bytes in the largest unit that gives at least 1.

    Example:
      >>> memory(340_000_000), memory(2_150_000_000)
      ('340 MB', '2.1 GB')
    """
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun.

    Example:
      >>> count(1, "run"), count(12000, "run"), count(2, "trajectory", "trajectories")
      ('1 run', '12,000 runs', '2 trajectories')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def best_epoch(runs: Sequence[RunSummary]) -> tuple[str, str]:
    """The median over the runs of the epoch of lowest validation loss, and its range; empty if all runs agree.

    With an even number of runs it is the lower of the two middle ones, as in the answers and the advice.

    Example:
      >>> def run(best): return RunSummary(0, "finished", 30, 30, best, *[None] * 8)
      >>> best_epoch([run(9), run(15), run(12), run(25)])
      ('12', '9–25')
      >>> best_epoch([])
      ('–', '')
    """
    epochs = sorted(run.best_epoch for run in runs if run.best_epoch is not None)
    if not epochs:
        return NOTHING, ""
    return f"{epochs[(len(epochs) - 1) // 2]}", "" if epochs[0] == epochs[-1] else f"{epochs[0]}–{epochs[-1]}"


def settings_or_none(changes: Mapping[str, Any], *, elsewhere: bool) -> tuple[str, ...]:
    """The settings of a variant; without any it is the base recipe, or, trained elsewhere, something unknown.

    Example:
      >>> settings_or_none({}, elsewhere=False), settings_or_none({}, elsewhere=True)
      (('the base recipe',), ('not given',))
    """
    return settings(changes) or ("not given" if elsewhere else "the base recipe",)


def settings(changes: Mapping[str, Any]) -> tuple[str, ...]:
    """A variant's settings as in a study file, one per element; the name of a table comes before its settings.

    Example:
      >>> settings({"l2": 0.001, "early_stopping": {"patience": 3, "monitor": "val_loss"}})
      ('l2 = 0.001', 'early_stopping:', 'patience = 3', 'monitor = "val_loss"')
    """
    parts: list[str] = []
    for key, value in changes.items():
        parts += [f"{key}:", *settings(value)] if isinstance(value, Mapping) else [f"{key} = {_value(value)}"]
    return tuple(parts)


def in_one_line(parts: Sequence[str]) -> str:
    """Settings, as `settings` gives them, in one line.

    Example:
      >>> in_one_line(settings({"l2": 0.001, "early_stopping": {"patience": 3}}))
      'l2 = 0.001, early_stopping: patience = 3'
    """
    return ", ".join(parts).replace(":,", ":")


def run_states(runs: Sequence[RunSummary]) -> str:
    """How many runs are in each state.

    Example:
      >>> def run(state): return RunSummary(0, state, *[None] * 11)
      >>> run_states([run("finished"), run("finished"), run("diverged")])
      '2 finished, 1 diverged'
    """
    states = [run.state for run in runs]
    names = {"finished": "finished", "stopped": "stopped early", "diverged": "diverged", "pending": "pending"}
    return ", ".join(f"{states.count(state)} {name}" for state, name in names.items() if state in states)


def letters(summary: StudySummary) -> dict[str, str]:
    """The letters of every variant in the ranking; empty if nothing was compared, or if all share one letter."""
    compared = any(c.p_value is not None for c in (*summary.comparisons, *summary.asked))
    told = compared and len({ranked.letters for ranked in summary.ranking}) > 1
    return {ranked.variant: ranked.letters for ranked in summary.ranking} if told else {}


def true_minus(text: str) -> str:
    """Sentences with a true minus sign before each negative number; command options stay as they are typed.

    Example:
      >>> true_minus("It lost -0.5 points at 128-64: --set train.noise=-3 helps.")
      'It lost −0.5 points at 128-64: --set train.noise=-3 helps.'
    """
    return _TYPED_OR_MINUS.sub(lambda match: "−" if match[0] == "-" else match[0], text)


def capitalized(text: str) -> str:
    """Text with a capital first letter.

    Example:
      >>> capitalized("label column"), capitalized("")
      ('Label column', '')
    """
    return text[:1].upper() + text[1:]


def ascii_only(text: str) -> str:
    """Text with minus signs, dashes and the like replaced by ASCII."""
    for sign, plain in (("−", "-"), ("–", "-"), ("±", "+/-"), ("×", "x"), ("…", "...")):
        text = text.replace(sign, plain)
    return text


def verdict_against_first(summary: StudySummary, variant: VariantSummary) -> str | None:
    """The verdict on a variant compared with the first variant, as a table shows it.

    Returns:
      The label of ``narrative.outcomes.verdict_label``; ``diverged`` if every run of the variant did; None for the
      first variant itself, and where nothing has been compared yet.
    """
    by_name = {v.name: v for v in summary.variants}
    for comparison in summary.comparisons:
        if comparison.variant == variant.name:
            return verdict_label(comparison, by_name)
    return "diverged" if lost(variant) and variant != summary.variants[0] else None


def urgency(finding: Finding) -> int:
    """Sort key of a finding: errors first, then warnings.

    Example:
      >>> urgency(Finding("few-seeds", "warning", "", ""))
      1
    """
    return ("error", "warning", "info").index(finding.level)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(v) for v in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
