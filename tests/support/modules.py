"""Calls functions of the page's modules in Node.js."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NODE = ROOT / ".venv" / "bin" / "node"
PAGE = ROOT / "api_explorer" / "page"


def called(module: str, function: str, *calls: list[Any]) -> list[Any]:
    """What a function of a module gives for each list of arguments, as JSON."""
    program = f"""
      import {{ {function} }} from {json.dumps((PAGE / module).as_uri())};
      const calls = {json.dumps(calls)};
      console.log(JSON.stringify(calls.map((given) => {function}(...given))));
    """
    command = [str(NODE), "--input-type=module", "--eval", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers
