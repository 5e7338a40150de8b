# limma's weightedLowess and loessFit on 300 points with ties and outliers; run in this folder.
suppressMessages(library(limma))
set.seed(2)
x <- round(runif(300, 0, 15), 2)
x[1:40] <- 0
y <- sin(x) + rnorm(300, sd = 0.3)
y[c(5, 100, 250)] <- 8
w <- rexp(300)
frequency <- sample(1:3, 300, TRUE)
fit <- function(w, ...) weightedLowess(x, y, w, ...)$fitted
out <- data.frame(
  x = x, y = y, w = w, frequency = frequency,
  default = fit(w),
  loess_fit = loessFit(y, x, w)$fitted,
  loess_fit_equal = loessFit(y, x, rep(2, 300))$fitted,
  wide = fit(w, span = 0.8),
  no_delta = fit(w, delta = 0),
  delta = fit(w, delta = 0.5),
  few_points = fit(w, npts = 20),
  not_robust = fit(w, iterations = 1),
  frequencies = fit(frequency, delta = 0)
)
options(digits = 17)
write.csv(out, "weighted_lowess.csv", row.names = FALSE)
writeLines(capture.output(sessionInfo()), "session_info.txt")
