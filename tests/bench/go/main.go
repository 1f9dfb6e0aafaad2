// SPDX-License-Identifier: MIT

// The Go side of the runtime benchmarks: the same tests under the same names as ../bench-runtime.c.
//
//	bench TEST    prints "TEST wall_ns cpu_ns" per operation
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func cpuNow() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func report(test string, ops int, run func()) {
	wall, cpu := time.Now(), cpuNow()
	run()
	w, c := time.Since(wall), cpuNow()-cpu
	fmt.Printf("%s %.2f %.2f\n", test, float64(w.Nanoseconds())/float64(ops), float64(c.Nanoseconds())/float64(ops))
}

// Two Gs yield to each other on one P.
func yield() {
	const n = 4_000_000
	runtime.GOMAXPROCS(1)
	report("yield", n, func() {
		var wg sync.WaitGroup
		wg.Add(2)
		for k := 0; k < 2; k++ {
			go func() {
				for i := 0; i < n/2; i++ {
					runtime.Gosched()
				}
				wg.Done()
			}()
		}
		wg.Wait()
	})
}

// A value goes through one unbuffered channel and comes back through another.
func channel(test string, procs, n int) {
	runtime.GOMAXPROCS(procs)
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
		close(pong)
	}()
	report(test, n, func() {
		for i := 0; i < n; i++ {
			ping <- i
			<-pong
		}
	})
}

// One G starts another, which ends at once; then the next.
func spawn() {
	const n = 2_000_000
	runtime.GOMAXPROCS(1)
	report("spawn", n, func() {
		for i := 0; i < n; i++ {
			go func() {}()
			runtime.Gosched()
		}
	})
}

// A million Gs are made first and run then.
func batch() {
	const n = 1_000_000
	runtime.GOMAXPROCS(1)
	var wg sync.WaitGroup
	for round := 0; round < 2; round++ { // the first one warms memory
		run := func() {
			wg.Add(n)
			for i := 0; i < n; i++ {
				go wg.Done()
			}
			wg.Wait()
		}
		if round == 0 {
			run()
		} else {
			report("batch", n, run)
		}
	}
}

func main() {
	tests := map[string]func(){
		"yield":     yield,
		"channel":   func() { channel("channel", 1, 2_000_000) },
		"channel2p": func() { channel("channel2p", 2, 1_000_000) },
		"spawn":     spawn,
		"batch":     batch,
	}
	if len(os.Args) != 2 || tests[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench yield|channel|channel2p|spawn|batch")
		os.Exit(2)
	}
	tests[os.Args[1]]()
}
