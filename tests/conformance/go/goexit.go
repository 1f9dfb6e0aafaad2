// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"runtime"
	"sync"
	"time"
)

func deepGoexit(n int) {
	defer sayWord("level")
	if n == 0 {
		runtime.Goexit()
	}
	deepGoexit(n - 1)
	say("not-reached ")
}

// Runs fn in a goroutine until it is over, then says that main goes on.
func goAndMain(fn func()) {
	go fn()
	settle()
	say("main ")
}

func init() {
	register(table{
		"goexit_runs_deferred_calls": func() {
			goAndMain(func() {
				defer sayWord("first")
				defer sayWord("second")
				runtime.Goexit()
			})
		},
		"goexit_runs_the_callers_deferred_calls": func() {
			go func() {
				deepGoexit(2)
				say("not-reached ")
			}()
			settle()
		},
		"goexit_is_no_panic": func() {
			go func() {
				defer recoverSay()
				runtime.Goexit()
			}()
			settle()
		},
		"goexit_then_fatal_error": func() {
			go func() {
				var mu sync.Mutex
				defer mu.Unlock()
				runtime.Goexit()
			}()
			settle()
		},
		"goexit_ends_only_its_goroutine": func() {
			go runtime.Goexit()
			settle()
			say("%d ", runtime.NumGoroutine())
		},
		"goexit_in_a_deferred_call": func() {
			go func() {
				defer sayWord("caller")
				func() {
					defer sayWord("first")
					defer runtime.Goexit()
					say("body ")
				}()
				say("not-reached ")
			}()
			settle()
		},
		"goexit_in_goexit": func() {
			goAndMain(func() {
				defer sayWord("first")
				defer runtime.Goexit()
				defer runtime.Goexit()
				runtime.Goexit()
			})
		},
		"goexit_during_a_panic_drops_it": func() {
			goAndMain(func() {
				defer recoverSay()
				defer runtime.Goexit()
				panic("dropped")
			})
		},
		"goexit_after_recover": func() {
			goAndMain(func() {
				defer sayWord("first")
				defer func() {
					recoverSay()
					if recover() != nil {
						say("recovered ")
					}
					runtime.Goexit()
				}()
				panic("boom")
			})
		},
		"goexit_with_a_panic_recovered_inside": func() {
			goAndMain(func() {
				defer sayWord("first")
				defer func() {
					defer recoverSay()
					panic("inside")
				}()
				runtime.Goexit()
			})
		},
		"goexit_goes_on_after_a_recovered_panic": func() {
			goAndMain(func() {
				defer sayWord("caller")
				func() {
					defer sayWord("first")
					defer recoverSay()
					defer panic("beyond")
					runtime.Goexit()
				}()
				say("not-reached ")
			})
		},
		"goexit_with_an_unrecovered_panic": func() {
			go func() {
				defer sayWord("first")
				defer panic("fatal one")
				runtime.Goexit()
			}()
			settle()
			say("not reached ")
		},
		"goexit_between_two_panics": func() {
			go func() {
				defer panic("newer")
				defer runtime.Goexit()
				panic("older")
			}()
			settle()
		},
		"goexit_of_main_lets_others_run": func() {
			go func() {
				time.Sleep(5 * ms)
				say("other ")
				os.Exit(0)
			}()
			runtime.Goexit()
		},
		"goexit_of_main_then_none_left": func() {
			go func() {
				time.Sleep(5 * ms)
				say("other ")
			}()
			runtime.Goexit()
		},
		"goexit_of_main_alone": func() { runtime.Goexit() },
		"goexit_of_main_runs_its_deferred_calls": func() {
			defer sayWord("deferred")
			runtime.Goexit()
		},
		"goexit_of_main_while_others_wait": func() {
			c := make(chan int)
			go func() { <-c }()
			settle()
			runtime.Goexit()
		},
		"goexit_of_main_with_panic": func() {
			defer panic("at the end")
			runtime.Goexit()
		},
		"goexit_while_locked_to_a_thread": func() {
			for i := 0; i < 10; i++ {
				go func() {
					runtime.LockOSThread()
					runtime.Goexit()
				}()
			}
			for runtime.NumGoroutine() > 1 {
				time.Sleep(ms)
			}
			say("%d ", runtime.NumGoroutine())
		},
		"goexit_with_waitgroup": func() {
			var wg sync.WaitGroup
			wg.Add(1000)
			for i := 0; i < 1000; i++ {
				go func() {
					defer wg.Done()
					runtime.Goexit()
				}()
			}
			wg.Wait()
			say("done ")
		},
		"goexit_in_what_remains_after_recovery": func() {
			goAndMain(func() {
				defer sayWord("caller")
				func() {
					defer sayWord("first")
					defer runtime.Goexit()
					defer recoverQuietly()
					panic("boom")
				}()
				say("not-reached ")
			})
		},
		"goexit_again_after_a_recovered_panic": func() {
			goAndMain(func() {
				defer sayWord("first")
				defer runtime.Goexit()
				defer recoverSay()
				defer panic("between")
				runtime.Goexit()
			})
		},
		"goexit_in_panic_and_of_main": func() {
			go func() {
				defer runtime.Goexit()
				panic("hello")
			}()
			runtime.Goexit()
		},
		"goexit_of_main_after_a_recovered_panic": func() {
			defer recoverQuietly()
			defer panic("hello")
			runtime.Goexit()
		},
		"goexit_with_a_repeated_panic": func() {
			go func() {
				defer repanic()
				defer panic("same")
				runtime.Goexit()
			}()
			settle()
		},
	})
}
