# Numbers that read back unchanged, and what metafor says where it stops or warns.
# The shortest of 15 to 17 significant digits that gives the same number again.
number <- function(x) {
  if (is.na(x)) return("null")
  if (is.infinite(x)) return(if (x > 0) "\"Inf\"" else "\"-Inf\"")
  for (digits in 15:17) {
    text <- formatC(x, digits = digits, format = "g", width = 1)
    if (as.numeric(text) == x) return(text)
  }
  text
}

scalar <- function(x) {
  if (is.character(x)) return(if (is.na(x)) "null" else encodeString(x, quote = "\""))
  if (is.logical(x)) return(if (is.na(x)) "null" else if (x) "true" else "false")
  number(x)
}

# A vector of one is a number; `many` marks what is an array whatever its length.
many <- function(x) structure(list(unname(x)), class = "many")

json <- function(x) {
  if (is.null(x)) return("null")
  if (inherits(x, "many")) {
    items <- if (is.list(x[[1]])) vapply(x[[1]], json, "") else vapply(x[[1]], scalar, "")
    return(paste0("[", paste(items, collapse = ", "), "]"))
  }
  if (is.list(x)) {
    keys <- encodeString(names(x), quote = "\"")
    return(paste0("{", paste0(keys, ": ", vapply(x, json, ""), collapse = ",\n"), "}"))
  }
  if (length(x) == 1) scalar(x) else json(many(x))
}

# An answer of metafor, with its warnings; where it stops, its message.
attempt <- function(expression) {
  warnings <- character()
  answer <- withCallingHandlers(
    tryCatch(expression, error = function(e) list(error = conditionMessage(e))),
    warning = function(w) {
      warnings <<- c(warnings, conditionMessage(w))
      invokeRestart("muffleWarning")
    }
  )
  if (length(warnings)) answer$warnings <- many(unique(warnings))
  answer
}

named <- function(names, f) sapply(names, f, simplify = FALSE, USE.NAMES = TRUE)

# How the answers are to be read; written into the file.
CONVENTIONS <- list(
  numbers = paste0(
    "IEEE doubles printed with 15-17 significant digits so that they round-trip; null = ",
    'NA/NaN; "Inf"/"-Inf" = infinities'
  ),
  level = "all intervals are two-sided 95%",
  estimators = paste0(
    "rma.uni(yi, vi, method=M, test=T, control=control_used). EE = common/fixed effect. ",
    "tests: z (Wald), knha (Knapp-Hartung), adhoc (Knapp-Hartung with scale factor floored at ",
    "1)."
  ),
  control_used = paste0(
    "tight: threshold=1e-14*s, maxiter=1e5, tau2.max=1e5*s, tol=1e-15*s with s=max(var(yi), ",
    "mean(vi)); metafor_default_control_tau2 holds what metafor gives with its own defaults ",
    "(threshold 1e-5 absolute, uniroot tol .Machine$double.eps^0.25, tau2.max = max(100, ",
    "10*mad(yi)^2)): it is only good to a few 1e-6"
  ),
  prediction_interval = paste0(
    "default = predict.rma's own (normal quantile for z, t_{k-1} for knha/adhoc); t_kminus1 = ",
    "pi.type='t'; HTS_t_kminus2 = pi.type='riley' (lower case: metafor 3.8 silently ignores ",
    "'Riley') (Higgins-Thompson-Spiegelhalter)"
  ),
  I2_H2 = paste0(
    "metafor's tau2-based definition with the typical variance vt = ",
    "(k-1)*sum(w)/(sum(w)^2-sum(w^2)): I2=100*tau2/(tau2+vt), H2=(tau2+vt)/vt. For EE: from ",
    "Q."
  ),
  Q_profile_95 = "confint(rma REML, control=list(tol, tau2.max)) with tight control",
  trimfill_keys = "<model>_<estimator>_<side>; side auto = trimfill's own choice via Egger slope sign",
  subgroup = paste0(
    "separate tau2 per subgroup then inverse-variance Q between; and common-tau2 moderator ",
    "model with QM (z) / F (knha)"
  ),
  error = paste0(
    'where metafor itself stops, the entry is {"error": message}; warnings are kept in ',
    '"warnings"'
  )
)
