/* `carrel pack`: a component as an OCI image, in a tar archive that `ctr image import`, `docker
 * load` and `podman load` take (github.com/opencontainers/image-spec, image-layout.md). Either a
 * normal image, whose one layer holds the file, or an artifact, whose one layer is the file
 * (tag-runtime.cncf.io/wgs/wasm, "Wasm OCI artifact layout"). The component is read in a cell, as
 * by `audit`; here its bytes are copied and hashed. */
#include "engine/base/ascii.h"
#include "policies/digest.h"
#include "policies/printable.h"
#include "runner/command.h"
#include "runner/examine.h"
#include "runner/reference.h"
#include "runner/report.h"
#include "runner/tar.h"
#include "shim/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/utsname.h>

/* The plain functions: OpenSSL's newer ones look their algorithms up at run time. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#define BLOBS     "blobs/sha256/"
#define NAME_MOST 80
#define CHUNK     65536

/* A blob as others name it. */
struct blob {
    char digest[80]; /* "sha256:" and 64 digits */
    uint64_t size;
};

/* An image in the making. */
struct packing {
    const struct examined *of;
    const char *reference;
    char name[NAME_MOST]; /* of the component's file in the image */
    char os[32], architecture[32];
    bool artifact;
    FILE *to;
    struct blob layer, config, manifest;
};

/* --- Bytes ----------------------------------------------------------------------------------- */

static const uint8_t zeroes[TAR_END];

/* Where bytes go: into the archive, or into a digest only. */
struct sink {
    FILE *file;
    SHA256_CTX hash;
    uint64_t size;
};

static void put(struct sink *sink, const void *bytes, size_t size)
{
    if (sink->file)
        fwrite(bytes, 1, size, sink->file);
    SHA256_Update(&sink->hash, bytes, size);
    sink->size += size;
}

static struct sink sink_to(FILE *file)
{
    struct sink sink = {.file = file};
    SHA256_Init(&sink.hash);
    return sink;
}

static void name_blob(struct sink *sink, struct blob *ret)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_Final(digest, &sink->hash);
    digest_text(digest, stpcpy(ret->digest, "sha256:"));
    ret->size = sink->size;
}

static int put_component(struct sink *sink, const struct component *component, struct err *err)
{
    static char chunk[CHUNK];
    for (uint64_t at = 0; at < component->size;) {
        ssize_t size = pread(component->memory, chunk, sizeof chunk, (off_t)at);
        if (size <= 0)
            return err_set(err, ERR_FAULT, ERR_NOWHERE,
                           "cannot read the copy of the component: free some memory");
        put(sink, chunk, (size_t)size);
        at += (uint64_t)size;
    }
    return 0;
}

/* The layer: an archive with the component, or the component. */
static int put_layer(const struct packing *packing, struct sink *sink, struct err *err)
{
    uint8_t head[TAR_BLOCK];
    const struct component *component = &packing->of->component;
    if (packing->artifact)
        return put_component(sink, component, err);
    tar_head(packing->name, component->size, 0755, head);
    put(sink, head, sizeof head);
    if (put_component(sink, component, err))
        return -1;
    put(sink, zeroes, tar_padding(component->size));
    put(sink, zeroes, TAR_END);
    return 0;
}

/* --- Files of the archive -------------------------------------------------------------------- */

static void begin_file(const struct packing *packing, const char *name, uint64_t size)
{
    uint8_t head[TAR_BLOCK];
    tar_head(name, size, name[strlen(name) - 1] == '/' ? 0755 : 0644, head);
    fwrite(head, 1, sizeof head, packing->to);
}

static void put_text(const struct packing *packing, const char *name, const char *text)
{
    size_t size = strlen(text);
    begin_file(packing, name, size);
    fwrite(text, 1, size, packing->to);
    fwrite(zeroes, 1, tar_padding(size), packing->to);
}

static const char *blob_path(const struct blob *blob, char ret[96])
{
    snprintf(ret, 96, BLOBS "%s", blob->digest + strlen("sha256:"));
    return ret;
}

