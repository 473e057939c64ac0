"""The answers to the requests that the live page allows.

A request may contain little: one of six paths, this server's own host and origin, the ids of studies that the server
has found itself, and a few numbers. Everything else is refused. No part of a request is ever used as a file name, and
every response comes from memory.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from wellfit.errors import WellfitError, printable
from wellfit.report.forms.live.page import LIBRARY, choose_page, list_page, list_parts, missing_page
from wellfit.report.forms.live.watch import PER_PAGE, Watch

__all__ = ["CHUNK", "PATHS", "application"]

PATHS: Final = ("/", LIBRARY, "/study", "/report", "/compare", "/updates")
OF_STUDY: Final = ("/study", "/report", "/compare")

PATIENCE: Final = 5.0
"""Seconds that a request waits for what is being prepared; then a page says so, and asks again by itself."""

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


def application(watch: Watch, hosts: list[str]) -> Application:
    """What answers all requests.

    Args:
      watch: the studies.
      hosts: the host names that a request may be for.
    """
    return Application([(r".*", Answer, {"watch": watch, "hosts": hosts})], log_function=lambda handler: None)


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
    most = 2 if request.path == "/compare" else 1
    valid = 0 < len(ids) <= most and all(re.fullmatch(rb"[0-9a-f]{16}", one) for one in ids)
    known = valid and (request.path == "/updates" or all(watch.has(one.decode()) for one in ids))
    if (request.path in OF_STUDY or ids) and not known:
        return 404, "No such study", GONE
    if len(ids) > len(set(ids)):
        return 400, "The same study twice", "A study can only be compared with another one."
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


class Answer(RequestHandler):
    """The answer to one request."""

    def initialize(self, watch: Watch, hosts: list[str]) -> None:
        """Called by Tornado with the arguments of `application`."""
        self.watch, self.hosts = watch, hosts

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    async def prepare(self) -> None:
        refused = _refusal(self.watch, self.hosts, self.request)
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
                lambda: self.watch.scanned and all("trouble" in row for row in self.watch.rows(self.page())), 1.0
            )
            await self.answer(list_page(self.listed(), self.page()))
        elif self.request.path == LIBRARY:
            library = await self.until(self.watch.library, 10 * PATIENCE)
            await self.answer(library or b"", "text/javascript; charset=utf-8", 200 if library else 503)
        elif self.request.path == "/compare" and len(self.request.arguments["id"]) == 1:
            await self.until(lambda: all("trouble" in row for row in self.watch.rows(1)), 1.0)
            rows = self.watch.finished()
            chosen = next((row for row in rows if row["id"] == study), {"id": study, "title": "", "place": ""})
            await self.answer(choose_page(chosen, [row for row in rows if row["id"] != study]))
        else:
            await self.prepared(study)

    head = get

    def page(self) -> int:
        numbers = _numbers(self.request.arguments.get("page", []), 1_000_000)
        return max(1, min(numbers[0] if numbers else 1, self.pages()))

    def pages(self) -> int:
        return max(1, math.ceil(self.watch.count() / PER_PAGE))

    def listed(self) -> dict[str, str]:
        page = self.page()
        folder = self.watch.trouble or printable(str(self.watch.folder.absolute()))
        return list_parts(self.watch.rows(page), folder, page, self.pages(), self.watch.count())

    async def prepared(self, study: str) -> None:
        """A page or a report, as soon as another process has made it."""
        asked = time.monotonic()
        first = self.request.arguments["id"][0].decode()  # get_query_argument gives the last
        make: Callable[[str], bytes | None] = {
            "/study": self.watch.page,
            "/report": lambda of: self.watch.report(of, asked),
            "/compare": lambda of: self.watch.comparison(first, of),
        }[self.request.path]
        try:
            text = await self.until(lambda: make(study) or not self.watch.has(study), PATIENCE)
        except WellfitError as error:
            pair = self.request.path == "/compare"  # which two is the visitor's choice
            heading, status = ("These studies cannot be compared", 400) if pair else ("The page cannot be made", 500)
            await self.answer(missing_page(heading, str(error)), status=status)
            return
        if isinstance(text, bytes):
            await self.answer(text)
        elif text:
            await self.answer(missing_page("No such study", "It has just been removed, or cannot be read."), status=404)
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
        if not self.watch.has(study):  # an error would be one on the console of a browser that still shows it
            await self.answer_json({"trouble": f"This is the last state of the study. {GONE}"})
            return
        variants = _numbers(self.request.arguments.get("variants", []), VARIANTS)
        look = self.watch.look(study, variants)
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
