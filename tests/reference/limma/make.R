# limma's lmFit, eBayes and treat on the tables of make_inputs.py; run in this folder.
#
# contrasts.fit is approximate for weights or gaps of a gene's own, so each contrast is a
# coefficient of a design made for it. F tests with weights take the covariance of each gene.
suppressMessages({library(limma); library(statmod)})
held <- parent.env(asNamespace("limma"))
for (name in c("optimize", "uniroot")) unlockBinding(name, held)  # both are run to convergence
assign("optimize", function(f, ..., tol) stats::optimize(f, ..., tol = 1e-14), held)
assign("uniroot", function(f, ..., tol) stats::uniroot(f, ..., tol = 1e-14), held)

samples <- read.csv("samples.csv", stringsAsFactors = TRUE)
samples$batch <- factor(samples$batch)
read_matrix <- function(file) t(as.matrix(read.csv(file)))
full <- read_matrix("values.csv.gz")
gaps <- read_matrix("gaps.csv.gz")
weights <- read_matrix("weights.csv.gz")
sample_weights <- c(1, 2, 0.5, 1, 1, 3, 0.2, 1, 1.5, 1, 1, 0.8)
gene_weights <- weights[, 1]

first <- model.matrix(~ batch + condition, samples)  # b - a, c - a
samples$from_b <- relevel(samples$condition, "b")
second <- model.matrix(~ batch + from_b, samples)  # c - b
curve <- model.matrix(~ condition + poly(age, 2), samples)
few <- c(1, 2, 5, 6)
narrow <- model.matrix(~ batch + condition, droplevels(samples[few, ]))

