# metafor's gosh on the effects of a CSV file: processor seconds per fit, for each method.
# Usage: Rscript kernel.R effects.csv REML:40 DL:2000 ... (method and number of subsets; 0 is all)
suppressMessages(library(metafor))
words <- commandArgs(trailingOnly = TRUE)
effects <- read.csv(words[1])
for (word in words[-1]) {
  parts <- strsplit(word, ":")[[1]]
  fit <- rma(yi, vi, data = effects, method = parts[1])
  n <- as.integer(parts[2])
  all <- 2^nrow(effects) - 1
  set.seed(1)
  used <- system.time(
    g <- suppressWarnings(gosh(fit, subsets = if (n == 0) all else n, progbar = FALSE))
  )
  cat(parts[1], nrow(g$res), used[["user.self"]] + used[["sys.self"]], "\n")
}
