# limma's camera, cameraPR, fry and roast on the tables of make_inputs.py; run in this folder.
#
# inter.gene.cor is in the name of every camera: "na" is estimated with allow.neg.cor=FALSE,
# "neg" estimated with allow.neg.cor=TRUE, "0.01" limma's own default.
suppressMessages(library(limma))
read_matrix <- function(file) t(as.matrix(read.csv(file)))
y <- read_matrix("values.csv.gz")
w <- read_matrix("weights.csv.gz")
rownames(w) <- rownames(y)
samples <- read.csv("samples.csv")
lines <- strsplit(readLines("sets.gmt"), "\t")
sets <- setNames(lapply(lines, function(x) x[-(1:2)]), sapply(lines, `[`, 1))
index <- ids2indices(sets, rownames(y))
number <- function(x) if (is.numeric(x)) sprintf("%.12g", x) else as.character(x)
save <- function(x, file) {
  x <- x[names(sets), ]
  out <- data.frame(set = rownames(x), lapply(x, number))
  write.csv(out, paste0(file, ".csv"), row.names = FALSE, quote = FALSE)
}
design <- model.matrix(~ factor(batch) + factor(group), samples)  # last: 2 against 0
means <- model.matrix(~ 0 + factor(group) + factor(batch), samples)
between <- c(0, -1, 1, 0)  # 2 against 1
sample_weights <- c(1, 2, 0.5, 1, 1, 3, 0.2, 1, 1.5, 1, 1, 0.8)
every <- list(
  plain = list(y, index, design, sort = FALSE),
  middle = list(y, index, design, contrast = 3, sort = FALSE),
  between = list(y, index, means, contrast = between, sort = FALSE),
  trend = list(y, index, design, trend.var = TRUE, sort = FALSE),
  weights = list(y, index, design, weights = w, sort = FALSE),
  between_weights = list(y, index, means, contrast = between, weights = w, sort = FALSE),
  sample_weights = list(y, index, design, weights = sample_weights, sort = FALSE))
for (name in names(every)) {
  arguments <- every[[name]]
  camera_as <- function(kind, ...) save(do.call(camera, c(arguments, list(...))), paste0("camera_", kind, "_", name))
  camera_as("na", inter.gene.cor = NA, allow.neg.cor = FALSE)
  if (name %in% c("plain", "weights")) {
    camera_as("neg", inter.gene.cor = NA, allow.neg.cor = TRUE)
    camera_as("0.01", inter.gene.cor = 0.01)
    camera_as("ranks", inter.gene.cor = NA, allow.neg.cor = FALSE, use.ranks = TRUE)
    camera_as("ranks_0.01", inter.gene.cor = 0.01, use.ranks = TRUE)
  }
  save(do.call(fry, arguments), paste0("fry_", name))
}
for (standardize in c("residual.sd", "none", "p2"))
  save(fry(y, index, design, standardize = standardize, sort = FALSE), paste0("fry_plain_", standardize))
block <- samples$donor
correlation <- duplicateCorrelation(y, design, block = block)$consensus.correlation
save(fry(y, index, design, block = block, correlation = correlation, sort = FALSE), "fry_block")
save(fry(y, index, design, robust = TRUE, sort = FALSE), "fry_robust")
fit <- eBayes(lmFit(y, design))
z <- fit$t[, 4]
writeLines(sprintf("%.15g", z), "stats.txt")
save(cameraPR(z, index, sort = FALSE), "camera_pr_0.01")
save(cameraPR(z, index, use.ranks = TRUE, sort = FALSE), "camera_pr_ranks_0.01")
save(cameraPR(z, index, inter.gene.cor = 0.1, sort = FALSE), "camera_pr_0.1")
for (statistic in c("mean", "floormean", "mean50", "msq")) {
  set.seed(1)
  save(mroast(y, index, design, set.statistic = statistic, nrot = 99999, sort = "none", midp = FALSE), paste0("roast_", statistic))
}
set.seed(1)
save(mroast(y, index, design, weights = w, nrot = 99999, sort = "none", midp = FALSE), "roast_weights")
writeLines(sprintf("%.15g", correlation), "correlation.txt")
writeLines(capture.output(sessionInfo()), "session_info.txt")
