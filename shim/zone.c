/* Tables of time zones, as libc knows them. Asked in steps short enough to miss nothing that lasts;
 * the second of each change is then searched for. Clocks that show the same from some change on are
 * one span, so that a zone without changes is one. */
#include "shim/zone.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* From 1900 to 2401: the last 400 years stand for all that follow. */
#define FIRST INT64_C(-2208988800)
#define END   INT64_C(13601088000)
#define STEP  INT64_C(604800)

#define DATABASE "/usr/share/zoneinfo"

static bool is_name(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    return *name && *name != '/' && strlen(name) < 64 && name[strspn(name, letters)] == '\0';
}

static struct tm clocks_at(int64_t when)
{
    struct tm shown = {0};
    const time_t at = (time_t)when;
    localtime_r(&at, &shown);
    return shown;
}

static bool same(const struct tm *a, const struct tm *b)
{
    return a->tm_gmtoff == b->tm_gmtoff && (a->tm_isdst > 0) == (b->tm_isdst > 0) &&
           strcmp(a->tm_zone, b->tm_zone) == 0;
}

/* The first second at which clocks show what they show at `after`, and not what they did. */
static int64_t change_between(int64_t before, int64_t after)
{
    const struct tm new = clocks_at(after);
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        const struct tm shown = clocks_at(middle);
        if (same(&shown, &new))
            after = middle;
        else
            before = middle;
    }
    return after;
}

static void put(FILE *out, int64_t from, const struct tm *shown)
{
    fprintf(out, "%" PRId64 " %ld %d %s;", from, shown->tm_gmtoff, shown->tm_isdst > 0,
            shown->tm_zone);
}

static void write_table(FILE *out)
{
    struct tm before = clocks_at(FIRST);
    put(out, INT64_C(-62135596800), &before); /* the year 1 */
    for (int64_t at = FIRST; at < END; at += STEP) {
        const struct tm shown = clocks_at(at + STEP);
        if (same(&before, &shown))
            continue;
        put(out, change_between(at, at + STEP), &shown);
        before = shown;
    }
}

char *zone_table(const char *name, struct err *err)
{
    char path[128], *table = NULL;
    size_t size = 0;
    bool local = strcmp(name, "local") == 0;
    snprintf(path, sizeof path, "%s/%.64s", DATABASE, name);
    if (!local && (!is_name(name) || access(path, R_OK))) {
        err_set(err, ERR_USAGE, ERR_NOWHERE,
                "there is no time zone %s in %s: write one like Europe/Berlin, UTC, or "
                "local",
                name, DATABASE);
        return NULL;
    }
    const char *own = getenv("TZ");
    char *kept = own ? strdup(own) : NULL;
    snprintf(path, sizeof path, ":%.64s", name);
    if (local && !kept)
        unsetenv("TZ");
    else if (!local)
        setenv("TZ", path, 1);
    tzset();
    FILE *out = open_memstream(&table, &size);
    if (out) {
        write_table(out);
        fclose(out);
    }
    if (kept)
        setenv("TZ", kept, 1);
    else
        unsetenv("TZ");
    tzset();
    free(kept);
    if (!table)
        err_set(err, ERR_FAULT, ERR_NOWHERE,
                "out of memory for the time zone: close something and try again");
    return table;
}
