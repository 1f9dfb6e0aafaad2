// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func nap() { syscall.Nanosleep(&syscall.Timespec{Nsec: int64(30 * ms)}, nil) }

// How many of 50 others run on another thread than tid.
func elsewhere(tid int) int {
	c, n := make(chan bool), 0
	for i := 0; i < 50; i++ {
		go func() { c <- syscall.Gettid() != tid }()
	}
	for i := 0; i < 50; i++ {
		if <-c {
			n++
		}
	}
	return n
}

func init() {
	var wg sync.WaitGroup
	var set atomic.Bool
	sayDone := func(i int) {
		say("%d ", i)
		wg.Done()
	}
	spinUntilSet := func() {
		for !set.Load() {
		}
		wg.Done()
	}
	startTwoMore := func(i int) {
		say("%d ", i)
		go sayDone(10*i + 1)
		go sayDone(10*i + 2)
		wg.Done()
	}
	register(table{
		"go_last_started_runs_first": func() {
			wg.Add(5)
			for i := 1; i <= 5; i++ {
				go sayDone(i)
			}
			wg.Wait()
		},
		"go_does_not_run_at_once": func() {
			go sayNum(1)
			say("main ")
			settle()
		},
		"go_yield_goes_round": func() {
			for i := 1; i <= 2; i++ {
				wg.Go(func() {
					for k := 0; k < 3; k++ {
						say("%d ", i)
						runtime.Gosched()
					}
				})
			}
			wg.Wait()
		},
		"go_yield_alone_returns": func() {
			for i := 0; i < 1000; i++ {
				runtime.Gosched()
			}
			say("back ")
		},
		"go_yield_runs_all_runnable_first": func() {
			for i := 1; i <= 3; i++ {
				go sayNum(i)
			}
			runtime.Gosched()
			say("main ")
		},
		"go_woken_runs_next": func() {
			c := make(chan int)
			go func() { say("1 got %d ", <-c) }()
			settle()
			go sayNum(2)
			c <- 5
			settle()
		},
		"go_from_goroutines": func() {
			wg.Add(6)
			go startTwoMore(1)
			go startTwoMore(2)
			wg.Wait()
		},
		"go_more_than_a_queue_holds": func() {
			n := 0
			for i := 0; i < 1000; i++ {
				wg.Go(func() { n++ })
			}
			wg.Wait()
			say("%d ", n)
		},
		"go_num_goroutine_counts": func() {
			n := 0
			say("%d ", runtime.NumGoroutine())
			for i := 0; i < 3; i++ {
				go func() { n++ }()
			}
			say("%d ", runtime.NumGoroutine())
			settle()
			say("%d ", runtime.NumGoroutine())
		},
		"go_num_goroutine_counts_waiting": func() {
			c := make(chan int)
			for i := 0; i < 10; i++ {
				go func() { <-c }()
			}
			settle()
			say("%d ", runtime.NumGoroutine())
			close(c)
			settle()
			say("%d ", runtime.NumGoroutine())
		},
		"go_num_goroutine_without_timers": func() {
			time.AfterFunc(time.Hour, func() {})
			say("%d ", runtime.NumGoroutine())
		},
		"go_ten_thousand": func() {
			c, n := make(chan int), 0
			for i := 0; i < 10000; i++ {
				go func() { c <- 1 }()
			}
			for i := 0; i < 10000; i++ {
				n += <-c
			}
			say("%d ", n)
		},
		"maxprocs_is_what_was_asked": func() {
			say("%d ", runtime.GOMAXPROCS(0))
			say("%d ", runtime.GOMAXPROCS(-1))
		},
		"maxprocs_returns_the_previous": func() {
			say("%d ", runtime.GOMAXPROCS(4))
			say("%d ", runtime.GOMAXPROCS(1))
			say("%d ", runtime.GOMAXPROCS(0))
		},
		"maxprocs_two_run_at_once": func() {
			wg.Add(1)
			go spinUntilSet()
			time.Sleep(ms)
			set.Store(true)
			wg.Wait()
			say("both ")
		},
		"maxprocs_change_loses_nobody": func() {
			var n atomic.Int32
			for i := 0; i < 2000; i++ {
				wg.Go(func() { n.Add(1) })
				if i%100 == 0 {
					runtime.GOMAXPROCS(1 + i/100%4)
				}
			}
			wg.Wait()
			say("%d ", n.Load())
		},
		"preempt_a_busy_goroutine": func() {
			wg.Add(1)
			go spinUntilSet()
			time.Sleep(5 * ms)
			say("others run ")
			set.Store(true)
			wg.Wait()
		},
		"lock_os_thread_keeps_the_thread": func() {
			c, n := make(chan int), 0
			for i := 0; i < 8; i++ {
				go func() {
					same := 1
					runtime.LockOSThread()
					tid := syscall.Gettid()
					for k := 0; k < 100; k++ {
						runtime.Gosched()
						time.Sleep(time.Duration(i%2) * ms / 20)
						if syscall.Gettid() != tid {
							same = 0
						}
					}
					runtime.UnlockOSThread()
					c <- same
				}()
			}
			for i := 0; i < 8; i++ {
				n += <-c
			}
			say("%d ", n)
		},
		"lock_os_thread_keeps_others_out": func() {
			runtime.LockOSThread()
			tid := syscall.Gettid()
			say("%d ", elsewhere(tid))
		},
		"lock_os_thread_nests": func() {
			runtime.LockOSThread()
			runtime.LockOSThread()
			runtime.UnlockOSThread()
			tid, same, c := syscall.Gettid(), true, make(chan int)
			for i := 0; i < 20; i++ {
				go func() { c <- 1 }()
				<-c
				same = same && syscall.Gettid() == tid
			}
			runtime.UnlockOSThread()
			say("%t ", same)
		},
		"unlock_os_thread_of_unlocked": func() {
			runtime.UnlockOSThread()
			runtime.Gosched()
			say("fine ")
		},
		"lock_os_thread_to_the_end": func() {
			tids := make(chan int)
			go func() {
				runtime.LockOSThread()
				tids <- syscall.Gettid()
			}()
			tid := <-tids
			for runtime.NumGoroutine() > 1 {
				time.Sleep(ms)
			}
			say("%d ", elsewhere(tid))
		},
		"lock_os_thread_of_main_still_serves_others": func() {
			runtime.LockOSThread()
			wg.Add(3)
			for i := 1; i <= 3; i++ {
				go sayDone(i)
			}
			wg.Wait()
		},
		"syscall_gives_up_its_p": func() {
			var ends [2]int
			syscall.Pipe(ends[:])
			wg.Go(func() {
				say("calls ")
				syscall.Read(ends[0], make([]byte, 1))
				say("back ")
			})
			time.Sleep(50 * ms)
			say("others run ")
			syscall.Write(ends[1], make([]byte, 1))
			wg.Wait()
		},
		"syscall_many_at_once": func() {
			start := time.Now()
			for i := 0; i < 30; i++ {
				wg.Go(nap)
			}
			wg.Wait()
			if time.Since(start) < 30*30*ms {
				say("all in less than the sum ")
			} else {
				say("one after the other ")
			}
		},
		"go_of_a_nil_function": func() {
			var f func()
			go f()
		},
		"gc_changes_nothing": func() {
			c, n := make(chan int, 4), 0
			for i := 0; i < 1000; i++ {
				go func() { c <- 1 }()
			}
			for i := 0; i < 1000; i++ {
				n += <-c
				if i%100 == 0 {
					runtime.GC()
				}
			}
			say("%d ", n)
		},
	})
}
