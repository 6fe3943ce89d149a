"""What the page recognises of credentials that are pasted, and of refusals."""

import json
from typing import Any

import pytest

from tests.support.modules import called

ID, SECRET, TOKEN = "ASIAEXAMPLE", "se/cr+et/of=an/example", "FwoGZXIvYXdz+token/of/an//example=="
EXPIRES = "2026-05-01T12:34:56+00:00"
SHELL = "".join(
    f"export AWS_{name}={value}\n"
    for name, value in {"ACCESS_KEY_ID": ID, "SECRET_ACCESS_KEY": SECRET, "SESSION_TOKEN": TOKEN}.items()
)
JSON = {"AccessKeyId": ID, "SecretAccessKey": SECRET, "SessionToken": TOKEN, "Expiration": EXPIRES}
PASTED = {
    "export lines": SHELL + f"export AWS_CREDENTIAL_EXPIRATION={EXPIRES}\n",
    "export lines with quotes": SHELL.replace("=A", '="A').replace("MPLE\n", 'MPLE"\n'),
    "one line": SHELL.replace("\n", "; ").replace("export ", "export  "),
    "joined by &&": SHELL.strip().replace("\n", " && "),
    "no export": SHELL.replace("export ", "").replace("\n", "\r\n"),
    "with prompts": SHELL.replace("export", "$ export"),
    "fish": SHELL.replace("export", "set -gx")
    .replace("=A", " A")
    .replace("KEY=", "KEY ")
    .replace("KEN=", "KEN "),
    "csh": SHELL.replace("export", "setenv")
    .replace("=A", " A")
    .replace("KEY=", "KEY ")
    .replace("KEN=", "KEN "),
    "Windows": SHELL.replace("export ", "set "),
    "Windows, quoted": "\n".join(f'set "{line[7:]}"' for line in SHELL.splitlines()),
    "PowerShell": "\n".join(
        f'$Env:{name}="{value}"'
        for name, _, value in (line[7:].partition("=") for line in SHELL.splitlines())
    ),
    "Docker": " \\\n".join(f"-e {line[7:]}" for line in SHELL.splitlines()),
    "YAML": "\n".join(f"{line[7:]}".replace("=", ": ", 1) for line in SHELL.splitlines()),
    "a profile": f"[dev]\n# a comment\naws_access_key_id = {ID}\naws_secret_access_key={SECRET}\n"
    f"aws_session_token = {TOKEN}\nregion = us-east-1",
    "a process": json.dumps({"Version": 1, **JSON}),
    "STS": json.dumps({"Credentials": JSON, "AssumedRoleUser": {"Arn": "arn:aws:sts::1:x"}}, indent=4),
    "STS after its command": "$ aws sts assume-role --role-arn arn\n"
    + json.dumps({"Credentials": JSON}, indent=2),
    "Identity Center": json.dumps(
        {
            "roleCredentials": {
                "accessKeyId": ID,
                "secretAccessKey": SECRET,
                "sessionToken": TOKEN,
                "expiration": 1,
            }
        }
    ),
    "an instance": json.dumps({"Code": "Success", **JSON, "Token": TOKEN}),
    "Cognito": json.dumps({"Credentials": {"AccessKeyId": ID, "SecretKey": SECRET, "SessionToken": TOKEN}}),
    "JSON broken by a terminal": json.dumps(JSON).replace("token/of", "token\n/of"),
    "lines broken by a terminal": SHELL.replace("token/of", "token\n/of"),
    "a mark at the start": "\ufeff" + SHELL,
}


def read(*texts: str) -> list[Any]:
    return called("credentials.js", "readCredentials", *([text] for text in texts))


@pytest.mark.slow
def test_what_is_pasted_is_recognised() -> None:
    for form, found in zip(PASTED, read(*PASTED.values()), strict=True):
        assert found["problem"] is None, form
        (one,) = found["profiles"]
        assert (one["accessKeyId"], one["secretAccessKey"], one["sessionToken"]) == (ID, SECRET, TOKEN), form
        if EXPIRES in PASTED[form]:
            assert one["expires"] == "2026-05-01T12:34:56.000Z", form


def test_a_file_of_profiles_is_a_choice() -> None:
    file = (
        "[default]\nregion = eu-west-1\naws_access_key_id = AKIDONE\naws_secret_access_key = one\n\n"
        f"[profile dev]\nrole_arn = arn:x\n[two]\naws_access_key_id={ID}\n"
        "aws_secret_access_key=2\naws_session_token=3\n"
    )
    (found,) = read(file)
    assert [(one["name"], one["region"]) for one in found["profiles"]] == [
        ("default", "eu-west-1"),
        ("two", ""),
    ]


def test_keys_of_a_person_have_no_token() -> None:
    csv = "\ufeffAccess key ID,Secret access key\r\nAKIDEXAMPLE,se/cret\r\n"
    for found in read(csv, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE\nAWS_SECRET_ACCESS_KEY=se/cret"):
        (one,) = found["profiles"]
        assert (one["accessKeyId"], one["secretAccessKey"], one["sessionToken"]) == (
            "AKIDEXAMPLE",
            "se/cret",
            "",
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("hello", "unknown"),
        ("https://example.com/cat.jpg", "unknown"),
        ('{"a": 1}', "unknown"),
        ("export AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "no-secret"),
        ("export AWS_SECRET_ACCESS_KEY=x", "no-id"),
        ("\n".join(SHELL.splitlines()[:2]), "no-token"),
        (json.dumps({"AccessKeyId": ID, "SecretAccessKey": SECRET}), "no-token"),
    ],
)
def test_what_is_missing_is_named(text: str, problem: str) -> None:
    assert read(text) == [{"profiles": [], "problem": problem}]


NOW = 1_790_000_000_000  # 2026-09-21T14:13:20Z
REFUSALS = [
    ("expired", {"message": "The security token included in the request is expired"}),
    ("expired", {"message": None, "errorType": "ExpiredTokenException"}),
    ("key", {"message": "The security token included in the request is invalid."}),
    (
        "denied",
        {"message": "User: arn:aws:sts::1:x is not authorized to perform: execute-api:Invoke on resource: y"},
    ),
    ("denied", {"message": "User is not authorized to access this resource with an explicit deny"}),
    ("region", {"message": "Credential should be scoped to a valid region, not 'eu-north-1'. "}),
    ("clock", {"message": "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z"}),
    (
        "clock",
        {"message": "Signature not yet current: 20260101T000000Z is still later than 20260101T010000Z"},
    ),
    ("secret", {"message": "The request signature we calculated does not match the signature you provided."}),
    ("blocked", {"message": "Forbidden", "errorType": "ForbiddenException"}),
    ("blocked", {}),
]


def test_a_refusal_is_told_by_its_reason() -> None:
    assert called("refusals.js", "refusalKind", *([given] for _, given in REFUSALS)) == [
        kind for kind, _ in REFUSALS
    ]


def test_a_wrong_clock_is_seen_in_the_answer() -> None:
    words = {"message": "The request signature we calculated does not match", "now": NOW}
    dates = ["Mon, 21 Sep 2026 14:13:20 GMT", "Mon, 21 Sep 2026 15:13:20 GMT", "nonsense", None]
    kinds = called("refusals.js", "refusalKind", *([{**words, "date": date}] for date in dates))
    assert kinds == ["secret", "clock", "secret", "secret"]
