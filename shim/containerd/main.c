/* containerd-shim-carrel-v1: runs components as containers of containerd; and, by the name of
 * carrel-oci, of whatever uses OCI runtimes. */
#include "shim/containerd/command.h"
#include "shim/containerd/message.h"
#include "shim/containerd/oci.h"
#include "shim/containerd/pause.h"
#include "shim/host.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RUNTIME      "io.containerd.carrel.v1"
#define OPTIONS_MOST 65536 /* bytes */

/* `-info`: containerd.types.RuntimeInfo, with the options that stand on standard input. */
static int print_info(void)
{
    static uint8_t options[OPTIONS_MOST], bytes[OPTIONS_MOST + 256];
    uint8_t inner[64];
    struct writer version = WRITER(inner), writer = WRITER(bytes);
    size_t size = isatty(STDIN_FILENO) ? 0 : fread(options, 1, sizeof options, stdin);
    const struct message_runtime_version of = {bytes_of(CARREL_VERSION), {0}};
    message_put(runtime_version, &of, &version);
    const struct message_runtime_info info = {
        bytes_of(RUNTIME), written(&version), {options, size}};
    message_put(runtime_info, &info, &writer);
    struct bytes said = written(&writer);
    return fwrite(said.at, 1, said.len, stdout) == said.len && fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct command command;
    struct err err = {.offset = ERR_NOWHERE};
    if (argc == 2 && strcmp(argv[1], PAUSE_WORD) == 0)
        pause_run();
    host_secure_streams();
    const char *name = strrchr(argv[0], '/');
    if (strcmp(name ? name + 1 : argv[0], OCI_NAME) == 0)
        return oci_main(argv + 1);
    if (argc > 1 && strcmp(argv[1], OCI_WORD) == 0)
        return oci_main(argv + 2);
    if (command_read(argc, argv, &command, &err)) {
        fprintf(stderr, "carrel: %s\n", err.text);
        return 2;
    }
    if (command.version) {
        printf("containerd-shim-carrel-v1:\n  Version:  " CARREL_VERSION "\n");
        return 0;
    }
    if (command.info)
        return print_info();
    if (command.action && strcmp(command.action, "start") == 0)
        return command_start(&command);
    if (command.action && strcmp(command.action, "delete") == 0)
        return command_delete(&command);
    fprintf(stderr, "carrel: containerd starts this program: see the README of shim/containerd\n");
    return 2;
}
