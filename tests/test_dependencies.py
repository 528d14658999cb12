"""Versions and actions that other files repeat are the same everywhere."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

pytestmark = pytest.mark.skipif(not GITHUB.exists(), reason="not in the source distribution")


def lower_bounds():
    """Return the lower bounds of what is installed for tests, by package."""
    extras = PROJECT["project"]["optional-dependencies"]
    groups = [PROJECT["project"]["dependencies"], *(extras[e] for e in ("onnx", "plot", "test"))]
    pairs = (entry.split(">=") for group in groups for entry in group if ">=" in entry)
    return {name: tuple(map(int, bound.split("."))) for name, bound in pairs}


def test_oldest_versions_are_the_lower_bounds():
    text = (GITHUB / "constraints-oldest.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^(\S+)==(\S+)$", text, re.MULTILINE))
    missing = {"numpydoc"}  # of docstrings alone, the same in all versions
    for name, bound in lower_bounds().items():
        if name not in missing:
            pin = tuple(map(int, pins[name].split(".")))
            assert (*bound, 0, 0)[:3] == (*pin, 0, 0)[:3], name


def test_bounds_leave_out_versions_with_known_holes():
    bounds = lower_bounds()
    assert bounds["torch"] >= (2, 10)  # CVE-2025-32434, CVE-2026-24747
    assert bounds["tqdm"] >= (4, 66, 3)  # CVE-2024-34062
    assert bounds["distributed"] >= (2026, 1)  # CVE-2026-23528


def test_actions_are_pinned_by_hash():
    for path in (GITHUB / "workflows").glob("*.yml"):
        for used in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", used), f"{path.name}: {used}"


def test_versions_of_python_agree():
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    listed = re.findall(r":: Python :: (3\.\d+)", " ".join(PROJECT["project"]["classifiers"]))
    assert listed == ["3.11", "3.12", "3.13", "3.14"]
    assert oldest == listed[0] == PROJECT["tool"]["mypy"]["python_version"]
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    tests = (GITHUB / "workflows" / "tests.yml").read_text(encoding="utf-8")
    tested = re.findall(r'python: "(3\.\d+)"', tests)
    assert {tested[0], tested[-1]} == {listed[0], listed[-1]}
    for page in ("README.md", "docs/install.rst"):
        assert f"Python {oldest} or later" in (ROOT / page).read_text(encoding="utf-8")
