# Differences between each two groups, by metafor's anova() of a model with a mean for each group,
# and their p values adjusted by Holm's method; separate: from a model of each group.
# Usage: Rscript contrasts.R metafor.json > contrasts.json   (metafor 3.8-1, jsonlite)
suppressMessages({library(metafor); library(jsonlite)})
oracle <- fromJSON(commandArgs(trailingOnly = TRUE)[1], simplifyVector = TRUE)$datasets
tight <- function(y, v) {
  s <- max(var(y), mean(v))
  list(threshold = 1e-14 * s, maxiter = 1e5, tau2.max = 1e5 * s, tol = 1e-15 * s)
}
differences <- function(levels) {
  pairs <- combn(length(levels), 2)
  X <- matrix(0, ncol(pairs), length(levels))
  X[cbind(seq_len(ncol(pairs)), pairs[1, ])] <- 1
  X[cbind(seq_len(ncol(pairs)), pairs[2, ])] <- -1
  X
}
answer <- function(estimate, se, p, df = NULL) list(
  estimate = I(as.vector(estimate)), se = I(as.vector(se)), p = I(as.vector(p)),
  p_holm = I(p.adjust(as.vector(p), "holm")), df = df)
compared <- function(fit, X) {
  test <- anova(fit, X = X)
  answer(test$Xb, test$se, test$pval, if (fit$test %in% c("knha", "adhoc", "t")) test$ddf[1])
}
groups <- function(y, v, group) {
  levels <- unique(group)
  X <- differences(levels)
  type <- factor(group, levels)
  one <- function(method, test) compared(
    rma(y, v, mods = ~ 0 + type, method = method, test = test, control = tight(y, v)), X)
  each <- function(method) {
    fits <- lapply(levels, function(level) rma(
      y[group == level], v[group == level], method = method,
      control = if (sum(group == level) > 1) tight(y[group == level], v[group == level])))
    beta <- sapply(fits, function(fit) fit$beta[1])
    se <- sqrt(abs(X) %*% sapply(fits, `[[`, "se")^2)
    answer(X %*% beta, se, 2 * pnorm(-abs(X %*% beta / se)))
  }
  list(yi = y, vi = v, group = group, fits = sapply(c("DL", "REML"), function(method) list(
    "common wald" = one(method, "z"), "common hksj" = one(method, "knha"),
    "common hksj-floor" = one(method, "adhoc"), "separate wald" = each(method)),
    simplify = FALSE))
}
out <- list()
for (name in names(oracle)) for (key in grep("^subgroup_", names(oracle[[name]]), value = TRUE)) {
  data <- oracle[[name]]
  out[[paste(name, key)]] <- groups(data$yi, data$vi, data[[key]]$group)
}
# Borenstein et al. (2009), chapter 19, and six effects of which two share a control.
out$borenstein_19 <- groups(
  c(.110, .224, .338, .451, .480, .440, .492, .651, .710, .740),
  c(.010, .030, .020, .015, .010, .015, .020, .015, .025, .012), rep(c("A", "B"), each = 5))
six <- diag(c(.090, .085, .120, .070, .060, .100)); six[1, 2] <- six[2, 1] <- .045
type <- factor(c("r", "a", "r", "r", "a", "a"), c("r", "a"))
fit <- rma.mv(c(.40, .25, .55, .30, .10, .20), six, mods = ~ 0 + type)
out$shared_control <- list(yi = as.vector(fit$yi), V = six, group = as.character(type),
                           fits = list(EE = list("common wald" = compared(fit, differences(1:2)))))
cat(toJSON(out, digits = NA, auto_unbox = TRUE, null = "null", pretty = FALSE), "\n")
