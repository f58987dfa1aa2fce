/* Audits as a bill of materials, CycloneDX 1.5 (ECMA-424): each file is a component with its digest
 * and capabilities, each interface that one imports is a component it depends on. */
#include "policies/audit_forms.h"

#include "policies/digest.h"
#include "policies/printable.h"

json_object *audit_cyclonedx_begin(void)
{
    json_object *all = json_object_new_object(), *metadata = json_object_new_object(),
                *tools = json_object_new_object(), *list = json_object_new_array(),
                *tool = json_object_new_object();
    put(all, "bomFormat", text("CycloneDX"));
    put(all, "specVersion", text("1.5"));
    put(all, "version", json_object_new_int(1));
    put(tool, "type", text("application"));
    put(tool, "name", text("carrel"));
    put(tool, "version", text(CARREL_VERSION));
    json_object_array_add(list, tool);
    put(tools, "components", list);
    put(metadata, "tools", tools);
    put(all, "metadata", metadata);
    put(all, "components", json_object_new_array());
    put(all, "dependencies", json_object_new_array());
    return all;
}

static void add_property(json_object *list, const char *name, const char *value)
{
    json_object *one = json_object_new_object();
    put(one, "name", text(name));
    put(one, "value", text(value));
    json_object_array_add(list, one);
}

/* Is there a component of this reference? */
static bool has(json_object *list, const char *reference)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *known = json_object_object_get(json_object_array_get_idx(list, i), "bom-ref");
        if (known && strcmp(json_object_get_string(known), reference) == 0)
            return true;
    }
    return false;
}

/* "wasi:io/streams@0.2.3" as group, name and version. */
static void add_interface(json_object *components, const char *name)
{
    json_object *one = json_object_new_object();
    const char *slash = strchr(name, '/'), *at = strrchr(name, '@');
    const char *bare = slash ? slash + 1 : name;
    size_t length = at && at > bare ? (size_t)(at - bare) : strlen(bare);
    if (has(components, name))
        return;
    put(one, "type", text("library"));
    put(one, "bom-ref", text(name));
    if (slash)
        put(one, "group", json_object_new_string_len(name, (int)(slash - name)));
    put(one, "name", length ? json_object_new_string_len(bare, (int)length) : text(name));
    if (at && at > bare && at[1])
        put(one, "version", text(at + 1));
    json_object_array_add(components, one);
}

static json_object *property_list(const struct audit *audit)
{
    json_object *list = json_object_new_array();
    for (int i = 0; i < CAP_COUNT; i++)
        if (capability_in(audit->in.verdict->demanded, (enum capability)i))
            add_property(list, "carrel:capability", capabilities[i].word);
    for (size_t i = 0; i < audit->rule_count; i++) {
        const char *call = rules[audit->rules[i].rule].call;
        bool said = false;
        for (size_t k = 0; k < i; k++)
            said = said || strcmp(call, rules[audit->rules[k].rule].call) == 0;
        if (!said)
            add_property(list, "carrel:system-call", call);
    }
    add_property(list, "carrel:summary", audit->summary);
    add_property(list, "carrel:runs", audit_runs(audit) ? "true" : "false");
    return list;
}

void audit_cyclonedx_add(json_object *document, const struct audit *audit)
{
    const struct demand *demand = audit->in.demand;
    json_object *components = json_object_object_get(document, "components"),
                *one = json_object_new_object(), *hashes = json_object_new_array(),
                *hash = json_object_new_object(), *depends = json_object_new_object(),
                *on = json_object_new_array();
    char reference[80], *digits = stpcpy(reference, "sha256:");
    digest_text(audit->in.digest, digits);
    if (has(components, reference)) { /* the same bytes under another name */
        json_object_put(one);
        json_object_put(hashes);
        json_object_put(hash);
        json_object_put(depends);
        json_object_put(on);
        return;
    }
    put(one, "type",
        text(demand_is(demand, DEMAND_IS_COMMAND) || demand_is(demand, DEMAND_IS_PROXY)
                 ? "application"
                 : "library"));
    put(one, "bom-ref", text(reference));
    put(one, "name", audit_foreign(str_of(audit->in.file)));
    put(hash, "alg", text("SHA-256"));
    put(hash, "content", audit_hex(audit->in.digest));
    json_object_array_add(hashes, hash);
    put(one, "hashes", hashes);
    put(one, "properties", property_list(audit));
    json_object_array_add(components, one);
    for (size_t i = 0; i < demand->name_count; i++) {
        char name[4 * DEMAND_NAME_MAX];
        if (demand->names[i].list != DEMAND_IMPORT)
            continue;
        printable(name, sizeof name, demand->names[i].text);
        bool twice = false;
        for (size_t k = 0; k < json_object_array_length(on); k++)
            twice = twice ||
                    strcmp(json_object_get_string(json_object_array_get_idx(on, k)), name) == 0;
        add_interface(components, name);
        if (!twice)
            json_object_array_add(on, text(name));
    }
    put(depends, "ref", text(reference));
    put(depends, "dependsOn", on);
    json_object_array_add(json_object_object_get(document, "dependencies"), depends);
}
