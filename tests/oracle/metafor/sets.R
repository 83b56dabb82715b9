# The sets of effects: published ones from metadat, and made ones that are difficult.
ALL <- c("EE", "DL", "REML", "ML", "PM", "SJ", "EB", "HE")
TWO <- c("DL", "REML")
by <- function(formula, methods = ALL) list(formula = formula, methods = methods)
MEANS <- c("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")

of_means <- function(source, data, measure, vtype = "LS", labels = NULL, more = NULL, note = "",
                     year = NULL) {
  d <- escalc(measure = measure, m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i,
              n2i = n2i, data = data, vtype = vtype)
  call <- sprintf('escalc(measure="%s", m1i=, sd1i=, n1i=, m2i=, sd2i=, n2i=, vtype="%s")%s',
                  measure, vtype, note)
  list(
    about = list(source = source, measure = measure, yi_vi_call = call), labels = labels,
    raw = as.list(data[c(MEANS, more)]), yi = as.vector(d$yi), vi = d$vi, ni = data$n1i + data$n2i,
    year = year, vtype = vtype, subgroups = if (!is.null(more)) as.list(data[more])
  )
}

as_stored <- function(name, data, measure, raw, labels, ni = NULL, subgroups = NULL,
                      regressions = NULL) list(
  about = list(source = paste0("metadat::dat.", name), measure = measure,
               yi_vi_call = "columns yi, vi as stored"),
  labels = labels, raw = as.list(data[raw]), yi = as.vector(data$yi), vi = data$vi, ni = ni,
  year = data$year, subgroups = subgroups, regressions = regressions, moderators = data[raw]
)

made <- function(yi, vi) list(
  about = list(source = "made for this oracle", measure = "generic", yi_vi_call = "yi, vi given"),
  yi = yi, vi = vi
)

bcg <- function() {
  d <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
  raw <- dat.bcg[c("tpos", "tneg", "cpos", "cneg", "ablat", "alloc", "year")]
  list(
    about = list(
      source = "metadat::dat.bcg", measure = "RR",
      yi_vi_call = 'escalc(measure="RR", ai=tpos, bi=tneg, ci=cpos, di=cneg, data=dat.bcg)'
    ),
    labels = paste(dat.bcg$author, dat.bcg$year), raw = as.list(raw), yi = as.vector(d$yi),
    vi = d$vi, ni = rowSums(raw[1:4]), year = raw$year, moderators = raw,
    subgroups = list(alloc = raw$alloc),
    regressions = list(ablat = by("~ablat"), ablat_alloc = by("~ablat + alloc"),
                       alloc = by("~alloc"), year_ablat = by("~year + ablat"))
  )
}

means_sets <- function() {
  stroke <- as.data.frame(dat.normand1999)
  asthma <- as.data.frame(dat.gibson2002)
  asthma <- asthma[complete.cases(asthma[c(MEANS)]), ]
  bone <- data.frame(
    m1i = c(.1182, .1421, .1095, .153, .1264, .1347, .1012, .14, .1258, .1193),
    sd1i = c(.00284, .00408, .00256, .0048, .00352, .00236, .00308, .00524, .00276, .00328),
    n1i = c(8, 10, 6, 12, 7, 10, 5, 9, 8, 6),
    m2i = c(.1105, .1377, .1101, .1418, .118, .1262, .096, .1401, .1149, .115),
    sd2i = c(.00264, .0038, .0028, .004, .00364, .00248, .0024, .005, .00292, .0036),
    n2i = c(8, 10, 6, 12, 8, 10, 5, 9, 8, 7)
  )
  milligrams <- bone
  scaled <- c("m1i", "sd1i", "m2i", "sd2i")
  milligrams[scaled] <- 1000 * bone[scaled]
  of_stroke <- function(...) of_means("metadat::dat.normand1999", stroke, ..., labels = stroke$source)
  of_asthma <- function(measure) of_means(
    "metadat::dat.gibson2002", asthma, measure, more = "type", year = asthma$year,
    labels = paste(asthma$author, asthma$year), note = "; rows with non-finite yi/vi dropped"
  )
  of_bone <- function(measure) of_means(
    paste("synthetic (made for this oracle; not real data): bone mineral density, g/cm2,",
          "small animal groups"), bone, measure
  )
  list(
    normand1999_MD = of_stroke("MD"), normand1999_SMD = of_stroke("SMD"),
    normand1999_SMD_UB = of_stroke("SMD", "UB"), normand1999_SMD_LS2 = of_stroke("SMD", "LS2"),
    normand1999_SMDH = of_stroke("SMDH"), normand1999_ROM = of_stroke("ROM"),
    gibson2002_MD = of_asthma("MD"), gibson2002_SMD = of_asthma("SMD"),
    gibson2002_ROM = of_asthma("ROM"), bmd_g_per_cm2_MD = of_bone("MD"),
    bmd_g_per_cm2_SMD = of_bone("SMD"), bmd_g_per_cm2_ROM = of_bone("ROM"),
    bmd_mg_per_cm2_MD = of_means(
      "same as bmd_g_per_cm2 times 1000 (mg/cm2): MD must scale by 1e3, SMD must be unchanged",
      milligrams, "MD"
    )
  )
}

