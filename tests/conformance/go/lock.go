// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"sync/atomic"
	"time"
)

func init() {
	var mu sync.Mutex
	var rw sync.RWMutex
	var wg sync.WaitGroup
	sayBool := func(b bool) { say("%t ", b) }
	lockSay := func(i int) {
		mu.Lock()
		say("%d ", i)
		mu.Unlock()
	}
	writeSay := func(i int) {
		rw.Lock()
		say("w%d ", i)
		rw.Unlock()
	}
	readSay := func(i int) {
		rw.RLock()
		say("r%d ", i)
		rw.RUnlock()
	}
	register(table{
		"mutex_zero_value_is_unlocked": func() { sayBool(mu.TryLock()) },
		"mutex_trylock_of_locked": func() {
			mu.Lock()
			sayBool(mu.TryLock())
			mu.Unlock()
			sayBool(mu.TryLock())
		},
		"mutex_unlock_of_unlocked": func() { mu.Unlock() },
		"mutex_unlock_twice": func() {
			mu.Lock()
			mu.Unlock()
			mu.Unlock()
		},
		"mutex_misuse_cannot_be_recovered": func() { catch(mu.Unlock) },
		"mutex_unlock_by_another": func() {
			mu.Lock()
			go mu.Unlock()
			mu.Lock()
			say("locked ")
		},
		"mutex_waiters_stand_in_line": func() {
			mu.Lock()
			for i := 1; i <= 3; i++ {
				go lockSay(i)
				settle()
			}
			mu.Unlock()
			settle()
		},
		"mutex_newcomer_may_overtake": func() {
			mu.Lock()
			go lockSay(1)
			settle()
			mu.Unlock()
			sayBool(mu.TryLock())
			settle()
			mu.Unlock()
			settle()
		},
		"mutex_excludes": func() {
			n := 0
			for i := 0; i < 8; i++ {
				wg.Go(func() {
					for k := 0; k < 1000; k++ {
						mu.Lock()
						n++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			say("%d ", n)
		},
		"mutex_does_not_starve": func() {
			var end atomic.Bool
			go func() {
				for !end.Load() {
					mu.Lock()
					for until := time.Now().Add(ms / 5); time.Now().Before(until); {
					}
					mu.Unlock()
				}
			}()
			time.Sleep(2 * ms)
			for i := 0; i < 10; i++ {
				mu.Lock()
				mu.Unlock()
				time.Sleep(ms / 10)
			}
			end.Store(true)
			say("ten times ")
		},
		"rwmutex_many_readers": func() {
			rw.RLock()
			sayBool(rw.TryRLock())
			sayBool(rw.TryRLock())
			sayBool(rw.TryLock())
		},
		"rwmutex_one_writer": func() {
			rw.Lock()
			sayBool(rw.TryRLock())
			sayBool(rw.TryLock())
			rw.Unlock()
			sayBool(rw.TryLock())
		},
		"rwmutex_free_after_last_reader": func() {
			rw.RLock()
			rw.RLock()
			rw.RUnlock()
			sayBool(rw.TryLock())
			rw.RUnlock()
			sayBool(rw.TryLock())
		},
		"rwmutex_waiting_writer_blocks_new_readers": func() {
			rw.RLock()
			go writeSay(1)
			settle()
			go readSay(2)
			settle()
			sayBool(rw.TryRLock())
			rw.RUnlock()
			settle()
		},
		"rwmutex_readers_before_next_writer": func() {
			rw.Lock()
			go writeSay(3)
			settle()
			go readSay(1)
			settle()
			go readSay(2)
			settle()
			rw.Unlock()
			settle()
		},
		"rwmutex_writer_waits_for_the_last_reader": func() {
			rw.RLock()
			rw.RLock()
			go writeSay(1)
			settle()
			rw.RUnlock()
			settle()
			say("one left ")
			rw.RUnlock()
			settle()
		},
		"rwmutex_runlock_of_unlocked": func() { rw.RUnlock() },
		"rwmutex_unlock_of_unlocked":  func() { rw.Unlock() },
		"rwmutex_runlock_of_write_locked": func() {
			rw.Lock()
			rw.RUnlock()
		},
		"rwmutex_unlock_of_read_locked": func() {
			rw.RLock()
			rw.Unlock()
		},
		"rwmutex_runlock_by_another": func() {
			rw.RLock()
			go rw.RUnlock()
			settle()
			sayBool(rw.TryLock())
		},
		"rwmutex_excludes": func() {
			var readers, writers, broken atomic.Int32
			counter := 0
			check := func(wrong bool) {
				if wrong {
					broken.Add(1)
				}
			}
			read := func() {
				for i := 0; i < 300; i++ {
					rw.RLock()
					readers.Add(1)
					check(writers.Load() != 0)
					readers.Add(-1)
					rw.RUnlock()
				}
			}
			write := func() {
				for i := 0; i < 100; i++ {
					rw.Lock()
					check(writers.Add(1) != 1 || readers.Load() != 0)
					counter++
					writers.Add(-1)
					rw.Unlock()
				}
			}
			for i := 0; i < 4; i++ {
				wg.Go(read)
				wg.Go(write)
				wg.Go(read)
			}
			wg.Wait()
			say("%d %d ", broken.Load(), counter)
		},
		"rwmutex_readers_share_at_once": func() {
			c := make(chan int)
			hold := func() {
				rw.RLock()
				c <- 0
				<-make(chan int)
				rw.RUnlock()
			}
			go hold()
			go hold()
			<-c
			<-c
			say("both hold it ")
		},
	})
}
