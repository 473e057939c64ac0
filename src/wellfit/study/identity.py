"""When two studies are the same one, and what the two are together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["merged", "spec_conflicts"]


def spec_conflicts(stored: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """What keeps two studies from being the same one.

    They are the same with the same name, data, split and base recipe, and the same recipe for every variant that both
    have. Seeds, new variants, title and published numbers may differ.

    Args:
      stored, new: studies in ``resolved`` form.

    Returns:
      The first difference in words, or None.

    Example:
      >>> from wellfit.study.spec import load_study, resolved
      >>> spec_conflicts(resolved(load_study("lab5")), resolved(load_study("lab5", epochs=3, seeds=2)))
      '[train] epochs is 30 there and 3 here'
    """
    if stored["name"] != new["name"]:
        return f"it is called {stored['name']!r} there and {new['name']!r} here"
    pairs = [("[data]", stored["data"], new["data"]), ("[train]", stored["base"], new["base"])]
    folded = {name.lower(): name for name in stored["variants"]}
    for name, variant in new["variants"].items():
        if (twin := folded.get(name.lower(), name)) != name:
            return f"variant {name!r} would share its files with {twin!r}"
        before = stored["variants"].get(name, variant)
        pairs.append((f"[variants.{name}]", before["recipe"], variant["recipe"]))
    for table, there, here in pairs:
        for key in {**there, **here}:
            if there.get(key) != here.get(key):
                return f"{table} {key} is {json.dumps(there.get(key))} there and {json.dumps(here.get(key))} here"
    return None


def merged(stored: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Two forms of the same study as one: nothing that is stored vanishes, new variants and seeds follow.

    Args:
      stored, new: studies in ``resolved`` form, without conflict.

    Example:
      >>> from wellfit.study.spec import load_study, resolved
      >>> merged(resolved(load_study("lab5", seeds=[3])), resolved(load_study("lab5", seeds=2)))["seeds"]
      [3, 0, 1]
    """
    return {
        **new,
        "variants": {**stored["variants"], **new["variants"]},
        "seeds": list(dict.fromkeys([*stored["seeds"], *new["seeds"]])),
        "published": {**stored["published"], **new["published"]},
    }
