/* Text: values between brackets and back, numbers and digits, UTF-8, Base64, distances between
 * words, lengths, comparisons, words that are counted. */
#include "training.h"

static const char source[] = "{\"name\":\"carrel\",\"numbers\":[1,-22,3.25,4e3,null,true],\"more\":"
                             "{\"text\":\"a\\tb\\u00e9 \\\"c\\\"\",\"empty\":[],\"deep\":[[[{}]]]},"
                             "\"list\":[{\"id\":1,\"at\":[0.5,1.5]},{\"id\":2,\"at\":[2.5,-3.5]},{"
                             "\"id\":3,\"at\":[10,20]}]}";
static char out[1024];
static uint32_t length;

static uint32_t size(const char *s)
{
    const char *at = s;
    while (*at)
        at++;
    return (uint32_t)(at - s);
}
static int order(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}
static void say(char c)
{
    if (length < sizeof out)
        out[length++] = c;
}

static const char *spaces(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\t')
        at++;
    return at;
}

static const char *value(const char *at, uint32_t level, double *sum)
{
    at = spaces(at);
    if (*at == '{' || *at == '[') {
        char close = *at == '{' ? '}' : ']';
        say(*at++);
        for (at = spaces(at); *at && *at != close; at = spaces(at)) {
            if (close == '}') {
                at = spaces(value(at, level + 1, sum));
                at += *at == ':';
                say(':');
            }
            at = spaces(value(at, level + 1, sum));
            if (*at == ',')
                say(*at++);
        }
        say(close);
        return at + 1;
    }
    if (*at == '"') {
        say(*at++);
        while (*at && *at != '"') {
            if (*at == '\\')
                say(*at++);
            say(*at++);
        }
        say('"');
        return at + 1;
    }
    if (*at == '-' || (*at >= '0' && *at <= '9')) {
        int negative = *at == '-';
        double number = 0, place = 0.1;
        at += negative;
        while (*at >= '0' && *at <= '9')
            number = number * 10 + (*at++ - '0');
        if (*at == '.')
            for (at++; *at >= '0' && *at <= '9'; place /= 10)
                number += (*at++ - '0') * place;
        if (*at == 'e')
            for (int times = *++at - '0'; times-- > 0; at += times == 0)
                number *= 10;
        *sum += negative ? -number : number;
        return at;
    }
    while (*at >= 'a' && *at <= 'z')
        say(*at++);
    return at;
}

static char *digits(uint32_t n, char *end)
{
    *--end = 0;
    do
        *--end = (char)('0' + n % 10);
    while (n /= 10);
    return end;
}

static uint32_t utf8(const uint8_t *at, uint32_t count)
{
    uint32_t sum = 0;
    for (const uint8_t *end = at + count; at < end;) {
        uint32_t c = *at++;
        uint32_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
        if (more)
            c &= 0x3fu >> more;
        while (more-- && at < end)
            c = c << 6 | (*at++ & 0x3fu);
        sum = sum * 33 + c;
    }
    return sum;
}

static uint32_t base64(const uint8_t *bytes, uint32_t count, char *to)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = to;
    for (uint32_t i = 0; i + 3 <= count; i += 3) {
        uint32_t word = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        *at++ = letters[word >> 18], *at++ = letters[word >> 12 & 63],
        *at++ = letters[word >> 6 & 63], *at++ = letters[word & 63];
    }
    return (uint32_t)(at - to);
}

static uint32_t distance(const char *a, const char *b)
{
    uint32_t row[64], across = size(b);
    for (uint32_t i = 0; i <= across; i++)
        row[i] = i;
    for (uint32_t k = 1; *a; a++, k++) {
        uint32_t corner = row[0];
        row[0] = k;
        for (uint32_t i = 1; i <= across; i++) {
            uint32_t above = row[i], least = corner + (*a != b[i - 1]);
            if (above + 1 < least)
                least = above + 1;
            if (row[i - 1] + 1 < least)
                least = row[i - 1] + 1;
            corner = above;
            row[i] = least;
        }
    }
    return row[across];
}

static uint32_t find(const char *text, const char *part)
{
    uint32_t found = 0;
    for (; *text; text++) {
        const char *a = text, *b = part;
        while (*b && *a == *b)
            a++, b++;
        found += !*b;
    }
    return found;
}

static uint32_t words(const char *text)
{
    static struct {
        uint32_t hash, count;
    } places[256];
    uint32_t most = 0;
    while (*text) {
        uint32_t hash = 5381, any = 0;
        for (; (*text | 32) >= 'a' && (*text | 32) <= 'z'; text++, any = 1)
            hash = hash * 33 ^ (uint8_t)*text;
        if (any) {
            uint32_t at = hash & 255;
            while (places[at].hash && places[at].hash != hash)
                at = (at + 1) & 255;
            places[at].hash = hash;
            if (++places[at].count > most)
                most = places[at].count;
        }
        text += *text != 0;
    }
    return most;
}

static uint32_t run(void)
{
    static char buffer[1024], small[16];
    static const char *const names[] = {"interpreter", "interpretation", "component", "opponent",
                                        "carrel",      "barrel",         "wall",      "cell"};
    double sum = 0;
    uint32_t all = 0;
    for (uint32_t k = 0; k < 12; k++) {
        length = 0;
        value(source, 0, &sum);
        all += base64((const uint8_t *)out, length, buffer) +
               utf8((const uint8_t *)source, sizeof source) + words(source) + find(source, "[1");
        for (uint32_t i = 0; i < 100; i++)
            all += size(digits(number() >> (i & 15), small + 16));
        for (uint32_t i = 0; i < 8; i++)
            all += distance(names[i], names[(i + k) & 7]) + (order(names[i], names[k & 7]) < 0);
    }
    return all + (uint32_t)sum;
}
