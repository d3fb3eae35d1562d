"""What the functions of lesson 07 promise, and a trap for every look at the test set before its time."""

import contextlib
import io
import re

import numpy as np
import pytest
from lessons import cells, define

LESSON = "07_imdb_without_glove"


@pytest.fixture(scope="module")
def lesson():
    return define(LESSON, "chapter-input", "chapter-model", "words-and-marks", "batches")


# --- the chapter's input and model ----------------------------------------------------------------------------------


def test_chapter_input_is_what_the_old_tokenizer_gave(lesson):
    """Ids by frequency from 1, unknown words dropped, zeros and cuts in front."""
    layer = lesson["count_words"](["b a a", "a b c a"])
    given = lesson["chapter_input"](layer, ["a, b; c", "z", "", "c c c b a b a"], maxlen=5)
    assert given.tolist() == [[0, 0, 1, 2, 3], [0] * 5, [0] * 5, [3, 2, 1, 2, 1]]


def test_chapter_input_keeps_9999_words(lesson):
    many = " ".join(f"w{i}" for i in range(12_000) for _ in range(1 + (i < 9_999)))
    layer = lesson["count_words"]([many])
    ids = lesson["chapter_input"](layer, [many], maxlen=30_000)
    assert ids.max() == 9_999 and len(set(ids.ravel().tolist()) - {0}) == 9_999


def test_chapter_model_has_the_parameters_of_the_chapter(lesson):
    assert lesson["flatten"].count_params() == 1_320_065


# --- tokens and batches ---------------------------------------------------------------------------------------------


def test_words_and_marks(lesson):
    texts = ["It isn't bad:<br />See it, again!!", "?!", "", " \n", "café 9/10", "…"]
    found = [
        text.decode().split()
        for text in lesson["words_and_marks"](lesson["tf"].constant(texts)).numpy()
    ]
    assert found == [
        ["it", "isn't", "bad", ":", "see", "it", ",", "again", "!", "!"],
        ["?", "!"],
        ["[UNK]"],
        ["[UNK]"],
        ["café", "9", "/", "10"],
        ["…"],
    ]


def test_no_review_becomes_a_row_of_padding_only(lesson):
    tf, keras = lesson["tf"], lesson["keras"]
    layer = keras.layers.TextVectorization(
        max_tokens=10, standardize=lesson["words_and_marks"], ragged=True
    )
    layer.adapt(tf.constant(["good film", ""]))
    ids = layer(tf.constant(["", "  ", "<br />", "good"]))
    assert ids.row_lengths().numpy().min() == 1 and ids.numpy()[0].tolist() == [1]


