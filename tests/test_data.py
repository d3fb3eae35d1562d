"""The loaders: the right data from every source, and one clear sentence for every fault."""

import ast
import contextlib
import gzip
import hashlib
import http.server
import io
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import helpers

OFTEN = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# --- small data of the right form -----------------------------------------------------------------


def reviews(reviews_per_class=3, without=()):
    """(name, text) of the files of a small aclImdb."""
    return [
        (f"aclImdb/{part}/{i}_7.txt", f"{part[-3:]} film number {i} ({part[:-4]})")
        for part in helpers.IMDB_PARTS
        if part not in without
        for i in range(reviews_per_class)
    ]


def archive(reviews_per_class=3, without=(), extra=(), mode="w:gz"):
    """The bytes of a small aclImdb_v1.tar.gz; `extra` are more (name, text) members."""
    members = reviews(reviews_per_class, without)
    members += [("aclImdb/train/unsup/0_0.txt", "never read"), ("aclImdb/README", "about"), *extra]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, text in members:
            info = tarfile.TarInfo(name)
            raw = text if isinstance(text, bytes) else text.encode()
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return buffer.getvalue()


def extracted(folder, reviews_per_class=3, without=()):
    for name, text in reviews(reviews_per_class, without):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "aclImdb"


def glove_text(words=("the", "king", "queen"), numbers=100):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(len(words), numbers))
    return "".join(
        word + "".join(f" {x:.4f}" for x in row) + "\n"
        for word, row in zip(words, rows, strict=True)
    )


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in members:
            packed.writestr(name, text)
    return buffer.getvalue()


def prices(rows=120, start="2020-01-01"):
    close = 60000.0 + 100 * (np.arange(rows) % 7)
    return pd.DataFrame(
        {
            "Date": pd.bdate_range(start, periods=rows),
            "Open": close - 100,
            "High": close + 500,
            "Low": close - 500.5,
            "Close": close,
            "Adj Close": close / 2,
            "Volume": 3_218_609 + np.arange(rows),
        }
    )


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty data folder, where we are, and an IMDB of three reviews in each part."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RNN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RNN_OFFLINE", "1")
    monkeypatch.setattr(helpers, "IMDB_REVIEWS", 3)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refused(load, *says):
    """The message of the DataError; none may tell anybody to delete a file."""
    with pytest.raises(helpers.DataError) as error:
        load()
    message = str(error.value)
    for part in says:
        assert part in message
    assert "elete it" not in message and "emove" not in message
    assert error.value._render_traceback_() == [f"DataError: {message}"]
    return message


