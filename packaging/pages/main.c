/* pages FOLDER: writes the manual pages and completions below FOLDER, as below /usr/share. */
#include "packaging/pages/pages.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Makes the folders of `path` that are not there. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0755) && errno != EEXIST) {
            perror(path);
            exit(1);
        }
        *slash = '/';
    }
}

static FILE *begin(const char *folder, const char *name, char path[PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    if (length < 0 || length >= PATH_MAX) {
        fprintf(stderr, "pages: %s: the path is too long\n", folder);
        exit(1);
    }
    make_folders(path);
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        exit(1);
    }
    return out;
}

static void end(FILE *out, const char *path)
{
    bool failed = ferror(out);
    if (fclose(out) || failed) {
        perror(path);
        exit(1);
    }
}

static void write_page(const char *folder, const char *name, void put(FILE *))
{
    char path[PATH_MAX];
    FILE *out = begin(folder, name, path);
    put(out);
    end(out, path);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: pages FOLDER\n", stderr);
        return 2;
    }
    write_page(argv[1], "man/man1/carrel.1", man_program);
    for (int i = 0; i < CLI_COMMANDS; i++) {
        char name[64], path[PATH_MAX];
        snprintf(name, sizeof name, "man/man1/carrel-%s.1", cli_commands[i].word);
        FILE *out = begin(argv[1], name, path);
        man_command(out, (enum cli_command)i);
        end(out, path);
    }
    write_page(argv[1], "man/man5/carrel-policy.5", man_policy);
    write_page(argv[1], "man/man8/containerd-shim-carrel-v1.8", man_shim);
    write_page(argv[1], "bash-completion/completions/carrel", bash_completion);
    write_page(argv[1], "zsh/vendor-completions/_carrel", zsh_completion);
    write_page(argv[1], "fish/vendor_completions.d/carrel.fish", fish_completion);
    write_page(argv[1], "doc/carrel/launch.svg", picture);
    return 0;
}
