/* One document of audits; see audit_output.h. Chooses the printer, and no more. */
#include "policies/audit_forms.h"

#include "policies/digest.h"
#include "policies/printable.h"

const struct audit_format_info audit_formats[AUDIT_FORMATS] = {
#define MANY                            true
#define ONE                             false
#define FORMAT(name, word, files, what) [AUDIT_##name] = {word, files, what},
#include "policies/audit_format.def"
#undef MANY
#undef ONE
};

json_object *audit_foreign(struct str value)
{
    char shown[2048];
    return text(printable(shown, sizeof shown, value));
}

json_object *audit_hex(const uint8_t *digest)
{
    char digits[DIGEST_DIGITS];
    return text(digest_text(digest, digits));
}

json_object *audit_row_id(const struct demand *demand, enum row row)
{
    char id[256];
    snprintf(id, sizeof id, "%s#%s%s", audit_interface(demand, row),
             row_infos[row].kind == ROW_DROP ? "[resource-drop]" : "", row_infos[row].name);
    return text(id);
}

void audit_output_begin(struct audit_output *output, enum audit_format format,
                        const struct audit_style *style, FILE *out)
{
    *output = (struct audit_output){.format = format, .style = *style, .out = out};
    switch (format) {
    case AUDIT_JSON: output->tree = audit_json_begin(); break;
    case AUDIT_SARIF: output->tree = audit_sarif_begin(); break;
    case AUDIT_CYCLONEDX: output->tree = audit_cyclonedx_begin(); break;
    case AUDIT_OCI_SECCOMP: output->tree = audit_seccomp_begin(); break;
    case AUDIT_HTML: audit_html_begin(&output->html, out); break;
    case AUDIT_DOT: audit_dot_begin(out); break;
    case AUDIT_TEXT:
    case AUDIT_SYSTEMD:
    case AUDIT_FORMATS: break;
    }
}

void audit_output_add(struct audit_output *output, const struct audit *audit)
{
    size_t number = output->count++;
    switch (output->format) {
    case AUDIT_JSON: audit_json_add(output->tree, audit); break;
    case AUDIT_SARIF: audit_sarif_add(output->tree, audit); break;
    case AUDIT_CYCLONEDX: audit_cyclonedx_add(output->tree, audit); break;
    case AUDIT_OCI_SECCOMP: audit_seccomp_add(output->tree, audit); break;
    case AUDIT_HTML: audit_html_add(&output->html, audit); break;
    case AUDIT_DOT: audit_dot_add(output->out, audit, number); break;
    case AUDIT_SYSTEMD: audit_systemd_print(output->out, audit); break;
    case AUDIT_TEXT:
        if (number)
            fputc('\n', output->out);
        audit_print_text(audit, &output->style, output->out);
        output->tier = audit_tier(audit);
        break;
    case AUDIT_FORMATS: break;
    }
}

void audit_output_fail(struct audit_output *output, const char *file, const struct err *err)
{
    switch (output->format) {
    case AUDIT_JSON: audit_json_fail(output->tree, file, err); break;
    case AUDIT_SARIF: audit_sarif_fail(output->tree, file, err); break;
    case AUDIT_HTML: audit_html_fail(&output->html, file, err); break;
    default: break; /* these say what a file can do, and have no word for a file that is none */
    }
}

int audit_output_end(struct audit_output *output)
{
    const int style =
        JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
    if (output->format == AUDIT_HTML && audit_html_end(&output->html))
        return -1;
    if (output->format == AUDIT_TEXT && output->tier) {
        const struct page page = {NULL, &output->style, output->out};
        audit_print_lacks(&page, output->tier);
    }
    if (output->format == AUDIT_DOT)
        audit_dot_end(output->out);
    if (output->tree) {
        const char *document = json_object_to_json_string_ext(output->tree, style);
        if (document)
            fprintf(output->out, "%s\n", document);
        json_object_put(output->tree);
        output->tree = NULL;
        if (!document)
            return -1;
    }
    return ferror(output->out) ? -1 : 0;
}
