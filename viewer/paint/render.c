/* SPDX-License-Identifier: MIT */
/* render.c - gmpscope-render: a trace as a picture, without a display. `gmpscope render` starts it.
 *
 * A program of its own, so that the gmpscope command needs neither cairo nor Pango.
 * Exit codes and the line on stderr are those of every command: 0 fine, 1 not found, 2 usage, 3 damaged (what
 * could be read was painted), 4 refused.
 */
#include "render-out.h"
#include "trace-text.h"

#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES 2

struct options {
  const char *files[FILES];
  size_t n_files;
  const char *out, *from, *to, *select, *arrows, *at; /* NULL: not asked for */
  int64_t t0, t1, cursor;                             /* what from, to and at say */
  int width, height;                                  /* 0: what fits */
  enum vw_lane_kind lanes;
  struct vw_theme theme;
  double lane_height;
  bool no_legend, dim;
};

static const char help[] =
    "Usage: gmpscope render FILE [FILE] -o OUT.png|OUT.svg|OUT.pdf [OPTION...]\n"
    "Paints a trace, or two of them one below the other, on one scale of time. Needs no display.\n"
    "\n"
    "  -o, --output=OUT       picture to write; its ending says the format\n"
    "      --from=T --to=T    part of the time to show: 12.5ms, 1.2s, @1234567 (ns); default all\n"
    "                         but a long start-up before the first G\n"
    "      --size=WxH         in pixels; default 1280 wide and as high as the lanes need\n"
    "      --lanes=m|p|g      a lane for each M (default), P or G\n"
    "      --theme=light|dark\n"
    "      --high-contrast    stronger colours\n"
    "      --font-scale=N     0.5 to 4; default 1\n"
    "      --lane-height=N    in pixels; default what fits\n"
    "      --select=gN|mN|pN  outline one G, M or P\n"
    "      --dim              with --select: fade the others\n"
    "      --arrows=LIST      of wake,park,create,steal,mwake,retake; all (default) or none\n"
    "      --at=T             draw the cursor at the event at or after T\n"
    "      --no-legend        leave out the strip that explains the signs\n"
    "  -h, --help\n";

/* One line, made harmless: a name may hold anything. */
__attribute__((format(printf, 4, 5))) static int fail(enum tracefile_code code, const char *what,
                                                      const char *todo, const char *why_format, ...)
{
  struct tracefile_error error = { 0 };
  char why[300], line[800];
  va_list args;
  va_start(args, why_format);
  vsnprintf(why, sizeof why, why_format, args);
  va_end(args);
  tracefile_fail(&error, code, what, todo, "%s", why);
  tracefile_error_text(&error, line, sizeof line);
  fprintf(stderr, "gmpscope: %s\n", line);
  return (int)code;
}

static int usage(const char *what, const char *why)
{
  return fail(TRACEFILE_USAGE, what, "see gmpscope render --help", "%s", why);
}

/* ---- options ---- */
static bool parse_size(const char *text, struct options *o)
{
  char end;
  return sscanf(text, "%dx%d%c", &o->width, &o->height, &end) == 2 && o->width >= 64 &&
         o->width <= 16384 && o->height >= 48 && o->height <= 16384;
}

static bool parse_lanes(const char *text, struct options *o)
{
  static const char letters[] = "mpg";
  const char *at = text[0] && !text[1] ? strchr(letters, text[0]) : NULL;
  if (at)
    o->lanes = (enum vw_lane_kind)(at - letters);
  return at != NULL;
}

static bool parse_number(const char *text, double least, double most, double *out)
{
  char *end;
  *out = strtod(text, &end);
  return end != text && !*end && *out >= least && *out <= most;
}

static bool parse_theme(const char *text, struct options *o)
{
  o->theme.dark = strcmp(text, "dark") == 0;
  return o->theme.dark || strcmp(text, "light") == 0;
}

enum {
  OPT_FROM = 256,
  OPT_TO,
  OPT_SIZE,
  OPT_LANES,
  OPT_THEME,
  OPT_CONTRAST,
  OPT_FONT,
  OPT_LANE_HEIGHT,
  OPT_SELECT,
  OPT_DIM,
  OPT_ARROWS,
  OPT_AT,
  OPT_NO_LEGEND
};

