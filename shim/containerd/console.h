/* The terminal of a process: a pseudo-terminal whose one side is the process's, and whose other
 * side is joined to the FIFOs that containerd named, or handed to whoever asked for it. Its line
 * discipline is the kernel's; that it interrupts is done here, because no cell has a controlling
 * terminal. */
#ifndef CARREL_SHIM_CONTAINERD_CONSOLE_H
#define CARREL_SHIM_CONTAINERD_CONSOLE_H

#include "engine/base/err.h"
#include "shim/containerd/polls.h"
#include <stdbool.h>

#define CONSOLE_CHUNK 2048

/* What was read and is not written yet. */
struct console_way {
    size_t have, sent;
    char bytes[CONSOLE_CHUNK];
};

struct console {
    int master; /* -1: there is none, or it is somebody else's */
    int in;     /* where typing comes from; -1: from nowhere */
    int out;    /* where output goes; -1: nowhere */
    bool ended; /* all output has left the terminal */
    struct console_way typed, shown;
    size_t places[3];
};

/* None. */
void console_start(struct console *console);

/* Makes a terminal between ends[0] and ends[1], which become the console's, and a process; ends[]
 * are then the process's side. Errors: FAULT. */
int console_open(struct console *console, int ends[3], struct err *err);

/* Sends the other side to the socket at `path`, as OCI runtimes do
 * (github.com/opencontainers/runc, docs/terminals.md). Errors: FAULT. */
int console_send(struct console *console, const char *path, struct err *err);

/* The window is so large now. */
void console_resize(const struct console *console, unsigned rows, unsigned columns);

/* Whether there is output that has not left the terminal. Only of use once the process is gone. */
bool console_moving(const struct console *console);

/* Moves what can be moved without waiting. The signal that was typed, or 0. */
void console_wait(struct console *console, struct polls *polls);
int console_act(struct console *console, const struct polls *polls);

void console_close(struct console *console);

#endif
