/* SPDX-License-Identifier: MIT */
/* value.c - a panic's value, printed as Go's print does: bare for the basic types, TYPE(value) for named
 * types over them, (TYPE) ADDRESS for the rest.  Lines of a text after the first are indented by a tab.
 */
#include "panic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out {
  void (*write)(void *to, const char *bytes, size_t n);
  void *to;
};

static void put(struct out out, const char *s)
{
  out.write(out.to, s, strlen(s));
}

static void put_indented(struct out out, const char *s)
{
  for (const char *newline; (newline = strchr(s, '\n')); s = newline + 1) {
    out.write(out.to, s, (size_t)(newline - s));
    put(out, "\n\t");
  }
  put(out, s);
}

static bool reads_back(const char *text, double f, bool single)
{
  return single ? (double)strtof(text, NULL) == f : strtod(text, NULL) == f;
}

/* The fewest digits that read back as f, a float32 if single, in Go's 'g' form: 0.5, 123456, 1e+06, 1e-05. */
static void put_float(struct out out, double f, bool single)
{
  if (isnan(f) || isinf(f)) {
    put(out, isnan(f) ? "NaN" : f > 0 ? "+Inf" : "-Inf");
    return;
  }
  char text[40];
  int decimals = 0;
  do
    snprintf(text, sizeof text, "%.*e", decimals, f);
  while (!reads_back(text, f, single) && decimals++ < 17);
  int exponent = atoi(strchr(text, 'e') + 1);
  if (exponent >= -4 && exponent < 6)
    snprintf(text, sizeof text, "%.*f", decimals > exponent ? decimals - exponent : 0, f);
  put(out, text);
}

static void put_kind(struct out out, const struct rt_value *v, enum rt_kind kind)
{
  char text[32];
  switch (kind) {
  case RT_KIND_BOOL:
    put(out, v->b ? "true" : "false");
    return;
  case RT_KIND_INT:
    snprintf(text, sizeof text, "%lld", (long long)v->i);
    put(out, text);
    return;
  case RT_KIND_UINT:
    snprintf(text, sizeof text, "%llu", (unsigned long long)v->u);
    put(out, text);
    return;
  case RT_KIND_FLOAT:
    put_float(out, v->f, strcmp(v->type, "float32") == 0);
    return;
  case RT_KIND_STRING:
    put_indented(out, v->s ? v->s : "");
    return;
  case RT_KIND_OF_TYPE:
    break;
  }
  snprintf(text, sizeof text, "%#llx", (unsigned long long)v->u);
  put(out, v->p ? text : "0x0");
}

/* The kind of a basic type by its name; RT_KIND_OF_TYPE if it is none. */
static enum rt_kind basic_kind(const char *type)
{
  static const struct {
    const char *type;
    enum rt_kind kind;
  } basic[] = {
    { "string", RT_KIND_STRING }, { "error", RT_KIND_STRING }, { "bool", RT_KIND_BOOL },
    { "int", RT_KIND_INT },       { "int8", RT_KIND_INT },     { "int16", RT_KIND_INT },
    { "int32", RT_KIND_INT },     { "int64", RT_KIND_INT },    { "uint", RT_KIND_UINT },
    { "uint8", RT_KIND_UINT },    { "uint16", RT_KIND_UINT },  { "uint32", RT_KIND_UINT },
    { "uint64", RT_KIND_UINT },   { "uintptr", RT_KIND_UINT }, { "float32", RT_KIND_FLOAT },
    { "float64", RT_KIND_FLOAT },
  };
  for (size_t i = 0; i < nelem(basic); i++)
    if (strcmp(type, basic[i].type) == 0)
      return basic[i].kind;
  return RT_KIND_OF_TYPE;
}

void value_write(const struct rt_value *v, void (*write)(void *to, const char *bytes, size_t n),
                 void *to)
{
  struct out out = { write, to };
  if (!v->type) {
    put(out, "nil");
    return;
  }
  if (v->kind == RT_KIND_OF_TYPE) {
    enum rt_kind kind = basic_kind(v->type);
    if (kind == RT_KIND_OF_TYPE) {
      put(out, "(");
      put(out, v->type);
      put(out, ") ");
    }
    put_kind(out, v, kind);
    return;
  }
  put(out, v->type);
  put(out, v->kind == RT_KIND_STRING ? "(\"" : "(");
  put_kind(out, v, v->kind);
  put(out, v->kind == RT_KIND_STRING ? "\")" : ")");
}

struct buffer {
  char *text;
  size_t used, room;
};

static void write_to_buffer(void *to, const char *bytes, size_t n)
{
  struct buffer *b = to;
  size_t fits = b->room - b->used < n ? b->room - b->used : n;
  memcpy(b->text + b->used, bytes, fits);
  b->used += fits;
}

size_t value_text(const struct rt_value *v, char *text, size_t n)
{
  struct buffer b = { text, 0, n - 1 };
  value_write(v, write_to_buffer, &b);
  text[b.used] = '\0';
  return b.used;
}
