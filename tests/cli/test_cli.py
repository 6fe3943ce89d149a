"""The command line: in this process, against a local server, and by the name of a stack."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest
from click.testing import Result
from moto import mock_aws
from PIL import Image, ImageOps
from skimage import data
from typer.testing import CliRunner

from cli.app import app

LocalStack = Callable[..., str]
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cat, the cat mirrored and reduced, a cup of coffee, and something that is no picture."""
    root = tmp_path_factory.mktemp("pictures")
    cat = Image.fromarray(data.chelsea())
    cat.save(root / "cat.jpg")
    (root / "more").mkdir()
    ImageOps.mirror(cat).resize((300, 200)).save(root / "more" / "cat.PNG")
    Image.fromarray(data.coffee()).save(root / "coffee.bmp")
    (root / "notes.txt").write_text("no picture by its name")
    return root


@pytest.fixture
def broken(tmp_path: Path, folder: Path) -> Path:
    """A folder in which one of two pictures is none."""
    (tmp_path / "a-broken.jpg").write_text("no picture by its content")
    (tmp_path / "b-cat.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    return tmp_path


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


def test_embed_writes_json_lines_of_a_folder(folder: Path) -> None:
    done = run("embed", folder)
    assert done.exit_code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(line["source"]).name for line in lines] == ["cat.jpg", "coffee.bmp", "cat.PNG"]
    for line in lines:
        assert line["model"].startswith("embedded/")
        assert np.linalg.norm(line["result"]) == pytest.approx(1, abs=1e-4)


