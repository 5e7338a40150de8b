# limma's voom, arrayWeights and duplicateCorrelation on counts.csv.gz (from make_inputs.py) and on
# the tables in ../limma; run in this folder.
suppressMessages({library(limma); library(statmod)})
samples <- read.csv("../limma/samples.csv", stringsAsFactors = TRUE)
read_matrix <- function(file) t(as.matrix(read.csv(file)))
counts <- read_matrix("counts.csv.gz")
full <- read_matrix("../limma/values.csv.gz")
gaps <- read_matrix("../limma/gaps.csv.gz")
weights <- read_matrix("../limma/weights.csv.gz")
design <- model.matrix(~ batch + condition, samples)
person <- samples$person
lib <- colSums(counts) * c(1, 0.9, 1.1, 1, 1.2, 1, 0.8, 1, 1, 1.05, 1, 1)
number <- function(x) ifelse(is.na(x), "NA", sprintf("%.11g", x))
write_gz <- function(x, file) {
  x <- as.data.frame(x)
  x[] <- lapply(x, number)
  con <- gzfile(file)
  write.csv(x, con, row.names = FALSE, quote = FALSE)
}
first <- 1:40  # genes whose weights are written
v <- voom(counts, design, lib.size = lib, save.plot = TRUE)
write_gz(cbind(t(v$weights[first, ])), "weights_voom.csv.gz")
write_gz(data.frame(x = v$voom.xy$x, y = v$voom.xy$y, line_x = v$voom.line$x, line_y = v$voom.line$y), "trend_voom.csv.gz")
adaptive <- voom(counts, design, lib.size = lib, adaptive.span = TRUE)
write_gz(t(adaptive$weights[first, ]), "weights_adaptive.csv.gz")
blocked <- voom(counts, design, lib.size = lib, block = person, correlation = 0.3)
write_gz(t(blocked$weights[first, ]), "weights_block.csv.gz")
quality <- voomWithQualityWeights(counts, design, lib.size = lib)
write_gz(t(quality$weights[first, ]), "weights_quality.csv.gz")

good <- setdiff(seq_len(nrow(full)), 41:43)
tight <- function(...) arrayWeights(..., maxiter = 500, tol = 1e-14)
samplewise <- data.frame(
  reml = tight(full[good, ], design, method = "reml"),
  reml_no_prior = tight(full[good, ], design, method = "reml", prior.n = 0),
  reml_default = arrayWeights(full[good, ], design),
  reml_constant_genes = tight(full, design, method = "reml"),
  gene_by_gene = arrayWeights(full[good, ], design, method = "genebygene"),
  gene_by_gene_constant_genes = arrayWeights(full, design, method = "genebygene"),
  gene_by_gene_prior = arrayWeights(full[good, ], design, method = "genebygene", prior.n = 3),
  gene_by_gene_gaps = arrayWeights(gaps, design),
  gene_by_gene_weights = arrayWeights(full[good, ], design, weights = weights[good, ]),
  gene_by_gene_both = arrayWeights(gaps, design, weights = weights),
  reml_group = tight(full[good, ], design, var.group = samples$batch, method = "reml"),
  gene_by_gene_group = arrayWeights(full[good, ], design, var.group = samples$batch, method = "genebygene"),
  quality = quality$targets$sample.weights
)
write_gz(samplewise, "array_weights.csv.gz")

estimate <- function() list(
  plain = duplicateCorrelation(full[good, ], design, block = person),
  gaps = suppressWarnings(duplicateCorrelation(gaps, design, block = person)),
  weights = duplicateCorrelation(full[good, ], design, block = person, weights = weights[good, ]),
  both = suppressWarnings(duplicateCorrelation(gaps, design, block = person, weights = weights)),
  trim = duplicateCorrelation(full[good, ], design, block = person, trim = 0.05)
)
written <- function(correlations, suffix) {
  file <- function(name) paste0(name, suffix, ".csv.gz")
  write_gz(sapply(correlations, function(x) x$consensus.correlation, simplify = FALSE), file("consensus"))
  write_gz(sapply(correlations[c("plain", "weights")], function(x) x$atanh.correlations), file("atanh_full"))
  write_gz(sapply(correlations[c("gaps", "both")], function(x) x$atanh.correlations), file("atanh_gaps"))
}
written(estimate(), "")
space <- asNamespace("statmod")  # again, its iterations run to convergence
gamma_fit <- get("glmgam.fit", space)
unlockBinding("glmgam.fit", space)
assign("glmgam.fit", function(..., maxit, tol) gamma_fit(..., maxit = 10000, tol = 1e-15), space)
written(estimate(), "_tight")

# From counts or logs to statistics. Contrasts are coefficients, since contrasts.fit is approximate.
for (name in c("optimize", "uniroot")) {
  held <- parent.env(asNamespace("limma"))
  unlockBinding(name, held)
}
assign("optimize", function(f, ..., tol) stats::optimize(f, ..., tol = 1e-14), held)
assign("uniroot", function(f, ..., tol) stats::uniroot(f, ..., tol = 1e-14), held)
samples$from_b <- relevel(samples$condition, "b")
second <- model.matrix(~ batch + from_b, samples)
results <- function(file, fits) {
  out <- NULL
  tested <- list(c(b_a = 3, c_a = 4), c(c_b = 4))
  for (d in 1:2) for (k in seq_along(tested[[d]])) {
    fit <- fits[[d]]
    coef <- tested[[d]][k]
    log10_pval <- (pt(abs(fit$t[, coef]), fit$df.total, lower.tail = FALSE, log.p = TRUE) + log(2)) / log(10)
    columns <- data.frame(log2fc = fit$coefficients[, coef], stat = fit$t[, coef], log10_pval = log10_pval, lods = fit$lods[, coef])
    names(columns) <- paste(names(coef), names(columns), sep = ".")
    out <- if (is.null(out)) columns else cbind(out, columns)
  }
  write_gz(out, file)
}
both <- function(analyse) list(analyse(design), analyse(second))
quiet <- suppressWarnings
results("door_voom.csv.gz", both(function(d) eBayes(lmFit(voom(counts, d), d))))
results("door_voom_robust.csv.gz", both(function(d) eBayes(lmFit(voom(counts, d, adaptive.span = TRUE), d), robust = TRUE, trend = TRUE)))
results("door_voom_quality.csv.gz", both(function(d) eBayes(lmFit(voomWithQualityWeights(counts, d), d))))
results("door_voom_block.csv.gz", both(function(d) {
  v <- voom(counts, d)
  v <- voom(counts, d, block = person, correlation = duplicateCorrelation(v, d, block = person)$consensus.correlation)
  eBayes(lmFit(v, d, block = person, correlation = duplicateCorrelation(v, d, block = person)$consensus.correlation))
}))
logs <- full[good, ]
results("door_limma_block.csv.gz", both(function(d) {
  r <- duplicateCorrelation(logs, d, block = person)$consensus.correlation
  eBayes(lmFit(logs, d, block = person, correlation = r), trend = TRUE)
}))
results("door_limma_quality.csv.gz", both(function(d) eBayes(lmFit(logs, d, weights = tight(logs, d)), trend = TRUE)))
results("door_limma_gaps.csv.gz", both(function(d) quiet(eBayes(lmFit(gaps[-61, ], d), trend = TRUE, robust = TRUE))))
writeLines(capture.output(sessionInfo()), "session_info.txt")
