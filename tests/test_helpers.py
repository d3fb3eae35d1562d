"""The rest of helpers: exercise checks, languages, what lessons share, setup; and fast mode."""

import os
import re
import subprocess
import sys
from pathlib import Path

import IPython.display
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from course import ROOT

import helpers


def verdict(capsys, code, *names, **answers):
    """What `check` prints for a check written as in a notebook, whose answers have these values."""
    notebook = {"check": helpers.check, "same": helpers.same, "np": np, **answers}
    exec(f"@check(1, {', '.join(map(repr, names))})\n{code}", notebook)
    return capsys.readouterr().out.strip()


NUMBER = "def _(n: float):\n    yield n == 3, 'count again'"
ARRAY = "def _(f):\n    yield same(f([1, 2]), [2, 4]), 'not doubled'"


@pytest.mark.parametrize(
    "three", [3, 3.0, np.float32(3), [3], np.array([[3]]), (3,), keras.ops.array(3)]
)
def test_check_takes_a_number_in_any_dress(capsys, three):
    assert verdict(capsys, NUMBER, "n", n=three) == "Exercise 1: correct."


@pytest.mark.parametrize("other", ["three", [3, 3], None, {}, []])
def test_check_names_what_is_no_number(capsys, other):
    assert "n should be a number" in verdict(capsys, NUMBER, "n", n=other)


DOUBLE = {
    "list": lambda x: [2 * v for v in x],
    "tuple": lambda x: tuple(2 * v for v in x),
    "generator": lambda x: (2 * v for v in x),
    "array": lambda x: 2 * np.array(x),
    "tensor": lambda x: keras.ops.array(x) * 2,
    "series": lambda x: pd.Series(x) * 2,
    "map": lambda x: map(lambda v: 2 * v, x),
}


@pytest.mark.parametrize("kind", DOUBLE)
def test_check_takes_what_a_function_returns_in_any_dress(capsys, kind):
    assert verdict(capsys, ARRAY, "f", f=DOUBLE[kind]) == "Exercise 1: correct."


def leave(x):
    sys.exit()


FAULTS = {
    "returned None": lambda x: None,
    "stopped with ZeroDivisionError: division by zero": lambda x: 1 / 0,
    "stopped with SystemExit": leave,
    "not doubled": lambda x: x,
    "waiting for your answer": lambda x: ...,
}


@pytest.mark.parametrize("says", FAULTS)
def test_check_never_stops_the_notebook(capsys, says):
    assert says in verdict(capsys, ARRAY, "f", f=FAULTS[says])


def test_check_says_what_is_missing_and_where_the_check_itself_stumbles(capsys):
    assert "there is no n yet" in verdict(capsys, NUMBER, "n")
    assert "waiting for your answer" in verdict(capsys, NUMBER, "n", n=...)
    stumble = "def _(a):\n    yield a.shape == (2,), ''"
    assert "cannot use such an answer (AttributeError" in verdict(capsys, stumble, "a", a="text")


def test_check_gives_each_call_its_own_copy(capsys):
    def greedy(x):
        x.sort()
        return [2 * v for v in x]

    code = "def _(f):\n    x = [2, 1]\n    f(x)\n    yield x == [2, 1], 'changed'"
    assert verdict(capsys, code, "f", f=greedy) == "Exercise 1: correct."


def test_same_compares_shape_and_numbers():
    assert helpers.same([1, 2], np.array([1, 2 + 1e-9])) and helpers.same(np.nan, np.nan)
    for other in ([1, 3], [[1, 2]], [1, 2, 3], "12", None, [[1], [1, 2]], {}):
        assert not helpers.same(other, [1, 2])
    assert helpers.same(0.33, 1 / 3, 0.02) and not helpers.same(0.33, 1 / 3)


def test_korean_speaks_korean(capsys):
    helpers.setup(language="ko")
    try:
        assert verdict(capsys, NUMBER, "n", n=3) == "문제 1: 정답입니다."
        assert verdict(capsys, NUMBER, "n", n=2).startswith("문제 1: 아직 아닙니다.")
        assert plt.rcParams["font.family"][0] == "RNN Course Gothic"
    finally:
        plt.rcdefaults()
        helpers.setup(language="en")


def test_every_sentence_of_helpers_has_its_korean():
    catalogue = (helpers.NOTEBOOKS / "words" / "helpers.po").read_text(encoding="utf-8")
    korean = dict(re.findall(r'^msgid "(.*)"\nmsgstr "(.+)"', catalogue, re.M))
    source = Path(helpers.__file__).read_text(encoding="utf-8")
    said = re.findall(r'(?:_say|_tell|_banner)\(\s*((?:"[^"]*"\s*)+)', source)
    sentences = {re.sub(r'"\s*"', "", one.strip())[1:-1] for one in said}
    assert len(sentences) > 15 and sentences <= set(korean), sentences - set(korean)
    for one, two in korean.items():
        assert one.count("{") == two.count("{"), one


