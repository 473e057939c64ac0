"""The live page: the studies of a folder and their curves while they train."""

from wellfit.report.forms.live.server import serve

__all__ = ["serve"]
