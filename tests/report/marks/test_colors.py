from __future__ import annotations

import itertools

import numpy as np
import pytest

from wellfit.report.marks.colors import DARK, FORMS, LIGHT, SERIES, series_color, series_form

# Machado, Oliveira and Fernandes (2009), full deficiency, on linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "none": np.eye(3).tolist(),
}


def linear(color):
    srgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """WCAG 2: relative luminances, the lighter over the darker."""
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb):
    """Ottosson (2020)."""
    cone = [[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]
    lab = [[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]]
    return np.array(lab) @ np.cbrt(np.array(cone) @ np.clip(rgb, 0, 1))


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_everything_reads_on_its_paper(colors):
    paper = colors["paper"]
    for role in ("ink", "muted", "good", "bad"):
        assert contrast(colors[role], paper) >= 4.5, role  # WCAG AA, text
    for role in (f"s{i}" for i in range(SERIES)):
        assert contrast(colors[role], paper) >= 3.0, role  # WCAG AA, graphics


@pytest.mark.parametrize("sight", BLINDNESS)
@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_series_stay_apart_for_every_eye(colors, sight):
    seen = {r: oklab(np.array(BLINDNESS[sight]) @ linear(colors[r])) for r in (f"s{i}" for i in range(SERIES))}
    closest = min(float(np.linalg.norm(seen[a] - seen[b])) for a, b in itertools.combinations(seen, 2))
    assert closest > 0.1  # five times what can just be told apart side by side (0.02)


def test_colors_can_be_told_apart_by_their_text():
    assert len(set(LIGHT.values())) == len(LIGHT)
    assert LIGHT.keys() == DARK.keys()


def test_series_colors_repeat():
    assert series_color(SERIES + 2) == series_color(2) == LIGHT["s2"]


def test_color_and_mark_together_name_a_series():
    named = {(series_color(i), series_form(i)) for i in range(SERIES * FORMS)}
    assert len(named) == SERIES * FORMS
