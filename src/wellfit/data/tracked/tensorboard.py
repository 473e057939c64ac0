"""TensorBoard: a folder of event files for each run, with its scalars and hyperparameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from wellfit.data.limits import raised, remedy
from wellfit.data.tracked.folders import files_below, parts_below, skipped_notes, yaml_in
from wellfit.data.tracked.grouping import named
from wellfit.data.tracked.logs import last_of
from wellfit.data.tracked.records import records_in
from wellfit.data.tracked.runs import Found, TrackedRun
from wellfit.errors import DataError, one_line

__all__ = ["is_events", "read_tensorboard"]

_SPLITS: Final = ("train", "validation", "val", "test", "eval")
"""Folders within that of a run, one for each split, as Keras writes them."""
_MOST_POINTS: Final = 5_000_000  # of a run
_HPARAMS: Final = re.compile(r"\d{9,}(?:\.\d+)?")  # where PyTorch's add_hparams writes


def is_events(name: str) -> bool:
    """Whether a name is that of an event file.

    Example:
      >>> is_events("events.out.tfevents.1700000000.host"), is_events("metrics.csv")
      (True, False)
    """
    return "tfevents" in name


def read_tensorboard(path: Path) -> Found:
    """The runs in a log folder.

    Folders ``train`` and ``validation`` within that of a run are parts of it, and their names precede those of the
    metrics. Hyperparameters come from the events, or from Lightning's ``hparams.yaml`` beside them.

    Args:
      path: a folder, or the event file of one run.

    Raises:
      DataError: tensorboardX is not installed, or a file is damaged.
    """
    _messages(path)
    root = path if path.is_dir() else path.parent
    skipped: Counter[str] = Counter()
    files = list(files_below(path, is_events, skipped)) if path.is_dir() else [path]
    with_events = {file.parent for file in files}
    of_run: dict[Path, list[tuple[str, Path]]] = {}
    for file in files:
        folder, prefix = file.parent, ""
        if folder != root and folder.name.lower() in _SPLITS:
            prefix, folder = f"{folder.name}/", folder.parent
        elif folder != root and folder.parent in with_events and _HPARAMS.fullmatch(folder.name) and _has_hparams(file):
            folder = folder.parent  # else it is a run that is named by its time
        of_run.setdefault(folder, []).append((prefix, file))
    found = [_run(folder, files, root) for folder, files in of_run.items()]
    runs = [run for run in found if run.metrics]
    if not runs:
        raise DataError(f"{path}: no scalars in its event files; log the test accuracy of each run")
    return Found(runs, skipped_notes(skipped), "TensorBoard")


def _messages(path: Path) -> Any:
    try:
        from tensorboardX.proto import event_pb2
    except ImportError:
        fix = 'install it with: pip install "wellfit[tensorboard]"'
        raise DataError(f"{path}: reading it needs tensorboardX, which is not installed; {fix}") from None
    return event_pb2


def _run(folder: Path, files: Sequence[tuple[str, Path]], root: Path) -> TrackedRun:
    curves: dict[str, dict[int, float]] = {}
    params: dict[str, str] = {}
    for prefix, file in files:
        _read(file, prefix, curves, params)
    params = params or yaml_in(folder / "hparams.yaml")
    parts = parts_below(folder, root)
    run = named(parts) or named([root.resolve().name, *parts])
    return TrackedRun(str(folder), params, {"folder": "/".join(parts)}, last_of(curves), curves, run)


def _has_hparams(file: Path) -> bool:
    return any(
        value.metadata.plugin_data.plugin_name == "hparams" for event in _events(file) for value in event.summary.value
    )


def _events(file: Path) -> Iterator[Any]:
    made = _messages(file)
    for content in records_in(file):
        try:
            yield made.Event.FromString(content)
        except Exception as error:  # protobuf's DecodeError
            raise DataError(f"{file}: a record is no event ({one_line(error)}); replace the file") from None


def _read(file: Path, prefix: str, curves: dict[str, dict[int, float]], params: dict[str, str]) -> None:
    """Add the scalars and the hyperparameters of a file; of two values at a step the later one counts."""
    points = sum(map(len, curves.values()))
    for event in _events(file):
        for value in event.summary.value:
            plugin = value.metadata.plugin_data
            if plugin.plugin_name == "hparams":
                params |= _hparams(file, plugin.content)
            elif (scalar := _scalar(value)) is not None:
                curves.setdefault(f"{prefix}{value.tag}", {})[int(event.step)] = scalar
                points += 1
                if points > raised(_MOST_POINTS):
                    raise DataError(f"{file}: more than {raised(_MOST_POINTS):,} numbers; log fewer steps, or "
                                    f"{remedy(points, _MOST_POINTS)}")  # fmt: skip


def _scalar(value: Any) -> float | None:
    """A number, as TensorFlow 1 and PyTorch write it, or as a tensor without axes, as TensorFlow 2 and Keras do."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return _shortest(value.simple_value)
    if kind != "tensor" or len(value.tensor.tensor_shape.dim):
        return None
    tensor = value.tensor
    for dtype, numbers in ((np.dtype("<f4"), tensor.float_val), (np.dtype("<f8"), tensor.double_val)):
        if tensor.dtype == (1 if dtype.itemsize == 4 else 2):
            packed = len(tensor.tensor_content) == dtype.itemsize
            one = np.frombuffer(tensor.tensor_content, dtype) if packed else numbers
            if len(one) == 1:
                return _shortest(one[0]) if dtype.itemsize == 4 else float(one[0])
    return None


def _shortest(value: float) -> float:
    """A float32 as the shortest decimal that it may stand for: 0.81, not 0.8100000023841858."""
    return float(str(np.float32(value)))


def _hparams(file: Path, content: bytes) -> dict[str, str]:
    from tensorboardX.proto import plugin_hparams_pb2

    try:
        data = plugin_hparams_pb2.HParamsPluginData.FromString(content)
    except Exception as error:  # protobuf's DecodeError
        raise DataError(f"{file}: its hyperparameters cannot be read ({one_line(error)}); replace the file") from None
    found = {}
    for name, value in data.session_start_info.hparams.items():
        held = getattr(value, value.WhichOneof("kind") or "", "")
        found[str(name)] = str(int(held)) if isinstance(held, float) and held.is_integer() else str(held)
    return found
