# edgeR's glmTreat with a known dispersion, and the likelihood ratios at both thresholds: in R alone.
suppressMessages(library(edgeR))
set.seed(4)
write15 <- function(x, file) {
  write.csv(format(as.data.frame(x), digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)
}
n <- 150
threshold <- 0.6
dispersion <- 0.1
batch <- c(0, 1, 0, 1, 0, 1, 0)
group <- c(0, 0, 0, 1, 1, 1, 1)
mean <- 10^runif(n, 0, 3)
mean[1] <- 3000
mu <- mean * 2^outer(rnorm(n, sd = 1.5), group) * 2^outer(rnorm(n, sd = 0.3), batch)
mu[1, ] <- 3000 * 2^(2 * group)
y <- matrix(rnbinom(n * 7, mu = mu, size = 1 / dispersion), n)
design <- cbind(1, batch, group)
d <- DGEList(y)
offset <- getOffset(d)
write15(y, "counts.csv")
write15(data.frame(batch, group, offset), "samples.csv")

one <- function(name, fit) {
  typical <- if (is.null(fit$average.ql.dispersion)) 1 else fit$average.ql.dispersion
  s2 <- if (is.null(fit$s2.post)) 1 else fit$s2.post
  effect <- fit$unshrunk.coefficients[, 3] / log(2)
  root <- function(side) {
    at <- offset + side * threshold * log(2) * group
    null <- glmFit(y, design[, 1:2], offset = at, dispersion = dispersion / typical, prior.count = 0)
    sqrt(pmax(null$deviance - fit$deviance, 0) / s2) * sign(effect - side * threshold)
  }
  df <- if (is.null(fit$df.prior)) Inf else pmin(fit$df.prior + fit$df.residual, sum(fit$df.residual))
  p <- function(null) glmTreat(fit, coef = 3, lfc = threshold, null = null)$table$PValue
  write15(data.frame(effect, low = root(-1), high = root(1), df, worst_case = p("worst.case"),
    interval = p("interval")), paste0(name, ".csv"))
}
one("lrt", glmFit(d, design, dispersion = dispersion))
one("ql", glmQLFit(d, design, dispersion = dispersion))
writeLines(capture.output(sessionInfo()), "session_info.txt")
