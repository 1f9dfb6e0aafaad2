// SPDX-License-Identifier: MIT

package main

import "sync"

func init() {
	var mu sync.Mutex
	var wg sync.WaitGroup
	cond := sync.NewCond(&mu)
	waitSay := func(i int) {
		mu.Lock()
		cond.Wait()
		say("%d ", i)
		mu.Unlock()
	}
	startWaiters := func(n int) {
		for i := 1; i <= n; i++ {
			go waitSay(i)
			settle()
		}
	}
	register(table{
		"cond_signal_wakes_one": func() {
			startWaiters(3)
			cond.Signal()
			settle()
			say("end ")
		},
		"cond_signal_in_order": func() {
			startWaiters(3)
			for i := 0; i < 3; i++ {
				cond.Signal()
				settle()
			}
		},
		"cond_broadcast_wakes_all": func() {
			startWaiters(3)
			cond.Broadcast()
			settle()
		},
		"cond_signal_without_waiter_is_lost": func() {
			cond.Signal()
			cond.Broadcast()
			go waitSay(1)
			settle()
			say("end ")
		},
		"cond_signal_may_be_called_unlocked": func() {
			startWaiters(2)
			cond.Signal()
			settle()
			mu.Lock()
			cond.Signal()
			mu.Unlock()
			settle()
		},
		"cond_wait_unlocks": func() {
			startWaiters(1)
			say("%t ", mu.TryLock())
		},
		"cond_wait_returns_locked": func() {
			startWaiters(1)
			mu.Lock()
			cond.Signal()
			settle()
			say("still holding ")
			mu.Unlock()
			settle()
		},
		"cond_wait_in_a_loop": func() {
			ready, woken := 0, 0
			for i := 1; i <= 100; i++ {
				wg.Go(func() {
					mu.Lock()
					for ready < i {
						cond.Wait()
					}
					woken++
					mu.Unlock()
				})
			}
			for i := 1; i <= 100; i++ {
				mu.Lock()
				ready = i
				mu.Unlock()
				cond.Broadcast()
			}
			wg.Wait()
			say("%d ", woken)
		},
		"cond_wait_unlocked": func() { cond.Wait() },
		"cond_bounded_queue": func() {
			notFull, notEmpty := sync.NewCond(&mu), sync.NewCond(&mu)
			var queue []int
			sum := 0
			for i := 0; i < 3; i++ {
				wg.Go(func() {
					for k := 1; k <= 500; k++ {
						mu.Lock()
						for len(queue) == 4 {
							notFull.Wait()
						}
						queue = append(queue, k)
						mu.Unlock()
						notEmpty.Signal()
					}
				})
				wg.Go(func() {
					for k := 1; k <= 500; k++ {
						mu.Lock()
						for len(queue) == 0 {
							notEmpty.Wait()
						}
						sum += queue[0]
						queue = queue[1:]
						mu.Unlock()
						notFull.Signal()
					}
				})
			}
			wg.Wait()
			say("%d ", sum)
		},
	})
}
