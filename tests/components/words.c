/* [FILE]: counts the words of a file in the first directory that it is given, or of standard input,
 * and prints the most frequent five, or as many as the environment variable WORDS says. The
 * README's app.wasm. */
#include "text.h"

enum { WORDS = 4096, LETTERS = 1 << 16, DIGITS = 10 };
enum { READ = 1 }; /* descriptor-flags */

struct word {
    struct text text;
    u32 times;
};

static struct word words[WORDS];
static char letters[LETTERS];
static u32 nwords, nletters, begins, lines, bytes;

/* What the rest of `letters` spells is one word more. */
static void count(void)
{
    struct text word = {letters + begins, nletters - begins};
    if (!word.len)
        return;
    u32 i = 0;
    while (i < nwords && !same(words[i].text, word))
        i++;
    if (i < nwords) {
        nletters = begins;
    } else {
        MUST(nwords < WORDS);
        words[nwords++].text = word;
        begins = nletters;
    }
    words[i].times++;
}

static void read(struct text text)
{
    bytes += text.len;
    for (u32 i = 0; i < text.len; i++) {
        lines += text.at[i] == '\n';
        if (text.at[i] <= ' ' && text.at[i] >= 0) {
            count();
        } else {
            MUST(nletters < LETTERS);
            letters[nletters++] = text.at[i];
        }
    }
}

static int before(struct text a, struct text b)
{
    for (u32 i = 0; i < a.len && i < b.len; i++)
        if (a.at[i] != b.at[i])
            return a.at[i] < b.at[i];
    return a.len < b.len;
}

/* The most frequent of those that were not printed yet. */
static struct word *next(void)
{
    struct word *best = words;
    for (struct word *word = words; word < words + nwords; word++)
        if (word->times > best->times ||
            (word->times == best->times && before(word->text, best->text)))
            best = word;
    return best;
}

static void put_number(int out, u32 number, u32 width)
{
    char digits[DIGITS];
    u32 at = DIGITS;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    while (DIGITS - at < width)
        digits[--at] = ' ';
    put(out, (struct text){digits + at, DIGITS - at});
}

/* How many are wanted. */
static u32 wanted(void)
{
    w_get_environment(R);
    const struct text *pairs = (const struct text *)(unsigned long)U32(0);
    u32 npairs = U32(4);
    for (u32 i = 0; i < npairs; i++)
        if (same(pairs[2 * i], LITERAL("WORDS")))
            return number_of(pairs[2 * i + 1]);
    return 5;
}

/* The file's content as a stream, or -1. */
static int open(struct text name)
{
    w_get_directories(R);
    if (!U32(4))
        return -1;
    int directory = *(const int *)(unsigned long)U32(0);
    w_descriptor_open_at(directory, 0, NUMBERS(name), 0, READ, R);
    if (TAG)
        return -1;
    w_descriptor_read_via_stream((int)U32(4), 0, R);
    return TAG ? -1 : (int)U32(4);
}

ROW(words, "", "")
{
    w_get_arguments(R);
    int named = U32(4) > 1;
    const struct text *args = (const struct text *)(unsigned long)U32(0);
    int from = named ? open(args[1]) : w_get_stdin(), out = w_get_stdout();
    if (from < 0) {
        put(w_get_stderr(), LITERAL("words: there is no such file\n"));
        return 1;
    }
    for (;;) {
        w_input_stream_blocking_read(from, 4096, R);
        if (TAG)
            break;
        read((struct text){(const char *)(unsigned long)U32(4), U32(8)});
    }
    count();
    put(out, LITERAL("lines "));
    put_number(out, lines, 0);
    put(out, LITERAL(" bytes "));
    put_number(out, bytes, 0);
    put(out, LITERAL(" distinct "));
    put_number(out, nwords, 0);
    put(out, LITERAL("\n"));
    for (u32 left = wanted(); left; left--) {
        struct word *word = next();
        if (!word->times)
            break;
        put_number(out, word->times, 5);
        put(out, LITERAL(" "));
        put(out, word->text);
        put(out, LITERAL("\n"));
        word->times = 0;
    }
    return 0;
}
