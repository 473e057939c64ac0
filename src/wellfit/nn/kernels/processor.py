"""The processors that code is generated for: how many vector registers they have, and how wide these are.

Sources: Intel (2023), "Intel 64 and IA-32 Architectures Software Developer's Manual", volume 1, sections 14 and 15;
Arm (2021), "Architecture Reference Manual for A-profile", section A1.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["AVX2", "AVX512", "NEON", "Processor", "Registers", "registers_of"]


@dataclass(frozen=True)
class Registers:
    """The vector registers of a kind of processor.

    Args:
      name: of its instructions.
      lanes: float32 values in a register.
      count: registers.
      proven: whether kernels for them have run and been compared with the fallback.
    """

    name: str
    lanes: int
    count: int
    proven: bool


AVX512: Final = Registers("AVX-512", 16, 32, proven=True)
AVX2: Final = Registers("AVX2", 8, 16, proven=True)
NEON: Final = Registers("NEON", 4, 32, proven=False)


@dataclass(frozen=True)
class Processor:
    """What LLVM generates code for.

    Args:
      triple, cpu, features: as LLVM names them; the features are separated by commas and may be empty.
      registers: its vector registers.
    """

    triple: str
    cpu: str
    features: str
    registers: Registers


def registers_of(machine: str, features: Mapping[str, bool]) -> Registers | None:
    """Return the registers that kernels use; None for processors without a fused multiply-add of vectors.

    Args:
      machine: the first part of LLVM's triple.
      features: by LLVM's names.

    Example:
      >>> registers_of("x86_64", {"avx2": True, "fma": True, "avx512f": False}).name
      'AVX2'
      >>> registers_of("x86_64", {"sse2": True})
    """
    if machine in ("aarch64", "arm64"):
        return NEON
    if machine != "x86_64" or not features.get("fma"):
        return None
    if all(features.get(name) for name in ("avx512f", "avx512vl", "avx512bw", "avx512dq")):
        return AVX512
    return AVX2 if features.get("avx2") else None
