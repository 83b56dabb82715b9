# Fits of effects with a full sampling covariance, by metafor's rma.mv with an independent random
# effect per row. Usage: Rscript covariance.R metafor.json > covariance.json
suppressMessages({library(metafor); library(jsonlite)})
oracle <- fromJSON(commandArgs(trailingOnly = TRUE)[1], simplifyVector = TRUE)
schools <- oracle$multilevel_and_rve$konstantopoulos2011
assink <- oracle$multilevel_and_rve$assink2016
bcg <- oracle$datasets$bcg_RR
blocks <- function(v, cluster, rho) {
  V <- outer(sqrt(v), sqrt(v)) * rho * outer(cluster, cluster, "==")
  diag(V) <- v
  V
}
six <- diag(c(.090, .085, .120, .070, .060, .100)); six[1, 2] <- six[2, 1] <- .045
sets <- list(
  shared_control = list(y = c(.9, -.25, .55, 1.30, .10, -.20), V = six, x = c(0, 1, 0, 0, 1, 1)),
  konstantopoulos2011_rho_0.6 = list(y = schools$yi,
    V = blocks(schools$vi, as.character(schools$cluster), .6), x = seq_along(schools$yi) %% 5),
  assink2016_rho_0.6 = list(y = assink$yi,
    V = blocks(assink$vi, as.character(assink$cluster), .6), x = seq_along(assink$yi) %% 3),
  bcg_pairs_rho_0.5 = list(y = bcg$yi, V = blocks(bcg$vi, (seq_along(bcg$yi) + 1) %/% 2, .5),
    x = bcg$year)
)
answer <- function(set, method, mods) {
  d <- data.frame(row = seq_along(set$y), x = set$x)
  args <- list(yi = set$y, V = set$V, mods = mods, data = d)
  if (method != "EE") args <- c(args, list(random = ~ 1 | row, method = method,
    control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 1e5)))
  fit <- do.call(rma.mv, args)
  list(tau2 = if (method == "EE") 0 else fit$sigma2, beta = as.vector(fit$beta), se = fit$se,
       Q = fit$QE, weights = if (fit$p == 1) weights(fit, type = "rowsum"))
}
out <- lapply(sets, function(set) list(
  yi = set$y, V = set$V, x = set$x,
  fits = sapply(c("EE", "ML", "REML"), function(method) list(
    intercept = answer(set, method, ~ 1), moderator = answer(set, method, ~ x)),
    simplify = FALSE)))
cat(toJSON(out, digits = NA, auto_unbox = TRUE, null = "null", pretty = FALSE), "\n")
