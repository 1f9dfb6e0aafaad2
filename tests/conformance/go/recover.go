// SPDX-License-Identifier: MIT

package main

import "runtime"

func sayVerdict(recovered bool) {
	if recovered {
		say("yes ")
	} else {
		say("no ")
	}
}

func recoverQuietly() { recover() }

//go:noinline
func helperRecovers() bool { return recover() != nil }

func panicsAndRecovers() {
	defer recoverSay()
	panic("boom")
}

//go:noinline
func throughFrames(n int) int {
	if n == 0 {
		panic("bottom")
	}
	return throughFrames(n-1) + 1
}

func startRecovering(n int) {
	defer recoverSay()
	if n == 0 {
		panic("start")
	}
	startRecovering(n - 1)
	panic("each")
}

func init() {
	register(table{
		"recover_without_panic":      func() { sayVerdict(recover() != nil) },
		"recover_at_a_normal_return": func() { defer recoverSay() },
		"recover_stops_the_panic": func() {
			panicsAndRecovers()
			say("after ")
		},
		"recover_in_a_helper": func() {
			defer recoverSay()
			defer func() { sayVerdict(helperRecovers()) }()
			panic("boom")
		},
		"recover_in_a_helper_called_last": func() {
			defer func() { recoverSay() }()
			panic("boom")
		},
		"recover_in_a_deferred_call_of_a_deferred_call": func() {
			defer recoverSay()
			defer func() { defer recoverSay() }()
			panic("boom")
		},
		"recover_twice_in_one_call": func() {
			defer func() {
				sayVerdict(recover() != nil)
				sayVerdict(recover() != nil)
			}()
			panic("boom")
		},
		"recover_in_two_deferred_calls": func() {
			defer recoverSay()
			defer recoverSay()
			panic("boom")
		},
		"recover_runs_the_remaining_deferred_calls": func() {
			func() {
				defer sayWord("first")
				defer sayWord("second")
				defer recoverSay()
				defer sayWord("last")
				panic("boom")
			}()
			say("after ")
		},
		"recover_returns_to_the_callers_caller": func() {
			func() {
				defer recoverSay()
				func() {
					defer sayWord("level2")
					func() {
						defer sayWord("level3")
						panic("deep")
					}()
					say("not-reached ")
				}()
				say("not-reached ")
			}()
			say("after ")
		},
		"recover_through_many_frames": func() { catch(func() { throughFrames(200) }) },
		"recover_of_a_nested_panic_keeps_the_outer": func() {
			func() {
				defer recoverSay()
				defer func() {
					defer recoverSay()
					panic("second")
				}()
				panic("first")
			}()
			say("after ")
		},
		"recover_of_a_superseding_panic_ends_both": func() {
			func() {
				defer recoverSay()
				defer recoverSay()
				defer panic("second")
				panic("first")
			}()
			say("after ")
		},
		"recover_then_panic_anew": func() {
			func() {
				defer recoverSay()
				defer func() {
					if recover() != nil {
						panic("other")
					}
				}()
				panic("one")
			}()
			say("after ")
		},
		"recover_ten_thousand_times": func() {
			n := 0
			for ; n < 10000; n++ {
				func() {
					defer recoverQuietly()
					panic("again")
				}()
			}
			say("%d ", n)
		},
		"recover_after_parking_in_the_deferred_call": func() {
			c := make(chan int)
			go func() {
				say("sender ")
				c <- 1
			}()
			defer func() {
				<-c
				if v := recover(); v != nil {
					say("recovered: %v ", v)
				}
			}()
			panic("boom")
		},
		"recover_in_another_goroutine": func() {
			go func() {
				defer recoverSay()
				panic("in g")
			}()
			settle()
			say("main goes on ")
		},
		"recover_not_for_other_goroutines": func() {
			defer recoverSay()
			go panic("of another")
			settle()
		},
		"recover_returns_the_value": func() {
			sayType := func() { say("%T ", recover()) }
			func() {
				defer sayType()
				panic(5)
			}()
			func() {
				defer sayType()
				panic("text")
			}()
		},
		"recover_of_panic_nil": func() {
			defer recoverSay()
			panic(nil)
		},
		"recover_after_a_panic_of_its_own": func() {
			defer func() {
				panicsAndRecovers()
				if v := recover(); v != nil {
					say("outer: %v ", v)
				}
			}()
			panic("theirs")
		},
		"recover_by_a_deferred_call_of_a_loop": func() {
			for i := 0; i < 3; i++ {
				defer recoverSay()
			}
			panic("boom")
		},
		"recover_on_every_level": func() { startRecovering(2) },
		"recover_on_another_thread": func() {
			c, n := make(chan int), 0
			for i := 0; i < 100; i++ {
				go func() {
					func() {
						defer recoverQuietly()
						for k := 0; k < 20; k++ {
							defer runtime.Gosched()
						}
						panic("moving")
					}()
					c <- 1
				}()
			}
			for i := 0; i < 100; i++ {
				n += <-c
			}
			say("%d ", n)
		},
	})
}
