module tricolor.bench/binary_trees

go 1.19
