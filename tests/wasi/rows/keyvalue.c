/* wasi:keyvalue/store. A bucket is had or it is not: where the store is not given, nothing else can
 * be asked. */
#include "rows.h"

/* The store that is given; 0: it is not. */
static int box(void)
{
    w_keyvalue_open(TEXT("box"), R);
    MUST(TAG == (granted ? 0 : 1));
    MUST(granted || AT(4)[0] == 1 /* access-denied */);
    return granted ? (int)U32(4) : 0;
}

static void set(int bucket, int value, int size)
{
    w_bucket_set(bucket, TEXT("key"), value, size, R);
    MUST(TAG == 0);
}

static int there(int bucket)
{
    w_bucket_exists(bucket, TEXT("key"), R);
    MUST(TAG == 0);
    return AT(4)[0];
}

ROW(keyvalue_open, "keyvalue", "-")
{
    return box() ? WORKS : REFUSED;
}

ROW(bucket_get, "keyvalue", "-")
{
    static u8 large[1 << 18];
    int bucket = box();
    if (!bucket)
        return REFUSED;
    w_bucket_get(bucket, TEXT("key"), R);
    MUST(TAG == 0 && AT(4)[0] == 0);
    set(bucket, 0, 0);
    w_bucket_get(bucket, TEXT("key"), R);
    MUST(TAG == 0 && AT(4)[0] == 1 && U32(12) == 0);
    for (u32 i = 0; i < sizeof large; i++)
        large[i] = (u8)(i * 7 + (i >> 8));
    set(bucket, (int)(unsigned long)large, sizeof large);
    w_bucket_get(bucket, TEXT("key"), R);
    MUST(TAG == 0 && AT(4)[0] == 1 && U32(12) == sizeof large);
    const u8 *got = (const u8 *)(unsigned long)U32(8);
    for (u32 i = 0; i < sizeof large; i++)
        MUST(got[i] == large[i]);
    return WORKS;
}

ROW(bucket_set, "keyvalue", "-")
{
    static const char long_key[4097];
    int bucket = box();
    if (!bucket)
        return REFUSED;
    set(bucket, TEXT("one"));
    set(bucket, TEXT("other"));
    w_bucket_get(bucket, TEXT("key"), R);
    MUST(TAG == 0 && U32(12) == 5);
    w_bucket_set(bucket, (int)(unsigned long)long_key, sizeof long_key, TEXT("value"), R);
    MUST(TAG == 1 && AT(4)[0] == 2 /* other */ && U32(12) > 0);
    w_bucket_set(bucket, (int)(unsigned long)long_key, 4096, TEXT("value"), R);
    MUST(TAG == 0);
    w_bucket_set(bucket, 0, 0, TEXT("of the empty key"), R);
    MUST(TAG == 0);
    return WORKS;
}

ROW(bucket_delete, "keyvalue", "-")
{
    int bucket = box();
    if (!bucket)
        return REFUSED;
    set(bucket, TEXT("value"));
    MUST(there(bucket));
    for (int i = 0; i < 2; i++) {
        w_bucket_delete(bucket, TEXT("key"), R);
        MUST(TAG == 0 && !there(bucket));
    }
    return WORKS;
}

ROW(bucket_exists, "keyvalue", "-")
{
    int bucket = box();
    if (!bucket)
        return REFUSED;
    MUST(!there(bucket));
    set(bucket, TEXT("value"));
    MUST(there(bucket));
    return WORKS;
}

/* More keys than one answer holds: every one comes, and none twice. */
ROW(bucket_list_keys, "keyvalue", "-")
{
    static char key[1000];
    static u8 seen[200];
    int bucket = box(), more = 0, answers = 0, count = 0;
    u64 cursor = 0;
    if (!bucket)
        return REFUSED;
    w_bucket_list_keys(bucket, 0, 0, R);
    MUST(TAG == 0 && U32(12) == 0 && AT(16)[0] == 0);
    for (u32 i = 0; i < sizeof key; i++)
        key[i] = 'x';
    for (int i = 0; i < 200; i++) {
        key[0] = (char)('0' + i / 100);
        key[1] = (char)('0' + i / 10 % 10);
        key[2] = (char)('0' + i % 10);
        w_bucket_set(bucket, (int)(unsigned long)key, sizeof key, TEXT("v"), R);
        MUST(TAG == 0);
    }
    do {
        w_bucket_list_keys(bucket, more, cursor, R);
        MUST(TAG == 0);
        const u32 *keys = (const u32 *)(unsigned long)U32(8);
        for (u32 i = 0; i < U32(12); i++) {
            const char *text = (const char *)(unsigned long)keys[2 * i];
            int number = (text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0';
            MUST(keys[2 * i + 1] == sizeof key && number < 200 && !seen[number]++);
            count++;
        }
        more = AT(16)[0];
        cursor = U64(24);
        answers++;
    } while (more);
    MUST(count == 200 && answers > 1);
    w_bucket_list_keys(bucket, 1, ~0ull, R);
    MUST(TAG == 0 && U32(12) == 0 && AT(16)[0] == 0);
    return WORKS;
}

ROW(drop_bucket, "keyvalue", "-")
{
    int bucket = box();
    if (!bucket)
        return REFUSED;
    set(bucket, TEXT("value"));
    w_drop_bucket(bucket);
    bucket = box();
    MUST(there(bucket));
    w_drop_bucket(bucket);
    return WORKS;
}
