"""Claim: a study trains near the machine's arithmetic limit, and faster than every peer.

Times wellfit and the peers alternately (A B A B ...), each in its own process, with the same arrays, batches, epochs
and validation. Each turn measures every workload once: the machine's limit, then wellfit, then every peer. wellfit and
torch.compile start with empty caches each time, so compilation counts in full. wellfit's one-time measurement of the
machine, before its first large study, does not count.

A measurement during which other processes used more than a tenth of a core is reported, discarded and repeated; after
five such attempts the runner gives up. Results that are to be kept need five turns or more.

The peers and their numbers of timed epochs are in ``PEERS`` and ``workloads.py``; where a peer takes minutes and is far
behind, it is left out (Keras on JAX and torch.compile on the cnn). ``results.py`` describes how a few
epochs are extrapolated to a study. The JSON contains n, device, versions and the source code, and is written after
every peer, so that an interrupted run keeps its measurements.

Usage: WELLFIT_DATA=... python benchmarks/run.py --out benchmarks/results/speed.json
       python benchmarks/table.py benchmarks/results/speed.json
Needs: pip install -e ".[fast]" -r benchmarks/requirements.txt, and a C++ compiler for torch.compile
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from machine import REGISTERS, SQUARE, facts
from quiet import adopt_orphans, measured_quietly
from results import MIXED, OURS, epoch_seconds, share_of_limit, summarize
from workloads import WORKLOADS, Workload

from wellfit.files import cache_root

T = TypeVar("T")

HERE: Final = Path(__file__).parent
FEWEST_TURNS: Final = 5  # of results that are kept
_OF_OPENBLAS: Final = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # they make NumPy's product slower or faster


@dataclass(frozen=True)
class Peer:
    """One way of training the networks.

    Args:
      script: file name in ``peers/``.
      arguments: in addition to workload, variants and epochs.
      processes: number of processes side by side, each of which trains its share of the study.
      only: the workloads on which it is measured; empty for all.
    """

    script: str
    arguments: tuple[str, ...] = ()
    processes: int = 1
    only: tuple[str, ...] = ()


_BUT_CNN: Final = tuple(name for name in WORKLOADS if name != "cnn")  # there, these peers take minutes
MLPS: Final = tuple(name for name, workload in WORKLOADS.items() if workload.hidden)
PEERS: Final = {
    OURS: Peer("wellfit_population.py"),
    MIXED: Peer("wellfit_population.py", ("--precision", "mixed"), only=("lab5", "lab-512", "digits")),
    "Keras on TensorFlow": Peer("keras_fit.py", ("--backend", "tensorflow")),
    "Keras on JAX": Peer("keras_fit.py", ("--backend", "jax"), only=_BUT_CNN),
    "Keras on JAX, 32 steps": Peer("keras_fit.py", ("--backend", "jax", "--steps-per-execution", "32"), only=MLPS),
    "PyTorch": Peer("pytorch.py"),
    "PyTorch channels last": Peer("pytorch.py", ("--channels-last",), only=("lab-lenet5", "cnn")),
    "PyTorch torch.compile": Peer("pytorch.py", ("--compile",), only=_BUT_CNN),
    "PyTorch 2 x 1 thread": Peer("pytorch.py", ("--threads", "1"), processes=2),
    "scikit-learn": Peer("sklearn_mlp.py", only=MLPS),
}


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """Provide the environment of one process: empty caches, quiet libraries, and the usual data folder."""
    with tempfile.TemporaryDirectory() as empty:
        yield {
            "WELLFIT_DATA": str(cache_root() / "data"),
            **{name: value for name, value in os.environ.items() if name not in _OF_OPENBLAS},
            "WELLFIT_CACHE": f"{empty}/wellfit",
            "TORCHINDUCTOR_CACHE_DIR": f"{empty}/inductor",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONWARNINGS": "ignore",
        }


def printed(commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Run scripts side by side, and return the last line that each prints, parsed as JSON.

    Args:
      commands: scripts under ``benchmarks/`` with their arguments.

    Raises:
      subprocess.CalledProcessError: with the output of the first script that failed.
    """
    with environment() as env:
        processes = [
            subprocess.Popen(
                [sys.executable, str(HERE / script), *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=env,
            )
            for script, *arguments in commands
        ]
        try:
            outputs = [process.communicate() for process in processes]
        finally:
            for process in processes:
                process.kill()
    for process, (out, error) in zip(processes, outputs, strict=True):
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args, out, error)
    return [json.loads(out.splitlines()[-1]) for out, _ in outputs]


def measure(name: str, workload: Workload, epochs: int | None) -> dict[str, Any]:
    """Measure one peer on one workload; returns the output of its processes, or the reason of a failure."""
    peer = PEERS[name]
    arguments = ["--workload", workload.name, "--epochs", str(epochs or workload.timed)]
    if peer.script != PEERS[OURS].script:
        of = workload if workload.same_as is None else WORKLOADS[workload.same_as[0]]
        names = workload.timed_by_peers if workload.same_as is None else (workload.same_as[1],)
        names = names if len(names) > 1 else names * 2  # the second training shows the cost of another new model
        arguments = [
            *("--workload", of.name, "--epochs", str(epochs or of.timed)),
            *("--variants", ",".join(names)),
        ]
    try:
        return {"processes": printed([[f"peers/{peer.script}", *arguments, *peer.arguments]] * peer.processes)}
    except subprocess.CalledProcessError as error:
        return {"failed": next(reversed((error.stderr or "").strip().splitlines()), f"exit {error.returncode}")}


