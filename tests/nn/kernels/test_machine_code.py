"""Machine code for this processor and for others: what it is identified by, and that its sums stay in registers."""

from __future__ import annotations

import dataclasses
import re

import pytest

pytest.importorskip("llvmlite")

from generated import runnable
from wellfit.nn.kernels import frame, handlers, machine_code
from wellfit.nn.kernels.blocks import Shape
from wellfit.nn.kernels.processor import AVX2, AVX512, NEON, Processor

OTHERS = [
    Processor("x86_64-unknown-linux-gnu", "skylake-avx512", "-prefer-256-bit", AVX512),
    Processor("x86_64-pc-windows-msvc", "x86-64-v3", "", AVX2),
    Processor("arm64-apple-macosx", "apple-m1", "", NEON),
    Processor("aarch64-linux-gnu", "neoverse-n1", "", NEON),
]
FUNCTIONS = (handlers.output_function, handlers.images_function, handlers.kernel_function)
PRODUCT = re.compile(r"\bfmla\b|\bvfmadd\d+ps\b")
TO_STACK = re.compile(r"\b(?:str|stp)\s+q\d+.*\[(?:sp|x29)|vmov[au]ps\s+%[xyz]mm\d+, -?\d*\(%r[sb]p")


def of_inner_loops(assembly: str) -> tuple[int, int]:
    """Multiplications, and vectors stored on the stack, in blocks of instructions that mostly multiply."""
    blocks = re.split(r"\n[.\w$]+:[^\n]*\n", assembly)
    counts = [(len(PRODUCT.findall(block)), len(TO_STACK.findall(block))) for block in blocks]
    inner = [(products, stores) for products, stores in counts if products >= 8]
    return sum(products for products, _ in inner), sum(stores for _, stores in inner)


@pytest.mark.parametrize("processor", OTHERS, ids=lambda p: p.cpu)
def test_sums_stay_in_the_registers_of_other_processors(processor: Processor) -> None:
    for shape in (Shape(6, 14, 14, 16, 5, 1, 16), Shape(16, 16, 16, 32, 3, 1, 16)):
        for function in FUNCTIONS:
            text = machine_code.written(function(shape, processor.registers, pooled=False), processor)
            products, stores = of_inner_loops(machine_code.assembly(text, processor))
            assert products >= 20
            assert stores <= products / 16, (shape, function.__name__, products, stores)


def test_the_count_of_stores_can_fail() -> None:
    """Blocks for 32 registers on a processor with 16."""
    wrong = Processor("x86_64-pc-windows-msvc", "x86-64-v3", "", dataclasses.replace(AVX2, count=32))
    shape = Shape(6, 14, 14, 16, 5, 1, 16)
    text = machine_code.written(handlers.output_function(shape, wrong.registers, pooled=False), wrong)
    products, stores = of_inner_loops(machine_code.assembly(text, wrong))
    assert stores > products / 16


def test_code_is_identified_by_text_and_processor() -> None:
    processor = OTHERS[0]
    text = machine_code.written(frame.check, processor)
    assert machine_code.digest(text, processor) == machine_code.digest(text, processor)
    others = {machine_code.digest(text, other) for other in OTHERS} | {machine_code.digest(text + "\n", processor)}
    assert len(others) == len(OTHERS) + 1


def test_this_processor_runs_what_is_compiled_for_it() -> None:
    for processor in runnable():
        assert machine_code.address(machine_code.written(frame.check, processor), processor)
