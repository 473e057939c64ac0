"""Files that appear whole or not at all: written under another name, then renamed; and how far a long one is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Tell", "in_one_step", "untold"]

Tell = Callable[[str, float], object]
"""What is told what is being written now, and how much of all is done, from 0 to 1."""


def untold(text: str, share: float) -> None:
    """Tell nobody: the `Tell` of whoever does not ask."""


@contextmanager
def in_one_step(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the name of a temporary file beside another, and put it in its place if nothing went wrong.

    Args:
      path: the file; its folder is made if it is missing, and an older file is replaced.

    Returns:
      A context manager that gives the temporary path; its suffix is that of the file.

    Example:
      >>> import tempfile
      >>> target = Path(tempfile.mkdtemp()) / "new" / "a.txt"
      >>> with in_one_step(target) as temporary:
      ...     _ = temporary.write_text("whole")
      >>> target.read_text(), len(list(target.parent.iterdir()))
      ('whole', 1)
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
