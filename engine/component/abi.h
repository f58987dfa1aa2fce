/* Numbers of the canonical ABI (CanonicalABI.md). What breaks them traps. */
#ifndef CARREL_COMPONENT_ABI_H
#define CARREL_COMPONENT_ABI_H

#include <stdint.h>

#define ABI_STRING_MAX ((UINT32_C(1) << 28) - 1) /* MAX_STRING_BYTE_LENGTH */
#define ABI_LIST_MAX   ((UINT32_C(1) << 28) - 1) /* MAX_LIST_BYTE_LENGTH */
#define ABI_UTF16_TAG  (UINT32_C(1) << 31)       /* of a latin1+utf16 string's length */

#define ABI_NAN32 UINT32_C(0x7fc00000)
#define ABI_NAN64 UINT64_C(0x7ff8000000000000)

#endif
