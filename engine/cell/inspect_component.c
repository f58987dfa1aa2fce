/* A component from outside; see inspect.h. */
#include "engine/cell/inspect.h"

#include "engine/component/show.h"

static void show_list(const char *word, const struct cm_decls *decls, struct out *out)
{
    static char text[65536];
    for (uint32_t i = 0; i < decls->count; i++) {
        const struct cm_decl *decl = &decls->at[i];
        struct cm_text type = {.at = text, .size = sizeof text};
        cm_show_extern(&type, &decl->is);
        out_format(out, "%s ", word);
        out_str(out, decl->name->text);
        out_text(out, ": ");
        out_str(out, (struct str){type.at, type.len});
        out_text(out, ";\n");
    }
}

void inspect_component(const struct component *component, struct region *scratch, struct out *out)
{
    (void)scratch;
    show_list("import", &component->type->imports, out);
    show_list("export", &component->type->exports, out);
}
