/* What other launchers start: a static program that says hello. */
#include <unistd.h>

int main(void)
{
    return write(1, "hello\n", 6) != 6;
}
