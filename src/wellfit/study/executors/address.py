"""What ``--on`` names: a Ray that is started for the command, or the address of one that runs."""

from __future__ import annotations

import re
from typing import NamedTuple

from wellfit.errors import StudyFileError

__all__ = ["Address", "read_address"]


class Address(NamedTuple):
    """Where a study trains.

    Args:
      host: empty for a Ray that is started for the command.
      port: of the host.
      client: whether the command runs outside of the cluster, and Ray's client server takes it in.
    """

    host: str = ""
    port: int = 0
    client: bool = False

    def __str__(self) -> str:
        return f"{'ray://' * self.client}{self.host}:{self.port}" if self.host else "ray"


def read_address(text: str) -> Address:
    """The place that ``--on`` asks for.

    Args:
      text: ``ray``, ``HOST:PORT`` or ``ray://HOST:PORT``; an IPv6 address is in brackets.

    Raises:
      StudyFileError: anything else.

    Example:
      >>> read_address("ray://head:10001")
      Address(host='head', port=10001, client=True)
      >>> str(read_address("ray"))
      'ray'
    """
    asked = text.strip()
    if asked == "ray":
        return Address()
    found = re.fullmatch(r"(ray://)?([\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})", asked, re.ASCII)
    if found and 0 < int(found[3]) < 1 << 16:
        return Address(found[2], int(found[3]), bool(found[1]))
    raise StudyFileError(
        f"--on {asked[:60]}: unknown; use ray, which starts Ray here, or HOST:PORT or ray://HOST:PORT of a Ray cluster"
    )
