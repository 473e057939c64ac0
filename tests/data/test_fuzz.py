"""No input, however damaged, brings a reader to anything but a data set or one clear line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

import fuzzing
import mutations
from odd_values import SETTINGS
from originals import originals, pictures
from wellfit.base import Reading
from wellfit.data.assemble import make_dataset
from wellfit.errors import WellfitError


def told(found: list[tuple[int, str, str]]) -> str:
    """The faults, and the command that shows one of them again."""
    lines = [f"python tests/fuzzing.py {seed}  # {fuzzing.brief(fault)}" for seed, fault, _ in found[:50]]
    return "\n".join([f"{len(found)} faults", *lines])


def test_mutated_files_bring_no_fault() -> None:
    count, found = fuzzing.faults(0, 100_000, seconds=10)
    assert count > 50, "too few for a test, whatever the machine"
    assert not found, told(found)


@pytest.mark.slow
def test_a_hundred_thousand_mutated_files_bring_no_fault() -> None:
    count, found = fuzzing.faults(0, 100_000)
    assert count == 100_000
    assert not found, told(found)


# --- The fuzz itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(n for n in originals() if "ubyte" not in n))
def test_the_originals_are_read_or_refused_without_a_fault(name: str, tmp_path: Path) -> None:
    from wellfit.data.catalog import load_dataset

    (tmp_path / name).write_bytes(originals()[name])
    with contextlib.suppress(WellfitError):
        assert fuzzing.contradiction(load_dataset(tmp_path / name)) == ""


def test_a_seed_makes_the_same_input_every_time(tmp_path: Path) -> None:
    for seed in range(60):
        twice = []
        for folder in (tmp_path / f"{seed}a", tmp_path / f"{seed}b"):
            folder.mkdir()
            made = mutations.make_input(seed, folder)
            files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
            twice.append((made.told, made.reading, [(p.relative_to(folder), p.read_bytes()) for p in files]))
        assert twice[0] == twice[1]


def test_every_form_and_every_mutation_occurs(tmp_path: Path) -> None:
    seen = set()
    for seed in range(3000):
        folder = tmp_path / str(seed)
        folder.mkdir()
        seen |= set(mutations.make_input(seed, folder).told.replace(" = ", "; ").split("; "))
    changes = {change.__name__.strip("_") for change in (*mutations.BINARY, *mutations.TEXTUAL, mutations._header)}
    assert changes <= seen
    assert set(originals()) <= seen
    assert all(any(t.endswith(name) for t in seen) for name in pictures())


BROKEN = {
    "raise KeyError('x')": "KeyError",
    "while True: pass": "Timeout",
    "import ctypes; ctypes.string_at(0)": "Segmentation fault",
    "import numpy; fuzzing.BYTES = fuzzing.peak() + 1e8; x = numpy.ones(3 * 10**7)": "GB of memory",
    "import numpy; x = numpy.ones(10**13)": "MemoryError",
    "import warnings; warnings.warn('odd')": "a warning: UserWarning odd",
    "error = DataError(); error.args = ('two\\nlines',); raise error": "not one printable line",
    "import dataclasses; d = read('cosines'); dataclasses.replace(d, x_train=d.x_train[1:])": "contradicts itself",
}
"""What a reader must not do, and what the fuzz says of it."""


def test_each_kind_of_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes go on after each."""
    (tmp_path / "sitecustomize.py").write_text(
        "import fuzzing, mutations, wellfit.data.catalog as catalog\n"
        "from wellfit.errors import DataError\n"
        "fuzzing.SECONDS = 1.0\n"
        "made, read = mutations.make_input, catalog.load_dataset\n"
        "def make_input(seed, folder):\n"
        "    global now\n"
        "    now = seed\n"
        "    return made(seed, folder)\n"
        "def load_dataset(path, reading):\n"
        f"    exec({[*BROKEN]}[now] if 0 <= now < {len(BROKEN)} else '')\n"
        "    return read('cosines')\n"
        "mutations.make_input, catalog.load_dataset = make_input, load_dataset\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    count, found = fuzzing.faults(0, len(BROKEN) + 2, processes=1)
    assert count == len(BROKEN) + 2
    assert [seed for seed, _, _ in found] == [*range(len(BROKEN))]
    for (_, fault, _), said in zip(found, BROKEN.values(), strict=True):
        assert said in fault


def test_a_data_set_that_contradicts_itself_is_a_fault() -> None:
    import dataclasses

    data = make_dataset(np.arange(20.0).reshape(10, 2), ["cat", "dog"] * 5)
    assert fuzzing.contradiction(data) == ""
    assert fuzzing.contradiction(dataclasses.replace(data, classes=("cat", "cat"))) == "class names"
    nothing = dataclasses.replace(data, x_train=data.x_train[:0], y_train=data.y_train[:0], pool=None)
    assert fuzzing.contradiction(nothing) == "no example"
    assert fuzzing.contradiction(dataclasses.replace(data, x_train=data.x_train + np.inf)) == "infinite values"


def test_every_setting_of_reading_is_tried() -> None:
    assert set(SETTINGS) == set(Reading.__dataclass_fields__)


# --- Arrays from Python -----------------------------------------------------------------------------------------------

TYPES = st.one_of(
    nps.boolean_dtypes(),
    nps.integer_dtypes(endianness="?"),
    nps.unsigned_integer_dtypes(),
    nps.floating_dtypes(endianness="?"),
    nps.complex_number_dtypes(),
    nps.datetime64_dtypes(),
    nps.timedelta64_dtypes(),
    nps.unicode_string_dtypes(max_len=3),
    nps.byte_string_dtypes(max_len=3),
    st.just(np.dtype(object)),
    st.just(np.dtype([("a", "<f8"), ("b", "<i2")])),
)


def _elements(dtype: np.dtype[Any]) -> st.SearchStrategy[Any] | None:
    odd = st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3), st.just([1, 2]), st.binary(max_size=2))
    return odd if dtype.kind == "O" else None


