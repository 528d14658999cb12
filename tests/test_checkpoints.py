"""The guide's page on long fits: its script survives being killed, and ends as if it was not."""

import multiprocessing
import pickle
import signal
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parent.parent / "docs" / "guide" / "checkpoints.rst"
N_ROWS, N_EPOCHS, N_KILLS = 400, 100, 20
DATA = textwrap.dedent(f"""
    import numpy as np
    X = np.random.default_rng(0).normal(size=({N_ROWS}, 3))
    y = np.abs(X[:, 0])
""")
# what the script has trained, told before it saves
TELL = """
    with open("trained", "a") as file:
        file.write("x")
    save(model, path)
"""


def script():
    """Return the first block of the page, for a small table and few epochs."""
    block = PAGE.read_text(encoding="utf-8").split(".. code-block:: python\n\n")[1]
    lines = block.splitlines(keepends=True)
    end = next(i for i, line in enumerate(lines) if line.strip() and not line.startswith("    "))
    code = textwrap.dedent("".join(lines[:end]))
    for given, wanted in (("), 200,", f"), {N_EPOCHS},"), ("\n    save(model, path)\n", TELL)):
        assert code.count(given) == 1
        code = code.replace(given, wanted)
    return DATA + code


def run(folder, seconds=None):
    """Run the script in a process of its own, and kill it so many seconds after its first epoch.

    Return its exit code, the number of epochs that it trained, and the seconds that it took.
    """
    # a server that has imported everything forks in no time
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["skspectral", "torch._dynamo"])
    code = f"import os\nos.chdir({str(folder)!r})\n{script()}"
    trained = folder / "trained"
    trained.write_bytes(b"")
    process = context.Process(target=exec, args=(code, {"__name__": "script"}))
    process.start()
    while process.is_alive() and not trained.stat().st_size:
        time.sleep(0.001)
    start = time.monotonic()
    if seconds is not None:
        time.sleep(seconds)
        process.kill()
    process.join(120)
    return process.exitcode, trained.stat().st_size, time.monotonic() - start


def epochs_in(folder):
    """Return the epochs of the saved estimator, after checking that it is whole."""
    path = folder / "model.pkl"
    if not path.exists():
        return 0
    model = pickle.loads(path.read_bytes())
    assert model.t_ == model.n_iter_ * N_ROWS
    assert len(model.loss_curve_) == model.n_iter_
    return model.n_iter_


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork server")
def test_script_of_the_guide_survives_twenty_kills(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    straight.mkdir()
    killed.mkdir()
    exitcode, trained, seconds = run(straight)
    assert (exitcode, trained) == (0, N_EPOCHS)
    # at any moment of two epochs, so that twenty lives do not suffice
    for share in np.random.default_rng(0).uniform(0, 2 / N_EPOCHS, size=N_KILLS):
        before = epochs_in(killed)
        exitcode, trained, _ = run(killed, share * seconds)
        assert exitcode == -signal.SIGKILL
        assert trained - 1 <= epochs_in(killed) - before <= trained
    assert run(killed)[0] == 0
    resumed, expected = (pickle.loads((d / "model.pkl").read_bytes()) for d in (killed, straight))
    assert resumed.n_iter_ == N_EPOCHS
    for a, b in zip(resumed.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
