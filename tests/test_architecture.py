"""The house rules that a machine can check: who may import whom, what may be loaded, how fast the command answers."""

from __future__ import annotations

import ast
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wellfit

SOURCE = Path(wellfit.__file__).parent
MODULES = {
    "wellfit." + ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
    if path != SOURCE / "__init__.py"
}

# Each layer may import those before it. Packages of one layer are siblings: they do not import each other. A module
# that is named stands elsewhere than its package: a fitted model opens the doors by which it leaves, and the other
# doors open on fitted models.
LAYERS = (
    ("base", "claimed", "ending", "errors", "files"),
    ("data", "nn", "analysis"),
    ("spec", "narrative"),
    ("engine", "diagnostics"),
    ("store",),
    ("study",),
    ("report", *(f"interop.{name}" for name in ("exported_estimator", "keras", "network", "onnx", "provenance"))),
    ("model",),
    ("interop", "plots"),
    ("previews", "single_runs", "how_many", "across", "claims"),
    ("result_tables",),
    ("results",),
    ("judging",),
    ("api", "from_scratch"),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

REPORT = (
    ("wording", "parts", "legible", "own_words", "notebook_steps"),
    ("numbers",),
    ("marks", "notes"),
    ("subjects",),
    ("document",),
    ("given_words",),
    ("forms",),
)
"""The same within ``report``; its subjects are siblings."""

ONLY_THERE = {
    "sqlite3": ("wellfit.store",),
    "requests": ("wellfit.data.fetch",),
    "urllib": ("wellfit.data.fetch",),
    "socket": ("wellfit.data.fetch", "wellfit.study.executors"),
    "http": (),
    "h5py": ("wellfit.data.arrays.hdf5",),
    "keras": ("wellfit.interop",),
    "tensorflow": (),
    "torch": ("wellfit.interop.lightning",),
    "onnx": ("wellfit.interop",),
    "llvmlite": ("wellfit.nn.kernels",),
    "tensorboardX": ("wellfit.interop", "wellfit.data.tracked.tensorboard"),
    "mlflow": ("wellfit.data.tracked.mlflow",),
    "optuna": ("wellfit.data.tracked.optuna", "wellfit.study.search"),
    "sqlalchemy": ("wellfit.data.tracked.databases",),
    "yaml": ("wellfit.data.tracked.folders",),
    "ray": ("wellfit.interop", "wellfit.study.executors"),
    "bokeh": ("wellfit.report",),
    "IPython": ("wellfit.report", "wellfit.interop"),
}
"""Who may import what: the network, the database, optional packages."""


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function, save for type checking alone."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module


def package(module: str) -> str | None:
    """The package or module directly below wellfit, or None for wellfit itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "wellfit" and len(parts) > 1 else None


def place(module: str) -> str | None:
    """What stands in a layer: the module, or else its package; None for wellfit itself."""
    inner = module.removeprefix("wellfit.")
    return inner if inner in RANK else package(module)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_one_way(module: str) -> None:
    here = place(module)
    assert here in RANK, f"{module} stands in no layer"
    for imported in imports(MODULES[module]):
        there = place(imported)
        if there is None or there == here:
            continue
        assert there in RANK, f"{module} imports {imported}, which stands in no layer"
        siblings = RANK[there] == RANK[here] and package(imported) == package(module)
        base_pair = {here, there} <= {"base", "claimed", "errors", "files"}
        right = RANK[there] < RANK[here] or siblings or base_pair
        assert right, f"{module} imports {imported}: against the one-way rule"


def test_imports_inside_the_report_go_one_way() -> None:
    rank = {name: at for at, layer in enumerate(REPORT) for name in layer}
    for module, path in MODULES.items():
        if package(module) != "report" or module == "wellfit.report":
            continue
        here = module.split(".")[2:]
        for imported in imports(path):
            there = imported.split(".")[2:]
            if package(imported) != "report" or not there or there[0] == here[0] != "subjects":
                continue
            if there[0] == here[0]:
                assert there[1] == here[1], f"{module} imports {imported}: the subjects are siblings"
            else:
                assert rank[there[0]] < rank[here[0]], f"{module} imports {imported}: against the one-way rule"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_network_database_and_optional_packages_have_their_one_place(module: str) -> None:
    for imported in imports(MODULES[module]):
        allowed = ONLY_THERE.get(imported.split(".")[0])
        if allowed is not None:
            assert any(module == a or module.startswith(f"{a}.") for a in allowed), f"{module} imports {imported}"


def test_the_engine_has_no_word_for_the_test_set() -> None:
    for module, path in MODULES.items():
        if package(module) == "engine":
            names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
            assert not names & {"x_test", "y_test"}, module
            assert "Dataset" not in path.read_text(), f"{module}: the engine is given TrainingData"


def test_the_network_by_hand_is_numpy_alone_and_short() -> None:
    path = MODULES["wellfit.from_scratch"]
    assert set(imports(path)) == {"__future__", "typing", "numpy", "numpy.typing"}
    assert len(path.read_text().splitlines()) < 150


def test_the_rule_itself_can_fail(tmp_path: Path) -> None:
    offender = tmp_path / "offender.py"
    offender.write_text("def f():\n    from wellfit.cli import app\n    import sqlite3\n")
    assert list(imports(offender)) == ["wellfit.cli", "sqlite3"]


def python(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["wellfit", "wellfit.base", "wellfit.data", "wellfit.spec.listing", "wellfit.cli"])
def test_importing_loads_neither_jax_nor_a_plotting_library(name: str) -> None:
    heavy = "jax matplotlib bokeh pandas sklearn scipy"
    loaded = python(f"import sys, {name}; print(*[m for m in '{heavy}'.split() if m in sys.modules])")
    assert loaded == ""


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["--version"], ["run", "--help"]])
def test_the_command_answers_at_once(arguments: list[str]) -> None:
    """Under half a second of CPU time, the interpreter's own start included, once byte-compiled: the best of five."""
    command = [sys.executable, "-m", "wellfit.cli", *arguments]
    quiet = {**os.environ, "NO_COLOR": "1"}
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, env=quiet, timeout=60, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stderr
        assert done.stdout
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.5, seconds


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_has_a_docstring(module: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[module].read_text()))


def test_tests_mirror_the_modules() -> None:
    tests = Path(__file__).parent
    modules = [path.relative_to(SOURCE) for path in MODULES.values() if not path.stem.startswith("__")]
    missing = [path.as_posix() for path in modules if not (tests / path).with_name(f"test_{path.name}").exists()]
    assert not missing


def test_the_folders_of_the_design_are_there() -> None:
    for name in (name for layer in LAYERS[1:9] for name in layer if "." not in name and name != "plots"):
        assert (SOURCE / name / "__init__.py").exists(), name
