module gmpscope.conformance

go 1.26
