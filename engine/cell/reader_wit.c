/* What the worlds of a WIT package demand; see reader_wit.h. Of the package itself all worlds are
 * taken together, or if it has none, those of the packages within it. What is declared in its files
 * and in those that it needs is read there; of WASI's packages, which mostly are elsewhere, the
 * table knows the functions. Nothing recurses: what is found is put on a list and looked at later,
 * each declaration once. */
#include "engine/cell/reader_wit.h"

#include "engine/base/attr.h"
#include "engine/cell/wit_files.h"
#include <stdio.h>

#define ALIASES_MAX 8

enum task_kind {
    TASK_WORLD = 1,
    TASK_IMPORT = 2, /* an interface, with its functions */
    TASK_EXPORT = 4, /* what it uses is imported */
};

struct task {
    enum task_kind kind;
    const struct wit_items *items;
    const struct wit_decl *home; /* names without a package are of the same as this one */
    struct wit_path path;        /* that the items are imported as */
    struct task *next;
};

struct walk {
    struct region *region;
    struct answer *answer;
    struct wit_package package;
    struct wit_decl **table; /* by path; open addressing, a power of two of places */
    size_t places;
    struct task *first, **last;
    struct err *err;
};

static int full(struct walk *walk)
{
    return err_set(walk->err, ERR_MEMORY, ERR_NOWHERE, "no memory left for this text");
}

/* --- Declarations by name ----------------------------------------------------------------------
 */

#define EVERY_FILE 0

/* The file whose names a declaration is one of: an alias is known in its own file only. */
static uint32_t file_of(const struct wit_decl *decl)
{
    return decl->kind == WIT_DECL_ALIAS ? decl->file + 1 : EVERY_FILE;
}

static size_t hash_of(const struct wit_path *path, uint32_t file)
{
    const struct str parts[] = {path->package, path->name, path->version};
    uint32_t hash = (0x811c9dc5 ^ file) * 0x01000193;
    for (size_t i = 0; i < countof(parts); i++)
        for (size_t k = 0; k <= parts[i].len; k++)
            hash = (hash ^ (k < parts[i].len ? (uint8_t)parts[i].at[k] : 0xff)) * 0x01000193;
    return hash;
}

/* The place of the declaration with this path, or where it would be. */
static struct wit_decl **place_of(const struct walk *walk, const struct wit_path *path,
                                  uint32_t file)
{
    size_t at = hash_of(path, file) & (walk->places - 1);
    while (walk->table[at] &&
           !(file_of(walk->table[at]) == file && wit_path_same(&walk->table[at]->path, path)))
        at = (at + 1) & (walk->places - 1);
    return &walk->table[at];
}

static int make_table(struct walk *walk)
{
    walk->places = 2;
    while (walk->places < 2 * walk->package.count)
        walk->places *= 2;
    walk->table = region_array(walk->region, struct wit_decl *, walk->places);
    if (!walk->table)
        return full(walk);
    for (struct wit_decl *decl = walk->package.first; decl; decl = decl->next) {
        struct wit_decl **place = place_of(walk, &decl->path, file_of(decl));
        if (*place)
            return err_set(walk->err, ERR_MALFORMED, ERR_NOWHERE,
                           "WIT: '" STR_FMT "' is declared twice", STR_ARG(decl->path.name));
        *place = decl;
    }
    return 0;
}

/* What a path means where `home` stands: *path becomes whole. NULL: it is not in these files. */
static struct wit_decl *resolve(const struct walk *walk, const struct wit_decl *home,
                                struct wit_path *path)
{
    for (int i = 0; i < ALIASES_MAX; i++) {
        struct wit_decl *found = NULL;
        if (!path->package.len) {
            path->package = home->path.package;
            path->version = home->path.version;
            found = *place_of(walk, path, home->file + 1);
        }
        if (!found)
            return *place_of(walk, path, EVERY_FILE);
        *path = found->alias;
        home = found;
        if (!path->package.len && str_eq(path->name, found->path.name))
            return NULL; /* itself */
    }
    return NULL;
}

