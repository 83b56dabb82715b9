"""The page pools as osteometa does: sets of the shipped review and made-up ones, in Chromium."""

import json
import random
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from builders import ORACLE
from osteometa.numerics.distributions import t_quantile
from osteometa.pooling.model import pool
from osteometa.report.explore import CHOICES, ExplorableSet, explorable_sets
from osteometa.report.page import SCRIPTS
from osteometa.report.table_files import FOLDER, environment
from osteometa.synthesis.pools import pooled_row
from osteometa.wording.choices import CI_METHODS, METHODS

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
QUANTITIES = ("k", "estimate", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "i2")
RANDOM_CHOICES = 200
DRIVER = """
const found = {sets: [], t: []}, input = JSON.parse(document.getElementById("input").textContent);
for (const box of document.querySelectorAll("details.explore")) { box.open = true; }
setTimeout(() => {
  document.querySelectorAll("details.explore").forEach((box, place) => {
    const [method, interval] = box.querySelectorAll("select"), reset = box.querySelector("button");
    const published = box.result, set = JSON.parse(box.querySelector("script").textContent)[0];
    const results = input.choices[place].map((choice) => {
      const tick = (input, i) => { input.checked = choice.kept[set.of[i]]; };
      box.querySelectorAll("input").forEach(tick);
      [method.value, interval.value] = [choice.method, choice.ci];
      method.dispatchEvent(new Event("change"));
      return box.result;
    });
    reset.click();
    found.sets.push({published, results, again: box.result});
  });
  found.t = input.t.map(([p, df]) => osteometa.tQuantile(p, df));
  document.title = "";
  document.body.replaceChildren(Object.assign(document.createElement("pre"),
    {textContent: JSON.stringify(found), id: "found"}));
}, 0);
"""


