# Every pool of a review once more, by metafor: rma where the effects are independent, rma.mv where covariance.csv
# links them (an independent tau2 per effect), with the default choices of config.yaml: REML and Hartung-Knapp with
# the ad hoc floor. Reads effects.csv and covariance.csv of each synthesis and nothing else of the results.
# usage: Rscript pools_check.R RESULTS INCLUSION COMMON_UP_TO out.csv
#   INCLUSION "name=FLAG FLAG;name=": the populations of the multiverse; COMMON_UP_TO: of `common_tau2_up_to`
suppressMessages(library(metafor))
a <- commandArgs(TRUE); results <- a[1]; up_to <- as.numeric(a[3])
inclusion <- lapply(strsplit(strsplit(a[2], ";")[[1]], "="), function(x) list(name = x[1], flags = if (length(x) > 1) strsplit(x[2], " ")[[1]]))
types <- c("resistance", "aerobic", "high_intensity", "combined", "other")
table_of <- function(...) read.csv(file.path(results, ...), colClasses = "character", encoding = "UTF-8", check.names = FALSE)
num <- function(x) suppressWarnings(as.numeric(x))
tight <- function(y, v) { s <- max(if (length(y) > 1) var(y) else 0, mean(v))
  list(threshold = 1e-14 * s, maxiter = 1e5, tau2.max = 1e5 * s, tol = 1e-15 * s) }
linked <- function(V) any(V[row(V) != col(V)] != 0)

# rma.mv on unit scale with a tight optimiser. The top of a likelihood is flat: its tau2 is moved to the root of the
# score beside it, and rma.mv fits the means again there. The scaling factor is that of generalised least squares.
score <- function(t2, y, V, X) { W <- solve(V + t2 * diag(length(y))); P <- W - W %*% X %*% solve(t(X) %*% W %*% X, t(X) %*% W)
  as.numeric(t(y) %*% P %*% P %*% y) - sum(diag(P)) }
# DL and PM, which rma.mv has not: y'Py = k - p + tau2 trace(P) of P at tau2 = 0 (DL), or y'Py = k - p of P at tau2 (PM).
by_moments <- function(y, V, X, method) { free <- length(y) - ncol(X)
  P <- function(t2) { W <- solve(V + t2 * diag(length(y))); W - W %*% X %*% solve(t(X) %*% W %*% X, t(X) %*% W) }
  Q <- function(t2) as.numeric(t(y) %*% P(t2) %*% y)
  tau2 <- if (Q(0) <= free) 0 else if (method == "DL") (Q(0) - free) / sum(diag(P(0))) else
    uniroot(function(t2) Q(t2) - free, c(0, 1e3 * mean(diag(V))), tol = 1e-16 * mean(diag(V)), maxiter = 1e5)$root
  W <- solve(V + tau2 * diag(length(y))); C <- solve(t(X) %*% W %*% X)
  list(b = as.vector(C %*% t(X) %*% W %*% y), C = C, tau2 = tau2, q = Q(tau2) / free, QE = Q(0)) }
by_mv <- function(y, V, X, method) { if (method %in% c("DL", "PM")) return(by_moments(y, V, X, method))
  s <- sqrt(mean(diag(V))); d <- data.frame(row = seq_along(y))
  args <- list(yi = y / s, V = V / s^2, mods = X, intercept = FALSE, data = d)
  if (method != "EE") args <- c(args, list(random = ~ 1 | row, method = method,
    control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 1e5)))
  m <- suppressWarnings(do.call(rma.mv, args))
  if (method == "REML") { near <- m$sigma2 * c(1 - 1e-4, 1 + 1e-4); f <- sapply(near, score, y / s, V / s^2, X)
    at <- if (f[1] > 0 && f[2] < 0) uniroot(score, near, y / s, V / s^2, X, tol = 1e-16)$root else 0
    if (at == 0 && score(0, y / s, V / s^2, X) > 0) stop("no root of the score near the tau2 of rma.mv")
    m <- suppressWarnings(do.call(rma.mv, c(args, list(sigma2 = at)))) }
  tau2 <- if (method == "EE") 0 else m$sigma2 * s^2
  W <- solve(V + tau2 * diag(length(y))); e <- y - X %*% (as.vector(m$beta) * s)
  list(b = as.vector(m$beta) * s, C = m$vb * s^2, tau2 = tau2, q = as.numeric(t(e) %*% W %*% e) / (length(y) - ncol(X)), QE = m$QE) }
