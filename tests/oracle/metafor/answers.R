# Everything that is asked of one set of effects.
RANDOM <- c("DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")

# metafor's own convergence is good to a few 1e-6 and not relative to the scale of the data.
tight <- function(yi, vi) {
  s <- max(var(yi), mean(vi), na.rm = TRUE)
  list(threshold = 1e-14 * s, maxiter = 1e5, tau2.max = 1e5 * s, tol = 1e-15 * s)
}

fitted <- function(d, method, test = "z", ...) {
  rma(d$yi, d$vi, method = method, test = test, control = tight(d$yi, d$vi), ...)
}

limits <- function(p) c(p$pi.lb, p$pi.ub)

inference <- function(fit) {
  out <- list(
    se = fit$se, stat = fit$zval, df = if (is.na(fit$ddf[1])) NULL else fit$ddf, pval = fit$pval,
    ci = c(fit$ci.lb, fit$ci.ub)
  )
  if (is.null(out$df)) out["df"] <- list(NULL)
  if (fit$method != "EE") {
    out$prediction_interval <- list(
      default = limits(predict(fit)), t_kminus1 = limits(predict(fit, pi.type = "t")),
      HTS_t_kminus2 = limits(predict(fit, pi.type = "riley"))
    )
  }
  out
}

estimator <- function(d, method) attempt({
  z <- fitted(d, method)
  out <- list(
    tau2 = z$tau2, se_tau2 = if (method == "EE") NA else z$se.tau2, estimate = z$beta[1],
    I2 = z$I2, H2 = z$H2, weights_pct = many(weights(z)), z = inference(z)
  )
  if (d$k > 1) {
    out$knha <- suppressWarnings(inference(fitted(d, method, "knha")))
    out$adhoc <- suppressWarnings(inference(fitted(d, method, "adhoc")))
  }
  if (method %in% c("EE", "ML", "REML")) {
    stats <- z$fit.stats[, if (method == "REML") "REML" else "ML"]
    out$fit_stats <- setNames(as.list(stats), c("ll", "dev", "AIC", "BIC", "AICc"))
  }
  out
})

q_profile <- function(ci) {
  rows <- ci$random[, c("ci.lb", "ci.ub")]
  list(tau2_ci = unname(rows[1, ]), tau_ci = unname(rows[2, ]), I2_ci = unname(rows[3, ]),
       H2_ci = unname(rows[4, ]))
}

heterogeneity <- function(d) {
  control <- tight(d$yi, d$vi)[c("tau2.max", "tol")]
  list(
    Q_profile_95 = attempt({
      ci <- confint(fitted(d, "REML"), control = control)
      c(q_profile(ci), lb_sign = ci$lb.sign, ub_sign = ci$ub.sign)
    }),
    Q_profile_95_metafor_default_control =
      attempt(q_profile(confint(rma(d$yi, d$vi, method = "REML")))[c("tau2_ci", "I2_ci", "H2_ci")]),
    profile_likelihood_tau2_ci_95 = named(c("REML", "ML"), function(method) {
      ci <- confint(fitted(d, method), type = "PL", control = control)
      unname(ci$random[1, c("ci.lb", "ci.ub")])
    })
  )
}

# ---- small-study effects ----------------------------------------------------------------------

egger_answer <- function(call, test) c(call = call, attempt({
  test <- suppressWarnings(test)
  slope <- if (inherits(test$fit, "lm")) coef(test$fit)[2] else test$fit$beta[2]
  lm_df <- if (is.null(test$dfs) || is.na(test$dfs)) NULL else test$dfs
  out <- list(stat = test$zval, df = lm_df, pval = test$pval, slope = unname(slope),
              intercept_limit_estimate = if (is.null(test$est)) NA else test$est,
              limit_ci = if (is.null(test$est)) c(NA, NA) else c(test$ci.lb, test$ci.ub))
  if (is.null(lm_df)) out["df"] <- list(NULL)
  out
}))

