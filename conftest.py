"""The examples in modules that import an optional package are not collected where it is not installed."""

from importlib.util import find_spec
from pathlib import Path

_KERNELS = Path(__file__).parent / "src" / "wellfit" / "nn" / "kernels"
_WITHOUT = {"__init__", "availability", "blocks", "processor"}  # that do without llvmlite

collect_ignore = (
    [] if find_spec("llvmlite") else [str(path) for path in _KERNELS.glob("*.py") if path.stem not in _WITHOUT]
)
