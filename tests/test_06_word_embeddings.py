"""What the functions of lesson 06 promise, on cases small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest
from lessons import define
from scipy import sparse

LESSON = "06_word_embeddings"
SENTENCES = ["I like deep learning .", "I like NLP .", "I enjoy flying ."]
WORDS = ["I", "like", "enjoy", "deep", "learning", "NLP", "flying", "."]
IDS = [np.array([WORDS.index(word) for word in sentence.split()]) for sentence in SENTENCES]


@pytest.fixture(scope="module")
def lesson():
    names = ("cooccurrence", "counts-toy-table", "ppmi-toy", "ppmi", "weight", "model", "pairs")
    return define(LESSON, *names, "neighbors")


# --- counts ---------------------------------------------------------------------------------------------------------


def test_cooccurrence_of_the_three_sentences(lesson):
    table = """0 2 1 0 0 0 0 0
               2 0 0 1 0 1 0 0
               1 0 0 0 0 0 1 0
               0 1 0 0 1 0 0 0
               0 0 0 1 0 0 0 1
               0 1 0 0 0 0 0 1
               0 0 1 0 0 0 0 1
               0 0 0 0 1 1 1 0"""
    counts = lesson["cooccurrence"](IDS, 8, window=1).toarray()
    np.testing.assert_array_equal(counts, np.array(table.split(), float).reshape(8, 8))


def test_cooccurrence_weighs_by_distance(lesson):
    counts = lesson["cooccurrence"](IDS[:1], 8, window=2, weighted=True).toarray()
    like, deep, learning = (WORDS.index(word) for word in ("like", "deep", "learning"))
    assert counts[like, learning] == counts[learning, like] == 0.5
    assert counts[like, deep] == 1 and counts[deep].sum() == 3
    assert lesson["cooccurrence"](IDS[:1], 8, window=2).toarray()[deep].sum() == 4


def test_cooccurrence_does_not_reach_into_the_next_sentence(lesson):
    apart = [np.array([0]), np.array([1])]
    assert lesson["cooccurrence"](apart, 2, window=3).nnz == 0
    assert lesson["cooccurrence"]([np.array([0, 1])], 2, window=3).nnz == 2


def test_cooccurrence_with_unknown_words_and_empty_texts(lesson):
    counts = lesson["cooccurrence"]([np.array([0, -1, 1])], 2, window=2, weighted=True).toarray()
    assert counts.tolist() == [[0, 0.5], [0.5, 0]], (
        "an unknown word keeps its place and is not counted"
    )
    empty = np.array([], int)
    assert lesson["cooccurrence"]([empty, empty], 4, window=2).shape == (4, 4)
    assert lesson["cooccurrence"]([empty, np.array([2])], 4, window=2).nnz == 0


def test_cooccurrence_counts_a_word_that_meets_itself(lesson):
    assert (
        lesson["cooccurrence"]([np.array([0, 0])], 1, window=1)[0, 0] == 2
    )  # the pair, from both sides


# --- PPMI -----------------------------------------------------------------------------------------------------------


def test_ppmi_against_the_formula(lesson):
    counts = np.array([[4, 1, 0, 0], [1, 4, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    total, expected = counts.sum(axis=1), np.zeros((4, 4))
    for i in range(4):
        for k in range(4):
            if counts[i, k]:
                expected[i, k] = max(0, np.log(counts[i, k] * total.sum() / (total[i] * total[k])))
    result = lesson["ppmi"](sparse.csr_matrix(counts)).toarray()
    np.testing.assert_allclose(result, expected, atol=1e-5)
    assert result[0, 0] == pytest.approx(np.log(52 / 25), abs=1e-5)
    assert result[0, 1] == 0 and not result[3].any(), (
        "rarer than chance, and a word without neighbors"
    )


def test_ppmi_sparse_is_ppmi_dense(lesson):
    counts = lesson["cooccurrence"](IDS, 8, window=1)
    np.testing.assert_allclose(lesson["ppmi"](counts).toarray(), lesson["toy_ppmi"], atol=1e-6)
    assert lesson["toy_ppmi"][3, 4] == pytest.approx(np.log(5))


def test_ppmi_leaves_the_counts_as_they_are(lesson):
    counts = lesson["cooccurrence"](IDS, 8, window=1)
    before = counts.toarray()
    assert lesson["ppmi"](counts)[3, 4] == pytest.approx(np.log(5), abs=1e-5)
    np.testing.assert_array_equal(counts.toarray(), before)


# --- GloVe ----------------------------------------------------------------------------------------------------------


def test_weight_rises_to_one_and_stays(lesson):
    weight = lesson["weight"]
    assert weight(np.array([10.0, 50.0])).tolist() == [1, 1]
    assert weight(1.0) == pytest.approx(10**-0.75) and weight(100.0, x_max=200) == pytest.approx(
        0.5**0.75
    )
    assert (np.diff(weight(np.linspace(0.01, 9.9, 50))) > 0).all()


@pytest.mark.parametrize("batch_size", [1, 7, 30, 1000])
def test_pairs_give_every_filled_cell_once_in_equal_batches(lesson, batch_size):
    random = np.random.default_rng(0)
    dense = random.random((20, 20), dtype=np.float32)
    counts = sparse.csr_matrix(np.where(dense < 0.25, 20 * dense + 0.1, 0))
    pairs = lesson["Pairs"](counts, batch_size)
    batches = [pairs[number] for number in range(len(pairs))]
    assert len({len(target) for _, target, _ in batches}) == 1
    seen = {}
    for (i, k), target, weight in batches:
        for row, column, value, w in zip(i, k, target, weight, strict=True):
            assert (row, column) not in seen
            seen[row, column] = value
            assert value == pytest.approx(np.log(counts[row, column]), rel=1e-4)
            assert w == pytest.approx(lesson["weight"](counts[row, column]), rel=1e-4)
    assert counts.nnz - len(pairs) < len(seen) <= counts.nnz


def topics():
    """500 sentences about four topics of eight words, with two words that stand everywhere: word % 4 is its topic."""
    random = np.random.default_rng(1)
    return [
        np.concatenate([[32], random.choice(np.arange(topic, 32, 4), 6), [33]])
        for topic in random.integers(4, size=500)
    ]


def share_of_own_topic(vectors):
    unit = vectors[:32] / np.linalg.norm(vectors[:32], axis=1, keepdims=True)
    nearest = np.argsort(-(unit @ unit.T), axis=1)[:, 1:6]
    return np.mean(nearest % 4 == np.arange(32)[:, None] % 4)


def test_glove_on_a_small_corpus_learns_topics(lesson):
    import keras

    keras.utils.set_random_seed(0)
    fit = getattr(
        keras.Model.fit, "uncapped", keras.Model.fit
    )  # the tests' fast mode would stop it after five batches
    pairs = lesson["Pairs"](lesson["cooccurrence"](topics(), 34, window=5, weighted=True), 128)
    model = lesson["glove_model"](34, 8)
    assert model.count_params() == 2 * 34 * (8 + 1)
    model.compile(keras.optimizers.Adam(0.02), loss="mse")
    losses = fit(model, pairs, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 5
    learned = np.hstack([model.get_layer(name).get_weights()[0] for name in ("w", "w_context")])
    random = np.random.default_rng(2).normal(size=learned.shape)
    assert (
        share_of_own_topic(learned - learned.mean(axis=0)) > 0.7 > 0.45 > share_of_own_topic(random)
    )


def test_glove_model_computes_the_formula(lesson):
    model = lesson["glove_model"](5, 3)
    random = np.random.default_rng(3)
    table = {
        name: random.normal(size=(5, size))
        for name, size in [("w", 3), ("w_context", 3), ("b", 1), ("b_context", 1)]
    }
    for name, values in table.items():
        model.get_layer(name).set_weights([values])
    i, k = np.array([0, 4, 2]), np.array([1, 4, 0])
    expected = (
        (table["w"][i] * table["w_context"][k]).sum(axis=1)
        + table["b"][i, 0]
        + table["b_context"][k, 0]
    )
    np.testing.assert_allclose(np.ravel(model([i, k])), expected, rtol=1e-4)


# --- looking words up -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    """The lesson's functions on a table of eight words in three dimensions."""
    names = define(LESSON, "glove-load", "row", "unit", "nearest", "analogy-ranks")
    table = {
        "man": [1, 0, 0.1], "woman": [1, 1, 0.1], "king": [3, 0, 3], "queen": [3, 3, 3.3],
        "boy": [1, 0, -1], "girl": [1, 1, -1], "car": [-1, 0.2, 0], "cars": [-1, 0.1, 0.9],
    }  # fmt: skip
    names["glove"] = pd.DataFrame.from_dict(table, orient="index").astype(np.float32)
    names["vectors"] = names["glove"].to_numpy()
    names["length"] = np.linalg.norm(names["vectors"], axis=1)
    return names


