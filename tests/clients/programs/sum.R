folder <- commandArgs(TRUE)[1]
table <- read.csv(file.path(folder, ".table.csv"), na.strings = "", colClasses = c(tzone = "character"))
cat(nrow(table), sprintf("%.6f", sum(table$lat)), length(unique(table$tzone)), "\n")
