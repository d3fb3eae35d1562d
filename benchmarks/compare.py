"""The chapter's way, this course's way, and what a user would pick instead, side by side.

    python benchmarks/compare.py               all, written to benchmarks/results.md        (about 15 minutes on two cores)
    python benchmarks/compare.py windows imdb  only the comparisons whose name begins like this, printed
    python benchmarks/compare.py --one NAME WAY

Each way of each comparison runs in a process of its own, which prints the seconds of its repetitions; the table shows medians.
The data are the real ones if `RNN_DATA_DIR` has them; otherwise the committed subset, the simulated prices and the training half.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
import helpers  # noqa: E402

COMPARISONS = {}  # name: {way: function that prepares and returns the function to time}


def way(name, label):
    def keep(prepare):
        COMPARISONS.setdefault(name, {})[label] = prepare
        return prepare

    return keep


CHAPTER, COURSE, INSTEAD = "chapter", "course", "instead"


# --- lesson 02: windows ---------------------------------------------------------------------------------------------


def series():
    import numpy as np

    return np.sin(np.arange(200_000) / 10).reshape(-1, 1)


@way("windows of 20 from 200,000 points", CHAPTER)
def windows_chapter():
    import numpy as np

    seq = series()

    def run():
        x, y = [], []
        for i in range(len(seq) - 20):
            x.append(seq[i : i + 20])
            y.append(seq[i + 20])
        return np.array(x), np.array(y)

    return run


@way("windows of 20 from 200,000 points", COURSE)
def windows_course():
    from numpy.lib.stride_tricks import sliding_window_view

    seq = series()
    return lambda: (sliding_window_view(seq[:, 0], 20)[:-1, :, None], seq[20:])


@way("windows of 20 from 200,000 points", INSTEAD)
def windows_keras():
    import keras

    seq = series()

    def run():
        for _ in keras.utils.timeseries_dataset_from_array(
            seq[:-1], seq[20:], 20, batch_size=10_000
        ):
            pass

    return run


# --- lesson 04: returns and moving averages -------------------------------------------------------------------------


def closes():
    return helpers.load_stock()[["Close"]]


@way("returns and shifted averages of 5,528 days", CHAPTER)
def returns_chapter():
    table = closes()

    def run():
        df = table.copy()
        df["3MA"], df["5MA"] = df["Close"].rolling(3).mean(), df["Close"].rolling(5).mean()
        df["3MA_new"] = df["5MA_new"] = df["R_t"] = float("nan")
        for i in range(len(df) - 1):
            df.iloc[i + 1, 3] = df.iloc[i, 1]
            df.iloc[i + 1, 4] = df.iloc[i, 2]
        for i in range(len(df) - 1):
            y0, y1 = df.iloc[i, 0], df.iloc[i + 1, 0]
            df.iloc[i + 1, 5] = (y1 - y0) / y0
        return df

    return run


@way("returns and shifted averages of 5,528 days", COURSE)
def returns_course():
    table = closes()

    def run():
        df = table.copy()
        for days in (3, 5):
            df[f"{days}MA"] = df["Close"].rolling(days).mean().shift(1)
        df["R_t"] = df["Close"].pct_change()
        return df

    return run


@way("returns and shifted averages of 5,528 days", INSTEAD)
def returns_numpy():
    import numpy as np

    close = closes()["Close"].to_numpy()

    def run():
        averages = [np.convolve(close, np.ones(days) / days, "valid") for days in (3, 5)]
        return averages, np.diff(close) / close[:-1]

    return run


# --- GloVe ----------------------------------------------------------------------------------------------------------


def glove_file(folder):
    """The person's own GloVe file, or one made of the committed subset, alone in a folder."""
    target = Path(folder) / helpers.GLOVE_NAME
    own = helpers.data_dir() / helpers.GLOVE_NAME
    if own.is_file():
        target.symlink_to(own)
    else:
        glove = helpers.load_glove()
        glove.astype(str).to_csv(target, sep=" ", header=False, quoting=3)
    os.environ["RNN_DATA_DIR"] = str(folder)
    return target


@way("GloVe text file to vectors", CHAPTER)
def glove_chapter():
    import numpy as np

    path = glove_file(FOLDER)

    def run():
        index = {}
        with open(path, encoding="utf-8") as file:
            for line in file:
                values = line.split()
                index[values[0]] = np.asarray(values[1:], dtype="float32")
        return index

    return run


