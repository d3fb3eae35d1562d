"""Searching Korean: a word of the text is also found by its first syllables, since particles stick to nouns."""

import re


def beginnings(word):
    """`word` and, if it is Korean, its beginnings of two or more syllables.

    >>> beginnings("게이트를"), beginnings("gate")
    (['게이트를', '게이', '게이트'], ['gate'])
    """
    if not re.fullmatch("[가-힣]{3,}", word):
        return [word]
    return [word, *(word[:n] for n in range(2, len(word)))]
