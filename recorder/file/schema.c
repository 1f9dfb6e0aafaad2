/* SPDX-License-Identifier: MIT */
/* schema.c - the objects of a trace file.
 *
 * The core is text; the tables made from chunks get theirs from their columns (tables.c), once, at
 * the first call.  chunk has no secondary index while recording (ingest would fall from 50 to under
 * 1 M events/s); chunk_by_time, made at the end, is covering, so that the map of a file is read
 * without its blobs.
 *
 * Of the plain tables only g_state has an index, by G, because views ask it for each G in turn. Its rows stand in time
 * order, so those of a G do in the index, without a time being in it. All else is a scan, 0.1 s a million rows; sorting an
 * index a table took longer than filling the tables.
 *
 * Not done: one wide table for all events with a column an argument. Forty columns, most of them
 * NULL, are no more readable than a0 ... a3 with event_kind beside them, and the tables by subject
 * have real names.
 */
#include "schema.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TIME(column)   "CHECK(" column " BETWEEN 0 AND 4611686018427387903)"
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define TABLE_TEXT_MAX 2048

/* clang-format off */
static const struct schema_object core[] = {
  { SCHEMA_CORE, "table", "meta",
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID" },
  { SCHEMA_CORE, "table", "chunk",
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY, m INTEGER NOT NULL CHECK(m BETWEEN 0 AND 4294967295), "
    "first_seq INTEGER NOT NULL CHECK(first_seq >= 0), n INTEGER NOT NULL CHECK(n BETWEEN 1 AND 4096), "
    "t_min INTEGER NOT NULL " TIME("t_min") ", t_max INTEGER NOT NULL " TIME("t_max") ", "
    "lost_before INTEGER NOT NULL CHECK(lost_before >= 0), codec INTEGER NOT NULL, "
    "xxh3 INTEGER NOT NULL, data BLOB NOT NULL) STRICT" },
  { SCHEMA_CORE, "table", "loss",
    "CREATE TABLE loss(id INTEGER PRIMARY KEY, m INTEGER, first_seq INTEGER, n INTEGER NOT NULL, "
    "t_from INTEGER " TIME("t_from") ", t_to INTEGER " TIME("t_to") ", why TEXT NOT NULL) STRICT" },
  { SCHEMA_CORE, "table", "clock_sync",
    "CREATE TABLE clock_sync(id INTEGER PRIMARY KEY, ts INTEGER " TIME("ts") ", ticks INTEGER NOT NULL, "
    "mono_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL, error_ns INTEGER) STRICT" },
  { SCHEMA_CORE, "table", "event_kind",
    "CREATE TABLE event_kind(kind TEXT PRIMARY KEY, number INTEGER NOT NULL, family TEXT NOT NULL, a0 TEXT, "
    "a1 TEXT, a2 TEXT, a3 TEXT, doc TEXT NOT NULL) STRICT, WITHOUT ROWID" },
  { SCHEMA_CORE, "table", "schema_doc",
    "CREATE TABLE schema_doc(tbl TEXT NOT NULL, col TEXT NOT NULL, unit TEXT, doc_en TEXT NOT NULL, "
    "doc_zh TEXT NOT NULL, PRIMARY KEY(tbl, col)) STRICT, WITHOUT ROWID" },
  { SCHEMA_CORE, "table", "stats",
    "CREATE TABLE stats(name TEXT NOT NULL, m INTEGER NOT NULL, value INTEGER NOT NULL, severity TEXT NOT NULL, "
    "doc TEXT NOT NULL, PRIMARY KEY(name, m)) STRICT, WITHOUT ROWID" },
  { SCHEMA_CORE, "table", "capability",
    "CREATE TABLE capability(family TEXT PRIMARY KEY, level TEXT NOT NULL CHECK(level IN "
    "('recorded', 'partly', 'inferred', 'not in this source')), why TEXT NOT NULL) STRICT, WITHOUT ROWID" },
  { SCHEMA_CORE, "table", "note",
    "CREATE TABLE note(id INTEGER PRIMARY KEY, ts INTEGER " TIME("ts") ", g INTEGER, m INTEGER, p INTEGER, "
    "author TEXT, text TEXT NOT NULL) STRICT" },
  { SCHEMA_CORE, "table", "g",
    "CREATE TABLE g(g INTEGER PRIMARY KEY, name TEXT, parent_g INTEGER, fn INTEGER, function TEXT, "
    "t_create INTEGER " TIME("t_create") ", t_end INTEGER " TIME("t_end") ", stack INTEGER) STRICT" },
  { SCHEMA_CORE, "table", "m",
    "CREATE TABLE m(m INTEGER PRIMARY KEY, tid INTEGER, creator_m INTEGER, is_sysmon INTEGER NOT NULL, "
    "t_first INTEGER " TIME("t_first") ", t_last INTEGER " TIME("t_last") ", events INTEGER NOT NULL) STRICT" },
  { SCHEMA_CORE, "table", "p",
    "CREATE TABLE p(p INTEGER PRIMARY KEY, t_first INTEGER " TIME("t_first") ", t_last INTEGER "
    TIME("t_last") ") STRICT" },
  { SCHEMA_CORE, "table", "timer",
    "CREATE TABLE timer(timer INTEGER PRIMARY KEY, what TEXT, owner_g INTEGER, t_new INTEGER "
    TIME("t_new") ", fired INTEGER NOT NULL, stopped INTEGER NOT NULL) STRICT" },
  { SCHEMA_CORE, "table", "object",
    "CREATE TABLE object(obj INTEGER PRIMARY KEY, what TEXT, name TEXT, capacity INTEGER, t_new INTEGER "
    TIME("t_new") ") STRICT" },
  { SCHEMA_CORE, "table", "string",
    "CREATE TABLE string(id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT" },
  { SCHEMA_CORE, "table", "stack",
    "CREATE TABLE stack(stack INTEGER NOT NULL, depth INTEGER NOT NULL, pc INTEGER NOT NULL, "
    "PRIMARY KEY(stack, depth)) STRICT, WITHOUT ROWID" },
  { SCHEMA_CORE, "table", "frame",
    "CREATE TABLE frame(pc INTEGER PRIMARY KEY, function TEXT, file TEXT, line INTEGER) STRICT" },
};

static const struct schema_object indexes[] = {
  { SCHEMA_INDEXES, "index", "chunk_by_time",
    "CREATE INDEX chunk_by_time ON chunk(m, first_seq, n, t_min, t_max, lost_before)" },
  { SCHEMA_INDEXES, "index", "g_state_by_g", "CREATE INDEX g_state_by_g ON g_state(g)" },
};

#define MS(expression) "round((" expression ")/1e6, 6)"
#define G_NAME(g) "(SELECT coalesce(name, function) FROM g WHERE g.g=" g ")"
#define OBJECT_NAME(obj) "(SELECT coalesce(name, what) FROM object AS o WHERE o.obj=" obj ")"
#define TOTAL(state) MS("sum(dur) FILTER (WHERE state='" state "')") " AS " state "_ms"
static const struct schema_object views[] = {
  { SCHEMA_VIEWS, "view", "v_goroutine",
    /* one pass over g_state for all Gs: decoded from chunks, it is read anew for each subquery */
    "CREATE VIEW v_goroutine AS SELECT g.g, name, function, parent_g, " MS("t_create") " AS create_ms, "
    MS("t_end") " AS end_ms, running_ms, runnable_ms, waiting_ms, syscall_ms FROM g LEFT JOIN (SELECT g, "
    TOTAL("running") ", " TOTAL("runnable") ", " TOTAL("waiting") ", " TOTAL("syscall")
    " FROM g_state GROUP BY g) AS s ON s.g=g.g" },
  { SCHEMA_VIEWS, "view", "v_block",
    "CREATE VIEW v_block AS SELECT g, " G_NAME("s.g") " AS g_name, why, " OBJECT_NAME("s.obj") " AS object, obj, "
    MS("t_start") " AS start_ms, " MS("dur") " AS dur_ms FROM g_state AS s WHERE state='waiting'" },
  { SCHEMA_VIEWS, "view", "v_wake",
    "CREATE VIEW v_wake AS SELECT " MS("ts") " AS ms, waker_g, " G_NAME("w.waker_g") " AS waker, woken_g, "
    G_NAME("w.woken_g") " AS woken, why, " OBJECT_NAME("w.obj") " AS object, " MS("waited") " AS waited_ms, "
    MS("run_ts-ts") " AS delay_ms, waker_m, run_m, waker_p, run_p FROM wake AS w" },
  { SCHEMA_VIEWS, "view", "v_panic",
    "CREATE VIEW v_panic AS SELECT " MS("ts") " AS ms, g, " G_NAME("o.g") " AS g_name, op, depth, value, step, verdict, "
    "frame, other_depth, m, p FROM panic_op AS o" },
  { SCHEMA_VIEWS, "view", "v_timer",
    "CREATE VIEW v_timer AS SELECT " MS("ts") " AS ms, op, o.timer, coalesce(o.what, t.what) AS what, "
    "coalesce(o.owner_g, t.owner_g) AS owner_g, heap, " MS("when_ts") " AS when_ms, " MS("late") " AS late_ms, m, p, g "
    "FROM timer_op AS o LEFT JOIN timer AS t ON t.timer=o.timer" },
  { SCHEMA_VIEWS, "view", "v_loss",
    "CREATE VIEW v_loss AS SELECT m, n, first_seq, " MS("t_from") " AS from_ms, " MS("t_to") " AS to_ms, why FROM loss" },
};
/* clang-format on */

#define OBJECTS_MAX (COUNT(core) + TABLE_COUNT + COUNT(indexes) + COUNT(views))
static struct schema_object objects[OBJECTS_MAX];
static size_t n_objects;
static char table_texts[TABLE_COUNT][TABLE_TEXT_MAX];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void add(const struct schema_object *from, size_t n)
{
  memcpy(objects + n_objects, from, n * sizeof *from);
  n_objects += n;
}

static void write_table_text(const struct table_def *def, char *out)
{
  size_t at = (size_t)snprintf(out, TABLE_TEXT_MAX, "CREATE TABLE %s(", def->name);
  for (int i = 0; i < def->n_columns; i++) {
    const struct table_column *c = &def->columns[i];
    if (c->source == COL_TEXT) /* the virtual table's alone */
      continue;
    char type[96];
    const char *hole = strstr(c->type, "%s");
    if (hole)
      snprintf(type, sizeof type, "%.*s%s%s", (int)(hole - c->type), c->type, c->name, hole + 2);
    else
      snprintf(type, sizeof type, "%s", c->type);
    at += (size_t)snprintf(out + at, TABLE_TEXT_MAX - at, "%s%s %s", i ? ", " : "", c->name, type);
    assert(at < TABLE_TEXT_MAX);
  }
  at += (size_t)snprintf(out + at, TABLE_TEXT_MAX - at, ") STRICT");
  assert(at < TABLE_TEXT_MAX);
}

static void fill_objects(void)
{
  add(core, COUNT(core));
  for (int i = 0; i < TABLE_COUNT; i++) {
    write_table_text(&table_defs[i], table_texts[i]);
    add(&(struct schema_object){ SCHEMA_TABLES, "table", table_defs[i].name, table_texts[i] }, 1);
  }
  add(indexes, COUNT(indexes));
  add(views, COUNT(views));
}

const struct schema_object *schema_objects(size_t *n)
{
  pthread_once(&once, fill_objects);
  *n = n_objects;
  return objects;
}

/* clang-format off */
static const struct schema_doc docs[] = {
  { "meta", "", "", "facts about the whole trace, by name", "关于整个跟踪的事实" },
  { "meta", "key", "", "name of the fact", "名称" },
  { "meta", "value", "", "the fact, as text", "内容（文本）" },
  { "chunk", "", "", "the trace itself: up to 4096 events of one M, coded", "跟踪本身：一个 M 的至多 4096 个事件（已编码）" },
  { "chunk", "first_seq", "", "number of its first event on its M; a gap to the chunk before is a loss", "首个事件在其 M 上的编号" },
  { "chunk", "n", "", "events in it", "事件数" },
  { "chunk", "t_min", "ns", "time of its first event", "首个事件的时间" },
  { "chunk", "t_max", "ns", "time of its last event", "最后一个事件的时间" },
  { "chunk", "lost_before", "", "events lost just before it", "紧接其前丢失的事件数" },
  { "chunk", "codec", "", "2: differences to what was expected, 0 to 4 bytes each; 1, in files of version 1: columns of deltas and varints", "2：与预期值之差，每个 0 到 4 字节；1（版本 1 的文件）：差分与变长整数的列" },
  { "chunk", "xxh3", "", "XXH3 of the other columns and the data", "其他列与数据的 XXH3 校验" },
  { "loss", "", "", "events that were emitted and are not here", "已发出但未保存的事件" },
  { "loss", "n", "", "how many", "数量" },
  { "loss", "t_from", "ns", "not before", "不早于" },
  { "loss", "t_to", "ns", "not after", "不晚于" },
  { "loss", "why", "", "the reason, in words", "原因" },
  { "clock_sync", "", "", "the clocks side by side", "各时钟的对照" },
  { "clock_sync", "ticks", "ticks", "clock of the events", "事件时钟" },
  { "clock_sync", "mono_ns", "ns", "CLOCK_MONOTONIC", "CLOCK_MONOTONIC" },
  { "clock_sync", "wall_ns", "ns", "CLOCK_REALTIME, since 1970", "CLOCK_REALTIME，自 1970 年" },
  { "clock_sync", "error_ns", "ns", "how far the conversion was off before it was bent", "校正前的换算误差" },
  { "event_kind", "", "", "what the events are", "事件种类" },
  { "event_kind", "a0", "", "name of the first argument (event.a0)", "第一个参数的名称 (event.a0)" },
  { "stats", "", "", "counts about the recording; m is -1 for all", "录制统计；m 为 -1 表示全部" },
  { "stats", "severity", "", "info, data_loss, clock or error", "info、data_loss、clock 或 error" },
  { "capability", "", "", "how much of each family of events this trace has", "每类事件在本跟踪中的完整程度" },
  { "note", "", "", "what a person wrote at a place of the trace", "人工备注" },
  { "g", "", "", "each G", "每个 G" },
  { "g", "function", "", "name of the function it runs; NULL: unknown", "所运行函数的名称；NULL 表示未知" },
  { "g", "t_create", "ns", "when it was created; NULL: before the trace", "创建时间；NULL 表示跟踪之前" },
  { "g", "t_end", "ns", "when it ended; NULL: not within the trace", "结束时间；NULL 表示跟踪内未结束" },
  { "m", "", "", "each M (thread)", "每个 M（线程）" },
  { "m", "t_first", "ns", "its first event; NULL: it has none, other events name it", "首个事件的时间；NULL 表示仅被其他事件提及" },
  { "m", "tid", "", "the kernel's thread id", "内核线程号" },
  { "p", "", "", "each P", "每个 P" },
  { "p", "t_first", "ns", "when an event was of it, or named it, first", "首次被事件涉及或提及的时间" },
  { "timer", "", "", "each timer", "每个计时器" },
  { "timer", "fired", "", "how often it fired", "触发次数" },
  { "timer", "stopped", "", "how often it was stopped", "停止次数" },
  { "object", "", "", "channels, mutexes and other things Gs wait for", "G 所等待的通道、互斥锁等对象" },
  { "string", "", "", "texts of the traced program", "被跟踪程序的文本" },
  { "stack", "", "", "call stacks, innermost frame at depth 0", "调用栈，最内层 depth 为 0" },
  { "frame", "", "", "function, file and line at an address of code", "代码地址对应的函数、文件与行号" },
};
/* clang-format on */

const struct schema_doc *schema_docs(size_t *n)
{
  *n = COUNT(docs);
  return docs;
}
