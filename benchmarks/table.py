"""Render the results of ``run.py`` as Markdown: workloads and peers with ratios, shares of the limit, n and versions.

Usage: python benchmarks/table.py benchmarks/results/speed.json [--glance]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

HEAD: Final = (
    "study",
    "trained by",
    "s an epoch and training",
    "share of limit",
    "study, steady s",
    "study, whole s",
    "wellfit is faster, steady",
    "wellfit is faster, whole",
    "n",
)


def render(result: Mapping[str, Any]) -> str:
    """Render the table, with a description of the machine below it."""
    lines = [_line(HEAD), "|---|---" + "|---:" * (len(HEAD) - 2) + "|"]
    before = ""
    for row in sorted(result["summary"], key=lambda r: _place(result["summary"], r)):
        lines.append(_line(_cells(row, row["workload"] != before)))
        before = row["workload"]
    return "\n".join([*lines, "", _foot(result), *_whole(result)])


def glance(result: Mapping[str, Any]) -> str:
    """Render a line per study: wellfit's time and share of the limit, and how many times longer each peer takes.

    A star marks a library that lacks part of the study. wellfit's other precision is in ``render``'s table.

    Raises:
      SystemExit: wellfit was not measured.
    """
    rows = {(row["workload"], row["peer"]): row for row in result["summary"] if row["n"]}
    if any((row["workload"], "wellfit") not in rows for row in result["summary"]):
        raise SystemExit("wellfit itself was not measured, so there is nothing to compare with; leave out --glance")
    peers = [name for name in dict.fromkeys(peer for _, peer in rows) if not name.startswith("wellfit")]
    lines = [_line(("whole study", "wellfit, s", "share of limit", *peers)), "|---" + "|---:" * (len(peers) + 2) + "|"]
    for workload in dict.fromkeys(row["workload"] for row in result["summary"]):
        ours = rows[workload, "wellfit"]
        of_peers = [rows.get((workload, peer), {}) for peer in peers]
        stars = ["*" if row.get("charged_as_plain") else "" for row in of_peers]
        ratios = [
            f"{row['ratio']['median']:.1f}{star}" if row else "" for row, star in zip(of_peers, stars, strict=True)
        ]
        seconds, share = _number(ours["study_seconds"]["median"]), f"{ours['share_of_limit']['median']:.0%}"
        lines.append(_line((f"{workload}, {_trainings(ours)}", seconds, share, *ratios)))
    return "\n".join(lines)


def _trainings(row: Mapping[str, Any]) -> str:
    return f"{row['trainings']} training{'' if row['trainings'] == 1 else 's'}"


def _place(rows: list[Mapping[str, Any]], row: Mapping[str, Any]) -> int:
    """Sort key that groups the rows of a workload, in order of first appearance."""
    return [other["workload"] for other in rows].index(row["workload"])


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(row: Mapping[str, Any], first: bool) -> tuple[str, ...]:
    study = f"{row['workload']}, {_trainings(row)}" if first else ""
    if not row["n"]:
        return (study, f"{row['peer']}: {row['why']}", *("",) * 6, "0")
    name = f"{row['peer']} ({row['charged_as_plain']})" if row["charged_as_plain"] else row["peer"]
    return (
        study,
        name,
        _number(row["epoch_seconds"]["median"]),
        f"{row['share_of_limit']['median']:.0%}",
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
    rates = [block["sgemm"]["2048 x 2048 x 2048"] / 1e9 for block in result["blocks"]]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, CPU only; NumPy's sgemm {min(rates):.0f} – "
        f"{max(rates):.0f} GFLOP/s in float32, the limit (wellfit's products are other ones, and can be faster: more "
        "than 100 %). Medians over n turns, in brackets the smallest and the "
        "largest ratio of a turn. Whole: start of the process and compilation included; whole studies are "
        "extrapolated from the epochs that were timed, wellfit's and the peers' alike. "
        f"{versions}. Started {result['started']}; `{result['command']}`."
    )


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
