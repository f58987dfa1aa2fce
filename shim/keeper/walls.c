/* The keeper's walls; see walls.h. They are there for the day on which SQLite has a fault that the
 * bytes of a guest can reach. */
#include "shim/keeper/walls.h"

#include "shim/cleanup.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Of the first version of Landlock. */
#define EVERY_FILE_RIGHT ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define STORE_RIGHTS                                                                               \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |  \
     LANDLOCK_ACCESS_FS_REMOVE_FILE)

static int failed(const char *what, struct err *err)
{
    return err_set(err, ERR_WALL, ERR_NOWHERE,
                   "the keeper of a store: %s: %s: see what `carrel doctor` says", what,
                   strerror(errno));
}

static int drop_capabilities(struct err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &head, none))
        return failed("capabilities stay", err);
    return 0;
}

static int restrict_files(const char *folder, struct err *err)
{
    const struct landlock_ruleset_attr handled = {.handled_access_fs = EVERY_FILE_RIGHT};
    cleanup_close int rules =
        (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0) /* without it the cells that this is for do not start, or were said to */
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : failed("Landlock", err);
    cleanup_close int parent = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct landlock_path_beneath_attr beneath = {.allowed_access = STORE_RIGHTS,
                                                       .parent_fd = parent};
    if (parent < 0 ||
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) ||
        syscall(SYS_landlock_restrict_self, rules, 0))
        return failed("Landlock", err);
    return 0;
}

int walls_around(const char *folder, struct err *err)
{
    const struct rlimit memory = {UINT64_C(1) << 30, UINT64_C(1) << 30}, none = {0, 0};
    if (setrlimit(RLIMIT_AS, &memory) || setrlimit(RLIMIT_CORE, &none) ||
        setrlimit(RLIMIT_NPROC, &none))
        return failed("limits", err);
    return drop_capabilities(err) ? -1 : restrict_files(folder, err);
}

int walls_close(struct err *err)
{
    /* SQLite's, those of libc's memory, and the way out. */
    static const int calls[] = {
        SCMP_SYS(read),
        SCMP_SYS(write),
        SCMP_SYS(pread64),
        SCMP_SYS(pwrite64),
        SCMP_SYS(openat),
        SCMP_SYS(open),
        SCMP_SYS(close),
        SCMP_SYS(lseek),
        SCMP_SYS(fstat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(stat),
        SCMP_SYS(lstat),
        SCMP_SYS(access),
        SCMP_SYS(faccessat),
        SCMP_SYS(readlink),
        SCMP_SYS(getcwd),
        SCMP_SYS(fsync),
        SCMP_SYS(fdatasync),
        SCMP_SYS(ftruncate),
        SCMP_SYS(unlink),
        SCMP_SYS(unlinkat),
        SCMP_SYS(fcntl),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(brk),
        SCMP_SYS(madvise),
        SCMP_SYS(futex),
        SCMP_SYS(getpid),
        SCMP_SYS(geteuid),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(nanosleep),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(getrandom),
        SCMP_SYS(fchmod),
        SCMP_SYS(fchown),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(exit_group),
    };
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int error = filter ? 0 : -ENOMEM;
    for (size_t i = 0; error == 0 && i < sizeof calls / sizeof *calls; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
    const struct scmp_arg_cmp plain = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, plain);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, plain);
    if (error == 0)
        error = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    errno = -error;
    return error ? failed("its filter", err) : 0;
}
