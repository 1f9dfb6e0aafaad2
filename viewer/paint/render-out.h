/* SPDX-License-Identifier: MIT */
/* render-out.h - a painted plan as a file. Private to gmpscope-render and its tests. */
#pragma once
#include "paint.h"

enum render_format {
  RENDER_NONE,
  RENDER_PNG,
  RENDER_SVG,
  RENDER_PDF
};

/* The format by a file name's ending, RENDER_NONE if it is none of ours. */
enum render_format render_format_of(const char *path);
struct render_picture {
  const struct vw_plan *plan;
  const struct vw_trace *trace;
  const char *heading; /* in a strip above it; NULL: none */
};
/* Height of that strip. */
int render_heading_height(const struct vw_theme *theme);
/* Paints the pictures, one below the other, to a file beside path and then renames it, so that path is whole or
 * untouched. 0, or an errno. */
int render_write(const char *path, enum render_format format, const struct render_picture *pictures,
                 size_t n, const struct vw_theme *theme);
