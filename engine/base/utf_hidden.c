/* Characters that people do not see, or not where they stand: the general categories Cc, Cf, Zl, Zp
 * and Cs, tags and variation selectors, non-characters (Unicode 15, chapter 4, and UTR #36,
 * "Unicode Security Considerations"). Letters of all scripts are seen: names may be in any
 * language. */
#include "engine/base/attr.h"
#include "engine/base/utf.h"

/* Inclusive ranges, in order. */
static const struct {
    uint32_t first;
    uint32_t last;
} hidden[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},     {0x00ad, 0x00ad},   {0x034f, 0x034f},
    {0x0600, 0x0605},   {0x061c, 0x061c},     {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x08e2, 0x08e2},   {0x115f, 0x1160},     {0x17b4, 0x17b5},   {0x180b, 0x180f},
    {0x200b, 0x200f},   {0x2028, 0x202e},     {0x2060, 0x206f},   {0x3164, 0x3164},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},     {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
    {0xfffe, 0xffff},   {0x110bd, 0x110bd},   {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},   {0x1fffe, 0x1ffff}, {0xe0000, 0xe0fff},
    {0xffffe, 0xfffff}, {0x10fffe, 0x10ffff},
};

bool utf8_hides(uint32_t scalar)
{
    for (size_t i = 0; i < countof(hidden) && hidden[i].first <= scalar; i++)
        if (scalar <= hidden[i].last)
            return true;
    return false;
}
