# Cluster wild bootstrap, every sign vector refitted by metafor and robumeta: reference of
# tests/sensitivity/test_wild_bootstrap.py. Few clusters of two data sets of metadat, so that all sign vectors of
# studies (the first kept at +1: a vector and its mirror image have the same statistic) can be run.
# Run in tests/oracle: Rscript wild.R > wild.json
# Made with R 4.2.2, metafor 3.8-1, clubSandwich 0.5.8, robumeta 2.0, metadat 1.2-0 and jsonlite.

suppressMessages({library(metafor); library(clubSandwich); library(robumeta)})

signs_of <- function(J) {
  signs <- as.matrix(expand.grid(rep(list(c(1, -1)), J - 1)))
  unname(cbind(1, signs))
}

# As tight as the optimiser manages: the statistics are wanted to more than six digits.
nested_fit <- function(dat, X, V) {
  for (tolerance in c(1e-13, 1e-12, 1e-11, 1e-10, 1e-9)) {
    fit <- tryCatch(
      rma.mv(yi, V, mods = X, intercept = FALSE, random = ~ 1 | study/effect, data = dat,
             control = list(rel.tol = tolerance)),
      error = function(e) NULL
    )
    if (!is.null(fit)) return(fit)
  }
  stop("no fit")
}

# The Wald statistic of one coefficient over its CR0 standard error, or F of several.
wald <- function(fit, cluster, j) {
  vcov <- as.matrix(vcovCR(fit, cluster = cluster, type = "CR0"))[j, j, drop = FALSE]
  b <- as.numeric(coef(fit))[j]
  if (length(j) == 1) b / sqrt(vcov[1, 1]) else sum(b * solve(vcov, b)) / length(j)
}

# Under H0 the coefficients j are 0: all other columns are fitted, and no column at all where there
# is no other (then the fit is 0 and the residuals are the effects).
null_fit <- function(dat, X, V, j) {
  if (ncol(X) == length(j)) return(rep(0, nrow(dat)))
  as.numeric(fitted(nested_fit(dat, X[, -j, drop = FALSE], V)))
}

nested <- function(dat, rho, X = matrix(1, nrow(dat), 1), j = 1, null = 0) {
  V <- impute_covariance_matrix(dat$vi, dat$study, r = rho)
  V <- as.matrix(Matrix::bdiag(V))
  fit <- nested_fit(dat, X, V)
  shifted <- dat
  shifted$yi <- dat$yi - null
  fitted0 <- null_fit(shifted, X, V, j)
  e0 <- shifted$yi - fitted0
  studies <- unique(dat$study)
  signs <- signs_of(length(studies))
  one <- function(s) {
    new <- dat
    new$yi <- fitted0 + s[match(dat$study, studies)] * e0
    again <- nested_fit(new, X, V)
    c(wald(again, dat$study, j), again$sigma2, as.numeric(logLik(again)))
  }
  found <- t(apply(signs, 1, one))
  list(rho = rho, tested = I(j - 1), null = null, coefficients = I(as.numeric(coef(fit))),
       sigma2 = fit$sigma2, signs = signs, statistics = found[, 1], tau2 = found[, 2],
       omega2 = found[, 3], log_likelihood = found[, 4],
       p = mean(abs(found[, 1]) >= abs(found[1, 1]) * (1 - 1e-6)))
}

# Correlated effects by moments, as robumeta has them.
moments <- function(dat, rho) {
  refit <- function(d) robu(yi ~ 1, data = d, studynum = study, var.eff.size = vi, rho = rho,
                            modelweights = "CORR", small = FALSE)
  statistic <- function(fit) {
    as.numeric(fit$reg_table$b.r[1]) / sqrt(as.matrix(vcovCR(fit, type = "CR0"))[1, 1])
  }
  studies <- unique(dat$study)
  signs <- signs_of(length(studies))
  found <- t(apply(signs, 1, function(s) {
    new <- dat
    new$yi <- s[match(dat$study, studies)] * dat$yi
    fit <- refit(new)
    c(statistic(fit), as.numeric(fit$mod_info$tau.sq))
  }))
  list(rho = rho, estimate = as.numeric(refit(dat)$reg_table$b.r[1]), signs = signs,
       statistics = found[, 1], tau2 = found[, 2],
       p = mean(abs(found[, 1]) >= abs(found[1, 1]) * (1 - 1e-6)))
}

cut_to <- function(dat, cluster, year, chosen) {
  dat <- dat[dat[[cluster]] %in% chosen, ]
  data.frame(study = as.character(dat[[cluster]]), effect = seq_len(nrow(dat)),
             yi = as.numeric(dat$yi), vi = as.numeric(dat$vi), year = as.numeric(dat[[year]]))
}

districts <- cut_to(metadat::dat.konstantopoulos2011, "district", "year", c(11, 12, 18, 27, 56, 58))
delinquents <- cut_to(metadat::dat.assink2016, "study", "year", c(2, 3, 5, 8, 10, 11, 14))
delinquents <- delinquents[ave(delinquents$effect, delinquents$study, FUN = seq_along) <= 8, ]

sets <- list(konstantopoulos2011 = districts, assink2016 = delinquents)
result <- lapply(sets, function(dat) {
  list(study = dat$study, yi = dat$yi, vi = dat$vi, year = dat$year,
       three_level = nested(dat, 0), che = nested(dat, 0.6), correlated = moments(dat, 0.8),
       shifted = nested(dat, 0, null = 0.25))
})
# A moderator that varies between studies: the null model has an intercept.
dat <- delinquents
X <- cbind(1, (dat$year - mean(dat$year)) / 10)
result$assink2016$by_year <- nested(dat, 0.6, X = X, j = 2)
result$assink2016$both <- nested(dat, 0.6, X = X, j = 1:2)
result$assink2016$design <- X
cat(jsonlite::toJSON(result, digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")
