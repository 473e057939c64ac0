"""The limit: no product of NumPy's is faster, and the loop multiplies in registers."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from generated import of_registers, runnable
from wellfit.nn.kernels import machine_code, peak
from wellfit.nn.kernels.processor import Processor

HERE = runnable()[:1]


@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_the_loop_has_only_multiplications(processor: Processor) -> None:
    assembly = machine_code.assembly(machine_code.written(peak.write_peak, processor), processor)
    loop = next(b for b in re.split(r"\n[.\w$]+:[^\n]*\n", assembly) if len(re.findall(r"vfmadd|fmla", b)) >= 12)
    body = [line for line in loop.splitlines() if re.search(r"vfmadd|fmla", line)]
    assert len(body) % 12 == 0
    assert not any("(" in line for line in body)  # no operand in memory


@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_the_rate_is_one_that_processors_have(processor: Processor) -> None:
    rate = peak.peak_rate(processor)
    assert 1e9 < rate < 2e12  # at most two multiplications of 16 lanes at 6 GHz: 0.4e12
    assert np.isfinite(rate)
