"""k8s-indexed-job.yaml: its schema, the rules of the API server that no schema has, and its command."""

import os
import subprocess

import kubernetes_validate
import pytest
import yaml
from shards import BATCH, Answers

VERSIONS = ["1.33", kubernetes_validate.latest_version()]


@pytest.fixture
def job():
    return yaml.safe_load((BATCH / "k8s-indexed-job.yaml").read_text())


@pytest.fixture
def container(job):
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return container


@pytest.mark.parametrize("version", VERSIONS)
def test_the_job_fits_the_schema(job, version):
    kubernetes_validate.validate(job, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_refuses_a_misspelt_field(job, version):
    job["spec"]["backoffLimitPerIndx"] = job["spec"].pop("backoffLimitPerIndex")
    with pytest.raises(kubernetes_validate.ValidationError, match="backoffLimitPerIndx"):
        kubernetes_validate.validate(job, version, strict=True)


def outcome(job, code):
    """Returns the action of the first rule of podFailurePolicy that matches an exit code."""
    for rule in job["spec"]["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        if codes and (code in codes["values"]) == (codes["operator"] == "In"):
            return rule["action"]
    return None


def test_the_job_retries_a_shard_without_an_answer_but_no_wrong_call(job):
    assert job["spec"]["backoffLimitPerIndex"] == 2
    assert outcome(job, 64) == "FailIndex"
    for code in (1, 2, 3, 70, 101, 127, 130, 137, 139, 143):
        assert outcome(job, code) == "Count", code


def test_the_job_keeps_the_rules_of_the_api_server(job, container):
    spec = job["spec"]
    pod = spec["template"]["spec"]
    assert spec["completionMode"] == "Indexed"
    assert pod["restartPolicy"] == "Never"  # podFailurePolicy needs it.
    assert spec["maxFailedIndexes"] <= spec["completions"]
    for rule in spec["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        if codes:
            assert codes["containerName"] == container["name"]
            assert codes["values"] == sorted(set(codes["values"]))
            assert 0 not in codes["values"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    assert environment["SHARDS"] == str(spec["completions"])


def test_the_command_of_each_pod_gives_its_shard(container, machines, one_process, tmp_path):
    answers = Answers(tmp_path / "answers", 4)
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "shard"]
    command = [word.replace(mount["mountPath"] + "/", f"{BATCH}/") for word in container["command"]]
    for index in range(4):
        settings = {"LIST": str(machines), "SHARDS": "4", "ANSWERS": str(answers.folder)}
        assert set(settings) == {entry["name"] for entry in container["env"]}
        environment = {**os.environ, **settings, "JOB_COMPLETION_INDEX": str(index)}
        subprocess.run(command, env=environment, check=True, capture_output=True)
    assert answers.records() == one_process
