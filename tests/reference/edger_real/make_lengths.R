# edgeR with average transcript lengths as offsets, after tximport's vignette: estimated counts of
# airway by kallisto, and macrophage; run as make.R.
suppressMessages(library(edgeR))
data <- commandArgs(trailingOnly = TRUE)[1]
matrix_of <- function(path) as.matrix(read.csv(file.path(data, path), row.names = 1, check.names = FALSE))
questions <- list(
  kallisto = list(set = "airway_kallisto", counts = "est_counts.csv.gz", design = ~ celltype + dex, coef = "dextreated", ref = c("dex", "control")),
  macrophage = list(set = "macrophage", counts = "counts.csv.gz", design = ~ line_id + condition_name, coef = "condition_nameIFNg", ref = c("condition_name", "naive"))
)
write_table <- function(x, file, digits = 12) {
  x[] <- lapply(x, function(v) if (is.double(v)) sprintf(paste0("%.", digits, "g"), v) else v)
  out <- gzfile(file, "w"); write.csv(x, out, row.names = FALSE, quote = FALSE); close(out)
}
for (name in names(questions)) {
  q <- questions[[name]]
  samples <- read.csv(file.path(data, q$set, "samples.csv"), row.names = 1)
  samples[[q$ref[1]]] <- relevel(factor(samples[[q$ref[1]]]), q$ref[2])
  counts <- matrix_of(file.path(q$set, q$counts))[, rownames(samples)]
  lengths <- matrix_of(file.path(q$set, "avg_tx_length.csv.gz"))[rownames(counts), rownames(samples)]
  design <- model.matrix(q$design, samples)
  keep <- filterByExpr(DGEList(counts), design)
  counts <- counts[keep, ]; lengths <- lengths[keep, ]
  relative <- lengths / exp(rowMeans(log(lengths)))
  scaled <- counts / relative
  effective <- calcNormFactors(scaled) * colSums(scaled)
  d <- scaleOffset(DGEList(counts), log(sweep(relative, 2, effective, "*")))
  fit <- glmQLFit(d, design)
  ql <- glmQLFTest(fit, coef = match(q$coef, colnames(design)))
  some <- sort(unique(c(order(aveLogCPM(d))[round(seq(1, nrow(d), length.out = 60))], order(ql$table$PValue)[1:10])))
  write_table(data.frame(
    gene = rownames(d), ave_log_cpm = aveLogCPM(d), log2fc = ql$table$logFC, F = ql$table$F, df_total = ql$df.total,
    log10_pval = pf(ql$table$F, 1, ql$df.total, lower.tail = FALSE, log.p = TRUE) / log(10),
    s2_post = fit$s2.post, dispersion = fit$dispersion[1], n_genes = nrow(d), n_ql = sum(p.adjust(ql$table$PValue, "BH") < 0.05)
  )[some, ], paste0(name, "_lengths.csv.gz"))
}
