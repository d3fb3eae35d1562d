"""What the functions of lesson 07 promise, and a trap for every look at the test set before its time."""

import numpy as np
import pytest
from lessons import cells, define

import helpers

LESSON = "07_imdb_without_glove"


@pytest.fixture(scope="module")
def lesson():
    names = ("words-and-marks", "encode", "rows", "mixed", "batches", "reader", "predict-by-length")
    return define(LESSON, *names, "chapter-input", "chapter-model")


# --- the chapter's input and model ----------------------------------------------------------------


def test_chapter_input_is_what_the_old_tokenizer_gave(lesson):
    """Ids by frequency from 1, unknown words dropped, zeros and cuts in front."""
    layer = lesson["count_words"](["b a a", "a b c a"], 99, lesson["old_cleaning"])
    given = lesson["chapter_input"](layer, ["a, b; c", "z", "", "c c c b a b a"], maxlen=5)
    assert given.tolist() == [[0, 0, 1, 2, 3], [0] * 5, [0] * 5, [3, 2, 1, 2, 1]]


def test_chapter_input_keeps_9999_words(lesson):
    many = " ".join(f"w{i}" for i in range(12_000) for _ in range(1 + (i < 9_999)))
    layer = lesson["count_words"]([many], 9_999 + 2, lesson["old_cleaning"])
    ids = lesson["chapter_input"](layer, [many], maxlen=30_000)
    assert ids.max() == 9_999 and len(set(ids.ravel().tolist()) - {0}) == 9_999


# --- tokens and batches ---------------------------------------------------------------------------


def test_words_and_marks(lesson):
    texts = ["It isn't bad:<br />See it, again!!", "?!", "", " \n", "café 9/10", "…"]
    found = lesson["words_and_marks"](lesson["tf"].constant(texts)).numpy()
    assert [text.decode().split() for text in found] == [
        ["it", "isn't", "bad", ":", "see", "it", ",", "again", "!", "!"],
        ["?", "!"],
        ["[UNK]"],
        ["[UNK]"],
        ["café", "9", "/", "10"],
        ["…"],
    ]


def test_no_review_becomes_a_row_of_padding_only(lesson):
    layer = lesson["count_words"](["good film", ""], 10, lesson["words_and_marks"])
    rows = lesson["rows"](layer, ["", "  ", "<br />", "good"])
    assert [len(row) for row in rows] == [1] * 4 and rows[0].tolist() == [1]


@pytest.mark.parametrize("size, batch_size", [(1, 4), (8, 4), (30, 7), (300, 64)])
def test_batches_of_the_lesson_and_of_helpers_are_the_same(lesson, size, batch_size):
    lengths = np.random.default_rng(size).integers(1, 40, size)
    rows, labels = [np.full(n, i + 1) for i, n in enumerate(lengths)], np.arange(size)
    ours = lesson["BatchesByLength"](rows, labels, batch_size)
    theirs = helpers.batches_by_length(rows, labels, batch_size)
    epochs = []
    for _ in range(2):
        assert len(ours) == len(theirs) == -(-size // batch_size)
        seen = []
        for number in range(len(ours)):
            (x, y), (x2, y2) = ours[number], theirs[number]
            assert np.array_equal(x, x2) and y.tolist() == y2[:, 0].tolist()
            assert x.shape[1] == lengths[y].max(), "no wider than its longest review"
            for row, label in zip(x, y, strict=True):
                assert row[row > 0].tolist() == [label + 1] * lengths[label]
                assert not row[lengths[label] :].any(), "padded at the end"
            seen += y.tolist()
        assert sorted(seen) == list(range(size)), "every review once"
        epochs.append(seen)
        ours.on_epoch_end(), theirs.on_epoch_end()
    if size > 2 * batch_size:  # of two batches the first stays the first
        assert epochs[0] != epochs[1]


def test_helpers_hide_words_but_no_padding():
    rows = [np.full(n, 7) for n in np.arange(1, 201)]
    x = np.concatenate(
        [x.ravel() for x, _ in helpers.batches_by_length(rows, np.zeros(200), hidden=0.25)]
    )
    assert set(x.tolist()) == {0, 1, 7} and abs(np.mean(x[x > 0] == 1) - 0.25) < 0.02


def test_predictions_come_back_in_the_order_of_the_reviews(lesson):
    class Longest:
        def predict(self, x, batch_size, verbose=0):
            return x.max(axis=1, keepdims=True)

    rows = [np.full(n, i + 1) for i, n in enumerate(np.random.default_rng(1).integers(1, 30, 700))]
    for predict in (lesson["predict_by_length"], helpers.predict_by_length):
        assert predict(Longest(), rows).tolist() == list(range(1, 701))


def test_a_mask_makes_padding_invisible(lesson):
    layers = lesson["layers"]
    row, padded = np.array([[5, 7, 2, 9]]), np.array([[5, 7, 2, 9, 0, 0, 0]])
    model = lesson["reader"](layers.GRU(8))
    np.testing.assert_allclose(model(row), model(padded), atol=1e-6)
    unmasked = lesson["reader"](layers.GRU(8), mask=False)
    assert abs(float(unmasked(row)[0, 0]) - float(unmasked(padded)[0, 0])) > 1e-6


# --- the test set ---------------------------------------------------------------------------------


def test_the_test_set_is_read_in_its_section_only():
    """Before section 8 no cell uses the test reviews, but for the one that loads them."""
    before, found = True, []
    for name, cell in cells(LESSON).items():
        before &= name != "test-intro"
        if before and cell.cell_type == "code" and name != "load":
            found += [name] if "test_texts" in cell.source or "test_labels" in cell.source else []
    assert found == []


def test_a_model_is_scored_once(capsys):
    names = define(LESSON, "score-once", "score-function")
    names["test_labels"] = np.array([1, 0, 1, 1])
    names["score_once"]("x", np.array([[0.9], [0.2], [0.4], [0.8]]))
    names["score_once"]("x", np.array([0.9, 0.2, 0.9, 0.8]))
    assert names["test_accuracy"] == {"x": 0.75} and "already" in capsys.readouterr().out
    with pytest.raises(ValueError, match="3 answers, 4 reviews"):
        names["score_once"]("y", np.zeros(3))
