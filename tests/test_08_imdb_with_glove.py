"""What the functions of lesson 08 promise: exact thresholds, test labels used once, masks, pairs, weights restored."""

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons import cells, define
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

LESSON = "08_imdb_with_glove"
FINAL = "score-once"  # the cell from which on the test labels may be used


@pytest.fixture(scope="module")
def lesson():
    return define(
        LESSON, "tokenize", "embedding", "masked-max", "reader", "bucketed", "pair-keys", "pair-model", "best-threshold",
        "curves-functions", "calibration-function", "predict-logits", "last-words", "chapter-loop-function",
    )  # fmt: skip


# --- thresholds -----------------------------------------------------------------------------------------------------


def wrong_at(threshold, y, p):
    return sum((value >= threshold) != label for value, label in zip(p, y, strict=True))


# few different probabilities, so that there are ties; among them 0 and 1
probabilities = st.one_of(
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.floats(0, 1, allow_nan=False)
)
cases = st.lists(st.tuples(st.integers(0, 1), probabilities), min_size=1, max_size=40)


@settings(max_examples=300, deadline=None)
@given(cases)
def test_threshold_is_the_best_of_all_by_brute_force(lesson, case):
    y, p = (np.array(column) for column in zip(*case, strict=True))
    threshold, rate = lesson["best_threshold"](y, p)
    brute = min(wrong_at(t, y, p) for t in [*p, np.inf])
    assert wrong_at(threshold, y, p) == brute and rate == pytest.approx(brute / len(y))


@settings(max_examples=200, deadline=None)
@given(cases)
def test_errors_of_every_threshold_are_counted_right(lesson, case):
    y, p = (np.array(column) for column in zip(*case, strict=True))
    thresholds, missed, alarms = lesson["count_errors"](y, p)
    assert thresholds[0] == np.inf and list(thresholds[1:]) == sorted(set(p), reverse=True)
    for t, m, a in zip(thresholds, missed, alarms, strict=True):
        (_, false_alarms), (misses, _) = confusion_matrix(y, p >= t, labels=[0, 1])
        assert (m, a) == (misses, false_alarms)


def test_ties_cannot_be_cut():
    best = define(LESSON, "best-threshold")["best_threshold"]
    assert (
        best([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5])[1] == 0.5
    )  # cutting inside the tie would seem to give 0.25
    assert best([0, 0, 0], [0.2, 0.9, 0.4]) == (np.inf, 0)


def test_at_least_as_good_as_the_chapters_loop(lesson):
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 300)
    p = np.clip(0.5 + 0.2 * (y - 0.5) + random.normal(0, 0.2, 300), 0, 1)
    best, error, last, last_error = lesson["chapter_loop"](y, p)
    assert lesson["best_threshold"](y, p)[1] <= error <= last_error
    assert error == pytest.approx(wrong_at(best, y, p) / 300, abs=0.005) and last == pytest.approx(
        0.8
    )


def test_roc_and_precision_agree_with_scikit_learn(lesson):
    random = np.random.default_rng(1)
    y, p = random.integers(0, 2, 500), random.random(500).round(2)
    fpr, tpr, precision = lesson["rates"](y, p)
    assert np.trapezoid(tpr, fpr) == pytest.approx(roc_auc_score(y, p))
    assert np.sum(np.diff(tpr) * precision[1:]) == pytest.approx(average_precision_score(y, p))


def test_calibration_gap(lesson):
    p = np.repeat([0.25, 0.85], 1000)
    honest = np.concatenate([np.arange(1000) < 250, np.arange(1000) < 850]).astype(int)
    assert lesson["calibration"](honest, p)[1] == pytest.approx(0, abs=1e-9)
    assert lesson["calibration"](np.repeat([0, 1], 1000), p)[1] == pytest.approx(0.2)
    table, _ = lesson["calibration"](np.array([0, 1]), np.array([0.0, 1.0]))
    assert list(table["n"]) == [1, 1]


# --- the test set, once ---------------------------------------------------------------------------------------------


