"""Whole small reviews through the real DAG, with the jobs counted that each change costs.

The code is a copy and the reviews stand in folders whose names hold a space and a non-ASCII letter.
One cold run is made; every test works on a copy of it.
"""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from builders import ROOT
from osteometa.inspection.plan import MADE
from osteometa.inspection.states import state_of
from osteometa.run.changes import changes
from osteometa.run.remembered import FINISHED, recalled

LUMBAR = "bmd_lumbar_spine_training_controlled"
NECK = "bmd_femoral_neck_training_controlled"
EXTRACT = {"Check the tables, and derive effects and directions of effect"}
REVIEW_WIDE = {
    "Summarise all syntheses, test directions, combine exact p values and answer claims",
    "Compare with PyMARE and statsmodels",
    "List the missing values that would add a study to a synthesis",
    "Draw the figures of the whole review",
    "Write the table of included studies",
    "Write the report",
    "List each file with its hash and its inputs",
}
FONTS = {"Cut the fonts of the figures to the letters that most of them use"}


def pooling(synthesis):
    return f"Pool {synthesis} and run its sensitivity analyses"


def drawing(synthesis):
    return f"Draw the figures of {synthesis}"


class Project:
    """A copy of the code that runs reviews lying elsewhere."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        shutil.copy(ROOT / "Snakefile", folder)
        shutil.copytree(ROOT / "profiles", folder / "profiles")
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "workflow", folder / "workflow", ignore=ignored)

    def command(self, review, *options):
        return [sys.executable, "-m", "snakemake", "--directory", str(review), *options]

    def environment(self, **more):
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        return {**kept, "PYTHONPATH": str(self.folder / "workflow"), **more}

    def run(self, review, *options, **environment):
        return subprocess.run(
            self.command(review, *options),
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def interrupted(self, review, when, stop, *options):
        """Start a run and stop it as soon as some words are shown."""
        process = subprocess.Popen(
            self.command(review, *options),
            cwd=self.folder,
            env=self.environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            # Whoever starts the tests may ignore Ctrl-C, as a background shell does.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        for line in process.stderr:
            if when in line:
                break
        time.sleep(0.5)
        os.killpg(process.pid, stop)
        process.communicate()
        return process.returncode


STEPS = re.compile(r"^(?:\[.*?\] )?((?:Check|Pool|Draw|Summarise|Compare|List|Cut|Write) .*)$")


def jobs(result):
    assert result.returncode == 0, result.stderr
    return sorted(found[1] for line in result.stderr.splitlines() if (found := STEPS.match(line)))


def files_of(review):
    results = review / "results"
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file() and not any(n.startswith(".") for n in path.relative_to(results).parts)
    }


def edit(path, old, new, count=1):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("dag") / "Prüf Ordner")


@pytest.fixture(scope="module")
def made(project):
    review = project.folder.parent / "revue née ici"
    shutil.copytree(ROOT / "tests/reviews/small", review)
    result = project.run(review)
    assert len(jobs(result)) == 1 + 2 * 3 + 8
    return review


@pytest.fixture
def review(made, tmp_path):
    copy = tmp_path / "révision 1"
    shutil.copytree(made, copy)
    return copy


def test_nothing_changed_costs_nothing_and_looking_changes_nothing(project, review):
    before = files_of(review)
    assert jobs(project.run(review)) == []
    assert jobs(project.run(review, "--cores", "1", "-n")) == []
    assert files_of(review) == before


def test_one_cell_reruns_its_synthesis_only(project, review):
    edit(review / "data/raw/measurements.csv", ",20,1.5,3.1,", ",20,1.6,3.1,")
    assert set(jobs(project.run(review))) == {
        *EXTRACT, pooling(LUMBAR), drawing(LUMBAR), *REVIEW_WIDE,
    }  # fmt: skip


def verdicts(review):
    with (review / "results/claims.csv").open(encoding="utf-8", newline="") as lines:
        return {row["claim_id"]: row["verdict"] for row in csv.DictReader(lines)}


def test_an_edited_claim_is_answered_without_pooling_anew(project, review):
    usual = verdicts(review)
    assert usual == {
        "bmd_up": "supported", "bmd_up_resistance": "not_settled", "ctx_unchanged": "one_study",
        "opg_up_race": "one_study", "osteocalcin_up": "no_evidence",
    }  # fmt: skip
    edit(review / "data/raw/claims.csv", ",up,,section 3", ",down,,section 3")
    assert set(jobs(project.run(review))) <= EXTRACT | REVIEW_WIDE
    assert verdicts(review) == {**usual, "bmd_up": "contradicted"}


def test_a_study_inserted_in_the_middle_reruns_its_synthesis_only(project, review):
    raw = review / "data/raw"
    for name in ("studies", "arms", "measurements"):
        rows = (raw / f"{name}.csv").read_text().splitlines()
        new = [
            row.replace("test_b_2002", "test_bb_2002").replace("Test B", "Test Bb")
            for row in rows
            if row.startswith("test_b_2002") and (name != "measurements" or "femoral_neck" in row)
        ]
        at = next(i for i, row in enumerate(rows) if row.startswith("test_c_2003"))
        (raw / f"{name}.csv").write_text("\n".join([*rows[:at], *new, *rows[at:]]) + "\n")
    found = set(jobs(project.run(review)))
    assert pooling(NECK) in found and drawing(NECK) in found
    assert not any(LUMBAR in line or "ctx" in line or "opg" in line for line in found)
    assert found >= EXTRACT | REVIEW_WIDE
    assert "test_bb_2002" in (review / f"results/{NECK}/effects.csv").read_text()


def test_a_choice_of_the_config_reruns_what_rests_on_it_at_once(project, review):
    edit(review / "config.yaml", "\n  method: REML", "\n  method: HE")
    found = jobs(project.run(review))
    assert pooling(LUMBAR) in found and drawing(LUMBAR) in found
    assert not EXTRACT & set(found)
    assert ",HE," in (review / f"results/{LUMBAR}/pooled.csv").read_text()
    assert jobs(project.run(review)) == []


def test_syntheses_come_and_go_with_the_config(project, review):
    edit(review / "config.yaml", "id: bmd_femoral_neck", "id: bmd_neck")
    new = NECK.replace("femoral_neck", "neck")
    found = jobs(project.run(review))
    per_synthesis = [line for line in found if any(s in line for s in (LUMBAR, NECK, new))]
    assert per_synthesis == [drawing(new), pooling(new)]
    for folder in ("results", "data/processed/sets"):
        assert not (review / folder / NECK).exists() and (review / folder / new).is_dir()
    records = {path.stem for path in (review / "results/.records").glob("*.*.json")}
    jobs_of = {"pool", "figures"}
    assert {name.split(".")[0] for name in records if name.endswith(f".{new}")} == jobs_of
    assert not any(name.endswith(f".{NECK}") for name in records)
    assert NECK not in (review / "results/manifest.csv").read_text()
    assert (review / f"results/{new}/figures/forest.svg").is_file()


def test_deleted_and_edited_results_come_back(project, review):
    before = files_of(review)
    (review / f"results/{LUMBAR}/figures/forest.svg").unlink()
    edit(review / "results/syntheses.csv", "pooled", "proven")
    result = project.run(review)
    assert drawing(LUMBAR) in jobs(result)
    assert "results/syntheses.csv was edited by hand" in result.stderr
    assert result.stderr.count("edited by hand") == 1
    after = files_of(review)
    assert b"proven" in after.pop("syntheses.csv.edited")
    assert after == before


def test_one_result_asked_for_is_made_anew_after_an_edit(project, review):
    file = f"results/{LUMBAR}/pooled.csv"
    before = (review / file).read_bytes()
    edit(review / "data/raw/measurements.csv", ",20,1.5,3.1,", ",20,1.6,3.1,")
    assert set(jobs(project.run(review, file))) == EXTRACT | {pooling(LUMBAR)}
    assert (review / file).read_bytes() != before
    assert jobs(project.run(review, file)) == []
    edit(review / "data/raw/measurements.csv", ",20,1.6,3.1,", ",20,1.5,3.1,")
    project.run(review)
    assert (review / file).read_bytes() == before


def test_a_synthesis_that_loses_its_effects_goes_and_files_of_the_user_stay(project, review):
    results, raw = review / "results", review / "data/raw/measurements.csv"
    shutil.copytree(results / NECK, results / "mine")
    mine = ["mine/pooled.csv", f"{NECK}/notes.txt", f"{LUMBAR}/figures/notes.txt"]
    for name in mine[1:]:
        (results / name).write_text("mine\n")
    lines = raw.read_text(encoding="utf-8").splitlines(keepends=True)
    raw.write_text("".join(line for line in lines if "femoral_neck" not in line))
    result = project.run(review, f"results/{LUMBAR}/pooled.csv")
    assert f"No step wrote results/{LUMBAR}/figures/notes.txt: moved to" in result.stderr
    assert (results / "report.html").exists()  # as it was: it was not asked for
    assert "Draw the figures of the whole review" in jobs(project.run(review))
    assert [path.name for path in (results / NECK).iterdir()] == ["notes.txt"]
    assert (results / mine[0]).exists() and (results / LUMBAR / "figures.notes.txt").exists()
    result = project.run(review, f"results/{NECK}/pooled.csv")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert f"No study has an effect in {NECK}: it has no pool." in result.stderr
    result = project.run(review, "--until", "pool")
    assert result.returncode == 1 and "--until and --omit-from are not supported" in result.stderr


def test_what_a_killed_step_left_is_made_again(project, review):
    before = files_of(review)
    records = review / "results/.records"
    (records / "summary.json").unlink()
    (records / "overview.json").unlink()
    for path in (review / "results/figures").iterdir():
        path.unlink()
    (records / f"figures.{LUMBAR}.json").unlink()
    (review / f"results/{LUMBAR}/figures/forest.svg").unlink()
    (review / "results/notes.txt").write_text("mine\n")
    assert {drawing(LUMBAR), "Draw the figures of the whole review"} <= set(
        jobs(project.run(review))
    )
    after = files_of(review)
    assert after.pop("notes.txt") == b"mine\n"
    assert after == before


def test_edits_are_caught_when_the_derived_tables_were_deleted_and_in_them(project, review):
    before = files_of(review)
    shutil.rmtree(review / "data/processed")
    assert set(jobs(project.run(review))) >= EXTRACT
    edit(review / f"results/{LUMBAR}/pooled.csv", "overall", "everybody")
    edit(review / "data/processed/effects.csv", "resistance", "aerobic")
    result = project.run(review)
    assert jobs(result) and result.stderr.count("edited by hand") == 2
    after = files_of(review)
    assert b"everybody" in after.pop(f"{LUMBAR}/pooled.csv.edited")
    assert after == before
    assert "aerobic" in (review / "data/processed/effects.csv.edited").read_text()


def test_changed_code_reruns_what_imports_it(project, review):
    module = project.folder / "workflow/osteometa/figures/forest/draw.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(text + "\n# changed\n", encoding="utf-8")
    try:
        found = jobs(project.run(review))
    finally:
        module.write_text(text, encoding="utf-8")
    # Behind the checkpoint Snakemake does not look whether a remade file is the same.
    forests = {
        drawing(path.parents[1].name) for path in review.glob("results/*/figures/forest.svg")
    }
    assert len(forests) == 3
    assert set(found) == {
        *forests, "Draw the figures of the whole review", "Write the report",
        "List each file with its hash and its inputs",
    }  # fmt: skip


def test_a_review_of_directions_only_has_every_table_of_the_review(project, made, tmp_path):
    review = tmp_path / "seed"
    shutil.copytree(ROOT / "tests/reviews/seed", review)
    assert "Compare with PyMARE and statsmodels" in jobs(project.run(review))
    results = review / "results"
    assert {path.name for path in results.glob("[a-z]*") if path.is_dir()} == {"figures"}
    written = {path.name for path in results.glob("*.*")}
    assert written == {path.name for path in (made / "results").glob("*.*")}
    assert {"directions.svg", "figures.csv"} <= {path.name for path in results.glob("figures/*")}
    syntheses = (review / "results/syntheses.csv").read_text(encoding="utf-8")
    assert syntheses.count(",direction_only,") == 4 and syntheses.count(",empty,") == 1


def table(path):
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_arms_that_share_a_control_through_the_whole_run(project, tmp_path):
    """Two types on one control are fitted jointly, arms of one type are one effect."""
    review = tmp_path / "shared"
    shutil.copytree(ROOT / "tests/reviews/shared_control", review)
    assert pooling(LUMBAR) in jobs(project.run(review))
    results = review / "results" / LUMBAR
    effects = {row["effect_id"]: row for row in table(results / "effects.csv")}
    links = table(results / "covariance.csv")
    assert len(links) == 3
    for row in links:
        assert {row["effect_id_1"], row["effect_id_2"]} <= set(effects)
    pooled = {
        row["group"]: row
        for row in table(results / "pooled.csv")
        if row["primary"] == "yes" and row["measure"] == "ROM"
    }
    assert (pooled["overall"]["k"], pooled["overall"]["k_effects"]) == ("6", "7")
    assert "made_one_type_2002.high+low" in "".join(effects)
    changed = {row["row"]: row for row in table(results / "sensitivity.csv")}
    assert changed["shared_control=split"]["status"] == "ok"
    assert changed["primary"]["estimate"] == pooled["overall"]["estimate"]
    agreed = table(review / "results/agreement.csv")
    joint = [r for r in agreed if (r["synthesis"], r["group"]) == (LUMBAR, "overall")]
    assert {row["verdict"] for row in joint} == {"not_comparable"}
    assert {row["verdict"] for row in agreed if row["group"] == "resistance"} & {"agrees"}
    notes = {row["synthesis"]: row["note"] for row in table(review / "results/syntheses.csv")}
    bout = notes["ctx_serum_acute_immediate_within_arm"]
    assert "CTX falls from morning to afternoon" in bout and "haemoconcentration" in bout


def test_a_failing_check_leaves_results_whole(project, review):
    before = files_of(review)
    edit(review / "data/raw/arms.csv", "walking", "wlking")
    for _ in range(2):
        result = project.run(review)
        assert result.returncode != 0
        assert "Did you mean 'walking'" in result.stderr and "E105" in result.stderr
        assert "Nothing was computed. results/ is unchanged" in result.stderr
        assert "Traceback" not in result.stderr and len(result.stderr.splitlines()) < 10
        assert files_of(review) == before
    edit(review / "data/raw/arms.csv", "wlking", "walking")
    result = project.run(review)
    assert "edited by hand" not in result.stderr
    assert jobs(result) and files_of(review) == before


def test_a_table_that_is_gone_is_stated(project, review):
    before = files_of(review)
    (review / "data/raw/grade.csv").rename(review / "data/raw/Grade.csv.bak")
    result = project.run(review)
    assert result.returncode != 0 and "data/raw/grade.csv" in result.stderr
    assert "The file is missing" in result.stderr and "Traceback" not in result.stderr
    assert files_of(review) == before


def test_a_broken_config_is_stated_without_a_traceback(project, review):
    before = files_of(review)
    edit(review / "config.yaml", "agreement_share", "agreement_shar")
    result = project.run(review)
    assert result.returncode != 0 and "Did you mean 'agreement_share'" in result.stderr
    assert "Traceback" not in result.stderr and files_of(review) == before


def test_killed_and_resumed_elsewhere_gives_the_same_bytes(project, made, tmp_path):
    review = tmp_path / "autre"
    shutil.copytree(ROOT / "tests/reviews/small", review)
    assert project.interrupted(review, "Pool ", signal.SIGKILL) != 0
    assert project.interrupted(review, "Draw ", signal.SIGINT, "--cores", "1") != 0
    elsewhere = {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    result = project.run(review, "--cores", "1", **elsewhere)
    assert jobs(result) and "edited by hand" not in result.stderr
    assert not list(review.rglob("*.edited"))
    ours, theirs = files_of(made), files_of(review)
    assert sorted(ours) == sorted(theirs)
    lines, others = (set(files["manifest.csv"].splitlines()) for files in (ours, theirs))
    assert lines ^ others == set()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def planned_by(project, review):
    """`osteometa plan` of a review, as it ended."""
    return subprocess.run(
        [sys.executable, "-m", "osteometa.cli", "plan", review],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def made_by(message):
    """What `osteometa plan` says that the step of a message makes."""
    for rules in (ROOT / "workflow/rules").glob("*.smk"):
        text = rules.read_text(encoding="utf-8")
        for rule, said in re.findall(
            r'(\w+):\n(?:    priority: .*\n)?    message:\n +"(.*)\."', text
        ):
            step = re.fullmatch(
                re.escape(said).replace(r"\{wildcards\.synthesis\}", "(.+)"), message
            )
            if step:
                return MADE[rule].format(*step.groups())
    raise AssertionError(message)


def plan(project, review):
    """The steps that `osteometa plan` names, and its reasons by step."""
    result = planned_by(project, review)
    assert result.returncode == 0, result.stderr
    reasons = {}
    for line in result.stdout.splitlines()[1:]:
        if line.startswith("  because "):
            reasons[list(reasons)[-1]].append(line.removeprefix("  because "))
        else:
            reasons[line] = []
    return reasons


def cell(review):
    edit(review / "data/raw/measurements.csv", ",18,0.9,3.3,", ",18,0.8,3.3,")
    return EXTRACT, "data/raw/measurements.csv changed"


def remark(review):
    path = review / "data/raw/studies.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], f"{lines[1]} read again", *lines[2:], ""]))
    return EXTRACT, "data/raw/studies.csv changed"


def style(review):
    edit(review / "config.yaml", "style: standard", "style: bmj")
    return {drawing(LUMBAR)}, "config.yaml changed: figures.style"


def deleted(review):
    (review / "results" / LUMBAR / "figures" / "forest.csv").unlink()
    return {drawing(LUMBAR)}, f"results/{LUMBAR}/figures/forest.csv is missing"


def cold(review):
    shutil.rmtree(review / "results")
    shutil.rmtree(review / "data/processed")
    shutil.rmtree(review / ".snakemake")
    return EXTRACT, "there is none yet"


@pytest.mark.parametrize("change", [None, cell, remark, style, deleted, cold])
def test_a_plan_names_the_steps_that_then_run(project, review, change):
    steps, why = change(review) if change else (set(), "")
    before = files_of(review)
    planned = plan(project, review)
    assert files_of(review) == before
    for step in steps:
        assert why in planned[made_by(step)]
    assert all(planned.values())
    assert sorted(planned) == sorted(map(made_by, jobs(project.run(review))))


def test_a_plan_says_what_would_stop_a_run(project, review):
    edit(review / "data/raw/measurements.csv", ",18,0.9,3.3,", ",18,nine,3.3,")
    result = planned_by(project, review)
    assert result.returncode == 1
    assert "nine" in result.stderr and "Traceback" not in result.stderr


def test_the_report_says_what_changed_and_stays_the_same_bytes(project, review):
    assert 'id="changes"' not in (review / "results/report.html").read_text(encoding="utf-8")
    cell(review)
    jobs(project.run(review))
    # What is derived in memory is what the run found.
    assert changes(recalled(review / FINISHED), state_of(review)) == ()
    report = (review / "results/report.html").read_bytes()
    assert b'id="changes"' in report
    assert jobs(project.run(review)) == []
    (review / "results/report.html").unlink()
    assert "Write the report" in jobs(project.run(review))
    assert (review / "results/report.html").read_bytes() == report
