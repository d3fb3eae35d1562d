"""What the evaluation of lesson 04 promises: no leak, no window across a boundary, measures as computed by hand."""

import types

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons import cells, define
from sklearn.preprocessing import MinMaxScaler

import helpers

LESSON = "04_lstm_gru_stock"
N_STEPS, N_VALID, N_TEST = 20, 500, 269
RIGHT = (
    "usual-volume",
    "features-code",
    "parts-code",
    "prepare",
    "scores",
    "wilson-by-hand",
    "network",
    "networks",
    "train",
)


@pytest.fixture(scope="module")
def lesson():
    simulated = helpers.load_stock("simulated")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(helpers, "load_stock", lambda: simulated)
        names = define(LESSON, "load", "averages-code", "drop-missing", *RIGHT)
    return names


@pytest.fixture(scope="module")
def right(lesson):
    return lesson


# --- the leak trap --------------------------------------------------------------------------------------------------


def prepared(right, prices):
    frame = right["make_features"](prices)
    parts = right["split_rows"](len(frame), N_VALID, N_TEST)
    data, scaler = right["prepare"](frame, parts)
    return frame, parts, data, scaler


def planted(prices, day, marker=1e6):
    """The prices with a marker in every column from a day on."""
    changed = prices.copy()
    rows = changed["Date"] >= day
    changed.loc[rows, ["Open", "High", "Low", "Close", "Adj Close"]] += marker
    changed.loc[rows & (changed["Volume"] > 0), "Volume"] += int(marker)
    return changed


def test_nothing_before_the_test_part_knows_it(right):
    frame, parts, data, scaler = prepared(right, right["prices"])
    first_test_day = frame["Date"].iloc[parts["test"].start]
    _, _, marked, marked_scaler = prepared(right, planted(right["prices"], first_test_day))
    np.testing.assert_array_equal(scaler.mean_, marked_scaler.mean_)
    np.testing.assert_array_equal(scaler.scale_, marked_scaler.scale_)
    for part in ("train", "valid"):
        for before, after in zip(data[part], marked[part], strict=True):
            np.testing.assert_array_equal(before, after)
    assert not np.array_equal(data["test"][0], marked["test"][0]), (
        "the marker did arrive in the test part"
    )


def test_nothing_in_training_knows_the_validation_part(right):
    frame, parts, data, scaler = prepared(right, right["prices"])
    _, _, marked, marked_scaler = prepared(
        right, planted(right["prices"], frame["Date"].iloc[parts["valid"].start])
    )
    np.testing.assert_array_equal(scaler.scale_, marked_scaler.scale_)
    np.testing.assert_array_equal(data["train"][0], marked["train"][0])
    assert not np.array_equal(data["valid"][0], marked["valid"][0])


def test_a_marker_moves_no_feature_of_an_earlier_day(right):
    frame = right["make_features"](right["prices"])
    day = frame["Date"].iloc[3_000]
    marked = right["make_features"](planted(right["prices"], day))
    pd.testing.assert_frame_equal(frame[frame["Date"] < day], marked[marked["Date"] < day])


def test_the_trap_catches_the_chapters_way(lesson):
    """The same marker does move the training windows when the scaler is fitted on all rows."""
    clean = lesson["drop_missing"](lesson["add_averages"](lesson["prices"]))
    marked = lesson["drop_missing"](
        lesson["add_averages"](planted(lesson["prices"], clean["Date"].iloc[-100]))
    )
    columns = ["3MA_new", "5MA_new"]
    assert (clean[columns].iloc[:-100] == marked[columns].iloc[:-100]).all(axis=None)
    scaled, leaked = (MinMaxScaler().fit_transform(table[columns]) for table in (clean, marked))
    assert not np.allclose(scaled[:100], leaked[:100])


# --- windows and parts ----------------------------------------------------------------------------------------------


def test_windows_of_the_close_end_in_the_newest_known_close(lesson):
    """Persistence: window k ends in row k + 39, and its target is row k + 40."""
    days = np.arange(100.0)
    windows, targets = helpers.make_windows(np.c_[days, days, days], 40)
    k = np.arange(60)
    np.testing.assert_array_equal(windows[:, -1, 2], days[k + 39])
    np.testing.assert_array_equal(targets[:, 2], days[k + 40])


@pytest.mark.parametrize(("n_rows", "n_valid"), [(1_000, 100), (4_333, 433), (5_412, 500)])
def test_no_window_straddles_a_boundary(right, n_rows, n_valid):
    parts = right["split_rows"](n_rows, n_valid, N_TEST)
    assert list(parts) == ["train", "valid", "test"]
    assert parts["train"].start == 0 and parts["test"].stop == n_rows
    assert (
        parts["train"].stop == parts["valid"].start and parts["valid"].stop == parts["test"].start
    )
    rows = np.arange(n_rows)
    for part in (
        parts.values()
    ):  # put the row number where the features are: a window shows which rows it reads
        x, y = helpers.make_windows(rows[part][:, None], N_STEPS)
        assert x.min() >= part.start and x.max() < part.stop and y.max() < part.stop
        np.testing.assert_array_equal(x[:, -1, 0] + 1, y[:, 0])
    assert len(y) == N_TEST


