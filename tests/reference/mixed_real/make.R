# Mixed models of macrophage (four treatments of cells of each of six donors) by lmerTest; the first
# argument is the folder of the data set. Run where the output should be written.
suppressMessages({library(lmerTest); library(edgeR)})
folder <- commandArgs(TRUE)[1]
options(digits = 17)
counts <- as.matrix(read.csv(gzfile(file.path(folder, "counts.csv.gz")), row.names = 1, check.names = FALSE))
samples <- read.csv(file.path(folder, "samples.csv"), row.names = 1)[colnames(counts), ]
counts <- counts[rowSums(counts >= 10) >= 4, ]
logs <- cpm(normLibSizes(DGEList(counts)), log = TRUE, prior.count = 2)
genes <- rownames(logs)[seq(1, nrow(logs), length.out = 150)]
samples$condition_name <- relevel(factor(samples$condition_name), "naive")
tight <- lmerControl(
  optCtrl = list(xtol_rel = 0, xtol_abs = 1e-13, ftol_abs = 0, ftol_rel = 0, maxeval = 1e5),
  check.conv.grad = "ignore", check.conv.singular = "ignore", check.conv.hess = "ignore"
)
rows <- lapply(genes, function(gene) {
  samples$y <- logs[gene, ]
  fit <- suppressMessages(suppressWarnings(lmer(y ~ condition_name + (1 | line_id), samples, control = tight)))
  s <- summary(fit)$coefficients["condition_nameIFNg", ]
  f <- contestMD(fit, cbind(0, diag(3)))
  data.frame(gene, coef = s[[1]], se = s[[2]], df = s[[3]], stat = s[[4]],
    log10_pval = (pt(-abs(s[[4]]), s[[3]], log.p = TRUE) + log(2)) / log(10),
    F = f[["F value"]], df_den = f$DenDF,
    log10_pval_any = pf(f[["F value"]], 3, f$DenDF, lower.tail = FALSE, log.p = TRUE) / log(10),
    singular = isSingular(fit) + 0)
})
table <- do.call(rbind, rows)
table[-1] <- lapply(table[-1], function(x) sprintf("%.12g", x))
write.csv(table, gzfile("macrophage.csv.gz"), row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo()), "session_info.txt")
