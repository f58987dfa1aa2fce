/* Every attack of attack.def, each from a cell of its own: with all walls, and with the filter
 * taken away, to show that another wall stands behind it. The last line is `N attacks, N contained,
 * N open`; the exit code is 0 if none is open and the table is right about the second walls.
 *
 *   escape [-v]    -v: one line for each attack */
#include "tests/escape/verdict.h"
#include "tests/shim/fixture.h"
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum second { ALSO, ALONE };

static const struct {
    const char *name;
    enum second second;
    const char *why;
} attacks[] = {
#define CALL(name, goal, second, why, ...) {#name, second, why},
#define CODE(name, second, why)            {#name, second, why},
#include "tests/escape/attack.def"
};

/* Something to reach on the host: an abstract socket and a TCP port. The number tells the attacker.
 */
static unsigned long listen_on_host(void)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    int size =
        snprintf(local.sun_path + 1, sizeof local.sun_path - 1, "carrel-escape-%d", (int)getpid());
    int abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (abstract < 0 ||
        bind(abstract, (struct sockaddr *)&local,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) ||
        listen(abstract, 1))
        perror("abstract socket");
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof inet;
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (tcp < 0 || bind(tcp, (struct sockaddr *)&inet, sizeof inet) || listen(tcp, 1) ||
        getsockname(tcp, (struct sockaddr *)&inet, &length))
        perror("port");
    return (unsigned long)getpid() | (unsigned long)ntohs(inet.sin_port) << 32;
}

static void without_filter(struct plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->at[i].kind != OPERATION_SECCOMP)
            plan->at[kept++] = plan->at[i];
    }
    plan->count = kept;
}

/* What became of one attack, in a word. */
static const char *fate(const struct result *result, bool *ret_won)
{
    *ret_won = result->outcome.by_guest && result->outcome.exit_code == ESCAPE_WON;
    if (result->outcome.by_guest)
        return *ret_won ? "WON" : "refused";
    if (result->outcome.signal == SIGSYS)
        return "killed by the filter";
    return result->outcome.why.kind == ERR_KILLED ? "killed" : result->outcome.why.text;
}

int main(int count, char **arguments)
{
    bool verbose = count > 1 && strcmp(arguments[1], "-v") == 0;
    unsigned long parameter = listen_on_host();
    size_t open = 0, wrong = 0;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        char name[128], all[256];
        bool won, won_without;
        snprintf(name, sizeof name, "%s %lu", attacks[i].name, parameter);
        struct wish wish = {.script = name, .engine = "attacker", .timeout = 5000000000};
        snprintf(all, sizeof all, "%s", fate(fixture_run(&wish), &won));
        wish.change = without_filter;
        const char *without = fate(fixture_run(&wish), &won_without);
        bool as_said = won_without == (attacks[i].second == ALONE);
        open += won;
        wrong += !as_said;
        if (verbose || won || !as_said)
            printf("%-20s %-22s without the filter: %-10s%s (%s)\n", attacks[i].name, all, without,
                   as_said ? "" : " NOT AS THE TABLE SAYS", attacks[i].why);
    }
    size_t all = sizeof attacks / sizeof *attacks;
    printf("%zu attacks, %zu contained, %zu open\n", all, all - open, open);
    printf("%zu passed, %zu failed\n", all - open - wrong, open + wrong);
    return open + wrong > 0;
}
