"""The same ten runs trained by PyTorch, by Keras and by wellfit, logged and judged; and what other tests say of them.

Writes the tables of docs/how-to/judge.md between their marks, and a JSON file with what they are computed from.

    pip install torch keras autorank baycomp
    python benchmarks/judged_elsewhere.py

Two variants of five seeds each: a network of 64 hidden units on the digits, of whose 400 training labels 160 are
wrong, with and without an L2 penalty. All three libraries get the same arrays, the same recipe and the same
initialization (Glorot's), but draw their own random numbers. Needs no data beyond scikit-learn's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import wellfit
from wellfit.data.predictions.read import read_predictions

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "how-to" / "judge.md"
OUT: Final = ROOT / "benchmarks" / "results" / "judged_elsewhere.json"
L2: Final = {"plain": 0.0, "l2": 0.03}
SEEDS, EPOCHS, BATCH, HIDDEN, RATE, WRONG, MARGIN = 5, 60, 32, 64, 3e-3, 0.4, 0.001
Predict = Callable[[str, int], Any]


class Data(NamedTuple):
    """The arrays; pixels from 0 to 1."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def digits() -> Data:
    """400 examples to train on, 40 % of them with a wrong label, 397 to validate on, and 1,000 to test on."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(np.float32)
    rest, x_test, of_rest, y_test = train_test_split(x, y, test_size=1000, random_state=0, stratify=y)
    x, x_val, y, y_val = train_test_split(rest, of_rest, train_size=400, random_state=0, stratify=of_rest)
    random = np.random.default_rng(0)
    wrong = random.permutation(len(y))[: int(WRONG * len(y))]
    y = y.copy()
    y[wrong] = (y[wrong] + random.integers(1, 10, len(wrong))) % 10
    return Data(x, y, x_val, y_val, x_test, y_test)


def by_pytorch(data: Data, out: Path) -> None:
    """Train ten runs by hand, and log them."""
    import torch

    torch.set_num_threads(1)  # such small products take longer on several
    x, y, x_test = (torch.tensor(of) for of in (data.x, data.y, data.x_test))
    for variant, l2 in L2.items():
        for seed in range(SEEDS):
            torch.manual_seed(seed)
            model = torch.nn.Sequential(torch.nn.Linear(64, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10))
            for layer in (model[0], model[2]):
                torch.nn.init.xavier_uniform_(layer.weight)
                torch.nn.init.zeros_(layer.bias)
            optimizer = torch.optim.Adam(model.parameters(), RATE, eps=1e-7)
            for _ in range(EPOCHS):
                for batch in torch.randperm(len(x)).split(BATCH):
                    loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
                    loss = loss + l2 * model[0].weight.square().sum()
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
            wellfit.log(variant, seed, model(x_test), y_test=data.y_test, out=out, settings={"l2": l2}, softmax=True)


def by_keras(data: Data, out: Path) -> None:
    """Train ten runs with ``model.fit``, which logs them by a callback."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    from wellfit.interop.keras_callback import keras_callback

    for variant, l2 in L2.items():
        for seed in range(SEEDS):
            keras.utils.set_random_seed(seed)
            regularizer = keras.regularizers.L2(l2) if l2 else None
            layers = [
                keras.layers.Dense(HIDDEN, activation="relu", kernel_regularizer=regularizer),
                keras.layers.Dense(10, activation="softmax"),
            ]
            model = keras.Sequential([keras.Input((64,)), *layers])
            model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
            logs = keras_callback(variant, seed, data.x_test, data.y_test, out=out, settings={"l2": l2})
            model.fit(data.x, data.y, BATCH, EPOCHS, verbose=0, callbacks=[logs])


def by_wellfit(data: Data, out: Path) -> wellfit.Results:
    """Train the study, and log what its directory has of every run."""
    images = {name: of.reshape(-1, 8, 8) for name, of in zip(("x", "x_val", "x_test"), data[::2], strict=True)}
    made = wellfit.make_dataset(
        images["x"], data.y, images["x_test"], data.y_test, x_val=images["x_val"], y_val=data.y_val, pixel_max=1.0
    )
    study = wellfit.Study(
        made,
        wellfit.mlp(HIDDEN),
        variants={variant: {"l2": l2} for variant, l2 in L2.items()},
        seeds=SEEDS,
        epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=RATE,
        margin=MARGIN,
    )
    results = study.run(progress=False)
    for run in read_predictions([results.directory / "test"]).runs:
        wellfit.log(run.variant, run.seed, run.values(), y_test=data.y_test, out=out)
    return results


def judged(folder: Path, y_test: np.ndarray) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """The verdict on l2 against plain, and the accuracy of every run."""
    runs = {name: {} for name in L2}
    for run in read_predictions([folder]).runs:
        runs[run.variant][run.seed] = run.values()
    results = wellfit.judge(y_test, runs, baseline="plain", margin=MARGIN)
    accuracies = {
        name: [float((p.argmax(axis=1) == y_test).mean()) for _, p in sorted(of.items())] for name, of in runs.items()
    }
    return compared(results), accuracies


def compared(results: wellfit.Results) -> dict[str, Any]:
    """The comparison of l2 with plain, as the summary has it."""
    every = results.summary.comparisons
    (found,) = (of for of in every if (of.variant, of.against, of.metric) == ("l2", "plain", "test_accuracy"))
    numbers = {key: float(getattr(found, key)) for key in ("difference", "p_adjusted")}
    return {**numbers, "low": float(found.interval[0]), "high": float(found.interval[1]), "verdict": found.verdict}


