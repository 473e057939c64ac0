"""The precision of a network's matrix products, and whether bfloat16 is faster on this machine.

Processors with bfloat16 products: Intel (2023), "Architecture Instruction Set Extensions", AVX512_BF16 and AMX-BF16;
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

__all__ = ["CHOICES", "has_bfloat16", "has_convolution", "in_words", "resolve"]

CHOICES: Final = (*PRECISIONS, "auto")
"""The precisions that a study may choose."""

_CPUINFO: Final = Path("/proc/cpuinfo")
_ON_MACOS: Final = ("sysctl", "-n", "hw.optional.arm.FEAT_BF16")


@functools.cache
def has_bfloat16() -> bool:
    """Return whether the training device multiplies bfloat16 in hardware, checked once per process.

    Example:
      >>> has_bfloat16() in (True, False)
      True
    """
    device = devices.mesh().devices.flat[0]
    if device.platform == "cpu":
        return _processor_has_it()
    capability = re.fullmatch(r"(\d+)\.\d+", str(getattr(device, "compute_capability", "")))  # AMD reports a name
    return capability is not None and int(capability[1]) >= 8


def _processor_has_it() -> bool:
    system = platform.system()
    try:
        if system == "Linux":
            flags = re.search(r"^flags\s*:(.*)$", _CPUINFO.read_text(), re.MULTILINE)
            return flags is not None and not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags[1].split())
        if system == "Darwin":
            answer = subprocess.run(_ON_MACOS, capture_output=True, text=True, timeout=5, check=False)
            return answer.stdout.strip() == "1"
    except (OSError, subprocess.SubprocessError):  # if unknown, assume no hardware support
        return False
    return False


def resolve(precision: str, model: ModelSpec) -> Precision:
    """Resolve the precision of a model's matrix products.

    Args:
      precision: one of ``CHOICES``. ``"auto"`` means ``"mixed"`` if the hardware supports bfloat16 and the model has no
        convolutions, which are slower in bfloat16 on CPUs (LeNet-5 took 3.5 s per epoch, against 1.6 s in float32).

    Raises:
      UnknownNameError: no such precision.

    Example:
      >>> resolve("mixed", ModelSpec("lenet5", ())), resolve("auto", ModelSpec("lenet5", ()))
      ('mixed', 'float32')
    """
    if precision not in CHOICES:
        raise UnknownNameError("precision", precision, CHOICES)
    if precision == "auto":
        return "mixed" if not has_convolution(model) and has_bfloat16() else "float32"
    return "mixed" if precision == "mixed" else "float32"


def has_convolution(model: ModelSpec) -> bool:
    """Return whether a model has a convolutional layer.

    Example:
      >>> has_convolution(ModelSpec("lenet5", ())), has_convolution(ModelSpec("logistic", ()))
      (True, False)
    """
    return model.kind in ("lenet5", "cnn") or any(layer.kind == "conv2d" for layer in model.layers)


def in_words(precisions: Collection[Precision]) -> str:
    """Describe the precisions of a plan's programs in words.

    Args:
      precisions: the distinct precisions; both only if the study chose ``"auto"``.

    Example:
      >>> in_words({"mixed"})
      'products in bfloat16, sums in float32'
    """
    if "mixed" not in precisions:
        return "products in float32"
    rest = "; those of convolutional networks in float32" if "float32" in precisions else ""
    return f"products in bfloat16, sums in float32{rest}"
