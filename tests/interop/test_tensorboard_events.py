"""Events: TensorBoard's own classes read them, and the checksums are tensorboardX's."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from wellfit.base.histograms import BIN_EDGES, BINS
from wellfit.errors import WellfitError
from wellfit.interop import tensorboard_events as events

pytest.importorskip("tensorboardX")


def test_a_histogram_is_its_bins() -> None:
    counts = np.zeros(BINS, np.int64)
    counts[[57, 90]] = 3, 5
    made = events.histogram("dense_1/kernel", counts).value[0].histo
    low, high = made.min, list(made.bucket_limit)
    assert (made.num, low, made.max) == (8, -(2.0**-10), BIN_EDGES[90])
    np.testing.assert_array_equal(made.bucket, counts[57:91])
    np.testing.assert_array_equal(high, BIN_EDGES[57:91])
    middle = (BIN_EDGES[89] + BIN_EDGES[90]) / 2
    assert (made.sum, made.sum_squares) == pytest.approx((5 * middle, 5 * middle**2))


def test_the_outermost_bins_have_an_edge() -> None:
    counts = np.zeros(BINS, np.int64)
    counts[[0, -1]] = 1
    made = events.histogram("dense_1/kernel", counts).value[0].histo
    assert (made.min, made.max) == (-32, 32)


def test_settings_keep_their_type() -> None:
    from tensorboard.plugins.hparams import plugin_data_pb2

    made = events.session_start({"l2": 0.5, "optimizer": "adam", "flag": True}, "l2", 7.0)
    read = plugin_data_pb2.HParamsPluginData.FromString(made.value[0].metadata.plugin_data.content)
    assert (read.session_start_info.group_name, read.session_start_info.start_time_secs) == ("l2", 7.0)
    shown = read.session_start_info.hparams
    assert (shown["l2"].number_value, shown["optimizer"].string_value, shown["flag"].bool_value) == (0.5, "adam", True)
    columns = {"l2": [0.5], "mixed": [0.5, "none"], "flag": [True]}
    content = events.experiment(columns, ["test/loss"]).value[0].metadata.plugin_data.content
    listed = plugin_data_pb2.HParamsPluginData.FromString(content).experiment
    assert [(info.name, info.type) for info in listed.hparam_infos] == [("l2", 3), ("mixed", 1), ("flag", 2)]
    assert [info.name.tag for info in listed.metric_infos] == ["test/loss"]


def test_without_tensorboardx_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, Any] = sys.modules  # type: ignore[assignment]
    monkeypatch.setitem(modules, "tensorboardX", None)
    with pytest.raises(WellfitError, match=r'not installed; install it with: pip install "wellfit\[tensorboard\]"'):
        events.messages()
