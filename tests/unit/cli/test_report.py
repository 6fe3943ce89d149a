"""The report: what it shows, which picture it keeps, and that names are text in it and in a shell."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from image_similarity.cli import choice
from image_similarity.cli.faces import Face, Thumbnails, look
from image_similarity.inference.manifest import DIMENSIONS
from tests.support.command import run
from tests.support.photos import photo

pytestmark = pytest.mark.slow
VOID = frozenset({"meta", "img", "br", "input"})
PLAIN = Thumbnails(240, 70)


class Page(HTMLParser):
    """A page's elements, and that each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[str] = []
        self.kept: list[str] = []
        self.scripts = 0
        self.names: list[str] = []
        self.script = ""
        self.ticked: list[str] = []
        self._within = ""
        self._keeps = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        if tag == "img":
            self.images.append(found["src"] or "")
        if tag == "input" and "checked" in found:
            self.ticked.append(found["aria-label"] or "")
        if tag == "li":
            self._keeps = found.get("class") == "keep"
        self._within = found.get("class") or tag

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._within = ""

    def handle_data(self, text: str) -> None:
        if self._within == "name":
            self.names.append(text)
            if self._keeps:
                self.kept.append(text)
        if self._within == "pre":
            self.script += text


def report(folder: Path, *arguments: object) -> Page:
    file = folder.parent / "report.html"
    done = run("pairs", folder, "--threshold", 0.8, "--report", file, *arguments)
    assert done.exit_code == 0, done.output
    assert f"The report is in {file}." in done.stderr
    assert sorted(path.name for path in folder.parent.iterdir()) == ["album", "report.html"]
    page = Page(file.read_text("utf-8"))
    assert page.open == []
    return page


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    return folder


@pytest.fixture
def cat() -> Image.Image:
    return photo("chelsea")


def test_the_largest_is_kept_and_all_are_shown(album: Path, cat: Image.Image) -> None:
    cat.save(album / "large.png")
    cat.resize((225, 150)).save(album / "a-small.jpg")
    photo("coffee").save(album / "coffee.png")
    page = report(album)
    assert page.names == ["large.png", "a-small.jpg"]
    assert page.kept == ["large.png"]
    assert all(image.startswith("data:image/webp;base64,") for image in page.images)
    text = (album.parent / "report.html").read_text("utf-8")
    assert page.ticked == ["keep large.png"]
    assert ">the largest<" in text
    assert re.search(r"0\.\d{3} similar to the one kept", text)
    assert "451 x 300" in text
    assert "similarity of 0.8 or more" in text
    assert "http" not in text.replace("http-equiv", "")


def test_names_are_text_in_the_page_and_in_the_shell(album: Path, cat: Image.Image) -> None:
    names = [
        b"<script>alert(1)<&script>.png",
        b'it\'s a "cat" $(touch hacked) `x`.png',
        b"caf\xe9.png",
        b"two\nlines.png",
        "写真.png".encode(),
        b"-rf.png",
    ]
    for name in names:
        with Path(os.fsdecode(os.fsencode(album) + b"/" + name)).open("wb") as file:
            cat.resize((120, 80)).save(file, "PNG")
    cat.save(album / "zz-keep.png")
    page = report(album)
    assert page.kept == ["zz-keep.png"]
    assert r"caf\xe9.png" in page.names
    assert page.scripts == 1
    assert "<script>alert(1)<&script>.png" in page.names
    home = album.parent / "home"
    home.mkdir()
    subprocess.run(
        ["bash", "-euc", page.script],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        cwd=home,
        check=True,
    )
    assert [path.name for path in album.iterdir()] == ["zz-keep.png"]
    moved = Path(f"{home}/duplicates{album}")
    assert sorted(os.fsencode(path.name) for path in moved.iterdir()) == sorted(names)
    assert [path.name for path in home.iterdir()] == ["duplicates"]


def test_pictures_of_one_name_do_not_meet_where_they_are_moved(album: Path, cat: Image.Image) -> None:
    for name in ("2019/IMG_1.jpg", "2020/IMG_1.jpg", "large.png"):
        (album / name).parent.mkdir(exist_ok=True)
        cat.resize((120, 80) if name != "large.png" else cat.size).save(album / name)
    page = report(album)
    home = album.parent / "home"
    subprocess.run(
        ["bash", "-euc", page.script], env={"HOME": str(home), "PATH": "/usr/bin:/bin"}, check=True
    )
    moved = [path.relative_to(f"{home}/duplicates{album}") for path in home.rglob("*.jpg")]
    assert sorted(map(str, moved)) == ["2019/IMG_1.jpg", "2020/IMG_1.jpg"]


def test_names_from_right_to_left_stay_in_their_places(album: Path, cat: Image.Image) -> None:
    folder = album / "صور" / "عائلة"
    folder.mkdir(parents=True)
    for name in ("قط.png", "写真.png"):
        cat.save(folder / name)
    page = report(album)
    assert set(page.names) == {"قط.png", "写真.png"}
    text = (album.parent / "report.html").read_text("utf-8")
    assert "<bdi>صور</bdi>/<bdi>عائلة</bdi></p>" in text
    assert text.count('class="name" dir="auto"') == 2


def face(pixels: int, sharpness: float, modified: float, size: int = 1) -> Face:
    return Face(pixels, 1, size, modified, sharpness, "")


