# Rewrites explore.json: what metafor.json does not hold, or only with metafor's loose defaults.
# Run in tests/oracle: Rscript explore.R   (metafor 3.8-1, metadat, clubSandwich 0.5.8, jsonlite)
suppressMessages({library(metafor); library(metadat); library(clubSandwich); library(jsonlite)})

oracle <- fromJSON("metafor.json", simplifyVector = TRUE)$datasets
tight <- function(y, v) {
  s <- max(var(y), mean(v))
  list(threshold = 1e-14 * s, maxiter = 1e5, tau2.max = 1e5 * s, tol = 1e-15 * s)
}

# trimfill() refits with metafor's default control, whatever the model had: the same steps, tight.
trim_fill <- function(y, v) {
  auto <- tryCatch(trimfill(rma(y, v, control = tight(y, v))), error = function(e) NULL)
  if (is.null(auto)) return(NULL)
  sign <- if (auto$side == "right") -1 else 1
  order <- order(sign * y)
  ys <- (sign * y)[order]
  vs <- v[order]
  kept <- seq_len(length(y) - auto$k0)
  centre <- coef(rma(ys[kept], vs[kept], control = tight(ys, vs)))[[1]]
  extreme <- setdiff(seq_along(y), kept)
  all_y <- sign * c(ys, 2 * centre - ys[extreme])
  all_v <- c(vs, vs[extreme])
  fit <- rma(all_y, all_v, control = tight(all_y, all_v))
  list(side = auto$side, k0 = auto$k0, estimate = coef(fit)[[1]], se = fit$se, tau2 = fit$tau2)
}

# On unit scale and with a tight optimiser; effects come back on their own scale.
selection <- function(y, v, favoured) {
  s <- sqrt(mean(v))
  fit <- tryCatch(
    suppressWarnings(selmodel(
      rma(y / s, v / s^2, method = "ML", control = tight(y / s, v / s^2)), type = "stepfun",
      steps = .025, alternative = favoured,
      control = list(optimizer = "BFGS", reltol = 1e-15)
    )),
    error = function(e) NULL
  )
  if (is.null(fit) || any(fit$ptable$k == 0)) return(NULL)
  list(
    favoured = favoured, estimate = fit$beta[1] * s, se = fit$se[1] * s, tau2 = fit$tau2 * s^2,
    relative_chance = fit$delta[2], relative_chance_se = fit$se.delta[2], lrt = fit$LRT,
    log_likelihood = as.numeric(logLik(fit)) - length(y) * log(s)
  )
}

# regtest(yi, vi, model = "rma") has no control either. The predictor is scaled, or metafor takes a
# small one for a constant; z and p do not change.
egger_by_n <- function(y, v, x) {
  fit <- rma(y, v, mods = ~ I(x / max(x)), control = tight(y, v))
  list(z = fit$zval[2], p = fit$pval[2], limit = coef(fit)[[1]], se = fit$se[1])
}

sets <- list()
for (name in names(oracle)) {
  y <- oracle[[name]]$yi
  v <- oracle[[name]]$vi
  if (length(y) < 3 || length(y) > 100) next
  favoured <- if (coef(rma(y, v, control = tight(y, v)))[[1]] >= 0) "greater" else "less"
  n <- oracle[[name]]$ni
  sets[[name]] <- list(
    egger_REML_ninv = if (!is.null(n)) egger_by_n(y, v, 1 / n),
    egger_REML_sqrtninv = if (!is.null(n)) egger_by_n(y, v, 1 / sqrt(n)),
    trim_fill_REML = trim_fill(y, v),
    selection = if (length(y) >= 10) selection(y, v, favoured)
  )
}

hine <- escalc(measure = "RD", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.hine1989)
hine_fit <- rma(yi, vi, data = hine)
bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
bcg_fit <- rma(yi, vi, data = bcg)
cr2 <- coef_test(bcg_fit, vcov = "CR2", cluster = 1:13)
alloc <- coef_test(rma(yi, vi, mods = ~ablat, data = bcg), vcov = "CR2", cluster = bcg$alloc)

