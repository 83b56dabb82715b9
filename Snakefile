# From extraction tables to forest plots and a report; each rule file is a chapter of the methods.
import os
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from osteometa.protocol.config import Config, part
from osteometa.figures.catalogue import CAPTIONS, KINDS, TITLES, page_of
from osteometa.figures.settings import FigureSettings
from osteometa.run.code import code_of
from osteometa.run.failures import in_a_sentence
from osteometa.run.invocation import invocation_of
from osteometa.run.lock import hold_lock
from osteometa.run.manifest import (
    checked_tables,
    hashes,
    is_real_run,
    move_user_files,
    remove_unrecorded,
    reset_future_times,
    set_edited_aside,
)
from osteometa.run.progress import PLAN, follow, list_steps
from osteometa.run.remembered import EARLIER, inputs_of, keep_earlier
from osteometa.io.problems import ProblemsFound
from osteometa.extraction.reading import require_tables
from osteometa.records.sensitivity import RECORDS
from osteometa.protocol.dependencies import pool_settings
from osteometa.extraction.tables import ROWS

min_version("9.0")

# Snakemake calls the interpreter through a shell and does not quote it.
if " " in sys.executable:
    sys.executable = shlex.quote(sys.executable)

# Where this file lies, also when another workflow uses this one as a module.
HOME = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))
# Read before Snakemake reads the same files: problems are reported with their lines, and a key that
# occurs twice is refused.
try:
    invocation = invocation_of(workflow, config)
except ValueError as refusal:
    sys.exit(str(refusal))
ROOT = invocation.root
try:
    config_read = invocation.load()
    # Without one of its tables Snakemake would consider the old results up to date.
    require_tables(f"{ROOT}/data/raw")
except ProblemsFound:
    from osteometa.validation.review import check_review, report_text

    sys.stderr.write(report_text(check_review(ROOT, settings=invocation.load), ROOT))
    sys.exit(1)


configfile: "config.yaml"


def code(script):
    """The hash of all code behind a script, so that a change of code reruns the rule."""
    return code_of(HOME / "workflow/scripts" / script)


def run_inputs():
    """What the results of this run depend on, compared with those of the next run."""
    scripts = (code(script) for script in ("extract.py", "pool.py", "summary.py"))
    return inputs_of(ROOT, config_read.model_dump(mode="json"), " ".join(scripts))


LIMITS = ("--until", "-U", "--omit-from", "-O")
# A plan works on a copy of the review, which it may change as a run would.
planning = PLAN in os.environ
running = planning or is_real_run(sys.argv[1:])
if planning:
    list_steps()
elif running and not workflow.modifier.skip_configfile and any(
    word.startswith(LIMITS) for word in sys.argv
):
    sys.exit(
        "--until and --omit-from are not supported: which steps there are is known only when the "
        "tables are checked. Name what is to be made, such as results/syntheses.csv."
    )
# A workflow that uses this one prints its own progress.
if running and not (planning or workflow.modifier.skip_configfile):
    if Path(workflow.main_snakefile).resolve() == (HOME / "Snakefile").resolve():
        # Snakemake would load pandas to compare parameters that are data frames: there are none.
        sys.modules.setdefault("pandas", None)
    follow(workflow)
    shell.prefix("trap '' INT; ")  # Ctrl-C stops the run, which lets its steps finish
if running:
    with in_a_sentence("start"):
        hold_lock()
        reset_future_times(ROOT)
        keep_earlier(ROOT, run_inputs())


onstart:
    # With its limit of jobs per second Snakemake looks at all jobs anew a second after each look,
    # and ends only when the last of these seconds is over. A limit that a user gives stays.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if workflow.local_exec and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


onsuccess:
    # The manifest's step compares too, but a run may have been asked for other files only.
    now = hashes(RAW, ROOT)
    edited = [name for name, checked in checked_tables(ROOT).items() if now.get(name) != checked]
    if edited:
        sys.exit(f"Changed during the run: {', '.join(edited)}. Run again.")


SYNTHESES = [synthesis.id for synthesis in config_read.syntheses]
TABLES = [model.table for model in ROWS]
RAW = [f"data/raw/{model.table}.csv" for model in ROWS]
RAW = [name for name in RAW if Path(ROOT, name).is_file()]
POOLED = [
    "effects.csv",
    "covariance.csv",
    "directions.csv",
    "pooled.csv",
    "subgroup_test.csv",
    "subgroups.csv",
    "type_contrasts.csv",
]
SENSITIVITY = [f"{name}.csv" for name in RECORDS]
REVIEW_FILES = [
    "reported.csv",
    "syntheses.csv",
    "direction_sets.csv",
    "p_combination.csv",
    "albatross.csv",
    "claims.csv",
    "agreement.csv",
    "wanted.csv",
]
# Of the steps that could begin, those come first for which others wait, then the longest.
WAITED_FOR, LONG = 2, 1
# Settings on which an effect depends, from the reported values to its synthesis.
DERIVING = [
    "outcomes",
    "modalities",
    "comparator_kinds",
    "designs",
    "windows",
    "effects",
    "derivation",
    "syntheses",
]
# Settings that only later steps use: a change of one of them needs no new effects.
LATER = ["figures", "pooling", "small_k", "subgroups", "multiverse", "seed", "title"]


def choices(*keys):
    """What a rule depends on of config.yaml."""
    return part(config_read, *keys)


def estimated():
    """The syntheses with an effect, known only when the effects are derived."""
    checkpoints.extract.get()
    sets = Path(ROOT, "data/processed/sets")
    return [name for name in SYNTHESES if (sets / name / "effects.csv").exists()]


def of_syntheses(files):
    """Files in the results of every synthesis with an effect."""
    return [f"results/{name}/{file}" for name in estimated() for file in files]


def results(wildcards):
    """All results but the report, each asked for, so that a deleted one comes back."""
    return [
        *of_syntheses([*POOLED, *SENSITIVITY, "figures"]),
        *expand("results/{file}", file=[*REVIEW_FILES, "figures"]),
    ]


wildcard_constraints:
    synthesis="[a-z0-9_]+",


include: "workflow/rules/extract.smk"
include: "workflow/rules/pool.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


OWN = HOME / "workflow/rules"
RULES = {each.name: each for each in workflow.rules if Path(each.snakefile).parent == OWN}


def is_output(path):
    """Whether a rule of this workflow makes the file or folder, of a synthesis of this review."""
    outputs = (output for each in RULES.values() for output in each.products())
    matches = filter(None, (output.match(path) for output in outputs))
    return any({*match.groupdict().values()} <= {*SYNTHESES} for match in matches)


if running:
    with in_a_sentence("start"):
        targets = [word for word in sys.argv[1:] if word in RULES or is_output(word)]
        for name, place in move_user_files(ROOT).items():
            sys.stderr.write(f"No step wrote {name}: moved to {place}.\n")
        for name, kept in set_edited_aside(ROOT, () if planning else targets).items():
            sys.stderr.write(f"{name} was edited by hand: kept as {kept}. A run makes it again.\n")
        remove_unrecorded(lambda name: is_output(str(Path(ROOT, name))), ROOT)


rule all:
    default_target: True
    input:
        results,
        INCLUDED,
        "results/report.html",
        "results/manifest.csv",
