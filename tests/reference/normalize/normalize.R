# edgeR's, DESeq2's and limma's normalisation of counts.csv (samples x genes, from make_counts.py);
# run in this folder. All tables are written as samples x genes.
suppressMessages({library(edgeR); library(DESeq2); library(limma)})
write17 <- function(x, file) {
  x <- as.data.frame(x, optional = TRUE)
  x[] <- lapply(x, function(v) ifelse(is.na(v), "NA", sprintf("%.17g", v)))
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
counts <- t(as.matrix(read.csv("counts.csv", check.names = FALSE)))
colnames(counts) <- sprintf("s%d", seq_len(ncol(counts)))
group <- factor(rep(c("control", "treated"), c(4, 3)))

factors <- function(method) calcNormFactors(counts, method = method)
normalised <- function(type) {
  dds <- DESeqDataSetFromMatrix(counts, data.frame(group = group), ~ group)
  estimateSizeFactors(dds, type = type)
}
ratio <- normalised("ratio")
poscounts <- normalised("poscounts")
write17(data.frame(
  library = colSums(counts),
  tmm = factors("TMM"), rle = factors("RLE"), upper_quartile = factors("upperquartile"),
  median_ratio = sizeFactors(ratio), poscounts = sizeFactors(poscounts)
), "size_factors.csv")

y <- DGEList(counts)
write17(t(cpm(y)), "cpm.csv")
logs <- cpm(y, log = TRUE, prior.count = 2)
write17(t(logs), "logcpm.csv")
y <- calcNormFactors(y, method = "TMM")
write17(t(cpm(y)), "tmm.csv")
write17(t(cpm(y, log = TRUE, prior.count = 2)), "logcpm_tmm.csv")

write17(t(counts(ratio, normalized = TRUE)), "median_ratio.csv")
write17(t(assay(normTransform(ratio))), "log2_median_ratio.csv")
write17(t(counts(poscounts, normalized = TRUE)), "poscounts.csv")

write17(t(normalizeQuantiles(logs)), "quantile.csv")  # the zeros of a sample are tied
set.seed(1)
missing <- logs[1:60, ]
missing[sample(length(missing), 50)] <- NA
missing[, 3] <- round(missing[, 3])  # more ties
write17(t(missing), "missing.csv")
write17(t(normalizeQuantiles(missing)), "quantile_missing.csv")
writeLines(capture.output(sessionInfo()), "session_info.txt")
