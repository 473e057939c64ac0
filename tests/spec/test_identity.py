"""Whether two studies are the same, and how they are merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.spec.identity import merged, spec_conflicts
from wellfit.spec.study import load_study, resolved, study_from_mapping


@pytest.mark.parametrize(
    ("how", "conflict"),
    [
        ({"data": "elsewhere/digits"}, None),  # by another path: the store compares the hashes
        ({"epochs": 4}, "[train] epochs is 3 there and 4 here"),
        ({"settings": ["data.validation=0.3"]}, "[data] validation is 0.2 there and 0.3 here"),
        ({"settings": ["variants.both.dropout=0.1"]}, "[variants.both] dropout is 0.5 there and 0.1 here"),
        ({"settings": ["name=x"]}, "it is called 'lab' there and 'x' here"),
        ({"seeds": 7}, None),
        ({"precision": "float32"}, None),
        ({"precision": "auto"}, '[train] precision is "float32" there and "auto" here'),
        ({"settings": ["variants.new.l1=1", "title=Other", "published.baseline.test_loss=1"]}, None),
    ],
)
def test_what_makes_another_study(lab: Path, how: dict[str, object], conflict: str | None) -> None:
    assert spec_conflicts(resolved(load_study(lab)), resolved(load_study(lab, **how))) == conflict  # type: ignore[arg-type]


def test_settings_unknown_to_an_older_version_do_not_differ(lab: Path) -> None:
    stored, new = resolved(load_study(lab)), resolved(load_study(lab))
    for recipe in (stored["base"], *(variant["recipe"] for variant in stored["variants"].values())):
        del recipe["max_norm"], recipe["model"]["output"]  # not yet invented
    del stored["data"]["scale"], stored["precision"]
    assert spec_conflicts(stored, new) is None
    changed = resolved(load_study(lab, settings=["train.max_norm=2"]))
    assert spec_conflicts(stored, changed) == "[train] max_norm is 0.0 there and 2.0 here"


def test_names_that_differ_in_case_would_share_files() -> None:
    one = resolved(study_from_mapping({"data": {"name": "d"}, "variants": {"L2": {}}}))
    other = resolved(study_from_mapping({"data": {"name": "d"}, "variants": {"l2": {}}}))
    assert spec_conflicts(one, other) == "variant 'l2' would share its files with 'L2'"


def test_two_versions_of_a_study_are_merged(lab: Path) -> None:
    old = resolved(load_study(lab, seeds=[5], settings=["variants.old.l1=1"]))
    new = resolved(load_study(lab, seeds=2, settings=["variants.new.l1=2", "title=New"]))
    both = merged(old, new)
    assert list(both["variants"]) == ["baseline", "both", "old", "new"]
    assert (both["seeds"], both["title"]) == ([5, 0, 1], "New")
    assert spec_conflicts(old, both) is None
    assert spec_conflicts(both, new) is None
