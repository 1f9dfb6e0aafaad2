// SPDX-License-Identifier: MIT

// The conformance cases as Go programs: `conformance-go CASE` runs one, without an argument it lists them.
// Names and outputs are those of the C cases beside this folder; the runner compares both with one table.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"syscall"
	"time"
	"unsafe"
)

type table map[string]func()

var cases = table{}

func register(t table) {
	for name, run := range t {
		if cases[name] != nil {
			panic("two cases named " + name)
		}
		cases[name] = run
	}
}

const ms = time.Millisecond

// Past the scheduler: a write that it knows of may cost the goroutine its P, and with it its place in the order.
func say(format string, a ...any) {
	text := []byte(fmt.Sprintf(format, a...))
	if len(text) > 0 {
		syscall.RawSyscall(syscall.SYS_WRITE, 1, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)))
	}
}

func sayTake(c chan int) {
	v, open := <-c
	say("%d %t ", v, open)
}

// Lets the others run until each waits or is done. For one P.
func settle() {
	for i := 0; i < 20; i++ {
		runtime.Gosched()
	}
}

// Deferred: must call recover itself.
func recoverSay() {
	if v := recover(); v != nil {
		say("recovered: %v ", v)
	} else {
		say("nothing ")
	}
}

func sayWord(text string) { say("%s ", text) }

func catch(fn func()) {
	ok := true
	defer func() {
		if v := recover(); v != nil {
			ok = false
			say("recovered: %v ", v)
		}
	}()
	fn()
	if ok {
		say("ok ")
	}
}

func main() {
	if len(os.Args) != 2 {
		var names []string
		for name := range cases {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	run := cases[os.Args[1]]
	if run == nil {
		fmt.Fprintf(os.Stderr, "conformance: there is no case '%s'\n", os.Args[1])
		os.Exit(3)
	}
	run()
}
