"""Lesson 12: number words, shifted rows, attention."""

import numpy as np
import pytest
from keras import layers
from lessons import define

LESSON = "12_encoder_decoder"


@pytest.fixture(scope="module")
def lesson():
    names = ("group", "words", "rule", "sample-function", "signs", "read-in", "encode", "attend")
    return define(LESSON, *names)


def spelled(n):
    """An independent rule: cut the digits into groups of four, from the right."""
    text, said = str(n), ""
    for place, digit in zip(range(len(text) - 1, -1, -1), text, strict=True):
        unit = " 십백천"[place % 4].strip()
        if digit != "0":
            said += ("" if digit == "1" and unit else " 일이삼사오육칠팔구"[int(digit)]) + unit
        if place == 4:
            said = "만" if said == "일" else said + "만"
    return said


def test_number_words(lesson):
    random = np.random.default_rng(0)
    numbers = [*range(1, 20_000), *map(int, random.integers(1, 10**8, 20_000))]
    for n in (*numbers, 10**8 - 1, 10**7, 110_000, 10_001):
        assert lesson["words"](n) == spelled(n)
        assert lesson["value"](spelled(n)) == n


def test_no_test_number_is_trained_and_lengths_hold(lesson):
    random = np.random.default_rng(1)
    train = lesson["sample"](500, 1, 9, random)
    test = lesson["sample"](100, 1, 9, random, apart=train)
    longer = lesson["sample"](100, 10, 15, random)
    assert not set(train) & set(test) and max(map(len, train.values())) <= 9
    assert {10 <= len(text) <= 15 for text in longer.values()} == {True}


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (3, 5, 4, 8), (2, 7, 9, 3)])
def test_attention_is_that_of_keras(lesson, shape):
    batch, n_queries, n_keys, size = shape
    random = np.random.default_rng(n_keys)
    queries = random.normal(size=(batch, n_queries, size)).astype("float32")
    keys, values = random.normal(size=(2, batch, n_keys, size)).astype("float32")
    mask = random.random((batch, n_keys)) < 0.6
    mask[:, 0] = True
    wanted, wanted_shares = layers.Attention()(
        [queries, values, keys], mask=[None, mask], return_attention_scores=True
    )
    mixed, shares = lesson["attend"](queries, keys, values, mask)
    np.testing.assert_allclose(mixed, wanted, atol=1e-5)
    np.testing.assert_allclose(shares, wanted_shares, atol=1e-5)
