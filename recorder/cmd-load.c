/* SPDX-License-Identifier: MIT */
/* cmd-load.c - makes a trace file of the text form; and materialise, which adds the plain tables to one.
 *
 * The text is read whole before anything is written: a mistake in its last line leaves no half file.
 * A text may come from a pipe (FILE "-"); TEXT_MAX bounds what is taken from one.
 */
#include "cmd-record.h"
#include "out.h"
#include "trace-map.h"
#include "trace-text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)4 << 30)

struct text {
  char *bytes;
  size_t length, capacity;
};

/* Doubles the room. False: too large or no memory; errno tells. */
static bool grow(struct text *text)
{
  size_t capacity = text->capacity ? 2 * text->capacity : 1 << 20;
  char *bytes = capacity <= TEXT_MAX ? realloc(text->bytes, capacity) : NULL;
  if (!bytes) {
    errno = capacity > TEXT_MAX ? EFBIG : ENOMEM;
    return false;
  }
  text->bytes = bytes;
  text->capacity = capacity;
  return true;
}

static bool read_all(int fd, struct text *text)
{
  for (;;) {
    if (text->length == text->capacity && !grow(text))
      return false;
    ssize_t n = read(fd, text->bytes + text->length, text->capacity - text->length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n == 0;
    text->length += (size_t)n;
  }
}

static bool read_text(const char *path, struct text *text, struct tracefile_error *error)
{
  bool is_stdin = strcmp(path, "-") == 0;
  int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  enum tracefile_code code = errno == ENOENT ? TRACEFILE_WRONG : TRACEFILE_REFUSED;
  if (fd < 0)
    return tracefile_fail(error, code, path, "", "it cannot be read: %s", strerrordesc_np(errno));
  bool is_read = read_all(fd, text);
  int why = errno;
  if (!is_stdin)
    close(fd);
  if (!is_read)
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "", "it cannot be read: %s",
                          strerrordesc_np(why));
  return true;
}

struct end_loss {
  bool m_is_known;
  uint32_t m;
  uint64_t n;
  int64_t from, to;
  char why[220];
};

#define END_LOSSES_MAX 4096

/* Where the parser's events go: nowhere on the first pass, which only looks for mistakes. */
struct load {
  struct rec_writer *writer;
  struct tracefile_error *error;
  struct end_loss *end_losses; /* told when all events are in */
  size_t n_end_losses;
  struct trace_map last_ts; /* of an M: index into times; first pass only */
  int64_t *times;
  uint32_t n_ms;
  bool is_time_wrong;  /* of the line at which the parser stopped */
  int64_t time_before; /* INT64_MIN, or that of the M's event before, which is later */
};

static bool take_end_loss(struct load *load, const char *key, const char *value)
{
  struct end_loss loss = { 0 };
  int end = 0;
  long long from, to;
  unsigned long long n;
  loss.m_is_known = strncmp(value, "m- ", 3) != 0;
  int n_read =
      loss.m_is_known
          ? sscanf(value, "m%10u %20llu %19lld %19lld %n", &loss.m, &n, &from, &to, &end) - 1
          : sscanf(value, "m- %20llu %19lld %19lld %n", &n, &from, &to, &end);
  bool is_one = n_read == 3 && end;
  if (!is_one || from < 0 || to < from || n > INT64_MAX || load->n_end_losses == END_LOSSES_MAX)
    return tracefile_fail(load->error, TRACEFILE_DAMAGED, key,
                          "write mM N FROM TO why, or m- where the M is not known",
                          "it does not tell a loss");
  struct end_loss *grown = realloc(load->end_losses, (load->n_end_losses + 1) * sizeof *grown);
  if (!grown)
    return tracefile_fail(load->error, TRACEFILE_REFUSED, key, "",
                          "there is no memory for its value");
  loss.n = n;
  loss.from = from;
  loss.to = to;
  snprintf(loss.why, sizeof loss.why, "%.200s", value + end);
  load->end_losses = grown;
  grown[load->n_end_losses++] = loss;
  return true;
}

static bool tell_end_losses(const struct load *load)
{
  for (size_t i = 0; i < load->n_end_losses; i++) {
    const struct end_loss *loss = &load->end_losses[i];
    bool is_told = loss->m_is_known ? rec_writer_loss(load->writer, loss->m, loss->n, loss->from,
                                                      loss->to, loss->why, load->error)
                                    : rec_writer_loss_of_unknown(load->writer, loss->n, loss->from,
                                                                 loss->to, loss->why, load->error);
    if (!is_told)
      return false;
  }
  return true;
}

/* Losses are taken on both passes, so that a mistake in one is found on the first. */
static bool take_meta(void *arg, const char *key, const char *value, size_t length)
{
  struct load *load = arg;
  bool is_loss = strncmp(key, CLI_META_LOST_AT_END, strlen(CLI_META_LOST_AT_END)) == 0;
  if (cli_meta_is_of_file(key) || (!load->writer && !is_loss))
    return true;
  char *copy = strndup(value, length);
  if (!copy)
    return tracefile_fail(load->error, TRACEFILE_REFUSED, key, "",
                          "there is no memory for its value");
  bool is_taken = is_loss ? take_end_loss(load, key, copy)
                          : rec_writer_meta(load->writer, key, copy, load->error);
  free(copy);
  return is_taken;
}

