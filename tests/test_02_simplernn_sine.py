"""What lesson 02 promises about windows, the split, parameter counts, the linear recurrence, forecasts and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons import define

import helpers

LESSON = "02_simplernn_sine"


@pytest.fixture(scope="module")
def lesson():
    return define(
        LESSON, "series-data", "make-windows", "windows-shape", "split-80-20", "split-function", "split-three-parts",
        "network-model", "baselines-models", "linear-function", "silence", "recurrence-function", "forecast",
        "straight-line", "error-ahead-function", "run-cell", "activations", "state-gradient-norms", "fresh-layer",
    )  # fmt: skip


def by_loop(series, n_steps, horizon):
    starts = range(len(series) - n_steps - horizon + 1)
    windows = np.array([series[start : start + n_steps] for start in starts])
    return windows, np.array([series[start + n_steps + horizon - 1] for start in starts])


# --- windows --------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    data=st.data(),
    n_features=st.integers(1, 3),
    n_steps=st.integers(1, 12),
    horizon=st.integers(1, 6),
)
def test_windows_equal_the_loop_and_the_helper(data, lesson, n_features, n_steps, horizon):
    n = data.draw(st.integers(n_steps + horizon, 40))
    series = np.arange(n * n_features, dtype=float).reshape(n, n_features)
    found = lesson["make_windows"](series, n_steps, horizon)
    for other in (
        by_loop(series, n_steps, horizon),
        helpers.make_windows(series, n_steps, horizon),
    ):
        for one, two in zip(found, other, strict=True):
            assert one.shape == two.shape
            np.testing.assert_array_equal(one, two)


def test_the_lesson_and_the_helper_have_the_same_default_and_copy_nothing(lesson):
    series = np.random.default_rng(0).normal(size=(30, 2))
    for make_windows in (lesson["make_windows"], helpers.make_windows):
        windows, targets = make_windows(series, 5)
        np.testing.assert_array_equal(windows, by_loop(series, 5, 1)[0])
        np.testing.assert_array_equal(targets, series[5:])
        assert np.shares_memory(windows, series)
        with pytest.raises(ValueError, match="read-only"):
            windows[0, 0, 0] = 1


@settings(max_examples=30, deadline=None)
@given(n_steps=st.integers(1, 12), horizon=st.integers(1, 6), missing=st.integers(1, 5))
def test_too_short_a_series_says_so(lesson, n_steps, horizon, missing):
    short = np.zeros((max(n_steps + horizon - missing, 0), 1))
    for make_windows in (lesson["make_windows"], helpers.make_windows):
        with pytest.raises(ValueError, match="too few"):
            make_windows(short, n_steps, horizon)


# --- shapes and counts of the lecture chapter -----------------------------------------------------


def test_shapes_of_the_chapter(lesson):
    assert lesson["series"].shape == (1000, 1)
    np.testing.assert_allclose(lesson["series"][:2, 0], [1, np.sin(0.2) + np.cos(0.05)])
    assert lesson["windows"].shape == (980, 20, 1) and lesson["targets"].shape == (980, 1)
    assert lesson["n_before_test"] == 784
    assert lesson["x_test"].shape == (196, 20, 1) and lesson["y_test"].shape == (196, 1)


def test_parameters_of_the_chapter(lesson):
    model = lesson["model"]
    assert [layer.count_params() for layer in model.layers] == [16_640, 129]
    assert model.output_shape == (None, 1)


# --- split ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_steps", [1, 4, 20, 40, 160])
def test_no_part_contains_a_value_of_a_later_part(lesson, n_steps):
    """The series counts 0, 1, 2, ..., so that a value says at which time step it was measured."""
    train, valid, test = lesson["split"](np.arange(1000.0).reshape(-1, 1), n_steps)
    first_valid, first_test = lesson["first_valid"], lesson["first_test"]
    assert (first_valid, first_test) == (647, 804)
    assert max(train[0].max(), train[1].max()) == first_valid - 1 and valid[1].min() == first_valid
    assert max(valid[0].max(), valid[1].max()) == first_test - 1 and test[1].min() == first_test
    every_target = np.concatenate([train[1], valid[1], test[1]])[:, 0]
    np.testing.assert_array_equal(every_target, np.arange(n_steps, 1000))
    for x, y in (train, valid, test):
        np.testing.assert_array_equal(x[:, -1] + 1, y)


def test_the_three_parts_are_the_chapters_two(lesson):
    (x_train, _), (x_valid, y_valid), (x_test, y_test) = lesson["split"](lesson["series"])
    np.testing.assert_array_equal(np.concatenate([x_train, x_valid]), lesson["windows"][:784])
    np.testing.assert_array_equal(x_test, lesson["windows"][784:])
    assert len(x_valid) == len(y_valid) == 157 and len(y_test) == 196


# --- linear models --------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    frequencies=st.lists(st.floats(0.05, 3.1), min_size=1, max_size=3),
    phases=st.lists(st.floats(0, 6.3), min_size=3, max_size=3),
    heights=st.lists(st.floats(-5, 5), min_size=3, max_size=3),
)
def test_filters_silence_and_the_recurrence_continues_any_sum_of_waves(
    lesson, frequencies, phases, heights
):
    t = np.arange(60)
    y = sum(h * np.sin(f * t + p) for f, p, h in zip(frequencies, phases, heights, strict=False))
    weights = lesson["recurrence"](*frequencies)
    assert len(weights) == 2 * len(frequencies)
    continued = sum(weight * y[len(weights) - j : -j] for j, weight in enumerate(weights, 1))
    np.testing.assert_allclose(continued, y[len(weights) :], atol=1e-10)
    for frequency in frequencies:
        y = lesson["silence"](y, frequency)
    np.testing.assert_allclose(y, 0, atol=1e-10)


def test_the_recurrence_of_two_waves_is_the_one_written_in_the_text(lesson):
    a, b = 2 * np.cos(0.2), 2 * np.cos(0.05)
    np.testing.assert_allclose(lesson["recurrence"](0.2, 0.05), [a + b, -(2 + a * b), a + b, -1])


def test_linear_model_is_perfect_on_the_series_and_the_last_value_is_not(lesson):
    (x_train, y_train), _, (x_test, y_test) = lesson["split"](lesson["series"])
    assert np.mean((lesson["fit_linear"](x_train, y_train)(x_test) - y_test) ** 2) < 1e-20
    assert np.mean((lesson["last_value"](x_test) - y_test) ** 2) == pytest.approx(0.0206, abs=1e-4)


def test_linear_model_finds_the_weights_by_which_the_targets_were_made(lesson):
    x = np.random.default_rng(0).normal(size=(50, 3, 1))
    y = x[:, :, 0] @ np.array([[1.0], [-2.0], [3.0]])
    np.testing.assert_allclose(lesson["linear_weights"](x, y), [[1], [-2], [3]], atol=1e-10)
    found = lesson["fit_linear"](x, y)(np.eye(3)[:, :, None])
    np.testing.assert_allclose(found, [[1], [-2], [3]], atol=1e-10)


# --- many steps ahead -----------------------------------------------------------------------------


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
    found = lesson["forecast"](lesson["straight_line"], windows, n_ahead)
    np.testing.assert_allclose(found, start + slope * np.arange(n_steps, n_steps + n_ahead))


def test_error_ahead_compares_each_forecast_with_its_own_moment(lesson):
    x, y = lesson["make_windows"](np.arange(50.0).reshape(-1, 1), 5)
    error_ahead = lesson["error_ahead"]
    np.testing.assert_allclose(error_ahead(lambda x: x[:, -1] + 1, x, y, 10), np.zeros(10))
    np.testing.assert_allclose(error_ahead(lesson["last_value"], x, y, 10), np.arange(1, 11))


def test_linear_model_stays_exact_64_steps_ahead(lesson):
    train, _, test = lesson["split"](lesson["series"])
    assert lesson["error_ahead"](lesson["fit_linear"](*train), *test).max() < 1e-8


# --- gradients over time --------------------------------------------------------------------------


def test_run_is_the_keras_layer(lesson):
    import keras

    layer = keras.layers.SimpleRNN(5, return_sequences=True)
    inputs = np.random.default_rng(0).normal(size=(12, 2))
    wanted = keras.ops.convert_to_numpy(layer(inputs[None]))[0]
    W_x, W_h, b = [weight.T for weight in layer.get_weights()]
    np.testing.assert_allclose(lesson["run"](np.zeros(5), inputs, W_x, W_h, b), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "gain"), [("tanh", 0.8), ("tanh", 1.5), ("relu", 1.0), ("relu", 1.5)]
)
def test_state_gradient_norms_equal_automatic_differentiation(lesson, activation, gain):
    import tensorflow as tf

    layer, first = lesson["fresh_layer"](activation, gain, units=8), tf.zeros((1, 8))
    inputs = np.random.default_rng(0).normal(size=(12, 1)).astype("float32")
    norms = lesson["state_gradient_norms"](layer, inputs)
    assert len(norms) == 13 and norms[0] == 1
    for distance in (1, 5, 12):
        with tf.GradientTape() as tape:
            before = (
                layer(inputs[None, : 12 - distance], initial_state=first)
                if distance < 12
                else first
            )
            tape.watch(before)
            last = layer(inputs[None, 12 - distance :], initial_state=before)
        jacobian = tape.jacobian(last, before)[0, :, 0].numpy()
        assert norms[distance] == pytest.approx(np.linalg.norm(jacobian, 2), rel=1e-3)


def test_tanh_vanishes_and_large_relu_explodes(lesson):
    inputs = lesson["series"][:100]
    norms = {
        key: lesson["state_gradient_norms"](lesson["fresh_layer"](*key), inputs)
        for key in (("tanh", 1.0), ("relu", 1.8))
    }
    assert norms["tanh", 1.0][50] < 0.3 and norms["relu", 1.8][50] > 100
