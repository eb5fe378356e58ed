"""The images run as whatever user the cluster chooses, and say what they consist of."""

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


@pytest.mark.parametrize("image", ["ray", "tools"])
def test_an_image_has_the_bill_of_materials_of_the_stage_that_holds_its_packages(image):
    stages = {stage.partition("AS ")[2].split()[0]: stage for stage in STAGES if "AS " in stage}
    assert f"COPY --from={image}-sbom /opt/nmt/sbom.cdx.json ./" in stages[image]
    assert f"sbom.py /opt/venv/bin/python nmt-{image} sbom.cdx.json" in stages[f"{image}-sbom"]
    # Both begin with the same packages, and the image adds none.
    for stage in (stages[image], stages[f"{image}-sbom"]):
        assert stage.startswith(f"{image}-packages AS ")
    assert "pip install" not in stages[image]
    assert "apt-get" not in stages[image]


def test_the_script_of_the_bill_of_materials_is_sent_to_the_build():
    assert "!docker/sbom.py" in (PROJECT / ".dockerignore").read_text("utf-8").split()
