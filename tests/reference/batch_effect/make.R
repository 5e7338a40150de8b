# limma's removeBatchEffect on the tables in ../limma; run in this folder.
suppressMessages(library(limma))
samples <- read.csv("../limma/samples.csv", stringsAsFactors = TRUE)
read_matrix <- function(file) t(as.matrix(read.csv(file)))
full <- read_matrix("../limma/values.csv.gz")
gaps <- read_matrix("../limma/gaps.csv.gz")
weights <- read_matrix("../limma/weights.csv.gz")
batch <- samples$batch
age <- samples$age
day <- rep(c("p", "q", "r"), 4)
group <- samples$condition
answers <- list(
  plain = removeBatchEffect(full, batch = batch, group = group),
  nothing_kept = removeBatchEffect(full, batch = batch),
  age = removeBatchEffect(full, covariates = age, group = group),
  batch_age = removeBatchEffect(full, batch = batch, covariates = age, group = group),
  two = removeBatchEffect(full, batch = batch, batch2 = day, group = group),
  weights = removeBatchEffect(full, weights = weights, batch = batch, group = group),
  gaps = suppressWarnings(removeBatchEffect(gaps, batch = batch, group = group)),
  repeats = removeBatchEffect(full, batch = batch, group = group, block = samples$person, correlation = 0.3)
)
first <- 1:50
number <- function(x) ifelse(is.na(x), "NA", sprintf("%.12g", x))
table <- do.call(rbind, lapply(names(answers), function(n) data.frame(case = n, number(t(answers[[n]][first, ])))))
write.csv(table, gzfile("answers.csv.gz"), row.names = FALSE, quote = FALSE)
writeLines(capture.output(sessionInfo()), "session_info.txt")
