# TMMwsp, control genes and average transcript lengths in edgeR and DESeq2; after make_counts.py.
suppressMessages({library(edgeR); library(DESeq2)})
write15 <- function(x, file) {
  write.csv(format(as.data.frame(x), digits = 15, trim = TRUE), file, row.names = FALSE, quote = FALSE)
}
counts <- unname(as.matrix(read.csv("counts.csv")))
zeros <- unname(as.matrix(read.csv("sparse.csv")))
lengths <- unname(as.matrix(read.csv("lengths.csv")))

write15(data.frame(
  tmmwsp = calcNormFactors(zeros, method = "TMMwsp")
), "sparse_factors.csv")
dds <- function() DESeqDataSetFromMatrix(counts, data.frame(g = factor(rep(1:2, c(4, 3)))), ~ g)
control <- seq_len(nrow(counts)) %% 3 == 0
of_controls <- function(type) sizeFactors(estimateSizeFactors(dds(), type = type, controlGenes = control))

# tximport's vignette for edgeR
relative <- lengths / exp(rowMeans(log(lengths)))
scaled <- counts / relative
factors <- calcNormFactors(scaled)
y <- scaleOffset(DGEList(counts), log(sweep(relative, 2, factors * colSums(scaled), "*")))
write15(y$offset, "edger_offsets.csv")
write15(cpm(y), "edger_cpm.csv")

with_lengths <- dds()
assays(with_lengths)[["avgTxLength"]] <- lengths
write15(normalizationFactors(estimateSizeFactors(with_lengths)), "normalization_factors.csv")

write15(data.frame(
  tmmwsp = calcNormFactors(counts, method = "TMMwsp"), rle = calcNormFactors(counts, method = "RLE"),
  median_ratio_controls = of_controls("ratio"), poscounts_controls = of_controls("poscounts"),
  iterative = sizeFactors(estimateSizeFactors(dds(), type = "iterate")),
  tmm_lengths = factors, totals_lengths = colSums(scaled)
), "factors.csv")
gene_length <- rowMeans(lengths)
write15(rpkm(normLibSizes(DGEList(counts)), gene.length = gene_length), "rpkm.csv")
write15(rpkm(normLibSizes(DGEList(counts)), gene.length = gene_length, log = TRUE), "logrpkm.csv")
writeLines(capture.output(sessionInfo()), "session_info.txt")