/* What is wrong with the value, or NULL. */
static const char *take_option(int option, const char *value, struct options *o)
{
  switch (option) {
  case 'o':
    o->out = value;
    return render_format_of(value) != RENDER_NONE ? NULL
                                                  : "the name must end in .png, .svg or .pdf";
  case OPT_FROM:
    return trace_time_parse(o->from = value, &o->t0) ? NULL : "it is not a time such as 12.5ms";
  case OPT_TO:
    return trace_time_parse(o->to = value, &o->t1) ? NULL : "it is not a time such as 12.5ms";
  case OPT_AT:
    return trace_time_parse(o->at = value, &o->cursor) ? NULL : "it is not a time such as 12.5ms";
  case OPT_SIZE:
    return parse_size(value, o) ? NULL : "it is not a size such as 1600x900";
  case OPT_LANES:
    return parse_lanes(value, o) ? NULL : "lanes are m, p or g";
  case OPT_THEME:
    return parse_theme(value, o) ? NULL : "a theme is light or dark";
  case OPT_FONT:
    return parse_number(value, 0.5, 4, &o->theme.font_scale) ? NULL
                                                             : "it is no number from 0.5 to 4";
  case OPT_LANE_HEIGHT:
    return parse_number(value, 12, 400, &o->lane_height) ? NULL : "it is no number from 12 to 400";
  case OPT_SELECT:
    o->select = value;
    return NULL;
  case OPT_ARROWS:
    o->arrows = value;
    return NULL;
  case OPT_CONTRAST:
    o->theme.high_contrast = true;
    return NULL;
  case OPT_DIM:
    o->dim = true;
    return NULL;
  default:
    o->no_legend = true;
    return NULL;
  }
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct options *o)
{
  static const struct option longs[] = {
    { "output", required_argument, NULL, 'o' },
    { "from", required_argument, NULL, OPT_FROM },
    { "to", required_argument, NULL, OPT_TO },
    { "size", required_argument, NULL, OPT_SIZE },
    { "lanes", required_argument, NULL, OPT_LANES },
    { "theme", required_argument, NULL, OPT_THEME },
    { "high-contrast", no_argument, NULL, OPT_CONTRAST },
    { "font-scale", required_argument, NULL, OPT_FONT },
    { "lane-height", required_argument, NULL, OPT_LANE_HEIGHT },
    { "select", required_argument, NULL, OPT_SELECT },
    { "dim", no_argument, NULL, OPT_DIM },
    { "arrows", required_argument, NULL, OPT_ARROWS },
    { "at", required_argument, NULL, OPT_AT },
    { "no-legend", no_argument, NULL, OPT_NO_LEGEND },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
  };
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1;) {
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "option";
    if (option == 'h')
      return fputs(help, stdout) < 0 ? TRACEFILE_REFUSED : TRACEFILE_OK;
    if (option == ':')
      return usage(word, "it needs a value");
    if (option == '?')
      return usage(word, "there is no such option");
    const char *wrong = take_option(option, optarg, o);
    if (wrong)
      return usage(optarg, wrong);
  }
  if (optind == argc)
    return usage("FILE", "no trace file was named");
  if (optind + FILES < argc)
    return usage(argv[optind + FILES], "two trace files can be painted at a time, not more");
  while (optind < argc)
    o->files[o->n_files++] = argv[optind++];
  return o->out ? -1 : usage("render", "the name of the picture is missing: add -o OUT.png");
}

/* ---- the view ---- */
static int set_range(const struct options *o, const struct vw_trace *trace, struct vw_view *view)
{
  if (!o->from)
    vw_view_skip_start_up(view, trace);
  int64_t t0 = o->from ? o->t0 : view->t0, t1 = o->to ? o->t1 : view->t1;
  if (t1 <= t0)
    return usage(o->to ? o->to : o->from, "the range is empty, or lies outside the trace");
  view->t0 = t0;
  view->t1 = t1;
  return -1;
}

static int set_arrows(const struct options *o, struct vw_view *view)
{
  static const char *const names[VW_ARROW_KINDS] = { "wake",  "park",  "create",
                                                     "steal", "mwake", "retake" };
  if (!o->arrows || strcmp(o->arrows, "all") == 0)
    return -1;
  memset(view->arrows, 0, sizeof view->arrows);
  if (strcmp(o->arrows, "none") == 0)
    return -1;
  for (const char *at = o->arrows; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    size_t length = strcspn(at, ","), i = 0;
    while (i < VW_ARROW_KINDS && (strlen(names[i]) != length || strncmp(names[i], at, length) != 0))
      i++;
    if (i == VW_ARROW_KINDS)
      return usage(o->arrows, "arrows are wake, park, create, steal, mwake, retake, all or none");
    view->arrows[i] = true;
  }
  return -1;
}

