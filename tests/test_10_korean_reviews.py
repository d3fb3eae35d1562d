"""Lesson 10: units, noise, and the reviews that were written for the course."""

import unicodedata

import numpy as np
import pytest
from lessons import define

import helpers

LESSON = "10_korean_reviews"


@pytest.fixture(scope="module")
def lesson():
    names = ("letters-lists", "letters", "noise-functions", "vocabulary", "encode")
    return define(LESSON, *names)


def test_letters_are_those_of_unicode(lesson):
    """All 11,172 syllables: three letters as NFD gives them, in Unicode's order."""
    for code in range(ord("가"), ord("힣") + 1):
        parts = [ord(part) for part in unicodedata.normalize("NFD", chr(code))]
        wanted = lesson["INITIALS"][parts[0] - 0x1100] + lesson["VOWELS"][parts[1] - 0x1161]
        wanted += lesson["FINALS"][parts[2] - 0x11A7] if len(parts) > 2 else ""
        assert lesson["letters"](chr(code)) == wanted


def test_only_finals_are_dropped(lesson):
    text = "정말 재밌는 영화 ㅋㅋ ok!"
    everything = lesson["drop_finals"](text, np.random.default_rng(0), rate=1)
    assert everything == "저마 재미느 여화 ㅋㅋ ok!"
    assert lesson["drop_finals"](text, np.random.default_rng(0), rate=0) == text


def test_unknown_and_empty(lesson):
    lesson["size"] = 4
    number = lesson["vocabulary"]([["a", "b", "a"], ["b", "a", "c"]])
    assert number == {"a": 2, "b": 3}
    rows = lesson["encode"]([["a", "c", "b"], []], number)
    assert [row.tolist() for row in rows] == [[2, 1, 3], [1]]


def test_the_course_s_own_reviews():
    (texts, labels), _ = helpers._read_nsmc(helpers.COURSE_DATA / "korean_reviews.tsv")
    assert len(texts) >= 600 and len(set(texts)) == len(texts) and labels.mean() == 0.5
    assert all(0 < len(text) <= 140 and text == text.strip() for text in texts)
    assert {unicodedata.normalize("NFC", text) for text in texts} == set(texts)
