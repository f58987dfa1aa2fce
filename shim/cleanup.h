/* Ownership as types: what a variable owns is given back when it goes out of scope. */
#ifndef CARREL_SHIM_CLEANUP_H
#define CARREL_SHIM_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A descriptor; -1 if there is none. */
#define cleanup_close __attribute__((cleanup(cleanup_close_at)))
/* Memory from malloc. */
#define cleanup_free __attribute__((cleanup(cleanup_free_at)))
/* A DIR or a FILE, or NULL. */
#define cleanup_dir  __attribute__((cleanup(cleanup_dir_at)))
#define cleanup_file __attribute__((cleanup(cleanup_file_at)))

static inline void cleanup_close_at(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_free_at(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_dir_at(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static inline void cleanup_file_at(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* What `*owner` owned, for whoever owns it from here on. */
static inline int take_fd(int *owner)
{
    int fd = *owner;
    *owner = -1;
    return fd;
}

#endif
