module tricolor.bench/alloc

go 1.19
