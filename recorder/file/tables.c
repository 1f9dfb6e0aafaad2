/* SPDX-License-Identifier: MIT */
/* tables.c - the columns of the tables that are made from chunks. A column is one line: its name in
 * SQL, what is in it, and both languages' word about it. Adding a column at the end of a table is a
 * minor version. */
#include "schema.h"

#define TIME "INTEGER CHECK(%s BETWEEN 0 AND 4611686018427387903)"

/* clang-format off */
#define WHERE_AND_WHO                                                                              \
  { "ts",   TIME,      COL_TS,   NULL, "ns", "time since the trace's start",        "自跟踪开始的时间" }, \
  { "m",    "INTEGER", COL_M,    NULL, "",   "M (thread) on which it happened",     "所在的 M（线程）" }, \
  { "p",    "INTEGER", COL_P,    NULL, "",   "P that the M held; NULL: none",       "M 持有的 P；NULL 表示无" }, \
  { "g",    "INTEGER", COL_G,    NULL, "",   "G that ran; NULL: the scheduler (g0)", "正在运行的 G；NULL 表示调度器 (g0)" }

#define OPERATION \
  { "op",   "TEXT",    COL_KIND, NULL, "",   "name of the event, see event_kind",   "事件名称，见 event_kind" }

static const struct table_column event_columns[] = {
  { "no",   "INTEGER PRIMARY KEY", COL_NO, NULL, "", "number in time order, from 1", "按时间顺序的编号，从 1 开始" },
  WHERE_AND_WHO,
  { "seq",  "INTEGER", COL_SEQ,  NULL, "",   "number on its M, from 0; a gap is a loss", "在其 M 上的编号，从 0 开始；缺号即丢失" },
  { "kind", "TEXT",    COL_KIND, NULL, "",   "name of the event, see event_kind",   "事件名称，见 event_kind" },
  { "a0",   "INTEGER", COL_NTH,  "0",  "",   "first argument, see event_kind.a0",   "第一个参数，见 event_kind.a0" },
  { "a1",   "INTEGER", COL_NTH,  "1",  "",   "second argument",                     "第二个参数" },
  { "a2",   "INTEGER", COL_NTH,  "2",  "",   "third argument",                      "第三个参数" },
  { "a3",   "INTEGER", COL_NTH,  "3",  "",   "fourth argument",                     "第四个参数" },
  { "text", "TEXT",    COL_TEXT, NULL, "",   "the arguments by name, in words; made by gmpscope sql alone", "以文字写出的各参数（仅 gmpscope sql 提供）" },
};

#define INTERVAL                                                                                   \
  { "t_start", TIME,   COL_V1,   NULL, "ns", "when it came into the state",         "进入该状态的时间" }, \
  { "t_end", TIME,     COL_V2,   NULL, "ns", "when it left; NULL: after the trace's end", "离开该状态的时间；NULL 表示跟踪结束之后" }, \
  { "dur",  "INTEGER", COL_V3,   NULL, "ns", "t_end - t_start",                     "持续时间" }

static const struct table_column g_state_columns[] = {
  { "g",    "INTEGER", COL_V0,   NULL, "",   "the G",                               "该 G" },
  INTERVAL,
  { "state", "TEXT",   COL_S0,   NULL, "",   "runnable, running, syscall, waiting or dead", "runnable、running、syscall、waiting 或 dead" },
  { "why",  "TEXT",    COL_S1,   NULL, "",   "why it waits or stopped, in Go's words", "等待或停止的原因（Go 的用语）" },
  { "m",    "INTEGER", COL_V4,   NULL, "",   "M that runs it or holds it in hand",  "运行它或持有它的 M" },
  { "p",    "INTEGER", COL_V5,   NULL, "",   "P on which it runs or is queued",     "运行或排队所在的 P" },
  { "obj",  "INTEGER", COL_V6,   NULL, "",   "address of what it waits for, see object", "所等待对象的地址，见 object" },
};

static const struct table_column m_state_columns[] = {
  { "m",    "INTEGER", COL_V0,   NULL, "",   "the M",                               "该 M" },
  INTERVAL,
  { "state", "TEXT",   COL_S0,   NULL, "",   "running, spinning, parked, in netpoll, sysmon or dead", "running、spinning、parked、in netpoll、sysmon 或 dead" },
  { "g",    "INTEGER", COL_V4,   NULL, "",   "G that it runs; NULL: none",          "所运行的 G；NULL 表示无" },
  { "p",    "INTEGER", COL_V5,   NULL, "",   "P that it holds; NULL: none",         "所持有的 P；NULL 表示无" },
};

