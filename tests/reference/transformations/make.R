# DESeq2's vst and rlog of counts.csv (make_inputs.py); run in this folder. Tables: a row per sample.
suppressMessages(library(DESeq2))
options(digits = 17)
counts <- t(as.matrix(read.csv("counts.csv", check.names = FALSE)))
samples <- read.csv("samples.csv", stringsAsFactors = TRUE)
save <- function(x, name) {
  file <- gzfile(paste0(name, ".gz"))
  write.csv(format(as.data.frame(x), digits = 15), file, row.names = FALSE, quote = FALSE)
}
dds <- estimateSizeFactors(DESeqDataSetFromMatrix(counts, samples, ~ group))
save(data.frame(size_factor = sizeFactors(dds)), "size_factors.csv")
genes <- data.frame(base_mean = rowMeans(counts(dds, normalized = TRUE)))
scalars <- list()
for (blind in c(TRUE, FALSE)) {
  fitted <- dds
  if (blind) design(fitted) <- ~ 1
  fitted <- estimateDispersionsGeneEst(fitted, quiet = TRUE)
  where <- if (blind) "blind" else "design"
  genes[[paste0(where, "_gene_wise")]] <- mcols(fitted)$dispGeneEst
  for (type in c("parametric", "local", "mean")) {
    trend <- suppressMessages(estimateDispersionsFit(fitted, fitType = type, quiet = TRUE))
    genes[[paste(where, type, sep = "_")]] <- mcols(trend)$dispFit
    if (type == "parametric") {
      a <- attr(dispersionFunction(trend), "coefficients")
      scalars[[paste0(where, "_asymptotic")]] <- a[[1]]
      scalars[[paste0(where, "_extra")]] <- a[[2]]
    }
    v <- varianceStabilizingTransformation(dds, blind = blind, fitType = type)
    save(t(assay(v)), paste0("vst_", where, "_", type, ".csv"))
  }
  r <- suppressMessages(rlog(dds, blind = blind))
  scalars[[paste0(where, "_rlog_variance")]] <- attr(r, "betaPriorVar")
  save(t(assay(r)), paste0("rlog_", where, ".csv"))
  # rlog fits with betaTol = 1e-4; the same fit with a tight one
  fitted <- suppressMessages(estimateDispersionsFit(fitted, quiet = TRUE))
  seen <- fitted[rowSums(counts) > 0, ]
  model <- cbind(1, diag(ncol(counts)))
  colnames(model) <- c("Intercept", paste0("sample", seq_len(ncol(counts))))
  tight <- DESeq2:::fitNbinomGLMs(
    seen, modelMatrix = model, renameCols = FALSE, alpha_hat = mcols(seen)$dispFit,
    lambda = c(1e-6, rep(1 / attr(r, "betaPriorVar"), ncol(counts))),
    betaTol = 1e-14, maxit = 2000, useOptim = FALSE, useQR = TRUE
  )
  save(model %*% t(tight$betaMatrix), paste0("rlog_tight_", where, ".csv"))
}
fast <- vst(dds, nsub = 100)
save(t(assay(fast)), "vst_fast.csv")
save(genes, "genes.csv")
write.csv(data.frame(name = names(scalars), value = unlist(scalars)), "scalars.csv", row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo()), "session_info.txt")
