"""Where files are looked for, how every copy is checked, and what a download leaves behind; without the network."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from wellfit.data import fetch
from wellfit.data.entries import CATALOG, CatalogEntry, CatalogFile
from wellfit.data.idx import encode_idx
from wellfit.errors import DataError, DataNotFoundError

ARRAYS = {
    "train-images-idx3-ubyte": np.arange(4 * 28 * 28, dtype=np.uint8).reshape(4, 28, 28),
    "train-labels-idx1-ubyte": np.array([0, 1, 0, 1], dtype=np.uint8),
    "t10k-images-idx3-ubyte": np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28),
    "t10k-labels-idx1-ubyte": np.array([1, 0], dtype=np.uint8),
}
CONTENTS = {name: encode_idx(array) for name, array in ARRAYS.items()}


def entry_like(name: str) -> CatalogEntry:
    """The catalog's entry with tiny files of known content and two mirrors."""
    files = tuple(
        CatalogFile(n, hashlib.sha256(c).hexdigest(), hashlib.md5(gzip.compress(c, mtime=0)).hexdigest())
        for n, c in CONTENTS.items()
    )
    return dataclasses.replace(CATALOG[name], files=files, mirrors=("https://one.test/", "https://two.test/"))


FASHION, MNIST = entry_like("fashion-mnist"), entry_like("mnist")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any data set, and a network that fails a test that reaches for it unasked."""
    for variable in ("WELLFIT_DATA", "WELLFIT_OFFLINE", "KERAS_HOME", "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WELLFIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def no_network(url: str, md5: str, target: Path) -> None:
        pytest.fail(f"{url} was asked for")

    monkeypatch.setattr(fetch, "_retrieve", no_network)
    return tmp_path


class Mirrors:
    """A fake network: each address's response, and which addresses were requested."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: dict[str, bytes | Exception]) -> None:
        self.asked: list[str] = []
        self.answers = answers
        monkeypatch.setattr(fetch, "_retrieve", self.retrieve)

    def retrieve(self, url: str, md5: str, target: Path) -> None:
        self.asked.append(url)
        host, _, name = url.rpartition("/")
        answer = self.answers[host]
        if isinstance(answer, Exception):
            raise answer
        target.write_bytes(answer or gzip.compress(CONTENTS[name.removesuffix(".gz")], mtime=0))
        assert md5 == hashlib.md5(gzip.compress(CONTENTS[name.removesuffix(".gz")], mtime=0)).hexdigest()


def put(folder: Path, *, zipped: bool = True, names=tuple(CONTENTS)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        content = gzip.compress(CONTENTS[name]) if zipped else CONTENTS[name]
        (folder / (f"{name}.gz" if zipped else name)).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("place", "label", "zipped"),
    [
        ("chosen/fashion-mnist", "WELLFIT_DATA", True),
        ("chosen", "WELLFIT_DATA itself", False),
        ("cache/data/fashion-mnist", "wellfit's cache", True),
        (".keras/datasets/fashion-mnist", "Keras's copy", True),
        ("work/data/FashionMNIST/raw", "torchvision's copy", False),
        ("data/FashionMNIST/raw", "torchvision's copy", True),
        ("torchvision/FashionMNIST/raw", "torchvision's copy", False),
        (".cache/torch/FashionMNIST/raw", "torchvision's copy", False),
    ],
)
def test_every_place_is_looked_into(home, monkeypatch, place, label, zipped):
    monkeypatch.setenv("WELLFIT_DATA", str(home / "chosen"))
    put(home / place, zipped=zipped)
    found = fetch.find(FASHION)
    assert found.contents == CONTENTS
    assert found.place.startswith(f"{label} (")


def test_the_order_of_places(home, monkeypatch):
    places = [home / "chosen/fashion-mnist", home / "cache/data/fashion-mnist", home / "keras/datasets/fashion-mnist"]
    monkeypatch.setenv("WELLFIT_DATA", str(home / "chosen"))
    monkeypatch.setenv("KERAS_HOME", str(home / "keras"))
    for place in [*places, home / "data/FashionMNIST/raw"]:
        put(place)
    for place in places:
        assert str(place) in fetch.find(FASHION).place
        for file in place.iterdir():
            file.unlink()
    assert fetch.find(FASHION).place == f"torchvision's copy ({home}/data/FashionMNIST/raw)"


def test_keras_npz_is_checked_like_the_files(home):
    path = home / ".keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), ARRAYS.values(), strict=True))
    np.savez_compressed(path, **arrays)
    found = fetch.find(MNIST)
    assert found.contents == CONTENTS
    assert found.place == f"Keras's copy ({path})"
    np.savez_compressed(path, **arrays | {"y_test": ARRAYS["t10k-labels-idx1-ubyte"][::-1]})
    with pytest.raises(DataError, match=r"mnist\.npz: the content of t10k-labels-idx1-ubyte has SHA-256"):
        fetch.find(MNIST)
    np.savez_compressed(path, **arrays | {"x_train": np.zeros((4, 28, 28))})
    with pytest.raises(DataError, match=r"mnist\.npz: does not contain MNIST as bytes"):
        fetch.find(MNIST)


