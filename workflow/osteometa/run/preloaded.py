"""A process with the imports of all steps, of which each step is a copy.

Most of the time of a small step is the start of Python with its imports. This process imports once
what the steps need; the script of each step runs in a copy of it (fork). Before it listens, or
where it cannot, a step starts Python as usual.
Only on Linux: elsewhere libraries for numbers do not allow copies of a process.
"""

from __future__ import annotations

import gc
import importlib
import os
import runpy
import shlex
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path
from typing import cast

from osteometa.run import preloaded_client
from osteometa.run.preloaded_client import VARIABLE

MODULES = (
    "osteometa.derivation.extract", "osteometa.derivation.wanted", "osteometa.validation.review",
    "osteometa.sensitivity.analyses", "osteometa.synthesis.subgroup_tests",
    "osteometa.figures.synthesis_figures", "osteometa.figures.review_figures",
    "osteometa.report.included_studies", "osteometa.report.page", "osteometa.report.table_files",
    "osteometa.synthesis.independent_fits", "osteometa.run.remembered", "snakemake.logging",
    "docx", "fontTools.subset", "pypdfium2", "scipy.stats", "typst",
)  # fmt: skip
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""What Snakemake sets for each step."""


def collect_rarely() -> None:
    """Let Python look for unreachable objects far less often.

    This took a seventh of the time of a run, which makes many objects and few such ones.
    """
    gc.set_threshold(100_000, 50, 50)


@cache
def address_of_process() -> str:
    """Start the process, once for this one and its copies; return the address of its socket."""
    address = f"{tempfile.mkdtemp(prefix='osteometa-')}/socket"
    subprocess.Popen(
        [sys.executable, "-m", "osteometa.run.preloaded", address, str(os.getpid())],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **ONE_THREAD},
    )  # fmt: skip
    return address


def start() -> None:
    """Start the process, and run later steps in copies of it."""
    if sys.platform != "linux":
        return
    python, address = sys.executable, address_of_process()
    # Snakemake starts a step by the name of the interpreter, unquoted, and the script.
    sys.executable = shlex.join([python, "-I", "-S", preloaded_client.__file__, address, python])


class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """Runs each requested script in a copy of this process, until its parent ends."""

    max_children = 1000

    def __init__(self, address: str, run: int) -> None:
        super().__init__(address, Step)
        self.run = run

    def service_actions(self) -> None:
        """End with the run; the steps that still run end by themselves."""
        super().service_actions()
        if os.getppid() != self.run:
            shutil.rmtree(Path(str(self.server_address)).parent)
            os._exit(0)


class Step(socketserver.BaseRequestHandler):
    """Runs a script in the folder and with the streams of the client, and returns its status."""

    def handle(self) -> None:
        """Run the script, in a process of its own."""
        # Else clients would wait for the copies of a killed process.
        cast(Server, self.server).socket.close()
        message, streams, *_ = socket.recv_fds(self.request, 65536, 3)
        for stream, number in zip(streams, (0, 1, 2), strict=True):
            os.dup2(stream, number)
        folder, script, os.environ[VARIABLE] = message.decode().split("\0")
        os.chdir(folder)
        self.request.sendall(bytes([_status(script)]))


def _status(script: str) -> int:
    sys.argv = [script]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def main(address: str, run: int) -> None:
    """Import everything and run the steps of the process `run`, which started this one.

    A step that waits is begun after the next import, and imports what is still missing itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_rarely()
    with Server(address, run) as server:
        server.timeout = 0
        for module in MODULES:
            importlib.import_module(module)
            server.service_actions()
            server.handle_request()
        # What is imported stays: its copies need not look through it for unreachable objects.
        gc.freeze()
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