profile_mv <- function(y, V, X) { # Jackson's generalised Q as a function of tau2, on the points of chi-square
  Q <- function(t2) { W <- solve(V + t2 * diag(length(y))); as.numeric(t(y) %*% (W - W %*% X %*% solve(t(X) %*% W %*% X, t(X) %*% W)) %*% y) }
  s <- mean(diag(V)); sapply(c(.975, .025), function(p) { goal <- qchisq(p, length(y) - ncol(X))
    if (Q(0) <= goal) 0 else { up <- s; while (Q(up) > goal) up <- 4 * up; uniroot(function(t2) Q(t2) - goal, c(0, up), tol = 1e-16 * s, maxiter = 1e5)$root } }) }

# one model: coefficients, their covariance (scaled), tau2 and its interval, I2, H2, Q
model <- function(y, V, X, method, ci, studies, limits = TRUE) { k <- length(y); p <- ncol(X); df <- studies - p; v <- diag(V); lim <- c(NA, NA)
  if (df <= 0) ci <- "wald" # several effects per study, and no more studies than means
  if (!linked(V) && studies == k) {
    m <- rma(y, v, mods = X, intercept = FALSE, method = method, test = c("hksj-floor" = "adhoc", hksj = "knha", wald = "z")[[ci]], control = tight(y, v))
    if (limits && method != "EE" && k > p) { c <- tight(y, v); c$tau2.max <- 1e8 * c$tau2.max
      lim <- confint(m, control = c)$random[1, c("ci.lb", "ci.ub")] }
    out <- list(b = as.vector(m$beta), C = m$vb, tau2 = m$tau2, i2 = m$I2, h2 = m$H2, q = m$QE)
  } else {
    m <- by_mv(y, V, X, method); scale <- switch(ci, wald = 1, hksj = m$q, "hksj-floor" = max(1, m$q)); W <- solve(V)
    trace <- sum(diag(W - W %*% X %*% solve(t(X) %*% W %*% X, t(X) %*% W))) / (k - p)
    i2 <- if (method == "EE") max(0, 100 * (m$QE - (k - p)) / m$QE) else 100 * m$tau2 * trace / (1 + m$tau2 * trace)
    h2 <- if (method == "EE") m$QE / (k - p) else 1 + m$tau2 * trace
    if (limits && method != "EE") lim <- profile_mv(y, V, X)
    out <- list(b = m$b, C = m$C * scale, tau2 = m$tau2, i2 = i2, h2 = h2, q = m$QE)
  }
  c(out, list(low = unname(lim[1]), high = unname(lim[2]), df = if (ci == "wald") Inf else df, q_df = k - p)) }
line <- function(m, i = 1, own = m, k) { se <- sqrt(m$C[i, i]); b <- m$b[i]; t <- b / se; half <- qt(.975, m$df) * se
  pi <- if (is.finite(m$df)) m$df else k - 1; wide <- if (pi >= 1) qt(.975, pi) * sqrt(m$tau2 + se^2) else NA
  c(estimate = b, se = se, ci_low = b - half, ci_high = b + half, pi_low = b - wide, pi_high = b + wide, tau2 = m$tau2, tau2_ci_low = m$low, tau2_ci_high = m$high,
    i2 = m$i2, h2 = m$h2, q = own$q, q_df = own$q_df, q_p = pchisq(own$q, own$q_df, lower.tail = FALSE), statistic = t, p = 2 * pt(-abs(t), m$df), df = m$df) }

rows <- list()
put <- function(file, key, numbers) for (name in names(numbers)) if (!is.na(numbers[[name]]) && is.finite(numbers[[name]]))
  rows[[length(rows) + 1]] <<- data.frame(file = file, key = key, quantity = name, value = sprintf("%.17g", numbers[[name]]))
one <- function(n) matrix(1, n, 1)
whole <- function(d, V, method, ci, limits = TRUE) { keep <- rownames(d); S <- V[keep, keep, drop = FALSE]; k <- length(unique(d$study_id))
  if (k == 1) { f <- if (nrow(d) > 1) by_mv(d$yi, S, one(nrow(d)), "EE") else list(b = d$yi, C = S); b <- f$b; se <- sqrt(f$C[1, 1])
    return(c(estimate = b, se = se, ci_low = b - qnorm(.975) * se, ci_high = b + qnorm(.975) * se, statistic = b / se, p = 2 * pnorm(-abs(b / se)))) }
  line(model(d$yi, S, one(nrow(d)), method, ci, k, limits), k = k) }

