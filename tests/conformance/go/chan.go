// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

func sayTryRecv(c chan int) {
	select {
	case v, open := <-c:
		say("%d %t ", v, open)
	default:
		say("none ")
	}
}

func sayTrySend(c chan int, v int) {
	select {
	case c <- v:
		say("sent ")
	default:
		say("none ")
	}
}

func putSay(c chan int, v int) {
	c <- v
	say("put %d ", v)
}

func takeSay(c chan int, i int) {
	v := <-c
	say("%d took %d ", i, v)
}

func recvSay(c chan int, i int) {
	v, open := <-c
	say("%d: %d %t ", i, v, open)
}

func sendAndRecover(c chan int, v int) {
	defer recoverSay()
	c <- v
	say("sent ")
}

func init() {
	register(table{
		"chan_keeps_the_order_of_values": func() {
			c := make(chan int, 3)
			for i := 1; i <= 3; i++ {
				c <- i
			}
			for i := 1; i <= 3; i++ {
				say("%d ", <-c)
			}
		},
		"chan_ring_wraps_in_order": func() {
			c := make(chan int, 3)
			c <- 0
			c <- 1
			for i := 2; i < 10; i++ {
				c <- i
				say("%d ", <-c)
			}
			say("%d ", <-c)
			say("%d ", <-c)
		},
		"chan_len_counts_queued_values": func() {
			c := make(chan int, 4)
			say("%d ", len(c))
			c <- 1
			say("%d ", len(c))
			c <- 1
			say("%d ", len(c))
			<-c
			say("%d ", len(c))
			<-c
			say("%d ", len(c))
		},
		"chan_cap_is_the_buffer_size": func() {
			c := make(chan int, 5)
			say("%d ", cap(c))
			c <- 1
			say("%d ", cap(c))
		},
		"chan_unbuffered_has_no_length": func() {
			c := make(chan int)
			say("%d %d ", len(c), cap(c))
		},
		"chan_nil_has_no_length": func() {
			var c chan int
			say("%d %d ", len(c), cap(c))
		},
		"chan_len_survives_close": func() {
			c := make(chan int, 4)
			c <- 1
			c <- 2
			close(c)
			say("%d %d ", len(c), cap(c))
			<-c
			say("%d ", len(c))
		},
		"chan_send_copies_the_value": func() {
			c := make(chan int, 2)
			v := 1
			c <- v
			v = 2
			c <- v
			v = 3
			say("%d ", <-c)
			say("%d ", <-c)
		},
		"chan_carries_wide_values": func() {
			type wide struct {
				numbers [64]int32
				text    [32]byte
			}
			c, d := make(chan wide), make(chan int)
			go func() {
				w := wide{}
				copy(w.text[:], "whole")
				for i := range w.numbers {
					w.numbers[i] = int32(i)
				}
				c <- w
				w = wide{}
				d <- 0
			}()
			w := <-c
			<-d
			sum := int32(0)
			for _, n := range w.numbers {
				sum += n
			}
			say("%d %s ", sum, string(w.text[:5]))
		},
		"chan_of_empty_values_counts": func() {
			c := make(chan struct{}, 2)
			c <- struct{}{}
			c <- struct{}{}
			say("%d ", len(c))
			close(c)
			for i := 0; i < 3; i++ {
				_, open := <-c
				say("%t ", open)
			}
		},
		"chan_of_channels": func() {
			c, d := make(chan chan int), make(chan int)
			go func() {
				reply := <-c
				reply <- 42
			}()
			c <- d
			say("%d ", <-d)
		},
		"chan_receive_may_drop_the_value": func() {
			c := make(chan int, 2)
			c <- 1
			c <- 2
			<-c
			say("%d ", <-c)
		},
		"chan_receive_tells_open": func() {
			c := make(chan int, 1)
			c <- 7
			sayTake(c)
		},
		"chan_zero_value_is_not_closed": func() {
			c := make(chan int, 1)
			c <- 0
			close(c)
			sayTake(c)
			sayTake(c)
		},
		"chan_close_then_drain": func() {
			c := make(chan int, 2)
			c <- 1
			c <- 2
			close(c)
			for i := 0; i < 4; i++ {
				sayTake(c)
			}
		},
		"chan_closed_never_blocks_receivers": func() {
			c := make(chan int)
			close(c)
			n := 0
			for i := 0; i < 1000; i++ {
				if _, open := <-c; !open {
					n++
				}
			}
			say("%d ", n)
		},
		"chan_range_ends_at_close": func() {
			c := make(chan int, 3)
			for i := 1; i <= 3; i++ {
				c <- i
			}
			close(c)
			for v := range c {
				say("%d ", v)
			}
			say("done ")
		},
		"chan_send_on_closed": func() {
			c := make(chan int, 1)
			close(c)
			c <- 1
		},
		"chan_send_on_closed_full": func() {
			c := make(chan int, 1)
			c <- 1
			close(c)
			c <- 2
		},
		"chan_close_of_closed": func() {
			c := make(chan int)
			close(c)
			close(c)
		},
		"chan_close_of_nil": func() {
			var c chan int
			close(c)
		},
		"chan_panics_can_be_recovered": func() {
			c := make(chan int)
			close(c)
			catch(func() { c <- 1 })
			catch(func() { close(c) })
			catch(func() {
				var none chan int
				close(none)
			})
			sayTake(c)
		},
		"chan_failed_send_leaves_the_buffer": func() {
			c := make(chan int, 2)
			c <- 5
			close(c)
			catch(func() { c <- 1 })
			sayTake(c)
			sayTake(c)
		},
		"try_recv_of_empty": func() {
			sayTryRecv(make(chan int))
			sayTryRecv(make(chan int, 1))
		},
		"try_recv_takes_a_value": func() {
			c := make(chan int, 1)
			c <- 3
			sayTryRecv(c)
			sayTryRecv(c)
		},
		"try_recv_of_closed": func() {
			c := make(chan int)
			close(c)
			sayTryRecv(c)
		},
		"try_recv_drains_closed": func() {
			c := make(chan int, 1)
			c <- 1
			close(c)
			sayTryRecv(c)
			sayTryRecv(c)
		},
		"try_recv_of_nil": func() { sayTryRecv(nil) },
		"try_send_fills_the_buffer": func() {
			c := make(chan int, 2)
			for i := 0; i < 3; i++ {
				sayTrySend(c, i)
			}
			say("%d ", len(c))
		},
		"try_send_without_receiver": func() { sayTrySend(make(chan int), 1) },
		"try_send_of_nil":           func() { sayTrySend(nil, 1) },
		"try_send_of_closed": func() {
			c := make(chan int)
			close(c)
			catch(func() { sayTrySend(c, 1) })
		},
		"try_send_to_a_waiting_receiver": func() {
			c := make(chan int)
			go func() { say("got %d ", <-c) }()
			settle()
			sayTrySend(c, 8)
			settle()
		},
		"try_recv_from_a_waiting_sender": func() {
			c := make(chan int)
			go putSay(c, 9)
			settle()
			sayTryRecv(c)
			settle()
			sayTryRecv(c)
		},

		// ---- waiting ----

		"chan_unbuffered_send_waits": func() {
			c := make(chan int)
			go putSay(c, 5)
			settle()
			say("waiting ")
			say("%d ", <-c)
			settle()
		},
		"chan_buffered_send_goes_on": func() {
			c := make(chan int, 1)
			go putSay(c, 5)
			settle()
			say("%d ", <-c)
		},
		"chan_full_buffer_waits": func() {
			c := make(chan int, 1)
			c <- 1
			go putSay(c, 2)
			settle()
			say("full ")
			say("%d ", <-c)
			settle()
			say("%d ", <-c)
		},
		"chan_recv_waits_for_a_value": func() {
			c := make(chan int)
			go takeSay(c, 1)
			settle()
			say("waiting ")
			c <- 6
			settle()
		},
		"chan_receivers_wait_in_line": func() {
			c := make(chan int)
			for i := 1; i <= 3; i++ {
				go takeSay(c, i)
				settle()
			}
			for i := 1; i <= 3; i++ {
				c <- 10 * i
				settle()
			}
		},
		"chan_senders_wait_in_line": func() {
			c := make(chan int)
			for i := 1; i <= 3; i++ {
				go putSay(c, i)
				settle()
			}
			for i := 1; i <= 3; i++ {
				say("%d ", <-c)
				settle()
			}
		},
		"chan_waiting_senders_queue_behind_the_buffer": func() {
			c := make(chan int, 1)
			c <- 0
			for i := 1; i <= 3; i++ {
				go putSay(c, i)
				settle()
			}
			for i := 0; i <= 3; i++ {
				say("%d ", <-c)
				settle()
			}
		},
		"chan_waiting_sender_refills_the_buffer": func() {
			c := make(chan int, 2)
			c <- 1
			c <- 2
			go putSay(c, 3)
			settle()
			say("%d ", len(c))
			<-c
			say("%d ", len(c))
			<-c
			say("%d ", len(c))
		},
		"chan_value_bypasses_the_buffer": func() {
			c := make(chan int, 3)
			go takeSay(c, 1)
			settle()
			c <- 4
			say("%d ", len(c))
			settle()
		},
		"chan_close_wakes_a_receiver": func() {
			c := make(chan int)
			go recvSay(c, 1)
			settle()
			close(c)
			settle()
		},
		"chan_close_wakes_every_receiver": func() {
			c, done := make(chan int), make(chan int, 100)
			for i := 0; i < 100; i++ {
				go func() {
					if _, open := <-c; open {
						done <- 0
					} else {
						done <- 1
					}
				}()
			}
			time.Sleep(5 * ms)
			close(c)
			n := 0
			for i := 0; i < 100; i++ {
				n += <-done
			}
			say("%d ", n)
		},
		"chan_close_makes_a_waiting_sender_panic": func() {
			c := make(chan int)
			go sendAndRecover(c, 1)
			settle()
			close(c)
			settle()
			sayTake(c)
		},
		"chan_close_spares_the_buffer": func() {
			c := make(chan int, 1)
			c <- 1
			go sendAndRecover(c, 2)
			settle()
			close(c)
			settle()
			sayTake(c)
			sayTake(c)
		},
		"chan_waiting_senders_panic_kills": func() {
			c := make(chan int)
			go putSay(c, 1)
			settle()
			close(c)
			settle()
			say("not reached ")
		},
		"chan_close_does_not_wait": func() {
			c := make(chan int, 2)
			c <- 1
			c <- 2
			close(c)
			say("closed ")
			sayTake(c)
			sayTake(c)
			sayTake(c)
		},
		"mm_send_before_receive": func() {
			c, shared := make(chan int, 1), 0
			go func() {
				shared = 77
				c <- 0
			}()
			<-c
			say("%d ", shared)
		},
		"mm_close_before_zero": func() {
			c, shared := make(chan int), 0
			go func() {
				shared = 78
				close(c)
			}()
			<-c
			say("%d ", shared)
		},
		"mm_receive_before_send_completes": func() {
			c, shared := make(chan int), 0
			go func() {
				shared = 79
				<-c
			}()
			c <- 0
			say("%d ", shared)
		},
		"mm_kth_receive_before_k_plus_c_send": func() {
			c, done := make(chan int, 3), make(chan int)
			var inside, most atomic.Int32
			for i := 0; i < 200; i++ {
				go func() {
					c <- 0
					n := inside.Add(1)
					for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
					}
					runtime.Gosched()
					inside.Add(-1)
					<-c
					done <- 0
				}()
			}
			for i := 0; i < 200; i++ {
				<-done
			}
			if most.Load() <= 3 {
				say("at most 3: yes ")
			} else {
				say("at most 3: no ")
			}
		},
		"mm_go_statement_before_start": func() {
			c, shared := make(chan int), 80
			go func() { c <- shared }()
			say("%d ", <-c)
		},
		"chan_many_producers_lose_nothing": func() {
			c := make(chan int, 7)
			for i := 1; i <= 8; i++ {
				go func() {
					for k := 0; k < 1000; k++ {
						c <- i
					}
				}()
			}
			sum := 0
			for i := 0; i < 8000; i++ {
				sum += <-c
			}
			say("%d ", sum)
		},
		"chan_prime_sieve": func() {
			c := make(chan int)
			go func(c chan int) {
				for i := 2; ; i++ {
					c <- i
				}
			}(c)
			for i := 0; i < 20; i++ {
				prime := <-c
				say("%d ", prime)
				out := make(chan int)
				go func(in chan int) {
					for {
						if n := <-in; n%prime != 0 {
							out <- n
						}
					}
				}(c)
				c = out
			}
		},
		"chan_ping_pong": func() {
			c, d := make(chan int), make(chan int)
			go func() {
				for v := range c {
					d <- v + 1
				}
				close(d)
			}()
			v := 0
			for v < 10000 {
				c <- v
				v = <-d
			}
			say("%d ", v)
			close(c)
			sayTake(d)
		},
		"chan_daisy_chain": func() {
			first := make(chan int)
			last := first
			for i := 0; i < 1000; i++ {
				in, out := last, make(chan int)
				go func() { out <- <-in + 1 }()
				last = out
			}
			first <- 1
			say("%d ", <-last)
		},
		"chan_close_wakes_the_last_first": func() {
			c := make(chan int)
			for i := 1; i <= 3; i++ {
				go recvSay(c, i)
				settle()
			}
			close(c)
			settle()
		},
	})
}
