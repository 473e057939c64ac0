"""``wellfit judge``: a verdict on runs that others trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Json, study_directory, typed_command
from wellfit.cli.output import make_console, print_json, print_problem
from wellfit.errors import StudyFileError

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATHS...",
        help="Tables (.csv, .parquet, .xlsx) with the columns variant, seed, example, label, and predicted or "
        "p_CLASS; or variant, seed and accuracy. Or a folder of VARIANT.SEED.npz with probabilities or predictions. Or "
        "what a tracker or a logger keeps: MLflow (mlruns, its SQLite file, http://...), a table of runs exported from "
        "W&B (.csv), logs of TensorBoard and Lightning, Keras's CSVLogger or History (.json), an Optuna storage.",
    ),
]
NewDirectory = Annotated[
    Path, typer.Option("--out", help="The study directory; it must not exist.", callback=study_directory)
]
Baseline = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The variant that the others are compared with. Default: baseline, or the first."
    ),
]
Labels = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The labels of all examples, where the predictions lack them.")
]
Classes = Annotated[
    str | None,
    typer.Option(metavar="A,B,...", help="The names of the classes, in the order of the columns of probabilities."),
]
Softmax = Annotated[bool, typer.Option("--softmax", help="The predictions are logits.")]
Unpaired = Annotated[
    bool,
    typer.Option("--unpaired", help="Seeds of different variants have nothing in common: pair their runs in order."),
]
Look = Annotated[
    str | None,
    typer.Option(metavar="K/N", help="This is look K of N planned looks at a growing number of seeds."),
]
MetricName = Annotated[
    str,
    typer.Option(
        "--metric",
        metavar="NAME",
        help="Compare by accuracy (default), balanced_accuracy, macro_f1, roc_auc, log_loss or brier.",
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(
        help="The largest difference that does not matter; 0.01 is one point of accuracy. Default: 0.001; "
        "log_loss 0.005, brier 0.002."
    ),
]
Curves = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="Learning curves: a table of variant, seed, epoch, metric, split and value, or the files of a logger.",
    ),
]
Accuracy = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Of a tracker: the metric that is the test accuracy, unless its name says so."),
]
Percent = Annotated[bool, typer.Option("--percent", help="Of a tracker: that metric is in percent.")]
SeedParam = Annotated[
    str | None,
    typer.Option(
        "--seed-param",
        metavar="NAME",
        help="Of a tracker: the setting that is the seed. Default: seed, random_state ...",
    ),
]
By = Annotated[
    str | None,
    typer.Option(metavar="A,B,...", help="Of a tracker: the settings that make a variant. Default: all but the seed."),
]
Experiment = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The experiment of MLflow or the study of Optuna, where there are several."),
]
Artifact = Annotated[
    str | None,
    typer.Option(
        metavar="PATH", help="The predictions among the artifacts of each run of MLflow, if not predictions.*."
    ),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="The name of the study.")]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="The question, for headlines.")]


@app.command(epilog="Example: wellfit judge predictions/ --out judged --baseline plain")
def judge(
    paths: Paths,
    out: NewDirectory,
    baseline: Baseline = None,
    labels: Labels = None,
    classes: Classes = None,
    softmax: Softmax = False,
    unpaired: Unpaired = False,
    look: Look = None,
    metric: MetricName = "accuracy",
    margin: Margin = None,
    curves: Curves = None,
    accuracy: Accuracy = None,
    percent: Percent = False,
    seed_param: SeedParam = None,
    by: By = None,
    experiment: Experiment = None,
    artifact: Artifact = None,
    name: Name = "judged",
    title: Title = None,
    json: Json = False,
) -> None:
    """Judge runs that were trained elsewhere by what they predict.

    With the predictions of every test example, the verdicts count both sources of chance: the seeds and the examples.
    With accuracies alone they count the seeds. Runs of a tracker that agree in all settings but the seed are one
    variant; what was taken as seed, variant and accuracy is said. The study directory is one like any other: show,
    report, verify, merge and compare open it.
    """
    from wellfit.cli.results import print_places, write_page
    from wellfit.data.tracked.read import curves_of, is_tracked, read_runs
    from wellfit.data.tracked.runs import Tracked
    from wellfit.report.forms.terminal import print_summary
    from wellfit.study.as_json import to_json
    from wellfit.study.beside import check_new
    from wellfit.study.judge import judge_runs

    which = None if look is None else _look(look)
    check_new(out, "judge")  # before gigabytes are read
    tracked = Tracked(accuracy, percent, seed_param, tuple(_listed(by) or ()), experiment, artifact)
    names = _listed(classes)
    given = read_runs(
        paths, labels=labels, classes=names, softmax=softmax, tracked=tracked, unpaired=unpaired,
        of_curves=is_tracked(curves),
    )  # fmt: skip
    judge_runs(
        given,
        out,
        baseline=baseline,
        name=name,
        title=title,
        metric=metric,
        margin=margin,
        unpaired=unpaired,
        look=which,
        histories=None if curves is None else curves_of(curves, given, "--curves", tracked, unpaired=unpaired),
        command=typed_command(),
    )
    for note in given.notes:
        print_problem(f"wellfit: {note}")
    summary, page = write_page(out)
    first = summary.variants[0].name
    if baseline is None and first != "baseline" and len(summary.variants) > 1:
        print_problem(f"wellfit: Compared with {first}, the first variant; --baseline names another.")
    if json:
        print_json(to_json(summary, __version__) | {"report": str(page)})
        return
    console = make_console()
    print_summary(summary, console)
    print_places(console, summary, page)


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [one.strip() for one in text.split(",")]


def _look(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*(\d{1,4})\s*/\s*(\d{1,4})\s*", text)
    if found is None:
        raise StudyFileError(f"--look {text}: give which look it is of how many, for example --look 2/4")
    return int(found[1]), int(found[2])
