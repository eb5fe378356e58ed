import pytest

from k8s.objects.storage_location import storage_root
from nmt.errors import ConfigError
from tests.unit.k8s.conftest import make_release


@pytest.mark.parametrize(
    "url",
    ["s3://KEY:HUSH@bucket/runs", "s3://KEY:HUSH/HUSH@bucket", "s3://KEY@bucket?region=eu"],
    ids=["pair", "slash-in-the-secret", "key-alone"],
)
def test_keys_in_front_of_a_bucket_are_refused_without_repeating_them(url):
    for storage, release in ((url, make_release()), ("runs", make_release(storage=url))):
        with pytest.raises(ConfigError, match="in front of its bucket") as caught:
            storage_root(release, storage)
        assert "HUSH" not in str(caught.value)
        assert "KEY@" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["s3://bucket/a@b:c", "s3://bucket?endpoint_override=store:9000", "gs://bucket/runs"]
)
def test_a_bucket_without_keys_is_accepted(url):
    assert storage_root(make_release(), url) == url
