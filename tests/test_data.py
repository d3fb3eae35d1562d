"""The loaders: the right data from every source, and one clear sentence for every fault."""

import contextlib
import gzip
import hashlib
import http.server
import io
import os
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile

import numpy as np
import pandas as pd
import pytest

import helpers

# --- small data of the right form -----------------------------------------------------------------------------------


def archive(reviews_per_class=3, without=(), extra=()):
    """The bytes of a small aclImdb_v1.tar.gz; `extra` are more (name, text) members."""
    members = [
        (f"aclImdb/{part}/{kind}/{i}_7.txt", f"{kind} film number {i} ({part})")
        for part in ("train", "test")
        for kind in ("neg", "pos")
        for i in range(reviews_per_class)
        if f"{part}/{kind}" not in without
    ]
    members += [("aclImdb/train/unsup/0_0.txt", "never read"), ("aclImdb/README", "about"), *extra]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in members:
            info = tarfile.TarInfo(name)
            raw = text if isinstance(text, bytes) else text.encode()
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return buffer.getvalue()


def glove_text(words=("the", "king", "queen"), numbers=100):
    rng = np.random.default_rng(0)
    return "".join(
        word + "".join(f" {x:.4f}" for x in rng.normal(size=numbers)) + "\n" for word in words
    )