def test_prepare_targets_are_the_next_returns(right):
    frame, parts, data, scaler = prepared(right, right["prices"])
    for name, rows in parts.items():
        expected = frame["return"].iloc[rows].iloc[N_STEPS:].to_numpy()
        np.testing.assert_allclose(
            data[name][1] * scaler.scale_[0] + scaler.mean_[0], expected, atol=1e-6
        )
        np.testing.assert_array_equal(data[name][0][1:, -1, 0], data[name][1][:-1])
    train = frame[["return", "range", "volume"]].iloc[parts["train"]]
    np.testing.assert_allclose(scaler.mean_, train.mean())
    np.testing.assert_allclose(scaler.scale_, train.std(ddof=0))


def test_previous_close_is_the_one_of_the_last_traded_day(right):
    frame = right["make_features"](right["prices"])
    traded = right["prices"].loc[right["prices"]["Volume"] > 0, "Close"].to_numpy()
    np.testing.assert_array_equal(frame["previous"], traded[:-1])
    np.testing.assert_allclose(frame["return"], traded[1:] / traded[:-1] - 1)


# --- the chapter's table --------------------------------------------------------------------------------------------


def test_averages_missing_values_and_rows(lesson):
    table = lesson["add_averages"](lesson["prices"])
    added = ["3MA", "5MA", "3MA_new", "5MA_new", "R_t"]
    assert table[added].isna().sum().tolist() == [2, 4, 3, 5, 1]
    close = lesson["prices"]["Close"]
    assert table["3MA_new"].iloc[10] == pytest.approx(close.iloc[7:10].mean())
    assert table["5MA"].iloc[10] == pytest.approx(close.iloc[6:11].mean())
    assert table["R_t"].iloc[10] == pytest.approx((close.iloc[10] - close.iloc[9]) / close.iloc[9])
    clean = lesson["drop_missing"](table)
    assert len(clean) == 5_408 and (clean["Volume"] > 0).all() and not clean.isna().any(axis=None)
    assert (lesson["prices"]["Volume"] == 0).sum() == 115, "the table that was given is not changed"


# --- measures -------------------------------------------------------------------------------------------------------


def test_scores_by_hand(right):
    previous = np.array([10.0, 20.0, 10.0, 10.0])
    close = np.array([12.0, 18.0, 10.0, 14.0])
    forecast = np.array([11.0, 21.0, 12.0, 13.0])
    found = right["scores"](close, previous, forecast, naive_error=0.5)
    assert found["RMSE"] == pytest.approx(np.sqrt((1 + 9 + 4 + 1) / 4))
    assert found["MAE"] == pytest.approx(7 / 4)
    assert found["MASE"] == pytest.approx(3.5)
    assert found["R2 price"] == pytest.approx(1 - 15 / (1.5**2 + 4.5**2 + 3.5**2 + 0.5**2))
    # returns 0.2 -0.1 0 0.4 (mean 0.125), forecast 0.1 0.05 0.2 0.3
    assert found["R2 return"] == pytest.approx(
        1 - (0.01 + 0.0225 + 0.04 + 0.01) / (0.075**2 + 0.225**2 + 0.125**2 + 0.275**2)
    )
    assert (found["right"], found["rose"], found["moved"]) == (2, 2, 3), "a day without a move"


def test_scores_of_persistence(right):
    rng = np.random.default_rng(0)
    closes = 100 + rng.normal(size=50).cumsum()
    found = right["scores"](closes[1:], closes[:-1], closes[:-1], np.abs(np.diff(closes)).mean())
    assert found["MASE"] == pytest.approx(1) and np.isnan(found["right"])


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(2, 60),
    st.floats(0.01, 1e5),
    st.sampled_from([0.25, 0.5, 2.0, 1024.0]),
)
def test_scores_keep_their_promises_whatever_the_prices(right, seed, n_days, price, unit):
    random = np.random.default_rng(seed)
    values = price * random.uniform(0.5, 1.5, n_days + 1)
    close, previous, forecast = (
        values[1:],
        values[:-1],
        values[1:] * random.uniform(0.5, 1.5, n_days),
    )
    found = right["scores"](close, previous, forecast, naive_error=3.0)
    assert found["RMSE"] >= found["MAE"] * (1 - 1e-9) and found["MASE"] == pytest.approx(
        found["MAE"] / 3
    )
    other = right["scores"](close * unit, previous * unit, forecast * unit, naive_error=3.0 * unit)
    for name in (
        "MASE",
        "R2 price",
        "R2 return",
        "right",
    ):  # none of these depends on the currency
        assert other[name] == pytest.approx(found[name]), name
    perfect = right["scores"](close, previous, close, naive_error=3.0)
    assert perfect["RMSE"] == perfect["MASE"] == 0 and perfect["right"] == perfect["moved"]


