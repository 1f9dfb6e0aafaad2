// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// What rt_sem is, by a channel: a permit is room in its buffer.
type semaphore chan struct{}

func (s semaphore) tryAcquire() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func init() {
	var once sync.Once
	var wg sync.WaitGroup
	n := 0
	count := func() { n++ }
	register(table{
		"once_calls_once": func() {
			for i := 0; i < 5; i++ {
				once.Do(count)
			}
			say("%d ", n)
		},
		"once_ignores_other_functions": func() {
			once.Do(func() { say("a ") })
			once.Do(func() { say("b ") })
		},
		"once_is_per_instance": func() {
			var other sync.Once
			once.Do(func() { say("a ") })
			other.Do(func() { say("b ") })
		},
		"once_that_panicked_is_done": func() {
			f := func() {
				n++
				panic("in f")
			}
			catch(func() { once.Do(f) })
			catch(func() { once.Do(f) })
			say("%d ", n)
		},
		"once_of_nil_is_done": func() {
			catch(func() { once.Do(nil) })
			catch(func() { once.Do(nil) })
			once.Do(count)
			say("%d ", n)
		},
		"once_that_goexited_is_done": func() {
			go once.Do(func() {
				n++
				runtime.Goexit()
			})
			settle()
			once.Do(count)
			say("%d ", n)
		},
		"once_others_wait_for_the_first": func() {
			c := make(chan int)
			do := func(i int) {
				once.Do(func() {
					<-c
					say("f done ")
				})
				say("%d returned ", i)
			}
			go do(1)
			settle()
			go do(2)
			settle()
			say("waiting ")
			c <- 0
			settle()
		},
		"once_inside_itself_is_a_deadlock": func() { once.Do(func() { once.Do(count) }) },
		"once_publishes": func() {
			c, made, sum := make(chan int), 0, 0
			for i := 0; i < 100; i++ {
				go func() {
					once.Do(func() { made = 99 })
					c <- made
				}()
			}
			for i := 0; i < 100; i++ {
				sum += <-c
			}
			say("%d ", sum)
		},
		"waitgroup_of_zero_does_not_wait": func() {
			wg.Wait()
			say("returned ")
		},
		"waitgroup_waits_for_all": func() {
			wg.Add(1000)
			for i := 0; i < 1000; i++ {
				go wg.Done()
			}
			wg.Wait()
			say("returned ")
		},
		"waitgroup_releases_every_waiter": func() {
			wg.Add(1)
			for i := 0; i < 3; i++ {
				go func() {
					wg.Wait()
					n++
				}()
			}
			settle()
			if n == 0 {
				say("waiting ")
			} else {
				say("early ")
			}
			wg.Done()
			settle()
			say("released %d ", n)
		},
		"waitgroup_order_of_release": func() {
			wg.Add(1)
			for i := 1; i <= 3; i++ {
				go func() {
					wg.Wait()
					say("%d ", i)
				}()
				settle()
			}
			wg.Done()
			settle()
		},
		"waitgroup_add_may_be_negative": func() {
			wg.Add(3)
			wg.Add(-2)
			wg.Done()
			wg.Wait()
			say("returned ")
		},
		"waitgroup_negative_counter": func() { wg.Add(-1) },
		"waitgroup_done_too_often": func() {
			wg.Add(1)
			wg.Done()
			wg.Done()
		},
		"waitgroup_panic_is_recovered": func() { catch(wg.Done) },
		"waitgroup_may_be_reused": func() {
			for i := 1; i <= 3; i++ {
				wg.Add(2)
				go wg.Done()
				go wg.Done()
				wg.Wait()
				say("%d ", i)
			}
		},
		"waitgroup_publishes": func() {
			var parts [50]int
			sum := 0
			for i := range parts {
				wg.Go(func() { parts[i] = i })
			}
			wg.Wait()
			for _, part := range parts {
				sum += part
			}
			say("%d ", sum)
		},
		"waitgroup_add_while_above_zero": func() {
			var n atomic.Int32
			var start func(depth int)
			start = func(depth int) {
				defer wg.Done()
				n.Add(1)
				for i := 0; depth > 0 && i < 2; i++ {
					wg.Add(1)
					go start(depth - 1)
				}
			}
			wg.Add(1)
			go start(7)
			wg.Wait()
			say("%d ", n.Load())
		},
		"sem_permits": func() {
			sem := make(semaphore, 2)
			for i := 0; i < 3; i++ {
				say("%t ", sem.tryAcquire())
			}
			<-sem
			say("%t ", sem.tryAcquire())
		},
		"sem_waiters_stand_in_line": func() {
			sem := make(semaphore)
			for i := 1; i <= 3; i++ {
				go func() {
					sem <- struct{}{}
					say("%d ", i)
				}()
				settle()
			}
			for i := 1; i <= 3; i++ {
				<-sem
				settle()
			}
		},
		"sem_limits_concurrency": func() {
			sem := make(semaphore, 3)
			var inside, most atomic.Int32
			for i := 0; i < 200; i++ {
				wg.Go(func() {
					sem <- struct{}{}
					now := inside.Add(1)
					for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
					}
					runtime.Gosched()
					inside.Add(-1)
					<-sem
				})
			}
			wg.Wait()
			say("%t ", most.Load() <= 3 && inside.Load() == 0)
		},
		"waitgroup_reused_too_early": func() {
			wg.Add(1)
			go catch(wg.Wait)
			settle()
			wg.Done()
			wg.Add(1)
			settle()
		},
	})
}
