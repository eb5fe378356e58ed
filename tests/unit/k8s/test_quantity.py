from decimal import Decimal

import pytest

from k8s.objects.quantity import parse_quantity
from nmt.errors import InputError


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"), ("8", "8"), ("-1.5", "-1.5"), (".5", "0.5"), ("5.", "5"),
        ("500m", "0.5"), ("250u", "0.00025"), ("100n", "0.0000001"),
        ("1k", "1000"), ("2M", "2000000"), ("1G", "1e9"), ("1T", "1e12"), ("1P", "1e15"),
        ("1E", "1e18"), ("1e3", "1000"), ("12E2", "1200"), ("1e-3", "0.001"),
        ("1Ki", "1024"), ("1.5Gi", "1610612736"), ("1Pi", "1125899906842624"),
        ("1Ei", "1152921504606846976"),
    ],
)  # fmt: skip
def test_every_form_of_quantity_is_parsed(text, number):
    assert parse_quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "m", "1 Gi", "1gi", "one", "1Kim", "."])
def test_text_that_is_not_a_quantity_is_refused(text):
    with pytest.raises(InputError, match="is not a Kubernetes quantity"):
        parse_quantity(text)
