"""Made-up studies, comparisons and whole reviews for tests."""

import csv
import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace
from enum import Enum
from functools import cache
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

from osteometa.cli import main
from osteometa.comparisons.summaries import Cell
from osteometa.derivation.alternatives import alternatives, split_alternatives
from osteometa.derivation.assess import Assessed
from osteometa.derivation.derive import derive
from osteometa.extraction.tables import ROWS, Arm, Contrast, Measurement, Study, Tables
from osteometa.extraction.tables import Direction as DirectionRow
from osteometa.io.csv_records import columns_of, texts_of
from osteometa.protocol.config import from_part, load_config
from osteometa.protocol.dependencies import pool_settings
from osteometa.records.directions import DirectionEntry, ReportedResult
from osteometa.records.effects import Choice, Effect
from osteometa.synthesis.effect_sets import SynthesisData
from osteometa.synthesis.sets import covariances_in, split
from osteometa.validation.review import check_review
from osteometa.wording.vocabulary import Design, Direction, DirectionBasis, ExerciseType, Phase

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"


def copied(name: str, target: Path) -> Path:
    shutil.copytree(TESTS / "reviews" / name, target, dirs_exist_ok=True)
    return target


ORACLE = json.loads((ROOT / "tests/oracle/metafor.json").read_text())["datasets"]


def output_of(capsys, *words):
    try:
        status = main([str(word) for word in words])
    except SystemExit as stop:
        status = stop.code
    return status, *capsys.readouterr()


