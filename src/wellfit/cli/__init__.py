"""The command line. Each command imports what it needs when it is called, so that ``wellfit --help`` is immediate."""

from wellfit.cli import training, judging  # isort: skip  # noqa: F401  the order of ``wellfit --help``
from wellfit.cli import results, comparing, power, claim, predict, export  # isort: skip  # noqa: F401
from wellfit.cli import live, directories, studies, data, backprop  # isort: skip  # noqa: F401
from wellfit.cli.app import app, main

__all__ = ["app", "main"]
