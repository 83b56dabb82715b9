"""The first page and the order of the report, on the shipped review: facts, not exact wording."""

import itertools
import re
import shutil
from dataclasses import replace
from html import unescape

import pytest
from builders import CONFIG, record
from osteometa.records.directions import DirectionSet, StudyDirection
from osteometa.report import page
from osteometa.report.answers import answers, evidence, glance, question
from osteometa.report.claims import answered_claims
from osteometa.wording.vocabulary import Phase, SynthesisStatus


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


def test_the_answers_have_at_most_200_words_and_one_for_each_outcome(shipped):
    found = answers(shipped)
    assert [answer.outcome for answer in found] == list(CONFIG.outcomes)
    assert sum(len(plain(answer.text).split()) for answer in found) <= 200
    assert all(name in question(CONFIG) for name in CONFIG.outcomes)


def test_the_answers_give_every_pooled_estimate_of_controlled_trials(shipped):
    """Each has its estimate, its interval and its number of studies, on the side it is on."""
    texts = {answer.outcome: plain(answer.text) for answer in answers(shipped)}
    seen = 0
    for found in shipped.findings:
        row, shown = found.row, found.shown()
        if row.design_class != "controlled" or shown is None or not shown.pooled:
            continue
        scale, estimate = found.scale(), shown.estimate
        words = f"95 % CI {plain(scale.limits(estimate.low, estimate.high))}"
        assert words in texts[row.outcome], row.synthesis
        assert plain(scale.value(estimate.value)) in texts[row.outcome], row.synthesis
        seen += 1
    assert seen == sum(
        f.row.status == SynthesisStatus.POOLED and f.row.design_class == "controlled"
        and f.shown() is not None
        for f in shipped.findings
    ) > 3  # fmt: skip


def test_the_answers_count_directions_where_nothing_is_pooled(shipped):
    """Of OPG and RANKL there is no pooled estimate: each study that reports them counts once."""
    texts = {answer.outcome: plain(answer.text) for answer in answers(shipped)}
    pooled = {(f.row.outcome, f.row.phase) for f in shipped.findings
              if f.row.design_class == "controlled" and f.shown() and f.shown().pooled}  # fmt: skip
    seen = 0
    for outcome, phase in itertools.product(CONFIG.outcomes, Phase):
        studies = {}
        for r in shipped.reported:
            own = (r.outcome, r.phase, r.role) == (outcome, phase, "exercise")
            if own and r.design != "uncontrolled":
                studies.setdefault(r.study_id, set()).add(r.direction)
        if not studies or (outcome, phase) in pooled:
            continue
        words = re.search(rf"{phase.heading}: .*?{len(studies)} controlled stud(y|ies): ([^.;]*)",
                          texts[outcome])  # fmt: skip
        assert words, (outcome, phase)
        numbers = {word: int(n) for n, word in re.findall(r"(\d+) ([a-z ]+)", words[2])}
        assert sum(numbers.values()) == len(studies)
        alike = [one for one in studies.values() if one == {"unchanged"}]
        assert numbers.get("unchanged", 0) >= len(alike)
        seen += 1
    assert seen >= 2


def test_the_evidence_counts_studies_analyses_and_what_is_not_assessed(shipped):
    included = sum(study.include == "yes" for study in shipped.tables.studies)
    words = plain(evidence(shipped))
    assert f"{included} studies" in words and f"{len(shipped.findings)} planned" in words
    assert words.count("not assessed") == 2  # risk of bias and certainty


def test_every_claim_has_an_answer(shipped):
    found = answered_claims(shipped.claims, shipped.reported, CONFIG)
    assert len(found) == len(shipped.tables.claims) > 20
    assert all(claim.replies for claim in found)
    assert sum(len(claim.replies) for claim in found) == len(shipped.claims)


