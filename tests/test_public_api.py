"""The public names, with parameters and defaults, are those that public_api.txt lists.

`make api`, or `python tests/test_public_api.py`, writes the list anew.
"""

import difflib
import inspect
import re
from pathlib import Path

import pytest

import skspectral
from skspectral import datasets, nn, preprocessing

docscrape = pytest.importorskip("numpydoc.docscrape")
LIST = Path(__file__).with_name("public_api.txt")
ROUTING = re.compile(r"set_\w+_request|get_metadata_routing")
"""Methods that scikit-learn adds to every estimator."""


def parameters_text(function):
    """Return "(a, *, b=1)": annotations are left out, since versions print them differently."""
    parameters = inspect.signature(function).parameters.values()
    plain = [p.replace(annotation=p.empty) for p in parameters if p.name != "self"]
    return str(inspect.Signature(plain))


def own_members(cls):
    """Return the public attributes that this package gives a class, by name.

    What comes from scikit-learn or torch depends on their versions.
    """
    members = {}
    for base in reversed(cls.__mro__):
        if base.__module__.split(".")[0] == "skspectral":
            members |= vars(base)
    return {n: m for n, m in members.items() if not (n.startswith("_") or ROUTING.fullmatch(n))}


def attribute_names(cls):
    """Return the names below "Attributes" in the docstring."""
    entries = docscrape.NumpyDocString(inspect.getdoc(cls))["Attributes"]
    return {name.strip() for entry in entries for name in entry.name.split(",")}


def class_lines(cls):
    members = own_members(cls)
    methods = {name for name in members if callable(getattr(cls, name))}
    values = attribute_names(cls) | (members.keys() - methods)
    yield from (f"    .{name}" for name in sorted(values))
    for name in sorted(methods):
        yield f"    .{name}{parameters_text(getattr(cls, name))}"


def public_lines():
    """Return the list, one line for each name."""
    lines = []
    for module in (skspectral, datasets, nn, preprocessing):
        lines.append(f"# {module.__name__}")
        for name in sorted(set(module.__all__) - {"__version__"}):
            public = getattr(module, name)
            lines.append(name + parameters_text(public))
            lines += class_lines(public) if inspect.isclass(public) else []
    return lines


def test_public_api_is_the_list():
    listed = LIST.read_text(encoding="utf-8").splitlines()
    changes = difflib.unified_diff(listed, public_lines(), "public_api.txt", "now", n=0)
    changes = [line for line in changes if not re.match(r"---|\+\+\+|@@", line)]
    assert not changes, (
        "The public API is no longer what tests/public_api.txt lists. What users call "
        "warns before it goes (CONTRIBUTING.md, Deprecations). If the change is meant, "
        "write the list anew by `make api` and commit it:\n" + "\n".join(changes)
    )


if __name__ == "__main__":
    LIST.write_text("\n".join(public_lines()) + "\n", encoding="utf-8")
