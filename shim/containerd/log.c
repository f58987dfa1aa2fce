/* The log; see log.h. What a component chose is made printable. */
#include "shim/containerd/log.h"

#include "policies/printable.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void log_line(const char *level, const char *id, const char *format, ...)
{
    char text[1024], shown[2048], line[2400], stamp[32];
    struct timespec now;
    struct tm parts;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    clock_gettime(CLOCK_REALTIME, &now);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &parts));
    printable(shown, sizeof shown, str_of(text));
    for (char *at = shown; *at; at++) {
        if (*at == '"')
            *at = '\'';
    }
    int size =
        snprintf(line, sizeof line, "time=\"%s.%09ldZ\" level=%s msg=\"%s\" id=%s shim=carrel\n",
                 stamp, now.tv_nsec, level, shown, id);
    ssize_t wrote = size > 0 ? write(STDERR_FILENO, line, (size_t)size) : 0;
    (void)wrote; /* nobody reads it */
}
