"""The policy as a deployment's environment states it."""

import pytest

from image_similarity import __version__
from image_similarity.inference.sources import SourcePolicy
from image_similarity.inference.sources.policy import SettingError


def test_defaults_are_the_contract() -> None:
    policy = SourcePolicy.from_environment({})
    assert policy == SourcePolicy(frozenset(), False, 20 * 1024 * 1024, 10.0)


def test_buckets() -> None:
    policy = SourcePolicy.from_environment({"IMAGE_BUCKETS": " cats, dogs.example ,,"})
    assert policy.buckets == {"cats", "dogs.example"}


@pytest.mark.parametrize(("value", "allowed"), [("1", True), ("", False), ("0", False), ("false", False)])
def test_private_sources_take_exactly_1(value: str, allowed: bool) -> None:
    assert SourcePolicy.from_environment({"ALLOW_PRIVATE_SOURCES": value}).allow_private is allowed


@pytest.mark.parametrize(
    ("value", "allowed", "refused"),
    [
        ("", ["a.com", "127.0.0.1"], []),
        (" , ", ["a.com"], []),
        ("none", [], ["a.com", "none", ""]),
        ("a.com, B.ORG.", ["a.com", "a.com.", "b.org"], ["x.a.com", "aa.com", "a.co", "com"]),
        (".a.com", ["x.a.com", "x.y.a.com", "x.a.com."], ["a.com", "xa.com", "a.com.evil.org"]),
        ("93.184.215.14,2606:4700::1", ["93.184.215.14", "2606:4700::1"], ["93.184.215.15"]),
    ],
)
def test_hosts(value: str, allowed: list[str], refused: list[str]) -> None:
    policy = SourcePolicy.from_environment({"URL_HOSTS": value})
    assert all(policy.allows_host(host) for host in allowed)
    assert not any(policy.allows_host(host) for host in refused)


@pytest.mark.parametrize(
    "value", ["none,a.com", "https://a.com", "a b", "*.a.com", "a/b", "é.com", ".", "a.com:80/"]
)
def test_hosts_that_are_none(value: str) -> None:
    with pytest.raises(SettingError, match="URL_HOSTS has"):
        SourcePolicy.from_environment({"URL_HOSTS": value})


@pytest.mark.parametrize("contact", ["https://a.com/who?x=1#y", "ops@a.com", "mailto:ops@a.com"])
def test_a_contact(contact: str) -> None:
    policy = SourcePolicy.from_environment({"USER_AGENT_CONTACT": f" {contact} "})
    assert policy.user_agent == f"image-similarity/{__version__} (+{contact})"


def test_without_a_contact_the_user_agent_has_one_all_the_same() -> None:
    assert "http" in SourcePolicy.from_environment({"USER_AGENT_CONTACT": ""}).user_agent


@pytest.mark.parametrize(
    "contact",
    [
        "nobody",
        "a@b.com\r\nX: y",
        "a@b.com\n",
        "a@b (c)",
        "https://a.com/)",
        "a@b c",
        "a@é.com",
        "a@\\b",
        "a@" + "b" * 200,
    ],
)
def test_contacts_that_are_none(contact: str) -> None:
    with pytest.raises(SettingError, match=r"USER_AGENT_CONTACT is .* set a URL or a mail address") as caught:
        SourcePolicy.from_environment({"USER_AGENT_CONTACT": contact + "x" * contact.endswith("\n")})
    assert str(caught.value).isprintable()