/* "wasi:cli/stdin@0.2.0", or the name alone of what has no package. */
static struct str text_of(const struct wit_path *path, char text[ANSWER_NAME_MAX + 1])
{
    int len = snprintf(text, ANSWER_NAME_MAX + 1, STR_FMT "%s" STR_FMT "%s" STR_FMT,
                       STR_ARG(path->package), path->package.len ? "/" : "", STR_ARG(path->name),
                       path->version.len ? "@" : "", STR_ARG(path->version));
    size_t size = len < 0 ? 0 : (size_t)len;
    return (struct str){text, size < ANSWER_NAME_MAX ? size : ANSWER_NAME_MAX};
}

/* As the table has it: "wasi:cli/stdin". */
static struct str interface_of(const struct wit_path *path, char text[ANSWER_NAME_MAX + 1])
{
    const struct wit_path bare = {path->package, path->name, {"", 0}};
    return text_of(&bare, text);
}

/* --- Tasks --------------------------------------------------------------------------------------
 */

static int add_task(struct walk *walk, enum task_kind kind, const struct wit_items *items,
                    const struct wit_decl *home, struct wit_path path)
{
    struct task *task = region_new(walk->region, struct task);
    if (!task)
        return full(walk);
    *task = (struct task){.kind = kind, .items = items, .home = home, .path = path};
    *walk->last = task;
    walk->last = &task->next;
    return 0;
}

/* The same of a declaration, which is looked at once for each kind. */
static int add_decl(struct walk *walk, enum task_kind kind, struct wit_decl *decl)
{
    if (decl->seen & (uint32_t)kind)
        return 0;
    decl->seen |= (uint32_t)kind;
    return add_task(walk, kind, &decl->items, decl, decl->path);
}

static int import(struct walk *walk, const struct wit_decl *home, struct wit_path path)
{
    char text[ANSWER_NAME_MAX + 1], name[ANSWER_NAME_MAX + 1];
    struct wit_decl *decl = resolve(walk, home, &path);
    if (decl && decl->kind == WIT_DECL_INTERFACE) {
        if (!(decl->seen & TASK_IMPORT))
            answer_name(walk->answer, ANSWER_IMPORT, text_of(&path, text), (struct str){0});
        return add_decl(walk, TASK_IMPORT, decl);
    }
    if (answer_interface(walk->answer, interface_of(&path, name), path.version, false))
        return 0;
    answer_name(walk->answer, ANSWER_IMPORT, text_of(&path, text), (struct str){0});
    answer_name(walk->answer, ANSWER_UNKNOWN, text_of(&path, text), (struct str){0});
    return 0;
}

static int export(struct walk *walk, const struct wit_decl *home, struct wit_path path)
{
    char text[ANSWER_NAME_MAX + 1], name[ANSWER_NAME_MAX + 1];
    struct wit_decl *decl = resolve(walk, home, &path);
    struct str interface = interface_of(&path, name);
    uint32_t row = row_of_export(interface, path.version);
    answer_name(walk->answer, ANSWER_EXPORT, text_of(&path, text), (struct str){0});
    if (row != ROW_NONE) {
        answer_row(walk->answer, row, true);
        answer_fact(walk->answer, row == ROW_export_run ? ANSWER_IS_COMMAND : ANSWER_IS_PROXY);
    }
    if (decl && decl->kind == WIT_DECL_INTERFACE)
        return add_decl(walk, TASK_EXPORT, decl);
    answer_interface(walk->answer, interface, path.version, true);
    return 0;
}

/* --- Worlds of WASI -----------------------------------------------------------------------------
 */

