# What edgeR makes of unit deviances: run in this folder after make_counts.py.
# unit.csv: edgeR's mean and variance of unit deviances, out of its ratios and degrees of freedom.
suppressMessages(library(edgeR))
write15 <- function(x, file) {
  write.csv(format(as.data.frame(x), digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)
}
moments <- function(dispersion, mu, e = 0.01) {
  y <- rbind(c(mu * (1 - e), mu * (1 + e)))[rep(1, 3), ]  # less varied than Poisson: no rescaling
  fit <- glmQLFit(y, matrix(1, ncol(y), 1), dispersion = dispersion, lib.size = c(mu, mu),
    keep.unit.mat = TRUE, abundance.trend = FALSE)
  stopifnot(fit$average.ql.dispersion == 1)
  k <- seq_along(mu)
  ratio <- (fit$unit.deviance.adj / nbinomUnitDeviance(y, fit$fitted.values, dispersion))[1, k]
  df <- (fit$unit.df.adj / (1 - fit$leverage))[1, k]
  data.frame(dispersion, mu = fit$fitted.values[1, k], mean = df / ratio, var = 2 * df / ratio^2)
}
mu <- 10^seq(-4, 4, by = 0.2)
write15(do.call(rbind, lapply(c(0, 0.01, 0.1, 0.3, 0.5, 1, 2, 3), moments, mu = mu)), "unit.csv")

counts <- as.matrix(read.csv("counts.csv"))
design <- cbind(1, rep(0:1, each = 5), rep(c(-1, 0.5, 0, 2, -1.5), 2))
y <- normLibSizes(DGEList(counts))
write_fit <- function(name, ...) {
  fit <- glmQLFit(y, design, keep.unit.mat = TRUE, ...)
  first <- glmFit(y, design, dispersion = fit$dispersion)
  write15(fit$fitted.values, paste0(name, "_mu.csv"))
  write15(first$fitted.values, paste0(name, "_mu_first.csv"))
  write15(fit$leverage, paste0(name, "_leverage.csv"))
  write15(data.frame(abundance = y$AveLogCPM <- aveLogCPM(y), deviance = fit$deviance.adj,
    df = fit$df.residual.adj, dispersion = fit$dispersion), paste0(name, "_genes.csv"))
  c(typical = fit$average.ql.dispersion, dispersion = fit$dispersion[1])
}
scalars <- rbind(write_fit("common"), write_fit("given", dispersion = 0.05))
write15(data.frame(fit = c("common", "given"), scalars), "scalars.csv")
weights <- matrix(c(2, 0.5, 1, 1, 3), nrow(y), 10, byrow = TRUE)
fit <- glmQLFit(y$counts, design, dispersion = 0.1, offset = getOffset(y), weights = weights,
  keep.unit.mat = TRUE)
write15(fit$fitted.values, "weighted_mu.csv")
write15(fit$leverage, "weighted_leverage.csv")
write15(data.frame(deviance = fit$deviance.adj, df = fit$df.residual.adj,
  typical = fit$average.ql.dispersion), "weighted_genes.csv")

# The common dispersion is that of the abundant genes: how many, by number of genes and df
top <- expand.grid(n_vars = c(25, 150, 1000, 20000, 60000), df_residual = c(1, 3, 8, 100))
top$proportion <- chooseLowessSpan(top$n_vars * sqrt(top$df_residual), small.n = 20, min.span = 0.02)
write15(top, "top.csv")
abundant <- order(aveLogCPM(y), decreasing = TRUE)[
  seq_len(ceiling(nrow(y) * chooseLowessSpan(nrow(y) * sqrt(7), small.n = 20, min.span = 0.02)))]
stopifnot(all.equal(scalars[1, "dispersion"], estimateGLMCommonDisp(y$counts[abundant, ], design,
  offset = getOffset(y), AveLogCPM = aveLogCPM(y)[abundant]), check.attributes = FALSE))
writeLines(capture.output(sessionInfo()), "session_info.txt")
