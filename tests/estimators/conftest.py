"""What tests of estimators share."""

import math
import signal

import pytest

from skspectral._training import interrupts


@pytest.fixture
def handler(monkeypatch):
    """Answer the signal as Python does, with no Ctrl-C in the last seconds."""
    monkeypatch.setattr(interrupts, "_last_time", -math.inf)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
