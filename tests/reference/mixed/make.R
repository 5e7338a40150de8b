# Mixed models gene by gene by lme4 and lmerTest, its optimiser tightened; run where the outputs
# should be written.
suppressMessages(library(lmerTest))
set.seed(20261128)
options(digits = 17)
n_genes <- 50
write17 <- function(x, file) {
  x[] <- lapply(x, function(v) if (is.numeric(v)) sprintf("%.15g", v) else v)
  connection <- gzfile(paste0(file, ".csv.gz"), "w")
  write.csv(x, connection, row.names = FALSE, quote = FALSE)
  close(connection)
}
tight <- lmerControl(
  optCtrl = list(xtol_rel = 0, xtol_abs = 1e-13, ftol_abs = 0, ftol_rel = 0, maxeval = 1e5),
  check.conv.grad = "ignore", check.conv.singular = "ignore", check.conv.hess = "ignore"
)
log10p <- function(t, df) (pt(-abs(t), df, log.p = TRUE) + log(2)) / log(10)

simulate <- function(samples) {
  n <- nrow(samples)
  ratio <- rep(c(0, 0.1, 0.5, 2, 10), length.out = n_genes)
  donors <- matrix(rnorm(nlevels(samples$donor) * n_genes), ncol = n_genes)
  values <- matrix(rnorm(n * n_genes), n) + t(t(donors[samples$donor, ]) * sqrt(ratio))
  values <- values + outer(as.numeric(factor(samples$treatment)) - 1, rnorm(n_genes))
  values <- t(t(values) * exp(rnorm(n_genes, -1, 0.5)) + runif(n_genes, 0, 12))
  colnames(values) <- sprintf("g%02d", seq_len(n_genes))
  values
}

fit_all <- function(name, samples, formula, joint, weights = NULL) {
  values <- simulate(samples)
  separate <- list(); together <- list()
  for (gene in seq_len(n_genes)) {
    data <- samples
    data$y <- values[, gene]
    data$w <- if (is.null(weights)) 1 else weights[, gene]
    fit <- suppressMessages(lmer(formula, data, weights = w, control = tight))
    s <- summary(fit)$coefficients
    separate[[gene]] <- data.frame(
      gene, coef = s[, 1], se = s[, 2], df = s[, 3], t = s[, 4], log10_pval = log10p(s[, 4], s[, 3]),
      var = sigma(fit)^2, var_block = as.numeric(VarCorr(fit)[[1]]),
      deviance = REMLcrit(fit), singular = isSingular(fit) + 0
    )
    for (k in seq_along(joint)) {
      f <- contestMD(fit, joint[[k]])
      together[[paste(gene, k)]] <- data.frame(
        gene, test = k, F = f[["F value"]], df_num = f$NumDF, df_den = f$DenDF,
        log10_pval = pf(f[["F value"]], f$NumDF, f$DenDF, lower.tail = FALSE, log.p = TRUE) / log(10)
      )
    }
  }
  X <- as.data.frame(model.matrix(nobars(formula)[-2], samples), optional = TRUE)
  write17(X, paste0(name, "_design"))
  write17(data.frame(block = as.integer(samples$donor) - 1), paste0(name, "_block"))
  write17(as.data.frame(values), paste0(name, "_values"))
  write17(do.call(rbind, separate), paste0(name, "_coef"))
  if (length(together)) write17(do.call(rbind, together), paste0(name, "_joint"))
  if (!is.null(weights)) write17(as.data.frame(weights), paste0(name, "_weights"))
}

# Both treatments of most donors: compared within them.
crossed <- expand.grid(donor = factor(1:9), treatment = c("a", "b"))[-c(4, 17), ]
crossed$age <- round(rnorm(9, 50, 12))[crossed$donor]
fit_all("crossed", crossed, y ~ treatment + age + (1 | donor), list(rbind(c(0, 1, 0), c(0, 0, 1))))

# Donors of one treatment each, with few or many samples from two sites.
nested <- data.frame(donor = factor(rep(1:10, c(2, 5, 3, 4, 2, 1, 3, 5, 2, 3))))
nested$treatment <- c("a", "b")[1 + (as.integer(nested$donor) > 5)]
nested$site <- factor(rep(c("x", "y"), length.out = nrow(nested)))
fit_all("nested", nested, y ~ treatment + site + (1 | donor), list())

# Three treatments, unbalanced, and a covariate that varies between donors and within.
three <- expand.grid(donor = factor(1:7), treatment = c("a", "b", "c"))[-c(3, 12), ]
three$batch <- factor(c("p", "q"))[1 + (as.integer(three$donor) %% 2)]
three$dose <- rnorm(nrow(three)) + rnorm(7)[three$donor]
L <- diag(5)
fit_all("three", three, y ~ treatment + batch + dose + (1 | donor),
  list(L[2:3, ], L[3:4, ], rbind(L[2, ] - L[3, ], L[2, ], L[3, ])))

# Every value with a weight of its own.
weights <- matrix(exp(rnorm(nrow(nested) * n_genes, 0, 0.6)), ncol = n_genes)
colnames(weights) <- sprintf("g%02d", seq_len(n_genes))
fit_all("weights", nested, y ~ treatment + site + (1 | donor), list(), weights = weights)

writeLines(capture.output(sessionInfo()), "session_info.txt")