stored_sets <- function() {
  teachers <- dat.raudenbush1985
  teachers$weeks3 <- pmin(teachers$weeks, 3)
  smoke <- dat.hackshaw1998
  writing <- dat.bangertdrowns2004
  marrow <- dat.begg1989
  schools <- dat.konstantopoulos2011
  list(
    raudenbush1985 = as_stored(
      "raudenbush1985", teachers, "SMD (given)",
      c("n1i", "n2i", "weeks", "weeks3", "setting", "tester", "year"), teachers$author,
      ni = teachers$n1i + teachers$n2i, subgroups = list(setting = teachers$setting),
      regressions = list(weeks3 = by("~weeks3"), setting = by("~setting", TWO))
    ),
    hackshaw1998 = as_stored(
      "hackshaw1998", smoke, "OR (log, given)",
      c("cases", "or", "or.lb", "or.ub", "country", "design", "year"), smoke$author,
      subgroups = list(design = smoke$design)
    ),
    bangertdrowns2004 = as_stored(
      "bangertdrowns2004", writing, "SMD (given)",
      c("ni", "grade", "length", "minutes", "wic", "feedback", "info", "pers", "imag", "meta",
        "year"),
      writing$author, ni = writing$ni, subgroups = list(grade = writing$grade),
      regressions = list(
        length = by("~length"), imag_meta = by("~imag + meta", TWO),
        grade_factor = by("~factor(grade)", c(TWO, "EE")),
        with_missing_moderator =
          by("~length + wic + feedback + info + pers + imag + meta", TWO)
      )
    ),
    begg1989 = as_stored(
      "begg1989", marrow, "PR (given)", c("study", "trt", "arms"), paste(marrow$study, marrow$trt),
      subgroups = list(trt = marrow$trt), regressions = list(trt = by("~trt"))
    ),
    konstantopoulos2011 = as_stored(
      "konstantopoulos2011", schools, "SMD (given)", c("district", "school", "study", "year"),
      paste(schools$district, schools$school, sep = "-")
    )
  )
}

hard_sets <- function() {
  set.seed(42)
  vi <- rgamma(500, 2, 40)
  large <- list(yi = rnorm(500, .3, sqrt(.05 + vi)), vi = vi)
  fifths <- (1:5) / 100
  list(
    hard_k1 = made(.5, .04),
    hard_k2_homogeneous = made(c(.5, .55), c(.04, .05)),
    hard_k2_heterogeneous = made(c(.1, 1.2), c(.04, .05)),
    hard_identical_effects = made(rep(.3, 5), fifths),
    hard_identical_effects_and_variances = made(rep(.3, 5), rep(.02, 5)),
    hard_all_zero_effects = made(rep(0, 5), fifths),
    hard_tau2_zero_k10 = made(c(.21, .19, .25, .15, .22, .18, .2, .23, .17, .24),
                              c(.05, .04, .06, .05, .03, .08, .05, .04, .06, .05)),
    hard_tau2_near_zero = made(c(.1, .35, .2, .6, -.15, .3), c(.04, .05, .03, .09, .06, .02)),
    hard_variance_ratio_1e8 = made(c(.1, .2, 1.5, -2), c(1e-8, 1e-4, .01, 1)),
    hard_huge_heterogeneity = made(c(-50, 30, 80, -10, 5, 120), c(.01, .02, .01, .03, .02, .01)),
    hard_tiny_scale_1e_minus_6 = made(c(1, 2.5, 3.1, .4, 1.9, 4.2) * 1e-6,
                                      c(.3, .4, .2, .5, .3, .6) * 1e-12),
    hard_unit_scale_ref = made(c(1, 2.5, 3.1, .4, 1.9, 4.2), c(.3, .4, .2, .5, .3, .6)),
    hard_large_k_500 = made(large$yi, large$vi)
  )
}