def take_turn(
    number: int, workloads: Sequence[Workload], peers: Sequence[str], epochs: int | None, rest: float
) -> Iterator[dict[str, Any]]:
    """Measure every workload once, and yield its result after every peer; it is the same dictionary, which grows."""
    taken: dict[tuple[str, str], dict[str, Any]] = {}
    for workload in workloads:
        title, discarded = f"turn {number}, {workload.name}", []

        def quietly(name: str, measure: Callable[[], T], title: str = title, into: list[Any] = discarded) -> T:
            def on_noise(others: float) -> None:
                into.append({"measured": name, "cores used by others": others})
                print(f"{title}, {name}: other processes used {others:.2f} of a core; measured again", flush=True)

            time.sleep(rest)
            return measured_quietly(measure, on_noise)[0]

        (rates,) = quietly("the machine", lambda: printed([["machine.py"]]))
        block: dict[str, Any] = {
            "turn": number,
            "workload": workload.name,
            "rates": rates,
            "peers": {},
            "discarded": discarded,
        }
        print(f"{title}: {_told_rates(rates)}", flush=True)
        for name in peers:
            if PEERS[name].only and workload.name not in PEERS[name].only:
                continue
            began = time.perf_counter()
            same = workload.same_as if PEERS[name].script != PEERS[OURS].script else None
            if same is not None and (same[0], name) in taken:
                measured = {"same_as": list(same), **taken[same[0], name]}
            else:
                measured = quietly(name, partial(measure, name, workload, epochs))
            taken[workload.name, name] = block["peers"][name] = measured
            told = _told(workload, measured, {} if name == MIXED else rates)
            print(f"  {name:<24}{told}  [{time.perf_counter() - began:.0f} s]", flush=True)
            yield block


def _told_rates(rates: dict[str, float]) -> str:
    """Format the machine's rates."""
    registers = f"registers {rates[REGISTERS] / 1e9:.0f}, " if REGISTERS in rates else ""
    return f"{registers}NumPy's product {rates[SQUARE] / 1e9:.0f} GFLOP/s"


def _told(workload: Workload, measured: dict[str, Any], rates: dict[str, float]) -> str:
    """Format a line of progress."""
    try:
        processes = measured["processes"]
        share = share_of_limit(workload, processes, rates)
        of_limit = "" if share is None else f", {share:4.0%} of the limit"
        return f"{epoch_seconds(workload, processes):8.4f} s an epoch and training{of_limit}"
    except KeyError:  # failed, or unsupported
        trainings = measured.get("processes", [{}])[0].get("trainings", ())
        return measured.get("failed") or "; ".join(sorted({t.get("unsupported", "") for t in trainings}))


def sources() -> dict[str, str]:
    """Return the source code of everything involved in the measurement."""
    files = [HERE / f"{name}.py" for name in ("run", "quiet", "workloads", "machine", "results")]
    return {str(f.relative_to(HERE)): f.read_text() for f in [*files, *sorted((HERE / "peers").glob("*.py"))]}


def save(result: dict[str, Any], path: Path | None) -> None:
    """Write the result and its current summary atomically."""
    result["summary"] = summarize(result["blocks"])
    result["seconds"] = round(time.perf_counter() - result["began"])
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({k: v for k, v in result.items() if k != "began"}, indent=1) + "\n")
        part.replace(path)


def parsed() -> argparse.Namespace:
    """Parse the command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME")
    arguments.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="NAME")
    arguments.add_argument("--turns", type=int, default=5)
    arguments.add_argument("--rest", type=float, default=0.0, help="seconds of rest before each measurement")
    arguments.add_argument("--epochs", type=int, help="epochs to time after the first; the workload's own otherwise")
    arguments.add_argument(
        "--whole", nargs="*", choices=WORKLOADS, default=(), metavar="NAME", help="also run wellfit's study whole, once"
    )
    arguments.add_argument("--out", type=Path, help="the JSON to write")
    options = arguments.parse_args()
    if options.turns < 1:
        arguments.error("--turns must be at least 1")
    if options.out is not None and options.turns < FEWEST_TURNS:
        arguments.error(f"--out needs --turns {FEWEST_TURNS} or more: fewer are a trial, not a result")
    if options.out is not None:  # fail now, not after an hour
        try:
            options.out.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            arguments.error(f"--out {options.out} cannot be written: {error.strerror}")
    return options


def main() -> None:
    """Measure all turns, save after every peer, and print the table."""
    options = parsed()
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that peers are ended
    result: dict[str, Any] = {
        "command": shlex.join(["python", "benchmarks/run.py", *sys.argv[1:]]),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": facts(),
        "turns": options.turns,
        "blocks": [],
        "whole": [],
        "source": sources(),
        "began": time.perf_counter(),
    }
    workloads = [WORKLOADS[name] for name in options.workloads]
    for number in range(1, options.turns + 1):
        for block in take_turn(number, workloads, options.peers, options.epochs, options.rest):
            if block not in result["blocks"][-1:]:
                result["blocks"].append(block)
            save(result, options.out)
    for name in options.whole:
        (whole,) = printed([["peers/wellfit_population.py", "--workload", name, "--whole"]])
        result["whole"].append({"workload": name, **whole})
        print(f"{name}, really whole: {whole['seconds']:.1f} s", flush=True)
    save(result, options.out)
    from table import render

    print("\n" + render(result))


if __name__ == "__main__":
    main()