@way("GloVe text file to vectors", COURSE)
def glove_course():
    glove_file(FOLDER)

    def run():
        (Path(FOLDER) / "glove-cache.npz").unlink(missing_ok=True)
        return helpers.load_glove()

    return run


@way("GloVe text file to vectors", "course, cached")
def glove_cached():
    glove_file(FOLDER)
    helpers.load_glove()
    return helpers.load_glove


@way("GloVe text file to vectors", "course, committed subset")
def glove_subset():
    os.environ["RNN_DATA_DIR"], os.environ["RNN_OFFLINE"] = FOLDER, "1"
    return helpers.load_glove


@way("GloVe text file to vectors", INSTEAD)
def glove_loadtxt():
    import numpy as np

    path = glove_file(FOLDER)

    def run():
        with open(path, encoding="utf-8") as file:
            words, numbers = zip(*(line.rstrip("\n").split(" ", 1) for line in file), strict=True)
        return words, np.loadtxt(numbers, np.float32)

    return run


# --- IMDB -----------------------------------------------------------------------------------------------------------


def reviews():
    return helpers.load_imdb("train")


def imdb_files(folder):
    """25,000 review files in the official layout (the training half; test/ holds one review of each class)."""
    texts, labels = reviews()
    for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
        for part in ("train", "test") if i in (0, len(texts) - 1) else ("train",):
            path = Path(folder) / "aclImdb" / part / ("pos" if label else "neg") / f"{i}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    os.environ["RNN_DATA_DIR"] = str(folder)
    return Path(folder) / "aclImdb"


@way("IMDB: 25,000 reviews to texts", CHAPTER)
def imdb_chapter():
    root = imdb_files(FOLDER) / "train"

    def run():
        labels, texts = [], []
        for label_type in ["neg", "pos"]:
            for name in os.listdir(root / label_type):
                if name[-4:] == ".txt":
                    file = open(root / label_type / name, encoding="utf-8")
                    texts.append(file.read())
                    file.close()
                    labels.append(int(label_type == "pos"))
        return texts, labels

    return run


@way("IMDB: 25,000 reviews to texts", COURSE)
def imdb_archive():
    folder = imdb_files(FOLDER)
    with tarfile.open(Path(FOLDER) / "aclImdb.tar.gz", "w:gz") as archive:
        archive.add(folder, "aclImdb")
    subprocess.run(["rm", "-r", str(folder)], check=True)

    def run():
        (Path(FOLDER) / "imdb-cache.npz").unlink(missing_ok=True)
        return helpers.load_imdb("train")

    return run


@way("IMDB: 25,000 reviews to texts", "course, cached")
def imdb_cached():
    imdb_files(FOLDER)
    helpers.load_imdb("train")
    return lambda: helpers.load_imdb("train")


@way("IMDB: 25,000 reviews to texts", INSTEAD)
def imdb_keras():
    import keras

    root = imdb_files(FOLDER) / "train"

    def run():
        with contextlib.redirect_stdout(io.StringIO()):
            dataset = keras.utils.text_dataset_from_directory(root, batch_size=1_000)
        return [text for texts, _ in dataset for text in texts.numpy()]

    return run


# --- lesson 05: counting and encoding -------------------------------------------------------------------------------


class Keras2Tokenizer:
    """What the Tokenizer of Keras 2 did, in the same loops."""

    table = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))

    def words(self, text):
        return [word for word in text.lower().translate(self.table).split(" ") if word]

    def fit_on_texts(self, texts):
        self.counts, self.documents = {}, {}
        for text in texts:
            words = self.words(text)
            for word in words:
                self.counts[word] = self.counts.get(word, 0) + 1
            for word in set(words):
                self.documents[word] = self.documents.get(word, 0) + 1
        ordered = sorted(self.counts.items(), key=lambda pair: -pair[1])
        self.index = {word: i for i, (word, _) in enumerate(ordered, 1)}

    def texts_to_sequences(self, texts, num_words):
        for text in texts:
            numbers = []
            for word in self.words(text):
                i = self.index.get(word)
                if i is not None and i < num_words:
                    numbers.append(i)
            yield numbers


@way("counting the tokens of 25,000 reviews", CHAPTER)
def count_chapter():
    texts, _ = reviews()
    return lambda: Keras2Tokenizer().fit_on_texts(texts)