static const struct table_column p_state_columns[] = {
  { "p",    "INTEGER", COL_V0,   NULL, "",   "the P",                               "该 P" },
  INTERVAL,
  { "state", "TEXT",   COL_S0,   NULL, "",   "idle, running, in syscall, gcstop, dead or handed over", "idle、running、in syscall、gcstop、dead 或 handed over" },
  { "m",    "INTEGER", COL_V4,   NULL, "",   "M that holds it; NULL: none",         "持有它的 M；NULL 表示无" },
  { "g",    "INTEGER", COL_V5,   NULL, "",   "G that runs on it; NULL: none",       "在其上运行的 G；NULL 表示无" },
};

static const struct table_column wake_columns[] = {
  { "ts",   TIME,      COL_V0,   NULL, "ns", "when it was made ready",              "被置为就绪的时间" },
  { "waker_g", "INTEGER", COL_V1, NULL, "",  "G that made it ready; NULL: the scheduler", "唤醒者 G；NULL 表示调度器" },
  { "waker_m", "INTEGER", COL_V2, NULL, "",  "M of the waker",                      "唤醒者所在的 M" },
  { "waker_p", "INTEGER", COL_V3, NULL, "",  "P of the waker",                      "唤醒者所在的 P" },
  { "woken_g", "INTEGER", COL_V4, NULL, "",  "G that was made ready",               "被唤醒的 G" },
  { "why",  "TEXT",    COL_S0,   NULL, "",   "what it had waited for, in Go's words", "此前等待的原因（Go 的用语）" },
  { "obj",  "INTEGER", COL_V5,   NULL, "",   "address of the object, see object",   "对象地址，见 object" },
  { "waited", "INTEGER", COL_V6, NULL, "ns", "how long it had waited",              "等待了多久" },
  { "run_ts", TIME,    COL_V7,   NULL, "ns", "when it ran again; NULL: not within the trace", "再次运行的时间；NULL 表示跟踪内未运行" },
  { "run_m", "INTEGER", COL_V8,  NULL, "",   "M on which it ran",                   "在哪个 M 上运行" },
  { "run_p", "INTEGER", COL_V9,  NULL, "",   "P on which it ran",                   "在哪个 P 上运行" },
};

static const struct table_column timer_op_columns[] = {
  WHERE_AND_WHO,
  OPERATION,
  { "timer", "INTEGER", COL_ARG, "timer", "", "the timer, see table timer",         "计时器，见 timer 表" },
  { "heap", "INTEGER", COL_ARG,  "heap", "",  "P whose heap it is about",            "所涉及的堆属于哪个 P" },
  { "when_ts", "INTEGER", COL_ARG, "when", "ns", "time for which it is armed",      "计时器设定的时间" },
  { "late", "INTEGER", COL_ARG,  "late", "ns", "how late it fired",                  "触发延迟" },
  { "was_pending", "INTEGER", COL_ARG, "was_pending", "", "1: the stop came before it fired", "1 表示在触发前停止" },
  { "what", "TEXT",    COL_WORD, "what", "",  "what kind of timer",                 "计时器种类" },
  { "owner_g", "INTEGER", COL_ARG, "owner_g", "", "G that sleeps on it or made it", "在其上睡眠或创建它的 G" },
  { "place", "INTEGER", COL_ARG, "place", "", "index in the heap's array",          "在堆数组中的下标" },
  { "step", "TEXT",    COL_WORD, "step", "",  "how the array's order was kept",      "如何维持数组次序" },
  { "n",    "INTEGER", COL_ARG,  "n",  "",    "entries of the heap",                "堆中的条目数" },
  { "to_heap", "INTEGER", COL_ARG, "to_heap", "", "P whose heap took them",         "接收它们的 P 的堆" },
};

static const struct table_column runq_op_columns[] = {
  WHERE_AND_WHO,
  OPERATION,
  { "subject_g", "INTEGER", COL_ARG, "put_g got_g subject_g", "", "G that was put or taken", "被放入或取出的 G" },
  { "queue_p", "INTEGER", COL_ARG, "onto_p victim_p of_p", "", "P whose queue it was, where told", "所涉及队列的 P（若有说明）" },
  { "kicked_g", "INTEGER", COL_ARG, "kicked_g", "", "G that was kicked out of runnext", "被挤出 runnext 的 G" },
  { "n",    "INTEGER", COL_ARG,  "n",  "",    "how many Gs moved",                  "移动的 G 数" },
  { "head", "INTEGER", COL_ARG,  "head victim_head", "", "ring index at the head",   "环首下标" },
  { "tail", "INTEGER", COL_ARG,  "tail place", "", "ring index at the tail",        "环尾下标" },
  { "at_head", "INTEGER", COL_ARG, "at_head", "", "1: at the head of the global queue", "1 表示放在全局队列队首" },
  { "queue", "TEXT",   COL_WORD, "queue", "",  "which queue, for runq_status",       "哪个队列（runq_status）" },
};

