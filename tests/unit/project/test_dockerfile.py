"""The images run as whatever user the cluster chooses."""

import re

import pytest

from tests.support.project import PROJECT

STAGES = re.split(r"^FROM ", (PROJECT / "docker" / "Dockerfile").read_text("utf-8"), flags=re.M)
IMAGES = {stage.partition("AS ")[2].split()[0]: stage for stage in STAGES if "\nUSER " in stage}


@pytest.mark.parametrize("image", ["ray", "tools"])
def test_an_image_has_a_user_by_number_with_a_name_and_a_writable_home(image):
    """Kubernetes tells by the number that it is not root; OpenShift's users have no name."""
    stage = IMAGES[image]
    assert re.search(r"^USER [1-9][0-9]*:", stage, re.M)
    variables = dict(re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.*)$", stage, re.M))))
    assert (variables["HOME"], variables["USER"]) == ("/tmp", "nmt")