class Server(http.server.ThreadingHTTPServer):
    """Serves bytes under names; a name may also stand for a fault."""

    daemon_threads = True
    files, faults = {}, {}

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        fault = self.server.faults.get(name)
        body = self.server.files.get(name, b"")
        if isinstance(fault, int):
            return self.send_error(fault)
        if fault == "loop":
            self.send_response(302)
            self.send_header("Location", self.path)
            return self.end_headers()
        if fault == "stalls":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:100])
            self.wfile.flush()
            time.sleep(30)
            return None
        if fault == "silent":
            time.sleep(3)
            return None
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if isinstance(fault, float):  # this much comes, then the connection ends
            body = body[: int(len(body) * fault)]
        if fault == "reset":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            linger = struct.pack("ii", 1, 0)  # close with RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return self.connection.close()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def dead_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def server(monkeypatch, folder):
    """A local server for the official addresses, with the checksum of its good archive pinned."""
    with Server(("127.0.0.1", 0), Handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        good = archive()
        served.files, served.faults = {"aclImdb_v1.tar.gz": good}, {}
        monkeypatch.setattr(helpers, "IMDB_URLS", (served.url("aclImdb_v1.tar.gz"),))
        monkeypatch.setattr(helpers, "IMDB_SHA256", hashlib.sha256(good).hexdigest())
        monkeypatch.setattr(helpers, "TIMEOUT", 1)
        monkeypatch.delenv("RNN_OFFLINE", raising=False)
        yield served
        served.shutdown()


# --- prices: what is read -------------------------------------------------------------------------


def table(**change):
    return prices().assign(**change)


def text(frame=None, **how):
    return (prices() if frame is None else frame).to_csv(**{"index": False, **how})


def dated(form):
    return text(table(Date=prices()["Date"].dt.strftime(form)))


def renamed(*names, drop=()):
    frame = prices().drop(columns=list(drop))
    return text(frame.set_axis(names, axis=1))


def grouped(mark=",", point=".", digits=0):
    """Prices and volumes with marks of thousands."""
    frame = prices()
    for name in helpers.STOCK_COLUMNS:
        places = digits if name != "Volume" else 0
        written = frame[name].map(lambda value, places=places: f"{value:,.{places}f}")
        swap = {",": mark, ".": point}
        frame[name] = written.map(lambda cell, swap=swap: "".join(swap.get(c, c) for c in cell))
    return frame


KRX = ["일자", "종가", "대비", "등락률", "시가", "고가", "저가", "거래량", "거래대금", "시가총액"]


def krx():
    p = prices().iloc[::-1]
    rows = pd.DataFrame(
        {
            **{"일자": p["Date"].dt.strftime("%Y/%m/%d"), "종가": p["Close"].astype(int)},
            **{"대비": 0, "등락률": 0.0, "시가": p["Open"].astype(int)},
            **{"고가": p["High"].astype(int), "저가": p["Low"], "거래량": p["Volume"]},
            **{"거래대금": 1, "시가총액": 1},
        }
    )
    return text(rows)


def yfinance_saved(date_row=True, group_by="column"):
    """What `yfinance.download(...).to_csv()` writes: three header lines."""
    frame = prices().set_index("Date")
    frame.columns = pd.MultiIndex.from_product(
        [frame.columns, ["LOW"]],
        names=["Price", "Ticker"],  # the symbol of Lowe's
    )
    return (frame if group_by == "column" else frame.swaplevel(axis=1)).to_csv()


def investing():
    p = prices().iloc[::-1]
    return text(
        pd.DataFrame(
            {
                "날짜": p["Date"].dt.strftime("%Y- %m- %d"),
                "종가": p["Close"].map("{:,.0f}".format),
                "시가": p["Open"].map("{:,.0f}".format),
                "고가": p["High"].map("{:,.0f}".format),
                "저가": p["Low"].map("{:,.1f}".format),
                "거래량": (p["Volume"] / 1e6).map("{:.6f}M".format),
                "변동 %": "0.25%",
            }
        ),
        quoting=1,
    )


zone = prices()["Date"].dt.tz_localize("America/New_York")
READ = {  # name: the text of a file that holds prices()
    "as it is": text(),
    "Windows": text(lineterminator="\r\n"),
    "old Macintosh": text(lineterminator="\r"),
    "blank lines": text().replace("\n", "\n\n"),
    "lines of commas": text() + ",,,,,,\n" * 3,
    "trailing commas": text().replace("\n", ",\n"),
    "no end of line": text().rstrip(),
    "lower case": text().replace("Date,Open,High", "date,open,HIGH"),
    "signs": text().replace("Close,Adj Close", "Close*,adj_close**"),
    "newest first": text(prices().iloc[::-1]),
    "shuffled": text(prices().sample(frac=1, random_state=0)),
    "last day twice": text(pd.concat([prices(), prices().iloc[-1:]])),
    "index in front": text(prices(), index=True),
    "more columns": text(table(Dividends=0.0, Splits=0.0)),
    "thousands": text(grouped()),
    "won": text(grouped(digits=1).map(lambda x: f"₩{x}" if isinstance(x, str) else x)),
    "blank thousands": text(grouped(mark="\u00a0", digits=2)),
    "semicolon": text(sep=";"),
    "tab": text(sep="\t"),
    "German": text(sep=";", decimal=","),
    "German thousands": text(grouped(mark=".", point=",", digits=2), sep=";"),
    "German dates": text(sep=";", decimal=",", date_format="%d.%m.%Y"),
    "sep line": "sep=;\n" + text(sep=";"),
    "title line": "Samsung Electronics (005930)\n\n" + text(),
    "Yahoo page": text(
        table(Date=prices()["Date"].dt.strftime("%b %d, %Y")).rename(
            columns={
                "Close": "Close Close price adjusted for splits.",
                "Adj Close": "Adj Close Adjusted close price adjusted for splits and dividend "
                "and/or capital gain distributions.",
            }
        ),
        sep="\t",
    ),
    "yfinance": yfinance_saved(),
    "yfinance by ticker": yfinance_saved(group_by="ticker"),
    "time zone": text(table(Date=zone)),
    "midnight": text(table(Date=prices()["Date"].astype(str) + " 00:00:00")),
    "time": dated("%Y-%m-%d 15:30"),
    "Google": dated("%m/%d/%Y 16:00:00"),
    "ISO": dated("%Y-%m-%dT00:00:00.000Z"),
    "Korean Excel": dated("%Y-%m-%d 오전 12:00:00"),
    "Korean dates": dated("%Y년 %m월 %d일"),
    "Korean dots": dated("%Y. %m. %d."),
    "20200101": dated("%Y%m%d"),
    "20200101.0": dated("%Y%m%d.0"),
    "slashes": dated("%Y/%m/%d"),
    "d/m": dated("%d/%m/%Y"),
    "m/d": dated("%m/%d/%Y"),
    "month's name": dated("%d-%b-%Y"),
    "Korean names": renamed("날짜", "시가", "고가", "저가", "종가", "수정종가", "거래량"),
    "pykrx": renamed("날짜", "시가", "고가", "저가", "종가", "거래량", drop=["Adj Close"]),
    "KRX": krx(),
    "Investing.com": investing(),
    "NASDAQ": renamed("Date", "Open", "High", "Low", "Close/Last", "Volume", drop=["Adj Close"]),
    "pandas floats": text(table(Volume=prices()["Volume"].astype(float))),
    "huge volume": text(table(Volume=9e14)),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("name", READ)
def test_prices_that_are_read(folder, name, encoding):
    with contextlib.suppress(UnicodeEncodeError):
        (folder / "mine.csv").write_bytes(READ[name].encode(encoding))
    if not (folder / "mine.csv").exists():
        pytest.skip(f"{encoding} does not know these letters")
    found, wanted = helpers.load_stock(folder / "mine.csv"), prices()
    if "adj" not in READ[name].lower() and "수정" not in READ[name]:
        wanted["Adj Close"] = wanted["Close"]
    if name in ("thousands", "KRX"):  # printed without decimals
        wanted, found = wanted.drop(columns=["High", "Low"]), found.drop(columns=["High", "Low"])
    if name == "huge volume":
        wanted, found = wanted.drop(columns="Volume"), found.drop(columns="Volume")
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False)
    assert found.attrs["source"] == "real" and str(found["Date"].dtype).startswith("datetime64")
    assert {str(kind) for kind in found.dtypes[1:6]} <= {"float64", "int64"}


# --- prices: what is refused ----------------------------------------------------------------------


def cell(name, value, row=49):
    frame = prices().astype(object)
    frame.loc[row, name] = value
    return text(frame)


def dates(*days):
    return text(prices(len(days)).assign(Date=days))


REFUSED = {  # name: (file, what the message says)
    "dividend row": (cell("Open", "1932 Dividend"), ["row 51", "Open", "'1932 Dividend'"]),
    "dividend row of Yahoo's page": (
        text().replace("\n2020-03-11", "\n2020-03-10,354.00 Dividend,,,,,\n2020-03-11"),
        ["row 52", "Open", "'354.00 Dividend'"],
    ),
    "null": (cell("Close", "null"), ["row 51", "column Close", "'null'"]),
    "NaN": (cell("Close", "NaN"), ["row 51", "column Close", "'NaN'"]),
    "dash": (cell("Volume", "-"), ["row 51", "column Volume", "'-'", "not a count"]),
    "blank": (cell("High", " "), ["row 51", "column High", "''"]),
    "zero": (cell("Low", 0), ["row 51", "column Low", "'0'", "above 0"]),
    "negative": (cell("Low", -5), ["row 51", "column Low", "'-5'"]),
    "infinite": (cell("Low", "inf"), ["row 51", "column Low", "'inf'"]),
    "too large": (cell("Low", "1e400"), ["row 51", "'1e400'"]),
    "volume": (cell("Volume", 1e30), ["row 51", "column Volume", "'1e+30'"]),
    "formula": (cell("Close", "#REF!"), ["row 51", "'#REF!'"]),
    "wrong group": (cell("Close", "60,30"), ["row 51", "column Close", "'60,30'"]),
    "two points": (cell("Close", "60.300.5"), ["row 51", "column Close", "'60.300.5'"]),
    "yesterday": (cell("Date", "yesterday"), ["row 51", "column Date", "'yesterday'"]),
    "another form": (cell("Date", "10/03/2020"), ["row 51", "column Date", "'10/03/2020'"]),
    "30 February": (cell("Date", "2020-02-30"), ["row 51", "'2020-02-30'"]),
    "no year": (cell("Date", "03-10"), ["row 51", "'03-10'"]),
    "Excel's year 1900": (cell("Date", "1900-01-00"), ["row 51", "'1900-01-00'"]),
    "header twice": (text() + text(), ["row 122", "column Date", "'Date'"]),
    "day twice": (cell("Date", "2020-03-09"), ["row 51", "column Date", "'2020-03-09'", "twice"]),
    "times": (dates(*(f"{hour:02d}:30:00" for hour in range(9, 15))), ["row 2", "'09:30:00'"]),
    "minutes": (dates(*(f"2020-01-02 {h:02d}:30" for h in range(9, 15))), ["row 3", "twice"]),
    "epoch": (dates(*range(1577836800, 1577936800, 20000)), ["row 2", "'1577836800'"]),
    "epoch ms": (dates(*range(1577836800000, 1577836800009)), ["row 2", "'1577836800000'"]),
    "epoch ns": (dates(*range(1577836800 * 10**9, 1577836800 * 10**9 + 9)), ["row 2"]),
    "Excel serial": (dates(*range(43831, 43840)), ["row 2", "'43831'", "written like"]),
    "Excel serial .0": (
        dates(*(f"{day}.0" for day in range(43831, 43840))),
        ["row 2", "'43831.0'"],
    ),
    "1.5e9": (dates(*np.arange(1.5e9, 1.6e9, 2e7)), ["row 2"]),
    "yymmdd": (dated("%y%m%d"), ["row 2", "'200101'"]),
    "ddmmyyyy": (dated("%d%m%Y"), ["row 2", "'01012020'"]),
    "two-digit year": (dated("%y/%m/%d"), ["row 2", "'20/01/01'"]),
    "month only": (dated("%Y-%m"), ["row 2", "'2020-01'"]),
    "month and year": (dated("%b %Y"), ["row 2", "'Jan 2020'"]),
    "year 21": (dates(*(f"0021-01-0{day}" for day in range(1, 7))), ["row 2", "'0021-01-01'"]),
    "Buddhist year": (dates(*(f"2564-01-0{day}" for day in range(1, 7))), ["row 2"]),
    "tomorrow's": (dates(*(f"2099-01-0{day}" for day in range(1, 7))), ["row 2"]),
    "UTC": (dated("%Y-%m-%d 15:00:00+00:00"), ["row 2", "'2020-01-01 15:00:00+00:00'"]),
    "days below 13": (
        dates(*(f"0{day}/02/2021" for day in range(1, 7))),
        ["two things", "2022-09-20"],
    ),
    "monthly": (dates(*(f"01/0{month}/2021" for month in range(1, 9))), ["two things"]),
    "mangled by Excel": (
        dates("01/04/2021", "01/05/2021", "13/01/2021", "14/01/2021", "02/01/2021"),
        ["row 4", "'13/01/2021'", "2022-09-20"],
    ),
    "three decimals": (
        text(grouped().assign(Volume=300), sep=";"),
        ["'59,900'", "two things", "decimal point"],
    ),
    "thousands of shares": (
        renamed("Date", "Open", "High", "Low", "Close", "Adj Close", "거래량(천주)"),
        ["Volume", "천주"],
    ),
    "hourly": (dated("%Y-%m-%d 09:00:00+09:00"), ["row 2", "'2020-01-01 09:00:00+09:00'"]),
    "no Close": (text(prices().drop(columns="Close")), ["Close", "begins with"]),
    "no Date": (text(prices().drop(columns="Date")), ["Date", "begins with"]),
    "no Volume": (text(prices().drop(columns="Volume")), ["Volume", "begins with"]),
    "Close twice": (renamed("Date", "Open", "High", "Low", "Close", "종가", "Volume"), ["Close"]),
    "two shares": (
        pd.concat(
            {"A": prices(9).set_index("Date"), "B": prices(9).set_index("Date")}, axis=1
        ).to_csv(),
        ["one share"],
    ),
    "header only": (text(prices(0)), ["holds 0 days"]),
    "four days": (text(prices(4)), ["holds 4 days", "at least 5"]),
    "empty": ("", ["mine.csv"]),
    "blank lines": (" \n\n", ["mine.csv"]),
    "HTML": ("<html>\n<body>not found, sorry</body></html>", ["CSV UTF-8", "<html>"]),
    "Git LFS": ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", ["git-lfs"]),
    "JSON": ('{"chart": {"result": [{"Date": [1, 2], "Open": [3]}]}}', ["mine.csv"]),
    "wide JSON": ("[" + "0," * 99_999 + "0]", ["mine.csv"]),
    "open quote": (text().replace("2020-02", '"2020-02', 1), ["mine.csv"]),
    "nulls": ("\0" * 500, ["mine.csv"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_prices_that_are_refused(folder, name):
    content, says = REFUSED[name]
    (folder / "mine.csv").write_text(content, encoding="utf-8")
    refused(lambda: helpers.load_stock(folder / "mine.csv"), "mine.csv", *says)
    assert names(folder) == ["mine.csv"] and (folder / "mine.csv").read_text() == content


@pytest.mark.parametrize(
    "raw", [b"PK\x03\x04" + bytes(range(256)), b"\xd0\xcf\x11\xe0" + bytes(99), b"\xff\xfe\xfa"]
)
def test_prices_that_are_no_text(folder, raw):
    (folder / "data.xlsx").write_bytes(raw)
    refused(lambda: helpers.load_stock(folder / "data.xlsx"), "data.xlsx", "UTF-8")


def test_days_without_trade_are_left_out(folder, capsys):
    frame = prices()
    frame.loc[[7, 8], ["Open", "High", "Low", "Volume"]] = 0  # as KRX writes a halted share
    frame.to_csv(folder / "mine.csv", index=False)
    assert len(helpers.load_stock("mine.csv")) == 118
    assert "mine.csv: 2 rows left out, the first is row 9" in capsys.readouterr().out


def test_volume_zero_is_no_fault(folder):
    (folder / "mine.csv").write_text(text(table(Volume=0)))
    assert helpers.load_stock("mine.csv")["Volume"].eq(0).all()


money = st.floats(0.001, 1e7).map(lambda value: round(value, 4))
days = st.lists(
    st.dates(date(1990, 1, 1), date(2025, 12, 31)), min_size=5, max_size=30, unique=True
)


@OFTEN
@given(
    days.flatmap(
        lambda d: st.tuples(
            st.just(sorted(d)),
            st.lists(
                st.tuples(*[money] * 5, st.integers(0, 10**11)), min_size=len(d), max_size=len(d)
            ),
        )
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from([".", ","]),
    st.booleans(),
    st.sampled_from(
        [
            "%Y-%m-%d",
            "%Y/%m/%d",
            "%Y%m%d",
            "%Y. %m. %d.",
            "%Y년 %m월 %d일",
            "%d-%b-%Y",
            "%Y-%m-%d 00:00:00+09:00",
            "%d/%m/%Y",
            "%m/%d/%Y",
            "%d.%m.%Y",
        ]
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp949"]),
    st.booleans(),
)
def test_any_prices_survive_any_known_format(
    tmp_path, content, sep, point, group, form, encoding, newest
):
    """Whatever was written comes back, or is refused because the file does not say what it means."""
    day, rows = content
    wanted = pd.DataFrame(rows, columns=helpers.STOCK_COLUMNS)
    wanted.insert(0, "Date", pd.to_datetime(day))
    written = wanted.copy()
    written["Date"] = written["Date"].dt.strftime(form)
    comma = "." if point == "," else ","
    for name in helpers.STOCK_COLUMNS:
        cells = written[name].map(lambda value: f"{value:,}" if group else f"{value}")
        written[name] = cells.map(lambda c: c.translate(str.maketrans(",.", comma + point)))
    written = written.iloc[::-1] if newest else written
    path = tmp_path / "any.csv"
    path.write_bytes(written.to_csv(sep=sep, index=False).encode(encoding))
    try:
        found = helpers.load_stock(path)
    except helpers.DataError as error:
        certain = form not in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y") and point == "."
        assert not certain or "two things" in str(error), error
        assert not certain or sep != ",", error
        return
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False, rtol=1e-12)


# --- prices: from where ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "symbol, says",
    [
        (None, "None"),
        ("", "''"),
        ("  ", "'  '"),
        (5930, "5930"),
        ("nowhere.csv", "nowhere.csv"),
        ("mine.csv ", "'mine.csv '"),
        ("data.xlsx", "data.xlsx"),
        ("prices.txt", "prices.txt"),
        ("notes.md", "notes.md"),
        ("삼성전자", "삼성전자"),
        ("../data/", "../data/"),
        (".", "'.'"),
        (Path("folder"), "folder"),
        ("https://finance.yahoo.com/quote/005930.KS", "https"),
    ],
)
def test_what_is_neither_a_symbol_nor_a_file_is_refused(folder, symbol, says):
    (folder / "folder").mkdir()
    (folder / "mine.csv").write_text(text())
    refused(lambda: helpers.load_stock(symbol), says, "CSV file", "005930.KS")


def test_stock_simulated_without_internet_cannot_be_missed(folder, capsys):
    found = helpers.load_stock()
    assert found.shape == (5528, 7) and found["Close"].min() > 0
    assert (found["Volume"] == 0).sum() == 115 and found.attrs["source"] == "simulated"
    said = capsys.readouterr().out
    assert "!!  SIMULATED PRICES stand in for 005930.KS (RNN_OFFLINE is set)" in said
    assert "samsung_electronics.csv" in said and max(map(len, said.splitlines()[:4])) < 80
    assert names(folder) == []


def test_stock_simulated_returns_cannot_be_predicted_from_yesterday():
    found = helpers.load_stock("simulated")
    returns = found.loc[found["Volume"] > 0, "Close"].pct_change().dropna()
    # noise of 5,400 draws: 2 / sqrt(5400) = 0.027, more with fat tails
    assert abs(returns.autocorr(1)) < 0.04
    assert (returns**2).autocorr(1) > 0.04  # but large moves come in clusters


@pytest.mark.parametrize("name", ["samsung_electronics.csv", "005930.KS.csv", "sub/005930.KS.csv"])
def test_stock_from_the_data_folder(folder, name, capsys):
    (folder / "sub").mkdir()
    (folder / name).write_text(text())
    found = helpers.load_stock(start="2020-01-08", end="2020-06-10")
    assert [str(day.date()) for day in found["Date"].iloc[[0, -1]]] == ["2020-01-08", "2020-06-09"]
    said = capsys.readouterr().out
    assert said == f"[data] stock 005930.KS: real, {len(found)} days, from {Path(name).name}\n"


def test_start_and_end_cut_every_series(folder):
    (folder / "mine.csv").write_text(text())
    for symbol, days in (("mine.csv", 120), (folder / "mine.csv", 120), ("simulated", 5528)):
        assert len(helpers.load_stock(symbol)) == days
        some = helpers.load_stock(symbol, start="2020-02-03", end=date(2020, 3, 2))
        assert some["Date"].min() == pd.Timestamp("2020-02-03")
        assert some["Date"].max() == pd.Timestamp("2020-02-28") and some.index[0] == 0
    assert len(helpers.load_stock("mine.csv", start=pd.Timestamp("2020-06-01"))) == 12
    refused(
        lambda: helpers.load_stock("mine.csv", end="2019-01-01"), "mine.csv", "2020-01-01", "end="
    )
    refused(lambda: helpers.load_stock("mine.csv", start="01/02/2020"), "01/02/2020", "2022-09-20")


@pytest.mark.parametrize("rows", [5, 30, 1000, 5000, 5527, 5528, 5529])
def test_series_of_any_length(folder, rows, capsys):
    prices(rows, "2000-09-01").to_csv(folder / "005930.KS.csv", index=False)
    found = helpers.load_stock(end="2030-01-01")
    assert len(found) == rows
    assert "all that 005930.KS.csv holds" in capsys.readouterr().out


@pytest.fixture
def yahoo(monkeypatch, folder):
    """Yahoo's next answers: tables, errors, or lines of yfinance's log."""
    import logging

    import yfinance

    answers, asked = [], []

    def download(symbol, start, end, **_):
        asked.append((symbol, str(start), str(end)))
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            logging.getLogger("yfinance").error(answer)
            return prices(0).set_index("Date")
        return answer

    monkeypatch.delenv("RNN_OFFLINE", raising=False)
    monkeypatch.setattr(yfinance, "download", download)
    return answers, asked


DAYS = {"start": "2020-01-01", "end": "2020-06-17"}
YAHOO = {  # name: (what Yahoo sends of prices(), rows that are left)
    "all": (lambda t: t, 120),
    "NaN rows": (lambda t: t.assign(Close=t["Close"].where(np.arange(120) % 40 != 3)), 117),
    "halted days": (
        lambda t: t.assign(
            **dict.fromkeys(["Open", "High", "Low"], t["Open"] * (np.arange(120) > 4))
        ),
        115,
    ),
    "last day twice": (lambda t: pd.concat([t, t.iloc[-1:]]), 120),
    "last day twice, later price": (lambda t: pd.concat([t, t.iloc[-1:] + 1]), 120),
    "volume 1e30": (lambda t: t.assign(Volume=[1e30, *t["Volume"][1:]]), 119),
    "newest first": (lambda t: t.iloc[::-1], 120),
    "with a time zone": (lambda t: t.tz_localize("Asia/Seoul"), 120),
    "no Adj Close": (lambda t: t.drop(columns="Adj Close"), 120),
}


@pytest.mark.parametrize("name", YAHOO)
def test_yahoo_is_read_and_kept(folder, yahoo, capsys, name):
    (answers, asked), (change, left) = yahoo, YAHOO[name]
    answers.append(change(prices().set_index("Date")))
    found = helpers.load_stock("000660.ks", **DAYS)
    said = capsys.readouterr().out
    assert len(found) == left and found["Date"].is_monotonic_increasing
    assert f"stock 000660.ks: real, {left} days" in said
    assert (f"{len(change(prices().set_index('Date'))) - left} rows left out" in said) == (
        len(change(prices().set_index("Date"))) != left
    )
    again = helpers.load_stock("000660.KS", **DAYS)  # the copy: Yahoo is not asked a second time
    pd.testing.assert_frame_equal(found, again)
    assert len(asked) == 1 and len(names(folder)) == 1 and names(folder)[0].startswith("000660.KS")


UNREACHED = {
    "reset": (ConnectionResetError("reset"), "no answer"),
    "no yfinance": (ImportError("No module named curl_cffi"), "no answer"),
    "busy": (ValueError("429 Too Many Requests"), "request refused"),
    "certificate": (OSError("curl: (60) SSL certificate problem"), "certificate refused"),
    "proxy": ("Failed to perform, curl: (5) Could not resolve proxy", "proxy refused"),
    "no network": ("Failed to perform, curl: (6) Could not resolve host", "no answer"),
    "rate": ("YFRateLimitError('Too Many Requests. Rate limited.')", "request refused"),
    "nobody": ("$NOBODY: possibly delisted; no timezone found", "Yahoo knows no 000660.KS"),
    "empty": (prices(0).set_index("Date"), "Yahoo knows no 000660.KS"),
    "nothing": (None, "Yahoo knows no 000660.KS"),
    "30 rows": (prices(30).set_index("Date"), "only 30 days"),
    "no Volume": (prices().set_index("Date").drop(columns="Volume"), "Volume"),
    "NaN only": (prices().set_index("Date") * np.nan, "Yahoo"),
}


@pytest.mark.parametrize("name", UNREACHED)
def test_yahoo_that_has_no_prices_is_named_and_nothing_is_kept(folder, yahoo, capsys, name):
    answer, says = UNREACHED[name]
    yahoo[0].append(answer)
    assert helpers.load_stock("000660.KS").attrs["source"] == "simulated"
    said = capsys.readouterr().out
    assert "!!  SIMULATED PRICES" in said and says in said and names(folder) == []


def test_yahoo_is_asked_again_for_other_days(folder, yahoo, monkeypatch, capsys):
    answers, asked = yahoo
    answers += [prices().set_index("Date"), prices(5528, "2000-09-01").set_index("Date")]
    helpers.load_stock("000660.KS", **DAYS)
    assert len(helpers.load_stock("000660.KS")) == 5528
    assert asked[1] == ("000660.KS", "2000-09-01", "2022-09-20")
    monkeypatch.setenv("RNN_OFFLINE", "1")
    helpers.load_stock("000660.KS", **DAYS)
    capsys.readouterr()
    assert len(helpers.load_stock("000660.KS", start="2019-01-01", end="2021-10-01")) > 700
    said = capsys.readouterr().out
    assert "RNN_OFFLINE is set" in said and "all that 000660.KS.yahoo" not in said


def test_a_short_copy_says_so_offline(folder, yahoo, monkeypatch, capsys):
    yahoo[0].append(prices().set_index("Date"))
    helpers.load_stock("000660.KS", **DAYS)
    monkeypatch.setenv("RNN_OFFLINE", "1")
    assert len(helpers.load_stock("000660.KS")) == 120
    said = capsys.readouterr().out
    assert "asked for 2000-09-01 to before 2022-09-20; 2020-01-01 to 2020-06-16 is all" in said


def test_the_day_that_still_runs_is_not_asked_for(folder, yahoo):
    answers, asked = yahoo
    answers.append(prices(300, "2025-01-01").set_index("Date"))
    helpers.load_stock("AAPL", start="2025-01-01", end="2999-01-01")
    assert asked == [("AAPL", "2025-01-01", str(date.today()))]


def test_a_damaged_copy_is_made_again(folder, yahoo):
    yahoo[0].extend([prices().set_index("Date")] * 2)
    for _ in range(2):
        assert len(helpers.load_stock("000660.KS", **DAYS)) == 120
        (folder / names(folder)[0]).write_bytes(b"Date,")
    assert len(yahoo[1]) == 2 and len(names(folder)) == 1
    yahoo[0].append(None)
    assert helpers.load_stock("000660.KS", **DAYS).attrs["source"] == "simulated"


def test_your_own_file_is_never_replaced(folder, yahoo):
    (folder / "000660.KS.csv").write_text(text())
    assert len(helpers.load_stock("000660.KS")) == 120 and not yahoo[1]
    assert names(folder) == ["000660.KS.csv"]


# --- IMDB -----------------------------------------------------------------------------------------


def assert_small_imdb(parts):
    for (texts, labels), part in zip(parts, ("train", "test"), strict=True):
        assert labels.tolist() == [0, 0, 0, 1, 1, 1] and labels.dtype == np.int64
        assert texts == [f"{k} film number {i} ({part})" for k in ("neg", "pos") for i in range(3)]


def test_imdb_download_is_read_and_cached(server, folder, capsys):
    assert_small_imdb(helpers.load_imdb())
    said = capsys.readouterr().out
    assert "[data] imdb: real, 6 train + 6 test reviews, from aclImdb_v1.tar.gz" in said
    server.faults["aclImdb_v1.tar.gz"] = 500  # not asked a second time
    assert_small_imdb(helpers.load_imdb())
    assert names(folder) == ["aclImdb_v1.tar.gz", "imdb-cache.npz"]


DOWNLOAD_FAULTS = [
    *((kept, "IncompleteRead") for kept in (0.0, 0.1, 0.5, 0.99)),
    ("reset", "reset"),
    *((code, str(code)) for code in (404, 429, 500)),
    ("loop", "redirects"),
    (None, "SHA256"),
]


@pytest.mark.parametrize("fault, says", DOWNLOAD_FAULTS)
@pytest.mark.parametrize("data", ["imdb", "glove", "nsmc"])
def test_download_fault_is_one_sentence_and_leaves_nothing(
    server, folder, monkeypatch, data, fault, says
):
    name = {"imdb": "aclImdb_v1.tar.gz", "glove": "glove.6B.zip", "nsmc": "ratings_train.txt"}[data]
    server.files[name], server.faults[name] = b"<html>Please log in</html>" * 100, fault
    monkeypatch.setattr(helpers, "GLOVE_URLS", (server.url(name),))
    monkeypatch.setattr(helpers, "NSMC_URL", server.url(""))
    load = getattr(helpers, f"load_{data}")
    refused(load, name, says, str(folder), "RNN_OFFLINE=1", "Nothing was kept")
    assert names(folder) == []


@pytest.mark.parametrize("body", [archive(reviews_per_class=2), b""])
def test_download_of_something_else_is_refused(server, folder, body):
    server.files["aclImdb_v1.tar.gz"] = body
    refused(helpers.load_imdb, "SHA256")
    assert names(folder) == []


def certificate(folder):
    """An SSL context whose certificate nobody has signed."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2"
    subprocess.run(
        [*command.split(), "-subj", "/CN=127.0.0.1"], cwd=folder, check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize(
    "fault, says",
    [
        ("silent", "no answer"),
        ("dead", "no answer"),
        ("certificate", "certificate refused"),
        ("proxy", "proxy refused"),
    ],
)
def test_imdb_falls_back_when_nobody_answers_and_says_why(
    server, monkeypatch, capsys, tmp_path_factory, fault, says
):
    if fault == "silent":
        server.faults["aclImdb_v1.tar.gz"] = "silent"
    if fault == "dead":
        url = f"http://127.0.0.1:{dead_port()}/aclImdb_v1.tar.gz"
        monkeypatch.setattr(helpers, "IMDB_URLS", (url,))
    if fault == "certificate":
        context = certificate(tmp_path_factory.mktemp("certificate"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        url = server.url("aclImdb_v1.tar.gz").replace("http:", "https:")
        monkeypatch.setattr(helpers, "IMDB_URLS", (url,))
    if fault == "proxy":
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{dead_port()}")
        monkeypatch.setattr(helpers, "IMDB_URLS", ("http://imdb.example/aclImdb_v1.tar.gz",))
    (texts, labels), (test_texts, _) = helpers.load_imdb()
    assert (len(texts), len(labels), len(test_texts)) == (20_000, 20_000, 5_000)
    said = capsys.readouterr().out
    assert "[data] imdb: train half" in said and f"could not be reached: {says}" in said


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_missing_certificate_file_is_named(server, folder, monkeypatch, variable):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "/nowhere/school.pem")
    monkeypatch.setattr(helpers, "IMDB_URLS", ("https://127.0.0.1:9/aclImdb_v1.tar.gz",))
    refused(helpers.load_imdb, variable, "/nowhere/school.pem")


def test_imdb_fallback_is_a_seeded_split_of_the_train_half(folder, capsys):
    (a, la), (b, lb) = helpers.load_imdb()
    assert "test" in capsys.readouterr().out.splitlines()[1]
    (again, _), _ = helpers.load_imdb()
    texts, labels = helpers.load_imdb("train")
    assert a == again and sorted(a + b) == sorted(texts)
    assert (labels == 0).sum() == (labels == 1).sum() == 12_500
    assert np.r_[la, lb].sum() == 12_500 and 2_300 < lb.sum() < 2_700


@pytest.mark.parametrize("place", ["", "aclImdb_v1", "aclImdb", "IMDB"])
def test_imdb_from_an_extracted_folder(folder, place):
    extracted(folder / place)
    for part in helpers.IMDB_PARTS:
        for other in ("._0_7.txt", ".DS_Store", "0_7 (1).txt", "Thumbs.db"):
            (folder / place / "aclImdb" / part / other).write_bytes(b"\0\5\x16\7 Mac OS X \0\0\xff")
    assert_small_imdb(helpers.load_imdb())
    assert_small_imdb(helpers.load_imdb())


@pytest.mark.parametrize(
    "name, mode",
    [
        ("aclImdb.tar.gz", "w:gz"),
        ("aclImdb_v1 (1).tar.gz", "w:gz"),
        ("sub/aclImdb_v1.tar.gz", "w:gz"),
        ("aclImdb_v1.tar", "w"),
        ("aclImdb.tgz", "w:gz"),
    ],
)
def test_imdb_from_an_archive_that_a_person_put_there(folder, name, mode):
    mac = [
        (f"{p}/{part}/._0_7.txt", b"\0\xff")
        for p in ("aclImdb", "__MACOSX/aclImdb")
        for part in helpers.IMDB_PARTS
    ]
    (folder / "sub").mkdir()
    (folder / name).write_bytes(archive(extra=mac, mode=mode))
    assert_small_imdb(helpers.load_imdb())
    assert_small_imdb(helpers.load_imdb())


def test_imdb_texts_may_hold_anything(folder):
    odd = ["a\0b", "line\r\nline\u2028end", "한글 😀", "", "\ufeffx"]
    root = extracted(folder, without=["train/neg"])
    (root / "train/neg").mkdir(parents=True)
    for i, written in enumerate(odd[:3]):
        (root / f"train/neg/{i}_1.txt").write_bytes(written.encode())
    first, second = helpers.load_imdb("train"), helpers.load_imdb("train")
    assert first[0] == second[0] and first[0][:3] == sorted(odd[:3])
    assert first[1].tolist() == second[1].tolist() == [0, 0, 0, 1, 1, 1]


def replace_text(folder):
    (folder / "aclImdb/test/pos/1_7.txt").write_text("pos film number 9 (test)")


def swap_files(folder):
    file = folder / "aclImdb/test/pos/1_7.txt"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_text("pos film number 9 (test)")
    os.utime(file, ns=times)  # the same size and the same time


def other_folder(folder):
    shutil.rmtree(folder / "aclImdb")
    extracted(folder)
    replace_text(folder)


@pytest.mark.parametrize("change", [replace_text, swap_files, other_folder])
def test_imdb_cache_is_never_stale(folder, change):
    extracted(folder)
    assert "pos film number 1 (test)" in helpers.load_imdb()[1][0]
    change(folder)
    assert "pos film number 9 (test)" in helpers.load_imdb()[1][0]


def test_imdb_cache_of_an_earlier_archive_is_not_used(folder):
    (folder / "aclImdb.tar.gz").write_bytes(archive())
    assert_small_imdb(helpers.load_imdb())
    later = archive(
        without=["train/neg"], extra=[(f"aclImdb/train/neg/{i}_1.txt", "later") for i in range(3)]
    )
    (folder / "aclImdb.tar.gz").write_bytes(later)
    assert helpers.load_imdb("train")[0][:3] == ["later"] * 3


def half_copied(folder):
    extracted(folder, 1)


def half_and_cut_archive(folder):
    extracted(folder, 1)
    (folder / "aclImdb.tar.gz").write_bytes(archive()[:99])


INCOMPLETE = {
    "half copied": (half_copied, ["aclImdb is incomplete", "2 of 6 training", "2 of 6 test"]),
    "train half": (lambda f: extracted(f, 3, ["test/neg", "test/pos"]), ["6 of 6", "0 of 6 test"]),
    "one too many": (lambda f: extracted(f, 4), ["not the official set", "8 of 6"]),
    "empty": (lambda f: (f / "aclImdb").mkdir(), ["0 of 6 training"]),
    "archive": (lambda f: (f / "aclImdb.tar.gz").write_bytes(archive(2)), ["4 of 6"]),
    "without a class": (
        lambda f: (f / "aclImdb.tar.gz").write_bytes(archive(without=["train/neg"])),
        ["3 of 6 training", "'train/neg': 0"],
    ),
    "both": (half_and_cut_archive, ["aclImdb.tar.gz cannot be read"]),
    "link to nowhere": (lambda f: (f / "aclImdb.tar.gz").symlink_to("gone"), ["aclImdb.tar.gz"]),
    "links to nowhere": (
        lambda f: (extracted(f, 2) / "test/pos/2_7.txt").symlink_to("gone"),
        ["2_7.txt"],
    ),
    "a folder of that name": (lambda f: (f / "aclImdb.tar.gz").mkdir(), ["aclImdb.tar.gz"]),
    "still downloading": (
        lambda f: (f / "aclImdb_v1.tar.gz.crdownload").write_bytes(archive()[:200]),
        ["aclImdb_v1.tar.gz.crdownload"],
    ),
    "zip": (
        lambda f: (f / "aclImdb.zip").write_bytes(zipped(reviews())),
        ["aclImdb.zip"],
    ),
    "not text": (
        lambda f: (extracted(f) / "test/pos/1_7.txt").write_bytes(b"\xff\xfe\xfa"),
        ["test/pos/1_7.txt", "utf-8"],
    ),
    "gzip that is no tar": (
        lambda f: (f / "aclImdb.tar.gz").write_bytes(gzip.compress(b"hello" * 100)),
        ["aclImdb.tar.gz"],
    ),
    "nothing in it": (lambda f: (f / "aclImdb.tar.gz").write_bytes(b""), ["aclImdb.tar.gz"]),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_imdb_that_is_incomplete_is_named_and_stays(folder, name):
    make, says = INCOMPLETE[name]
    make(folder)
    before = names(folder)
    refused(helpers.load_imdb, *says)
    assert names(folder) == before


@pytest.mark.parametrize("bad", ["aclImdb", "aclImdb.tar.gz", "aclImdb_a.tar.gz"])
def test_imdb_next_candidate(folder, bad, capsys):
    """An empty or half-copied folder, or a broken archive, beside a good one."""
    (folder / "aclImdb_v1.tar.gz").write_bytes(archive())
    if bad == "aclImdb":
        extracted(folder, 1)
    else:
        (folder / bad).write_bytes(b"broken")
    assert_small_imdb(helpers.load_imdb())
    assert bad in capsys.readouterr().out


@OFTEN
@given(
    st.integers(0, 10**9), st.integers(1, 255), st.sampled_from(["flip", "cut", "drop", "double"])
)
def test_imdb_damage_gives_the_right_data_or_an_error(tmp_path, place, value, how):
    whole = archive()
    at = place % len(whole)
    damaged = {
        "flip": whole[:at] + bytes([whole[at] ^ value]) + whole[at + 1 :],
        "cut": whole[:at],
        "drop": whole[:at] + whole[at + value :],
        "double": whole[:at] + whole[max(at - value, 0) :],
    }[how]
    (tmp_path / "aclImdb.tar.gz").write_bytes(damaged)
    with contextlib.suppress(helpers.DataError):
        assert_small_imdb(helpers.load_imdb())


@OFTEN
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_cache_damage_does_no_harm(tmp_path, place, value):
    (tmp_path / "aclImdb.tar.gz").write_bytes(archive())
    helpers.load_imdb()
    whole = bytearray((tmp_path / "imdb-cache.npz").read_bytes())
    whole[place % len(whole)] ^= value
    (tmp_path / "imdb-cache.npz").write_bytes(whole)
    assert_small_imdb(helpers.load_imdb())


def test_no_pickle(folder):
    np.savez(folder / "imdb-cache.npz", made_from=np.array([{"a": 1}], dtype=object))
    (folder / "aclImdb.tar.gz").write_bytes(archive())
    assert_small_imdb(helpers.load_imdb())


def test_imdb_names_that_lead_out_of_the_archive_are_ignored(folder):
    evil = ["../../evil.txt", "/etc/evil.txt", "aclImdb/train/neg/../../../../evil.txt"]
    (folder / "aclImdb.tar.gz").write_bytes(archive(extra=[(name, "x") for name in evil]))
    assert_small_imdb(helpers.load_imdb())
    assert names(folder) == ["aclImdb.tar.gz", "imdb-cache.npz"]


def test_imdb_part_must_be_known():
    with pytest.raises(ValueError, match='"both" or "train"'):
        helpers.load_imdb("test")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_imdb_links_in_an_archive_are_not_followed(folder, kind):
    (folder / "secret.txt").write_text("not a review")
    buffer = io.BytesIO(gzip.decompress(archive()))
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        link = tarfile.TarInfo("aclImdb/train/neg/9_9.txt")
        link.type, link.linkname = kind, str(folder / "secret.txt")
        tar.addfile(link)
    (folder / "aclImdb.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))
    assert_small_imdb(helpers.load_imdb())


def test_imdb_member_that_claims_ten_gigabytes_is_not_read(folder):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w"):
        huge = tarfile.TarInfo("aclImdb/train/neg/0_1.txt")
        huge.size = 10_000_000_000
        buffer.write(huge.tobuf())
    (folder / "aclImdb.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))
    refused(helpers.load_imdb, "aclImdb.tar.gz")


DOWNLOAD = """
import sys, helpers
helpers.IMDB_URLS, helpers.IMDB_SHA256, helpers.IMDB_REVIEWS = (sys.argv[1],), sys.argv[2], 3
try:
    print(len(helpers.load_imdb("train")[0]))
except helpers.DataError as error:
    print("DataError:", error)
"""


def start(server, folder, **more):
    """Another process that loads the reviews from the local server."""
    environment = {**os.environ, "RNN_DATA_DIR": str(folder), "RNN_OFFLINE": ""}
    command = [sys.executable, "-c", DOWNLOAD, server.url("aclImdb_v1.tar.gz"), helpers.IMDB_SHA256]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    return subprocess.Popen(command, env=environment, **how, **more)


def test_several_processes_at_once(server, folder):
    together = [start(server, folder) for _ in range(4)]
    assert [process.communicate()[0].splitlines()[-1] for process in together] == ["6"] * 4
    assert names(folder) == ["aclImdb_v1.tar.gz", "imdb-cache.npz"]


def test_killed_in_the_middle(server, folder):
    server.faults["aclImdb_v1.tar.gz"] = "stalls"
    process = start(server, folder)
    deadline = time.time() + 20
    while not list(folder.glob(".download-*/*")) and time.time() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    left = list(folder.glob(".download-*"))
    assert left and not (folder / "aclImdb_v1.tar.gz").exists()
    for path in [*left, *left[0].iterdir()]:
        os.utime(path, (0, 0))  # as if it had been long ago
    server.faults.clear()
    assert_small_imdb(helpers.load_imdb())
    assert names(folder) == ["aclImdb_v1.tar.gz", "imdb-cache.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_disk_full(server, folder):
    def small_files_only():
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    said = start(server, folder, preexec_fn=small_files_only).communicate()[0]
    assert "Errno 27" in said and "RNN_DATA_DIR" in said
    assert names(folder) == []


# --- folders --------------------------------------------------------------------------------------

LOADERS = [helpers.load_stock, helpers.load_imdb, helpers.load_glove, helpers.load_nsmc]


@pytest.mark.parametrize("load", LOADERS)
def test_data_dir_that_is_not_there_is_named(tmp_path, monkeypatch, load):
    monkeypatch.setenv("RNN_DATA_DIR", str(tmp_path / "nowhere"))
    refused(load, "RNN_DATA_DIR names", "nowhere", "not a folder")
    monkeypatch.setenv("RNN_DATA_DIR", "~nobody/data")
    refused(load, "RNN_DATA_DIR names")


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("named", ["", None])
def test_deleted_data_is_restored_by_git(tmp_path, monkeypatch, load, named):
    monkeypatch.setattr(helpers, "COURSE_DATA", tmp_path / "data")
    monkeypatch.delenv("RNN_DATA_DIR")
    if named is not None:
        monkeypatch.setenv("RNN_DATA_DIR", named)
    assert "RNN_DATA_DIR" not in refused(load, "data", "git checkout data")
    if load is not helpers.load_imdb:
        (tmp_path / "data").mkdir()  # the folder is there, its files are not
        refused(load, "git checkout data")


@pytest.mark.parametrize("said", ["1", "true", "yes", "on", " 1 "])
def test_offline_is_on(monkeypatch, yahoo, said):
    monkeypatch.setenv("RNN_OFFLINE", said)
    helpers.load_stock()
    assert yahoo[1] == []


@pytest.mark.parametrize("said", ["0", "false", "False", "no", "off", "OFF", "", " "])
def test_offline_is_off(monkeypatch, yahoo, said):
    yahoo[0].append(None)
    monkeypatch.setenv("RNN_OFFLINE", said)
    helpers.load_stock()
    assert len(yahoo[1]) == 1


def test_folder_with_spaces_and_hangul(tmp_path, monkeypatch):
    named = tmp_path / "내 데이터 folder [1]"
    named.mkdir()
    monkeypatch.setenv("RNN_DATA_DIR", str(named))
    (named / "aclImdb.tar.gz").write_bytes(archive())
    assert_small_imdb(helpers.load_imdb())
    assert_small_imdb(helpers.load_imdb())
    (named / "삼성전자.csv").write_text(text())
    assert len(helpers.load_stock(named / "삼성전자.csv")) == 120


@contextlib.contextmanager
def nobody(folder, closed=None):
    """Without the rights of root, whom permissions do not bind; `closed` may not be read."""
    import pooch  # noqa: F401  (imported before the rights are given up)
    import requests  # noqa: F401

    for parent in [folder, *folder.parents][:4]:
        parent.chmod(parent.stat().st_mode | 0o055)
    if closed:
        closed.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_read_only_folder(server, folder, monkeypatch, capsys):
    """A download into it is refused with one sentence; a file in it is used, only not cached."""
    for name in ("sub", "empty"):
        (folder / name).mkdir()
    (folder / "sub" / "aclImdb.tar.gz").write_bytes(archive())
    for name in ("sub", "empty"):
        (folder / name).chmod(0o555)
    with nobody(folder):
        monkeypatch.setenv("RNN_DATA_DIR", str(folder / "sub"))
        assert_small_imdb(helpers.load_imdb())
        assert "no copy is kept" in capsys.readouterr().out
        monkeypatch.setenv("RNN_DATA_DIR", str(folder / "empty"))
        refused(helpers.load_imdb, "Permission denied", "RNN_DATA_DIR")
    for name in ("sub", "empty"):
        (folder / name).chmod(0o755)


CLOSED = {
    "": helpers.load_stock,
    "005930.KS.csv": helpers.load_stock,
    "aclImdb.tar.gz": helpers.load_imdb,
    "aclImdb": helpers.load_imdb,
    "aclImdb/train/neg": helpers.load_imdb,
    "aclImdb/test/pos/1_7.txt": helpers.load_imdb,
    "glove.6B.100d.txt": helpers.load_glove,
    "ratings_test.txt": helpers.load_nsmc,
}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize("closed", CLOSED)
def test_what_cannot_be_read_now_is_named(folder, closed):
    (folder / "005930.KS.csv").write_text(text())
    (folder / "glove.6B.100d.txt").write_text(glove_text())
    for name in helpers.NSMC_SHA256:
        (folder / name).write_text(nsmc(3))
    if closed == "aclImdb.tar.gz":
        (folder / closed).write_bytes(archive())
    else:
        extracted(folder)
    mode = (folder / closed).stat().st_mode
    with nobody(folder, closed=folder / closed):
        refused(CLOSED[closed], "cannot be read now", "Permission denied")
    (folder / closed).chmod(mode)


# --- Korean film reviews --------------------------------------------------------------------------


def nsmc(rows=10, shift=0):
    lines = [f'{i}\t영화 {i + shift} "참" 좋다\t{i % 2}' for i in range(rows)]
    return "\n".join(["id\tdocument\tlabel", *lines, f"{rows}\t\t1", ""])


@pytest.mark.parametrize("form", ["txt", "gz", "folder"])
@pytest.mark.parametrize("official", [True, False])
def test_nsmc_from_files(folder, monkeypatch, capsys, form, official):
    (folder / "nsmc").mkdir()
    for rows, name in enumerate(list(helpers.NSMC_SHA256), 5):
        raw = nsmc(rows).encode()
        if official:
            monkeypatch.setitem(helpers.NSMC_SHA256, name, hashlib.sha256(raw).hexdigest())
        place = folder / "nsmc" if form == "folder" else folder
        (place / (name + ".gz" * (form == "gz"))).write_bytes(
            gzip.compress(raw) if form == "gz" else raw
        )
    (train, y_train), (test, y_test) = helpers.load_nsmc()
    assert train == [f'영화 {i} "참" 좋다' for i in range(5)] + [""] and len(test) == 7
    assert y_train.tolist() == [0, 1, 0, 1, 0, 1] and y_test.dtype == np.int64
    said = capsys.readouterr().out
    assert f"nsmc: {'real' if official else 'not official'}, 6 train + 7 test" in said


def test_nsmc_is_downloaded_and_checked(server, folder, monkeypatch, capsys):
    for name in list(helpers.NSMC_SHA256):
        server.files[name] = nsmc().encode()
        monkeypatch.setitem(helpers.NSMC_SHA256, name, hashlib.sha256(nsmc().encode()).hexdigest())
    monkeypatch.setattr(helpers, "NSMC_URL", server.url(""))
    assert len(helpers.load_nsmc()[0][0]) == 11
    assert "nsmc: real" in capsys.readouterr().out
    assert names(folder) == ["ratings_test.txt", "ratings_train.txt"]


def test_nsmc_without_internet_is_the_course_s_own(folder, monkeypatch, capsys, tmp_path_factory):
    course = tmp_path_factory.mktemp("course")
    (course / "korean_reviews.tsv").write_text(nsmc(19), encoding="utf-8")
    monkeypatch.setattr(helpers, "COURSE_DATA", course)
    (train, y_train), (test, y_test) = helpers.load_nsmc()
    assert len(train) == len(y_train) == 16 and len(test) == len(y_test) == 4
    said = capsys.readouterr().out
    assert "No figure below is about NSMC" in said and "nsmc: written for the course" in said


NSMC_FAULTS = {
    "cut": (nsmc()[:-25].encode(), ["row", "label"]),
    "label 2": (nsmc().replace("\t1\n", "\t2\n", 1).encode(), ["row 3", "label", "'2'"]),
    "tab": (nsmc().replace("참", "\t", 1).encode(), ["row 2", "label"]),
    "later tab": (nsmc().replace("3 ", "3\t", 1).encode(), ["line 5"]),
    "no header": (nsmc().split("\n", 1)[1].encode(), ["document"]),
    "another encoding": (nsmc().encode("cp949"), ["utf-8"]),
    "empty": (b"", []),
    "HTML": (b"<html>429: Too Many Requests</html>", ["document"]),
}


@pytest.mark.parametrize("name", NSMC_FAULTS)
def test_nsmc_file_that_cannot_be_used_is_named(folder, name):
    raw, says = NSMC_FAULTS[name]
    (folder / "ratings_train.txt").write_text(nsmc(), encoding="utf-8")
    (folder / "ratings_test.txt").write_bytes(raw)
    refused(helpers.load_nsmc, "ratings_test.txt", *says)


def test_nsmc_one_file_alone_is_named(folder):
    (folder / "ratings_test.txt").write_text(nsmc(), encoding="utf-8")
    refused(helpers.load_nsmc, "ratings_train.txt", "both")


@OFTEN
@given(st.integers(0, 10**9), st.integers(1, 255), st.booleans())
def test_nsmc_damage_gives_the_right_data_or_an_error(tmp_path, place, value, cut):
    whole = gzip.compress(nsmc(200).encode())
    at = place % len(whole)
    damaged = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ value]) + whole[at + 1 :]
    (tmp_path / "ratings_train.txt.gz").write_bytes(damaged)
    (tmp_path / "ratings_test.txt").write_text(nsmc(), encoding="utf-8")
    with contextlib.suppress(helpers.DataError):
        assert len(helpers.load_nsmc()[0][0]) == 201


# --- GloVe ----------------------------------------------------------------------------------------


def test_glove_subset(folder, capsys):
    glove = helpers.load_glove()
    assert len(glove) >= 20_000 and glove.shape[1] == 100 and glove.to_numpy().dtype == np.float32
    assert glove.index.is_unique and np.isfinite(glove.to_numpy()).all()
    assert "[data] glove: subset" in capsys.readouterr().out
    king, queen, cabbage = (glove.loc[word].to_numpy() for word in ("king", "queen", "cabbage"))
    assert king @ queen / np.linalg.norm(king) / np.linalg.norm(queen) > 0.7
    assert king @ cabbage / np.linalg.norm(king) / np.linalg.norm(cabbage) < 0.3
    published = [-0.038194, -0.24487, 0.72812]
    assert np.allclose(glove.loc["the"].iloc[:3], published, atol=1e-3)


@pytest.mark.parametrize("kind", [list, tuple, iter, np.array, pd.Series, pd.Index])
def test_glove_words_keep_their_order_and_unknown_ones_are_left_out(folder, kind):
    glove = helpers.load_glove(kind(["queen", "no-such-word", "king"]))
    assert glove.index.tolist() == ["queen", "king"] and glove.shape == (2, 100)
    assert glove.attrs["source"] == "subset"


def test_glove_one_word_is_no_list_of_words():
    refused(lambda: helpers.load_glove("king"), "['king']")


WORDS = ("the", '"', "caf\u00e9", "nbsp\u00a0word", "king")
GLOVE = {
    "glove.6B.100d.txt": glove_text(WORDS).encode(),
    "glove.6B/glove.6B.100d.txt": glove_text(WORDS).encode(),
    "glove.6B.zip": zipped([("glove.6B.50d.txt", "x"), ("glove.6B.100d.txt", glove_text(WORDS))]),
    "glove.6B (1).zip": zipped(
        [
            ("glove.6B/glove.6B.100d.txt", glove_text(WORDS)),
            ("__MACOSX/glove.6B/._glove.6B.100d.txt", "x"),
        ]
    ),
}


@pytest.mark.parametrize("name", GLOVE)
def test_glove_file_is_read_and_cached(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(GLOVE[name])
    first, second = helpers.load_glove(), helpers.load_glove()
    assert first.index.tolist() == list(WORDS) and first.to_numpy().dtype == np.float32
    assert first.equals(second) and first.attrs["source"] == second.attrs["source"] == "real"
    assert (folder / "glove-cache.npz").exists()
    assert first.iloc[1, 2] == np.float32(glove_text(WORDS).split("\n")[1].split(" ")[3])


@pytest.mark.parametrize("kept", [0, 1, 100, 200, 500, -1])
def test_glove_damaged_cache_is_made_again(folder, kept):
    (folder / "glove.6B.100d.txt").write_text(glove_text(), encoding="utf-8")
    first = helpers.load_glove()
    whole = (folder / "glove-cache.npz").read_bytes()
    (folder / "glove-cache.npz").write_bytes(whole[:kept])
    assert helpers.load_glove().equals(first)
    assert len((folder / "glove-cache.npz").read_bytes()) == len(whole)


def test_glove_cache_of_an_earlier_file_is_not_used(folder):
    (folder / "glove.6B.100d.txt").write_text(glove_text(), encoding="utf-8")
    helpers.load_glove()
    (folder / "glove.6B.100d.txt").write_text(
        glove_text(("the", "kinG", "queen")), encoding="utf-8"
    )
    assert "kinG" in helpers.load_glove().index


LINES = {
    "99": "word" + " 0.1" * 99,
    "101": "word" + " 0.1" * 101,
    "two words": "two words" + " 0.1" * 100,
    "nan": "word" + " 0.1" * 99 + " nan",
    "text": "word" + " 0.1" * 99 + " abc",
    "infinite": "word" + " 0.1" * 99 + " inf",
    "word": "word",
}


@pytest.mark.parametrize("name", LINES)
def test_glove_broken_line_is_named(folder, name):
    lines = glove_text(("the",)) + LINES[name] + "\n" + glove_text(("king",))
    (folder / "glove.6B.100d.txt").write_text(lines, encoding="utf-8")
    refused(helpers.load_glove, "glove.6B.100d.txt: line 2")
    assert names(folder) == ["glove.6B.100d.txt"]


NO_GLOVE = {
    "empty": b"",
    "HTML": b"<html>not found</html>",
    "bytes": b"\xff\xfe\x00bad\n",
    "50 numbers": glove_text(numbers=50).encode(),
    "300 numbers": glove_text(numbers=300).encode(),
    "cut in the last number": glove_text().encode()[:-3],
    "cut": glove_text().encode()[:-300],
}


@pytest.mark.parametrize("name", NO_GLOVE)
def test_glove_file_that_is_none(folder, name):
    (folder / "glove.6B.100d.txt").write_bytes(NO_GLOVE[name])
    refused(helpers.load_glove, "glove.6B.100d.txt")


def test_glove_file_with_the_line_ends_and_the_mark_of_windows(folder):
    lines = "\ufeff" + glove_text().replace("\n", "\r\n")
    (folder / "glove.6B.100d.txt").write_bytes(lines.encode())
    glove = helpers.load_glove()
    assert glove.index.tolist() == ["the", "king", "queen"] and glove.shape == (3, 100)


def encrypted():
    """A zip whose only member claims to be encrypted."""
    raw = bytearray(GLOVE["glove.6B.zip"])
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(signature)
        while at >= 0:
            raw[at + offset] |= 1
            at = raw.find(signature, at + 1)
    return bytes(raw)


NO_ZIP = {
    "nonsense": (b"PK nonsense", []),
    "encrypted": (encrypted(), ["password"]),
    "cut": (GLOVE["glove.6B.zip"][:-40], []),
    "without 100d": (zipped([("glove.6B.50d.txt", glove_text())]), ["glove.6B.50d.txt", "100d"]),
}


@pytest.mark.parametrize("name", NO_ZIP)
def test_glove_zip_that_is_none(folder, name):
    (folder / "glove.6B.zip").write_bytes(NO_ZIP[name][0])
    refused(helpers.load_glove, "glove.6B.zip", *NO_ZIP[name][1])
    assert names(folder) == ["glove.6B.zip"]


def test_glove_link_to_nowhere(folder):
    (folder / "glove.6B.100d.txt").symlink_to(folder / "gone.txt")
    refused(helpers.load_glove, "glove.6B.100d.txt", "No such file")


def test_glove_next_candidate(folder, capsys):
    (folder / "glove.6B.100d.txt").write_text(glove_text()[:-9])
    (folder / "glove.6B.zip").write_bytes(GLOVE["glove.6B.zip"])
    assert len(helpers.load_glove()) == len(WORDS)
    assert "glove.6B.100d.txt: line 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    ["glove.840B.300d.txt", "glove.6B.50d.txt", "glove.840B.300d.zip", "a/glove.6B.300d.txt"],
)
def test_glove_other_files_are_named(folder, capsys, name):
    (folder / "a").mkdir()
    (folder / name).write_text("the 0.1\n")
    assert helpers.load_glove().attrs["source"] == "subset"
    said = capsys.readouterr().out
    assert f"found {Path(name).name}; the lessons need glove.6B.100d.txt" in said


@OFTEN
@given(st.integers(0, 10**9), st.integers(1, 255), st.booleans())
def test_glove_damage_gives_the_right_data_or_an_error(tmp_path, place, value, cut):
    whole = zipped([("glove.6B.100d.txt", glove_text(WORDS))])
    at = place % len(whole)
    damaged = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ value]) + whole[at + 1 :]
    (tmp_path / "glove.6B.zip").write_bytes(damaged)
    with contextlib.suppress(helpers.DataError):
        assert helpers.load_glove().index.tolist() == list(WORDS)


def test_glove_download_tries_the_mirror(server, folder, monkeypatch):
    server.files["glove.6B.zip"] = GLOVE["glove.6B.zip"]
    dead = f"http://127.0.0.1:{dead_port()}/glove.6B.zip"
    monkeypatch.setattr(helpers, "GLOVE_URLS", (dead, server.url("glove.6B.zip")))
    monkeypatch.setattr(helpers, "GLOVE_SHA256", hashlib.sha256(GLOVE["glove.6B.zip"]).hexdigest())
    assert len(helpers.load_glove()) == len(WORDS)


# --- the module -----------------------------------------------------------------------------------


def test_every_sentence_that_is_printed_exists_in_korean():
    """The first argument of _say, _tell and _banner stands in notebooks/words/helpers.po."""
    catalogue = (helpers.NOTEBOOKS / "words" / "helpers.po").read_text(encoding="utf-8")
    korean = dict(re.findall(r'^msgid "(.*)"\nmsgstr "(.+)"', catalogue, re.M))
    said = [
        node.args[0].value
        for node in ast.walk(ast.parse(Path(helpers.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in ("_say", "_tell", "_banner")
        if isinstance(node.args[0], ast.Constant)
    ]
    assert len(said) > 25 and [sentence for sentence in said if sentence not in korean] == []
    for sentence in said:
        assert re.findall("{.*?}", sentence) == re.findall("{.*?}", korean[sentence]), sentence


def test_the_status_lines_speak_korean(folder, monkeypatch, capsys):
    monkeypatch.setattr(helpers, "_language", "ko")
    helpers.load_stock()
    helpers.load_imdb()
    helpers.load_glove(["king"])
    said = capsys.readouterr().out
    assert not re.search("simulated,|real,|train half|subset,|stand in", said)
    for line in ("[data] stock 005930.KS: ", "[data] imdb: ", "[data] glove: "):
        assert line in said


def test_import_is_light():
    heavy = ("tensorflow", "keras", "pandas", "matplotlib", "requests")
    code = f"import sys, helpers; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