def uses_of_test_labels(code_cells):
    """Ids of the cells, before the final section, that read y_test after it was loaded; and of later cells that read it
    outside of score_once."""
    found, final = [], False
    for name, source in code_cells:
        final = final or name == FINAL
        tree = ast.parse(
            "\n".join(
                "" if line.lstrip().startswith(("!", "%")) else line for line in source.splitlines()
            )
        )
        reads = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        if "y_test" in reads and name != FINAL:
            found.append(name)
        if not final and name != "load" and "test_texts" in reads:
            found.append(name)
    return found


def test_test_labels_are_read_by_score_once_only():
    code = [
        (name, cell.source)
        for name, cell in cells(LESSON).items()
        if cell.cell_type == "code" and name != "setup"
    ]
    assert FINAL in dict(code) and uses_of_test_labels(code) == []
    for trap in (
        "threshold = best_threshold(y_test, p_test)",
        "model.fit(x, y, validation_data=(encode(test_texts), y_test))",
    ):
        place = [name for name, _ in code].index("best-threshold")
        assert uses_of_test_labels([*code[:place], ("trap", trap), *code[place:]])[:1] == ["trap"]
        assert uses_of_test_labels([*code, ("trap", trap)])[:1] == ["trap"] or "y_test" not in trap


class Trap(np.ndarray):
    """Labels that count how often they are compared."""

    uses = 0

    def __eq__(self, other):
        Trap.uses += 1
        return np.asarray(self) == other

    def __req__(self, other):
        return self == other

    def __array_ufunc__(self, ufunc, method, *inputs, **more):
        Trap.uses += 1
        return getattr(ufunc, method)(*(np.asarray(value) for value in inputs), **more)


def test_each_model_meets_the_labels_once(capsys):
    lesson = define(LESSON, "score-once")
    lesson["y_test"] = np.array([0, 1, 1, 0]).view(Trap)
    score_once = lesson["score_once"]
    Trap.uses = 0
    score_once("a", np.array([False, True, False, False]))
    assert Trap.uses == 1 and lesson["test_accuracy"] == {"a": 0.75}
    with pytest.raises(RuntimeError, match="a has met the test set already"):
        score_once("a", np.array([False, True, True, False]))
    with pytest.raises(ValueError, match="3 decisions for 4 reviews"):
        score_once("b", np.array([True] * 3))
    assert Trap.uses == 1 and lesson["test_accuracy"] == {"a": 0.75}
    score_once("b", np.array([0, 1, 1, 0]))
    assert Trap.uses == 2 and lesson["test_accuracy"]["b"] == 1
    assert "[figure] test_a = 0.75" in capsys.readouterr().out


# --- texts and batches ----------------------------------------------------------------------------------------------


def test_tokens_are_cut_as_gloves_texts_were(lesson):
    tokenize = lesson["tokenize"]
    assert tokenize("It isn't bad:<br />I'd see it!") == [
        "it",
        "is",
        "n't",
        "bad",
        ":",
        "i",
        "'d",
        "see",
        "it",
        "!",
    ]
    assert tokenize("Don't, CAN'T, you'll") == ["do", "n't", ",", "ca", "n't", ",", "you", "'ll"]
    assert tokenize("'s-Hertogenbosch") == ["'s", "-", "hertogenbosch"]
    assert tokenize("") == tokenize("<br />") == []
    assert tokenize("영화가 좋다.") == ["영화가", "좋다", "."]


def reviews(n, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(2, 50, length).astype(np.int32) for length in random.integers(1, 60, n)]


def test_bucketed_gives_every_review_once_per_epoch_with_its_label(lesson):
    texts = reviews(203)
    y = np.arange(203)
    batches = lesson["Bucketed"](texts, y, batch_size=16, hidden=0)
    for _ in range(2):
        seen = {}
        for i in range(len(batches)):
            x, labels = batches[i]
            assert x.shape[1] == max(len(texts[int(label)]) for label in labels[:, 0])
            for row, label in zip(x, labels[:, 0], strict=True):
                seen[int(label)] = row[row > 0]
        assert sorted(seen) == list(range(203))
        assert all(np.array_equal(seen[i], texts[i]) for i in seen)
        batches.on_epoch_end()