def prices(rows=120):
    close = 1000 + np.arange(rows) % 7
    return pd.DataFrame(
        {
            "Date": pd.bdate_range("2020-01-01", periods=rows),
            "Open": close,
            "High": close + 5,
            "Low": close - 5,
            "Close": close,
            "Adj Close": close,
            "Volume": 10,
        }
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("RNN_DATA_DIR", str(tmp_path))
    return tmp_path


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


@pytest.fixture
def server(monkeypatch, folder):
    """A local server that stands in for the official addresses, with the checksum of its good archive pinned."""
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


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- IMDB -----------------------------------------------------------------------------------------------------------


def assert_small_imdb(parts):
    for (texts, labels), part in zip(parts, ("train", "test"), strict=True):
        assert labels.tolist() == [0, 0, 0, 1, 1, 1]
        assert texts == [
            f"{kind} film number {i} ({part})" for kind in ("neg", "pos") for i in range(3)
        ]


def test_imdb_download_is_read_and_cached(server, folder, capsys):
    assert_small_imdb(helpers.load_imdb())
    assert (
        "[data] imdb: real, 6 train + 6 test reviews, from aclImdb_v1.tar.gz"
        in capsys.readouterr().out
    )
    server.faults["aclImdb_v1.tar.gz"] = 500  # not asked a second time
    assert_small_imdb(helpers.load_imdb())
    assert names(folder) == ["aclImdb_v1.tar.gz", "imdb-cache.npz"]


DOWNLOAD_FAULTS = [
    *((kept, "broke off") for kept in (0.0, 0.1, 0.5, 0.99)),
    ("reset", "broke off"),
    *((code, f"error {code}") for code in (404, 429, 500)),
    ("loop", "TooManyRedirects"),
]


@pytest.mark.parametrize("fault, says", DOWNLOAD_FAULTS)
def test_imdb_download_fault_is_one_sentence_and_leaves_nothing(server, folder, fault, says):
    server.faults["aclImdb_v1.tar.gz"] = fault
    with pytest.raises(helpers.DataError, match=says) as error:
        helpers.load_imdb()
    assert str(folder) in str(error.value) and "RNN_OFFLINE=1" in str(error.value)
    assert names(folder) == []


@pytest.mark.parametrize(
    "body", [b"<html><body>Please log in</body></html>", archive(reviews_per_class=2), b""]
)
def test_imdb_download_with_wrong_content_is_refused(server, folder, body):
    server.files["aclImdb_v1.tar.gz"] = body
    with pytest.raises(helpers.DataError, match="sha256"):
        helpers.load_imdb()
    assert names(folder) == []


@pytest.mark.parametrize("fault", ["silent", "refused"])
def test_imdb_falls_back_when_the_address_cannot_be_reached(server, monkeypatch, capsys, fault):
    if fault == "refused":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            monkeypatch.setattr(
                helpers,
                "IMDB_URLS",
                (f"http://127.0.0.1:{free.getsockname()[1]}/aclImdb_v1.tar.gz",),
            )
    else:
        server.faults["aclImdb_v1.tar.gz"] = "silent"
    (texts, labels), (test_texts, _) = helpers.load_imdb()
    assert (len(texts), len(labels), len(test_texts)) == (20_000, 20_000, 5_000)
    assert "[data] imdb: train half" in capsys.readouterr().out


def test_imdb_fallback_is_a_seeded_split_of_the_train_half(folder):
    (a, la), (b, lb) = helpers.load_imdb()
    (again, _), _ = helpers.load_imdb()
    texts, labels = helpers.load_imdb("train")
    assert a == again and sorted(a + b) == sorted(texts)
    assert (labels == 0).sum() == (labels == 1).sum() == 12_500
    assert np.r_[la, lb].sum() == 12_500 and 2_300 < lb.sum() < 2_700


def test_imdb_from_an_extracted_folder(folder):
    with tarfile.open(fileobj=io.BytesIO(archive())) as tar:
        tar.extractall(folder, filter="data")
    assert_small_imdb(helpers.load_imdb())


def test_imdb_from_an_archive_that_a_person_put_there(folder):
    (folder / "aclImdb.tar.gz").write_bytes(archive())
    assert_small_imdb(helpers.load_imdb())
    (folder / "aclImdb.tar.gz").write_bytes(
        archive(extra=[("aclImdb/train/neg/x.txt", "a later copy")])
    )
    assert len(helpers.load_imdb("train")[0]) == 7  # the cache of the earlier file is not used


@pytest.mark.parametrize("keep", [0, 0.1, 0.5, 0.99])
def test_imdb_truncated_archive_is_named(folder, keep):
    whole = archive(reviews_per_class=200)
    (folder / "aclImdb_v1.tar.gz").write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(helpers.DataError, match="aclImdb_v1.tar.gz is not a whole tar.gz archive"):
        helpers.load_imdb()
    assert names(folder) == ["aclImdb_v1.tar.gz"]


def test_imdb_archive_without_a_class_is_named(folder):
    (folder / "aclImdb.tar.gz").write_bytes(archive(without=["train/neg"]))
    with pytest.raises(helpers.DataError, match="no reviews in train/neg"):
        helpers.load_imdb()


def test_imdb_empty_folder_is_named(folder):
    (folder / "aclImdb").mkdir()
    with pytest.raises(
        helpers.DataError, match="no reviews in train/neg, train/pos, test/neg, test/pos"
    ):
        helpers.load_imdb()


def test_imdb_review_that_is_not_text_is_named(folder):
    (folder / "aclImdb.tar.gz").write_bytes(
        archive(extra=[("aclImdb/train/neg/bad.txt", b"\xff\xfe\xfa")])
    )
    with pytest.raises(helpers.DataError, match="not UTF-8"):
        helpers.load_imdb()


def test_imdb_names_that_lead_out_of_the_archive_are_ignored(folder):
    evil = [
        ("../../evil.txt", "x"),
        ("/etc/evil.txt", "x"),
        ("aclImdb/train/neg/../../../../evil.txt", "x"),
    ]
    (folder / "aclImdb.tar.gz").write_bytes(archive(extra=evil))
    assert_small_imdb(helpers.load_imdb())
    assert names(folder) == ["aclImdb.tar.gz", "imdb-cache.npz"]


def test_imdb_damaged_cache_is_made_again(folder):
    (folder / "aclImdb.tar.gz").write_bytes(archive())
    helpers.load_imdb()
    (folder / "imdb-cache.npz").write_bytes(b"PK\x03\x04 nonsense")
    assert_small_imdb(helpers.load_imdb())


def test_imdb_part_must_be_known():
    with pytest.raises(ValueError, match='"both" or "train"'):
        helpers.load_imdb("test")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_imdb_links_in_an_archive_are_not_followed(folder, kind):
    (folder / "secret.txt").write_text("not a review")
    buffer = io.BytesIO(gzip.decompress(archive()))
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        link = tarfile.TarInfo("aclImdb/train/neg/link.txt")
        link.type, link.linkname = kind, str(folder / "secret.txt")
        tar.addfile(link)
    (folder / "aclImdb.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))
    assert_small_imdb(helpers.load_imdb())


def test_imdb_member_that_claims_ten_gigabytes_is_not_read(folder):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w"):
        huge = tarfile.TarInfo("aclImdb/train/neg/huge.txt")
        huge.size = 10_000_000_000
        buffer.write(huge.tobuf())
    (folder / "aclImdb.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))
    with pytest.raises(helpers.DataError, match="aclImdb.tar.gz"):
        helpers.load_imdb()


def test_imdb_archive_that_unpacks_to_more_than_memory_is_refused(folder, monkeypatch):
    monkeypatch.setattr(helpers, "IMDB_BYTES", 100)
    (folder / "aclImdb.tar.gz").write_bytes(archive())
    with pytest.raises(helpers.DataError, match="aclImdb.tar.gz holds over"):
        helpers.load_imdb()
    assert names(folder) == ["aclImdb.tar.gz"]


DOWNLOAD = """
import sys, helpers
helpers.IMDB_URLS, helpers.IMDB_SHA256 = (sys.argv[1],), sys.argv[2]
try:
    print(len(helpers.load_imdb("train")[0]))
except helpers.DataError as error:
    print("DataError:", error)
"""


def start(server, folder, **more):
    """Another process that loads the reviews from the local server."""
    environment = {**os.environ, "RNN_DATA_DIR": str(folder)}
    environment.pop("RNN_OFFLINE", None)
    command = [sys.executable, "-c", DOWNLOAD, server.url("aclImdb_v1.tar.gz"), helpers.IMDB_SHA256]
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        **more,
    )


@pytest.mark.parametrize("count", [2, 8])
def test_several_processes_at_once(server, folder, count):
    together = [start(server, folder) for _ in range(count)]
    assert [process.communicate()[0].splitlines()[-1] for process in together] == ["6"] * count
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
    assert "cannot be written" in said and "Free some space" in said
    assert names(folder) == []


# --- folders --------------------------------------------------------------------------------------------------------


def test_data_dir_that_does_not_exist_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("RNN_DATA_DIR", str(tmp_path / "nowhere"))
    for load in (helpers.load_stock, helpers.load_imdb, helpers.load_glove):
        with pytest.raises(helpers.DataError, match="nowhere.*not a folder"):
            load()


def test_folder_with_spaces_and_hangul(tmp_path, monkeypatch):
    named = tmp_path / "내 데이터 folder"
    named.mkdir()
    monkeypatch.setenv("RNN_DATA_DIR", str(named))
    (named / "aclImdb.tar.gz").write_bytes(archive())
    assert_small_imdb(helpers.load_imdb())
    assert_small_imdb(helpers.load_imdb())


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_read_only_folder(server, folder, monkeypatch, capsys):
    """A download into it is refused with one sentence; a file in it is used, only not cached."""
    import pooch  # noqa: F401  (imported before the rights are given up)
    import requests  # noqa: F401

    (folder / "sub").mkdir()
    (folder / "sub" / "aclImdb.tar.gz").write_bytes(archive())
    folder.chmod(0o755)
    (folder / "sub").chmod(0o555)
    for parent in [folder, *folder.parents][:4]:
        parent.chmod(parent.stat().st_mode | 0o055)
    (folder / "empty").mkdir(mode=0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)  # permissions do not bind root
    try:
        monkeypatch.setenv("RNN_DATA_DIR", str(folder / "sub"))
        assert_small_imdb(helpers.load_imdb())
        assert "not cached" in capsys.readouterr().out
        monkeypatch.setenv("RNN_DATA_DIR", str(folder / "empty"))
        with pytest.raises(helpers.DataError, match="cannot be written.*RNN_DATA_DIR"):
            helpers.load_imdb()
    finally:
        if root:
            os.seteuid(0)
        for part in ("sub", "empty"):
            (folder / part).chmod(0o755)


# --- GloVe ----------------------------------------------------------------------------------------------------------


def test_glove_subset(folder, capsys):
    glove = helpers.load_glove()
    assert len(glove) >= 20_000 and glove.shape[1] == 100 and glove.to_numpy().dtype == np.float32
    assert glove.index.is_unique and np.isfinite(glove.to_numpy()).all()
    assert "[data] glove: subset" in capsys.readouterr().out
    king, queen, cabbage = (glove.loc[word].to_numpy() for word in ("king", "queen", "cabbage"))
    assert king @ queen / np.linalg.norm(king) / np.linalg.norm(queen) > 0.7
    assert king @ cabbage / np.linalg.norm(king) / np.linalg.norm(cabbage) < 0.3
    assert np.allclose(
        glove.loc["the"].iloc[:3], [-0.038194, -0.24487, 0.72812], atol=1e-3
    )  # the published numbers


def test_glove_words_keep_their_order_and_unknown_ones_are_left_out(folder):
    glove = helpers.load_glove(["queen", "no-such-word", "king"])
    assert glove.index.tolist() == ["queen", "king"] and glove.shape == (2, 100)


@pytest.mark.parametrize("form", ["txt", "zip"])
def test_glove_file_is_read_and_cached(folder, form):
    text = glove_text(words=("the", '"', "caf\u00e9", "king"))
    if form == "txt":
        (folder / "glove.6B.100d.txt").write_text(text, encoding="utf-8")
    else:
        with zipfile.ZipFile(folder / "glove.6B.zip", "w") as packed:
            packed.writestr("glove.6B.100d.txt", text)
    first, second = helpers.load_glove(), helpers.load_glove()
    assert first.index.tolist() == ["the", '"', "caf\u00e9", "king"]
    assert (
        first.equals(second)
        and first.attrs["source"] == "real"
        and (folder / "glove-cache.npy").exists()
    )
    assert first.iloc[1, 2] == np.float32(text.split("\n")[1].split(" ")[3])


@pytest.mark.parametrize("kept", [0, 1, 100, 200, 500, -1])
def test_glove_damaged_cache_is_made_again(folder, kept):
    (folder / "glove.6B.100d.txt").write_text(glove_text(), encoding="utf-8")
    first = helpers.load_glove()
    whole = (folder / "glove-cache.npy").read_bytes()
    (folder / "glove-cache.npy").write_bytes(whole[:kept])
    assert helpers.load_glove().equals(first)
    assert (folder / "glove-cache.npy").read_bytes() == whole


@pytest.mark.parametrize(
    "line",
    [
        "word" + " 0.1" * 99,
        "word" + " 0.1" * 101,
        "two words" + " 0.1" * 100,
        "word" + " 0.1" * 99 + " nan",
        "word" + " 0.1" * 99 + " abc",
        "word" + " 0.1" * 99 + " inf",
        "word",
    ],
)
def test_glove_broken_line_is_named(folder, line):
    (folder / "glove.6B.100d.txt").write_text(
        glove_text(("the",)) + line + "\n" + glove_text(("king",)), encoding="utf-8"
    )
    with pytest.raises(helpers.DataError, match="glove.6B.100d.txt, line 2"):
        helpers.load_glove()
    assert names(folder) == ["glove.6B.100d.txt"]


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\xff\xfe\x00bad"])
def test_glove_file_that_is_none(folder, content):
    (folder / "glove.6B.100d.txt").write_bytes(content)
    with pytest.raises(helpers.DataError, match="glove.6B.100d.txt"):
        helpers.load_glove()


def test_glove_file_with_the_line_ends_and_the_mark_of_windows(folder):
    text = "\ufeff" + glove_text().replace("\n", "\r\n")
    (folder / "glove.6B.100d.txt").write_bytes(text.encode())
    glove = helpers.load_glove()
    assert glove.index.tolist() == ["the", "king", "queen"] and glove.shape == (3, 100)


def test_glove_zip_that_is_none(folder):
    (folder / "glove.6B.zip").write_bytes(b"PK nonsense")
    with pytest.raises(helpers.DataError, match="not a whole zip file"):
        helpers.load_glove()


def test_glove_file_that_claims_to_be_huge(folder, monkeypatch):
    with zipfile.ZipFile(folder / "glove.6B.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("glove.6B.100d.txt", b"\0" * 501_000_000)  # a zip bomb: 0.5 MB on the disk
    with pytest.raises(helpers.DataError, match="over 500 MB"):
        helpers.load_glove()


def test_glove_download_tries_the_mirror(server, folder, monkeypatch):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("glove.6B.100d.txt", glove_text())
    server.files["glove.6B.zip"] = buffer.getvalue()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{free.getsockname()[1]}/glove.6B.zip"
    monkeypatch.setattr(helpers, "GLOVE_URLS", (dead, server.url("glove.6B.zip")))
    monkeypatch.setattr(helpers, "GLOVE_SHA256", hashlib.sha256(buffer.getvalue()).hexdigest())
    assert helpers.load_glove().index.tolist() == ["the", "king", "queen"]


@pytest.mark.parametrize("fault, says", [*DOWNLOAD_FAULTS, (None, "sha256")])
def test_glove_download_fault_is_one_sentence_and_leaves_nothing(
    server, folder, monkeypatch, fault, says
):
    server.files["glove.6B.zip"], server.faults["glove.6B.zip"] = (
        b"<html>Please log in</html>" * 100,
        fault,
    )
    monkeypatch.setattr(helpers, "GLOVE_URLS", (server.url("glove.6B.zip"),))
    with pytest.raises(helpers.DataError, match=says):
        helpers.load_glove()
    assert names(folder) == []


# --- prices ---------------------------------------------------------------------------------------------------------


def test_stock_simulated_without_internet_cannot_be_missed(folder, capsys):
    table = helpers.load_stock()
    assert (
        table.shape == (5528, 7)
        and table["Close"].min() > 0
        and (table["Volume"] == 0).sum() == 115
    )
    assert table.attrs["source"] == "simulated"
    assert "!!  SIMULATED PRICES" in capsys.readouterr().out
    assert names(folder) == []


def test_stock_simulated_returns_cannot_be_predicted_from_yesterday():
    table = helpers.load_stock("simulated")
    returns = table.loc[table["Volume"] > 0, "Close"].pct_change().dropna()
    assert (
        abs(returns.autocorr(1)) < 0.04
    )  # noise of 5,400 draws: 2 / sqrt(5400) = 0.027, more with fat tails
    assert (returns**2).autocorr(1) > 0.04  # but large moves come in clusters


@pytest.mark.parametrize("name", ["samsung_electronics.csv", "005930.KS.csv"])
def test_stock_from_the_data_folder(folder, name, capsys):
    prices().to_csv(folder / name, index=False)
    table = helpers.load_stock(start="2020-01-08", end="2020-06-10")
    assert table["Date"].iloc[0] == pd.Timestamp("2020-01-08") and table["Date"].iloc[
        -1
    ] == pd.Timestamp("2020-06-09")
    assert (
        f"[data] stock 005930.KS: real, {len(table)} days, from {name}" in capsys.readouterr().out
    )


def test_stock_file_as_excel_saves_it(folder):
    text = "\ufeff" + prices().to_csv(index=False, lineterminator="\r\n")
    (folder / "005930.KS.csv").write_bytes(text.encode())
    pd.testing.assert_frame_equal(
        helpers.load_stock(), helpers.load_stock(folder / "005930.KS.csv")
    )
    assert helpers.load_stock()["Close"].tolist() == prices()["Close"].tolist()


def test_stock_from_a_path(tmp_path):
    text = prices().to_csv(index=False).replace("\n", "\r\n")
    (tmp_path / "mine.csv").write_bytes(
        "\ufeff".encode() + text.encode()
    )  # as spreadsheets write it
    table = helpers.load_stock(tmp_path / "mine.csv")
    pd.testing.assert_frame_equal(table, prices(), check_dtype=False)
    assert (
        all(table[name].dtype == "float64" for name in helpers.STOCK_COLUMNS[:-1])
        and table["Volume"].dtype == "int64"
    )


def test_stock_file_that_does_not_reach_the_asked_days_says_so(folder, capsys):
    prices().to_csv(folder / "005930.KS.csv", index=False)
    assert len(helpers.load_stock()) == 120
    assert "holds 2020-01-01 to 2020-06-16" in capsys.readouterr().out
    with pytest.raises(helpers.DataError, match="fewer than 100 of the days"):
        helpers.load_stock(start="2021-01-01", end="2022-01-01")


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda t: t.drop(columns="Adj Close"), "no column Adj Close"),
        (lambda t: t.drop(columns="Date"), "no column Date"),
        (lambda t: t.iloc[::-1], "dates must rise"),
        (lambda t: pd.concat([t.iloc[:1], t]), "data row 2: the dates must rise"),
        (lambda t: t.assign(Close=[-1, *t["Close"][1:]]), "data row 1"),
        (lambda t: t.assign(Close=["n/a", *t["Close"][1:]]), "data row 1"),
        (lambda t: t.assign(Date=["yesterday", *t["Date"][1:].astype(str)]), "data row 1"),
        (lambda t: t.iloc[:5], "5 rows"),
        (lambda t: t.iloc[:0], "0 rows"),
    ],
)
def test_stock_file_that_cannot_be_used_is_named(folder, change, says):
    change(prices()).to_csv(folder / "005930.KS.csv", index=False)
    with pytest.raises(helpers.DataError, match=says) as error:
        helpers.load_stock()
    assert "005930.KS.csv" in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\xfa\x00", b"<html>\n<body>not found, sorry</body></html>"]
)
def test_stock_file_that_is_no_table(folder, content):
    (folder / "005930.KS.csv").write_bytes(content)
    with pytest.raises(helpers.DataError, match="005930.KS.csv"):
        helpers.load_stock()


