// SPDX-License-Identifier: MIT

package main

import (
	"reflect"
	"time"
)

func saySelect(x, y chan int) {
	select {
	case v, ok := <-x:
		say("0 %d %t ", v, ok)
	case v, ok := <-y:
		say("1 %d %t ", v, ok)
	}
}

func saySelectDefault(x, y chan int) {
	select {
	case v, ok := <-x:
		say("0 %d %t ", v, ok)
	case v, ok := <-y:
		say("1 %d %t ", v, ok)
	default:
		say("default ")
	}
}

func sayFair(n, low, high int) {
	if n >= low && n <= high {
		say("fair ")
	} else {
		say("unfair ")
	}
}

func closed() chan int {
	c := make(chan int)
	close(c)
	return c
}

func selectSend(c, d chan int) {
	select {
	case c <- 1:
		say("sent to 0 ")
	case d <- 2:
		say("sent to 1 ")
	}
}

func sayTryGet(c chan int) {
	select {
	case <-c:
		say("got ")
	default:
		say("none ")
	}
}

// Forty receive cases; one gets a value, before or after the select begins.
func selectForty(which, value int, before bool) {
	var cases []reflect.SelectCase
	for i := 0; i < 40; i++ {
		c := make(chan int, 1)
		if !before {
			c = make(chan int)
		}
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)})
	}
	c := cases[which].Chan.Interface().(chan int)
	if before {
		c <- value
	} else {
		go func() { c <- value }()
	}
	i, v, _ := reflect.Select(cases)
	say("%d %d ", i, v.Int())
}

