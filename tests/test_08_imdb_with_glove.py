"""What the functions of lesson 08 promise: tokens, masks, frozen tables, the GRU's step, the test set used once."""

import numpy as np
import pytest
from lessons import cells, define

import helpers

LESSON = "08_imdb_with_glove"


@pytest.fixture(scope="module")
def lesson():
    names = ("tokenize", "last-tokens", "embedding", "chapter-input", "masked-max", "reader")
    return define(LESSON, *names, "both-ways", "interval", "sigmoid", "gru-step", "mcnemar")


def define_only(lesson, *ids):
    """The functions of cells that also need data, with what `lesson` has."""
    for name in ids:
        exec(cells(LESSON)[name].source, lesson)
    return lesson


def reviews(n, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(2, 50, length).astype(np.int32) for length in random.integers(1, 60, n)]


# --- texts ----------------------------------------------------------------------------------------


def test_tokens_are_cut_as_gloves_texts_were(lesson):
    tokenize = lesson["tokenize"]
    assert " ".join(tokenize("It isn't bad:<br />I'd see it!")) == "it is n't bad : i 'd see it !"
    assert tokenize("Don\u2019t, CAN'T, you'll") == [
        "do",
        "n't",
        ",",
        "ca",
        "n't",
        ",",
        "you",
        "'ll",
    ]
    assert tokenize("'s-Hertogenbosch") == ["'s", "-", "hertogenbosch"]
    assert tokenize("<p class='x'>A 10/10</P>") == ["a", "10", "/", "10"]
    assert tokenize("3 < 4 > 2") == ["3", "<", "4", ">", "2"], "no tag"
    assert tokenize("") == tokenize("<br />") == []
    assert tokenize("영화가 좋다.") == ["영화가", "좋다", "."]


def test_a_text_without_a_known_word_is_one_unknown_word(lesson):
    lesson = define_only({**lesson, "number": {"good": 2, ".": 3}}, "encode")
    assert lesson["encode"]("Good . film").tolist() == [2, 3, 1]
    assert lesson["encode"]("").tolist() == lesson["encode"]("<br />").tolist() == [1]
    assert [row.tolist() for row in lesson["last"]([np.arange(5), np.arange(2)], 3)] == [
        [2, 3, 4],
        [0, 1],
    ]


def test_chapter_input_moves_when_the_last_word_goes(lesson):
    rows = [list(range(1, 111)), [7, 8], []]
    before, after = (lesson["chapter_input"](rows, skip) for skip in (0, 1))
    assert before.shape == after.shape == (3, 100)
    assert before[0].tolist() == list(range(11, 111)) and after[0].tolist() == list(range(10, 110))
    assert before[1, -2:].tolist() == [7, 8] and after[1, -2:].tolist() == [0, 7]
    assert not before[2].any()


def test_the_description_says_what_the_reader_gets(lesson, capsys):
    lesson = define_only({**lesson, "number": {"good": 2, "film": 3}}, "describe")
    lesson["describe"]("A good film 9/10!")
    assert capsys.readouterr().out == "7 tokens, 33% of the words are unknown.\n"
    lesson["describe"]("정말 좋은 영화")
    assert "100% of the words" in (out := capsys.readouterr().out) and "Is it English?" in out
    lesson["describe"]("good film " * 300)
    assert "Only the last 400 tokens" in capsys.readouterr().out
    lesson["describe"]("")
    assert "0 tokens" in capsys.readouterr().out


# --- layers and weights ---------------------------------------------------------------------------


