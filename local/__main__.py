"""`python -m local`: the whole API on this machine. `make run` calls it."""

import argparse
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

from image_similarity.folders.listing import SUFFIXES
from local.backends.emulator import EmulatorUnavailable, emulator, supported
from local.backends.functions import BackendFailed
from local.backends.model import ModelUnavailable, model
from local.banner import Banner
from local.catalogue import MAPPING
from local.gateway.signatures import AccessKey
from local.pictures.selection import Selection, select
from local.serving import serve
from local.stack import LocalStack
from local.synthesis import SynthesisFailed, synthesize
from local.template.identifiers import PseudoParameters
from local.template.intrinsics import ResolveError
from local.template.parameters import parse_assignments
from local.template.resolve import ResolvedStack, resolve

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
HOST = "127.0.0.1"
PASSED = ("HOME", "LANG", "PATH", "TMPDIR", "ALLOW_PRIVATE_SOURCES", "SSL_CERT_FILE")
"""What the backends get of our environment, beside every AWS_ variable (credentials, endpoints, region)."""


class Unstartable(RuntimeError):
    """The run can't start for a reason that the user can mend."""


def main() -> int:
    """Serve until Ctrl-C or SIGTERM."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit)
    try:
        _run(options)
    except KeyboardInterrupt:
        return 0
    except (
        BackendFailed,
        EmulatorUnavailable,
        ModelUnavailable,
        ResolveError,
        SynthesisFailed,
        Unstartable,
    ) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local", description="Run the synthesized stack on this machine."
    )
    parser.add_argument("--port", type=int, default=8080, help="port on 127.0.0.1; 0 takes a free one (8080)")
    parser.add_argument(
        "--parameters",
        default="",
        help="CloudFormation parameters, NAME=value, separated by spaces "
        "(as in the template, but APIGatewayAuthorization=NONE)",
    )
    parser.add_argument(
        "--pictures", metavar="FOLDER", help="upload a folder's pictures to the local S3 and index them"
    )
    parser.add_argument("--model", default="embedded", help="embedded, or an open_clip NAME:TAG (embedded)")
    parser.add_argument(
        "--no-emulator", action="store_true", help="call the Lambda handlers bare, without AWS's emulator"
    )
    return parser.parse_args()


def _run(options: argparse.Namespace) -> None:
    given = {"APIGatewayAuthorization": "NONE", **parse_assignments(options.parameters)}
    listener = _bind(options.port)
    port = listener.getsockname()[1]
    chosen = model(ROOT, CACHE, options.model, _say)
    assembly = synthesize(ROOT, CACHE, chosen.context, _say)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    stack = resolve(assembly.template, given, pseudo=PseudoParameters(region=region))
    selection = _selection(stack, options.pictures) if options.pictures else None
    key, made = _access_key(os.environ, region)
    logs = CACHE / "logs" / str(port)
    logs.mkdir(parents=True, exist_ok=True)
    for old in logs.glob("*.log"):
        old.unlink()
    environment = _backend_environment(os.environ, region, chosen.directory)
    binary = _emulator(stack, bare=options.no_emulator)
    local = LocalStack(
        ROOT,
        stack,
        assembly,
        environment=environment,
        logs=logs,
        emulator=binary,
        key=key,
        cloud_port=port + 1,
    )
    banner = Banner(stack, f"http://{HOST}:{port}", key if made else None, logs.relative_to(ROOT))
    try:
        local.start(_say)
        serve(local, listener, banner.text(local), selection, _say)
    finally:
        local.close()


def _selection(stack: ResolvedStack, name: str) -> Selection:
    """The pictures of a folder, for a stack that can index them."""
    if not stack.of_type(MAPPING):
        raise Unstartable(
            "PICTURES needs a catalogue and a bucket to put them into: "
            'make run PARAMETERS="Catalogue=yes ImageBuckets=photos" PICTURES=folder'
        )
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise Unstartable(f"PICTURES={name} is no folder.")
    selection = select(folder)
    if not selection.files:
        endings = ", ".join(sorted(SUFFIXES))
        raise Unstartable(f"PICTURES={name} has no file that may be a picture ({endings}).")
    return selection


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        raise Unstartable(
            f"Port {port} can't be used ({error}). Choose another: make run PORT=18080"
        ) from error
    return listener


def _emulator(stack: ResolvedStack, *, bare: bool) -> Path | None:
    if not stack.of_type("AWS::Lambda::Function"):
        return None
    if bare or not supported():
        _say(
            "NOTE: without AWS's Lambda emulator: the handlers run bare, with no time-out and no size limits."
        )
        return None
    return emulator(CACHE, _say)


def _access_key(environ: Mapping[str, str], region: str) -> tuple[AccessKey, bool]:
    """Return the key pair that signs requests, and whether it was made here."""
    key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if key_id and secret:
        return AccessKey(key_id, secret, region, environ.get("AWS_SESSION_TOKEN") or None), False
    return AccessKey(f"LOCAL{secrets.token_hex(6).upper()}", secrets.token_urlsafe(30), region), True


def _backend_environment(environ: Mapping[str, str], region: str, model_dir: Path) -> dict[str, str]:
    passed = {name: value for name, value in environ.items() if name in PASSED or name.startswith("AWS_")}
    return {
        **passed,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "MODEL_DIR": str(model_dir),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


def _say(text: str) -> None:
    print(text, flush=True)


def _exit(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
