"""The live page: all studies of a folder and their curves while they train, served by Bokeh to this machine only.

A request may contain little: one of six paths, this server's own host and origin, and the id of a study that the server
has found itself. Everything else is refused before Bokeh or Tornado handles it. No part of a request is ever used as a
file name, and every response comes from memory.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from wellfit.errors import WellfitError
from wellfit.report.forms.live.page import (
    LIBRARY,
    list_parts,
    missing_page,
    page_variables,
    study_parts,
    template,
)
from wellfit.report.forms.live.watch import Watch
from wellfit.report.marks.interactive import bokeh_library
from wellfit.report.numbers import shown_first
from wellfit.report.subjects.curves.interactive import LiveCharts
from wellfit.report.subjects.curves.section import chips

__all__ = ["serve"]

ADDRESS: Final = "127.0.0.1"
SOCKETS: Final = ("/ws", "/study/ws")
PATHS: Final = ("/", LIBRARY, "/study", "/report", *SOCKETS)
TICK: Final = 400  # milliseconds between two updates of a page

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
    """
    if not folder.is_dir():
        raise WellfitError(f"{folder}: no such directory; name a study directory, or a folder that holds studies")
    for name, level in (("tornado.access", logging.CRITICAL), ("bokeh", logging.ERROR)):
        logging.getLogger(name).setLevel(level)
    with Watch(folder) as watch:
        server, address = _server(watch, port)
        try:
            server.start()
            if on_start is not None:
                on_start(address)
            server.io_loop.start()
        except KeyboardInterrupt:
            pass
        finally:
            server.stop(wait=False)


def _server(watch: Watch, port: int) -> tuple[Any, str]:
    """A listening server and its address."""
    from bokeh.server.server import BaseServer
    from bokeh.server.tornado import BokehTornado
    from bokeh.server.util import bind_sockets
    from tornado.httpserver import HTTPServer
    from tornado.ioloop import IOLoop

    try:
        sockets, bound = bind_sockets(ADDRESS, port)
    except OSError as error:
        raise WellfitError(f"port {port}: {error.strerror}; choose another with --port, or --port 0 for any") from None
    hosts = _hosts(bound)
    tornado = BokehTornado(
        {"/": partial(_list_document, watch), "/study": partial(_study_document, watch)},
        extra_websocket_origins=hosts,
        extra_patterns=_patterns(watch),
        use_index=False,
        include_headers=[],
        include_cookies=[],
    )
    tornado.add_transform(_transform())
    http = HTTPServer(_guard(watch, hosts, tornado))
    http.add_sockets(sockets)
    return BaseServer(IOLoop.current(), tornado, http), f"http://{hosts[0]}/"


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


def _guard(watch: Watch, hosts: list[str], inside: Any) -> Any:
    """A router in front of everything that lets only valid requests pass."""
    from tornado.routing import AnyMatches, Matcher, Rule, RuleRouter
    from tornado.web import Application, RequestHandler

    origins = {f"http://{host}" for host in hosts}

    def refusal(request: Any) -> tuple[int, str, str] | None:
        """Status, heading and explanation; None for a valid request."""
        origin = request.headers.get("Origin")
        if request.host not in hosts or (origin is not None and origin not in origins):
            return 403, "Wrong origin", f"This page is available at http://{hosts[0]}/ only."
        if request.path not in PATHS:
            return 404, "No such page", "There is a list of studies and a page for each."
        ids = [value.decode("ascii", "replace") for value in request.arguments.get("id", [])]
        if request.path in SOCKETS and not _has_token(request.headers.get("Sec-WebSocket-Protocol", "")):
            return 403, "Unknown session", "The page has expired or belongs to another server; reload it."
        if request.path in ("/study", "/report") and (len(ids) != 1 or watch.get(ids[0]) is None):
            return 404, "No such study", "It has been moved or removed, or cannot be read."
        return None

    class Valid(Matcher):
        def match(self, request: Any) -> dict[str, Any] | None:
            return {} if refusal(request) is None else None

    class Refused(RequestHandler):
        def prepare(self) -> None:
            status, heading, explanation = refusal(self.request) or (404, "No such page", "")
            self.set_status(status)
            self.finish(missing_page(heading, explanation))

    outside = Application([(r".*", Refused)])
    outside.add_transform(_transform())
    return RuleRouter([Rule(Valid(), inside), Rule(AnyMatches(), outside)])


