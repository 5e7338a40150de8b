# DESeq2's lfcShrink(type = "normal") and rlog, vst of counts.csv (make_inputs.py); run in this folder.
suppressMessages(library(DESeq2))
options(digits = 17)
counts <- t(as.matrix(read.csv("counts.csv", check.names = FALSE)))
samples <- read.csv("samples.csv", stringsAsFactors = TRUE)
save <- function(x, name) {
  write.csv(format(as.data.frame(x), digits = 17), name, row.names = FALSE, quote = FALSE)
}
dds <- DESeqDataSetFromMatrix(counts, samples, ~ batch + age + group)
dds <- DESeq(dds, minReplicatesForReplace = Inf, quiet = TRUE)
tight <- nbinomWaldTest(dds, useOptim = TRUE, betaTol = 1e-14, maxit = 1000)
save(data.frame(sizeFactor = sizeFactors(dds)), "size_factors.csv")
genes <- mcols(dds)[, c("baseMean", "dispFit", "dispersion")]
save(cbind(genes, coef(tight)), "genes.csv")
prior <- list()
shrunk <- data.frame(row.names = rownames(dds))
for (name in c("group_b_vs_a", "group_c_vs_a", "batch_y_vs_x", "age")) {
  res <- lfcShrink(dds, coef = name, type = "normal", quiet = TRUE)
  shrunk[[paste0(name, "_log2fc")]] <- res$log2FoldChange
  shrunk[[paste0(name, "_se")]] <- res$lfcSE
}
prior$standard <- priorInfo(res)
for (level in list(c("b", "a"), c("c", "a"), c("c", "b"))) {
  contrast <- c("group", level)
  res <- lfcShrink(
    dds, contrast = contrast, res = results(dds, contrast = contrast), type = "normal",
    quiet = TRUE
  )
  shrunk[[paste0(paste(level, collapse = "_"), "_log2fc")]] <- res$log2FoldChange
  shrunk[[paste0(paste(level, collapse = "_"), "_se")]] <- res$lfcSE
}
prior$expanded <- priorInfo(res)
save(shrunk, "shrunk.csv")
print(prior)
variances <- unlist(lapply(prior, function(p) p$betaPriorVar))
write.csv(data.frame(name = names(variances), variance = variances), "prior.csv", row.names = FALSE, quote = FALSE)
x <- c(-3, 1, 0.5, 2, -1.5, 0.1, 4, -0.2)
w <- c(1, 2, 0.5, 3, 1, 1, 0.2, 5)
probs <- c(0.1, 0.5, 0.9, 0.95)
save(data.frame(probs, quantile = DESeq2:::matchWeightedUpperQuantileForVariance(x, w, 0.05)), "quantile.csv")
writeLines(capture.output(sessionInfo()), "session_info.txt")
