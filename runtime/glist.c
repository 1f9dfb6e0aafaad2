/* SPDX-License-Identifier: MIT */
/* glist.c - lists of Gs linked by g.schedlink: a G is on at most one. O(1) each. */
#include "runtime.h"

bool glist_empty(const struct glist *l)
{
  return l->head == NULL;
}

void glist_push(struct glist *l, struct g *gp)
{
  gp->schedlink = l->head;
  l->head = gp;
}

struct g *glist_pop(struct glist *l)
{
  struct g *gp = l->head;
  if (gp)
    l->head = gp->schedlink;
  return gp;
}

void gqueue_push(struct gqueue *q, struct g *gp)
{
  gp->schedlink = NULL;
  if (q->tail)
    q->tail->schedlink = gp;
  else
    q->head = gp;
  q->tail = gp;
  q->size++;
}

struct g *gqueue_pop(struct gqueue *q)
{
  struct g *gp = q->head;
  if (!gp)
    return NULL;
  q->head = gp->schedlink;
  if (!q->head)
    q->tail = NULL;
  q->size--;
  return gp;
}
