/* The translator's state, for tr_*.c and translate.c alone.
 *
 * The wasm operand stack is followed at translation time. An entry says where its value is: in its
 * own slot (slots are given by height, so they need no allocation), in a local that was read and
 * not yet overwritten, in the instruction stream as a constant, or in an accumulator and nowhere
 * else. Operators take their operands from wherever they are; only where paths meet, and for calls,
 * do values have to be in their own slots.
 *
 * A value in an accumulator is as good as written: if the accumulator is needed for something else,
 * the instruction that produced the value is patched to write it to its slot as well. So nothing is
 * ever copied for having been kept in an accumulator. */
#ifndef CARREL_WASM_TR_H
#define CARREL_WASM_TR_H

#include "engine/wasm/insn.h"
#include "engine/wasm/translate.h"
#include "engine/wasm/xop.h"

#define NOWHERE      UINT32_MAX
#define SLOT_MOST    UINT32_C(0xffff) /* the highest slot that an instruction can name */
#define SCRATCH      8                /* low slots through which a wide frame is reached */
#define PENDING_MOST 64 /* entries that may wait outside of their slots; bounds every scan */

/* Which accumulator a type uses. */
enum acc { ACC_INT, ACC_FLOAT, ACC_COUNT };

enum place {
    IN_SLOT,  /* its own */
    IN_LOCAL, /* another slot, of a local */
    IN_CODE,  /* a constant: the bits of an i32 (zero-extended), i64, f32, f64, null; a v128 */
    IN_ACC,   /* the accumulator of its type only */
};

struct entry {
    uint8_t place;
    uint8_t kind;  /* vt_kind of its type */
    uint16_t xop;  /* IN_ACC: the producer, in its form that writes no slot */
    uint32_t slot; /* its own */
    union {
        struct {
            uint32_t local; /* IN_LOCAL: the slot, */
            uint32_t other; /* and another local's with the same value; NOWHERE: none */
        };
        uint64_t bits;       /* IN_CODE */
        const uint8_t *v128; /* IN_CODE: its sixteen bytes in the module */
        code_word *producer; /* IN_ACC: its handler word */
    };
};

/* A place in the code that waits for a label: the distance field of the branch at `from`. Lists of
 * them are places in tr.fixups, counted from 1. */
struct fixup {
    uint32_t from;  /* in words from tr.start */
    uint32_t field; /* in fields from there */
    uint32_t next;
};

struct control {
    enum op op; /* BLOCK, LOOP, IF, ELSE, TRY, CATCH, TRY_TABLE; END: the function's own label */
    uint32_t height; /* entries below its parameters */
    uint32_t slot;   /* of the first of its parameters or results */
    uint32_t region; /* that it stands in, or is: who catches what is thrown there (code.h) */
    uint32_t made;   /* the region of a try, also when it has got to its catches */
    struct blocktype type;
    code_word *head;     /* of a loop */
    uint32_t fixups;     /* branches to its end */
    uint32_t else_fixup; /* of an if: where the condition is false */
    code_word *stub;     /* of br_table, if stub_of is that br_table: branch with moves */
    const uint8_t *stub_of;
};

/* The instruction emitted last, for fusing it with the next. */
struct last {
    code_word *at;
    enum op op; /* OP_ILLEGAL: nothing to fuse with */
    uint8_t form;
    uint32_t a, b; /* slots, as the form has them */
    uint64_t imm;
};

/* The run of a topmost reference, or 0; and how many references there are, it included. */
struct map_top {
    uint32_t run;
    uint32_t references;
};

/* Where references are, as it is written down for the collector (code.h); tr_map.c. */
struct map {
    struct code_point *points;
    struct map_run *runs;
    uint32_t npoints, points_most, nruns, runs_most;
    struct map_top locals; /* of the locals */
    struct map_top *tops;  /* for each entry below `known`: of it and what lies below */
    uint32_t known, tops_most;
};

/* What is written down of try and try_table; tr_try.c. */
struct tries {
    struct code_point *points;
    struct try_region *regions;
    struct try_landing *landings;
    uint32_t npoints, points_most, nregions, regions_most, nlandings, landings_most;
};

