"""Whether networks train on an accelerator, which takes whole batches and all groups of a call at once.

A CPU trains fastest on what fits its cache: tiles of a few examples, and groups in turn. A GPU needs much to do at
once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import jax

__all__ = ["assumed", "in_use"]

_assumed = False


def in_use() -> bool:
    """Whether JAX's default devices are accelerators, or shall be treated as such.

    Example:
      >>> in_use() == (jax.default_backend() != "cpu")
      True
    """
    return _assumed or jax.default_backend() != "cpu"


@contextlib.contextmanager
def assumed() -> Iterator[None]:
    """Treat a CPU's devices as accelerators, to test on a CPU what runs on a GPU; programs compiled before stay.

    Example:
      >>> with assumed():
      ...   in_use()
      True
    """
    global _assumed  # noqa: PLW0603  one answer for the process, as the default backend is
    before, _assumed = _assumed, True
    try:
        yield
    finally:
        _assumed = before
