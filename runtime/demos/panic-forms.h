/* SPDX-License-Identifier: MIT */
/* panic-forms.h - the variants of panic-recover. */
#pragma once

void only_a_helper_recovers(void); /* ends the program */
void recover_itself_is_deferred(void);
void recover_without_a_panic(void);
void a_deferred_call_panics(void);
void goexit_is_not_recovered(void);
void the_caller_defers_too(void);
