import pytest

from tests.support.chart.rendering import RELEASES, JsonObject, render


@pytest.fixture(params=RELEASES)
def release(request) -> list[JsonObject]:
    """The objects of a release, once for each set of values that the tests cover."""
    return render(RELEASES[request.param])
