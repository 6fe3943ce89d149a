"""The API for notebooks: what it takes, what it gives, and that importing it loads nothing."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import image_similarity
from bench.measure.paths import PHOTOGRAPHS as PICTURES
from image_similarity import Encoder, Pair, UnreadableImage, compare, pairs, similarity
from image_similarity.alike import ROWS
from image_similarity.api import ImageLike
from image_similarity.inference.service import Request, load_service

PHOTOGRAPHS = sorted(PICTURES.glob("*.jpg"))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(threads=1)


@pytest.fixture
def drawing() -> Image.Image:
    """Of a size that is neither scaled by the JPEG decoder nor square."""
    return Image.effect_mandelbrot((320, 240), (-2, -1.5, 1, 1.5), 20).convert("RGB")


def test_importing_it_loads_nothing() -> None:
    code = (
        "import sys, image_similarity\n"
        "print(sorted({'numpy', 'PIL', 'onnxruntime', 'boto3', 'typer'} & set(sys.modules)), "
        "sorted(set(image_similarity.__all__) - set(dir(image_similarity))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[] []"


def test_every_public_name_is_there_and_no_other() -> None:
    for name in image_similarity.__all__:
        assert getattr(image_similarity, name)
    with pytest.raises(AttributeError, match="has no attribute 'Catalog'"):
        image_similarity.Catalog  # noqa: B018


@pytest.mark.slow
def test_a_files_vector_is_that_of_the_service(encoder: Encoder) -> None:
    body = json.dumps({"img": base64.b64encode(PHOTOGRAPHS[0].read_bytes()).decode()}).encode()
    answer = load_service({}, threads=1).handle(Request({"content-type": "application/json"}, body))
    vectors = encoder.embed(PHOTOGRAPHS[0])
    assert vectors.dtype == np.float32
    assert np.round(vectors[0].astype(float), 6).tolist() == json.loads(answer.body)["result"]
    assert encoder.name == answer.headers["X-Model"]


def test_path_bytes_image_and_array_give_one_vector(
    encoder: Encoder, drawing: Image.Image, tmp_path: Path
) -> None:
    file = tmp_path / "drawing.png"
    drawing.save(file)
    forms: list[ImageLike] = [
        file,
        str(file),
        file.read_bytes(),
        Image.open(file),
        drawing,
        np.asarray(drawing),
    ]
    vectors = encoder.embed(forms)
    assert vectors.shape == (6, 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for vector in vectors[1:]:
        np.testing.assert_array_equal(vector, vectors[0])


def test_grey_and_transparent_arrays(encoder: Encoder) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (50, 70), dtype=np.uint8)
    clear = np.zeros((40, 40, 4), dtype=np.uint8)
    white = np.full((40, 40, 3), 255, dtype=np.uint8)
    vectors = encoder.embed([grey, np.repeat(grey[:, :, None], 3, axis=2), clear, white])
    assert similarity(vectors[0], vectors[1]) > 0.999
    np.testing.assert_array_equal(vectors[2], vectors[3])


@pytest.mark.parametrize("orientation", [3, 6, 8, 9])
def test_an_opened_image_is_turned_like_its_file(
    orientation: int, encoder: Encoder, drawing: Image.Image, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "turned.png"
    drawing.save(file, exif=exif)
    of_file, of_image = encoder.embed([file, Image.open(file)])
    np.testing.assert_array_equal(of_file, of_image)


def test_one_image_is_a_batch_of_one_and_none_of_none(encoder: Encoder, drawing: Image.Image) -> None:
    array = np.asarray(drawing)
    assert encoder.embed(drawing).shape == encoder.embed(array).shape == (1, 512)
    assert encoder.embed(np.stack([array, array, array])).shape == (3, 512)
    assert encoder.embed([]).shape == (0, 512)


@pytest.mark.slow
def test_a_generator_is_taken_batch_by_batch(encoder: Encoder) -> None:
    generator = np.random.default_rng(1)
    images = [generator.integers(0, 256, (30, 30, 3), dtype=np.uint8) for _ in range(35)]
    together = encoder.embed(image for image in images)
    assert together.shape == (35, 512)
    np.testing.assert_array_equal(
        together[[0, 15, 16, 34]], encoder.embed([images[i] for i in (0, 15, 16, 34)])
    )


def test_what_can_not_be_read_is_named(encoder: Encoder, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"GIF89a")
    with pytest.raises(UnreadableImage, match=r"broken\.png: this is a GIF"):
        encoder.embed([PHOTOGRAPHS[0], broken])
    with pytest.raises(UnreadableImage, match="image 1: "):
        encoder.embed([PHOTOGRAPHS[0], b"no image"])
    with pytest.raises(FileNotFoundError, match=r"nowhere\.jpg"):
        encoder.embed("nowhere.jpg")
    with pytest.raises(ValueError, match=r"image 0 is float64 \[2, 2, 3\], expected uint8"):
        encoder.embed(np.zeros((2, 2, 3)))
    with pytest.raises(TypeError, match="image 1 is int, expected a path"):
        encoder.embed([PHOTOGRAPHS[0], 7])  # type: ignore[list-item]


@pytest.mark.slow
def test_compare_is_the_similarity_of_the_vectors(encoder: Encoder) -> None:
    first, second = PHOTOGRAPHS[:2]
    vectors = encoder.embed([first, second])
    score = compare(first, second, encoder=encoder)
    assert score == similarity(vectors[0], vectors[1]) == compare(second, first)
    assert 0 < score < 1
    assert compare(first, first.read_bytes()) == 1


def test_similarity_takes_two_vectors_of_one_length() -> None:
    assert similarity(np.eye(512, dtype=np.float32)[0], np.eye(512, dtype=np.float32)[1]) == 0.5
    with pytest.raises(ValueError, match=r"found \[2, 512\] and \[512\]"):
        similarity(np.zeros((2, 512), np.float32), np.zeros(512, np.float32))


@pytest.mark.slow
def test_pairs_are_those_of_the_command_unless_a_threshold_is_given(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the calibration of the model: 0.91 for `embedded`; two cosines apart lie between it and 0.95."""
    vectors = np.zeros((2, 512), np.float32)
    vectors[:, 0], vectors[1, 1] = 1, np.sqrt(1 / 0.86**2 - 1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    [found] = pairs(vectors, encoder=encoder)
    assert (found.first, found.second) == (0, 1)
    assert found.similarity == pytest.approx(0.93, abs=1e-6)
    assert pairs(vectors) == [], "nobody knows whose they are"
    assert pairs(vectors, 0.95, encoder=encoder) == []
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(PHOTOGRAPHS[0].read_bytes())
    monkeypatch.setattr(encoder, "embed", lambda _: vectors)
    assert [pair.first.name for pair in pairs(tmp_path, encoder=encoder)] == ["a.jpg"]


@pytest.mark.slow
def test_pairs_of_a_folder(tmp_path: Path, drawing: Image.Image, encoder: Encoder) -> None:
    (tmp_path / "below").mkdir()
    drawing.save(tmp_path / "a.png")
    drawing.save(tmp_path / "below" / "same.bmp")
    drawing.save(tmp_path / "near.jpg", quality=95)
    (tmp_path / "photograph.jpg").write_bytes(PHOTOGRAPHS[0].read_bytes())
    (tmp_path / "notes.txt").write_text("no image")
    alike = pairs(tmp_path, 0.85, encoder=encoder)
    assert alike[0] == Pair(tmp_path / "a.png", tmp_path / "below" / "same.bmp", 1.0)
    assert {(pair.first.name, pair.second.name) for pair in alike[1:]} == {
        ("a.png", "near.jpg"),
        ("same.bmp", "near.jpg"),
    }
    assert pairs(tmp_path, 1.0, encoder=encoder) == alike[:1]


@pytest.mark.slow
def test_pairs_of_vectors_are_those_of_all_similarities() -> None:
    generator = np.random.default_rng(2)
    vectors = generator.normal(size=(ROWS + 40, 512)).astype(np.float32)
    vectors[ROWS + 10] = vectors[3]
    vectors[20] = 5 * vectors[ROWS + 30]
    vectors[7] = 0
    expected = {
        (first, second): similarity(vectors[first], vectors[second])
        for first in (*range(25), *range(ROWS, ROWS + 40))
        for second in range(first + 1, len(vectors))
        if similarity(vectors[first], vectors[second]) >= 0.55
    }
    rows = {*range(25), *range(ROWS, ROWS + 40)}
    alike = pairs(vectors, 0.55)
    assert {(pair.first, pair.second): pair.similarity for pair in alike if pair.first in rows} == expected
    assert [pair.similarity for pair in alike] == sorted((pair.similarity for pair in alike), reverse=True)
    assert [(pair.first, pair.second) for pair in alike[:2]] == [(3, ROWS + 10), (20, ROWS + 30)]


def test_pairs_refuse_what_they_do_not_mean(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"threshold is 95, expected 0 to 1"):
        pairs(tmp_path, 95)
    with pytest.raises(NotADirectoryError, match="is no folder"):
        pairs(tmp_path / "none")
    with pytest.raises(ValueError, match=r"the vectors are \[3, 2\], expected \[n, 512\]"):
        pairs(np.zeros((3, 2), dtype=np.float32))
    assert pairs(np.empty((0, 512), dtype=np.float32)) == []
    assert pairs(tmp_path) == []
