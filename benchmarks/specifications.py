"""All registered choices in product: fits per second, memory, growth; a kill; metafor beside it.

usage: .venv/bin/python benchmarks/specifications.py [--write]     (needs Rscript with metafor)

The lumbar spine with config.yaml widened, because the full product of the shipped one is smaller
than 10^7. Times are processor seconds of one core. `--write` puts the section into docs/scale.md.
"""

import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import pyarrow.parquet
from osteometa.records.effects import Choice
from osteometa.sensitivity.multiverse import has_any
from osteometa.specifications.choices import Candidates, Registered
from osteometa.specifications.fit import fit_part
from osteometa.specifications.summary import summarised
from osteometa.specifications.work import Work, choices_of, path_of, streamed, write_part
from osteometa.synthesis.effect_sets import EffectSet
from osteometa.validation.review import check_review
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "scale.md"
START, END = "<!-- specifications: begin -->", "<!-- specifications: end -->"
SYNTHESIS = "bmd_lumbar_spine_training_controlled"
SIZES = (10_000, 100_000, 1_000_000)
"""Measured alone; the last size is that of the command, which is killed."""
SAMPLE, BESIDE = 100_000, 150
MOST_EXPONENT = 1.05
OSTEOMETA = ROOT / ".venv/bin/osteometa"


