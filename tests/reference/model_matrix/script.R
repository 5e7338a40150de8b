# Design matrices, and the coefficients that lm drops, for tests/design/test_matrix.py.
library(splines)
samples <- read.csv("samples.csv", stringsAsFactors = FALSE)
samples$batch <- factor(samples$batch)
samples$genotype <- factor(samples$genotype, levels = c("wt", "ko", "het"))
samples$condition <- factor(samples$condition, levels = c("ctrl", "a", "b"))
designs <- list(
  additive = ~ batch + condition,
  no_intercept = ~ 0 + condition + batch,
  crossed = ~ genotype * condition,
  nested = ~ genotype / age,
  slopes = ~ condition + age:condition,
  poly = ~ poly(age, 2) + genotype,
  bs = ~ bs(age, df = 5) * batch,
  logs = ~ log2(age) + I(age^2) + year,
  aliased = ~ condition + site + batch + year
)
for (name in names(designs)) {
  matrix <- model.matrix(designs[[name]], samples)
  set.seed(1)
  fit <- lm(rnorm(nrow(matrix)) ~ 0 + matrix)
  write.csv(matrix, paste0(name, ".csv"), row.names = FALSE)
  writeLines(as.character(which(is.na(coef(fit)))), paste0(name, "_dropped.txt"))
}
writeLines(capture.output(sessionInfo()), "session_info.txt")