static const struct wasi_world {
    const char *name;
    const char *imports;
    uint32_t exported; /* a row */
} wasi_worlds[] = {
#define EXPORT_COMMAND                      ROW_export_run
#define EXPORT_PROXY                        ROW_export_http_incoming_handle
#define WORLD(fact, name, interfaces, what) {name, interfaces, EXPORT_##fact},
#include "policies/world.def"
};

/* "PACKAGE/NAME" with a version. */
static struct wit_path split(struct str interface, struct str version)
{
    const char *slash = memchr(interface.at, '/', interface.len);
    size_t package = slash ? (size_t)(slash - interface.at) : 0;
    size_t skipped = slash ? package + 1 : 0;
    return (struct wit_path){
        {interface.at, package}, {interface.at + skipped, interface.len - skipped}, version};
}

/* All interfaces of a list with spaces between, as world.def has them. */
static void import_list(struct walk *walk, struct str list, struct str version)
{
    while (list.len) {
        const char *space = memchr(list.at, ' ', list.len);
        size_t len = space ? (size_t)(space - list.at) : list.len;
        answer_interface(walk->answer, (struct str){list.at, len}, version, false);
        list = space ? (struct str){space + 1, list.len - len - 1} : (struct str){"", 0};
    }
}

/* A world that the file does not have: one of world.def, what such a one imports, and "imports" of
 * any package of WASI. */
static int include_foreign(struct walk *walk, const struct wit_decl *home,
                           const struct wit_path *path)
{
    char text[ANSWER_NAME_MAX + 1], name[ANSWER_NAME_MAX + 1];
    struct str world = interface_of(path, name);
    bool imports = str_is(path->name, "imports");
    for (size_t i = 0; path->version.len && i < countof(wasi_worlds); i++) {
        const struct wasi_world *of = &wasi_worlds[i];
        bool whole = str_is(world, of->name);
        struct str package = split(str_of(of->name), path->version).package;
        if (!whole && !(imports && str_eq(path->package, package)))
            continue;
        import_list(walk, str_of(of->imports), path->version);
        if (!whole)
            return 0;
        const struct row_export row = export_of_row(of->exported);
        const struct str interface = {row.interface, strcspn(row.interface, "@")};
        return export(walk, home, split(interface, path->version));
    }
    const struct str package = {world.at, world.len - path->name.len};
    if (imports && answer_interface(walk->answer, package, path->version, false))
        return 0;
    answer_name(walk->answer, ANSWER_UNKNOWN, text_of(path, text), (struct str){0});
    return 0;
}

/* --- Items --------------------------------------------------------------------------------------
 */

/* An item of an interface that is imported. */
static void import_item(struct walk *walk, const struct task *task, const struct wit_item *item)
{
    char text[ANSWER_NAME_MAX + 1], name[ANSWER_NAME_MAX + 1];
    struct str path = interface_of(&task->path, name);
    bool drop = item->kind == WIT_RESOURCE;
    uint32_t row = drop ? row_of_drop(path, task->path.version, item->name)
                        : row_of_function(path, task->path.version, item->name);
    if (row != ROW_NONE)
        answer_row(walk->answer, row, true);
    else if (!drop)
        answer_name(walk->answer, ANSWER_UNKNOWN, text_of(&task->path, text), item->name);
}

/* An interface that a world writes out: of no package. */
static int take_inner(struct walk *walk, const struct task *task, const struct wit_item *item)
{
    const struct wit_path path = {{"", 0}, item->name, {"", 0}};
    answer_name(walk->answer, item->exported ? ANSWER_EXPORT : ANSWER_IMPORT, item->name,
                (struct str){0});
    return add_task(walk, item->exported ? TASK_EXPORT : TASK_IMPORT, item->inner, task->home,
                    path);
}

static int include(struct walk *walk, const struct wit_decl *home, struct wit_path path)
{
    struct wit_decl *decl = resolve(walk, home, &path);
    return decl && decl->kind == WIT_DECL_WORLD ? add_decl(walk, TASK_WORLD, decl)
                                                : include_foreign(walk, home, &path);
}