def effects_csv(folder, rows, header="study,yi,vi,group", name="effects.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


BCG = [
    f"s{i},{y!r},{v!r},{'a' if i % 2 else 'b'}"
    for i, (y, v) in enumerate(zip(ORACLE["bcg_RR"]["yi"], ORACLE["bcg_RR"]["vi"], strict=True))
]


CONFIG = load_config(ROOT / "config.yaml")


def review_of(measurements=(), contrasts=(), weeks="52", **study):
    """Return tables of one made-up trial with arms e and c."""
    more = {"design": "rct", "include": "yes", **study}
    arm = {"phase": "training", "study_id": "t"}
    return Tables(
        studies=(Study(study_id="t", label="Test 2001", **more),),
        arms=(
            Arm(arm_id="e", label="e", role="exercise", modality="resistance", comparator="c",
                comparator_kind="usual", weeks=weeks, **arm),
            Arm(arm_id="c", label="c", role="control", **arm),
        ),
        measurements=tuple(measurements),
        contrasts=tuple(contrasts),
    )  # fmt: skip


def measurement(arm, time, kind="level", outcome="CTX", site="", row=2, **cells):
    analyte = "bmd_areal" if outcome == "BMD" else "ctx_serum"
    unit = "%" if kind == "pct_change" else ("g/cm2" if outcome == "BMD" else "ng/mL")
    cells = {name: str(value) for name, value in cells.items()}
    return Measurement(
        study_id="t", arm_id=arm, outcome=outcome, analyte=analyte, site=site, timepoint=time,
        kind=kind, unit=unit, row=row, **cells,
    )  # fmt: skip


def contrasted(statistic, outcome="CTX", site="", **cells):
    analyte = "bmd_areal" if outcome == "BMD" else "ctx_serum"
    cells = {name: str(value) for name, value in cells.items()}
    return Contrast(
        study_id="t", arm_id="e", outcome=outcome, analyte=analyte, site=site, timepoint="end",
        statistic=statistic, **{"compares": "between", **cells},
    )  # fmt: skip


NUMBER = "ng/mL"


def tables(rows, design="uncontrolled", phase="training", control=False, what="CTX", site=""):
    """Return a made-up study: rows are (table, arm, timepoint, kind or statistic, cells)."""
    analyte = {"CTX": "ctx_serum", "BMD": "bmd_areal"}[what]
    arm = {"study_id": "t", "phase": phase, "weeks": "" if phase == "acute" else "12"}
    arms = [Arm(arm_id="e", label="e", role="exercise", modality="running", **arm)]
    if control:
        arms[0] = arms[0].model_copy(update={"comparator": "c", "comparator_kind": "usual"})
        arms.append(Arm(arm_id="c", label="c", role="control", **arm))
    made = {"measurements": [], "contrasts": [], "directions": []}
    for number, (table, arm_id, time, kind, cells) in enumerate(rows, start=2):
        place = {"study_id": "t", "arm_id": arm_id, "outcome": what, "analyte": analyte,
                 "site": site, "timepoint": time, "row": number}  # fmt: skip
        cells = {name: str(value) for name, value in cells.items()}
        if table == "measurements":
            unit = "%" if kind == "pct_change" else ("g/cm2" if what == "BMD" else NUMBER)
            made[table].append(Measurement(kind=kind, **{"unit": unit, **place, **cells}))
        elif table == "contrasts":
            compares = "between" if control else "within"
            made[table].append(Contrast(statistic=kind, **{"compares": compares, **place, **cells}))
        else:
            made[table].append(DirectionRow(basis=kind, **place, **cells))
    study = Study(study_id="t", label="Test 2001", design=design, include="yes")
    return Tables(studies=(study,), arms=tuple(arms), **{k: tuple(v) for k, v in made.items()})


def effects(rows, config=CONFIG, **how):
    return {e.measure: e for e in derive(tables(rows, **how), config).effects}


def level(time, arm="e", **cells):
    return ("measurements", arm, time, "level", cells)


def logs(arm, time="end", **cells):
    return ("measurements", arm, time, "log_level", cells)


def with_assay(study_id, sd, assay="kit A"):
    """Return a study, its arm and its levels; no SD where none is given."""
    study = Study(study_id=study_id, label=study_id, design="uncontrolled", include="yes")
    arm = Arm(study_id=study_id, arm_id="e", label="e", role="exercise", modality="running",
              phase="training", weeks="12")  # fmt: skip
    place = {"study_id": study_id, "arm_id": "e", "outcome": "CTX", "analyte": "ctx_serum",
             "kind": "level", "unit": NUMBER, "n": "10", "assay": assay}  # fmt: skip
    cells = {} if sd is None else {"sd": str(sd)}
    rows = [Measurement(timepoint="baseline", mean="0.5", **place, **cells),
            Measurement(timepoint="end", mean="0.4", **place, **cells)]  # fmt: skip
    return study, arm, rows


def warnings_on(*studies):
    rows = [row for *_, own in studies for row in own]
    rows = [row.model_copy(update={"row": i}) for i, row in enumerate(rows, start=2)]
    return Tables(studies=tuple(s for s, *_ in studies), arms=tuple(a for _, a, _ in studies),
                  measurements=tuple(rows))  # fmt: skip


N = {"n_exercise": 12, "n_control": 16}


ROOT_N = math.sqrt(1 / 12 + 1 / 16)


def parallel(rows, **how):
    return effects(rows, design="rct", control=True, **how)


def crossover(rows, **how):
    return effects(rows, design="crossover_rct", phase="acute", control=True, **how)


def contrast(statistic, **cells):
    return ("contrasts", "e", "end", statistic, cells)


def change(arm, kind="change", **cells):
    return ("measurements", arm, "end", kind, cells)


def text(effect):
    """Return an effect with each field as effects.csv has it."""
    (cells,) = texts_of(Effect, [effect])
    return SimpleNamespace(**dict(zip(columns_of(Effect), cells, strict=True)))


def account_of(effect):
    codes = text(effect)
    return (
        codes.derivation_method,
        codes.provenance,
        codes.flags,
        effect.n_exercise,
        effect.n_control,
    )


def cell_name(row, column):
    """Return the name of a raw cell as effects.csv cites it."""
    return str(Cell(row, column).name)


def direction_entry(**more):
    """Return a made direction of one comparison that is counted."""
    fields = dict.fromkeys(DirectionEntry.__dataclass_fields__, "")
    fields |= {"year": 2001, "time": None, "n": 20, "counted": True, "conflict": False, **more}
    return DirectionEntry(**fields)


def reported_result(**more):
    """Return a made result of one arm of a programme."""
    fields = dict.fromkeys(ReportedResult.__dataclass_fields__, "")
    fields |= {
        "study_id": "s", "label": "S 2001", "year": 2001, "design": Design.RCT, "arm_id": "e",
        "arm_label": "e", "role": "exercise", "exercise_type": ExerciseType.RESISTANCE,
        "outcome": "OPG", "analyte": "opg_serum", "phase": Phase.TRAINING, "timepoint": "end",
        "time": 12.0, "basis": DirectionBasis.BETWEEN_ARM, "direction": Direction.UP,
        "stated": True, "n": 20, "estimate": None, "ci_low": None, "ci_high": None,
        "counted_as": None, "inputs": (), "source": (), **more,
    }  # fmt: skip
    return ReportedResult(**fields)


def direction(word, basis="between_arm", **cells):
    return ("directions", "e", "end", basis, {"direction": word, **cells})


# PPC with reported changes: no correlation is needed.
CHANGES = [
    level("baseline", mean=50, sd=8, n=14), level("baseline", arm="c", mean=51, sd=6, n=18),
    change("e", mean=4, sd=5, n=12), change("c", mean=1, sd=3, n=16),
]  # fmt: skip


LEVEL = {"sd": 9, "n": 12}


AFTER = [level("end", mean=55, **LEVEL), level("end", arm="c", mean=52, **LEVEL)]


BEFORE = [level("baseline", mean=50, **LEVEL), level("baseline", arm="c", mean=51, **LEVEL)]


CHANGES_ALONE = [change("e", mean=4, sd=5, n=12), change("c", mean=1, sd=4, n=12)]


MEANS = [level("end", mean=55), level("end", arm="c", mean=52)]


BARE_PERCENT = [change("e", "pct_change", mean=7), change("c", "pct_change", mean=2)]


LOGS = [logs("e", mean=2.1, sd=0.3, n=12), logs("c", mean=1.9, sd=0.4, n=12)]


R_BETWEEN = contrast("r", value=0.4)


def t_test(value=2.2, **cells):
    return contrast("t", value=value, **cells)


def mean_difference(value, unit="ng/mL", **cells):
    return contrast("md", value=value, unit=unit, **cells)


def cells_at(arms, time, columns="mean sd n", kind="level"):
    """Return the short names of cells of arms at a time."""
    return {f"{arm}/{time}/{kind}:{column}" for arm in arms for column in columns.split()}


def with_effects(**choice):
    return CONFIG.model_copy(update={"effects": CONFIG.effects.model_copy(update=choice)})


def without_baseline_means(config):
    """Return the configuration as that of a new review, which declares none."""
    outcomes = {
        name: outcome.model_copy(update={"analytes": {
            key: analyte.model_copy(update={"baseline_mean": {}})
            for key, analyte in outcome.analytes.items()
        }})
        for name, outcome in config.outcomes.items()
    }  # fmt: skip
    return config.model_copy(update={"outcomes": outcomes})


def within_arm(rows, config=CONFIG, **how):
    return effects(rows, config, design="uncontrolled", **how)


PAIR = [level("end", mean=7.0, sd=2.38, n=10), level("end", arm="c", mean=6.5, sd=2.21, n=10)]


SPINE_SYNTHESIS = "bmd_lumbar_spine_training_controlled"


# A review of the repository is read and derived once for all tests: its records are frozen.
@cache
def checked(folder):
    outcome = check_review(folder)
    assert outcome.passed
    return outcome


@cache
def derived_of(folder):
    outcome = checked(folder)
    return derive(outcome.tables, outcome.config)


@cache
def alternatives_of(folder):
    outcome = checked(folder)
    return alternatives(outcome.tables, outcome.config)


def cases_of(folder, names):
    config, derived = checked(folder).config, derived_of(folder)
    sets = split(derived.effects, derived.entries, config)
    own = split_alternatives(alternatives_of(folder), config)
    return {
        name: SynthesisData(
            outcome=next(s.outcome for s in config.syntheses if s.id == name),
            effects=tuple(sets[name][0]),
            covariances=tuple(covariances_in(sets[name][0], derived.covariances)),
            alternatives=own[name].effects,
            alternative_covariances=own[name].covariances,
            config=from_part(pool_settings(config, name)),
        )
        for name in names
    }


SPINE = {"outcome": "BMD", "analyte": "bmd_areal", "site": "lumbar_spine"}


CTX = {"outcome": "CTX", "analyte": "ctx_serum", "site": ""}


OPG = {"outcome": "OPG", "analyte": "opg_serum", "site": ""}


def csv_study(study_id="a_2000", **more):
    return {
        "study_id": study_id, "label": study_id, "year": 2000, "design": "rct", "include": "yes",
        **more,
    }  # fmt: skip


def csv_arms(study_id="a_2000", **more):
    common = {"study_id": study_id, "phase": "training"}
    return [
        {**common, "arm_id": "control", "label": "control", "role": "control",
         "comparator_kind": "none"},
        {**common, "arm_id": "ex", "label": "ex", "role": "exercise", "modality": "resistance",
         "comparator": "control", "comparator_kind": "usual", "weeks": 26, **more},
    ]  # fmt: skip


def csv_measurement(arm, timepoint, kind="level", study_id="a_2000", what=SPINE, unit=None, **more):
    unit = unit or ("%" if kind == "pct_change" else "g/cm2")
    weeks = "" if timepoint == "baseline" else 26
    return {
        "study_id": study_id, "arm_id": arm, **what, "timepoint": timepoint, "kind": kind,
        "unit": unit, "source": "table 2", "origin": "table", "time_wk": weeks, **more,
    }  # fmt: skip


def csv_both(timepoint, kind="level", exercise=None, control=None, **more):
    """Rows of both arms: what differs between them in two dicts, the rest in common."""
    return [
        csv_measurement("ex", timepoint, kind, **more, **(exercise or {})),
        csv_measurement("control", timepoint, kind, **more, **(control or {})),
    ]


def csv_contrast(statistic, study_id="a_2000", what=SPINE, **more):
    return {
        "study_id": study_id, "arm_id": "ex", **what, "timepoint": "6_months", "time_wk": 26,
        "statistic": statistic, "compares": "between", "source": "table 2", "origin": "table",
        **more,
    }  # fmt: skip


def write_review(folder, **tables):
    """Write a review with the shipped config; tables that are not named are empty."""
    raw = folder / "data" / "raw"
    raw.mkdir(parents=True)
    shutil.copy(ROOT / "config.yaml", folder)
    for model in ROWS:
        with (raw / f"{model.table}.csv").open("w", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, model.columns())
            writer.writeheader()
            writer.writerows(tables.get(model.table, []))
    return folder


def derived_review(folder, **tables):
    tables = {"studies": [csv_study()], "arms": csv_arms(), **tables}
    outcome = check_review(write_review(folder, **tables))
    assert outcome.passed, [problem.message for problem in outcome.problems]
    return derive(outcome.tables, outcome.config)


def review_effects(folder, measure=None, **tables):
    found = derived_review(folder, **tables).effects
    return [effect for effect in found if measure in (None, effect.measure)]


def csv_bout(hours, **more):
    """One arm before and after a bout, samples at so many hours."""
    arm = {
        "study_id": "a_2000", "arm_id": "ex", "label": "ex", "role": "exercise",
        "modality": "running", "phase": "acute", "comparator_kind": "none", **more,
    }  # fmt: skip
    rows = [csv_measurement("ex", "baseline", n=12, mean=0.40, sd=0.1, what=CTX, unit="ng/mL")]
    rows += [
        {
            **csv_measurement("ex", f"h{hour}", n=12, mean=mean, sd=0.1, what=CTX, unit="ng/mL"),
            "time_wk": "",
            "time_h": hour,
        }
        for hour, mean in hours.items()
    ]
    return {
        "studies": [csv_study(design="uncontrolled")],
        "arms": [arm],
        "measurements": rows,
    }


SHARED = ROOT / "tests/reviews/shared_control"


SPINE_YEAR = "bmd.bmd_areal.lumbar_spine.12_months"


def assessed(effects, **more):
    effect = effects[f"made_two_types_2001.strength.{SPINE_YEAR}.md"]
    return Assessed(replace(effect, **more), more.pop("control_share", None), "test", True)


def empty(hint):
    """Return the value of a field of which nothing is known."""
    origin = get_origin(hint)
    if origin is Annotated:
        return get_origin(get_args(hint)[0])()
    if origin is UnionType:
        return None
    if origin is Literal:
        return get_args(hint)[0]
    if hint is Choice:
        return Choice("", "")
    return next(iter(hint)) if issubclass(hint, Enum) else hint()


def record(kind, **given):
    """Return a record whose other fields are empty."""
    hints = get_type_hints(kind, include_extras=True)
    assert not set(given) - set(hints)
    return kind(**{name: empty(hint) for name, hint in hints.items()} | given)


P1NP_REVIEW = (
    "--title", "Exercise and P1NP", "--outcome", "P1NP", "concentration", "ug/L", "serum",
)  # fmt: skip
"""Options of `osteometa new`."""


def enter_a_trial(review: Path) -> None:
    """Enter a made-up trial of two arms with P1NP before and after."""
    study = {"study_id": "able_2020"}
    facts = {"label": "Able 2020", "year": 2020, "design": "rct", "n_enrolled": 46}
    append(review, "studies", study | facts | {"include": "yes"})
    exercise = {"modality": "walking", "comparator": "usual", "comparator_kind": "usual"}
    for arm, role, n, more in (("walking", "exercise", 24, exercise), ("usual", "control", 22, {})):
        group = {"arm_id": arm, "label": arm, "role": role, "phase": "training", "n_start": n}
        append(review, "arms", study | group | {"weeks": 12} | more)
    place = {"outcome": "P1NP", "analyte": "p1np_serum", "kind": "level", "unit": "ng/mL"}
    for arm, week, n, mean, sd in (
        ("walking", 0, 24, 42, 11), ("walking", 12, 24, 47, 12),
        ("usual", 0, 22, 41, 10.5), ("usual", 12, 22, 41.5, 11),
    ):  # fmt: skip
        time = {"timepoint": f"{week}_weeks" if week else "baseline", "time_wk": week}
        values = {"arm_id": arm, "n": n, "mean": mean, "sd": sd, "source": "Table 2"}
        append(review, "measurements", study | place | time | values)


def append(review: Path, table: str, row: dict) -> None:
    """Append a row to a raw table; columns that are not named stay empty."""
    path = review / f"data/raw/{table}.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        names = next(csv.reader(lines))
    with path.open("a", encoding="utf-8", newline="") as lines:
        csv.DictWriter(lines, names, lineterminator="\n").writerow(row)


def run_review(folder: Path) -> None:
    """Run a review by the command, as its users do."""
    command = [sys.executable, "-m", "osteometa.cli", "run", str(folder), "--cores", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
