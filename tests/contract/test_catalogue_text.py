"""A catalogue searched by words, through the Lambda adapter and the local cloud."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from openapi_schema_validator import OAS30Validator

from api_explorer.document import FEATURES, document
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.image import decode
from tests.contract.test_catalogue import JSON, OPEN, event
from tests.contract.test_contract import check_headers
from tests.support.adapters import Answer, proxy_answer
from tests.support.catalogue.aws import OnAws, adapter, index_waiting, running
from tests.support.text_tower import CONTEXT, EMBEDDED, model_with_words
from tests.support.world import picture

CAT, ASTRONAUT, COFFEE = "cats/chelsea.png", "people/astronaut.png", "coffee.png"
Call = Callable[..., Answer]
DOCUMENT = document(FEATURES)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the text tower takes for "cat" is the picture of one, and so on."""
    encoder = OnnxEncoder(EMBEDDED, threads=1)
    pictures = {
        word: decode(picture(name, "PNG"), preprocessing=encoder.manifest.preprocessing)
        for word, name in {"cat": "chelsea", "astronaut": "astronaut", "coffee": "coffee"}.items()
    }
    vectors = dict(zip(pictures, encoder.encode(np.stack(list(pictures.values()))), strict=True))
    return model_with_words(tmp_path_factory.mktemp("model") / "words", vectors)


@pytest.fixture(scope="module")
def aws() -> Iterator[OnAws]:
    with running() as on_aws:
        yield on_aws


@pytest.fixture(scope="module")
def module(aws: OnAws, model: Path) -> Iterator[ModuleType]:
    with adapter({**aws.environment, "MODEL_DIR": str(model)}) as module:
        for key, name in {CAT: "chelsea", ASTRONAUT: "astronaut", COFFEE: "coffee"}.items():
            aws.put(key, picture(name, "PNG"))
        parts, _ = module._indexing()
        module._sync(parts).start()
        index_waiting(aws, module)
        yield module


@pytest.fixture
def call(module: ModuleType) -> Call:
    def call(method: str, path: str, body: object = None) -> Answer:
        answer = proxy_answer(module.answer(event(method, path, body, JSON, OPEN), None))
        check_headers(answer)
        return answer

    return call


def names(aws: OnAws, answer: Answer) -> list[str]:
    assert answer.status == 200, answer.content
    schema = {**DOCUMENT["components"]["schemas"]["Matches"], "components": DOCUMENT["components"]}
    OAS30Validator(schema).validate(answer.json)
    return [match["key"].removeprefix(aws.key("")) for match in answer.json["matches"]]


def test_words_find_the_pictures_that_they_say(aws: OnAws, call: Call) -> None:
    for words, best in {"a cat": CAT, "AN  ASTRONAUT": ASTRONAUT, "coffee &amp; milk": COFFEE}.items():
        assert names(aws, call("POST", "/catalogue/search", {"text": words}))[0] == best
    both = names(aws, call("POST", "/catalogue/search", {"text": "cat astronaut", "limit": 2}))
    assert set(both) == {CAT, ASTRONAUT}


def test_the_other_fields_count_as_for_a_picture(aws: OnAws, call: Call) -> None:
    within = {"text": "cat", "prefix": aws.key("people/")}
    assert names(aws, call("POST", "/catalogue/search", within)) == [ASTRONAUT]
    near = call("POST", "/catalogue/search", {"text": "cat", "min_similarity": 0.99})
    assert names(aws, near) == [CAT]
    assert "encode;dur=" in near.headers["server-timing"]
    assert "decode" not in near.headers["server-timing"]


def test_the_catalogue_says_that_it_takes_words(call: Call) -> None:
    status = call("GET", "/catalogue").json
    assert status["text"] is True
    schema = {**DOCUMENT["components"]["schemas"]["Catalogue"], "components": DOCUMENT["components"]}
    OAS30Validator(schema).validate(status)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"text": " ".join(["cat"] * CONTEXT)}, f"text: found {CONTEXT} tokens .* at most {CONTEXT - 2}; "),
        ({"text": "x" * 2001}, "text: found 2001 characters; at most 2000 are read"),
        ({"text": "\u3000"}, "text: found no words"),
        ('{"text": "\\ud800"}', "text: half of a surrogate pair"),
        ({"text": 3}, "text: found 3, expected a string"),
        ({"text": "cat", "key": "s3://b/k"}, "key and text to search by"),
    ],
)
def test_what_is_refused(call: Call, body: object, message: str) -> None:
    answer = call("POST", "/catalogue/search", body if isinstance(body, str) else json.dumps(body))
    assert (answer.status, answer.json["code"]) == (400, "InvalidRequest")
    assert re.search(message, answer.json["message"]), answer.json["message"]
