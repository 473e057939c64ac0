"""The cache of compiled programs: damaged entries are compiled again, and strangers' folders are not used."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import wellfit
from permissions import enforced
from saved_runs import failing
from wellfit.engine import programs
from wellfit.engine.programs import Programs, keep_programs, refusal

CONTENT = bytes(range(64)) * 4


@pytest.fixture
def kept(tmp_path: Path) -> Programs:
    """A cache with one entry."""
    result = Programs(tmp_path)
    result.put("key", CONTENT)
    return result


def entry(kept: Programs) -> Path:
    (path,) = kept.folder.iterdir()
    return path


def test_an_entry_is_read_back_by_its_key_alone(kept: Programs) -> None:
    assert kept.get("key") == CONTENT
    assert kept.get("other") is None
    kept.put("key", b"newer")
    assert kept.get("key") == b"newer"


def test_no_flipped_bit_is_read(kept: Programs) -> None:
    whole = entry(kept).read_bytes()
    for place in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path = kept.folder / kept._entry("key").name
        path.write_bytes(flipped)
        assert kept.get("key") is None
        assert not path.exists()  # and is compiled and written again


def test_no_truncated_entry_is_read(kept: Programs) -> None:
    path = entry(kept)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert kept.get("key") is None
        assert not path.exists()


def test_an_entry_under_another_name_is_not_read(kept: Programs) -> None:
    os.rename(entry(kept), kept._entry("other"))
    assert kept.get("other") is None


def test_what_is_no_file_is_no_entry(tmp_path: Path) -> None:
    kept = Programs(tmp_path)
    os.mkfifo(kept._entry("pipe"))
    kept._entry("link").symlink_to("/dev/zero")
    kept._entry("folder").mkdir()
    for key in ("pipe", "link", "folder"):
        assert kept.get(key) is None
        kept.put(key, CONTENT)
    assert kept.get("pipe") == kept.get("link") == CONTENT
    assert kept.get("folder") is None


def test_versions_and_processors_do_not_see_each_other(kept: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in ("jaxlib of tomorrow", "another processor"):
        monkeypatch.setattr(programs, "_machine", lambda other=other: other)
        assert kept.get("key") is None
        kept.put("key", other.encode())
        assert kept.get("key") == other.encode()
    monkeypatch.undo()
    assert kept.get("key") == CONTENT
    assert {jax.__version__, metadata.version("jaxlib")} <= set(programs._machine().splitlines())


def test_a_disk_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "file").write_text("in the way")
    unusable = Programs(tmp_path / "file")
    unusable.put("key", CONTENT)
    assert unusable.get("key") is None
    monkeypatch.setattr(Path, "write_bytes", full)
    kept = Programs(tmp_path / "full")
    kept.put("key", CONTENT)
    assert kept.get("key") is None
    assert list(kept.folder.iterdir()) == []


def test_the_entries_used_last_remain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MOST_ENTRIES", 3)
    kept = Programs(tmp_path)
    others = [tmp_path / name for name in ("mine.txt", "jit_f-0-cache")]  # of the user, or of JAX in a chosen folder
    for path in others:
        path.write_text("mine")
    for age, key in enumerate("abcdef"):
        kept.put(key, CONTENT)
        os.utime(kept._entry(key), (age, age))
        assert kept.get("a") == CONTENT  # which marks it as used now
    assert [key for key in "abcdef" if kept._entry(key).exists()] == ["a", "e", "f"]
    monkeypatch.setattr(programs, "MOST_BYTES", 2 * (len(CONTENT) + 32))
    kept.put("g", CONTENT)
    assert [key for key in "abcdefg" if kept._entry(key).exists()] == ["a", "g"]
    kept.put("h", bytes(3 * len(CONTENT)))
    assert kept.get("h") is None  # larger than everything together may be
    assert all(path.read_text() == "mine" for path in others)


def test_entries_of_jax_itself_make_room_in_wellfits_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MOST_ENTRIES", 1)
    folder = programs._usual_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "jit_f-0-cache").write_text("of an earlier version")
    os.utime(folder / "jit_f-0-cache", (0, 0))
    Programs(folder).put("key", CONTENT)
    assert not (folder / "jit_f-0-cache").exists()


KILLED = "import sys; from pathlib import Path; from wellfit.engine.programs import Programs\n" + (
    "kept = Programs(Path(sys.argv[1])); print(flush=True)\nwhile True: kept.put('key', b'0123456789' * 1_000_000)"
)


@pytest.mark.parametrize("times", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_a_process_killed_while_it_writes_leaves_a_whole_entry_or_none(times: int, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for _ in range(times):
        with child(KILLED, str(tmp_path)) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(generator.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
        assert Programs(tmp_path).get("key") in (None, b"0123456789" * 1_000_000)


# --- Folders that others can write ------------------------------------------------------------------------------------


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Wellfit's folder of programs, empty, where nobody has chosen another."""
    monkeypatch.setenv("WELLFIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(programs, "_chosen", lambda: None)
    result = tmp_path / "cache" / "programs"
    result.mkdir(parents=True, mode=0o700)
    return result


@pytest.fixture
def jax_settings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is set in JAX, which stays as it was."""
    from jax._src import compilation_cache

    monkeypatch.setattr(compilation_cache, "get_file_cache", compilation_cache.get_file_cache)
    settings: dict[str, Any] = {}
    monkeypatch.setattr(jax.config, "update", settings.__setitem__)
    return settings


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722, 0o1777])
def test_a_folder_that_others_can_write_is_refused(
    mode: int, folder: Path, jax_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "_chosen", lambda: str(folder))  # for JAX, by the user
    assert refusal() is None
    folder.chmod(mode)
    keep_programs()
    assert jax_settings == {"jax_enable_compilation_cache": False}
    assert folder.stat().st_mode & 0o7777 == mode
    assert refusal() == (
        f"Other users can write to {folder}, so that compiled programs are not kept and every run compiles its own; "
        f"delete it, or run: chmod 700 {folder}"
    )


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o722, 0o1777])
def test_wellfits_own_folder_is_closed_and_emptied(mode: int, folder: Path, jax_settings: dict[str, Any]) -> None:
    Programs(folder).put("key", b"perhaps of another user")
    (folder / "mine.txt").touch()
    folder.chmod(mode)
    assert str(refusal()).startswith("Other users can write to ")
    keep_programs()
    assert refusal() is None
    assert folder.stat().st_mode & 0o7777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert jax_settings["jax_compilation_cache_dir"] == str(folder)


def test_a_folder_that_cannot_be_emptied_stays_refused(
    folder: Path, jax_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Programs(folder).put("key", b"of another user, in a sticky folder")
    folder.chmod(0o1777)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", failing(errno.EPERM))
        keep_programs()
    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert str(refusal()).endswith(f"; delete it, or run: chmod 700 {folder}")
    assert jax_settings == {"jax_enable_compilation_cache": False}


def test_an_open_folder_of_the_administrator_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid():
        pytest.skip("only the administrator can give away a folder")
    folder.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert str(refusal()).endswith("set WELLFIT_CACHE to a folder of your own")


def test_a_folder_that_cannot_be_read_is_no_reason_to_fail(folder: Path, jax_settings: dict[str, Any]) -> None:
    folder.parent.chmod(0)
    try:
        with enforced():
            keep_programs()
            said = str(refusal())
    finally:
        folder.parent.chmod(0o700)
    assert jax_settings == {"jax_enable_compilation_cache": False}
    assert said.startswith(f"{folder} cannot be read, so that compiled programs are not kept")
    assert said.endswith("; fix its permissions, or set WELLFIT_CACHE to a folder of your own")


def test_a_folder_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.geteuid() or 1000
    if not os.geteuid():
        os.chown(folder, own, own)
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    assert str(refusal()).endswith("set WELLFIT_CACHE to a folder of your own")
    monkeypatch.setattr(programs, "_chosen", lambda: folder)
    assert str(refusal()).endswith("own; choose another folder")


def test_without_a_folder_nothing_is_refused(folder: Path) -> None:
    folder.rmdir()
    assert refusal() is None


# --- In processes -----------------------------------------------------------------------------------------------------


COMPILES = """
import hashlib, json, os, sys
from pathlib import Path
from wellfit.engine import devices, programs
devices.start()
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
used = []
jax.monitoring.register_event_listener(lambda event, **_: used.append(event.rsplit("/", 1)[-1]))
x = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)

