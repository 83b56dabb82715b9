# Tables from other sources: from R package metadat (GPL; only the columns needed are kept), and two
# as other programs exported them; and metafor's pools of them. Run in this folder: Rscript pools.R
suppressMessages({library(metadat); library(metafor)})

pools <- list()
keep <- function(name, table, effects, ...) {
  write.csv(table, paste0(name, ".csv"), row.names = FALSE, quote = TRUE, na = "NA", ...)
  pool(name, effects)
}
pool <- function(name, effects) {
  fit <- rma(yi, vi, data = effects, method = "REML", test = "z",
             control = list(threshold = 1e-14, maxiter = 10000))
  pools[[name]] <<- list(k = fit$k, estimate = fit$beta[[1]], se = fit$se, tau2 = fit$tau2)
}

michael <- dat.michael2013[, c("Study", "No_brain_n", "No_brain_m", "No_brain_s", "Brain_n",
                               "Brain_m", "Brain_s")]
keep("michael2013", michael, escalc("SMD", m1i = Brain_m, sd1i = Brain_s, n1i = Brain_n,
     m2i = No_brain_m, sd2i = No_brain_s, n2i = No_brain_n, data = michael))

# One row of each paper: the effects are independent. A log ratio needs mean * sqrt(n) / SD of at
# least 3 in each arm (Geary's rule, M3.8), which two of them lack.
curtis <- dat.curtis1998[!duplicated(dat.curtis1998$paper),
                         c("paper", "m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]
keep("curtis1998", curtis, escalc("ROM", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i,
     sd2i = sd2i, n2i = n2i, data = subset(curtis, m1i * sqrt(n1i) / sd1i >= 3 &
                                           m2i * sqrt(n2i) / sd2i >= 3)))

# Changes of HbA1c, rosiglitazone against placebo, side by side.
senn <- subset(dat.senn2013, comment == "change")
wide <- merge(subset(senn, treatment == "rosiglitazone"), subset(senn, treatment == "placebo"),
              by = "study", sort = TRUE)
wide <- data.frame(trial = wide$study, change_mean_t = wide$mi.x, change_sd_t = wide$sdi.x,
                   n_t = wide$ni.x, change_mean_c = wide$mi.y, change_sd_c = wide$sdi.y,
                   n_c = wide$ni.y)
keep("senn2013", wide, escalc("MD", m1i = change_mean_t, sd1i = change_sd_t, n1i = n_t,
     m2i = change_mean_c, sd2i = change_sd_c, n2i = n_c, data = wide))

# Means with standard errors; one row of each study that has both groups.
besson <- subset(dat.besson2016, measure == "Rearing" & exp_mean > 0 & con_mean > 0)
besson <- besson[!duplicated(besson$study_ID), ]
besson <- data.frame(study = besson$study_ID, exp_mean = besson$exp_mean, exp_se = besson$exp_se,
                     exp_n = besson$exp_n, con_mean = besson$con_mean, con_se = besson$con_se,
                     con_n = besson$con_n)
keep("besson2016", besson, escalc("SMD", m1i = exp_mean, sd1i = exp_se * sqrt(exp_n), n1i = exp_n,
     m2i = con_mean, sd2i = con_se * sqrt(con_n), n2i = con_n, data = besson))

# Ready effects with their standard errors.
ready <- dat.baskerville2012[, c("author", "year", "smd", "se")]
keep("baskerville2012", ready, data.frame(yi = ready$smd, vi = ready$se^2))

# One row per arm: mean changes with SE, of the studies with one treatment and one control.
control <- c("No treatment", "Placebo", "TAU", "Wait list")
lopez <- dat.lopez2019[, c("study", "treatment", "n", "diff", "se")]
ours <- sapply(split(lopez$treatment %in% control, lopez$study), function(of) sum(of) == 1 &&
               length(of) == 2)
lopez <- lopez[lopez$study %in% names(ours)[ours], ]
arms <- merge(lopez[!(lopez$treatment %in% control), ], lopez[lopez$treatment %in% control, ],
              by = "study", sort = TRUE)
keep("lopez2019", lopez, data.frame(yi = arms$diff.x - arms$diff.y,
                                    vi = arms$se.x^2 + arms$se.y^2))

# Ready log ratios of means with their variances, and the same as ratios with limits.
cold <- subset(dat.dagostino1998, outcome == "rnic1")
cold <- summary(escalc("ROM", m1i = mt, sd1i = sdt, n1i = nt, m2i = mc, sd2i = sdc, n2i = nc,
                       data = cold))
named <- data.frame(study = paste(cold$drug, cold$study))
keep("dagostino1998", cbind(named, lnRR = cold$yi, vi = cold$vi), cold)
keep("dagostino1998_ratios", cbind(named, ratio = exp(cold$yi), ci.lb = exp(cold$ci.lb),
                                   ci.ub = exp(cold$ci.ub)), cold)

# Comprehensive Meta-Analysis: heads and numbers of Registered Replication Report 4
# (osf.io/54nza, doi.org/10.1177/1745691616652873); the SEs and other effects are left out.
cma <- read.csv("cma.csv", check.names = FALSE)
pool("cma", escalc("SMD", m1i = cma$"Ego Depletion Mean", sd1i = cma$"Ego Depletion Std Dev",
                   n1i = cma$"Ego Depletion Sample size", m2i = cma$"Control Mean",
                   sd2i = cma$"Control Std-Dev", n2i = cma$"Control Sample size"))

# Covidence: the studies of two arms in the extraction of a review of temporal discounting over age
# (Seaman, github.com/klsea/time_prefs_meta); the pool is of those with a mean and a spread.
arms <- read.csv("covidence.csv")
filled <- function(name) apply(arms[grepl(paste0("Discounting.Baseline.", name, "(\\.\\d+)?$"),
  names(arms), ignore.case = TRUE)], 1, function(cells) c(na.omit(cells), NA)[1])
arms <- data.frame(study = arms$Study.Identifier, older = arms$Intervention == "Older",
                   m = filled("mean"), n = filled("n"),
                   sd = ifelse(is.na(filled("sd")), filled("se") * sqrt(filled("n")), filled("sd")))
arms <- merge(arms[arms$older, ], arms[!arms$older, ], by = "study")
pool("covidence", escalc("SMD", m1i = m.x, sd1i = sd.x, n1i = n.x, m2i = m.y, sd2i = sd.y,
                         n2i = n.y, data = na.omit(arms)))

cat(jsonlite::toJSON(pools, digits = NA, auto_unbox = TRUE, pretty = TRUE), file = "pools.json")
