# DESeq2 with average transcript lengths, as tximport gives them, on estimated counts of airway by
# kallisto (no part of this package); the argument is the folder of the data sets.
suppressMessages(library(DESeq2))
folder <- file.path(commandArgs(TRUE)[1], "airway_kallisto")
matrix_of <- function(file) as.matrix(read.csv(file.path(folder, file), row.names = 1, check.names = FALSE))
samples <- read.csv(file.path(folder, "samples.csv"), row.names = 1)
samples$dex <- relevel(factor(samples$dex), "control"); samples$celltype <- factor(samples$celltype)
counts <- round(matrix_of("est_counts.csv.gz")[, rownames(samples)])
lengths <- matrix_of("avg_tx_length.csv.gz")[rownames(counts), rownames(samples)]
dds <- DESeqDataSetFromMatrix(counts, samples, ~ celltype + dex)
assays(dds)[["avgTxLength"]] <- lengths
dds <- DESeq(dds, quiet = TRUE)
r <- as.data.frame(results(dds))
table <- data.frame(gene = rownames(r), r, dispersion = dispersions(dds), n_pval = sum(!is.na(r$pvalue)),
  n_padj = sum(!is.na(r$padj)), n_found = sum(r$padj < 0.05, na.rm = TRUE))
tested <- which(!is.na(r$padj))
some <- tested[order(r$baseMean[tested])[round(seq(1, length(tested), length.out = 60))]]
some <- sort(unique(c(some, order(r$pvalue)[1:10])))
table <- table[some, ]
table[] <- lapply(table, function(v) if (is.double(v)) sprintf("%.10g", v) else v)
out <- gzfile("kallisto.csv.gz", "w"); write.csv(table, out, row.names = FALSE, quote = FALSE); close(out)
