/* SPDX-License-Identifier: MIT */
/* said.c - see said.h.
 *
 * What is printed is taken apart by words, not by names: a field that nobody here has heard of becomes a row, too, and
 * differs from the trace, which knows nothing of it.
 */
#include "said.h"

#include "trace.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the trace knows ---- */

/* m_told: an M that was woken is idle no more, though its thread still sleeps, and counts as spinning if it was woken to.
 * state: the one table of what gmpscope state says, a row an instant. locked: it changes only under sched.lock, which
 * schedtrace holds, or while the world stands, as in a dump. The number of go_starts that began a time slice of their
 * own is what schedtick counts, on P0 from 1 on (rt0.c); what no event tells, and this program does not do, is 0. */
static const char facts[] =
    "CREATE TEMP TABLE said (instant, thing, id, key, value);"
    "CREATE TEMP VIEW m_told AS"
    " SELECT s.id, k.kind = 'm_park' AS idle, x.value->>'status' = 'spinning' OR k.kind = 'm_wake' "
    "AND k.a2 AS spins"
    " FROM state AS s, json_each(s.json, '$.ms') AS x LEFT JOIN event AS k ON k.no = (SELECT "
    "max(no) FROM event"
    "  AS n WHERE n.ts <= s.ts AND (n.kind IN ('m_park', 'm_unpark', 'm_create') AND n.m = "
    "x.value->>'m' OR"
    "  n.kind = 'm_wake' AND n.a0 = x.value->>'m'));"
    "CREATE TEMP VIEW sched_fact AS"
    " SELECT w.id AS instant, 'SCHED' AS thing, 0 AS id, f.key, f.value, f.key <> "
    "'spinningthreads' "
    "AS locked"
    " FROM state AS w, json_each(json_object('gomaxprocs', w.json->'n_procs',"
    "  'idleprocs', json_array_length(w.json->'idle_ps'),"
    "  'threads', (SELECT count(*) FROM json_each(w.json, '$.ms') AS m WHERE m.value->>'status' <> "
    "'dead'),"
    "  'spinningthreads', (SELECT count(*) FROM m_told AS m WHERE m.id = w.id AND m.spins),"
    "  'idlethreads', (SELECT count(*) FROM m_told AS m WHERE m.id = w.id AND m.idle),"
    "  'runqueue', json_array_length(w.json->'global_queue'))) AS f;"
    "CREATE TEMP VIEW p_fact AS"
    " SELECT s.id AS instant, 'P' AS thing, x.value->>'p' AS id, f.key, f.value, 0 AS locked"
    " FROM state AS s, json_each(s.json, '$.ps') AS x, json_each(json_object("
    "  'status', CASE x.value->>'status' WHEN 'idle' THEN 0 WHEN 'running' THEN 1 WHEN 'gcstop' "
    "THEN 3 END,"
    "  'schedtick', (SELECT count(*) FROM event AS e WHERE e.kind = 'go_start' AND e.a2 = 0 AND"
    "   e.p = x.value->>'p' AND e.ts <= s.ts) + (x.value->>'p' = 0),"
    "  'm', coalesce(x.value->>'m', 'nil'),"
    "  'runqsize', json_array_length(x.value->'queue') + (x.value->>'runnext' IS NOT NULL),"
    "  'timerslen', json_array_length(x.value->'timers'), 'syscalltick', 0)) AS f;"
    "CREATE TEMP VIEW m_fact AS"
    " SELECT s.id AS instant, 'M' AS thing, x.value->>'m' AS id, f.key, f.value, 0 AS locked"
    " FROM state AS s, json_each(s.json, '$.ms') AS x, json_each(json_object("
    "  'p', coalesce(x.value->>'p', 'nil'), 'curg', coalesce(x.value->>'g', 'nil'),"
    "  'spinning', iif(x.value->>'status' = 'spinning', 'true', 'false'),"
    "  'blocked', iif(x.value->>'status' = 'parked', 'true', 'false'),"
    "  'lockedg', coalesce(x.value->>'locked_g', 'nil'))) AS f;"
    "CREATE TEMP VIEW g_fact AS"
    " SELECT s.id AS instant, 'G' AS thing, x.value->>'g' AS id, f.key, f.value, 0 AS locked"
    " FROM state AS s, json_each(s.json, '$.gs') AS x, json_each(json_object("
    "  'status', CASE x.value->>'status' WHEN 'runnable' THEN '1()' WHEN 'running' THEN '2()'"
    "   WHEN 'syscall' THEN '3()' WHEN 'waiting' THEN '4(' || (x.value->>'why') || ')' END,"
    "  'm', coalesce(x.value->>'m', 'nil'), 'lockedm', coalesce(x.value->>'locked_m', 'nil'))) AS "
    "f;"
    /* a dump: the G's header, its deferred calls, newest first, who made it, and the calls that it is in */
    "CREATE TEMP VIEW dump_fact AS"
    " SELECT s.id AS instant, 'G' AS thing, x.value->>'g' AS id, f.key, f.value, 1 AS locked"
    " FROM state AS s, json_each(s.json, '$.gs') AS x, json_each(json_object("
    "  'header', '[' || coalesce(x.value->>'why', x.value->>'status') || iif(x.value->>'g' = 1, '',"
    "   ' labels:{\"name\": \"' || (x.value->>'name') || '\"}') || ']:',"
    "  'deferred', (SELECT coalesce(group_concat(d.value->>'function', ' '), '') FROM "
    "json_each(x.value, '$.defers')"
    "   AS d),"
    "  'creator', coalesce(x.value->>'parent_g', 0), 'm', coalesce(x.value->>'m', 'nil'),"
    "  'in calls', (SELECT coalesce(group_concat(c.value->>'function', ' '), '') FROM"
    "   json_each(x.value, '$.deferred_calls') AS c))) AS f WHERE f.key <> 'm' OR "
    "s.id IN (SELECT instant FROM said WHERE key = 'm');";

