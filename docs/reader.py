"""Train the small network that reads a sentence on the site's first page, and write it to docs/_static/reader-model.js.

    python docs/reader.py          needs the course's packages and the IMDB reviews; about three minutes on two cores

A GRU of 16 units guesses after every word whether a review is positive. It learns from pieces of reviews that begin anywhere,
so that single sentences are nothing new to it. Weights are stored as one byte each; docs/_static/reader.js computes with them.
"""

import base64
import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import keras  # noqa: E402

from helpers import load_imdb, setup  # noqa: E402

N_WORDS, N_STEPS, UNITS, EPOCHS = 4000, 48, 16, 40
SENTENCES = [
    "The plot is thin, but the acting is superb.",
    "A wonderful film, funny and moving.",
    "It begins well, then it becomes a boring waste of time.",
    "Not bad at all.",
]


def words(text):
    return re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower().replace("<br />", " "))


def pieces(reviews, labels, random):
    """One piece of N_STEPS words from each review, and its label at every step; 0 stands for padding."""
    x = np.zeros((len(reviews), N_STEPS), "int32")
    for row, review in zip(x, reviews, strict=True):
        start = random.integers(max(1, len(review) - N_STEPS // 2))
        piece = review[start : start + N_STEPS]
        row[: len(piece)] = piece
    return x, np.repeat(labels[:, None, None], N_STEPS, 1).astype("float32")


def packed(weights):
    """{scale, bytes}: an array as whole numbers from -127 to 127, in base64."""
    scale = float(np.abs(weights).max() / 127)
    return {
        "scale": scale,
        "bytes": base64.b64encode(np.round(weights / scale).astype("int8").tobytes()).decode(),
    }


def main():
    setup(seed=1)
    random = np.random.default_rng(1)
    texts, labels = load_imdb("train")
    labels = np.asarray(labels)
    tokens = [words(text) for text in texts]
    counts = Counter(word for review in tokens for word in review)
    vocabulary = [word for word, _ in counts.most_common(N_WORDS)]
    index = {word: i for i, word in enumerate(vocabulary, 2)}  # 0 padding, 1 unknown
    reviews = [[index.get(word, 1) for word in review] for review in tokens]

    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((None,)),
            layers.Embedding(N_WORDS + 2, UNITS, mask_zero=True),
            layers.SpatialDropout1D(0.1),
            layers.GRU(UNITS, return_sequences=True, reset_after=False),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["accuracy"])
    valid = random.permutation(len(reviews))
    valid, train = valid[:2500], valid[2500:]
    x_valid, y_valid = pieces([reviews[i] for i in valid], labels[valid], random)
    for epoch in range(EPOCHS):
        x, y = pieces([reviews[i] for i in train], labels[train], random)
        if epoch == EPOCHS * 2 // 3:
            model.optimizer.learning_rate = 1e-3
        model.fit(x, y, batch_size=256, verbose=0)
        if epoch % 5 == 4:
            print(
                epoch + 1,
                [round(float(v), 3) for v in model.evaluate(x_valid, y_valid, verbose=0)],
                flush=True,
            )

    embedding, kernel, recurrent, bias, dense, dense_bias = model.get_weights()
    arrays = dict(
        embedding=embedding,
        kernel=kernel,
        recurrent=recurrent,
        bias=bias,
        dense=dense,
        denseBias=dense_bias,
    )
    examples = {}
    for sentence in SENTENCES:
        ids = np.array([[index.get(word, 1) for word in words(sentence)]])
        examples[sentence] = [round(float(p), 3) for p in model.predict(ids, verbose=0)[0, :, 0]]
        print(sentence, examples[sentence])
    reader = {
        "units": UNITS,
        "words": " ".join(vocabulary),
        "weights": {k: packed(v) for k, v in arrays.items()},
        "examples": examples,
    }
    target = ROOT / "docs" / "_static" / "reader-model.js"
    target.write_text(f"window.readerModel = {json.dumps(reader)};\n", encoding="utf-8")
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
