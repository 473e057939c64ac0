"""Files: the cache folder, and files that are replaced whole or not at all."""

from __future__ import annotations

import errno
import functools
import glob
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final

from wellfit.claimed import claimed
from wellfit.errors import StoreError, WellfitError

__all__ = [
    "NAME_RULE",
    "SAFE_NAME",
    "TEMPORARY",
    "OnWriting",
    "TemporaryFolder",
    "abandoned",
    "cache_root",
    "claimed",
    "creating",
    "folder_named",
    "form_of",
    "home_expanded",
    "ignore_progress",
    "read_plain",
    "remove_abandoned",
    "replacing",
    "sync",
    "write_errors",
]

if sys.platform != "win32":
    import fcntl

TEMPORARY: Final = ".tmp"
"""The suffix of files that are not yet whole; their names begin with a dot."""

SAFE_NAME: Final = re.compile(r"[A-Za-z0-9_+=,-][A-Za-z0-9_+=,.-]{0,63}")
"""The names of studies and variants, which are used as file names on every system."""
NAME_RULE: Final = "at most 64 letters, digits and -_+.=, without a leading dot, because it is used as a file name"
"""What such a name has, in words."""

OnWriting = Callable[[str, float], object]
"""Called while something long is written: with what is written now, and the share that is done, from 0 to 1."""


def ignore_progress(text: str, share: float) -> None:
    """No-op progress callback."""


def cache_root() -> Path:
    """The folder of downloads and compiled programs: ``WELLFIT_CACHE``, or wellfit's folder in the user's cache.

    Returns:
      The folder, which need not exist. Where the user has no home, it is a temporary one of this process.

    Raises:
      WellfitError: ``WELLFIT_CACHE`` names the home of nobody, or what is no folder.

    Example:
      >>> import os
      >>> before = os.environ.get("WELLFIT_CACHE")
      >>> os.environ["WELLFIT_CACHE"] = "here"
      >>> cache_root().name
      'here'
      >>> os.environ["WELLFIT_CACHE"] = before or ""
    """
    chosen = folder_named("WELLFIT_CACHE")
    if chosen is not None:
        return chosen
    from platformdirs import user_cache_dir

    usual = Path(user_cache_dir("wellfit"))
    return usual if usual.is_absolute() else _temporary()


@functools.cache
def _temporary() -> Path:
    return Path(tempfile.mkdtemp(prefix="wellfit-"))


def folder_named(variable: str, default: str | None = None) -> Path | None:
    """The folder that a variable of the environment names, or a default.

    Args:
      variable: its name.
      default: the folder where it is not set; ``~`` is the user's home.

    Returns:
      The folder, which need not exist; None if the variable is not set and the default is None, or is below the home
      of a user who has none.

    Raises:
      WellfitError: the variable names the home of nobody, or what is no folder.

    Example:
      >>> folder_named("WELLFIT_NOWHERE") is None
      True
    """
    chosen = os.environ.get(variable)
    path = os.path.expanduser(chosen or default or "")
    if path.startswith("~"):
        if chosen:
            raise WellfitError(f"{variable} = {chosen!r}: there is no such home; give the full path of a folder")
        return None
    if chosen and (form := form_of(path)) not in (None, "a folder"):
        raise WellfitError(f"{variable} = {chosen!r}: {form}, not a folder; give the path of a folder, or unset it")
    return Path(path) if path else None


def home_expanded(path: str | os.PathLike[str]) -> Path:
    """A path with ``~`` for a home directory; as it is, where there is none, or no such user.

    Example:
      >>> home_expanded("~nobody-of-that-name/x.csv").as_posix(), home_expanded("x.csv").as_posix()
      ('~nobody-of-that-name/x.csv', 'x.csv')
    """
    return Path(os.path.expanduser(path))


def form_of(path: str | os.PathLike[str]) -> str | None:
    """What is at a path, in words, for errors; links are followed.

    Returns:
      ``"a file"``, ``"a folder"``, ``"a pipe"``, ``"a socket"`` or ``"a device"``; None if nothing is there that this
      user can see.

    Example:
      >>> form_of(__file__), form_of("/dev/zero"), form_of("nowhere")
      ('a file', 'a device', None)
    """
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)
    except (OSError, ValueError):
        return None
    return _FORMS.get(kind, "a device")


_FORMS: Final = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


def read_plain(path: str | os.PathLike[str], most: int = 2**32) -> bytes:
    """The content of a plain file; anything else ends at once, where ``read_bytes`` would follow, wait or never end.

    Args:
      path: the file; its last part must not be a link.
      most: bytes.

    Raises:
      OSError: it cannot be read, is a link, a folder, a pipe or a device, or is larger than ``most``.

    Example:
      >>> read_plain("/dev/zero")
      Traceback (most recent call last):
        ...
      OSError: [Errno 22] not a plain file: '/dev/zero'
    """
    if os.path.islink(path):  # O_NOFOLLOW refuses it too, but in words about levels of links
        raise OSError(errno.EINVAL, "a link, not a plain file", os.fspath(path))
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "not a plain file", os.fspath(path))
        if state.st_size > most:
            raise OSError(errno.EFBIG, f"{state.st_size:,} bytes, more than {most:,}", os.fspath(path))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


