"""Metadata that the build makes: on PyPI the links of README.md lead to the project."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"\]\((?!https?://|#)([^)\s]+)\)")
"""A link or picture of Markdown that is relative to the file."""


def absolute(text: str, urls: dict[str, str], version: str) -> str:
    """Return Markdown whose relative links do not depend on where it is read.

    Pages of the documentation are those of the site; all else is read at the tag of the
    version.
    """
    tag = "main" if "dev" in version else f"v{version}"
    raw = urls["Source"].replace("https://github.com", "https://raw.githubusercontent.com")

    def target(link: re.Match[str]) -> str:
        path = link[1]
        if page := re.fullmatch(r"docs/(.+)\.rst", path):
            return f"]({urls['Documentation']}/{page[1]}.html)"
        if path.endswith((".png", ".svg")):
            return f"]({raw}/{tag}/{path})"
        return f"]({urls['Source']}/blob/{tag}/{path})"

    return LINK.sub(target, text)


class ReadmeHook(MetadataHookInterface):
    """Set the long description."""

    def update(self, metadata: dict) -> None:
        """Read README.md into the metadata."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = absolute(text, metadata["urls"], metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
