/* What libcrypto does before main: it asks the processor what it can, by an instruction that each
 * time leaves the virtual machine (50 us in all, which is as much as hashing 12 KB). The command
 * hashes with it and nothing else, so it asks before the first piece for which that pays. The
 * linker puts these in the place of libcrypto's (--wrap). */
#include <stdbool.h>
#include <stddef.h>

#define PAYS 16384 /* bytes */

void __real_OPENSSL_cpuid_setup(void);
void __wrap_OPENSSL_cpuid_setup(void);
int __real_SHA256_Update(void *hash, const void *data, size_t size);
int __wrap_SHA256_Update(void *hash, const void *data, size_t size);

void __wrap_OPENSSL_cpuid_setup(void) {}

int __wrap_SHA256_Update(void *hash, const void *data, size_t size)
{
    static bool asked;
    if (size >= PAYS && !asked) {
        asked = true;
        __real_OPENSSL_cpuid_setup();
    }
    return __real_SHA256_Update(hash, data, size);
}
