"""Reads mutated files in processes of their own, under limits, and lists what must not happen.

A reader may return a data set or raise a ``WellfitError`` of one printable line. Everything else is a fault: another
exception, a warning, a hang, too much memory, a crash of the process, or a data set that contradicts itself.

Usage: python tests/fuzzing.py SEED [SEED ...]             one input each, with the traceback of a fault
       python tests/fuzzing.py --range 0 100000 [--processes 2]
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unicodedata
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

SECONDS: Final = 10.0
"""At most so much processor time, one input; other work on the machine may stretch it four times."""
BYTES: Final = 2e9
"""At most so much memory, one process that reads thousands of inputs."""
_LINE: Final = 1100


def legible(text: str) -> bool:
    """Whether a text is one line of what a terminal shows.

    A no-break space is a space; characters that this version of Unicode does not know, or that are somebody's own, are
    shown as a box.
    """
    return all(c.isprintable() or unicodedata.category(c) in ("Zs", "Cn", "Co") for c in text)


def fault_of(seed: int) -> tuple[str, str]:
    """Read one input.

    Returns:
      What was wrong with the answer, "" if nothing, and what the input was and the answer: an error or a data set.
    """
    from mutations import make_input
    from wellfit.data.catalog import load_dataset
    from wellfit.errors import WellfitError

    with tempfile.TemporaryDirectory(prefix="fuzz") as folder, warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        made = make_input(seed, Path(folder))
        began = time.process_time()
        try:
            data = load_dataset(made.path, made.reading)
            look_at(data, audited=seed % 10 == 0)
            fault, answer = (
                contradiction(data),
                f"{data.x_train.dtype} {data.x_train.shape}, {len(data.classes)} classes",
            )
        except WellfitError as error:
            answer = str(error).replace(folder, "")
            fault = "" if legible(answer) and len(answer) < _LINE else f"not one printable line: {answer[:3000]!r}"
            if "contradicts itself" in answer:  # the reader's fault, not that of the file
                fault = answer
        except MemoryError:
            fault = answer = f"out of memory\n{traceback.format_exc()}"
        except Exception:
            fault = answer = traceback.format_exc()
        if time.process_time() - began > SECONDS:
            fault = f"took {time.process_time() - began:.0f} s"
        if heard and not fault:
            fault = (
                f"a warning: {heard[0].category.__name__} {heard[0].message} ({heard[0].filename}:{heard[0].lineno})"
            )
        if not fault and peak() > BYTES:
            fault = f"{peak() / 1e9:.1f} GB of memory"
    return fault, f"{made.told} -> {answer}"


def contradiction(data: Any) -> str:
    """What is wrong with a data set; "" if nothing."""
    n, classes = len(data.x_train), len(data.classes)
    labels = np.concatenate([data.y_train, data.y_test])
    rows = data.validation_rows
    checks = {
        "no example": n > 0,
        "shapes of training and test": data.x_train.shape[1:] == data.x_test.shape[1:],
        "types": data.x_train.dtype == data.x_test.dtype and data.x_train.dtype in (np.uint8, np.float32, np.float64),
        "labels": labels.dtype == np.int32 and int(labels.min()) >= 0 and int(labels.max()) < classes,
        "class names": classes >= 2 and len(set(data.classes)) == classes,
        "columns": not data.columns or (len(data.columns),) == data.input_shape,
        "infinite values": not np.isinf(data.x_train).any() and not np.isinf(data.x_test).any(),
        "missing pixels": data.x_train.ndim == 2 or not np.isnan(data.x_train).any(),
        "features": 0 not in data.input_shape,
        "validation rows": rows is None
        or (np.all(np.diff(rows) > 0) and rows[0] >= 0 and rows[-1] < n and len(rows) < n),
        "facts": all(isinstance(text, str) and legible(text) for fact in data.facts for text in fact),
    }
    return ", ".join(name for name, holds in checks.items() if not holds)


def look_at(data: Any, *, audited: bool) -> None:
    """Split, prepare and describe a data set, and audit it, as the commands do."""
    from wellfit.data.audits import audit
    from wellfit.data.facts import data_facts
    from wellfit.data.preparation import binary_features, fit_preparation, prepared_dataset
    from wellfit.data.splits import split_of, training_data

    splits = split_of(data, 0.2)
    preparation = fit_preparation(data, splits.train)
    training = training_data(prepared_dataset(data, preparation), splits, "auto", binary_features(preparation))
    data_facts(data, splits, preparation, training.scaling)
    if audited:
        audit(data, splits)


def brief(fault: str) -> str:
    """The last line of a fault, with the innermost of wellfit's lines in a traceback."""
    frames = re.findall(r'File ".*?(wellfit/[^"]*)", line (\d+)', fault)
    place = f" ({':'.join(frames[-1])})" if frames else ""
    return fault.strip().splitlines()[-1][:300] + place