def test_embed_writes_an_array_with_its_names(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "vectors.npy"
    done = run("embed", folder / "cat.jpg", folder / "coffee.bmp", "--output", file)
    assert done.exit_code == 0, done.stderr
    vectors = np.load(file)
    assert vectors.shape == (2, 512)
    assert vectors.dtype == np.float32
    index = json.loads(file.with_suffix(".json").read_text())
    assert index["sources"] == [str(folder / "cat.jpg"), str(folder / "coffee.bmp")]
    assert index["model"].startswith("embedded/")


def test_one_bad_picture_is_reported_and_does_not_stop_the_rest(broken: Path) -> None:
    done = run("embed", broken, broken / "missing.jpg", "-o", broken / "v.jsonl")
    assert done.exit_code == 1
    assert f"{broken / 'a-broken.jpg'}: InvalidImage" in done.stderr
    assert f"{broken / 'missing.jpg'}: it can't be read: No such file" in done.stderr
    lines = (broken / "v.jsonl").read_text().splitlines()
    assert [Path(json.loads(line)["source"]).name for line in lines] == ["b-cat.jpg"]


def test_compare_prints_a_number(folder: Path) -> None:
    same = run("compare", folder / "cat.jpg", folder / "cat.jpg")
    assert (same.exit_code, same.stdout) == (0, "1.000000\n")
    alike, other = (
        float(run("compare", folder / "cat.jpg", folder / name).stdout)
        for name in ("more/cat.PNG", "coffee.bmp")
    )
    assert other < 0.8 < alike < 1


def test_compare_names_the_picture_that_is_missing(folder: Path) -> None:
    done = run("compare", folder / "cat.jpg", "missing.jpg")
    assert done.exit_code == 1
    assert done.stderr.startswith("missing.jpg: it can't be read")


def test_pairs_finds_the_near_duplicates(folder: Path) -> None:
    done = run("pairs", folder, "--threshold", 0.9, "--json")
    assert done.exit_code == 0, done.stderr
    (group,) = (json.loads(line) for line in done.stdout.splitlines())
    assert [Path(name).name for name in group["sources"]] == ["cat.jpg", "cat.PNG"]
    assert 0.9 < group["similarity"] < 1
    assert "3 pictures, 1 groups" in done.stderr


def test_pairs_for_people_lists_each_group_under_its_similarity(folder: Path) -> None:
    lines = run("pairs", folder, "--threshold", 0.9).stdout.splitlines()
    assert float(lines[0]) > 0.9
    assert lines[1:] == [f"  {folder / 'cat.jpg'}", f"  {folder / 'more' / 'cat.PNG'}"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["embed", ".", "-o", "vectors.csv"], "must end in .npy or .jsonl"),
        (["embed", "{empty}"], "There is no picture"),
        (["pairs", "{empty}"], "There is no picture"),
        (["compare", "{cat}", "{cat}", "--local", "--stack", "x"], "one of --stack, --url and --local"),
        (["compare", "{cat}", "{cat}", "--url", "http://127.0.0.1:9/"], "can't be reached"),
        (["compare", "{cat}", "{cat}", "--url", "nonsense"], "can't be reached"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    folder: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    filled = [argument.format(empty=tmp_path, cat=folder / "cat.jpg") for argument in arguments]
    done = run(*filled)
    assert done.exit_code == 2
    assert sentence in done.stderr


def test_a_missing_model_is_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    done = run("compare", folder / "cat.jpg", folder / "cat.jpg", MODEL_DIR=str(tmp_path))
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")


def test_help_lists_the_commands_and_the_exit_codes() -> None:
    text = run("--help").stdout
    for word in ("embed", "compare", "pairs", "Exit codes", "2 wrong use"):
        assert word in text


def test_the_local_server_gives_what_the_process_gives(local_stack: LocalStack, folder: Path) -> None:
    url = f"{local_stack()}/prod/image-similarity"
    pair = ("compare", folder / "cat.jpg", folder / "coffee.bmp")
    there, here = run(*pair, "--url", url), run(*pair)
    assert there.exit_code == 0, there.stderr
    assert float(there.stdout) == pytest.approx(float(here.stdout), abs=1e-5)
    assert len(run("embed", folder, "--url", url).stdout.splitlines()) == 3


@pytest.fixture
def stack_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Makes a stack of moto's CloudFormation with our outputs and parameters."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with mock_aws(config={"core": {"mock_credentials": False}}):

        def make(authorization: str, url: str) -> None:
            template = {
                "Parameters": {"APIGatewayAuthorization": {"Type": "String"}},
                "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
                "Outputs": {"ImageSimilarity": {"Value": url}} if url else {},
            }
            boto3.client("cloudformation", "us-east-1").create_stack(
                StackName="similarity",
                TemplateBody=json.dumps(template),
                Parameters=[{"ParameterKey": "APIGatewayAuthorization", "ParameterValue": authorization}],
            )

        yield make


@pytest.mark.parametrize("authorization", ["AWS_IAM", "NONE"])
def test_a_stack_is_found_by_name_and_signed_for(
    local_stack: LocalStack, stack_named: Callable[[str, str], None], folder: Path, authorization: str
) -> None:
    origin = local_stack(f"APIGatewayAuthorization={authorization}", KEYS)
    stack_named(authorization, f"{origin}/prod/image-similarity")
    done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--stack", "similarity")
    assert (done.exit_code, done.stdout) == (0, "1.000000\n"), done.stderr


def test_a_protected_server_tells_to_sign(local_stack: LocalStack, folder: Path) -> None:
    url = f"{local_stack('APIGatewayAuthorization=AWS_IAM', KEYS)}/prod/image-similarity"
    pair = ("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", url)
    unsigned = run(*pair)
    assert unsigned.exit_code == 2
    assert "--sign" in unsigned.stderr
    signed = run(*pair, "--sign", **KEYS)
    assert (signed.exit_code, signed.stdout) == (0, "1.000000\n"), signed.stderr
    wrong = run(*pair, "--sign", **{**KEYS, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert wrong.exit_code == 2
    assert "signed with AKIDEXAMPLE" in wrong.stderr


def test_a_stack_without_the_feature_or_unknown_is_told(
    stack_named: Callable[[str, str], None], folder: Path
) -> None:
    stack_named("AWS_IAM", "")
    for name, sentence in (("similarity", "has no output ImageSimilarity"), ("other", "can't be read")):
        done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--stack", name)
        assert done.exit_code == 2
        assert sentence in done.stderr
