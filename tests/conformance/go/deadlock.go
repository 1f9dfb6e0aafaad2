// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"sync"
	"syscall"
	"time"
)

func init() {
	var mu sync.Mutex
	var rw sync.RWMutex
	var wg sync.WaitGroup
	var none chan int
	register(table{
		"deadlock_on_recv": func() { <-make(chan int) },
		"deadlock_on_send": func() { make(chan int) <- 1 },
		"deadlock_on_full_buffer": func() {
			c := make(chan int, 1)
			c <- 1
			c <- 2
		},
		"deadlock_on_nil_recv":     func() { <-none },
		"deadlock_on_nil_send":     func() { none <- 1 },
		"deadlock_on_empty_select": func() { select {} },
		"deadlock_on_select": func() {
			select {
			case <-make(chan int):
			case <-make(chan int):
			}
		},
		"deadlock_on_select_of_nils": func() {
			select {
			case <-none:
			case <-none:
			}
		},
		"deadlock_on_select_with_itself": func() {
			c := make(chan int)
			select {
			case <-c:
			case c <- 1:
			}
		},
		"deadlock_on_mutex": func() {
			mu.Lock()
			mu.Lock()
		},
		"deadlock_on_rlock": func() {
			rw.Lock()
			rw.RLock()
		},
		"deadlock_on_rwlock": func() {
			rw.RLock()
			rw.Lock()
		},
		"deadlock_on_rwlock_twice": func() {
			rw.Lock()
			rw.Lock()
		},
		"deadlock_on_waitgroup": func() {
			wg.Add(1)
			wg.Wait()
		},
		"deadlock_on_cond": func() {
			mu.Lock()
			sync.NewCond(&mu).Wait()
		},
		"deadlock_of_many":            func() { deadlockOfMany(5) },
		"deadlock_of_many_on_four_ps": func() { deadlockOfMany(50) },
		"deadlock_by_lock_order": func() {
			c := make(chan int)
			rw.Lock()
			go func() {
				mu.Lock()
				<-c
				rw.Lock()
			}()
			c <- 0
			mu.Lock()
		},
		"deadlock_keeps_the_output": func() {
			say("before\n")
			<-make(chan int)
		},
		"deadlock_runs_no_deferred_calls": func() {
			defer say("not reached ")
			<-none
		},
		"deadlock_cannot_be_recovered": func() { catch(func() { <-none }) },
		"no_deadlock_while_one_sleeps": func() {
			c := make(chan int)
			go func() {
				time.Sleep(20 * ms)
				c <- 4
			}()
			say("%d ", <-c)
		},
		"no_deadlock_with_a_timer": func() {
			c := make(chan int)
			time.AfterFunc(20*ms, func() { c <- 4 })
			say("%d ", <-c)
		},
		"no_deadlock_on_timer_channel": func() {
			<-time.After(20 * ms)
			say("ticked ")
		},
		"deadlock_after_the_timer_ran": func() {
			c := make(chan int)
			time.AfterFunc(5*ms, func() { c <- 4 })
			say("%d ", <-c)
			<-c
		},
		"deadlock_with_stopped_timer": func() {
			c := make(chan int)
			time.AfterFunc(time.Hour, func() { c <- 4 }).Stop()
			<-c
		},
		"no_deadlock_during_a_system_call": func() {
			c := make(chan int)
			go func() {
				syscall.Nanosleep(&syscall.Timespec{Nsec: int64(20 * ms)}, nil)
				c <- 6
			}()
			say("%d ", <-c)
		},
		"exit_does_not_wait": func() {
			go func() {
				time.Sleep(time.Hour)
				say("not reached ")
			}()
			go func() { <-none }()
			settle()
			say("end ")
		},
		"exit_code_of_main_is_zero": func() { say("end ") },
		"exit_with_a_code": func() {
			say("before ")
			os.Exit(7)
		},
		"exit_runs_no_deferred_calls": func() {
			defer say("not reached ")
			os.Exit(3)
		},
		"exit_from_another_goroutine": func() {
			go os.Exit(5)
			<-none
		},
		"exit_runs_no_deferred_calls_of_others": func() {
			go func() {
				defer say("not reached ")
				<-none
			}()
			settle()
			say("end ")
		},
		"exit_while_others_run": func() {
			go func() {
				for {
				}
			}()
			time.Sleep(5 * ms)
			say("end ")
		},
	})
}

func deadlockOfMany(n int) {
	c := make(chan int)
	for i := 0; i < n; i++ {
		go func() { <-c }()
	}
	<-make(chan int)
}
