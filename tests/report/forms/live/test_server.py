"""``wellfit ui`` as its user meets it: a server of its own process, a browser, and studies that train elsewhere."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import watched
import wellfit
from heard import heard, nameless, pictures
from wellfit import cli
from wellfit.report.forms.live.answers import PATHS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

# Every file whose name has the word, and that the server's process opens, is told.
SPIED = """
import os, sys
told = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def spy(event, arguments):
    name = str(arguments[0]) if event in ("open", "os.listdir", "os.scandir") else ""
    if "secret" in name or "bokeh.min" in name:
        os.write(told, f"{name}\\n".encode())
sys.addaudithook(spy)
sys.argv = ["wellfit", *sys.argv[2:]]
from wellfit.cli import main
main()
"""


class Served(NamedTuple):
    folder: Path
    port: int
    opened: Path
    process: subprocess.Popen[str]
    complaints: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ready(self, path: str) -> tuple[int, str, dict[str, str]]:
        """The response once it is prepared, as a browser gets it, which asks again."""
        answer = self.ask(path)
        while answer[0] == 202:
            assert answer[2]["Refresh"] == "1"
            assert "is being prepared" in answer[1]
            answer = self.ask(path)
        return answer

    def ask(self, path: str, host: str = "", method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, body and headers of a response; the path is sent unchanged."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, dict(answer.getheaders())

    def study(self, title: str) -> str:
        """The address of a study's page, without its host, as the list has it."""
        for _ in range(300):
            found = re.search(rf'<a href="(/study\?id=\w+)">{re.escape(title)}</a>', self.ask("/")[1])
            if found:
                return found[1]
            time.sleep(0.1)
        raise AssertionError(f"{title} is not in the list")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a folder in which there is a secret, and a study that has ended."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "studies").mkdir()
    (folder / "studies" / "secret.txt").write_text("a word that nobody may read")
    with watched.at_work(folder / "studies" / "ended", spec := watched.study("Has it ended?")) as store:
        watched.finish(store, spec)
    opened, complaints = folder / "opened", folder / "complaints"
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    arguments = ["ui", str(folder / "studies"), "--port", "0", "--no-browser"]
    command = [sys.executable, "-c", SPIED, str(opened), *arguments]
    with (
        complaints.open("w") as errors,
        subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            address = re.fullmatch(r"Studies live at http://127\.0\.0\.1:(\d+)/ \(press Ctrl-C to stop\)\n", line)
            assert address, line
            yield Served(folder / "studies", int(address[1]), opened, process, complaints)
        finally:
            process.kill()  # or a failure here would wait for it forever
    assert complaints.read_text() == ""  # whatever was asked: its user has a terminal to work in


# --- In a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any, served: Served) -> Iterator[Any]:
    """Open a page; what it complained of, or asked of anyone but the server, is an error at the end."""
    contexts, trouble = [], []

    def go(path: str, width: int = 1280, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        ours = (f"{served.address}/", "data:", "blob:")
        tab.on("request", lambda r: None if r.url.startswith(ours) else trouble.append(r.url))
        tab.on("websocket", lambda w: None if f"127.0.0.1:{served.port}/" in w.url else trouble.append(w.url))
        tab.goto(served.address + path, timeout=60_000)
        tab.wait_for_selector("html.connected", timeout=60_000)
        return tab

    yield go
    for context in contexts:
        context.close()
    assert trouble == []


def until(tab: Any, what: str, expected: Any, seconds: float) -> float:
    """Poll a page until it shows what is expected, and return how long that took; its policy forbids wait_for."""
    began = time.monotonic()
    while (found := tab.evaluate(what)) != expected:
        assert time.monotonic() - began < seconds, f"{found!r} and not {expected!r} after {seconds} s"
        tab.wait_for_timeout(50)
    return time.monotonic() - began


def overflow(tab: Any) -> int:
    return int(tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


EPOCH = "document.getElementById('epoch')?.textContent ?? ''"
DRAWN = """(() => {
  const all = Bokeh.documents[0].roots().flatMap((root) => root.renderers ?? []);
  return all.find((r) => r.tags[0] === "v0-validation").data_source.data.epoch.length;
})()"""
STATES = "[...document.querySelectorAll('.studies .state')].map((e) => e.textContent)"


def test_a_new_study_is_listed_and_its_epochs_appear_within_two_seconds(served: Served, visit: Any) -> None:
    """Read from the store by another process, sent, and drawn; no page is loaded again."""
    table = visit("/")
    table.evaluate("window.same = true")
    assert table.evaluate(STATES) == ["finished"]
    spec = watched.study("Does <b>it</b> appear?")
    with watched.at_work(served.folder / "new", spec) as store:
        until(table, STATES, ["running", "finished"], 10)
        assert "None of 4 runs finished" in table.locator(".studies li").first.inner_text()
        assert "Does <b>it</b> appear?" in table.locator(".studies li").first.inner_text()
        tab = visit(table.locator(".studies a").first.get_attribute("href"), 390, color_scheme="dark")
        tab.evaluate("window.same = true")
        took = []
        for epoch in (1, 2, 7):
            watched.record_epochs(store, epoch)
            took.append(until(tab, EPOCH, str(epoch), 10) + until(tab, DRAWN, epoch, 10))
        assert statistics.median(took) < 2  # one may have been disturbed, on a machine that is shared
        until(table, "document.querySelector('.when').innerText.includes('Epoch 7 of 12: 4 runs training')", True, 10)
        assert overflow(tab) == overflow(table) == 0
        output = heard(tab)
        assert nameless(output) == nameless(heard(table)) == []
        assert [name for name in pictures(output) if name.startswith("Loss, by epoch, of baseline, l2.")]
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
        assert tab.locator("[data-part=table] tbody tr").first.inner_text().split("\t")[1] == "2 training"
        tab.locator("input[name=log]").check()
        tab.locator("#chart-log-loss canvas").first.wait_for(state="visible")
        tab.locator("input[name=variant][value='0']").uncheck()
        watched.record_epochs(store, 8)
        until(tab, EPOCH, "8", 10)
        assert tab.evaluate(DRAWN) == 7  # of a curve that is off, nothing is sent
        watched.finish(store, spec)
    until(table, STATES, ["finished", "finished"], 10)
    until(tab, "!!document.querySelector('a[href^=\"/report?id=\"]')", True, 10)
    until(tab, "document.querySelector('[data-part=answer]').innerText.length > 0", True, 30)
    assert table.evaluate("window.same") is tab.evaluate("window.same") is True
    shutil.rmtree(served.folder / "new")
    until(table, STATES, ["finished"], 10)
    until(tab, "document.getElementById('lost').textContent.includes('moved or removed')", True, 10)


@posix
def test_a_real_training_is_shown_until_it_is_interrupted(served: Served, visit: Any, tmp_path: Path) -> None:
    """Epochs of milliseconds: the page shows later and later ones, while another process trains."""
    file = tmp_path / "small.toml"
    file.write_text(
        'name = "small"\ntitle = "How does it train?"\n[data]\nname = "digits"\n[model]\nhidden = [16]\n'
        "[train]\nepochs = 100000\nbatch_size = 256\nseeds = 2\n[variants.baseline]\n[variants.l2]\nl2 = 1e-3\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    command = [sys.executable, "-m", "wellfit.cli", "run", str(file), "--out", str(served.folder / "real")]
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as training,
        contextlib.ExitStack() as ends,
    ):
        ends.callback(training.kill)  # also where the page fails
        tab = visit(served.study("How does it train?"))
        seen = []
        for later in (1, 10, 20):
            until(tab, f"Number({EPOCH}) >= {later}", True, 60)
            seen.append(int(tab.evaluate(EPOCH)))
        until(tab, f"Number({DRAWN}) >= {seen[-1]}", True, 10)  # the charts follow the table, which may be far already
        training.send_signal(signal.SIGINT)
        assert training.wait() == 130
    until(tab, "document.querySelector('.state').textContent", "interrupted", 10)
    assert int(tab.evaluate(EPOCH)) >= seen[-1]
    assert "was interrupted" in tab.locator("[data-part=answer]").inner_text()


# --- Who may ask, and for what ----------------------------------------------------------------------------------------


def test_the_report_is_served_from_memory(served: Served) -> None:
    page = served.study("Has it ended?")
    status, text, headers = served.ready(page.replace("/study", "/report"))
    assert status == 200
    assert "<title>Has it ended?</title>" in text
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not (served.folder / "ended" / "report.html").exists()


@pytest.mark.parametrize(
    "path",
    [
        "/study",
        "/study?id=",
        "/study?id=0123456789abcdef",
        "/study?id=../../etc/passwd",
        "/study?id=secret.txt",
        "/study?id=ended",
        "/study?id=%2e%2e%2fsecret.txt",
        "/report?id=../secret.txt",
        "/report?id=a&id=b",
        "/%2e%2e/secret.txt",
        "/../studies/secret.txt",
        "/secret.txt",
        "/static/../secret.txt",
        "/static/js/bokeh.min.js",
        "/static/extensions/secret.txt",
        "/study/static/secret.txt",
        "/autoload.js",
        "/metadata",
        "/study/metadata",
        "//",
        "/favicon.ico",
        "/study/",
        "/study?id=%ff",
    ],
)
def test_unknown_paths_are_not_found_and_open_no_file(served: Served, path: str) -> None:
    served.study("Has it ended?")
    before = served.opened.read_text()
    status, text, headers = served.ask(path)
    assert status == 404
    assert "No such" in text
    assert "nobody may read" not in text
    assert headers["X-Frame-Options"] == "DENY"
    assert served.opened.read_text() == before


def test_a_study_is_found_by_its_id_only(served: Served) -> None:
    page = served.study("Has it ended?")
    assert served.ready(page)[0] == 200
    assert served.ask(f"{page}&id=x")[0] == 404
    assert served.ask(f"{page}0")[0] == 404
    assert sorted(PATHS) == ["/", "/bokeh.js", "/compare", "/report", "/study", "/updates"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "127.0.0.1.evil:{port}"]
)
def test_another_host_is_refused(served: Served, host: str) -> None:
    """A name that an attacker lets point to this machine: DNS rebinding."""
    for path in ("/", "/bokeh.js", served.study("Has it ended?")):
        status, text, _ = served.ask(path, host=host.format(port=served.port))
        assert (status, "Has it ended?" in text) == (403, False)
    assert served.ask("/", host=f"localhost:{served.port}")[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:{port}", "null", "http://localhost"]
)
def test_another_origin_is_refused(served: Served, origin: str) -> None:
    for path in ("/", "/updates", "/bokeh.js"):
        assert served.ask(path, Origin=origin.format(port=served.port))[0] == 403
    for host in ("127.0.0.1", "localhost"):
        assert served.ask("/updates", Origin=f"http://{host}:{served.port}")[0] == 200


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "protocols",
    [
        "", "bokeh", "bokeh, junk", "bokeh, a, b", "bokeh, é", f"bokeh, {encoded('[]')}", f"bokeh, {encoded('{}')}",
        f"bokeh, {encoded(json.dumps({'session_id': 'a', '__bk__zlib_': 'a'}))}",
        f"bokeh, {encoded(json.dumps({'session_id': 'a', 'session_expiry': 1}))}",
        f"bokeh, {encoded(json.dumps({'session_id': 'a', 'session_expiry': 1e12}))}",
    ],
)  # fmt: skip
def test_a_websocket_is_refused_whatever_its_token(served: Served, protocols: str) -> None:
    """There are no sessions that could be forged, expire, or belong to another page."""
    key = base64.b64encode(os.urandom(16)).decode()
    statuses = [
        served.ask(path, Origin=served.address, Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Version="13",
                   Sec_WebSocket_Key=key, Sec_WebSocket_Protocol=protocols)[0]
        for path in ("/ws", "/study/ws", "/", "/updates")
    ]  # fmt: skip
    assert statuses == [404, 404, 400, 400]
    assert served.complaints.read_text() == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_nothing_can_be_changed(served: Served, method: str) -> None:
    assert served.ask("/", method=method)[0] == 405
    assert served.ask("/", method="HEAD")[:2] == (200, "")


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: {host}\r\nbroken\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: {host}\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /updates?id=%ff%00&since=%ff&variants=1e9,-1,x HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: {host}\r\n\r\n", b"GET * HTTP/1.1\r\nHost: {host}\r\n\r\n",
        b"GET /?since=%ff&page=99999999999999999999 HTTP/1.0\r\nHost: {host}\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_ends_quietly(served: Served, raw: bytes) -> None:
    host = f"127.0.0.1:{served.port}".encode()
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as client:
        client.sendall(raw.replace(b"{host}", host))
        client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            answer = client.recv(4096)
            assert not answer or re.match(rb"HTTP/1.1 (400|403|404|405|413|431|200) ", answer)
    assert served.ask("/bokeh.js")[0] == 200
    assert served.complaints.read_text() == ""


def test_slow_clients_and_clients_that_leave_hold_up_nobody(served: Served) -> None:
    """Senders of half a header, of half a body, and readers who never read, or leave in the middle."""
    host = f"Host: 127.0.0.1:{served.port}\r\n".encode()
    page = served.study("Has it ended?").replace("/study", "/report").encode()
    served.ready(page.decode())
    slow = [
        b"GET / HTTP/1.1\r\n" + host, b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 60000\r\n\r\nx",
        b"GET " + page + b" HTTP/1.1\r\n" + host + b"\r\n", b"",
    ]  # fmt: skip
    clients = [socket.create_connection(("127.0.0.1", served.port), timeout=30) for _ in range(40)]
    for i, client in enumerate(clients):
        client.sendall(slow[i % len(slow)])
    for client in clients[::3]:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no farewell
        client.close()
    times = []
    for _ in range(10):
        began = time.monotonic()
        assert served.ask("/")[0] == 200
        times.append(time.monotonic() - began)
    for client in clients:
        client.close()
    assert statistics.median(times) < 1
    assert served.complaints.read_text() == ""


def test_updates_have_what_is_new_and_the_curves_that_are_wanted(served: Served) -> None:
    path = served.study("Has it ended?").replace("/study", "/updates")
    for _ in range(600):
        now = json.loads(served.ask(f"{path}&variants=1,77")[1])
        if now.get("version") and "88.33" in now["parts"]["table"]:
            break
        time.sleep(0.1)
    assert list(now["parts"]) == ["progress", "answer", "table", "findings", "structure"]
    assert list(now["curves"]) == ["1"]
    assert now["curves"]["1"]["chart-accuracy v1-validation"]["epoch"] == list(range(1, 13))
    same = json.loads(served.ask(f"{path}&variants=1,77&since={now['version']}")[1])
    assert same == {"version": now["version"]}
    listed = json.loads(served.ask("/updates")[1])
    assert "Has it ended?" in listed["parts"]["studies"]
    assert json.loads(served.ask(f"/updates?since={listed['version']}")[1]) == {"version": listed["version"]}
    trouble = json.loads(served.ask("/updates?id=0123456789abcdef")[1])
    assert trouble == {
        "trouble": "This is the last state of the study. It has been moved or removed, or cannot be read."
    }
    for malformed in ("0123", "0123456789ABCDEF", "0123456789abcdef&id=0123456789abcdef"):
        assert served.ask(f"/updates?id={malformed}")[0] == 404


def test_a_failing_report_explains_itself_and_prints_nothing(served: Served) -> None:
    spec = watched.study("Is it whole?")
    with watched.at_work(served.folder / "damaged", spec) as store:
        watched.finish(store, spec)
    page = served.study("Is it whole?")
    (served.folder / "damaged" / "test" / "l2.0.npz").write_bytes(b"damaged")
    status, text, _ = served.ready(page.replace("/study", "/report"))
    shutil.rmtree(served.folder / "damaged")
    assert status == 500
    assert "The page cannot be made" in text
    assert "damaged" in text
    assert served.complaints.read_text() == ""


def test_it_listens_on_the_loopback_address_only(served: Served) -> None:
    with socket.socket() as other:
        other.settimeout(5)
        with pytest.raises(OSError, match="refused"):  # this machine too, and not the address that it listens on
            other.connect(("127.0.0.2", served.port))


@pytest.mark.slow
def test_two_hundred_clients_ten_thousand_studies_and_one_long_page(served: Served) -> None:
    """None fails, none waits for another's page, and the server stays small."""
    with watched.at_work(served.folder / "many-0", watched.study("One of many")):
        pass
    for i in range(1, 10_000):
        shutil.copytree(served.folder / "many-0", served.folder / f"many-{i}")
    changes = {"baseline": {}, **{f"l2-{i}": {"l2": 1e-6 * (i + 1)} for i in range(100)}}
    with watched.at_work(served.folder / "long", watched.study("How long is it?", variants=changes)):
        pass
    try:
        long = served.study("How long is it?")
        assert served.ask(long)[0] == 202
        took: list[float] = []

        def ask() -> None:
            began = time.monotonic()
            assert served.ask("/")[0] == 200
            took.append(time.monotonic() - began)

        with ThreadPoolExecutor(200) as clients:
            list(clients.map(lambda _: ask(), range(400)))
        assert len(took) == 400
        assert max(took) < 10
        assert served.ready(long)[0] == 200
        memory = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{served.process.pid}/status").read_text())
        assert memory is None or int(memory[1]) < 300_000
    finally:
        for path in (*served.folder.glob("many-*"), served.folder / "long"):
            shutil.rmtree(path)


# --- As a command -----------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_one_line(served: Served, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    command = [sys.executable, "-m", "wellfit.cli", "ui", str(tmp_path), "--no-browser", "--port", str(served.port)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"wellfit: port {served.port}: .*in use.*; choose another with --port, .*\n", done.stderr)


def test_a_missing_folder_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["wellfit", "ui", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    line = f"wellfit: {tmp_path / 'nowhere'}: no such directory; name a study directory, or a folder that holds studies"
    assert (ended.value.code, capsys.readouterr().err) == (2, f"{line}\n")


@posix
def test_ctrl_c_ends_it_within_a_second_also_with_open_clients(tmp_path: Path) -> None:
    """Without an argument, the folder is wellfit-studies or the current folder, which may have no study yet."""
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1]), "DISPLAY": ""}
    # tests that run in the background may have been told to ignore Ctrl-C, and their children with them
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heeded}; from wellfit.cli import main; main()", "ui", "--port", "0"]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, **streams) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Studies live at http://127.0.0.1:")
            port = int(re.search(r":(\d+)/", line)[1])
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
            for client in clients:
                client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
            took = time.monotonic() - began
            for client in clients:
                client.close()
        finally:
            process.kill()
    assert (process.returncode, out, err) == (130, "", "wellfit: interrupted\n")
    assert took < 3  # one second, on a machine that is shared
