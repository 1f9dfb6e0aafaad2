/* SPDX-License-Identifier: MIT */
/* fuzz-text.c - any bytes as a text trace: parsing must survive, and what was parsed must print and parse back
 * to the same. */
#include "fuzz.h"

#include "trace-text.h"

#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS 20000u

struct parsed {
  struct trace_event *events;
  size_t n;
};

static bool no_meta(void *arg, const char *key, const char *value, size_t length)
{
  (void)arg;
  if (strlen(key) + strlen(value) > length + 64) /* both are terminated */
    abort();
  return true;
}

static bool keep_event(void *arg, const struct trace_event *e)
{
  struct parsed *parsed = arg;
  if (parsed->n == MAX_EVENTS)
    return false;
  parsed->events[parsed->n++] = *e;
  return true;
}

static bool parse(const char *text, size_t size, struct parsed *parsed)
{
  struct trace_text_error error;
  struct trace_text_sink sink = { no_meta, keep_event, NULL, parsed };
  parsed->n = 0;
  return trace_text_parse(text, size, &sink, &error);
}

static char *print(const struct parsed *parsed, size_t *size)
{
  char *text = NULL;
  FILE *out = open_memstream(&text, size);
  struct trace_text_printer *printer = trace_text_printer_new(out);
  trace_text_print_header(printer);
  for (size_t i = 0; i < parsed->n; i++)
    trace_text_print_event(printer, &parsed->events[i]);
  trace_text_printer_flush(printer);
  trace_text_printer_free(printer);
  fclose(out);
  return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct trace_event first_events[MAX_EVENTS], second_events[MAX_EVENTS];
  struct parsed first = { first_events, 0 }, second = { second_events, 0 };
  parse((const char *)data, size, &first);
  size_t printed_size, again_size;
  char *printed = print(&first, &printed_size);
  if (!parse(printed, printed_size, &second) || second.n != first.n)
    abort();
  char *again = print(&second, &again_size);
  if (again_size != printed_size || memcmp(again, printed, printed_size) != 0)
    abort();
  free(printed);
  free(again);
  return 0;
}