ARRAYS = TYPES.flatmap(
    lambda t: nps.arrays(t, nps.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=12), elements=_elements(t))
)
LABELS = TYPES.flatmap(lambda t: nps.arrays(t, st.sampled_from([(12,), (12, 1), (12, 3)]), elements=_elements(t)))


def odd_forms(x: Any) -> list[Any]:
    """An array in the other forms in which a notebook may hold it."""
    forms = [x, x.tolist(), x[::-1] if x.ndim else x, np.asfortranarray(x), x.view()]
    if x.dtype.kind != "O":
        forms.append(np.ma.masked_array(x))
    if x.ndim == 2 and x.dtype.kind in "biuf" and x.dtype != np.float16 and x.dtype.isnative:
        forms += [pd.DataFrame(x), scipy.sparse.csr_matrix(x.astype(np.float64))]
    if x.ndim == 1 and x.dtype.kind in "biufUO":
        forms += [pd.Series(x.tolist()), pd.Series(x.tolist(), dtype="object")]
    if x.ndim == 1 and x.dtype.kind in "biufU":
        forms += [pd.Categorical(x.tolist()), pd.Series(x.tolist(), dtype="category")]
    return forms


def check(*arrays: Any, **options: Any) -> None:
    """Make a data set or be refused in one line."""
    with contextlib.suppress(WellfitError):  # its messages are one line whatever happens
        assert fuzzing.contradiction(make_dataset(*arrays, **options)) == ""


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(x=ARRAYS, data=st.data())
def test_odd_examples_bring_no_fault(x: Any, data: st.DataObject) -> None:
    n = x.shape[0] if x.ndim else 1
    check(data.draw(st.sampled_from(odd_forms(x))), [i % 2 for i in range(n)])


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(y=LABELS, data=st.data())
def test_odd_labels_bring_no_fault(y: Any, data: st.DataObject) -> None:
    check(np.arange(24.0).reshape(12, 2), data.draw(st.sampled_from(odd_forms(y))))


@pytest.mark.parametrize(
    "x",
    [
        None,
        "digits.csv",
        b"bytes",
        {"a": [1, 2]},
        {1, 2},
        iter([1, 2]),
        object(),
        np.broadcast_to(np.float32(1), (10**6, 10**6)),
        np.float64(1.5),
        np.zeros((2, 3), "V4"),
        np.ma.masked_array([[1, 2], [3, 4]], [[False, True], [False, False]]),
        [[1, 2], [3]],
        [np.zeros((2, 2)), np.zeros((3, 2))],
        [[None, 1.0], [2.0, 3.0]],
        pd.DataFrame({"a": [1, 2], "a b": ["x", None]}),
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": pd.to_datetime(["2020-01-01", None])}),
        pd.DataFrame({("a", "b"): [1, 2]}),
        pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
        pd.DataFrame(),
    ],
    ids=lambda x: type(x).__name__,
)
def test_what_is_no_array_brings_no_fault(x: Any) -> None:
    check(x, [0, 1])
    check(np.arange(4.0).reshape(2, 2), x)
