"""What a release needs: versions that agree, metadata that parse, files that install."""

import os
import re
import runpy
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import skspectral

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

pytestmark = pytest.mark.skipif(not GITHUB.exists(), reason="not in the source distribution")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def citation():
    return yaml.safe_load(read("CITATION.cff"))


def recipe():
    """Return the conda recipe as text without its template."""
    return yaml.safe_load(re.sub(r"{%.*?%}|{{.*?}}", "", read(".github/conda/meta.yaml")))


@pytest.fixture(scope="module")
def release_notes():
    return runpy.run_path(str(GITHUB / "release_notes.py"))


def test_versions_agree(release_notes):
    assert release_notes["version"]() == skspectral.__version__
    assert citation()["version"] == skspectral.__version__
    assert f'version = "{skspectral.__version__}"' in read(".github/conda/meta.yaml")


def test_tag_is_that_of_the_version(release_notes):
    complaints = release_notes["complaints"]
    changelog = (
        "# Changelog\n\n## [0.2.0] - 2027-01-02\n\n- A.\n\n## [0.1.0] - 2026-12-01\n\n- B.\n"
    )
    assert complaints("v0.2.0", "0.2.0", changelog) == []
    assert release_notes["notes"](changelog, "0.2.0") == "- A."
    assert release_notes["notes"](changelog, "0.1.0") == "- B."
    (found,) = complaints("v0.1.0", "0.2.0", changelog)
    assert "The tag is v0.1.0" in found
    (found,) = complaints("v0.3.0", "0.3.0", changelog)
    assert "has no section" in found
    assert "not that of a release" in complaints("v0.1.0.dev0", "0.1.0.dev0", changelog)[0]


def test_citation_has_what_the_format_asks_for():
    found = citation()
    assert {"cff-version", "message", "title", "authors", "preferred-citation"} <= found.keys()
    assert found["cff-version"] == "1.2.0"
    assert found["license"] == PROJECT["license"]
    assert found["repository-code"] == PROJECT["urls"]["Source"]
    paper = found["preferred-citation"]
    assert {"type", "title", "authors", "year"} <= paper.keys()
    assert all({"given-names", "family-names"} <= author.keys() for author in paper["authors"])


def test_conda_recipe_asks_for_the_same_packages():
    names = {"torch": "pytorch"}
    bounds = (entry.split(">=") for entry in PROJECT["dependencies"])
    ours = {f"{names.get(name, name)} >={bound}" for name, bound in bounds}
    conda = set(recipe()["requirements"]["run"])
    assert {entry for entry in conda if not entry.startswith("python ")} == ours
    assert recipe()["about"]["summary"] == PROJECT["description"]


@pytest.mark.parametrize("path", sorted(GITHUB.rglob("*.yml")), ids=lambda path: path.name)
def test_files_of_github_are_valid_yaml(path):
    assert yaml.safe_load(path.read_text(encoding="utf-8"))


def test_badges_are_true():
    badges = re.findall(r"\[!\[[^\]]*\]\((\S+)\)\]\((\S+)\)", read("README.md"))
    source = PROJECT["urls"]["Source"]
    for image, link in badges:
        if image.startswith(f"{source}/actions"):
            workflow = re.fullmatch(rf"{source}/actions/workflows/(\w+\.yml)/badge\.svg", image)[1]
            assert (GITHUB / "workflows" / workflow).is_file()
            assert link == f"{source}/actions/workflows/{workflow}"
        elif "python" in image:
            bound = PROJECT["requires-python"].removeprefix(">=")
            assert image == f"https://img.shields.io/badge/python-%E2%89%A5{bound}-blue"
        else:
            text = PROJECT["license"].replace("-", "--")
            assert image == f"https://img.shields.io/badge/license-{text}-blue"
            assert (ROOT / link).is_file()
    assert len(badges) >= 4


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Return the folder with the wheel and the sdist, built from this checkout."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True)
    return folder


@pytest.mark.slow
def test_distributions_hold_what_they_should(distributions):
    pytest.importorskip("twine")
    files = sorted(distributions.iterdir())
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *files], check=True)
    (wheel,) = distributions.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        text = archive.read(metadata).decode()
    assert "skspectral/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"skspectral"}
    assert not re.findall(r"\]\((?!https://|#)[^)\s]+\)", text)  # PyPI knows no relative links
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"README.md", "LICENSE", "tests/conftest.py", "docs/conf.py"} <= inside


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["*.whl", "*.tar.gz"])
def test_distribution_works_in_a_clean_environment(distributions, pattern, tmp_path):
    (file,) = distributions.glob(pattern)
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", file]
    smoke = [python, GITHUB / "smoke.py", skspectral.__version__]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in (install, smoke):
        subprocess.run(command, check=True, cwd=tmp_path, env=environ)