static const struct table_column defer_op_columns[] = {
  WHERE_AND_WHO,
  OPERATION,
  { "subject_g", "INTEGER", COL_ARG, "subject_g", "", "G whose chain it is, for defer_status", "其链所属的 G（defer_status）" },
  { "fn",   "INTEGER", COL_ARG,  "fn", "",    "address of the deferred function",   "被推迟函数的地址" },
  { "function", "TEXT", COL_FN,  "fn", "",    "its name; NULL: unknown",            "函数名；NULL 表示未知" },
  { "frame", "INTEGER", COL_ARG, "frame", "bytes", "depth of the frame that deferred it; deeper calls have larger ones", "所在栈帧的深度，越深越大" },
  { "record", "TEXT",  COL_WORD, "record", "", "where the record came from",        "记录的来源" },
  { "because", "TEXT", COL_WORD, "because", "", "return, panic or Goexit",          "return、panic 或 Goexit" },
  { "n",    "INTEGER", COL_ARG,  "n",  "",    "records moved between pools",        "池间移动的记录数" },
  { "pool_len", "INTEGER", COL_ARG, "pool_len", "", "records in this P's pool",     "该 P 池中的记录数" },
};

static const struct table_column panic_op_columns[] = {
  WHERE_AND_WHO,
  OPERATION,
  { "depth", "INTEGER", COL_ARG, "depth", "", "which of the G's panics, from 1",    "该 G 的第几个 panic，从 1 开始" },
  { "value", "TEXT",   COL_STR,  "value", "", "the panic's value, as text",         "panic 的值" },
  { "frame", "INTEGER", COL_ARG, "frame", "bytes", "depth of the frame",            "栈帧深度" },
  { "step", "TEXT",    COL_WORD, "step", "",  "what the walk did at the frame",     "遍历在该帧做了什么" },
  { "verdict", "TEXT", COL_WORD, "verdict", "", "whether recover counts, and why not", "recover 是否有效及原因" },
  { "other_depth", "INTEGER", COL_ARG, "supersedes by_depth", "", "the other panic: superseded, or the one that aborted this", "另一个 panic：被取代者，或中止本 panic 者" },
};

#define COLUMNS(array) array, (int)(sizeof(array) / sizeof((array)[0]))
const struct table_def table_defs[TABLE_COUNT] = {
  [TABLE_EVENT]    = { "event",    "every event, in time order",                   "全部事件，按时间顺序", 0, COLUMNS(event_columns) },
  [TABLE_G_STATE]  = { "g_state",  "what each G was doing, interval by interval",  "每个 G 的状态区间", 0, COLUMNS(g_state_columns) },
  [TABLE_M_STATE]  = { "m_state",  "what each M was doing, interval by interval",  "每个 M 的状态区间", 0, COLUMNS(m_state_columns) },
  [TABLE_P_STATE]  = { "p_state",  "what each P was doing, interval by interval",  "每个 P 的状态区间", 0, COLUMNS(p_state_columns) },
  [TABLE_WAKE]     = { "wake",     "who made which G ready, and when it ran",      "谁唤醒了哪个 G 以及何时运行", 0, COLUMNS(wake_columns) },
  [TABLE_TIMER_OP] = { "timer_op", "what was done to timers and their heaps",      "对计时器及其堆的操作", TRACE_FAMILY_TIMER, COLUMNS(timer_op_columns) },
  [TABLE_RUNQ_OP]  = { "runq_op",  "what was done to run queues",                  "对运行队列的操作", TRACE_FAMILY_RUNQ, COLUMNS(runq_op_columns) },
  [TABLE_DEFER_OP] = { "defer_op", "what was done to defer chains and their records", "对 defer 链及其记录的操作", TRACE_FAMILY_DEFER, COLUMNS(defer_op_columns) },
  [TABLE_PANIC_OP] = { "panic_op", "panics, their walks, recover and Goexit",      "panic 及其遍历、recover 与 Goexit", TRACE_FAMILY_PANIC, COLUMNS(panic_op_columns) },
};
/* clang-format on */
