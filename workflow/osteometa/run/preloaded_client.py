"""Runs a script in a copy of the process that `preloaded` started: ADDRESS PYTHON SCRIPT.

Called by its path, without packages, so that it starts within milliseconds.
"""

import os
import socket
import sys
from pathlib import Path

VARIABLE = "OSTEOMETA_RUN"
"""Environment variable by which a step identifies its run."""


def main(address: str, python: str, script: str) -> int:
    """Return the status of the script; where the process cannot be reached, become its Python."""
    with socket.socket(socket.AF_UNIX) as server:
        request = f"{Path.cwd()}\0{script}\0{os.environ.get(VARIABLE, '')}"
        try:
            server.connect(address)
            socket.send_fds(server, [request.encode()], [0, 1, 2])
            answer = server.recv(1)
        except OSError:
            os.execv(python, [python, script])
    # No answer: the copy was killed.
    return answer[0] if answer else 137


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