/* The parts of the room in which a function is translated. */
enum part {
#define PART(name, array, count, most, share) PART_##name,
#include "engine/wasm/tr_part.def"
#undef PART
    PART_CODE,
    PARTS
};

/* How the room is divided: bytes that a part needs for sure, and how many more it seems to want. */
struct division {
    uint64_t needed[PARTS];
    uint64_t wanted[PARTS];
};

#define LOOK_EACH 1024u /* instructions, or as much of something else, between two looks */

struct tr {
    const struct translation *options;
    const struct module *module;
    const struct functype *type;
    uint32_t func;
    struct reader reader;
    struct insn insn;
    struct err *err;
    struct division *division;
    enum part full; /* why it failed, or PARTS */
    bool failed;
    uint32_t patience; /* until it looks whether it is to stop */
    bool wide;         /* slots over SLOT_MOST occur: everything passes the scratch slots */
    bool wants_wide;   /* found out too late: translate again with it */
    bool dead;         /* the place at hand cannot be reached */
    bool calls;        /* it may call a function */

    /* Code, upwards; and the word whose origin is looked for, if one is. */
    code_word *start, *at, *limit;
    uint16_t *xops; /* of each word of code, and the one behind: the operator, or XOP_COUNT if it is
                       an operand or nothing */
    uint64_t wanted;
    uint64_t found;
    struct last last;

    /* The frame. */
    uint32_t link;
    uint32_t scratch; /* first of the scratch slots of a wide frame */
    uint32_t next_scratch;
    uint32_t operands; /* slot of height 0 */
    uint32_t frame;    /* slots in all, links of callees included */
    uint32_t nlocals;
    uint32_t *local_slots;
    uint8_t *local_kinds;

    /* The operand stack. Entries below `settled` are in their slots. */
    struct entry *entries;
    uint32_t nentries, entries_most, settled;
    uint32_t acc_entry[ACC_COUNT]; /* the entry that is IN_ACC, or NOWHERE */
    uint32_t acc_slot[ACC_COUNT];  /* a slot that holds what the accumulator holds, or NOWHERE */

    struct control *controls;
    uint32_t ncontrols, controls_most;
    struct fixup *fixups;
    uint32_t nfixups, fixups_most, free_fixups;

    struct map map;
    struct tries tries;
    code_word *fuel; /* the cost word of the current stretch, or NULL */
};

/* --- tr_room.c: the room
 * --------------------------------------------------------------------------- */

/* As it is divided at first. */
void tr_division_begin(struct division *division);

/* Divides what is left of a region: code grows into the first part, the rest is scratch. False if
 * there is not enough for what is known to be needed. */
bool tr_room_lay_out(struct tr *tr, struct region *image, size_t nlocals);

/* A part is full: fails, and changes the division for another try. */
void tr_full(struct tr *tr, enum part part) COLD;

/* --- tr_emit.c: words
 * ------------------------------------------------------------------------------ */

/* Appends an instruction with `operands` zeroed words behind it; gives the first of them. After a
 * failure the words go to a place where they do no harm. */
code_word *tr_emit(struct tr *tr, enum xop xop, unsigned operands);

/* Makes the instruction at `at` another operator. */
void tr_become(struct tr *tr, code_word *at, enum xop xop);

/* Records a failure; everything after it has no effect. */
void tr_fail(struct tr *tr, enum err_kind kind, const char *what);
void tr_unsupported(struct tr *tr); /* the operator at hand */

/* Looks, every so often, whether somebody wants it to stop: then it fails. */
void tr_look_now(struct tr *tr) COLD;

static inline void tr_look(struct tr *tr)
{
    if (unlikely(!--tr->patience))
        tr_look_now(tr);
}

/* Fields of operand words. */
static inline void tr_put16(code_word *word, unsigned field, uint32_t value)
{
    uint16_t narrow = (uint16_t)value;
    memcpy((char *)word + field * sizeof narrow, &narrow, sizeof narrow);
}

