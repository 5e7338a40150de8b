# Least squares gene by gene by R's lm; run where the inputs should be written.
set.seed(20240607)
options(digits = 17)
n_genes <- 60
samples <- data.frame(
  batch = factor(rep(c("a", "b"), 5)),
  condition = factor(c("ctrl", "ctrl", "ctrl", "ctrl", "x", "x", "x", "y", "y", "y")),
  age = c(31, 45, 52, 38, 60, 41, 29, 55, 47, 36)
)
mean <- runif(n_genes, 0, 14)
values <- outer(rep(1, 10), mean) + matrix(rnorm(10 * n_genes), 10) * rep(exp(rnorm(n_genes)), each = 10)
values[, 1:20] <- values[, 1:20] + outer(samples$condition == "x", rnorm(20, sd = 4))
values[, 11:30] <- values[, 11:30] + outer(samples$age, rnorm(20, sd = 0.3))
values[5:7, 41:45] <- values[5:7, 41:45] * 1e-3
colnames(values) <- sprintf("g%02d", seq_len(n_genes))
write17 <- function(x, file) {
  x[] <- lapply(x, function(v) if (is.numeric(v)) sprintf("%.17g", v) else v)
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}

fit_all <- function(formula, restricted, file) {
  rows <- list(); tests <- list()
  for (gene in colnames(values)) {
    samples$y <- values[, gene]
    fit <- lm(formula, samples)
    small <- lm(restricted, samples)
    X <- model.matrix(fit)
    s <- summary(fit)$coefficients
    bread <- solve(crossprod(X))
    meat <- crossprod(X * (residuals(fit) / (1 - hatvalues(fit))))
    hc3 <- sqrt(diag(bread %*% meat %*% bread))
    t <- s[, 3]; t_hc3 <- s[, 1] / hc3
    log10p <- function(t) (pt(-abs(t), df.residual(fit), log.p = TRUE) + log(2)) / log(10)
    rows[[gene]] <- data.frame(gene, term = rownames(s), coef = s[, 1], se = s[, 2], t,
      log10_pval = log10p(t), se_hc3 = hc3, t_hc3, log10_pval_hc3 = log10p(t_hc3))
    f <- anova(small, fit)
    tests[[gene]] <- data.frame(gene, var = summary(fit)$sigma^2, F = f$F[2], df_num = f$Df[2],
      df_den = f$Res.Df[2],
      log10_pval = pf(f$F[2], f$Df[2], f$Res.Df[2], lower.tail = FALSE, log.p = TRUE) / log(10))
  }
  write17(do.call(rbind, rows), paste0(file, "_coef.csv"))
  write17(do.call(rbind, tests), paste0(file, "_f.csv"))
  write17(as.data.frame(model.matrix(formula, cbind(samples, y = 0)), optional = TRUE), paste0(file, "_design.csv"))
}
write17(as.data.frame(values), "values.csv")
write17(samples, "samples.csv")
fit_all(y ~ batch + condition + age, y ~ batch + age, "additive")
fit_all(y ~ batch * age + condition, y ~ batch + age + condition, "interaction")
writeLines(capture.output(sessionInfo()), "session_info.txt")
