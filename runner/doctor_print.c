/* Tells what the doctor found; see doctor.h. */
#include "runner/doctor.h"

#include <json-c/json.h>
#include <string.h>
#include <sys/utsname.h>

wall_set doctor_lacks(const struct doctor_findings *findings)
{
    wall_set required = 0;
    for (int i = 0; i < WALL_COUNT; i++)
        if (walls[i].need == WALL_REQUIRED)
            required |= WALL_BIT(i);
    return findings->missing & required;
}

/* "stands", "missing", or "not needed". */
static const char *standing(const struct doctor_findings *findings, enum wall wall)
{
    return wall_in(findings->missing, wall)    ? "missing"
           : wall_in(findings->standing, wall) ? "stands"
                                               : "not needed";
}

static const char *why(const struct doctor_findings *findings, enum wall wall)
{
    int error = findings->errors[wall];
    if (error)
        return strerrordesc_np(error);
    return wall == WALL_CGROUP && findings->lacks ? findings->lacks : "it could not be built";
}

static bool without_namespaces(const struct doctor_findings *findings)
{
    return wall_in(findings->missing, WALL_USER_NAMESPACE) &&
           wall_in(findings->missing, WALL_PID_NAMESPACE) &&
           wall_in(findings->missing, WALL_NET_NAMESPACE);
}

/* In which way carrel would run here. */
static const char *tier(const struct doctor_findings *findings)
{
    if (!doctor_lacks(findings))
        return findings->host->root ? "root: all walls that are required stand"
                                    : "rootless: all walls that are required stand";
    if (without_namespaces(findings))
        return "without namespaces: seccomp, Landlock, no-new-privs and limits alone, and only "
               "with --degrade=namespaces";
    return "degraded: walls that are required are missing, and nothing runs without --degrade";
}

/* The flags that accept what is missing, and no more: the name of the family only where a host has
 * no namespaces to give. */
static void print_flags(const struct doctor_findings *findings, FILE *out)
{
    wall_set lacks = doctor_lacks(findings), family = wall_named("namespaces");
    if (without_namespaces(findings)) {
        fputs(" --degrade=namespaces", out);
        lacks &= ~family;
    }
    for (int i = 0; i < WALL_COUNT; i++)
        if (wall_in(lacks, (enum wall)i))
            fprintf(out, " --degrade=%s", walls[i].word);
}

int doctor_print_text(const struct doctor_findings *findings, FILE *out)
{
    struct utsname kernel;
    uname(&kernel);
    fprintf(out, "carrel %s, Linux %s on %s, %s\n", CARREL_VERSION, kernel.release, kernel.machine,
            findings->host->root ? "as root" : "as an ordinary user");
    fprintf(out, "engine  %s\ntier    %s\n\n", findings->engine, tier(findings));
    for (int i = 0; i < WALL_COUNT; i++) {
        char text[512];
        bool missing = wall_in(findings->missing, (enum wall)i);
        fprintf(out, "  %-17s %-11s %s\n", walls[i].word, standing(findings, (enum wall)i),
                walls[i].need == WALL_REQUIRED ? "required" : "extra");
        if (missing)
            fprintf(out, "      %s\n      to mend it: %s\n", why(findings, (enum wall)i),
                    doctor_mend(findings, (enum wall)i, text, sizeof text));
    }
    if (doctor_lacks(findings)) {
        fputs("\nWhat runs here without mending: carrel run", out);
        print_flags(findings, out);
        fputs(" FILE\n", out);
    }
    return 0;
}

static json_object *wall_object(const struct doctor_findings *findings, enum wall wall)
{
    char text[512];
    json_object *one = json_object_new_object();
    json_object_object_add(one, "wall", json_object_new_string(walls[wall].word));
    json_object_object_add(one, "required",
                           json_object_new_boolean(walls[wall].need == WALL_REQUIRED));
    json_object_object_add(one, "state", json_object_new_string(standing(findings, wall)));
    json_object_object_add(one, "since", json_object_new_string(walls[wall].kernel));
    if (wall_in(findings->missing, wall)) {
        json_object_object_add(one, "why", json_object_new_string(why(findings, wall)));
        json_object_object_add(
            one, "mend", json_object_new_string(doctor_mend(findings, wall, text, sizeof text)));
    }
    return one;
}

int doctor_print_json(const struct doctor_findings *findings, FILE *out)
{
    struct utsname kernel;
    uname(&kernel);
    json_object *all = json_object_new_object(), *list = json_object_new_array();
    if (!all || !list)
        return -1;
    json_object_object_add(all, "carrel", json_object_new_string(CARREL_VERSION));
    json_object_object_add(all, "kernel", json_object_new_string(kernel.release));
    json_object_object_add(all, "machine", json_object_new_string(kernel.machine));
    json_object_object_add(all, "root", json_object_new_boolean(findings->host->root));
    json_object_object_add(all, "engine", json_object_new_string(findings->engine));
    json_object_object_add(all, "tier", json_object_new_string(tier(findings)));
    json_object_object_add(all, "complete", json_object_new_boolean(!doctor_lacks(findings)));
    for (int i = 0; i < WALL_COUNT; i++)
        json_object_array_add(list, wall_object(findings, (enum wall)i));
    json_object_object_add(all, "walls", list);
    fprintf(out, "%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
    json_object_put(all);
    return 0;
}
