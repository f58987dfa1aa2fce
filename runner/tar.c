/* Heads of tar archives; see tar.h. Pure. */
#include "runner/tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct head {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct head) == TAR_BLOCK, "a head is a block");

bool tar_head(const char *name, uint64_t size, unsigned mode, uint8_t ret[TAR_BLOCK])
{
    struct head head = {.magic = "ustar", .version = {'0', '0'}, .user = "root", .group = "root"};
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof head.name || size >= UINT64_C(1) << 33)
        return false;
    memcpy(head.name, name, length);
    snprintf(head.mode, sizeof head.mode, "%07o", mode & 07777);
    memcpy(head.uid, "0000000", sizeof head.uid);
    memcpy(head.gid, "0000000", sizeof head.gid);
    snprintf(head.size, sizeof head.size, "%011" PRIo64, size);
    memcpy(head.mtime, "00000000000", sizeof head.mtime);
    head.type = name[length - 1] == '/' ? '5' : '0';
    memset(head.sum, ' ', sizeof head.sum);
    memcpy(ret, &head, sizeof head);
    unsigned sum = 0;
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += ret[i];
    snprintf((char *)ret + offsetof(struct head, sum), sizeof head.sum, "%06o", sum & 0777777);
    return true;
}
