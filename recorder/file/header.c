/* SPDX-License-Identifier: MIT */
/* header.c - what a file is, from its first 100 bytes, before SQLite sees it.
 *
 * Cheap and bounded, so that a directory, a FIFO, a terabyte of zeroes and another program's database each get
 * their own answer at once. Opening is without O_CREAT, without following a link, and without waiting for the
 * other end of a FIFO. */
#include "tracefile-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_SIZE 100
#define MADE_BY_US  "give a file made by gmpscope record"

char *tracefile_real_path(const char *path)
{
  const char *slash = strrchr(path, '/');
  char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("./");
  if (!folder)
    return NULL;
  char *real = realpath(folder, NULL);
  free(folder);
  if (!real)
    return NULL;
  const char *name = slash ? slash + 1 : path;
  size_t size = strlen(real) + strlen(name) + 2;
  char *joined = malloc(size);
  if (joined) {
    stpcpy(stpcpy(stpcpy(joined, real), strcmp(real, "/") == 0 ? "" : "/"), name);
  }
  free(real);
  return joined;
}

static uint32_t big_endian(const unsigned char *at, int n)
{
  uint32_t value = 0;
  for (int i = 0; i < n; i++)
    value = value << 8 | at[i];
  return value;
}

static bool fail_open(const char *path, struct tracefile_error *error)
{
  switch (errno) {
  case ENOENT:
  case ENOTDIR:
    return tracefile_fail(error, TRACEFILE_WRONG, path, "check the name", "there is no such file");
  case EACCES:
  case EPERM:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "ask its owner, or copy it",
                          "you may not read it");
  case ELOOP:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "give the file that it points to",
                          "it is a symbolic link");
  default:
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "", "it cannot be opened (%s)",
                          strerrordesc_np(errno));
  }
}

static bool is_plain_file(const struct stat *st, const char *path, struct tracefile_error *error)
{
  if (S_ISREG(st->st_mode))
    return true;
  const char *kind = S_ISDIR(st->st_mode)    ? "a directory"
                     : S_ISFIFO(st->st_mode) ? "a pipe"
                     : S_ISCHR(st->st_mode)  ? "a device"
                     : S_ISBLK(st->st_mode)  ? "a device"
                                             : "no plain file";
  return tracefile_fail(error, TRACEFILE_REFUSED, path, MADE_BY_US, "it is %s", kind);
}

static bool check_ids(const struct tracefile_header *h, const char *path,
                      struct tracefile_error *error)
{
  if (h->application_id != TRACEFILE_APPLICATION_ID)
    return tracefile_fail(error, TRACEFILE_REFUSED, path, MADE_BY_US,
                          "it is not a gmpscope trace (another program's database)");
  if (h->user_version / 10000 > TRACEFILE_MAJOR)
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "use a newer gmpscope",
                          "its format is version %u.%u, and this gmpscope reads up to %d",
                          h->user_version / 10000, h->user_version / 100 % 100, TRACEFILE_MAJOR);
  if (h->user_version / 10000 < 1)
    return tracefile_fail(error, TRACEFILE_DAMAGED, path, "", "its format version is impossible");
  return true;
}

static bool check_sizes(const struct tracefile_header *h, off_t size, const char *path,
                        struct tracefile_error *error)
{
  bool power_of_two = h->page_size >= 512 && (h->page_size & (h->page_size - 1)) == 0;
  if (!power_of_two)
    return tracefile_fail(error, TRACEFILE_DAMAGED, path, "", "its page size is impossible");
  if (h->wal) /* what is missing here stands in the -wal; SQLite finds out */
    return true;
  bool short_of_pages = (uint64_t)size < (uint64_t)h->n_pages * h->page_size;
  if (short_of_pages || (uint64_t)size % h->page_size != 0)
    return tracefile_fail(error, TRACEFILE_DAMAGED, path, "copy it again, whole",
                          "it is cut short: %lld bytes of %lld are there", (long long)size,
                          (long long)h->n_pages * h->page_size);
  return true;
}

/* A change that was cut off is undone from the journal beside the file, and until then the file is half of one and half
 * of the other. Not done: undoing it here. It is writing, and a stranger's journal may name files to be deleted. */
static bool is_between_changes(const char *path, struct tracefile_error *error)
{
  struct stat st;
  char *journal = malloc(strlen(path) + sizeof "-journal");
  if (!journal)
    return tracefile_fail(error, TRACEFILE_REFUSED, path, "", "there is not enough memory");
  stpcpy(stpcpy(journal, path), "-journal");
  bool is_cut = lstat(journal, &st) == 0 && st.st_size > 0;
  free(journal);
  return !is_cut ||
         tracefile_fail(error, TRACEFILE_DAMAGED, path,
                        "if it was made here, open it once with sqlite3, which undoes the change",
                        "it was left in the middle of a change: its -journal lies beside it");
}

static bool read_header(int fd, const char *path, struct tracefile_header *out,
                        struct tracefile_error *error)
{
  struct stat st;
  unsigned char bytes[HEADER_SIZE];
  if (fstat(fd, &st) < 0)
    return fail_open(path, error);
  if (!is_plain_file(&st, path, error))
    return false;
  if (st.st_size == 0)
    return tracefile_fail(error, TRACEFILE_DAMAGED, path, MADE_BY_US, "it is empty");
  ssize_t n = pread(fd, bytes, sizeof bytes, 0);
  if (n < 0)
    return fail_open(path, error);
  if (n < 16 || memcmp(bytes, "SQLite format 3", 16) != 0)
    return tracefile_fail(error, TRACEFILE_REFUSED, path, MADE_BY_US,
                          "it is not a gmpscope trace (no database)");
  if (n < HEADER_SIZE)
    return tracefile_fail(error, TRACEFILE_DAMAGED, path, "copy it again, whole",
                          "it is cut short: only %zd bytes are there", n);
  uint32_t page_size = big_endian(bytes + 16, 2);
  *out = (struct tracefile_header){ .application_id = big_endian(bytes + 68, 4),
                                    .user_version = big_endian(bytes + 60, 4),
                                    .page_size = page_size == 1 ? 65536 : page_size,
                                    .n_pages = big_endian(bytes + 28, 4),
                                    .wal = bytes[18] == 2 || bytes[19] == 2 };
  return check_ids(out, path, error) && (out->wal || is_between_changes(path, error)) &&
         check_sizes(out, st.st_size, path, error);
}

bool tracefile_header_read(const char *path, struct tracefile_header *out,
                           struct tracefile_error *error)
{
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return fail_open(path, error);
  bool ok = read_header(fd, path, out, error);
  close(fd);
  return ok;
}
