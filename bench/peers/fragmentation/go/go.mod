module tricolor.bench/fragmentation

go 1.19
