"""What the documentation that started this project promises, and the tests that hold each promise."""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent

PROMISES: dict[str, list[str]] = {
    "cosine of two vectors becomes a confidence": ["unit/inference/test_similarity.py::test_known_angles"],
    "POST, a JSON body, two input modes": [
        "unit/inference/test_request.py::test_reads_both_modes_in_any_mix"
    ],
    "url or img: one is required": ["unit/inference/test_request.py::test_refuses_with_a_sentence"],
    "url over HTTP, HTTPS and S3": [
        "contract/test_contract.py::test_every_way_to_send_a_picture_gives_the_same_vector",
        "unit/inference/sources/test_tls.py::test_a_valid_certificate_of_an_address",
        "unit/inference/sources/test_s3.py::test_objects_by_their_keys_as_they_are",
    ],
    "jpg, jpeg, png, bmp": [
        "unit/inference/image/test_formats.py::test_jpeg_colour",
        "unit/inference/image/test_formats.py::test_png_colour",
        "unit/inference/image/test_bmp.py::test_24_bits",
    ],
    "the longest side is at most 4096 px": [
        "unit/inference/image/test_decode.py::test_the_longest_side_may_have_4096_pixels",
    ],
    "img is base64": ["contract/test_contract.py::test_every_way_to_send_a_picture_gives_the_same_vector"],
    "result: a list of 512 numbers": ["contract/test_contract.py::test_answers"],
    "url_1 or img_1, and url_2 or img_2": [
        "contract/test_contract.py::test_every_way_to_send_a_pair_gives_the_same_similarity",
    ],
    "similarity: between 0 and 1, the closer to 1 the more similar": [
        "unit/inference/test_similarity.py::test_symmetric_bounded_and_never_nan",
        "unit/api_explorer/test_openapi_truth.py::"
        "test_the_similarity_is_that_of_the_two_cats_and_a_cup_is_less_alike",
    ],
    "tools: API explorer, Postman, cURL, Python, Java": [
        "examples/test_examples.py::test_every_example_is_run_here"
    ],
    "the parameters API Explorer and API Gateway Authorization": [
        "infrastructure/test_parameters.py::test_names_values_and_defaults_are_the_contract",
    ],
    "otherwise the definitions can be viewed, and no call made": [
        "browser/test_reference.py::test_under_aws_iam_it_reads_and_says_why_not_more",
    ],
    "the output APIExplorer of the root stack": [
        "infrastructure/test_template.py::test_outputs_exist_when_they_mean_something",
    ],
    "the Explorer's steps: the APIs selected, Try it out, Execute, body, copy, download, headers, Clear": [
        "browser/test_reference.py::test_the_documented_steps",
    ],
    "the path text_similarity of the samples": [
        "local/test_run.py::test_both_backends_answer_on_both_paths",
        "unit/api_explorer/test_openapi.py::test_the_alias_is_deprecated_and_otherwise_the_same",
        "browser/test_reference.py::test_the_alias_answers_too",
    ],
    "Postman, AWS_IAM": ["examples/test_seed_samples.py::test_postman"],
    "cURL, Windows": ["examples/test_seed_samples.py::test_curl_on_windows"],
    "cURL, Linux and macOS": ["examples/test_seed_samples.py::test_curl_on_linux_and_macos"],
    "Python, AWS_IAM": ["examples/test_seed_samples.py::test_python_with_aws_iam"],
    "Python, NONE": ["examples/test_seed_samples.py::test_python_with_none"],
    "Java": ["examples/test_seed_samples.py::test_java"],
    "cost: the factors, and both examples line by line": [
        "unit/bench/cost/test_model.py::test_every_line_of_the_documentation",
        "unit/bench/cost/test_model.py::test_the_printed_totals_count_a_tenth_of_the_data_output",
    ],
    "uninstalling: the parameter Image Similarity set to no": [
        "infrastructure/test_gateway.py::test_the_permanent_route_names_the_service",
        "infrastructure/test_transitions.py::test_every_single_change_of_an_axis",
    ],
}


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_is_held_by_tests_that_are_there(promise: str) -> None:
    for name in PROMISES[promise]:
        file, _, function = name.partition("::")
        assert function in functions(file), name


def test_every_published_sample_is_run() -> None:
    text = (TESTS / "examples" / "test_seed_samples.py").read_text("utf-8")
    for sample in (TESTS / "data" / "seed").iterdir():
        assert f'"{sample.name}"' in text, sample.name


def test_what_the_documentation_misprints_is_said_in_ours() -> None:
    """An output named after another solution, and two totals that are not the sum of their lines."""
    calling, cost = ((ROOT / "docs" / name).read_text("utf-8") for name in ("calling.md", "cost.md"))
    assert "GeneralOCR" in calling
    assert "printed totals do not" in cost
