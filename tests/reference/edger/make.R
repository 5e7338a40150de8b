# edgeR stage by stage on simulated counts; run where the files should be written.
suppressMessages({library(edgeR); library(limma)})
set.seed(20261127)
RNGkind("Mersenne-Twister", "Inversion", "Rejection")
write_table <- function(x, file, digits = 10) {
  if (is.null(names(x)) && is.null(colnames(x))) colnames(x) <- paste0("g", seq_len(ncol(x)))
  x <- as.data.frame(x, optional = TRUE)
  x[] <- lapply(x, function(v) if (is.numeric(v)) sprintf(paste0("%.", digits, "g"), v) else v)
  out <- gzfile(file, "w"); write.csv(x, out, row.names = FALSE, quote = FALSE); close(out)
}
simulate <- function(n_genes, design, depth, beta_sd = 0.5, dispersion = 0.1, mean = 4, sd = 1.8) {
  beta <- cbind(rnorm(n_genes, mean, sd), matrix(rnorm(n_genes * (ncol(design) - 1), 0, beta_sd), n_genes))
  mu <- t(exp(beta %*% t(design))) * depth
  spread <- dispersion * exp(rnorm(n_genes, 0, 0.5)) + 0.5 / colMeans(mu) * dispersion
  size <- if (dispersion > 0) 1 / rep(spread, each = nrow(design)) else Inf
  y <- matrix(rnbinom(length(mu), mu = mu, size = size), nrow(design))
  y[, colSums(y) > 0]
}
two <- function(a, b) model.matrix(~ factor(rep(1:2, c(a, b))))
cases <- list(
  df1 = two(2, 1), df2 = two(2, 2),
  batch = model.matrix(~ factor(rep(1:4, each = 2)) + factor(rep(1:2, 4))),
  groups = model.matrix(~ factor(rep(1:3, c(5, 4, 4)))),
  covariate = cbind(1, rep(0:1, 5), c(-1.3, 0.2, 0.7, 1.9, -0.4, -0.8, 1.1, 0.3, -2, 0.5)),
  poisson = two(3, 3)
)
n_genes <- c(df1 = 120, df2 = 120, batch = 150, groups = 150, covariate = 120, poisson = 120)
test <- function(q) {
  F <- q$table$F
  pf(F, q$df.test, q$df.total, lower.tail = FALSE, log.p = TRUE) / log(10)
}
for (name in names(cases)) {
  design <- cases[[name]]; colnames(design) <- paste0("c", seq_len(ncol(design)))
  n <- nrow(design); k <- ncol(design)
  depth <- exp(rnorm(n, 0, 0.4))
  y <- simulate(n_genes[[name]], design, depth, dispersion = if (name == "poisson") 0 else 0.1)
  if (name %in% c("batch", "groups")) {
    y[, 1] <- y[, 1] * 20000                                      # large counts
    y[design[, 2] == 1, 2:6] <- 0                                 # groups without counts
    y[design[, k] == 1, 7:9] <- 0
    y[design[, k] == 0, 10:12] <- 0
    y[, 13:22] <- matrix(rpois(10 * n, 0.3), n)                   # hardly any counts
    y[1, 23:26] <- y[1, 23:26] * 30 + 100                         # outliers
    y[, 13:22][, colSums(y[, 13:22]) == 0] <- 1
  }
  counts <- t(y)
  d <- normLibSizes(DGEList(counts))
  if (name == "covariate") {
    lengths <- matrix(round(exp(rnorm(length(counts), 0, 0.15)), 2), nrow(counts))
    write_table(t(lengths), paste0(name, "_lengths.csv.gz"))
    lengths <- lengths / exp(rowMeans(log(lengths)))
    d$offset <- sweep(log(lengths), 2, log(d$samples$lib.size * d$samples$norm.factors), "+")
  }
  write_table(y, paste0(name, "_counts.csv.gz"))
  write_table(cbind(design, lib_size = d$samples$lib.size * d$samples$norm.factors), paste0(name, "_samples.csv.gz"), 17)

  known <- c(0, 0.07, 0.4)
  fixed <- list(ave_log_cpm = aveLogCPM(d))
  for (i in seq_along(known)) {
    fit <- glmFit(d, design, dispersion = known[i])
    lrt <- glmLRT(fit)
    one <- list(deviance = fit$deviance, log2fc = lrt$table$logFC, lr = lrt$table$LR,
                apl = adjustedProfileLik(known[i], d$counts, design, getOffset(d)))
    names(one) <- paste0(names(one), "_", i)
    fixed <- c(fixed, one)
  }
  write_table(fixed, paste0(name, "_known.csv.gz"))

  numbers <- c()
  plain <- d
  d <- estimateDisp(d, design)
  robust <- estimateDisp(d, design, robust = TRUE)
  lrt <- glmLRT(glmFit(d, design))
  treat <- glmTreat(glmFit(d, design), lfc = 0.5)
  numbers <- c(numbers, common = d$common.dispersion, prior_df = d$prior.df, span = d$span)
  write_table(list(trended = d$trended.dispersion, tagwise = d$tagwise.dispersion,
    tagwise_robust = robust$tagwise.dispersion, prior_df_robust = robust$prior.df,
    log2fc = lrt$table$logFC, lr = lrt$table$LR,
    log10_pval = pchisq(lrt$table$LR, 1, lower.tail = FALSE, log.p = TRUE) / log(10),
    treat_pval = treat$table$PValue), paste0(name, "_dispersions.csv.gz"))

  ql <- list()
  for (how in c("new", "robust", "legacy", "legacy_robust", "flat", "given", "trended")) {
    legacy <- grepl("legacy", how)
    # Where there are trended dispersions, glmQLFit takes these.
    fit <- glmQLFit(if (legacy || how == "trended") d else plain, design, robust = grepl("robust", how), legacy = legacy,
      abundance.trend = how != "flat", dispersion = if (how == "given") 0.07 else NULL)
    q <- glmQLFTest(fit); treat <- glmTreat(fit, lfc = 0.5)
    some <- list(F = q$table$F, df = q$df.total, log10_pval = log10(q$table$PValue),
      s2_post = fit$s2.post, s2_prior = rep_len(fit$s2.prior, nrow(d)), df_prior = rep_len(fit$df.prior, nrow(d)))
    if (how %in% c("new", "legacy")) some <- c(some, list(log2fc = q$table$logFC, treat_pval = treat$table$PValue))
    if (how %in% c("new", "given", "trended")) some <- c(some, list(deviance_adj = fit$deviance.adj, df_adj = fit$df.residual.adj))
    if (how == "legacy") some <- c(some, list(df_zeros = fit$df.residual.zeros))
    if (k > 2) some <- c(some, list(F_any = glmQLFTest(fit, coef = 2:k)$table$F))
    names(some) <- paste0(names(some), "_", how)
    ql <- c(ql, some)
    if (!legacy) numbers[paste0(c("dispersion_", "average_ql_", "top_"), how)] <-
      c(fit$dispersion[1], fit$average.ql.dispersion, if (is.null(fit$top.proportion)) NA else fit$top.proportion)
  }
  if (k > 2) {
    w <- c(0, 1, -0.5, 0.25, 2)[1:k]
    q <- glmQLFTest(glmQLFit(plain, design), contrast = w)
    ql <- c(ql, list(F_contrast = q$table$F, log2fc_contrast = q$table$logFC))
  }
  write_table(ql, paste0(name, "_ql.csv.gz"))
  write_table(list(name = names(numbers), value = unname(numbers)), paste0(name, "_numbers.csv.gz"), 15)
}

