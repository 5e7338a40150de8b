# edgeR's log counts per million and its filter; run where the inputs should be written.
suppressMessages(library(edgeR))
set.seed(20240608)
write17 <- function(x, file) {
  if (is.null(colnames(x))) colnames(x) <- sprintf("g%d", seq_len(ncol(x)))
  x <- as.data.frame(x, optional = TRUE)
  x[] <- lapply(x, function(v) if (is.numeric(v)) sprintf("%.17g", v) else v)
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
simulate <- function(n_genes, depth) {
  mean <- exp(rnorm(n_genes, 1.5, 2))
  counts <- sapply(depth, function(d) rnbinom(n_genes, mu = mean * d, size = 2))
  t(counts)
}
lib <- function(counts) rowSums(counts)

small <- simulate(150, c(1, 1.3, 0.4, 2, 0.9, 1.1, 0.7))
small[, 1] <- 0
# On the edge: totals of exactly 15, and genes that need the count of the sample of median depth,
# which is exactly min.count.
small[, 2] <- c(0, 15, 0, 0, 0, 0, 0)
small[, 3] <- c(3, 2, 2, 2, 2, 2, 2)
small[, 4:9] <- 0
small[order(lib(small))[7], 4:9] <- 300
small[order(lib(small))[4], 4:9] <- 10
stopifnot(small[order(lib(small))[4], 4:9] == 10)
y <- DGEList(t(small))
y$samples$norm.factors <- c(1.1, 0.9, 1, 0.95, 1.2, 1, 0.87)
write17(small, "counts_small.csv")
write17(t(cpm(t(small), log = TRUE, prior.count = 2)), "logcpm_small.csv")
write17(t(cpm(y, log = TRUE, prior.count = 2)), "logcpm_small_norm.csv")
write17(t(cpm(t(small[1:3, 1:40]), log = TRUE, prior.count = 0.5, lib.size = c(1e4, 5e6, 123.5))), "logcpm_prior_half.csv")

large <- simulate(150, exp(rnorm(34, 0, 0.5)))
write17(large, "counts_large.csv")

group <- c("a", "a", "b", "b", "b", "c", "c")
age <- c(31, 45, 52, 38, 60, 41, 29)
group_large <- rep(c("a", "b"), c(21, 13))
age_large <- sin(seq_len(34)) * 10 + 40
design <- model.matrix(~ group + age)
design_large <- model.matrix(~ group_large + age_large)
s <- t(small); l <- t(large)
write17(design, "design_small.csv")
write17(design_large, "design_large.csv")
write17(data.frame(
  group = filterByExpr(s, group = group),
  design = filterByExpr(s, design = design),
  none = filterByExpr(s),
  intercept = filterByExpr(s, design = matrix(1, 7, 1)),
  norm = filterByExpr(y, group = group),
  counts20 = filterByExpr(s, group = group, min.count = 20, min.total.count = 100),
  zero = filterByExpr(s, group = group, min.count = 0, min.total.count = 1)
), "filter_small.csv")
write17(data.frame(
  group = filterByExpr(l, group = group_large),
  design = filterByExpr(l, design = design_large),
  none = filterByExpr(l),
  strict = filterByExpr(l, group = group_large, large.n = 5, min.prop = 0.9)
), "filter_large.csv")
writeLines(capture.output(sessionInfo()), "session_info.txt")
