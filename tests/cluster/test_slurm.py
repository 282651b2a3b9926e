"""The study on a real SLURM through profiles/slurm: undisturbed, and on a day when everything goes wrong.

The cluster is this machine alone (slurm.sh): two nodes with a pretended GPU each, so runs ask for a GPU and train on
the CPU. Where SLURM cannot be installed, the tests are skipped and say why.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest
from single_host import NODES, Unavailable, most_at_a_time, running

from faults import SmallStudy, Table, kill_started, trainings, undisturbed, wait_for
from project import PROJECT
from refashion.study.model import Run, digest
from refashion.training import run_files

pytestmark = pytest.mark.slow

WORKFLOW_PROFILE = ("--workflow-profile", str(PROJECT / "profiles" / "slurm"))
PROFILE = ("--profile", str(PROJECT / "profiles" / "slurm"))
#: A test does not wait as long as a cluster deserves.
QUICKLY = ("--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "5")
#: Each run in a job of its own, not four.
ALONE = ("--group-components", "runs=1")

TABLE = Table()


@pytest.fixture(autouse=True)
def _nothing_outlives_its_test():
    yield
    kill_started()


@pytest.fixture(scope="module")
def cluster(request):
    folder = Path(tempfile.mkdtemp(prefix="refashion-slurm-"))
    folder.chmod(0o755)
    try:
        with running(folder) as started, pytest.MonkeyPatch.context() as patch:
            for name in ("PATH", "SLURM_CONF"):
                patch.setenv(name, started.environment[name])
            yield started
            with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
                print(f"\n{started.summary()}\n{TABLE.text()}")
    except Unavailable as reason:
        pytest.skip(str(reason))
    finally:
        shutil.rmtree(folder)


class ClusterStudy(SmallStudy):
    """A small study that runs through the profile."""

    profile = WORKFLOW_PROFILE

    def command(self, *arguments, cores=None):
        """The command line of `snakemake`; the profile says how many jobs there may be."""
        wanted = super().command(*arguments, *self.profile, *QUICKLY)
        at = wanted.index("--cores")
        return wanted[:at] + wanted[at + 2 :]

    def digest(self, seed):
        """The digest of the run with this seed, of a study with one cell."""
        plan = self.plan
        (cell,) = plan.cells()
        return digest(plan.spec(Run(cell, seed)))

    def has_checkpoint(self, seed):
        """Whether the run with this seed has something to lose."""
        return (self.store / "checkpoints" / f"{self.digest(seed)}.npz").exists()


def test_a_study_goes_through_the_profile_to_its_report(cluster, small_data, tmp_path):
    """Six runs of two networks in two bundles, each rule a job, on the GPU nodes at most one at a time."""
    cells = [{"architecture": ["cnn1", "lenet5"], "fraction": "small", "augmentation": "none", "recipe": "b256_e100"}]
    study = ClusterStudy(tmp_path / "study", small_data, cells, seeds=3, images=600, epochs=2)
    before = cluster.submitted()
    study.profile = PROFILE  # as README.md says, it works as well; one job of the study must be proof enough
    study.snakemake("results/data/small.npz")
    assert cluster.submitted() == before + 1
    study.profile = WORKFLOW_PROFILE
    study.snakemake()
    rules = ("describe_architectures", "augmentation_examples", "collect", "analyse", "figures", "report")
    assert cluster.submitted() == before + 1 + 2 + len(rules)
    assert (study.folder / "results" / "report.html").stat().st_size > 100_000
    study.assert_undisturbed(undisturbed(study, small_data))
    bundles = [job for job in cluster.finished() if job.gpu]
    assert len(bundles) == 2
    assert sum(job.minutes for job in bundles) == 3 * 60 + 3 * 45  # each the time of its runs, by network
    assert {job.memory for job in bundles} == {"3000M"}  # the memory of one, and its one GPU
    assert most_at_a_time(bundles) == 1
    again = cluster.submitted()
    assert "Nothing to be done" in study.snakemake().stdout
    assert cluster.submitted() == again


def test_a_run_that_always_fails_costs_no_other(cluster, small_data, tmp_path):
    """The bundle of a failing run fails; its other runs are trained once runs go alone, and none is trained twice."""
    study = ClusterStudy(tmp_path / "study", small_data, seeds=4, images=600, epochs=2)
    _, *good = study.specs()
    log = study.folder / study.plan.runs()[0].log
    (log / "kept").mkdir(parents=True)  # a folder, which nothing can be written to, and which Snakemake leaves alone
    first = study.snakemake("results/runs.csv", "--retries", "0", check=False)
    assert first.returncode != 0
    trained = {path.parent.name: path.stat().st_ino for path in study.store.glob("*/metrics.json")}
    second = study.snakemake("results/runs.csv", "--retries", "0", *ALONE, check=False)
    assert second.returncode != 0
    now = {path.parent.name: path.stat().st_ino for path in study.store.glob("*/metrics.json")}
    assert set(now) == {digest(spec) for spec in good}
    assert trained.items() <= now.items()
    assert sum(1 for run in study.plan.runs() if (study.folder / run.folder / "metrics.json").exists()) == len(good)
    TABLE.add("a run that always fails, in a bundle of four", "its bundle failed; with runs=1 the other three finished")


def _cancel(cluster, victim, snakemake):
    cluster.run("scancel", victim.job)


def _preempt(cluster, victim, snakemake):
    """What a cluster does for a more urgent job: SIGTERM, and back into the queue."""
    cluster.run("scontrol", "requeue", victim.job)


def _cut_the_power(cluster, victim, snakemake):
    """The node dies with all that runs on it, SLURM misses it, and it comes back."""
    cluster.pull_the_plug(victim.node)
    wait_for("SLURM to miss the node", lambda: cluster.state(victim.node).startswith("down"))
    cluster.start_node(victim.node)


def _end_its_time(cluster, victim, snakemake):
    """Let the time limit be now. SLURM looks twice a minute, and the run must not end meanwhile: it is held."""
    os.kill(victim.pid, signal.SIGSTOP)
    cluster.run("scontrol", "update", f"JobId={victim.job}", "EndTime=now+2")


def _kill(cluster, victim, snakemake):
    os.kill(victim.pid, signal.SIGKILL)


def _lose_the_daemons(cluster, victim, snakemake):
    """The controller and both nodes' daemons are killed, and started again after some seconds.

    SLURM saves its jobs up to 5 s after a change, and a kill makes it forget what it had no time to save: nothing is
    submitted in the last moments, and nothing starts. The run is held, so that it surely lives when they die.
    """
    snakemake.send_signal(signal.SIGSTOP)
    os.kill(victim.pid, signal.SIGSTOP)
    cluster.run("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    time.sleep(6)
    cluster.kill_controller()
    for node in NODES:
        cluster.kill_node(node)
    time.sleep(3)
    for node in NODES:
        cluster.start_node(node)
    cluster.start_controller()
    cluster.run("scontrol", "update", "PartitionName=gpu", "State=UP")
    os.kill(victim.pid, signal.SIGCONT)
    snakemake.send_signal(signal.SIGCONT)


#: What is done, each to another run (the first that trains and has a checkpoint), and what SLURM then says of its job.
HARMS = {
    "scancel": (_cancel, "JobState=CANCELLED"),
    "preempted: SIGTERM and requeued": (_preempt, "Restarts=1"),
    "its time limit hit": (_end_its_time, "JobState=TIMEOUT"),
    "SIGKILL": (_kill, "JobState=FAILED"),
    "its node dead": (_cut_the_power, "Restarts=1"),
    "slurmctld and slurmd killed and started again": (_lose_the_daemons, "JobState=COMPLETED"),
}
#: Runs that may end unharmed while the test waits for something.
SPARE = 2
LITTLE_MEMORY = "500 MB of memory, too little"


def test_a_day_when_everything_goes_wrong(cluster, small_data, tmp_path):
    """One Snakemake, a run for each fault; the last run gets too little memory at its first attempt."""
    last = len(HARMS) + SPARE
    study = ClusterStudy(tmp_path / "study", small_data, seeds=last + 1, images=1000, epochs=15)
    reference = undisturbed(study, small_data)
    memory = f"(500 if wildcards.seed == '{last}' else 3000) * attempt"
    asked = [f"train:{name}" for name in ("gpu=1", "one_at_a_time=1", "runtime=30", f"mem_mb={memory}")]
    snakemake = study.start("results/runs.csv", *ALONE, "--set-resources", *asked)
    harmed = {last: LITTLE_MEMORY}

    def victim():
        assert snakemake.poll() is None, study.said.read_text() + study.logs()
        for one in trainings(study):
            if one.seed not in harmed and study.has_checkpoint(one.seed):
                return one
        return None

    jobs = {}
    for name, (harm, _) in HARMS.items():
        found = wait_for(f"a training for: {name}", victim)
        harmed[found.seed], jobs[name] = name, found.job
        harm(cluster, found, snakemake)
    assert snakemake.wait(1500) == 0, study.said.read_text() + study.logs()
    study.assert_undisturbed(reference)

    for name, (harm, said) in HARMS.items():
        told = cluster.run("scontrol", "show", "job", jobs[name])
        assert said in told, (name, told)
        (seed,) = (seed for seed, what in harmed.items() if what == name)
        resumed = run_files.read(study.store / study.digest(seed)).metrics["timing"]["resumed"]
        assert resumed == (0 if harm is _lose_the_daemons else 1), name
        TABLE.add(f"a job: {name}", f"{said}; " + ("went on from its checkpoint" if resumed else "noticed nothing"))
    assert most_at_a_time([job for job in cluster.finished() if job.gpu]) == 1
    assert "exceeded memory limit" in cluster.logs()
    TABLE.add(f"a job: {LITTLE_MEMORY}", "killed by SLURM, and tried again with more")


def test_snakemake_killed_and_started_again_while_an_orphan_runs(cluster, small_data, tmp_path):
    """The orphan is held until its twin trains on the other node, so that both surely write the same run."""
    study = ClusterStudy(tmp_path / "study", small_data, seeds=1, images=1000, epochs=15)
    first = study.start("results/runs.csv")
    (orphan,) = wait_for("a training with a checkpoint", lambda: study.has_checkpoint(0) and trainings(study))
    first.kill()
    first.wait()
    os.kill(orphan.pid, signal.SIGSTOP)
    study.snakemake("--unlock")
    second = study.start("results/runs.csv")
    twin = wait_for("its twin", lambda: next((one for one in trainings(study) if one.pid != orphan.pid), None))
    assert twin.node != orphan.node
    os.kill(orphan.pid, signal.SIGCONT)
    assert second.wait(900) == 0, study.said.read_text() + study.logs()
    wait_for("the orphan's end", lambda: not trainings(study))
    study.assert_undisturbed(undisturbed(study, small_data))
    TABLE.add("Snakemake killed and started again, its orphan still training", "twins on two nodes: the first one won")