egger <- function(d) {
  yi <- d$yi
  vi <- d$vi
  of_fit <- function(method, predictor) egger_answer(
    sprintf('regtest(rma(yi, vi, method="%s"), predictor="%s")', method, predictor),
    regtest(fitted(d, method), predictor = predictor)
  )
  out <- list(
    lm_sei = egger_answer(
      'regtest(yi, vi, model="lm", predictor="sei")  # classic Egger (weighted lm, multiplicative)',
      regtest(yi, vi, model = "lm", predictor = "sei")
    ),
    lm_vi = egger_answer('regtest(yi, vi, model="lm", predictor="vi")',
                         regtest(yi, vi, model = "lm", predictor = "vi")),
    rma_REML_sei = of_fit("REML", "sei"), rma_DL_sei = of_fit("DL", "sei"),
    rma_REML_vi = of_fit("REML", "vi")
  )
  if (is.null(d$ni)) return(out)
  ni <- d$ni
  for (predictor in c("ni", "ninv", "sqrtni", "sqrtninv")) {
    out[[paste0("rma_REML_", predictor)]] <- egger_answer(
      sprintf('regtest(yi, vi, ni=ni, model="rma", method="REML", predictor="%s")', predictor),
      regtest(yi, vi, ni = ni, model = "rma", method = "REML", predictor = predictor)
    )
    out[[paste0("lm_", predictor)]] <- egger_answer(
      sprintf('regtest(yi, vi, ni=ni, model="lm", predictor="%s")', predictor),
      regtest(yi, vi, ni = ni, model = "lm", predictor = predictor)
    )
  }
  out
}

rank_tests <- function(d) {
  answer <- function(...) {
    test <- ranktest(d$yi, d$vi, ...)
    list(kendall_tau = unname(test$tau), pval = unname(test$pval))
  }
  list(
    rank_test = attempt(c(call = "ranktest(yi, vi)  # Begg; exact p if no ties", answer())),
    rank_test_asymptotic = attempt(answer(exact = FALSE))
  )
}

trim_and_fill <- function(d) {
  out <- list()
  for (method in c("EE", "DL", "REML")) for (estimator in c("L0", "R0", "Q0")) {
    for (side in c("auto", "left", "right")) {
      out[[paste(method, estimator, side, sep = "_")]] <- attempt({
        given <- list(fitted(d, method), estimator = estimator)
        if (side != "auto") given$side <- side
        fit <- do.call(trimfill, given)
        list(
          k0 = fit$k0, se_k0 = fit$se.k0, side = fit$side, k_filled = fit$k, estimate = fit$beta[1],
          se = fit$se, ci = c(fit$ci.lb, fit$ci.ub), pval = fit$pval, tau2 = fit$tau2,
          p_k0 = if (estimator == "R0") fit$p.k0 else NA,
          filled_yi = many(fit$yi[fit$fill]), filled_vi = many(fit$vi[fit$fill])
        )
      })
    }
  }
  out
}

pet_peese <- function(d) {
  by_lm <- function(call, x) attempt({
    fit <- lm(d$yi ~ x, weights = 1 / d$vi)
    b <- coef(summary(fit))
    list(call = call, estimate = b[1, 1], se = b[1, 2], t = b[1, 3], pval = b[1, 4],
         slope = b[2, 1], slope_se = b[2, 2], slope_p = b[2, 4], df = fit$df.residual)
  })
  by_rma <- function(x) attempt({
    fit <- fitted(d, "REML", mods = cbind(x))
    list(estimate = fit$beta[1], se = fit$se[1], pval = fit$pval[1],
         ci = c(fit$ci.lb[1], fit$ci.ub[1]), slope = fit$beta[2], slope_se = fit$se[2],
         slope_p = fit$pval[2], tau2 = fit$tau2)
  })
  list(
    PET_wls = by_lm("lm(yi ~ sqrt(vi), weights=1/vi)", sqrt(d$vi)),
    PEESE_wls = by_lm("lm(yi ~ vi, weights=1/vi)", d$vi),
    PET_rma_REML = by_rma(sqrt(d$vi)), PEESE_rma_REML = by_rma(d$vi)
  )
}

# Maximised by metafor's default optimiser: where it did not converge, the answer is not a maximum.
selection <- function(d) attempt({
  ml <- fitted(d, "ML")
  alternative <- if (ml$beta[1] >= 0) "greater" else "less"
  list(stepfun_3PSM_steps_0.025 = attempt({
    fit <- do.call(selmodel, list(ml, type = "stepfun", steps = .025, alternative = alternative))
    list(
      call = paste0('selmodel(rma(yi,vi,method="ML"), type="stepfun", steps=.025, ',
                    'alternative="greater" if the estimate is >=0 else "less")'),
      alternative = alternative, estimate = fit$beta[1], se = fit$se, pval = fit$pval,
      ci = c(fit$ci.lb, fit$ci.ub), tau2 = fit$tau2, delta = fit$delta, se_delta = fit$se.delta,
      LRT = fit$LRT, LRTp = fit$LRTp, logLik = as.numeric(logLik(fit)), ptable_k = fit$ptable$k
    )
  }))
})

