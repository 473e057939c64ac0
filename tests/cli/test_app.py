"""The application: help, versions, and how mistakes are reported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

import stores
import wellfit
from commands import Ended, ended, process
from wellfit import cli

Command = Callable[..., Ended]


def test_version(command: Command) -> None:
    assert command("--version") == (0, f"wellfit {wellfit.__version__}\n", "")


def commands() -> list[tuple[str, ...]]:
    """Every command and subcommand."""
    top = typer.main.get_command(cli.app)
    names: list[tuple[str, ...]] = []
    for name, command in top.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        names += [(name, sub) for sub in inner] if inner else [(name,)]
    return names


def test_these_are_the_commands() -> None:
    names = (
        "run plan judge show report compare power claim predict refit export ui verify merge list techniques new "
        "schema audit model look backprop"
    )
    assert commands() == [*((name,) for name in names.split()), ("data", "info"), ("data", "fetch")]


@pytest.mark.parametrize("name", [*commands(), ("data",)], ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_has_an_example(name: tuple[str, ...], option: str, command: Command) -> None:
    status, out, _ = command(*name, option)
    assert status == 0
    assert f"Example: wellfit {' '.join(name)}" in out


@pytest.mark.parametrize("name", [(), ("data",)], ids=" ".join)
def test_summaries_fit_80_columns(name: tuple[str, ...], command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Click would cut a longer summary short with three dots."""
    monkeypatch.setenv("COLUMNS", "80")
    out = command(*name, "--help").out
    assert max(map(len, out.splitlines())) <= 80
    listed = out[out.index("Commands:") :].split("\n\n")[0].splitlines()[1:]
    assert {line.split()[0] for line in listed} >= ({"run", "data"} if not name else {"info", "fetch"})
    assert [line for line in listed if not line.endswith(".") or line.endswith("..")] == []


def test_without_a_command_it_helps(command: Command) -> None:
    ended = command()
    assert "Start with: wellfit run" in ended.out + ended.err


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study_copy: Path) -> Path:
    """A working directory with everything that one may trip over."""
    here = tmp_path / "here"
    here.mkdir()
    study_copy.rename(here / "other")
    (here / "broken.toml").write_text("[train]\nepochs = = 3\n")
    (here / "typo.toml").write_text('[data]\nname = "digits"\n\n[train]\nepoch = 3\n')
    (here / "no-data.toml").write_text('[data]\npath = "gone.csv"\n')
    (here / "image.png").write_bytes(b"\x89PNG\r\n\xff")
    (here / "file").write_text("a file")
    (here / "foreign").mkdir()
    (here / "foreign" / "thesis.tex").write_text("years of work")
    (here / "empty").mkdir()
    (here / "ragged.csv").write_text("a,b,label\n1,2,x\n1,y\n")
    monkeypatch.chdir(here)
    return here


