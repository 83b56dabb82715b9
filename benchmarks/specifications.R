# metafor on the sets of effects of specifications: largest differences from our numbers, and
# processor seconds per call with metafor's own settings.
# Usage: Rscript specifications.R cases.json
suppressMessages({library(metafor); library(jsonlite)})
cases <- fromJSON(commandArgs(TRUE)[1], simplifyVector = FALSE)
tight <- function(y, v) { s <- max(if (length(y) > 1) var(y) else 0, mean(v))
  list(threshold = 1e-14 * s, maxiter = 1e5, tau2.max = 1e5 * s, tol = 1e-15 * s) }
tests <- c("hksj-floor" = "adhoc", hksj = "knha", wald = "z")
worst <- 0; compared <- 0; linked <- 0; used <- c(); by_reml <- c()
for (case in cases) {
  y <- unlist(case$y); V <- matrix(unlist(case$V), length(y)); v <- diag(V)
  if (any(V[row(V) != col(V)] != 0) || length(y) != case$studies) { linked <- linked + 1; next }
  fit <- function(...) suppressWarnings(
    rma(y, v, method = case$method, test = tests[[case$ci]], ...))
  m <- fit(control = tight(y, v))
  theirs <- c(m$beta, m$se, m$ci.lb, m$ci.ub); ours <- unlist(case$ours)
  worst <- max(worst, abs(theirs - ours) / pmax(abs(theirs), m$se)); compared <- compared + 1
  seconds <- system.time(for (i in 1:5) try(fit(), silent = TRUE))
  seconds <- (seconds[["user.self"]] + seconds[["sys.self"]]) / 5
  used <- c(used, seconds); if (case$method == "REML") by_reml <- c(by_reml, seconds)
}
cat(toJSON(list(worst = worst, compared = compared, linked = linked, seconds = mean(used),
                reml = mean(by_reml)), auto_unbox = TRUE, digits = NA))
