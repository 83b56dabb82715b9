"""What all derivation methods share: the values of a comparison, and the estimate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from osteometa.comparisons.comparison import Comparison, RowPair, difference_of_means
from osteometa.comparisons.correlations import Correlation, Correlations
from osteometa.comparisons.reported_tests import ReportedDifference, ReportedTest
from osteometa.comparisons.summaries import (
    Cell,
    Codes,
    CompleteSummary,
    Flags,
    Pair,
    Summary,
    has_sd,
    means_of,
)
from osteometa.effects.formulas import Effect, g_variance
from osteometa.effects.inputs import (
    NotDerivableError,
    Two,
    both,
    change_variance,
    gathered,
    mean_change,
    small_sample,
    tmd_sd,
)
from osteometa.effects.worked import Worked, change_of, variance_line
from osteometa.extraction.units import NOT_STATED, UnitError, convert
from osteometa.protocol.config import Analyte, Config
from osteometa.wording.choices import SmdVariance
from osteometa.wording.vocabulary import (
    CorrelationSource,
    DerivationMethod,
    Flag,
    MeansKind,
    Provenance,
)


@dataclass(frozen=True, slots=True)
class MeansBeside:
    """The means and SDs that a figure shows beside an effect."""

    kind: MeansKind | None = None
    exercise: Summary | None = None
    control: Summary | None = None


@dataclass(frozen=True, slots=True)
class UsedCorrelation:
    """The before-after correlation that an effect depends on."""

    r: float
    sources: tuple[CorrelationSource, ...]


UNCORRELATED = UsedCorrelation(0.0, (CorrelationSource.UNCORRELATED,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An effect, its sampling variance, and everything they are derived from."""

    yi: float
    vi: float
    method: DerivationMethod
    codes: Codes = ()
    flags: Flags = frozenset()
    cells: tuple[Cell, ...] = ()
    correlation: UsedCorrelation | None = None
    means: MeansBeside = MeansBeside()
    n: tuple[int | None, int | None] = (None, None)
    n_total: int | None = None
    """The total where n of an arm is not known, or both sides are the same participants."""
    own_effect_term: bool = True
    """Whether the variance has the form u + g^2/(2N) with the effect's own g."""
    worked: Worked
    """The formula with its numbers."""

    @property
    def total(self) -> int | None:
        """All participants, where they are known."""
        sizes = [n for n in self.n if n is not None]
        return sum(sizes) if len(sizes) == 2 else self.n_total

    def with_test(
        self, test: ReportedTest, *, more: tuple[Cell, ...] = (), gives_sd: bool = False
    ) -> Estimate:
        """Return the estimate as one that depends on a reported test, and on `more` cells.

        With `gives_sd` the test takes the place of an SD that is not reported (TMD).
        """
        codes = (Provenance.TMD, test.code) if gives_sd else (test.code,)
        return replace(
            self, codes=(*codes, *self.codes), cells=(*self.cells, *test.cells, *more),
            flags=self.flags | test.flags | ({Flag.TEST_SD} if gives_sd else set()),
        )  # fmt: skip

    def from_percent(self) -> Estimate:
        """Return the estimate as one that is derived from percent changes (PCT)."""
        codes, flags = (Provenance.PCT, *self.codes), self.flags | {Flag.PERCENT}
        return replace(self, codes=codes, flags=flags)


Derive = Callable[["Basis"], Estimate]
Methods = tuple[tuple[DerivationMethod, Derive], ...]
"""Derivation methods in the order in which they are tried."""


