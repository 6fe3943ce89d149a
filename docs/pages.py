"""Hooks of mkdocs.yml: the pages that stand outside of docs/, and links from page to page and into the code.

The pages are written for the repository, where a link is relative to its file. On the site a link to another
page leads there, and one to code or a folder is its text alone: the site does not know where the code is.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "code-of-conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Their path in the repository, and on the site."""
FOLDERS = {"docs/adr": "adr/README.md"}
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")
ELSEWHERE = re.compile(r"[a-z]+:")  # https:, mailto:
_log = get_plugin_logger("pages")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand outside of docs/."""
    for source, page in OUTSIDE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead a page's links where they lead on the site."""
    here = page.file.src_uri
    source = next((name for name, made in OUTSIDE.items() if made == here), f"docs/{here}")

    def led(link: re.Match[str]) -> str:
        if ELSEWHERE.match(link["path"]):
            return link[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["path"]))
        there = OUTSIDE.get(target) or FOLDERS.get(target) or target.removeprefix("docs/")
        file = files.get_file_from_path(there) if there != target else None
        if file and file.inclusion is not InclusionLevel.EXCLUDED:
            relative = posixpath.relpath(there, posixpath.dirname(here) or ".")
            return f"{link['image']}[{link['text']}]({relative}{link['anchor'] or ''})"
        if not (ROOT / target).exists():
            _log.warning("%s links to %s, which does not exist", source, link["path"])
        return link["text"]

    return LINK.sub(led, markdown)
