"""Fast mode: what the tests put into every kernel that they start, as a startup file of IPython.

`fit` runs one epoch of at most three batches, `evaluate` two, and `predict` computes the first 256 rows of an array and
repeats them. Shapes stay as they are. Neither the lessons nor helpers know of it. `RNN_FAST=0` turns it off.
"""


def cap_training():
    import functools

    import keras
    import numpy as np

    def capped(method, cap):
        @functools.wraps(method)
        def call(self, x=None, *args, **kwargs):
            return cap(functools.partial(method, self), x, *args, **kwargs)

        return call

    def fit(full, x, *args, **kwargs):
        kwargs.update(epochs=1, steps_per_epoch=3)
        if kwargs.get("validation_data") is not None or kwargs.get("validation_split"):
            kwargs["validation_steps"] = 2
        return full(x, *args, **kwargs)

    def evaluate(full, x, *args, **kwargs):
        return full(x, *args, **{"steps": 2, **kwargs})

    def predict(full, x, *args, **kwargs):
        if not hasattr(x, "shape") or len(x) <= 256:
            return full(x, *args, **kwargs)
        first = full(x[:256], *args, **kwargs)
        return np.resize(first, (len(x), *first.shape[1:]))

    for cap in (fit, evaluate, predict):
        setattr(keras.Model, cap.__name__, capped(getattr(keras.Model, cap.__name__), cap))


if __name__ == "__main__":
    cap_training()
    del cap_training
