// SPDX-License-Identifier: MIT

package main

import (
	"math"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

func sayTryTick(c <-chan time.Time) {
	select {
	case <-c:
		say("got ")
	default:
		say("none ")
	}
}

func switches() int64 {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return used.Nvcsw
}

func init() {
	fired := 0
	fire := func() { fired++ }
	waitUntilFired := func(n int) {
		for fired < n {
			time.Sleep(ms)
		}
	}
	var c chan int
	putter := func(i int) func() { return func() { c <- i } }
	register(table{
		"sleep_lasts_at_least": func() {
			start := time.Now()
			time.Sleep(5 * ms)
			say("%t ", time.Since(start) >= 5*ms)
		},
		"sleep_of_nothing_returns": func() {
			time.Sleep(0)
			time.Sleep(-1)
			time.Sleep(math.MinInt64)
			say("returned ")
		},
		"sleepers_each_sleep_their_time": func() {
			c, n := make(chan int), 0
			for i := 1; i <= 40; i++ {
				go func() {
					start, d := time.Now(), time.Duration(i*7%40)*ms
					time.Sleep(d)
					if time.Since(start) >= d {
						c <- 1
					} else {
						c <- 0
					}
				}()
			}
			for i := 1; i <= 40; i++ {
				n += <-c
			}
			say("%d ", n)
		},
		"sleep_very_long_does_not_overflow": func() {
			go func() {
				time.Sleep(math.MaxInt64)
				say("not-reached ")
			}()
			time.Sleep(5 * ms)
			say("end ")
		},
		"clock_is_monotonic": func() {
			neverBack, last := true, time.Now()
			for i := 0; i < 10000; i++ {
				now := time.Now()
				neverBack = neverBack && now.Sub(last) >= 0
				last = now
			}
			say("%t ", neverBack)
		},
		"after_func_runs_in_its_own_goroutine": func() {
			c := make(chan int)
			time.AfterFunc(ms, func() { c <- runtime.NumGoroutine() })
			if <-c == 2 {
				say("other ")
			} else {
				say("same ")
			}
		},
		"after_func_may_block": func() {
			c = make(chan int)
			blocker := make(chan int)
			time.AfterFunc(ms, func() {
				<-blocker
				c <- 1
			})
			time.AfterFunc(5*ms, putter(2))
			say("%d ", <-c)
			blocker <- 0
			say("%d ", <-c)
		},
		"after_func_of_nothing_runs_soon": func() {
			c = make(chan int)
			time.AfterFunc(0, putter(1))
			say("%d ", <-c)
			time.AfterFunc(-time.Hour, putter(2))
			say("%d ", <-c)
		},
		"after_func_not_before_its_caller_waits": func() {
			time.AfterFunc(0, fire)
			say("%d ", fired)
			waitUntilFired(1)
			say("%d ", fired)
		},
		"after_funcs_not_before_their_time": func() {
			c = make(chan int)
			start, n := time.Now(), 0
			for i := 1; i <= 40; i++ {
				d := time.Duration(i*7%40) * ms
				time.AfterFunc(d, func() {
					if time.Since(start) >= d {
						c <- 1
					} else {
						c <- 0
					}
				})
			}
			for i := 1; i <= 40; i++ {
				n += <-c
			}
			say("%d ", n)
		},
		"after_func_thousands": func() {
			c = make(chan int, 64)
			n := 0
			for i := 0; i < 5000; i++ {
				time.AfterFunc(time.Duration(i%7)*ms, putter(1))
			}
			for i := 0; i < 5000; i++ {
				n += <-c
			}
			say("%d ", n)
		},
		"after_func_may_reset_itself": func() {
			c = make(chan int)
			var timer *time.Timer
			timer = time.AfterFunc(ms, func() {
				if fired++; fired < 3 {
					timer.Reset(ms)
				} else {
					c <- fired
				}
			})
			say("%d ", <-c)
		},
		"timer_stop_of_armed": func() {
			timer := time.AfterFunc(30*ms, fire)
			say("%t ", timer.Stop())
			time.Sleep(60 * ms)
			say("%d ", fired)
		},
		"timer_stop_of_fired": func() {
			timer := time.AfterFunc(ms, fire)
			waitUntilFired(1)
			say("%d %t ", fired, timer.Stop())
		},
		"timer_stop_twice": func() {
			timer := time.AfterFunc(time.Hour, fire)
			say("%t ", timer.Stop())
			say("%t ", timer.Stop())
		},
		"timer_stop_of_due_is_false_or_prevents": func() {
			var n atomic.Int32
			stopped := 0
			for i := 0; i < 200; i++ {
				t := time.AfterFunc(time.Duration(i%3)*ms/10, func() { n.Add(1) })
				runtime.Gosched()
				if t.Stop() {
					stopped++
				}
			}
			time.Sleep(20 * ms)
			if stopped+int(n.Load()) == 200 {
				say("consistent ")
			} else {
				say("lost ")
			}
		},
		"timer_reset_of_armed": func() {
			c = make(chan int)
			timer := time.AfterFunc(time.Hour, putter(1))
			say("%t ", timer.Reset(ms))
			say("%d ", <-c)
		},
		"timer_reset_of_stopped": func() {
			c = make(chan int)
			timer := time.AfterFunc(time.Hour, putter(1))
			say("%t ", timer.Stop())
			say("%t ", timer.Reset(ms))
			say("%d ", <-c)
		},
		"timer_reset_of_fired": func() {
			timer := time.AfterFunc(ms, fire)
			waitUntilFired(1)
			say("%d ", fired)
			say("%t ", timer.Reset(ms))
			waitUntilFired(2)
			say("%d %t ", fired, timer.Stop())
		},
		"timer_reset_to_later": func() {
			c = make(chan int)
			timer := time.AfterFunc(30*ms, fire)
			say("%t ", timer.Reset(time.Hour))
			time.AfterFunc(60*ms, putter(2))
			say("%d ", <-c)
			settle()
			say("%d %t ", fired, timer.Stop())
		},
		"timer_reset_to_earlier": func() {
			c = make(chan int)
			timer := time.AfterFunc(time.Hour, putter(1))
			say("%t ", timer.Reset(5*ms))
			say("%d ", <-c)
			say("%t ", timer.Stop())
		},
		"timer_many_stopped_few_fire": func() {
			var timers []*time.Timer
			for i := 0; i < 1000; i++ {
				d := 50 * ms
				if i%100 == 0 {
					d = 10 * ms
				}
				timers = append(timers, time.AfterFunc(d, fire))
			}
			for i, t := range timers {
				if i%100 != 0 {
					t.Stop()
				}
			}
			waitUntilFired(10)
			time.Sleep(60 * ms)
			say("%d ", fired)
		},
		"after_channel_delivers_once": func() {
			start := time.Now()
			c := time.After(5 * ms)
			at := <-c
			say("%t ", at.Sub(start) >= 5*ms)
			time.Sleep(5 * ms)
			sayTryTick(c)
		},
		"after_channel_waits_to_be_received": func() {
			c := time.After(ms)
			time.Sleep(20 * ms)
			sayTryTick(c)
			sayTryTick(c)
		},
		"timer_channel_has_no_length": func() {
			c := time.After(ms)
			say("%d %d ", cap(c), len(c))
			time.Sleep(20 * ms)
			say("%d ", len(c))
		},
		"after_channel_earlier_first": func() {
			select {
			case <-time.After(time.Hour):
				say("0 ")
			case <-time.After(5 * ms):
				say("1 ")
			}
		},
		"after_channels_tell_when_they_were_due": func() {
			var channels [4]<-chan time.Time
			var at [4]time.Time
			for i, delay := range []time.Duration{70, 10, 100, 40} {
				channels[i] = time.After(delay * ms)
			}
			time.Sleep(120 * ms)
			for i := range channels {
				at[i] = <-channels[i]
			}
			say("%t %t %t ", at[1].Before(at[3]), at[3].Before(at[0]), at[0].Before(at[2]))
		},
		"after_channel_is_served_by_who_polls_it": func() {
			c := time.After(ms)
			time.AfterFunc(0, fire)
			start := time.Now()
			for done := false; !done && time.Since(start) < 5000*ms; {
				select {
				case <-c:
					done = true
				default:
				}
			}
			say("%t %d ", time.Since(start) < 5000*ms, fired)
		},
		"after_channel_is_served_by_a_select_with_default": func() {
			hour, soon := time.After(time.Hour), time.After(ms)
			for chosen := -1; chosen < 0; {
				select {
				case <-hour:
					chosen = 0
				case <-soon:
					chosen = 1
					say("1 ")
				default:
				}
			}
		},
		"after_channel_waited_for_again": func() {
			limit, blocker := time.After(10*ms), make(chan int)
			c = make(chan int)
			n := 0
		loop:
			for ; n < 10; n++ {
				go putter(n)()
				select {
				case <-c:
				case <-limit:
					break loop
				}
			}
			say("%d ", n)
			select {
			case <-blocker:
				say("wrong ")
			case <-limit:
				say("timer ")
			}
		},
		"deadlock_with_an_after_channel": func() {
			time.After(time.Hour)
			select {}
		},
		"ticker_alone_is_a_deadlock": func() {
			time.NewTicker(ms)
			<-make(chan int)
		},
		"ticker_left_is_a_deadlock": func() {
			<-time.NewTicker(ms).C
			say("tick ")
			<-make(chan int)
		},
		"ticker_that_nobody_receives_from_sleeps": func() {
			for i := range 100 {
				time.NewTicker(ms/10 + time.Duration(i)*ms/1000)
			}
			before := switches()
			time.Sleep(200 * ms)
			say("%t ", switches()-before < 500)
		},
		"ticker_ticks": func() {
			t := time.NewTicker(2 * ms)
			for i := 0; i < 3; i++ {
				<-t.C
				say("tick ")
			}
			t.Stop()
		},
		"ticker_drops_late_ticks": func() {
			t := time.NewTicker(20 * ms)
			time.Sleep(130 * ms)
			first := <-t.C
			second := <-t.C
			say("%t ", second.Sub(first) >= 60*ms)
		},
		"ticker_reset_drops_the_old_tick": func() {
			t := time.NewTicker(2 * ms)
			time.Sleep(10 * ms)
			t.Reset(time.Hour)
			sayTryTick(t.C)
		},
		"ticker_period_is_at_least": func() {
			start := time.Now()
			t := time.NewTicker(2 * ms)
			for i := 0; i < 10; i++ {
				<-t.C
			}
			say("%t ", time.Since(start) >= 20*ms)
		},
		"ticker_stop_stops": func() {
			t := time.NewTicker(2 * ms)
			time.Sleep(10 * ms)
			t.Stop()
			sayTryTick(t.C)
			time.Sleep(10 * ms)
			sayTryTick(t.C)
		},
		"ticker_stop_does_not_close": func() {
			t := time.NewTicker(time.Hour)
			go func() {
				<-t.C
				say("not-reached ")
			}()
			settle()
			t.Stop()
			settle()
			say("end ")
		},
		"ticker_reset_restarts": func() {
			t := time.NewTicker(time.Hour)
			t.Reset(2 * ms)
			<-t.C
			say("tick ")
			t.Stop()
			t.Reset(2 * ms)
			<-t.C
			say("tick ")
		},
		"ticker_of_zero":           func() { time.NewTicker(0) },
		"ticker_reset_to_negative": func() { time.NewTicker(time.Hour).Reset(-1) },
		"ticker_stopped_is_a_deadlock": func() {
			t := time.NewTicker(2 * ms)
			t.Stop()
			<-t.C
		},
	})
}