def others(accuracies: dict[str, list[float]]) -> dict[str, Any]:
    """What SciPy, autorank and baycomp say of the same accuracies."""
    import pandas as pd
    from autorank import autorank
    from baycomp import two_on_single
    from scipy import stats

    plain, l2 = (np.array(accuracies[name]) for name in ("plain", "l2"))
    t = stats.ttest_rel(l2, plain)
    with contextlib.redirect_stdout(None):  # it prints all the same
        ranked = autorank(pd.DataFrame(accuracies), alpha=0.05, verbose=False)
    worse, same, better = two_on_single(plain, l2, rope=MARGIN)  # P(plain better), P(same), P(l2 better)
    alone = compared(wellfit.judge(None, accuracies, baseline="plain", margin=MARGIN))
    return {
        "scipy t": float(t.pvalue),
        "scipy t interval": [float(end) for end in t.confidence_interval()],
        "scipy wilcoxon": float(stats.wilcoxon(l2, plain).pvalue),
        "autorank": {"test": str(ranked.omnibus), "p": float(ranked.pvalue)},
        "baycomp": {"plain": float(worse), "same": float(same), "l2": float(better)},
        "wellfit accuracies alone": alone,
    }


def verdicts(found: dict[str, Any]) -> Iterator[str]:
    """The table of the verdicts, in points."""
    yield "| trained by | plain | l2 | difference | 95 % interval | adjusted p | verdict on l2 |"
    yield "|---|---:|---:|---:|---|---:|---|"
    for name, of in found["by"].items():
        means = " | ".join(f"{100 * np.mean(of['accuracies'][variant]):.2f} %" for variant in L2)
        v = of["judged"]
        interval = f"[{100 * v['low']:+.2f}, {100 * v['high']:+.2f}]"
        cells = f"{100 * v['difference']:+.2f} | {interval} | {small(v['p_adjusted'])} | {v['verdict']}"
        yield f"| {name} | {means} | {cells} |"


def tests(found: dict[str, Any]) -> Iterator[str]:
    """The table of what other tests say."""
    yield (
        "| trained by | `judge`, predictions | `judge`, accuracies alone | SciPy, paired t | SciPy, Wilcoxon | "
        "autorank | baycomp: l2 better, same, worse |"
    )
    yield "|---|---:|---:|---:|---:|---|---|"
    for name, of in found["by"].items():
        other = of["others"]
        chances = ", ".join(f"{other['baycomp'][key]:.3f}" for key in ("l2", "same", "plain"))
        ps = [of["judged"]["p_adjusted"], other["wellfit accuracies alone"]["p_adjusted"]]
        ps += [other["scipy t"], other["scipy wilcoxon"]]
        cells = " | ".join(small(p) for p in ps)
        yield f"| {name} | {cells} | {small(other['autorank']['p'])} ({other['autorank']['test']}) | {chances} |"


def small(p: float) -> str:
    """A p-value."""
    return f"{p:.1e}" if p < 0.001 else f"{p:.3f}"


def versions() -> dict[str, str]:
    """Of everything that took part."""
    names = ("wellfit", "torch", "keras", "jax", "scipy", "autorank", "baycomp", "numpy", "scikit-learn")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def measured() -> dict[str, Any]:
    """Train, log and judge everything."""
    data, by = digits(), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, train in (("PyTorch", by_pytorch), ("Keras", by_keras), ("wellfit", by_wellfit)):
            out = Path(folder) / name
            own = train(data, out)
            verdict, accuracies = judged(out, data.y_test)
            by[name] = {"judged": verdict, "accuracies": accuracies, "others": others(accuracies)}
            if own is not None:
                by[name]["own study"] = compared(own)
    return {"versions": versions(), "examples": len(data.y_test), "seeds": SEEDS, "l2": L2["l2"], "by": by}


def written(page: str, found: dict[str, Any]) -> str:
    """The page with both tables between their marks."""
    of = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    own, again = (found["by"]["wellfit"][key] for key in ("own study", "judged"))
    same = "have the numbers of the study itself, to the last digit" if own == again else f"have {again}, not {own}"
    text = "\n".join([
        *verdicts(found), "",
        f"Differences in points, {found['seeds']} seeds a variant, {found['examples']:,} test examples, `l2 = "
        f"{found['l2']}`. The runs of", f"wellfit, judged by what its study directory holds, {same}.",
        *textwrap.wrap(f"Measured with {of}.", 150),
    ])  # fmt: skip
    for mark, body in (("elsewhere", text), ("other tests", "\n".join(tests(found)))):
        block = f"<!-- {mark} -->\n\n{body}\n\n<!-- end -->"
        page, times = re.subn(rf"<!-- {mark} -->\n.*?<!-- end -->", lambda _, block=block: block, page, flags=re.S)
        assert times == 1, mark
    return page


def main() -> None:
    """Measure, or take what has been measured, and write both files."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--from", dest="kept", type=Path, help="write the tables of this JSON file again")
    arguments.add_argument("--out", type=Path, default=OUT)
    options = arguments.parse_args()
    found = measured() if options.kept is None else json.loads(options.kept.read_text())
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    print("\n".join([*verdicts(found), "", *tests(found)]))
    PAGE.write_text(written(PAGE.read_text(), found))


if __name__ == "__main__":
    main()
