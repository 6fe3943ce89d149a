"""Search by words: among this machine's pictures, and in the catalogue of a stack."""

import json
from pathlib import Path

import pytest

from image_similarity import Catalogue, Encoder
from image_similarity.cli.searching import SCALE_OF_WORDS
from tests.support.command import run
from tests.support.photos import photo
from tests.support.text_tower import CONTEXT, model_with_words
from tests.unit.cli.strange_server import Reply, answering

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("album")
    for name in ("chelsea", "coffee", "astronaut"):
        photo(name).save(root / f"{name}.png")
    return root


@pytest.fixture(scope="module")
def model(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cat, cup = Encoder().embed([album / "chelsea.png", album / "coffee.png"])
    return model_with_words(tmp_path_factory.mktemp("model") / "words", {"cat": cat, "cup": cup})


def test_words_find_pictures_of_folders(album: Path, model: Path) -> None:
    environment = {"MODEL_DIR": str(model)}
    assert run("index", album, **environment).exit_code == 0
    done = run("search", "--text", "a CUP", **environment)
    assert done.exit_code == 0, done.output
    first, *others = [Path(line[10:]).name for line in done.stdout.splitlines()]
    assert (first, set(others)) == ("coffee.png", {"chelsea.png", "astronaut.png"})
    assert SCALE_OF_WORDS in done.stderr
    assert "copies" not in done.stderr
    done = run("search", "--text", "cat", "--json", "--limit", 1, "--threshold", 0.9, **environment)
    answer = json.loads(done.stdout)
    assert (answer["query"], len(answer["matches"])) == ("cat", 1)
    assert Path(answer["matches"][0]["source"]).name == "chelsea.png"


def test_a_model_without_a_text_tower(album: Path) -> None:
    assert run("index", album).exit_code == 0
    done = run("search", "--text", "a cup")
    assert done.exit_code == 2
    assert "--text: the model embedded/efficientnet_lite0-imagenet has no text tower" in done.stderr


def test_what_is_refused(album: Path, model: Path) -> None:
    environment = {"MODEL_DIR": str(model)}
    done = run("search", "--text", "cat " * CONTEXT, **environment)
    assert (done.exit_code, f"--text: found {CONTEXT} tokens" in done.stderr) == (2, True)
    for arguments in ((), (album / "chelsea.png", "--text", "cat")):
        done = run("search", *arguments, **environment)
        assert (done.exit_code, "Give a picture, or words with --text." in done.stderr) == (2, True)
    done = run("search", "--text", "cat", "--find", "copies", **environment)
    assert (done.exit_code, "--find is for pictures" in done.stderr) == (2, True)


def test_a_damaged_tower(model: Path, tmp_path: Path, album: Path) -> None:
    broken = model_with_words(tmp_path / "broken", {})
    (broken / "text" / "merges.txt").write_text("c a\n")
    assert run("index", album, MODEL_DIR=str(broken)).exit_code == 0
    done = run("search", "--text", "cat", MODEL_DIR=str(broken))
    assert done.exit_code == 2
    assert "merges.txt has the checksum" in done.stderr


def test_a_stack_is_asked_by_text() -> None:
    match = {"key": "s3://b/k.jpg", "similarity": 0.64, "size": 3, "modified": "2026-01-01T00:00:00Z"}
    with answering(Reply({"matches": [match], "complete": True})) as server:
        done = run("search", "--text", "a red shirt", "--limit", 5, "--url", server.url)
    assert done.exit_code == 0, done.output
    assert done.stdout == "0.640000  s3://b/k.jpg\n"
    assert (server.paths, server.bodies) == (
        ["/prod/catalogue/search"],
        [{"text": "a red shirt", "limit": 5}],
    )


def test_the_library(album: Path, model: Path, tmp_path: Path) -> None:
    with Catalogue(tmp_path / "index.sqlite", encoder=Encoder(model)) as catalogue:
        catalogue.index(album)
        assert catalogue.search(text="a cup", limit=1)[0].path.name == "coffee.png"
        assert catalogue.search(Encoder(model).embed_text("cat"), limit=1)[0].path.name == "chelsea.png"
        with pytest.raises(ValueError, match=f"found {CONTEXT} tokens"):
            catalogue.search(text="cat " * CONTEXT)
        with pytest.raises(TypeError, match="not both"):
            catalogue.search(album / "chelsea.png", text="cat")
        with pytest.raises(TypeError, match="a picture or a text"):
            catalogue.search()
    with pytest.raises(ValueError, match="has no text tower"):
        Encoder().embed_text("cat")
