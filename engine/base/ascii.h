/* Letters of ASCII, whatever the locale. */
#ifndef CARREL_BASE_ASCII_H
#define CARREL_BASE_ASCII_H

static inline char ascii_small(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

#endif
