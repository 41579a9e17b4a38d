module tricolor.bench/mark

go 1.19
