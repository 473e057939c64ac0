"""Functions that a notebook defines for its own cells: whatever a notebook says about results, these compute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["HELPERS", "helpers_for"]

HELPERS: Final[dict[str, str]] = {
    "answers": '''
def answers(*kinds, of=None):
    """Print the study's questions, all or those of some kinds, and the answers."""
    for answer in (of or results).summary.answers:
        if not kinds or answer.kind in kinds:
            print(f"{answer.ask}\\n{answer.text}\\n")
''',
    "advice": '''
def advice():
    """Print what to try next, judged by learning curves and validation scores alone."""
    for sentence in results.summary.advice:
        print(sentence.text)
''',
    "part": '''
FULL = False  # True: the parts of the lab at full settings, not as a quick look with fewer epochs, seeds and examples
PARTS = DIRECTORY / "lab-parts"  # where their results lie


def part(name, full=False):
    """The results of a part of the lab: trained now, or read where an earlier run of this notebook left them."""
    quick = not (FULL or full)
    place = PARTS / (name.replace("/", "-") + ("-quick" if quick else ""))
    return wellfit.Study.from_toml(name, quick=quick).run(place)
''',
    "show_part": '''
def show_part(name):
    """Run or load a part of the lab; show its ranking, its gaps, and its questions with the answers."""
    of = part(name)
    settings = "quick look" if of.summary.title.endswith("(quick)") else "full settings"
    title = of.summary.title.removesuffix(" (quick)")
    print(f"{title} ({name}, {settings}; seeds: {len(of.summary.seeds)}; epochs: {of.summary.epochs})")
    display(of.plot_ranking())
    gaps(of)
    answers(of=of)
    return of
''',
    "gaps": '''
def gaps(of=None):
    """Print each variant's gap between training and test accuracy, the smallest first."""
    variants = [v for v in (of or results).summary.variants if "generalization_gap" in v.mean]
    for v in sorted(variants, key=lambda v: v.mean["generalization_gap"]):
        gap = 100 * v.mean["generalization_gap"]
        bounds = v.interval.get("generalization_gap") if len(v.runs) > 2 else None  # two seeds tell next to nothing
        between = " [{:.2f}, {:.2f}]".format(*(100 * bound for bound in bounds)) if bounds else ""
        test = 100 * v.mean["test_accuracy"]
        print(f"{v.name}: gap {gap:.2f} points{between}, test accuracy {test:.2f} %")
    print()
''',
    "still_improving": '''
def still_improving():
    """Print which variants had their lowest validation loss in the last epoch: more epochs could change their rank."""
    for v in results.summary.variants:
        ended = [run for run in v.runs if run.best_epoch is not None and run.epochs is not None]
        late = sum(run.best_epoch == run.epochs for run in ended)
        print(f"{v.name}: the validation loss is lowest in the last epoch in {late} of {len(ended)} runs")
''',
    "tensorboard": '''
TENSORBOARD = False  # True: show TensorBoard in this notebook


def tensorboard(of):
    """Write every run into one log folder, with histograms of its weights after every epoch; show it if asked to."""
    from wellfit.errors import WellfitError
    from wellfit.interop.tensorboard import export_tensorboard

    logs = Path(of.summary.directory) / "tensorboard"
    try:
        print(f"{export_tensorboard(logs.parent, logs)} runs written to {logs}")
    except WellfitError as error:  # it is not installed
        print(error)
        return
    if TENSORBOARD:
        from tensorboard import notebook

        notebook.start(f"--logdir '{logs}'")
    else:
        print("To look at them here, set TENSORBOARD = True above; elsewhere: tensorboard --logdir", logs)
''',
    "tested_seed": '''
def tested_seed(variant):
    """The first seed whose run of a variant was tested; None if there is none."""
    runs = results.runs()
    tested = runs[(runs["variant"] == variant) & runs["test_accuracy"].notna()]
    return int(tested["seed"].iloc[0]) if len(tested) else None
''',
}
"""Name -> source."""


def helpers_for(cells: Iterable[str]) -> str:
    """The source of the functions that cells call, and of those that these call, in order.

    Example:
      >>> helpers_for(["advice()"]).strip().splitlines()[0]
      'def advice():'
      >>> helpers_for(["results.table()"])
      ''
    """
    code = "\n".join(cells)
    needed: set[str] = set()
    while more := {name for name in HELPERS if name not in needed and f"{name}(" in code.replace(f"def {name}(", "")}:
        needed |= more
        code += "".join(HELPERS[name] for name in more)
    return "\n".join(source for name, source in HELPERS.items() if name in needed)
