"""Times and memory for reading data, beside what people would otherwise write for the same files.

fashion-csv: Fashion-MNIST in Kaggle's form, two CSV files of 60,000 and 10,000 rows; beside ``pandas.read_csv``.
folder: 20,000 PNG files of 28 x 28 pixels in ten class folders; beside the loop of torchvision's ``ImageFolder``, whose
loader is ``Image.open(file).convert("RGB")`` (PyTorch itself is not needed).
parquet: a million rows of 50 columns; beside ``pandas.read_parquet``.

Each reading runs in a process of its own, wellfit and peer in turns; ratios are taken between neighbors. Times are of
the reading alone, after all imports; peak memory is the process's, imports included. Files are read from the page
cache, after one unmeasured turn.

Usage: WELLFIT_DATA=... python benchmarks/reading.py [--turns 5] [--only folder] [--small] [--out RESULT.json]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
from machine import facts
from numpy.typing import NDArray
from results import spread

Images = tuple[NDArray[np.uint8], NDArray[Any]]

LIBRARIES: Final = ("pandas", "pyarrow", "pillow")
"""Their versions are reported, beside those of ``machine.facts``."""


# --- Files ------------------------------------------------------------------------------------------------------------


def fashion() -> tuple[Images, Images] | None:
    """Return Fashion-MNIST's images and labels for training and testing; None if it is not on this machine."""
    from wellfit.data.catalog import load_dataset
    from wellfit.errors import DataError

    try:
        data = load_dataset("fashion-mnist")
    except DataError:
        return None
    return (data.x_train, data.y_train), (data.x_test, data.y_test)


def write_fashion_csv(folder: Path, small: bool) -> str:
    """Write the two tables as on Kaggle: ``label``, then ``pixel1`` to ``pixel784``.

    Returns:
      What was written, or "" without the real data.
    """
    import pandas as pd

    sets = fashion()
    if sets is None:
        return ""
    counts = (200, 100) if small else (60_000, 10_000)
    for name, count, (x, y) in zip(("train", "test"), counts, sets, strict=True):
        frame = pd.DataFrame(x[:count].reshape(-1, 784), columns=[f"pixel{i}" for i in range(1, 785)])
        frame.insert(0, "label", y[:count])
        frame.to_csv(folder / f"fashion-mnist_{name}.csv", index=False)
    return f"Fashion-MNIST as CSV, {counts[0]:,} + {counts[1]:,} rows of 785 columns"


def write_folder(folder: Path, small: bool) -> str:
    """Write Fashion-MNIST's first images as PNG files, or generated ones without the real data."""
    from PIL import Image

    count, sets = 200 if small else 20_000, fashion()
    generator = np.random.default_rng(0)
    x, y = sets[0] if sets else (generator.integers(0, 256, (count, 28, 28), np.uint8), np.arange(count) % 10)
    for at in range(count):
        file = folder / f"{y[at]}" / f"{at:05d}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(x[at]).save(file)
    return f"{count:,} PNG files of 28 x 28 pixels ({'Fashion-MNIST' if sets else 'noise'}), 10 classes"


def write_parquet(folder: Path, small: bool) -> str:
    """Write a table of numbers: 40 columns of float64, 9 of int64, and a label of ten classes."""
    import pandas as pd

    rows, generator = 2_000 if small else 1_000_000, np.random.default_rng(0)
    columns = {f"measure_{i}": generator.standard_normal(rows) for i in range(40)}
    columns |= {f"count_{i}": generator.integers(0, 1000, rows) for i in range(9)}
    pd.DataFrame({**columns, "label": generator.integers(0, 10, rows)}).to_parquet(folder / "table.parquet")
    return f"Parquet, {rows:,} rows of 50 columns"


# --- Reading ----------------------------------------------------------------------------------------------------------


def ours(folder: Path) -> Callable[[], int]:
    """Return wellfit's reading, with everything that comes with it: checks, label column, test set and hash."""
    from wellfit.data.catalog import load_dataset

    (path,) = (*folder.glob("*.parquet"), folder)[:1]

    def read() -> int:
        data = load_dataset(path)
        return len(data.x_train) + len(data.x_test)

    return read


def pandas_csv(folder: Path) -> Callable[[], int]:
    """Return the reading of the two tables by pandas."""
    import pandas as pd

    return lambda: sum(len(pd.read_csv(file)) for file in sorted(folder.glob("*.csv")))


def pandas_parquet(folder: Path) -> Callable[[], int]:
    """Return the reading of the table by pandas."""
    import pandas as pd

    return lambda: len(pd.read_parquet(folder / "table.parquet"))


