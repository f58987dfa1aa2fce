/* carrel-engine: the program in a cell. The shim starts it with one descriptor, its socket. */
#include "engine/cell/cell.h"

int main(void)
{
    cell_live();
}
