/* An engine that the component has taken over before it read a byte: its role is one attack of
 * attack.def, named by the component. It ends with what it got. */
#include "engine/cell/role.h"
#include "engine/cell/tell.h"
#include "tests/escape/verdict.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char scratch[4096];
static char own_page[4096] __attribute__((aligned(4096)));
static uint32_t room[2] = {sizeof scratch, 0};  /* in scratch */
static const int some_handle[4] = {8, 1, 2, 0}; /* size, kind, bytes */
static const int one = 1;
static struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 0x7fff0000u);
static struct sock_fprog any_filter_program = {1, &allow};
static struct sock_fprog *const any_filter = &any_filter_program;
static const char readable[32];           /* struct mount_attr that changes nothing */
static const int queued[32] = {0, 0, -1}; /* siginfo_t: code SI_QUEUE */
static int adjusted[64] = {0x4000};       /* struct timex: a tick of 0, which cannot be */
/* After the attack's name: a process of the host, with its port << 32; and the address of something
 * in that process. */
static unsigned long parameter, secret_at;

/* --- Attacks that take more than one call. Each is true if it is won. ----------------------------
 */

static bool attack_leaked_directories(void)
{
    for (int fd = 0; fd < 1024; fd++) {
        if (openat(fd, "..", O_PATH) >= 0 || openat(fd, "etc/passwd", O_RDONLY) >= 0)
            return true;
    }
    return false;
}

static bool attack_read_other_memory(void)
{
    struct iovec mine = {scratch, 8}, other = {(void *)secret_at, 8};
    return process_vm_readv((pid_t)parameter, &mine, 1, &other, 1, 0) == 8;
}

static bool attack_signal_the_shim(void)
{
    return syscall(SYS_kill, (pid_t)parameter, 0) == 0;
}

static bool attack_fork(void)
{
    pid_t pid = (pid_t)syscall(SYS_fork);
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static int idle(void *unused)
{
    (void)unused;
    syscall(SYS_exit, 0);
    return 0;
}

static bool attack_thread(void)
{
    static char stack[16384];
    return clone(idle, stack + sizeof stack,
                 CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL) > 0;
}

static bool attack_execute_memory(void)
{
    /* Whether it is a program does not matter: EACCES or EPERM would say that it may not be one. */
    int file = (int)syscall(SYS_memfd_create, "x", 0);
    char *const none[] = {NULL};
    if (file < 0 || write(file, "#!/nothing\n", 11) < 0)
        return false;
    syscall(SYS_execveat, file, "", none, none, AT_EMPTY_PATH);
    return errno == ENOENT || errno == ENOEXEC;
}

static bool attack_map_writable_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) != MAP_FAILED;
}

static bool attack_map_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool attack_make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool attack_unprotect_text(void)
{
    uintptr_t text = (uintptr_t)idle & ~(uintptr_t)4095;
    return mprotect((void *)text, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
}

static bool attack_key_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED &&
           syscall(SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1) == 0;
}

static bool attack_connect_abstract(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "carrel-escape-%d",
                        (pid_t)parameter);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size)) == 0;
}

static bool connect_to(const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, host, &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool attack_connect_loopback(void)
{
    return connect_to("127.0.0.1", (uint16_t)(parameter >> 32));
}

static bool attack_connect_metadata(void)
{
    return connect_to("169.254.169.254", 80) || errno == ECONNREFUSED || errno == ETIMEDOUT;
}

static bool attack_send_datagram(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return fd >= 0 && sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof address) == 1;
}

/* Won if the shim is left with it: it kills a cell from which one came. */
static bool attack_send_descriptor(void)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {scratch, 8};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    int fd = PROTOCOL_SOCKET;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    if (sendmsg(PROTOCOL_SOCKET, &packet, 0) < 0)
        return false;
    for (;;)
        read(PROTOCOL_SOCKET, scratch, 1);
}

static bool attack_push_into_terminal(void)
{
    bool pushed = false;
    for (int fd = 0; fd < 16; fd++)
        pushed = pushed || ioctl(fd, TIOCSTI, "x") == 0;
    return pushed;
}

static bool attack_write_input(void)
{
    return write(0, "x", 1) == 1;
}

