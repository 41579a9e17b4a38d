module tricolor.bench/measure

go 1.19
