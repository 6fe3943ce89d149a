"""The catalogue for notebooks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_similarity import Catalogue, Encoder, Indexed, UnreadableImage
from image_similarity.catalogue.index import IndexFileError
from tests.support.command import run
from tests.support.photos import photo


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(threads=1)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    (folder / "more").mkdir(parents=True)
    photo("chelsea").save(folder / "cat.png")
    photo("coffee").save(folder / "more" / "coffee.png")
    return folder


@pytest.fixture
def catalogue(tmp_path: Path, encoder: Encoder, album: Path) -> Catalogue:
    catalogue = Catalogue(tmp_path / "new" / "pictures.sqlite", encoder=encoder)
    assert catalogue.index(album) == Indexed(2, 0, 0, {})
    return catalogue


@pytest.mark.slow
def test_it_follows_its_folders(catalogue: Catalogue, album: Path) -> None:
    assert (len(catalogue), catalogue.folders) == (2, [album])
    assert catalogue.index() == Indexed(0, 2, 0, {})
    (album / "cat.png").unlink()
    (album / "bad: picture.jpg").write_bytes(b"none")
    calls: list[tuple[int, int]] = []
    done = catalogue.index(progress=lambda done, total: calls.append((done, total)))
    assert (done.indexed, done.kept, done.gone) == (0, 1, 1)
    assert list(done.failed) == [str(album / "bad: picture.jpg")]
    assert calls == [(1, 1)]
    assert catalogue.index().failed == done.failed
    assert catalogue.index([album / "missing: one.png"]).failed == {
        str(album / "missing: one.png"): "it can't be read: No such file or directory. Check the name."
    }


@pytest.mark.slow
def test_search_takes_what_the_encoder_takes(catalogue: Catalogue, album: Path, encoder: Encoder) -> None:
    path = album / "cat.png"
    with Image.open(path) as file:
        picture = file.convert("RGB")
    for query in (path, str(path), path.read_bytes(), picture, np.asarray(picture), encoder.embed(path)[0]):
        first, second = catalogue.search(query)
        assert (first.path, first.similarity) == (path, 1)
        assert second.path == album / "more" / "coffee.png"
        assert first.size == path.stat().st_size
    assert [hit.path.name for hit in catalogue.search(picture, limit=1)] == ["cat.png"]
    assert [hit.path.name for hit in catalogue.search(picture, min_similarity=0.99)] == ["cat.png"]
    assert [hit.path.name for hit in catalogue.search(picture, folder=album / "more")] == ["coffee.png"]
    with pytest.raises(UnreadableImage, match="image 0"):
        catalogue.search(b"none")
    with pytest.raises(FileNotFoundError):
        catalogue.search(album / "missing.png")


@pytest.mark.slow
def test_what_can_not_be_looked_for_is_refused(catalogue: Catalogue, album: Path) -> None:
    for wrong, message in (
        ({"limit": 0}, "limit is 0, expected 1 or more"),
        ({"limit": -1}, "limit is -1, expected 1 or more"),
        ({"min_similarity": 95}, "min_similarity is 95, expected 0 to 1"),
        ({"min_similarity": float("nan")}, "min_similarity is nan, expected 0 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            catalogue.search(album / "cat.png", **wrong)
    with pytest.raises(ValueError, match=r"the vector is \[511\], expected \[512\]"):
        catalogue.search(np.ones(511, np.float32))


@pytest.mark.slow
def test_vectors_are_the_encoders(catalogue: Catalogue, album: Path, encoder: Encoder) -> None:
    path = album / "cat.png"
    np.testing.assert_array_equal(catalogue.vector(path), encoder.embed(path)[0])
    photo("astronaut").save(path)
    assert catalogue.vector(path) is None


@pytest.mark.slow
def test_the_command_reads_the_same_file(catalogue: Catalogue, album: Path, tmp_path: Path) -> None:
    file = tmp_path / "new" / "pictures.sqlite"
    done = run("search", album / "cat.png", "--index", file, "--as-it-is", "--limit", 1)
    assert done.stdout == f"1.000000  {album / 'cat.png'}\n", done.output
    photo("astronaut").save(album / "new.png")
    assert run("index", "--index", file).exit_code == 0
    assert len(catalogue) == 3
    assert catalogue.search(album / "new.png", limit=1)[0].similarity == 1


def test_what_is_forgotten_is_gone(catalogue: Catalogue, album: Path) -> None:
    assert catalogue.forget(album / "cat.png") == 1
    assert catalogue.forget(album) == 1
    assert (len(catalogue), catalogue.folders) == (0, [])


def test_a_file_that_is_none_is_refused(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "letter").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(IndexFileError, match="is not an index of pictures"):
        Catalogue(tmp_path / "letter", encoder=encoder)
