"""Tables as other people keep them, brought in by a mapping; pools of them against metafor."""

import json
import re

import osteometa
import pytest
from builders import ROOT, copied, output_of
from ruamel.yaml import YAML

HERE = ROOT / "tests/exchange/metadat"
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
SAME_NAMES = {"baskerville2012": ('"Aspy et al."', '"Hogg et al."')}
MEASURES = {"curtis1998": "ROM", "senn2013": "MD"}
METHODS = {"senn2013": "CHG", "baskerville2012": "SMDP"}


def answered(text, edits):
    """A mapping with some fields filled in or deleted, as in an editor."""
    lines, group = [], ""
    for line in text.splitlines():
        group = line[:-1] if re.fullmatch(r"[a-z_]+:", line) else group
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
    assert status == 0 and "as far as the heads tell" in out, err
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


@pytest.mark.parametrize("name", list(POOLS))
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
