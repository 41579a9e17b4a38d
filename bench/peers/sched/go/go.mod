module tricolor.bench/sched

go 1.19

require tricolor.bench/measure v0.0.0

replace tricolor.bench/measure => ../../measure/go
