"""In which precision a network's matrix products are taken, and whether this machine gains by bfloat16.

Which processors multiply bfloat16: Intel (2023), "Architecture Instruction Set Extensions", AVX512_BF16 and AMX-BF16;
Arm (2021), "Architecture Reference Manual", FEAT_BF16; NVIDIA (2020), "A100 Tensor Core GPU Architecture", compute
capability 8.0.
"""

from __future__ import annotations

import functools
import platform
import re
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Final

from wellfit.base import ModelSpec
from wellfit.engine import devices
from wellfit.errors import UnknownNameError
from wellfit.nn.products import PRECISIONS, Precision

__all__ = ["CHOICES", "has_bfloat16", "in_words", "resolve"]

CHOICES: Final = (*PRECISIONS, "auto")
"""What a study may ask for."""

_CPUINFO: Final = Path("/proc/cpuinfo")
_ON_MACOS: Final = ("sysctl", "-n", "hw.optional.arm.FEAT_BF16")


@functools.cache
def has_bfloat16() -> bool:
    """Whether the device that trains multiplies bfloat16 in hardware, found out once a process.

    Example:
      >>> has_bfloat16() in (True, False)
      True
    """
    device = devices.mesh().devices.flat[0]
    if device.platform == "cpu":
        return _processor_has_it()
    capability = re.fullmatch(r"(\d+)\.\d+", str(getattr(device, "compute_capability", "")))  # AMD's are names
    return capability is not None and int(capability[1]) >= 8


def _processor_has_it() -> bool:
    system = platform.system()
    try:
        if system == "Linux":
            flags = re.search(r"^flags\s*:(.*)$", _CPUINFO.read_text(), re.MULTILINE)
            return flags is not None and not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags[1].split())
        if system == "Darwin":
            told = subprocess.run(_ON_MACOS, capture_output=True, text=True, timeout=5, check=False)
            return told.stdout.strip() == "1"
    except (OSError, subprocess.SubprocessError):  # who cannot be asked is taken to be slow at it
        return False
    return False


def resolve(precision: str, model: ModelSpec) -> Precision:
    """The precision of a model's matrix products.

    Args:
      precision: what the study asks for. ``"auto"`` is ``"mixed"`` where the hardware gains by it and the model has no
        convolution: on CPUs, those of bfloat16 are slower (LeNet-5 took 3.5 s an epoch, and 1.6 s in float32).
      model: the architecture.

    Raises:
      UnknownNameError: no such precision.

    Example:
      >>> resolve("mixed", ModelSpec("lenet5", ())), resolve("auto", ModelSpec("lenet5", ()))
      ('mixed', 'float32')
    """
    if precision not in CHOICES:
        raise UnknownNameError("precision", precision, CHOICES)
    if precision == "auto":
        return "mixed" if not _has_convolution(model) and has_bfloat16() else "float32"
    return "mixed" if precision == "mixed" else "float32"


def _has_convolution(model: ModelSpec) -> bool:
    return model.kind in ("lenet5", "cnn") or any(layer.kind == "conv2d" for layer in model.layers)


def in_words(precisions: Collection[Precision]) -> str:
    """What to tell a reader of the precisions of a plan's programs.

    Args:
      precisions: of every program; two of them only where ``"auto"`` was asked for.

    Example:
      >>> in_words({"mixed"})
      'products in bfloat16, sums in float32'
    """
    if "mixed" not in precisions:
        return "products in float32"
    rest = "; those of convolutional networks in float32" if "float32" in precisions else ""
    return f"products in bfloat16, sums in float32{rest}"
