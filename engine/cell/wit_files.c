/* Reading the files of a WIT package; see wit_files.h. An archive is gone through from its begin to
 * its end, and each group of files that are of one package twice: for its name and for the rest. */
#include "engine/cell/wit_files.h"

#include "engine/cell/image.h"

struct files {
    struct region *region;
    struct wit_package *package;
    struct err *err;
};

#define FILE_SHOWN 80 /* bytes of a file's name in a message */

/* Line and column in place of the offset: what an editor goes to. */
static void tell_place(struct bytes text, struct err *err)
{
    size_t line = 1, column = 1;
    if (err->offset == ERR_NOWHERE)
        return;
    for (size_t i = 0; i < err->offset && i < text.len; i++) {
        bool ends = text.at[i] == '\n';
        line += ends;
        column = ends ? 1 : column + ((text.at[i] & 0xc0) != 0x80);
    }
    err->offset = ERR_NOWHERE;
    err_within(err, "line %zu, column %zu", line, column);
}

static int read_alone(struct files *files, struct bytes file)
{
    if (wit_read_package(file, files->region, files->package, files->err) == 0)
        return 0;
    tell_place(file, files->err);
    return -1;
}

#define PATH_ROOM 256 /* the two parts of a name, and a slash */

enum { TOP, SINGLE, FOLDER, NOTHING }; /* what an entry of an archive is */

struct entry {
    struct bytes content;
    struct str name;   /* the whole path */
    struct str folder; /* of FOLDER: which one, below "deps" */
    int kind;
};

static bool ends_in(struct str text, const char *end)
{
    size_t len = strlen(end);
    return text.len > len && memcmp(text.at + text.len - len, end, len) == 0;
}

static bool begins_with(struct str text, const char *begin)
{
    size_t len = strlen(begin);
    return text.len >= len && memcmp(text.at, begin, len) == 0;
}

static struct str from(struct str text, size_t skipped)
{
    return (struct str){text.at + skipped, text.len - skipped};
}

/* The parts of the name, put together in `room` unless it has one. */
static struct str whole_name(const struct image_entry *of, char room[PATH_ROOM])
{
    if (!of->prefix.len)
        return of->name;
    memcpy(room, of->prefix.at, of->prefix.len);
    room[of->prefix.len] = '/';
    memcpy(room + of->prefix.len + 1, of->name.at, of->name.len);
    return (struct str){room, of->prefix.len + 1 + of->name.len};
}

static struct entry entry_of(const struct image_entry *of, char room[PATH_ROOM])
{
    struct entry entry = {.content = of->content, .name = whole_name(of, room), .kind = NOTHING};
    if (begins_with(entry.name, "./"))
        entry.name = from(entry.name, 2);
    struct str rest = entry.name;
    bool needed = begins_with(rest, "deps/");
    if (needed)
        rest = from(rest, strlen("deps/"));
    if (!of->regular || !ends_in(rest, ".wit"))
        return entry;
    const char *slash = memchr(rest.at, '/', rest.len);
    if (!slash) {
        entry.kind = needed ? SINGLE : TOP;
    } else if (needed && slash > rest.at) {
        entry.folder = (struct str){rest.at, (size_t)(slash - rest.at)};
        rest = from(rest, entry.folder.len + 1);
        entry.kind = memchr(rest.at, '/', rest.len) ? NOTHING : FOLDER;
    }
    return entry;
}

bool wit_archive_is(struct bytes file)
{
    struct image_entry entry;
    char room[PATH_ROOM];
    size_t at = 0;
    bool found = false;
    while (image_next(file, &at, &entry, NULL) > 0) {
        struct bytes content = entry.content;
        if (content.len >= 4 && memcmp(content.at, "\0asm", 4) == 0)
            return false;
        found = found || entry_of(&entry, room).kind == TOP;
    }
    return found;
}

/* Files of one package that stand together: those at the top, or of one folder in "deps". */
struct group {
    int kind;
    struct str folder; /* in `room` */
    size_t from, to;   /* where its entries lie in the archive */
    char room[PATH_ROOM];
};

