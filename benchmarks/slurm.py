"""Reviews on a cluster: Slurm's own daemons on this machine, disturbed; the bytes of a local run.

usage: .venv/bin/python benchmarks/slurm.py [--write] [--few] [NUMBER]

Starts munged, slurmctld and two slurmd (n1 and n2, over loopback), with a key made there, in
namespaces of their own: with the script they end, and the machine's own Slurm is not touched. Each
run is by ``osteometa run --profile slurm``; every file of its results must have the bytes of a
local run. Runs: six made reviews while a node fails in the middle, while the controller is killed,
with jobs over their memory, and with jobs over their time; NUMBER made reviews (50)
by ``--all``; and the shipped review, job by job. ``--few`` runs two reviews of the tests while a
node dies. ``--write`` puts the table into docs/scale.md. Needs root, and Debian's slurm-wlm and
munge.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from many import PROJECT, RUN, bytes_of, make_reviews

PAGE = PROJECT / "docs" / "scale.md"
NODES = ("n1", "n2")
CONFIGURED = Path("/etc/slurm/slurm.conf")
"""Where Debian's Slurm looks; the executor of Snakemake passes no other place on to its jobs."""
OWN = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
"""Starts a command so that all that it starts ends with it."""
SHIPPED = "the shipped review, job by job"
TOO_LITTLE = 400
"""MB: less than a job of two reviews at a time needs."""
DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
CONF = """\
ClusterName=osteometa
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={at}/munge.socket
CredType=cred/munge
StateSaveLocation={at}/state
SlurmdSpoolDir={at}/%n
SlurmctldPidFile={at}/slurmctld.pid
SlurmdPidFile={at}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,UsePss
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SlurmdTimeout=10
MinJobAge=86400
KillWait=5
ReturnToService=2
MpiDefault=none
SchedulerParameters=sched_interval=2,bf_interval=5
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE DefMemPerCPU=500
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=6000\n"
OPTIONS = [
    "--slurm-no-account", "--slurm-status-command", "squeue",  # there is no data base of accounts
    "--slurm-init-seconds-before-status-checks", "3", "--seconds-between-status-checks", "3",
    "--latency-wait", "10", "--set-threads", "reviews=2", "--jobs", "2",
]  # fmt: skip


class Cluster:
    """The daemons of a cluster of two nodes, in a folder and in this process's namespaces."""

    def __init__(self, at: Path):
        self.at = at
        self.daemons: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Cluster":
        """Start all daemons, and wait until both nodes are idle."""
        for name in ("state", *NODES):
            (self.at / name).mkdir()
        key = self.at / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        host = socket.gethostname().split(".")[0]
        nodes = "".join(NODE.format(name=name, host=host, port=_free_port()) for name in NODES)
        conf = CONF.format(host=host, at=self.at, port=_free_port())
        CONFIGURED.write_text(nodes + conf)
        self._start("munged", "munged", "--foreground", "--force", "--key-file", str(key), *(
            f"--{name}={self.at}/munge.{name.split('-')[0]}"
            for name in ("socket", "pid-file", "log-file", "seed-file")
        ))  # fmt: skip
        _wait(lambda: (self.at / "munge.socket").exists())
        self.start_controller()
        for name in NODES:
            self._start(name, *OWN, "slurmd", "-D", "-N", name)
        _wait(lambda: self.says("sinfo", "-h", "-o", "%T").split() == ["idle"])
        return self

    def __exit__(self, *_: object) -> None:
        """End all daemons with what they started."""
        for name in self.daemons:
            self.kill(name)

    def _start(self, name: str, *command: str) -> None:
        with (self.at / f"{name}.log").open("a") as log:
            self.daemons[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def start_controller(self) -> None:
        """Start slurmctld, which goes on with the jobs that it has saved."""
        self._start("slurmctld", "slurmctld", "-D")

    def kill(self, name: str) -> None:
        """Kill a daemon; of a node with all that runs on it."""
        self.daemons[name].kill()
        self.daemons[name].wait()

    def says(self, *command: str) -> str:
        """Return what a command of Slurm prints; nothing while the controller does not answer."""
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout

    def jobs(self) -> dict[str, int]:
        """Return how many jobs ended in each state, and how many were started once more."""
        words = self.says("scontrol", "show", "jobs", "--oneliner").split()
        states = [word.split("=")[1].lower() for word in words if word.startswith("JobState=")]
        again = sum(int(word.split("=")[1]) for word in words if word.startswith("Restarts="))
        found = {state: states.count(state) for state in sorted(set(states))}
        return found | ({"restarted by Slurm": again} if again else {})


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait(done: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not done():
        if time.monotonic() > limit:
            raise TimeoutError("The cluster does not answer; the logs are in its folder.")
        time.sleep(0.3)


def run_here(folder: Path) -> None:
    """Run the reviews of a folder on this machine alone."""
    subprocess.run([*RUN, "--all", str(folder)], check=True, capture_output=True)


def copied_raw(folder: Path, to: Path) -> None:
    """Copy the reviews of a folder without what was made of them."""
    for config in folder.glob("*/config.yaml"):
        review = to / config.parent.name
        shutil.copytree(config.parent / "data/raw", review / "data/raw")
        shutil.copy(config, review)


def run(cluster: Cluster, folder: Path, options: list[str], disturb: Callable | None) -> str:
    """Run reviews on a cluster while it is disturbed; return what was printed."""
    all_of_it = [] if (folder / "config.yaml").exists() else ["--all"]
    command = [*RUN, *all_of_it, str(folder), "--profile", "slurm", "--", *OPTIONS, *options]
    with (cluster.at / "run.txt").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        if disturb:
            disturb(cluster, folder)
        process.wait()
        log.seek(0)
        text = log.read()
    if process.returncode:
        for path in folder.rglob(".snakemake/slurm_logs/**/*.log"):
            text += f"{path}\n{path.read_text()[-1500:]}"
        sys.exit(f"{text[-3000:]}\nThe run ended with status {process.returncode}.")
    return text


def in_the_middle(cluster: Cluster, folder: Path) -> str:
    """Wait until a review has results and is not done; return the node on which it runs."""
    found: list[str] = []

    def begun() -> bool:
        for path in folder.glob("*/results/*/pooled.csv"):
            review = path.parents[2]
            if not (review / ".snakemake/run.sha256").exists():
                for batch in folder.glob(".snakemake/reviews/*.txt"):
                    if review.name in batch.read_text().split("\n"):
                        jobs = cluster.says("squeue", "-h", "-t", "R", "-o", "%k %N").splitlines()
                        found[:] = [j.split()[1] for j in jobs if f"_{batch.stem} " in j]
        return bool(found)

    _wait(begun, 600)
    return found[0]


def node_dies(cluster: Cluster, folder: Path) -> None:
    """Kill a node that works; it stays away. Its job is not kept waiting for two minutes."""
    cluster.kill(in_the_middle(cluster, folder))
    _wait(lambda: any("restarted" in word for word in cluster.jobs()), 120)
    for job in cluster.says("squeue", "-h", "-t", "PD", "-o", "%A").split():
        cluster.says("scontrol", "update", f"JobId={job}", "StartTime=now")


def controller_dies(cluster: Cluster, folder: Path) -> None:
    """Kill the controller, and start it again after 20 s."""
    in_the_middle(cluster, folder)
    cluster.kill("slurmctld")
    time.sleep(20)
    cluster.start_controller()


def compared(
    name: str, folder: Path, options: list[str], disturb: Callable | None = None, seen: str = ""
) -> str:
    """Run the reviews of a folder, which were run here, on a cluster; return a row of the table.

    `seen` is what must have happened to a job.
    """
    with tempfile.TemporaryDirectory() as place:
        at = Path(place)
        reviews = at / "reviews"
        copied_raw(folder, reviews)
        with Cluster(at) as cluster:
            start = time.perf_counter()
            run(cluster, reviews / "shipped" if name == SHIPPED else reviews, options, disturb)
            minutes = (time.perf_counter() - start) / 60
            jobs = ", ".join(f"{number} {state}" for state, number in cluster.jobs().items())
        if seen not in jobs:
            sys.exit(f"{name}: no job was {seen}: {jobs}")
        files = other = 0
        for review in sorted(reviews.glob("*/config.yaml")):
            local, here = bytes_of(folder / review.parent.name), bytes_of(review.parent)
            files += len(local)
            other += sum(local.get(key) != here.get(key) for key in {*local, *here})
        number = len(list(reviews.glob("*/config.yaml")))
        row = f"| {name} | {number} | {jobs} | {minutes:.1f} | {files:,} | {other} |"
        print(row, flush=True)
        return row


def main() -> None:
    """Run all, print, and write if asked to."""
    missing = [name for name in DAEMONS if not shutil.which(name)]
    if missing or os.geteuid():
        sys.exit(f"Needs root, and of Debian's slurm-wlm and munge: {', '.join(missing)}.")
    if os.getpid() != 1:
        sys.exit(subprocess.run([*OWN, sys.executable, *sys.argv], check=False).returncode)
    subprocess.run(["mount", "-t", "tmpfs", "none", str(CONFIGURED.parent)], check=True)
    number = next((int(word) for word in sys.argv[1:] if word.isdigit()), 50)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        some, shipped, many = (Path(place, name) for name in ("some", "shipped", "many"))
        if "--few" in sys.argv:
            for name in ("seed", "shared_control"):
                shutil.copytree(PROJECT / "tests/reviews" / name, some / name)
            run_here(some)
            rows.append(compared("a node fails", some, [], node_dies, "restarted"))
        else:
            make_reviews(some, 6)
            run_here(some)
            memory = ["--set-resources", f"reviews:mem_mb=attempt*{TOO_LITTLE}"]
            minutes = ["--set-resources", "reviews:runtime=attempt", "--jobs", "1",
                       "--set-threads", "reviews=1"]  # fmt: skip
            rows.append(compared("a node fails", some, [], node_dies, "restarted"))
            rows.append(compared("the controller is killed", some, [], controller_dies))
            rows.append(compared("jobs over their memory", some, memory, None, "failed"))
            rows.append(compared("jobs over their time", some, minutes, None, "timeout"))
            shutil.copytree(PROJECT / "data/raw", shipped / "shipped/data/raw")
            shutil.copy(PROJECT / "config.yaml", shipped / "shipped")
            run_here(shipped)
            rows.append(compared(SHIPPED, shipped, []))
            make_reviews(many, number)
            run_here(many)
            rows.append(compared("made reviews", many, []))
        if any(not row.endswith(" 0 |") for row in rows):
            sys.exit("Results differ from those of the local run.")
    if "--write" in sys.argv:
        start, end = "<!-- slurm: begin -->", "<!-- slurm: end -->"
        before, rest = PAGE.read_text(encoding="utf-8").split(start)
        head = ["| run | reviews | Slurm jobs | minutes | files compared | with other bytes |",
                "|---|---:|---|---:|---:|---:|"]  # fmt: skip
        text = "\n".join([start, "", *head, *rows, "", end])
        PAGE.write_text(before + text + rest.split(end)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
