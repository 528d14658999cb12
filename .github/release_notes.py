"""Check that a tag can be released, and print what CHANGELOG.md says of it.

python .github/release_notes.py v0.1.0
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def read(name: str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def version() -> str:
    """Return the version of the package, without importing it."""
    return re.findall(r'^__version__ = "(.+)"$', read("skspectral/__init__.py"), re.MULTILINE)[0]


def notes(changelog: str, number: str) -> str:
    """Return the section of a version, or "" if there is none with a date."""
    section = rf"^## \[{re.escape(number)}\] - \d{{4}}-\d{{2}}-\d{{2}}\n(.*?)(?=^## |^\[|\Z)"
    found = re.search(section, changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def complaints(tag: str, number: str, changelog: str) -> list[str]:
    """Return what stands in the way of a release, in sentences."""
    found = []
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", number):
        found.append(f"__version__ is {number}, which is not that of a release.")
    if tag != f"v{number}":
        found.append(f"The tag is {tag}, and __version__ asks for v{number}.")
    if not notes(changelog, number):
        found.append(f'CHANGELOG.md has no section "## [{number}] - year-month-day".')
    return found


def main(tag: str) -> int:
    """Print notes to stdout, or complaints to stderr."""
    number, changelog = version(), read("CHANGELOG.md")
    found = complaints(tag, number, changelog)
    print("\n".join(found), file=sys.stderr) if found else print(notes(changelog, number))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
