# What is not a set of effects: pre-post designs, a grid of effect sizes, dependent effects, invalid
# input and exact binomial tests.

# Morris (2008), as on the page of the metafor project.
pre_post <- function() {
  correlation <- c(.47, .64, .77, .89, .44)
  treatment <- data.frame(
    m_pre = c(30.6, 23.5, .5, 53.4, 35.6), m_post = c(38.5, 26.8, .7, 75.9, 36),
    sd_pre = c(15, 3.1, .1, 14.5, 4.7), sd_post = c(11.6, 4.1, .1, 4.4, 4.6),
    ni = c(20, 50, 9, 10, 14), ri = correlation
  )
  control <- data.frame(
    m_pre = c(23.1, 24.9, .6, 55.7, 34.8), m_post = c(19.7, 25.3, .6, 60.7, 33.4),
    sd_pre = c(13.8, 4.1, .2, 17.3, 3.1), sd_post = c(14.8, 3.3, .2, 17.9, 6.9),
    ni = c(20, 42, 9, 11, 14), ri = correlation
  )
  sds <- list(MC = c("sd_post", "sd_pre"), SMCC = c("sd_post", "sd_pre"), SMCR = "sd_pre",
              SMCRH = c("sd_pre", "sd_post"), ROMC = c("sd_post", "sd_pre"))
  by_measure <- list()
  for (measure in names(sds)) for (arm in c("treatment", "control")) {
    d <- get(arm)
    given <- list(measure = measure, m1i = d$m_post, m2i = d$m_pre, ni = d$ni, ri = d$ri)
    for (i in seq_along(sds[[measure]])) given[[paste0("sd", i, "i")]] <- d[[sds[[measure]][i]]]
    es <- do.call(escalc, given)
    call <- sprintf('escalc(measure="%s", m1i=m_post, m2i=m_pre, %s, ni=ni, ri=ri)', measure,
                    paste0("sd", seq_along(sds[[measure]]), "i=", sds[[measure]], collapse = ", "))
    by_measure[[paste(measure, arm, sep = "_")]] <-
      list(call = call, yi = many(as.vector(es$yi)), vi = many(es$vi))
  }
  list(
    note = paste("Morris (2008) pretest-posttest-control data (metafor help / morris2008 page).",
                 "m1i = post, m2i = pre, sd1i = SD_pre (SMCR, SMCC uses sd1i and sd2i)."),
    treatment = lapply(treatment, many), control = lapply(control, many), by_measure = by_measure
  )
}

# The difference of two standardised mean changes with raw SD (Morris 2008).
morris_difference <- function(table) {
  part <- function(arm, column) table$by_measure[[paste0("SMCR_", arm)]][[column]][[1]]
  list(
    about = list(source = "Morris (2008), via the metafor project page",
                 measure = "SMCR difference (yi_T - yi_C; vi_T + vi_C)",
                 yi_vi_call = "see PRE_POST"),
    yi = part("treatment", "yi") - part("control", "yi"),
    vi = part("treatment", "vi") + part("control", "vi"),
    ni = table$treatment$ni[[1]] + table$control$ni[[1]]
  )
}

escalc_grid <- function() {
  d <- data.frame(
    m1i = c(10, 0, 5.5, 120, .1182, -3, 100, 12), sd1i = c(2, 1, 1.5, 30, .0071, 4, 15, 3),
    n1i = c(10, 20, 3, 200, 8, 2, 1000, 5), m2i = c(8, 0, 7, 100, .1105, -1, 80, 12),
    sd2i = c(2.5, 1, 1.2, 25, .0066, 5, 10, 3), n2i = c(12, 20, 4, 180, 8, 2, 30, 7)
  )
  variances <- list(
    MD = c("LS", "UB", "HO"), SMD = c("LS", "LS2", "UB", "AV"), SMDH = c("LS", "LS2"),
    SMD1 = c("LS", "LS2", "UB", "AV"), ROM = c("LS", "HO", "AV"),
    CVR = c("LS", "LS2", "UB", "HO", "AV"), VR = c("LS", "LS2", "UB", "HO", "AV")
  )
  cases <- list()
  for (measure in names(variances)) for (vtype in variances[[measure]]) {
    cases[[paste(measure, vtype, sep = "_")]] <- attempt({
      es <- escalc(measure = measure, m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i,
                   n2i = n2i, data = d, vtype = vtype)
      list(call = sprintf('escalc(measure="%s", ..., vtype="%s")', measure, vtype),
           yi = many(as.vector(es$yi)), vi = many(es$vi))
    })
  }
  pooled <- sqrt(((d$n1i - 1) * d$sd1i^2 + (d$n2i - 1) * d$sd2i^2) / (d$n1i + d$n2i - 2))
  df <- c(1:10, 15, 18, 25, 40, 58, 100, 198, 500, 1028)
  exact <- exp(lgamma(df / 2) - log(sqrt(df / 2)) - lgamma((df - 1) / 2))
  exact[df < 2] <- NA
  list(
    raw = lapply(d, many), cases = cases,
    cohen_d_uncorrected = list(
      formula = paste("(m1i-m2i)/sd_pooled, no bias correction; NOT from escalc: metafor 3.8 has",
                      "no correct= argument"),
      yi = many((d$m1i - d$m2i) / pooled)
    ),
    hedges_J_exact =
      list(df = many(df), J = many(exact), J_approx_1_minus_3_over_4m_minus_1 = many(1 - 3 / (4 * df - 1)))
  )
}

