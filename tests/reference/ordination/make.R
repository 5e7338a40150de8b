# Maps of samples by R: prcomp on the genes that DESeq2's plotPCA chooses, and limma's plotMDS.
# Run in the folder of values.csv (genes x samples, log2 CPM of simulated counts).
library(limma)
values <- as.matrix(read.csv("values.csv", row.names = 1, check.names = FALSE))
write17 <- function(x, file) {
  x <- as.data.frame(x)
  x[] <- lapply(x, function(v) sprintf("%.17g", v))
  write.csv(x, file, quote = FALSE)
}
n_top <- 200

variances <- apply(values, 1, var)
chosen <- order(variances, decreasing = TRUE)[seq_len(n_top)]
for (z_score in c(FALSE, TRUE)) {
  fit <- prcomp(t(values[chosen, ]), center = TRUE, scale. = z_score)
  name <- if (z_score) "pca_scaled" else "pca"
  keep <- seq_len(ncol(values) - 1)
  write17(fit$x[, keep], paste0(name, "_x.csv"))
  write17(fit$rotation[, 1:3], paste0(name, "_rotation.csv"))
  part <- fit$sdev^2 / sum(fit$sdev^2)
  write17(data.frame(variance = fit$sdev[keep]^2, ratio = part[keep]), paste0(name, "_variance.csv"))
}

for (selection in c("pairwise", "common")) {
  map <- plotMDS(values, top = n_top, gene.selection = selection, plot = FALSE)
  # Squared distances, doubly centred.
  write17(map$distance.matrix.squared, paste0("mds_", selection, "_centred.csv"))
  write17(data.frame(x = map$x, y = map$y, ratio = map$var.explained), paste0("mds_", selection, ".csv"))
}
writeLines(capture.output(sessionInfo()), "session_info.txt")
