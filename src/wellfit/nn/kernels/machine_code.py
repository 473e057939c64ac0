"""From written functions to machine code, by LLVM."""

from __future__ import annotations

import ctypes
import functools
import hashlib
from collections.abc import Callable
from typing import Any, Final

import llvmlite
from llvmlite import binding, ir

from wellfit.nn.kernels.processor import Processor, registers_of
from wellfit.nn.kernels.vectors import Writer

__all__ = ["address", "assembly", "digest", "this_processor", "written"]

_NAME: Final = "kernel"
_LEVEL: Final = 3
_kept: list[Any] = []  # machine code is freed with its engine


def this_processor() -> Processor | None:
    """Return the processor that this process runs on; None if its vectors are not known here."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    triple, features = binding.get_process_triple(), binding.get_host_cpu_features()
    registers = registers_of(triple.split("-", maxsplit=1)[0], features)
    if registers is None:
        return None
    # LLVM avoids wide registers on some processors, because older ones lowered their clock rate with them
    wide = ",-prefer-256-bit" if registers.lanes == 16 else ""
    return Processor(triple, binding.get_host_cpu_name(), features.flatten() + wide, registers)


def written(write: Callable[[Writer], None], processor: Processor) -> str:
    """Write a function in LLVM's language.

    Args:
      write: writes the body, up to ``Writer.end``, which is called here.
    """
    module = ir.Module(_NAME)
    module.triple = processor.triple
    writer = Writer(module, _NAME, processor.registers.lanes)
    write(writer)
    writer.end()
    return str(module)


def digest(text: str, processor: Processor) -> str:
    """Identify the machine code that a function becomes: by its text, the processor and the version of LLVM."""
    parts = (text, processor.triple, processor.cpu, processor.features, llvmlite.__version__)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def address(text: str, processor: Processor) -> int:
    """Compile a function for this process and return its address; the code stays until the process ends."""
    machine = _machine(processor)
    engine = binding.create_mcjit_compiler(_optimized(text, machine), machine)
    engine.finalize_object()
    _kept.append(engine)
    return int(engine.get_function_address(_NAME))


def assembly(text: str, processor: Processor) -> str:
    """Compile a function for any processor and return its assembly."""
    _all_targets()
    machine = _machine(processor)
    return str(machine.emit_assembly(_optimized(text, machine)))


def handler(text: str, processor: Processor) -> Any:
    """Compile a function and return it as XLA registers it: a capsule around its address."""
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype, capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return capsule(address(text, processor), None, None)


def _machine(processor: Processor) -> Any:
    target = binding.Target.from_triple(processor.triple)
    return target.create_target_machine(cpu=processor.cpu, features=processor.features, opt=_LEVEL, jit=True)


def _optimized(text: str, machine: Any) -> Any:
    module = binding.parse_assembly(text)
    module.verify()
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=_LEVEL))
    passes.getModulePassManager().run(module, passes)
    return module


@functools.cache
def _all_targets() -> None:
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
