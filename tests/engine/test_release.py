from __future__ import annotations

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellfit.engine.devices import resident
from wellfit.engine.release import programs_kept, release


def test_more_programs_than_the_bound_are_dropped_and_compiled_again() -> None:
    release(0)
    double = jax.jit(lambda x: 2 * x)
    for size in range(1, 6):
        double(jnp.ones(size))
    kept = programs_kept()
    assert kept >= 5
    release(kept)
    assert programs_kept() == kept  # at the bound
    release(kept - 1)
    assert programs_kept() == 0
    assert double(jnp.ones(3)).tolist() == [2, 2, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim is a function of glibc")
def test_freed_memory_goes_back_to_the_system() -> None:
    blocks = [np.ones(8000) for _ in range(2000)]  # 128 MB of blocks that malloc takes from its heap
    last = np.ones(8000)
    full = resident()
    del blocks
    release()
    assert resident() < full - 100e6
    assert last.sum() == 8000


def test_on_a_gpu_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    jnp.ones(7).block_until_ready()
    kept = programs_kept()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    release(0)
    assert programs_kept() == kept > 0
