"""The live page: all studies of a folder and their curves while they train, served to this machine only.

What a request may be and how it is answered is in `answers`. The server's loop only hands out what `watch` has and
computes nothing, so that nobody waits for another's page. Slow senders and readers are cut off, and cost no memory
until then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from wellfit.errors import WellfitError
from wellfit.files import form_of
from wellfit.report.forms.live.watch import Watch
from wellfit.study.interrupts import StopRequest, interruptible

__all__ = ["serve"]

ADDRESS: Final = "127.0.0.1"

CONNECTIONS: Final = 500
"""Open at once; further ones are closed. A process may usually have 1,024 files open."""

IDLE: Final = 30.0
"""Seconds within which a request must have arrived, and a connection be used again."""

GLANCE: Final = 0.1
"""Seconds between two looks at whether the user has pressed Ctrl-C."""


def serve(folder: Path, port: int, on_start: Callable[[str], None] | None = None) -> None:
    """Serve the live page until Ctrl-C is pressed.

    Args:
      folder: a study directory, or a folder that holds studies, now or later.
      port: on the loopback address; 0 takes any free port.
      on_start: called with the address of the page.

    Raises:
      WellfitError: there is no such folder or the port cannot be used.
      KeyboardInterrupt: at Ctrl-C.
    """
    if not folder.is_dir():
        found = f"{form}, not a directory" if (form := form_of(folder)) else "no such directory"
        raise WellfitError(f"{folder}: {found}; name a study directory, or a folder that holds studies")
    for name in ("tornado", "asyncio"):  # what clients do is no matter for the user's terminal
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    sockets, bound = _bind(port)
    with Watch(folder) as watch, interruptible(granting=False) as stop:
        asyncio.run(_serve(watch, sockets, bound, on_start, stop))
    raise KeyboardInterrupt


def _bind(port: int) -> tuple[list[Any], int]:
    from tornado.netutil import bind_sockets

    try:
        sockets = bind_sockets(port, ADDRESS)
    except OSError as error:
        raise WellfitError(f"port {port}: {error.strerror}; choose another with --port, or --port 0 for any") from None
    return sockets, sockets[0].getsockname()[1]


async def _serve(
    watch: Watch, sockets: list[Any], port: int, on_start: Callable[[str], None] | None, stop: StopRequest
) -> None:
    from tornado.httpserver import HTTPServer

    from wellfit.report.forms.live.answers import CHUNK, application

    class Server(HTTPServer):
        def handle_stream(self, stream: Any, address: Any) -> None:
            if len(self._connections) >= CONNECTIONS:
                stream.close()
                return
            super().handle_stream(stream, address)

    hosts = _hosts(port)
    server = Server(
        application(watch, hosts),
        idle_connection_timeout=IDLE,
        body_timeout=IDLE,
        max_header_size=CHUNK,
        max_body_size=CHUNK,
        max_buffer_size=4 * CHUNK,
    )
    server.add_sockets(sockets)
    if on_start is not None:
        on_start(f"http://{hosts[0]}/")
    try:
        # an exception raised by the signal's handler could interrupt the loop anywhere in its work
        while not stop.requested:
            await asyncio.sleep(GLANCE)
    finally:
        server.stop()


def _hosts(port: int) -> list[str]:
    """The host names that a browser may use for this server; it leaves out the default port.

    Example:
      >>> _hosts(8642)
      ['127.0.0.1:8642', 'localhost:8642']
      >>> _hosts(80)
      ['127.0.0.1:80', 'localhost:80', '127.0.0.1', 'localhost']
    """
    names = [ADDRESS, "localhost"]
    return [f"{name}:{port}" for name in names] + (names if port == 80 else [])