# A model fitted with the tightest convergence that nlminb reaches.
tightest <- function(fit) {
  for (tolerance in 10^-(12:6)) {
    found <- tryCatch(fit(list(rel.tol = tolerance)), error = function(e) NULL)
    if (!is.null(found)) return(list(fit = found, tolerance = tolerance))
  }
}

nested_fit <- function(d, method, mods, test = "z") tightest(function(control) rma.mv(
  yi, vi, mods = mods, random = ~ 1 | g1 / g2, method = method, test = test, data = d,
  control = control
))

# Share of each level in the total variance (Nakagawa & Santos 2012, with a typical variance from P).
shares <- function(fit) {
  W <- diag(1 / fit$vi)
  X <- model.matrix(fit)
  P <- W - W %*% X %*% solve(t(X) %*% W %*% X) %*% t(X) %*% W
  100 * fit$sigma2 / (sum(fit$sigma2) + (fit$k - fit$p) / sum(diag(P)))
}

three_level <- function(d, method, mods = ~1, name = NULL, profile = FALSE) {
  found <- nested_fit(d, method, mods)
  fit <- found$fit
  by_t <- nested_fit(d, method, mods, test = "t")$fit
  cr1 <- robust(fit, cluster = d$g1)
  cr0 <- robust(fit, cluster = d$g1, adjust = FALSE)
  cr2 <- coef_test(fit, vcov = "CR2", cluster = d$g1)
  asked <- if (is.null(name)) "" else sprintf("mods=~%s, ", name)
  out <- list(
    call = sprintf('rma.mv(yi, vi, %srandom=~1 | g1/g2, method="%s")', asked, method),
    sigma2 = fit$sigma2, sigma2_names = fit$s.names, beta = many(fit$beta[, 1]),
    se = many(fit$se), zval = many(fit$zval), pval = many(fit$pval), ci_lb = many(fit$ci.lb),
    ci_ub = many(fit$ci.ub), nlminb_rel_tol = found$tolerance,
    test_t = list(df = many(by_t$ddf[1]), pval = many(by_t$pval), ci_lb = many(by_t$ci.lb),
                  ci_ub = many(by_t$ci.ub)),
    QE = fit$QE, QEp = fit$QEp, QM = fit$QM, QMp = fit$QMp, logLik = as.numeric(logLik(fit)),
    AIC = AIC(fit), BIC = BIC(fit),
    prediction_interval = if (is.null(name)) limits(predict(fit)) else NA,
    robust_CR1_t = list(se = many(cr1$se), df = many(cr1$dfs[1]), stat = many(cr1$zval),
                        pval = many(cr1$pval), ci_lb = many(cr1$ci.lb), ci_ub = many(cr1$ci.ub)),
    robust_CR0 = list(se = many(cr0$se)),
    robust_CR2_satterthwaite = list(
      call = 'clubSandwich::coef_test(fit, vcov="CR2", cluster=)', se = many(cr2$SE),
      t = many(cr2$tstat), df = many(cr2$df_Satt), pval = many(cr2$p_Satt)
    )
  )
  if (is.null(name)) out$I2_by_level <- shares(fit)
  if (profile) {
    # From nlminb's own convergence: with a tighter one, fits at the far end of the profile fail.
    ci <- confint(rma.mv(yi, vi, random = ~ 1 | g1 / g2, method = method, data = d))
    row <- function(i) unname(ci[[i]]$random[1, c("ci.lb", "ci.ub")])
    out$sigma2_profile_ci <- list(sigma2_1 = row(1), sigma2_2 = row(2))
  }
  out
}

