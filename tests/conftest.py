"""Set up JAX once for all tests, strictly, and keep the user's caches out of them."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import jaxlib.version

os.environ["KERAS_BACKEND"] = "jax"  # the oracle; ~/.keras/keras.json may name another
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The tests compile many small programs and run each for moments: what makes programs fast costs more than it saves.
os.environ["XLA_FLAGS"] = (
    f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1"
    # XLA ends the process at a flag that it does not know
    + (" --xla_cpu_use_fusion_emitters=false" if jaxlib.version.__version_info__ < (0, 11, 1) else "")
).strip()

import jax
import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings

from wellfit.base import Scaling, TrainingData
from wellfit.engine import devices, machine
from wellfit.study.session import _slowdown as measured_lately

for _number in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
    if signal.getsignal(_number) is signal.SIG_IGN:  # a job in the background; its children would ignore them, too
        signal.signal(_number, signal.default_int_handler)
devices.start()
settings.register_profile("wellfit", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("wellfit")
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_configure(config: pytest.Config) -> None:
    """Processes share the modules in their order: the many small ones, of doctests, come last and fill every core."""
    if hasattr(config.option, "loadscopereorder"):  # else it is an xdist before 3.8, or none
        config.option.loadscopereorder = False


def _real_data() -> Path | None:
    """The folder with the real Fashion-MNIST and MNIST: WELLFIT_DATA, or shared/datasets beside the checkout."""
    places = [os.environ.get("WELLFIT_DATA"), Path(__file__).parents[2] / "shared" / "datasets"]
    found = [Path(place) for place in places if place and (Path(place) / "fashion-mnist").is_dir()]
    return found[0] if found else None


@pytest.fixture(scope="session")
def common_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes of this test run; what is in it is written under a lock, or whole or not at all."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forecasts for a machine that does nothing else; how busy it is takes a while to measure."""
    measured_lately.cache_clear()
    monkeypatch.setattr(machine, "slowdown", lambda: 1.0)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(common_folder: Path) -> Iterator[None]:
    """No test and no fixture reads or writes the user's cache, nor the network."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("wellfit.study.run", "wellfit.interop.sklearn"):  # tests share compiled programs
            patch.setattr(f"{module}.release", lambda most=0: None)
        patch.setenv("WELLFIT_CACHE", str(common_folder / "cache"))
        patch.setenv("WELLFIT_OFFLINE", "1")
        yield


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real data sets; tests that need them are skipped, and say so, where they are not."""
    found = _real_data()
    if found is None:
        pytest.skip("the real data sets are not here: set WELLFIT_DATA to a folder with fashion-mnist and mnist")
    monkeypatch.setenv("WELLFIT_DATA", str(found))
    return found


@pytest.fixture(scope="session")
def small_data() -> TrainingData:
    """Three classes of noisy 4 x 4 images: 150 to train, 60 to validate; learned in a few epochs, with overfitting."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 3, 210).astype(np.int32)  # (210,)
    means = generator.uniform(0, 255, (3, 4, 4))  # (3, 4, 4)
    x = np.clip(means[y] + generator.normal(0, 90, (210, 4, 4)), 0, 255).astype(np.uint8)  # (210, 4, 4)
    scaling = Scaling("unit", np.zeros((), np.float32), np.full((), 1 / 255, np.float32))
    return TrainingData(x[:150], y[:150], x[150:], y[150:], np.arange(60), 3, scaling)


@pytest.fixture(scope="session", autouse=True)
def _compile_once(common_folder: Path) -> None:
    """A program that several tests need is compiled once, also for the processes that they start; see ``Programs``."""
    folder = common_folder / "cache" / "programs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)  # reading a smaller one takes as long


@pytest.fixture(scope="session")
def finished_study(common_folder: Path) -> Path:
    """A small study run from the command line, with the command's output next to it; read-only for tests."""
    from wellfit import cli

    place = common_folder / "finished"
    command = ["wellfit", "run", "--seeds", "2", "--epochs", "2", "--set", "model.hidden=[16]"]
    with FileLock(common_folder / "finished.lock"):
        if not (place / "told.txt").exists():
            place.mkdir()
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as output:
                patch.chdir(place)
                patch.setattr(sys, "argv", command)
                with pytest.raises(SystemExit):
                    cli.main()
            (place / "told.txt").write_text(output.getvalue())
    (result,) = (place / "wellfit-studies").iterdir()
    return result


@pytest.fixture
def study_copy(finished_study: Path, tmp_path: Path) -> Path:
    """A copy of ``finished_study``, to be written."""
    return Path(shutil.copytree(finished_study, tmp_path / "study"))
