"""What the cells of lesson 03 promise: equal to Keras on random weights and shapes, counts, gates at 0 and 1."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lessons import define

LESSON = "03_lstm_gru_cells"
NAMES = define(
    LESSON,
    "gate-values",
    "lstm-step",
    "run-lstm",
    "gru-step",
    "run-gru",
    "gru-step-default",
    "belt",
    "presets",
    "set-to-keep",
    "quiet-inputs",
    "normal-inputs",
    "recall-data",
    "input-gradient",
    "measure",
)
LARGE = 50.0  # a bias that makes a sigmoid 0 or 1
shapes = dict(
    batch=st.integers(1, 3),
    n_steps=st.integers(1, 6),
    n_features=st.integers(1, 5),
    units=st.integers(1, 6),
)


def filled(layer, seed, batch, n_steps, n_features):
    """Input and weights for a Keras layer: all random, biases too."""
    random = np.random.default_rng(seed)
    layer.build((None, None, n_features))
    layer.set_weights([random.normal(size=weights.shape) for weights in layer.get_weights()])
    return random.normal(size=(batch, n_steps, n_features)).astype("float32"), layer.get_weights()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), **shapes)
def test_lstm_equals_keras(seed, units, **shape):
    layer = NAMES["keras"].layers.LSTM(units, return_sequences=True)
    x, weights = filled(layer, seed, **shape)
    np.testing.assert_allclose(NAMES["run_lstm"](x, *weights), layer(x), atol=1e-5)


@pytest.mark.parametrize("reset_after", [False, True])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), **shapes)
def test_gru_equals_keras(reset_after, seed, units, **shape):
    layer = NAMES["keras"].layers.GRU(units, return_sequences=True, reset_after=reset_after)
    x, weights = filled(layer, seed, **shape)
    step = NAMES["gru_step_default" if reset_after else "gru_step"]
    np.testing.assert_allclose(NAMES["run_gru"](step, x, *weights), layer(x), atol=1e-5)


def test_only_one_order_of_the_gates_fits():
    layer = NAMES["keras"].layers.LSTM(4, return_sequences=True)
    x, weights = filled(layer, 0, batch=2, n_steps=5, n_features=3)
    expected = layer(x).numpy()
    fits = [
        o
        for o in itertools.permutations("ifgo")
        if np.allclose(NAMES["run_lstm"](x, *weights, o), expected, atol=1e-5)
    ]
    assert fits == [("i", "f", "g", "o")]


def test_the_two_grus_differ():
    random = np.random.default_rng(0)
    x, h, W, U, b = (random.normal(size=shape) for shape in [(1, 2), (1, 3), (2, 9), (3, 9), 9])
    default = NAMES["gru_step_default"](x, h, W, U, np.stack([b, 0 * b]))
    assert np.abs(NAMES["gru_step"](x, h, W, U, b) - default).max() > 1e-3


@pytest.mark.parametrize("f, i, o", list(itertools.product([0, 1], repeat=3)))
def test_lstm_gates_at_0_and_1(f, i, o):
    random = np.random.default_rng(1)
    x, h, c = random.normal(size=(2, 3)), random.normal(size=(2, 4)), random.normal(size=(2, 4))
    W, U, b = np.zeros((3, 16)), np.zeros((4, 16)), np.zeros((4, 4))
    b[0], b[1], b[2], b[3] = LARGE * (2 * i - 1), LARGE * (2 * f - 1), 0.7, LARGE * (2 * o - 1)
    new_h, new_c = NAMES["lstm_step"](x, h, c, W, U, b.ravel())
    np.testing.assert_allclose(new_c, f * c + i * np.tanh(0.7), atol=1e-12)
    np.testing.assert_allclose(new_h, o * np.tanh(new_c), atol=1e-12)


@pytest.mark.parametrize("z, kept", [(LARGE, True), (-LARGE, False)])
def test_update_gate_at_1_keeps_and_at_0_lets_the_candidate_in(z, kept):
    h, b = np.array([[0.3, -0.8]]), np.array([z, z, 0, 0, 0.7, 0.7])
    new = NAMES["gru_step"](np.zeros((1, 1)), h, np.zeros((1, 6)), np.zeros((2, 6)), b)
    np.testing.assert_allclose(new, h if kept else np.tanh([[0.7, 0.7]]), atol=1e-12)


def test_reset_gate_at_0_hides_the_state_from_the_candidate():
    random = np.random.default_rng(2)
    x, W, U = random.normal(size=(1, 3)), random.normal(size=(3, 12)), random.normal(size=(4, 12))
    b = np.repeat([-LARGE, -LARGE, 0.1], 4)  # z and r closed
    new = [NAMES["gru_step"](x, h, W, U, b) for h in (np.zeros((1, 4)), np.full((1, 4), 0.9))]
    np.testing.assert_allclose(*new, atol=1e-6)
    np.testing.assert_allclose(new[0], np.tanh(x @ W[:, 8:] + 0.1), atol=1e-6)


def test_a_closed_input_gate_still_lets_the_input_erase():
    random = np.random.default_rng(3)
    W, U, b = random.normal(size=(3, 8)), random.normal(size=(2, 8)), np.zeros(8)
    b[:2] = -LARGE
    h = c = np.ones((1, 2))
    memories = [
        NAMES["lstm_step"](x, h, c, W, U, b)[1]
        for x in (np.full((1, 3), 2.0), np.full((1, 3), -2.0))
    ]
    assert np.abs(memories[0] - memories[1]).max() > 0.1


def test_parameter_counts():
    by_hand = define(LESSON, "count-parameters")["by_hand"]
    assert list(by_hand.values()) == [67_072, 198_912, 199_680]
    layers = NAMES["keras"].layers
    for layer, count in zip(
        (layers.LSTM(128), layers.GRU(256, reset_after=False), layers.GRU(256)),
        by_hand.values(),
        strict=True,
    ):
        layer.build((None, None, 2))
        assert layer.count_params() == count


def test_presets_do_what_their_names_say():
    belt, presets = NAMES["belt"], NAMES["presets"]
    g, i, o = presets["write once, read late"]
    c, h = belt(g, 1, i, o)
    assert np.allclose(c, g[0]) and not h[:9].any() and np.allclose(h[9:], np.tanh(g[0]))
    assert belt(g, 0.8, i, o)[0][11] == pytest.approx(g[0] * 0.8**11)
    for name in ("restless, all open", "steady, all open", "one pulse, all open"):
        g, i, o = presets[name]
        assert np.allclose(belt(g, 0, i, o)[0], g) and np.allclose(
            belt(g, 1, i, o)[0], np.cumsum(g)
        )


@given(f=st.floats(0, 1), k=st.integers(1, 30))
def test_a_memory_fades_by_the_forget_gate(f, k):
    pulse = np.eye(k + 1)[0]
    assert NAMES["belt"](pulse, f, 1, 1)[0][-1] == pytest.approx(f**k)


def test_set_to_keep_reaches_the_gates_that_keep():
    keras = NAMES["keras"]
    for layer, z in (
        (keras.layers.LSTM(4), None),
        (keras.layers.GRU(4), 0),
        (keras.layers.GRU(4), 1),
    ):
        layer.build((None, None, 3))
        NAMES["set_to_keep"](layer)
        b = layer.get_weights()[2]
        assert (
            (b[4:8] == 4).all() and (b[:4] == -2).all()
            if z is None
            else (b[0, :4] == 4).all() and not b[1].any()
        )


def test_a_set_layer_keeps_all_its_other_weights():
    keras = NAMES["keras"]
    for cell in (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN):
        layers = []
        for _ in range(2):
            keras.utils.set_random_seed(0)
            layers.append(cell(4))
            layers[-1].build((None, None, 3))
        plain, changed = layers
        quiet = cell is keras.layers.SimpleRNN
        NAMES["quiet_inputs" if quiet else "set_to_keep"](changed)
        W, U, b = plain.get_weights()
        new_W, new_U, new_b = changed.get_weights()
        np.testing.assert_array_equal(new_U, U)
        np.testing.assert_allclose(new_W, 0.1 * W if quiet else W, rtol=1e-6)
        assert quiet == np.array_equal(new_b, b)


def test_the_input_gradient_is_the_slope_of_the_last_state():
    """Moving one input by a little moves the last state, in the random direction, as the gradient says."""
    layer = NAMES["keras"].layers.SimpleRNN(3)
    x = np.random.default_rng(0).normal(size=(1, 5, 1)).astype("float32")
    norms = NAMES["input_gradient_norms"](layer, x, seed=4)
    direction = np.random.default_rng(4).normal(size=(1, 3))
    for distance in range(5):
        higher, lower, small = x.copy(), x.copy(), 1e-2
        higher[0, 4 - distance] += small
        lower[0, 4 - distance] -= small
        slope = ((layer(higher).numpy() - layer(lower).numpy()) * direction).sum() / (2 * small)
        assert norms[distance] == pytest.approx(abs(slope), rel=0.02, abs=1e-3)


def test_curves_are_relative_to_distance_0():
    curves = NAMES["measure"](NAMES["keras"].layers.LSTM)
    assert curves.shape == (8, 61) and (NAMES["relative"](curves)[:, 0] == 1).all()


@pytest.mark.parametrize("distance", [0, 1, 10])
def test_the_answer_of_the_recall_task_is_the_first_token(distance):
    x, y = NAMES["recall_data"](50, distance, seed=3)
    assert x.shape == (50, distance + 1, 4) and (x.sum(axis=2) == 1).all()
    assert (x[:, 0].argmax(axis=1) == y).all() and set(y) == {0, 1, 2, 3}