/* The time of the M's event before; INT64_MIN at first. NULL: out of memory, which was said. */
static int64_t *last_time_of(struct load *load, uint32_t m)
{
  uint32_t i = trace_map_get(&load->last_ts, m);
  if (i != TRACE_MAP_NONE)
    return &load->times[i];
  int64_t *grown = realloc(load->times, (load->n_ms + 1) * sizeof *grown);
  load->times = grown ? grown : load->times;
  if (!grown || !trace_map_put(&load->last_ts, m, load->n_ms)) {
    tracefile_fail(load->error, TRACEFILE_REFUSED, "the text", "",
                   "there is no memory for one more M");
    return NULL;
  }
  grown[load->n_ms] = INT64_MIN;
  return &grown[load->n_ms++];
}

/* The writer would raise a time that goes back within an M, as clocks do that; a text has no such excuse. */
static bool check_time(struct load *load, const struct trace_event *e)
{
  int64_t *last = last_time_of(load, e->m);
  if (!last)
    return false;
  load->time_before = e->ts < *last ? *last : INT64_MIN;
  load->is_time_wrong = e->ts < 0 || e->ts > TRACEFILE_TIME_MAX || e->ts < *last;
  *last = e->ts;
  return !load->is_time_wrong;
}

static bool take_event(void *arg, const struct trace_event *e)
{
  struct load *load = arg;
  return load->writer ? rec_writer_event(load->writer, e, load->error) : check_time(load, e);
}

static bool parse(const char *path, const struct text *text, struct load *load)
{
  struct trace_text_error wrong = { 0 };
  const struct trace_text_sink sink = { .meta = take_meta, .event = take_event, .arg = load };
  if (trace_text_parse(text->bytes, text->length, &sink, &wrong))
    return true;
  if (load->is_time_wrong && load->time_before != INT64_MIN)
    tracefile_fail(load->error, TRACEFILE_DAMAGED, path, "",
                   "line %u: time goes back within an M, whose event before is at @%" PRId64,
                   wrong.line, load->time_before);
  else if (load->is_time_wrong)
    tracefile_fail(load->error, TRACEFILE_DAMAGED, path, "",
                   "line %u: a time is between @0 and @%" PRId64, wrong.line, TRACEFILE_TIME_MAX);
  else if (wrong.sentence[0])
    tracefile_fail(load->error, TRACEFILE_DAMAGED, path, "", "line %u: %s", wrong.line,
                   wrong.sentence);
  return false;
}

static bool write_trace(const char *path, const struct text *text, struct load *load,
                        enum rec_tables tables, struct rec_summary *summary)
{
  if (parse(path, text, load) && tell_end_losses(load))
    return rec_writer_finish(load->writer, tables, summary, load->error);
  rec_writer_discard(load->writer);
  return false;
}

static bool load_text(const char *path, const struct text *text, const char *output,
                      enum rec_tables tables, struct rec_summary *summary,
                      struct tracefile_error *error)
{
  struct load load = { .error = error };
  bool is_done = false;
  if (parse(path, text, &load)) {
    load.n_end_losses = 0;
    load.writer = rec_writer_new(output, true, error);
    is_done = load.writer && write_trace(path, text, &load, tables, summary);
  }
  free(load.end_losses);
  trace_map_clear(&load.last_ts);
  free(load.times);
  return is_done;
}

static int load(const char *path, const char *output, enum rec_tables tables, bool quiet)
{
  struct tracefile_error error;
  struct rec_summary summary;
  struct text text = { 0 };
  bool is_loaded =
      read_text(path, &text, &error) && load_text(path, &text, output, tables, &summary, &error);
  free(text.bytes);
  if (!is_loaded)
    return cli_error(&error);
  if (!quiet)
    record_tell_summary(&summary, output);
  return TRACEFILE_OK;
}

int cmd_load(int argc, char **argv)
{
  const char *output = NULL;
  enum rec_tables tables = REC_TABLES_AUTO;
  bool quiet = false;
  const struct opt opts[] = {
    { 'o', "output", "FILE", opt_text, &output,
      "trace file to write; an older trace there is replaced" },
    { 0, "tables", "auto|all|none", record_read_tables, &tables,
      "plain tables for any SQLite program" },
    { 'q', "quiet", NULL, opt_flag, &quiet, "say nothing when all is well" },
  };
  const struct opt_command command = {
    .name = "load",
    .usage = "TEXT -o FILE",
    .doc =
        "Makes a trace file of its text form, as gmpscope dump prints it or as written by hand.\n"
        "TEXT - is the standard input. A mistake is told with its line, and no file is made.",
    .epilogue =
        "Example:\n  gmpscope dump echo.db | sed s/secret/hidden/ | gmpscope load - -o shared.db",
    .opts = opts,
    .n_opts = COUNT_OF(opts),
    .missing = "a TEXT",
    .min_words = 1,
    .max_words = 1,
  };
  struct opt_words rest;
  enum opt_outcome outcome = opt_parse(&command, argc, argv, &rest);
  if (outcome != OPT_GO)
    return cli_usage(outcome);
  if (!output)
    return cli_fail(TRACEFILE_USAGE, "load", "add -o FILE",
                    "the name of the trace file is missing");
  return load(rest.words[0], output, tables, quiet);
}