def test_bucketed_saves_padding_and_hides_words_only(lesson):
    texts = reviews(640)
    batches = lesson["Bucketed"](texts, np.zeros(640), batch_size=32, hidden=0.1)
    x = [batches[i][0] for i in range(len(batches))]
    padding = sum((part == 0).sum() for part in x)
    assert padding == sum(part.size for part in x) - sum(map(len, texts)), (
        "a hidden word is 1, padding stays 0"
    )
    assert padding < 0.15 * sum(part.size for part in x) < 0.3 * 640 * 60
    hidden = sum((part == 1).sum() for part in x) / sum(map(len, texts))
    assert 0.08 < hidden < 0.12
    assert min(len(part[0]) for part in x) == x[0].shape[1], (
        "a short batch first: Keras takes the shape from the first ones"
    )


def test_pair_keys_are_words_and_neighbors(lesson):
    keys = lesson["pair_keys"](np.array([2, 3, 2, 3], np.int32))
    assert sorted(keys) == [2, 3, 3 * 30_000 + 3, 4 * 30_000 + 2]
    assert len(lesson["pair_keys"](np.array([29_999], np.int32))) == 1
    assert lesson["pair_keys"](np.full(2, 29_999, np.int32)).max() == 30_000 * 30_000 + 29_999, (
        "no overflow"
    )


def test_bag_and_log_count_ratio_by_hand(lesson):
    texts = [np.array(row, np.int32) for row in ([2, 3], [2], [4, 4], [3, 9])]
    y = np.array([1, 1, 0, 0])
    columns = np.array([2, 3, 4, 3 * 30_000 + 3])
    x = lesson["bag"](texts, columns).toarray()
    assert x.tolist() == [[1, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]]
    p, q = np.array([3, 2, 1, 2]), np.array([1, 2, 2, 1])
    np.testing.assert_allclose(lesson["log_count_ratio"](x, y), np.log(p / p.sum() / (q / q.sum())))


def test_pair_model_learns_what_words_alone_cannot(lesson):
    """Label = whether 3 follows 2: only the pairs tell."""
    random = np.random.default_rng(0)
    texts, y = [], []
    for i in range(200):
        filler = random.integers(10, 15, 4)
        middle = [2, 3] if i % 2 else [3, 2]
        texts.append(np.array([*filler[:2], *middle, *filler[2:]], np.int32))
        y.append(i % 2)
    model = lesson["fit_pairs"](texts[:150], np.array(y[:150]))
    assert np.array_equal(lesson["pair_logits"](texts[150:], *model) > 0, np.array(y[150:]) == 1)


def test_last_words_quote_no_more_than_fourteen(lesson):
    quoted = lesson["last_words"]("a-b-c-d " * 30)
    assert 0 < len(quoted.replace("-", " ").split()) - 1 <= 14
    assert lesson["last_words"]("Short one.") == "… Short one."


# --- layers and weights ---------------------------------------------------------------------------------------------


def test_masked_max_ignores_padding(lesson):
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 7, 5)).astype(np.float32)
    mask = np.arange(7) < np.array([[7], [3], [1]])
    out = lesson["MaskedMax"]()(x, mask=mask).numpy()
    for i, n in enumerate((7, 3, 1)):
        np.testing.assert_allclose(out[i], x[i, :n].max(axis=0), rtol=1e-6)


def test_a_review_scores_the_same_alone_and_in_a_padded_batch(lesson):
    import keras

    keras.utils.set_random_seed(0)
    table = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    model = lesson["build_reader"](table, False, 4)
    texts = reviews(40)
    together = lesson["predict_logits"](model, texts)
    alone = [float(model(text[None])[0, 0]) for text in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_saved_and_restored_weights_predict_bit_for_bit(lesson, tmp_path):
    import keras

    keras.utils.set_random_seed(1)
    table = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float32)
    model, texts = lesson["build_reader"](table, True, 4), reviews(30, seed=3)
    model.save_weights(tmp_path / "reader.weights.h5")
    restored = lesson["build_reader"](np.zeros_like(table), True, 4)
    before = lesson["predict_logits"](restored, texts)
    restored.load_weights(tmp_path / "reader.weights.h5")
    expected = lesson["predict_logits"](model, texts)
    assert np.array_equal(
        lesson["predict_logits"](restored, texts), expected
    ) and not np.array_equal(before, expected)
    with pytest.raises(ValueError, match="weights.h5"):
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
