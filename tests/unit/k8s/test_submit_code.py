"""Jobs with the code of a working directory."""

import yaml

from k8s.api.cluster import CONFIG_MAP, RAY_JOB
from nmt.errors import InputError

NAME = ("--name", "job")


def test_a_dry_run_prints_the_objects_and_creates_none(nmt_k8s, cluster, tmp_path, capsys):
    (tmp_path / "a.py").write_text("x = 1\n")
    words = ("--working-dir", str(tmp_path), "--dry-run")
    assert nmt_k8s("submit", "train", *NAME, *words) == 0
    kinds = [body["kind"] for body in yaml.safe_load_all(capsys.readouterr().out)]
    assert kinds == ["ConfigMap", "RayJob"]
    assert cluster.names(RAY_JOB) == []


def test_code_is_owned_by_its_job(nmt_k8s, cluster, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    assert nmt_k8s("submit", "train", *NAME, "--working-dir", str(tmp_path), "--detach") == 0
    [name] = [name for name in cluster.names(CONFIG_MAP) if name.startswith("nmt-code-")]
    [owner] = cluster.objects["ConfigMap", name]["metadata"]["ownerReferences"]
    assert owner["uid"] == cluster.objects["RayJob", "job"]["metadata"]["uid"]


def test_a_job_that_could_not_be_created_leaves_no_code(nmt_k8s, cluster, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    cluster.add(RAY_JOB, "job", spec={})
    assert nmt_k8s("submit", "train", *NAME, "--working-dir", str(tmp_path)) == 2
    assert cluster.names(CONFIG_MAP) == ["demo-release"]


def test_a_job_whose_code_could_not_be_created_is_removed(nmt_k8s, cluster, tmp_path, capsys):
    (tmp_path / "a.py").write_text("x = 1\n")
    quota = InputError("exceeded quota: configmaps")
    cluster.on_create["RayJob"] = lambda made: made.fails.append(quota)
    assert nmt_k8s("submit", "train", *NAME, "--working-dir", str(tmp_path)) == 2
    assert "exceeded quota" in capsys.readouterr().err
    assert cluster.names(RAY_JOB) == []


def test_submitting_code_deletes_no_config_map(nmt_k8s, cluster, tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    cluster.denied.add(("delete", "configmaps"))
    assert nmt_k8s("submit", "train", *NAME, "--working-dir", str(tmp_path), "--detach") == 0
    assert len(cluster.names(CONFIG_MAP)) == 2