def test_keras_npz_that_is_absent(monkeypatch):
    monkeypatch.setenv("WELLFIT_OFFLINE", "1")
    with pytest.raises(DataNotFoundError, match=r"Keras's copy \(.*mnist\.npz\)"):
        fetch.find(MNIST)


def test_another_content_is_refused_with_both_hashes(home):
    folder = put(home / "cache/data/fashion-mnist")
    wrong = encode_idx(np.array([1, 1], dtype=np.uint8))
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(wrong))
    with pytest.raises(DataError) as caught:
        fetch.find(FASHION)
    message = str(caught.value)
    assert str(folder / "t10k-labels-idx1-ubyte.gz") in message
    assert hashlib.sha256(wrong).hexdigest()[:12] in message
    assert FASHION.files[3].sha256[:12] in message
    assert "\n" not in message


def test_a_folder_of_another_known_data_set_is_passed_over(home, monkeypatch):
    # Both data sets use the same file names: WELLFIT_DATA naming the one must not break the other.
    other = dataclasses.replace(
        CATALOG["mnist"],
        files=tuple(CatalogFile(f.name, hashlib.sha256(b"other").hexdigest(), "") for f in MNIST.files),
    )
    monkeypatch.setattr(fetch, "CATALOG", {"fashion-mnist": FASHION, "mnist": other})
    monkeypatch.setenv("WELLFIT_DATA", str(home / "chosen"))
    put(home / "chosen")
    for name in CONTENTS:
        (home / "chosen" / f"{name}.gz").write_bytes(b"other")
    put(home / ".keras/datasets/fashion-mnist")
    assert fetch.find(FASHION).place.startswith("Keras's copy")
    (home / "chosen" / "train-images-idx3-ubyte.gz").write_bytes(b"neither")
    with pytest.raises(DataError, match=r"has SHA-256"):
        fetch.find(FASHION)


def test_download_falls_back_on_the_next_mirror(home, monkeypatch):
    mirrors = Mirrors(monkeypatch, {"https://one.test": ConnectionError("refused"), "https://two.test": b""})
    found = fetch.find(FASHION)
    assert found.contents == CONTENTS
    assert mirrors.asked[:2] == [f"https://{host}.test/train-images-idx3-ubyte.gz" for host in ("one", "two")]
    cache = home / "cache/data/fashion-mnist"
    assert sorted(p.name for p in cache.iterdir()) == sorted(f"{n}.gz" for n in CONTENTS)  # and no scratch folder
    mirrors.asked.clear()
    assert fetch.find(FASHION).place == f"wellfit's cache ({cache})"
    assert not mirrors.asked


def test_only_what_the_cache_lacks_is_downloaded(home, monkeypatch):
    put(home / "cache/data/fashion-mnist", names=list(CONTENTS)[:3])
    mirrors = Mirrors(monkeypatch, {"https://one.test": b""})
    assert fetch.find(FASHION).contents == CONTENTS
    assert mirrors.asked == ["https://one.test/t10k-labels-idx1-ubyte.gz"]


def test_nothing_damaged_enters_the_cache(home, monkeypatch):
    answers = {"https://one.test": b"a page that says 404", "https://two.test": ValueError("MD5 differs")}
    Mirrors(monkeypatch, answers)
    with pytest.raises(DataNotFoundError, match=r"one\.test/ \(damaged content\); .*two\.test/ \(ValueError\)"):
        fetch.find(FASHION)
    assert list((home / "cache/data/fashion-mnist").iterdir()) == []


def test_offline_the_message_names_every_place_and_file(home, monkeypatch):
    monkeypatch.setenv("WELLFIT_DATA", str(home / "chosen"))
    offline = ConnectionError("no network")
    mirrors = Mirrors(monkeypatch, {"https://one.test": offline, "https://two.test": offline})
    with pytest.raises(DataNotFoundError) as caught:
        fetch.find(FASHION)
    message = str(caught.value)
    assert "\n" not in message
    places = [
        "chosen/fashion-mnist",
        "cache/data/fashion-mnist",
        ".keras/datasets/fashion-mnist",
        "data/FashionMNIST/raw",
        "torchvision/FashionMNIST/raw",
        ".cache/torch/FashionMNIST/raw",
    ]
    for text in [*(str(home / p) for p in places), *FASHION.mirrors, *(f"{n}.gz" for n in CONTENTS), "WELLFIT_DATA"]:
        assert text in message
    assert len(mirrors.asked) == 2  # the first file shows that there is no network, so the others are not tried


