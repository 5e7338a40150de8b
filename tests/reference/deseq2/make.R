# DESeq2, stage by stage, on the data sets of make_inputs.py; run in this folder.
# Every run is made twice: at the defaults, and with tight tolerances, since the defaults stop early.
suppressMessages(library(DESeq2))
stages <- c("baseMean", "allZero", "dispGeneEst", "dispFit", "dispMAP", "dispOutlier", "dispersion",
            "maxCooks", "replace")
at_defaults <- c("dispGeneEst", "dispFit", "dispersion", "log2FoldChange", "lfcSE", "stat", "pvalue", "padj")
scalars <- list()

load_data <- function(name, keep = TRUE) {
  counts <- as.matrix(read.csv(paste0(name, "_counts.csv.gz"), row.names = 1, check.names = FALSE))
  samples <- read.csv(paste0(name, "_samples.csv"), row.names = 1, stringsAsFactors = TRUE)
  list(counts = counts[, keep, drop = FALSE], samples = droplevels(samples[keep, , drop = FALSE]))
}
write_table <- function(x, file, format = "%.11g") {
  x <- as.data.frame(x)
  x[] <- lapply(x, function(v) if (is.logical(v)) ifelse(is.na(v), "", as.integer(v)) else
    ifelse(is.na(v), "", sprintf(format, as.numeric(v))))
  con <- gzfile(paste0(file, ".csv.gz"), "w")
  write.csv(x, con, row.names = FALSE, quote = FALSE)
  close(con)
}
estimate <- function(data, design, tight, fitType = "parametric", test = "Wald", reduced = NULL,
                     useT = FALSE) {
  dds <- DESeqDataSetFromMatrix(data$counts, data$samples, design)
  dds <- estimateSizeFactors(dds)
  tol <- if (tight) list(dispTol = 1e-12, maxit = 1000) else list(dispTol = 1e-6, maxit = 100)
  dds <- do.call(estimateDispersionsGeneEst, c(list(dds, quiet = TRUE), tol))
  dds <- estimateDispersionsFit(dds, fitType = fitType, quiet = TRUE)
  dds <- do.call(estimateDispersionsMAP, c(list(dds, quiet = TRUE), tol))
  beta <- if (tight) list(betaTol = 1e-13, maxit = 1000) else list()
  if (test == "LRT") do.call(nbinomLRT, c(list(dds, reduced = reduced, quiet = TRUE), beta))
  else do.call(nbinomWaldTest, c(list(dds, quiet = TRUE, useT = useT), beta))
}
note <- function(name, dds) {
  curve <- dispersionFunction(dds)
  coefs <- attr(curve, "coefficients")
  if (is.null(coefs)) coefs <- c(NA, NA)
  scalars[[name]] <<- data.frame(
    run = name, fit_type = attr(curve, "fitType"), asympt_disp = coefs[1], extra_pois = coefs[2],
    var_log_disp = attr(curve, "varLogDispEsts"), prior_var = attr(curve, "dispPriorVar"))
}
take <- function(dds, questions, ...) {
  out <- as.data.frame(mcols(dds)[, intersect(stages, colnames(mcols(dds)))])
  for (q in names(questions)) {
    r <- do.call(results, c(list(dds), questions[[q]]))
    names(r) <- paste(q, names(r), sep = ".")
    out <- cbind(out, as.data.frame(r)[, -1])  # without the base mean
  }
  out
}
run <- function(name, data, design, questions, ...) {
  for (setting in c("tight", "default")) {
    dds <- estimate(data, design, setting == "tight", ...)
    full <- paste(name, setting, sep = "_")
    note(full, dds)
    table <- take(dds, questions)
    if (setting == "default") {  # of the first question only
      table <- table[, intersect(colnames(table), c(at_defaults, paste(names(questions)[1], at_defaults, sep = ".")))]
      write_table(table, full, "%.7g")
    } else {
      write_table(table, full)
      write_table(model.matrix(design, data$samples), paste0(name, "_design"))
      write_table(data.frame(size_factor = sizeFactors(dds)), paste0(name, "_size_factors"))
      if (name %in% c("six", "covariate")) write_table(head(assays(dds)[["cooks"]], 20), paste0(name, "_cooks"))
    }
  }
  invisible(dds)
}
last <- list(last = list())

few <- list(df1 = c(1, 2, 4), df2 = c(1, 2, 4, 5), df3 = 1:5, df4 = 1:6)
for (name in names(few)) run(name, load_data("few", few[[name]]), ~ condition, last)
run("df4_t", load_data("few"), ~ condition, last, useT = TRUE)

run("six", load_data("outliers", c(1:6, 8:13)), ~ condition, list(
  last = list(), kept = list(cooksCutoff = FALSE), unfiltered = list(independentFiltering = FALSE)))
run("seven", load_data("outliers"), ~ condition, last)
data <- load_data("outliers")
dds <- DESeq(DESeqDataSetFromMatrix(data$counts, data$samples, ~ condition), quiet = TRUE)
write_table(take(dds, last), "seven_replaced")

batches <- load_data("factors")
threshold <- function(alternative) list(name = "condition_b_vs_a", lfcThreshold = 0.5,
                                        altHypothesis = alternative)
run("additive", batches, ~ batch + condition, list(
  b_a = list(contrast = c("condition", "b", "a")), c_a = list(contrast = c("condition", "c", "a")),
  c_b = list(contrast = c("condition", "c", "b")), alpha = list(name = "condition_b_vs_a", alpha = 0.05),
  numeric = list(contrast = c(0, 0, -1, 1)), mean = list(contrast = c(0, 0, 0.5, 0.5)),
  greaterAbs = threshold("greaterAbs"), lessAbs = threshold("lessAbs"),
  greater = threshold("greater"), less = threshold("less")))
run("covariate", batches, ~ dose + condition, list(dose = list(name = "dose"), last = list()))
run("interaction", batches, ~ batch * condition, last)
run("lrt", batches, ~ batch + condition, last, test = "LRT", reduced = ~ batch)
run("mean", batches, ~ batch + condition, last, fitType = "mean")
run("local", batches, ~ batch + condition, last, fitType = "local")
run("rising", load_data("rising"), ~ condition, last)
run("wide", load_data("wide"), ~ condition, last)
run("thousand", load_data("thousand"), ~ condition, last, fitType = "mean")

scalars <- do.call(rbind, scalars)
scalars[3:6] <- lapply(scalars[3:6], function(v) ifelse(is.na(v), "", sprintf("%.15g", v)))
write.csv(scalars, "scalars.csv", row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo()), "session_info.txt")
