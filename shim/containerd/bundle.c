/* Reading a bundle; see bundle.h. */
#include "shim/containerd/bundle.h"

#include "engine/base/attr.h"
#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define CONFIG_MOST (16 << 20)
#define DEPTH_MOST  32

json_object *bundle_parse(struct bytes text)
{
    json_tokener *tokener = text.len <= CONFIG_MOST ? json_tokener_new_ex(DEPTH_MOST) : NULL;
    if (!tokener)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
    json_object *object = json_tokener_parse_ex(tokener, (const char *)text.at, (int)text.len);
    if (json_tokener_get_error(tokener) != json_tokener_success)
        object = NULL;
    json_tokener_free(tokener);
    return object;
}

int bundle_read(const char *directory, struct bundle *ret, struct err *err)
{
    char path[PATH_MAX];
    struct stat status;
    *ret = (struct bundle){.directory = directory};
    snprintf(path, sizeof path, "%s/config.json", directory);
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status))
        return err_set(err, ERR_ABSENT, ERR_NOWHERE,
                       "cannot read %s: %s: it must be there, and root must be able to read it",
                       path, strerror(errno));
    void *at = status.st_size > 0
                   ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                   : MAP_FAILED;
    if (at != MAP_FAILED) {
        ret->config = bundle_parse((struct bytes){at, (size_t)status.st_size});
        munmap(at, (size_t)status.st_size);
    }
    if (!json_object_is_type(ret->config, json_type_object))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "%s is no JSON object in UTF-8, of at most %d MiB and %d levels: make the "
                       "bundle again",
                       path, CONFIG_MOST >> 20, DEPTH_MOST);
    return 0;
}

/* The value at a path of keys, separated by dots; NULL if it says nothing. Sets *ret_wrong (NULL:
 * nobody asks) where something else stands than an object. */
static json_object *look(json_object *from, const char *path, bool *ret_wrong)
{
    char key[64];
    while (from && *path) {
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        if (!json_object_is_type(from, json_type_object)) {
            if (ret_wrong)
                *ret_wrong = true;
            return NULL;
        }
        if (!json_object_object_get_ex(from, key, &from))
            return NULL;
        path += length + (path[length] == '.');
    }
    return from;
}

static json_object *find(json_object *from, const char *path)
{
    return look(from, path, NULL);
}

static const char *text_of(json_object *value)
{
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

const char *bundle_text(const struct bundle *bundle, const char *path)
{
    return text_of(find(bundle->config, path));
}

const char *bundle_annotation(const struct bundle *bundle, const char *key)
{
    json_object *annotations = find(bundle->config, "annotations"), *value = NULL;
    if (!json_object_is_type(annotations, json_type_object))
        return NULL;
    json_object_object_get_ex(annotations, key, &value);
    return text_of(value);
}

bool bundle_is_sandbox(const struct bundle *bundle)
{
    static const char *const keys[] = {"io.kubernetes.cri.container-type",
                                       "io.kubernetes.cri-o.ContainerType"};
    for (size_t i = 0; i < countof(keys); i++) {
        const char *type = bundle_annotation(bundle, keys[i]);
        if (type && strcmp(type, "sandbox") == 0)
            return true;
    }
    return false;
}

const char *bundle_group(const struct bundle *bundle)
{
    const char *group = bundle_annotation(bundle, "io.containerd.runc.v2.group");
    return group && *group ? group : bundle_annotation(bundle, "io.kubernetes.cri.sandbox-id");
}

bool bundle_namespace_at(const struct bundle *bundle, size_t number, const char **ret_type,
                         const char **ret_path)
{
    json_object *list = find(bundle->config, "linux.namespaces");
    if (!json_object_is_type(list, json_type_array) || number >= json_object_array_length(list))
        return false;
    json_object *one = json_object_array_get_idx(list, number);
    const char *type = text_of(find(one, "type")), *path = text_of(find(one, "path"));
    *ret_type = type ? type : "";
    *ret_path = path ? path : "";
    return true;
}

const char *bundle_namespace(const struct bundle *bundle, const char *type)
{
    const char *of, *path;
    for (size_t i = 0; bundle_namespace_at(bundle, i, &of, &path); i++) {
        if (strcmp(of, type) == 0)
            return path;
    }
    return NULL;
}

void bundle_root(const struct bundle *bundle, char *ret, size_t size)
{
    const char *root = bundle_text(bundle, "root.path");
    if (root && root[0] == '/')
        snprintf(ret, size, "%s", root);
    else
        snprintf(ret, size, "%s/%s", bundle->directory, root ? root : "rootfs");
}

json_object *bundle_resources(const struct bundle *bundle)
{
    return find(bundle->config, "linux.resources");
}

/* linux.resources while it is read: a value of another type than the specification's would be a
 * limit that is not kept. */
struct resources {
    json_object *from;
    const char *wrong; /* the first path of such a value; NULL */
};

static json_object *resource(struct resources *resources, const char *path, json_type type)
{
    bool wrong = false;
    json_object *value = look(resources->from, path, &wrong);
    wrong = wrong || (value && !json_object_is_type(value, type));
    if (wrong && !resources->wrong)
        resources->wrong = path;
    return wrong ? NULL : value;
}

static int64_t number_of(struct resources *resources, const char *path)
{
    json_object *value = resource(resources, path, json_type_int);
    return value ? json_object_get_int64(value) : 0;
}

static uint64_t unsigned_of(struct resources *resources, const char *path)
{
    int64_t number = number_of(resources, path);
    if (number < 0 && !resources->wrong)
        resources->wrong = path;
    return number < 0 ? 0 : (uint64_t)number;
}

static const char *list_of(struct resources *resources, const char *path)
{
    const char *text = text_of(resource(resources, path, json_type_string));
    return text && *text ? text : NULL;
}

int bundle_limits(json_object *from, struct group_limits *ret, struct err *err)
{
    struct resources resources = {.from = from};
    *ret = (struct group_limits){
        .memory = number_of(&resources, "memory.limit"),
        .swap = number_of(&resources, "memory.swap"),
        .pids = number_of(&resources, "pids.limit"),
        .quota = number_of(&resources, "cpu.quota"),
        .period = unsigned_of(&resources, "cpu.period"),
        .shares = unsigned_of(&resources, "cpu.shares"),
        .reservation = number_of(&resources, "memory.reservation"),
        .cpus = list_of(&resources, "cpu.cpus"),
        .mems = list_of(&resources, "cpu.mems"),
    };
    json_object *files = resource(&resources, "unified", json_type_object);
    if (resources.wrong)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "linux.resources: %s is of another type than the specification's, or less "
                       "than it can be: write it as runtime-spec has it",
                       resources.wrong);
    if (!files)
        return 0;
    json_object_object_foreach(files, name, value)
    {
        bool full = ret->file_count == GROUP_FILES_MOST;
        ret->files[full ? 0 : ret->file_count++] =
            (struct group_file){name, full ? NULL : text_of(value)};
    }
    return 0;
}
