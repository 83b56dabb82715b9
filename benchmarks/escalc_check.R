# Every effect of a review once more, by metafor's escalc where it has the measure (MD, SMD, MN, MC, SMCR, ROMC,
# MNLN), else by the formula of docs/results.md. `inputs` says which raw cells, `r` which correlation; all
# numbers are read in data/raw, and nothing of what effects.csv says of yi and vi is used but to compare.
# usage: Rscript escalc_check.R REVIEW effects.csv out.csv
suppressMessages(library(metafor))
a <- commandArgs(TRUE); dir <- a[1]
table_of <- function(f) read.csv(f, colClasses = "character", encoding = "UTF-8", check.names = FALSE)
keys <- list(
  measurements = c("study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "kind", "report", "population_analysed"),
  contrasts = c("study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "statistic", "compares", "score", "adjusted", "report", "population_analysed"),
  directions = c("study_id", "arm_id", "outcome", "analyte", "site", "timepoint", "basis", "report", "population_analysed"))
raw <- lapply(names(keys), function(t) { d <- table_of(file.path(dir, "data/raw", paste0(t, ".csv")))
  rownames(d) <- gsub(" ", "_", do.call(paste, c(d[keys[[t]]], sep = "/"))); d })
names(raw) <- names(keys)
num <- function(x) suppressWarnings(as.numeric(x))
for (t in c("measurements", "contrasts")) { milli <- which(raw[[t]]$unit == "mg/cm2") # pooled in g/cm2
  for (column in intersect(c("mean", "sd", "se", "spread", "value", "ci_low", "ci_high"), names(raw[[t]])))
    for (i in milli) if (raw[[t]][i, column] != "") raw[[t]][i, column] <- format(num(raw[[t]][i, column]) / 1000, digits = 17) }
base <- sub(".*baseline_mean: \\{(.*)\\}.*", "\\1", grep("^ *baseline_mean: \\{", readLines(file.path(dir, "config.yaml")), value = TRUE))
base <- sapply(strsplit(strsplit(base, ", ")[[1]], ": "), function(x) setNames(num(x[2]), x[1]))
or <- function(...) { for (x in c(...)) if (!is.na(x)) return(x); NA }
es <- function(...) { d <- escalc(...); c(d$yi, d$vi) }

rows_of <- function(e, t) { cells <- strsplit(e$inputs, " ")[[1]]; cells <- cells[startsWith(cells, paste0(t, ":"))]
  raw[[t]][unique(sub(":[^:]*$", "", sub("^[^:]*:", "", cells))), , drop = FALSE] }
half <- function(low, high, level, df) (num(high) - num(low)) / (2 * qt(1 - (1 - or(num(level), 95) / 100) / 2, df))
sd_of <- function(m) { n <- num(m$n); or(num(m$sd), num(m$se) * sqrt(n), half(m$ci_low, m$ci_high, m$ci_level, n - 1) * sqrt(n)) }
arm <- function(m, e) { if (nrow(m) == 0) m <- m[1, ] # several rows: arms that are merged (Cochrane Handbook)
  x <- lapply(seq_len(nrow(m)), function(i) list(m = num(m$mean[i]), s = sd_of(m[i, ]), n = or(num(m$n[i]), num(e))))
  if (length(x) == 1) return(x[[1]])
  m <- sapply(x, `[[`, "m"); s <- sapply(x, `[[`, "s"); n <- sapply(x, `[[`, "n"); N <- sum(n); M <- sum(n * m) / N
  list(m = M, s = sqrt(sum((n - 1) * s^2 + n * (m - M)^2) / (N - 1)), n = N) }

# D, SE and t of the reported test, by the code that provenance names; D may be that of the arms' means
test_of <- function(e, tokens, D) { c <- rows_of(e, "contrasts"); smd <- c$statistic == "smd"
  if (is.na(D) && any(smd)) D <- num(c$value[smd][1]) # its sign alone is used, with a bare p
  c <- c[!smd & c$statistic != "r", , drop = FALSE][1, ]
  paired <- is.na(num(e$n_control)) && !is.na(num(e$n_exercise))
  n1 <- or(num(c$n_exercise), num(e$n_exercise)); n2 <- or(num(c$n_control), num(e$n_control)); N <- or(n1 + n2, num(c$n_total), num(e$n_total))
  df <- if (paired) n1 - 1 else or(N - 2 - or(num(c$covariates), as.numeric(c$adjusted == "yes")), Inf)
  if (c$statistic %in% c("md", "adj_md") && !is.na(num(c$value))) D <- num(c$value)
  if (is.na(D)) { entered <- rows_of(e, "directions")[1, ]; D <- c(up = 1, down = -1)[[if (entered$direction == "") entered$arrow else entered$direction]] }
  code <- intersect(c("SE", "CI", "t", "F", "p"), tokens)[1]
  t <- switch(code, SE = D / num(c$se), CI = D / half(c$ci_low, c$ci_high, c$ci_level, df), t = num(c$value),
    F = sign(D) * sqrt(num(c$value)), p = sign(D) * qt(num(c$p) / or(num(c$tails), 2), df, lower.tail = FALSE))
  se <- switch(code, SE = num(c$se), CI = half(c$ci_low, c$ci_high, c$ci_level, df), abs(D / t))
  list(D = D, se = se, t = t, n1 = n1, n2 = n2, row = c) }
log_pct <- function(m, s, n) { c <- log(1 + (s / 100)^2 / (1 + m / 100)^2); c(log(1 + m / 100) - c / 2, c / n) }

one <- function(e) {
  r <- num(e$r); tokens <- strsplit(e$provenance, "+", fixed = TRUE)[[1]]; M <- rows_of(e, "measurements")
  side <- ifelse(M$arm_id %in% e$comparator, 2, 1); when <- ifelse(M$timepoint == "baseline", 0, 1)
  at <- function(s, w) arm(M[side == s & when == w, , drop = FALSE], c(e$n_exercise, e$n_control)[s])
  T0 <- at(1, 0); T1 <- at(1, 1); C0 <- at(2, 0); C1 <- at(2, 1); k <- paste(e$measure, e$derivation_method)
  change <- if (any(M$kind == "level") && is.na(e$comparator)) T1$m - T0$m else T1$m - or(C1$m, NA)
  if (is.na(e$comparator) && !any(M$kind == "level")) change <- T1$m
  pooled <- function(x, y) sqrt(((x$n - 1) * x$s^2 + (y$n - 1) * y$s^2) / (x$n + y$n - 2))
  test <- if (nrow(rows_of(e, "contrasts"))) test_of(e, tokens, change)
  pre_post <- function(x0, x1, ratio) { if (x0$n == x1$n)
      return(es(if (ratio) "ROMC" else "MC", m1i = x1$m, m2i = x0$m, sd1i = x1$s, sd2i = x0$s, ni = x0$n, ri = r))
    f <- if (ratio) "MNLN" else "MN"; p <- es(f, mi = x1$m, sdi = x1$s, ni = x1$n); q <- es(f, mi = x0$m, sdi = x0$s, ni = x0$n)
    c(p[1] - q[1], p[2] + q[2] - 2 * r * x0$s * x1$s / (max(x0$n, x1$n) * if (ratio) x0$m * x1$m else 1)) }
  minus <- function(p, q) c(p[1] - q[1], p[2] + q[2])
  if (k == "MD CHG" && !"TMD" %in% tokens)
    return(c(es("MD", m1i = T1$m, sd1i = T1$s, n1i = T1$n, m2i = C1$m, sd2i = C1$s, n2i = C1$n), 1))
  if (k %in% c("MD PPC", "ROM PPC")) { ratio <- e$measure == "ROM"
    return(c(minus(pre_post(T0, T1, ratio), pre_post(C0, C1, ratio)), 1)) }
  if (k == "SMD PPC") { s0 <- pooled(T0, C0); N <- T1$n + C1$n; m <- T0$n + C0$n - 2
    g <- function(x0, x1) es("SMCR", m1i = x1$m, m2i = x0$m, sd1i = s0, ni = m + 1, ri = r)[1]; y <- g(T0, T1) - g(C0, C1)
    return(c(y, minus(pre_post(T0, T1, FALSE), pre_post(C0, C1, FALSE))[2] / s0^2 + y^2 / (2 * N), 1)) }
  if (k == "SMD CHG") { f <- sqrt(2 * (1 - r))
    y <- f * es("SMD", m1i = T1$m, sd1i = T1$s, n1i = T1$n, m2i = C1$m, sd2i = C1$s, n2i = C1$n)[1]
    v <- es("MD", m1i = T1$m, sd1i = T1$s, n1i = T1$n, m2i = C1$m, sd2i = C1$s, n2i = C1$n)[2]
    return(c(y, v * f^2 / pooled(T1, C1)^2 + y^2 / (2 * (T1$n + C1$n)), 1)) }
  if (k == "SMD TST") { c <- test$row; f <- if (grepl("FUNK", e$flags)) 1 else if (c$adjusted == "yes") sqrt(1 - r^2) else if (c$score == "change") sqrt(2 * (1 - r)) else 1
    y <- es("SMD", m1i = test$t * sqrt(1 / test$n1 + 1 / test$n2), sd1i = 1, n1i = test$n1, m2i = 0, sd2i = 1, n2i = test$n2)
    return(c(f * y[1], f^2 * y[2], 1)) }
  if (k == "SMD ADJ") { s0 <- pooled(T0, C0)
    y <- es("SMD", m1i = test$D, sd1i = s0, n1i = T0$n, m2i = 0, sd2i = s0, n2i = C0$n)[1]
    return(c(y, (y * test$se / test$D)^2 + y^2 / (2 * (num(e$n_exercise) + num(e$n_control))), 1)) }
  if (k == "SMD SMCR") { f <- sqrt(2 * (1 - r)); n <- num(e$n_exercise)
    d <- if ("CHG" %in% tokens) T1$m / T1$s else test$t / sqrt(n)
    return(c(es("SMCR", m1i = d * f, m2i = 0, sd1i = 1, ni = n, ri = r), 1)) }
  if (k == "MD MC") { n <- num(e$n_exercise); s <- if (is.null(test)) T1$s else test$se * sqrt(n)
    return(c(es("MN", mi = or(change), sdi = s, ni = n), 1)) }
  D <- if (is.null(test)) T1$m - C1$m else test$D
  v <- if (is.null(test)) sum(c(T1$s, C1$s)^2 / c(T1$n, C1$n)) else test$se^2
  if ("BASE" %in% tokens) { m0 <- base[[e$site]]; return(c(log(1 + D / m0), v / (m0 + D)^2, 0)) }
  if (k %in% c("ROM CHG", "ROM ROMC")) { one_arm <- is.na(e$comparator)
    if (!is.null(test)) T1$s <- C1$s <- test$se / (if (one_arm) 1 / sqrt(T1$n) else sqrt(1 / T1$n + 1 / C1$n))
    y <- log_pct(T1$m, T1$s, T1$n); return(c(if (one_arm) y else minus(y, log_pct(C1$m, C1$s, C1$n)), 0)) }
  if (k == "ROM DIF") return(c(log(1 + D / 100), v / 100^2, 0))
  if (e$measure == "MD") return(c(D, v, 0))
  c(NA, NA, 0)
}
e <- table_of(a[2]); e$comparator[e$comparator == ""] <- NA; composite <- grepl("COMPOSITE", e$provenance)
out <- t(sapply(seq_len(nrow(e)), function(i) if (composite[i]) c(NA, NA, 0) else tryCatch(one(e[i, ]), error = function(x) { message(e$effect_id[i], ": ", conditionMessage(x)); c(NA, NA, 0) })))
rho <- num(sub(" *#.*", "", sub(".*rho: ", "", grep("^  rho: [0-9]", readLines(file.path(dir, "config.yaml")), value = TRUE)[1])))
for (i in which(composite)) { # the mean of the arms' effects; their shared part is rho of the variances
  like <- e$study_id == e$study_id[i] & e$measure == e$measure[i] & !composite & e$site == e$site[i] & e$timepoint == e$timepoint[i] &
    e$arm_id %in% strsplit(e$arm_id[i], "+", fixed = TRUE)[[1]]
  v <- out[like, 2]; out[i, ] <- c(mean(out[like, 1]), sum((rho + (1 - rho) * diag(length(v))) * sqrt(v %o% v)) / length(v)^2, min(out[like, 3])) }
write.csv(data.frame(effect_id = e$effect_id, provenance = e$provenance, escalc = out[, 3], yi = out[, 1], vi = out[, 2],
  yi_ours = num(e$yi), vi_ours = num(e$vi)), a[3], row.names = FALSE)
