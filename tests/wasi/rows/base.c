/* What each component has beside its scenario: whether all was granted, and where results go. */
#include "rows.h"

u64 area[64];
const int granted = GRANTED;

#ifdef SCENARIO /* of preview 1: a component is made to call it by itself */
int SCENARIO(void);

__attribute__((export_name("_start"))) void start(void)
{
    int code = SCENARIO();
    if (code)
        w_p1_proc_exit(code);
}
#endif
