module gmpscope.bench

go 1.19
