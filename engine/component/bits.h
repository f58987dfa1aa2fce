/* Little-endian numbers of 1, 2, 4 or 8 bytes, as a type tells: much quicker than a memcpy whose
 * size is not known. */
#ifndef CARREL_COMPONENT_BITS_H
#define CARREL_COMPONENT_BITS_H

#include "engine/base/attr.h"
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "guest memory is little-endian, and host layout is the machine's"
#endif

INLINE uint64_t bits_load(const void *from, uint32_t size)
{
    uint64_t eight;
    uint32_t four;
    uint16_t two;
    switch (size) {
    case 1: return *(const uint8_t *)from;
    case 2: memcpy(&two, from, sizeof two); return two;
    case 4: memcpy(&four, from, sizeof four); return four;
    default: memcpy(&eight, from, sizeof eight); return eight;
    }
}

/* The low bytes of `bits`. */
INLINE void bits_store(void *to, uint64_t bits, uint32_t size)
{
    switch (size) {
    case 1: memcpy(to, &bits, 1); break;
    case 2: memcpy(to, &bits, 2); break;
    case 4: memcpy(to, &bits, 4); break;
    default: memcpy(to, &bits, 8); break;
    }
}

#endif
