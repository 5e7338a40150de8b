# edgeR, limma-voom and DESeq2 (no part of this package) on sums of counts of single cells, each cell
# type by itself: make.R INPUT, with the tables of make_inputs.py there. Genes are chosen by
# filterByExpr; libraries and size factors are of all genes. DESeq2 has its own tolerances: with tight
# ones its ascent falls short in 1 of 10 genes of 4 samples, and moves the trend by 3%. genes.csv.gz
# keeps the 40 best genes by edgeR and 40 spread over the others; numbers.csv has what proves sets.
suppressMessages({library(edgeR); library(DESeq2)})
folder <- commandArgs(TRUE)[1]
ln10 <- log(10)
genes <- numbers <- NULL
for (file in sort(list.files(folder, "csv$"))) {
  about <- readLines(file.path(folder, sub("csv$", "txt", file)))
  counts <- as.matrix(read.csv(file.path(folder, file), row.names = 1, check.names = FALSE))
  group <- sub(".* ", "", colnames(counts))
  reference <- if (about[1] == "kang_muscat") "ctrl" else "WT"
  group <- relevel(factor(group), reference)
  design <- model.matrix(~ group)
  y <- DGEList(counts)
  keep <- filterByExpr(y, group = group)
  y <- normLibSizes(y)[keep, , keep.lib.sizes = TRUE]
  fit <- glmQLFit(y, design)
  ql <- glmQLFTest(fit)
  log10_ql <- pf(ql$table$F, 1, ql$df.total, lower.tail = FALSE, log.p = TRUE) / ln10
  v <- eBayes(lmFit(voom(y, design), design))
  log10_voom <- (log(2) + pt(abs(v$t[, 2]), v$df.total, lower.tail = FALSE, log.p = TRUE)) / ln10
  voom_log2fc <- v$coefficients[, 2]
  d <- estimateSizeFactors(DESeqDataSetFromMatrix(counts, data.frame(group), ~ group))[keep, ]
  d <- nbinomWaldTest(estimateDispersions(d, quiet = TRUE), quiet = TRUE)
  r <- results(d)
  padj_ql <- p.adjust(ql$table$PValue, "BH")
  by_p <- order(ql$table$PValue)
  rest <- by_p[-(1:40)]
  some <- sort(c(by_p[1:40], rest[round(seq(1, length(rest), length.out = 40))]))
  best <- rank(ql$table$PValue, ties.method = "first")
  table <- data.frame(data = about[1], stratum = about[2], gene = rownames(y), edger_rank = best,
    edger_log2fc = ql$table$logFC, edger_F = ql$table$F, edger_df = ql$df.total,
    edger_log10_pval = log10_ql, edger_padj = padj_ql,
    voom_log2fc, voom_t = v$t[, 2], voom_log10_pval = log10_voom,
    deseq2_log2fc = r$log2FoldChange, deseq2_se = r$lfcSE, deseq2_stat = r$stat)[some, ]
  genes <- rbind(genes, table)
  numbers <- rbind(numbers, data.frame(data = about[1], stratum = about[2], n_samples = ncol(counts),
    n_kept = sum(keep), edger_005 = sum(padj_ql < 0.05),
    voom_005 = sum(p.adjust(v$p.value[, 2], "BH") < 0.05),
    deseq2_005 = sum(r$padj < 0.05, na.rm = TRUE), edger_prior_df = fit$df.prior[1]))
}
genes[] <- lapply(genes, function(v) if (is.double(v)) sprintf("%.10g", v) else v)
con <- gzfile(file.path(folder, "genes.csv.gz"), "w"); write.csv(genes, con, row.names = FALSE, quote = FALSE); close(con)
write.csv(numbers, file.path(folder, "numbers.csv"), row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo()), file.path(folder, "session_info.txt"))
