"""Pictures to work on."""

from pathlib import Path

import pytest
from PIL import ImageOps

from tests.support.photos import photo


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cat, the cat mirrored and reduced, a cup of coffee, and something that is no picture."""
    root = tmp_path_factory.mktemp("pictures")
    cat = photo("chelsea")
    cat.save(root / "cat.jpg")
    (root / "more").mkdir()
    ImageOps.mirror(cat).resize((300, 200)).save(root / "more" / "cat.PNG")
    photo("coffee").save(root / "coffee.bmp")
    (root / "notes.txt").write_text("no picture by its name")
    return root
