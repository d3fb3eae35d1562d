"""What lesson 02 promises about windows, the split, parameter counts, the linear recurrence and the feedback of predictions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons import define

LESSON = "02_simplernn_sine"


@pytest.fixture(scope="module")
def lesson():
    return define(
        LESSON, "series-data", "make-windows", "windows-shape", "split-80-20", "split-function", "split-three-parts",
        "network-model", "baselines-models", "recurrence-function", "forecast", "error-ahead-function",
        "gradient-norms", "random-layer",
    )  # fmt: skip


def by_loop(series, n_steps, horizon):
    starts = range(len(series) - n_steps - horizon + 1)
    windows = np.array([series[start : start + n_steps] for start in starts])
    return windows, np.array([series[start + n_steps + horizon - 1] for start in starts])


# --- windows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "n_features", "n_steps", "horizon"),
    [(6, 1, 3, 1), (1000, 1, 20, 1), (50, 2, 7, 3), (4, 3, 3, 1)],
)
def test_windows_equal_the_loop(lesson, n, n_features, n_steps, horizon):
    series = np.random.default_rng(0).normal(size=(n, n_features))
    windows, targets = lesson["make_windows"](series, n_steps, horizon)
    expected = by_loop(series, n_steps, horizon)
    assert windows.shape == expected[0].shape == (n - n_steps - horizon + 1, n_steps, n_features)
    np.testing.assert_array_equal(windows, expected[0])
    np.testing.assert_array_equal(targets, expected[1])


@settings(max_examples=100, deadline=None)
@given(
    data=st.data(),
    n_features=st.integers(1, 3),
    n_steps=st.integers(1, 12),
    horizon=st.integers(1, 6),
)
def test_windows_equal_the_loop_whatever_the_sizes(data, lesson, n_features, n_steps, horizon):
    n = data.draw(st.integers(n_steps + horizon, 40))
    series = np.arange(n * n_features, dtype=float).reshape(n, n_features)
    for found, expected in zip(
        lesson["make_windows"](series, n_steps, horizon),
        by_loop(series, n_steps, horizon),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


@settings(max_examples=30, deadline=None)
@given(n_steps=st.integers(1, 12), horizon=st.integers(1, 6), missing=st.integers(1, 5))
def test_too_short_a_series_says_so(lesson, n_steps, horizon, missing):
    short = np.zeros((max(n_steps + horizon - missing, 0), 1))
    with pytest.raises(ValueError, match="too few"):
        lesson["make_windows"](short, n_steps, horizon)


def test_windows_are_a_view_and_cannot_be_written(lesson):
    series = np.zeros((30, 1))
    windows, _ = lesson["make_windows"](series, 5)
    assert np.shares_memory(windows, series)
    with pytest.raises(ValueError, match="read-only"):
        windows[0, 0, 0] = 1


# --- shapes and counts of the chapter -------------------------------------------------------------------------------


def test_shapes_of_the_chapter(lesson):
    assert lesson["series"].shape == (1000, 1)
    np.testing.assert_allclose(lesson["series"][:2, 0], [1, np.sin(0.2) + np.cos(0.05)])
    assert lesson["windows"].shape == (980, 20, 1) and lesson["targets"].shape == (980, 1)
    assert lesson["x_train"].shape == (784, 20, 1) and lesson["y_train"].shape == (784, 1)
    assert lesson["x_test"].shape == (196, 20, 1) and lesson["y_test"].shape == (196, 1)


def test_parameters_of_the_chapter(lesson):
    model = lesson["model"]
    assert [layer.count_params() for layer in model.layers] == [
        16_640,
        129,
    ] and model.count_params() == 16_769
    assert model.output_shape == (None, 1)


# --- split ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_steps", [1, 4, 20, 40, 80])
def test_no_part_contains_a_value_of_a_later_part(lesson, n_steps):
    """The series counts 0, 1, 2, ..., so that a value says at which time step it was measured."""
    fit, valid, test = lesson["split"](np.arange(1000.0).reshape(-1, 1), n_steps)
    assert max(fit[0].max(), fit[1].max()) == 646 < 647 == valid[1].min()
    assert max(valid[0].max(), valid[1].max()) == 803 < 804 == test[1].min()
    every_target = np.concatenate([fit[1], valid[1], test[1]])[:, 0]
    np.testing.assert_array_equal(every_target, np.arange(n_steps, 1000))
    for x, y in (fit, valid, test):
        np.testing.assert_array_equal(x[:, -1] + 1, y)


def test_the_three_parts_are_the_chapters_two(lesson):
    (x_fit, _), (x_valid, y_valid), (x_test, y_test) = lesson["split"](lesson["series"])
    np.testing.assert_array_equal(np.concatenate([x_fit, x_valid]), lesson["windows"][:784])
    np.testing.assert_array_equal(x_test, lesson["windows"][784:])
    assert len(x_valid) == len(y_valid) == 157 and len(y_test) == 196


# --- linear models --------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    frequencies=st.lists(st.floats(0.05, 3.1), min_size=1, max_size=3),
    phases=st.lists(st.floats(0, 6.3), min_size=3, max_size=3),
    heights=st.lists(st.floats(-5, 5), min_size=3, max_size=3),
)
def test_recurrence_continues_any_sum_of_waves(lesson, frequencies, phases, heights):
    t = np.arange(60)
    y = sum(h * np.sin(f * t + p) for f, p, h in zip(frequencies, phases, heights, strict=False))
    weights = lesson["recurrence"](*frequencies)
    assert len(weights) == 2 * len(frequencies)
    continued = sum(weight * y[len(weights) - j : -j] for j, weight in enumerate(weights, 1))
    np.testing.assert_allclose(continued, y[len(weights) :], atol=1e-10)


def test_recurrence_is_exact_on_the_series_and_refuses_other_frequencies(lesson):
    y = lesson["series"][:, 0]
    error = lambda weights: np.abs(
        sum(w * y[4 - j : -j] for j, w in enumerate(weights, 1)) - y[4:]
    ).max()  # noqa: E731
    assert error(lesson["recurrence"](0.2, 0.05)) < 1e-12
    assert error(lesson["recurrence"](0.2, 0.1)) > 1e-5, (
        "cos(x), the chapter's title, is another series"
    )


def test_linear_model_is_perfect_on_the_series_and_the_last_value_is_not(lesson):
    (x_fit, y_fit), _, (x_test, y_test) = lesson["split"](lesson["series"])
    assert np.mean((lesson["fit_linear"](x_fit, y_fit)(x_test) - y_test) ** 2) < 1e-20
    assert np.mean((lesson["last_value"](x_test) - y_test) ** 2) == pytest.approx(0.0206, abs=1e-4)


def test_linear_model_finds_the_weights_by_which_the_targets_were_made(lesson):
    x = np.random.default_rng(0).normal(size=(50, 3, 1))
    y = x[:, :, 0] @ np.array([[1.0], [-2.0], [3.0]])
    np.testing.assert_allclose(
        lesson["fit_linear"](x, y)(np.eye(3)[:, :, None]), [[1], [-2], [3]], atol=1e-10
    )


# --- many steps ahead -----------------------------------------------------------------------------------------------


def test_forecast_feeds_predictions_back(lesson):
    """The model's answer is the whole window as a number, so that one sees which values it was given."""
    seen = []

    def predict(x):
        seen.append(x[0, :, 0].tolist())
        return 10.0 + len(seen) + 0 * x[:, -1]

    windows = np.array([[[1.0], [2.0], [3.0]]])
    assert lesson["forecast"](predict, windows, 4).tolist() == [[11, 12, 13, 14]]
    assert seen == [[1, 2, 3], [2, 3, 11], [3, 11, 12], [11, 12, 13]]
    assert windows[0, :, 0].tolist() == [1, 2, 3], "the caller's windows stay as they are"


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 5), n_steps=st.integers(2, 6), n_ahead=st.integers(1, 20))
def test_forecast_continues_lines_and_looks_at_no_later_value(lesson, n, n_steps, n_ahead):
    start, slope = np.arange(n)[:, None], np.arange(1, n + 1)[:, None]
    windows = (start + slope * np.arange(n_steps))[:, :, None].astype(float)
    found = lesson["forecast"](lambda x: 2 * x[:, -1] - x[:, -2], windows, n_ahead)
    np.testing.assert_allclose(found, start + slope * np.arange(n_steps, n_steps + n_ahead))