class TemporaryFolder:
    """A folder that is removed with this object, without the warning of ``tempfile.TemporaryDirectory``.

    Attributes:
      path: of the folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="wellfit-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@contextmanager
def replacing(path: str | os.PathLike[str], *, durable: bool = True, alone: bool = False) -> Iterator[Path]:
    """Write a file under a temporary name beside it, and rename it when the block ends without an error.

    A reader sees the old file or the new one, never half of one. After an error, the old file is unchanged. What a
    killed process has left of the same file is removed.

    Args:
      path: the file; its folder is created if it is missing.
      durable: also survive a power failure, which waits for the disk.
      alone: no other process writes in the folder, and whoever made sure of that removes what was left in it.

    Returns:
      A context manager that gives the temporary path.

    Raises:
      OSError: the file cannot be written.

    Example:
      >>> import tempfile
      >>> target = Path(tempfile.mkdtemp()) / "new" / "a.txt"
      >>> with replacing(target) as temporary:
      ...     _ = temporary.write_text("whole")
      >>> target.read_text(), len(list(target.parent.iterdir()))
      ('whole', 1)
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(target)
    if not alone:
        remove_abandoned(target)
    try:
        with nullcontext() if alone else claimed(temporary):
            yield temporary
            if durable:
                sync(temporary)
            os.replace(temporary, target)
        if durable and os.name == "posix":  # elsewhere a folder cannot be opened
            sync(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def creating(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Write a new file under a temporary name beside it, and rename it when the block ends without an error.

    Where several processes write the same file at once, on one machine or on several that share a file system without
    locks, one of them succeeds, and its file is whole.

    Args:
      path: the file; its folder is created if it is missing.
      overwrite: whether it may exist; it is then replaced.

    Returns:
      A context manager that gives the temporary path.

    Raises:
      FileExistsError: the file exists, or another process was faster; it is unchanged.
      OSError: the file cannot be written.

    Example:
      >>> import tempfile
      >>> target = Path(tempfile.mkdtemp()) / "a.txt"
      >>> for text in ("first", "second"):
      ...     with suppress(FileExistsError), creating(target) as temporary:
      ...         _ = temporary.write_text(text)
      >>> target.read_text(), len(list(target.parent.iterdir()))
      ('first', 1)
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target)
    temporary = target.with_name(f".{target.name}.{secrets.randbits(60)}{TEMPORARY}")  # pids differ on one machine only
    try:
        with claimed(temporary):
            yield temporary
            sync(temporary)
            if overwrite:
                os.replace(temporary, target)
            else:
                _named_once(temporary, target)
        if os.name == "posix":
            sync(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _named_once(temporary: Path, target: Path) -> None:
    """Give a file its name unless another has it."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the check may be too early by an instant
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        os.replace(temporary, target)


def _temporary_name(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}{TEMPORARY}")


def abandoned(target: Path) -> Iterator[Path]:
    """The temporary files and folders that killed processes left, each safe to remove before the next is asked for.

    Nothing is given that a living process uses, that has another name than wellfit gives, or that is a link or device.
    On Windows, where that cannot be told, there are none.

    Args:
      target: the file or folder that they were to become.

    Example:
      >>> target = Path(tempfile.mkdtemp()) / "report.html"
      >>> left = target.with_name(".report.html.1234.tmp")
      >>> _ = left.write_text("half")
      >>> with claimed(left):
      ...     list(abandoned(target))
      []
      >>> [path.name for path in abandoned(target)]
      ['.report.html.1234.tmp']
    """
    if sys.platform == "win32":
        return
    name = re.compile(rf"\.{re.escape(target.name)}\.\d+{re.escape(TEMPORARY)}")
    for path in target.parent.glob(f".{glob.escape(target.name)}.*{TEMPORARY}"):
        if not name.fullmatch(path.name):
            continue
        try:
            mode = os.lstat(path).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:  # gone, or of another user
            continue
        try:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                yield path
        finally:
            os.close(descriptor)


def remove_abandoned(target: Path) -> None:
    """Remove the temporary files of a file that killed processes left; see `abandoned`."""
    for path in abandoned(target):
        with suppress(OSError):  # a file that stays does no harm
            if path.is_file():
                path.unlink()


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def write_errors(path: str | os.PathLike[str], remedy: str) -> Iterator[None]:
    """Turn errors of the operating system into one line.

    Args:
      path: what is written, where the error itself does not say.
      remedy: what the user can do.

    Raises:
      StoreError: for any OSError within the block.

    Example:
      >>> with write_errors("report.html", "choose another location"):
      ...     raise OSError(28, "No space left on device")
      Traceback (most recent call last):
        ...
      wellfit.errors.StoreError: report.html: cannot be written: No space left on device; choose another location
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}; {remedy}") from None
