"""Where wellfit keeps what it can make or fetch again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_root"]


def cache_root() -> Path:
    """The folder of downloads and compiled programs: ``WELLFIT_CACHE``, or wellfit's folder in the user's cache.

    Returns:
      The folder, which need not exist.

    Example:
      >>> import os
      >>> before = os.environ.get("WELLFIT_CACHE")
      >>> os.environ["WELLFIT_CACHE"] = "here"
      >>> cache_root().name
      'here'
      >>> os.environ["WELLFIT_CACHE"] = before or ""
    """
    root = os.environ.get("WELLFIT_CACHE")
    if root:
        return Path(root).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("wellfit"))
