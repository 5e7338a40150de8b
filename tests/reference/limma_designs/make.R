# limma on real designs; run in this folder with the data sets' folder as argument. Only statistics
# of some genes are written. Contrasts are coefficients of designs made for them.
suppressMessages({library(edgeR); library(limma); library(statmod)})
data <- commandArgs(TRUE)[1]
held <- parent.env(asNamespace("limma"))
for (name in c("optimize", "uniroot")) unlockBinding(name, held)  # run to convergence
assign("optimize", function(f, ..., tol) stats::optimize(f, ..., tol = 1e-14), held)
assign("uniroot", function(f, ..., tol) stats::uniroot(f, ..., tol = 1e-14), held)
space <- asNamespace("statmod")
gamma_fit <- get("glmgam.fit", space)
unlockBinding("glmgam.fit", space)
assign("glmgam.fit", function(..., maxit, tol) gamma_fit(..., maxit = 300, tol = 1e-11), space)

read <- function(name) {
  counts <- as.matrix(read.csv(file.path(data, name, "counts.csv.gz"), row.names = 1, check.names = FALSE))
  samples <- read.csv(file.path(data, name, "samples.csv"), row.names = 1, stringsAsFactors = TRUE)
  y <- DGEList(counts[rowSums(counts >= 10) >= 4, ])  # a rule that needs no design
  list(y = normLibSizes(y), samples = samples)
}
number <- function(x) ifelse(is.na(x), "NA", sprintf("%.11g", x))
write <- function(fits, file, ranks = list()) {
  n <- nrow(fits[[1]])
  some <- round(seq(1, n, length.out = 100))
  out <- data.frame(gene = rownames(fits[[1]])[some])
  summary <- data.frame(test = character(), significant = integer(), up = integer())
  for (name in names(fits)) {
    fit <- fits[[name]]
    coef <- attr(fit, "tested")
    log10_pval <- (pt(abs(fit$t[, coef]), fit$df.total, lower.tail = FALSE, log.p = TRUE) + log(2)) / log(10)
    columns <- data.frame(log2fc = fit$coefficients[, coef], stat = fit$t[, coef], log10_pval = log10_pval, lods = fit$lods[, coef])[some, ]
    names(columns) <- paste(name, names(columns), sep = ".")
    columns[] <- lapply(columns, number)
    out <- cbind(out, columns)
    significant <- p.adjust(fit$p.value[, coef], "BH") < 0.05
    summary <- rbind(summary, data.frame(test = name, significant = sum(significant), up = sum(significant & fit$t[, coef] > 0)))
  }
  write.csv(out, paste0(file, ".csv"), row.names = FALSE, quote = FALSE)
  write.csv(summary, paste0(file, "_summary.csv"), row.names = FALSE, quote = FALSE)
}
tested <- function(fit, coef) {attr(fit, "tested") <- coef; fit}

m <- read("macrophage")
m$samples$ifng <- as.integer(grepl("IFNg", m$samples$condition_name))
m$samples$salmonella <- as.integer(grepl("SL1344", m$samples$condition_name))
d <- model.matrix(~ line_id + ifng * salmonella, m$samples)
logs <- cpm(m$y, log = TRUE)
voomed <- eBayes(lmFit(voom(m$y, d), d))
write(list(
  voom_interaction = tested(voomed, 9), voom_ifng = tested(voomed, 7),
  trend_interaction = tested(eBayes(lmFit(logs, d), trend = TRUE), 9),
  robust_interaction = tested(eBayes(lmFit(logs, d), trend = TRUE, robust = TRUE), 9)
), "macrophage")

g <- read("gse60450_mammary")
g$samples$status <- relevel(g$samples$status, "virgin")
d <- model.matrix(~ cell_type * status, g$samples)
voomed <- eBayes(lmFit(voom(g$y, d), d))
quality <- eBayes(lmFit(voomWithQualityWeights(g$y, d), d))
write(list(
  voom_luminal_lactating = tested(voomed, 5), voom_luminal_pregnant = tested(voomed, 6),
  quality_luminal_lactating = tested(quality, 5),
  robust_luminal_lactating = tested(eBayes(lmFit(cpm(g$y, log = TRUE), d), trend = TRUE, robust = TRUE), 5)
), "gse60450_mammary")

p <- read("pasilla")
d <- model.matrix(~ type + condition, p$samples)
write(list(voom = tested(eBayes(lmFit(voom(p$y, d), d)), 3), trend = tested(eBayes(lmFit(cpm(p$y, log = TRUE), d), trend = TRUE), 3)), "pasilla")

h <- read("hapmap_lcl")
h$y <- normLibSizes(DGEList(h$y$counts[seq(1, nrow(h$y), by = 8), ]))  # R takes long over a gene
d <- model.matrix(~ study + sex, h$samples)
person <- h$samples$individual
logs <- cpm(h$y, log = TRUE)
r <- duplicateCorrelation(logs, d, block = person)$consensus.correlation
trend <- eBayes(lmFit(logs, d, block = person, correlation = r), trend = TRUE)
v <- voom(h$y, d)
r1 <- duplicateCorrelation(v, d, block = person)$consensus.correlation
v <- voom(h$y, d, block = person, correlation = r1)
r2 <- duplicateCorrelation(v, d, block = person)$consensus.correlation
voomed <- eBayes(lmFit(v, d, block = person, correlation = r2))
write(list(trend_sex = tested(trend, 4), voom_sex = tested(voomed, 4), voom_study = tested(voomed, 2)), "hapmap_lcl")
writeLines(number(c(trend = r, voom = r2)), "hapmap_lcl_correlations.txt")
writeLines(capture.output(sessionInfo()), "session_info.txt")
