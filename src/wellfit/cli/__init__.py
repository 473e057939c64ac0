"""The terminal face: parse, call one function, print.

Nothing heavy is imported before a command needs it, so that ``wellfit --help`` and ``wellfit list`` answer at once.
"""

from wellfit.cli import training, results, live, directories, studies, data  # isort: skip  # noqa: F401  the order of ``wellfit --help``
from wellfit.cli.app import app, main

__all__ = ["app", "main"]
