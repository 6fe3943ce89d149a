"""Links to pictures: to the host of the region, which all regions serve, and the page lets in."""

from urllib.parse import parse_qs, urlsplit

import pytest

from image_similarity.catalogue.on_aws import ANSWERING, Settings, connect

SETTINGS = Settings(
    ("photos", "my.photos"), "vectors", "index", "table", "https://sqs.us-east-1.amazonaws.com/1/q"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("us-east-1", "amazonaws.com"),
        ("eu-west-1", "amazonaws.com"),
        ("me-central-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
    ],
)
def test_a_link_leads_to_the_region(monkeypatch: pytest.MonkeyPatch, region: str, suffix: str) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    store = connect(SETTINGS, ANSWERING).store
    link = store.link("s3://photos/a b/ü.png", 900)
    assert link.startswith(
        f"https://photos.s3.{region}.{suffix}/a%20b/%C3%BC.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
    )
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["900"]
    # no certificate is for a name of two dots more
    assert store.link("s3://my.photos/a.png", 1).startswith(f"https://s3.{region}.{suffix}/my.photos/a.png?")


@pytest.mark.slow
@pytest.mark.parametrize("bucket", ["photos", "my.photos"])
def test_a_link_leads_to_the_endpoint_that_is_set(monkeypatch: pytest.MonkeyPatch, bucket: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    link = connect(SETTINGS, ANSWERING).store.link(f"s3://{bucket}/a.png", 1)
    assert link.startswith(f"http://127.0.0.1:5000/{bucket}/a.png?")