@pytest.mark.parametrize("size, batch_size", [(1, 4), (8, 4), (30, 7), (300, 64)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_give_every_review_once_per_epoch(lesson, size, batch_size, shuffle):
    tf = lesson["tf"]
    lengths = np.random.default_rng(size).integers(1, 40, size)
    ids = tf.ragged.constant([[i + 1] * n for i, n in enumerate(lengths)], dtype=tf.int64)
    data = lesson["batches"](ids, np.arange(size), batch_size, shuffle)
    assert int(data.cardinality()) == -(-size // batch_size)
    epochs = []
    for _ in range(2):
        seen, zeros, steps = [], 0, 0
        for x, y in data.as_numpy_iterator():
            for row, label in zip(x, y, strict=True):
                assert row[row > 0].tolist() == [label + 1] * lengths[label], (
                    "the whole review, padded at the end"
                )
                assert not row[lengths[label] :].any()
            assert x.shape[1] == lengths[y].max(), "no wider than its longest review"
            seen, zeros, steps = seen + y.tolist(), zeros + (x == 0).sum(), steps + x.size
        assert sorted(seen) == list(range(size))
        epochs.append(seen)
    assert (epochs[0] != epochs[1]) == (shuffle and size > batch_size)
    if size == 300:
        assert zeros / steps < 0.35, "about a half in random batches of this kind"


def test_predictions_come_back_in_the_order_of_the_reviews():
    names = define(LESSON, "batches", "predict-by-length")

    class Longest:
        def predict(self, data, verbose):
            return np.concatenate(
                [x.max(axis=1, keepdims=True) for x, _ in data.as_numpy_iterator()]
            )

    lengths = np.random.default_rng(1).integers(1, 30, 700)
    ids = names["tf"].ragged.constant(
        [[i + 1] * n for i, n in enumerate(lengths)], dtype=names["tf"].int64
    )
    assert names["predict_by_length"](Longest(), ids).tolist() == list(range(1, 701))


def test_a_mask_makes_bucketing_invisible():
    names = define(LESSON, "reader")
    model = names["reader"](names["keras"].layers.GRU(8))
    row = np.array([[5, 7, 2, 9]])
    padded = np.array([[5, 7, 2, 9, 0, 0, 0]])
    np.testing.assert_allclose(model(row), model(padded), atol=1e-6)
    unmasked = names["reader"](names["keras"].layers.GRU(8), mask=False)
    assert abs(float(unmasked(row)[0, 0]) - float(unmasked(padded)[0, 0])) > 1e-6


# --- the test set ---------------------------------------------------------------------------------------------------


class Trap:
    """Test data that nobody may touch: every way to look at it raises."""

    def _caught(self, *args, **kwargs):
        raise AssertionError("the test set was touched before the final section")

    __len__ = __iter__ = __getitem__ = __array__ = __eq__ = __bool__ = __getattr__ = _caught
    __hash__ = None


FINAL = "score-once"  # the first cell that may know of the test set


def small_reviews(n, seed):
    """Reviews of made-up length whose verdict is in their words."""
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n // 2)
    words = np.array([f"word{i}" for i in range(50)])
    told = [["awful", "boring", "bad"], ["great", "lovely", "good"]]
    return [
        " ".join([*random.choice(words, random.integers(5, 60)), *random.choice(told[label], 3)])
        + "!"
        for label in labels
    ], labels


def executed(monkeypatch, test_labels=None, trap=True):
    """The whole lesson on 400 small reviews: (what it printed before the final section, what after, its names)."""
    from IPython.core.interactiveshell import InteractiveShell

    import helpers

    shell, found = InteractiveShell.instance(), cells(LESSON)
    test = small_reviews(200, seed=2)
    labels = test[1] if test_labels is None else test_labels(test[1])
    monkeypatch.setattr(
        helpers, "load_imdb", lambda part="both": (small_reviews(400, seed=1), test)
    )
    monkeypatch.setattr(helpers, "show", lambda *args, **kwargs: None)
    monkeypatch.setattr(helpers, "drawing", lambda *args: None)
    monkeypatch.setattr(helpers, "plot_history", lambda *args, **kwargs: None)
    names, outputs, final = (
        {"get_ipython": lambda: shell},
        {False: io.StringIO(), True: io.StringIO()},
        False,
    )
    for name, cell in found.items():
        if cell.cell_type != "code" or name.startswith("ex"):
            continue
        if name == FINAL:
            final, names["test_texts"], names["test_labels"] = True, test[0], labels
        with contextlib.redirect_stdout(outputs[final]):
            exec(compile(shell.transform_cell(cell.source), f"{LESSON}:{name}", "exec"), names)
        if name == "load" and trap:
            names["test_texts"], names["test_labels"] = Trap(), Trap()
    return outputs[False].getvalue(), outputs[True].getvalue(), names


def without_times(text):
    return re.sub(r"\[figure\] (seconds|encode|bucketing)\w* = \S+|\d+\.\d+ s\b", "", text)


def test_nothing_before_the_final_section_touches_the_test_set(monkeypatch):
    """A trap stands in for the test set until the final section; with other test labels only the final figures change."""
    before, after, names = executed(monkeypatch)
    scores = dict(re.findall(r"\[figure\] test_(\w+) = (\S+)", after))
    assert list(scores) == [
        "majority", "unigram", "bigram", "flatten", "flatten_stopped", "simplernn", "lstm", "gru", "bigru",
    ]  # fmt: skip
    assert "test_" not in before and "has met the test set already" in after
    assert "STAND-IN" in before and "STAND-IN" in after, (
        "fewer than 25,000 test reviews are not the official test set"
    )
    assert float(scores["unigram"]) > 0.95, "the words give it away"

    before_swapped, after_swapped, _ = executed(monkeypatch, test_labels=lambda labels: 1 - labels)
    assert without_times(before_swapped) == without_times(before)
    swapped = dict(re.findall(r"\[figure\] test_(\w+) = (\S+)", after_swapped))
    assert float(swapped["unigram"]) == pytest.approx(1 - float(scores["unigram"]), abs=1e-5)

    with pytest.raises(RuntimeError, match="bigru has met the test set already"):
        names["score_once"]("bigru", np.zeros(200))
    assert names["test_accuracy"]["bigru"] == pytest.approx(float(scores["bigru"]), abs=1e-5)


def test_the_trap_works():
    for look in (
        len,
        list,
        np.asarray,
        np.sum,
        bool,
        lambda x: x[0],
        lambda x: x == 1,
        lambda x: x.shape,
    ):
        with pytest.raises(AssertionError, match="touched"):
            look(Trap())


@pytest.fixture
def scorer():
    names = define(LESSON, "score-once")
    names["test_labels"] = np.array([1, 0, 1, 0])
    return names


def test_a_score_is_right_for_both_shapes_and_given_once(scorer, capsys):
    scorer["score_once"]("a", np.array([0.9, 0.1, 0.2, 0.3]))
    scorer["score_once"]("b", np.array([[0.9], [0.1], [0.2], [0.3]]))
    assert scorer["test_accuracy"] == {"a": 0.75, "b": 0.75}
    with pytest.raises(RuntimeError, match="a has met the test set"):
        scorer["score_once"]("a", np.ones(4))
    assert scorer["test_accuracy"]["a"] == 0.75


def test_a_wrong_number_of_answers_is_refused_and_costs_nothing(scorer):
    with pytest.raises(ValueError, match="3 answers for 4"):
        scorer["score_once"]("c", np.ones(3))
    scorer["score_once"]("c", np.ones(4))