# Weights of the observations, gene by gene, through all pipelines.
set.seed(20261128)
design <- two(5, 5); block <- rep(1:5, 2)
y <- simulate(150, design, exp(rnorm(10, 0, 0.3)), dispersion = 0.15)
w <- matrix(round(runif(length(y), 0.2, 1), 3), nrow(y))
write_table(y, "weighted_counts.csv.gz"); write_table(w, "weighted_weights.csv.gz")
d <- normLibSizes(DGEList(t(y)))
logs <- cpm(d, log = TRUE, prior.count = 2)
d$weights <- t(w)
q <- glmQLFit(d, design); treat <- glmTreat(q, lfc = 0.5); q <- glmQLFTest(q)
e <- estimateDisp(d, design)
legacy <- glmQLFTest(glmQLFit(e, design, legacy = TRUE)); lrt <- glmLRT(glmFit(e, design))
limma <- function(weights, ...) eBayes(lmFit(logs, design, weights = weights, ...), trend = TRUE)$t[, 2]
samples <- arrayWeights(logs, design, weights = t(w))
correlation <- duplicateCorrelation(logs, design, block = block, weights = t(w))$consensus.correlation
write_table(list(abundance = q$AveLogCPM, F = q$table$F, df = q$df.total, log2fc = q$table$logFC,
  treat = treat$table$PValue, F_legacy = legacy$table$F, trended = e$trended.dispersion, tagwise = e$tagwise.dispersion,
  lr = lrt$table$LR, limma = limma(t(w)), limma_samples = limma(t(w) * rep(samples, each = ncol(y))),
  limma_block = limma(t(w), block = block, correlation = correlation)), "weighted.csv.gz")
writeLines(capture.output(sessionInfo()), "session_info.txt")
