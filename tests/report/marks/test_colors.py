from __future__ import annotations

import itertools
import tomllib
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from summaries import study
from wellfit.report.marks.colors import DARK, FORMS, LIGHT, NAMED, SERIES, series_color, series_form, slots, slots_of

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
    assert contrast(colors["crowd"], paper) >= 3.0


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


def test_a_color_follows_its_name_in_every_study():
    for names in (["baseline", "l2", "dropout"], ["dropout", "baseline"], ["mine", "other", "dropout", "l1", "l2"]):
        found = slots(names)
        assert list(found) == names
        assert {name: slot for name, slot in found.items() if name in NAMED} == {
            name: NAMED[name] for name in names if name in NAMED
        }
    assert slots(["Early Stopping", "early_stopping "])["Early Stopping"] % SERIES == NAMED["early-stopping"]


def test_neither_order_nor_company_of_common_names_moves_a_color():
    names = ["baseline", "l2", "weight-decay", "mine", "yours", "128-64", "256-128", "l2=0.1", "l2=0.2", "l2=0.3"]
    found = slots(names)
    assert slots(names[::-1]) == found
    assert len(set(found.values())) == len(names)  # color and mark together differ
    assert {slots([name])[name] % SERIES for name in names} >= set(range(3))


@given(st.lists(st.text(max_size=6), max_size=40, unique=True), st.randoms())
def test_slots_differ_and_do_not_depend_on_order(names, chance):
    found = slots(names)
    assert len(set(found.values())) == len(names)
    shuffled = chance.sample(names, len(names))
    assert slots(shuffled) == found
    few = names[: SERIES - 1]  # as many as there are colors: all differ, except where the table says otherwise
    unknown = [name for name in few if name.strip().lower() not in NAMED]
    assert len({slots(unknown)[name] % SERIES for name in unknown}) == len(unknown)


def test_built_in_studies_of_up_to_seven_variants_have_a_color_each():
    for path in resources.files("wellfit.spec.builtin").iterdir():
        if not path.name.endswith(".toml"):
            continue
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for part in (table, *table.get("parts", {}).values()):
            names = list(part.get("variants", {}))
            if len(names) <= SERIES - 1:
                assert len({slot % SERIES for slot in slots(names).values()}) == len(names), path.name


def test_the_slots_of_a_study_are_those_of_its_variants():
    assert slots_of(study(variants=("baseline", "l2"))) == {"baseline": 0, "l2": 1}
