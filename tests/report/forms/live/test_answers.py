"""What the live page answers, and what it refuses; test_server.py asks a server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs

import pytest

from wellfit.report.forms.live import answers
from wellfit.report.forms.live.watch import Watch

HOST = "127.0.0.1:8642"
KNOWN = "0123456789abcdef"
OTHER = "0123456789abcded"


class Known:
    """A watch that has found one study."""

    def has(self, study: str) -> bool:
        return study in (KNOWN, OTHER)


def refusal(uri: str, method: str = "GET", host: str = HOST, **headers: str) -> Any:
    path, _, query = uri.partition("?")
    arguments = parse_qs(query.encode())
    named = {name.decode(): values for name, values in arguments.items()}
    request = SimpleNamespace(method=method, path=path, arguments=named, headers=headers, host=host)
    return answers._refusal(cast(Watch, Known()), [HOST], request)


@pytest.mark.parametrize(
    "uri",
    ["/", "/bokeh.js", "/updates", f"/study?id={KNOWN}", f"/report?id={KNOWN}",
     f"/compare?id={KNOWN}", f"/compare?id={KNOWN}&id={OTHER}"],
)  # fmt: skip
def test_what_is_answered(uri: str) -> None:
    assert refusal(uri) is None
    assert refusal(uri, "HEAD", Origin=f"http://{HOST}") is None


@pytest.mark.parametrize(
    ("status", "uri", "settings"),
    [
        (403, "/", {"host": "evil.example"}),
        (403, "/", {"Origin": "http://evil.example"}),
        (404, "/../study.db", {}),
        (404, "/study", {}),
        (404, f"/study?id={KNOWN}&id={KNOWN}", {}),
        (404, "/study?id=0123456789abcdee", {}),
        (404, "/compare", {}),
        (404, f"/compare?id={KNOWN}&id=0123456789abcdee", {}),
        (404, f"/compare?id={KNOWN}&id={KNOWN}&id={KNOWN}", {}),
        (404, "/study?id=0123456789ABCDEF", {}),
        (405, "/", {"method": "POST"}),
        (400, "/", {"Upgrade": "websocket"}),
        (400, f"/compare?id={KNOWN}&id={KNOWN}", {}),
    ],
)
def test_what_is_refused(status: int, uri: str, settings: dict[str, str]) -> None:
    assert refusal(uri, **settings)[0] == status
