# DESeq2 on real data (no part of this package), at its defaults and with tight tolerances. The first
# argument is the name of a data set; its counts (genes x samples), samples and design are in the
# folder input, the full tables go to output. genes.csv.gz keeps 100 genes of each, evenly spread over
# the ranks of the means, and scalars.csv what proves sets.
suppressMessages(library(DESeq2))
args <- commandArgs(TRUE); name <- args[1]
root <- "input/"
counts <- as.matrix(read.csv(paste0(root, name, "_counts.csv.gz"), row.names = 1, check.names = FALSE))
samples <- read.csv(paste0(root, name, "_samples.csv"), row.names = 1, stringsAsFactors = TRUE)
mm <- as.matrix(read.csv(paste0(root, name, "_design.csv"), row.names = 1, check.names = FALSE))
stages <- c("baseMean","dispGeneEst","dispFit","dispMAP","dispOutlier","dispersion","maxCooks")
out <- list()
for (setting in c("tight","default")) {
  tol <- if (setting=="tight") list(dispTol=1e-12, maxit=1000) else list()
  dds <- DESeqDataSetFromMatrix(counts, samples, ~ 1); design(dds) <- mm
  dds <- estimateSizeFactors(dds)
  dds <- do.call(estimateDispersionsGeneEst, c(list(dds, modelMatrix=mm, quiet=TRUE), tol))
  dds <- estimateDispersionsFit(dds, quiet=TRUE)
  dds <- do.call(estimateDispersionsMAP, c(list(dds, modelMatrix=mm, quiet=TRUE), tol))
  if (name == "fission") {
    red <- mm[, 1:7]
    dds <- do.call(nbinomLRT, c(list(dds, full=mm, reduced=red, quiet=TRUE), if (setting=="tight") list(betaTol=1e-13, maxit=1000)))
  } else dds <- do.call(nbinomWaldTest, c(list(dds, modelMatrix=mm, quiet=TRUE), if (setting=="tight") list(betaTol=1e-13, maxit=1000)))
  r <- results(dds); r5 <- results(dds, alpha=0.05)
  tab <- cbind(gene=rownames(dds), as.data.frame(mcols(dds)[, intersect(stages, colnames(mcols(dds)))]), as.data.frame(r)[,-1], padj05=r5$padj)
  num <- sapply(tab, is.numeric); tab[num] <- lapply(tab[num], function(v) ifelse(is.na(v), "", sprintf("%.12g", v)))
  con <- gzfile(paste0("output/", name, "_", setting, ".csv.gz"), "w"); write.csv(tab, con, row.names=FALSE, quote=FALSE); close(con)
  f <- dispersionFunction(dds)
  cat(name, setting, attr(f,"fitType"), sprintf("%.15g", c(attr(f,"coefficients"), attr(f,"varLogDispEsts"), attr(f,"dispPriorVar"), metadata(r)$filterThreshold, metadata(r5)$filterThreshold)), proc.time()[1], "\n", file="output/scalars.txt", append=TRUE)
}