static bool of_group(const struct entry *entry, const struct group *group)
{
    return entry->kind == group->kind &&
           (entry->kind != FOLDER || str_eq(entry->folder, group->folder));
}

/* A failure in one file of an archive. */
static int in_file(struct files *files, const struct entry *entry)
{
    size_t shown = entry->name.len < FILE_SHOWN ? entry->name.len : FILE_SHOWN;
    tell_place(entry->content, files->err);
    return err_within(files->err, "%.*s", (int)shown, entry->name.at);
}

/* The package that the files of a group are of: one of them says so, and no two say another. */
static int name_group(struct files *files, struct bytes archive, const struct group *group,
                      struct wit_path *ret)
{
    struct image_entry raw;
    char room[PATH_ROOM];
    *ret = (struct wit_path){{"", 0}, {"", 0}, {"", 0}};
    for (size_t at = group->from; at < group->to && image_next(archive, &at, &raw, NULL) > 0;) {
        const struct entry entry = entry_of(&raw, room);
        struct wit_path own;
        if (!of_group(&entry, group))
            continue;
        if (wit_package_name(entry.content, files->region, &own, files->err))
            return in_file(files, &entry);
        if (own.package.len && ret->package.len && !wit_path_same(&own, ret)) {
            err_set(files->err, ERR_MALFORMED, ERR_NOWHERE,
                    "WIT: the files of one folder are of one package, and others here are of "
                    "'" STR_FMT "'",
                    STR_ARG(ret->package));
            return in_file(files, &entry);
        }
        *ret = own.package.len ? own : *ret;
    }
    return 0;
}

static void start_group(struct group *group, const struct entry *first, size_t from)
{
    group->kind = first->kind;
    group->from = from;
    if (first->folder.len)
        memcpy(group->room, first->folder.at, first->folder.len);
    group->folder = (struct str){group->room, first->folder.len};
}

static int read_group(struct files *files, struct bytes archive, const struct group *group,
                      uint32_t *number)
{
    struct wit_path own;
    struct image_entry raw;
    char room[PATH_ROOM];
    if (name_group(files, archive, group, &own))
        return -1;
    for (size_t at = group->from; at < group->to && image_next(archive, &at, &raw, NULL) > 0;) {
        const struct entry entry = entry_of(&raw, room);
        const struct wit_file file = {.text = entry.content,
                                      .own = own,
                                      .number = (*number)++,
                                      .foreign = group->kind != TOP};
        if (!of_group(&entry, group))
            continue;
        if (wit_read_file(&file, files->region, files->package, files->err))
            return in_file(files, &entry);
    }
    return 0;
}

/* The files at the top are one package. In "deps", a file is one, and so are the files of a folder,
 * which stand together in the archive. */
static int read_archive(struct files *files, struct bytes archive)
{
    struct image_entry raw;
    char room[PATH_ROOM];
    uint32_t number = 0;
    const struct group top = {.kind = TOP, .from = 0, .to = archive.len};
    wit_package_start(files->package);
    if (read_group(files, archive, &top, &number))
        return -1;
    struct group group = {.kind = NOTHING};
    size_t at = 0, before = 0;
    int found = 1;
    while (found > 0) {
        before = at;
        found = image_next(archive, &at, &raw, files->err);
        const struct entry entry =
            found > 0 ? entry_of(&raw, room) : (struct entry){.kind = NOTHING};
        bool goes_on = found > 0 && entry.kind == FOLDER && of_group(&entry, &group);
        if (!goes_on && group.kind != NOTHING) {
            group.to = before;
            if (read_group(files, archive, &group, &number))
                return -1;
            group.kind = NOTHING;
        }
        if (!goes_on && (entry.kind == SINGLE || entry.kind == FOLDER))
            start_group(&group, &entry, before);
    }
    return found;
}

int wit_files_read(struct bytes file, struct region *region, struct wit_package *ret,
                   struct err *err)
{
    struct files files = {region, ret, err};
    return image_is(file) ? read_archive(&files, file) : read_alone(&files, file);
}