other_bias <- function(d) {
  list(
    henmi_copas = attempt({
      fit <- hc(fitted(d, "DL"))
      list(estimate = fit$beta[1], se = fit$se, ci = c(fit$ci.lb, fit$ci.ub), tau2 = fit$tau2)
    }),
    fail_safe_n = named(c("Rosenthal", "Orwin", "Rosenberg"),
                        function(type) fsn(d$yi, d$vi, type = type)$fsnum),
    tes = attempt({
      test <- tes(d$yi, d$vi)
      list(theta = test$theta, O = test$O, E = test$E, OEratio = test$OEratio, pval = test$pval,
           test = test$test)
    })
  )
}

# ---- one study at a time ----------------------------------------------------------------------

one_at_a_time <- function(d) {
  leave <- function(method, test = "z") attempt({
    out <- suppressWarnings(leave1out(fitted(d, method, test)))
    stat <- if (test == "z") out$zval else out$tval
    lapply(list(
      estimate = out$estimate, se = out$se, stat = stat, pval = out$pval, ci_lb = out$ci.lb,
      ci_ub = out$ci.ub, Q = out$Q, Qp = out$Qp, tau2 = out$tau2, I2 = out$I2, H2 = out$H2
    ), many)
  })
  by_year <- !is.null(d$year)
  sequence <- if (by_year) order(d$year) else seq_along(d$yi)
  cumulate <- function(method) attempt({
    out <- do.call(cumul, list(fitted(d, method), order = sequence))
    lapply(list(
      order_1based = sequence, estimate = out$estimate, se = out$se, ci_lb = out$ci.lb,
      ci_ub = out$ci.ub, pval = out$pval, Q = out$Q, tau2 = out$tau2, I2 = out$I2
    ), many)
  })
  measures <- function(method) attempt({
    fit <- fitted(d, method)
    out <- influence(fit)
    i <- out$inf
    lapply(list(
      rstudent = i$rstudent, dffits = i$dffits, cook_d = i$cook.d, cov_r = i$cov.r,
      tau2_del = i$tau2.del, QE_del = i$QE.del, hat = i$hat, weight = i$weight,
      dfbs = out$dfbs$intrcpt, is_influential = out$is.infl, rstandard = rstandard(fit)$z
    ), many)
  })
  points <- function(method) attempt({
    out <- baujat(fitted(d, method), progbar = FALSE)
    list(x = many(out$x), y = many(out$y))
  })
  list(
    leave1out = list(REML_z = leave("REML"), REML_knha = leave("REML", "knha"), DL_z = leave("DL"),
                     EE_z = leave("EE")),
    cumulative = list(REML = cumulate("REML"), DL = cumulate("DL"),
                      order_by = if (by_year) "year, ties in row order" else "row"),
    influence_REML = measures("REML"), influence_DL = measures("DL"),
    baujat_EE = points("EE"), baujat_REML = points("REML")
  )
}

exact_permutation <- function(d) list(
  permutest_exact_REML = attempt({
    test <- permutest(fitted(d, "REML"), exact = TRUE, progbar = FALSE)
    list(pval = test$pval[1], iterations = 2^d$k, note = "sign-flip, all 2^k")
  }),
  permutest_exact_DL =
    attempt(list(pval = permutest(fitted(d, "DL"), exact = TRUE, progbar = FALSE)$pval[1]))
)

# ---- moderators -------------------------------------------------------------------------------

subgroups <- function(d, group) {
  levels <- sort(unique(as.character(group)))
  answer <- function(method) attempt({
    parts <- lapply(levels, function(level) {
      part <- list(yi = d$yi[group == level], vi = d$vi[group == level])
      fit <- fitted(part, method)
      list(level = level, k = fit$k, estimate = fit$beta[1], se = fit$se,
           ci = c(fit$ci.lb, fit$ci.ub), tau2 = fit$tau2, Q = fit$QE, I2 = fit$I2)
    })
    estimates <- vapply(parts, `[[`, 0, "estimate")
    weights <- 1 / vapply(parts, `[[`, 0, "se")^2
    between <- sum(weights * (estimates - weighted.mean(estimates, weights))^2)
    df <- length(levels) - 1
    indicators <- model.matrix(~ factor(group))[, -1, drop = FALSE]
    common <- fitted(d, method, mods = indicators)
    knha <- fitted(d, method, "knha", mods = indicators)
    list(
      separate_tau2 = many(parts), Q_between_separate_tau2 = between, Q_between_df = df,
      Q_between_p = pchisq(between, df, lower.tail = FALSE),
      common_tau2 = list(tau2 = common$tau2, QM = common$QM, QM_df = common$QMdf[1],
                         QMp = common$QMp),
      common_tau2_knha_F = list(F = knha$QM, df = knha$QMdf, p = knha$QMp)
    )
  })
  c(list(levels = many(levels), group = many(as.character(group))),
    named(c("EE", "DL", "REML"), answer))
}

