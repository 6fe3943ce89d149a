"""Bases for the builds: the real ones where they are named, else stand-ins made of Debian and Python 3.12."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.container.engine import Engine, EngineError, run

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "containers"
DEBIAN = "bookworm"
# What CPython's own modules link to.
LIBRARIES = (
    "ca-certificates,libssl3,libffi8,libsqlite3-0,zlib1g,libbz2-1.0,liblzma5,libreadline8,libexpat1,libuuid1"
)
UNUSED = {"test", "idlelib", "tkinter", "lib2to3", "turtledemo", "__pycache__"}
LOCKS = ("lambda/requirements.txt", "sagemaker/requirements.txt")


def debian() -> Path:
    """A minimal Debian as a tar file, from this machine's own package source; kept for the next run."""
    target = CACHE / f"{DEBIAN}-{platform.machine()}.tar"
    if target.exists():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial.tar")
    command: list[str | Path] = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"]
    command += [f"--include={LIBRARIES}"]
    command += ["--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*"]
    command += ['--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Languages "none"']
    command += [DEBIAN, partial, *_mirror()]
    run(command)
    partial.replace(target)
    return target


def _mirror() -> list[str]:
    """Where this machine's own apt fetches Debian from; nothing where it is no Debian: the public default."""
    listed = run(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)"]).splitlines()
    return [line.split("|")[0] for line in listed if line.endswith(f"|{DEBIAN}")][:1]


def python(prefix: Path) -> Path:
    """The Python of a folder as a tar file to unpack under /usr/local."""
    target = CACHE / f"python-{platform.machine()}.tar"
    with tarfile.open(target, "w") as archive:
        for name in ("bin", "lib"):
            archive.add(prefix / name, name, filter=_wanted)
    return target


def _prefix() -> Path:
    candidates = [*Path.home().glob(".pyenv/versions/3.12*/bin/python3.12"), *_known_to_uv()]
    if found := shutil.which("python3.12"):
        candidates.append(Path(found))
    for candidate in candidates:
        code = "import sys; print(sys.base_prefix, sys.version_info[:2] == (3, 12))"
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        prefix, _, fits = done.stdout.strip().rpartition(" ")
        if fits == "True" and (Path(prefix) / "lib/python3.12").is_dir() and prefix != "/usr":
            return Path(prefix)
    raise EngineError(
        "The stand-in base wants a Python 3.12 with a folder of its own: `uv python install 3.12`, or give "
        "real bases as LAMBDA_BASE and PYTHON_BASE"
    )


def _known_to_uv() -> list[Path]:
    command: list[str | Path] = [
        Path(sys.executable).with_name("uv"),
        "python",
        "list",
        "--only-installed",
        "--managed-python",
        "3.12",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    return [Path(line.split()[1]) for line in done.stdout.splitlines() if "python3.12" in line]


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if UNUSED & set(Path(entry.name).parts) or entry.name.endswith(".a"):
        return None
    if "site-packages/" in entry.name and "site-packages/pip" not in entry.name:
        return None
    entry.uid = entry.gid = 0
    return entry


def wheels(locks: tuple[str, ...] = LOCKS) -> Path:
    """The images' locked wheels for Python 3.12 on manylinux_2_28, the C library of AWS's base, by hash."""
    machine = platform.machine()
    state = hashlib.sha256(b"".join((ROOT / lock).read_bytes() for lock in locks)).hexdigest()[:12]
    folder = CACHE / f"wheels-{machine}-{state}"
    folder.mkdir(parents=True, exist_ok=True)
    # pip takes each tag by itself: every glibc from 2.17 (manylinux2014) up to 2.28, and no newer one.
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(28, 16, -1)] + [f"manylinux2014_{machine}"]
    options = [part for tag in tags for part in ("--platform", tag)]
    options += ["--only-binary=:all:", "--python-version=3.12", "--implementation=cp", "--require-hashes"]
    for lock in locks:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        run([*download, "--no-deps", *options, "--dest", str(folder), "-r", str(ROOT / lock)])
    return folder


def build_arguments(engine: Engine) -> dict[str, list[str]]:
    """Build options of each image: bases, and where pip finds the wheels."""
    real = {"lambda": os.environ.get("LAMBDA_BASE"), "sagemaker": os.environ.get("PYTHON_BASE")}
    if all(real.values()):
        return {image: ["--build-arg", f"BASE={base}", "--network=default"] for image, base in real.items()}
    engine.docker("import", debian(), "localhost/standin-debian")
    context = CACHE / "context"
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("standin") / "Dockerfile", context)
    shutil.move(python(_prefix()), context / "python.tar")
    shutil.copytree(wheels(), context / "wheels")
    for target in ("python", "wheels"):
        engine.build(context, f"localhost/standin-{target}", "--target", target)
    options = {
        "BASE": "localhost/standin-python",
        "EXPORT_BASE": "localhost/standin-python",
        "PACKAGES_BASE": "localhost/standin-wheels",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "/wheels",
    }
    arguments = [part for name, value in options.items() for part in ("--build-arg", f"{name}={value}")]
    return {"lambda": arguments, "sagemaker": arguments}


def export_base(engine: Engine) -> str:
    """A base for the stage that exports: this machine's own Python, with the exporter's wheels and torch."""
    context = CACHE / "context"
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("standin") / "Dockerfile", context)
    shutil.move(python(Path(sys.base_prefix)), context / "python.tar")
    locks = ROOT / "supply_chain"
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    download += ["--only-binary=:all:", "--dest", str(context / "wheels")]
    run([*download, "--require-hashes", "-r", locks / "requirements-export.txt"])
    run([*download, "-r", locks / "torch.txt"])
    engine.build(context, "localhost/standin-export", "--target", "wheels")
    return "localhost/standin-export"
