"""Pictures over the API's limits: compared in process, made smaller for a server."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_similarity import compare
from tests.support.command import run
from tests.support.photos import photo
from tests.unit.cli.strange_server import UNIT, Reply, answering

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cat of 6000 x 4000 pixels; of 8.9 MB; on its side; long and thin; and one over 200 million."""
    root = tmp_path_factory.mktemp("large")
    cat = photo("chelsea")
    cat.save(root / "cat.png")
    cat.resize((6000, 4000)).save(root / "wide.jpg", quality=80)
    noise = np.random.default_rng(1).normal(0, 25, (2400, 3600, 3))
    grainy = np.clip(np.asarray(cat.resize((3600, 2400))) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(grainy).save(root / "heavy.jpg", quality=97, subsampling=0)
    assert (root / "heavy.jpg").stat().st_size > 8_900_000
    exif = Image.Exif()
    exif[0x0112] = 6
    cat.resize((6000, 4000)).rotate(90, expand=True).save(root / "turned.jpg", quality=80, exif=exif)
    cat.resize((9000, 30)).save(root / "thin.png")
    Image.new("1", (20_000, 10_001)).save(root / "bomb.png")
    return root


@pytest.mark.parametrize("name", ["wide.jpg", "heavy.jpg", "turned.jpg"])
def test_a_large_photograph_is_compared_in_process(large: Path, name: str) -> None:
    done = run("compare", large / name, large / "cat.png")
    assert done.exit_code == 0, done.stderr
    assert float(done.stdout) > 0.9
    assert float(done.stdout) == pytest.approx(compare(large / name, large / "cat.png"), abs=1e-6)


def test_a_bomb_is_refused_before_it_is_decoded(large: Path) -> None:
    done = run("embed", large / "bomb.png")
    assert done.exit_code == 1
    assert "20000 x 10001 pixels; it may have 200 million in all" in done.stderr
    with answering(Reply({"result": UNIT})) as server:
        assert run("embed", large / "bomb.png", "--url", server.url).exit_code == 1
        assert server.bodies == []


def test_a_photograph_of_more_than_200_million_pixels_is_decoded_smaller(tmp_path: Path) -> None:
    cat = photo("chelsea")
    cat.save(tmp_path / "cat.png")
    cat.resize((20_000, 13_300)).save(tmp_path / "wall.jpg", quality=50)
    assert compare(tmp_path / "wall.jpg", tmp_path / "cat.png") > 0.9
    with answering(Reply({"result": UNIT})) as server:
        done = run("embed", tmp_path / "wall.jpg", "--url", server.url)
    assert sent(server.bodies[0]).size == (2048, 1362)
    assert "instead of 20000 x 13300" in done.stderr
    cat.resize((20_000, 10_001)).save(tmp_path / "scans.jpg", quality=50, progressive=True)
    done = run("embed", tmp_path / "scans.jpg")  # its coefficients would all be in memory
    assert done.exit_code == 1
    assert "it may have 200 million in all" in done.stderr


def sent(body: dict[str, str], field: str = "img") -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(body[field])))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("wide.jpg", (2048, 1365)),
        ("turned.jpg", (2048, 1365)),
        ("heavy.jpg", (2048, 1365)),
        ("thin.png", (2048, 7)),
    ],
)
def test_it_is_made_smaller_for_a_server_and_says_so(large: Path, name: str, size: tuple[int, int]) -> None:
    with answering(Reply({"result": UNIT})) as server:
        done = run("embed", large / name, "--url", server.url)
    assert done.exit_code == 0, done.stderr
    picture = sent(server.bodies[0])
    assert picture.size == size
    assert f"{large / name}: sent smaller, {size[0]} x {size[1]} pixels instead of" in done.stderr


def test_two_share_one_body(large: Path) -> None:
    with answering(Reply({"similarity": 0.5})) as server:
        done = run("compare", large / "heavy.jpg", large / "heavy.jpg", "--url", server.url)
    assert done.exit_code == 0, done.stderr
    (body,) = server.bodies
    assert sum(map(len, body.values())) < 5 * 1024**2


def test_what_fits_is_sent_as_it_is(large: Path) -> None:
    with answering(Reply({"result": UNIT})) as server:
        done = run("embed", large / "cat.png", "--url", server.url)
    assert done.stderr == ""
    assert base64.b64decode(server.bodies[0]["img"]) == (large / "cat.png").read_bytes()


def test_the_smaller_one_has_nearly_the_same_vector(large: Path, tmp_path: Path) -> None:
    for name in ("wide.jpg", "turned.jpg"):
        with answering(Reply({"result": UNIT})) as server:
            run("embed", large / name, "--url", server.url)
        file = tmp_path / name
        file.write_bytes(base64.b64decode(server.bodies[0]["img"]))
        assert compare(file, large / name) > 0.995
