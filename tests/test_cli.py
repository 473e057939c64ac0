"""The command line as its users call it: what it prints, what it writes, and how it refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

import stores
import wellfit
from wellfit import cli
from wellfit.spec.identity import default_directory
from wellfit.spec.study import load_study

SMALL = ("--seeds", "2", "--epochs", "2", "--set", "model.hidden=[16]")
"""With these the built-in study is that of ``finished_study``."""

VARIANTS = [
    *("baseline", "l2", "l1", "dropout", "l2+dropout", "early-stopping", "proximal-l1", "weight-decay", "max-norm"),
    *("label-smoothing", "noise", "shift", "erasing", "mixup", "ema", "swa", "clipping", "batch-norm", "narrow"),
]


class Ended(NamedTuple):
    status: int
    out: str
    err: str


Wellfit = Callable[..., Ended]


@pytest.fixture
def wellfit_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Wellfit:
    """The command, called in this process."""

    def call(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["wellfit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return call


def process(*arguments: str | Path, encoding: str = "utf-8", **settings: Any) -> subprocess.Popen[str]:
    """The command, in a process of its own."""
    command = [sys.executable, "-m", "wellfit.cli", *map(str, arguments)]
    source = str(Path(wellfit.__file__).parents[1])  # wherever the process is started
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONIOENCODING": encoding}
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": encoding}
    return subprocess.Popen(command, env=environment, **{**streams, **settings})


def ended(running: subprocess.Popen[str]) -> Ended:
    out, err = running.communicate(timeout=120)
    return Ended(running.returncode, out, err)


# --- run --------------------------------------------------------------------------------------------------------------


def test_run_tells_the_plan_the_table_the_verdict_and_the_report(finished_study: Path) -> None:
    text = (finished_study.parents[1] / "told.txt").read_text()
    told = text.splitlines()
    title = "Which regularizer makes a 128-64 network generalize on the digits? (with model.hidden=[16])"
    assert " ".join(told[:2]) == title
    assert told[3] == "1,150 training, 288 validation and 359 test examples"
    assert re.fullmatch(r"38 runs from 32 trajectories, 4 programs on \d+ devices?", told[4])
    assert re.match(r"1,210 to 2,410 parameters|2,410 to 1,210 parameters", told[5])
    assert [line.split()[0] for line in told if line.startswith(tuple(VARIANTS))][: len(VARIANTS)] == VARIANTS
    assert "No variant differs clearly from baseline with 2 seeds" in text
    assert told[-1] == f"Report: wellfit-studies/{finished_study.name}/report.html"
    assert re.fullmatch("regularization-digits-[0-9a-f]{4}", finished_study.name)  # another study than the built-in one
    assert "Run five seeds (--seeds 5)" in text
    assert "early-stopping" in (finished_study / "report.html").read_text()
    assert len(stores.epochs(finished_study)) == len(VARIANTS) * 2 * 2
    assert len(stores.probabilities(finished_study)) == len(VARIANTS) * 2 + 2  # labels, and what a report keeps
    ((facts,),) = stores.rows(finished_study, "SELECT value FROM study WHERE key = 'provenance'")
    assert json.loads(facts)["command"] == "wellfit run --seeds 2 --epochs 2 --set 'model.hidden=[16]'"


def test_run_again_trains_nothing(wellfit_: Wellfit, study_copy: Path) -> None:
    before = stores.rows(study_copy, "SELECT * FROM runs")
    ended = wellfit_("run", *SMALL, "--out", study_copy)
    assert ended.status == 0
    assert "Nothing to train: the study directory holds 38 runs already" in ended.out
    assert "Training" not in ended.out
    assert stores.rows(study_copy, "SELECT * FROM runs") == before
    assert (study_copy / "report.html").is_file()


def test_more_seeds_add_only_the_new_runs(wellfit_: Wellfit, study_copy: Path) -> None:
    runs, epochs = stores.rows(study_copy, "SELECT * FROM runs"), stores.epochs(study_copy)
    ended = wellfit_("run", *SMALL, "--seeds", "3", "--out", study_copy)
    assert ended.status == 0
    assert "19 runs from 16 trajectories" in ended.out
    assert "38 more are done already" in ended.out
    assert stores.rows(study_copy, "SELECT * FROM runs WHERE seed < 2") == runs  # their times of ending, too
    assert [row for row in stores.epochs(study_copy) if row[1] < 2] == epochs
    assert {row[:2] for row in stores.epochs(study_copy) if row[1] == 2} == {(name, 2) for name in VARIANTS}
    assert "regularization" not in wellfit_("run", *SMALL, "--seeds", "1", "--out", study_copy).err  # fewer is no other


def test_fresh_starts_anew_and_json_is_alone_on_stdout(wellfit_: Wellfit, study_copy: Path) -> None:
    (study_copy / "report.html").write_text("old")
    (study_copy / "notes.txt").write_text("mine")
    other = study_copy.parent / "other.toml"
    other.write_text('[data]\nname = "digits"\n[model]\nhidden = [8]\n[train]\nepochs = 1\nseeds = 1\n')
    ended = wellfit_("run", other, "--out", study_copy, "--fresh", "--json")
    assert ended.status == 0
    told = json.loads(ended.out)
    assert told["study"] | {"seconds": 0} == {
        "name": "other", "data": "digits", "state": "finished", "seeds": [0], "epochs": 1, "seconds": 0,
        "directory": str(study_copy),
    }  # fmt: skip
    assert [(v["name"], v["parameters"]) for v in told["variants"]] == [("baseline", 64 * 8 + 8 + 8 * 10 + 10)]
    assert "1,150 training" in ended.err  # plan and progress
    assert len(stores.epochs(study_copy)) == 1
    assert (study_copy / "report.html").read_text() != "old"
    assert (study_copy / "notes.txt").read_text() == "mine"


# --- show, report -----------------------------------------------------------------------------------------------------

STUDY_KEYS = {"name", "data", "state", "seeds", "epochs", "seconds", "directory"}
VARIANT_KEYS = {"name", "settings", "parameters", "runs", "mean", "interval"}
SCORES = {f"{split}_{what}" for split in ("train", "validation", "test") for what in ("accuracy", "loss")}
RUN_KEYS = {"seed", "state", "epochs", "best_epoch", "overfit_onset"} | SCORES
COMPARISON_KEYS = {
    *("variant", "against", "metric", "difference", "interval", "p_value", "p_adjusted", "verdict")
}  # fmt: skip


def test_show_json_has_the_documented_form(wellfit_: Wellfit, finished_study: Path) -> None:
    ended = wellfit_("show", finished_study, "--json")
    assert (ended.status, ended.err) == (0, "")
    told = json.loads(ended.out, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    assert set(told) >= {"wellfit", "study", "variants", "comparisons", "findings"}
    assert told["wellfit"] == wellfit.__version__
    assert set(told["study"]) == STUDY_KEYS
    assert [v["name"] for v in told["variants"]] == VARIANTS
    for variant in told["variants"]:
        assert set(variant) == VARIANT_KEYS
        assert set(variant["mean"]) == set(variant["interval"]) == SCORES | {"generalization_gap"}
        assert all(low <= variant["mean"][metric] <= high for metric, (low, high) in variant["interval"].items())
        assert [run["seed"] for run in variant["runs"]] == [0, 1]
        assert all(set(run) == RUN_KEYS for run in variant["runs"])
        assert {run["state"] for run in variant["runs"]} == {"finished"}
    assert told["variants"][4]["settings"] == {"l2": 1e-3, "dropout": 0.3}
    assert [c["variant"] for c in told["comparisons"]] == VARIANTS[1:]
    assert all(set(c) == COMPARISON_KEYS for c in told["comparisons"])
    assert {c["verdict"] for c in told["comparisons"]} <= {"better", "worse", "equivalent", "undecided"}
    assert all(set(f) == {"code", "level", "message", "fix", "title"} for f in told["findings"])
    assert {f["level"] for f in told["findings"]} <= {"info", "warning", "error"}
    more = {"title", "margin", "published", "conclusion", "answers", "asked", "evidence", "ranking", "friedman_p"}
    assert more <= set(told)
    assert set(told["evidence"]) == set(VARIANTS[1:])
    assert [set(r) for r in told["ranking"]] == [{"variant", "mean", "letters"}] * len(VARIANTS)


def test_show_and_report_change_nothing_but_the_report(wellfit_: Wellfit, study_copy: Path) -> None:
    page = (study_copy / "report.html").read_text()
    (study_copy / "report.html").unlink()
    before = stores.tree(study_copy)
    shown = wellfit_("show", study_copy)
    assert shown.status == 0
    assert all(f"\n{name} " in shown.out for name in VARIANTS)
    assert "few-seeds" in wellfit_("show", study_copy, "--full").out
    assert stores.tree(study_copy) == before
    ended = wellfit_("report", study_copy)
    assert ended == (0, f"{study_copy / 'report.html'}\n", "")
    (new,) = stores.tree(study_copy).items() - before.items()
    assert new[0] == "report.html"
    assert new[1].startswith(page[:40].encode())


# --- list, audit, data ------------------------------------------------------------------------------------------------


def test_list(wellfit_: Wellfit) -> None:
    status, out, _ = wellfit_("list")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 80
    names = [line.split()[0] for line in out.splitlines() if line.startswith("  ") and line[2] != " "]
    told = json.loads(wellfit_("list", "--json").out)
    assert {entry["name"] for entry in told["studies"]} >= {"lab5", "regularization"}
    assert {entry["name"] for entry in told["data"]} >= {"digits", "fashion-mnist", "mnist"}
    assert [entry["name"] for entry in told["studies"] + told["data"]] == names
    assert all(set(entry) == {"name", "title", "description"} for entry in told["studies"] + told["data"])


def test_audit(wellfit_: Wellfit, tmp_path: Path) -> None:
    told = json.loads(wellfit_("audit", "digits", "--json").out)
    assert [finding["code"] for finding in told] == ["constant-features", "few-test-examples"]
    sizes = wellfit_("audit", "digits").out.splitlines()[:4]
    assert sizes[:3] == [
        "Digits",
        "1,797 images of 8 x 8, uint8",
        "split: 1,150 training, 288 validation, 359 test",
    ]
    assert sizes[3].startswith("10 classes, 139 to 146 training and validation examples each: 0, 1, 2")
    leaky = tmp_path / "leaky.csv"
    leaky.write_text("a,b,label\n" + "".join(f"{i % 7},{i % 3},{'xy'[i % 2]}\n" for i in range(120)))
    ended = wellfit_("audit", leaky)
    assert ended.status == 0  # it did its work
    assert "test examples are also in the training split" in ended.out.replace("\n  ", " ")


def test_data(wellfit_: Wellfit) -> None:
    facts = json.loads(wellfit_("data", "info", "digits", "--json").out)
    assert facts["examples"] == "1438 training, 359 test"
    assert facts["shape"] == "8x8"
    assert re.fullmatch("[0-9a-f]{64}", facts["hash"])
    assert [line.split()[0] for line in wellfit_("data", "info", "digits").out.splitlines()] == list(facts)
    assert wellfit_("data", "fetch", "digits") == (0, "scikit-learn (load_digits)\n", "")


def test_list_is_quick_because_numpy_stays_out() -> None:
    code = (
        "import sys; from wellfit.cli import app; app(['list'], standalone_mode=False); "
        "sys.exit(', '.join({'numpy', 'scipy', 'jax'} & set(sys.modules)) or 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_version(wellfit_: Wellfit) -> None:
    assert wellfit_("--version") == (0, f"wellfit {wellfit.__version__}\n", "")


def commands() -> list[tuple[str, ...]]:
    """Every command and sub-command that there is."""
    top = typer.main.get_command(cli.app)
    found: list[tuple[str, ...]] = []
    for name, command in top.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [(name, sub) for sub in inner] if inner else [(name,)]
    return found


def test_these_are_the_commands() -> None:
    assert {
        ("run",),
        ("plan",),
        ("list",),
        ("show",),
        ("report",),
        ("audit",),
        ("data", "info"),
        ("data", "fetch"),
    } <= {*commands()}


@pytest.mark.parametrize("command", commands(), ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_has_an_example(command: tuple[str, ...], option: str, wellfit_: Wellfit) -> None:
    status, out, _ = wellfit_(*command, option)
    assert status == 0
    assert f"Example: wellfit {' '.join(command)}" in out


def test_without_a_command_it_helps(wellfit_: Wellfit) -> None:
    ended = wellfit_()
    assert "Start with: wellfit run" in ended.out + ended.err


# --- plan -------------------------------------------------------------------------------------------------------------


def test_plan_tells_what_run_tells_first_and_writes_nothing(
    wellfit_: Wellfit, finished_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    planned = wellfit_("plan", *SMALL)
    assert (planned.status, planned.err, stores.tree(tmp_path)) == (0, "", {})

    def stable(text: str) -> list[str]:
        told = text.splitlines()
        told = told[: told.index("Products in float32") + 1]
        forecast = r"; about \d[\w. ]* and \d+(\.\d)? [MG]B of memory"  # of this process as it is now
        assert [bool(re.search(forecast, line)) for line in told].count(True) == 1
        return [re.sub(forecast, "", line) for line in told]

    assert stable(planned.out) == stable((finished_study.parent.parent / "told.txt").read_text())
    assert planned.out.splitlines()[-1] == "Products in float32"


def test_plan_knows_what_is_done(wellfit_: Wellfit, study_copy: Path) -> None:
    before = stores.tree(study_copy)
    ended = wellfit_("plan", *SMALL, "--seeds", "3", "--out", study_copy)
    assert "19 runs from 16 trajectories" in ended.out
    assert "38 more are done already" in ended.out
    assert "Nothing to train" in wellfit_("plan", *SMALL, "--out", study_copy).out
    assert "38 runs from 32 trajectories" in wellfit_("plan", *SMALL, "--out", study_copy, "--fresh").out
    assert stores.tree(study_copy) == before


def test_plan_json(wellfit_: Wellfit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("wellfit.engine.precision.has_bfloat16", lambda: True)
    small = json.loads(wellfit_("plan", "--quick", "--precision", "auto", "--json").out)
    assert small["precision"] == {"asked": "auto", "chosen": "products in float32"}  # the digits fit the cache
    monkeypatch.setattr("wellfit.study.outlook.is_small", lambda shape, examples: False)
    ended = wellfit_("plan", "--quick", "--precision", "auto", "--json")
    assert (ended.status, ended.err, stores.tree(tmp_path)) == (0, "", {})
    told = json.loads(ended.out)
    assert told["study"]["title"].endswith("(quick)")
    assert re.fullmatch(r"wellfit-studies.regularization-digits-[0-9a-f]{4}", told["study"]["directory"])
    assert (told["epochs"], told["seeds"], told["runs"], told["trajectories"], told["done"]) == (
        *(20, [0, 1, 2], 3 * len(VARIANTS), 3 * (len(VARIANTS) - 3), 0),
    )
    assert told["precision"] == {"asked": "auto", "chosen": "products in bfloat16, sums in float32"}


# --- --quick and --precision ------------------------------------------------------------------------------------------


def test_quick_and_precision_make_a_study_of_their_own(
    wellfit_: Wellfit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("regularization/l2", "--quick", "--epochs", "1", "--seeds", "1", "--precision", "mixed")
    ended = wellfit_("run", *small)
    assert ended.status == 0
    assert ended.out.splitlines()[0] == "How much L2 does a 128-64 network on the digits want? (quick)"
    assert "4 runs from 4 trajectories" in ended.out  # the baseline, and three values of six
    assert "Products in bfloat16, sums in float32" in ended.out
    (made,) = (tmp_path / "wellfit-studies").iterdir()
    assert "bfloat16" in (made / "report.html").read_text()
    ended = wellfit_("run", *small[:-1], "float32", "--out", made)
    assert (ended.status, ended.out) == (2, "")
    assert '[train] precision is "mixed" there and "float32" here' in ended.err
    assert "Nothing to train" in wellfit_("run", *small).out


# --- Bad input --------------------------------------------------------------------------------------------------------


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
    "data set of info": (["data", "info", "digit"], ["did you mean 'digits'?"]),
    "data of nobody": (["audit", "~nosuchuser/x"], ["'~nosuchuser/x': not a path", "home directory"]),
    "data of a long name": (["audit", "x" * 300], ["cannot be read (File name too long)"]),
    "study of a long name": (["run", "x" * 300], ["cannot be looked for: File name too long"]),
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
    "plan, batch": (["plan", "--set", "train.batch_size=1151"], ["training split of 1150 examples"]),
    "plan, other study": (["plan", "--out", "other"], ["other: holds another study", "--out", "--fresh"]),
    "seeds": (["run", "--seeds", "0"], ["--seeds 0", "must be from 1"]),
    "batch": (["run", "--set", "train.batch_size=1151"], ["batch_size = 1151", "training split of 1150 examples"]),
    "validation": (["audit", "digits", "--validation", "1.5"], ["validation = 1.5"]),
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
def test_bad_input_is_one_clear_line_and_changes_nothing(
    arguments: list[str], words: list[str], wellfit_: Wellfit, bad: Path
) -> None:
    before = stores.tree(bad)
    ended = wellfit_(*arguments)
    assert ended.status == 2
    assert ended.out == ""
    assert re.fullmatch(r"wellfit: [^\n]+\n", ended.err)
    for word in words:
        assert word in ended.err
    assert stores.tree(bad) == before


def test_missing_data_names_every_place_that_was_tried(
    wellfit_: Wellfit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "KERAS_HOME", "TORCH_HOME", "WELLFIT_DATA"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    ended = wellfit_("run", "lab5")
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    for place in ("WELLFIT_DATA/fashion-mnist", "KERAS_HOME/datasets", "TORCH_HOME/FashionMNIST"):
        assert str(tmp_path / place) in line
    assert os.environ["WELLFIT_CACHE"] in line
    assert "t10k-labels-idx1-ubyte.gz" in line
    assert "WELLFIT_OFFLINE" in line
    assert stores.tree(tmp_path) == {}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "--sedes", "3"], r"no such option: --sedes.*--seeds.* \(see: wellfit run --help\)"),
        (["run", "--epochs", "many"], r"invalid value for '--epochs': .* \(see: wellfit run --help\)"),
        (["run", "--epochs"], r".*'--epochs' requires an argument \(see: wellfit( run)? --help\)"),
        (["show"], r"missing argument 'DIR' \(see: wellfit show --help\)"),
        (["report"], r"missing argument 'DIR' .*"),
        (["shwo", "x"], r"unknown command 'shwo'; did you mean 'show'\? \(known: .*\) \(see: wellfit --help\)"),
        (["data", "ifno"], r"unknown command 'ifno'; did you mean 'info'\? .* \(see: wellfit data --help\)"),
        (["audit"], r"missing argument 'DATA' .*"),
        (["look", "--count", "1"], r"invalid value for '--count': .* \(see: wellfit look --help\)"),
        (["run", "a.toml", "b.toml"], r"got unexpected extra argument.* \(b.toml\) \(see: wellfit run --help\)"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(arguments: list[str], line: str, wellfit_: Wellfit) -> None:
    ended = wellfit_(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert re.fullmatch(f"wellfit: {line}\n", ended.err)


def test_a_defect_of_ours_is_not_hidden(wellfit_: Wellfit, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("wellfit.spec.listing.list_studies", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        wellfit_("list")


# --- Where a study goes -----------------------------------------------------------------------------------------------


def test_a_changed_study_has_a_directory_of_its_own(tmp_path: Path) -> None:
    def place(study: str | Path | None = None, **how: Any) -> str:
        name = None if study is None else str(study)
        return str(default_directory(load_study(name, **how), name, "digits").relative_to("wellfit-studies"))

    assert place() == place(seeds=2) == place(settings=["train.seeds=[7]"]) == "regularization-digits"
    assert place(settings=["variants.new.l2=1"]) == "regularization-digits"  # which can hold it, too
    changed = place(settings=["variants.l2.l2=1e-4"])
    assert re.fullmatch("regularization-digits-[0-9a-f]{4}", changed)
    assert changed == place(settings=["variants.l2.l2=0.0001", "train.seeds=9"])
    shorter = place(epochs=5)
    assert shorter == place(settings=["train.epochs=5"]) != changed
    mixed = place(precision="mixed")
    assert mixed == place(settings=["train.precision=mixed"]) != place(precision="auto")
    assert place(precision="float32") == place()
    assert place(quick=True) not in (place(), changed, shorter, mixed)
    assert len({shorter, changed, place(epochs=6), place(settings=["data.validation=0.3"]), place()}) == 5

    own = tmp_path / "own.toml"
    own.write_text('name = "mine"\n[data]\nname = "digits"\n')
    assert place(own) == "mine-digits"
    assert re.fullmatch("mine-digits-[0-9a-f]{4}", place(own, epochs=2))
    own.write_text('name = "regularization"\n[data]\nname = "digits"\n')  # another study of that name
    assert re.fullmatch("regularization-digits-[0-9a-f]{4}", place(own))
    own.write_text('name = "mine"\n')
    assert place(own, data="digits") == "mine-digits"


@pytest.mark.slow
def test_a_changed_study_does_not_meet_the_built_in_one(
    wellfit_: Wellfit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for setting in ("train.batch_size=512", "train.batch_size=256"):
        assert wellfit_("run", "--seeds", "1", "--epochs", "1", "--set", setting).status == 0
    assert len(list((tmp_path / "wellfit-studies").iterdir())) == 2


def test_a_report_that_cannot_be_written(wellfit_: Wellfit, study_copy: Path) -> None:
    (study_copy / "report.html").unlink()
    (study_copy / "report.html").mkdir()
    before = stores.tree(study_copy)
    ended = wellfit_("report", study_copy)
    assert (ended.status, ended.out) == (2, "")
    assert re.fullmatch(r"wellfit: .*report\.html: the report cannot be written: Is a directory; .*\n", ended.err)
    assert stores.tree(study_copy) == before


# --- Interrupts, and processes of their own ---------------------------------------------------------------------------


def test_an_interrupt_outside_training_says_how_to_continue(
    wellfit_: Wellfit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wellfit.study.runner.run_study", pressed)
    ended = wellfit_("run", "--out", tmp_path / "a study", "--fresh")
    assert ended.status == 130
    assert ended.out.splitlines() == [
        f"Interrupted. The runs and the checkpoint saved last are kept in {tmp_path / 'a study'}.",
        f"To continue: wellfit run --out '{tmp_path / 'a study'}'",
    ]


def test_an_interrupt_anywhere_else_is_quiet(wellfit_: Wellfit, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("wellfit.data.catalog.load_dataset", pressed)
    assert wellfit_("data", "info", "digits") == (130, "", "")


@pytest.mark.parametrize("wish", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_continued_a_study_ends_with_the_same_bits(
    wish: signal.Signals, wellfit_: Wellfit, tmp_path: Path
) -> None:
    study = tmp_path / "study.toml"
    study.write_text(
        '[data]\nname = "digits"\n[model]\nhidden = [16]\n[train]\nepochs = 100\nbatch_size = 128\nseeds = 2\n'
        "[variants.baseline]\n[variants.dropout]\ndropout = 0.3\n"
    )
    running = process("run", study, "--out", tmp_path / "stopped")
    assert running.stdout is not None
    for line in running.stdout:  # after the first of its epochs
        if line.startswith("Training:"):
            break
    running.send_signal(wish)
    stopped = ended(running)
    assert stopped.status == 130, stopped
    assert stopped.err == ""
    assert re.search(r"Stopped at \d+ % after", stopped.out)
    assert f"To continue: wellfit run {study} --out {tmp_path / 'stopped'}\n" in stopped.out
    assert stores.epochs(tmp_path / "stopped") == []  # it was in the midst of its only population
    assert "interrupted" in wellfit_("show", tmp_path / "stopped").out

    assert wellfit_("run", study, "--out", tmp_path / "stopped").status == 0
    assert wellfit_("run", study, "--out", tmp_path / "whole").status == 0
    assert len(stores.epochs(tmp_path / "whole")) == 4 * 100
    assert stores.same_bits(tmp_path / "stopped", tmp_path / "whole")


def test_a_process_refuses_bad_input_without_a_traceback(tmp_path: Path) -> None:
    told = ended(process("run", "--set", "train.dropout=1.5", cwd=tmp_path))
    assert told == (2, "", "wellfit: --set train.dropout=1.5: must be at least 0 and less than 1, got 1.5\n")
    assert stores.tree(tmp_path) == {}


def test_a_pipe_that_carries_only_ascii_will_do(finished_study: Path) -> None:
    shown = ended(process("show", finished_study, encoding="ascii"))
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.isascii()
    shown = ended(process("show", finished_study, "--full", encoding="ascii"))
    assert (shown.status, shown.err) == (0, "")
    assert re.search(r"is\s+known\s+to\s+\+/-\s+3.1\s+points", shown.out)  # the sign for plus or minus
    told = ended(process("show", finished_study, "--json", encoding="ascii"))
    assert (told.status, told.err) == (0, "")
    assert "is known to ± 3.1 points" in " ".join(f["message"] for f in json.loads(told.out)["findings"])


def test_a_reader_that_has_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        told = process("list", stdout=writing)
    finally:
        os.close(writing)
    assert told.communicate(timeout=60)[1] == ""
