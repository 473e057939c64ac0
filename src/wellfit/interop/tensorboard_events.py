"""TensorBoard's events as bytes: scalars, histograms, texts and hyperparameters.

Source: tensorboardX has the messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Final

import numpy as np

from wellfit.base import IntArray
from wellfit.base.histograms import BIN_EDGES
from wellfit.data.tracked.records import record
from wellfit.errors import WellfitError

__all__ = [
    "event",
    "experiment",
    "first_event",
    "histogram",
    "messages",
    "scalar",
    "session_end",
    "session_start",
    "text",
]

Setting = float | bool | str

_PLUGIN: Final = "hparams"
_OUTSIDE: Final = 2.0 * BIN_EDGES[-1]  # invented: the outermost bins have no outer edge
_LOW: Final = np.concatenate([[-_OUTSIDE], BIN_EDGES])  # (BINS,)
_HIGH: Final = np.concatenate([BIN_EDGES, [_OUTSIDE]])  # (BINS,)


def messages() -> ModuleType:
    """The module of tensorboardX that makes summaries.

    Raises:
      WellfitError: it is not installed.
    """
    try:
        from tensorboardX import summary
    except ImportError:
        fix = 'install it with: pip install "wellfit[tensorboard]"'
        raise WellfitError(f"TensorBoard needs tensorboardX, which is not installed; {fix}") from None
    module: ModuleType = summary
    return module


def scalar(tag: str, value: float) -> Any:
    """The summary of a number."""
    made = messages()
    return made.Summary(value=[made.Summary.Value(tag=tag, simple_value=float(value))])  # its scalar() warns of NaN


def histogram(tag: str, counts: IntArray) -> Any:
    """The summary of a histogram.

    Its sums, from which TensorBoard computes a mean, are those of the middles of the bins.

    Args:
      tag: its name.
      counts: of at least one weight.  # (BINS,)

    Example:
      >>> made = histogram("dense_1/bias", np.eye(115, dtype=np.int64)[57] * 8).value[0].histo
      >>> made.num, made.min == -made.max, list(made.bucket)
      (8.0, True, [8.0])
    """
    held = np.flatnonzero(counts)
    shown = slice(held[0], held[-1] + 1)
    low, high, count = _LOW[shown], _HIGH[shown], counts[shown].astype(np.float64)
    middle = (low + high) / 2
    sums = float(count @ middle), float(count @ middle**2)
    return messages().histogram_raw(tag, low[0], high[-1], count.sum(), *sums, high.tolist(), count.tolist())


def text(tag: str, markdown: str) -> Any:
    """The summary of a text in Markdown."""
    return messages().text(tag, markdown)


def experiment(settings: Mapping[str, Iterable[Setting]], metrics: Iterable[str]) -> Any:
    """The summary of what the hyperparameters dashboard shows of all runs.

    Args:
      settings: name -> values of the runs.
      metrics: tags of scalars.
    """
    api = _api()
    infos = [api.HParamInfo(name=name, type=_type(list(values))) for name, values in settings.items()]
    shown = [api.MetricInfo(name=api.MetricName(tag=tag)) for tag in metrics]
    return _for_plugin("experiment", experiment=api.Experiment(hparam_infos=infos, metric_infos=shown))


def session_start(settings: Mapping[str, Setting], group: str, seconds: float) -> Any:
    """The summary of the hyperparameters of one run.

    Args:
      settings: name -> value.
      group: of runs that TensorBoard averages.
      seconds: when it began, since 1970.
    """
    made = _plugin().SessionStartInfo(group_name=group, start_time_secs=seconds)
    for name, value in settings.items():
        kind = "bool_value" if isinstance(value, bool) else "string_value" if isinstance(value, str) else "number_value"
        setattr(made.hparams[name], kind, value)
    return _for_plugin("session_start_info", session_start_info=made)


def session_end(failed: bool, seconds: float) -> Any:
    """The summary of the end of a run."""
    status = _api().Status.Value("STATUS_FAILURE" if failed else "STATUS_SUCCESS")
    return _for_plugin(
        "session_end_info", session_end_info=_plugin().SessionEndInfo(status=status, end_time_secs=seconds)
    )


def first_event(seconds: float) -> bytes:
    """The record that an event file begins with."""
    return record(_event(seconds, 0, file_version="brain.Event:2"))


def event(summary: Any, step: int, seconds: float) -> bytes:
    """A summary as a record of an event file.

    Args:
      summary: what the other functions make.
      step: its epoch; 0 for the whole run.
      seconds: its time, since 1970.
    """
    return record(_event(seconds, step, summary=summary))


def _event(seconds: float, step: int, **content: Any) -> bytes:
    from tensorboardX.proto import event_pb2

    made: bytes = event_pb2.Event(wall_time=seconds, step=step, **content).SerializeToString()
    return made


def _for_plugin(tag: str, **content: Any) -> Any:
    """A summary that only the hyperparameters dashboard reads."""
    made = messages()
    data = _plugin().HParamsPluginData(version=0, **content).SerializeToString(deterministic=True)
    of_plugin = made.SummaryMetadata.PluginData(plugin_name=_PLUGIN, content=data)
    value = made.Summary.Value(tag=f"_hparams_/{tag}", metadata=made.SummaryMetadata(plugin_data=of_plugin))
    return made.Summary(value=[value])


def _type(values: list[Setting]) -> Any:
    kinds = _api().DataType
    if all(isinstance(value, bool) for value in values):
        return kinds.Value("DATA_TYPE_BOOL")
    text = any(isinstance(value, str) for value in values)
    return kinds.Value("DATA_TYPE_STRING" if text else "DATA_TYPE_FLOAT64")


def _api() -> ModuleType:
    from tensorboardX.proto import api_pb2

    module: ModuleType = api_pb2
    return module


def _plugin() -> ModuleType:
    from tensorboardX.proto import plugin_hparams_pb2

    module: ModuleType = plugin_hparams_pb2
    return module