def test_error_ahead_compares_each_forecast_with_its_own_moment(lesson):
    x, y = lesson["make_windows"](np.arange(50.0).reshape(-1, 1), 5)
    np.testing.assert_allclose(
        lesson["error_ahead"](lambda x: x[:, -1] + 1, (x, y), 10), np.zeros(10)
    )
    np.testing.assert_allclose(
        lesson["error_ahead"](lesson["last_value"], (x, y), 10), np.arange(1, 11)
    )


def test_linear_model_stays_exact_64_steps_ahead(lesson):
    fit, _, test = lesson["split"](lesson["series"])
    assert lesson["error_ahead"](lesson["fit_linear"](*fit), test).max() < 1e-8


# --- gradients over time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "gain"), [("tanh", 0.8), ("tanh", 1.5), ("relu", 1.0), ("relu", 1.5)]
)
def test_gradient_norms_equal_automatic_differentiation(lesson, activation, gain):
    import tensorflow as tf

    layer, first = lesson["random_layer"](activation, gain, units=8), tf.zeros((1, 8))
    inputs = np.random.default_rng(0).normal(size=(12, 1)).astype("float32")
    norms = lesson["gradient_norms"](layer, inputs)
    assert len(norms) == 13 and norms[0] == 1
    for distance in (1, 5, 12):
        with tf.GradientTape() as tape:
            before = (
                layer(inputs[None, : 12 - distance], initial_state=first)[:, -1]
                if distance < 12
                else first
            )
            tape.watch(before)
            last = layer(inputs[None, 12 - distance :], initial_state=before)[:, -1]
        jacobian = tape.jacobian(last, before)[0, :, 0].numpy()
        assert norms[distance] == pytest.approx(np.linalg.norm(jacobian, 2), rel=1e-3)


def test_tanh_vanishes_and_large_relu_explodes(lesson):
    inputs = lesson["series"][:100]
    norms = {
        key: lesson["gradient_norms"](lesson["random_layer"](*key), inputs)
        for key in (("tanh", 1.0), ("relu", 1.8))
    }
    assert norms["tanh", 1.0][50] < 0.3 and norms["relu", 1.8][50] > 100
