"""Tests run in fast mode and without the network, in every process that they start."""

import os

os.environ["RNN_FAST"] = "1"
os.environ.setdefault("RNN_OFFLINE", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
