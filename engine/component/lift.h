/* Lifting: from core values and guest memory to host layout (CanonicalABI.md "Loading", "Flat
 * Lifting"). No guest code runs meanwhile, so guest memory stays where it is and as it is.
 *
 * What is lifted for the host is the host's: strings are UTF-8, everything is copied, but for long
 * lists of plain values where the call may look at them in place: it does so until it waits. What
 * is lifted for another component is on its way only: strings keep their encoding, told by the
 * upper bits of their length, and where guest memory cannot change before the other side has
 * lowered it, strings and lists of plain values are views of it. That is always so but for an
 * instance that calls a function of its own. */
#ifndef CARREL_COMPONENT_LIFT_H
#define CARREL_COMPONENT_LIFT_H

#include "engine/component/scratch.h"

/* What a string on its way to another component is encoded in. */
enum string_form { STRING_UTF8, STRING_UTF16, STRING_LATIN1, STRING_COMPACT_UTF16 };

#define STRING_FORM_SHIFT 62
#define STRING_UNITS_MASK ((UINT64_C(1) << STRING_FORM_SHIFT) - 1)

static inline enum string_form string_form(struct str s)
{
    return (enum string_form)((uint64_t)s.len >> STRING_FORM_SHIFT);
}

/* Code units of a string on its way. */
static inline size_t string_units(struct str s)
{
    return s.len & STRING_UNITS_MASK;
}

static inline struct str string_on_way(const uint8_t *at, size_t units, enum string_form form)
{
    return (struct str){(const char *)at, units | (uint64_t)form << STRING_FORM_SHIFT};
}

/* A handle that was lent for a borrow parameter. */
struct cm_lend {
    uint32_t index;
    struct cm_lend *before;
};

/* A list that was not copied for the host. */
struct cm_view {
    void **at; /* where its address stands */
    size_t size;
    struct cm_view *before;
};

struct cm_lift {
    struct cm_instance *instance;
    bool for_host;
    bool in_place;   /* for the host, which asks cm_lift_copy before anything else runs */
    bool for_itself; /* the instance calls itself: its memory changes while it lowers */
    enum cm_encoding encoding;
    const struct linear_memory *memory; /* NULL: no type that is lifted needs one */
    struct host_scratch *scratch;
    struct host_scratch *lent; /* where the list of them lies; NULL: in `scratch` */
    struct cm_lend *lends;     /* the last one first */
    struct cm_view *views;     /* likewise */
};

/* Lifts a value from core values, which *at moves over, to `to` (host layout, zeroed). False: it
 * trapped. `type` is canonical. */
bool cm_lift_flat(struct cm_lift *lift, const struct cm_type *type, const union slot **at,
                  void *to);

/* Lifts a value from guest memory at `at`. Alignment and bounds were checked. */
bool cm_lift_memory(struct cm_lift *lift, const struct cm_type *type, uint32_t at, void *to);

/* Checks that `size` bytes at `at`, aligned to `align`, are in memory. */
bool cm_lift_check(const struct cm_lift *lift, uint64_t at, uint64_t size, uint32_t align);

/* A list of parameters: from up to CM_FLAT_MAX core values, or from memory. */
bool cm_lift_params(struct cm_lift *lift, const struct cm_type *func, unsigned max_flat,
                    const union slot *args, void *to);

/* A function's result, which it has: from one core value, or from memory. */
bool cm_lift_result(struct cm_lift *lift, const struct cm_type *func, const union slot *results,
                    void *to);

/* A result: from up to `max_flat` core values, or from memory. */
bool cm_lift_value(struct cm_lift *lift, const struct cm_type *type, unsigned max_flat,
                   const union slot *flat, void *to);

/* Copies what was left in place: guest memory is going to change. False: it trapped. */
bool cm_lift_copy(struct cm_lift *lift);

/* The handles that were lent are no longer. */
void cm_lift_return(struct cm_lift *lift);

#endif
