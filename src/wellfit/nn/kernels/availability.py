"""Whether convolutions can use generated kernels here, and if not, why."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Final

from wellfit.errors import WellfitError

if TYPE_CHECKING:
    from wellfit.nn.kernels.processor import Processor

__all__ = ["NOT_INSTALLED", "SWITCH", "description", "obstacle", "processor_in_use", "remedy"]

SWITCH: Final = "WELLFIT_KERNELS"
"""The environment variable that switches the kernels off, with the value ``off``."""

NOT_INSTALLED: Final = "llvmlite is not installed"


def obstacle() -> str:
    """Say why there are no generated kernels here; empty if there are.

    The first call compiles a function and lets XLA call it, to see whether this version of XLA calls as expected.

    Example:
      >>> obstacle() in ("", NOT_INSTALLED) or bool(obstacle())
      True
    """
    from wellfit.nn import accelerator

    switch = os.environ.get(SWITCH, "")
    if switch.lower() in ("off", "0", "no", "false"):
        return f"{SWITCH} = {switch}"
    if accelerator.in_use():
        return "training does not run on the processor"
    return _found()[1]


def remedy(reason: str) -> str:
    """Say what to do about an obstacle.

    Example:
      >>> remedy(NOT_INSTALLED)
      "pip install 'wellfit[fast]' adds it"
    """
    if reason == NOT_INSTALLED:
        return "pip install 'wellfit[fast]' adds it"
    if reason.startswith(SWITCH):
        return f"unset {SWITCH}"
    return "use the machine where the study began, or begin a new one"


def processor_in_use() -> Processor:
    """Return the processor that kernels are generated for.

    Raises:
      WellfitError: there are none here, or they are switched off.
    """
    reason = obstacle()
    processor = None if reason else _found()[0]
    if processor is None:
        raise WellfitError(f"there are no generated kernels here: {reason}; {remedy(reason)}")
    return processor


def description() -> str:
    """Name what the bits of a convolution by generated kernels depend on: the registers and the version of LLVM."""
    import llvmlite

    return f"{processor_in_use().registers.name}, llvmlite {llvmlite.__version__}"


@functools.cache
def _found() -> tuple[Processor | None, str]:
    """Look for kernels once per process; return the processor, or why there are none."""
    try:
        from wellfit.nn.kernels import calls, machine_code
    except ImportError:
        return None, NOT_INSTALLED
    except OSError as error:
        return None, f"llvmlite does not load: {error}"
    try:
        processor = machine_code.this_processor()
        if processor is None:
            return None, "the processor has no vectors of a known kind"
        if not processor.registers.proven:
            return None, f"kernels for {processor.registers.name} have not been proven yet"
        if not calls.frame_is_known(processor):
            return None, "this version of XLA calls functions in another way"
    except (RuntimeError, ValueError) as error:  # of LLVM, or of XLA, which refuses other versions of its interface
        return None, f"{error}".splitlines()[0]
    return processor, ""
