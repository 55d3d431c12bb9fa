"""scripts/cloud_setup.sh: what it would run; steps can be left out; it can be repeated."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/cloud_setup.sh"
STEPS = ["project", "apis", "bucket", "registry", "roles", "quota"]
WHO = ("--account=robot", "--member=group:class@example.com")
# Stands in for gcloud: writes down its arguments; `describe` finds what is in the folder `there`.
GCLOUD = """#!/usr/bin/env bash
cd "$(dirname "$0")"
echo "$*" >> calls
case "$*" in *" describe "*) [ -e there ] ;; *" create "*) touch there ;; esac
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_dry_run_prints_every_step():
    result = run("--project=p", "--bucket=b", *WHO, "--region=eu", "--dry_run")
    assert result.returncode == 0, result.stderr
    assert [line[3:] for line in result.stdout.splitlines() if line[:2] == "=="] == STEPS
    assert "gcloud storage buckets create gs://b --project=p --location=eu" in result.stdout
    for member in ("serviceAccount:robot@p.iam.gserviceaccount.com", "group:class@example.com"):
        assert result.stdout.count(f"--member={member}") >= 2


@pytest.mark.parametrize("step", STEPS)
def test_a_step_can_be_left_out(step):
    whole = run("--project=p", "--bucket=b", *WHO, "--dry_run").stdout
    less = run("--project=p", "--bucket=b", *WHO, "--dry_run", f"--skip={step}").stdout
    assert f"== {step}: skipped" in less
    assert less.count("gcloud") < whole.count("gcloud")


def test_it_can_be_repeated(tmp_path):
    program = tmp_path / "gcloud"
    program.write_text(GCLOUD)
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    arguments = ("--project=p", "--bucket=b", *WHO, "--skip=project")
    assert run(*arguments, PATH=path).returncode == 0
    (tmp_path / "calls").unlink()
    result = run(*arguments, PATH=path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("there already") == 3
    assert " create " not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--project and --bucket are needed"),
        (["--project=p", "--bucket=b", "--skip=money"], "no such step: money"),
        (["--nonsense"], "unknown argument: --nonsense"),
    ],
)
def test_mistakes_are_told(arguments, told):
    result = run(*arguments)
    assert result.returncode == 2
    assert told in result.stderr