static int take_item(struct walk *walk, const struct task *task, const struct wit_item *item)
{
    switch (item->kind) {
    case WIT_USE: return import(walk, task->home, item->path);
    case WIT_INCLUDE: return include(walk, task->home, item->path);
    case WIT_INTERFACE:
        return item->inner      ? take_inner(walk, task, item)
               : item->exported ? export(walk, task->home, item->path)
                                : import(walk, task->home, item->path);
    case WIT_FUNC:
        if (task->kind == TASK_IMPORT)
            import_item(walk, task, item);
        else if (task->kind == TASK_WORLD)
            answer_name(walk->answer, item->exported ? ANSWER_EXPORT : ANSWER_UNKNOWN, item->name,
                        (struct str){0});
        return 0;
    case WIT_RESOURCE:
        if (task->kind == TASK_IMPORT)
            import_item(walk, task, item);
        return 0;
    }
    return 0;
}

/* --- Worlds -------------------------------------------------------------------------------------
 */

/* Is it the one called so: "NAME", "PACKAGE/NAME", "PACKAGE/NAME@VERSION"? */
static bool called(const struct wit_decl *decl, struct str name)
{
    char text[ANSWER_NAME_MAX + 1];
    return (!decl->foreign && str_eq(decl->path.name, name)) ||
           str_eq(interface_of(&decl->path, text), name) ||
           str_eq(text_of(&decl->path, text), name);
}

static int take_world(struct walk *walk, struct wit_decl *decl)
{
    char text[ANSWER_NAME_MAX + 1];
    answer_name(walk->answer, ANSWER_WORLD, text_of(&decl->path, text), (struct str){0});
    return add_decl(walk, TASK_WORLD, decl);
}

/* Those that are to be looked at. */
static int take_worlds(struct walk *walk, struct str name)
{
    for (int nested = 0; nested < 2 && !walk->first; nested++)
        for (struct wit_decl *decl = walk->package.first; decl; decl = decl->next)
            if (decl->kind == WIT_DECL_WORLD &&
                (name.len ? called(decl, name) && (decl->seen & TASK_WORLD) == 0
                          : !decl->foreign && decl->nested == nested) &&
                take_world(walk, decl))
                return -1;
    if (walk->first)
        return 0;
    if (!name.len)
        return err_set(walk->err, ERR_UNLINKABLE, ERR_NOWHERE,
                       "WIT without a world: audit the package that has one");
    char has[120] = "";
    size_t used = 0;
    for (const struct wit_decl *decl = walk->package.first; decl; decl = decl->next) {
        if (decl->kind != WIT_DECL_WORLD || decl->foreign || used >= sizeof has)
            continue;
        int len = snprintf(has + used, sizeof has - used, "%s" STR_FMT, used ? ", " : "",
                           STR_ARG(decl->path.name));
        used += len < 0 ? sizeof has : (size_t)len;
    }
    return err_set(walk->err, ERR_UNLINKABLE, ERR_NOWHERE,
                   "WIT without a world '%.*s': name one that it has: %s%s",
                   (int)(name.len < 60 ? name.len : 60), name.at, used ? has : "there is none",
                   used < sizeof has ? "" : "...");
}

int read_wit(struct bytes file, struct str world, struct region *region, struct answer *answer,
             struct err *err)
{
    struct walk walk = {.region = region, .answer = answer, .err = err};
    walk.last = &walk.first;
    if (wit_files_read(file, region, &walk.package, err) || make_table(&walk))
        return -1;
    answer_fact(answer, ANSWER_IS_COMPONENT);
    answer_fact(answer, ANSWER_IS_WIT);
    if (take_worlds(&walk, world))
        return -1;
    for (const struct task *task = walk.first; task; task = task->next)
        for (const struct wit_item *item = task->items->first; item; item = item->next)
            if (take_item(&walk, task, item))
                return -1;
    return 0;
}
