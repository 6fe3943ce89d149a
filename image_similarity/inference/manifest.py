"""The description that lies beside every model artifact: what it is, and how its input is made."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import xxhash

from image_similarity.inference.errors import StartError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Interpolation = Literal["bicubic", "bilinear"]
ResizeMode = Literal["shortest", "squash"]
Precision = Literal["fp16", "int8"]

MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.onnx"
WEIGHTS_FILE = "model.onnx.data"
HALVES = ("model.first.onnx", "model.second.onnx")
DIMENSIONS = 512
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading an invalid manifest may raise."""
_TYPES: dict[Any, str] = {int: "a whole number", str: "a string", bool: "true or false"}


class ManifestError(StartError):
    """The model directory can't be used; the message says which file, what is wrong and what to do."""

    what = "The model can't be loaded"


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the encoder's input: open_clip's evaluation transform of the same model.

    size: side of the square input in pixels. interpolation: Pillow's filter. resize_mode: "shortest"
    scales the short side to `size` and crops the centre, "squash" scales both sides to `size`.
    mean and std: per channel, of values in [0, 1]; folded into the artifact, kept here as its record.
    draft_factor: libjpeg scales large JPEGs by 1/2, 1/4 or 1/8 while it decodes, as long as the short side
    keeps this many times `size` (0: never). At 4, no photograph's vector fell under cosine 0.999 of the full
    decode; 3 costs up to 0.002 more and is for artifacts that are less exact anyway.
    """

    size: int
    interpolation: Interpolation = "bicubic"
    resize_mode: ResizeMode = "shortest"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    draft_factor: int = 4

    def __post_init__(self) -> None:
        check_types(self, "preprocessing.")
        if not 1 <= self.size <= 4096:
            raise ManifestError(f"preprocessing.size is {self.size}, expected 1 to 4096 pixels")
        _one_of("preprocessing.interpolation", self.interpolation, get_args(Interpolation))
        _one_of("preprocessing.resize_mode", self.resize_mode, get_args(ResizeMode))
        if not 0 <= self.draft_factor <= 64:
            raise ManifestError(f"preprocessing.draft_factor is {self.draft_factor}, expected 0 to 64")
        numbers = all(isinstance(value, int | float) for value in (*self.mean, *self.std))
        if not numbers or len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ManifestError(
                "preprocessing.mean and preprocessing.std need three numbers each, std above 0"
            )


@dataclass(frozen=True)
class Manifest:
    """One artifact's identity.

    sha256, weights_sha256: of model.onnx and model.onnx.data, lower-case hex. weights_xxh3: XXH3 of 128 bits
    of model.onnx.data, which takes a sixth of the time, since every start compares it. opset: ONNX operator
    set. parity: what the export measured against open_clip's own tower and transform (pictures,
    cosine_min, cosine_mean). scheme: how int8 was made (export/int8/schemes.py). tried: the lowest cosines of
    the schemes before it, which were not exact enough. halves: SHA-256 of each of HALVES, which together are
    model.onnx and use the same weights; empty where there are none.
    """

    model: str
    pretrained: str
    sha256: str
    weights_sha256: str
    weights_xxh3: str
    dimensions: int
    preprocessing: Preprocessing
    opset: int
    precision: Precision
    parity: dict[str, float] = field(default_factory=dict)
    scheme: str | None = None
    tried: dict[str, float] = field(default_factory=dict)
    halves: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(self)
        if self.dimensions != DIMENSIONS:
            raise ManifestError(f"dimensions is {self.dimensions}, but the API's vectors have {DIMENSIONS}")
        _one_of("precision", self.precision, get_args(Precision))
        if not isinstance(self.halves, dict) or (self.halves and set(self.halves) != set(HALVES)):
            raise ManifestError(
                f"halves is {repr(self.halves)[:64]}, expected the SHA-256 of {' and '.join(HALVES)}"
            )

    @property
    def name(self) -> str:
        """Model and weights: vectors of different names can't be compared."""
        return f"{self.model}/{self.pretrained}"

    @classmethod
    def load(cls, model_dir: Path) -> "Manifest":
        """Reads manifest.json in `model_dir`; ManifestError when it is missing or not usable."""
        path = model_dir / MANIFEST_FILE
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            pre = dict(content.pop("preprocessing"))
            pre["mean"], pre["std"] = tuple(pre["mean"]), tuple(pre["std"])
            return cls(preprocessing=Preprocessing(**pre), **content)
        except FileNotFoundError:
            raise ManifestError(f"{path} does not exist: export the model there first") from None
        except ManifestError as error:
            raise ManifestError(f"{path}: {error}") from None
        except UNREADABLE as error:
            raise ManifestError(f"{path} is not a model manifest ({error}): export the model again") from None

    def save(self, model_dir: Path) -> None:
        """Writes manifest.json in `model_dir`."""
        content = asdict(self)
        if not self.halves:
            del content["halves"]  # earlier versions, which know no halves, load such an artifact
        text = json.dumps(content, indent=2) + "\n"
        (model_dir / MANIFEST_FILE).write_text(text, encoding="utf-8")

    def verify(self, model_dir: Path) -> None:
        """Raises ManifestError unless the files in `model_dir` are those that this manifest describes."""
        for name, recorded in {MODEL_FILE: self.sha256, **self.halves}.items():
            verify_file(model_dir / name, recorded, hashlib.sha256)
        verify_file(model_dir / WEIGHTS_FILE, self.weights_xxh3, xxhash.xxh3_128)


def check_types(one: "DataclassInstance", where: str = "") -> None:
    """Raises ManifestError for a field of another type than is declared: JSON has 224.0 and "224" too."""
    for each in fields(one):
        value = getattr(one, each.name)
        if each.type in _TYPES and type(value) is not each.type:
            raise ManifestError(f"{where}{each.name} is {repr(value)[:64]}, expected {_TYPES[each.type]}")


def verify_file(path: Path, recorded: str, digest: "Callable[[], hashlib._Hash | xxhash.xxh3_128]") -> None:
    """Raises ManifestError unless the file has the digest that the manifest beside it records."""
    try:
        found = _digest(path, digest)
    except OSError as error:
        raise ManifestError(f"{path} can't be read: {error.strerror}") from None
    if found != recorded:
        raise ManifestError(
            f"{path.name} has the checksum {found}, but {MANIFEST_FILE} records {recorded}: "
            "the file is damaged or belongs to another manifest; export the model again"
        )


def _digest(path: Path, digest: "Callable[[], hashlib._Hash | xxhash.xxh3_128]") -> str:
    """The file's digest, read in parts that stay in the processor's cache: twice as fast as larger ones."""
    result, buffer = digest(), memoryview(bytearray(64 * 1024))
    with path.open("rb", buffering=0) as file:
        while length := file.readinto(buffer):
            result.update(buffer[:length])
    return result.hexdigest()


def _one_of(key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ManifestError(f"{key} is {value!r}, expected one of {', '.join(allowed)}")
