"""A real SLURM on this machine, for tests: slurm.sh starts it, this module talks to it."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faults import Process, processes

SCRIPT = Path(__file__).with_name("slurm.sh")
NODES = ("n1", "n2")


class Unavailable(Exception):  # noqa: N818 (a reason to skip, not an error)
    """Why there can be no SLURM here."""


@dataclass(frozen=True)
class FinishedJob:
    """A job as SLURM's own record of finished jobs tells it."""

    number: str
    state: str
    node: str
    minutes: int  # the time limit
    memory: str
    gpu: bool
    start: datetime.datetime
    end: datetime.datetime


class Cluster:
    """A running cluster in `folder`: two nodes, n1 and n2, with one pretended GPU each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        }

    def run(self, *command: str, check: bool = True) -> str:
        """The output of a command that sees this cluster."""
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=120)
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    @property
    def version(self) -> str:
        """SLURM's name and version."""
        return self.run("sbatch", "--version").strip()

    def submitted(self) -> int:
        """How many jobs sbatch has been given so far: the controller's next job number, less one."""
        return int(re.search(r"NEXT_JOB_ID\s*=\s*(\d+)", self.run("scontrol", "show", "config")).group(1)) - 1

    def finished(self) -> list[FinishedJob]:
        """Every job that has come to an end, also each part of one that was requeued."""
        told = self.run("scontrol", "show", "jobs", "--oneliner").splitlines()
        with_gpu = {_fields(line)["JobId"] for line in told if "gres:gpu:1" in line}
        lines = (self.folder / "finished-jobs.txt").read_text(encoding="utf-8").splitlines()
        return [_finished(job, job["JobId"] in with_gpu) for job in map(_fields, lines)]

    def state(self, node: str) -> str:
        """What the controller thinks of a node."""
        return self.run("sinfo", "--noheader", "--nodes", node, "--format=%T").strip()

    def logs(self) -> str:
        """What the daemons have logged."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("slurm*.log")))

    def kill_controller(self) -> None:
        """SIGKILL for slurmctld."""
        self._kill("slurmctld.pid")

    def start_controller(self) -> None:
        """Start slurmctld again."""
        self._start("controller")

    def kill_node(self, node: str) -> None:
        """SIGKILL for the slurmd of a node; its jobs run on."""
        self._kill(f"slurmd.{node}.pid")

    def start_node(self, node: str) -> None:
        """Start the slurmd of a node again."""
        self._start("node", node.removeprefix("n"))

    def _kill(self, pid_file: str) -> None:
        os.kill(int((self.folder / pid_file).read_text()), signal.SIGKILL)

    def _start(self, *command: str) -> None:
        subprocess.run([SCRIPT, *command, str(self.folder)], env=self.environment, check=True, timeout=60)

    def summary(self) -> str:
        """What went through this cluster, in two lines."""
        jobs = self.finished()
        ends = ", ".join(f"{count} {state}" for state, count in sorted(Counter(job.state for job in jobs).items()))
        most = most_at_a_time([job for job in jobs if job.gpu])
        return (
            f"{self.version}: {self.submitted()} jobs went through sbatch and srun; ends: {ends}.\n"
            f"At most {most} job(s) at a time on each of the {len(NODES)} pretended GPUs."
        )

    def processes(self) -> list[Process]:
        """What runs on the nodes: their daemons and all that belongs to jobs."""
        known = [process for process in processes() if process.pid != os.getpid()]
        return [one for one in known if one.environment.get("SLURM_CONF") == self.environment["SLURM_CONF"]]

    def pull_the_plug(self, node: str) -> None:
        """Kill a node with everything that runs on it, at once, as a power failure would."""
        victims = {
            process.pid
            for process in self.processes()
            if node in (process.environment.get("CLUSTER_NODE"), process.environment.get("SLURMD_NODENAME"))
        }
        # slurmstepd writes its title over its environment, but its children tell who it is.
        victims |= {parent for parent in map(_parent, victims) if _name(parent) == "slurmstepd"}
        for number in (signal.SIGSTOP, signal.SIGKILL):  # first still, then dead, so that none tells of another's end
            for pid in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(re.search(r"^PPid:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M).group(1))
    return 0


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _fields(line: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S*)", line))


def _finished(fields: dict[str, str], gpu: bool) -> FinishedJob:
    return FinishedJob(
        fields["JobId"],
        fields["JobState"],
        fields["NodeList"],
        int(fields["TimeLimit"]),
        re.search(r"mem=(\w+)", fields["Tres"]).group(1),
        gpu,
        *(datetime.datetime.fromisoformat(fields[name]) for name in ("StartTime", "EndTime")),
    )


def most_at_a_time(jobs: list[FinishedJob]) -> int:
    """The largest number of jobs, given one GPU each, that a node ran at a moment.

    SLURM tells of a job whose node died twice, when it misses the node and when the node is back: it is one job.
    """
    most = 0
    for job in jobs:
        same = {other.number for other in jobs if other.node == job.node and other.start <= job.start < other.end}
        most = max(most, len(same))
    return most


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A cluster in `folder` (an empty one that everybody may enter) for the block; installs SLURM where it is missing.

    Raises Unavailable, with the reason, where it cannot be installed.
    """
    done = subprocess.run([SCRIPT, "install"], capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise Unavailable((done.stdout + done.stderr).strip().splitlines()[-1])
    environment = os.environ | {"NODES": str(len(NODES)), "PORT": str(_free_ports(len(NODES) + 1))}
    try:
        done = subprocess.run([SCRIPT, "up", folder], capture_output=True, text=True, env=environment, timeout=120)
        if done.returncode:
            said = done.stdout + done.stderr + Cluster(folder).logs()
            raise AssertionError(f"SLURM is installed and does not start: {said}")
        yield Cluster(folder)
    finally:
        subprocess.run([SCRIPT, "down", folder], capture_output=True, timeout=120)
        for process in Cluster(folder).processes():  # without cgroups, SLURM loses sight of a job's grandchildren
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)


def _free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    for first in range(26817, 32000, count):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise Unavailable("no free ports")