BAD = {
    "study": (["run", "regularisation"], ["unknown study 'regularisation'", "did you mean 'regularization'?"]),
    "study file": (["run", "gone.toml"], ["gone.toml: no such file"]),
    "data set": (["run", "--data", "mnits"], ["unknown data set 'mnits'", "did you mean 'mnist'?"]),
    "data set of audit": (["audit", "digit"], ["unknown data set 'digit'", "did you mean 'digits'?"]),
    "another data set": (["run", "--data", "iris"], ["unknown data set 'iris' (known: ", "or the path of a file"]),
    "data without its ending": (["audit", "ragged"], ["for the file of that name, write ragged.csv"]),
    "study misspelled": (["run", "typpo.toml"], ["typpo.toml: no such file; did you mean 'typo.toml'?"]),
    "study without its ending": (["run", "typo"], ["typo.toml, line 5, [train]"]),
    "a study directory": (["run", "other"], ["other: a study directory", "wellfit show other"]),
    "a study directory, look": (["look", "other"], ["other: a study directory", "wellfit show other"]),
    "a folder": (["plan", "foreign"], ["foreign: a folder, not a study", "--data foreign", "wellfit ui foreign"]),
    "out, run": (["run", "--out", "x.png"], ["--out x.png", "the study directory", "wellfit report x --format png"]),
    "out, plan": (["plan", "--out", "x.csv"], ["--out x.csv", "the study directory, not a file; give --out x"]),
    "out, merge": (["merge", "a", "b", "--out", "x.pdf"], ["--out x.pdf", "wellfit report x --format pdf"]),
    "out, report": (["report", "other", "--out", "x.png"], ["x.png", "--format png --out x"]),
    "a setting for a built-in study": (
        ["run", "--set", "model.kind=cnn"],
        ["wellfit: --set model.kind=cnn: the study does not allow that: ", "[variants.batch-norm]"],
    ),
    "a setting for the data": (["plan", "--set", "train.batch_size=301"], ["wellfit: --set train.batch_size=301: "]),
    "data set of info": (["data", "info", "digit"], ["did you mean 'digits'?"]),
    "data of nobody": (["audit", "~nosuchuser/x"], ["'~nosuchuser/x': not a path", "home directory"]),
    "data of a long name": (["audit", "x" * 300], ["cannot be read (File name too long)"]),
    "study of a long name": (["run", "x" * 300], ["cannot be a file: File name too long"]),
    "data file": (["run", "no-data.toml"], ["gone.csv", "no such file"]),
    "damaged data": (["audit", "ragged.csv"], ["ragged.csv", "3"]),
    "key": (["run", "--set", "train.droput=0.5"], ["unknown key 'droput'", "did you mean 'dropout'?", "--set"]),
    "key in a file": (["run", "typo.toml"], ["typo.toml, line 5, [train]", "did you mean 'epochs'?"]),
    "not TOML": (["run", "broken.toml"], ["broken.toml, line 2, column 10: not TOML"]),
    "not text": (["run", "image.png"], ["image.png", "not TOML"]),
    "no value": (["run", "--set", "train.l2"], ["--set train.l2", "KEY=VALUE"]),
    "dropout": (["run", "--set", "train.dropout=1.5"], ["train.dropout=1.5", "at least 0 and less than 1"]),
    "epochs": (["run", "--epochs", "0"], ["--epochs 0", "must be from 1"]),
    "precision": (["run", "--precision", "half"], ["unknown precision 'half'", "auto, float32, mixed", "--precision"]),
    "precision as a setting": (["run", "--set", "train.precision=bf16"], ["unknown precision 'bf16'", "--set"]),
    "precision of a variant": (["run", "--set", "variants.l2.precision=mixed"], ["unknown key 'precision'"]),
    "plan, study": (["plan", "regularisation"], ["unknown study 'regularisation'", "did you mean 'regularization'?"]),
    "plan, precision": (["plan", "--precision", "half"], ["unknown precision 'half'", "auto, float32, mixed"]),
    "plan, batch": (["plan", "--set", "train.batch_size=301"], ["batch_size = 301, but it trains on 300 examples"]),
    "plan, other study": (["plan", "--out", "other"], ["other: holds another study", "--out", "--fresh"]),
    "seeds": (["run", "--seeds", "0"], ["--seeds 0", "must be from 1"]),
    "batch": (["run", "--set", "train.batch_size=301"], ["batch_size = 301, but it trains on 300", "at most 300"]),
    "validation": (["audit", "digits", "--validation", "1.5"], ["--validation 1.5"]),
    "other study": (["run", "--out", "other"], ["other: holds another study", "--out", "--fresh"]),
    "below a file": (["run", "--out", "file/study"], ["file/study", "Not a directory", "--out"]),
    "a file": (["run", "--out", "file"], ["file: a file, not a directory", "--out"]),
    "foreign folder": (["run", "--out", "foreign"], ["foreign: not empty, and not a study directory", "--out"]),
    "foreign, fresh": (["run", "--out", "foreign", "--fresh"], ["foreign: not a study directory", "nothing in it"]),
    "show": (["show", "gone"], ["gone: no such directory"]),
    "show, empty": (["show", "empty"], ["empty: not a study directory"]),
    "report": (["report", "foreign"], ["foreign: not a study directory"]),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=list(BAD))
