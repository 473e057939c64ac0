"""Which registers a processor has."""

from __future__ import annotations

import pytest

from wellfit.nn.kernels.processor import AVX2, AVX512, NEON, Registers, registers_of

WIDE = dict.fromkeys(("fma", "avx2", "avx512f", "avx512vl", "avx512bw", "avx512dq"), True)


@pytest.mark.parametrize(
    ("machine", "features", "expected"),
    [
        ("x86_64", WIDE, AVX512),
        ("x86_64", WIDE | {"avx512vl": False}, AVX2),  # Knights Landing
        ("x86_64", {"avx2": True, "fma": True}, AVX2),
        ("x86_64", {"avx2": True}, None),
        ("x86_64", {}, None),
        ("aarch64", {}, NEON),
        ("arm64", {}, NEON),
        ("riscv64", WIDE, None),
    ],
)
def test_registers_of_a_processor(machine: str, features: dict[str, bool], expected: Registers | None) -> None:
    assert registers_of(machine, features) is expected


def test_only_code_that_ran_is_proven() -> None:
    assert [r.proven for r in (AVX512, AVX2, NEON)] == [True, True, False]
