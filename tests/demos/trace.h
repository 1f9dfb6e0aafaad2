/* SPDX-License-Identifier: MIT */
/* trace.h - records a demonstration and asks its trace, in the SQL that docs/trace-file.md teaches.
 *
 * A question has a number for an answer.  Where it depends on nothing but what happened, it is asked of recordings in
 * real time on several numbers of Ps; where chance decides whether something happens at all, of simulated ones.
 */
#pragma once
#include "test.h"

struct how {
  int procs;         /* 0: 2 */
  const char *fault; /* NULL: none */
  int seed;          /* 0: in real time */
  /* Not NULL: recorded anew, some times, until the answer to it is not 0. For what a busy machine may prevent. */
  const char *until;
};

/* How often, at most: GMPSCOPE_TRIES, or 40. */
int trace_tries(void);

/* Records a form of a demo ("sleep-defer reached") and opens the trace; the one before is closed. A trace without a
 * fault must pass gmpscope check. What the program printed is in trace_out and trace_err. */
void trace_record(const char *demo, struct how how);
extern char *trace_out, *trace_err;
/* The answer to a query of one number. In it, {NAME} is the number of the G of that name. */
long long trace_ask(const char *query);
/* The texts that a query of one column finds, a line each. Free with free(). */
char *trace_text(const char *query);
/* Executes a statement, with %d, %lld and %Q as in sqlite3_mprintf: for temporary tables of what was printed. */
void trace_do(const char *format, ...);
/* Puts what gmpscope state --json says of this time into the temporary table state (id, ts, json). */
void trace_add_state(int id, long long ts);
/* Fails, with the query, unless the answer is this. */
#define trace_expect(query, answer) trace_expect_((query), (answer), __FILE__, __LINE__)
void trace_expect_(const char *query, long long answer, const char *file, int line);
/* Fails unless the answer is at least 1. */
#define trace_expect_some(query) trace_expect_some_((query), __FILE__, __LINE__)
void trace_expect_some_(const char *query, const char *file, int line);

/* For main: only the test that GMPSCOPE_TEST names, if it does. */
void trace_choose_tests(void);
/* For cmocka_run_group_tests: a directory of its own. */
int trace_enter(void **state);
int trace_leave(void **state);
