/* Keeps numbers in the store "box". Arguments: a letter, then a number.
 *   c N  sets keys from 0 on, without end if N is 0, and tells of each on standard output once it
 * is set; exit code 3 if the store fails h N  exit code 0 if the store has the first N keys of `c`,
 * with their values; 4 if one is missing */
#include "rows.h"

static char key[8] = "0000000";

static void number_to_key(int number)
{
    for (int i = 6; i >= 0; i--, number /= 10)
        key[i] = (char)('0' + number % 10);
}

static void count(int bucket, int most)
{
    int out = w_get_stdout();
    for (int i = 0; most == 0 || i < most; i++) {
        number_to_key(i);
        w_bucket_set(bucket, (int)(unsigned long)key, 7, (int)(unsigned long)key, 7, R);
        if (TAG)
            w_exit_with_code(3);
        key[7] = '\n';
        w_output_stream_blocking_write_and_flush(out, (int)(unsigned long)key, 8, R);
    }
}

static void have(int bucket, int most)
{
    for (int i = 0; i < most; i++) {
        number_to_key(i);
        w_bucket_get(bucket, (int)(unsigned long)key, 7, R);
        const char *got = (const char *)(unsigned long)U32(8);
        if (TAG || !AT(4)[0] || U32(12) != 7)
            w_exit_with_code(4);
        for (int k = 0; k < 7; k++)
            MUST(got[k] == key[k]);
    }
}

ROW(keyvalue, "", "")
{
    int number = 0;
    w_get_arguments(R);
    const int *arguments = (const int *)(unsigned long)U32(0);
    const char *what = (const char *)(unsigned long)arguments[2];
    const char *digits = (const char *)(unsigned long)arguments[4];
    for (int i = 0; i < arguments[5]; i++)
        number = number * 10 + digits[i] - '0';
    w_keyvalue_open(TEXT("box"), R);
    if (TAG)
        w_exit_with_code(10 + AT(4)[0]);
    int bucket = (int)U32(4);
    (*what == 'c' ? count : have)(bucket, number);
    return 0;
}