class Basis:
    """The values of one comparison, ready for the formulas. Sides: 0 exercise, 1 control."""

    def __init__(self, comparison: Comparison, correlations: Correlations, config: Config):
        self.comparison = comparison
        self.config = config
        self._correlations = correlations

    @property
    def form(self) -> SmdVariance:
        """The form of the variance of a standardised effect."""
        return self.config.effects.smd_variance

    @property
    def analyte(self) -> Analyte | None:
        """What config.yaml states of the analyte."""
        return self.config.analyte(self.comparison.outcome, self.comparison.analyte)

    @cached_property
    def after(self) -> Pair:
        """Levels at the timepoint, with borrowed SDs where they are asked for."""
        return self.comparison.after

    @cached_property
    def before(self) -> Pair:
        """Levels at baseline, with borrowed SDs where they are asked for."""
        return self.comparison.before

    def differences(self, *, percent: bool) -> list[ReportedDifference]:
        """Return the reported differences with an SE, in percent or in the unit of the levels."""
        return [
            test
            for test in self.comparison.tests
            if isinstance(test, ReportedDifference) and test.se and test.percent == percent
        ]

    def bare_tests(self) -> list[ReportedTest]:
        """Return the tests that are reported without the difference they compare."""
        return [t for t in self.comparison.tests if t.t and not isinstance(t, ReportedDifference)]

    def with_borrowed_sds(self) -> Basis:
        """Return the same values with an SD of other studies where a level has none (flag BOR).

        NotDerivableError if there is none to borrow, or no mean that needs one.
        """
        after, before = self.comparison.levels, self.comparison.baselines
        if not any(self._lacks_sd(s) for pair in (self.after, self.before) for s in pair):
            raise NotDerivableError("BOR: no mean whose SD is missing")
        other = Basis(self.comparison, self._correlations, self.config)
        other.after = self._with_borrowed(after, self.after)
        other.before = self._with_borrowed(before, self.before)
        if (other.after, other.before) == (self.after, self.before):
            raise NotDerivableError(
                "BOR: no SD by the same assay is reported for two arms of other studies"
            )
        return other

    def _lacks_sd(self, summary: Summary | None) -> bool:
        return summary is not None and summary.mean is not None and summary.sd is None

    def _with_borrowed(self, rows: RowPair, pair: Pair) -> Pair:
        filled = list(pair)
        for side, held in enumerate(pair):
            if held is None or not self._lacks_sd(held):
                continue
            sd = self._correlations.borrowed_sd(self.comparison, rows[side])
            if sd is not None:
                flags = held.flags | {Flag.BORROWED}
                filled[side] = replace(held, sd=sd, codes=(Provenance.BOR,), flags=flags)
        return filled[0], filled[1]

    @cached_property
    def r(self) -> list[Correlation]:
        """Before-after correlation of each side."""
        return [self._correlations.of(self.comparison, side) for side in self.comparison.sides]

    @cached_property
    def between(self) -> Correlation:
        """Correlation of two conditions of the same participants, reported or assumed."""
        return self._correlations.between(self.comparison)

    @property
    def mean_r(self) -> float:
        """One correlation for both arms: the mean of theirs."""
        return sum(found.r for found in self.r) / len(self.r)

    @property
    def r_flags(self) -> Flags:
        """RIMP if a correlation is not the arm's own."""
        return frozenset({Flag.R_IMPUTED} if any(c.imputed for c in self.r) else ())

    def sign(self, test: ReportedTest) -> tuple[int, tuple[Cell, ...]]:
        """Return the sign of what a test compares (within one arm: of the change), and its cells.

        By the means first (of an unadjusted test those that it compares), then a reported
        difference; else a reported direction of the same comparison, or an arrow reported as
        significant.
        """
        if test.signed:
            return 1, ()
        controlled = self.comparison.controlled
        score = "" if test.adjusted == "yes" else test.score
        means = difference_of_means(self.comparison, score)
        if means is not None and means[0]:
            return (1 if means[0] > 0 else -1), means[1]
        for row in self.comparison.contrasts:
            compares = row.compares == ("between" if controlled else "within")
            if compares and row.usable and row.difference:
                return (1 if row.difference > 0 else -1), (Cell(row, "value"),)
        bases = ("between_arm",) if controlled else ("within_arm", "not_stated")
        for row in self.comparison.directions:
            if row.basis not in bases or not row.usable:
                continue
            if row.direction in ("up", "down"):
                return (1 if row.direction == "up" else -1), (Cell(row, "direction"),)
            if row.significant == "yes" and row.arrow in ("up", "down"):
                return (1 if row.arrow == "up" else -1), (Cell(row, "arrow"),)
        raise NotDerivableError("the direction of the reported test is not known")

    def unit_factor(self, test: ReportedTest) -> float:
        """Return the exact factor from a reported difference's unit to that of the levels.

        NotDerivableError if there is none.
        """
        if NOT_STATED in (test.row.unit, self.comparison.unit):
            raise NotDerivableError("the unit of the difference or of the levels is not stated")
        try:
            return convert(1.0, test.row.unit, self.comparison.unit)
        except UnitError as error:
            raise NotDerivableError(str(error)) from None

    def means_beside(self, first: MeansKind = MeansKind.CHANGE) -> MeansBeside:
        """Return which means and SDs a figure shows beside the effect, its own kind first."""
        pairs = {
            MeansKind.CHANGE: self.comparison.change, MeansKind.PCT_CHANGE: self.comparison.percent,
            MeansKind.AFTER: self.after,
        }  # fmt: skip
        for kind in dict.fromkeys((first, *pairs)):
            exercise, control = pairs[kind]
            if means_of([pairs[kind][side] for side in self.comparison.sides]) is not None:
                return MeansBeside(kind, exercise, control if self.comparison.controlled else None)
        return MeansBeside()

    def after_scores(self) -> Two:
        """Return the levels after, an SD that is not reported taken from their t test (TMD).

        SD = SE / sqrt(1/nT + 1/nC), Cochrane Handbook 7.7.3.3: only from a pooled-variance test of
        post scores, because any other test is based on another SD.
        """
        try:
            return both(self.after, "POST", "after")
        except NotDerivableError:
            (one, other), means = self.after, means_of(self.after)
            if one is None or other is None or means is None or means[0] == means[1]:
                raise
            for test in self.comparison.tests:
                n_e, n_c = test.n_exercise, test.n_control
                if test.score == "post" and test.row.test == "t_pooled" and n_e and n_c and test.t:
                    sd = tmd_sd((means[0] - means[1]) / test.t, n_e, n_c)
                    flags = one.flags | other.flags | test.flags | {Flag.TEST_SD}
                    codes, cells = (Provenance.TMD,), one.cells + test.cells
                    return (
                        CompleteSummary(means[0], sd, n_e, codes, cells, flags),
                        CompleteSummary(means[1], sd, n_c, codes, other.cells, flags),
                    )
            raise

    def changes_of(
        self, before: Two, after: Pair, change: Pair, *, by_levels: bool = False
    ) -> tuple[list[float], list[float], Worked]:
        """Return mean changes of both arms, their variances, and the formula of dT, vT, dC and vC.

        NotDerivableError where neither level after nor change is reported; with `by_levels` also
        where an arm has no level after.
        """
        means, variances, worked = [], [], Worked()
        for side, (start, end, own) in enumerate(zip(before, after, change, strict=True)):
            if end is None or end.mean is None:
                if by_levels:
                    raise NotDerivableError("PPC: no level after of both arms")
                if not has_sd(own):
                    arm = ("exercise", "control")[side]
                    raise NotDerivableError(f"PPC: neither level after nor change of the {arm} arm")
            means.append(mean_change(start, end, own))
            variances.append(change_variance(start, end, own, self.r[side].r))
            worked += change_of("TC"[side], start, end, own, self.r[side].r)
        return means, variances, worked

    def estimate_from(
        self, method: DerivationMethod, effect: Effect,
        summaries: Sequence[Summary | None], n: tuple[int | None, int | None],
        kind: MeansKind = MeansKind.CHANGE, *, worked: Worked,
    ) -> Estimate:  # fmt: skip
        """Return an estimate that is derived from summaries alone.

        `effect` is the effect and its variance, `n` are the participants of the arms (of the first
        alone where both sides are the same participants), `kind` names the means to show first,
        `worked` is the formula.
        """
        cells, flags, codes = gathered(*summaries)
        same = self.comparison.paired or not self.comparison.controlled
        return Estimate(
            yi=effect[0], vi=effect[1], method=method, codes=codes, flags=flags, cells=cells, n=n,
            n_total=n[0] if same else None, means=self.means_beside(kind), worked=worked,
        )  # fmt: skip

    def standardised(
        self, g: float, u: float, n: int, m: int, worked: Worked, *, scaled: bool = False
    ) -> tuple[Effect, Worked]:
        """Return a standardised effect with its variance, and its formula from that of yi and u.

        u, n, m and `scaled` are those of `formulas.g_variance`; the formula has J, m and N.
        """
        effect = g, g_variance(u, g, n, m, self.form, scaled=scaled)
        line = variance_line(self.form, scaled=scaled)
        return effect, worked.then(line, J=small_sample(m), m=m, N=n)

    def with_r(self, estimate: Estimate) -> Estimate:
        """Return an estimate that depends on the before-after correlations of the arms."""
        flags = estimate.flags | self.r_flags
        cells = (*estimate.cells, *(cell for found in self.r for cell in found.cells))
        used = UsedCorrelation(self.mean_r, tuple(sorted({found.source for found in self.r})))
        return replace(estimate, flags=flags, cells=cells, correlation=used)

    def of_difference(
        self, test: ReportedDifference, method: DerivationMethod, n_total: int | None
    ) -> Estimate:
        """Return a reported difference with its SE, in percent or in the unit of the levels."""
        factor = 1.0 if test.percent else self.unit_factor(test)
        value, se = test.difference * factor, test.se * factor
        worked = Worked().then("yi = D", "vi = SE**2", D=value, SE=se)
        n = test.n_exercise, test.n_control
        found = self.estimate_from(method, (value, se**2), [], n, worked=worked)
        return replace(found.with_test(test), n_total=n_total)

    def first_of(self, ways: Iterable[Derive], method: str) -> Estimate:
        """Return the first estimate that one of several inputs gives, or raise all reasons."""
        reasons: dict[str, None] = {}
        for way in ways:
            try:
                return way(self)
            except NotDerivableError as error:
                reasons[str(error)] = None
        raise NotDerivableError(f"{method}: {'; '.join(reasons)}")
