"""What the functions of lesson 05 promise."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons import define

LESSON = "05_tokenization"


@pytest.fixture(scope="module")
def words():
    return define(
        LESSON,
        "case-and-punctuation",
        "split-words",
        "build-index",
        "build-index-run",
        "one-hot",
        "one-hot-run",
    )


@pytest.fixture(scope="module")
def bpe():
    return define(
        LESSON, "bpe-corpus", "bpe-pairs", "bpe-merge", "bpe", "bpe-steps", "bpe-cut", "bpe-apply"
    )


@pytest.fixture(scope="module")
def layers():
    return define(
        LESSON,
        "case-and-punctuation",
        "split-words",
        "int-mode",
        "standardize",
        "old-and-new",
        "to-ids",
        "ngrams",
    )


# --- words and one-hot ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   ", "?!", "...", "\t\n", "<>"])
def test_a_text_without_words_has_no_words(words, text):
    assert words["split_words"](text) == []


def test_words_are_cut_as_keras_2_did(words, layers):
    legacy = layers["tf"].keras.preprocessing.text.text_to_word_sequence
    odd = [
        "It's a well-made film... isn't it?",
        "end.<br /><br />The",
        "ÉTÉ\u00a0froid\u0085!",
        "a_b\tc\nd",
        "학교에서, 만났다.",
    ]
    for text in odd:
        assert words["split_words"](text) == legacy(text)
        split = layers["tf"].strings.split(layers["standardize"](text)).numpy()
        if not {"\u00a0", "\u0085"} & set(text):
            assert [piece.decode() for piece in split] == legacy(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_whatever_the_text_its_words_are_clean_and_cutting_them_again_changes_nothing(words, text):
    found = words["split_words"](text)
    assert all(word and not set(word) & set(words["FILTER"] + " ") for word in found)
    assert words["split_words"](" ".join(found)) == found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), min_size=1, max_size=6),
    st.integers(1, 10),
)
def test_one_hot_can_be_read_back(words, token_lists, max_length):
    token_lists.append(["a"])
    index = words["build_index"](token_lists)
    assert sorted(index.values()) == list(range(1, len(index) + 1))
    names = {number: token for token, number in index.items()}
    for row, tokens in zip(
        words["one_hot"](token_lists, index, max_length), token_lists, strict=True
    ):
        assert [names[step.argmax()] for step in row if step.any()] == tokens[:max_length]


def test_index_numbers_from_one_in_order_of_appearance(words):
    assert words["build_index"]([["b", "a"], ["a", "c", "b"]]) == {"b": 1, "a": 2, "c": 3}


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_an_index_of_nothing_is_empty(words, nothing):
    assert words["build_index"](nothing) == {}
    assert words["one_hot"](nothing, {}, 3).sum() == 0


def test_the_chapter_s_index_none_fills_the_row(words):
    row = words["np"].zeros((1, 1, 11))
    row[0, 0, words["index"].get("bird")] = 1
    assert row.sum() == 11 and words["one_hot"]([["bird"]], words["index"], 1).sum() == 0


def test_one_hot_of_a_case_made_by_hand(words):
    x = words["one_hot"]([["b", "a", "b"], ["z", "a"], []], {"a": 1, "b": 2}, max_length=2)
    assert x.tolist() == [[[0, 0, 1], [0, 1, 0]], [[0, 0, 0], [0, 1, 0]], [[0, 0, 0], [0, 0, 0]]]


def test_one_hot_of_the_lecture(words):
    x = words["x"]
    assert x.shape == (2, 10, 11) and x[:, :, 0].sum() == 0
    assert x[0].argmax(axis=1).tolist() == [1, 2, 3, 4, 5, 6, 0, 0, 0, 0]
    assert x[1].argmax(axis=1).tolist() == [1, 7, 8, 9, 10, 0, 0, 0, 0, 0]


# --- ids and n-grams ------------------------------------------------------------------------------------------------


def test_nine_tokens_and_two_special_ids(layers):
    vocabulary = layers["vocabulary"]
    assert vocabulary[:3] == ["", "[UNK]", "the"] and len(vocabulary) == 11
    ids = layers["vectorizer"](layers["tf"].constant(["the cat sat on the mat"])).numpy()[0]
    assert " ".join(vocabulary[i] for i in ids) == "the cat sat on the mat"


def test_no_row_is_all_padding(layers):
    ids = layers["to_ids"]([[5, 6, 7, 8], [9], []], 3)
    assert ids.tolist() == [[5, 6, 7], [9, 0, 0], [1, 0, 0]]


def test_old_and_new_code_as_the_table_says(layers):
    """The rows of the table in section 9."""
    old, new, tf, keras = (layers[name] for name in ("old", "new", "tf", "keras"))
    vectorization, clean = keras.layers.TextVectorization, layers["standardize"]
    texts = layers["two_texts"]
    assert old.texts_to_sequences(["A film", "A bird"]) == [[2, 1], [2]]
    assert new(tf.constant(["A film", "A bird"])).numpy().tolist() == [[3, 2], [3, 1]]
    assert len(new.get_vocabulary()) == 7 and old.num_words - 1 == 5
    bags = {}
    for mode in ("multi_hot", "tf_idf"):
        layer = vectorization(max_tokens=6, standardize=clean, output_mode=mode)
        layer.adapt(tf.constant(texts))
        bags[mode] = layer(tf.constant(texts)).numpy()[1]
    assert (bags["multi_hot"][1:] == old.texts_to_matrix(texts, "binary")[1, 1:]).all()
    assert not np.allclose(bags["tf_idf"][1:], old.texts_to_matrix(texts, "tfidf")[1, 1:])
    letters = vectorization(split="character")
    letters.adapt(tf.constant(["ab"]))
    assert letters(tf.constant(["aab"])).shape == (1, 3)
    fixed = vectorization(output_sequence_length=4, vocabulary=["film", "a"])
    assert fixed(tf.constant(["a film"])).numpy().tolist() == [[3, 2, 0, 0]]
    assert keras.utils.pad_sequences([[3, 2]], maxlen=4).tolist() == [[0, 0, 3, 2]]
    hashed = keras.layers.Hashing(8, mask_value="")(tf.strings.split(tf.constant(["a film"])))
    assert all(0 < number < 8 for number in hashed.to_list()[0])


def test_ngrams(layers):
    ngrams = layers["ngrams"]
    assert ngrams(["a", "b", "c"], 2) == ["a b", "b c"]
    assert ngrams(["a", "b", "c"], 3) == ["a b c"]
    assert ngrams(["a"], 2) == ngrams([], 1) == []


# --- byte-pair encoding ---------------------------------------------------------------------------------------------


def test_pairs_are_counted_as_often_as_the_word_appears(bpe):
    assert bpe["count_pairs"]({("a", "b", "a", "b"): 3, ("b", "a"): 1}) == {
        ("a", "b"): 6,
        ("b", "a"): 4,
    }


def test_merge_goes_from_left_to_right(bpe):
    merge = bpe["merge"]
    assert merge(tuple("aaaaa"), ("a", "a")) == ("aa", "aa", "a")
    assert merge(tuple("abcab"), ("a", "b")) == ("ab", "c", "ab")
    assert merge((), ("a", "b")) == ()


def test_merges_on_a_tiny_corpus(bpe):
    steps = bpe["learn_bpe"]({"ab": 3, "abc": 2}, 5)
    assert [(pair, count) for pair, count, _ in steps] == [
        (("a", "b"), 5),
        (("ab", "_"), 3),
        (("c", "_"), 2),
        (("ab", "c_"), 2),
    ]
    assert steps[-1][2] == {("ab_",): 3, ("abc_",): 2}


@pytest.mark.parametrize("nothing", [{}, Counter()])
def test_nothing_to_merge_is_no_error(bpe, nothing):
    assert bpe["learn_bpe"](nothing, 5) == []
    assert bpe["bpe"]("", []) == ("_",)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="actingbored가나é", max_size=12))
def test_bpe_round_trip(bpe, word):
    assert "".join(bpe["bpe"](word, bpe["merges"])) == word + "_"


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(alphabet="abc", min_size=1, max_size=6), st.integers(1, 9), min_size=1, max_size=5
    ),
    st.integers(0, 8),
)
def test_every_merge_is_the_most_frequent_pair_and_loses_no_letter(bpe, counts, n_merges):
    before = {(*word, "_"): count for word, count in counts.items()}
    for pair, count, after in bpe["learn_bpe"](counts, n_merges):
        assert count == max(bpe["count_pairs"](before).values()) == bpe["count_pairs"](before)[pair]
        assert {"".join(symbols)[:-1]: n for symbols, n in after.items()} == counts
        before = after


def test_learning_and_applying_agree(bpe):
    for corpus_word in bpe["steps"][-1][2]:
        assert bpe["bpe"]("".join(corpus_word)[:-1], bpe["merges"]) == corpus_word


@pytest.fixture(scope="module")
def tokenizer():
    return define(LESSON, "get-tokenizers", "train-bpe")["train_bpe"](
        ["the film is good", "the film is bad"] * 10, 270
    )


@pytest.mark.parametrize(
    "text", ["", "?!", "  two  spaces ", "isn't it", "학교에서 친구를 만났다.", "\x85é🙂"]
)
def test_the_library_gives_every_text_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_the_library_learns_what_it_was_shown(tokenizer):
    assert len(tokenizer.encode("the film").ids) < len("the film")
    assert len(tokenizer.encode("学").ids) == 3


# --- Korean ---------------------------------------------------------------------------------------------------------


def test_morphemes_of_korean_and_of_nothing():
    names = define(LESSON, "split-words", "korean-text", "get-kiwi", "morphemes")
    found = names["morphemes"](["학교에서 친구를 만났다.", "", "?!", "줄\n바꿈"])
    assert len(found) == 4 and found[1] == found[2] == []
    assert found[0][:2] == ["학교/NNG", "에서/JKB"] and not [
        piece for piece in found[0] if piece.startswith(".")
    ]
    assert len(names["korean"]) == 40 and all(
        text.endswith(".") and text.count(".") == 1 for text in names["korean"]
    )


# --- masks ----------------------------------------------------------------------------------------------------------


def test_a_mask_keeps_padding_out_of_the_state():
    names = define(LESSON, "case-and-punctuation", "int-mode", "mask-layers", "mask-table")
    embed, lstm = names["embed"], names["lstm"]
    alone = lstm(embed(names["alone"])).numpy()
    automatic = names["keras"].layers.Embedding(11, 32, mask_zero=True)
    for length in (5, 6, 30):
        ids = names["keras"].utils.pad_sequences(names["alone"], length, padding="post")
        assert (automatic.compute_mask(ids).numpy() == (ids != 0)).all()
        masked = lstm(embed(ids), mask=ids != 0).numpy()
        plain = lstm(embed(ids)).numpy()
        assert np.allclose(masked, alone, atol=1e-6)
        assert np.allclose(plain, alone, atol=1e-6) == (length == 5)


def test_distances_without_a_mask_fade():
    names = define(
        LESSON,
        "case-and-punctuation",
        "int-mode",
        "mask-layers",
        "forgetting",
        "forgetting-distances",
    )
    with_mask, without = names["distances"](names["long"] != 0), names["distances"](None)
    assert with_mask.shape == without.shape == (31,)
    assert np.allclose(with_mask, with_mask[0]) and np.isclose(without[0], with_mask[0])
    assert without[30] < 0.1 * without[0]
