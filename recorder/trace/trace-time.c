/* SPDX-License-Identifier: MIT */
/* trace-time.c - times as people write and read them, exactly, in integers.
 *
 * No floating point: "1.234567891 s" must come back as the same nanosecond that went out.
 */
#include "trace-text.h"

#include <inttypes.h>
#include <string.h>

struct unit {
  const char *name;
  int64_t ns;
};

/* The second spelling of micro is UTF-8; people print that one, and type the first. */
static const struct unit units[] = {
  { "s", 1000000000 }, { "ms", 1000000 }, { "\xc2\xb5s", 1000 }, { "us", 1000 }, { "ns", 1 },
};

static const struct unit *unit_by_name(const char *name)
{
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(units[i].name, name) == 0)
      return &units[i];
  }
  return NULL;
}

/* Reads digits into *n, counting them; false if they overflow. */
static bool read_digits(const char **text, int64_t *n, int *count)
{
  *n = 0;
  for (*count = 0; **text >= '0' && **text <= '9'; ++*text, ++*count) {
    if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, **text - '0', n))
      return false;
  }
  return true;
}

/* count digits behind the point, of a unit of unit_ns: .25 us is 250 ns. False: not a whole number
 * of ns. */
static bool fraction_of_unit(int64_t unit_ns, int64_t digits, int count, int64_t *ns)
{
  while (count > 0 && digits % 10 == 0) {
    digits /= 10;
    count--;
  }
  for (; count > 0; count--) {
    if (unit_ns % 10 != 0)
      return false;
    unit_ns /= 10;
  }
  *ns = digits * unit_ns;
  return true;
}

bool trace_time_parse(const char *text, int64_t *ns)
{
  int64_t whole, fraction = 0, fraction_ns = 0;
  int whole_count, fraction_count = 0;
  bool is_plain = *text == '@';
  text += is_plain;
  if (!read_digits(&text, &whole, &whole_count) || whole_count == 0)
    return false;
  if (is_plain) {
    *ns = whole;
    return *text == '\0';
  }
  if (*text == '.') {
    text++;
    if (!read_digits(&text, &fraction, &fraction_count) || fraction_count == 0)
      return false;
  }
  const struct unit *unit = unit_by_name(text);
  if (!unit || !fraction_of_unit(unit->ns, fraction, fraction_count, &fraction_ns))
    return false;
  int64_t sum;
  if (__builtin_mul_overflow(whole, unit->ns, &sum) ||
      __builtin_add_overflow(sum, fraction_ns, &sum))
    return false;
  *ns = sum;
  return true;
}

size_t trace_time_print(int64_t ns, char *out, size_t n)
{
  const char *sign = ns < 0 ? "-" : "";
  uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
  const struct unit *unit = &units[4];
  for (size_t i = 0; i < 3 && unit == &units[4]; i++) {
    if (size >= (uint64_t)units[i].ns)
      unit = &units[i];
  }
  uint64_t whole = size / (uint64_t)unit->ns, rest = size % (uint64_t)unit->ns;
  if (rest == 0)
    return (size_t)snprintf(out, n, "%s%" PRIu64 " %s", sign, whole, unit->name);
  int width = unit->ns == 1000000000 ? 9 : unit->ns == 1000000 ? 6 : 3;
  while (rest % 10 == 0) {
    rest /= 10;
    width--;
  }
  return (size_t)snprintf(out, n, "%s%" PRIu64 ".%0*" PRIu64 " %s", sign, whole, width, rest,
                          unit->name);
}
