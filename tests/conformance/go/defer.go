// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

func sayNum(i int) { say("%d ", i) }

func deferRecursive(n int) {
	defer sayNum(n)
	if n > 0 {
		deferRecursive(n - 1)
	}
}

func yieldSay(i int) {
	runtime.Gosched()
	say("%d ", i)
}

func divide(a, b int) (result int) {
	defer func() {
		if recover() != nil {
			result = -1
		}
	}()
	if b == 0 {
		panic("integer divide by zero")
	}
	return a / b
}

func init() {
	var mu sync.Mutex
	sayFree := func() {
		if mu.TryLock() {
			say("free ")
		} else {
			say("locked ")
		}
	}
	register(table{
		"defer_runs_last_first": func() {
			func() {
				defer sayNum(1)
				defer sayNum(2)
				defer sayNum(3)
				say("body ")
			}()
			say("after ")
		},
		"defer_evaluates_arguments_at_once": func() {
			i := 1
			defer sayNum(i)
			i = 2
			say("%d ", i)
		},
		"defer_sees_variables_late": func() {
			i := 1
			defer func() { sayNum(i) }()
			i = 2
		},
		"defer_in_a_loop_runs_at_the_end": func() {
			for i := 0; i < 4; i++ {
				defer sayNum(i)
			}
			say("loop done ")
		},
		"defer_any_number": func() {
			n := 0
			func() {
				for i := 0; i < 100000; i++ {
					defer func() { n++ }()
				}
			}()
			say("%d ", n)
		},
		"defer_more_than_a_frame_holds": func() {
			defer sayNum(0)
			defer sayNum(1)
			defer sayNum(2)
			defer sayNum(3)
			defer sayNum(4)
			defer sayNum(5)
			defer sayNum(6)
			defer sayNum(7)
			defer sayNum(8)
			defer sayNum(9)
		},
		"defer_loop_and_plain_keep_order": func() {
			defer sayNum(1)
			for i := 2; i < 4; i++ {
				defer sayNum(i)
			}
			defer sayNum(4)
		},
		"defer_belongs_to_its_function": func() {
			defer sayWord("outer")
			func() { defer sayWord("inner") }()
			say("between ")
		},
		"defer_not_reached_is_not_run": func() {
			early := func(leave bool) {
				defer sayWord("first")
				if leave {
					return
				}
				defer sayWord("second")
			}
			early(true)
			early(false)
		},
		"defer_may_be_conditional": func() {
			for n := 0; n < 4; n++ {
				func() {
					if n&1 != 0 {
						defer sayWord("odd")
					}
					if n&2 != 0 {
						defer sayWord("two")
					}
					say("%d: ", n)
				}()
			}
		},
		"defer_in_recursion": func() { deferRecursive(3) },
		"defer_inside_a_deferred_call": func() {
			defer sayWord("last")
			defer func() {
				defer sayWord("deferred-of-deferred")
				say("deferred ")
			}()
		},
		"defer_may_park": func() {
			c := make(chan int)
			go func() {
				say("taking ")
				<-c
			}()
			func() {
				defer sayWord("last")
				defer func() {
					c <- 1
					say("parked ")
				}()
			}()
			say("after ")
		},
		"defer_may_sleep": func() {
			func() {
				defer func() {
					time.Sleep(2 * ms)
					say("slept ")
				}()
				say("body ")
			}()
			say("after ")
		},
		"defer_lists_are_per_goroutine": func() {
			for i := 1; i <= 2; i++ {
				go func() {
					defer yieldSay(10*i + 1)
					defer yieldSay(10*i + 2)
				}()
			}
			settle()
		},
		"defer_may_start_a_goroutine": func() {
			func() {
				defer func() { go sayWord("started") }()
			}()
			say("returned ")
			settle()
		},
		"defer_unlocks": func() {
			locked := func(panics bool) {
				mu.Lock()
				defer mu.Unlock()
				if panics {
					panic("while locked")
				}
			}
			catch(func() { locked(true) })
			sayFree()
			mu.Unlock()
			locked(false)
			sayFree()
		},
		"defer_runs_at_the_end_of_a_goroutine": func() {
			go func() {
				defer sayWord("deferred")
				say("body ")
			}()
			settle()
		},
		"defer_changes_the_result": func() {
			say("%d ", func() (result int) {
				defer func() { result *= 2 }()
				return 21
			}())
		},
		"defer_sets_the_result_of_a_recovery": func() {
			say("%d ", divide(6, 2))
			say("%d ", divide(6, 0))
		},
		"defer_recovery_returns_the_current_result": func() {
			say("%d ", func() (result int) {
				defer recoverSay()
				result = 7
				panic("stop")
			}())
		},
		"defer_runs_during_a_panic": func() {
			catch(func() {
				defer sayWord("first")
				defer sayWord("second")
				panic("stop")
			})
		},
		"defer_in_a_loop_runs_during_a_panic": func() {
			n := 0
			catch(func() {
				for i := 0; i < 20; i++ {
					defer func() { n++ }()
				}
				panic("stop")
			})
			say("%d ", n)
		},
		"defer_records_are_reused": func() {
			n := 0
			for i := 0; i < 2000; i++ {
				n = 0
				func() {
					for k := 0; k < 10; k++ {
						defer func() { n++ }()
					}
					defer func() {
						if recover() != nil {
							n = -1
						}
					}()
					runtime.Gosched()
					panic("again")
				}()
			}
			say("%d ", n)
		},
		"defer_of_nil_panics_when_it_runs": func() {
			catch(func() {
				var f func()
				defer f()
				defer say("first ")
				say("body ")
			})
		},
		"defer_of_nil_in_a_loop": func() {
			n := 0
			catch(func() {
				for i := 0; i < 20; i++ {
					f := func() { n++ }
					if i%10 == 5 {
						f = nil
					}
					defer f()
				}
			})
			say("%d ", n)
		},
		"defer_of_nil_while_panicking": func() {
			catch(func() {
				var f func()
				defer f()
				panic("first")
			})
		},
	})
}
