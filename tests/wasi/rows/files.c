/* wasi:filesystem. What only reads is refused by there being no directory; what changes something,
 * by one that was given for reading. */
#include "files.h"

/* --- Reading ------------------------------------------------------------------------------------
 */

/* `dir` and `file`, or the refusal. */
#define READS(id)                                                                                  \
    static int reads_##id(int dir, int file);                                                      \
    ROW(id, "ro", "-")                                                                             \
    {                                                                                              \
        int dir = root();                                                                          \
        return dir < 0 ? REFUSED : reads_##id(dir, open_file(dir, 0));                             \
    }                                                                                              \
    static int reads_##id(int dir, int file)

READS(get_directories)
{
    return dir != file ? WORKS : REFUSED;
}

READS(descriptor_read_via_stream)
{
    (void)dir;
    w_descriptor_read_via_stream(file, 2, R);
    MUST(TAG == 0);
    w_input_stream_blocking_read((int)U32(4), 3, R);
    MUST(TAG == 0 && U32(8) == 3 && *(u8 *)(unsigned long)U32(4) == '2');
    return WORKS;
}

READS(descriptor_advise)
{
    (void)dir;
    w_descriptor_advise(file, 0, 4, 1, R);
    return OUTCOME;
}

READS(descriptor_get_flags)
{
    (void)dir;
    w_descriptor_get_flags(file, R);
    MUST(AT(1)[0] & 1);
    return OUTCOME;
}

READS(descriptor_get_type)
{
    w_descriptor_get_type(dir, R);
    MUST(TAG == 0 && AT(1)[0] == 3);
    w_descriptor_get_type(file, R);
    MUST(AT(1)[0] == 6);
    return OUTCOME;
}

READS(descriptor_read)
{
    (void)dir;
    w_descriptor_read(file, 3, 4, R);
    MUST(TAG == 0 && U32(8) == 3 && *(u8 *)(unsigned long)U32(4) == '4');
    return WORKS;
}

READS(descriptor_read_directory)
{
    (void)file;
    w_descriptor_read_directory(dir, R);
    return OUTCOME;
}

static int entries(int dir)
{
    int count = 0;
    w_descriptor_read_directory(dir, R);
    MUST(TAG == 0);
    int stream = (int)U32(4);
    for (;;) {
        w_directory_entry_stream_read_directory_entry(stream, R);
        MUST(TAG == 0);
        if (!AT(4)[0])
            break;
        count++;
    }
    w_drop_directory_entry_stream(stream);
    return count;
}

READS(directory_entry_stream_read_directory_entry)
{
    (void)file;
    return entries(dir) == 4 ? WORKS : REFUSED;
}

READS(drop_directory_entry_stream)
{
    (void)file;
    return entries(dir) == 4 ? WORKS : REFUSED;
}

READS(descriptor_stat)
{
    (void)dir;
    w_descriptor_stat(file, R);
    MUST(AT(8)[0] == 6 && U64(24) == 10);
    return OUTCOME;
}

READS(descriptor_stat_at)
{
    (void)file;
    w_descriptor_stat_at(dir, 0, TEXT("l"), R);
    MUST(TAG == 0 && AT(8)[0] == 5);
    w_descriptor_stat_at(dir, 1, TEXT("l"), R);
    MUST(AT(8)[0] == 6);
    return OUTCOME;
}

READS(descriptor_open_at)
{
    (void)dir;
    (void)file;
    return WORKS;
}

READS(descriptor_readlink_at)
{
    (void)file;
    w_descriptor_readlink_at(dir, TEXT("l"), R);
    MUST(U32(8) == 1 && *(u8 *)(unsigned long)U32(4) == 'f');
    return OUTCOME;
}

READS(descriptor_is_same_object)
{
    MUST(!w_descriptor_is_same_object(dir, file));
    return w_descriptor_is_same_object(file, open_file(dir, 0)) ? WORKS : REFUSED;
}

READS(descriptor_metadata_hash)
{
    (void)dir;
    w_descriptor_metadata_hash(file, R);
    return OUTCOME;
}

READS(descriptor_metadata_hash_at)
{
    (void)file;
    w_descriptor_metadata_hash_at(dir, 0, TEXT("f"), R);
    return OUTCOME;
}

READS(drop_descriptor)
{
    (void)dir;
    w_drop_descriptor(file);
    return WORKS;
}

/* --- Writing ------------------------------------------------------------------------------------
 */

#define WRITES(id, call)                                                                           \
    ROW(id, "rw", "ro")                                                                            \
    {                                                                                              \
        int dir = root(), file = open_file(dir, granted);                                          \
        call;                                                                                      \
        (void)file;                                                                                \
        return OUTCOME;                                                                            \
    }

WRITES(descriptor_write_via_stream, w_descriptor_write_via_stream(file, 2, R))
WRITES(descriptor_append_via_stream, w_descriptor_append_via_stream(file, R))
WRITES(descriptor_set_size, w_descriptor_set_size(file, 3, R))
WRITES(descriptor_set_times, w_descriptor_set_times(file, 2, 5, 6, 1, 0, 0, R))
WRITES(descriptor_write, w_descriptor_write(file, TEXT("abc"), 3, R))
WRITES(descriptor_set_times_at, w_descriptor_set_times_at(dir, 0, TEXT("f"), 2, 5, 6, 1, 0, 0, R))

/* Bringing to the disk what nobody changed is no change; so the refusal is that of the write. */
#define SYNCS(id, call)                                                                            \
    ROW(id, "rw", "ro")                                                                            \
    {                                                                                              \
        int dir = root(), file = open_file(dir, granted);                                          \
        call;                                                                                      \
        MUST(!granted || TAG == 0);                                                                \
        w_descriptor_write(file, TEXT("abc"), 3, R);                                               \
        return OUTCOME;                                                                            \
    }

SYNCS(descriptor_sync, w_descriptor_sync(file, R))
SYNCS(descriptor_sync_data, w_descriptor_sync_data(file, R))

/* --- Changing directories -----------------------------------------------------------------------
 */

#define CHANGES(id, call)                                                                          \
    ROW(id, "rw", "ro")                                                                            \
    {                                                                                              \
        int dir = root();                                                                          \
        call;                                                                                      \
        return OUTCOME;                                                                            \
    }

CHANGES(descriptor_create_directory_at, w_descriptor_create_directory_at(dir, TEXT("new"), R))
CHANGES(descriptor_link_at, w_descriptor_link_at(dir, 0, TEXT("f"), dir, TEXT("new"), R))
CHANGES(descriptor_remove_directory_at, w_descriptor_remove_directory_at(dir, TEXT("e"), R))
CHANGES(descriptor_rename_at, w_descriptor_rename_at(dir, TEXT("f"), dir, TEXT("new"), R))
CHANGES(descriptor_symlink_at, w_descriptor_symlink_at(dir, TEXT("f"), TEXT("new"), R))
CHANGES(descriptor_unlink_file_at, w_descriptor_unlink_file_at(dir, TEXT("l"), R))
