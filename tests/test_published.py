"""The benchmark of published numbers uses built-in studies only, all of which have published numbers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from wellfit.spec.study import load_study


def test_its_studies_are_built_in_and_have_published_numbers() -> None:
    path = Path(__file__).parents[1] / "benchmarks" / "published.py"
    spec = importlib.util.spec_from_file_location("published", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    output = {name: load_study(name).published for name in module.STUDIES}
    assert all(output.values())
    assert {"lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-lenet5/mlp", "lab-depth"} <= output.keys()