static inline void tr_put32(code_word *word, unsigned field, uint32_t value)
{
    memcpy((char *)word + field * sizeof value, &value, sizeof value);
}

/* A slot as an operand: itself or, in a wide frame, a scratch slot that it is copied to. To be
 * called before the instruction is emitted. A v128 has two slots. */
uint32_t tr_use_wide(struct tr *tr, uint32_t slot, uint32_t slots);

static inline uint32_t tr_use(struct tr *tr, uint32_t slot)
{
    return likely(slot <= SLOT_MOST) ? slot : tr_use_wide(tr, slot, 1);
}

static inline uint32_t tr_use_value(struct tr *tr, uint8_t kind, uint32_t slot)
{
    uint32_t slots = kind == VT_V128 ? 2 : 1;
    return likely(slot + slots - 1 <= SLOT_MOST) ? slot : tr_use_wide(tr, slot, slots);
}

/* Labels: what is emitted next is reached from elsewhere, too. */
void tr_label(struct tr *tr);
void tr_bind(struct tr *tr, uint32_t *list);
void tr_jump_to(struct tr *tr, code_word *from, uint32_t *field, const code_word *target);
void tr_jump_later(struct tr *tr, code_word *from, uint32_t *field, uint32_t *list);

/* Starts a stretch whose operators are counted, if fuel is. */
void tr_fuel(struct tr *tr);

/* --- tr_stack.c: operands
 * -------------------------------------------------------------------------- */

static inline enum acc tr_acc_of(uint8_t kind)
{
    /* v128, f64 and f32 have neighbouring codes. */
    return (uint8_t)(kind - VT_V128) <= VT_F32 - VT_V128 ? ACC_FLOAT : ACC_INT;
}

static inline uint32_t tr_kind_slots(uint8_t kind)
{
    return kind == VT_V128 ? 2 : 1;
}

struct entry *tr_top(struct tr *tr, uint32_t depth); /* 0: the topmost */
uint32_t tr_next_slot(const struct tr *tr);          /* of the entry that would be pushed */

void tr_push_slot(struct tr *tr, uint8_t kind); /* a value in its own slot */
void tr_push_local(struct tr *tr, uint8_t kind, uint32_t local_slot, uint32_t other);
void tr_push_bits(struct tr *tr, uint8_t kind, uint64_t bits);
void tr_push_v128(struct tr *tr, const uint8_t *sixteen);
/* The result of the instruction emitted last, `xop`, which has left it in an accumulator and can be
 * patched (xop + 1, slot in field 0) to write it to a slot as well. */
void tr_push_acc(struct tr *tr, uint8_t kind, enum xop xop, code_word *producer);
/* A value in its own slot that the accumulator holds as well. */
void tr_push_both(struct tr *tr, uint8_t kind);
/* For an instruction that always writes its result to a slot: the slot to name, asked for before it
 * is emitted; and the push, after. */
uint32_t tr_dest(struct tr *tr);
void tr_push_dest(struct tr *tr, uint8_t kind);

struct entry tr_pop(struct tr *tr);
void tr_drop_to(struct tr *tr, uint32_t height);

/* The accumulator is about to be overwritten: a value that is only there gets its slot. */
void tr_clobber(struct tr *tr, enum acc acc);
void tr_clobber_all(struct tr *tr);

/* Puts the topmost `count` entries, or all, into their own slots. */
void tr_settle(struct tr *tr, uint32_t count);
void tr_settle_all(struct tr *tr);

/* Local `slot` is about to be overwritten: entries that read it earlier get copies. True if there
 * were any. */
bool tr_preserve(struct tr *tr, uint32_t slot);

/* Where an operand comes from. */
enum source { FROM_SLOT, FROM_ACC, FROM_IMM };
struct operand {
    enum source source;
    uint32_t slot; /* FROM_SLOT; for FROM_ACC a slot with the same value, or NOWHERE */
    union {
        uint64_t bits; /* FROM_IMM */
        const uint8_t *v128;
    };
};