def test_stock_path_that_does_not_exist():
    with pytest.raises(helpers.DataError, match="no file nowhere.csv"):
        helpers.load_stock("nowhere.csv")


def test_stock_from_yahoo_is_validated_and_cached(folder, monkeypatch, capsys):
    import yfinance

    answers = [
        prices().set_index("Date"),
        prices().set_index("Date").drop(columns="Volume"),
        prices(0).set_index("Date"),
    ]
    monkeypatch.delenv("RNN_OFFLINE", raising=False)
    monkeypatch.setattr(yfinance, "download", lambda *_, **__: answers.pop(0))
    assert len(helpers.load_stock("000660.KS")) == 120
    assert "from Yahoo Finance" in capsys.readouterr().out and names(folder) == ["000660.KS.csv"]
    assert (
        len(helpers.load_stock("000660.KS", start="2020-01-01")) == 120
    )  # the copy; Yahoo is not asked again
    assert len(answers) == 2
    (folder / "000660.KS.csv").unlink()
    with pytest.raises(
        helpers.DataError, match="Yahoo's answer for 000660.KS has no column Volume"
    ):
        helpers.load_stock("000660.KS")
    assert helpers.load_stock("000660.KS").attrs["source"] == "simulated" and names(folder) == []


@pytest.mark.parametrize(
    "error",
    [ConnectionResetError("reset"), TimeoutError("slow"), ValueError("429 Too Many Requests")],
)
def test_stock_that_yahoo_does_not_answer_is_simulated_and_nothing_is_kept(
    folder, monkeypatch, capsys, error
):
    import yfinance

    def fails(*_, **__):
        raise error

    monkeypatch.delenv("RNN_OFFLINE", raising=False)
    monkeypatch.setattr(yfinance, "download", fails)
    assert helpers.load_stock().attrs["source"] == "simulated"
    assert "!!  SIMULATED PRICES" in capsys.readouterr().out and names(folder) == []


# --- the module -----------------------------------------------------------------------------------------------------


def test_import_is_light():
    code = "import sys, helpers; print([m for m in ('tensorflow', 'keras', 'pandas', 'numpy', 'matplotlib') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_no_pickle(folder):
    np.savez(folder / "imdb-cache.npz", fingerprint=np.array([{"a": 1}], dtype=object))
    (folder / "aclImdb.tar.gz").write_bytes(archive())
    assert_small_imdb(helpers.load_imdb())


def test_gzip_that_is_no_tar(folder):
    (folder / "aclImdb.tar.gz").write_bytes(gzip.compress(b"hello" * 100))
    with pytest.raises(helpers.DataError, match="not a whole tar.gz"):
        helpers.load_imdb()
