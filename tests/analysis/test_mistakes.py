import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.mistakes import CELL, count_mistakes, pictured, votes


@st.composite
def populations(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m, k, variants = draw(st.integers(1, 40)), draw(st.integers(2, 5)), draw(st.integers(1, 4))
    labels = rng.integers(0, k, m)
    predicted, confidence = {}, {}
    for v in range(variants):
        runs = draw(st.integers(1, 5))
        wrong = rng.random((runs, m)) < rng.random(m)
        predicted[f"v{v}"] = np.where(wrong, rng.integers(0, k, (runs, m)), labels)
        confidence[f"v{v}"] = rng.uniform(1 / k, 1, (runs, m)).astype(np.float32)
    return predicted, confidence, labels, k


@given(populations())
@settings(max_examples=80, deadline=None)
def test_counts_are_those_of_a_loop_over_runs_and_examples(population):
    predicted, confidence, labels, k = population
    found = count_mistakes(predicted, confidence, labels, k)
    assert found.variants == tuple(predicted)
    for v, name in enumerate(predicted):
        text, sure = predicted[name], confidence[name]
        assert (found.runs[v] == len(text)).all()
        matrix = np.zeros((k, k), int)
        for i, label in enumerate(labels):
            wrong = [c for c in text[:, i] if c != label]
            assert found.wrong[v, i] == len(wrong)
            for c in text[:, i]:
                matrix[label, c] += 1
            if not wrong:
                assert found.predicted[v, i] == -1
                assert np.isnan(found.probability[v, i])
                continue
            most = max(sorted(set(wrong)), key=wrong.count)
            assert found.predicted[v, i] == most
            theirs = [sure[s, i] for s in range(len(text)) if text[s, i] == most]
            assert found.probability[v, i] == pytest.approx(np.mean(theirs), rel=1e-6)  # float32
        np.testing.assert_array_equal(found.counts[v], matrix)


@given(populations())
@settings(max_examples=80, deadline=None)
def test_the_lists_hold_what_their_names_say(population):
    predicted, confidence, labels, k = population
    found = count_mistakes(predicted, confidence, labels, k)
    wrong = {name: (text != labels).mean(axis=0) for name, text in predicted.items()}  # share of the runs, (M,)
    first, *others = predicted
    assert set(found.all_wrong) == {i for i in range(len(labels)) if all(share[i] == 1 for share in wrong.values())}
    assert set(found.mended) == set(others)
    for name in others:
        assert set(found.mended[name]) == set(np.flatnonzero((wrong[first] == 1) & (wrong[name] == 0)))
    assert set(found.flips) == set(np.flatnonzero(np.abs(wrong[first] - 0.5) < 0.2 + 1e-6))
    sureness = found.probability[:, found.all_wrong].mean(axis=0)
    assert (np.diff(sureness) <= 1e-6).all()  # float32: the surest first
    assert (np.diff(np.abs(wrong[first][found.flips] - 0.5)) >= -1e-6).all()  # the most divided first


@given(populations(), st.integers(0, 60))
@settings(max_examples=80, deadline=None)
def test_pictures_are_of_mistakes_as_many_as_there_is_room_for(population, most):
    predicted, confidence, labels, k = population
    found = count_mistakes(predicted, confidence, labels, k)
    counts = np.stack([votes(text, k) for text in predicted.values()])
    rows = pictured(found, counts, most)
    ever = np.flatnonzero(found.wrong.sum(axis=0))
    assert set(rows) <= set(ever)
    assert len(rows) == len(set(rows)) == min(most, len(ever))  # fewer than 200 examples: all of them are wanted
    assert (np.diff(rows) > 0).all()


def test_every_cell_has_its_most_shared_examples():
    """Of 3,000 examples, all are wrong in at least one run: far more than 200. Every cell gets its best twelve."""
    rng = np.random.default_rng(0)
    k, m = 4, 3000
    labels = np.arange(m) % k
    predicted = {name: (labels + rng.choice(k, (5, m), p=[0.4, 0.3, 0.2, 0.1])) % k for name in ("a", "b")}
    confidence = {name: np.full((5, m), 0.5) for name in predicted}
    found = count_mistakes(predicted, confidence, labels, k)
    counts = np.stack([votes(text, k) for text in predicted.values()])  # (V, M, K)
    rows = pictured(found, counts, 4000)
    assert len(rows) < m / 2
    for v in range(2):
        for true in range(k):
            for taken in set(range(k)) - {true}:
                cell = counts[v, labels == true, taken]
                kept = counts[v, rows[labels[rows] == true], taken]
                best = np.sort(cell)[::-1][:CELL]
                np.testing.assert_array_equal(np.sort(kept)[::-1][:CELL], best)
    few = pictured(found, counts, 250)
    share = found.wrong.sum(axis=0)
    assert len(few) == 250
    assert set(np.argsort(-share, kind="stable")[:200]) <= set(few)  # the hardest come first


def test_examples_of_other_folds_count_neither_as_right_nor_as_wrong():
    predicted = {"a": np.array([[1, -1, 0, -1], [-1, 1, -1, 1]]), "b": np.array([[0, -1, 0, -1], [-1, 1, -1, -1]])}
    confidence = {name: np.where(of < 0, np.nan, 0.75) for name, of in predicted.items()}
    found = count_mistakes(predicted, confidence, np.array([0, 1, 0, 0]), 2)
    assert found.runs.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert found.wrong.tolist() == [[1, 0, 0, 1], [0, 0, 0, 0]]
    assert found.all_wrong.tolist() == []  # no run of b judged the last one
    assert found.mended["b"].tolist() == [0]
    assert found.flips.tolist() == []
    np.testing.assert_array_equal(found.counts[0], [[1, 2], [0, 1]])
    assert pictured(found, np.stack([votes(of, 2) for of in predicted.values()]), 9).tolist() == [0, 3]
