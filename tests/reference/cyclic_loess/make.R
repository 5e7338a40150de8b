# limma's normalizeCyclicLoess on 60 genes of 4 samples (tables: a row per sample); run in this folder.
suppressMessages(library(limma))
options(digits = 17)
set.seed(4)
x <- matrix(rnorm(240, 8, 2), 60) + rnorm(60, sd = 2)
x[, 2] <- x[, 2] + 0.1 * (x[, 2] - 8)^2
x[, 3] <- sin(x[, 3]) + x[, 3]
x[1:10, ] <- round(x[1:10, ])
w <- rexp(60)
save <- function(m, name) {
  table <- as.data.frame(t(m))
  names(table) <- paste0("g", 1:60)
  write.csv(format(table, digits = 17), name, row.names = FALSE, quote = FALSE)
}
save(x, "values.csv")
write.csv(data.frame(w), "weights.csv", row.names = FALSE)
for (method in c("fast", "affy", "pairs")) {
  save(normalizeCyclicLoess(x, method = method), paste0(method, ".csv"))
  save(normalizeCyclicLoess(x, weights = w, method = method), paste0(method, "_weighted.csv"))
}
save(normalizeCyclicLoess(x, adaptive.span = TRUE, iterations = 1), "adaptive.csv")
missing <- x
missing[5, 2] <- NA
missing[9, ] <- NA
missing[20, 1:2] <- NA
save(normalizeCyclicLoess(missing), "fast_missing.csv")
save(normalizeCyclicLoess(missing, method = "affy"), "affy_missing.csv")
save(normalizeCyclicLoess(missing, method = "pairs"), "pairs_missing.csv")
writeLines(capture.output(sessionInfo()), "session_info.txt")
