/* SPDX-License-Identifier: MIT */
/* fixture.h - reads the text traces of tests/traces for the tests that replay them. */
#pragma once
#include "trace-text.h"

struct fixture {
  char name[300];
  char *text;
  size_t length;
  struct trace_event *events;
  size_t n, capacity;
  bool has_verdict, good;
  char rule[64]; /* that a bad one breaks first */
};

/* Calls one() with every fixture of tests/traces/good and bad; fails the test if one cannot be read. Returns how many. */
size_t fixtures_each(void (*one)(const struct fixture *f, void *arg), void *arg);
/* Parses f->text; false: error says why. */
bool fixture_parse(struct fixture *f, struct trace_text_error *error);
void fixture_clear(struct fixture *f);
/* The text that printing these events gives; the caller frees it. */
char *fixture_print(const struct trace_event *events, size_t n);