def in_chromium(folder, sets, choices, quantiles):
    """Return what the page finds: each set in a page of its own, used as a reader does."""
    boxes = [
        environment().get_template("explore.html.j2").render(
            s={"id": f"s{i}", "heading": f"Set {i}", "explore": [one]}
        )
        for i, one in enumerate(sets)
    ]  # fmt: skip
    page = folder / "page.html"
    given = json.dumps({"choices": choices, "t": quantiles})
    scripts = [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
    page.write_text(
        "<!doctype html><meta charset=utf-8>" + "".join(boxes)
        + f'<script type="application/json" id="explore-choices">{json.dumps(CHOICES)}</script>'
        + f'<script type="application/json" id="input">{given}</script>'
        + "".join(f"<script>{script}</script>" for script in (*scripts, DRIVER)),
        encoding="utf-8",
    )  # fmt: skip
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=600000",
         "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.split('<pre id="found">')[1].split("</pre>")[0])


def chosen_at_random(one, number, seed):
    """Return choices: each method and interval with all studies, then with some, at least one."""
    draw, k = random.Random(seed), len(one.studies)
    pairs = [(method, ci) for method in METHODS for ci in CI_METHODS]
    choices = []
    for i in range(number):
        left = set(draw.sample(range(k), k if i < len(pairs) else draw.randint(1, k)))
        method, ci = pairs[i % len(pairs)]
        choices.append({"kept": [s in left for s in range(k)], "method": method, "ci": ci})
    return choices


def ours(one, choice):
    """Return the row of pooled.csv of the chosen studies."""
    kept = [i for i, study in enumerate(one.of) if choice["kept"][study]]
    y, v = np.array(one.yi)[kept], np.array(one.vi)[kept]
    V = np.diag(one.vi)
    for i, j, covariance in one.covariances:
        V[i, j] = V[j, i] = covariance
    V, studies = V[np.ix_(kept, kept)], len({one.of[i] for i in kept})
    independent = not one.covariances
    fit = pool(
        y, v, V=None if independent else V, studies=studies, method=choice["method"],
        ci=choice["ci"], pi_df=one.pi_df,
    )  # fmt: skip
    return pooled_row(("", "", ""), "random", fit, k_effects=len(kept), note=""), fit.weights


def difference(one, choice, there):
    """Return the largest difference, relative to the size of the numbers on the pooled scale."""
    row, weights = ours(one, choice)
    assert there["ci_method"] == row.ci_method
    scale = max(abs(row.estimate), row.ci_high - row.ci_low)
    largest = 0.0
    for name in QUANTITIES:
        own, other = getattr(row, name), there[name]
        assert (own is None) == (other is None), (name, choice, own, other)
        if own is not None:
            size = {"tau2": max(row.tau2 or 0, min(one.vi)), "i2": 100, "k": 1}.get(name, scale)
            largest = max(largest, abs(own - other) / size)
    seen = [w for w in there["weights"] if w is not None]
    return max(largest, *(abs(a - b) / 100 for a, b in zip(weights, seen, strict=True)))


def made_up(seed, k, pairs=(), spread=0.3, **more):
    """Return a made-up set; the effects of a pair are of one study and share a control."""
    draw = random.Random(seed)
    first = {b: a for a, b in pairs}
    groups = [first.get(i, i) for i in range(k)]
    place = {study: i for i, study in enumerate(dict.fromkeys(groups))}
    vi = [draw.uniform(0.005, 0.2) for _ in range(k)]
    published = {**dict.fromkeys(QUANTITIES, 0.0), "method": "REML", "ci_method": "hksj-floor"}
    one = ExplorableSet(
        measure="SMD", title="SMD", form="plain", decimals=2, studies=[f"S{i}" for i in place],
        of=[place[group] for group in groups], types=["resistance"] * k,
        yi=[draw.gauss(0.2, spread) for _ in range(k)], vi=vi,
        covariances=[(b, a, 0.6 * (vi[a] * vi[b]) ** 0.5) for a, b in pairs],
        published=published, pi_df="k-1", pi_from=5, diamond_from=2,
    )  # fmt: skip
    return replace(one, **more)


GIBSON = ORACLE["gibson2002_MD"]
MADE = {
    "correlated": made_up(1, 9, pairs=((0, 1), (3, 7), (3, 8))),
    "two studies, three effects": made_up(2, 3, pairs=((0, 2),)),
    "alike": made_up(3, 6, spread=0.01, pi_df="k-2"),
    "all equal": made_up(4, 4, yi=[0.3] * 4),
    "two maxima, the one at 0 lower": made_up(5, 13, yi=GIBSON["yi"], vi=GIBSON["vi"]),
    "two maxima, the one at 0 higher": made_up(
        5, 13, yi=[0.83 * y for y in GIBSON["yi"]], vi=GIBSON["vi"]
    ),
    "of unlike precision": made_up(6, 8, vi=[1e-6, 0.1, 0.2, 0.3, 0.1, 0.05, 4.0, 0.2]),
    "many": made_up(7, 40, pairs=((2, 30), (5, 6))),
}


def test_a_set_is_offered_with_its_covariances_where_its_pool_is_published(shipped):
    offered = {
        found.row.synthesis: (found, explorable_sets(found, shipped.config))
        for found in shipped.findings
    }
    found, sets = offered["bmd_lumbar_spine_training_controlled"]
    assert [one.measure for one in sets] == ["ROM", "MD", "SMD"]
    assert [len(one.studies) for one in sets] == [
        found.model().k, *(row.k for measure in ("MD", "SMD") for row in found.pooled
                           if (row.measure, row.group, row.primary) == (measure, "overall", True)),
    ]  # fmt: skip
    _, (whole_body,) = offered["bmd_whole_body_training_controlled"]
    assert len(whole_body.covariances) == 1
    assert len(whole_body.studies) < len(whole_body.yi)
    hidden = replace(found, pooled=tuple(replace(row, diamond="none") for row in found.pooled))
    assert explorable_sets(hidden, shipped.config) == []
    assert offered["opg_training_controlled"][1] == []


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="Chromium, in which the page is opened, is not installed")
def test_the_page_pools_as_osteometa_does(shipped, tmp_path):
    """1e-6 for every set, estimator and interval; t quantiles 1e-9."""
    named = {
        f"{found.row.synthesis} {one.measure}": one
        for found in shipped.findings for one in explorable_sets(found, shipped.config)
    }  # fmt: skip
    assert len(named) > 8
    named |= MADE
    sets = list(named.values())
    choices = [chosen_at_random(one, RANDOM_CHOICES, seed) for seed, one in enumerate(sets)]
    probabilities, dfs = (0.9, 0.95, 0.975, 0.995), (1, 2, 3, 4, 5, 7, 10, 29, 30, 99, 500)
    quantiles = [(p, df) for p in probabilities for df in dfs]
    found = in_chromium(tmp_path, sets, choices, quantiles)
    for name, one, own, there in zip(named, sets, choices, found["sets"], strict=True):
        pairs = zip(own, there["results"], strict=True)
        largest = max(difference(one, choice, result) for choice, result in pairs)
        assert largest < 1e-6, name
        assert there["published"] == there["again"]
        if name not in MADE:
            for quantity, value in ((name, one.published[name]) for name in QUANTITIES):
                same = value if value is None else pytest.approx(value, rel=1e-6, abs=1e-12)
                assert there["published"][quantity] == same, (name, quantity)
    for (p, df), t in zip(quantiles, found["t"], strict=True):
        assert t == pytest.approx(t_quantile(p, df), rel=1e-9), (p, df)
