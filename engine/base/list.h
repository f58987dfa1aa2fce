/* Lists linked both ways through members of what is in them. A list is two pointers, to the first
 * and to the last; an item has two members, which point to the item before it and after it. All of
 * them are NULL where there is nothing. Arguments are evaluated more than once. */
#ifndef CARREL_BASE_LIST_H
#define CARREL_BASE_LIST_H

#define LIST_APPEND(first, last, item, before, after)                                              \
    do {                                                                                           \
        (item)->before = (last);                                                                   \
        (item)->after = NULL;                                                                      \
        if (last)                                                                                  \
            (last)->after = (item);                                                                \
        else                                                                                       \
            (first) = (item);                                                                      \
        (last) = (item);                                                                           \
    } while (0)

#define LIST_REMOVE(first, last, item, before, after)                                              \
    do {                                                                                           \
        if ((item)->before)                                                                        \
            (item)->before->after = (item)->after;                                                 \
        else                                                                                       \
            (first) = (item)->after;                                                               \
        if ((item)->after)                                                                         \
            (item)->after->before = (item)->before;                                                \
        else                                                                                       \
            (last) = (item)->before;                                                               \
    } while (0)

#endif