/* ---- what was printed ---- */

static void say(int instant, const char *thing, long id, const char *key, const char *value)
{
  trace_do("INSERT INTO said VALUES (%d, %Q, %ld, %Q, %Q)", instant, thing, id, key, value);
}

/* "2(sleep)": what a G that runs waited for last is in no state of the trace. */
static void forget_last_reason(char *status)
{
  char *reason = strchr(status, '(');
  if (status[0] != '4' && reason && strlen(reason) >= 2)
    memcpy(reason, "()", 3);
}

/* "KEY=VALUE KEY=VALUE"; what has no '=' belongs to the value before: "status=4(chan receive)". */
static void say_fields(int instant, const char *thing, long id, char *fields)
{
  for (char *at = fields; *at;) {
    char *value = strchr(at, '=');
    assert_non_null(value);
    *value++ = '\0';
    char *next = strchr(value, '='), *end = next ? next : strchr(value, '\0');
    while (next && *end != ' ')
      end--;
    bool last = *end == '\0';
    *end = '\0';
    if (strcmp(at, "status") == 0)
      forget_last_reason(value);
    say(instant, thing, id, at, value);
    at = last ? end : end + 1;
  }
}

/* " [ 1 0 ]": one for each P. Returns what is behind. */
static char *say_of_each_p(int instant, const char *key, char *list)
{
  char value[24];
  list += strspn(list, " [");
  for (long p = 0; *list != ']'; p++) {
    snprintf(value, sizeof value, "%ld", strtol(list, &list, 10));
    say(instant, "P", p, key, value);
    list += strspn(list, " ");
  }
  return list + 1;
}

