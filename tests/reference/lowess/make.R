# R's own lowess on 300 points with ties and outliers, in x's order.
set.seed(1)
x <- round(sort(runif(300, 0, 15)), 1)
y <- sin(x) + rnorm(300, sd = 0.3)
y[c(5, 100, 250)] <- 8
out <- data.frame(
  x = x, y = y,
  default = lowess(x, y)$y,
  half = lowess(x, y, f = 0.5)$y,
  no_delta = lowess(x, y, f = 0.5, delta = 0)$y,
  no_iterations = lowess(x, y, f = 0.3, iter = 0, delta = 0.3)$y,
  two_points = lowess(x, y, f = 0.001)$y
)
options(digits = 17)
write.csv(out, "lowess.csv", row.names = FALSE)
writeLines(capture.output(sessionInfo()), "session_info.txt")
