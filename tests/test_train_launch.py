"""Job files: each target's own format holds, secrets are named only, a stop is gone on from."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from halubench import content
from halubench.cli.train import app
from halubench.errors import EngineError, InputError, MissingExtraError
from halubench.train.launch import job, submit, targets
from halubench.train.recipe import find

TARGETS = ["dstack", "hf-jobs", "kubernetes", "mcli", "skypilot", "slurm"]


def made(target, name="lynx-70b", gpu=""):
    recipe = find(name)
    if gpu:
        launch = recipe.launch.model_copy(update={"gpu": gpu})
        recipe = recipe.model_copy(update={"launch": launch})
    return job(recipe, target, name, "set", "run")


def test_the_shipped_targets_are_those_promised():
    assert targets() == TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_a_job_runs_the_recipe_on_shared_storage_and_names_secrets_without_values(
    target, monkeypatch
):
    monkeypatch.setenv("HF_TOKEN", "do-not-print")
    found = made(target, "lynx-8b")
    assert "halubench train run lynx-8b --data /mnt/halubench/set" in found.text
    assert "--nproc 8" in found.text
    assert "--nodes" not in found.text.partition("halubench train run")[2]
    assert "do-not-print" not in found.text
    assert "{file}" in found.submit
    if target not in ("mcli", "slurm"):
        assert "HF_TOKEN" in found.text


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "hf-jobs"])
def test_several_nodes_meet_at_the_first_of_them(target):
    text = made(target).text
    assert "--nodes 4 --rendezvous" in text
    assert "HEAD_HOST" in text.partition("--rendezvous")[0]


@pytest.mark.parametrize("target", ["slurm", "hf-jobs"])
@pytest.mark.parametrize("check", [["bash", "-n"], ["shellcheck"]])
def test_a_script_is_taken_by_the_shell(tmp_path, target, check):
    if not shutil.which(check[0]):
        pytest.skip(f"{check[0]} is not here")
    path = tmp_path / "job.sh"
    path.write_text(made(target, "lynx-8b").text, encoding="utf-8")
    subprocess.run([*check, path], check=True)


def slurm(tmp_path, *, code, restarts="0"):
    """Run the script of one node with stand-ins for Slurm; what was requeued."""
    tools = tmp_path / "bin"
    tools.mkdir()
    stand_ins = {
        "scontrol": f'[ "$1" = requeue ] && echo "$2" >> {tmp_path}/requeued; echo node0',
        "srun": f"exit {code}",
        "pip": "true",
    }
    for name, body in stand_ins.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    script = tmp_path / "job.sh"
    script.write_text(made("slurm").text, encoding="utf-8")
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_NODELIST": "n",
        "SLURM_RESTART_COUNT": restarts,
    }
    done = subprocess.run(["bash", script], env=environment, check=False, capture_output=True)
    return done.returncode, (tmp_path / "requeued").exists()


@pytest.mark.parametrize(
    ("code", "restarts", "requeued"),
    [(0, "0", False), (75, "0", True), (75, "3", False), (137, "1", True), (2, "0", False)],
)
def test_a_stopped_slurm_job_is_requeued_and_a_broken_one_is_not(
    tmp_path, code, restarts, requeued
):
    assert slurm(tmp_path, code=code, restarts=restarts) == (code, requeued)


@pytest.mark.parametrize(
    ("recipe", "card"), [("lynx-8b", ""), *(("lynx-8b-lora", g) for g in ("H100", "A100", "L40S"))]
)
def test_hugging_face_has_the_flavor_that_is_asked_for(recipe, card):
    hub = pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
    script = made("hf-jobs", recipe, card).text
    (flavor,) = re.findall(r"FLAVOR:-([\w-]+)\}", script)
    assert flavor in {hardware.value for hardware in hub.JobHardware}


def test_yaml_targets_hold_nodes_gpus_limits_and_retries():
    sky = yaml.safe_load(made("skypilot").text)
    assert (sky["num_nodes"], sky["resources"]["accelerators"]) == (4, "H100:8")
    assert sky["resources"]["job_recovery"]["recover_on_exit_codes"] == [75]
    stack = yaml.safe_load(made("dstack").text)
    assert (stack["nodes"], stack["resources"]["gpu"]) == (4, "H100:8")
    assert "interruption" in stack["retry"]["on_events"]
    mcli = yaml.safe_load(made("mcli").text)
    assert mcli["compute"]["gpus"] == 32
    assert mcli["scheduling"]["resumable"] is True


@pytest.mark.parametrize("target", ["skypilot", "kubernetes", "mcli", "dstack"])
def test_a_setup_of_several_lines_stays_in_its_place(target):
    recipe = find("lynx-70b")
    lines = recipe.launch.model_copy(update={"setup": ("echo one\necho two",)})
    text = job(recipe.model_copy(update={"launch": lines}), target, "r", "d", "o").text
    assert yaml.safe_load(text)
    one, two = (line for line in text.splitlines() if "echo one" in line or "echo two" in line)
    assert one.replace("one", "two") == two


def test_the_jobset_is_one_indexed_job_of_all_nodes():
    told = yaml.safe_load(made("kubernetes").text)
    assert (told["apiVersion"], told["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    assert told["spec"]["failurePolicy"] == {"maxRestarts": 3}
    (node,) = told["spec"]["replicatedJobs"]
    work = node["template"]["spec"]
    assert (work["completions"], work["parallelism"], work["completionMode"]) == (4, 4, "Indexed")
    (container,) = work["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": 8}
    assert "HEAD_HOST=lynx-70b-node-0-0.lynx-70b\n" in container["args"][0]


def test_what_cannot_be_launched_is_refused():
    with pytest.raises(InputError, match="hf-jobs runs on 1 node"):
        made("hf-jobs")
    with pytest.raises(InputError, match="lsf is no target"):
        made("lsf")
    with pytest.raises(InputError, match="tiny-cpu has no launch block"):
        made("slurm", "tiny-cpu")


def test_a_target_is_added_by_one_file_and_submitted_by_its_own_command(tmp_path, monkeypatch):
    (tmp_path / "trainers/launch").mkdir(parents=True)
    text = "{# submit: cat {file} -#}\nrun {{ command }} for {{ hours }} h\n"
    (tmp_path / "trainers/launch/lsf.sh.jinja").write_text(text, encoding="utf-8")
    content.add_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["launch", "lynx-8b", "--on", "lsf", "--submit"])
    assert done.exit_code == 0
    assert "run halubench train run lynx-8b" in done.output
    assert Path("lynx-8b.lsf.sh").read_text("utf-8").endswith("for 4 h\n")
    broken = made("lsf")
    with pytest.raises(EngineError, match="cat refused"):
        submit(broken, tmp_path / "absent")


def test_a_client_that_is_not_here_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="sbatch is not installed"):
        submit(made("slurm"), tmp_path / "job.sh")