/* The operand that a popped entry makes. A constant is an immediate where `imm` allows its bits,
 * else it is put into the entry's slot. */
enum imm_range { IMM_NEVER, IMM_ANY, IMM_U32 };
struct operand tr_operand(struct tr *tr, const struct entry *entry, enum imm_range imm);
/* The same, but always in a slot. */
uint32_t tr_operand_slot(struct tr *tr, const struct entry *entry);

/* Stores a popped entry into `slot` (of a local, a branch target, a result). */
void tr_store(struct tr *tr, const struct entry *entry, uint32_t slot);

/* --- tr_map.c: where references are
 * ------------------------------------------------------------------------- */

/* Slot `slot` is that of a local that holds references. Locals come in the order of their slots. */
void tr_map_local(struct tr *tr, uint32_t slot);

/* The collector may come at that word of the code: all entries that hold references are in their
 * slots, in locals, or null. */
void tr_safepoint(struct tr *tr, const code_word *word);

/* Entry `index` has moved or is gone. */
static inline void tr_map_forget(struct tr *tr, uint32_t index)
{
    if (tr->map.known > index)
        tr->map.known = index;
}

/* Puts the map behind the code; gives the end of both. */
uint8_t *tr_map_keep(struct tr *tr, struct code_range *range);

/* --- tr_control.c, tr_call.c, tr_plain.c: operators
 * ------------------------------------------------ */

void tr_control(struct tr *tr); /* block to return, br_table, select */
void tr_call(struct tr *tr);
void tr_try(struct tr *tr); /* exceptions */
void tr_simd(struct tr *tr);
void tr_atomic(struct tr *tr);
void tr_gc(struct tr *tr);
void tr_plain(struct tr *tr); /* everything else */

/* The form of a pair of operands, which are not both immediate and not both the accumulator; and
 * what makes sure of the latter. */
enum form2 tr_form2(enum source a, enum source b);
void tr_part(struct operand *a, struct operand *b);

/* Loads of and stores to memory, as the instruction at hand says: `xop` is the operator's first
 * form, `size` in bytes. May the access use the forms for memory 0: 32-bit addresses, and an end
 * below 2^32? */
void tr_load(struct tr *tr, uint8_t kind, enum xop xop, uint32_t size);
void tr_store_memory(struct tr *tr, uint8_t kind, enum xop xop, uint32_t size);
bool tr_access_is_common(const struct tr *tr, uint32_t size);

/* The branch that a comparison of that form makes, taken when it holds, or when it does not. */
bool tr_is_comparison(enum op op);
enum xop tr_compare_branch(enum op op, enum form2 form, bool when);

/* The same of a test of a vector; and its value. `imm` of the test is whether it is negated. */
bool tr_is_vector_test(enum op op);
enum xop tr_vector_test_branch(const struct last *test, bool when);
enum xop tr_vector_test(const struct last *test);

/* --- tr_try.c: exceptions
 * -------------------------------------------------------------------------- */

/* Keeps what was written down, behind the code at `at`: gives the end of it. */
uint8_t *tr_try_keep(struct tr *tr, uint8_t *at, struct code_range *range);

/* The body of the innermost block, which is a region, ends here. */
void tr_leave_region(struct tr *tr, const struct control *control);

/* Gives runs of instructions the handlers that they have together. What the parts before
 * PART_MAP_POINTS hold is lost. */
void tr_fuse(struct tr *tr);

/* The function's own label, and its end. */
void tr_open_function(struct tr *tr);

/* Labels, for try and its kin. A label counts from the innermost block. */
struct control *tr_control_at(struct tr *tr, uint32_t label);
struct control *tr_open_control(struct tr *tr, enum op op);
/* What is left of the innermost block's body flows to its end: its results are put in their place,
 * and a jump is made if something else follows. */
void tr_flow_out(struct tr *tr);
void tr_close_block(struct tr *tr);
/* Skips what cannot be reached, up to the else or end that ends it (which is left in tr->insn). */
void tr_skip_dead(struct tr *tr);

#endif
