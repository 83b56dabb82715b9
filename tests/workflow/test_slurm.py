"""A small run on a cluster of Slurm's own daemons, of which one node dies."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest
from builders import ROOT

DAEMONS = all(map(shutil.which, ("munged", "slurmctld", "slurmd")))
EXECUTOR = find_spec("snakemake_executor_plugin_slurm")


@pytest.mark.slow
@pytest.mark.skipif(not DAEMONS, reason="Slurm is not installed (slurm-wlm, munge)")
@pytest.mark.skipif(not EXECUTOR, reason="make scale, which installs the executor, was not run")
@pytest.mark.skipif(os.geteuid() != 0, reason="Slurm's daemons are started by root")
def test_a_node_dies_and_the_results_have_the_bytes_of_a_local_run():
    apart = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"]
    if subprocess.run(apart, capture_output=True, check=False).returncode:
        pytest.skip("the system does not let root start processes in a namespace")
    script = [sys.executable, ROOT / "benchmarks/slurm.py", "--few"]
    ended = subprocess.run(script, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "restarted by Slurm" in ended.stdout