static void say_summary(int instant, char *line)
{
  char *ms = strstr(line, ": "), *queues = strstr(line, " [");
  assert_non_null(ms);
  char *ticks = queues ? strstr(queues, "] schedticks=") : NULL;
  *ms = '\0';
  say(instant, "SCHED", 0, "log", line);
  if (queues) {
    assert_non_null(ticks);
    say_of_each_p(instant, "schedtick", ticks + strlen("] schedticks="));
    say_of_each_p(instant, "runqsize", queues);
    *queues = '\0';
  }
  say_fields(instant, "SCHED", 0, ms + 2);
}

static void say_thing(int instant, char *line)
{
  char thing[2] = { line[2], '\0' }, *fields;
  long id = strtol(line + 3, &fields, 10);
  assert_memory_equal(fields, ": ", 2);
  say_fields(instant, thing, id, fields + 2);
}

/* The constants, and what no event tells: whether it can be at all. */
static void leave_out_what_no_event_tells(void)
{
  trace_do(
      "DELETE FROM said WHERE (key, value) IN (VALUES ('needspinning', '0'), ('needspinning', "
      "'1'), "
      "('mallocing', '0'), ('throwing', '0'), ('preemptoff', ''), ('locks', '0'), ('dying', '0'), "
      "('gcwaiting', 'false'), ('nmidlelocked', '0'), ('stopwait', '0'), ('sysmonwait', 'false'));"
      "DELETE FROM said WHERE key = 'gfreecnt' AND value BETWEEN '0' AND '99';"
      /* a G that ended is on a free list, and nobody's */
      "DELETE FROM said WHERE thing = 'G' AND (instant, id) IN (SELECT instant, id FROM said WHERE "
      "key = 'status' AND value = '6()')");
}

int said_by_schedtrace(const char *text)
{
  char *copy = strdup(text), *rest = copy;
  int n = 0;
  bool detailed = strstr(text, "\n  P0: ") != NULL;
  trace_do("%s", facts);
  for (char *line; (line = strsep(&rest, "\n"));) {
    if (strncmp(line, "SCHED ", 6) == 0)
      say_summary(n++, line);
    else if (strncmp(line, "  ", 2) == 0)
      say_thing(n - 1, line);
  }
  free(copy);
  leave_out_what_no_event_tells();
  trace_do("CREATE TEMP VIEW fact AS SELECT * FROM sched_fact UNION ALL SELECT * FROM p_fact%s "
           "UNION ALL SELECT e.id, 'SCHED', 0, 'log', s.text, 1 FROM (SELECT row_number() OVER "
           "(ORDER BY no) - 1 "
           "AS id, a1 FROM event WHERE kind = 'user_log') AS e JOIN string AS s ON s.id = e.a1",
           detailed ? " UNION ALL SELECT * FROM m_fact UNION ALL SELECT * FROM g_fact"
                    : " WHERE key IN ('runqsize', 'schedtick')");
  for (int i = 0; i < n; i++) {
    char query[120];
    snprintf(query, sizeof query,
             "SELECT ts FROM event WHERE kind = 'user_log' ORDER BY no LIMIT 1 OFFSET %d", i);
    if (i < trace_ask("SELECT count(*) FROM event WHERE kind = 'user_log'"))
      trace_add_state(i, trace_ask(query));
  }
  return n;
}

/* ---- dumps ---- */

static void say_end(int instant, long g, const char *deferred, long creator)
{
  char number[24];
  snprintf(number, sizeof number, "%ld", creator);
  say(instant, "G", g, "deferred", deferred);
  say(instant, "G", g, "creator", number);
  trace_do(
      "INSERT INTO said SELECT %d, 'G', %ld, 'frames', group_concat(name, ' ') FROM frame_said",
      instant, g);
  /* of the calls that it is in, those that are deferred somewhere */
  trace_do("INSERT INTO said SELECT %d, 'G', %ld, 'in calls', coalesce(group_concat(name, ' '), "
           "'') FROM frame_said "
           "WHERE name IN (SELECT function FROM defer_op WHERE op = 'defer_begin'); DELETE FROM "
           "frame_said",
           instant, g);
}

