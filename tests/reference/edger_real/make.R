# edgeR on real data sets: statistics of some genes and what proves sets; run with the folder of the
# data sets as argument, where the files should be written.
suppressMessages(library(edgeR))
data <- commandArgs(trailingOnly = TRUE)[1]
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
read <- function(name) {
  samples <- read.csv(file.path(data, name, "samples.csv"), row.names = 1)
  counts <- as.matrix(read.csv(file.path(data, name, "counts.csv.gz"), row.names = 1, check.names = FALSE))
  list(counts = counts[, rownames(samples)], samples = samples)
}
questions <- list(
  airway = list(set = "airway", design = ~ celltype + dex, coef = "dextreated"),
  pasilla = list(set = "pasilla", design = ~ type + condition, coef = "conditiontreated", ref = list(condition = "untreated")),
  macrophage = list(set = "macrophage", design = ~ line_id + condition_name, coef = "condition_nameIFNg", ref = list(condition_name = "naive")),
  hapmap = list(set = "hapmap_lcl", design = ~ study + sex, coef = "sexmale", keep = function(s) s$study != "Cheung"),
  gse60450 = list(set = "gse60450_mammary", design = ~ status, coef = "statuspregnant", keep = function(s) s$cell_type == "basal"),
  seqc_lanes = list(set = "seqc_coh_lanes", design = ~ library + half, coef = "halfsecond")
)
spread <- function(d, pval, n = 90) {
  by_abundance <- order(aveLogCPM(d))
  sort(unique(c(by_abundance[round(seq(1, nrow(d), length.out = n))], order(pval)[1:10])))
}
write_table <- function(x, file, digits = 12) {
  x[] <- lapply(x, function(v) if (is.double(v)) sprintf(paste0("%.", digits, "g"), v) else v)
  out <- gzfile(file, "w"); write.csv(x, out, row.names = FALSE, quote = FALSE); close(out)
}
log10_f <- function(q) pf(q$table$F, q$df.test, q$df.total, lower.tail = FALSE, log.p = TRUE) / log(10)
log10_chi <- function(q) pchisq(q$table$LR, q$df.test, lower.tail = FALSE, log.p = TRUE) / log(10)
numbers <- NULL
for (name in names(questions)) {
  q <- questions[[name]]; s <- read(q$set); samples <- s$samples
  if (name == "seqc_lanes") samples$half <- ifelse(samples$lane %in% c("L01", "L02", "L03", "L04"), "first", "second")
  for (column in names(q$ref)) samples[[column]] <- relevel(factor(samples[[column]]), q$ref[[column]])
  keep <- if (is.null(q$keep)) rep(TRUE, nrow(samples)) else q$keep(samples)
  samples <- droplevels(samples[keep, , drop = FALSE])
  design <- model.matrix(q$design, samples)
  d <- DGEList(s$counts[, keep])
  d <- normLibSizes(d[filterByExpr(d, design), , keep.lib.sizes = FALSE])
  coef <- match(q$coef, colnames(design))
  new <- glmQLFit(d, design); ql <- glmQLFTest(new, coef = coef)
  robust <- glmQLFit(d, design, robust = TRUE); qlr <- glmQLFTest(robust, coef = coef)
  d <- estimateDisp(d, design)
  old <- glmQLFit(d, design, legacy = TRUE); qlo <- glmQLFTest(old, coef = coef)
  lrt <- glmLRT(glmFit(d, design), coef = coef)
  treat <- glmTreat(new, coef = coef, lfc = 1)
  any <- glmQLFTest(new, coef = 2:ncol(design))
  some <- spread(d, ql$table$PValue)
  write_table(data.frame(
    gene = rownames(d), ave_log_cpm = aveLogCPM(d), log2fc = ql$table$logFC,
    trended = d$trended.dispersion, tagwise = d$tagwise.dispersion,
    deviance_adj = new$deviance.adj, df_adj = new$df.residual.adj,
    s2_post = new$s2.post, F = ql$table$F, df_total = ql$df.total, log10_pval = log10_f(ql),
    F_robust = qlr$table$F, df_total_robust = qlr$df.total, log10_pval_robust = log10_f(qlr),
    F_legacy = qlo$table$F, df_total_legacy = qlo$df.total, log10_pval_legacy = log10_f(qlo),
    lr = lrt$table$LR, log2fc_lrt = lrt$table$logFC, log10_pval_lrt = log10_chi(lrt),
    treat_log10_pval = log10(treat$table$PValue), F_any = any$table$F
  )[some, ], paste0(name, ".csv.gz"))
  n_sig <- function(t) sum(p.adjust(t$table$PValue, "BH") < 0.05)
  numbers <- rbind(numbers, data.frame(
    name = name, n_genes = nrow(d), coef = q$coef, common = d$common.dispersion, prior_df = d$prior.df[1],
    dispersion = new$dispersion[1], average_ql = new$average.ql.dispersion, df_prior = median(new$df.prior),
    n_ql = n_sig(ql), n_robust = n_sig(qlr), n_legacy = n_sig(qlo), n_lrt = n_sig(lrt), n_treat = n_sig(treat), n_any = n_sig(any)
  ))
  cat(name, "\n")
}
write_table(numbers, "numbers.csv.gz", 15)
writeLines(capture.output(sessionInfo()), "session_info.txt")
