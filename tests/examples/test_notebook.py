"""The notebook's cells, one after the other, in a fresh process, as a notebook runs them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.filled import EXAMPLES, ROOT

NOTEBOOK = EXAMPLES / "notebook.ipynb"
RUN = """
import ast, json, sys
cells, results, names = json.load(open(sys.argv[1]))["cells"], [], {"__name__": "__main__"}
for cell in cells:
    if cell["cell_type"] != "code":
        continue
    body = ast.parse("".join(cell["source"])).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), sys.argv[1], "exec"), names)
    value = eval(compile(ast.Expression(last.value), sys.argv[1], "eval"), names) if last else None
    results.append(repr(value))
json.dump(results, open(sys.argv[2], "w"))
"""


@pytest.fixture(scope="module")
def ran(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """What the cells show, and what they print."""
    folder = tmp_path_factory.mktemp("notebook")
    for name in ("cat.jpg", "other.jpg"):
        (folder / name).write_bytes((pictures / name).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", RUN, NOTEBOOK, folder / "results.json"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "results.json").read_text()), done.stdout.splitlines()


def test_the_cells_show_what_the_text_says(ran: tuple[list[str], list[str]]) -> None:
    shown, printed = ran
    assert 0.8 < float(shown[1]) < 1
    assert shown[2] == "('embedded/efficientnet_lite0-imagenet', (3, 512), dtype('float32'))"
    assert 0.9 < float(shown[3]) < 1
    assert shown[5] == "(2, 0, 2)"
    assert [line.split()[1:] for line in printed[:3]] == [["0", "2"], ["0", "1"], ["1", "2"]]
    assert [line.split()[1] for line in printed[3:]] == ["cat.jpg", "other.jpg"]


def test_it_is_a_notebook_without_outputs() -> None:
    content: dict[str, Any] = json.loads(NOTEBOOK.read_text("utf-8"))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 4)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
