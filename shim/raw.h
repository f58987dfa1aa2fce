/* System calls without libc, for the child of a launch: it shares the shim's memory, thread-local
 * storage and errno included, so it may touch nothing of libc's. */
#ifndef CARREL_SHIM_RAW_H
#define CARREL_SHIM_RAW_H

#include <linux/sched.h>
#include <stddef.h>
#include <sys/syscall.h>

#ifndef __x86_64__
#error "the launch is written for x86-64; another architecture needs its two functions here"
#endif

/* A system call. The result, or -errno. */
static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

/* What a system call filled, which its arguments do not show to whoever checks the code. */
#define RAW_FILLED(object) __asm__ volatile("" : "=m"(object))

/* clone3, whose child runs `body(argument)` on the stack that `args` names, and never returns. The
 * child's process id, or -errno. */
static inline long raw_clone3(struct clone_args *args, void (*body)(void *), void *argument)
{
    long result;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[argument], %%rdi\n\t"
                     "call *%[body]\n\t"
                     "ud2\n"
                     "1:"
                     : "=a"(result)
                     : "a"((long)SYS_clone3), "D"(args),
                       "S"(sizeof *args), [body] "r"(body), [argument] "r"(argument)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
