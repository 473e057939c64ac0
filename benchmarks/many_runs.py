"""Claim: ``wellfit show`` of 10,000 runs takes less than 2 s of processor time once its summary was computed.

Shows studies that ``made_study`` makes, of 20 variants with 500 seeds and of 2 variants with 5,000 seeds, 1,000 test
examples of ten classes, ten epochs: first without the kept summary, then with it, each time in its own process. The
texts must be the same. Saves JSON.

Usage: python benchmarks/many_runs.py [--turns 10] [--computed 3] [--folder FOLDER] [--out RESULT.json]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from machine import facts
from made_study import make

TARGET: Final = 2.0
STUDIES: Final = ((20, 500), (2, 5000))
"""Variants and seeds."""


def shown(study: Path) -> tuple[float, bytes]:
    """Processor seconds of ``wellfit show``, user and system together, and what it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "wellfit.cli", "show", str(study)], stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def measured(study: Path, computed: int, turns: int) -> dict[str, Any]:
    """Show a study without its kept summary, then with it."""
    kept, found = study / "study.summary", {}
    texts = set()
    for name, times in (("computed", computed), ("kept", turns)):
        seconds = []
        for _ in range(times):
            if name == "computed":
                kept.unlink(missing_ok=True)
            took, text = shown(study)
            seconds.append(round(took, 3))
            texts.add(text)
        found[name] = seconds
    if len(texts) != 1 or not kept.is_file():
        raise SystemExit("the texts differ, or no summary was kept")
    return {**found, "bytes": kept.stat().st_size}


def main() -> None:
    """Make the studies, show them, print and save."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--turns", type=int, default=10)
    arguments.add_argument("--computed", type=int, default=3)
    arguments.add_argument("--folder", type=Path, help="where the studies are made: half a gigabyte each")
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    results = {}
    for variants, seeds in STUDIES:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            make(Path(folder) / "study", variants, seeds, examples=1000)
            found = measured(Path(folder) / "study", options.computed, options.turns)
        results[f"{variants} x {seeds}"] = found
        verdict = "under" if max(found["kept"]) < TARGET else "NOT under"
        print(
            f"{variants} variants x {seeds} seeds: {min(found['computed']):.1f} to {max(found['computed']):.1f} s (n = "
            f"{options.computed}), then {min(found['kept']):.2f} to {max(found['kept']):.2f} s (n = {options.turns}; "
            f"{verdict} {TARGET:g} s)",
            flush=True,
        )
    if options.out:
        result = {"n": options.turns, "machine": facts(), "measured": results, "source": Path(__file__).read_text()}
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
