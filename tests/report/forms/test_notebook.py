"""The notebook of a study: it is valid, it runs, and it says what the study says."""

from __future__ import annotations

import ast
import html
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import detailed
import summaries
from wellfit.base import QUESTIONS
from wellfit.report.forms.notebook import make_notebook, write_notebook
from wellfit.report.marks.formulas import formula as drawn
from wellfit.report.notebook_steps import steps
from wellfit.spec.study import load_study, resolved
from wellfit.study.summarize import summarize

LABS = ("lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-depth")
KINDS = set(QUESTIONS)


def sources(notebook: dict[str, Any], kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.fixture(scope="module")
def once(finished_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study directory with its notebook, which takes long to write; it is only read."""
    from wellfit.study.report_details import study_details

    place = Path(shutil.copytree(finished_study, tmp_path_factory.mktemp("notebook") / "once"))
    summary = summarize(place)
    write_notebook(summary, study_details(place, summary), place / "report.ipynb", place)
    return place


@pytest.fixture
def written(once: Path, tmp_path: Path) -> Path:
    """The notebook in a directory to be written, another than the one that it was made in."""
    return Path(shutil.copytree(once, tmp_path / "study")) / "report.ipynb"


def test_it_is_a_valid_notebook_that_knows_its_directory(written: Path, once: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install 'wellfit[notebook]'")
    nbformat.validate(nbformat.read(written, as_version=4))
    notebook = json.loads(written.read_text())
    code = "\n".join(sources(notebook, "code"))
    ast.parse(code)
    assert "DIRECTORY = Path('.')" in code
    assert not [path for path in (once, written.parent) if str(path) in code]  # no machine's path
    assert any("image/png" in out.get("data", {}) for cell in notebook["cells"] for out in cell.get("outputs", ()))


def test_the_same_study_gives_the_same_bytes(written: Path) -> None:
    from wellfit.study.report_details import study_details

    before, summary = written.read_bytes(), summarize(written.parent)
    write_notebook(summary, study_details(written.parent, summary), written, written.parent)
    assert written.read_bytes() == before


@pytest.mark.parametrize("rerun", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_it_runs_from_top_to_bottom(written: Path, tmp_path: Path, rerun: bool) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install 'wellfit[notebook]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'wellfit[notebook]'")
    pytest.importorskip("ipykernel", reason="pip install 'wellfit[notebook]'")
    where = tmp_path / "elsewhere" if rerun else written.parent  # where no results lie, it trains them
    where.mkdir(exist_ok=True)
    notebook = nbformat.read(written, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(where)}})
    client.execute()
    shown = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert not [out for out in shown if out["output_type"] == "error"]
    assert sum("image/png" in out.get("data", {}) for out in shown) >= 8
    verdict = summarize(written.parent).verdict
    assert any(verdict[:60] in str(out) for out in shown)


@pytest.mark.parametrize("lab", LABS)
def test_every_lab_has_its_own_walk(lab: str) -> None:
    own = steps(lab)
    assert len({step.name for step in own}) == len(own)
    assert own[0] not in steps("study")
    asked = {question.kind for question in load_study(lab).questions}
    answered = {kind for step in own for kind in step.asks or ()}
    assert asked == answered, f"{lab}: asks {asked}, its notebook answers {answered}"
    for step in own:
        ast.parse(step.code)
        assert set(step.asks or ()) <= KINDS
        assert not any(f"{share:.4f}"[1:] in step.text for share in published(lab)), "numbers come from the study"


def published(lab: str) -> list[float]:
    return [value for metrics in load_study(lab).published.values() for value in metrics.values()]


def test_a_lab_that_ends_as_a_pdf_says_what_that_needs() -> None:
    for lab, needs in (("lab5", "wellfit[notebook]"), ("lab-depth", "wellfit[notebook,pdf]")):
        summary = summaries.study(variants=("baseline", "l2"))
        object.__setattr__(summary, "settings", resolved(load_study(lab)))
        named = replace(summary, name=lab)
        object.__setattr__(named, "settings", summary.settings)
        assert f'pip install "{needs}"' in sources(make_notebook(named, detailed.NOTHING, None), "markdown")[0]


CLAIMS = re.compile(
    r"\b(converged|turns upward:|wins|won|outperforms|no rise|memorizes its|helps most|is the best|better than|worse|"
    r"opened once|which is why its|from several seeds|run as a quick look)"
)
"""What only a cell may say: the outcome of a study is not known to a text that was written before."""


@pytest.mark.parametrize("lab", [*LABS, "study"])
def test_no_text_says_what_came_out(lab: str) -> None:
    claims = {step.name: found[0] for step in steps(lab) if (found := CLAIMS.search(f"{step.title} {step.text}"))}
    assert not claims


@pytest.mark.parametrize("lab", [*LABS, "study"])
def test_the_pdf_can_draw_every_formula(lab: str) -> None:
    formulas = [formula for step in steps(lab) for formula in re.findall(r"\$([^$]+)\$", step.text)]
    assert [formula for formula in formulas if drawn(formula) is None] == []


def run_cells(notebook: dict[str, Any], name: str, without: str = "never") -> dict[str, Any]:
    """Run the code of a notebook in this process, without cells that contain a text; returns its names."""
    pytest.importorskip("IPython", reason="pip install 'wellfit[notebook]'")
    import matplotlib as mpl

    mpl.use("agg")
    names: dict[str, Any] = {}
    for code in sources(notebook, "code"):
        if without not in code:
            exec(compile(code, name, "exec"), names)
    return names


OUTCOMES: dict[str, dict[str, Any]] = {
    "early": {"epochs": 2},  # nothing has risen yet
    "late": {"epochs": 40, "learning_rate": 0.01, "label_noise": 0.4},  # wrong labels are learned by heart
}


def test_what_is_said_of_results_follows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wellfit import Study, load_dataset, make_dataset, mlp
    from wellfit.study.report_details import study_details

    digits = load_dataset("digits")
    few = make_dataset(digits.x_train[:400], digits.y_train[:400], digits.x_test[:90], digits.y_test[:90], name="few")
    monkeypatch.setattr("wellfit.report.forms.notebook._outputs", lambda *_: [])  # drawn by other tests
    questions = [{"ask": "Which is best?", "kind": "best"}, {"ask": "When does overfitting begin?", "kind": "onset"}]
    said, texts = {}, {}
    for outcome, settings in OUTCOMES.items():
        place = tmp_path / outcome
        variants = {"baseline": {}, "dropout": {"dropout": 0.5}}
        Study(few, mlp(64), variants, seeds=2, questions=questions, **settings).run(place, progress=False)
        summary = summarize(place)
        notebook = make_notebook(summary, study_details(place, summary), str(place))
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        run_cells(notebook, outcome, without="plot_")
        said[outcome] = capsys.readouterr().out
        texts[outcome] = sources(notebook, "markdown")
        for answer in summary.answers:
            assert answer.text in said[outcome]
    assert texts["early"] == texts["late"]
    assert "no rise of the validation loss" in said["early"]
    assert "begins to rise for good after epoch" in said["late"]


@pytest.mark.slow
@pytest.mark.parametrize("lab", LABS)
def test_the_walk_of_every_lab_follows_two_outcomes(
    lab: str,
    real_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from wellfit import Study
    from wellfit.study.report_details import study_details

    settings = ["data.train_share=0.005", "train.seeds=2", "train.batch_size=64"]
    whole = Study.from_toml

    def tiny(name: str, quick: bool = False) -> Study:
        """A part with as few examples, epochs and seeds."""
        few = [] if "cosines" in name else settings
        return whole(name, quick=True, epochs=1, settings=["train.seeds=2", *few])

    monkeypatch.chdir(tmp_path)
    answers, texts = [], []
    for place, epochs in ((Path("early"), 2), (Path("late"), 12)):
        with monkeypatch.context() as patched:
            Study.from_toml(lab, quick=True, epochs=epochs, settings=settings).run(place, progress=False)
            summary = summarize(place)
            notebook = make_notebook(summary, study_details(place, summary), str(place))
            patched.setattr(
                Study, "from_toml", lambda path, **options: (whole if Path(path).is_file() else tiny)(path, **options)
            )
            capsys.readouterr()
            run_cells(notebook, lab)
        said = capsys.readouterr().out
        answers.append([answer.text for answer in summary.answers])
        assert all(text in said for text in answers[-1])
        shown = "\n".join(sources(notebook, "markdown"))
        texts.append([step.name for step in steps(lab) if step.text and step.text in shown])
    assert answers[0] != answers[1]  # the outcomes are two
    assert texts[0] == texts[1]  # notes, which are computed, may differ
    assert len(texts[0]) > 10


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("result", [summaries.empty, summaries.running, summaries.diverged, summaries.hostile])
def test_every_state_gives_a_notebook_whose_code_is_code(result: Any) -> None:
    summary = result()
    object.__setattr__(summary, "settings", resolved(load_study("lab5")))
    notebook = make_notebook(summary, detailed.details(summary) if summary.confusion else detailed.NOTHING, None)
    for code in sources(notebook, "code"):
        ast.parse(code)
    outputs = [out["data"] for cell in notebook["cells"] for out in cell.get("outputs", ()) if "data" in out]
    pages = ["".join(data["text/html"]) for data in outputs if "text/html" in data]
    for text in (*sources(notebook, "markdown"), *pages):
        assert not re.search(r"<(?:/?script|img|b>bold|i>Nothing|u>more)", text)
        assert not any(kind in data for data in outputs for kind in ("application/javascript", "image/svg+xml"))
    if result is summaries.hostile:
        assert any(html.escape(summary.variants[1].name) in text for text in pages)
        assert any("image/png" in data for data in outputs)


def test_a_title_cannot_end_the_study_that_stands_in_the_notebook() -> None:
    summary = summaries.study(variants=("baseline", "l2"))
    plain = resolved(load_study("lab5")) | {"title": "'''\nimport os  # \\"}
    object.__setattr__(summary, "settings", plain)
    code = sources(make_notebook(summary, detailed.NOTHING, None), "code")[0]
    assigned = [node for node in ast.parse(code).body if isinstance(node, ast.Assign)]
    assert "'''" in ast.literal_eval(assigned[-1].value)
    assert sum(isinstance(node, ast.Import) for node in ast.walk(ast.parse(code))) == 2


def test_the_page_of_the_labs_names_steps_and_methods_that_exist() -> None:
    import wellfit

    page = (Path(__file__).parents[3] / "docs" / "labs.md").read_text(encoding="utf-8")
    for lab, text in re.findall(r"^## (lab\S*)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL):
        named = set(re.findall(r"\*([a-z0-9-]+)\*", text))
        own = {step.name for step in steps(lab)}
        assert named, lab
        assert named <= own, f"{lab}: {named - own}"
    called = re.findall(r"\b(study|results)\.(\w+)\(", page)
    classes = {"study": wellfit.Study, "results": wellfit.Results}
    assert len(called) > 10
    assert [f"{owner}.{name}" for owner, name in called if not hasattr(classes[owner], name)] == []


def test_it_explains_the_techniques_that_its_variants_use() -> None:
    summary = summaries.study(variants=("baseline", "l2"))
    object.__setattr__(summary, "settings", resolved(load_study("lab5")))
    notebook = make_notebook(summary, detailed.NOTHING, None)
    last = sources(notebook, "markdown")[-1]
    assert "**L2 penalty.** Training minimizes the loss" in last
    assert "```text\nobjective = mean loss" in last
    assert "Dropout" not in last  # no variant of these has it
    assert sources(notebook, "code")[-1] == "wellfit.technique('l2')"
    several = summaries.study(variants=("baseline", "l2", "dropout"))
    object.__setattr__(several, "settings", resolved(load_study("lab5")))
    code = sources(make_notebook(several, detailed.NOTHING, None), "code")[-1]
    assert code == "wellfit.technique('l2')  # its page; the others: 'dropout'"