func init() {
	register(table{
		"select_takes_the_ready_case": func() {
			c, d := make(chan int, 1), make(chan int, 1)
			d <- 5
			saySelect(c, d)
			c <- 6
			saySelect(c, d)
		},
		"select_default_if_none_is_ready": func() { saySelectDefault(make(chan int), make(chan int, 1)) },
		"select_no_default_if_one_is_ready": func() {
			c, d := make(chan int, 1), make(chan int, 1)
			d <- 3
			saySelectDefault(c, d)
			saySelectDefault(c, d)
		},
		"select_only_default": func() {
			select {
			default:
				say("-1 ")
			}
		},
		"select_nil_is_never_ready": func() {
			c := make(chan int, 1)
			c <- 1
			saySelect(nil, c)
			saySelectDefault(nil, nil)
		},
		"select_nil_send_is_never_ready": func() {
			var c chan int
			select {
			case c <- 1:
				say("0 ")
			case <-c:
				say("1 ")
			default:
				say("-1 ")
			}
		},
		"select_closed_is_ready": func() {
			c := closed()
			for i := 0; i < 3; i++ {
				saySelect(c, make(chan int))
			}
		},
		"select_closed_drains_first": func() {
			c := make(chan int, 1)
			c <- 4
			close(c)
			saySelect(c, nil)
			saySelect(c, nil)
		},
		"select_send_into_room": func() {
			c := make(chan int, 1)
			select {
			case c <- 9:
				say("0 ")
			case <-make(chan int):
				say("1 ")
			}
			say("%d ", <-c)
		},
		"select_send_into_full": func() {
			c := make(chan int, 1)
			c <- 1
			select {
			case c <- 9:
				say("0 ")
			case c <- 9:
				say("1 ")
			default:
				say("-1 ")
			}
		},
		"select_send_on_closed_panics": func() {
			select {
			case closed() <- 9:
			case <-make(chan int):
			default:
			}
		},
		"select_send_panic_is_recovered": func() {
			d := make(chan int, 1)
			catch(func() {
				select {
				case closed() <- 9:
				case <-d:
				default:
				}
			})
			say("%d ", len(d))
		},
		"select_receives_without_variable": func() {
			c := make(chan int, 1)
			c <- 1
			var none chan int
			select {
			case _, ok := <-c:
				say("0 %t %d ", ok, len(c))
			case <-none:
				say("1 ")
			}
		},
		"select_untaken_cases_do_nothing": func() {
			c, d := make(chan int, 2), make(chan int, 2)
			c <- 1
			d <- 1
			v, w := 0, 0
			select {
			case v = <-c:
			case w = <-d:
			}
			say("%d %d ", len(c)+len(d), v+w)
			if len(c) == 1 {
				d = c
			}
			say("%d ", <-d)
		},
		"select_does_not_talk_to_itself": func() {
			c := make(chan int)
			select {
			case c <- 1:
				say("0 ")
			case <-c:
				say("1 ")
			default:
				say("-1 ")
			}
		},
		"select_waits_on_both_ends": func() {
			c := make(chan int)
			go func() {
				c <- 7
				say("sent ")
			}()
			select {
			case c <- 1:
				say("0 ")
			case w := <-c:
				say("1 %d ", w)
			}
			settle()
		},
		"select_waits_on_both_ends_for_receiver": func() {
			c := make(chan int)
			go takeSay(c, 5)
			select {
			case c <- 1:
				say("0 ")
			case <-c:
				say("1 ")
			}
			settle()
		},
		"select_send_or_receive_on_a_buffer": func() {
			c := make(chan int, 1)
			for i := 0; i < 4; i++ {
				select {
				case c <- 1:
					say("0 ")
				case <-c:
					say("1 ")
				}
			}
		},
		"select_two_ready_are_chosen_fairly": func() {
			c, d, n := closed(), closed(), 0
			for i := 0; i < 4000; i++ {
				select {
				case <-c:
					n++
				case <-d:
				}
			}
			sayFair(n, 1600, 2400)
		},
		"select_four_ready_are_chosen_fairly": func() {
			c, n := closed(), [4]int{}
			for i := 0; i < 4000; i++ {
				select {
				case <-c:
					n[0]++
				case <-c:
					n[1]++
				case <-c:
					n[2]++
				case <-c:
					n[3]++
				}
			}
			for _, count := range n {
				sayFair(count, 650, 1350)
			}
		},
		"select_fair_between_send_and_receive": func() {
			c, d, sends := make(chan int, 4001), closed(), 0
			for i := 0; i < 4000; i++ {
				select {
				case c <- 1:
					sends++
				case <-d:
				}
			}
			sayFair(sends, 1600, 2400)
		},
		"select_duplicates_weigh_double": func() {
			c, d, n := closed(), closed(), 0
			for i := 0; i < 4500; i++ {
				select {
				case <-c:
				case <-d:
					n++
				case <-c:
				}
			}
			sayFair(n, 1100, 1900)
		},
		"select_not_ready_cases_do_not_skew": func() {
			c, d, e, n := closed(), closed(), make(chan int), 0
			var none chan int
			for i := 0; i < 4000; i++ {
				select {
				case <-none:
				case <-e:
				case <-c:
					n++
				case <-d:
				}
			}
			sayFair(n, 1600, 2400)
		},
		"select_waits_and_is_woken": func() {
			c, d := make(chan int), make(chan int)
			go saySelect(c, d)
			settle()
			say("waiting ")
			d <- 8
			settle()
		},
		"select_woken_leaves_the_other_queue": func() {
			c, d := make(chan int), make(chan int)
			go saySelect(c, d)
			settle()
			d <- 8
			settle()
			sayTrySend(c, 1)
		},
		"select_woken_by_close": func() {
			c, d := make(chan int), make(chan int)
			go saySelect(c, d)
			settle()
			close(c)
			settle()
		},
		"select_send_woken_by_receiver": func() {
			c, d := make(chan int), make(chan int)
			go selectSend(c, d)
			settle()
			say("%d ", <-d)
			settle()
			sayTryGet(c)
		},
		"select_waiting_send_panics_on_close": func() {
			c, d := make(chan int), make(chan int)
			go catch(func() { selectSend(c, d) })
			settle()
			close(c)
			settle()
			sayTryGet(d)
		},
		"select_waiters_stand_in_line": func() {
			c, d := make(chan int), make(chan int)
			tell := func(i int) {
				select {
				case v := <-c:
					say("%d got %d ", i, v)
				case <-d:
				}
			}
			go tell(1)
			settle()
			go takeSay(c, 2)
			settle()
			go tell(3)
			settle()
			for i := 1; i <= 3; i++ {
				c <- 10 * i
				settle()
			}
		},
		"select_meets_select": func() {
			c := make(chan int)
			go saySelect(c, nil)
			settle()
			selectSend(c, nil)
			settle()
		},
		"select_cancel_by_done_channel": func() {
			c, d := make(chan int), make(chan int)
			go func() {
				say("closing ")
				close(d)
			}()
			saySelect(c, d)
		},
		"select_timeout": func() {
			select {
			case <-make(chan int):
				say("wrong ")
			case <-time.After(2 * ms):
				say("timeout ")
			}
		},
		"select_value_beats_timeout": func() {
			c := make(chan int, 1)
			c <- 3
			select {
			case v := <-c:
				say("value %d ", v)
			case <-time.After(time.Hour):
				say("wrong ")
			}
		},
		"select_many_cases_last_is_ready": func() { selectForty(39, 11, true) },
		"select_many_cases_wait":          func() { selectForty(17, 12, false) },
		"select_merges_until_both_are_closed": func() {
			c, d := make(chan int), make(chan int, 3)
			count := func(to chan int) {
				for i := 0; i < 2000; i++ {
					to <- 1
				}
				close(to)
			}
			go count(c)
			go count(d)
			sum := 0
			for c != nil || d != nil {
				select {
				case v, ok := <-c:
					if ok {
						sum += v
					} else {
						c = nil
					}
				case v, ok := <-d:
					if ok {
						sum += v
					} else {
						d = nil
					}
				}
			}
			say("%d ", sum)
		},
		"select_loses_nothing_on_four_ps": func() {
			c, d := make(chan int), make(chan int, 2)
			for i := 0; i < 4; i++ {
				go func() {
					for k := 0; k < 1000; k++ {
						select {
						case c <- 1:
						case d <- 1:
						}
					}
				}()
			}
			sum := 0
			for i := 0; i < 4000; i++ {
				select {
				case v := <-c:
					sum += v
				case v := <-d:
					sum += v
				}
			}
			say("%d ", sum)
		},
		"select_writes_only_the_chosen_variable": func() {
			c, v, w := make(chan int, 1), -1, -1
			c <- 3
			select {
			case v = <-c:
			case w = <-make(chan int):
			}
			say("%d %d ", v, w)
		},
		"select_priority_by_nesting": func() {
			c, d := make(chan int, 3), make(chan int, 3)
			for i := 0; i < 3; i++ {
				c <- i
				d <- i
			}
			for i := 0; i < 3; i++ {
				select {
				case <-c:
					say("urgent ")
				default:
					saySelect(c, d)
				}
			}
			say("%d ", len(d))
		},
	})
}