def test_wilson_against_published_values_and_coverage(right):
    low, high = right["wilson"](0, 10)  # 0 of 10: 0 to 0.278, Brown, Cai and DasGupta 2001
    assert low == pytest.approx(0, abs=1e-12) and high == pytest.approx(0.2775, abs=1e-3)
    low, high = right["wilson"](50, 100)
    assert (low, high) == (pytest.approx(0.4038, abs=1e-3), pytest.approx(0.5962, abs=1e-3))
    hits = np.random.default_rng(1).binomial(269, 0.52, size=20_000)
    low, high = right["wilson"](hits, 269)
    assert 0.94 < np.mean((low < 0.52) & (0.52 < high)) < 0.96


# --- training -------------------------------------------------------------------------------------------------------


def test_a_second_training_starts_afresh(right):
    """The reused model gives the same forecast for the same seed, whatever was trained in between."""
    rng = np.random.default_rng(0)
    data = {}
    for name, n in (("train", 300), ("valid", 50), ("test", 30)):
        x, y = rng.normal(size=(n, 20, 3)), rng.normal(size=n)
        data[name] = x.astype("float32"), y.astype("float32")
    scaler = types.SimpleNamespace(mean_=[0.0], scale_=[1.0])
    first, other, again = (right["train"]("GRU", data, scaler, seed) for seed in (1, 2, 1))
    np.testing.assert_allclose(first, again, atol=1e-6)
    assert not np.allclose(first, other, atol=1e-3)


# --- any series -----------------------------------------------------------------------------------------------------


def another_share():
    """Eight years of a share that is cheap, has other trading days, and was traded on all of them."""
    days = pd.date_range("2015-03-02", periods=2_000, freq="B")
    close = 40 * np.exp(0.02 * np.random.default_rng(5).normal(size=2_000)).cumprod()
    prices = pd.DataFrame({"Date": days, "Open": close, "High": 1.01 * close, "Low": 0.99 * close})
    prices = prices.assign(Close=close, **{"Adj Close": close})
    return prices.assign(Volume=np.random.default_rng(6).integers(1_000, 9_000, size=2_000))


def one_more(prices):
    extra = prices.tail(1).assign(Date=prices["Date"].iloc[-1] + pd.Timedelta(days=1))
    return pd.concat([prices, extra])


SERIES = {
    "as published": lambda prices: prices,
    "one day less": lambda prices: prices.iloc[:-1],
    "one day more": one_more,
    "the last 5,000 days": lambda prices: prices.tail(5_000),
    "another share": lambda prices: another_share(),
    "1,000 days": lambda prices: prices.tail(1_000),
    "the first 1,000 days": lambda prices: prices.head(1_000),
}


def run_all(monkeypatch, tmp_path, prices, until=None):
    """All code cells of the lesson on other prices; the networks learn nothing, so that it takes seconds."""
    import keras
    import matplotlib.pyplot as plt
    import plotly.graph_objects as go

    history = types.SimpleNamespace(history={"loss": [1.0], "val_loss": [1.0]}, epoch=[0])
    monkeypatch.setattr(keras.Model, "fit", lambda self, *args, **kwargs: history)
    monkeypatch.setattr(keras.Model, "predict", lambda self, x, **kwargs: x[:, -1, :1])
    monkeypatch.setattr(go.Figure, "show", lambda self: None)
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    path = tmp_path / "share.csv"
    prices.to_csv(path, index=False)
    load, simulated = helpers.load_stock, helpers.load_stock("simulated")
    series = {"simulated": lambda: simulated, None: lambda: load(path)}
    monkeypatch.setattr(helpers, "load_stock", lambda name=None: series[name]())
    ids = [name for name, cell in cells(LESSON).items() if cell.cell_type == "code"]
    wanted = [name for name in ids[2:] if not name.startswith("ex")]
    return define(LESSON, *wanted[: until and wanted.index(until) + 1])


@pytest.mark.parametrize("series", SERIES)
def test_the_lesson_runs_on_any_series(monkeypatch, tmp_path, series):
    prices = SERIES[series](helpers.load_stock("simulated"))
    names = run_all(monkeypatch, tmp_path, prices)
    assert len(names["test_dates"]) == names["n_test"] == len(names["forecast"])
    assert list(names["test_dates"]) == list(names["clean"]["Date"].iloc[-names["n_test"] :])
    assert len(names["skill"]) == 5 and not names["skill"].isna().any(axis=None)
    assert names["walk_direction"].notna().all(axis=None)


def test_a_series_that_is_too_short_is_refused_in_one_sentence(monkeypatch, tmp_path):
    prices = helpers.load_stock("simulated").tail(700)
    with pytest.raises(helpers.DataError, match=r"needs 900 days with trades; here are \d+\.$"):
        run_all(monkeypatch, tmp_path, prices, until="load")


def test_a_wrong_volume_is_found_and_does_not_reach_the_features(right):
    prices = right["prices"].copy()
    day = 3_000
    prices.loc[day, "Volume"] = 500
    features = right["make_features"](prices)["volume"]
    assert features.abs().max() < 4 < right["make_features"](prices, repair=False)["volume"].max()
