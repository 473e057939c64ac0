"""Fitting a population into the memory of accelerators, which train all groups of a wave at once.

A plan estimates how many groups fit. Where the compiled program says that it needs more than there is, or a device has
no memory left while it trains, waves are halved.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax

from wellfit.engine.plan import Population, in_waves
from wellfit.errors import WellfitError

__all__ = ["bytes_needed", "fitted", "halved", "is_out_of_memory", "out_of_memory_error", "resized"]


def resized(population: Population, size: int) -> Population:
    """The population in waves of another number of groups.

    Args:
      size: groups in a wave.
    """
    before = population.program.groups
    ordered = [group for place in range(before) for group in population.groups[place::before] if group]
    return replace(population, program=replace(population.program, groups=size), groups=in_waves(ordered, size))


def halved(population: Population, devices: int) -> Population | None:
    """The population with at most half as many groups on a device; None if each has one already.

    Args:
      devices: that train a wave.
    """
    lanes = population.program.groups // devices
    if lanes <= 1:
        return None
    of_device = math.ceil(sum(bool(group) for group in population.groups) / devices)
    waves = math.ceil(of_device / (lanes // 2))
    return resized(population, devices * math.ceil(of_device / waves))  # evenly: an empty group takes as long


def fitted(population: Population, needs: Callable[[Population], int], limit: int, devices: int) -> Population:
    """The population in waves that fit the memory of a device.

    Args:
      needs: the bytes that a population takes on a device.
      limit: the bytes that a device has.
      devices: that train a wave.

    Raises:
      WellfitError: a single group does not fit.
    """
    while True:
        try:
            needed = needs(population)
            if needed <= limit:
                return population
            why = f"needs {needed / 1e9:.1f} GB"
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error):
                raise
            why = "does not fit"
        less = halved(population, devices)
        if less is None:
            raise out_of_memory_error(population, why, limit)
        population = less


def bytes_needed(program: Any, arguments: tuple[Any, ...]) -> int:
    """The bytes that a program takes on a device, as its compiler says; 0 if it does not say.

    Args:
      program: jitted.
      arguments: what it is called with.
    """
    said = program.lower(*arguments).compile().memory_analysis()
    if said is None:
        return 0
    kept = said.argument_size_in_bytes + said.output_size_in_bytes - said.alias_size_in_bytes
    return int(kept + said.temp_size_in_bytes + said.generated_code_size_in_bytes)


def is_out_of_memory(error: Exception) -> bool:
    """Whether a device had no memory left; libraries below XLA say so in their own words.

    Example:
      >>> is_out_of_memory(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"))
      True
    """
    words = str(error).lower().replace("_", " ")
    said = any(sign in words for sign in ("resource exhausted", "out of memory", "failed to create cublas handle"))
    return said and isinstance(error, jax.errors.JaxRuntimeError)


def out_of_memory_error(population: Population, why: str, limit: int | None) -> WellfitError:
    """Return the error for a population of which a device cannot train a single group.

    Args:
      why: what it needs, in words.
      limit: the bytes that a device has, if that is known.
    """
    has = "" if limit is None else f", and the device has {limit / 1e9:.1f} GB"
    runs = f"{population.program.width} runs side by side" if population.program.width > 1 else "a single run"
    return WellfitError(
        f"{population.name}: training {runs} {why} in the device's memory{has}; "
        "use a smaller batch_size or network, or end other programs on the device"
    )
