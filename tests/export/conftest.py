"""A finished run of the small review, made once."""

import pytest
from builders import append, copied, run_review

SPINE = "bmd_lumbar_spine_training_controlled"


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The small review with a flow and a judgement by domain, run by the workflow."""
    folder = copied("small", tmp_path_factory.mktemp("finished") / "review")
    config = (folder / "config.yaml").read_text("utf-8")
    config = config.replace("formats: [svg]", "formats: [svg, pdf, png]")
    (folder / "config.yaml").write_text(config, "utf-8")
    for box, n in (("identified_databases", 90), ("screened", 80), ("excluded", 60)):
        append(folder, "prisma", {"box": box, "n": n})
    domains = {"imprecision": "serious", "imprecision_reason": "few participants"}
    (folder / "data/raw/grade.csv").write_text(
        f"synthesis,certainty,reasons,{','.join(domains)}\n"
        f"{SPINE},low,made,{','.join(domains.values())}\n", "utf-8",
    )  # fmt: skip
    run_review(folder)
    return folder
