// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"runtime"
	"sync"
	"time"
)

func panicsWithDeferred() {
	defer sayWord("callee")
	panic("boom")
}

func recoverPanicNew() {
	if recover() != nil {
		panic("new")
	}
}

func repanic() {
	if v := recover(); v != nil {
		panic(v)
	}
}

func recoversInside() {
	defer recoverQuietly()
	panic("inner")
}

func wrapped() {
	defer func() {
		if v := recover(); v != nil {
			panic("wrap: " + v.(string))
		}
	}()
	panic("bad")
}

func threeLevels(n int) {
	defer panic([]string{"1", "2", "3"}[n])
	if n == 0 {
		panic("0")
	}
	threeLevels(n - 1)
}

func init() {
	var none chan int
	var mu sync.Mutex
	register(table{
		"panic_runs_deferred_calls_first": func() {
			defer sayWord("deferred")
			panic("boom")
		},
		"panic_runs_the_callers_deferred_calls": func() {
			defer sayWord("caller")
			panicsWithDeferred()
		},
		"panic_of_a_goroutine_kills_the_program": func() {
			go panicsWithDeferred()
			settle()
			say("not reached ")
		},
		"panic_while_main_returns": func() {
			c := make(chan int, 1)
			go func() {
				defer func() {
					c <- 1
					for i := 0; i < 10; i++ {
						runtime.Gosched()
					}
					say("yielded ")
				}()
				panic("boom")
			}()
			<-c
			say("main ")
		},
		"panic_runs_no_deferred_calls_of_others": func() {
			defer sayWord("not-reached")
			go panic("boom")
			<-make(chan int)
		},
		"panic_then_fatal_error": func() {
			defer mu.Unlock()
			panic("a\nb")
		},
		"panic_recovered_then_fatal_error": func() {
			defer func() {
				recover()
				mu.Unlock()
			}()
			panic("boom")
		},
		"panic_repeated_then_fatal_error": func() {
			defer func() {
				defer mu.Unlock()
				panic(recover())
			}()
			panic("boom")
		},
		"panic_over_then_fatal_error": func() {
			catch(func() { panic("over") })
			mu.Unlock()
		},
		"panic_in_a_deferred_call": func() {
			defer panic("second")
			panic("first")
		},
		"panic_three_deep": func() {
			defer panic("3")
			defer panic("2")
			panic("1")
		},
		"panic_inside_a_panic_inside": func() {
			defer func() {
				defer panic("3")
				panic("2")
			}()
			panic("1")
		},
		"panic_after_recover": func() {
			defer recoverPanicNew()
			panic("old")
		},
		"panic_repeated": func() {
			defer repanic()
			panic("same")
		},
		"panic_repeated_twice": func() {
			defer repanic()
			defer repanic()
			panic("same")
		},
		"panic_repeated_then_new": func() {
			defer recoverPanicNew()
			defer repanic()
			panic("same")
		},
		"panic_new_then_repeated": func() {
			defer repanic()
			defer recoverPanicNew()
			panic("old")
		},
		"panic_int_repeated": func() {
			defer repanic()
			panic(5)
		},
		"panic_repeated_with_equal_text": func() {
			defer func() {
				recover()
				panic(string([]byte("same")))
			}()
			panic("same")
		},
		"panic_same_without_recover": func() {
			defer panic("other")
			panic("again")
		},
		"panic_with_an_inner_recovered": func() {
			defer recoversInside()
			panic("outer")
		},
		"panic_after_a_recovered_one": func() {
			recoversInside()
			panic("later")
		},
		"panic_after_an_aborted_one": func() {
			func() {
				defer recoverQuietly()
				defer panic("second")
				panic("first")
			}()
			panic("third")
		},
		"panic_of_the_runtime_while_panicking": func() {
			defer func() { close(none) }()
			panic("first")
		},
		"panic_of_the_runtime_repeated": func() {
			defer repanic()
			close(none)
		},
		"panic_lines_in_a_chain": func() {
			defer recoverPanicNew()
			panic("a\nb")
		},
		"panic_deferred_call_may_lock": func() {
			var mu sync.Mutex
			defer func() {
				mu.Lock()
				say("locked ")
			}()
			panic("boom")
		},
		"panic_lets_others_run_meanwhile": func() {
			defer func() {
				time.Sleep(5 * ms)
				say("slept ")
			}()
			go say("others-run ")
			panic("boom")
		},
		"panic_deferred_call_that_never_ends": func() {
			defer func() { <-make(chan int) }()
			panic("boom")
		},
		"panic_deferred_call_that_exits": func() {
			defer os.Exit(4)
			panic("boom")
		},
		"panic_in_timer_function": func() {
			time.AfterFunc(2*ms, func() { panic("late") })
			time.Sleep(time.Hour)
		},
		"panic_in_once": func() {
			var once sync.Once
			once.Do(func() { panic("in once") })
		},
		"panic_wrapped_recovered_then_another": func() {
			catch(wrapped)
			panic("again")
		},
		"panic_second_recovered_then_third": func() {
			catch(func() {
				defer func() {
					say("recovered: %v ", recover())
					panic("second")
				}()
				panic("first")
			})
			panic("third")
		},
		"panic_in_what_remains_after_recovery": func() {
			defer panic("second")
			defer recoverQuietly()
			panic("first")
		},
		"panic_on_each_level_recovered_at_the_top": func() {
			catch(func() { threeLevels(2) })
			panic("after")
		},
		"panic_on_each_level": func() { threeLevels(2) },
		"panic_chain_of_recovered_ones": func() {
			defer func() {
				recover()
				wrapped()
			}()
			panic("first")
		},
		"panic_outer_recovered_after_an_inner_chain": func() {
			defer func() {
				func() {
					defer recoverQuietly()
					defer panic("second")
					panic("first")
				}()
				say("recovered: %v ", recover())
			}()
			panic("outer")
		},
	})
}