robust_variance <- function(d) {
  answer <- function(...) {
    fit <- robu(yi ~ 1, data = d, studynum = g1, var.eff.size = vi, ...)
    info <- fit$mod_info
    value <- function(x) if (is.null(x)) NA else as.numeric(x)
    list(
      estimate = many(fit$reg_table$b.r), se = many(fit$reg_table$SE), t = many(fit$reg_table$t),
      df = many(fit$reg_table$dfs), pval = many(fit$reg_table$prob), tau2 = value(info$tau.sq),
      omega2 = value(info$omega.sq), I2 = value(info$I.2)
    )
  }
  list(
    CORR_rho0.8_small = answer(rho = .8, small = TRUE),
    CORR_rho0.8_nosmall = answer(rho = .8, small = FALSE),
    CORR_rho0.5_small = answer(rho = .5, small = TRUE),
    HIER_small = answer(modelweights = "HIER", small = TRUE)
  )
}

correlated <- function(d) {
  V <- impute_covariance_matrix(d$vi, cluster = d$g1, r = .6)
  fit <- tightest(function(control) rma.mv(d$yi, V, random = ~ 1 | g1, data = d, control = control))$fit
  cr2 <- coef_test(fit, vcov = "CR2", cluster = d$g1)
  list(
    call = "V=impute_covariance_matrix(vi, cluster, r=.6); rma.mv(yi, V, random=~1|cluster); CR2",
    sigma2 = many(fit$sigma2), beta = fit$beta[1], se_model = fit$se, se_CR2 = cr2$SE,
    df = cr2$df_Satt, pval = cr2$p_Satt
  )
}

dependent <- function() {
  schools <- dat.konstantopoulos2011
  schools <- data.frame(yi = as.vector(schools$yi), vi = schools$vi,
                        g1 = factor(schools$district), g2 = factor(schools$study))
  youth <- data.frame(yi = as.vector(dat.assink2016$yi), vi = dat.assink2016$vi,
                      g1 = factor(dat.assink2016$study), g2 = factor(dat.assink2016$esid),
                      dat.assink2016[c("deltype", "year", "pubstatus")])
  described <- function(source, levels, d) list(
    source = source, levels = levels, yi = many(d$yi), vi = many(d$vi),
    cluster = many(as.character(d$g1)), inner = many(as.character(d$g2)),
    three_level_REML = three_level(d, "REML", profile = TRUE),
    three_level_ML = three_level(d, "ML")
  )
  last <- function(d) list(robumeta = robust_variance(d), ce_vcalc_rho0.6 = correlated(d))
  list(
    konstantopoulos2011 = c(
      described("metadat::dat.konstantopoulos2011; inner = unique row id within district",
                c("district", "study"), schools),
      last(schools)
    ),
    assink2016 = c(
      described("metadat::dat.assink2016", c("study", "esid"), youth),
      list(three_level_REML_mods_deltype = three_level(youth, "REML", ~deltype, "deltype"),
           three_level_REML_mods_year = three_level(youth, "REML", ~year, "year")),
      last(youth),
      list(moderators = lapply(as.list(youth[c("deltype", "year", "pubstatus")]), many))
    )
  )
}

# What metafor does with input that osteometa refuses.
invalid_inputs <- function() {
  case <- function(yi, vi) {
    answer <- function(method) attempt({
      fit <- rma(yi, vi, method = method)
      out <- list(k_used = fit$k, estimate = fit$beta[1], se = fit$se)
      if (method == "REML") out$tau2 <- fit$tau2
      out
    })
    list(yi = many(yi), vi = many(vi), metafor_rma_REML = answer("REML"),
         metafor_rma_EE = answer("EE"))
  }
  three <- c(.1, .4, .6)
  list(
    one_zero_variance = case(three, c(0, .04, .05)),
    all_zero_variance = case(three, c(0, 0, 0)),
    negative_variance = case(three, c(-.01, .04, .05)),
    nan_effect = case(c(.1, NaN, .6, .3), c(.01, .04, .05, .02)),
    nan_variance = case(c(.1, .4, .6, .3), c(.01, NaN, .05, .02)),
    inf_variance = case(c(.1, .4, .6, .3), c(.01, Inf, .05, .02)),
    empty = case(numeric(), numeric())
  )
}

vote_counting <- function() {
  case <- function(successes, trials) {
    both <- binom.test(successes, trials)
    list(
      call = sprintf("binom.test(%d, %d)", successes, trials), p_two_sided = both$p.value,
      p_greater = binom.test(successes, trials, alternative = "greater")$p.value,
      clopper_pearson_95 = as.vector(both$conf.int)
    )
  }
  list("9_of_10" = case(9, 10), "5_of_10" = case(5, 10), "0_of_6" = case(0, 6),
       "17_of_20" = case(17, 20), "3_of_3" = case(3, 3))
}
