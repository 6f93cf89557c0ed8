/* The least that a server's program can do: says one line to its client, and ends. */
#include <unistd.h>

int main(void) { return write(1, "hello\n", 6) != 6; }