static const char *text_of(json_object *object)
{
    return json_object_to_json_string_ext(object,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* Writes JSON as a blob, and gives it back. */
static void put_blob(const struct packing *packing, json_object *object, struct blob *ret)
{
    char path[96];
    const char *text = text_of(object);
    struct sink sink = sink_to(NULL);
    put(&sink, text, strlen(text));
    name_blob(&sink, ret);
    put_text(packing, blob_path(ret, path), text);
    json_object_put(object);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static json_object *string(const char *text)
{
    return json_object_new_string(text);
}

static json_object *list_of(json_object *one)
{
    json_object *list = json_object_new_array();
    json_object_array_add(list, one);
    return list;
}

static json_object *descriptor(const char *type, const struct blob *blob)
{
    json_object *object = json_object_new_object();
    json_object_object_add(object, "mediaType", string(type));
    json_object_object_add(object, "digest", string(blob->digest));
    json_object_object_add(object, "size", json_object_new_uint64(blob->size));
    return object;
}

static json_object *image_config(const struct packing *packing)
{
    char entry[NAME_MOST + 1];
    json_object *object = json_object_new_object(), *config = json_object_new_object(),
                *rootfs = json_object_new_object();
    snprintf(entry, sizeof entry, "/%s", packing->name);
    json_object_object_add(config, "Entrypoint", list_of(string(entry)));
    json_object_object_add(rootfs, "type", string("layers"));
    json_object_object_add(rootfs, "diff_ids", list_of(string(packing->layer.digest)));
    json_object_object_add(object, "created", string("1970-01-01T00:00:00Z"));
    json_object_object_add(object, "architecture", string(packing->architecture));
    json_object_object_add(object, "os", string(packing->os));
    json_object_object_add(object, "config", config);
    json_object_object_add(object, "rootfs", rootfs);
    return object;
}

/* The names of one list of the demand: what the reader said, made printable, which is UTF-8. */
static json_object *names_of(const struct demand *demand, enum demand_list list)
{
    char shown[8 * DEMAND_NAME_MAX];
    json_object *names = json_object_new_array();
    for (size_t i = 0; i < demand->name_count; i++) {
        const struct demand_name *name = &demand->names[i];
        if (name->list == list)
            json_object_array_add(names, string(printable(shown, sizeof shown, name->text)));
    }
    return names;
}

static json_object *artifact_config(const struct packing *packing)
{
    const struct demand *demand = &packing->of->demand;
    bool component = demand_is(demand, DEMAND_IS_COMPONENT);
    json_object *object = json_object_new_object(), *facts = json_object_new_object();
    json_object_object_add(object, "created", string("1970-01-01T00:00:00Z"));
    json_object_object_add(object, "architecture", string("wasm"));
    json_object_object_add(object, "os", string(component ? "wasip2" : "wasip1"));
    json_object_object_add(object, "layerDigests", list_of(string(packing->layer.digest)));
    json_object_object_add(facts, "exports", names_of(demand, DEMAND_EXPORT));
    json_object_object_add(facts, "imports", names_of(demand, DEMAND_IMPORT));
    if (component)
        json_object_object_add(object, "component", facts);
    else
        json_object_put(facts);
    return object;
}

static json_object *manifest(const struct packing *packing)
{
    bool artifact = packing->artifact;
    json_object *object = json_object_new_object();
    json_object_object_add(object, "schemaVersion", json_object_new_int(2));
    json_object_object_add(object, "mediaType",
                           string("application/vnd.oci.image.manifest.v1+json"));
    json_object_object_add(object, "config",
                           descriptor(artifact ? "application/vnd.wasm.config.v0+json"
                                               : "application/vnd.oci.image.config.v1+json",
                                      &packing->config));
    json_object_object_add(
        object, "layers",
        list_of(descriptor(artifact ? "application/wasm" : "application/vnd.oci.image.layer.v1.tar",
                           &packing->layer)));
    return object;
}

static json_object *image_index(const struct packing *packing)
{
    const char *tag = strrchr(packing->reference, ':');
    json_object *object = json_object_new_object(), *annotations = json_object_new_object(),
                *one = descriptor("application/vnd.oci.image.manifest.v1+json", &packing->manifest);
    json_object_object_add(annotations, "io.containerd.image.name", string(packing->reference));
    json_object_object_add(annotations, "org.opencontainers.image.ref.name",
                           string(tag ? tag + 1 : packing->reference));
    json_object_object_add(one, "annotations", annotations);
    json_object_object_add(object, "schemaVersion", json_object_new_int(2));
    json_object_object_add(object, "mediaType", string("application/vnd.oci.image.index.v1+json"));
    json_object_object_add(object, "manifests", list_of(one));
    return object;
}

/* What docker reads, which knows no artifacts. */
static json_object *docker_manifest(const struct packing *packing)
{
    char path[96];
    json_object *one = json_object_new_object();
    json_object_object_add(one, "Config", string(blob_path(&packing->config, path)));
    json_object_object_add(one, "RepoTags", list_of(string(packing->reference)));
    json_object_object_add(one, "Layers", list_of(string(blob_path(&packing->layer, path))));
    return list_of(one);
}

static void put_json(const struct packing *packing, const char *name, json_object *object)
{
    put_text(packing, name, text_of(object));
    json_object_put(object);
}

/* --- The whole ------------------------------------------------------------------------------- */

static int write_image(struct packing *packing, struct err *err)
{
    char path[96];
    struct sink measure = sink_to(NULL), layer = sink_to(packing->to);
    if (put_layer(packing, &measure, err))
        return -1;
    name_blob(&measure, &packing->layer);
    put_text(packing, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    begin_file(packing, "blobs/", 0);
    begin_file(packing, BLOBS, 0);
    begin_file(packing, blob_path(&packing->layer, path), packing->layer.size);
    if (put_layer(packing, &layer, err))
        return -1;
    fwrite(zeroes, 1, tar_padding(packing->layer.size), packing->to);
    put_blob(packing, packing->artifact ? artifact_config(packing) : image_config(packing),
             &packing->config);
    put_blob(packing, manifest(packing), &packing->manifest);
    put_json(packing, "index.json", image_index(packing));
    if (!packing->artifact)
        put_json(packing, "manifest.json", docker_manifest(packing));
    fwrite(zeroes, 1, TAR_END, packing->to);
    return 0;
}

/* Writes beside the place, and moves the whole archive there. */
static int write_file(struct packing *packing, const char *output, struct err *err)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s.part", output) >= (int)sizeof part)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "-o: the path is too long: name a shorter one");
    packing->to = fopen(part, "we");
    if (!packing->to)
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "-o %s: cannot write there: %s: name another file", output, strerror(errno));
    int failed = write_image(packing, err);
    bool full = ferror(packing->to);
    if (fclose(packing->to) || full)
        failed = err_set(err, ERR_FAULT, ERR_NOWHERE,
                         "-o %s: cannot write all of it: %s: free some space, or name another file",
                         output, strerror(errno));
    if (!failed && rename(part, output))
        failed = err_set(err, ERR_FAULT, ERR_NOWHERE, "-o %s: %s: name another file", output,
                         strerror(errno));
    if (failed)
        unlink(part);
    return failed;
}

/* FOLDER/Some.wasm -> Some.wasm, with what a tag cannot have made "-"; and its reference. */
static int choose_names(struct packing *packing, const char *file, const char *reference,
                        char space[NAME_MOST + 40], struct err *err)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash && slash[1] ? slash + 1 : file;
    if (snprintf(packing->name, sizeof packing->name, "%s", base) >= (int)sizeof packing->name)
        return err_set(err, ERR_USAGE, ERR_NOWHERE, "its name has more than %d bytes: rename it",
                       NAME_MOST - 1);
    if (reference && !reference_valid(reference))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--name %s: no image can have it: write [HOST/]PATH[:TAG] with a path in "
                       "small letters, as in localhost/app:latest",
                       reference);
    packing->reference = reference;
    if (reference)
        return 0;
    char tag[NAME_MOST];
    size_t length = strcspn(base, "."), used = 0;
    for (size_t i = 0; i < length; i++) {
        char letter = ascii_small(base[i]);
        bool plain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
        if (!plain)
            letter = '-';
        if (plain || (used > 0 && i + 1 < length))
            tag[used++] = letter;
    }
    tag[used] = '\0';
    snprintf(space, NAME_MOST + 40, "localhost/%s:latest", used ? tag : "component");
    packing->reference = space;
    return 0;
}