def test_bad_input_is_one_line_and_changes_nothing(
    arguments: list[str], words: list[str], command: Command, bad: Path
) -> None:
    before = stores.tree(bad)
    ended = command(*arguments)
    assert ended.status == 2
    assert ended.out == ""
    assert re.fullmatch(r"wellfit: [^\n]+\n", ended.err)
    for word in words:
        assert word in ended.err
    assert stores.tree(bad) == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "--sedes", "3"], r"no such option: --sedes; did you mean --seeds\? \(see: wellfit run --help\)"),
        (["run", "--foo"], r"no such option: --foo \(see: wellfit run --help\)"),
        (["run", "--epochs", "many"], r"--epochs many: must be a whole number \(see: wellfit run --help\)"),
        (["run", "--max-minutes=soon"], r"--max-minutes soon: must be a number \(see: wellfit run --help\)"),
        (["ui", "--port", "99999"], r"--port 99999: must be (at most|from 0 to) 65535 \(see: wellfit ui --help\)"),
        (["run", "--epochs"], r".*'--epochs' requires an argument \(see: wellfit( run)? --help\)"),
        (["show"], r"missing argument 'DIR' \(see: wellfit show --help\)"),
        (["report"], r"missing argument 'DIR' .*"),
        (["shwo", "x"], r"unknown command 'shwo'; did you mean 'show'\? \(known: .*\) \(see: wellfit --help\)"),
        (["data", "ifno"], r"unknown command 'ifno'; did you mean 'info'\? .* \(see: wellfit data --help\)"),
        (["audit"], r"missing argument 'DATA' .*"),
        (["look", "--count", "1"], r"--count 1: must be (at least 2|from 2 to 50) \(see: wellfit look --help\)"),
        (["train"], r"unknown command 'train' \(known: .*\) \(see: wellfit --help\)"),
        (["lab5"], r"lab5 is not a command; to run a study: wellfit run lab5 \(see: wellfit --help\)"),
        (["my.toml"], r"my.toml is not a command; to run a study: wellfit run my.toml \(see: wellfit --help\)"),
        (["digits"], r"digits is not a command; to train on these data: wellfit run --data digits \(see: .*\)"),
        (["data", "x.csv"], r"x.csv is not a command; to see a data set: wellfit data info x.csv \(see: .*\)"),
        (["data", "mnist"], r"mnist is not a command; to see a data set: wellfit data info mnist \(see: .*\)"),
        (["plan", "a.toml", "b.toml"], r"got unexpected extra argument.* \(b.toml\) \(see: wellfit plan --help\)"),
    ],
)
def test_a_wrong_call_is_one_line(arguments: list[str], line: str, command: Command) -> None:
    ended = command(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert re.fullmatch(f"wellfit: {line}\n", ended.err)


def test_a_bug_keeps_its_traceback(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("wellfit.spec.listing.list_studies", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        command("list")


def test_an_interrupt_anywhere_else_is_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wellfit.data.catalog.load_dataset", pressed)
    assert command("data", "info", "digits") == (130, "", "wellfit: interrupted\n")


def test_a_mistake_has_no_traceback(tmp_path: Path) -> None:
    output = ended(process("run", "--set", "train.dropout=1.5", cwd=tmp_path))
    assert output == (2, "", "wellfit: --set train.dropout=1.5: must be at least 0 and less than 1, got 1.5\n")
    assert stores.tree(tmp_path) == {}


def test_a_closed_pipe_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        output = process("list", stdout=writing)
    finally:
        os.close(writing)
    assert output.communicate(timeout=60)[1] == ""
    assert output.returncode == 141  # what shells report of a program that SIGPIPE ends


@pytest.mark.parametrize("redirected", [">&-", ">&- 2>&-"])
def test_a_closed_output_is_one_line(redirected: str) -> None:
    command = f"{sys.executable} -m wellfit.cli list {redirected}"
    source = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    done = subprocess.run(["sh", "-c", command], env=source, capture_output=True, text=True, check=False)
    line = "wellfit: standard output is closed; redirect it, for example: wellfit list > output.txt\n"
    assert (done.returncode, done.stderr) == (2, "" if "2>" in redirected else line)


@pytest.mark.parametrize(
    "odd", [{"COLUMNS": "1"}, {"COLUMNS": "abc"}, {"TERM": "dumb"}, {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_odd_terminals(odd: dict[str, str], finished_study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in odd.items():
        monkeypatch.setenv(name, value)
    status, out, err = ended(process("show", finished_study, "--full", encoding="ascii"))
    assert (status, err) == (0, "")
    assert "baseline" in "".join(out.split())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_under_the_output() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        found = process("list", stdout=full)
        message = found.communicate(timeout=60)[1]
    assert message == "wellfit: standard output cannot be written: No space left on device; free disk space\n"
    assert found.returncode == 2


def test_other_errors_of_the_system_are_not_hidden(
    command: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("wellfit.data.catalog.load_dataset", failing)
    with pytest.raises(OSError, match="Input/output error"):
        command("data", "info", "digits")


def test_a_mistake_without_standard_error(command: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert command("data", "info", "no-such-data")[0] == 2


def test_a_command_that_is_a_file_or_a_folder(command: Command, bad: Path) -> None:
    assert "to train on these data: wellfit run --data ragged.csv" in command("ragged.csv").err
    assert "to see the results in it: wellfit show other" in command("other").err
