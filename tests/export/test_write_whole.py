"""A file is written whole, or the one that was there stays."""

import os
import stat
import sys
from contextlib import contextmanager

import pytest

from skspectral import SpectralMLPRegressor
from skspectral._export.write_whole import write_whole

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits, links and pipes of POSIX")


@contextmanager
def full_disk():
    """Let no file grow beyond 1,000 bytes, as on a disk that is full."""
    # not a fixture, which would also stop the report of the test
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_full_disk_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    with full_disk(), pytest.raises(OSError, match="too large"):
        write_whole(path, bytes(2000))
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_onnx_model_survives_a_full_disk(tmp_path, regression):
    pytest.importorskip("skl2onnx")
    reg = SpectralMLPRegressor(64, max_iter=1, alpha=0, random_state=0).fit(*regression)
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    with full_disk(), pytest.raises(OSError, match="too large"):
        reg.to_onnx(path)
    assert path.read_bytes() == b"before"


def test_killed_process_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")

    class Killed(BaseException):
        pass

    def kill(*args):
        raise Killed

    monkeypatch.setattr(os, "replace", kill)
    with pytest.raises(Killed):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"


def test_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path):
    path = tmp_path / "model.onnx"
    write_whole(str(path), b"one")
    usual = tmp_path / "usual"
    usual.touch()
    assert path.stat().st_mode == usual.stat().st_mode
    path.chmod(0o600)
    write_whole(path, b"two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"two"


def test_links_and_devices_stay_what_they_are(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"before")
    link.symlink_to(target)
    write_whole(link, b"after")
    assert link.is_symlink()
    assert target.read_bytes() == b"after"
    write_whole(os.devnull, b"after")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