static bool attack_take_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct all[2] = {{~0u, ~0u, ~0u}, {~0u, ~0u, ~0u}};
    return syscall(SYS_capset, &header, all) == 0;
}

static bool attack_raise_limits(void)
{
    struct rlimit more = {2, 2}; /* than the one process that a cell is */
    return setrlimit(RLIMIT_NPROC, &more) == 0;
}

/* A ruleset of one's own only takes more away. */
static bool attack_undo_landlock(void)
{
    uint64_t none[3] = {0, 0, 0};
    int set = (int)syscall(444, none, sizeof none, 0);
    return set >= 0 && syscall(446, set, 0) == 0 && openat(AT_FDCWD, "/", O_RDONLY) >= 0;
}

/* To what it is. */
static bool attack_set_clock(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
           syscall(SYS_clock_settime, CLOCK_REALTIME, &now) == 0;
}

static bool attack_list_mounts(void)
{
    /* struct mnt_id_req: size, 0, the root's mount (LSMT_ROOT), parameter */
    static const struct {
        uint32_t size, spare;
        uint64_t mount, parameter;
    } root = {24, 0, UINT64_MAX, 0};
    return syscall(458, &root, scratch, 8, 0) >= 0;
}

/* The shim made the other end of the cell's socket. */
static int pidfd_of_shim(void)
{
    int pidfd = -1;
    socklen_t size = sizeof pidfd;
    return getsockopt(PROTOCOL_SOCKET, SOL_SOCKET, 77, &pidfd, &size) == 0 ? pidfd : -1;
}

static bool attack_signal_shim_by_pidfd(void)
{
    int pidfd = pidfd_of_shim();
    return pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0;
}

static bool attack_enter_by_shim_pidfd(void)
{
    int pidfd = pidfd_of_shim();
    return pidfd >= 0 && setns(pidfd, CLONE_NEWNET) == 0;
}

static bool attack_take_from_shim(void)
{
    int pidfd = pidfd_of_shim();
    return pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0;
}

/* Of no byte: that it may is enough. */
static bool attack_advise_shim(void)
{
    const struct iovec none = {(void *)secret_at, 0};
    int pidfd = pidfd_of_shim();
    return pidfd >= 0 && syscall(SYS_process_madvise, pidfd, &none, 1, MADV_COLD, 0) >= 0;
}

static bool attack_facts_of_shim(void)
{
    static uint64_t info[8]; /* struct pidfd_info, its first version */
    int pidfd = pidfd_of_shim();
    return pidfd >= 0 && ioctl(pidfd, _IOWR(0xff, 11, info), info) == 0;
}

static bool attack_number_of_shim(void)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    return getsockopt(PROTOCOL_SOCKET, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0;
}

static bool attack_signals_for_another(void)
{
    return fcntl(0, F_SETOWN, (pid_t)parameter) == 0;
}

/* To itself, of somebody else. */
static bool attack_forge_credentials(void)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_CREDENTIALS,
                            .cmsg_len = CMSG_LEN(sizeof(struct ucred))}};
    const struct ucred root = {.pid = getpid()};
    struct iovec part = {scratch, 1};
    const struct msghdr packet = {.msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = sizeof control.bytes};
    int ends[2];
    memcpy(CMSG_DATA(&control.header), &root, sizeof root);
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0 && sendmsg(ends[0], &packet, 0) == 1;
}

/* The first net namespace of the machine, whose number is known (Linux 6.18). */
static bool attack_namespace_by_handle(void)
{
    static const struct {
        uint32_t size;
        int type;
        uint64_t id;
        uint32_t kind, inode;
    } first = {16, 0xf1, 7, CLONE_NEWNET, 0};
    return syscall(SYS_open_by_handle_at, -10003, &first, O_RDONLY) >= 0;
}

static bool attack_clone_with_user(void)
{
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool attack_mount_facts(void)
{
    static uint64_t status[32];     /* struct statx: [18] is the mount */
    const unsigned unique = 0x4000; /* STATX_MNT_ID_UNIQUE */
    if (syscall(SYS_statx, AT_FDCWD, "/", 0, unique, status) < 0)
        return false;
    const struct {
        uint32_t size, spare;
        uint64_t mount, wanted;
    } request = {24, 0, status[18], 1}; /* STATMOUNT_SB_BASIC */
    return syscall(457, &request, scratch, sizeof scratch, 0) == 0;
}

static bool attack_connect_by_mptcp(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)(parameter >> 32)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 262); /* IPPROTO_MPTCP */
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool attack_name_abstract(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0carrel-escape-cell"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool attack_hear_itself(void)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                   any_filter) >= 0;
}

