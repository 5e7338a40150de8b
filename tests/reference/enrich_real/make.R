# limma's camera and fry of MSigDB's Hallmark sets on airway and macrophage, by voom.
#
# Run with the folder of the data sets as the only argument. Genes are those of filterByExpr; symbols
# are those of hapmap_lcl/genes.csv.gz. inter.gene.cor=NA and 0.01 are both in the tables.
suppressMessages({library(limma); library(edgeR)})
data <- commandArgs(TRUE)[1]
symbols <- read.csv(file.path(data, "hapmap_lcl", "genes.csv.gz"))
lines <- strsplit(readLines(file.path(data, "genesets", "h.all.v7.0.symbols.gmt.gz")), "\t")
hallmark <- setNames(lapply(lines, function(x) x[-(1:2)]), sapply(lines, `[`, 1))
number <- function(x) if (is.numeric(x)) sprintf("%.12g", x) else as.character(x)
run <- function(name, formula, coef) {
  counts <- as.matrix(read.csv(file.path(data, name, "counts.csv.gz"), row.names = 1))
  samples <- read.csv(file.path(data, name, "samples.csv"), stringsAsFactors = TRUE)
  if (name == "airway") samples$dex <- relevel(samples$dex, "control")
  if (name == "macrophage") samples$condition_name <- relevel(samples$condition_name, "naive")
  design <- model.matrix(formula, samples)
  y <- DGEList(counts)
  y <- y[filterByExpr(y, design), , keep.lib.sizes = FALSE]
  y <- calcNormFactors(y)
  v <- voom(y, design)
  index <- ids2indices(hallmark, symbols$Symbol[match(rownames(v), symbols$gene)])
  stopifnot(coef %in% colnames(design))
  k <- match(coef, colnames(design))
  na <- camera(v, index, design, contrast = k, inter.gene.cor = NA, allow.neg.cor = FALSE, sort = FALSE)
  fixed <- camera(v, index, design, contrast = k, inter.gene.cor = 0.01, sort = FALSE)
  f <- fry(v, index, design, contrast = k, sort = FALSE)
  out <- data.frame(set = rownames(na), n = na$NGenes, direction = na$Direction, correlation = number(na$Correlation),
    camera_na = number(na$PValue), camera_0.01 = number(fixed$PValue), fry = number(f$PValue),
    fry_direction = f$Direction)
  write.csv(out, paste0(name, ".csv"), row.names = FALSE, quote = FALSE)
  writeLines(rownames(v), gzfile(paste0(name, "_genes.txt.gz")))
}
run("airway", ~ celltype + dex, "dextreated")
run("macrophage", ~ line_id + condition_name, "condition_nameIFNg")
writeLines(capture.output(sessionInfo()), "session_info.txt")
