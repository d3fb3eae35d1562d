"""The rest of helpers: exercise checks, recording, seeds, fast mode, figures with alt text."""

import os
import re
import subprocess
import sys

import pytest

import helpers


def said(capsys, answers, tests):
    helpers.check("Exercise 1", *answers)(tests)
    return capsys.readouterr().out.strip()


def test_check_accepts_refuses_and_waits(capsys):
    assert said(capsys, [3], lambda: iter([(True, "no")])) == "Exercise 1: correct."
    assert (
        said(capsys, [3], lambda: iter([(True, "first"), (False, "second")]))
        == "Exercise 1: not yet. second"
    )
    assert "waiting for your answer" in said(capsys, [...], lambda: iter([(True, "")]))


def test_check_never_stops_the_notebook(capsys):
    def unfinished():
        yield (lambda: ...)().shape == (1,), ""

    def broken():
        yield 1 / 0, ""

    assert "waiting for your answer" in said(capsys, [], unfinished)
    assert "ZeroDivisionError: division by zero" in said(capsys, [], broken)


def test_record_is_what_run_reads(capsys):
    sys.path.insert(0, "tools")
    import nbformat
    import run

    helpers.record("mse", 0.000123)
    helpers.record("rows", 5528)
    cell = nbformat.v4.new_code_cell(
        outputs=[nbformat.v4.new_output("stream", text=capsys.readouterr().out)]
    )
    assert run.figures(nbformat.v4.new_notebook(cells=[cell])) == {"mse": 0.000123, "rows": 5528}


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


def test_fast_mode_caps_training_and_full_mode_does_not():
    code = """
import helpers, keras, numpy as np
helpers.setup()
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
history = model.fit(np.ones((400, 3)), np.ones((400, 1)), epochs=3, batch_size=4, validation_split=0.2, verbose=0)
print(len(history.epoch), int(model.optimizer.iterations.numpy()), model.predict(np.ones((700, 3)), verbose=0).shape)
"""
    for fast, expected in (("1", "1 3 (700, 1)"), ("", "3 240 (700, 1)")):
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "RNN_FAST": fast},
            capture_output=True,
            text=True,
        )
        assert result.stdout.split("\n")[-2] == expected, result.stderr[-2000:]


def test_show_describes_a_figure(monkeypatch):
    import IPython.display
    import matplotlib.pyplot as plt
    import plotly.graph_objects as go

    shown = []
    monkeypatch.setattr(
        IPython.display, "display", lambda data, raw, metadata: shown.append((data, metadata))
    )
    plt.plot([1, 2])
    helpers.show("a line that rises")
    helpers.show("a bar", go.Figure(go.Bar(y=[1])), private=True)
    helpers.drawing(next(iter(helpers.Path("notebooks/figures").glob("*.svg"))).stem)
    (picture, about), (figure, private), (svg, _) = shown
    assert (
        set(picture) == {"image/png", "text/plain"}
        and about["image/png"]["alt"] == "a line that rises"
    )
    assert {"application/vnd.plotly.v1+json", "text/html"} <= set(figure) and private["rnn"][
        "private"
    ]
    assert svg["image/svg+xml"].lstrip().startswith("<svg") and not plt.get_fignums()