/* OS/ARCH; by default of this machine, because every node that has a shim can run it. */
static int choose_platform(struct packing *packing, const char *given, struct err *err)
{
    struct utsname machine;
    uname(&machine);
    const char *slash = given ? strchr(given, '/') : NULL;
    if (given && (!slash || slash == given || !slash[1] || strlen(given) > 30))
        return err_set(err, ERR_USAGE, ERR_NOWHERE,
                       "--platform %s: write OS/ARCH, as in linux/amd64 or wasip1/wasm", given);
    const char *own = strcmp(machine.machine, "x86_64") == 0    ? "amd64"
                      : strcmp(machine.machine, "aarch64") == 0 ? "arm64"
                                                                : machine.machine;
    snprintf(packing->os, sizeof packing->os, "%.*s", given ? (int)(slash - given) : 5,
             given ? given : "linux");
    snprintf(packing->architecture, sizeof packing->architecture, "%.30s", given ? slash + 1 : own);
    return 0;
}

static int pack(const struct options *options, const char *file, const struct examined *of,
                struct err *err)
{
    char space[NAME_MOST + 40];
    struct packing packing = {.of = of, .artifact = cli_value(options->cli, FLAG_ARTIFACT)};
    const char *output = cli_value(options->cli, FLAG_OUTPUT);
    if (choose_names(&packing, file, cli_value(options->cli, FLAG_NAME), space, err) ||
        choose_platform(&packing, cli_value(options->cli, FLAG_PLATFORM), err) ||
        write_file(&packing, output, err))
        return -1;
    printf("%s %s %s\n", packing.reference, packing.manifest.digest, output);
    return 0;
}

int command_pack(const struct options *options, char **operands, size_t count)
{
    struct err err = {.offset = ERR_NOWHERE};
    struct examiner *examiner = examiner_here();
    struct examined *of = NULL;
    if (count != 1 || !cli_value(options->cli, FLAG_OUTPUT)) {
        cli_misused(options->cli,
                    count > 1 ? "more than one FILE"
                    : count   ? "no -o"
                              : "no FILE",
                    &err);
        return report_error(NULL, &err);
    }
    if (examiner_open(examiner, options, &err))
        return report_error(NULL, &err);
    int failed = examine(examiner, options, operands[0], (struct text_list){0}, &of, &err) ||
                 pack(options, operands[0], of, &err);
    examined_free(of);
    examiner_close(examiner);
    int code = failed ? report_error(operands[0], &err) : 0;
    session_heed(&examiner->session);
    return code;
}
