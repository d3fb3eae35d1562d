"""What the functions of lesson 01 promise: ten lines equal Keras, a bag is blind to order, a memory fades or stays."""

import itertools

import keras
import numpy as np
import pytest
from lessons import define

LESSON = "01_rnn_intro"


@pytest.fixture(scope="module")
def lesson():
    return define(LESSON, "codons", "dna", "simple-rnn", "echo", "playground", "sketch")


# --- the layer in ten lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "batch, n_steps, n_features, units",
    [(1, 1, 1, 1), (4, 50, 3, 16), (3, 7, 5, 2), (2, 200, 1, 64)],
)
def test_simple_rnn_equals_keras(lesson, batch, n_steps, n_features, units):
    random = np.random.default_rng(units)
    layer = keras.layers.SimpleRNN(units, return_sequences=True)
    layer.build((batch, n_steps, n_features))
    size = {"W_x": (n_features, units), "W_h": (units, units), "b": (units,)}
    weights = [
        random.normal(scale=0.5 / np.sqrt(shape[0]), size=shape).astype("float32")
        for shape in size.values()
    ]
    layer.set_weights(weights)
    x = random.normal(size=(batch, n_steps, n_features)).astype("float32")
    states = lesson["simple_rnn"](x, *weights)
    assert states.shape == (batch, n_steps, units)
    assert np.abs(states - layer(x).numpy()).max() < 1e-6


def test_simple_rnn_reads_a_sequence_that_grows(lesson):
    """The first states do not change when more time steps follow, and one sequence does not see another of its batch."""
    random = np.random.default_rng(0)
    weights = random.normal(size=(3, 4)), random.normal(size=(4, 4)), random.normal(size=4)
    x = random.normal(size=(2, 9, 3))
    states = lesson["simple_rnn"](x, *weights)
    np.testing.assert_allclose(states[:, :5], lesson["simple_rnn"](x[:, :5], *weights))
    np.testing.assert_allclose(states[1:], lesson["simple_rnn"](x[1:], *weights))
    other = x.copy()
    other[:, 0] += 1
    assert (np.abs(lesson["simple_rnn"](other, *weights) - states)[:, -1] > 0).any(), (
        "the last state knows the first input"
    )


def test_a_transposed_state_matrix_is_found(lesson):
    """The trap of the lesson: it has the right shape and the right first step, and is wrong from the second on."""
    random = np.random.default_rng(1)
    x, W_x, W_h, b = (random.normal(size=size) for size in [(2, 5, 3), (3, 4), (4, 4), 4])
    right, wrong = lesson["simple_rnn"](x, W_x, W_h, b), lesson["simple_rnn"](x, W_x, W_h.T, b)
    assert right.shape == wrong.shape
    np.testing.assert_allclose(right[:, 0], wrong[:, 0])
    assert np.abs(right[:, 1:] - wrong[:, 1:]).max(axis=(0, 2)).min() > 1e-3


# --- order ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def readers():
    return define(LESSON, "opinions", "reader")


def test_the_four_opinions_are_one_bag(readers):
    assert len({tuple(sorted(row)) for row in readers["x_train"].tolist()}) == 1
    assert len({tuple(row) for row in readers["x_train"].tolist()}) == 4
    assert readers["y_train"].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_bag_is_blind_to_order_and_a_recurrent_layer_is_not(readers, seed):
    """With any weights: here random ones that are far larger than Keras' own."""
    keras.utils.set_random_seed(seed)
    spread = {}
    for middle in (keras.layers.GlobalAveragePooling1D(), keras.layers.SimpleRNN(16)):
        model = readers["reader"](middle)
        orders = np.array(
            list(itertools.islice(itertools.permutations(range(10)), 0, 10**6, 10**4))
        )
        model(orders)
        model.set_weights(
            [
                np.random.default_rng(seed).normal(size=weights.shape)
                for weights in model.get_weights()
            ]
        )
        answers = np.ravel(model(orders))
        spread[type(middle).__name__] = answers.max() - answers.min()
    assert spread["GlobalAveragePooling1D"] < 1e-5 and spread["SimpleRNN"] > 0.1


