"""The limits of ``wellfit ui``: how long a connection may be silent or slow, and how many there may be."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest

from wellfit.report.forms.live import answers, server
from wellfit.report.forms.live.watch import Watch
from wellfit.study.interrupts import StopRequest

LARGE = b"x" * (32 << 20)
"""More than what lies in the buffers of two sockets."""


class Limits(NamedTuple):
    """Seconds of silence, seconds for a response, connections."""

    idle: float
    reading: float
    connections: int


REAL = Limits(server.IDLE, answers.READING, server.CONNECTIONS)


@pytest.fixture(params=[Limits(2.0, 1.0, 8), pytest.param(REAL, marks=pytest.mark.slow)], ids=["short", "real"])
def limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Short ones, or those that users have."""
    given: Limits = request.param
    monkeypatch.setattr(server, "IDLE", given.idle)
    monkeypatch.setattr(server, "CONNECTIONS", given.connections)
    monkeypatch.setattr(answers, "READING", given.reading)
    return given


@pytest.fixture
def port(limits: Limits) -> Iterator[int]:
    """Of a server in this process that has no studies, but a large file."""
    watch = SimpleNamespace(
        scanned=True, trouble="", folder=Path(), rows=lambda _: [], count=lambda: 0, library=lambda: LARGE
    )
    sockets, number = server._bind(0)
    started, stop = threading.Event(), StopRequest()
    serving = server._serve(cast(Watch, watch), sockets, number, lambda _: started.set(), stop)
    thread = threading.Thread(target=lambda: asyncio.run(serving))
    thread.start()
    assert started.wait(30)
    yield number
    stop.make()
    thread.join()


def client(port: int, sent: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=300)
    made.sendall(sent.replace(b"{host}", f"Host: 127.0.0.1:{port}\r\n".encode()))
    return made


def ask(port: int, path: str) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read(), connection


def closed(made: socket.socket) -> bool:
    """Whether the server closes the connection, for which this waits."""
    with contextlib.suppress(ConnectionResetError):
        while made.recv(65536):
            pass
    made.close()
    return True


def test_the_limits_are_those_that_are_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reliability.md").read_text(encoding="utf-8")
    said = f"within {REAL.idle:g} s, a response read within {REAL.reading:g} s, and {REAL.connections} connections"
    assert said in " ".join(page.split())


def test_silence_ends_a_connection(limits: Limits, port: int) -> None:
    """Nothing at all, half a header, half a body, and nothing after an answer."""
    began = time.monotonic()
    silent = [
        client(port),
        client(port, b"GET / HTTP/1.1\r\n{host}"),
        client(port, b"POST / HTTP/1.1\r\n{host}Content-Length: 60000\r\n\r\nx"),
        client(port, b"GET / HTTP/1.1\r\n{host}\r\n"),
    ]
    assert all(closed(made) for made in silent)
    assert 0.9 * limits.idle < time.monotonic() - began < 2 * limits.idle + 20  # the body has its own seconds


def test_a_response_that_nobody_reads_ends(limits: Limits, port: int) -> None:
    made = client(port, b"GET /bokeh.js HTTP/1.1\r\n{host}\r\n")
    received = len(made.recv(1000))  # its seconds count from before this
    status, body, other = ask(port, "/bokeh.js")
    assert (status, len(body)) == (200, len(LARGE))  # others get all of it meanwhile
    other.close()
    time.sleep(limits.reading + 2)
    with contextlib.suppress(ConnectionResetError):
        while piece := made.recv(1 << 20):
            received += len(piece)
    made.close()
    assert received < len(LARGE)


def test_connections_are_counted(limits: Limits, port: int) -> None:
    kept = [client(port) for _ in range(limits.connections)]
    began = time.monotonic()
    for _ in range(3):
        assert closed(client(port))
    assert time.monotonic() - began < 0.9 * limits.idle  # at once, and not because they are silent
    for made in kept[:3]:
        made.close()
    time.sleep(0.2)
    status, _, other = ask(port, "/")
    assert status == 200
    other.close()
    for made in kept[3:]:
        made.close()
