"""Take the steps of Containerfile in a fresh Debian root, and run a review there as its user.

usage: .venv/bin/python benchmarks/container.py

For machines without a container engine. The root is made by debootstrap from the mirror of packages
that this machine uses; its settings for apt, pip and certificates are put into the root, as an
engine takes them from its host. A review of the tests is run there as the user of the image,
without a network and with all but the review and /tmp read-only; its results must have the bytes of
a local run. Needs root and debootstrap.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from many import PROJECT, RUN, bytes_of

CONTAINERFILE = PROJECT / "Containerfile"
REVIEW = PROJECT / "tests/reviews/shared_control"
SETTINGS = ("/etc/resolv.conf", "/etc/pip.conf", "/etc/apt/apt.conf.d", "/etc/apt/sources.list.d",
            "/etc/apt/keyrings", "/usr/local/share/ca-certificates", "/etc/ssl/certs")  # fmt: skip
PASSED = ("PIP_", "UV_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy")
"""Beginnings of the environment variables that the steps are given."""


def mirror() -> str:
    """Return the address of the packages that this machine's apt uses."""
    command = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]


def prepare(root: Path, release: str) -> None:
    """Make a Debian root with the settings of this machine."""
    subprocess.run(
        ["debootstrap", "--variant=minbase", release, str(root), mirror()],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    for name in map(Path, SETTINGS):
        target = root / name.relative_to("/")
        if name.is_dir():
            shutil.copytree(name, target, dirs_exist_ok=True, symlinks=False)
        elif name.exists():
            target.unlink(missing_ok=True)
            shutil.copy(name, target)
    for name in {value for key, value in os.environ.items() if key.startswith(PASSED)}:
        if Path(name).is_file() and not (root / name.lstrip("/")).exists():
            (root / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, root / name.lstrip("/"))


def build(root: Path) -> tuple[list[str], str, str]:
    """Take the steps of Containerfile; return the command of its image, its user and its folder."""
    user, folder, command = "0:0", "/", []
    passed = {key: value for key, value in os.environ.items() if key.startswith(PASSED)}
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **passed}
    for line in CONTAINERFILE.read_text(encoding="utf-8").splitlines():
        step, _, rest = line.partition(" ")
        start = time.perf_counter()
        if step == "FROM":
            prepare(root, rest.split(":")[1].removesuffix("-slim"))
        elif step == "COPY":
            *names, target = rest.split()
            for name in names:
                place = root / target.lstrip("/")
                place.mkdir(parents=True, exist_ok=True)
                if (PROJECT / name).is_dir():
                    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                    shutil.copytree(PROJECT / name, place, dirs_exist_ok=True, ignore=ignored)
                else:
                    shutil.copy(PROJECT / name, place)
        elif step == "RUN":
            subprocess.run(["chroot", root, "sh", "-c", rest], env=environment, check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
        elif step == "USER":
            user = rest
        elif step == "WORKDIR":
            folder = rest
            (root / folder.lstrip("/")).mkdir(exist_ok=True)
        elif step in ("ENTRYPOINT", "CMD"):
            command += json.loads(rest)
        elif step and step != "#":
            sys.exit(f"Containerfile: {step} is not known here.")
        if step in ("FROM", "RUN"):
            print(f"{line[:70]}: {time.perf_counter() - start:.0f} s", flush=True)
    return command, user, folder


def main() -> None:
    """Build, run, and compare."""
    if os.geteuid() or not shutil.which("debootstrap"):
        sys.exit("Needs root and debootstrap.")
    with tempfile.TemporaryDirectory() as place:
        root, here = Path(place, "root"), Path(place, "here")
        command, user, folder = build(root)
        shutil.copytree(REVIEW, here)
        review = root / folder.lstrip("/")
        shutil.copytree(REVIEW, review, dirs_exist_ok=True)
        for path in (review, *review.rglob("*")):
            os.chown(path, *map(int, user.split(":")))
        # As an engine starts it: nothing but the review and /tmp can be written to.
        inside = shlex.join(
            ["chroot", f"--userspec={user}", str(root), "sh", "-c",
             f"cd {folder} && exec {shlex.join(command)}"]
        )  # fmt: skip
        mounts = f"mount --bind {review} {review} && mount --bind {root}/tmp {root}/tmp && "
        mounts = f"mount --bind {root} {root} && {mounts}mount -t proc proc {root}/proc && "
        mounts += f"mount -t tmpfs tmpfs {root}/dev/shm && mount -o remount,bind,ro {root} && "
        subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", mounts + inside],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nowhere"}, check=True,
        )  # fmt: skip
        subprocess.run([*RUN, str(here)], check=True, capture_output=True)
        local, made = bytes_of(here), bytes_of(review)
        other = [name for name in {*local, *made} if local.get(name) != made.get(name)]
        size = subprocess.run(["du", "-sm", root], capture_output=True, text=True, check=True)
        print(f"{len(made)} files of results, {len(other)} with other bytes: {sorted(other)[:9]}")
        print(f"The root has {size.stdout.split()[0]} MB.")
        sys.exit(bool(other))


if __name__ == "__main__":
    main()
