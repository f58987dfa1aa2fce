/* The manual page of containerd's shim; see pages.h. */
#include "packaging/pages/pages.h"

#include <string.h>

static const struct {
    const char *key, *what;
    enum { YIELDS, HOLDS } beside;
} annotations[] = {
#define ANNOTATION(NAME, key, beside, what) {key, what, beside},
#include "shim/containerd/annotation.def"
};

/* The keys whose options hold beside what an annotation says, between commas. */
static void list_holding(char *to, size_t size)
{
    size_t used = 0;
    *to = '\0';
    for (size_t i = 0; i < sizeof annotations / sizeof *annotations && used < size; i++) {
        if (annotations[i].beside == HOLDS)
            used += (size_t)snprintf(to + used, size - used, "%s%s", used ? ", " : "",
                                     annotations[i].key);
    }
}

static void put_options(FILE *out)
{
    char holding[256], text[512];
    man_section(
        out, "OPTIONS OF THE RUNTIME",
        "The operator may give policy to every container of a runtime: ConfigPath in the table "
        "`options` of containerd's configuration, or --runtime-config-path of `ctr run`, names a "
        "file of it. Its lines have the keys above without carrel.policy/ and a value, as in "
        "deny = \"net\". They are TOML, of which strings, whole numbers, lists of strings in one "
        "line and comments are read; what else there is refuses the container.");
    fputs(".PP\n", out);
    list_holding(holding, sizeof holding);
    snprintf(text, sizeof text,
             "What a container's annotation says takes an option's place. Of these the option "
             "holds as well, and of two limits the smaller: %s.",
             holding);
    man_prose(out, text);
}

static void put_policy(FILE *out)
{
    man_section(
        out, "POLICY",
        "A component gets its arguments, its environment and its standard streams. Annotations "
        "of the container's specification give more; those of pods are passed on if containerd's "
        "configuration says so. A key below carrel.policy/ that is not listed here refuses the "
        "container. What an image says about itself gives nothing.");
    for (size_t i = 0; i < sizeof annotations / sizeof *annotations; i++) {
        char key[64];
        snprintf(key, sizeof key, "carrel.policy/%s", annotations[i].key);
        man_item(out, key, "", annotations[i].what);
    }
    fputs(".PP\n", out);
    man_prose(
        out,
        "Other rights of the command line have no annotation. A store of --keyvalue is kept by a "
        "process beside the cell, which this shim does not start. --isolation and --workers are "
        "not for a container, which is one cell: more of them are more containers. It serves "
        "without TLS (--tls-cert, --tls-key), since a specification is no place for a private "
        "key: what stands before the pods ends TLS.");
    fputs(".PP\n", out);
    man_prose(out,
              "What was derived is a line of containerd's log, and lies as carrel-audit.json in "
              "the container's bundle. The limits of the specification hold in the container's own "
              "control group.");
}

void man_shim(FILE *out)
{
    fprintf(out,
            ".\\\" Made from the rows of shim/containerd/annotation.def.\n"
            ".TH CONTAINERD-SHIM-CARREL-V1 8 %s \"carrel %s\" \"carrel manual\"\n"
            ".SH NAME\ncontainerd\\-shim\\-carrel\\-v1, carrel\\-oci \\- "
            "run components as containers\n",
            CARREL_DATE, CARREL_VERSION);
    fputs(".SH SYNOPSIS\n.B ctr run \\-\\-runtime io.containerd.carrel.v1\n"
          "\\fIIMAGE NAME\\fR\n.br\n.B podman \\-\\-runtime /usr/bin/carrel\\-oci "
          "run\n\\fIIMAGE\\fR\n",
          out);
    man_section(
        out, "DESCRIPTION",
        "containerd starts `containerd-shim-carrel-v1` for the runtime io.containerd.carrel.v1: "
        "one for a container, or for a pod and all of its containers. Each container is a "
        "WebAssembly component in a cell of its own. Nobody else needs to start it.");
    fputs(".PP\n", out);
    man_prose(out, "By the name of `carrel-oci`, or as `carrel oci`, it has the commands of an OCI "
                   "runtime: create, start, state, kill, delete, pause, resume, exec, ps, events, "
                   "update, list and features; `carrel oci --help` lists their flags. Hooks are "
                   "refused; descriptors of --preserve-fds are closed. An exec calls an export.");
    fputs(".PP\n", out);
    man_prose(
        out,
        "The first argument of a container names its component in the image's file "
        "system; `carrel pack` makes such images. Where it names none, and a layer of the image is "
        "itself a component, as in a Wasm OCI artifact, that one is fetched from containerd. A "
        "component that is a program runs; one "
        "that answers HTTP requests serves where the annotation carrel.policy/serve says. "
        "An exec calls an export of the component, written NAME(ARGUMENTS).");
    put_policy(out);
    put_options(out);
    man_section(
        out, "EXIT STATUS",
        "The guest's own; 128 and the number of the signal that ended it; or carrel's, as in "
        "carrel(1). After SIGTERM a component that serves takes no more requests, and ends once "
        "those at work are answered.");
    fputs(".SH EXAMPLES\n", out);
    man_prose(out, "A component as a container, and one that serves on the host's network:");
    man_example(out, "carrel pack hello.wasm --name localhost/hello:1 -o hello.tar\n"
                     "ctr image import hello.tar\n"
                     "ctr run --rm --runtime io.containerd.carrel.v1 localhost/hello:1 first\n"
                     "ctr run -d --net-host --runtime io.containerd.carrel.v1 \\\n"
                     "    --annotation carrel.policy/serve=127.0.0.1:8080 localhost/web:1 web");
    fputs(".SH FILES\n", out);
    man_item(out, "/run/containerd/s", "", "the sockets of shims");
    man_item(out, "/usr/share/doc/carrel-shim/examples", "",
             "what containerd's configuration and Kubernetes need");
    fputs(".SH SEE ALSO\n.BR carrel (1),\n.BR carrel\\-pack (1),\n.BR carrel\\-oci (1)\n", out);
}