# --- what lessons share ---------------------------------------------------------------------------


def test_restart_is_a_new_model_without_compiling():
    def build():
        layers = [keras.layers.Dropout(0.5), keras.layers.Bidirectional(keras.layers.GRU(3))]
        model = keras.Sequential([keras.Input((5, 2)), *layers, keras.layers.Dense(1)])
        model.compile("adam", "mse")
        return model

    x, y = np.random.default_rng(0).random((32, 5, 2)), np.ones((32, 1))
    keras.utils.set_random_seed(3)
    new = build().fit(x, y, epochs=2, verbose=0).history["loss"]
    used = build()
    used.fit(x, y, epochs=2, verbose=0)
    helpers.restart(used, build, seed=3)
    assert used.fit(x, y, epochs=2, verbose=0).history["loss"] == new


def test_masked_max_looks_at_real_steps_only():
    states = np.array([[[1, 5], [4, 2]], [[-3, -2], [0, 0]]], "float32")
    mask = np.array([[True, True], [True, False]])
    assert helpers.masked_max()(states, mask=mask).numpy().tolist() == [[4, 5], [-3, -2]]
    assert helpers.masked_max()(states).numpy().tolist() == [[4, 5], [0, 0]]


def test_a_drawing_comes_in_the_language_of_the_notebook(monkeypatch):
    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, **more: shown.append((data, more)))
    for language in ("en", "ko"):
        monkeypatch.setattr(helpers, "_language", language)
        helpers.drawing("01-cell")
    (english, about), (korean, _) = shown
    assert english["image/svg+xml"].lstrip().startswith("<svg")
    assert about["metadata"]["image/svg+xml"]["alt"] == english["text/plain"]
    assert re.search("[가-힣]", korean["text/plain"]) and english != korean


# --- setup ----------------------------------------------------------------------------------------


def test_setup_repeats_the_same_numbers():
    import keras
    import numpy as np

    def draw():
        helpers.setup(seed=7)
        return [
            *np.random.rand(2),  # noqa: NPY002 (setup seeds the legacy generator too)
            *keras.random.normal((2,)).numpy(),
            *keras.layers.Dense(2)(np.ones((1, 2))).numpy().ravel(),
        ]

    assert draw() == draw()


@pytest.mark.parametrize(
    "name, span", [("TENSORFLOW", ((2, 90), (2, 91))), ("PYTHON", ((3, 5), (3, 6)))]
)
def test_setup_refuses_other_versions(monkeypatch, name, span):
    monkeypatch.setattr(helpers, name, span)
    with pytest.raises(RuntimeError, match="The course runs on"):
        helpers.setup()


def test_setup_refuses_another_backend_by_the_name_of_its_variable(monkeypatch):
    """Also one that is not installed: then Keras could not even be imported."""
    run = [sys.executable, "-c", "import helpers; helpers.setup()"]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    found = subprocess.run(run, env=environment, capture_output=True, text=True)
    assert re.search("RuntimeError: Keras runs on jax.*KERAS_BACKEND", found.stderr)

    import keras

    monkeypatch.setattr(keras.config, "backend", lambda: "torch")  # from keras.json, before helpers
    with pytest.raises(RuntimeError, match="Keras runs on torch.*KERAS_BACKEND"):
        helpers.setup()


def test_setup_sets_float32():
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("mixed_float16")
    helpers.setup()
    assert keras.config.floatx() == keras.config.dtype_policy().name == "float32"


def test_fast_mode_caps_training():
    """tests/fast.py reaches every kernel as a startup file of IPython; here it is run by hand."""
    code = """
import sys, keras, numpy as np
if sys.argv[1] == "fast":
    exec(open("tests/fast.py").read())
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.ones((400, 3)), np.ones((400, 1))
history = model.fit(x, y, epochs=3, batch_size=4, validation_split=0.2, verbose=0)
steps = int(model.optimizer.iterations.numpy())
print(len(history.epoch), steps, model.predict(np.ones((700, 3)), verbose=0).shape)
"""
    for mode, expected in (("fast", "1 3 (700, 1)"), ("full", "3 240 (700, 1)")):
        command = [sys.executable, "-c", code, mode]
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert result.stdout.split("\n")[-2] == expected, result.stderr[-2000:]
