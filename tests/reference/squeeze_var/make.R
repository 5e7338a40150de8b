# limma's squeezeVar on inputs.csv (from make_inputs.py); run in this folder.
# "tight": the same, its one-dimensional optimisers run to convergence.
suppressMessages({library(limma)})
inputs <- read.csv("inputs.csv")
tighten <- function() {
  held <- parent.env(asNamespace("limma"))
  put <- function(name, value) {
    unlockBinding(name, held)
    assign(name, value, held)
  }
  put("optimize", function(f, ..., tol) stats::optimize(f, ..., tol = 1e-14))
  put("uniroot", function(f, ..., tol) stats::uniroot(f, ..., tol = 1e-14))
}
number <- function(x) ifelse(is.na(x), "NA", sprintf("%.10g", x))
run <- function() {
  out <- list()
  for (case in unique(inputs$case)) for (trend in c(FALSE, TRUE)) for (robust in c(FALSE, TRUE)) for (legacy in c("old", "new")) {
    d <- inputs[inputs$case == case, ]
    s <- tryCatch(
      suppressWarnings(squeezeVar(d$var, d$df, covariate = if (trend) d$covariate, robust = robust,
        legacy = legacy == "old")),
      error = function(e) {cat(case, trend, robust, legacy, conditionMessage(e), "\n"); NULL})
    if (is.null(s)) next
    n <- nrow(d)
    out[[length(out) + 1]] <- data.frame(case = case, trend = trend, robust = robust, legacy = legacy,
      var_prior = number(rep_len(s$var.prior, n)), df_prior = number(rep_len(s$df.prior, n)), var_post = number(rep_len(s$var.post, n)))
  }
  do.call(rbind, out)
}
loose <- run()
tighten()
tight <- run()
write.csv(loose, gzfile("loose.csv.gz"), row.names = FALSE, quote = FALSE)
write.csv(tight, gzfile("tight.csv.gz"), row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo()), "session_info.txt")
