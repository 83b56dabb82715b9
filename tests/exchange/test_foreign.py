"""Tables from other sources, brought in by a mapping; pools of them against metafor."""

import json
import re

import openpyxl
import osteometa
import pytest
from builders import ROOT, copied, output_of
from osteometa.exchange.differences import read_sheets
from osteometa.exchange.foreign import filled_heads, read_foreign
from osteometa.exchange.guess import guess
from osteometa.exchange.mapping import read_mapping
from osteometa.exchange.rows import identifier
from osteometa.io.problems import ProblemsFound
from osteometa.io.sheet import SheetError
from ruamel.yaml import YAML

HERE = ROOT / "tests/exchange/public"
POOLS = json.loads((HERE / "pools.json").read_text(encoding="utf-8"))
COMMON = {
    "study.design": "rct", "exercise.modality": "pilates", "exercise.phase": "training",
    "exercise.comparator_kind": "usual", "exercise.weeks": None, "control.phase": "training",
    "finding.outcome": "score", "finding.analyte": "points", "finding.site": None,
    "finding.timepoint": "end", "finding.unit": "point", "finding.source": "metadat",
}  # fmt: skip
"""What each of the tables leaves to the reviewer; None: the line is deleted."""
EDITS = {
    "michael2013": COMMON | {
        f"{arm}_after.{name}": f"{column}_{name[0] if name != 'sd' else 's'}"
        for arm, column in (("exercise", "Brain"), ("control", "No_brain"))
        for name in ("n", "mean", "sd")
    },
    "curtis1998": COMMON | {"study.label": "paper"},
    "senn2013": COMMON,
    "besson2016": COMMON,
    "baskerville2012": COMMON | {
        "contrast.score": "post", "contrast.adjusted": "no", "contrast.standardiser": "raw",
        "contrast.note": "taken as Hedges' g",
    },
}  # fmt: skip
READY_RATIO = COMMON | {
    "contrast.score": "post", "contrast.adjusted": "no", "finding.unit": None,
}  # fmt: skip
EDITS |= {
    "lopez2019": {
        **COMMON, "arms.control": "No treatment; Placebo; TAU; Wait list",
    },
    "dagostino1998": READY_RATIO, "dagostino1998_ratios": READY_RATIO,
    "cma": COMMON,
    # Its time point is named Baseline, and nothing was measured later.
    "covidence": COMMON | {"arms.control": "Younger", "arm_before": "arm_after"},
}  # fmt: skip
SAME_NAMES = {"baskerville2012": ('"Aspy et al."', '"Hogg et al."')}
MEASURES = {
    "curtis1998": "ROM", "senn2013": "MD", "lopez2019": "MD", "dagostino1998": "ROM",
    "dagostino1998_ratios": "ROM",
}  # fmt: skip
METHODS = {
    "senn2013": "CHG", "baskerville2012": "SMDP", "lopez2019": "CHG", "dagostino1998": "DIF",
    "dagostino1998_ratios": "DIF",
}  # fmt: skip


