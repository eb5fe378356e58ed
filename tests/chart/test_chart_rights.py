"""The Role of those who run jobs grants what the commands need, and nothing else."""

from k8s.objects.rights import NEEDED_RIGHTS
from tests.support.chart.rendering import EVERYTHING, JsonObject, kinds, render


def granted(role: JsonObject) -> set[str]:
    """Return what a Role grants, as `kubectl auth can-i` is asked."""
    return {
        f"{verb} {resource.partition('/')[0]}{f'.{group}' if group else ''}"
        + "".join(resource.partition("/")[1:])
        for rule in role["rules"]
        # A mark by which the admission policies know users; no such objects exist.
        if rule["apiGroups"] != ["nmt"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_role_of_users_grants_exactly_what_doctor_asks_for():
    role = kinds(render(EVERYTHING), "Role")["demo-user"]
    assert granted(role) == {str(right) for right in NEEDED_RIGHTS}
