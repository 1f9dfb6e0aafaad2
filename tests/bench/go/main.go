// SPDX-License-Identifier: MIT

// The Go side of the runtime benchmarks: the same tests under the same names as ../bench-runtime.c.
//
//	bench TEST    prints "TEST wall_ns cpu_ns" per operation
package main

import (
	"fmt"
	"io"
	"net"
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

// As channel, but both sides wait in a select of two cases, of which one never happens.
func selects() {
	const n = 2_000_000
	runtime.GOMAXPROCS(1)
	ping, pong, never := make(chan int), make(chan int), make(chan int)
	go func() {
		for {
			select {
			case v := <-ping:
				pong <- v
			case <-never:
			}
		}
	}()
	report("select", n, func() {
		for i := 0; i < n; i++ {
			ping <- i
			select {
			case <-pong:
			case <-never:
			}
		}
	})
}

// Values from one G to another through a buffer of 1024.
func buffered() {
	const n = 10_000_000
	runtime.GOMAXPROCS(1)
	report("buffered", n, func() {
		c := make(chan int, 1024)
		go func() {
			for i := 0; i < n; i++ {
				c <- i
			}
			close(c)
		}()
		for range c {
		}
	})
}

// A tree of Gs, ten to a node, a million leaves; each sends its sum to its parent.
func skynetNode(to chan int, number, leaves int) {
	if leaves == 1 {
		to <- number
		return
	}
	from := make(chan int)
	for i := 0; i < 10; i++ {
		go skynetNode(from, number+i*(leaves/10), leaves/10)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-from
	}
	to <- sum
}

func skynet() {
	const n = 1_000_000
	runtime.GOMAXPROCS(2)
	report("skynet2p", n, func() {
		c := make(chan int)
		go skynetNode(c, 0, n)
		if <-c != n*(n-1)/2 {
			panic("skynet: wrong sum")
		}
	})
}

// k Gs take turns at one mutex.
func mutexes(test string, k int) {
	const n = 10_000_000
	runtime.GOMAXPROCS(2)
	var mu sync.Mutex
	counter := 0
	report(test, n, func() {
		var wg sync.WaitGroup
		wg.Add(k)
		for g := 0; g < k; g++ {
			go func() {
				for i := 0; i < n/k; i++ {
					mu.Lock()
					counter++
					mu.Unlock()
				}
				wg.Done()
			}()
		}
		wg.Wait()
	})
}

// A timer is made and stopped while a million others wait.
func timer() {
	const n, outstanding = 2_000_000, 1_000_000
	runtime.GOMAXPROCS(1)
	keep := make([]*time.Timer, outstanding)
	for i := range keep {
		keep[i] = time.AfterFunc(time.Hour+time.Duration(i), func() {})
	}
	report("timer", n, func() {
		for i := 0; i < n; i++ {
			time.AfterFunc(30*time.Minute, func() {}).Stop()
		}
	})
	runtime.KeepAlive(keep)
}

//go:noinline
func nothing() {}

// Ten deferred calls of a loop each.
//
//go:noinline
func deferTen() {
	for i := 0; i < 10; i++ {
		defer nothing()
	}
}

func deferLoop() {
	const n = 10_000_000
	report("deferloop", n, func() {
		for i := 0; i < n; i += 10 {
			deferTen()
		}
	})
}

func recovers() { recover() }

//go:noinline
func panicOnce() {
	defer recovers()
	panic("bench")
}

func panics() {
	const n = 2_000_000
	report("panic", n, func() {
		for i := 0; i < n; i++ {
			panicOnce()
		}
	})
}

// Ten frames deep, one deferred call in each.
//
//go:noinline
func panicBelow(depth int) {
	defer nothing()
	if depth == 0 {
		panic("bench")
	}
	panicBelow(depth - 1)
}

//go:noinline
func panicTen() {
	defer recovers()
	panicBelow(9)
}

func panic10() {
	const n = 500_000
	report("panic10", n, func() {
		for i := 0; i < n; i++ {
			panicTen()
		}
	})
}

func residentBytes() int64 {
	var size, resident int64
	text, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(text), &size, &resident)
	return resident * 4096
}

// Memory of a G that waits.
func parked() {
	const n = 1_000_000
	runtime.GOMAXPROCS(1)
	never := make(chan int)
	before, since := residentBytes(), time.Now()
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			wg.Done()
			<-never
		}()
	}
	wg.Wait()
	runtime.Gosched()
	fmt.Printf("parked %.2f %.2f\n", float64(time.Since(since).Nanoseconds())/n, float64(residentBytes()-before)/n)
}

// A server that gives back what each of its connections sends; ../bench-echo-load is told the port and the number of
// requests by the first line.
func echo(test string, procs int) {
	const n, connections = 200_000, 64
	runtime.GOMAXPROCS(procs)
	report(test, n, func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		fmt.Println(l.Addr().(*net.TCPAddr).Port, n)
		var wg sync.WaitGroup
		wg.Add(connections)
		for i := 0; i < connections; i++ {
			c, err := l.Accept()
			if err != nil {
				panic(err)
			}
			go serve(c, &wg)
		}
		wg.Wait()
		l.Close()
	})
}

func serve(c net.Conn, wg *sync.WaitGroup) {
	buf := make([]byte, 512)
	for {
		n, err := c.Read(buf)
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(err)
		}
		if _, err := c.Write(buf[:n]); err != nil {
			panic(err)
		}
	}
	c.Close()
	wg.Done()
}

func main() {
	tests := map[string]func(){
		"yield":      yield,
		"channel":    func() { channel("channel", 1, 2_000_000) },
		"channel2p":  func() { channel("channel2p", 2, 1_000_000) },
		"select":     selects,
		"buffered":   buffered,
		"spawn":      spawn,
		"batch":      batch,
		"skynet2p":   skynet,
		"mutex2x2p":  func() { mutexes("mutex2x2p", 2) },
		"mutex8x2p":  func() { mutexes("mutex8x2p", 8) },
		"mutex64x2p": func() { mutexes("mutex64x2p", 64) },
		"timer":      timer,
		"deferloop":  deferLoop,
		"panic":      panics,
		"panic10":    panic10,
		"parked":     parked,
		"echo1p":     func() { echo("echo1p", 1) },
		"echo2p":     func() { echo("echo2p", 2) },
	}
	if len(os.Args) != 2 || tests[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "bench: no such test")
		os.Exit(2)
	}
	tests[os.Args[1]]()
}
