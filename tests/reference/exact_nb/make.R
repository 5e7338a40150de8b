# edgeR's exact test, in R alone: run in this folder.
suppressMessages(library(edgeR))
set.seed(1)
write15 <- function(x, file) {
  write.csv(format(as.data.frame(x), digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)
}
group <- rep(1:2, c(3, 4))
mean <- 10^runif(120, -0.5, 4)
fold <- ifelse(runif(120) < 0.3, 2^rnorm(120, sd = 2), 1)
dispersion <- ifelse(runif(120) < 0.15, 0, rchisq(120, 4) / 12)
dispersion[1:4] <- c(1e-6, 5, 0, 0.1)
mean[3:4] <- 5e4
mu <- outer(mean, c(0.4, 1, 1.5, 2, 0.7, 1, 1)) * ifelse(col(matrix(0, 120, 7)) > 3, fold, 1)
counts <- matrix(rnbinom(120 * 7, mu = mu, size = 1 / pmax(dispersion, 1e-6)), 120)
counts[5, ] <- 0
y <- DGEList(counts, group = group)
y$samples$norm.factors <- c(0.9, 1.1, 1, 1.2, 1, 0.8, 1 / (0.9 * 1.1 * 1.2 * 0.8))
sizes <- y$samples$lib.size * y$samples$norm.factors
rate <- exp(mglmOneGroup(counts, offset = log(sizes), dispersion = dispersion))
common <- exp(base::mean(log(sizes)))
pseudo <- q2qnbinom(counts, outer(rate, sizes), matrix(rate * common, 120, 7), dispersion)
test <- exactTest(y, dispersion = dispersion)$table
p <- test$PValue
stopifnot(all.equal(p, exactTestDoubleTail(pseudo[, 1:3], pseudo[, 4:7], dispersion)))
write15(counts, "counts.csv")
write15(data.frame(size = sizes), "sizes.csv")
write15(pseudo, "pseudo.csv")
write15(data.frame(dispersion, rate, log2fc = test$logFC, p, p_summed = exactTestDoubleTail(
  pseudo[, 1:3], pseudo[, 4:7], dispersion, big.count = Inf)), "genes.csv")
writeLines(capture.output(sessionInfo()), "session_info.txt")