@way("counting the tokens of 25,000 reviews", COURSE)
def count_course():
    from collections import Counter

    from lessons import define

    texts, _ = reviews()
    split_words = define("05_tokenization", "split-words")["split_words"]

    def run():
        counts = Counter()
        for text in texts:
            counts.update(split_words(text))
        return counts

    return run


@way("counting the tokens of 25,000 reviews", INSTEAD)
def count_sklearn():
    from sklearn.feature_extraction.text import CountVectorizer

    texts, _ = reviews()
    return lambda: CountVectorizer().fit_transform(texts).sum(axis=0)


@way("25,000 reviews to ids, 100 per review", CHAPTER)
def encode_chapter():
    import keras

    texts, _ = reviews()
    tokenizer = Keras2Tokenizer()
    tokenizer.fit_on_texts(texts)
    return lambda: keras.utils.pad_sequences(list(tokenizer.texts_to_sequences(texts, 10_000)), 100)


@way("25,000 reviews to ids, 100 per review", COURSE)
def encode_course():
    import keras
    import tensorflow as tf

    texts, _ = reviews()
    layer = keras.layers.TextVectorization(max_tokens=10_000, output_sequence_length=100)
    layer.adapt(tf.constant(texts))
    return lambda: layer(tf.constant(texts)).numpy()


@way("25,000 reviews to ids, 100 per review", INSTEAD)
def encode_tokenizers():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    texts, _ = reviews()
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = (
        normalizers.Lowercase(),
        pre_tokenizers.Whitespace(),
    )
    tokenizer.train_from_iterator(
        texts, trainers.WordLevelTrainer(vocab_size=10_000, special_tokens=["[PAD]", "[UNK]"])
    )
    tokenizer.enable_truncation(100)
    tokenizer.enable_padding(length=100)
    return lambda: [encoding.ids for encoding in tokenizer.encode_batch(texts)]


# --- lesson 06: co-occurrence ---------------------------------------------------------------------------------------


def numbered_reviews(n_words=10_000):
    import numpy as np

    tokenizer = Keras2Tokenizer()
    texts, _ = reviews()
    tokenizer.fit_on_texts(texts)
    return [
        np.array([i - 1 for i in ids]) for ids in tokenizer.texts_to_sequences(texts, n_words + 1)
    ]


@way("co-occurrence counts, window 5, 25,000 reviews", CHAPTER)
def cooccurrence_loops():
    ids = [review.tolist() for review in numbered_reviews()]

    def run():  # the chapter shows the table only; this is the loop that it describes
        counts = {}
        for review in ids:
            for t, i in enumerate(review):
                for k in review[max(0, t - 5) : t]:
                    counts[i, k] = counts.get((i, k), 0) + 1
                    counts[k, i] = counts.get((k, i), 0) + 1
        return counts

    return run


@way("co-occurrence counts, window 5, 25,000 reviews", COURSE)
def cooccurrence_course():
    from lessons import define

    ids = numbered_reviews()
    cooccurrence = define("06_word_embeddings", "cooccurrence")["cooccurrence"]
    return lambda: sum(
        cooccurrence(ids[i : i + 2_500], 10_000, window=5) for i in range(0, len(ids), 2_500)
    )


# --- lesson 08: the threshold ---------------------------------------------------------------------------------------


def probabilities():
    import numpy as np

    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 12_500)
    return y, 1 / (1 + np.exp(-rng.normal(2.0 * y - 1, 1.2)))


@way("best threshold for 25,000 probabilities", CHAPTER)
def threshold_chapter():
    import numpy as np
    from sklearn.metrics import confusion_matrix

    y, p = probabilities()

    def run():  # 401 thresholds from 0.4 to 0.8
        rates = {}
        for threshold in np.arange(0.4, 0.801, 0.001):
            decided = []
            for j in range(len(p)):
                decided.append(1 if p[j] >= threshold else 0)
            matrix = confusion_matrix(decided, y)
            rates[threshold] = (matrix[0, 1] + matrix[1, 0]) / sum(sum(matrix))
        return min(rates, key=rates.get)

    return run


@way("best threshold for 25,000 probabilities", COURSE)
def threshold_course():
    from lessons import define

    y, p = probabilities()
    best_threshold = define("09_decisions", "best-threshold")["best_threshold"]
    return lambda: best_threshold(y, p)


