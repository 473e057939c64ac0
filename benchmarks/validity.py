"""How often a study says something false, and how often something true, in simulated studies whose truth is known.

``python benchmarks/validity.py TABLE STUDIES`` prints one table of docs/statistics.md: ``normal``, ``answers``,
``margin``, ``coverage``, ``power`` or ``advice``. Monte Carlo errors: of a rate of 5 %, 0.22 points with 10,000 studies
and 0.5 with 2000.

Two models. ``normal``: scores are normal, so that only the spread of seeds relative to that of examples matters, and a
study is a few numbers. ``answers``: every network answers every example, right if ``level + seed + example + example of
its variant + rest > 0``; the verdicts follow from the answers by the code that a study uses.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from wellfit.analysis.crossed import VarianceComponents, half_squared, p_value, variance_components
from wellfit.analysis.intervals import two_way_interval
from wellfit.analysis.pooling import LEAST_SEEDS, moderated
from wellfit.analysis.power import further_seeds
from wellfit.analysis.verdicts import adjusted, equivalence_alpha
from wellfit.base import TestRows

# --- Verdicts of many studies at once ---------------------------------------------------------------------------------


def pooled(c: VarianceComponents, seeds: int) -> VarianceComponents:
    """As ``pooling.pooled``; arrays of one row per study, one column per comparison."""
    if seeds < LEAST_SEEDS:
        return c
    overlap = np.maximum(c.overlap, 1e-30)
    ratio, df = moderated(c.seed / overlap, np.full(np.shape(c.seed), seeds - 1.0))
    return c._replace(seed=ratio * overlap, seed_df=np.broadcast_to(df, np.shape(c.seed)))


def judged(c: VarianceComponents, margin: float = 0.0):
    """Whether each comparison is called different, or equivalent.  # bool (studies, J) each"""
    mean, J = np.asarray(c.mean), np.shape(c.mean)[1]
    p = np.ones(mean.shape)
    at = np.nonzero(half_squared(c, 0.05) < mean**2)
    if len(at[0]):
        fields = [np.broadcast_to(field, mean.shape)[at] for field in c]
        p[at] = p_value(VarianceComponents(*fields))
    open_ = np.nonzero((p < 0.05).any(axis=1))[0]
    different = np.zeros(mean.shape, bool)
    for study in open_:
        different[study] = np.array(adjusted(p[study].tolist())) < 0.05
    inside = np.abs(mean) + np.sqrt(half_squared(c, equivalence_alpha(J))) < margin
    return different, inside & ~different


# --- Normal scores ----------------------------------------------------------------------------------------------------

KINDS = ("normal", "heavy tails", "one bad seed in ten", "one varies 15 times", "half vary 15 times",
         "the first varies 15 times", "all vary differently")  # fmt: skip


def effects(rng, kind, studies, seeds, variants):
    """Standardized true accuracies of the networks.  # (studies, seeds, variants)"""
    shape = (studies, seeds, variants)
    a = rng.standard_normal(shape)
    if kind == "heavy tails":
        return rng.standard_t(3, shape) / np.sqrt(3)
    if kind == "one bad seed in ten":
        return 0.3 * a - 3 * (rng.random(shape) < 0.1)
    if kind == "all vary differently":
        return a * np.exp(rng.normal(0, 0.7, (studies, 1, variants)))
    vary = {"one varies 15 times": [-1], "half vary 15 times": slice(1, None, 2), "the first varies 15 times": [0]}
    a[:, :, vary.get(kind, [])] *= np.sqrt(15)
    return a


def normal_studies(rng, kind, studies, seeds, J, ratio, folds, true=0.0, spread=0.4):
    """Components of J comparisons with the first variant, in units of what the examples explain of a seed's spread.

    Args:
      ratio: variance of the seeds over that of their examples.
      true: the true differences.
      spread: of the logarithm of how often the variants disagree with the first.
    """
    a = effects(rng, kind, studies, seeds, J + 1)
    overlap = np.exp(rng.normal(0, spread, (studies, J)))
    z = rng.standard_normal((studies, seeds, J + 1))
    y = (z[:, :, 1:] - z[:, :, :1]) * np.sqrt(overlap * seeds / 2)[:, None]
    y += (a[:, :, 1:] - a[:, :, :1]) * np.sqrt(ratio * seeds / 2)
    mean, seed, examples = y.mean(axis=1) + true, y.var(axis=1, ddof=1) / seeds, overlap
    if not folds:  # the examples' own part, the same for all seeds, is as large again
        b = rng.standard_normal((studies, J + 1))
        mean, examples = mean + (b[:, 1:] - b[:, :1]) * np.sqrt(overlap / 2), 2 * overlap
    return VarianceComponents(mean, seeds, 1, seed, examples, overlap, examples, 1e6, seeds - 1.0)


