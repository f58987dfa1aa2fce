/* What each component has beside its scenario: whether all was granted, and where results go. */
#include "rows.h"

u64 area[64];
const int granted = 0x67726e74; /* until ../build.mjs puts 0 or 1 there */
