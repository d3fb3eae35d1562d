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
)
NAMES |= {name: define(LESSON, "recall-data")[name] for name in ["recall_data"]}
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


def test_parameter_counts():
    names = define(LESSON, "count-parameters", "assert-parameters")
    assert [names[f"{kind}_count"] for kind in ("lstm", "gru", "gru_classic")] == [
        67_072,
        199_680,
        198_912,
    ]
    assert names["counted"] == [67_072, 199_680, 198_912]


def test_presets_do_what_their_names_say():
    belt, presets = NAMES["belt"], NAMES["presets"]
    for g in NAMES["inputs"].values():
        c, h = belt(g, *presets["remember for ever"])
        assert np.allclose(c, g[0]) and np.allclose(h, np.tanh(g[0]))
        c, h = belt(g, *presets["forget at once"])
        assert np.allclose(c, g)
        c, h = belt(g, *presets["write once, read later"])
        assert np.allclose(c, g[0]) and not h[:9].any() and np.allclose(h[9:], np.tanh(g[0]))


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


@pytest.mark.parametrize("distance", [0, 1, 10])
def test_the_answer_of_the_recall_task_is_the_first_token(distance):
    x, y = NAMES["recall_data"](50, distance, seed=3)
    assert x.shape == (50, distance + 1, 4) and (x.sum(axis=2) == 1).all()
    assert (x[:, 0].argmax(axis=1) == y).all() and set(y) == {0, 1, 2, 3}
