"""Joins the page's modules into one file, and its style sheets into another.

A first visit must stay well under ThrottlingBurstLimit's default for open calls (20 requests): a browser that
asks for thirty files at once would be answered 429 for some. Only what is checked here is relied upon;
everything else is the modules' own text.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.-]+)(?:\?v=@version@)?";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async function|function|const|let|class)\b)", re.MULTILINE)
OTHER = re.compile(r"^(?:import\b(?! *\().*|export\b.*)", re.MULTILINE)
NAME = re.compile(r"^(export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


class CanNotBeJoined(ValueError):
    """A module is written in a way that does not survive; the message names it and says how to write it."""


def join_modules(sources: Mapping[str, str], entry: str) -> str:
    """One module with the text of all that the entry needs, every one after those that it imports.

    Args:
        sources: the modules by file name; imports of other files (vendored ones) are kept, at the top.
        entry: the one that imports all others, directly or not; what it does not reach is left out.

    Raises:
        CanNotBeJoined: two modules declare one name at their top level, a name is imported that is not
            exported or is renamed, or modules import each other.
    """
    order = list(_ordered(sources, entry, ()))
    kept: dict[str, None] = {}
    declared: dict[str, str] = {}
    parts = []
    for name in dict.fromkeys(order):
        _declare(declared, name, sources[name])
        _check_imports(sources, name)
        vendored = (found[0] for found in IMPORT.finditer(sources[name]) if found[2] not in sources)
        kept |= dict.fromkeys(vendored)
        text = EXPORT.sub("", IMPORT.sub("", sources[name]))
        if odd := OTHER.search(text):
            raise CanNotBeJoined(f'{name}: write "{odd[0]}" as import {{names}} from "./file.js" or export.')
        parts.append(f"// {name}\n{text.strip()}\n")
    return "".join(kept) + "\n".join(parts)


def _ordered(sources: Mapping[str, str], name: str, above: tuple[str, ...]) -> Iterator[str]:
    if name in above:
        raise CanNotBeJoined(f"{' > '.join((*above, name))}: modules import each other in a circle.")
    for _, imported in IMPORT.findall(sources[name]):
        if imported in sources:
            yield from _ordered(sources, imported, (*above, name))
    yield name


def _declare(declared: dict[str, str], module: str, text: str) -> None:
    for _, name in NAME.findall(text):
        if name in declared:
            raise CanNotBeJoined(f"{module} and {declared[name]} both declare {name}: rename one.")
        declared[name] = module


def _check_imports(sources: Mapping[str, str], module: str) -> None:
    for names, imported in IMPORT.findall(sources[module]):
        if imported not in sources:
            continue
        exported = {name for export, name in NAME.findall(sources[imported]) if export}
        for name in filter(None, (name.strip() for name in names.split(","))):
            if name not in exported:
                raise CanNotBeJoined(f"{module} imports {name}, which {imported} does not export so.")


def join_styles(folder: Path, names: tuple[str, ...]) -> str:
    """The style sheets one after the other. Raises CanNotBeJoined where the folder has others."""
    if others := sorted({file.name for file in folder.iterdir()} - set(names)):
        raise CanNotBeJoined(f"{', '.join(others)}: name it in STYLES of bundle.py, in its place.")
    return "\n".join((folder / name).read_text("utf-8") for name in names)
