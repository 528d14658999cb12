"""The order of the rooms: each imports only from those above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skspectral

PACKAGE = Path(skspectral.__file__).parent
ROOMS = [
    "_compat",
    "preprocessing",
    "nn._linear",
    "nn._mlp",
    "nn._backpropagation",
    "nn._relevance",
    "nn._shrink",
    "nn._grow",
    "nn._silent",
    "nn",
    "_schedule",
    "_penalty",
    "_settling",
    "_losses",
    "_batches",
    "_torch_state",
    "_device",
    "_rows",
    "_stopping",
    "_progress",
    "_optimizers",
    "_lean_update",
    "_net",
    "_shrinking",
    "_convergence",
    "_checks",
    "_fitted",
    "_ranking",
    "_prunable",
    "_growable",
    "_sklearn_mlp",
    "datasets",
    "_onnx_head",
    "_onnx",
    "_exportable",
    "_mlp",
    "_regressor",
    "_classifier",
    "_path",
    "_pruning_curve",
    "_row_scores",
    "_size_choice",
    "_pruning_strategies",
    "_fold_curves",
    "_fit_routing",
    "_network_inside",
    "_pruned_network",
    "_pruner",
    "_final_network",
    "_scorers",
    "_matching",
    "_plateau",
    "_cv",
    "_regressor_cv",
    "_classifier_cv",
    "_display._pruning_curve",
    "_display._relevance",
    "_display._path",
    "_display._effective_size",
    "_display._path_magnitudes",
    "_display",
    "",
]
FORBIDDEN_BELOW_NUMPY = {"numpy", "sklearn", "skorch", "pandas"}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield name.removesuffix("__init__").rstrip("."), path


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            yield node.module


@pytest.mark.parametrize(
    ("name", "path"), list(modules()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_modules_import_only_rooms_above(name, path):
    assert name in ROOMS, f"{name} has no place in the order of rooms"
    above = set(ROOMS[: ROOMS.index(name)])
    own = [
        i.removeprefix("skspectral").lstrip(".")
        for i in imports(path)
        if i.split(".")[0] == "skspectral"
    ]
    assert set(own) <= above


@pytest.mark.parametrize(
    ("name", "path"),
    [m for m in modules() if m[0].startswith("nn")],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_torch_modules_know_nothing_of_scikit_learn(name, path):
    assert not FORBIDDEN_BELOW_NUMPY & {i.split(".")[0] for i in imports(path)}


def test_private_scikit_learn_is_imported_in_one_place():
    for name, path in modules():
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
