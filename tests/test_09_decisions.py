"""What the functions of lesson 09 promise, held against slow and plain ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons import cells, define
from scipy import sparse

LESSON = "09_decisions"


@pytest.fixture(scope="module")
def lesson():
    names = ("pair-model", "fit-pairs", "probabilities", "chapter-loop-function", "count-errors")
    return define(LESSON, *names, "best-threshold", "optimism", "calibration-gap", "mcnemar")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_all_thresholds_are_counted_exactly(lesson, data):
    chances = st.sampled_from([0.1, 0.2, 0.5, 0.7, 0.9])
    case = data.draw(st.lists(st.tuples(st.integers(0, 1), chances), min_size=1))
    y, p = (np.array(column) for column in zip(*case, strict=True))
    thresholds, missed, alarms = lesson["count_errors"](y, p)
    assert thresholds.tolist() == [np.inf, *sorted(set(p), reverse=True)]
    for t, m, a in zip(thresholds, missed, alarms, strict=True):
        assert m == np.sum((p < t) & (y == 1)) and a == np.sum((p >= t) & (y == 0))
    t, rate = lesson["best_threshold"](y, p)
    assert np.isclose(rate, min(np.mean((p >= one) != y) for one in thresholds))
    assert np.isclose(rate, np.mean((p >= t) != y))


def test_the_chapters_search_is_never_better_and_leaves_another_matrix(lesson):
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 400)
    p = np.clip(0.5 * y + random.normal(0.25, 0.2, 400), 0.01, 0.99)
    rates, last, matrix = lesson["chapter_search"](y, p)
    assert len(rates) == 401 and np.isclose(last, 0.8)
    assert lesson["best_threshold"](y, p)[1] <= min(rates.values())
    assert np.isclose((matrix[0, 1] + matrix[1, 0]) / 400, np.mean((p >= last) != y))


def test_log_count_ratio_by_hand(lesson):
    x = sparse.csr_matrix([[1, 0, 1], [1, 1, 0], [0, 1, 0]])
    found = lesson["log_count_ratio"](x, np.array([1, 1, 0]))
    p, q = np.array([3, 2, 2]), np.array([1, 2, 1])
    np.testing.assert_allclose(found, np.log(p / 7) - np.log(q / 4))


def test_the_weights_give_the_logit_of_the_scaled_model(lesson):
    random = np.random.default_rng(1)
    x = sparse.csr_matrix(random.integers(0, 2, (200, 30)))
    y = (x[:, 0].toarray()[:, 0] + random.random(200) > 0.7).astype(int)
    weights, bias = lesson["fit_pairs"](x, y)
    assert np.mean((x @ weights + bias > 0) == y) > 0.8


def test_calibration_counts_every_review_once(lesson):
    p, y = np.array([0.0, 0.05, 0.99, 1.0, 0.5]), np.array([0, 1, 1, 1, 0])
    table = lesson["calibration"](y, p)
    assert table["n"].tolist() == [2, 1, 2] and table.index.tolist() == [0, 5, 9]


def test_mcnemar_is_the_binomial_test(lesson):
    a, b = np.array([1] * 60 + [0] * 40, bool), np.array([1] * 50 + [0] * 50, bool)
    assert lesson["mcnemar"](a, b)[:2] == (10, 0) and lesson["mcnemar"](a, b)[2] == 2 / 2**10


def test_the_test_set_is_read_in_its_section_only():
    before, found = True, []
    for name, cell in cells(LESSON).items():
        before &= name != "test"
        reader = name in (
            "load",
            "reader-saved",
            "reader-trained",
        )  # the smaller reader answers in advance
        if before and cell.cell_type == "code" and not reader:
            found += [name] if "test_texts" in cell.source or "y_test" in cell.source else []
    assert found == []