moderated <- function(fit) list(
  beta = many(fit$beta[, 1]), se = many(fit$se), stat = many(fit$zval), pval = many(fit$pval),
  ci_lb = many(fit$ci.lb), ci_ub = many(fit$ci.ub), QM = fit$QM, QM_df = fit$QMdf, QMp = fit$QMp,
  QE = fit$QE, QEp = fit$QEp, tau2 = fit$tau2, se_tau2 = if (fit$method == "EE") NA else fit$se.tau2,
  I2 = fit$I2, H2 = fit$H2, R2 = if (is.null(fit$R2)) NA else fit$R2,
  vcov = many(apply(unname(vcov(fit)), 1, many, simplify = FALSE))
)

meta_regression <- function(d, formula, methods) {
  whole <- cbind(data.frame(yi = d$yi, vi = d$vi), d$moderators)
  asked <- model.frame(as.formula(formula), whole, na.action = na.pass)
  used <- which(complete.cases(asked))
  data <- whole[used, ]
  control <- tight(data$yi, data$vi)
  design <- model.matrix(as.formula(formula), data)
  fit <- function(method, test = "z") rma(
    data$yi, data$vi, mods = design[, -1, drop = FALSE], method = method, test = test,
    control = control
  )
  fits <- list()
  for (method in methods) for (test in c("z", "knha")) {
    fits[[paste(method, test, sep = "_")]] <- attempt(moderated(fit(method, test)))
  }
  interval <- confint(fit("REML"), control = control[c("tau2.max", "tol")])
  list(
    formula = formula, rows_used_1based = used, design_columns = colnames(design),
    design_matrix = many(apply(unname(design), 1, many, simplify = FALSE)), yi = data$yi,
    vi = data$vi, fits = fits,
    Q_profile_95 = q_profile(interval)[c("tau2_ci", "I2_ci")]
  )
}

# ---- everything of one set --------------------------------------------------------------------

describe <- function(d) {
  out <- d$about
  if (!is.null(d$labels)) out$labels <- many(d$labels)
  if (!is.null(d$raw)) out$raw <- lapply(d$raw, many)
  out$yi <- many(d$yi)
  out$vi <- many(d$vi)
  if (!is.null(d$ni)) out$ni <- many(d$ni)
  if (!is.null(d$year)) out$year <- many(d$year)
  if (!is.null(d$vtype)) out$vtype <- d$vtype
  c(out, list(k = d$k, control_used = tight(d$yi, d$vi)))
}

answers <- function(d) {
  d$k <- length(d$yi)
  ee <- suppressWarnings(fitted(d, "EE"))
  out <- c(describe(d), list(
    estimators = named(c("EE", RANDOM), function(method) estimator(d, method)),
    metafor_default_control_tau2 =
      suppressWarnings(named(RANDOM, function(method) rma(d$yi, d$vi, method = method)$tau2)),
    Q = list(Q = ee$QE, df = d$k - 1, pval = ee$QEp)
  ))
  if (d$k > 1) out <- c(out, suppressWarnings(heterogeneity(d)))
  if (d$k > 2 && d$k < 100) {
    out$egger_regression_tests <- egger(d)
    out <- c(out, rank_tests(d), list(trimfill = trim_and_fill(d), pet_peese = pet_peese(d)))
    if (d$k >= 10) out$selection_model <- selection(d)
    out <- c(out, suppressWarnings(other_bias(d)), one_at_a_time(d))
    if (d$k <= 10) out <- c(out, exact_permutation(d))
  }
  for (name in names(d$subgroups)) {
    out[[paste0("subgroup_", name)]] <- subgroups(d, d$subgroups[[name]])
  }
  for (name in names(d$regressions)) {
    asked <- d$regressions[[name]]
    out$meta_regression[[name]] <- meta_regression(d, asked$formula, asked$methods)
  }
  out
}
