/* Runs a seccomp filter as the kernel would (kernel/seccomp.c, net/core/filter.c), so that verdicts
 * can be computed without installing anything. Classic BPF as far as seccomp permits it. */
#ifndef CARREL_POLICIES_BPF_EVAL_H
#define CARREL_POLICIES_BPF_EVAL_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Would the kernel take this program? Checks what seccomp's checker does: known instructions, jumps
 * that stay inside and go forward, loads inside `struct seccomp_data`, a return at the end. */
bool bpf_valid(const struct sock_filter *code, size_t len);

/* What a valid program answers: SECCOMP_RET_ALLOW and so on. It always ends, jumps only go forward.
 */
uint32_t bpf_eval(const struct sock_filter *code, size_t len, const struct seccomp_data *data);

#endif