# Correlated and hierarchical effects: constant rho within a study, random study and effect.
nested <- fromJSON("metafor.json", simplifyVector = TRUE)$multilevel_and_rve
che <- function(name, rho) {
  data <- nested[[name]]
  study <- data$cluster
  effect <- seq_along(study)
  V <- impute_covariance_matrix(data$vi, cluster = study, r = rho)
  fit <- NULL
  for (tolerance in c(1e-13, 1e-12, 1e-11, 1e-10, 1e-9)) {  # as tight as the optimiser manages
    if (is.null(fit)) fit <- tryCatch(
      rma.mv(data$yi, V, random = ~ 1 | study / effect, control = list(rel.tol = tolerance)),
      error = function(e) NULL
    )
  }
  robust <- coef_test(fit, vcov = "CR2", cluster = study)
  list(set = name, rho = rho, sigma2 = fit$sigma2, estimate = coef(fit)[[1]], model_se = fit$se,
       se = robust$SE, df = robust$df_Satt, p = robust$p_Satt, log_likelihood = as.numeric(logLik(fit)))
}

# More than 50 studies without ties: metafor's p stays exact.
set.seed(52)
many <- list(yi = round(rnorm(52, .2, .5), 6), vi = round(runif(52, .01, .4), 6))
many_rank <- ranktest(many$yi, many$vi)

# Small units: clubSandwich drops directions by an absolute limit, trimfill() refits with loose
# defaults, so the truth for g/cm2 is what they give in mg/cm2 (factor 1,000).
set.seed(18)
small <- list(yi = round(rnorm(12, .004, .003), 3), vi = round(runif(12, 1e-6, 2e-5), 6),
              study = c("a", "a", "b", "b", "c", "d", "d", "e", "e", "f", "f", "f"))
V <- diag(1e6 * small$vi)
small_fit <- rma.mv(1e3 * small$yi, V, random = ~ 1 | study / id,
                    data = data.frame(study = small$study, id = 1:12),
                    control = list(rel.tol = 1e-10))
small_robust <- coef_test(small_fit, vcov = "CR2", cluster = small$study)
small_rma <- rma(1e3 * small$yi, 1e6 * small$vi, control = tight(1e3 * small$yi, 1e6 * small$vi))

moderator <- function(y, v, x) {
  fit <- rma(y, v, mods = ~x, control = tight(y, v))
  permutest(fit, exact = TRUE, progbar = FALSE)$pval[2]
}
first <- 1:6

# The regression line with its confidence band at a grid of the covariate.
latitudes <- seq(13, 55, length.out = 7)
line <- function(method, test) {
  fit <- rma(bcg$yi, bcg$vi, mods = ~ bcg$ablat, method = method, test = test,
             control = tight(bcg$yi, bcg$vi))
  at <- predict(fit, newmods = latitudes)
  list(method = method, test = test, fitted = at$pred, low = at$ci.lb, high = at$ci.ub)
}

write_json(
  list(
    sets = sets,
    che = list(che("konstantopoulos2011", .4), che("konstantopoulos2011", .95),
               che("assink2016", .6), che("assink2016", .8)),
    rank_of_52 = c(many, list(kendall_tau = as.numeric(many_rank$tau), pval = many_rank$pval)),
    small_units = c(small, list(
      mg = list(estimate = coef(small_fit)[[1]], se = small_robust$SE, df = small_robust$df_Satt,
                side = trimfill(small_rma)$side, k0 = trimfill(small_rma)$k0)
    )),
    hine = list(
      yi = as.numeric(hine$yi), vi = as.numeric(hine$vi),
      p = permutest(hine_fit, exact = TRUE, progbar = FALSE)$pval
    ),
    bcg = list(
      cr2 = list(variance = cr2$SE^2, df = cr2$df_Satt, t = cr2$tstat),
      by_allocation = list(
        estimate = alloc$beta, se = alloc$SE, df = alloc$df_Satt, allocation = bcg$alloc
      ),
      first_six_ablat = list(
        ablat = bcg$ablat[first], p = moderator(bcg$yi[first], bcg$vi[first], bcg$ablat[first])
      ),
      line_ablat = list(
        latitudes = latitudes,
        fits = list(line("REML", "knha"), line("REML", "adhoc"), line("DL", "knha"),
                    line("EE", "z"))
      )
    )
  ),
  "explore.json", digits = NA, auto_unbox = TRUE, null = "null", pretty = TRUE
)
