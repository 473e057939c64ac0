"""The cache of compiled programs: checked before use, bounded, and never a reason to fail or to warn.

JAX's own cache loads whatever bytes an entry holds, and what is loaded runs. A damaged entry can therefore crash the
process or change results in silence, and a truncated one is warned of at every start. Here every entry begins with the
SHA-256 of its name and content, is written whole or not at all, and is compiled again if it does not match.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shlex
import stat
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import jax

from wellfit.files import cache_root, read_plain, replacing

__all__ = ["MOST_BYTES", "MOST_ENTRIES", "Programs", "keep_programs", "refusal"]

MOST_BYTES: Final = 256 << 20
"""The largest total size of the entries; beyond it, those that were not used for the longest time are removed."""

MOST_ENTRIES: Final = 2000
"""The largest number of entries."""

_SUFFIX: Final = ".program"
_FORMER: Final = ("-cache", "-atime")  # suffixes of JAX's own entries, which wellfit's folder used to hold
_DIGEST: Final = 32  # bytes of SHA-256, at the beginning of an entry


@dataclass(frozen=True)
class Programs:
    """Compiled programs by JAX's keys, as files in a folder.

    A file's name is a hash of the key, the versions of JAX and the processor, so that versions and machines that share
    a folder do not see each other's entries.

    Args:
      folder: where the entries are; nothing else in it is touched.

    Example:
      >>> import tempfile
      >>> programs = Programs(Path(tempfile.mkdtemp()))
      >>> programs.put("key", b"machine code")
      >>> programs.get("key")
      b'machine code'
      >>> (entry,) = programs.folder.iterdir()
      >>> _ = entry.write_bytes(entry.read_bytes()[:-1])  # as a full disk leaves it
      >>> programs.get("key"), list(programs.folder.iterdir())
      (None, [])
    """

    folder: Path

    @property
    def _path(self) -> Path:
        """What JAX logs."""
        return self.folder

    def get(self, key: str) -> bytes | None:
        """The content of an entry; None if there is none, or if it is damaged, which removes it."""
        path = self._entry(key)
        with suppress(OSError):
            content = read_plain(path, MOST_BYTES)
            if content[:_DIGEST] == _digest(path.name, content[_DIGEST:]):
                with suppress(OSError):  # a folder that cannot be written
                    os.utime(path)
                return content[_DIGEST:]
            path.unlink()
        return None

    def put(self, key: str, value: bytes) -> None:
        """Save an entry, whatever was there, and remove the oldest ones beyond the limits; a full disk is no error."""
        path = self._entry(key)
        if len(value) < MOST_BYTES:
            with suppress(OSError), replacing(path, durable=False) as temporary:
                temporary.write_bytes(_digest(path.name, value) + value)
        self._prune()

    def _entry(self, key: str) -> Path:
        return self.folder / (hashlib.sha256(f"{_machine()}\n{key}".encode()).hexdigest() + _SUFFIX)

    def _prune(self) -> None:
        """Remove the entries that were not used for the longest time, and what killed processes left half-written."""
        former = _FORMER if self.folder == _usual_folder() else ()
        with suppress(OSError), os.scandir(self.folder) as inside:
            mine = [entry.path for entry in inside if _SUFFIX in entry.name or entry.name.endswith(former)]
            states = {path: state for path in mine if (state := _state(path)) is not None}
            total = count = 0
            for path in sorted(states, key=lambda path: states[path].st_mtime, reverse=True):
                total, count = total + states[path].st_size, count + 1
                if total > MOST_BYTES or count > MOST_ENTRIES:
                    with suppress(OSError):
                        os.unlink(path)


def keep_programs() -> None:
    """Let JAX keep compiled programs in a checked cache: in the folder that the user chose for JAX, or in wellfit's.

    Without a folder that is safe to use, or with a JAX whose cache cannot be replaced, nothing is kept.
    """
    chosen = _chosen()
    if chosen is not None and "://" in chosen:
        return  # on a server, which JAX itself reads
    folder = _usual_folder() if chosen is None else Path(chosen)
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if chosen is None:
        _close(folder)
    if not os.path.isdir(folder) or refusal() is not None or not _replaced():
        jax.config.update("jax_enable_compilation_cache", False)
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_enable_xla_caches", "none")  # they are not checked
    if chosen is None:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def refusal() -> str | None:
    """Say why compiled programs are not kept: someone else could change them, and they run as this user.

    Returns:
      A sentence with the remedy; None if the folder is safe to use or does not exist.
    """
    chosen = _chosen()
    folder = _usual_folder() if chosen is None else Path(chosen)
    end = "so that compiled programs are not kept and every run compiles its own"
    other = "set WELLFIT_CACHE to a folder of your own" if chosen is None else "choose another folder"
    try:
        state = os.stat(folder)
    except PermissionError:
        return f"{folder} cannot be read, {end}; fix its permissions, or {other}"
    except OSError:
        return None
    if os.name != "posix":
        return None
    if state.st_uid not in (os.geteuid(), 0):
        return f"{folder} belongs to another user, {end}; {other}"
    if _is_open(state):
        fix = f"delete it, or run: chmod 700 {shlex.quote(str(folder))}" if state.st_uid == os.geteuid() else other
        return f"Other users can write to {folder}, {end}; {fix}"
    return None


def _is_open(state: os.stat_result) -> bool:
    """Whether others can write to a folder."""
    return bool(state.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _close(folder: Path) -> None:
    """Take wellfit's own folder from others who can write to it, and remove the programs that they may have changed.

    A umask of 002 makes such folders. Where this fails, the folder stays as it is, and is refused.
    """
    state = _state(folder)
    if os.name != "posix" or state is None or state.st_uid != os.geteuid() or not _is_open(state):
        return
    try:
        _remove_programs(folder)
        os.chmod(folder, 0o700)
        _remove_programs(folder)  # what came in between
    except OSError:
        with suppress(OSError):
            os.chmod(folder, stat.S_IMODE(state.st_mode))


def _remove_programs(folder: Path) -> None:
    for path in folder.iterdir():
        if _SUFFIX in path.name or path.name.endswith(_FORMER):
            path.unlink(missing_ok=True)


def _replaced() -> bool:
    """Make JAX open ``Programs`` where it would open its own cache; False if this JAX has no such place."""
    try:
        from jax._src import compilation_cache
    except ImportError:
        return False
    if not hasattr(compilation_cache, "get_file_cache"):
        return False

    def get_file_cache(path: str) -> tuple[Any, str]:
        return Programs(Path(path)), path

    compilation_cache.get_file_cache = get_file_cache
    return True


def _chosen() -> str | None:
    """The folder that the user chose for JAX; afterwards, the one that is in use."""
    folder = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    return None if folder is None else str(folder)


def _usual_folder() -> Path:
    return cache_root() / "programs"


def _state(path: str | Path) -> os.stat_result | None:
    with suppress(OSError):
        return os.stat(path)
    return None


def _digest(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + content).digest()


@functools.cache
def _machine() -> str:
    """What compiled code depends on besides JAX's key, which has the versions but not every processor's features."""
    lines: list[str] = []
    with suppress(OSError, ValueError):
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
        lines = [line for line in first if line.startswith(("model name", "flags", "Features", "CPU part"))]
    return "\n".join([jax.__version__, metadata.version("jaxlib"), platform.machine(), platform.processor(), *lines])
