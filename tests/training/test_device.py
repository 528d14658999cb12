import multiprocessing

import pytest
import torch

from skspectral._training.device import choose_device


@pytest.mark.parametrize(
    ("sizes", "batch_size", "expected"),
    [
        ((8, 20, 1), 200, "cpu"),
        ((100, 128, 1), 200, "cpu"),
        ((100, 512, 1), 200, "cuda"),
        ((8, 256, 1), 8192, "cuda"),
    ],
)
def test_auto_takes_cuda_where_it_pays(monkeypatch, sizes, batch_size, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto", sizes, batch_size) == expected
    monkeypatch.setattr(multiprocessing.current_process(), "_name", "Worker-1")
    assert choose_device("auto", sizes, batch_size) == "cpu"


def test_auto_is_the_cpu_without_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto", (1000, 1000, 1), 10_000) == "cpu"
    with pytest.raises(ValueError, match="torch sees 0 CUDA devices"):
        choose_device("cuda", (1000, 1000, 1), 10_000)