def _has_token(protocols: str) -> bool:
    """Whether a WebSocket request has an unexpired token of a page; Bokeh raises an error for any other."""
    from bokeh.util.token import get_session_id, get_token_payload

    try:
        protocol, token = (part.strip() for part in protocols.split(","))
        known = isinstance(get_session_id(token), str) and time.time() < get_token_payload(token)["session_expiry"]
    except (ValueError, LookupError, TypeError, AttributeError, zlib.error):
        return False
    return protocol == "bokeh" and known


def _transform() -> Any:
    """Add the security headers to every response."""
    from tornado.web import OutputTransform

    class Guarded(OutputTransform):
        def transform_first_chunk(self, status_code: int, headers: Any, chunk: bytes, finishing: bool) -> Any:
            for name, value in HEADERS.items():
                headers[name] = value
            return status_code, headers, chunk

    return Guarded


# --- Pages --------------------------------------------------------------------------------------------------------


def _patterns(watch: Watch) -> list[Any]:
    """BokehJS and the reports, both from memory."""
    from tornado.ioloop import IOLoop
    from tornado.web import RequestHandler

    library = bokeh_library()

    class Library(RequestHandler):
        def get(self) -> None:
            self.set_header("Content-Type", "text/javascript; charset=utf-8")
            self.finish(library)

    class Report(RequestHandler):
        async def get(self) -> None:
            study = self.get_query_argument("id")
            try:
                text = await IOLoop.current().run_in_executor(None, watch.report, study)
            except WellfitError as error:
                self.set_status(500)
                text = missing_page("The report cannot be written", str(error))
            self.finish(text or missing_page("No such study", "It has just been removed."))

    return [(LIBRARY, Library), ("/report", Report)]


def _list_document(watch: Watch, document: Any) -> None:
    """Fill the document of one visitor of the list."""
    document.title = "wellfit, live"
    document.template = template("list")
    seen: list[Any] = [None]

    def parts() -> Mapping[str, str] | None:
        studies = watch.studies()
        if studies == seen[0]:
            return None
        seen[0] = studies
        return list_parts(studies, str(watch.folder.resolve()))

    _keep_updated(document, parts)


def _study_document(watch: Watch, document: Any) -> None:
    """Fill the document of one visitor of a study."""
    ids = document.session_context.request.arguments.get("id", [b""])  # none, with the token of another page
    study = ids[0].decode("ascii", "replace")
    listed = watch.get(study)
    if listed is None or listed.glance is None:  # removed since the check
        return
    summary = listed.glance.summary
    live = LiveCharts(summary, shown_first(summary))
    for name, chart in live.charts.items():
        chart.name = name
        document.add_root(chart)
    document.title = summary.title
    document.template = template("study")
    document.template_variables.update(summary=summary, chips=chips(summary))
    seen: list[Any] = [None]

    def parts() -> Mapping[str, str] | None:
        now, full = watch.get(study), watch.summary(study)
        if now is None or now.glance is None or (now.glance, full) == seen[0]:
            return None
        seen[0] = now.glance, full
        if _same_structure(now.glance.summary, summary):
            live.update(now.glance.summary, every=now.glance.summary.state != "running")
        return study_parts(now, full)

    _keep_updated(document, parts)


def _same_structure(one: Any, other: Any) -> bool:
    return [v.name for v in one.variants] == [v.name for v in other.variants]


def _keep_updated(document: Any, parts: Callable[[], Mapping[str, str] | None]) -> None:
    """Put pieces of HTML into a document, now and whenever one of them changes; None means no change."""
    from bokeh.models import ColumnDataSource

    first = parts() or {}
    source = ColumnDataSource({"name": list(first), "html": list(first.values())}, name="parts")
    document.add_root(source)
    document.template_variables.update(page_variables(document.title), parts=first)

    def tick() -> None:
        now = parts()
        if now is not None and list(now.values()) != source.data["html"]:
            source.data = {"name": list(now), "html": list(now.values())}

    document.add_periodic_callback(tick, TICK)