static bool attack_deadlines(void)
{
    static const struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {48, 6, 0, 0, 0, 1000000, 10000000, 10000000}; /* SCHED_DEADLINE */
    return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

static bool attack_map_nothing(void)
{
    return mmap(NULL, sizeof own_page, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static bool attack_take_descriptor(void)
{
    int pidfd = (int)syscall(SYS_pidfd_open, 2, 0);
    return pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0;
}

static bool attack_splice_out(void)
{
    int ends[2];
    return pipe(ends) == 0 && write(ends[1], "x", 1) == 1 && tee(ends[0], 1, 1, 0) >= 0;
}

static bool attack_give_pages_to_pipe(void)
{
    int ends[2];
    struct iovec part = {scratch, 1};
    return pipe(ends) == 0 && vmsplice(ends[1], &part, 1, 0) == 1;
}

static bool attack_many_descriptors(void)
{
    for (int i = 0; i < 2000; i++)
        if (dup(0) < 0)
            return false;
    return true;
}

static bool attack_message_queue(void)
{
    return syscall(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, NULL) >= 0;
}

static bool attack_block_signals(void)
{
    uint64_t all = UINT64_MAX;
    return syscall(SYS_rt_sigprocmask, 2, &all, NULL, sizeof all) == 0;
}

static bool attack_connect_to_path(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/own-host"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool attack_gate_of_32_bits(void)
{
    long result = 20; /* getpid there */
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result > 0;
}

static bool attack_x32_call(void)
{
    return syscall(0x40000000 | SYS_getpid) > 0;
}

static bool attack_ask_from_vsyscall(void)
{
    long (*const time_there)(long *) = (long (*)(long *))0xffffffffff600400;
    return time_there(NULL) > 0;
}

/* --- With sockets that were granted --------------------------------------------------------------
 */

/* The answer to a question to the shim; the socket that came with it, or -1. */
static int answer(struct message_answer *ret)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {ret, sizeof *ret};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    int fd = -1;
    if (recvmsg(PROTOCOL_SOCKET, &packet, MSG_CMSG_CLOEXEC) < 0)
        return -1;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
    if (rights && rights->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    return fd;
}

/* A socket to where the test listens: connected (TCP), or for that peer only (UDP). */
static int granted_socket(uint32_t protocol)
{
    struct message_answer made, given;
    const struct message_ask_socket make = {MESSAGE_ASK_SOCKET, protocol, PROTOCOL_IPV4};
    write(PROTOCOL_SOCKET, &make, sizeof make);
    answer(&made);
    const struct record_address to = {
        .family = PROTOCOL_IPV4, .port = (uint16_t)(parameter >> 32), .bytes = {127, 0, 0, 1}};
    if (protocol == PROTOCOL_TCP) {
        const struct message_ask_connect connect_it = {MESSAGE_ASK_CONNECT, made.socket, to};
        write(PROTOCOL_SOCKET, &connect_it, sizeof connect_it);
    } else {
        const struct message_ask_bind bind_it = {
            MESSAGE_ASK_BIND, made.socket, {.family = PROTOCOL_IPV4}};
        write(PROTOCOL_SOCKET, &bind_it, sizeof bind_it);
        answer(&given);
        const struct message_ask_stream use = {MESSAGE_ASK_STREAM, made.socket, to};
        write(PROTOCOL_SOCKET, &use, sizeof use);
    }
    return answer(&given);
}

/* Where nobody has anything to look for. */
static struct sockaddr_in another_peer(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    return address;
}

static bool attack_reach_another_peer(void)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct sockaddr_in other = another_peer();
    int fd = granted_socket(PROTOCOL_TCP);
    if (fd < 0 || connect(fd, &nobody, sizeof nobody) < 0)
        return false;
    return connect(fd, (struct sockaddr *)&other, sizeof other) == 0 || errno == EINPROGRESS ||
           errno == ECONNREFUSED;
}

static bool attack_listen_instead(void)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct sockaddr_in here = another_peer();
    here.sin_port = htons(40000);
    int fd = granted_socket(PROTOCOL_TCP);
    return fd >= 0 && connect(fd, &nobody, sizeof nobody) == 0 &&
           bind(fd, (struct sockaddr *)&here, sizeof here) == 0 && listen(fd, 1) == 0;
}

static bool attack_send_to_another(void)
{
    struct sockaddr_in other = another_peer();
    int fd = granted_socket(PROTOCOL_UDP);
    return fd >= 0 && sendto(fd, "x", 1, 0, (struct sockaddr *)&other, sizeof other) == 1;
}

static bool attack_message_to_another(void)
{
    struct sockaddr_in other = another_peer();
    struct iovec part = {scratch, 1};
    const struct msghdr packet = {
        .msg_name = &other, .msg_namelen = sizeof other, .msg_iov = &part, .msg_iovlen = 1};
    int fd = granted_socket(PROTOCOL_UDP);
    return fd >= 0 && sendmsg(fd, &packet, 0) == 1;
}

static bool sets(int level, int option, const void *value, socklen_t size)
{
    int fd = granted_socket(PROTOCOL_TCP);
    return fd >= 0 && setsockopt(fd, level, option, value, size) == 0;
}

static bool attack_source_route(void)
{
    static const uint8_t loose[] = {131, 7, 4, 127, 0, 0, 2, 0};
    return sets(IPPROTO_IP, IP_OPTIONS, loose, sizeof loose);
}

static bool attack_bind_to_device(void)
{
    return sets(SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
}

static bool attack_attach_program(void)
{
    return sets(SOL_SOCKET, SO_ATTACH_FILTER, any_filter, sizeof *any_filter);
}

static bool attack_open_fast(void)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct sockaddr_in other = another_peer();
    int fd = granted_socket(PROTOCOL_TCP);
    if (fd < 0 || connect(fd, &nobody, sizeof nobody) < 0)
        return false;
    return sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&other, sizeof other) == 1 ||
           errno == EINPROGRESS || errno == ECONNREFUSED;
}

static bool attack_mark_packets(void)
{
    return sets(SOL_SOCKET, SO_MARK, &one, sizeof one);
}

static bool attack_repair_connection(void)
{
    return sets(IPPROTO_TCP, 19, &one, sizeof one); /* TCP_REPAIR */
}

static bool attack_list_devices(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    return ioctl(granted_socket(PROTOCOL_TCP), SIOCGIFFLAGS, &request) == 0;
}

/* To what it is. */
static bool attack_change_device(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = granted_socket(PROTOCOL_TCP);
    return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

/* --- One attack ----------------------------------------------------------------------------------
 */

static bool has_power(long result)
{
    return result >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS);
}

static bool gets(long result)
{
    return result >= 0;
}

#define GOAL_GETS  gets
#define GOAL_POWER has_power

static bool attack(const char *name)
{
#define CALL(row, group, goal, second, why, ...)                                                   \
    if (strcmp(name, #row) == 0)                                                                   \
        return GOAL_##goal(syscall(__VA_ARGS__));
#define NET CODE
#define CODE(row, group, second, why)                                                              \
    if (strcmp(name, #row) == 0)                                                                   \
        return attack_##row();
#include "tests/escape/attack.def"
    return true; /* a name that is not in the table: the test is wrong */
}

void role_run(struct cell *cell)
{
    char name[256] = "";
    memcpy(name, cell->component.at,
           cell->component.len < sizeof name ? cell->component.len : sizeof name - 1);
    char *space = strchr(name, ' ');
    if (space) {
        *space = '\0';
        parameter = strtoul(space + 1, &space, 10);
        secret_at = strtoul(space, NULL, 10);
    }
    tell_exit(attack(name) ? ESCAPE_WON : ESCAPE_LOST);
}

void role_resolver(struct cell *cell)
{
    role_run(cell);
}

void role_inspect(struct cell *cell)
{
    role_run(cell);
}

void role_serve(struct cell *cell)
{
    role_run(cell);
}

void role_reader(struct cell *cell)
{
    role_run(cell);
}