static int set_selection(const struct options *o, const struct vw_trace *trace,
                         struct vw_view *view)
{
  static const struct {
    enum vw_select select;
    enum vw_lane_kind lanes;
  } kinds[] = { { VW_SELECT_G, VW_LANES_G },
                { VW_SELECT_M, VW_LANES_M },
                { VW_SELECT_P, VW_LANES_P } };
  if (!o->select)
    return -1;
  const char *letter = strchr("gmp", o->select[0]);
  char *end = NULL;
  unsigned long id = letter && *letter ? strtoul(o->select + 1, &end, 10) : 0;
  if (!end || end == o->select + 1 || *end || id > UINT32_MAX)
    return usage(o->select, "select a G, M or P like g7, m2 or p0");
  size_t i = o->select[0] == 'g' ? 0 : o->select[0] == 'm' ? 1 : 2;
  if (vw_lane_of(trace, kinds[i].lanes, (uint32_t)id) < 0)
    return fail(TRACEFILE_WRONG, o->select, "see gmpscope info", "it is not in this trace");
  view->selected = kinds[i].select;
  view->selected_id = (uint32_t)id;
  view->dim_others = o->dim;
  return -1;
}

static int set_cursor(const struct options *o, const char *file, const struct vw_trace *trace,
                      struct vw_view *view)
{
  if (!o->at)
    return -1;
  uint64_t n = vw_event_count(trace);
  view->event_no = vw_event_at(trace, o->cursor);
  if (view->event_no < n)
    return -1;
  char last[40];
  trace_time_print(vw_event(trace, n - 1)->ts, last, sizeof last);
  return fail(TRACEFILE_WRONG, file, "ask for an earlier time",
              "there is no event at or after %s: the last one is at %s", o->at, last);
}

/* One of the files, and its place in the picture. */
struct sheet {
  const char *file;
  struct vw_trace *trace;
  struct vw_view view;
  struct vw_plan *plan;
  char heading[300];
};

static int height_of_one(const struct options *o)
{
  if (o->n_files == 1)
    return o->height;
  int height = o->height / (int)o->n_files - render_heading_height(&o->theme);
  return height < 48 ? 48 : height;
}

static int set_view(const struct options *o, struct sheet *sheet)
{
  struct vw_view *view = &sheet->view;
  vw_view_init(view, sheet->trace, o->lanes, o->width ? o->width : 1280,
               o->height ? height_of_one(o) : 720);
  view->show_legend = !o->no_legend;
  view->is_still = true;
  view->lane_height = o->lane_height;
  view->font_scale = o->theme.font_scale;
  int code = set_range(o, sheet->trace, view);
  code = code < 0 ? set_arrows(o, view) : code;
  code = code < 0 ? set_selection(o, sheet->trace, view) : code;
  return code < 0 ? set_cursor(o, sheet->file, sheet->trace, view) : code;
}

static void use_one_scale(struct sheet *sheets, size_t n)
{
  struct vw_sheet both[FILES];
  for (size_t i = 0; i < n; i++)
    both[i] = (struct vw_sheet){ &sheets[i].view, sheets[i].trace };
  vw_view_use_one_scale(both, n);
}

/* "f.db: sleep-defer, with the fault sleep-blocks-m" */
static void set_heading(struct sheet *sheet)
{
  struct tracefile *file = vw_trace_file(sheet->trace);
  const char *title = vw_trace_title(sheet->trace);
  const char *fault = file ? tracefile_meta(file, "fault") : NULL;
  char raw[300];
  const char *name = strrchr(sheet->file, '/');
  name = name ? name + 1 : sheet->file;
  bool is_named_so = strcmp(title, name) == 0; /* a trace that tells of no program */
  snprintf(raw, sizeof raw, "%s%s%s%s%s", name, is_named_so ? "" : ": ", is_named_so ? "" : title,
           fault ? ", with the fault " : "", fault ? fault : "");
  vw_display_text(raw, strlen(raw), sheet->heading, sizeof sheet->heading);
}