def test_unchanged_is_counted_apart_from_not_stated(shipped):
    words = ["up", "unchanged", "unchanged", "not_told"]
    directions = tuple(
        record(StudyDirection, study_id=str(n), direction=word, counted=True,
               exercise_type=("resistance",))
        for n, word in enumerate(words)
    )  # fmt: skip
    empty = next(f for f in shipped.findings if not f.effects)
    (lines,) = glance([replace(empty, directions=directions)]).values()
    counts = {count.words: (count.sign, count.number) for count in lines[0].cells[0].directions}
    assert counts == {"up": ("▲", 1), "unchanged": ("↔", 2), "not reported": ("?", 1)}
    names = set(DirectionSet.__dataclass_fields__) & set(StudyDirection.__dataclass_fields__)
    assert {"n_unchanged", "n_not_told"} <= names and "n_unknown" not in names
    assert sum(row.n_unchanged for row in shipped.direction_sets) > 0
    assert sum(row.n_not_told for row in shipped.direction_sets) > 0


@pytest.fixture(scope="module")
def report(shipped, tmp_path_factory):
    root = tmp_path_factory.mktemp("review")
    shutil.copytree(shipped.root / "data/raw", root / "data/raw")
    (root / "data/processed").mkdir()
    (root / "data/processed/fonts.css").write_text("@font-face{font-family:Common}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "read_review", lambda *_: replace(shipped, root=root))
        return page.render_report(root, shipped.config)


def test_the_page_has_the_common_letters_of_the_run(report):
    assert "@font-face{font-family:Common}" in report


def section(report, name):
    """The text from one section to the next, tags and all."""
    start = report.index(f'<section id="{name}"')
    return report[start : report.index("</section>", start)]


def words_of(html):
    return " ".join(plain(unescape(re.sub(r"<[^>]+>", " ", html))).split())


def test_the_first_page_has_question_answers_and_claims(report, shipped):
    first = section(report, "summary")
    assert report.index('<section id="summary"') == report.index("<section")
    answered = {answer.outcome: answer.text for answer in answers(shipped)}
    listed = first[first.index('id="answers"') : first.index("</dl>")]
    assert all(plain(text) in words_of(listed) for text in answered.values())
    named = {row.claim for row in shipped.tables.claims}
    assert named <= {unescape(c).strip() for c in re.findall(r'rowspan="\d+">(.*?)<', first)}


def test_every_analysis_without_an_estimate_is_a_row_of_one_table(report, shipped):
    table = section(report, "glance")
    articles = set(re.findall(r'<article id="([^"]+)"', report[: report.index('id="supplement"')]))
    bare = {f.row.synthesis for f in shipped.findings if not f.pool}
    assert len(bare) > 10 and not bare & articles
    assert set(re.findall(r'<tr id="([^"]+)"', table)) == bare
    assert "no study reports the data needed for one, unless another reason is given" in table
    for found in shipped.findings:
        if found.effects and not found.pool:
            row = table[table.index(f'<tr id="{found.row.synthesis}"') :]
            assert words_of(found.row.reason) in words_of(row[: row.index("</tr>")])


def test_the_main_part_has_every_analysis_with_an_estimate(report, shipped):
    main = report[: report.index('<section id="supplement"')]
    articles = re.findall(r'<article id="([^"]+)"', main)
    with_pool = [f for f in shipped.findings if f.pool]
    assert sorted(articles) == sorted(f.row.synthesis for f in with_pool)
    for found in with_pool:
        start = main.index(f'<article id="{found.row.synthesis}"')
        shown = found.shown()
        if shown is not None:
            limits = found.scale().limits(shown.estimate.low, shown.estimate.high)
            article = words_of(main[start : main.index("</article>", start)])
            assert plain(limits) in article, found.row.synthesis
    order = ["summary", *(f"outcome-{name}" for name in CONFIG.outcomes), "glance", "reported",
             "supplement", "studies", "methods"]  # fmt: skip
    places = [report.index(f'<section id="{name}"') for name in order]
    assert places == sorted(places)


def test_every_link_within_the_report_leads_somewhere(report):
    ids = set(re.findall(r'\bid="([^"]+)"', report))
    assert {ref for ref in re.findall(r'href="#([^"]+)"', report) if ref not in ids} == set()