pools_of <- function(id, measure, d, V) {
  kinds <- intersect(types, d$exercise_type); sizes <- sapply(kinds, function(g) length(unique(d$study_id[d$exercise_type == g])))
  K <- length(unique(d$study_id)); X <- sapply(kinds, function(g) as.numeric(d$exercise_type == g)); dim(X) <- c(nrow(d), length(kinds))
  shared <- length(kinds) > 1 && min(sizes) <= up_to; joint <- NULL
  if (shared && any(sizes >= 2)) joint <- model(d$yi, V, X, "REML", "hksj-floor", K)
  for (g in c("overall", kinds)) { s <- if (g == "overall") d else d[d$exercise_type == g, ]; k <- length(unique(s$study_id)); key <- function(model, ci) paste(id, measure, g, model, ci, sep = "|")
    if (k == 1) { put("pooled", key("random", "wald"), whole(s, V, "REML", "wald")); next }
    if (g != "overall" && shared) {
      if (is.null(joint)) next
      alone <- model(s$yi, V[rownames(s), rownames(s)], one(nrow(s)), "EE", "wald", k)
      put("pooled", key("random", "hksj-floor"), line(joint, match(g, kinds), alone, k))
    } else put("pooled", key("random", "hksj-floor"), whole(s, V, "REML", "hksj-floor"))
    if (k %in% 3:4) put("pooled", key("random", "wald"), whole(s, V, "REML", "wald"))
    if (k <= 4) put("pooled", key("common", "wald"), whole(s, V, "EE", "wald")) }
  if (K >= 5 && sum(sizes >= 2) >= 2 && K > length(kinds)) { g <- length(kinds); key <- paste(id, measure, sep = "|")
    if (min(sizes) <= up_to || linked(V)) { m <- if (is.null(joint)) model(d$yi, V, X, "REML", "hksj-floor", K) else joint
      L <- cbind(diag(g - 1), -1); e <- L %*% m$b; F <- as.numeric(t(e) %*% solve(L %*% m$C %*% t(L), e)) / (g - 1)
      put("subgroup_test", key, c(statistic = F, df1 = g - 1, df2 = m$df, p = pf(F, g - 1, m$df, lower.tail = FALSE)))
    } else { f <- sapply(kinds, function(x) whole(d[d$exercise_type == x, ], V, "REML", "hksj-floor"))
      m <- rma(unlist(f["estimate", ]), sei = unlist(f["se", ]), method = "EE")
      put("subgroup_test", key, c(statistic = m$QE, df1 = g - 1, p = m$QEp)) } }
  if (K >= 3) for (study in unique(d$study_id)) { s <- d[d$study_id != study, ]
    put("leave_one_out", paste(id, measure, study, sep = "|"), whole(s, V, "REML", "hksj-floor", FALSE)) } }

# of the multiverse the specifications whose effects stand in effects.csv: no other derivation, no inconsistently reported value
multiverse_of <- function(id, measure, d, V) for (who in inclusion) for (designs in c("randomised", "all designs")) {
  s <- d[d$pooled == "yes" | (designs == "all designs" & d$block == "non_randomised"), ]
  rob <- ifelse(s$risk_of_bias %in% c("high", "serious", "critical", "poor"), "ROB", "") # sensitivity.rob_exclude
  s <- s[!sapply(strsplit(paste(s$flags, rob), " "), function(f) any(f %in% who$flags)), ]
  if (length(unique(s$study_id)) < 2) next
  K <- length(unique(s$study_id)); S <- V[rownames(s), rownames(s), drop = FALSE] # fitted jointly, as the pools
  for (method in c("REML", "PM", "DL", "EE")) for (ci in if (method == "EE") "wald" else c("hksj-floor", "hksj", "wald"))
    put("multiverse", paste(id, measure, who$name, designs, method, ci, sep = "|"),
      line(model(s$yi, S, one(nrow(s)), method, ci, K, FALSE), k = K)[c("estimate", "ci_low", "ci_high")]) }

for (id in list.files(results)) { if (!file.exists(file.path(results, id, "effects.csv"))) next
  e <- table_of(id, "effects.csv"); if (nrow(e) == 0) next
  e$yi <- num(e$yi); e$vi <- num(e$vi); rownames(e) <- e$effect_id; V <- diag(e$vi, nrow(e)); dimnames(V) <- list(e$effect_id, e$effect_id)
  links <- table_of(id, "covariance.csv")
  for (i in seq_len(nrow(links))) { x <- links$effect_id_1[i]; y <- links$effect_id_2[i]; if (x %in% rownames(V) && y %in% rownames(V)) V[x, y] <- V[y, x] <- num(links$covariance[i]) }
  for (measure in unique(e$measure)) { d <- e[e$measure == measure, ]; multiverse_of(id, measure, d, V)
    d <- d[d$pooled == "yes", ]; if (nrow(d)) pools_of(id, measure, d, V[rownames(d), rownames(d), drop = FALSE]) } }
write.csv(do.call(rbind, rows), a[4], row.names = FALSE)
