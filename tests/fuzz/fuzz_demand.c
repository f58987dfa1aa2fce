/* A reader's answer is hostile: whatever it is, it is refused, or it derives, prints and stays
 * within its bounds, and nothing raw of it reaches the output. */
#include "policies/audit_output.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct plan plan; /* empty: what is planned does not depend on names */
static const uint8_t digest[32];

static void check(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' && text[i] != '\n')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct demand demand;
    static struct verdict verdict;
    static struct audit audit;
    struct err err = {0};
    const struct policy policy = {
        .allowed = size ? (capability_set)(data[size - 1] * 0x01010101u) : 0, .memory = 1 << 20};
    if (demand_parse((struct bytes){data, size}, &demand, &err))
        return 0;
    derive_verdict(&demand, &policy, &verdict);
    if (verdict.granted & ~(verdict.demanded & policy.allowed))
        abort();
    audit_make(&(struct audit_input){.file = "fuzz",
                                     .digest = digest,
                                     .demand = &demand,
                                     .policy = &policy,
                                     .verdict = &verdict,
                                     .plan = &plan},
               &audit);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    const struct audit_style style = {.verbose = data[0] & 1, .width = 60 + data[0] % 64};
    for (int format = 0; format < AUDIT_FORMATS; format++) {
        struct audit_output output;
        audit_output_begin(&output, (enum audit_format)format, &style, out);
        audit_output_add(&output, &audit);
        if (audit_output_end(&output))
            abort();
    }
    fclose(out);
    check(text, length);
    free(text);
    return 0;
}