@way("best threshold for 25,000 probabilities", INSTEAD)
def threshold_sklearn():
    import numpy as np
    from sklearn.metrics import roc_curve

    y, p = probabilities()

    def run():
        false_rate, true_rate, thresholds = roc_curve(y, p, drop_intermediate=False)
        return thresholds[np.argmax(true_rate - false_rate)]

    return run


# --- one epoch of each recurrent layer ------------------------------------------------------------


def epoch(layer, by_length, n_reviews=4_000, length=400):
    """One epoch on reviews of at most `length` tokens, padded to one length or in batches by length."""
    import keras
    import numpy as np
    import tensorflow as tf

    helpers.setup()
    chosen = np.random.default_rng(0).permutation(25_000)[:n_reviews]
    texts, labels = reviews()
    words = keras.layers.TextVectorization(max_tokens=10_000, ragged=True)
    words.adapt(tf.constant(texts[::10]))
    ids = words(tf.constant([texts[i] for i in chosen]))
    rows = [row[-length:] for row in np.split(ids.flat_values, ids.row_splits[1:-1])]
    if not by_length:
        rows = list(keras.utils.pad_sequences(rows, padding="post"))
    layers = [keras.layers.Embedding(10_000, 64, mask_zero=True), layer(64), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((None,)), *layers])
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    batches = helpers.batches_by_length(rows, labels[chosen])
    model.fit(batches, verbose=0)  # builds the graph
    return lambda: model.fit(batches, verbose=0)


for _name in ("SimpleRNN", "LSTM", "GRU"):
    for _label, _by_length in (("padded", False), ("by length", True)):

        @way(f"one epoch of {_name}(64), 4,000 reviews", _label)
        def one_epoch(name=_name, by_length=_by_length):
            import keras

            return epoch(getattr(keras.layers, name), by_length)


# --- running and writing --------------------------------------------------------------------------------------------

FOLDER = ""
SECONDS, MOST = (
    5,
    7,
)  # repeat until this many seconds have passed, at least twice, at most seven times


def one(name, label):
    """Times of one way, in this process."""
    global FOLDER
    with tempfile.TemporaryDirectory() as FOLDER, contextlib.redirect_stdout(io.StringIO()):
        run = COMPARISONS[name][label]()
        times = []
        while len(times) < 2 or (sum(times) < SECONDS and len(times) < MOST):
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    print(json.dumps(times))


def measured(name):
    """{way: median seconds} of one comparison, each way in a process of its own."""
    found = {}
    for label in COMPARISONS[name]:
        command = [sys.executable, __file__, "--one", name, label]
        result = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        )
        if result.returncode:
            sys.exit(f"{name}, {label}:\n{result.stderr}")
        found[label] = median(json.loads(result.stdout.splitlines()[-1]))
        print(f"{name:<50}{label:<28}{found[label]:>12.5f} s", flush=True)
    return found


def table(head, rows):
    return (
        "\n".join(["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)])
        + "\n"
    )


def report(found):
    texts = [
        "# Benchmarks\n",
        "Made by `make bench`; every way in a process of its own, medians of two to seven repetitions. "
        f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}.\n",
        "## Side by side\n",
        "*Chapter*: the original lecture's code. *Instead*: what a user would pick without this course. The ratio is "
        "the other way's time divided by the course's; above 1 the course is faster.\n",
    ]
    rows = []
    for name, times in found.items():
        if COURSE in times:
            rows += [
                [name, label, f"{t:.3g}", f"{t / times[COURSE]:.3g}"] for label, t in times.items()
            ]
    texts.append(table(["what", "way", "seconds", "ratio"], rows))
    texts.append("## Recurrent layers: padded to one length, or in batches by length\n")
    rows = [
        [name, f"{t['padded']:.2f}", f"{t['by length']:.2f}", f"{t['padded'] / t['by length']:.2f}"]
        for name, t in found.items()
        if "padded" in t
    ]
    texts.append(table(["what", "padded, s", "by length, s", "ratio"], rows))
    return "\n".join(texts)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "WAY"))
    arguments = parser.parse_args()
    if arguments.one:
        return one(*arguments.one)
    chosen = [
        name
        for name in COMPARISONS
        if not arguments.names or re.match("|".join(arguments.names), name, re.I)
    ]
    found = {name: measured(name) for name in chosen}
    if not arguments.names:
        (ROOT / "benchmarks" / "results.md").write_text(report(found), encoding="utf-8")
        print("written to benchmarks/results.md")
    return None


if __name__ == "__main__":
    main()
