# How near edgeR comes to known truths, and what it finds where nothing is; prints numbers.
suppressMessages(library(edgeR))
data <- commandArgs(trailingOnly = TRUE)[1]
read <- function(name) {
  samples <- read.csv(file.path(data, name, "samples.csv"), row.names = 1)
  counts <- as.matrix(read.csv(file.path(data, name, "counts.csv.gz"), row.names = 1, check.names = FALSE))
  list(counts = counts[, rownames(samples)], samples = samples)
}
ql <- function(counts, group, contrast, ...) {
  design <- model.matrix(~ 0 + group)
  d <- DGEList(counts)
  d <- normLibSizes(d[filterByExpr(d, design), , keep.lib.sizes = FALSE])
  glmQLFTest(glmQLFit(d, design, ...), contrast = contrast)
}
s <- read("seqc_coh"); group <- factor(s$samples$group)
q <- ql(s$counts, group, c(-1, 1, 0, 0))   # B against A
t <- q$table
out <- data.frame(gene = rownames(t), log2fc = t$logFC, pval = t$PValue)
ercc <- grepl("^ERCC", out$gene)
x <- gzfile("seqc_ba.csv.gz", "w"); write.csv(out, x, row.names = FALSE, quote = FALSE); close(x)
cat("genes", nrow(out), "ercc", sum(ercc), "\n")
mix <- read.delim(file.path(data, "ercc", "ERCC_Controls_Analysis.tsv"), check.names = FALSE)
expected <- -mix[match(out$gene[ercc], mix[["ERCC ID"]]), 7]
off <- out$log2fc[ercc] - expected
cat("ercc sd", sd(off), "mean abs about median", mean(abs(off - median(off))), "median", median(off), "cor", cor(out$log2fc[ercc], expected), "\n")
y <- read("schurch_yeast"); wt <- which(y$samples$strain == "WT" & y$samples$clean == "True")
set.seed(1); splits <- NULL
for (n in c(3, 6)) for (i in 1:10) {
  chosen <- sample(wt, 2 * n)
  for (how in c("ql", "robust", "legacy")) {
    group <- factor(rep(1:2, each = n)); d0 <- y$counts[, chosen]
    design <- model.matrix(~ group); d <- DGEList(d0)
    d <- normLibSizes(d[filterByExpr(d, design), , keep.lib.sizes = FALSE])
    if (how == "legacy") d <- estimateDisp(d, design)
    p <- glmQLFTest(glmQLFit(d, design, robust = how == "robust", legacy = how == "legacy"))$table$PValue
    splits <- rbind(splits, data.frame(n = n, split = i, how = how, genes = length(p), below = mean(p < 0.05), below01 = mean(p < 0.01),
       fdr = sum(p.adjust(p, "BH") < 0.05), chosen = paste(rownames(y$samples)[chosen], collapse = " ")))
  }
}
write.csv(splits, "yeast.csv", row.names = FALSE, quote = FALSE)
print(aggregate(cbind(below, below01, fdr) ~ how + n, splits, mean))
