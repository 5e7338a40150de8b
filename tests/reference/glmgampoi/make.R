# DESeq2 with glmGamPoi's quasi-likelihoods on simulated counts; run where the files should be written.
suppressMessages(library(DESeq2))
set.seed(20261128)
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
write_table <- function(x, file) {
  x <- as.data.frame(x, optional = TRUE)
  x[] <- lapply(x, function(v) if (is.numeric(v)) sprintf("%.12g", v) else v)
  out <- gzfile(file, "w"); write.csv(x, out, row.names = FALSE, quote = FALSE); close(out)
}
n <- 300; m <- 9
depth <- exp(rnorm(m, 0, 0.4)); mean <- exp(rnorm(n, 3.5, 1.4)); effect <- ifelse(seq_len(n) <= 40, 3, 1)
samples <- data.frame(batch = factor(rep(1:3, 3)), group = factor(rep(1:3, each = 3)))
mu <- mean * outer(effect, samples$group == 2, "^") * rep(depth, each = n)
y <- matrix(rnbinom(n * m, mu = mu, size = 1 / (0.05 + 2 / mean)), n)
y[41:55, ] <- rpois(15 * m, mu[41:55, ])                          # no dispersion
y <- y[rowSums(y) > 0, ]
rownames(y) <- paste0("g", seq_len(nrow(y)))
write_table(t(y), "counts.csv.gz")
for (name in c("groups", "batch")) {
  full <- if (name == "groups") ~ group else ~ batch + group
  dds <- DESeqDataSetFromMatrix(y, samples, full)
  dds <- DESeq(dds, test = "LRT", reduced = if (name == "groups") ~ 1 else ~ batch, fitType = "glmGamPoi", quiet = TRUE)
  found <- as.data.frame(mcols(dds)); r <- results(dds)
  write_table(data.frame(found[c("baseMean", "dispGeneEst", "dispFit", "qlDispMLE", "qlDispFit", "qlDispMAP", "deviance")],
    stat = r$stat, pvalue = r$pvalue, padj = r$padj, log2fc = r$log2FoldChange), paste0(name, ".csv.gz"))
}
write_table(data.frame(size_factor = sizeFactors(dds)), "samples.csv.gz")
writeLines(capture.output(sessionInfo()), "session_info.txt")
