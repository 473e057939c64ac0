"""Render the results of ``run.py`` as Markdown: workloads and peers with ratios, shares of the limit, n and versions.

The column of shares is left out where the limit was not measured.

Usage: python benchmarks/table.py benchmarks/results/speed.json [--glance]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from machine import SQUARE, limit

SHARE: Final = "share of limit"
HEAD: Final = (
    "study",
    "trained by",
    "s an epoch and training",
    "study, steady s",
    "study, whole s",
    "wellfit is faster, steady",
    "wellfit is faster, whole",
    "n",
)


def render(result: Mapping[str, Any]) -> str:
    """Render the table, with a description of the machine below it."""
    shared = _has_shares(result)
    head = (*HEAD[:3], SHARE, *HEAD[3:]) if shared else HEAD
    lines = [_line(head), "|---|---" + "|---:" * (len(head) - 2) + "|"]
    before = ""
    for row in sorted(result["summary"], key=lambda r: _place(result["summary"], r)):
        lines.append(_line(_cells(row, row["workload"] != before, shared=shared)))
        before = row["workload"]
    return "\n".join([*lines, "", _foot(result), *_whole(result)])


def glance(result: Mapping[str, Any]) -> str:
    """Render a line per study: wellfit's time and share of the limit, and how many times longer each peer takes.

    In brackets, the smallest and the largest ratio of a turn.

    A star marks a library that lacks part of the study. wellfit's other precision is in ``render``'s table.

    Raises:
      SystemExit: wellfit was not measured.
    """
    rows = {(row["workload"], row["peer"]): row for row in result["summary"] if row["n"]}
    if any((row["workload"], "wellfit") not in rows for row in result["summary"]):
        raise SystemExit("wellfit itself was not measured, so there is nothing to compare with; leave out --glance")
    peers = [name for name in dict.fromkeys(peer for _, peer in rows) if not name.startswith("wellfit")]
    head = ("whole study", "wellfit, s", *((SHARE,) if _has_shares(result) else ()), *peers)
    lines = [_line(head), "|---" + "|---:" * (len(head) - 1) + "|"]
    for workload in dict.fromkeys(row["workload"] for row in result["summary"]):
        ours = rows[workload, "wellfit"]
        of_peers = [rows.get((workload, peer), {}) for peer in peers]
        stars = ["*" if row.get("charged_as_plain") else "" for row in of_peers]
        ratios = [f"{_ratio(row, 'ratio')}{star}" if row else "" for row, star in zip(of_peers, stars, strict=True)]
        share = (_share(ours),) if _has_shares(result) else ()
        lines.append(
            _line((f"{workload}, {_trainings(ours)}", _number(ours["study_seconds"]["median"]), *share, *ratios))
        )
    return "\n".join(lines)


def _has_shares(result: Mapping[str, Any]) -> bool:
    return any("share_of_registers" in row for row in result["summary"])


def _share(row: Mapping[str, Any]) -> str:
    return f"{row['share_of_registers']['median']:.0%}" if "share_of_registers" in row else ""


def _trainings(row: Mapping[str, Any]) -> str:
    return f"{row['trainings']} training{'' if row['trainings'] == 1 else 's'}"


def _place(rows: list[Mapping[str, Any]], row: Mapping[str, Any]) -> int:
    """Sort key that groups the rows of a workload, in order of first appearance."""
    return [other["workload"] for other in rows].index(row["workload"])


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: Mapping[str, Any], first: bool, *, shared: bool) -> tuple[str, ...]:
    study = f"{row['workload']}, {_trainings(row)}" if first else ""
    if not row["n"]:
        return (study, f"{row['peer']}: {row['why']}", *("",) * (5 + shared), "0")
    name = f"{row['peer']} ({row['charged_as_plain']})" if row["charged_as_plain"] else row["peer"]
    return (
        study,
        name,
        _number(row["epoch_seconds"]["median"]),
        *((_share(row),) if shared else ()),
        _number(row["study_steady_seconds"]["median"]),
        _number(row["study_seconds"]["median"]),
        _ratio(row, "ratio_steady"),
        _ratio(row, "ratio"),
        str(row["n"]),
    )


def _number(value: float) -> str:
    """Format with three significant digits, without exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{value:.6f}"


def _ratio(row: Mapping[str, Any], name: str) -> str:
    """Format a ratio with its range over the turns."""
    if name not in row:
        return ""
    ratio = row[name]
    return f"{ratio['median']:.1f} ({ratio['low']:.1f} – {ratio['high']:.1f})"


def _foot(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, CPU only; {_rates(result)}. Medians over n turns, in "
        "brackets the smallest and the largest ratio of a turn. Whole: start of the process and compilation included; "
        "whole studies are extrapolated from the epochs that were timed, wellfit's and the peers' alike. "
        f"{versions}. Started {result['started']}; `{result['command']}`."
    )


def _rates(result: Mapping[str, Any]) -> str:
    """The limit and NumPy's product, over the turns."""
    rates = [block["rates"] if "rates" in block else block["sgemm"] for block in result["blocks"]]
    limits = [known for known in map(limit, rates) if known is not None]
    of_limit = f"registers alone {_range(limits)}, the limit" if limits else "the limit was not measured"
    return f"{of_limit}; NumPy's float32 product {_range([r[SQUARE] for r in rates])}"


def _range(rates: list[float]) -> str:
    return f"{min(rates) / 1e9:.0f} – {max(rates) / 1e9:.0f} GFLOP/s"


def _whole(result: Mapping[str, Any]) -> list[str]:
    """List the studies that were run completely, with the extrapolated times for comparison."""
    rows = {row["workload"]: row for row in result["summary"] if row["peer"] == "wellfit" and row["n"]}
    lines = []
    for whole in result["whole"]:
        row = rows.get(whole["workload"])
        beside = f", extrapolated {row['study_seconds']['median']:.1f} s" if row else ""
        lines.append(
            f"\n{whole['workload']} run from its beginning to its end, test set and writing included: "
            f"{whole['seconds']:.1f} s{beside}; at most {whole['peak_bytes'] / 2**30:.2f} GiB."
        )
    return lines


def main() -> None:
    """Read a result and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("result", type=Path, help="the JSON that run.py wrote")
    arguments.add_argument("--glance", action="store_true", help="a line for every study")
    options = arguments.parse_args()
    try:
        result = json.loads(options.result.read_text())
        result["summary"], result["blocks"], result["machine"]
    except (OSError, ValueError, KeyError, TypeError):
        raise SystemExit(f"{options.result} is not a result of benchmarks/run.py") from None
    print(glance(result) if options.glance else render(result))


if __name__ == "__main__":
    main()