def test_offline_is_respected(monkeypatch):
    monkeypatch.setenv("WELLFIT_OFFLINE", "1")
    with pytest.raises(DataNotFoundError, match="no download, because WELLFIT_OFFLINE is set"):
        fetch.find(FASHION)


def test_cache_folder(home, monkeypatch):
    assert fetch.cache_folder("mnist") == home / "cache" / "data" / "mnist"
    monkeypatch.delenv("WELLFIT_CACHE")
    folder = fetch.cache_folder("mnist")
    assert folder.parts[-3:] == ("wellfit", "data", "mnist")
    assert folder.is_relative_to(home)


# --- Servers ----------------------------------------------------------------------------------------------------------

SERVED = gzip.compress(bytes(5000), mtime=0)
Answering = Callable[[http.server.BaseHTTPRequestHandler], None]


def send(handler: http.server.BaseHTTPRequestHandler, content: bytes, length: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content) if length is None else length))
    handler.end_headers()
    handler.wfile.write(content)


def redirect(handler: http.server.BaseHTTPRequestHandler, address: str) -> None:
    handler.send_response(302)
    handler.send_header("Location", address)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(10_000):
        handler.wfile.write(bytes(1 << 16))


def dripping(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(300):
        handler.wfile.write(b"x")
        time.sleep(0.02)


def dripping_headers(handler: http.server.BaseHTTPRequestHandler) -> None:
    for _ in range(300):
        handler.wfile.write(b"H")
        time.sleep(0.02)


def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def resetting(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    send(handler, b"x", 5000)
    handler.connection.close()


BAD: dict[str, tuple[Answering, str]] = {
    "endless": (endless, "larger than 1,048,576 bytes"),
    "dripping": (dripping, "fewer than 32,768 bytes"),
    "dripping headers": (dripping_headers, "fewer than 32,768 bytes"),
    "silent": (silent, "Timeout|fewer than"),
    "reset": (resetting, "ConnectionError|ChunkedEncodingError"),
    "too short": (lambda handler: send(handler, SERVED, 50_000), "ConnectionError|ChunkedEncodingError|ValueError"),
    "too long": (lambda handler: send(handler, SERVED, 10), "ValueError"),
    "other content": (lambda handler: send(handler, b"other"), "ValueError"),
    "missing": (lambda handler: handler.send_error(404), "HTTPError"),
    "redirected for ever": (lambda handler: redirect(handler, handler.path), "TooManyRedirects"),
    "redirected to a file": (
        lambda handler: redirect(handler, "file:///etc/passwd"),
        "redirected to an insecure address",
    ),
    "redirected nowhere": (lambda handler: redirect(handler, "http://256.1.1.1/x"), "ConnectionError|InvalidURL"),
    "no HTTP": (lambda handler: handler.wfile.write(b"\0" * 100) and None, "ConnectionError"),
}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Answering], str]]:
    """A server of this machine; call it with what it answers to get its address."""
    monkeypatch.undo()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("_TIMEOUT", (2.0, 1.0)), ("_WINDOW", 1.0), ("_LARGEST", 1 << 20)):
        monkeypatch.setattr(fetch, name, value)
    answers: list[Answering] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                answers[-1](self)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()

    def serve(answer: Answering) -> str:
        answers.append(answer)
        return f"http://127.0.0.1:{server.server_port}/a.gz"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_server_ends_soon_and_leaves_nothing(kind: str, served: Callable[[Answering], str], tmp_path) -> None:
    answer, reason = BAD[kind]
    file = CatalogFile("a", hashlib.sha256(bytes(5000)).hexdigest(), hashlib.md5(SERVED).hexdigest())
    began = time.monotonic()
    said = fetch._download_file(served(answer), file, tmp_path / "new")
    assert re.search(reason, said), said
    assert time.monotonic() - began < 20
    assert list((tmp_path / "new").iterdir()) == []


def test_a_good_server_is_served_from(served: Callable[[Answering], str], tmp_path: Path) -> None:
    file = CatalogFile("a", hashlib.sha256(bytes(5000)).hexdigest(), hashlib.md5(SERVED).hexdigest())
    address = served(lambda h: redirect(h, "/b.gz") if h.path == "/a.gz" else send(h, SERVED))
    assert fetch._download_file(address, file, tmp_path / "new") == ""
    assert (tmp_path / "new" / "a.gz").read_bytes() == SERVED


def test_a_secure_address_does_not_lead_to_an_insecure_one(
    served: Callable[[Answering], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = fetch._session
    address = served(lambda h: redirect(h, "/b.gz") if h.path == "/a.gz" else send(h, SERVED))
    monkeypatch.setattr(fetch, "_session", lambda _: session("https://a"))  # no server here has a certificate
    file = CatalogFile("a", "", hashlib.md5(SERVED).hexdigest())
    assert fetch._download_file(address, file, tmp_path) == "redirected to an insecure address"
