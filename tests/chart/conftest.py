import pytest

from tests.support.chart.rendering import RELEASES, JsonObject, render


@pytest.fixture(params=RELEASES)
def release(request) -> list[JsonObject]:
    """The objects of a release, for each of the values that everything has to hold for."""
    return render(RELEASES[request.param])
