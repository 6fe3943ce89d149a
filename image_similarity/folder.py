"""The image files of a folder."""

from pathlib import Path

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


def image_files(folder: Path) -> list[Path]:
    """The files below a folder whose names end like those of images, in order, subfolders included."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
