// SPDX-License-Identifier: MIT
// nest.go - nest.c in Go: what the words mean is told there.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const maxSteps = 3000

var (
	functions []string
	steps     int
)

// Made anew each time: two panics are never the same value by accident.
func textOf(n int) string { return "v" + strconv.Itoa(n) }

func run(function int, callers *int) {
	mine := 0
	for _, word := range strings.Fields(functions[function]) {
		n, _ := strconv.Atoi(word[1:])
		if steps++; steps > maxSteps {
			os.Exit(0)
		}
		switch word[0] {
		case 'd', 'D':
			defer run(n, &mine)
		case 'c':
			run(n, &mine)
		case 'p':
			fmt.Printf("%d ", n)
		case 'x':
			panic(textOf(n))
		case 'e':
			panic(errors.New(textOf(n)))
		case 'r':
			if v := recover(); v != nil {
				fmt.Printf("r:%v ", v)
			} else {
				fmt.Print("r:nil ")
			}
		case 'a':
			if v := recover(); v != nil {
				panic(v)
			}
		case 'g':
			runtime.Goexit()
		case 'y':
			runtime.Gosched()
		case 'w':
			time.Sleep(50 * time.Microsecond)
		case 's':
			*callers += n
		case 't':
			fmt.Printf("t%d ", mine)
		default:
			os.Exit(3)
		}
	}
}

func begin() {
	unused := 0
	defer fmt.Print("done ")
	run(0, &unused)
	fmt.Print("back ")
}

func main() {
	script := os.Args[1]
	onMain := strings.HasPrefix(script, "!")
	functions = strings.Split(strings.TrimPrefix(script, "!"), "/")
	if onMain {
		begin()
	} else {
		go begin()
	}
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
	fmt.Println("end")
}