def answered(text, edits):
    """A mapping with some fields filled in or deleted, or a group renamed, as in an editor."""
    lines, group = [], ""
    for line in text.splitlines():
        if re.fullmatch(r"[a-z_]+:", line):
            group = line[:-1]
            line = f"{edits.get(group, group)}:"
        name = line.strip().partition(":")[0]
        path = f"{group}.{name}"
        if line.startswith("  ") and path in edits:
            if edits[path] is None:
                continue
            line = re.sub(r"\{(\w+): .*?\}.*", rf'{{\1: "{edits[path]}"}}', line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def empty_review(folder):
    """A review without rows whose one outcome is a score in any unit."""
    review = copied("small", folder / "review")
    for path in (review / "data/raw").glob("*.csv"):
        header = path.read_text(encoding="utf-8").splitlines()[0]
        path.write_text(header + "\n", encoding="utf-8")
    yaml = YAML()
    config = yaml.load(review / "config.yaml")
    outcome = next(iter(config["outcomes"].values()))
    for unneeded in ("sites", "diurnal", "smallest_effect"):
        outcome.pop(unneeded, None)
    outcome |= {
        "label": "Score", "measures": ["SMD", "MD", "ROM"], "units": {},
        "analytes": {"points": {"label": "points", "quantity": "other"}},
    }  # fmt: skip
    config["outcomes"] = {"score": outcome}
    config["secondary_outcomes"] = []
    config["syntheses"] = [{
        "id": "score", "outcome": "score", "analyte": "points", "phase": "training",
        "design_class": "controlled",
    }]  # fmt: skip
    yaml.dump(config, review / "config.yaml")
    return review


@pytest.fixture
def review(tmp_path):
    return empty_review(tmp_path)


def imported(review, path, edits, capsys, *options):
    """Import a table with the guessed mapping and some edits: status and output."""
    status, out, err = output_of(capsys, "import", path, review, *options)
    assert status == 0 and "as far as the heads show" in out, err
    mapping = path.with_suffix(".map.yaml")
    mapping.write_text(answered(mapping.read_text(encoding="utf-8"), edits), encoding="utf-8")
    return output_of(capsys, "import", path, review, "--map", mapping, "--yes", *options)


def copy_of(name, folder):
    path = folder / f"{name}.csv"
    text = (HERE / f"{name}.csv").read_text(encoding="utf-8")
    for author in SAME_NAMES.get(name, ()):  # the second of two studies of one name and year
        first, second = (hit.start() for hit in re.finditer(f"{author},2008", text))
        assert first < second
        text = text[:second] + author[:-1] + ' (b)"' + text[second + len(author) :]
    path.write_text(text, encoding="utf-8")
    return path


LONG = COMMON | {"arms.control": "placebo"}
"""What a table with one row per arm leaves to the reviewer."""


def test_one_row_per_arm_gives_the_tables_of_the_arms_side_by_side(review, tmp_path, capsys):
    wide = copy_of("senn2013", tmp_path).read_text(encoding="utf-8").splitlines()
    rows = [line.replace('"', "").split(",") for line in wide[1:]]
    lines = [
        f"{t},rosiglitazone,{a},{b},{c}\n{t},Placebo,{d},{e},{f}" for t, a, b, c, d, e, f in rows
    ]
    path = table(
        tmp_path, "\n".join(["study,treatment,change mean,change sd,n", *lines]), "long.csv"
    )
    status, out, err = imported(review, path, LONG, capsys)
    assert status == 0, out + err
    effects = osteometa.derive(review)
    effects = effects[(effects["measure"] == "MD") & effects["pooled"]]
    assert set(effects["derivation_method"]) == {"CHG"}
    pool = osteometa.pool(effects["yi"], effects["vi"], method="REML", ci="wald")
    assert (len(effects), pool.estimate) == (
        POOLS["senn2013"]["k"],
        pytest.approx(POOLS["senn2013"]["estimate"], rel=1e-8),
    )


def test_several_exercise_arms_and_times_in_rows_of_their_own(review, tmp_path, capsys):
    """Two exercise arms of one trial share its control; times before have the name baseline."""
    text = "Study ID,Arm,Role,Week,Mean,SD,N\n" + "".join(
        f"A 2001,{arm},{role},{week},{mean},2,20\n"
        for arm, role, means in (
            ("Walking", "Active", (10, 13)),
            ("Running", "Active", (10, 14)),
            ("Usual care", "Control", (10, 11)),
        )
        for week, mean in zip((0, 26), means, strict=True)
    )
    path = table(tmp_path, text)
    edits = LONG | {"arms.control": "control"}
    mapping = path.with_suffix(".map.yaml")
    assert output_of(capsys, "import", path, review)[0] == 0
    text = answered(mapping.read_text(encoding="utf-8"), edits)
    text = text.replace("  control: {", "  role: {column: Role}\n  control: {", 1)
    text = text.replace('{value: "end"}', "{column: Week}")
    mapping.write_text(text, encoding="utf-8")
    status, out, _ = output_of(capsys, "import", path, review, "--map", mapping, "--yes")
    assert status == 0, out
    sheets = read_sheets(review / "data/raw")
    arms = [dict(zip(sheets["arms"].header, line, strict=True)) for _, line in sheets["arms"].rows]
    assert [(a["arm_id"], a["label"], a["role"], a["comparator"]) for a in arms] == [
        ("walking", "Walking", "exercise", "usual_care"),
        ("running", "Running", "exercise", "usual_care"),
        ("usual_care", "Usual care", "control", ""),
    ]
    found = sheets["measurements"]
    rows = [dict(zip(found.header, line, strict=True)) for _, line in found.rows]
    times = {(row["timepoint"], row["time_wk"], row["kind"]) for row in rows}
    assert times == {("baseline", "", "level"), ("26", "26", "level")}
    effects = osteometa.derive(review)
    effects = effects[effects["measure"] == "MD"]
    assert sorted(effects["yi"]) == [2, 2.5, 3]  # each, and both against their one control
    assert set(effects["derivation_method"]) == {"PPC"}


def test_week_0_with_hours_after_a_bout_is_no_time_before_exercise(review, tmp_path, capsys):
    text = "study,arm,time_wk,time_h,mean,sd,n\nA,run,0,2,6,1,9\nA,rest,0,2,5,1,9\n"
    edits = LONG | {"arms.control": "rest", "exercise.phase": "acute", "control.phase": "acute"}
    _, out, _ = imported(review, table(tmp_path, text), edits, capsys)
    assert "a/run/score/points//end/level" in out and "baseline/level" not in out


@pytest.mark.parametrize(("control", "said"), [
    ("sham", "row 2, study a: The study has no control arm. Correct arms.control"),
    ("none; usual", "row 4, study a: The study has 2 control arms (none, usual). Correct"),
])  # fmt: skip
def test_a_study_without_one_control_arm_is_a_problem(control, said, review, tmp_path, capsys):
    text = "study,arm,mean,sd,n\nA,none,5,1,9\nA,usual,5,1,9\nA,walking,6,1,9\n"
    status, out, _ = imported(
        review, table(tmp_path, text), LONG | {"arms.control": control}, capsys
    )
    assert status == 1 and said in out and out.count("control arm") == 1


@pytest.mark.parametrize(("row", "said"), [
    (",walking,6,1,9", "row 4: The row names no study"),
    ("A,,6,1,9", "row 4: The row names no arm"),
])  # fmt: skip
def test_a_row_without_study_or_arm_is_a_problem(row, said, review, tmp_path, capsys):
    text = f"study,arm,mean,sd,n\nA,usual,5,1,9\nA,walking,6,1,9\n{row}\n"
    path = table(tmp_path, text)
    status, out, _ = imported(review, path, LONG | {"arms.control": "usual"}, capsys)
    assert status == 1 and said in out


def test_a_variance_that_is_not_above_0_is_a_problem(review, tmp_path, capsys):
    path = table(tmp_path, "study,yi,vi\nA,0.2,0\n")
    rest = {"contrast.standardiser": None, "contrast.note": None}
    edits = READY_RATIO | {"contrast.statistic": "md"} | rest
    status, out, _ = imported(review, path, edits, capsys)
    assert status == 1 and "The variance 0 is not above 0" in out


def test_rows_of_one_arm_and_of_two_are_not_mixed(review, tmp_path, capsys):
    path = table(tmp_path, "study,arm,mean,sd,n\nA,walking,6,1,9\n")
    assert output_of(capsys, "import", path, review)[0] == 0
    mapping = path.with_suffix(".map.yaml")
    text = answered(mapping.read_text(encoding="utf-8"), LONG)
    mapping.write_text(text.replace("arm_after:", "exercise_after:"), encoding="utf-8")
    out = output_of(capsys, "import", path, review, "--map", mapping)[1]
    assert "exercise_after: With the group arms each row is one arm. Map its numbers" in out


@pytest.mark.parametrize("name", list(POOLS))
@pytest.mark.slow
def test_pools_of_public_tables_are_those_of_metafor(name, review, tmp_path, capsys):
    status, out, err = imported(review, copy_of(name, tmp_path), EDITS[name], capsys)
    assert status == 0, out + err
    effects = osteometa.derive(review)
    measure = MEASURES.get(name, "SMD")
    effects = effects[(effects["measure"] == measure) & effects["pooled"]]
    assert set(effects["derivation_method"]) == {METHODS.get(name, "POST")}
    pool = osteometa.pool(effects["yi"], effects["vi"], method="REML", ci="wald")
    theirs = POOLS[name]
    assert len(effects) == theirs["k"]
    assert pool.estimate == pytest.approx(theirs["estimate"], rel=1e-8)
    assert pool.se == pytest.approx(theirs["se"], rel=1e-8)
    assert pool.tau2 == pytest.approx(theirs["tau2"], rel=1e-6)


def test_the_guide_counts_the_steps():
    guide = (ROOT / "docs/howto/import_a_table.md").read_text(encoding="utf-8")
    stated = re.findall(r"(?m)^\| (?:dat\.)?(\w+) \|.*\| 2 \| (\d+) \| (\d+) \|$", guide)
    assert {name: (int(lines), int(cells)) for name, lines, cells in stated} == {
        name: (len(edits), len(SAME_NAMES.get(name, ()))) for name, edits in EDITS.items()
    }


def table(folder, text, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


HEADS = {
    "metafor": "study,year,m1i,sd1i,n1i,m2i,sd2i,n2i",
    "by hand": "Author,Year,mean1,sd1,n1,mean2,sd2,n2",
    "RevMan": "Study,Study year,Experimental mean,Experimental SD,Experimental N,Control mean,"
    "Control SD,Control N",
    "Covidence": "Study ID,Year,Intervention: Mean,Intervention: SD,Intervention: Total,"
    "Comparator: Mean,Comparator: SD,Comparator: Total",
    "CMA": "Study name,Year,Group-A Mean,Group-A Std-Dev,Group-A Sample size,Group-B Mean,"
    "Group-B Std-Dev,Group-B Sample size",
}


DATA_ROWS = (
    "Analysis group", "Analysis number", "Analysis name", "Subgroup", "Applicability", "Study",
    "Study year", "GIV Mean", "GIV SE", "Experimental mean", "Experimental SD",
    "Experimental cases", "Experimental N", "Control mean", "Control SD", "Control cases",
    "Control N", "O-E", "Variance", "Weight", "Mean", "CI start", "CI end", "Footnotes",
)  # fmt: skip
"""Heads of the data rows that RevMan exports, of every kind of analysis."""


@pytest.mark.parametrize(("filled", "fields"), [
    (
        {"Experimental mean": "5", "Experimental SD": "1", "Experimental N": "9",
         "Control mean": "4", "Control SD": "1", "Control N": "9",
         "Mean": "1", "CI start": "0.1", "CI end": "1.9"},
        {"exercise_after.mean": "Experimental mean", "exercise_after.sd": "Experimental SD",
         "exercise_after.n": "Experimental N", "control_after.mean": "Control mean",
         "control_after.sd": "Control SD", "control_after.n": "Control N"},
    ),
    (
        {"GIV Mean": "0.4", "GIV SE": "0.2", "Mean": "0.4", "CI start": "0", "CI end": "0.8"},
        # CI start and CI end are of the ratio where GIV Mean is a logarithm.
        {"contrast.value": "GIV Mean", "contrast.se": "GIV SE"},
    ),
])  # fmt: skip
def test_data_rows_of_revman_are_recognised_by_the_columns_that_are_filled(
    filled, fields, tmp_path
):
    row = filled | {"Analysis name": "Score", "Study": "A", "Study year": "2001"}
    heads = ",".join(DATA_ROWS)
    path = table(tmp_path, f"{heads}\n{','.join(row.get(head, '') for head in DATA_ROWS)}\n")
    found = guess(filled_heads(read_foreign(path)))
    assert {f.path: f.text for f in found if f.kind == "column"} == fields | {
        "study.label": "Study", "study.year": "Study year", "finding.outcome": "Analysis name",
    }  # fmt: skip


def test_heads_of_one_row_per_arm_are_recognised():
    heads = ("Study ID", "Intervention", "Outcome", "Timepoint", "Mean", "SD", "Total")
    found = {f.path: f.text for f in guess(heads) if f.kind == "column"}
    assert found == dict(zip(
        ("study.label", "arms.arm", "finding.outcome", "finding.timepoint", "arm_after.mean",
         "arm_after.sd", "arm_after.n"),
        heads, strict=True,
    ))  # fmt: skip
    alone = {f.path: f.text for f in guess(("study", "group", "pre mean", "post mean", "n"))}
    assert alone["arm_before.n"] == alone["arm_after.n"] == "n"
    changes = {f.path: f.text for f in guess(("study", "treatment", "n", "diff", "se"))}
    assert (changes["arm_change.mean"], changes["arm_change.se"]) == ("diff", "se")


@pytest.mark.parametrize("kind", list(HEADS))
def test_heads_of_two_arms_are_recognised(kind):
    heads = tuple(HEADS[kind].split(","))
    found = {f.path: f.text for f in guess(heads) if f.kind == "column"}
    order = ["study.label", "study.year"]
    for arm in ("exercise", "control"):
        order += [f"{arm}_after.{name}" for name in ("mean", "sd", "n")]
    assert found == dict(zip(order, heads, strict=True))


def test_one_n_serves_every_time_and_a_single_arm_has_no_control():
    found = {f.path: f.text for f in guess(("trial", "m_pre_t", "sd_pre_t", "m_post_t", "n_t"))}
    assert found["exercise_before.n"] == found["exercise_after.n"] == "n_t"
    assert not any(path.startswith("control") for path in found)


def test_n_is_asked_for_where_no_head_names_it():
    found = columns("trial,mean1,sd1,mean2,sd2,number analysed")
    assert found["exercise_after.n"] == found["control_after.n"] == ""


def test_an_id_keeps_every_letter():
    assert identifier("Bj\u00f8rnsen \u0141\u00e9vy 2001") == "bjornsen_levy_2001"


def test_ready_effects_with_variances_and_p_values_are_recognised():
    found = {f.path: f.text for f in guess(("study", "yi", "vi"))}
    assert (found["contrast.value"], found["contrast.variance"]) == ("yi", "vi")
    assert found["contrast.statistic"] == ""
    found = {f.path: f.text for f in guess(("study", "Hedges's g", "Std err"))}
    assert (found["contrast.statistic"], found["contrast.se"]) == ("smd", "Std err")
    found = {f.path: f.text for f in guess(("study", "n1", "n2", "p-value"))}
    assert (found["contrast.p"], found["contrast.n_exercise"]) == ("p-value", "n1")
    assert not any("_" in path.partition(".")[0] for path in found)


def test_another_encoding_or_separator_is_asked_for(tmp_path):
    latin = table(tmp_path, "study;m1\nM\u00fcller;1,5\n", encoding="cp1252")
    with pytest.raises(SheetError, match="--encoding cp1252 reads 'M\u00fcller;1,5'\\."):
        read_foreign(latin)
    assert read_foreign(latin, "cp1252").rows == ((2, ("M\u00fcller", "1,5")),)
    # The detector takes every short Western text for Central European.
    nordic = table(tmp_path, "study,m1\nBj\u00f8rk,1\n", encoding="cp1252")
    with pytest.raises(SheetError, match="cp1252 reads 'Bj\u00f8rk,1', --encoding cp1250 reads"):
        read_foreign(nordic)
    utf16 = table(tmp_path, "study\tm1\nM\u00fcller\t1\n", encoding="utf-16")
    assert read_foreign(utf16).rows == ((2, ("M\u00fcller", "1")),)
    both = table(tmp_path, "a;b,c\n1;2,3\n")
    with pytest.raises(SheetError, match="separates the cells is not certain"):
        read_foreign(both)
    assert read_foreign(both, separator="comma").header == ("a;b", "c")


@pytest.mark.parametrize("row", ["Jones,2,5,22", "Jones,2"])
def test_a_row_with_too_many_or_too_few_cells_is_refused(row, tmp_path):
    path = table(tmp_path, f"study,mean1,n1\nA,2,20\n{row}\n")
    with pytest.raises(SheetError, match=r"Row 3: The row has \d cells, the header 3"):
        read_foreign(path, separator="comma")


def test_a_head_that_occurs_again_is_another_column(tmp_path):
    """Comprehensive Meta-Analysis writes the SE of each effect beside it, under one name."""
    path = table(tmp_path, "Study name,Std diff in means,Std Err,Hedges's g,Std Err\nA,1,2,3,4\n")
    sheet = read_foreign(path)
    assert sheet.header[2] == "Std Err" and sheet.header[4] == "Std Err (2)"
    found = {f.path: f.text for f in guess(sheet.header)}
    assert (found["contrast.value"], found["contrast.se"]) == ("Std diff in means", "Std Err")
    assert "Std Err (2)" not in found.values()  # no SE of the arm 2
    sheet = read_foreign(table(tmp_path, "Study,SE,SE (2),SE\nA,1,2,3\n"))
    assert sheet.header == ("Study", "SE", "SE (2)", "SE (3)")


def columns(heads):
    """The fields that are guessed, each with its column."""
    fields = guess(tuple(heads.split(",")) if isinstance(heads, str) else heads)
    return {f.path: f.text for f in fields if f.kind == "column"}


FIRST = "Study Identifier,Intervention,"
"""Heads with which an extraction of Covidence begins."""


def test_columns_of_one_head_are_one_in_an_extraction_of_covidence(tmp_path):
    """It has a column for each study's own table; two that a row fills are not one."""
    text = f"{FIRST}BMD N,BMD Mean,BMD n,BMD mean\nA,run,9,1,NA,\nB,run,,NA,8,2\n"
    sheet = read_foreign(table(tmp_path, text))
    assert sheet.header[2:] == ("BMD N", "BMD Mean")
    assert [cells[2:] for _, cells in sheet.rows] == [("9", "1"), ("8", "2")]
    sheet = read_foreign(table(tmp_path, f"{FIRST}BMD N,BMD Mean,BMD N\nA,run,9,1,7\n"))
    assert sheet.header[2:] == ("BMD N", "BMD Mean", "BMD N (2)")
    found = columns(sheet.header)
    assert (found["arm_after.mean"], found["arm_after.n"]) == ("BMD Mean", "")  # a question
    sheets = openpyxl.Workbook()
    sheets.active.title = "Studies"
    sheets.create_sheet("A 2001")
    sheets.save(tmp_path / "table.xlsx")
    with pytest.raises(SheetError, match="Covidence's workbook with a sheet for each study"):
        read_foreign(tmp_path / "table.xlsx")


@pytest.mark.parametrize(("heads", "fields"), [
    # Other columns that begin with Baseline or Intervention describe participants.
    ("Baseline Mean,Baseline SD,Intervention N,Total hip BMD 12 months Mean,"
     "Total hip BMD 12 months SD,Total hip BMD 12 months N",
     "after.mean after.sd after.n"),
    ("BMD Baseline Mean,BMD 12 mo Mean,BMD Baseline SD,BMD 12 mo SD,BMD 12 mo N",
     "before.mean after.mean before.sd after.sd after.n+before.n"),
    ("L2 L4 BMD End of treatment Mean,L2 L4 BMD End of treatment Standard Error",
     "after.mean after.se"),
    ("C-telopeptide Change Mean,C-telopeptide Change SD,C-telopeptide N",
     "change.mean change.sd change.n"),
    ("CTX Time 1 Mean,CTX Time 1 SD,OPG Time 1 Mean,OPG Time 1 SD", "after.mean after.sd - -"),
    ("Comments,Sponsorship source", "- -"),
])  # fmt: skip
def test_outcome_and_time_stand_before_the_statistic_in_covidence(heads, fields):
    mapped = (
        head for head in heads.split(",") if not head.startswith(("Baseline", "Intervention"))
    )
    expected = {
        f"arm_{field}": head
        for head, named in zip(mapped, fields.split(), strict=True)
        for field in named.split("+")
        if named != "-"
    }
    found = columns(FIRST + heads)
    assert (found.pop("study.label"), found.pop("arms.arm")) == tuple(FIRST.split(",")[:2])
    assert {path: head for path, head in found.items() if head} == expected


@pytest.mark.parametrize(("heads", "field", "head"), [
    ("Study,Arm,Mean age,SD age,Mean,SD,N", "arm_after.mean", "Mean"),
    ("Study,Group,BMI mean,BMI SD,Mean,SD,N", "arm_after.mean", "Mean"),
    ("Study,Group,Mean weeks,Pre Mean,Pre SD,Post Mean,Post SD,N", "arm_after.mean", "Post Mean"),
    ("author,year,mean age,m1i,sd1i,n1i,m2i,sd2i,n2i", "exercise_after.mean", "m1i"),
    ("Study,BMI mean,BMI SD,m1,sd1,n1,m2,sd2,n2", "exercise_after.mean", "m1"),
    ("Study,Overall Mean,Overall SD,Exercise Mean,Exercise SD,Control Mean,Control SD",
     "exercise_after.mean", "Exercise Mean"),
    ("Study,Exercise Mean,Exercise N,Walking Mean,Walking SD,Walking N,Control Mean,Control SD,"
     "Control N", "exercise_after.sd", None),
    ("Study,Walking Mean,Walking SD,Running Mean,Running SD,Control Mean,Control SD",
     "exercise_after.mean", None),
    ("Study,Mean age,Control Mean,Control SD", "exercise_after.mean", None),
    ("Study,WALKING PRE MEAN,WALKING POST MEAN,CONTROL PRE MEAN,CONTROL POST MEAN",
     "exercise_before.mean", "WALKING PRE MEAN"),
    ("Study,Mean,SD,N,Mean (2),SD (2),N (2)", "control_after.mean", ""),
])  # fmt: skip
def test_a_column_of_participants_or_of_another_group_is_no_result(heads, field, head):
    assert columns(heads).get(field) == head


@pytest.mark.parametrize(("heads", "value", "others"), [
    # An export of Comprehensive Meta-Analysis that left out the SE of the first effect.
    ("Study name,Std diff in means,Group-A Sample size,Group-B Sample size,Effect direction,"
     "Hedges's g,Std Err", "Hedges's g", {"se": "Std Err"}),
    ("study,effect,weeks,se,yi,vi", "yi", {"variance": "vi"}),
    ("study,g,variance,smd,se", "g", {"variance": "variance"}),
    ("Study,ratio,ci.lb,ci.ub,lnRR,se", "lnRR", {"se": "se"}),
    ("Study,ratio,ci.lb,ci.ub,lnRR", "ratio", {"ci_low": "ci.lb", "ci_high": "ci.ub"}),
    ("study,se,yi", "yi", {"se": "se"}),
])  # fmt: skip
def test_an_effect_has_the_se_and_the_limits_beside_it(heads, value, others):
    found = {
        path.removeprefix("contrast."): head
        for path, head in columns(heads).items()
        if path in {f"contrast.{name}" for name in (
            "value", "se", "variance", "ci_low", "ci_high", "p")}
    }  # fmt: skip
    assert found == {"value": value, **others}


def test_encodings_that_do_not_fit_are_refused_and_a_mark_is_no_cell(tmp_path):
    path = table(tmp_path, "study;m1\nM\u00fcller;1,5\n", encoding="utf-8-sig")
    assert read_foreign(path, "utf-8").header == ("study", "m1")
    for encoding in ("undefined", "punycode"):
        with pytest.raises(SheetError, match="not of the encoding"):
            read_foreign(path, encoding)


def test_percentages_of_excel_are_refused(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["study", "mean1"])
    book.active.append(["A", 0.055])
    book.active["B2"].number_format = "0.0%"
    book.save(tmp_path / "table.xlsx")
    with pytest.raises(SheetError, match="Cell B2 holds a percentage"):
        read_foreign(tmp_path / "table.xlsx")


READY = {
    "contrast.statistic": "md", "contrast.score": "post", "contrast.adjusted": "no",
    "contrast.standardiser": None, "contrast.note": None,
}  # fmt: skip


def test_a_ready_difference_keeps_its_variance_and_says_so(review, tmp_path, capsys):
    path = table(tmp_path, "study;yi;vi\nA 2001;1,25;0,04\nB 2002;-0,5;0,09\nC 2003;NA;NA\n")
    edits = COMMON | READY | {"contrast.unit": "point"}
    status, out, _ = imported(review, path, edits, capsys)
    assert status == 0, out
    rows = read_sheets(review / "data/raw")["contrasts"]
    cells = [dict(zip(rows.header, line, strict=True)) for _, line in rows.rows]
    assert [(c["value"], c["se"]) for c in cells] == [("1.25", "0.2"), ("-0.5", "0.3")]
    assert cells[0]["note"] == "se is the root of the variance 0.04"
    effects = osteometa.derive(review)
    effects = effects[(effects["measure"] == "MD") & effects["pooled"]]
    assert effects["vi"].tolist() == pytest.approx([0.04, 0.09])
    assert set(effects["derivation_method"]) == {"DIF"}


def test_numbers_take_the_decimal_mark_of_the_table_they_join(review, tmp_path, capsys):
    edits = COMMON | READY | {"contrast.unit": "point"}
    first = table(tmp_path, "study,yi,vi\nA 2001,1.25,0.04\n")
    assert imported(review, first, edits, capsys)[0] == 0
    own = review / "data/raw/contrasts.csv"
    lines = own.read_text(encoding="utf-8").replace(",", ";")
    own.write_text(re.sub(r"(?<=\d)\.(?=\d)", ",", lines), encoding="utf-8")
    (tmp_path / "later").mkdir()
    second = table(tmp_path / "later", "study,yi,vi\nB 2002,-0.5,0.09\n")
    status, out, _ = imported(review, second, edits, capsys)
    assert status == 0, out
    assert "-0,5" in own.read_text(encoding="utf-8")
    effects = osteometa.derive(review)
    assert effects.loc[effects["measure"] == "MD", "yi"].tolist() == [1.25, -0.5]


def test_before_and_after_with_a_control(review, tmp_path, capsys):
    """Mean changes over the pooled SD before, by hand (Morris 2008)."""
    path = table(
        tmp_path,
        "study,pre_mean_e,pre_sd_e,post_mean_e,post_sd_e,n_e,"
        "pre_mean_c,pre_sd_c,post_mean_c,post_sd_c,n_c\nA 2001,10,2,13,2,20,10,2,11,2,20\n",
    )
    status, out, _ = imported(review, path, COMMON, capsys)
    assert status == 0, out
    effects = osteometa.derive(review)
    (g,) = effects[(effects["measure"] == "SMD") & effects["pooled"]]["yi"]
    assert g == pytest.approx((1 - 3 / (4 * 38 - 1)) * (3 - 1) / 2, rel=1e-3)


def test_exact_p_values_give_an_effect(review, tmp_path, capsys):
    path = table(tmp_path, "study,smd,p\nA 2001,0.4,0.03\n")
    edits = COMMON | READY | {
        "contrast.statistic": "smd", "contrast.standardiser": "raw", "contrast.p_operator": "=",
    }  # fmt: skip
    status, out, _ = imported(review, path, edits, capsys)
    assert status == 0, out
    rows = read_sheets(review / "data/raw")["contrasts"]
    cells = dict(zip(rows.header, rows.rows[0][1], strict=True))
    assert (cells["p"], cells["p_operator"], cells["statistic"]) == ("0.03", "=", "smd")


def test_open_questions_are_stated_with_their_lines(review, tmp_path, capsys):
    path = copy_of("curtis1998", tmp_path)
    status, out, _ = imported(review, path, {"study.label": "papre"}, capsys)
    assert status == 1 and "Nothing was written." in out
    assert re.search(r"line \d+, study.design: State it as \{value: ...\}", out)
    assert "Or delete the line, where its cells may stay empty." in out
    assert re.search(r"line \d+, study.label: .*Did you mean 'paper'\?", out)
    without = COMMON | {"study.label": "paper", "finding.timepoint": None}
    mapping = path.with_suffix(".map.yaml")
    mapping.unlink()
    out = imported(review, path, without, capsys)[1]
    assert "finding.timepoint: The mapping lacks it." in out


@pytest.mark.parametrize(("line", "said"), [
    ("contrast:\n  variance: {value: 12.50}", "contrast.variance: This is not text. Put it"),
    ("contrast:\n  variance: {value: 0}", "contrast.variance: This is not text. Put it"),
    ("contrast:\n  variance: {value: abc}", "contrast.variance: 'abc' is not a number"),
    ("control:\n  label: {value: none, a test}", "text with a comma or a colon between quotes"),
    ("study:", "line 1, study: The group is empty."),
    ("study:\n  sex: {column: Sex, words: F}", "study.sex: Write {column: NAME}, {column: NAME, w"),
    ("study:\n  sex: {value: x, words: {F: female}}", "study.sex: Write {column: NAME}"),
    ("study:\n  sex: {column: Sex, words: {F: 1}}", "study.sex: This is not text. Put it"),
])  # fmt: skip
def test_values_of_a_mapping_are_texts_and_numbers_plain(line, said, tmp_path):
    path = table(tmp_path, line + "\n", name="map.yaml")
    with pytest.raises(ProblemsFound, match=re.escape(said)):
        read_mapping(path, ())


def test_a_mapping_that_is_missing_or_not_given_is_an_error(review, tmp_path, capsys):
    path = copy_of("curtis1998", tmp_path)
    typo = tmp_path / "typo.yaml"
    status, _, err = output_of(capsys, "import", path, review, "--map", typo, "--yes")
    assert status == 2 and "There is no mapping" in err and not typo.exists()
    assert output_of(capsys, "import", path, review)[0] == 0
    status, out, _ = output_of(capsys, "import", path, review)
    assert status == 1 and "The mapping exists: give it with --map" in out


def test_problems_are_stated_at_rows_of_the_table_and_once_for_the_mapping(
    review, tmp_path, capsys
):
    text = "study,m1,sd1,n1,m2,sd2,n2\nA 2001,5,-1,10,5,1,10\nB 2002,5,1,10,5,1,10\n"
    path = table(tmp_path, text)
    before = read_sheets(review / "data/raw")
    status, out, _ = imported(review, path, COMMON | {"finding.outcome": "scores"}, capsys)
    assert status == 1 and read_sheets(review / "data/raw") == before
    assert re.search(r"table.csv\n  E201 row 2, study a_2001, column sd1 \(sd\)", out)
    assert re.search(r"table.map.yaml\n  E105 line \d+, finding.outcome: 'scores' is not", out)
    assert out.count("'scores' is not") == 1
    path.write_text(text.replace("-1,10", "<1,10"), encoding="utf-8")
    out = output_of(capsys, "import", path, review, "--map", path.with_suffix(".map.yaml"))[1]
    assert "E105 row 2, column sd1 (sd): '<1' is not a number." in out


def test_a_modality_without_type_is_stated_once_at_the_mapping(review, tmp_path, capsys):
    text = "study,m1,sd1,n1,m2,sd2,n2\nA 2001,5,1,10,5,1,10\nB 2002,5,1,10,5,1,10\n"
    path = table(tmp_path, text)
    yaml = YAML()
    config = yaml.load(review / "config.yaml")
    config["modalities"]["not_stated"] = None
    yaml.dump(config, review / "config.yaml")
    status, out, _ = imported(review, path, COMMON | {"exercise.modality": "not_stated"}, capsys)
    assert status == 1 and out.count("has no exercise type") == 1
    assert re.search(r"line \d+, exercise.modality: .*Add exercise_type and type_reason under", out)


def test_questions_list_the_names_of_the_config(review, tmp_path, capsys):
    out = output_of(capsys, "import", copy_of("curtis1998", tmp_path), review)[1]
    assert re.search(r"outcome: \{value: \} .*\(score\)\n", out)
    assert re.search(r"modality: \{value: \} .*\(.*pilates.*\)\n", out)


def test_two_rows_that_describe_one_study_differently_are_refused(review, tmp_path, capsys):
    text = "study,journal,m1,sd1,n1,m2,sd2,n2\nA,J1,5,1,9,5,1,9\nA,J2,6,1,9,5,1,9\n"
    status, out, _ = imported(review, table(tmp_path, text), COMMON, capsys)
    assert status == 1 and "row 3, study a, column journal: Row 2 has 'J1' for a." in out


def test_an_excel_table_is_read_and_imported_twice_without_change(review, tmp_path, capsys):
    book = openpyxl.Workbook()
    book.active.append(["study", "year", "m1", "sd1", "n1", "m2", "sd2", "n2"])
    book.active.append(["Adams", 2001, 5.25, 1, 10, 5, 1, 10])
    path = tmp_path / "table.xlsx"
    book.save(path)
    status, out, _ = imported(review, path, COMMON, capsys)
    assert status == 0 and "added    adams_2001\n" in out, out
    again = output_of(capsys, "import", path, review, "--map", path.with_suffix(".map.yaml"))
    assert again[0] == 0 and again[1].startswith("No cell differs.")


@pytest.mark.parametrize(("heads", "units"), [
    ("Study,Exercise change (%),Exercise n,Control change [%],Control n", {"finding": "%"}),
    ("Study,Exercise baseline mean (g/cm²),Exercise change (%),Control change (%)",
     {"finding": "g/cm2", "exercise_change": "%", "control_change": "%"}),
    ("Study,Unit,Exercise change (%)", {"finding": "Unit", "exercise_change": "%"}),
    ("Study,MD (ng/ml),SE", {"finding": "ng/mL"}),
    ("Study,Exercise mean (g·cm-2),Control mean (g cm⁻²)", {"finding": "g/cm2"}),
    ("Study,Time (min),Treatment (min),Exercise mean (ng·mL⁻¹),Control mean (ng mL-1)",
     {"finding": "ng/mL"}),
    ("Study,t (change),Change (g/cm2) exercise,Exercise n (%)", {"finding": "g/cm2"}),
    # Two units in one group are a question.
    ("Study,Exercise change (%),Exercise change SD (g/cm2)",
     {"finding": "", "exercise_change": ""}),
    ("Study,MD (g/cm2),SE (%)", {"finding": "", "contrast": ""}),
    # No unit: an age, a size, seconds, a share of participants, and a unit that is not known.
    ("Study,Age (years),Sex (%),Size (N),Control (%),Exercise mean (s),Control mean (nM)",
     {"finding": ""}),
])  # fmt: skip
def test_the_unit_in_the_brackets_of_a_head(heads, units):
    fields = guess(tuple(heads.split(",")))
    assert {f.group: f.text for f in fields if f.name == "unit"} == units
    assert "control.label" not in {f.path for f in fields if f.text == "Control (%)"}


@pytest.mark.parametrize(("baseline", "kind"), [
    ("baseline mean (g / cm2)", "pct_change"), ("baseline mean (%)", ""), ("baseline mean", ""),
    ("n", ""),
])  # fmt: skip
def test_changes_in_percent_of_a_level_that_may_be_in_percent_are_a_question(baseline, kind):
    fields = guess(("Study", f"Exercise {baseline}", "Exercise change (%)"))
    kinds = [(f.path, f.text) for f in fields if f.name == "kind"]
    assert kinds == [("exercise_change.kind", kind)]


def test_t_is_an_arm_but_a_test_before_a_bracket():
    found = columns("Study,T change,T sd,T n,C change,C sd,C n")
    assert found["exercise_change.mean"] == "T change" and found["exercise_change.sd"] == "T sd"
    assert "exercise_change.mean" not in columns("Study,t (change),C change")


def test_changes_in_percent_are_percent_changes(review, tmp_path, capsys):
    arms = ("Exercise", "Control")
    heads = [f"{arm} {name}" for arm in arms for name in ("change (%)", "SD", "n")]
    path = table(tmp_path, f"Study,{','.join(heads)}\nAdams,1.2,2,20,-0.4,2,21\n")
    edits = {path: text for path, text in COMMON.items() if path != "finding.unit"}
    edits |= {f"{arm.lower()}_change.kind": "pct_change" for arm in arms}
    status, out, err = imported(review, path, edits, capsys)
    assert status == 0, out + err
    sheet = read_sheets(review / "data/raw")["measurements"]
    rows = [dict(zip(sheet.header, line, strict=True)) for _, line in sheet.rows]
    assert [(row["kind"], row["unit"], row["mean"], row["sd"], row["n"]) for row in rows] == [
        ("pct_change", "%", "1.2", "2", "20"),
        ("pct_change", "%", "-0.4", "2", "21"),
    ]


def test_words_of_a_column_stand_for_those_of_the_tables(review, tmp_path, capsys):
    heads = "study;Sex;Kind;Long;m1;sd1;n1;m2;sd2;n2"
    path = table(tmp_path, f"{heads}\nA;F;Pil ;NR;5;1,5;9;5;1;9\nB;female;Tae;26;6;1;9;5;1;9\n")
    assert output_of(capsys, "import", path, review)[0] == 0
    mapping = path.with_suffix(".map.yaml")
    answers = answered(mapping.read_text(encoding="utf-8"), COMMON)
    answers = answers.replace('{column: "Sex"}', "{column: Sex, words: {' F': female}}")
    kind = '{value: "pilates"}'
    assert kind in answers
    mapping.write_text(answers.replace(kind, "{column: Kind, words: {Pil: pilates}}"))
    status, out, _ = output_of(capsys, "import", path, review, "--map", mapping, "--yes")
    assert status == 1 and "row 3, study b, column Kind (modality)" in out and out.count("E1") == 1
    answers = answers.replace(kind, "{column: Kind, words: {Pil: pilates, Tae: tai_chi}}")
    answers = answers.replace(
        "exercise:\n", "exercise:\n  weeks: {column: Long, words: {NR: '26.5'}}\n"
    )
    mapping.write_text(answers)
    status, out, _ = output_of(capsys, "import", path, review, "--map", mapping, "--yes")
    assert status == 0, out
    sheets = read_sheets(review / "data/raw")
    sexes = [line[sheets["studies"].header.index("sex")] for _, line in sheets["studies"].rows]
    place = sheets["arms"].header.index("modality")
    assert sexes == ["female", "female"]
    weeks = sheets["arms"].header.index("weeks")
    cells = [(line[place], line[weeks]) for _, line in sheets["arms"].rows]
    assert cells == [("pilates", "26.5"), ("", ""), ("tai_chi", "26"), ("", "")]
