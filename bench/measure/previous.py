"""An earlier revision of this project as a contender, with its own code and its own exporter's artifact."""

import io
import subprocess
import tarfile

from bench.measure.contenders import Contender
from bench.measure.paths import CACHE, PYTHON, ROOT
from bench.measure.prepare import export
from bench.measure.results import PREVIOUS


def commit(revision: str) -> str:
    """The full hash of a revision's commit.

    Raises:
        SystemExit: there is no such revision.
    """
    answer = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if answer.returncode:
        raise SystemExit(f"bench: {revision}: git knows no such commit here")
    return answer.stdout.strip()


def contender(sha: str) -> Contender:
    """Its handler, with the packages of today; what it needs is made once and kept.

    The artifact is always that revision's: its exporter may write another graph in the same format.
    """
    folder = CACHE / PREVIOUS / sha[:12]
    source, model = folder / "source", folder / "model"
    if not source.exists():
        unpacked = folder / "unpacking"
        unpacked.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(
            ["git", "archive", sha], cwd=ROOT, capture_output=True, check=True, timeout=300
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(unpacked, filter="data")
        unpacked.rename(source)
    export(model, root=source)
    settings = {"MODEL_DIR": str(model), "PYTHONPATH": str(source)}
    return Contender(PREVIOUS, source / "lambda" / "handler.py", PYTHON, settings)
