# The same figures as metafor draws them, timed: usage: Rscript figures.R effects.csv measure outdir
# Prints one line per figure: name and seconds of processor time for PDF, SVG and PNG together.
suppressMessages(library(metafor))
a <- commandArgs(TRUE)
e <- read.csv(a[1]); e <- e[e$measure == a[2] & e$pooled == "yes", ]; out <- a[3]
dir.create(out, showWarnings = FALSE, recursive = TRUE)
m <- rma(yi, vi, data = e, method = "REML", test = "adhoc", slab = label)
inf <- influence(m); loo <- leave1out(m); cum <- cumul(m, order = e$year)
few <- gosh(m, subsets = 4000)
odd <- which.max(abs(loo$estimate - coef(m)))
line <- rma(yi, vi, mods = ~year, data = e, method = "REML", test = "adhoc")
draw <- list(
  forest = function() forest(m, addpred = TRUE, header = TRUE, showweights = TRUE),
  funnel = function() funnel(m, level = c(90, 95, 99), refline = 0, legend = TRUE),
  baujat = function() baujat(m),
  influence_plot = function() plot(inf),
  leave_one_out_plot = function() forest(loo$estimate, sei = loo$se, slab = loo$slab),
  cumulative_plot = function() forest(cum),
  gosh_plot = function() plot(few, out = odd),
  bubble = function() regplot(line)
)
for (name in names(draw)) {
  start <- proc.time()
  for (dev in c("pdf", "svg", "png")) {
    f <- file.path(out, paste0(name, ".", dev))
    switch(dev, pdf = pdf(f, 7.2, 5), svg = svg(f, 7.2, 5), png = png(f, 2160, 1500, res = 300))
    draw[[name]](); invisible(dev.off())
  }
  t <- proc.time() - start
  cat(name, t[["user.self"]] + t[["sys.self"]], "\n")
}