def bits():
    jax.clear_caches()
    used.clear()
    value = jax.jit(lambda x: jnp.tanh(x @ x).sum(axis=0))(x)
    return hashlib.sha256(np.asarray(value).tobytes()).hexdigest(), "cache_hits" in used

def entries():
    return sorted(Path(os.environ["WELLFIT_CACHE"]).rglob("*.program"))
"""

DAMAGES = """
first, hit = bits()
again, found = bits()
generator, wrong, loaded = np.random.default_rng(0), 0, 0
times = int(sys.argv[1])
for i in range(times):
    (path,) = [p for p in entries() if p.stat().st_size > 2000][:1]
    whole = path.read_bytes()
    place = int(generator.integers(len(whole)))
    flipped = bytearray(whole)
    flipped[place] ^= 1 << int(generator.integers(8))
    path.write_bytes(flipped if i % 2 else whole[:place])
    now, hit_now = bits()
    wrong += now != first
    repaired = path.read_bytes()
    loaded += hit_now
print(json.dumps([hit, found, again == first, wrong, loaded, len(repaired) > 2000]))
"""


def child(script: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1]), "JAX_PLATFORMS": "cpu", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(script: str, *arguments: str, **environment: str) -> str:
    """What a child printed, and nothing on its standard error."""
    with child(script, *arguments, **environment) as process:
        output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert errors == ""
    return output


@pytest.mark.parametrize("times", [12, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_entries_change_no_bit_and_are_repaired_in_silence(times: int, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    hit, found, same, wrong, loaded, repaired = json.loads(told(COMPILES + DAMAGES, str(times), WELLFIT_CACHE=cache))
    assert (hit, found, same) == (False, True, True)  # compiled once, then read from the cache
    assert (wrong, loaded, repaired) == (0, 0, True)
    assert (tmp_path / "cache" / "programs").stat().st_mode & 0o777 == 0o700


STATE = "value, hit = bits()\nprint(json.dumps([value, hit, programs.refusal(), len(entries())]))"


def test_a_refused_folder_is_neither_read_nor_written(tmp_path: Path) -> None:
    chosen = {"WELLFIT_CACHE": str(tmp_path), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "mine")}
    value, hit, refused, count = json.loads(told(COMPILES + STATE, **chosen))
    assert (hit, refused) == (False, None)
    assert count > 0
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "mine").iterdir()}
    (tmp_path / "mine").chmod(0o777)
    again, hit, refused, _ = json.loads(told(COMPILES + STATE, **chosen))
    assert (again, hit) == (value, False)
    assert refused.startswith("Other users can write to ")
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "mine").iterdir()} == before


def test_a_closed_folder_is_filled_again(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    value, *_ = json.loads(told(COMPILES + STATE, WELLFIT_CACHE=str(cache)))
    (cache / "programs").chmod(0o775)
    again, hit, refused, count = json.loads(told(COMPILES + STATE, WELLFIT_CACHE=str(cache)))
    assert (again, hit, refused) == (value, False, None)
    assert count > 0
    assert json.loads(told(COMPILES + STATE, WELLFIT_CACHE=str(cache)))[1]


def test_a_folder_that_the_user_chose_for_jax_is_checked_too(tmp_path: Path) -> None:
    chosen = {"WELLFIT_CACHE": str(tmp_path), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "mine")}
    value, hit, _, count = json.loads(told(COMPILES + STATE, **chosen))
    assert not hit
    assert count == len(list((tmp_path / "mine").iterdir())) > 0
    assert json.loads(told(COMPILES + STATE, **chosen)) == [value, True, None, count]


def test_jax_without_a_place_for_the_cache_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    updates = {}
    monkeypatch.setattr(jax.config, "update", lambda name, value: updates.update({name: value}))
    monkeypatch.setitem(sys.modules, "jax._src.compilation_cache", None)
    monkeypatch.delattr("jax._src.compilation_cache", raising=False)
    keep_programs()
    assert updates == {"jax_enable_compilation_cache": False}


def test_a_cache_on_a_server_is_left_to_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_chosen", lambda: "gs://bucket/programs")
    monkeypatch.setattr(jax.config, "update", lambda name, value: pytest.fail(name))
    keep_programs()
    assert refusal() is None
