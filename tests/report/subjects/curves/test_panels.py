from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from detailed import regions
from summaries import diverged, study
from wellfit.report.numbers import curve_data
from wellfit.report.subjects.curves.panels import curve_limits, curve_panel, region_panel


def paths(drawing, style):
    return [p.get("d") for p in ElementTree.fromstring(drawing).iter("path") if style in (p.get("style") or "")]


def test_limits_hold_every_mean():
    summary = study(epochs=6)
    low, high = curve_limits(summary, "accuracy")
    means = [
        100 * curve_data(summary, v.name, f"{s}_accuracy").mean
        for v in summary.variants
        for s in ("train", "validation")
    ]
    assert low < min(map(np.min, means))
    assert max(map(np.max, means)) < high


def test_a_curve_is_drawn_to_scale():
    summary = study(variants=("baseline",), epochs=12)
    limits = curve_limits(summary, "loss")
    drawing = curve_panel(summary, summary.variants[0], 0, "loss", limits)
    (line,) = paths(drawing, "stroke-width:2")
    points = np.array([[float(x) for x in p.split()] for p in line[1:].split("L")])
    mean = curve_data(summary, "baseline", "validation_loss").mean
    height = points[0, 1] - points[:, 1]
    np.testing.assert_allclose(height, 118 * (mean - mean[0]) / (limits[1] - limits[0]), atol=0.11)  # of tenths
    assert "validation" in ElementTree.fromstring(drawing).get("aria-label")


def test_where_a_run_was_read_is_marked():
    summary = study(variants=("baseline", "early-stopping"), epochs=20)
    limits = curve_limits(summary, "loss")
    texts = [curve_panel(summary, v, i, "loss", limits) for i, v in enumerate(summary.variants)]
    assert ["read here" in text for text in texts] == [False, True]
    (label,) = (e for e in ElementTree.fromstring(texts[1]).iter() if e.text == "read here")
    (line,) = paths(texts[1], "stroke-dasharray:1 3")
    top = float(line[1:].split("v")[0].split()[1])
    assert float(label.get("y")) < top  # above the plot, where no curve runs


@pytest.mark.parametrize("epoch", [1, 20])
def test_the_word_at_the_readout_stays_within_the_drawing(epoch):
    summary = study(variants=("early-stopping",), epochs=20)
    variant = summary.variants[0]
    runs = tuple(replace(run, state="stopped", readout_epoch=epoch) for run in variant.runs)
    root = ElementTree.fromstring(curve_panel(summary, replace(variant, runs=runs), 0, "loss", (0.0, 3.0)))
    (label,) = (e for e in root.iter() if e.text == "read here")
    width = float(root.get("viewBox").split()[2])
    assert 22 < float(label.get("x")) < width - 22  # it is 43 wide, and centered


def test_a_variant_without_epochs_and_one_with_one_epoch():
    summary = study(variants=("baseline",), epochs=1)
    limits = curve_limits(summary, "loss")
    assert "h2" in curve_panel(summary, summary.variants[0], 0, "loss", limits)
    bare = replace(summary, histories={})
    assert "no epoch yet" in curve_panel(bare, summary.variants[0], 0, "loss", limits)
    broken = diverged()
    for i, v in enumerate(broken.variants):
        ElementTree.fromstring(curve_panel(broken, v, i, "loss", curve_limits(broken, "loss")))


def test_regions_show_classes_curves_and_disagreement():
    found = regions("<l2>")
    for disagreement, said in ((False, "Decision regions of &lt;l2&gt;: up"), (True, "the seeds disagree in")):
        drawing = region_panel(found, ("up", "down"), disagreement)
        assert said in drawing
        assert len(re.findall("stroke-dasharray", drawing)) == 2
        ElementTree.fromstring(drawing)
