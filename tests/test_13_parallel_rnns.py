"""Lesson 13: the forms of the scan are equal, values and gradients; parity; the memories."""

import numpy as np
import pytest
import tensorflow as tf
from lessons import define

LESSON = "13_parallel_rnns"
SHAPES = [(1, 16, 1, 16), (3, 64, 5, 16), (2, 200, 4, 20), (4, 12, 3, 16), (2, 512, 2, 8)]


@pytest.fixture(scope="module")
def lesson():
    names = ("gates", "combine", "loop", "doubling", "chunks", "waiting", "mingru", "signed")
    return define(LESSON, *names, "parity-data", "memories", "attention", "count-function")


def random_gates(batch, n, units, low=-1.0):
    random = np.random.default_rng(n)
    keep = random.uniform(low, 1, (batch, n, units)).astype("float32")
    return keep, random.normal(size=keep.shape).astype("float32")


@pytest.mark.parametrize(("batch", "n", "units", "size"), SHAPES)
def test_the_forms_are_equal(lesson, batch, n, units, size):
    keep, write = random_gates(batch, n, units)
    wanted = np.zeros((batch, n, units))
    for b, t, u in np.ndindex(wanted.shape):
        wanted[b, t, u] = keep[b, t, u] * (wanted[b, t - 1, u] if t else 0) + write[b, t, u]
    for name in ("loop", "doubling", "waiting"):
        np.testing.assert_allclose(lesson[name](keep, write), wanted, atol=1e-5)
    np.testing.assert_allclose(lesson["chunks"](keep, write, size), wanted, atol=1e-5)


@pytest.mark.parametrize(("batch", "n", "units", "size"), SHAPES)
def test_their_gradients_are_equal(lesson, batch, n, units, size):
    keep, write = random_gates(batch, n, units)
    keep[:, n // 2] = 0  # a gate that is shut must not spoil them
    gates = tf.constant(keep), tf.constant(write)
    found = []
    for form in (lesson["waiting"], lambda *both: lesson["chunks"](*both, size)):
        with tf.GradientTape() as tape:
            tape.watch(gates)
            loss = tf.reduce_sum(form(*gates) ** 2)
        found.append(tape.gradient(loss, gates))
    for waiting, chunks in zip(*found, strict=True):
        np.testing.assert_allclose(chunks, waiting, rtol=1e-3, atol=1e-3)


def test_combine_is_associative_and_not_commutative(lesson):
    combine, random = lesson["combine"], np.random.default_rng(0)
    for one, two, three in random.normal(size=(50, 3, 2)):
        left = combine(combine(one, two), three)
        np.testing.assert_allclose(left, combine(one, combine(two, three)), atol=1e-12)
        assert not np.allclose(combine(one, two), combine(two, one))


def test_the_layer_is_its_formula_with_either_scan(lesson):
    x = np.random.default_rng(0).normal(size=(2, 32, 3)).astype("float32")
    layer = lesson["MinGRU"](4, gate_bias=-1.0)
    h = layer(x).numpy()
    z = 1 / (1 + np.exp(-layer.gate(x).numpy()))
    wanted = lesson["loop"](1 - z, z * layer.new(x).numpy())
    np.testing.assert_allclose(h, wanted, atol=1e-5)
    layer.scan = lesson["waiting"]
    np.testing.assert_allclose(layer(x), wanted, atol=1e-5)


def test_a_sign_is_enough_for_parity_and_positive_gates_never_flip(lesson):
    bits, odd = lesson["parity"](20, 64, np.random.default_rng(0))
    keep = 1.0 - 2 * bits[..., None]
    write = np.zeros_like(keep)
    write[:, 0], keep[:, 0] = keep[:, 0], 0  # a state that begins with 1
    assert ((lesson["loop"](keep, write) < 0) == odd).all()
    layer = lesson["SignedGRU"](8)
    layer.build((None, None, 2))
    layer.gate.bias.assign([9.0] * 8)
    x = np.zeros((1, 16, 2), "float32")
    state = lesson["loop"](1 - 2 / (1 + np.exp(-9 * np.ones((1, 16, 8)))), np.ones((1, 16, 8)))
    np.testing.assert_allclose(layer(x), 0 * state, atol=1e-6)  # nothing new is written


def test_memories(lesson):
    random = np.random.default_rng(0)
    keys, values = np.eye(8)[:5], random.normal(size=(5, 3))
    np.testing.assert_allclose(lesson["fixed_state"](keys, values, keys), values)
    np.testing.assert_allclose(lesson["attention"](keys, values, keys), values, atol=1e-6)


def test_the_bill_counts_what_the_forms_do(lesson):
    for n in (16, 64, 256):
        (loop_rounds, _), (rounds, work), (chunk_rounds, _) = lesson["bill"](n)
        assert loop_rounds == n and 2**rounds == n
        assert work == sum(2 * (n - 2**r) for r in range(rounds))
        assert rounds <= chunk_rounds <= loop_rounds