/* " gp=0x55be899b6e40 m=nil [chan receive]:", from the level system on with the first words. */
static void say_header(int instant, long g, char *words)
{
  char *status = strchr(words, '['), *m = strstr(words, " m=");
  assert_non_null(status);
  say(instant, "G", g, "header", status);
  if (m && m < status) {
    m += strlen(" m=");
    m[strcspn(m, " ")] = '\0'; /* where it is in memory follows, if it has one */
    say(instant, "G", g, "m", m);
  }
}

/* One goroutine, from its header to an empty line or the end. Returns the rest. */
static char *say_goroutine(int instant, char *header, char *rest)
{
  char deferred[200] = "", *words;
  long g = strtol(header + strlen("goroutine "), &words, 10), creator = 0;
  say_header(instant, g, words);
  for (char *line; (line = strsep(&rest, "\n")) && *line && strncmp(line, "----", 4) != 0;) {
    char *in = strstr(line, " in goroutine "), *name = line;
    if (strncmp(line, "deferred: ", 10) == 0) {
      name += 10;
      name[strcspn(name, "(")] = '\0';
      snprintf(strchr(deferred, '\0'), sizeof deferred - strlen(deferred), "%s%s",
               deferred[0] ? " " : "", name);
    } else if (in) {
      creator = strtol(in + strlen(" in goroutine "), NULL, 10);
    } else if (*line != '\t') {
      name[strcspn(name, "(")] = '\0';
      trace_do("INSERT INTO frame_said VALUES (%Q)", name);
    }
  }
  say_end(instant, g, deferred, creator);
  return rest;
}

int said_by_dumps(const char *text, const long long *times, int n)
{
  char *copy = strdup(text), *rest = copy;
  int dump = -1;
  trace_do("%s", facts);
  trace_do("CREATE TEMP TABLE frame_said (name); CREATE TEMP VIEW fact AS SELECT * FROM dump_fact");
  for (char *line; rest && (line = strsep(&rest, "\n"));) {
    if (strncmp(line, "goroutine ", 10) != 0)
      continue;
    if (strstr(line, "[running]:") || dump < 0) { /* who asks for a dump comes first */
      assert_true(++dump < n);
      trace_add_state(dump, times[dump]);
    }
    rest = say_goroutine(dump, line, rest);
  }
  free(copy);
  return dump + 1;
}

/* ---- side by side ---- */

/* What else is on a stack no event tells. */
#define DIFFERENT(which)                                                                           \
  "SELECT coalesce(s.instant, f.instant) || ': ' || coalesce(s.thing, f.thing) || "                \
  "coalesce(s.id, f.id) || ' ' || coalesce(s.key, f.key) || ': printed ' || "                      \
  "coalesce(s.value, 'nothing') || ', the trace has ' || coalesce(f.value, 'nothing') FROM "       \
  "(SELECT * FROM fact WHERE instant IN (SELECT id FROM state)) AS f FULL JOIN (SELECT * FROM "    \
  "said WHERE key <> 'frames' AND instant IN (SELECT id FROM state)) AS s USING (instant, thing, " \
  "id, key) WHERE "                                                                                \
  "CAST(s.value AS TEXT) IS NOT CAST(f.value AS TEXT) AND coalesce(f.locked, 1) = " which

char *said_wrongly(void)
{
  return trace_text(DIFFERENT("1"));
}

char *said_nothing_of(void)
{
  return trace_text("SELECT value FROM fact WHERE key = 'header' AND instant IN (SELECT id FROM "
                    "state) AND (instant, id) NOT IN (SELECT instant, id FROM said WHERE thing = "
                    "'G') ORDER BY instant, value");
}

char *said_of_a_moment_ago(void)
{
  return trace_text(DIFFERENT("0"));
}
