"""What very many reviews or specifications would cost on a cluster: a simulation of its queue.

usage: .venv/bin/python benchmarks/queue_of_jobs.py [--write]

Work that was measured in the small (docs/scale.md) is shared among jobs, which are submitted one
after another and run on nodes that fail at random, at a constant rate. A node that fails loses what
it has in hand, a review or a shard for each core; what it had finished is kept. Its job waits until
Slurm has noticed and put it back into the queue, and the node is away for an hour. ``--write`` puts
the table into docs/scale.md.
"""

import heapq
import random
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs/scale.md"
SEED = 20120229
CORES = 8
"""Of a job, as in profiles/slurm."""
SUBMISSION = 1.0
"""Seconds of a submission, one after another."""
START = 6.0
"""Seconds until the first piece of work of a job begins: two starts of Snakemake, imports."""
NOTICED = 300.0 + 120.0
"""Seconds until Slurm gives up a node, and until it starts its job again; its defaults."""
AWAY = 3600.0
REVIEW = 7.2
"""Seconds of a review on one core: the table of many reviews."""
FIT, SHARD = 7.3e-6, 10**5
"""Seconds of a specification on one core (ten million in 75 s), and how many a shard has."""
HOUR, YEAR = 3600.0, 365 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Pieces of work, each on one core."""

    name: str
    pieces: int
    seconds: float
    """Of one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Status of the work."""

    hours: float
    failures: int
    lost: float
    """Core hours of unfinished pieces, share of all."""


def simulated(work: Work, nodes: int, jobs: int, between: float, seed: int = SEED) -> Outcome:
    """Simulate the queue.

    Parameters
    ----------
    between
        Mean seconds between failures of one node.
    """
    draw = random.Random(seed)
    rounds_of = [-(-(work.pieces // jobs + (n < work.pieces % jobs)) // CORES) for n in range(jobs)]
    waiting = [(n * SUBMISSION, n, rounds) for n, rounds in enumerate(rounds_of)]
    free = [0.0] * nodes
    end = lost = 0.0
    failures = 0
    while waiting:
        ready, job, rounds = heapq.heappop(waiting)
        begin = max(ready, heapq.heappop(free))
        needed = START + rounds * work.seconds
        life = draw.expovariate(1 / between)
        if life >= needed:
            end = max(end, begin + needed)
            heapq.heappush(free, begin + needed)
            continue
        failures += 1
        done = int(max(0.0, life - START) / work.seconds)
        lost += life - done * work.seconds
        heapq.heappush(free, begin + life + AWAY)
        heapq.heappush(waiting, (begin + life + NOTICED, job, rounds - done))
    total = work.pieces * work.seconds
    return Outcome(hours=end / HOUR, failures=failures, lost=lost * CORES / total)


def main() -> None:
    """Simulate, print, and write if asked to."""
    works = (
        Work(name="10^5 reviews of 30 studies", pieces=10**5, seconds=REVIEW),
        Work(name="10^9 specifications", pieces=10**9 // SHARD, seconds=SHARD * FIT),
    )
    lines = [
        "| work | core hours | nodes | jobs | a node fails | hours | of 100, the 95th "
        "| failures | lost |",
        "|---|---:|---:|---:|---|---:|---:|---:|---:|",
    ]
    for work in works:
        for nodes, jobs in ((20, 20), (200, 200), (200, 2000)):
            for between, words in ((YEAR, "once a year"), (24 * HOUR, "once a day")):
                found = [simulated(work, nodes, jobs, between, SEED + n) for n in range(100)]
                hours = sorted(one.hours for one in found)
                failures = sum(one.failures for one in found) / len(found)
                lost = sum(one.lost for one in found) / len(found)
                lines.append(
                    f"| {work.name} | {work.pieces * work.seconds / HOUR:,.1f} | {nodes} "
                    f"| {jobs:,} | {words} | {sum(hours) / len(hours):.2f} | {hours[94]:.2f} "
                    f"| {failures:.2f} | {lost:.2%} |"
                )
    print("\n".join(lines))
    if "--write" in sys.argv:
        start, end = "<!-- further: begin -->", "<!-- further: end -->"
        before, rest = PAGE.read_text(encoding="utf-8").split(start)
        PAGE.write_text(
            before + "\n".join([start, "", *lines, "", end]) + rest.split(end)[1], encoding="utf-8"
        )


if __name__ == "__main__":
    main()
