"""Lesson 11: pictures and captions, no held-out combination in training, beam search against enumeration."""

import itertools

import numpy as np
import pytest
from lessons import define

LESSON = "11_image_captions"


@pytest.fixture(scope="module")
def lesson():
    names = ("things", "shapes", "inside", "picture", "and", "sample", "combinations", "words")
    return define(
        LESSON, *names, "encode", "is-true", "said", "greedy", "beam-search", "draw", "paint"
    )


def test_no_held_out_combination_is_trained(lesson):
    known, unseen = lesson["known"], lesson["unseen"]
    assert len(known) == 12 and len(unseen) == 4 and not set(known) & set(unseen)
    for part in (0, 1):  # but every color and every shape is
        assert {pair[part] for pair in known} == {pair[part] for pair in unseen}
    _, captions = lesson["sample"](3_000, known, np.random.default_rng(0))
    things = {thing for caption in captions for thing in caption.split(" and ")}
    assert things == {" ".join(pair) for pair in known}


def test_a_picture_shows_what_its_caption_says(lesson):
    random = np.random.default_rng(1)
    pictures, captions = lesson["sample"](400, lesson["everything"], random)
    assert pictures.shape == (400, 24, 24, 3) and pictures.dtype == np.uint8
    paints = np.array([*lesson["PAINTS"].values(), (230, 230, 230)])
    names = np.array([*lesson["PAINTS"], "paper"])
    for pixels, caption in zip(pictures, captions, strict=True):
        far = np.abs(pixels[:, :, None].astype(int) - paints).sum(axis=-1)
        found, counts = np.unique(names[far.argmin(axis=-1)], return_counts=True)
        seen = {name for name, count in zip(found, counts, strict=True) if count > 8}
        assert seen - {"paper"} == {thing.split()[0] for thing in caption.split(" and ")}


def test_the_order_is_a_coin(lesson):
    _, captions = lesson["sample"](2_000, lesson["known"], np.random.default_rng(2))
    pairs = [caption.split(" and ") for caption in captions if " and " in caption]
    assert 0.45 < np.mean([first < second for first, second in pairs]) < 0.55


def test_captions_and_ids(lesson):
    rows = lesson["encode"](["red square", "blue cross and red square"])
    assert rows.shape == (2, 7) and (rows[:, 0] == 1).all()
    assert [" ".join(lesson["said"](row[1:])) for row in rows] == [
        "red square",
        "blue cross and red square",
    ]
    true = lesson["is_true"]
    assert true("a b and c d", "c d and a b") and not true("a d and c b", "a b and c d")
    assert not true("a b", "a b and a b")


def toy(seed):
    """Words of a random language: sentences of one to three words, and its full list."""
    random = np.random.default_rng(seed)
    table = {}
    for length in range(3):
        for words in itertools.product("abc", repeat=length):
            p = random.dirichlet(np.ones(4)).tolist()
            table[words] = dict(zip((*"abc", "<end>"), p, strict=True))
    every = {}
    for length in range(4):
        for words in itertools.product("abc", repeat=length):
            p = np.prod([table[words[:i]][words[i]] for i in range(length)])
            p *= table.get(words, {"<end>": 1.0})["<end>"]
            every[(*words, "<end>")] = np.log(p)
    return lambda words: table.get(words, {"<end>": 1.0}), every


@pytest.mark.parametrize("seed", range(8))
def test_a_wide_beam_finds_the_best_sentence_and_width_1_is_greedy(lesson, seed):
    next_words, every = toy(seed)
    score, words = lesson["beam_search"](next_words, 100)[0]
    best = max(every, key=every.get)
    assert words == best and score == pytest.approx(every[best])

    words = ()
    while "<end>" not in words:
        shares = next_words(words)
        words += (max(shares, key=shares.get),)
    (narrow,) = lesson["beam_search"](next_words, 1)
    assert narrow[1] == words and narrow[0] == pytest.approx(every[words])


def test_a_beam_of_the_network_of_width_1_is_greedy_writing(lesson):
    shares = np.random.default_rng(0).dirichlet(np.ones(12), size=(12, 7))

    class Network:  # says the next word after the last one, whatever the picture
        def __call__(self, inputs):
            pictures, rows = inputs
            logits = np.log(np.stack([shares[rows[:, i], i] for i in range(rows.shape[1])], 1))
            return type("Tensor", (), {"numpy": lambda self: logits})()

    words = lesson["WORDS"]

    def next_words(so_far):
        last = words.index(so_far[-1]) if so_far else 1
        return dict(zip(words[2:], shares[last, len(so_far)][2:], strict=True))

    (written,) = lesson["greedy"](Network(), np.zeros((1, 24, 24, 3)))
    beam = [word for word in lesson["beam_search"](next_words, 1)[0][1] if word != "<end>"]
    assert written == " ".join(beam)


def test_temperature(lesson):
    def next_words(words):
        return {"<end>": 1.0} if words else {"a": 0.8, "b": 0.2}

    for temperature, low, high in ((0.05, 1, 1), (1, 0.75, 0.85), (1000, 0.4, 0.6)):
        random = np.random.default_rng(0)
        drawn = [lesson["draw"](next_words, temperature, random) for _ in range(500)]
        assert low <= np.mean([one == "a" for one in drawn]) <= high


def test_any_painting_is_a_picture(lesson):
    for text in ("", "r", "rgby\n....", "r" * 40, "\n".join(["b" * 24] * 24), "?? xx"):
        assert lesson["paint"](text).shape == (24, 24, 3)
    assert (lesson["paint"]("r")[11, 0] == lesson["PAINTS"]["red"]).all()