def test_masked_max_of_the_lesson_and_of_helpers_are_the_same(lesson):
    random = np.random.default_rng(0)
    x = random.normal(-1, 1, size=(3, 7, 5)).astype(np.float32)
    mask = np.arange(7) < np.array([[7], [3], [1]])
    ours, theirs = lesson["MaskedMax"]()(x, mask=mask), helpers.masked_max()(x, mask=mask)
    for i, n in enumerate((7, 3, 1)):
        np.testing.assert_allclose(ours[i], x[i, :n].max(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(ours, theirs)


def test_a_review_scores_the_same_alone_and_in_a_padded_batch(lesson):
    table = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    model = lesson["reader"](table, lesson["both_ways"](4), trainable=False)
    texts = reviews(40)
    together = helpers.predict_by_length(model, texts)
    alone = [float(model(text[None])[0, 0]) for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_saved_and_restored_weights_predict_bit_for_bit(lesson, tmp_path):
    table = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    model, texts = lesson["reader"](table, lesson["both_ways"](4)), reviews(30, seed=3)
    model.layers[0].set_weights([2 * table])
    model.save_weights(tmp_path / "reader.weights.h5")
    restored = lesson["reader"](table, lesson["both_ways"](4))
    before = helpers.predict_by_length(restored, texts)
    restored.load_weights(tmp_path / "reader.weights.h5")
    expected = helpers.predict_by_length(model, texts)
    after = helpers.predict_by_length(restored, texts)
    assert np.array_equal(after, expected) and not np.array_equal(before, expected)
    with pytest.raises(ValueError, match=r"weights\.h5"):
        model.save_weights(tmp_path / "reader.h5")


def test_frozen_table_stays_and_trainable_one_moves(lesson):
    import keras

    table = np.ones((10, 3), np.float32)
    for trainable in (False, True):
        model = keras.Sequential(
            [lesson["embedding"](table, trainable), keras.layers.GlobalAveragePooling1D()]
        )
        assert len(model.layers[0].trainable_weights) == trainable
        np.testing.assert_array_equal(model.layers[0].get_weights()[0], table)


def test_the_step_is_keras_s_and_its_logits_the_model_s(lesson):
    layers = lesson["layers"]
    random = np.random.default_rng(2)
    table = random.normal(size=(50, 6)).astype(np.float32)
    model = lesson["reader"](table, [layers.GRU(5)])
    for weights in model.layers[2].weights:
        weights.assign(random.normal(size=weights.shape))
    W, U, b = model.layers[2].get_weights()
    w, bias = model.layers[-1].get_weights()
    for text in reviews(5, seed=9):
        h = np.zeros(5)
        for t, x in enumerate(table[text], 1):
            h, z, r = lesson["gru_step"](x, h, W, U, b)
            assert ((z > 0) & (z < 1) & (r > 0) & (r < 1)).all()
            assert abs(h @ w[:, 0] + bias[0] - float(model(text[None, :t])[0, 0])) < 1e-4


# --- figures that can be defended -----------------------------------------------------------------


def test_interval_and_mcnemar(lesson):
    accuracy, low, high = lesson["interval"](np.arange(1_000) < 900)
    assert accuracy == 0.9 and 0.875 < low < 0.9 < high < 0.92
    a, b = np.array([1, 1, 1, 0, 1] * 4, bool), np.array([1, 0, 1, 0, 0] * 4, bool)
    only_a, only_b, p = lesson["mcnemar"](a, b)
    assert (only_a, only_b) == (8, 0) and abs(p - 2 * 0.5**8) < 1e-12
    assert lesson["mcnemar"](a, a) == (0, 0, 1.0)


def test_the_test_set_is_read_in_its_section_only():
    """Before section 8 no cell uses the test reviews, but for the one that loads them."""
    before, found = True, []
    for name, cell in cells(LESSON).items():
        before &= name != "test"
        if before and cell.cell_type == "code" and name != "load":
            found += [name] if "test_texts" in cell.source or "y_test" in cell.source else []
    assert found == []


def test_a_model_is_scored_once(capsys, lesson):
    lesson = define_only({**lesson, "y_test": np.array([1, 0, 1, 1])}, "score-once")
    lesson["score_once"]("x", np.array([[0.9], [-0.2], [-0.4], [0.8]]))
    lesson["score_once"]("x", np.array([0.9, -0.2, 0.9, 0.8]))
    assert lesson["test_right"]["x"].tolist() == [True, True, False, True]
    assert "already" in capsys.readouterr().out
    with pytest.raises(ValueError, match="3 answers, 4 reviews"):
        lesson["score_once"]("y", np.zeros(3))


def test_two_seeds_are_two_starts(lesson):
    """`restart` takes its weights from `tiny`, which must not set a seed itself."""
    tiny, table = define_only(lesson, "tiny")["tiny"], np.ones((50, 6), "float32")
    model, gates = tiny(table, True), []
    for seed in (0, 1, 0):
        helpers.restart(model, lambda: tiny(table, True), seed)
        gates.append(model.layers[1].get_weights()[0])
    assert np.array_equal(gates[0], gates[2]) and not np.allclose(gates[0], gates[1])