def image_folder(folder: Path) -> Callable[[], int]:
    """Return the loop of torchvision's ImageFolder: list the classes, then decode each file as RGB."""
    from PIL import Image

    def read() -> int:
        images = []
        for label in sorted(p for p in folder.iterdir() if p.is_dir()):
            for file in sorted(label.iterdir()):
                with file.open("rb") as opened:
                    images.append(np.asarray(Image.open(opened).convert("RGB")))
        return len(np.stack(images))

    return read


TASKS: Final = {
    "fashion-csv": (write_fashion_csv, "pandas.read_csv", pandas_csv),
    "folder": (write_folder, "ImageFolder's loop", image_folder),
    "parquet": (write_parquet, "pandas.read_parquet", pandas_parquet),
}
"""By name: how its files are written, the peer's name, and the peer's reading."""


def child(task: str, reader: str, folder: str) -> None:
    """Read once, and print seconds, peak memory in bytes and the number of examples."""
    for library in ("pandas", "pyarrow.parquet", "PIL.PngImagePlugin", "wellfit.data.catalog"):
        __import__(library)
    read = (ours if reader == "wellfit" else TASKS[task][2])(Path(folder))
    before = _peak()
    began = time.perf_counter()
    examples = read()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_bytes": _peak(), "before_bytes": before, "examples": examples}))


def _peak() -> int:
    """Peak memory in bytes. On Linux, getrusage would count the parent's memory before the program started."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(text.split()[1]) for text in status.read_text().splitlines() if "VmHWM" in text)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(task: str, folder: Path, turns: int) -> list[dict[str, dict[str, Any]]]:
    """Return the measurements of both readers in each turn; the order alternates."""
    readers = ("wellfit", "peer")
    blocks: list[dict[str, dict[str, Any]]] = []
    for turn in range(-1, turns):
        block = {}
        for reader in readers[:: 1 if turn % 2 else -1]:
            command = [sys.executable, __file__, "--child", task, reader, str(folder)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            block[reader] = json.loads(done.stdout.splitlines()[-1])
        counts = {measured["examples"] for measured in block.values()}
        if len(counts) > 1:
            raise RuntimeError(f"{task}: the readers read {counts} examples")
        if turn >= 0:
            blocks.append(block)
    return blocks


def row(peer: str, blocks: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return medians with ranges; ratios are wellfit's time and memory over the peer's, by turn."""
    of: dict[str, Any] = {"peer": peer, "n": len(blocks)}
    for reader in ("wellfit", "peer"):
        of[f"{reader}_seconds"] = spread([block[reader]["seconds"] for block in blocks])
        of[f"{reader}_peak_bytes"] = spread([block[reader]["peak_bytes"] for block in blocks])
    for what in ("seconds", "peak_bytes"):
        of[f"ratio_{what}"] = spread([block["wellfit"][what] / block["peer"][what] for block in blocks])
    return of


def line(of: dict[str, Any]) -> str:
    """Return a row as text."""
    ratio = of["ratio_seconds"]
    return (
        f"  wellfit {of['wellfit_seconds']['median']:.2f} s, {of['wellfit_peak_bytes']['median'] / 1e6:,.0f} MB; "
        f"{of['peer']} {of['peer_seconds']['median']:.2f} s, {of['peer_peak_bytes']['median'] / 1e6:,.0f} MB; "
        f"ratio of times {ratio['median']:.2f} ({ratio['low']:.2f} – {ratio['high']:.2f}), "
        f"of memory {of['ratio_peak_bytes']['median']:.2f}; n = {of['n']}"
    )


def main() -> None:
    """Write the files, measure, print and save."""
    if sys.argv[1:2] == ["--child"]:
        return child(*sys.argv[2:5])
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--turns", type=int, default=5)
    arguments.add_argument("--only", choices=TASKS)
    arguments.add_argument("--small", action="store_true", help="tiny files, to try the script itself")
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    versions = {name: metadata.version(name) for name in LIBRARIES}
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    for task, (write, peer, _) in TASKS.items():
        if options.only not in (None, task):
            continue
        with tempfile.TemporaryDirectory() as folder:
            what = write(Path(folder), options.small)
            if not what:
                print(f"{task}: skipped, since Fashion-MNIST is not on this machine; set WELLFIT_DATA to its folder")
                continue
            rows[task] = {"files": what, **row(peer, measure(task, Path(folder), options.turns))}
        print(f"{what}\n{line(rows[task])}", flush=True)
    if options.out:
        known = facts()
        known["versions"] |= versions
        result = {"small": options.small, "machine": known, "rows": rows, "source": Path(__file__).read_text()}
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