@pytest.mark.parametrize(
    ("faces", "kept", "why"),
    [
        ({"a": face(1, 9, 1), "b": face(2, 1, 9)}, "b", "the largest"),
        ({"a": face(2, 0.9, 1), "b": face(2, 2, 9)}, "b", "the sharpest"),
        ({"a": face(2, 0.9, 1), "b": face(2, 2, 9), "c": face(1, 9, 0)}, "b", "the sharpest of the largest"),
        ({"a": face(2, 2.0, 9), "b": face(2, 1.05, 1)}, "b", "the oldest of those as large and as sharp"),
        ({"b": face(2, 2, 1), "a": face(2, 2, 1)}, "a", "the first by name: they are otherwise the same"),
        (
            {"a": face(2, 2, 1, 49), "b": face(2, 2, 9, 100), "c": face(1, 9, 0, 900)},
            "b",
            "the least compressed of those as large and as sharp",
        ),
        ({"a": face(2, 2, 9, 50), "b": face(2, 2, 1, 100)}, "b", "the oldest of those as large and as sharp"),
        ({"a": face(2, 0, 1), "b": face(2, 0, 2)}, "a", "the oldest of those as large and as sharp"),
    ],
)
def test_which_is_kept_and_why(faces: dict[str, Face], kept: str, why: str) -> None:
    assert choice.keep(faces) == (kept, why)


def test_a_blurred_copy_is_less_sharp_and_a_turned_one_is_measured_upright(
    album: Path, cat: Image.Image
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    cat.rotate(90, expand=True).save(album / "turned.jpg", exif=exif, quality=95)
    cat.filter(ImageFilter.GaussianBlur(2)).save(album / "blurred.png")
    cat.save(album / "cat.png")
    sharp, blurred, turned = (
        look(str(album / name), PLAIN) for name in ("cat.png", "blurred.png", "turned.jpg")
    )
    assert blurred.sharpness < 0.5 * sharp.sharpness
    assert (turned.width, turned.height) == (451, 300)


def test_where_a_picture_is_gone_meanwhile_none_is_proposed(album: Path, cat: Image.Image) -> None:
    from image_similarity.cli.report import Group, Report

    cat.save(album / "here.png")
    group = Group([str(album / "here.png"), str(album / "gone.png")], [0, 1], 0.95)
    made = Report("m", 0.9, "as given", np.eye(2, DIMENSIONS, dtype=np.float32), [group])
    made.write(album.parent / "report.html", lambda _: None)
    text = (album.parent / "report.html").read_text("utf-8")
    page = Page(text)
    assert (page.kept, page.script) == ([], "# Everything is kept.")
    assert len(page.ticked) == 2
    assert "none is proposed" in text
    assert "it can't be read: No such file or directory" in unescape(text)


def test_without_groups_it_says_so(album: Path, cat: Image.Image) -> None:
    cat.save(album / "cat.png")
    report(album)
    text = (album.parent / "report.html").read_text("utf-8")
    assert "<dt>picture</dt><dd>1</dd>" in text
    assert "No near-duplicates among 1 picture at this threshold." in text


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that nobody writes into, not even root")
def test_a_report_that_can_not_be_written_is_named(album: Path, cat: Image.Image) -> None:
    cat.save(album / "cat.png")
    done = run("pairs", album, "--report", "/proc/report.html")
    assert done.exit_code == 2
    assert "/proc/report.html can't be written" in done.stderr


@pytest.mark.parametrize("file", ["report.pdf", "missing/report.html", "album.html"])
def test_a_report_that_can_not_be_written_is_refused_before_any_work(
    album: Path, cat: Image.Image, file: str, own_index: Path
) -> None:
    cat.save(album / "cat.png")
    (album.parent / "album.html").mkdir()
    done = run("pairs", album, "--report", album.parent / file)
    assert done.exit_code == 2
    assert "--report" in done.stderr
    assert not own_index.exists()


def test_light_and_contrast_make_nothing_sharper(album: Path, cat: Image.Image) -> None:
    cat.save(album / "cat.png")
    ImageEnhance.Contrast(cat).enhance(0.5).save(album / "dull.png")
    ImageEnhance.Brightness(cat).enhance(0.5).save(album / "dark.png")
    sharp, *others = (
        look(str(album / name), PLAIN).sharpness for name in ("cat.png", "dull.png", "dark.png")
    )
    assert all(other == pytest.approx(sharp, rel=0.05) for other in others)


def test_the_script_is_the_one_that_the_page_allows(album: Path, cat: Image.Image) -> None:
    for name in ("a.png", "b.png"):
        cat.save(album / name)
    report(album)
    text = (album.parent / "report.html").read_text("utf-8")
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_very_many_pictures_have_smaller_thumbnails() -> None:
    few, many = Thumbnails.of(2000), Thumbnails.of(2001)
    assert few.side > many.side
    assert few.quality > many.quality


def test_a_report_is_written_though_nobody_reads_the_groups(album: Path, cat: Image.Image) -> None:
    for number in range(400):
        cat.resize((8, 8)).save(album / f"{number}-{'long' * 40}.png")
    file = album.parent / "report.html"
    arguments = ["pairs", str(album), "--report", str(file)]
    with subprocess.Popen(
        [sys.executable, "-m", "image_similarity.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "XDG_DATA_HOME": str(album.parent / "data")},
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.communicate(timeout=120)
    assert file.read_text("utf-8").rstrip().endswith("</html>")
