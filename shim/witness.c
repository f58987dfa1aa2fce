/* Hearing of system calls; see witness.h. */
#include "shim/witness.h"

#include "engine/base/attr.h"
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* sendmsg brings the listener here, and is in no filter of a cell; exit_group(1) is how the child
 * ends that could not execute the engine, while nobody can listen yet. */
static struct sock_filter instructions[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 4, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 3, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
};

const struct sock_fprog witness_filter = {countof(instructions), instructions};

int witness_take(int socket)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    int listener = -1;
    if (recvmsg(socket, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) == 1 &&
        packet.msg_controllen == sizeof control.bytes && control.header.cmsg_type == SCM_RIGHTS &&
        control.header.cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&listener, CMSG_DATA(&control.header), sizeof listener);
    return listener;
}

bool witness_hear(int listener, struct seccomp_data *ret)
{
    struct seccomp_notif call;
    memset(&call, 0, sizeof call);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
        return false;
    struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    *ret = call.data;
    /* It fails only if the caller is dead meanwhile. */
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0;
}
