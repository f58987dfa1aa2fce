/* The standard streams of one process of a container, as containerd names them: nothing, a FIFO, a
 * file, or a program that takes what is written; or a terminal between them and the process. The
 * commands of OCI runtimes name descriptors of the shim's, and sockets that terminals are sent to.
 *
 * The ends of FIFOs go into the cell as they are, so nothing is copied. The shim keeps the other
 * end of each, so that the guest is not ended by a client that goes away; and it keeps both ends
 * after the guest has ended until what it wrote was read. A client may be slower to open a FIFO
 * than a component is to end, and the kernel forgets what is in a FIFO that nobody has open. */
#ifndef CARREL_SHIM_CONTAINERD_STREAMS_H
#define CARREL_SHIM_CONTAINERD_STREAMS_H

#include "engine/base/err.h"
#include "policies/host.h"
#include "shim/containerd/console.h"
#include "shim/containerd/polls.h"

#define STREAM_NAME 1024

struct streams {
    char names[3][STREAM_NAME]; /* as containerd said them */
    bool terminal;
    int ends[3];    /* what the process gets; -1: nothing */
    int keepers[3]; /* the other ends of FIFOs; -1: none */
    int ready;      /* of a program, which it writes to or closes once it takes output; -1 */
    int failed;     /* says why it could not be started; -1 */
    struct console console;
    bool ended;     /* the process is gone */
    uint64_t pause; /* nanoseconds between two looks at what was not read yet */
    uint64_t until; /* after which that is given up, as cell_now */
};

/* No streams. */
void streams_start(struct streams *streams);

/* Opens what `names` says. `id` and `namespace` are told to programs. Errors: ABSENT, FAULT. */
int streams_open(struct streams *streams, const char *id, const char *namespace, struct err *err);

/* Waits, with bounded patience, until a program that was started is one, and takes output: in a
 * helper, as the shim waits for nobody, and closes its ends by streams_leave. Errors: FAULT. */
int streams_wait_ready(const struct streams *streams, struct err *err);
void streams_leave(struct streams *streams);

/* The process is about to get its ends. If a client has the FIFO of standard input open, its
 * closing it is the end of the input, and the shim keeps no writing end; else, until containerd
 * says that it is closed, the input does not end. */
void streams_begin(struct streams *streams);

/* What each is, for the plan of the cell. */
void streams_kinds(const struct streams *streams, enum host_stream ret[3]);

/* Nobody writes to its standard input any more, but for whoever has the FIFO open. */
void streams_close_in(struct streams *streams);

/* The process is gone; what it wrote is kept until it was read. */
void streams_end(struct streams *streams);

/* Nobody will read it any more, or not for long. */
void streams_hurry(struct streams *streams);

/* When to look again; and to look: true while something was not read yet. */
void streams_wait(struct streams *streams, struct polls *polls);
bool streams_pending(struct streams *streams);

/* Moves what a terminal has to move. The signal that was typed at it, or 0. */
int streams_act(struct streams *streams, const struct polls *polls);

/* Writes a line to its standard error, if there is room. */
void streams_say(struct streams *streams, const char *line);

void streams_close(struct streams *streams);

#endif
