# Rewrites metafor.json, the reference answers of the tests.
# Run in tests/oracle: Rscript metafor.R > metafor.json
# (R 4.2.2, metafor 3.8-1, metadat 1.2-0, clubSandwich 0.5.8, robumeta 2.0, numDeriv; in Debian 12:
# apt install r-cran-metafor r-cran-metadat r-cran-clubsandwich r-cran-robumeta r-cran-numderiv)
# About three minutes. On another processor the three-level and correlated-effects models, which end
# where nlminb stops, differ by up to 4e-9; everything else by less than 1e-9.
# Later releases of metafor differ in the variance of SMDH and in the bias correction of ROM.
suppressMessages({library(metafor); library(metadat); library(clubSandwich); library(robumeta)})
pdf(NULL)
for (part in c("json", "answers", "sets", "tables")) source(file.path("metafor", paste0(part, ".R")))

changes <- pre_post()
sets <- c(list(bcg_RR = bcg()), means_sets(), stored_sets(),
          list(morris2008_SMCR_difference = morris_difference(changes)), hard_sets())
datasets <- lapply(sets, answers)
# A seeded permutation test of one moderator.
set.seed(1234)
bcg_fit <- fitted(sets$bcg_RR, "REML", mods = cbind(sets$bcg_RR$moderators$ablat))
shuffled <- permutest(bcg_fit, iter = 1000, progbar = FALSE)
datasets$bcg_RR$permutest_ablat_REML_seed1234_iter1000 <-
  list(pval = shuffled$pval, QMp = shuffled$QMp)

version <- function(package) as.character(packageVersion(package))
packages <- c("metafor", "metadat", "clubSandwich", "robumeta")
cat(json(list(
  meta = list(
    title = "Meta-analysis test oracle computed with R metafor",
    R = R.version.string, packages = named(packages, version), conventions = CONVENTIONS
  ),
  datasets = datasets, multilevel_and_rve = dependent(), pre_post = changes,
  escalc_grid = escalc_grid(), invalid_inputs = invalid_inputs(), vote_counting = vote_counting()
)), "\n", sep = "")
