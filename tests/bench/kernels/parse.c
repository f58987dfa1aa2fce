/* Bytes one at a time with many branches: reads JSON and adds its numbers up. */
#define ROUNDS 3000
#define RESULT 2091290144u
#include "kernel.h"

static char text[16384];
static const char *at;
static uint32_t sum, depth;

static void space(void)
{
    while (*at == ' ' || *at == '\n' || *at == '\t')
        at++;
}

static void string(void)
{
    for (at++; *at != '"'; at++)
        sum = sum * 31 + (uint8_t)*at;
    at++;
}

static void value(void)
{
    space();
    if (*at == '{' || *at == '[') {
        char end = *at == '{' ? '}' : ']';
        depth++;
        do {
            at++;
            space();
            if (*at == end)
                break;
            if (end == '}') {
                string();
                space();
                at++;
            }
            value();
            space();
        } while (*at == ',');
        at++;
        depth--;
    } else if (*at == '"') {
        string();
    } else {
        uint32_t number = 0;
        while (*at >= '0' && *at <= '9')
            number = number * 10 + (uint32_t)(*at++ - '0');
        sum += number * (depth + 1);
    }
}

static char *put(char *to, const char *what)
{
    while (*what)
        *to++ = *what++;
    return to;
}

static uint32_t run(uint32_t rounds)
{
    char *to = put(text, "[");
    for (int i = 0; i < 120; i++) {
        to = put(to, i ? ",\n  {\"name\": \"item " : "{\"name\": \"item ");
        for (int k = 0; k < 5; k++)
            *to++ = (char)('a' + random32() % 26);
        to = put(to, "\", \"sizes\": [");
        for (int k = 0; k < 4; k++) {
            *to++ = (char)('1' + random32() % 9);
            *to++ = (char)('0' + random32() % 10);
            to = put(to, k < 3 ? ", " : "]}");
        }
    }
    put(to, "]");
    for (uint32_t round = 0; round < rounds; round++) {
        at = text;
        value();
    }
    return sum;
}