/* The plan; without --size as high as its lanes and legend need. */
static bool make_plan(const struct options *o, struct sheet *sheet)
{
  struct vw_view *view = &sheet->view;
  struct vw_plan *plan = vw_plan_new(sheet->trace, view);
  for (int pass = 0; plan && !o->height && pass < 2; pass++) {
    double need = (double)plan->ruler + plan->lanes_height + (double)plan->legend + 8;
    view->height = need < 160 ? 160 : need > 4000 ? 4000 : (int)need;
    view->lane_height = view->lane_height > 0 ? view->lane_height : plan->lane_height;
    vw_plan_free(plan);
    plan = vw_plan_new(sheet->trace, view);
  }
  sheet->plan = plan;
  return plan;
}

static void tell_of_lanes(const struct options *o, const struct sheet *sheet)
{
  if (sheet->plan->more_lanes)
    fprintf(stderr,
            "gmpscope: note: %zu of %zu lanes are below the edge of the picture; use --size or "
            "--lane-height\n",
            sheet->plan->more_lanes, vw_lane_count(sheet->trace, o->lanes));
}

static int tell_of_damage(const struct sheet *sheet)
{
  struct tracefile *file = vw_trace_file(sheet->trace);
  struct tracefile_damage_sum damage = { 0 };
  if (file)
    damage = tracefile_damage_sum(file);
  if (damage.words[0])
    return fail(TRACEFILE_DAMAGED, sheet->file, "gmpscope check lists them",
                "%s could not be read: left out of the picture", damage.words);
  return TRACEFILE_OK;
}

static int write_picture(const struct options *o, const struct sheet *sheets)
{
  struct render_picture pictures[FILES];
  for (size_t i = 0; i < o->n_files; i++)
    pictures[i] = (struct render_picture){ .plan = sheets[i].plan,
                                           .trace = sheets[i].trace,
                                           .heading = o->n_files > 1 ? sheets[i].heading : NULL };
  int failure = render_write(o->out, render_format_of(o->out), pictures, o->n_files, &o->theme);
  return failure ? fail(TRACEFILE_REFUSED, o->out, "name a place that you may write to",
                        "it cannot be written: %s", strerror(failure))
                 : TRACEFILE_OK;
}

static int paint(const struct options *o, struct sheet *sheets)
{
  for (size_t i = 0; i < o->n_files; i++) {
    int code = set_view(o, &sheets[i]);
    if (code >= 0)
      return code;
    set_heading(&sheets[i]);
  }
  use_one_scale(sheets, o->n_files);
  for (size_t i = 0; i < o->n_files; i++)
    if (!make_plan(o, &sheets[i]))
      return fail(TRACEFILE_REFUSED, sheets[i].file, "close other programs",
                  "there is not enough memory for the picture");
  int code = write_picture(o, sheets);
  for (size_t i = 0; i < o->n_files && code == TRACEFILE_OK; i++)
    tell_of_lanes(o, &sheets[i]);
  for (size_t i = 0; i < o->n_files && code == TRACEFILE_OK; i++)
    code = tell_of_damage(&sheets[i]);
  return code;
}

static int open_sheet(struct sheet *sheet, const char *file)
{
  struct tracefile_error error = { 0 };
  char line[800];
  sheet->file = file;
  sheet->trace = vw_trace_open(file, NULL, NULL, &error);
  if (sheet->trace)
    return TRACEFILE_OK;
  tracefile_error_text(&error, line, sizeof line);
  fprintf(stderr, "gmpscope: %s\n", line);
  return (int)error.code;
}

int main(int argc, char **argv)
{
  struct options o = { .theme = { .font_scale = 1 } };
  struct sheet sheets[FILES] = { 0 };
  setlocale(LC_CTYPE, "");
  int code = parse(argc, argv, &o);
  if (code >= 0)
    return code;
  code = TRACEFILE_OK;
  for (size_t i = 0; i < o.n_files && code == TRACEFILE_OK; i++)
    code = open_sheet(&sheets[i], o.files[i]);
  if (code == TRACEFILE_OK)
    code = paint(&o, sheets);
  for (size_t i = 0; i < FILES; i++) {
    vw_plan_free(sheets[i].plan);
    vw_trace_free(sheets[i].trace);
  }
  return code;
}
