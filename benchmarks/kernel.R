# metafor on the effects of a CSV file: processor seconds per fit, for each method; by its gosh, or
# by calls of rma itself on random subsets where the word ends in :rma.
# Usage: Rscript kernel.R effects.csv REML:40 DL:2000 REML:100:rma ... (method and number of
# subsets; 0 is all)
suppressMessages(library(metafor))
words <- commandArgs(trailingOnly = TRUE)
effects <- read.csv(words[1])
for (word in words[-1]) {
  parts <- strsplit(word, ":")[[1]]
  n <- as.integer(parts[2])
  set.seed(1)
  if (length(parts) == 3) {
    chosen <- lapply(1:n, function(i) {
      repeat {
        inside <- runif(nrow(effects)) < 0.5
        if (sum(inside) >= 2) return(effects[inside, ])
      }
    })
    used <- system.time(
      for (one in chosen) try(
        suppressWarnings(rma(yi, vi, data = one, method = parts[1], test = "knha")), silent = TRUE
      )
    )
    cat(word, n, used[["user.self"]] + used[["sys.self"]], "\n")
    next
  }
  fit <- rma(yi, vi, data = effects, method = parts[1])
  all <- 2^nrow(effects) - 1
  used <- system.time(
    g <- suppressWarnings(gosh(fit, subsets = if (n == 0) all else n, progbar = FALSE))
  )
  cat(word, nrow(g$res), used[["user.self"]] + used[["sys.self"]], "\n")
}
