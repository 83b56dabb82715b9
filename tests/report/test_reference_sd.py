"""The SD that translates an SMD into the unit of the outcome."""

from builders import AFTER, BEFORE, parallel
from osteometa.report.summary_of_findings import reference_sd


def test_a_new_review_with_sds_of_levels_has_a_reference():
    smd = parallel([*BEFORE, *AFTER])["SMD"]
    sd, unit, named = reference_sd([smd], "controlled")
    assert (sd, unit) == (9, "ng/mL") and named.endswith("Test 2001")
