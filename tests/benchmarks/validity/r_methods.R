# R's own methods on the data sets that r_side.py has written into the folder given.
suppressMessages({library(edgeR); library(DESeq2)})
folder <- commandArgs(TRUE)[1]
index <- read.csv(file.path(folder, "index.csv"))

answers <- function(counts, samples) {
  design <- reformulate(c(setdiff(names(samples), "condition"), "condition"))
  X <- model.matrix(design, samples)
  last <- ncol(X)
  y <- normLibSizes(DGEList(counts))
  ql <- glmQLFTest(glmQLFit(y, X), coef = last)$table$PValue
  lrt <- glmLRT(glmFit(estimateDisp(y, X), X), coef = last)$table$PValue
  voomed <- eBayes(lmFit(voom(y, X), X))$p.value[, last]
  trend <- eBayes(lmFit(cpm(y, log = TRUE), X), trend = TRUE)$p.value[, last]
  dds <- suppressMessages(DESeq(DESeqDataSetFromMatrix(counts, samples, design), quiet = TRUE))
  deseq2 <- results(dds, name = "condition_treated_vs_control")
  p <- list(edger = ql, edger_lrt = lrt, limma_voom = voomed, limma = trend)
  adjusted <- lapply(p, p.adjust, "BH")
  list(p = c(p, list(deseq2 = deseq2$pvalue)), padj = c(adjusted, list(deseq2 = deseq2$padj)))
}

for (i in seq_len(nrow(index))) {
  at <- function(what) file.path(folder, paste0(index$id[i], "_", what))
  n <- index$n_genes[i]
  counts <- matrix(readBin(at("counts.bin"), "integer", n * index$n_obs[i]), n)
  samples <- read.csv(at("samples.csv"), stringsAsFactors = TRUE)
  rownames(counts) <- seq_len(n)
  colnames(counts) <- rownames(samples) <- paste0("s", seq_len(ncol(counts)))
  found <- answers(counts, samples)
  writeBin(as.double(unlist(c(found$p, found$padj))), at("answers.bin"))
  writeLines(names(found$p), at("methods.txt"))
}