designs <- list(first = first, second = second, curve = curve, narrow = narrow)
for (d in names(designs)) write.csv(apply(unname(designs[[d]]), 2, sprintf, fmt = "%.17g"), paste0("design_", d, ".csv"), row.names = FALSE, quote = FALSE)
number <- function(x) ifelse(is.na(x), "NA", sprintf("%.11g", x))
write_gz <- function(x, file) {
  con <- gzfile(file)
  write.csv(x, con, row.names = FALSE, quote = FALSE)
}
log10_t <- function(t, df) (pt(abs(t), df, lower.tail = FALSE, log.p = TRUE) + log(2)) / log(10)
statistics <- function(fit, coef, name) {
  margin <- qt(0.975, fit$df.total) * sqrt(fit$s2.post) * fit$stdev.unscaled[, coef]
  out <- data.frame(coef = fit$coefficients[, coef], se = sqrt(fit$s2.post) * fit$stdev.unscaled[, coef],
    t = fit$t[, coef], log10_pval = log10_t(fit$t[, coef], fit$df.total), lods = fit$lods[, coef],
    low = fit$coefficients[, coef] - margin, high = fit$coefficients[, coef] + margin)
  setNames(out, paste(name, names(out), sep = "."))
}
treated <- function(fit, coef, trend, robust) {
  tr <- treat(fit, lfc = 0.4, trend = trend, robust = robust)
  se <- sqrt(tr$s2.post) * tr$stdev.unscaled[, coef]
  size <- abs(tr$coefficients[, coef])
  log10_p <- function(x) pt(x, tr$df.total, lower.tail = FALSE, log.p = TRUE)
  a <- log10_p((size - 0.4) / se); b <- log10_p((size + 0.4) / se)
  data.frame(treat.t = tr$t[, coef], treat.log10_pval = (pmax(a, b) + log1p(exp(-abs(a - b)))) / log(10))
}
exact_f <- function(y, design, coefs, w, s2, cormatrix) {
  sapply(seq_len(nrow(y)), function(j) {
    use <- is.finite(y[j, ])
    X <- design[use, , drop = FALSE]
    if (sum(use) == 0 || qr(X)$rank < ncol(X)) return(NA)
    root <- sqrt(w[j, use])
    half <- t(chol(cormatrix[use, use, drop = FALSE]))
    A <- forwardsolve(half, root * X)
    cov <- chol2inv(qr.R(qr(A)))
    b <- drop(cov %*% crossprod(A, forwardsolve(half, root * y[j, use])))[coefs]
    drop(b %*% solve(cov[coefs, coefs], b)) / length(coefs) / s2[j]
  })
}
run <- function(name, y, w = NULL, block = NULL, correlation = NULL, trend = FALSE, robust = FALSE,
                designs = list(first = first, second = second), tested = list(first = c(b_a = 3, c_a = 4), second = c(c_b = 4)), f = 3:4) {
  out <- NULL
  for (d in names(designs)) {
    fit <- suppressWarnings(lmFit(y, designs[[d]], weights = w, block = block, correlation = correlation))
    good <- is.finite(fit$Amean)
    if (trend || robust) stopifnot(all(good))
    bayes <- suppressWarnings(eBayes(fit, trend = trend, robust = robust))
    if (is.null(out)) {
      out <- data.frame(sigma = fit$sigma, df = fit$df.residual, mean = fit$Amean, var_post = bayes$s2.post,
        var_prior = rep_len(bayes$s2.prior, nrow(y)), df_prior = rep_len(bayes$df.prior, nrow(y)), df_total = bayes$df.total)
      out <- cbind(out, suppressWarnings(treated(fit, tested[[d]][1], trend, robust)))
      if (!is.null(f)) {
        every <- if (is.null(w)) matrix(1, nrow(y), ncol(y)) else asMatrixWeights(w, dim(y))
        cormatrix <- diag(ncol(y))
        if (!is.null(block)) {cormatrix <- correlation * outer(block, block, "=="); diag(cormatrix) <- 1}
        out$f <- exact_f(y, designs[[d]], f, every, bayes$s2.post, cormatrix)
        out$f.log10_pval <- pf(out$f, length(f), bayes$df.total, lower.tail = FALSE, log.p = TRUE) / log(10)
      }
    }
    for (k in seq_along(tested[[d]])) out <- cbind(out, statistics(bayes, tested[[d]][k], names(tested[[d]])[k]))
  }
  out[] <- lapply(out, number)
  write_gz(out, paste0(name, ".csv.gz"))
}
run("plain", full)
run("trend", full, trend = TRUE)
run("robust", full, robust = TRUE)
run("trend_robust", full, trend = TRUE, robust = TRUE)
run("missing", gaps)
some <- setdiff(seq_len(nrow(gaps)), 61)  # limma's trend needs a mean of every gene
run("missing_trend", gaps[some, ], trend = TRUE)
run("sample_weights", full, w = sample_weights)
run("gene_weights", full, w = gene_weights)
run("obs_weights", full, w = weights, trend = TRUE)
run("weights_missing", gaps, w = weights)
run("curve", full, designs = list(curve = curve), tested = list(curve = c(age2 = 5)), f = 4:5)
run("residual_one", full[, few], designs = list(narrow = narrow), tested = list(narrow = c(b_a = 3)), f = NULL)
person <- samples$person
run("block", full, block = person, correlation = 0.35)
run("block_weights_missing", gaps, w = weights, block = person, correlation = 0.35)
run("block_negative", full, block = person, correlation = -0.2, w = sample_weights)
# Splines by formulas: F of all their terms, which does not depend on how a space is spanned.
f_of <- function(design, coefs) {
  fit <- eBayes(lmFit(full, design), trend = TRUE)
  topTable(fit, coef = coefs, number = Inf, sort.by = "none")$F
}
library(splines)
splines <- data.frame(bs = f_of(model.matrix(~ condition + bs(age, df = 4), samples), 4:7),
  ns = f_of(model.matrix(~ condition + ns(age, df = 3), samples), 4:6))
splines[] <- lapply(splines, number)
write_gz(splines, "splines.csv.gz")
writeLines(capture.output(sessionInfo()), "session_info.txt")