def normal_rates(studies, **options):
    """How often any comparison of equal variants is called different."""
    rng = np.random.default_rng(options["seeds"] * 100 + options["J"])
    found, block = 0, 2500
    for _ in range(studies // block):
        c = pooled(normal_studies(rng, studies=block, **options), options["seeds"])
        found += int(judged(c)[0].any(axis=1).sum())
    return found / (studies // block * block)


# --- Answers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """What studies are drawn from; ``example``, ``variant`` and ``rest`` are deviations of the latent score."""

    n: int = 360
    seeds: int = 5
    J: int = 4
    folds: bool = True
    accuracy: float = 0.88
    seed_sd: float = 0.005  # of the true accuracy of a variant's networks
    seed_kind: str = "normal"
    difficulty: str = "normal"
    example: float = 1.2
    variant: float = 0.3
    rest: float = 0.4
    group: int = 1  # examples that share their difficulty, also the variant's own
    grouped: bool = True  # whether the study knows
    better_by: float = 0.0  # by how much all variants but the first are truly better


def rows_of(rng, scene):
    """Who judges what."""
    groups = np.arange(scene.n) // scene.group
    if not scene.folds:
        rows = {s: np.arange(scene.n) for s in range(scene.seeds)}
    else:
        rows = {}
        while len(rows) < scene.seeds:
            fold = rng.permutation(groups.max() + 1) % 5
            rows |= {len(rows) + k: np.flatnonzero(fold[groups] == k) for k in range(5)}
        rows = {s: rows[s] for s in range(scene.seeds)}
    return TestRows(rows, scene.n, groups if scene.group > 1 and scene.grouped else None)


def answers(rng, scene):
    """Whether each network is right, and who judged what.  # (variants, seeds) lists of bool (m,)"""
    n, S = scene.n, scene.seeds
    tested = rows_of(rng, scene)
    of_group = np.arange(n) // scene.group

    def shared(sd):
        return sd * rng.standard_normal(of_group[-1] + 1, dtype=np.float32)[of_group]  # (n,)

    total = np.sqrt(scene.example**2 + scene.variant**2 + scene.rest**2)
    hard = shared(scene.example)
    if scene.difficulty == "bimodal":  # most examples are easy, the others uncertain
        hard = np.where(hard < scene.example * ndtri(2 * (1 - scene.accuracy)), -9.0, 9.0).astype(np.float32)
    seed = effects(rng, scene.seed_kind, 1, S, scene.J + 1)[0]  # (S, V)
    found = []
    for v in range(scene.J + 1):
        z = ndtri(scene.accuracy + (scene.better_by if v else 0.0))
        sd = scene.seed_sd / np.exp(-(z**2) / 2) * np.sqrt(2 * np.pi) * total
        level = z * np.hypot(total, sd)
        if scene.difficulty == "bimodal":
            level, sd = np.where(hard > 0, level, 9.0), sd * 2
        own = hard + shared(scene.variant)
        of_seed = []
        for s, at in tested.rows.items():
            latent = own[at] + scene.rest * rng.standard_normal(len(at), dtype=np.float32)
            of_seed.append(latent > -(level[at] if np.ndim(level) else level) - sd * seed[s, v])
        found.append(of_seed)
    return found, tested


def components(found, tested):
    """Of every comparison with the first variant; identical ones are left out of the family."""
    parts = []
    for one in found[1:]:
        differences = [np.subtract(a, b, dtype=np.int8) for a, b in zip(one, found[0], strict=True)]
        if any(d.any() for d in differences):
            c = variance_components(differences, tested)
            parts.append(c._replace(floor=2 / (c.judged + 2) ** 2))
    return [np.array([values]) for values in zip(*parts, strict=True)] if parts else None


def answer_rates(studies, scene, margin=0.0, seed=0, pool=True):
    """How often any verdict is false, and how many are true, with true differences 0 or ``better_by``."""
    rng = np.random.default_rng(seed)
    false, right, alike = 0, 0.0, 0.0
    for _ in range(studies):
        stacked = components(*answers(rng, scene))
        if stacked is None:
            continue
        c = VarianceComponents(*stacked)
        different, equivalent = judged(pooled(c, scene.seeds) if pool else c, margin)
        wrong = different if scene.better_by == 0 else different & (np.asarray(c.mean) < 0)
        if scene.better_by >= margin > 0:
            wrong = wrong | equivalent
        false += bool(wrong.any())
        right += float((different & ~wrong).sum()) / scene.J
        alike += float((equivalent & ~wrong).sum()) / scene.J
    return false / studies, right / studies, alike / studies


def true_accuracy(scene):
    """The mean over all networks that could be drawn."""
    if scene.seed_kind == "normal":
        return scene.accuracy
    z = ndtri(scene.accuracy)
    sd = scene.seed_sd / np.exp(-(z**2) / 2) * np.sqrt(2 * np.pi)  # in deviations of the latent score
    a = effects(np.random.default_rng(9), scene.seed_kind, 1, 1_000_000, 1)
    return float(ndtr(z * np.hypot(1, sd) + sd * a).mean())


def coverage(studies, scene, seed=0):
    """How often the interval of an accuracy holds the truth."""
    rng, truth = np.random.default_rng(seed), true_accuracy(scene)
    held = 0
    for _ in range(studies):
        (found, *_), tested = answers(rng, replace(scene, J=0))
        low, high = two_way_interval(found, tested=tested)[1]
        held += low <= truth <= high
    return held / studies


# --- Tables -----------------------------------------------------------------------------------------------------------


def show(row, cells):
    """One row of a Markdown table."""
    sys.stdout.write(f"| {row} | {' | '.join(cells)} |\n")
    sys.stdout.flush()


def head(*columns):
    """The first two lines of a Markdown table."""
    show(columns[0], columns[1:])
    sys.stdout.write(f"|---|{'---|' * (len(columns) - 1)}\n")


def percent(rate):
    """Such as 4.7."""
    return f"{100 * rate:.1f}"


def normal(studies):
    """Any false "better" or "worse", the largest of three balances of seeds and examples."""
    head("seeds", *(f"{S} seeds, {J}" for S in (2, 3, 5, 10) for J in (1, 4, 18)))
    for folds in (True, False):
        for kind in KINDS:
            cells = []
            for S in (2, 3, 5, 10):
                for J in (1, 4, 18):
                    ratios = (0.3, 2, 20)
                    rates = [normal_rates(studies, kind=kind, seeds=S, J=J, ratio=r, folds=folds) for r in ratios]
                    cells.append(percent(max(rates)))
            show(f"{kind}, {'folds' if folds else 'fixed'}", cells)


SCENES = {
    "equal variants": {},
    "heavy tails": {"seed_kind": "heavy tails"},
    "one bad seed in ten": {"seed_kind": "one bad seed in ten", "seed_sd": 0.01},
    "one varies 15 times": {"seed_kind": "one varies 15 times"},
    "bimodal difficulty": {"difficulty": "bimodal"},
    "groups of 5, known": {"group": 5},
    "groups of 5, unknown": {"group": 5, "grouped": False},
    "98 % right": {"accuracy": 0.98, "seed_sd": 0.003},
    "99.5 % right": {"accuracy": 0.995, "seed_sd": 0.001},
}
"""The variants are equal in all of them."""

SIZES = (100, 360, 1800, 10_000)


def answers_table(studies):
    """Any false verdict, equal variants, and a margin of 0.1 points; a fifth of the studies for the larger sizes."""
    head("any false verdict", *(f"n {n:,}, {J} compared" for n in SIZES for J in (1, 4, 18)))
    for name, options in SCENES.items():
        for folds in (True, False):
            cells = []
            for n in SIZES:
                scene = Scene(n=n, J=18, folds=folds, **options)
                cells += map(percent, family_rates(studies if n < 1000 else studies // 5, scene, (1, 4, 18)))
            show(f"{name}, {'folds' if folds else 'fixed'}", cells)


def family_rates(studies, scene, families):
    """How often any verdict about equal variants is false, if only the last few of them had been compared."""
    rng = np.random.default_rng(0)
    false = dict.fromkeys(families, 0)
    for _ in range(studies):
        found, tested = answers(rng, scene)
        for J in families:
            stacked = components([found[0], *found[-J:]], tested)
            if stacked is not None:
                false[J] += bool(judged(pooled(VarianceComponents(*stacked), scene.seeds), 0.001)[0].any())
    return [count / studies for count in false.values()]


def margin_table(studies):
    """All variants differ from the first by the margin, which is what the test can just resolve."""
    head("seeds, n", "any false verdict", "equivalent")
    for S in (3, 5, 10):
        for n, margin in ((360, 0.06), (1800, 0.025)):
            for J in (1, 4, 18):
                scene = Scene(n=n, J=J, seeds=S, accuracy=0.85, better_by=margin, seed_sd=0.002)
                false, _, _ = answer_rates(studies, scene, margin)
                _, _, alike = answer_rates(studies // 4, replace(scene, better_by=0.0), margin)
                show(f"{S} seeds, {n}, {J} compared", [percent(false), percent(alike)])


def coverage_table(studies):
    """Coverage of the 95 % interval of one accuracy."""
    head("coverage", *(f"n {n:,}, {S} seeds" for n in SIZES for S in (2, 3, 5, 10)))
    for name, options in ((name, options) for name, options in SCENES.items() if "varies" not in name):
        for folds in (True, False):
            scenes = [Scene(n=n, seeds=S, folds=folds, **options) for n in SIZES for S in (2, 3, 5, 10)]
            show(f"{name}, {'folds' if folds else 'fixed'}", [percent(coverage(studies, one)) for one in scenes])


def power_table(studies):
    """How often a true difference is found, per comparison: before, all seeds on one fifth; then pooled; then folds."""
    columns = ("fixed, alone", "fixed, pooled", "folds")
    head("n, compared, true difference", *(f"{S} seeds, {kind}" for S in (5, 10) for kind in columns))
    for n, by in ((360, 0.05), (1800, 0.02), (10_000, 0.01)):
        for J in (1, 4, 18):
            cells = []
            for S in (5, 10):
                folds = Scene(n=n, J=J, seeds=S, better_by=by, seed_sd=0.003)
                fixed = replace(folds, n=n // 5, folds=False)
                ways = ((fixed, False), (fixed, True), (folds, True))
                cells += [percent(answer_rates(studies, scene, pool=pool)[1]) for scene, pool in ways]
            show(f"{n:,}, {J}, {100 * by:g} points", cells)


def advised(studies, scene, largest, most=40, seed=0):
    """True differences uniform up to ``largest``: how often a number of seeds is advised, and then decides."""
    rng = np.random.default_rng(seed)
    undecided = 0
    decided = []
    for _ in range(studies):
        drawn = replace(scene, seeds=scene.seeds + most, better_by=float(rng.uniform(-largest, largest)))
        found, tested = answers(rng, drawn)

        def verdict(seeds, found=found, tested=tested):
            stacked = components([one[:seeds] for one in found], tested.only(range(seeds)))
            c = pooled(VarianceComponents(*stacked), seeds)
            different, equivalent = judged(c, 0.001)
            return bool(different[0, 0] | equivalent[0, 0]), VarianceComponents(*(np.ravel(x)[0] for x in c))

        done, c = verdict(scene.seeds)
        undecided += not done
        more = None if done else further_seeds(c, scene.J, most=most)
        if more is not None:
            decided.append(verdict(scene.seeds + more)[0])
    return undecided / studies, len(decided) / studies, float(np.mean(decided)) if decided else np.nan


def advice_table(studies):
    """How often the number of further seeds decides; four in five are promised."""
    head("advice", "undecided", "given a number", "then decided")
    for folds in (True, False):
        for n, seed_sd, largest in ((360, 0.01, 0.08), (1800, 0.003, 0.03), (1800, 0.01, 0.05)):
            for J in (1, 6):
                scene = Scene(n=n, J=J, folds=folds, seed_sd=seed_sd)
                row = f"n {n:,}, sd {100 * seed_sd:g}, up to {100 * largest:g} points, {J} compared"
                show(f"{row}, {'folds' if folds else 'fixed'}", map(percent, advised(studies, scene, largest)))


TABLES = {"normal": normal, "answers": answers_table, "margin": margin_table, "coverage": coverage_table,
          "power": power_table, "advice": advice_table}  # fmt: skip

if __name__ == "__main__":
    TABLES[sys.argv[1]](int(sys.argv[2]))
