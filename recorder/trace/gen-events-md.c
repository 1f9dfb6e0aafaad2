/* SPDX-License-Identifier: MIT */
/* gen-events-md.c - prints docs/events.md from the tables, so that the page cannot disagree with the code:
 *
 *   build/recorder/trace/gen-events-md > docs/events.md
 *
 * A test runs it and compares. */
#include "trace-event.h"
#include "trace-replay.h"

#include <stdio.h>

static const struct {
  enum trace_family family;
  const char *name, *title;
} families[] = {
#define X(NAME, bit, name, title) { TRACE_FAMILY_##NAME, name, title },
  TRACE_FAMILIES(X)
#undef X
};

static void print_arguments(const struct trace_spec *spec)
{
  const char *comma = "";
  for (int i = 0; i < 4; i++) {
    if (!spec->args[i].name)
      continue;
    printf("%s`%s` %s", comma, spec->args[i].name, trace_arg_type_name(spec->args[i].type));
    comma = ", ";
  }
}

static void print_family(size_t i)
{
  printf("\n## %s (`%s`)\n\n| no. | event | arguments | what happened |\n|---:|---|---|---|\n",
         families[i].title, families[i].name);
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
    const struct trace_spec *spec = trace_spec_get(kind);
    if (!spec || spec->family != families[i].family)
      continue;
    printf("| %u | `%s` | ", kind, spec->name);
    print_arguments(spec);
    printf(" | %s |\n", spec->doc);
  }
}

static void print_words(void)
{
  printf("\n## Words\n\nArguments of these types are one of a closed list; the numbers stand in "
         "files.\n\n"
         "| type | words |\n|---|---|\n");
  for (int type = TRACE_ARG_WAIT; type <= TRACE_ARG_CHOICE; type++) {
    printf("| %s | ", trace_arg_type_name((enum trace_arg)type));
    const char *comma = "";
    for (uint32_t number = 0; number < 64; number++) {
      const char *text = trace_word_text((enum trace_arg)type, number);
      if (!text)
        continue;
      printf("%s%u \"%s\"", comma, number, text);
      comma = ", ";
    }
    printf(" |\n");
  }
}

static void print_rules(void)
{
  printf("\n## Rules\n\n`gmpscope check` replays a trace and names the first of these that it "
         "breaks.\n\n"
         "| rule | what must hold |\n|---|---|\n");
  for (int rule = 1; rule < TRACE_RULE_LIMIT; rule++)
    printf("| `%s` | %s |\n", trace_rule_name((enum trace_rule)rule),
           trace_rule_text((enum trace_rule)rule));
}

int main(void)
{
  printf("# Events\n\nMade from `recorder/trace/events.def` by `gen-events-md`; do not edit.\n\n"
         "Every record says when it was written (`ts`), its number in its M's ring (`seq`), its M "
         "(`m`), the P that "
         "the M held (`p`)\nand the G that ran (`g`, 0 on g0). \"This M\" and \"the running G\" "
         "are those. Types of "
         "arguments are explained in\n`recorder/trace/trace-event.h`.\n");
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
    print_family(i);
  print_words();
  print_rules();
  return 0;
}
