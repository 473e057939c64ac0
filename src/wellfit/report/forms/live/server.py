"""The live page: all studies of a folder and their curves while they train, served to this machine only.

A request may contain little: one of five paths, this server's own host and origin, the id of a study that the server
has found itself, and a few numbers. Everything else is refused. No part of a request is ever used as a file name, and
every response comes from memory. The server's loop only hands out what `watch` has; it never waits for a file, so that
nobody waits for another's page. Slow senders and readers are cut off, and cost no memory until then.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from wellfit.errors import WellfitError, printable
from wellfit.report.forms.live.page import LIBRARY, list_page, list_parts, missing_page
from wellfit.report.forms.live.watch import PER_PAGE, Watch

__all__ = ["serve"]

ADDRESS: Final = "127.0.0.1"
PATHS: Final = ("/", LIBRARY, "/study", "/report", "/updates")
OF_STUDY: Final = ("/study", "/report")

PATIENCE: Final = 5.0
"""Seconds that a request waits for what is being prepared; then a page says so, and asks again by itself."""

CONNECTIONS: Final = 500
"""Open at once; further ones are closed. A process may usually have 1,024 files open."""

IDLE: Final = 30.0
"""Seconds within which a request must have arrived, and a connection be used again."""

READING: Final = 120.0
"""Seconds that a response may take to be read."""

CHUNK: Final = 65_536
"""Bytes of a response that wait for a reader."""

VARIANTS: Final = 10_000
"""Positions of variants that may be asked for."""

GONE: Final = "It has been moved or removed, or cannot be read."

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


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
        raise WellfitError(f"{folder}: no such directory; name a study directory, or a folder that holds studies")
    for name in ("tornado", "asyncio"):  # what clients do is no matter for the user's terminal
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    sockets, bound = _bind(port)
    with Watch(folder) as watch:
        asyncio.run(_serve(watch, sockets, bound, on_start))


def _bind(port: int) -> tuple[list[Any], int]:
    from tornado.netutil import bind_sockets

    try:
        sockets = bind_sockets(port, ADDRESS)
    except OSError as error:
        raise WellfitError(f"port {port}: {error.strerror}; choose another with --port, or --port 0 for any") from None
    return sockets, sockets[0].getsockname()[1]


async def _serve(watch: Watch, sockets: list[Any], port: int, on_start: Callable[[str], None] | None) -> None:
    from tornado.httpserver import HTTPServer

    class Server(HTTPServer):
        def handle_stream(self, stream: Any, address: Any) -> None:
            if len(self._connections) >= CONNECTIONS:
                stream.close()
                return
            super().handle_stream(stream, address)

    hosts = _hosts(port)
    server = Server(
        _application(watch, hosts),
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
        await asyncio.Event().wait()
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


# --- Access -------------------------------------------------------------------------------------------------------


def _refusal(watch: Watch, hosts: list[str], request: Any) -> tuple[int, str, str] | None:
    """Status, heading and explanation; None for a valid request."""
    origin = request.headers.get("Origin")
    if request.host not in hosts or (origin is not None and origin not in {f"http://{host}" for host in hosts}):
        return 403, "Wrong origin", f"This page is available at http://{hosts[0]}/ only."
    if request.path not in PATHS:
        return 404, "No such page", "There is a list of studies and a page for each."
    if request.method not in ("GET", "HEAD"):
        return 405, "Method not allowed", "This page can only be read."
    if "Upgrade" in request.headers:
        return 400, "Unsupported protocol", "This server speaks HTTP only."
    ids = request.arguments.get("id", [])
    valid = len(ids) == 1 and re.fullmatch(rb"[0-9a-f]{16}", ids[0])
    if (request.path in OF_STUDY or ids) and not (valid and (request.path == "/updates" or watch.has(ids[0].decode()))):
        return 404, "No such study", GONE
    return None


def _numbers(values: Iterable[bytes], below: int) -> list[int]:
    """The numbers in the arguments of a request; everything else is ignored.

    Example:
      >>> _numbers([b"0,7", b"x,-1,99999999999"], 100)
      [0, 7]
    """
    found = [text for value in values for text in re.findall(rb"(?:^|(?<=,))[0-9]{1,9}(?=,|$)", value)]
    return [number for number in map(int, found) if number < below]


# --- Responses ----------------------------------------------------------------------------------------------------


def _application(watch: Watch, hosts: list[str]) -> Any:
    from tornado.iostream import StreamClosedError
    from tornado.web import Application, RequestHandler

    class Answer(RequestHandler):
        def set_default_headers(self) -> None:
            self.clear_header("Server")
            for name, value in HEADERS.items():
                self.set_header(name, value)

        async def prepare(self) -> None:
            refused = _refusal(watch, hosts, self.request)
            if refused is not None:
                status, heading, explanation = refused
                await self.answer(missing_page(heading, explanation), status=status)

        def write_error(self, status_code: int, **details: Any) -> None:
            self.finish(missing_page("The request cannot be answered", self._reason))

        async def get(self) -> None:
            study = self.get_query_argument("id", "")
            if self.request.path == "/updates":
                await self.updates(study)
            elif self.request.path == "/":
                await self.until(
                    lambda: watch.scanned and all("trouble" in row for row in watch.rows(self.page())), 1.0
                )
                await self.answer(list_page(self.listed(), self.page()))
            elif self.request.path == LIBRARY:
                library = await self.until(watch.library, 10 * PATIENCE)
                await self.answer(library or b"", "text/javascript; charset=utf-8", 200 if library else 503)
            else:
                await self.prepared(study)

        head = get

        def page(self) -> int:
            numbers = _numbers(self.request.arguments.get("page", []), 1_000_000)
            return max(1, min(numbers[0] if numbers else 1, self.pages()))

        def pages(self) -> int:
            return max(1, math.ceil(watch.count() / PER_PAGE))

        def listed(self) -> dict[str, str]:
            page = self.page()
            folder = watch.trouble or printable(str(watch.folder.absolute()))
            return list_parts(watch.rows(page), folder, page, self.pages(), watch.count())

        async def prepared(self, study: str) -> None:
            """A page or a report, as soon as another process has made it."""
            asked = time.monotonic()
            make = watch.page if self.request.path == "/study" else lambda of: watch.report(of, asked)
            try:
                text = await self.until(lambda: make(study) or not watch.has(study), PATIENCE)
            except WellfitError as error:
                await self.answer(missing_page("The page cannot be made", str(error)), status=500)
                return
            if isinstance(text, bytes):
                await self.answer(text)
            elif text:
                await self.answer(
                    missing_page("No such study", "It has just been removed, or cannot be read."), status=404
                )
            else:
                self.set_header("Refresh", "1")
                again = "Many variants take a minute or two. This page opens by itself when it is ready."
                await self.answer(missing_page("The page is being prepared", again), status=202)

        async def updates(self, study: str) -> None:
            """What has changed since the version that a page has."""
            since = self.get_query_argument("since", "")
            if not study:
                parts = self.listed()
                version = f"{zlib.crc32(parts['studies'].encode('utf-8', 'replace')):08x}"
                await self.answer_json({"version": version} | ({} if version == since else {"parts": parts}))
                return
            if not watch.has(study):  # an error would be one on the console of a browser that still shows it
                await self.answer_json({"trouble": f"This is the last state of the study. {GONE}"})
                return
            variants = _numbers(self.request.arguments.get("variants", []), VARIANTS)
            look = watch.look(study, variants)
            if look is None:
                await self.answer_json({})
            elif look.version == since:
                await self.answer_json({"version": since})
            else:
                complete = look.wanted.issuperset(variants)
                curves = ",".join(f'"{at}":{look.curves[at]}' for at in variants if at in look.curves)
                known = json.dumps({"version": look.version if complete else "", "parts": look.parts})
                await self.answer(f'{known[:-1]},"curves":{{{curves}}}}}', "application/json")

        def stream(self) -> Any:
            connection: Any = self.request.connection
            return connection.stream

        async def until(self, ready: Callable[[], Any], seconds: float) -> Any:
            """The first true value of a function, or its last one when the time is over."""
            end = time.monotonic() + seconds
            while not (value := ready()) and time.monotonic() < end and not self.stream().closed():
                await asyncio.sleep(0.05)
            return value

        async def answer_json(self, value: Any) -> None:
            await self.answer(json.dumps(value), "application/json")

        async def answer(self, body: str | bytes, kind: str = "text/html; charset=utf-8", status: int = 200) -> None:
            """Send a response piece by piece, so that a slow reader costs one piece of memory."""
            content = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
            self.set_status(status)
            self.set_header("Content-Type", kind)
            self.set_header("Content-Length", str(len(content)))
            stream = self.stream()
            try:
                async with asyncio.timeout(READING):
                    if self.request.method != "HEAD":
                        for at in range(0, len(content), CHUNK):
                            self.write(content[at : at + CHUNK])
                            await self.flush()
                    await self.finish()
            except (TimeoutError, StreamClosedError):
                stream.close()

    return Application([(r".*", Answer)], log_function=lambda handler: None)
