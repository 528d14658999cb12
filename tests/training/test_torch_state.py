"""Forks of a process that has computed on several threads."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys, threading
import numpy as np
import torch
from joblib import Parallel, delayed, parallel_config
from skspectral import SpectralMLPClassifier
from skspectral._training import torch_state

torch.set_num_threads(2)
rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 100))
clf = SpectralMLPClassifier(256, max_iter=1, n_threads=2, random_state=0).fit(X, X[:, 0] > 0)
expected = clf.predict(X)  # on two threads of torch's pool

held, done = threading.Event(), threading.Event()
def start_a_fit():  # in another thread, just as the process forks
    with torch_state._lock:
        held.set()
        done.wait()
threading.Thread(target=start_a_fit, daemon=True).start()
held.wait()
pid = os.fork()
if not pid:
    signal.alarm(60)  # no process is left behind where it hangs
    same = (clf.predict(X) == expected).mean() > 0.99  # one thread rounds differently
    clf.fit(X, X[:, 0] > 0)  # n_threads=2 is not obeyed
    os._exit(not same)
done.set()
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if status or torch.get_num_threads() != 2:
    sys.exit(f"the fork ended with {status}")
with parallel_config("multiprocessing", n_jobs=2):
    predicted = Parallel(timeout=60)(delayed(clf.predict)(X) for _ in range(3))
sys.exit(not all((one == expected).mean() > 0.99 for one in predicted))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forks_compute_after_the_parent_has_used_threads():
    # without the limit of this process to one thread
    env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    assert subprocess.run(command, env=env, timeout=120).returncode == 0
