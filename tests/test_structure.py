"""The order of the rooms: each folder imports only from those above it."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skspectral

PACKAGE = Path(skspectral.__file__).parent
ROOMS = [
    "_compat",
    "_doc_link",
    "_warn",
    "_tables",
    "preprocessing",
    "nn",
    "_export",
    "_training",
    "_estimators",
    "datasets",
    "_selection",
    "_pruning",
    "_path",
    "_study",
    "_students",
    "_display",
    "",  # the package itself, which gathers the public names
]
STRANGERS = [("_pruning", "_path")]
"""Rooms of equal rank: neither may import the other."""
FORBIDDEN_BELOW_NUMPY = {"numpy", "sklearn", "skorch", "pandas"}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield name.removesuffix("__init__").rstrip("."), path


def room_of(name):
    return name.split(".")[0]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            yield node.module


def own_imports(path):
    return {
        name.removeprefix("skspectral").lstrip(".")
        for name in imports(path)
        if name.split(".")[0] == "skspectral"
    }


MODULES = list(modules())
NAMED = {"argnames": ("name", "path"), "ids": lambda v: v if isinstance(v, str) else ""}


@pytest.mark.parametrize(argvalues=MODULES, **NAMED)
def test_modules_import_only_rooms_above(name, path):
    room = room_of(name)
    assert room in ROOMS, f"{room} has no place in the order of rooms"
    above = ROOMS[: ROOMS.index(room) + 1]
    assert {room_of(other) for other in own_imports(path)} <= set(above)


@pytest.mark.parametrize("room", [room for room in ROOMS if room])
def test_no_circle_inside_a_room(room):
    graph = {name: own_imports(path) - {name} for name, path in MODULES if room_of(name) == room}
    inside = {
        name: {other for other in others if other in graph} for name, others in graph.items()
    }
    # raises CycleError where there is one
    assert len(list(TopologicalSorter(inside).static_order())) == len(graph)


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_rooms_of_equal_rank_do_not_know_each_other(one, other):
    rooms = {name: {room_of(i) for i in own_imports(path)} for name, path in MODULES}
    assert not [name for name in rooms if room_of(name) == one and other in rooms[name]]
    assert not [name for name in rooms if room_of(name) == other and one in rooms[name]]


@pytest.mark.parametrize(argvalues=[m for m in MODULES if room_of(m[0]) == "nn"], **NAMED)
def test_torch_modules_know_nothing_of_scikit_learn(name, path):
    assert not FORBIDDEN_BELOW_NUMPY & {i.split(".")[0] for i in imports(path)}


def test_the_underscore_stands_on_the_folder():
    for name, _ in MODULES:
        room, _, file = name.rpartition(".")
        if room.startswith("_"):
            assert not file.startswith("_"), f"{name}: files inside a private folder are plain"
        elif room:
            assert file.startswith("_"), f"{name}: public names live in {room} itself"


def test_tests_mirror_the_rooms():
    rooms = {room.lstrip("_") for room, path in MODULES if path.name == "__init__.py" and room}
    folders = {path.parent for path in Path(__file__).parent.glob("*/test_*.py")}
    assert {folder.name for folder in folders} == rooms
    for folder in folders:
        room = next(r for r in ROOMS if r.lstrip("_") == folder.name)
        files = {
            name.rpartition(".")[2].lstrip("_") for name, _ in MODULES if room_of(name) == room
        }
        for path in folder.glob("test_*.py"):
            stem = path.stem.removeprefix("test_")
            found = any(stem == file or stem.startswith(f"{file}_") for file in files)
            assert found, f"tests/{folder.name}/{path.name}: no such file in skspectral/{room}"


def test_private_scikit_learn_is_imported_in_one_place():
    for name, path in MODULES:
        private = {i for i in imports(path) if i.startswith("sklearn.") and "._" in i}
        assert not private or name == "_compat"


def test_import_is_free_of_optional_packages():
    code = (
        "import sys, skspectral; "
        "print({'matplotlib', 'skl2onnx', 'onnx', 'dask', 'torch._dynamo'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_all_names_are_there_and_documented():
    for module in (skspectral, skspectral.nn):
        for name in module.__all__:
            if not name.startswith("__"):
                assert getattr(module, name).__doc__