def test_only_the_recurrent_model_learns_the_opinions(readers):
    fit = getattr(
        keras.Model.fit, "uncapped", keras.Model.fit
    )  # the tests' fast mode would stop it after five batches
    keras.utils.set_random_seed(3)
    x, y = readers["x_train"], readers["y_train"]
    bag, recurrent = (
        readers["reader"](keras.layers.GlobalAveragePooling1D()),
        readers["reader"](keras.layers.SimpleRNN(16)),
    )
    loss = [
        fit(model, x, y, epochs=60, verbose=0).history["loss"][-1] for model in (bag, recurrent)
    ]
    assert loss[0] > np.log(2) - 1e-6 and loss[1] < 0.1


# --- one unit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("w_h", [-1.2, 0.0, 0.5, 1.0, 1.5])
def test_echo_without_tanh_is_a_power(lesson, w_h):
    states = lesson["echo"](w_h, knock=2.0, n_steps=12, squash=lesson["linear"])
    np.testing.assert_allclose(states, 2.0 * w_h ** np.arange(12.0))


def test_echo_is_the_layer_with_one_unit(lesson):
    x = np.zeros((1, 30, 1))
    x[0, 0] = 0.7
    states = lesson["simple_rnn"](x, np.ones((1, 1)), np.array([[1.3]]), np.zeros(1))
    np.testing.assert_allclose(lesson["echo"](1.3, knock=0.7), states[0, :, 0])


def test_memory_fades_below_one_and_is_a_switch_above(lesson):
    echo = lesson["echo"]
    assert abs(echo(0.9, n_steps=200)[-1]) < 1e-6
    slow = echo(1.0, n_steps=200)
    assert (np.diff(slow) < 0).all() and slow[-1] > 0.05, "at 1 tanh lets it fade, but slowly"
    ends = [echo(1.5, knock, n_steps=200)[-1] for knock in (0.01, 1, 9, -0.01, -9)]
    np.testing.assert_allclose(np.abs(ends), ends[0])
    assert np.sign(ends).tolist() == [1, 1, 1, -1, -1] and ends[0] == pytest.approx(
        np.tanh(1.5 * ends[0])
    )


def test_playground_shows_the_cell_at_every_setting(lesson):
    figure, echo = lesson["figure"], lesson["echo"]
    settings = [float(frame.name) for frame in figure.frames]
    assert settings == sorted(settings) and {-1.0, 0.0, 0.8, 1.0} < set(settings)
    assert settings[0] == -1.5 and settings[-1] == 1.5
    assert [step.label for step in figure.layout.sliders[0].steps] == [
        frame.name for frame in figure.frames
    ]
    for frame in figure.frames:
        bare, squashed = frame.data
        w_h = float(frame.name)
        assert tuple(frame.traces) == (0, 1) and (bare.xaxis, squashed.xaxis) == ("x", "x2")
        np.testing.assert_allclose(squashed.y, echo(w_h), atol=6e-4)
        sizes = np.abs(w_h) ** np.arange(30.0)
        for shown, size in zip(bare.y, sizes, strict=True):
            assert shown is None if size == 0 else shown == pytest.approx(size, rel=0.01), (
                "zero has no logarithm"
            )


# --- DNA ------------------------------------------------------------------------------------------------------------


def test_protein_reads_the_genetic_code(lesson):
    protein = lesson["protein"]
    assert protein(lesson["dna"]) == "MALWMRLLPLLALLALWGPDPAAA", (
        "the signal peptide of human insulin"
    )
    assert (
        protein("ATGTGGTAATAGTGA") == "MW***"
        and protein("GCAGCCGCGGCTA") == "AAAA"
        and protein("AC") == ""
    )
    assert len(lesson["table"]) == 64 and len(set(lesson["table"].values())) == 21


# --- drawing --------------------------------------------------------------------------------------------------------


def test_sketch_draws_every_arrow(lesson):
    plt = lesson["plt"]
    plt.close("all")
    lesson["sketch"](["x1 > h1 > y1", ("h1", "h2"), "h1 -> h3"])
    arrows = [text for text in plt.gca().texts if text.get_text() == ""]
    nodes = [text.get_text() for text in plt.gca().texts if text.get_text()]
    assert len(arrows) == 4 and sorted(nodes) == [
        "$h_{1}$",
        "$h_{2}$",
        "$h_{3}$",
        "$x_{1}$",
        "$y_{1}$",
    ]
    plt.close("all")
