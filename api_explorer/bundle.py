"""Build time: put everything that the Explorer's function serves into one folder."""

import hashlib
import json
import re
import shutil
from html import escape
from pathlib import Path

from api_explorer.document import FEATURES, document
from api_explorer.joining import join_modules, join_styles

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent / "node_modules"
VENDORED = {
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "aws4fetch.js": "aws4fetch/dist/aws4fetch.esm.mjs",
}
STYLES = (
    "tokens.css",
    "base.css",
    "controls.css",
    "compare.css",
    "outcome.css",
    "folder.css",
    "matrix.css",
    "search.css",
    "credentials.css",
    "reference.css",
    "print.css",
)
ENTRY, STYLE, TEXTS = "explorer.js", "explorer.css", "texts.js"
FIRST_LANGUAGE = "en"
"""What the page is written in before its script has chosen."""
EXAMPLES = {
    "curl": {"open": "curl/open.sh", "signed": "curl/signed.sh"},
    "Python": {"open": "python/open.py", "signed": "python/signed.py"},
    "Java": {"open": "java/OpenCall.java", "signed": "java/SignedCall.java"},
    "JavaScript": {"open": "javascript/open.mjs", "signed": "javascript/signed.mjs"},
}
STAMP_LENGTH = 12


def bundle(output: Path, node_modules: Path = NODE_MODULES) -> None:
    """Write the content of the Explorer's zip: `handler.py` and an `assets` folder.

    Every reference of the page to its files carries the version of the whole (`?v=`), so that a browser may
    keep them for good. The same input gives the same bytes and modes, whatever the machine and its umask: CDK
    hashes the folder.

    Args:
        output: the folder to write; its `assets` are replaced.
        node_modules: where `npm ci` put the packages of package-lock.json.

    Raises:
        FileNotFoundError: a package is not installed; run `npm ci`.
    """
    assets = output / "assets"
    shutil.rmtree(assets, ignore_errors=True)
    assets.mkdir(parents=True)
    _write_page(HERE / "page", assets)
    for name, source in VENDORED.items():
        _without_source_map(node_modules / source, assets / name)
    _write_json(assets / "openapi.json", document())
    _write_json(assets / "openapi-catalogue.json", document(FEATURES))
    _write_json(assets / "examples.json", _examples())
    _stamp(assets)
    shutil.copyfile(HERE / "handler.py", output / "handler.py")
    _make_readable(output)


def _write_page(page: Path, assets: Path) -> None:
    """The page's own files: one script, one style sheet, and what is served as it is."""
    texts = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted((page / "texts").iterdir())}
    modules = {file.name: file.read_text("utf-8") for file in sorted(page.glob("*.js"))}
    # Languages travel with the script: a switch needs no request, and no text can arrive too late.
    modules[TEXTS] = f"export const TEXTS = {json.dumps(texts, ensure_ascii=False, indent=1)};\n"
    (assets / ENTRY).write_text(join_modules(modules, ENTRY), "utf-8")
    (assets / STYLE).write_text(join_styles(page / "styles", STYLES), "utf-8")
    html = (page / "index.html").read_text("utf-8")
    (assets / "index.html").write_text(_worded(html, texts[FIRST_LANGUAGE]), "utf-8")
    shutil.copyfile(page / "icon.svg", assets / "icon.svg")


def _worded(html: str, texts: dict[str, str]) -> str:
    """The page with its texts, for readers without JavaScript and for the time before it runs.

    Raises:
        KeyError: `data-t` names a text that is not there.
    """

    def worded(found: re.Match[str]) -> str:
        return f"{found[1]}{escape(texts[found[3]])}{found[4]}"

    return re.sub(r'(<(\w+)\b[^>]*\sdata-t="([\w.-]+)"[^>]*>)(</\2>)', worded, html)


def _make_readable(folder: Path) -> None:
    """Give modes that everyone can read: a zip keeps them, and Lambda's user is not who built it.

    Without this a umask of 027 or 077 makes a function that can't read its own code.
    """
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _examples() -> dict[str, dict[str, str]]:
    """The code that the page offers for copying, by language and kind of authorization."""
    folder = HERE.parent / "examples"
    return {
        language: {kind: (folder / name).read_text("utf-8") for kind, name in files.items()}
        for language, files in EXAMPLES.items()
    }


def _write_json(target: Path, value: object) -> None:
    target.write_text(json.dumps(value, separators=(",", ":")), "utf-8")


def _without_source_map(source: Path, target: Path) -> None:
    """Copy a file without the pointer to its source map, which is not served."""
    text = source.read_text("utf-8")
    target.write_text(re.sub(r"\n(//|/\*)# sourceMappingURL=.*\s*\Z", "\n", text), "utf-8")


def _stamp(assets: Path) -> None:
    files = sorted(assets.iterdir())
    version = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:STAMP_LENGTH]
    for file in files:
        if file.name not in VENDORED:
            text = file.read_text("utf-8").replace("@version@", version)
            file.write_text(text, "utf-8")
    (assets / "version.txt").write_text(version, "utf-8")
