/* Core types outside of modules; see typespace.h. They are read by the functions that read modules,
 * on behalf of a module that has nothing but these types. */
#include "engine/wasm/typespace.h"
#include "engine/wasm/decode.h"

#define FIRST_ROOM 16u

struct typespace typespace_of(struct types *types, struct region *scratch)
{
    return (struct typespace){.types = types, .scratch = scratch};
}

static bool make_room(struct typespace *space, struct reader *r, uint64_t more)
{
    uint64_t need = space->count + more;
    if (!limit_check(r, r->at, COUNT_TYPES, need))
        return false;
    if (need <= space->room)
        return true;
    uint64_t room = (uint64_t)space->room * 2 > need ? (uint64_t)space->room * 2 : need;
    room = room > FIRST_ROOM ? room : FIRST_ROOM;
    uint32_t *ids = region_array(space->scratch, uint32_t, room);
    if (!ids) {
        reader_fail(r, ERR_MEMORY, "no memory left for types");
        return false;
    }
    if (space->count)
        memcpy(ids, space->ids, space->count * sizeof *ids);
    space->ids = ids;
    space->room = (uint32_t)room;
    return true;
}

bool typespace_add(struct typespace *space, struct reader *r, uint32_t id)
{
    if (!make_room(space, r, 1))
        return false;
    space->ids[space->count++] = id;
    return true;
}

bool typespace_read(struct typespace *space, struct reader *r)
{
    /* How many types a group has is said behind its first byte; each takes a byte or more. */
    struct reader ahead = *r;
    uint32_t most = 1;
    if (reader_peek(&ahead) == 0x4e) {
        ahead.at++;
        most = limit_count(&ahead, COUNT_RECURSION);
    }
    if (!reader_ok(&ahead)) {
        reader_stop(r);
        return false;
    }
    if (!make_room(space, r, most))
        return false;
    struct module module = {.types = space->types, .type_ids = space->ids, .ntypes = space->count};
    struct decoder d = {.module = &module, .scratch = space->scratch, .type_ids = space->ids};
    uint8_t *mark = region_mark(space->scratch);
    decode_rectype(&d, r);
    region_release(space->scratch, mark);
    if (reader_ok(r))
        space->count = module.ntypes;
    return reader_ok(r);
}

struct externtype typespace_externtype(struct typespace *space, struct reader *r)
{
    struct externtype type = {0};
    struct module module = {.types = space->types, .type_ids = space->ids, .ntypes = space->count};
    struct decoder d = {.module = &module, .scratch = space->scratch, .type_ids = space->ids};
    decode_externtype(&d, r, &type);
    return type;
}

valtype typespace_valtype(struct typespace *space, struct reader *r)
{
    struct module module = {.types = space->types, .type_ids = space->ids, .ntypes = space->count};
    return valtype_read(r, &module);
}