@pytest.mark.parametrize("word", ["xyzzy", "Movie", "이대", ""])
def test_a_word_without_vector_gets_a_clear_answer(lesson, small, word):
    with pytest.raises(ValueError, match=f"No vector for '{word}'.*lower-case"):
        small["unit"](word)
    with pytest.raises(ValueError, match="No vector"):
        small["nearest"](small["unit"]("king"), without=[word])
    lesson["position"], lesson["vocabulary"] = {"film": 0}, ["film"]
    with pytest.raises(ValueError, match=f"No vector for '{word}'.*10,000"):
        lesson["neighbors"](np.eye(1), word)


def test_unit_has_length_one_and_nearest_is_ordered_by_cosine(small):
    assert np.linalg.norm(small["unit"]("king")) == pytest.approx(1)
    assert small["nearest"](10 * small["unit"]("king"), 1) == ["king"]
    found = small["nearest"](small["unit"]("girl"), 8)
    cosines = [small["unit"](word) @ small["unit"]("girl") for word in found]
    assert len(set(found)) == 8 and cosines == sorted(cosines, reverse=True)
    assert "girl" not in small["nearest"](small["unit"]("girl"), 7, without=["girl"])


def test_neighbors_leave_the_word_itself_out(lesson):
    lesson["vocabulary"] = ["a", "b", "c", "d"]
    lesson["position"] = {word: i for i, word in enumerate(lesson["vocabulary"])}
    table = np.array([[1, 0], [2, 0.2], [3, 9], [-1, 0]])
    assert lesson["neighbors"](table, "a", 3) == ["b", "c", "d"]


def test_analogy_ranks_agree_with_a_search_by_hand(small):
    unit, nearest = small["unit"], small["nearest"]
    for a, b, c, d in ["man woman king queen".split(), "man woman boy girl".split()]:
        query = unit(b) - unit(a) + unit(c)
        allowed, excluded = small["ranks"](query, d, [a, b, c])
        assert allowed == nearest(query, 8).index(d) + 1
        assert excluded == nearest(query, 5, without=[a, b, c]).index(d) + 1 <= allowed