def widened(folder: Path) -> Path:
    """Write a copy of the review whose registered choices have more than 10^7 combinations."""
    shutil.copytree(ROOT / "data/raw", folder / "data/raw")
    yaml = YAML()
    config = yaml.load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config["outcomes"]["BMD"]["r_grid"] = [round(0.78 + 0.0085 * i, 4) for i in range(26)]
    choices = config["multiverse"]
    choices["methods"] = ["REML", "ML", "PM", "DL", "HE", "HS", "SJ", "EB", "EE"]
    choices["inclusion"]["without randomised numbers"] = ["NRAND"]
    with (folder / "config.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(config, file)
    return folder


def work_in(review: Path, folder: Path, limit: int | None = None) -> Work:
    """Return the specifications of the spine."""
    checked = check_review(review).checked
    assert checked
    synthesis = next(s for s in checked.config.syntheses if s.id == SYNTHESIS)
    return Work(checked.tables, checked.config, synthesis, folder, "benchmark", limit)


def child(review: str, size: str, folder: str) -> None:
    """Fit and write the first specifications up to a size; print seconds, fits and memory."""
    before = time.process_time()
    work = work_in(Path(review), Path(folder))
    parts, names = work.parts, choices_of(work.measures)
    planned = time.process_time() - before
    assert pyarrow.parquet  # imported before the first part is written
    began, done, models, made = time.process_time(), 0, 0, []
    for part in parts:
        if done >= int(size):
            break
        blocks = math.ceil((int(size) - done) / part.registered.per_block)
        stop = part.start + blocks * part.registered.per_block
        own = replace(part, stop=min(part.stop, stop))
        fits = fit_part(own, work.combinations, work.sample)
        write_part(path_of(work.folder, own.number), fits, own, names, "benchmark")
        done += own.stop - own.start
        models += fits.models
        made.append(own)
    fitted = time.process_time() - began
    began = time.process_time()
    summarised(lambda columns: streamed(work.folder, made, columns), work.primary)
    print(json.dumps({
        "size": done, "models": models, "plan": planned, "fit": fitted,
        "summary": time.process_time() - began,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "files": sum(p.stat().st_size for p in (work.folder / "parts").iterdir()) / 1e6,
    }))  # fmt: skip


def growth(review: Path, folder: Path) -> list[dict]:
    """Measure each size in a process of its own."""
    rows = []
    for size in SIZES:
        command = [sys.executable, __file__, "child", str(review), str(size),
                   str(folder / str(size))]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
    return rows


def killed(review: Path, folder: Path) -> dict:
    """Run the command, kill it when parts are done, and run it again to the end."""
    command = [str(OSTEOMETA), "specifications", SYNTHESIS, "--out", str(folder),
               "--directory", str(review)]  # fmt: skip
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parts = folder / "parts"
    while first.poll() is None and len(list(parts.glob("[0-9]*.parquet"))) < 40:
        time.sleep(0.5)
    first.send_signal(signal.SIGKILL)
    first.wait()
    kept = {path: path.stat().st_mtime_ns for path in parts.glob("[0-9]*.parquet")}
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    same = sum(path.stat().st_mtime_ns == at for path, at in kept.items())
    print(again.stdout, again.stderr, flush=True)
    rows = (folder / "summary.csv").read_text().splitlines()
    return {
        "kept": len(kept), "untouched": same, "parts": len(list(parts.glob("*.parquet"))),
        "memory": used.ru_maxrss / 1024, "seconds": used.ru_utime + used.ru_stime,
        "files": sum(path.stat().st_size for path in parts.iterdir()) / 1e6,
        "fitted": int(rows[-1].split(",")[1]), "size": int(rows[-1].split(",")[2]),
        "figure": (folder / "specification_curve.svg").stat().st_size / 1e3,
    }  # fmt: skip


def beside_memory(review: Path, folder: Path) -> dict:
    """Compare the summaries of a sample from its files with those of the same fits in memory."""
    work = work_in(review, folder, SAMPLE)
    fits = []
    for part in work.parts:
        fits.append((part.registered, fit_part(part, work.combinations, work.sample)))
        write_part(path_of(folder, part.number), fits[-1][1], part,
                   choices_of(work.measures), "benchmark")  # fmt: skip
    found = work.summarised()
    worst, quantiles = 0.0, 0.0
    for row in found.summary[:-1]:
        own = [fit for one, fit in fits if one.measure == row.measure]
        y = np.concatenate([fit.estimate for fit in own])
        excludes = np.concatenate([fit.excludes_null for fit in own])
        exact = [len(y), y.min(), y.max(), 100 * excludes.mean()]
        theirs = [row.specifications, row.lowest, row.highest, row.excludes_null]
        worst = max(worst, *(abs(a - b) / max(abs(a), 1e-300)
                             for a, b in zip(exact, theirs, strict=True)))  # fmt: skip
        for name, q in (("q025", 0.025), ("q25", 0.25), ("median", 0.5), ("q975", 0.975)):
            off = abs(getattr(row, name) - np.quantile(y, q, method="inverted_cdf"))
            quantiles = max(quantiles, off / row.quantile_error)
    return {"sample": found.summary, "worst": worst, "quantiles": quantiles, "work": work,
            "fits": fits}  # fmt: skip


def beside_metafor(sample: dict, folder: Path) -> dict:
    """Fit some of the same specifications by metafor: largest difference, seconds per fit."""
    work, rng = sample["work"], np.random.default_rng(1)
    numbers = np.concatenate([fit.number for _, fit in sample["fits"]])
    cases = []
    for number in rng.choice(numbers, BESIDE, replace=False).tolist():
        one, fit = next((o, f) for o, f in sample["fits"] if number in f.number)
        i, words = int(np.searchsorted(fit.number, number)), one.words(number)
        y, v, V, studies = effects_of(work, one, words).data
        assert fit.k[i] == studies
        cases.append({
            "y": list(y), "V": np.diag(v).tolist() if V is None else V.tolist(),
            "method": words["method"], "ci": words["ci"], "studies": studies,
            "ours": [float(x[i]) for x in (fit.estimate, fit.se, fit.ci_low, fit.ci_high)],
        })  # fmt: skip
    path = folder / "cases.json"
    path.write_text(json.dumps(cases))
    done = subprocess.run(
        ["Rscript", str(ROOT / "benchmarks/specifications.R"), str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    print(done.stdout, flush=True)
    return json.loads(done.stdout)


def effects_of(work: Work, one: Registered, words: dict[str, str]) -> EffectSet:
    """Return the effects that a specification pools."""
    chosen = [Choice(key, words[key]) for key in one.derivation if words[key] != "primary"]
    data = work.combinations.under(chosen)
    found = Candidates.of(data, one.measure)
    kinds = {"pooled", *(["other"] if words["designs"] == "all designs" else []),
             *(["cautious"] if words["inconsistent_data"] == "most cautious" else [])}  # fmt: skip
    kept = [
        effect for effect, kind in zip(found.effects.effects, found.kinds, strict=True)
        if kind in kinds and not any(
            words[name] == "excluded" and has_any(effect, flags, data)
            for name, flags in one.rules.items())
    ]  # fmt: skip
    return EffectSet(tuple(kept), found.effects.covariances)


def page(kill: dict, rows: list[dict], sample: dict, beside: dict) -> str:
    """The section of docs/scale.md, of what is measured so far."""
    whole = sum(one.size for one in work_in(ROOT, ROOT).measures)
    per_fit = kill["seconds"] / kill["size"]
    lines = [
        START, "",
        "Made by `python benchmarks/specifications.py --write`: "
        f"{SYNTHESIS}. The full product of the shipped config.yaml has {whole:,} combinations; for "
        f"the benchmark alone it is widened to {kill['size']:,}: 26 values of r, all nine "
        "estimators, and a further rule of inclusion. Processor time of one core, with the "
        "derivation of the effects and the writing of the files. A model is a different set of "
        "effects of a derivation with one estimator: its intervals and equal sets are not fitted "
        "again.",
        "", "| specifications | models | seconds | per second and core | summary, s | memory, MB | "
        "files, MB |", "|---:|---:|---:|---:|---:|---:|---:|",
        *(f"| {r['size']:,} | {r['models']:,} | {r['fit']:.1f} | {r['size'] / r['fit']:,.0f} | "
          f"{r['summary']:.1f} | {r['memory']:.0f} | {r['files']:.1f} |" for r in rows),
        f"| {kill['size']:,} |  | {kill['seconds']:.1f} | {kill['size'] / kill['seconds']:,.0f} | "
        f"in the seconds | {kill['memory']:.0f} | {kill['files']:.1f} |", "",
        "The last row is the whole command, the tables checked, choices planned and summaries and "
        "figure made, twice started: it "
        f"was killed when {kill['kept']} of {kill['parts']} parts were on disk and called again. "
        f"{kill['untouched']} of these were kept as they were, the others made, and all "
        f"summarised: {kill['fitted']:,} pool two studies or more. The figure has "
        f"{kill['figure']:.0f} kB as SVG.", "",
    ]  # fmt: skip
    if rows:
        steps = [(a["size"], a["fit"] + a["plan"] + a["summary"]) for a in rows]
        steps.append((kill["size"], kill["seconds"]))
        (n, a), (m, b) = steps[0], steps[-1]
        exponent = math.log(b / a) / math.log(m / n)
        last = math.log(b / steps[-2][1]) / math.log(m / steps[-2][0])
        met = "met" if max(exponent, last) <= MOST_EXPONENT else "not met"
        lines.append(
            f"- Growth of the whole time from {n:,} to {m:,}: exponent {exponent:.2f}, in the last "
            f"step {last:.2f}; at most {MOST_EXPONENT}: **{met}**."
        )
    if sample:
        lines.append(
            f"- A sample of {SAMPLE:,}, summarised from files and from the same fits in memory: "
            f"counts, extremes and shares differ by at most {sample['worst']:.0e} (relative), "
            f"quantiles by {sample['quantiles']:.2f} of their stated error."
        )
    if beside:
        lines.append(
            f"- metafor's rma on {beside['compared']} of the same specifications (of {BESIDE} "
            f"drawn; the other {beside['linked']} have correlated effects, which rma does not "
            f"have): estimate, SE and interval agree to {beside['worst']:.0e}; a call takes "
            f"{1000 * beside['seconds']:.1f} ms ({1000 * beside['reml']:.1f} ms with REML), a "
            f"specification here {1e6 * per_fit:.1f} us: {beside['seconds'] / per_fit:,.0f} times "
            "as fast."
        )
    return "\n".join([*lines, "", END])


def main() -> None:
    """Measure, print, and write what is measured if asked to."""
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
        return
    with tempfile.TemporaryDirectory() as home:
        review = widened(Path(home) / "review")
        kill = killed(review, Path(home) / "killed")
        show(page(kill, [], {}, {}))
        rows = growth(review, Path(home) / "sizes")
        show(page(kill, rows, {}, {}))
        sample = beside_memory(review, Path(home) / "sample")
        show(page(kill, rows, sample, {}))
        show(page(kill, rows, sample, beside_metafor(sample, Path(home))))


def show(section: str) -> None:
    """Print the section, and write it if asked to."""
    print(section, flush=True)
    if "--write" in sys.argv:
        before, rest = PAGE.read_text(encoding="utf-8").split(START)
        PAGE.write_text(before + section + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