def peak() -> int:
    """This process's peak memory in bytes. On Linux, getrusage would count the parent's before the program started."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def child(first: int, last: int, step: int) -> None:
    """Read a range of inputs, and print a line before and after each; a hang ends the process."""
    fault_of(-1)  # imports what the readers need
    faulthandler.enable()
    if sys.platform == "linux":  # so that a runaway ends before the machine does
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + 8 * 2**30, resource.RLIM_INFINITY))
    for seed in range(first, last, step):
        print(json.dumps([seed]), flush=True)
        faulthandler.dump_traceback_later(SECONDS * 4, exit=True)
        fault, story = fault_of(seed)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps([seed, fault, story]), flush=True)
        if peak() > BYTES:
            return


def faults(first: int, last: int, processes: int = 2, seconds: float = 1e9) -> tuple[int, list[tuple[int, str, str]]]:
    """Read the inputs of the seeds from ``first`` until before ``last``, as many as ``seconds`` allow.

    Returns:
      How many were read, and of each fault the seed, what was wrong, and the input.
    """
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(processes) as pool:
        runs = [
            pool.submit(lambda at: list(_answers(first + at, last, processes, until)), at) for at in range(processes)
        ]
        answers = [answer for run in runs for answer in run.result()]
    return len(answers), sorted(answer for answer in answers if answer[1])


def _answers(first: int, last: int, step: int, until: float) -> Iterator[tuple[int, str, str]]:
    """The answers of one process, which starts anew after a crash."""
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, [here, here.parent / "src", *filter(None, [os.environ.get("PYTHONPATH")])]))
    while first < last and time.monotonic() < until:
        command = [sys.executable, "-c", f"import fuzzing; fuzzing.child({first}, {last}, {step})"]
        env = {**os.environ, "PYTHONPATH": path, "WELLFIT_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env) as process,
        ):
            guard = threading.Timer(max(until - time.monotonic(), 0), process.terminate)
            guard.daemon = True
            guard.start()
            assert process.stdout is not None
            begun = None
            for line in process.stdout:
                seed, *answer = json.loads(line)
                begun, first = (seed, first) if not answer else (None, seed + step)
                if answer:
                    yield seed, answer[0], answer[1]
            process.wait()
            guard.cancel()
            errors.seek(0)
            said = errors.read()
        if begun is not None and time.monotonic() < until:
            yield begun, f"the process ended with {process.returncode}: {said[:2000]}", ""
            first = begun + step
        elif begun is None and process.returncode and time.monotonic() < until:
            raise RuntimeError(f"the readers do not start: {said[-3000:]}")


def main() -> None:
    """Read the inputs of some seeds, or of a range, and print the faults."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("seeds", type=int, nargs="*")
    arguments.add_argument("--range", type=int, nargs=2, default=(0, 0))
    arguments.add_argument("--processes", type=int, default=2)
    options = arguments.parse_args()
    for seed in options.seeds:
        fault, story = fault_of(seed)
        print(f"{seed}: {story}\n  {fault or 'no fault'}")
    if options.range[1]:
        count, found = faults(*options.range, options.processes)
        for seed, fault, story in found:
            print(f"{seed}: {brief(fault)}\n    {story.partition(' -> ')[0]}")
        print(f"{count} inputs, {len(found)} faults")


if __name__ == "__main__":
    main()
